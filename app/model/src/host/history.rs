//! The past of a town's hosts as columns: means per step on one shared time axis, gaps as `None`.

use serde::{Deserialize, Serialize};

use super::percent::Percent;
use super::sample::{Bytes, HostSample};
use crate::id::HostName;
use crate::time::{Timestamp, Window};

/// What a chart of a host shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Instrument {
    /// Processors, percent.
    Cpu,
    /// Main memory, bytes.
    Memory,
    /// Graphics processors, percent.
    Gpu,
    /// Their memory, bytes.
    Vram,
    /// The disk of the data folder, bytes.
    Disk,
}

impl Instrument {
    /// All of them, in the order of the page.
    pub const ALL: [Self; 5] = [Self::Cpu, Self::Memory, Self::Gpu, Self::Vram, Self::Disk];

    /// As in JSON and in the page's anchors.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Gpu => "gpu",
            Self::Vram => "vram",
            Self::Disk => "disk",
        }
    }
    /// As people read it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::Memory => "Memory",
            Self::Gpu => "GPU",
            Self::Vram => "VRAM",
            Self::Disk => "Disk",
        }
    }
}

/// Every host of a town over a window.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostHistory {
    /// First step's beginning, seconds since 1970.
    pub from_s: i64,
    /// End of the last step, seconds since 1970.
    pub to_s: i64,
    /// Seconds per step.
    pub step_s: i64,
    /// The hosts, by name.
    pub hosts: Vec<HostColumns>,
}

/// One host's means; each column has one value per step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostColumns {
    /// The machine.
    pub host: HostName,
    /// Processors.
    pub cpu_percent: Vec<Option<Percent>>,
    /// Memory in use.
    pub memory_used_bytes: Vec<Option<Bytes>>,
    /// Graphics processors.
    pub gpu_percent: Vec<Option<Percent>>,
    /// Their memory in use.
    pub vram_used_bytes: Vec<Option<Bytes>>,
    /// Disk in use.
    pub disk_used_bytes: Vec<Option<Bytes>>,
}

impl HostHistory {
    /// Seconds per step of a window: 240 to 360 steps.
    #[must_use]
    pub const fn step_s(window: Window) -> i64 {
        match window {
            Window::Hour => super::HISTORY_STEP_S,
            Window::SixHours | Window::Day | Window::Week => window.resolution().step_s(),
        }
    }
    /// The last `window` that ends with the step in which `now` lies, without hosts.
    #[must_use]
    pub fn empty(window: Window, now: Timestamp) -> Self {
        let step_s = Self::step_s(window);
        let to_s = now.floor_to(step_s).seconds().saturating_add(step_s);
        Self { from_s: to_s.saturating_sub(window.seconds()), to_s, step_s, hosts: Vec::new() }
    }
    /// Number of steps.
    #[must_use]
    pub fn steps(&self) -> usize {
        usize::try_from((self.to_s - self.from_s) / self.step_s.max(1)).unwrap_or_default()
    }
    /// Beginnings of the steps, seconds since 1970.
    pub fn times(&self) -> impl Iterator<Item = i64> + '_ {
        (self.from_s..self.to_s).step_by(usize::try_from(self.step_s.max(1)).unwrap_or(1))
    }
    /// Puts a mean into its place; what lies outside of the window is left out. Hosts must come one after another.
    pub fn put(&mut self, host: &HostName, at_s: i64, mean: &HostSample) {
        let steps = self.steps();
        if self.hosts.last().is_none_or(|columns| columns.host != *host) {
            self.hosts.push(HostColumns::gaps(host.clone(), steps));
        }
        let Ok(step) = usize::try_from((at_s - self.from_s).div_euclid(self.step_s.max(1))) else { return };
        if let Some(columns) = self.hosts.last_mut().filter(|_| step < steps) {
            columns.set(step, mean);
        }
    }
}

impl HostColumns {
    fn gaps(host: HostName, steps: usize) -> Self {
        Self {
            host,
            cpu_percent: vec![None; steps],
            memory_used_bytes: vec![None; steps],
            gpu_percent: vec![None; steps],
            vram_used_bytes: vec![None; steps],
            disk_used_bytes: vec![None; steps],
        }
    }

