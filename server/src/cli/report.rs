//! `towngauge report`: sums of tokens and cost by day, session, model, role or bead, as a table or JSON.

use std::fmt::Write as _;
use std::process::ExitCode;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::time::Timestamp;
use model::tokens::TokenCounts;
use model::unit::Nanodollars;
use serde_json::{Map, Value, json};

use super::CommandContext;
use crate::db;
use crate::db::report::{GroupBy, ReportRow};

/// Sums tokens and cost. The total is the sum of the rows; what belongs to no group is in the row `(none)`.
#[derive(Debug, Clone, clap::Args)]
pub struct ReportArgs {
    /// What to sum by.
    #[arg(value_enum)]
    pub by: By,
    /// Machine-readable: {"rows":[…],"total":{…}}, cost in nanodollars.
    #[arg(long)]
    pub json: bool,
    /// From this day on, or from this RFC 3339 time on.
    #[arg(long)]
    pub from: Option<String>,
    /// Up to and including this day, or up to this RFC 3339 time.
    #[arg(long)]
    pub to: Option<String>,
    /// Where days begin: an IANA time zone such as Europe/Berlin. [default: the machine's]
    #[arg(long)]
    pub tz: Option<String>,
}

/// What a report sums by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum By {
    /// Day.
    Daily,
    /// Conversation.
    Session,
    /// Model.
    Model,
    /// Role.
    Role,
    /// Bead.
    Bead,
}

impl From<By> for GroupBy {
    fn from(by: By) -> Self {
        match by {
            By::Daily => Self::Daily,
            By::Session => Self::Session,
            By::Model => Self::Model,
            By::Role => Self::Role,
            By::Bead => Self::Bead,
        }
    }
}

