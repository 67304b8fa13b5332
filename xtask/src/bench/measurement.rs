//! What a benchmark found, and the verdict on it.

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use std::fmt;

/// A limit that varied by more than this, of its median, judges nothing.
const STEADY: f64 = 0.25;

/// Figures of one quantity, one per repetition, all in `unit`.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// Such as `P4`.
    pub target: String,
    pub what: String,
    pub unit: String,
    /// What ours is compared with.
    pub limit: Vec<f64>,
    /// A comparable tool's figures; empty when there is none.
    pub peer: Vec<f64>,
    pub ours: Vec<f64>,
    /// What the ratio ours / limit must be.
    pub wanted: Wanted,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wanted {
    AtLeast(f64),
    AtMost(f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Reached,
    Missed,
    NotJudged,
}

impl Measurement {
    /// The lines of a benchmark's output that are measurements; others are for people.
    pub fn all_in(output: &str) -> Result<Vec<Self>> {
        output
            .lines()
            .filter(|line| line.starts_with('{') && line.contains("\"target\""))
            .map(|line| Self::parse(line).with_context(|| format!("not a measurement: {line}")))
            .collect()
    }

    fn parse(line: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(line)?;
        let text = |name: &str| value[name].as_str().map(str::to_owned).with_context(|| format!("no {name}"));
        let figures = |name: &str| -> Result<Vec<f64>> {
            let list = value[name].as_array().with_context(|| format!("no {name}"))?;
            list.iter()
                .map(|figure| figure.as_f64().with_context(|| format!("{name}: {figure} is no figure")))
                .collect()
        };
        let measurement = Self {
            target: text("target")?,
            what: text("what")?,
            unit: text("unit")?,
            limit: figures("limit")?,
            peer: figures("peer")?,
            ours: figures("ours")?,
            wanted: Wanted::parse(&text("wanted")?)?,
        };
        if measurement.limit.is_empty() || measurement.ours.is_empty() {
            bail!("no figures");
        }
        Ok(measurement)
    }

    /// Ours of the limit, by medians.
    pub fn ratio(&self) -> f64 {
        median(&self.ours) / median(&self.limit)
    }

    pub fn verdict(&self) -> Verdict {
        if spread(&self.limit) > STEADY {
            return Verdict::NotJudged;
        }
        let reached = match self.wanted {
            Wanted::AtLeast(least) => self.ratio() >= least,
            Wanted::AtMost(most) => self.ratio() <= most,
        };
        if reached { Verdict::Reached } else { Verdict::Missed }
    }

    pub fn to_json(&self) -> Value {
        json!({
            "target": self.target, "what": self.what, "unit": self.unit, "limit": self.limit, "peer": self.peer,
            "ours": self.ours, "wanted": self.wanted.to_string(), "ratio": self.ratio(),
            "limit_spread": spread(&self.limit), "ours_spread": spread(&self.ours),
            "verdict": self.verdict().to_string(),
        })
    }
}

impl Wanted {
    /// Reads `≥ 0.5` or `≤ 1.25`.
    fn parse(text: &str) -> Result<Self> {
        let figure = |rest: &str| rest.trim().parse::<f64>().with_context(|| format!("\"{text}\" names no figure"));
        match (text.strip_prefix('≥'), text.strip_prefix('≤')) {
            (Some(rest), _) => Ok(Self::AtLeast(figure(rest)?)),
            (_, Some(rest)) => Ok(Self::AtMost(figure(rest)?)),
            _ => bail!("\"{text}\" begins with neither ≥ nor ≤"),
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(figure) => write!(f, "≥ {figure}"),
            Self::AtMost(figure) => write!(f, "≤ {figure}"),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reached => "reached",
            Self::Missed => "missed",
            Self::NotJudged => "not judged",
        })
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn line(limit: &str, ours: &str, wanted: &str) -> String {
        format!(
            r#"{{"target":"P1","what":"x","unit":"ms","limit":{limit},"peer":[],"ours":{ours},"wanted":"{wanted}"}}"#
        )
    }

    #[test]
    fn the_verdict_follows_from_the_medians() {
        let check = |limit, ours, wanted, verdict| {
            let found = Measurement::all_in(&line(limit, ours, wanted)).unwrap();
            assert_eq!(found[0].verdict(), verdict, "{limit} {ours} {wanted}");
        };
        check("[100]", "[50]", "≥ 0.5", Verdict::Reached);
        check("[100]", "[49]", "≥ 0.50", Verdict::Missed);
        check("[90,100,110]", "[1,80,1000]", "≤ 0.8", Verdict::Reached);
        check("[90,100,110]", "[81]", "≤ 0.8", Verdict::Missed);
        check("[80,100,110]", "[1]", "≤ 0.8", Verdict::NotJudged);
    }

    #[test]
    fn lines_for_people_are_passed_over_and_broken_ones_are_not() {
        let output = format!("round 0: fine\n{}\n", line("[1]", "[1]", "≤ 1"));
        assert_eq!(Measurement::all_in(&output).unwrap().len(), 1);
        for broken in [line("[]", "[1]", "≤ 1"), line("[1]", "[null]", "≤ 1"), line("[1]", "[1]", "about 1")] {
            assert!(Measurement::all_in(&broken).is_err(), "{broken}");
        }
    }
}