    fn set(&mut self, step: usize, mean: &HostSample) {
        self.cpu_percent[step] = mean.cpu;
        self.memory_used_bytes[step] = mean.memory.map(|space| space.used_bytes);
        self.gpu_percent[step] = mean.gpu.and_then(|gpu| gpu.percent);
        self.vram_used_bytes[step] = mean.gpu.and_then(|gpu| gpu.vram).map(|space| space.used_bytes);
        self.disk_used_bytes[step] = mean.disk.map(|space| space.used_bytes);
    }

    /// The value of a step on the axis: percent, or GiB. None is a gap.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "display only; the exact value stands beside it")]
    pub fn value(&self, instrument: Instrument, step: usize) -> Option<f64> {
        let percent = |column: &[Option<Percent>]| column.get(step).copied().flatten().map(Percent::value);
        let gib = |column: &[Option<Bytes>]| {
            column.get(step).copied().flatten().map(|bytes| bytes.0 as f64 / f64::from(1_u32 << 30))
        };
        match instrument {
            Instrument::Cpu => percent(&self.cpu_percent),
            Instrument::Gpu => percent(&self.gpu_percent),
            Instrument::Memory => gib(&self.memory_used_bytes),
            Instrument::Vram => gib(&self.vram_used_bytes),
            Instrument::Disk => gib(&self.disk_used_bytes),
        }
    }

    /// The exact value of a step in words; none in a gap.
    #[must_use]
    pub fn exact(&self, instrument: Instrument, step: usize) -> Option<String> {
        let percent = |column: &[Option<Percent>]| column.get(step).copied().flatten().map(|share| share.to_string());
        let bytes = |column: &[Option<Bytes>]| column.get(step).copied().flatten().map(|bytes| bytes.to_string());
        match instrument {
            Instrument::Cpu => percent(&self.cpu_percent),
            Instrument::Gpu => percent(&self.gpu_percent),
            Instrument::Memory => bytes(&self.memory_used_bytes),
            Instrument::Vram => bytes(&self.vram_used_bytes),
            Instrument::Disk => bytes(&self.disk_used_bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn host(name: &str) -> HostName {
        HostName::new(name).unwrap()
    }

    fn cpu(tenths: u16) -> HostSample {
        HostSample { cpu: Some(Percent::from_tenths(tenths)), ..HostSample::default() }
    }

    #[test]
    fn a_step_without_readings_is_a_gap() {
        let mut page = HostHistory::empty(Window::Hour, Timestamp::from_seconds(7_200));
        assert_eq!((page.from_s, page.to_s, page.step_s, page.steps()), (3_615, 7_215, 15, 240));
        page.put(&host("a"), 3_615, &cpu(1));
        page.put(&host("a"), 3_650, &cpu(2));
        page.put(&host("b"), 7_200, &cpu(3));
        assert_eq!(page.hosts.len(), 2);
        let seen: Vec<_> = (0..4).map(|step| page.hosts[0].value(Instrument::Cpu, step)).collect();
        assert_eq!(seen, [Some(0.1), None, Some(0.2), None]);
        assert_eq!(page.hosts[1].exact(Instrument::Cpu, 239).as_deref(), Some("0.3 %"));
        assert_eq!(page.hosts[1].exact(Instrument::Gpu, 239), None);
    }

    proptest! {
        #[test]
        fn whatever_is_put_all_columns_have_one_value_per_step(
            window in proptest::sample::select(Window::ALL.to_vec()), now in 0_i64..4_000_000_000, offsets in proptest::collection::vec(-900_000_i64..900_000, 0..20),
        ) {
            let mut page = HostHistory::empty(window, Timestamp::from_seconds(now));
            for offset in offsets {
                page.put(&host("a"), now + offset, &cpu(5));
            }
            prop_assert!(page.steps() <= 360);
            prop_assert_eq!(page.times().count(), page.steps());
            for columns in &page.hosts {
                prop_assert_eq!(columns.cpu_percent.len(), page.steps());
                prop_assert_eq!(columns.disk_used_bytes.len(), page.steps());
            }
        }
    }
}
