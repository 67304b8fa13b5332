//! A host's figures in words.

use model::Timestamp;
use model::format::ago;
use model::host::{Bytes, Instrument, OwnCost, Percent, PerfMetrics, RunStatus, SpaceMetrics, is_stale};

/// After this long without a reading nobody reads the host any more.
const SILENT_S: i64 = 60;

/// A host's state: one word, also for style sheets, and what there is to say of it. Without a link to the server,
/// nothing is known of the host itself.
pub(crate) fn state(metrics: &PerfMetrics, now: Timestamp, heard: bool) -> (&'static str, String) {
    let age_us = now.micros_since(metrics.timestamp);
    let age_s = age_us / 1_000_000;
    match metrics.run.status {
        _ if !heard && is_stale(age_us) => {
            ("Stale", format!("The server cannot be reached: these figures were read {}", ago(age_s)))
        }
        _ if age_s >= SILENT_S => ("Silent", format!("Last read {}. Does towngauge still run there?", ago(age_s))),
        _ if is_stale(age_us) => ("Stale", format!("These figures were read {}", ago(age_s))),
        RunStatus::Live => ("Live", "The town runs: read every second".to_owned()),
        RunStatus::Idle => ("Idle", "The town idles: read every 3 s".to_owned()),
    }
}

fn space(metrics: &PerfMetrics, instrument: Instrument) -> Option<SpaceMetrics> {
    match instrument {
        Instrument::Memory => metrics.memory,
        Instrument::Disk => metrics.disk,
        Instrument::Vram => metrics.gpu.as_ref()?.vram(),
        Instrument::Cpu | Instrument::Gpu => None,
    }
}

/// Where the needle stands; none where there is nothing.
pub(crate) fn percent(metrics: &PerfMetrics, instrument: Instrument) -> Option<Percent> {
    match instrument {
        Instrument::Cpu => metrics.cpu.map(|cpu| cpu.percent),
        Instrument::Gpu => metrics.gpu.and_then(|gpu| gpu.percent),
        Instrument::Memory | Instrument::Vram | Instrument::Disk => space(metrics, instrument)?.percent,
    }
}

/// The figure under a dial.
pub(crate) fn figure(metrics: &PerfMetrics, instrument: Instrument) -> String {
    percent(metrics, instrument).map_or_else(|| "Not available".to_owned(), |share| share.to_string())
}

/// What stands under the figure.
pub(crate) fn note(metrics: &PerfMetrics, instrument: Instrument) -> String {
    match (instrument, space(metrics, instrument)) {
        (_, Some(SpaceMetrics { used_bytes, total_bytes, .. })) => format!("{used_bytes} of {total_bytes}"),
        (Instrument::Cpu, None) => "all processors".to_owned(),
        (Instrument::Gpu | Instrument::Vram, None) if metrics.gpu.is_none() => "no NVIDIA GPU here".to_owned(),
        (Instrument::Gpu, None) => "utilization".to_owned(),
        (_, None) => String::new(),
    }
}

/// All there is, in GiB: where an axis ends. None for percentages, and where nobody knows.
#[expect(clippy::cast_precision_loss, reason = "the end of an axis")]
pub(crate) fn total_gib(metrics: &PerfMetrics, instrument: Instrument) -> Option<f64> {
    space(metrics, instrument).map(|space| space.total_bytes.0 as f64 / f64::from(1_u32 << 30))
}

/// A rate or share of the server's own, or that it is not known yet.
pub(crate) fn short(value: Option<f64>, decimals: usize, unit: &str) -> String {
    value.map_or_else(|| "measuring".to_owned(), |value| format!("{value:.decimals$}{unit}"))
}

/// Bytes, or that they are not available.
pub(crate) fn of_all(bytes: Option<Bytes>) -> String {
    bytes.map_or_else(|| "Not available".to_owned(), |bytes| bytes.to_string())
}

/// How long events take until they are seen, or why nobody knows.
pub(crate) fn event_to_pixel(own: &OwnCost) -> String {
    let told = own.event_to_pixel;
    match (told.median_ms, told.worst_ms) {
        (Some(median), Some(worst)) => format!("{median} ms · worst {worst} ms"),
        _ if told.lost > 0 => "— nothing came back".to_owned(),
        _ if own.viewers == 0 => "— nobody looks".to_owned(),
        _ => "measuring".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use model::host::{CpuMetrics, EventToPixel, GpuMetrics, Run, TokenMetrics};
    use model::id::{HostName, TownName};

    use super::*;

    fn metrics(gpu: Option<GpuMetrics>) -> PerfMetrics {
        PerfMetrics {
            timestamp: Timestamp::from_seconds(1_000),
            project: TownName::new("home").unwrap(),
            host: HostName::new("forge").unwrap(),
            demo: false,
            run: Run { status: RunStatus::Live, ..Run::default() },
            tokens: TokenMetrics::default(),
            cpu: Some(CpuMetrics { percent: Percent::from_tenths(234) }),
            memory: None,
            gpu,
            disk: None,
        }
    }

    #[test]
    fn no_gpu_is_not_available_and_never_zero() {
        assert_eq!(figure(&metrics(None), Instrument::Gpu), "Not available");
        assert_eq!(note(&metrics(None), Instrument::Vram), "no NVIDIA GPU here");
        assert_eq!(percent(&metrics(None), Instrument::Gpu), None);
        let idle = GpuMetrics { percent: Some(Percent::from_tenths(0)), ..GpuMetrics::default() };
        assert_eq!(figure(&metrics(Some(idle)), Instrument::Gpu), "0.0 %");
        assert_eq!(figure(&metrics(None), Instrument::Cpu), "23.4 %");
    }

    #[test]
    fn no_age_is_a_dash_with_its_reason_and_never_zero() {
        let check = |told, viewers, want: &str| {
            let own = OwnCost { viewers, event_to_pixel: told, ..OwnCost::default() };
            assert_eq!(event_to_pixel(&own), want);
        };
        let lost = EventToPixel { lost: 2, ..EventToPixel::default() };
        check(EventToPixel::default(), 0, "— nobody looks");
        check(EventToPixel::default(), 1, "measuring");
        check(lost, 1, "— nothing came back");
        check(lost, 0, "— nothing came back");
        let back = EventToPixel { back: 3, median_ms: Some(180), worst_ms: Some(240), ..lost };
        check(back, 1, "180 ms · worst 240 ms");
    }

    #[test]
    fn live_stale_and_silent_read_differently() {
        let word = |seconds: i64| state(&metrics(None), Timestamp::from_seconds(1_000 + seconds), true).0;
        assert_eq!([word(0), word(10), word(11), word(59), word(60)], ["Live", "Live", "Stale", "Stale", "Silent"]);
        assert_eq!(
            state(&metrics(None), Timestamp::from_seconds(1_300), true).1,
            "Last read 5 min ago. Does towngauge still run there?"
        );
        assert_eq!(
            state(&metrics(None), Timestamp::from_seconds(1_300), false),
            ("Stale", "The server cannot be reached: these figures were read 5 min ago".to_owned())
        );
    }
}
