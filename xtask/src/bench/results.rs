//! The table on the screen, and the same in full as JSON.

use super::measurement::{Measurement, median, spread};
use crate::context::Context;
use anyhow::{Context as _, Result};
use serde_json::json;
use std::{
    fs,
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

const HEADINGS: [&str; 9] = ["", "what", "limit", "peer", "ours", "ratio", "wanted", "spread", "verdict"];

/// Medians, and how far the limit's figures lie apart.
pub fn table(measured: &[Measurement]) -> String {
    let figure = |figures: &[f64]| if figures.is_empty() { "–".to_owned() } else { short(median(figures)) };
    let rows: Vec<[String; 9]> = measured
        .iter()
        .map(|m| {
            [
                m.target.clone(),
                format!("{}, {}", m.what, m.unit),
                figure(&m.limit),
                figure(&m.peer),
                figure(&m.ours),
                short(m.ratio()),
                m.wanted.to_string(),
                format!("{:.0} %", spread(&m.limit) * 100.0),
                m.verdict().to_string(),
            ]
        })
        .collect();
    let rows: Vec<[String; 9]> = std::iter::once(HEADINGS.map(str::to_owned)).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEADINGS.len()).map(width).collect();
    let line = |row: &[String; 9]| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            // Words to the left, figures to the right.
            if column < 2 || column == 8 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Three significant digits; large numbers in groups of three.
fn short(figure: f64) -> String {
    let digits = match figure.abs() {
        x if x >= 100.0 => 0,
        x if x >= 10.0 => 1,
        x if x >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{figure:.digits$}");
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    rest.map_or(grouped.clone(), |rest| format!("{grouped}.{rest}"))
}

/// Every figure of every repetition; gives the file's path from the root.
pub fn write(context: &Context, measured: &[Measurement], quick: bool) -> Result<PathBuf> {
    let path = PathBuf::from("target/bench/results.json");
    let file = context.root.join(&path);
    let at_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let results: Vec<_> = measured.iter().map(Measurement::to_json).collect();
    let json = json!({ "at_s": at_s, "cores": cores, "quick": quick, "results": results });
    fs::create_dir_all(context.target().join("bench"))?;
    fs::write(&file, format!("{json:#}\n")).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_readable() {
        let check = |figure, want: &str| assert_eq!(short(figure), want);
        check(0.0704, "0.070");
        check(1.249, "1.25");
        check(35.21, "35.2");
        check(475_000.4, "475,000");
        check(-1_234.0, "-1,234");
    }
}
