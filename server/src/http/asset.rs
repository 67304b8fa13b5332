//! `/pkg/…`: the client's files.

use std::path::{Path as FilePath, PathBuf};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use xxhash_rust::xxh3::xxh3_64;

use crate::assets::{Assets, Embedded, WATCH_BOOT, below, content_type, is_hashed};
use crate::state::App;

/// `/pkg/{*file}`, and the addresses that browsers ask for by themselves.
pub fn router() -> Router<App> {
    Router::new().route("/pkg/{*file}", get(file))
}

async fn file(State(app): State<App>, Path(file): Path<String>, headers: HeaderMap) -> Response {
    let path = format!("/pkg/{file}");
    match &app.assets {
        Assets::Embedded => match Assets::embedded(&path) {
            Some(embedded) => serve(embedded, &headers),
            None => StatusCode::NOT_FOUND.into_response(),
        },
        Assets::Folder(root) => from_disk(root, &path).await,
    }
}

fn serve(file: &'static Embedded, headers: &HeaderMap) -> Response {
    let (body, encoding) = match (file.br, file.gz) {
        (Some(br), _) if accepts(headers, "br") => (br, Some("br")),
        (_, Some(gz)) if accepts(headers, "gzip") => (gz, Some("gzip")),
        _ => (file.plain, None),
    };
    let mut response = ([(CONTENT_TYPE, content_type(file.path))], body).into_response();
    let answer = response.headers_mut();
    answer.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        answer.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    if is_hashed(file.path) {
        answer.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
        return response;
    }
    answer.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let tag = format!("\"{:016x}{}\"", xxh3_64(file.plain), encoding.unwrap_or_default());
    let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|v| v.to_str().ok());
    if known.into_iter().flat_map(|v| v.split(',')).any(|v| v.trim().trim_start_matches("W/") == tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = axum::body::Body::empty();
        response.headers_mut().remove(axum::http::header::CONTENT_LENGTH);
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.into_iter().flat_map(|value| value.split(',')).any(|part| {
        let mut parts = part.split(';').map(str::trim);
        parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding))
            && !parts.any(|q| q == "q=0" || q == "q=0.0")
    })
}

/// While `cargo leptos watch` rebuilds: as it is on disk, never cached.
async fn from_disk(root: &FilePath, path: &str) -> Response {
    let fresh = (CACHE_CONTROL, "no-store");
    if path == "/pkg/boot.js" {
        return ([(CONTENT_TYPE, content_type(path)), fresh], WATCH_BOOT).into_response();
    }
    for place in places(root, path) {
        if let Ok(content) = tokio::fs::read(place).await {
            return ([(CONTENT_TYPE, content_type(path)), fresh], content).into_response();
        }
    }
    StatusCode::NOT_FOUND.into_response()
}

/// Where a file may lie. cargo-leptos leaves the style sheet's imports as they are: their files are the sources, below
/// the folder that it starts the server in.
fn places(root: &FilePath, path: &str) -> Vec<PathBuf> {
    let source = path.strip_prefix("/pkg/").filter(|name| name.ends_with(".css"));
    [below(root, path), source.and_then(|name| below(FilePath::new("style"), name))].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    static FILE: Embedded =
        Embedded { path: "/pkg/a-0123456789abcdef.js", plain: b"plain", br: Some(b"br"), gz: Some(b"gz") };
    static UNHASHED: Embedded = Embedded { path: "/pkg/icon.svg", plain: b"<svg/>", br: None, gz: None };

    fn get(file: &'static Embedded, encodings: &'static str, known: Option<HeaderValue>) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(encodings));
        if let Some(known) = known {
            headers.insert(IF_NONE_MATCH, known);
        }
        serve(file, &headers)
    }

    #[test]
    fn the_best_copy_that_the_browser_takes_is_sent() {
        let encoding = |accepted| get(&FILE, accepted, None).headers().get(CONTENT_ENCODING).cloned();
        assert_eq!(encoding("gzip, deflate, br").unwrap(), "br");
        assert_eq!(encoding("gzip;q=1, br;q=0").unwrap(), "gzip");
        assert_eq!(encoding("identity"), None);
    }

    #[test]
    fn imported_style_sheets_are_found_while_cargo_leptos_watches() {
        let found = |path| places(FilePath::new("/site"), path);
        assert_eq!(found("/pkg/base.css"), [PathBuf::from("/site/pkg/base.css"), "style/base.css".into()]);
        assert_eq!(found("/pkg/towngauge.js"), [PathBuf::from("/site/pkg/towngauge.js")]);
        assert_eq!(found("/pkg/../../etc/x.css"), Vec::<PathBuf>::new());
    }

    #[test]
    fn hashed_names_are_kept_for_ever_and_others_are_asked_for_again() {
        let immutable = get(&FILE, "", None);
        assert!(immutable.headers()[CACHE_CONTROL].to_str().unwrap().contains("immutable"));
        let first = get(&UNHASHED, "", None);
        let tag = first.headers()[ETAG].clone();
        assert_eq!(get(&UNHASHED, "", Some(tag)).status(), StatusCode::NOT_MODIFIED);
    }
}
