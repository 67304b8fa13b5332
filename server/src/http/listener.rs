//! Accepts connections and serves HTTP/1.1 on them, with a bound on their number and on the time for a head.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

/// HTTP connections at once; live viewers have their own bound.
const MAX_CONNECTIONS: usize = 4_096;
/// Time to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// Buffer per connection, and so the longest head.
const BUFFER_BYTES: usize = 64 << 10;
/// How long requests in progress may take when the server stops.
const LAST_REQUESTS: Duration = Duration::from_secs(5);

/// Serves until `stop`, then finishes the requests in progress.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let connections = TaskTracker::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
        let (stream, peer) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of files, most likely: give others time to close theirs.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        connections.spawn(connection(stream, peer, router.clone(), place, stop.clone()));
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(LAST_REQUESTS, connections.wait()).await.is_err() {
        tracing::warn!(left = connections.len(), "requests were still in progress at the end");
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    place: OwnedSemaphorePermit,
    stop: CancellationToken,
) {
    // Small answers must not wait for an acknowledgement; a socket that cannot do this works too.
    let _ = stream.set_nodelay(true);
    let service = router.map_request(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        request.map(Body::new)
    });
    let service = TowerToHyperService::new(service.map_err(|never: Infallible| match never {}));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut served = std::pin::pin!(served);
    let result = tokio::select! {
        result = served.as_mut() => result,
        () = stop.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = result {
        tracing::trace!(%peer, %error, "a connection ended");
    }
    drop(place);
}
