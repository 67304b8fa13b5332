//! The machines of the made-up town.

use super::rng::Rng;
use crate::host::{GpuUse, HostSample, Percent, Space};

/// A made-up machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoMachine {
    /// Its name.
    pub name: &'static str,
    /// Memory, GiB.
    memory_gib: u64,
    /// Memory of its GPU, GiB; none without a GPU.
    vram_gib: Option<u64>,
    /// Disk, GiB.
    disk_gib: u64,
    place: u64,
}

/// One with a GPU and one without.
pub const MACHINES: [DemoMachine; 2] = [
    DemoMachine { name: "anvil", memory_gib: 64, vram_gib: Some(24), disk_gib: 1_863, place: 0 },
    DemoMachine { name: "bellows", memory_gib: 32, vram_gib: None, disk_gib: 931, place: 1 },
];

impl DemoMachine {
    /// What it uses at a second since 1970: the same for the same second. Slow tides under quick ripples.
    #[must_use]
    pub fn reading(&self, seed: u64, at_s: i64) -> HostSample {
        let wave = |purpose: u64, period_s: i64| {
            // A value per period, and a straight line from one to the next.
            let who = self.place * 100 + purpose;
            let (turn, part) = (at_s.div_euclid(period_s), at_s.rem_euclid(period_s));
            let of = |turn: i64| Rng::new(seed, who, turn).unit();
            let share = f64::from(i32::try_from(part).unwrap_or(0)) / f64::from(i32::try_from(period_s).unwrap_or(1));
            of(turn) + (of(turn + 1) - of(turn)) * share
        };
        let busy = 0.55 * wave(1, 2_400) + 0.3 * wave(2, 240) + 0.15 * wave(3, 7);
        let share = |value: f64| Percent::from_reading(value * 100.0);
        let used = |gib: u64, value: f64| {
            let tenths = share(value).unwrap_or_default().tenths();
            let total = gib << 30;
            Space::new(total / 1_000 * u64::from(tenths), total)
        };
        let gpu = self.vram_gib.map(|gib| GpuUse {
            percent: share((1.6 * busy - 0.5).clamp(0.0, 0.98)),
            vram: Some(used(gib, 0.25 + 0.6 * wave(4, 1_800))),
        });
        HostSample {
            cpu: share((0.04 + 0.9 * busy * busy + 0.1 * wave(5, 3)).min(0.99)),
            memory: Some(used(self.memory_gib, 0.3 + 0.4 * (0.7 * wave(6, 5_400) + 0.3 * wave(7, 300)))),
            gpu,
            disk: Some(used(self.disk_gib, 0.41 + 0.05 * wave(8, 86_400))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_up_machine_is_plausible_and_always_the_same() {
        for machine in MACHINES {
            let mut before = machine.reading(42, 0);
            for at_s in 1..20_000 {
                let now = machine.reading(42, at_s);
                assert_eq!(now, machine.reading(42, at_s));
                assert_eq!(now.gpu.is_some(), machine.vram_gib.is_some());
                let (memory, was) = (now.memory.unwrap(), before.memory.unwrap());
                assert!(memory.used_bytes <= memory.total_bytes);
                assert!(
                    memory.used_bytes.0.abs_diff(was.used_bytes.0) < memory.total_bytes.0 / 50,
                    "memory does not jump"
                );
                before = now;
            }
        }
    }
}
