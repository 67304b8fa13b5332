//! NVIDIA's GPUs, through the driver's own library. It is looked for when the program runs; where it is not, there is no
//! GPU to tell of, which is normal and not worth a word.

use model::host::{GpuUse, Percent, Space};
use nvml_wrapper::Nvml;

/// GPUs of one machine that are read.
const MAX_GPUS: u32 = 16;

/// The machine's GPUs.
pub(super) struct Gpus(Option<Nvml>);

impl Gpus {
    /// Looks for the driver.
    pub(super) fn find() -> Self {
        let found = Nvml::init();
        if let Err(error) = &found {
            tracing::debug!(%error, "no NVIDIA driver");
        }
        Self(found.ok())
    }

    /// All of them together; none where there is none.
    pub(super) fn read(&self) -> Option<GpuUse> {
        let driver = self.0.as_ref()?;
        let count = driver.device_count().ok()?.min(MAX_GPUS);
        let (mut busy, mut told, mut vram) = (0.0, 0_u32, None::<Space>);
        for device in (0..count).filter_map(|index| driver.device_by_index(index).ok()) {
            if let Ok(rates) = device.utilization_rates() {
                busy += f64::from(rates.gpu);
                told += 1;
            }
            if let Ok(memory) = device.memory_info() {
                let before = vram.unwrap_or_default();
                vram = Some(Space::new(
                    before.used_bytes.0.saturating_add(memory.used),
                    before.total_bytes.0.saturating_add(memory.total),
                ));
            }
        }
        let percent = if told > 0 { Percent::from_reading(busy / f64::from(told)) } else { None };
        (count > 0).then_some(GpuUse { percent, vram })
    }
}
