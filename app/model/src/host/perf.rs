//! The message `perf_metrics`: what a host uses, with the run of its town beside it.

use serde::{Deserialize, Serialize};

use super::percent::Percent;
use super::sample::{Bytes, GpuUse, HostSample, Space};
use crate::id::{HostName, TownName};
use crate::time::Timestamp;

/// Times in this message are RFC 3339 in UTC with their zone, as people and other programs read them.
mod rfc3339 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    use crate::time::Timestamp;

    pub(super) fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(at)
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let raw = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        crate::host::utc::read(&raw)
            .ok_or_else(|| D::Error::custom("not a time in UTC, such as 2026-02-26T18:21:35.108Z"))
    }

    pub(super) mod option {
        use super::{Deserialize, Deserializer, Serializer, Timestamp};

        #[derive(Deserialize)]
        struct At(#[serde(with = "super")] Timestamp);

        pub(crate) fn serialize<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
            match at {
                Some(at) => super::serialize(at, serializer),
                None => serializer.serialize_none(),
            }
        }
        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
            Ok(Option::<At>::deserialize(deserializer)?.map(|At(at)| at))
        }
    }
}

/// What a host of a town uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "perf_metrics")]
pub struct PerfMetrics {
    /// When it was read, by the server's clock.
    #[serde(with = "rfc3339")]
    pub timestamp: Timestamp,
    /// The town.
    pub project: TownName,
    /// The machine.
    pub host: HostName,
    /// Whether the town is made up, and this reading with it.
    pub demo: bool,
    /// What the town is at.
    pub run: Run,
    /// What it used.
    pub tokens: TokenMetrics,
    /// Processors; null where not available.
    pub cpu: Option<CpuMetrics>,
    /// Main memory; null where not available.
    pub memory: Option<SpaceMetrics>,
    /// Graphics processors; null where there is none.
    pub gpu: Option<GpuMetrics>,
    /// The disk that holds the data folder; null where not available.
    pub disk: Option<SpaceMetrics>,
}

/// Whether a town works.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Agents work, or something came within the last minute.
    Live,
    /// Nothing happens.
    #[default]
    Idle,
}

/// A town's newest run: a stretch of work without a pause of ten minutes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Whether it goes on.
    pub status: RunStatus,
    /// The process that read the host: `serve`, or `watch` elsewhere. Null in the demo.
    pub pid: Option<u32>,
    /// When the run began; null when the town did nothing for a week.
    #[serde(with = "rfc3339::option")]
    pub started_at: Option<Timestamp>,
    /// Names the run: the same as long as it lasts. Null without one.
    pub run_id: Option<String>,
}

/// Tokens of all kinds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenMetrics {
    /// Of the run.
    pub current_run: i64,
    /// Since this server started, or since the run began if that was earlier.
    pub total_session: i64,
    /// Whether anything is known: false in a town that never had an event.
    pub available: bool,
}

/// Processors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CpuMetrics {
    /// Of all of them together.
    pub percent: Percent,
}

/// Memory or disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpaceMetrics {
    /// In use.
    pub used_bytes: Bytes,
    /// All there is.
    pub total_bytes: Bytes,
    /// The share in use; null of nothing.
    pub percent: Option<Percent>,
}

/// Graphics processors, all together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GpuMetrics {
    /// Mean utilization.
    pub percent: Option<Percent>,
    /// Their memory in use.
    pub vram_used_bytes: Option<Bytes>,
    /// All their memory.
    pub vram_total_bytes: Option<Bytes>,
}

impl From<Space> for SpaceMetrics {
    fn from(space: Space) -> Self {
        Self { used_bytes: space.used_bytes, total_bytes: space.total_bytes, percent: space.percent() }
    }
}

impl From<GpuUse> for GpuMetrics {
    fn from(GpuUse { percent, vram }: GpuUse) -> Self {
        Self {
            percent,
            vram_used_bytes: vram.map(|vram| vram.used_bytes),
            vram_total_bytes: vram.map(|vram| vram.total_bytes),
        }
    }
}

impl GpuMetrics {
    /// Their memory.
    #[must_use]
    pub fn vram(&self) -> Option<SpaceMetrics> {
        self.vram_used_bytes
            .zip(self.vram_total_bytes)
            .map(|(used_bytes, total_bytes)| Space { used_bytes, total_bytes }.into())
    }
}

impl PerfMetrics {
    /// A reading in its message.
    #[must_use]
    pub fn new(
        (project, demo): (TownName, bool),
        host: HostName,
        timestamp: Timestamp,
        sample: &HostSample,
        (run, tokens): (Run, TokenMetrics),
    ) -> Self {
        let HostSample { cpu, memory, gpu, disk } = *sample;
        Self {
            timestamp,
            project,
            host,
            demo,
            run,
            tokens,
            cpu: cpu.map(|percent| CpuMetrics { percent }),
            memory: memory.map(Into::into),
            gpu: gpu.map(Into::into),
            disk: disk.map(Into::into),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metrics() -> PerfMetrics {
        let run = Run {
            status: RunStatus::Live,
            pid: Some(4_680),
            started_at: Some(Timestamp::from_seconds(1_772_000_000)),
            run_id: Some("home-1772000000".into()),
        };
        let sample = HostSample {
            cpu: Percent::from_reading(23.4),
            memory: Some(Space::new(12 << 30, 32 << 30)),
            gpu: Some(GpuUse { percent: Percent::from_reading(88.0), vram: Some(Space::new(6 << 30, 24 << 30)) }),
            disk: Some(Space::new(1, 2)),
        };
        PerfMetrics::new(
            (TownName::new("home").unwrap(), false),
            HostName::new("forge").unwrap(),
            Timestamp(1_772_000_123_456_000),
            &sample,
            (run, TokenMetrics { current_run: 5, total_session: 9, available: true }),
        )
    }

    #[test]
    fn the_message_has_its_type_and_times_with_a_zone() {
        let value = serde_json::to_value(metrics()).unwrap();
        assert_eq!(
            value,
            json!({
                "type": "perf_metrics", "timestamp": "2026-02-25T06:15:23.456Z", "project": "home", "host": "forge", "demo": false,
                "run": {"status": "live", "pid": 4680, "started_at": "2026-02-25T06:13:20Z", "run_id": "home-1772000000"},
                "tokens": {"current_run": 5, "total_session": 9, "available": true},
                "cpu": {"percent": 23.4},
                "memory": {"used_bytes": 12_884_901_888_u64, "total_bytes": 34_359_738_368_u64, "percent": 37.5},
                "gpu": {"percent": 88.0, "vram_used_bytes": 6_442_450_944_u64, "vram_total_bytes": 25_769_803_776_u64},
                "disk": {"used_bytes": 1, "total_bytes": 2, "percent": 50.0},
            })
        );
    }

    #[test]
    fn what_is_written_reads_back() {
        let bare = PerfMetrics { run: Run::default(), cpu: None, memory: None, gpu: None, disk: None, ..metrics() };
        for metrics in [metrics(), bare] {
            let text = serde_json::to_string(&metrics).unwrap();
            assert_eq!(serde_json::from_str::<PerfMetrics>(&text).unwrap(), metrics);
        }
    }

    #[test]
    fn a_host_without_gpu_says_null() {
        let text = serde_json::to_string(&PerfMetrics { gpu: None, ..metrics() }).unwrap();
        assert!(text.contains("\"gpu\":null"), "{text}");
    }
}