/// Prints the report.
///
/// # Errors
/// A date, time or zone is none; the town does not exist; the database refused.
pub async fn run(args: ReportArgs, context: &CommandContext) -> anyhow::Result<ExitCode> {
    let zone = zone(args.tz.as_deref())?;
    let from = args.from.as_deref().map_or(Ok(Timestamp::MIN_BELIEVED), |raw| bound(raw, &zone, false))?;
    let to = args.to.as_deref().map_or(Ok(Timestamp::MAX_BELIEVED), |raw| bound(raw, &zone, true))?;
    let Some(town) = db::town::find(&context.pool, &context.town).await? else {
        anyhow::bail!("there is no town \"{}\"; backfill, watch or post something for it first", context.town);
    };
    let zone_name = zone.iana_name().unwrap_or("UTC");
    let rows = db::report::report(&context.pool, town.key, args.by.into(), (from, to), zone_name).await?;
    if args.json {
        println!("{}", to_json(&rows))
    } else {
        print!("{}", to_table(&rows))
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn zone(name: Option<&str>) -> anyhow::Result<TimeZone> {
    match name {
        Some(name) => {
            TimeZone::get(name).map_err(|_| anyhow::anyhow!("\"{name}\" is no time zone, such as Europe/Berlin"))
        }
        // A zone without a name is unknown to Postgres.
        None => Ok(Some(TimeZone::system()).filter(|zone| zone.iana_name().is_some()).unwrap_or(TimeZone::UTC)),
    }
}

/// A day begins at its midnight in `zone`; as an end it ends with the next one's.
pub(super) fn bound(raw: &str, zone: &TimeZone, is_end: bool) -> anyhow::Result<Timestamp> {
    let Ok(day) = raw.parse::<Date>() else {
        return Ok(Timestamp::parse_rfc3339(raw)?);
    };
    if raw.len() > 10 {
        // The date's parser also takes times, and forgets them.
        return Ok(Timestamp::parse_rfc3339(raw)?);
    }
    let day = if is_end { day.tomorrow()? } else { day };
    Ok(Timestamp(day.to_zoned(zone.clone())?.timestamp().as_microsecond()))
}

fn total(rows: &[ReportRow]) -> ReportRow {
    let mut total = ReportRow { key: "total".to_owned(), ..ReportRow::default() };
    for row in rows {
        for (sum, n) in total.tokens.iter_mut().zip(row.tokens) {
            *sum += n;
        }
        total.cost_nanodollars += row.cost_nanodollars;
        total.unpriced_tokens += row.unpriced_tokens;
        total.calls += row.calls;
    }
    total
}

fn to_json(rows: &[ReportRow]) -> Value {
    let sums = |row: &ReportRow| -> Map<String, Value> {
        let mut map = Map::new();
        for (kind, n) in TokenCounts::KINDS.iter().zip(row.tokens) {
            map.insert(format!("{kind}_tokens"), n.into());
        }
        map.insert("cost_nanodollars".into(), row.cost_nanodollars.into());
        map.insert("unpriced_tokens".into(), row.unpriced_tokens.into());
        map.insert("calls".into(), row.calls.into());
        map
    };
    let keyed = |row: &ReportRow| {
        let mut map = sums(row);
        map.insert("key".into(), row.key.clone().into());
        map
    };
    json!({"rows": rows.iter().map(keyed).collect::<Vec<_>>(), "total": sums(&total(rows))})
}

fn to_table(rows: &[ReportRow]) -> String {
    const HEAD: [&str; 9] =
        ["", "input", "output", "cache read", "cache write 5m", "cache write 1h", "cost", "unpriced tokens", "calls"];
    let cells = |row: &ReportRow| -> Vec<String> {
        let mut cells = vec![row.key.clone()];
        cells.extend(row.tokens.map(grouped));
        cells.extend([Nanodollars(row.cost_nanodollars).to_string(), grouped(row.unpriced_tokens), grouped(row.calls)]);
        cells
    };
    let mut lines = vec![HEAD.map(str::to_owned).to_vec()];
    lines.extend(rows.iter().chain([&total(rows)]).map(cells));
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    let mut table = String::new();
    for line in lines {
        for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
            // Writing to a string cannot fail.
            let _ = match column {
                0 => write!(table, "{cell:<width$}"),
                _ => write!(table, "  {cell:>width$}"),
            };
        }
        table.push('\n');
    }
    table
}

/// `1,234,567`
fn grouped(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if n < 0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_local_days_or_instants() {
        let berlin = zone(Some("Europe/Berlin")).unwrap();
        let check = |raw: &str, is_end: bool, want: &str| {
            assert_eq!(bound(raw, &berlin, is_end).unwrap().to_string(), want, "{raw}");
        };
        check("2026-03-29", false, "2026-03-28T23:00:00Z");
        // The day on which clocks go forward has 23 hours.
        check("2026-03-29", true, "2026-03-29T22:00:00Z");
        check("2026-03-29T10:00:00Z", true, "2026-03-29T10:00:00Z");
        for bad in ["yesterday", "2026-02-30", "2026-03-29T10:00:00"] {
            assert!(bound(bad, &berlin, false).is_err(), "{bad}");
        }
        assert!(zone(Some("Mars/Olympus")).is_err());
    }

    #[test]
    fn the_total_is_the_sum_of_the_rows() {
        let row = |key: &str, n: i64| ReportRow {
            key: key.into(),
            tokens: [n; 5],
            cost_nanodollars: n,
            unpriced_tokens: n,
            calls: n,
        };
        let json = to_json(&[row("a", 1_000), row("b", 234)]);
        assert_eq!(json["total"]["cache_write_1h_tokens"], 1_234);
        assert_eq!(json["rows"][1]["key"], "b");
        assert_eq!(json["total"].get("key"), None);
        let table = to_table(&[row("a", 1_000), row("b", 234)]);
        assert!(table.lines().last().unwrap().contains("1,234"));
        let widths: Vec<usize> = table.lines().map(|line| line.chars().count()).collect();
        assert!(widths.iter().all(|w| *w == widths[0]));
    }
}
