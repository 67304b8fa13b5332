//! Readings of one step of the history as their mean over time.

use super::percent::Percent;
use super::sample::{Bytes, GpuUse, HostSample, Space};

/// A mean over time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Mean {
    sum: u128,
    weight_ms: u64,
}

impl Mean {
    fn add(&mut self, value: u64, weight_ms: u64) {
        self.sum = self.sum.saturating_add(u128::from(value) * u128::from(weight_ms));
        self.weight_ms = self.weight_ms.saturating_add(weight_ms);
    }
    /// Rounded half up; none of nothing.
    fn value(self) -> Option<u64> {
        let weight = u128::from(self.weight_ms);
        let mean = self.sum.saturating_add(weight / 2).checked_div(weight)?;
        Some(u64::try_from(mean).unwrap_or(u64::MAX))
    }
    fn percent(self) -> Option<Percent> {
        self.value().map(|tenths| Percent::from_tenths(u16::try_from(tenths).unwrap_or(u16::MAX)))
    }
}

/// Room: the mean of what was used, and what there was in the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Room {
    used: Mean,
    total: Bytes,
}

impl Room {
    fn add(&mut self, space: Option<Space>, weight_ms: u64) {
        if let Some(Space { used_bytes, total_bytes }) = space {
            self.used.add(used_bytes.0, weight_ms);
            self.total = total_bytes;
        }
    }
    fn space(self) -> Option<Space> {
        self.used.value().map(|used| Space { used_bytes: Bytes(used), total_bytes: self.total })
    }
}

/// Readings since the step began. Each counts for as long as it stands for: a stretch that was read each second weighs
/// no more than one that was read once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    cpu: Mean,
    memory: Room,
    gpu: Mean,
    vram: Room,
    disk: Room,
    has_gpu: bool,
    readings: u32,
}

impl Tally {
    /// Takes in a reading that stands for the last `weight_ms` milliseconds (at least one).
    pub fn add(&mut self, sample: &HostSample, weight_ms: u64) {
        let weight_ms = weight_ms.max(1);
        if let Some(cpu) = sample.cpu {
            self.cpu.add(cpu.tenths().into(), weight_ms);
        }
        self.memory.add(sample.memory, weight_ms);
        self.disk.add(sample.disk, weight_ms);
        if let Some(gpu) = sample.gpu {
            self.has_gpu = true;
            if let Some(percent) = gpu.percent {
                self.gpu.add(percent.tenths().into(), weight_ms);
            }
            self.vram.add(gpu.vram, weight_ms);
        }
        self.readings = self.readings.saturating_add(1);
    }
    /// Whether nothing was read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.readings == 0
    }
    /// The means.
    #[must_use]
    pub fn mean(&self) -> HostSample {
        let gpu = self.has_gpu.then(|| GpuUse { percent: self.gpu.percent(), vram: self.vram.space() });
        HostSample { cpu: self.cpu.percent(), memory: self.memory.space(), gpu, disk: self.disk.space() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cpu(tenths: u16) -> HostSample {
        HostSample { cpu: Some(Percent::from_tenths(tenths)), ..HostSample::default() }
    }

    #[test]
    fn nothing_read_is_nothing_and_not_zero() {
        assert!(Tally::default().is_empty());
        assert_eq!(Tally::default().mean(), HostSample::default());
    }

    #[test]
    fn a_second_that_was_looked_at_weighs_no_more_than_one_that_was_not() {
        let mut tally = Tally::default();
        tally.add(&cpu(100), 10_000);
        for _ in 0..5 {
            tally.add(&cpu(700), 1_000);
        }
        assert_eq!(tally.mean().cpu, Some(Percent::from_tenths(300)));
    }

    fn samples() -> impl Strategy<Value = HostSample> {
        let space =
            || proptest::option::of((0_u64..1 << 50, 0_u64..1 << 50).prop_map(|(used, total)| Space::new(used, total)));
        let percent = || proptest::option::of((0_u16..=1_000).prop_map(Percent::from_tenths));
        let gpu = proptest::option::of((percent(), space()).prop_map(|(percent, vram)| GpuUse { percent, vram }));
        (percent(), space(), gpu, space()).prop_map(|(cpu, memory, gpu, disk)| HostSample { cpu, memory, gpu, disk })
    }

    proptest! {
        #[test]
        fn the_mean_of_the_same_is_the_same(sample in samples(), weights in proptest::collection::vec(1_u64..60_000, 1..20)) {
            let mut tally = Tally::default();
            weights.iter().for_each(|weight| tally.add(&sample, *weight));
            prop_assert_eq!(tally.mean(), sample);
        }
        #[test]
        fn a_mean_lies_between_the_readings(readings in proptest::collection::vec((0_u16..=1_000, 1_u64..60_000), 1..20)) {
            let mut tally = Tally::default();
            readings.iter().for_each(|(tenths, weight)| tally.add(&cpu(*tenths), *weight));
            let mean = tally.mean().cpu.unwrap().tenths();
            let all = || readings.iter().map(|(tenths, _)| *tenths);
            prop_assert!(all().min().unwrap() <= mean && mean <= all().max().unwrap());
        }
    }
}
