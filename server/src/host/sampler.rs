//! The sampler: one per host, whatever the number of viewers. It reads when its sink wants a reading, and never faster
//! than processors can tell.

use std::time::Duration;

use async_trait::async_trait;
use model::host::{HISTORY_STEP_S, HostSample};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::probe::Probe;

/// Processors say nothing of less.
const LEAST: Duration = Duration::from_millis(250);
/// A reading stands for no more than this: before that the machine slept.
const MOST_WEIGHT: Duration = Duration::from_secs(2 * HISTORY_STEP_S.unsigned_abs());

/// Where readings go.
#[async_trait]
pub trait Sink: Send {
    /// Takes a reading that stands for the time `weight` before it. Says when the next one is wanted.
    async fn take(&mut self, sample: HostSample, weight: Duration) -> Duration;
    /// Completes when a reading is wanted at once.
    async fn nudged(&self);
}

/// Reads until `stop`.
pub async fn run(
    probe: impl FnOnce() -> Box<dyn Probe> + Send + 'static,
    mut sink: impl Sink,
    stop: CancellationToken,
) {
    let work = async {
        // Looking for GPUs and reading block for moments.
        let mut probe = tokio::task::spawn_blocking(|| {
            let mut probe = probe();
            probe.read();
            probe
        })
        .await?;
        let mut before = Instant::now();
        sleep(LEAST).await;
        loop {
            let sample;
            (probe, sample) = tokio::task::spawn_blocking(move || {
                let sample = probe.read();
                (probe, sample)
            })
            .await?;
            let now = Instant::now();
            let next = sink.take(sample, (now - before).min(MOST_WEIGHT)).await;
            before = now;
            tokio::select! {
                () = sleep_until(now + next.max(LEAST)) => {}
                () = async { sink.nudged().await; sleep_until(now + LEAST).await } => {}
            }
        }
    };
    let ended: Result<(), tokio::task::JoinError> = tokio::select! {
        () = stop.cancelled() => return,
        ended = work => ended,
    };
    if let Err(error) = ended {
        tracing::error!(%error, "this machine cannot be read any more");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use model::host::Percent;
    use tokio::sync::{Notify, mpsc};

    use super::*;

    /// Tells how often it was read.
    struct Counting(Arc<AtomicU32>);

    impl Probe for Counting {
        fn read(&mut self) -> HostSample {
            let times = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            HostSample { cpu: Percent::from_reading(times.into()), ..HostSample::default() }
        }
    }

    struct Told {
        taken: mpsc::Sender<(HostSample, Duration, Instant)>,
        next: Duration,
        nudge: Arc<Notify>,
    }

    #[async_trait]
    impl Sink for Told {
        async fn take(&mut self, sample: HostSample, weight: Duration) -> Duration {
            self.taken.send((sample, weight, Instant::now())).await.unwrap();
            self.next
        }
        async fn nudged(&self) {
            self.nudge.notified().await;
        }
    }

    struct Bench {
        reads: Arc<AtomicU32>,
        taken: mpsc::Receiver<(HostSample, Duration, Instant)>,
        nudge: Arc<Notify>,
        stop: CancellationToken,
    }

    fn start(next_s: u64) -> Bench {
        let (reads, nudge, stop) = (Arc::<AtomicU32>::default(), Arc::new(Notify::new()), CancellationToken::new());
        let (taken, receiver) = mpsc::channel(100);
        let sink = Told { taken, next: Duration::from_secs(next_s), nudge: Arc::clone(&nudge) };
        let counting = Arc::clone(&reads);
        tokio::spawn(run(move || Box::new(Counting(counting)), sink, stop.clone()));
        Bench { reads, taken: receiver, nudge, stop }
    }

    #[tokio::test(start_paused = true)]
    async fn it_reads_when_a_reading_is_wanted_and_not_between() {
        let mut bench = start(15);
        let (first, _, at) = bench.taken.recv().await.unwrap();
        assert_eq!(first.cpu, Percent::from_reading(2.0), "the first reading only begins the time of the second");
        let (_, weight, then) = bench.taken.recv().await.unwrap();
        assert_eq!((weight.as_secs(), (then - at).as_secs()), (15, 15));
        assert_eq!(bench.reads.load(Ordering::Relaxed), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_begins_to_look_need_not_wait() {
        let mut bench = start(15);
        let (_, _, at) = bench.taken.recv().await.unwrap();
        sleep(Duration::from_secs(4)).await;
        bench.nudge.notify_one();
        let (_, weight, then) = bench.taken.recv().await.unwrap();
        assert_eq!(((then - at).as_secs(), weight.as_secs()), (4, 4));
        // Many that begin at once are told by few readings.
        for _ in 0..100 {
            bench.nudge.notify_one();
            tokio::task::yield_now().await;
        }
        let (_, weight, _) = bench.taken.recv().await.unwrap();
        assert!(weight >= LEAST);
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_when_it_is_told_to() {
        let mut bench = start(1);
        bench.taken.recv().await.unwrap();
        bench.stop.cancel();
        while bench.taken.recv().await.is_some() {}
    }
}
