//! What this process uses, as Linux tells it.

/// Memory and processor time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// Resident memory.
    pub resident_bytes: u64,
    /// User and system time in seconds.
    pub cpu_s: f64,
}

/// What this process uses; none where `/proc` does not tell.
#[must_use]
pub fn usage() -> Option<Usage> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = resident.split_whitespace().next()?.parse().ok()?;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name may hold spaces; after it come fields 3, 4, …; user and system time are 14 and 15, in 1/100 s.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u32 = fields.get(11)?.parse::<u32>().ok()?.saturating_add(fields.get(12)?.parse().ok()?);
    Some(Usage { resident_bytes: kilobytes * 1_024, cpu_s: f64::from(ticks) / 100.0 })
}

#[cfg(test)]
mod tests {
    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_uses_memory() {
        assert!(super::usage().unwrap().resident_bytes > 100_000);
    }
}
