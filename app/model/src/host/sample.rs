//! One reading of a host.

use serde::{Deserialize, Serialize};

use super::percent::Percent;

/// A number of bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);

/// In the unit that fits: `512 B`, `1.5 GiB`, `31.2 GiB`, `1.82 TiB`.
impl std::fmt::Display for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (unit, name): (u64, &str) = match self.0 {
            0..1_024 => return write!(f, "{} B", self.0),
            1_024..1_048_576 => (1 << 10, "KiB"),
            1_048_576..1_073_741_824 => (1 << 20, "MiB"),
            1_073_741_824..1_099_511_627_776 => (1 << 30, "GiB"),
            _ => (1 << 40, "TiB"),
        };
        // Rounded half up, in integers: what is shown is the same on the server and in the browser.
        let decimals = if self.0 / unit < 10 { 2 } else { 1 };
        let scale: u64 = if decimals == 2 { 100 } else { 10 };
        let scaled = (u128::from(self.0) * u128::from(scale) + u128::from(unit) / 2) / u128::from(unit);
        let (whole, fraction) = (scaled / u128::from(scale), scaled % u128::from(scale));
        write!(f, "{whole}.{fraction:0decimals$} {name}")
    }
}

/// Room of some kind: what is used of what there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    /// In use.
    pub used_bytes: Bytes,
    /// All there is.
    pub total_bytes: Bytes,
}

impl Space {
    /// From bytes.
    #[must_use]
    pub const fn new(used: u64, total: u64) -> Self {
        Self { used_bytes: Bytes(used), total_bytes: Bytes(total) }
    }
    /// The share in use; none where there is nothing.
    #[must_use]
    pub fn percent(self) -> Option<Percent> {
        Percent::of(self.used_bytes.0, self.total_bytes.0)
    }
}

/// All graphics processors together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GpuUse {
    /// Mean utilization; none where the driver does not tell.
    pub percent: Option<Percent>,
    /// Their memory; none where the driver does not tell.
    pub vram: Option<Space>,
}

/// What a host uses. What is none is not available there: no GPU is normal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostSample {
    /// All processors, since the reading before.
    pub cpu: Option<Percent>,
    /// Main memory.
    pub memory: Option<Space>,
    /// Graphics processors.
    pub gpu: Option<GpuUse>,
    /// The disk that holds the data folder.
    pub disk: Option<Space>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_read_in_the_unit_that_fits() {
        let check = |bytes: u64, text: &str| assert_eq!(Bytes(bytes).to_string(), text);
        check(0, "0 B");
        check(1_023, "1023 B");
        check(1_536, "1.50 KiB");
        check(33_500_000_000, "31.2 GiB");
        check(2_000_000_000_000, "1.82 TiB");
        check(1 << 30, "1.00 GiB");
        check(u64::MAX, "16777216.0 TiB");
    }
}
