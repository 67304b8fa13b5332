//! One line of a benchmark's report: limit, peer and ours, measured in one run.

/// The middle of the figures.
pub fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

/// How far the figures lie apart: (largest − smallest) / median.
pub fn spread(figures: &[f64]) -> f64 {
    let (low, high) = figures.iter().fold((f64::MAX, f64::MIN), |(low, high), f| (low.min(*f), high.max(*f)));
    (high - low) / median(figures)
}

/// One measured quantity of limit, peer and ours, all in one unit, one figure per repetition.
pub struct Comparison<'a> {
    /// Target's number in the performance notes, such as `P4`.
    pub target: &'a str,
    /// What was measured.
    pub what: &'a str,
    /// Unit of the figures.
    pub unit: &'a str,
    /// What ours is compared with.
    pub limit: &'a [f64],
    /// A comparable tool's figures; empty when it could not be run.
    pub peer: &'a [f64],
    /// Ours.
    pub ours: &'a [f64],
    /// What the ratio ours / limit must be: `≥ 0.5` or `≤ 1.25`.
    pub wanted: &'a str,
}

impl Comparison<'_> {
    /// Prints a row for people on stderr, and for `cargo xtask bench`, which judges, a line of JSON on stdout.
    pub fn print(&self) {
        let (limit, ours) = (median(self.limit), median(self.ours));
        let peer = if self.peer.is_empty() { "–".to_owned() } else { format!("{:.3}", median(self.peer)) };
        eprintln!(
            "{} {}: limit {limit:.3} {unit} (spread {:.0} %), peer {peer}, ours {ours:.3}: ratio {:.3}, wanted {}",
            self.target,
            self.what,
            spread(self.limit) * 100.0,
            ours / limit,
            self.wanted,
            unit = self.unit,
        );
        let json = serde_json::json!({
            "target": self.target, "what": self.what, "unit": self.unit, "limit": self.limit, "peer": self.peer,
            "ours": self.ours, "wanted": self.wanted,
        });
        println!("{json}");
    }
}
