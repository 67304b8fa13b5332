//! What a machine can be asked: its processors, its memory, its GPUs, and one disk.

use std::path::PathBuf;

use model::host::{HostSample, Percent, Space};
use nix::sys::statvfs::statvfs;
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

use super::gpu::Gpus;

/// Where readings come from.
pub trait Probe: Send + 'static {
    /// Reads. Blocks for a moment. Processors are told for the time since the reading before; not by the first one.
    fn read(&mut self) -> HostSample;
}

/// The machine that this runs on.
pub struct MachineProbe {
    /// None on a system that cannot be asked.
    system: Option<System>,
    gpus: Gpus,
    data_dir: PathBuf,
    is_first: bool,
}

impl MachineProbe {
    /// For the machine that this runs on, and the disk that holds `data_dir`. Blocks while it looks for GPUs.
    #[must_use]
    pub fn new(data_dir: PathBuf) -> Self {
        let kinds = RefreshKind::nothing()
            .with_cpu(CpuRefreshKind::nothing().with_usage())
            .with_memory(MemoryRefreshKind::nothing().with_ram());
        let system = System::new_with_specifics(kinds);
        if let Err(error) = &system {
            tracing::warn!(%error, "processors and memory of this machine cannot be read");
        }
        Self { system: system.ok(), gpus: Gpus::find(), data_dir, is_first: true }
    }

    /// The disk of the data folder, or of the nearest folder above that is there.
    fn disk(&self) -> Option<Space> {
        let disk = self.data_dir.ancestors().find_map(|folder| statvfs(folder).ok())?;
        // The types of these differ between systems.
        #[expect(clippy::useless_conversion, reason = "other systems have narrower numbers")]
        let blocks = |count| u64::from(count).saturating_mul(u64::from(disk.fragment_size()));
        let total = blocks(disk.blocks());
        Some(Space::new(total.saturating_sub(blocks(disk.blocks_free())), total)).filter(|_| total > 0)
    }
}

impl Probe for MachineProbe {
    fn read(&mut self) -> HostSample {
        let is_first = std::mem::take(&mut self.is_first);
        let (gpu, disk) = (self.gpus.read(), self.disk());
        let Some(system) = &mut self.system else { return HostSample { gpu, disk, ..HostSample::default() } };
        system.refresh_cpu_usage();
        system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
        let cpu = Percent::from_reading(system.global_cpu_usage().into()).filter(|_| !is_first);
        let total = system.total_memory();
        let memory = (total > 0).then(|| Space::new(system.used_memory(), total));
        HostSample { cpu, memory, gpu, disk }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn this_machine_tells_its_processors_its_memory_and_its_disk() {
        let mut probe = MachineProbe::new(std::env::temp_dir().join("not there"));
        assert_eq!(probe.read().cpu, None, "nothing can be said of a time that has not passed");
        std::thread::sleep(Duration::from_millis(250));
        let HostSample { cpu, memory, disk, .. } = probe.read();
        assert!(cpu.is_some());
        for space in [memory.unwrap(), disk.unwrap()] {
            assert!(space.used_bytes.0 > 0 && space.used_bytes <= space.total_bytes, "{space:?}");
        }
    }
}
