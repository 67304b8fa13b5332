//! `towngauge rollup verify`: every tier, and what sources cost, against a fold of the events from scratch.

use model::Aggregate;
use model::time::{Resolution, Timestamp};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Row as _};

use super::{DbError, PgTime, Pool, latency, spend};

/// One row of a tier that is not what the events say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Table, such as `headline_1m`.
    pub table: String,
    /// Town's number.
    pub town: i32,
    /// Beginning of the bucket; 1970 for what has none.
    pub bucket: Timestamp,
    /// What else tells the row: role, or rig and agent, or source.
    pub part: String,
    /// What is stored; none when the row is missing.
    pub stored: Option<String>,
    /// What the fold gives; none when there should be no row.
    pub expected: Option<String>,
}

/// What was compared, and what differs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Rows compared, all tiers together.
    pub compared: u64,
    /// Rows that differ.
    pub different: u64,
    /// The first differences, at most 20 per table.
    pub first: Vec<Difference>,
    /// Spans left out because they changed while this ran.
    pub pending: u64,
}

impl VerifyReport {
    /// Every tier is what the events say.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.different == 0
    }

    /// Adds a comparison's outcome: its first rows, each with the number of all.
    fn take(&mut self, table: &str, rows: &[PgRow]) -> Result<(), DbError> {
        if let Some(row) = rows.first() {
            self.compared += u64::try_from(row.try_get::<i64, _>("compared")?).unwrap_or(0);
            self.different += u64::try_from(row.try_get::<i64, _>("different")?).unwrap_or(0);
        }
        for row in rows {
            if row.try_get::<bool, _>("differs")? {
                self.first.push(Difference {
                    table: table.to_owned(),
                    town: row.try_get("town_id")?,
                    bucket: row.try_get::<PgTime, _>("bucket")?.0,
                    part: row.try_get("part")?,
                    stored: row.try_get("stored")?,
                    expected: row.try_get("expected")?,
                });
            }
        }
        Ok(())
    }
}

/// Brings the tiers up to date, then compares all of them with the events, in one snapshot.
///
/// # Errors
/// The database refused.
pub async fn run(pool: &Pool) -> Result<VerifyReport, DbError> {
    crate::rollup::run_once(pool).await?;
    let mut transaction = pool.begin_with("begin isolation level repeatable read").await?;
    let connection = &mut *transaction;
    // Larger than the worker's: this sorts whole histories.
    sqlx::raw_sql("set local work_mem = '128MB'").execute(&mut *connection).await?;
    sqlx::raw_sql(include_str!("sql/verify_fold.sql")).execute(&mut *connection).await?;
    let (pending,): (i64,) = sqlx::query_as("select count(*) from fold_pending").fetch_one(&mut *connection).await?;
    let mut report = VerifyReport { pending: u64::try_from(pending).unwrap_or(0), ..VerifyReport::default() };
    let from = beginning(&mut *connection).await?;
    for comparison in comparisons() {
        comparison.run(&mut *connection, from, &mut report).await?;
    }
    latency::verify(&mut *connection, from, &mut report).await?;
    spend::verify(&mut *connection, from, &mut report).await?;
    let sources = sqlx::query(include_str!("sql/verify_sources.sql")).fetch_all(&mut *connection).await?;
    report.take("source", &sources)?;
    // The folds go with the transaction; nothing was changed.
    transaction.rollback().await?;
    Ok(report)
}

/// Where dropped history ends; a day later everything that looks back (working agents) is complete again.
async fn beginning(connection: &mut PgConnection) -> Result<PgTime, DbError> {
    let (floor,): (Option<PgTime>,) =
        sqlx::query_as("select max(floor) + interval '1 day' from retention").fetch_one(connection).await?;
    Ok(floor.unwrap_or(PgTime(Timestamp::MIN_BELIEVED)))
}

/// Of table `unpriced`.
const TOKENS: [&str; 5] =
    ["input_tokens", "output_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"];

struct Comparison {
    table: String,
    fold: &'static str,
    time: &'static str,
    part: &'static str,
    columns: Vec<&'static str>,
    step: Resolution,
    markers: bool,
}

fn comparisons() -> Vec<Comparison> {
    const BY_ROLE: [&str; 4] = ["cost", "tokens", "calls", "events"];
    let mut all = vec![Comparison {
        table: "presence".to_owned(),
        fold: "fold_presence",
        time: "minute",
        part: "rig || ' ' || agent",
        columns: vec!["n"],
        step: Resolution::M1,
        markers: false,
    }];
    all.push(Comparison {
        table: "unpriced".to_owned(),
        fold: "fold_unpriced",
        time: "bucket",
        part: "model",
        columns: std::iter::once("calls").chain(TOKENS).collect(),
        step: Resolution::H6,
        markers: false,
    });
    for step in Resolution::ALL {
        let markers = step != Resolution::S10;
        let tier = |name: &str, fold, part, columns| Comparison {
            table: format!("{name}_{}", step.name()),
            fold,
            time: "bucket",
            part,
            columns,
            step,
            markers,
        };
        all.push(tier("headline", "fold_role", "''", Aggregate::NAMES.to_vec()));
        all.push(tier("by_role", "fold_role", "role::text", BY_ROLE.to_vec()));
        if markers {
            all.push(tier("working", "fold_working", "''", vec!["seconds"]));
        }
    }
    all
}

impl Comparison {
    async fn run(&self, connection: &mut PgConnection, from: PgTime, report: &mut VerifyReport) -> Result<(), DbError> {
        let seconds = |tier: Resolution| format!("interval '{} seconds'", tier.step_s());
        let by_role = self.table.starts_with("by_role");
        // The fold has the headline's columns; by_role's are made of them.
        let sum = |column: &&str| match (by_role, *column) {
            (true, "cost") => "sum(cost_nanodollars)".to_owned(),
            (true, "tokens") => "sum(input_tokens + output_tokens + cache_read_tokens + cache_write_5m_tokens \
                                 + cache_write_1h_tokens)"
                .to_owned(),
            _ => format!("sum({column})"),
        };
        let statement = include_str!("sql/verify_compare.sql")
            .replace("{table}", &self.table)
            .replace("{fold}", self.fold)
            .replace("{time}", self.time)
            .replace("{part}", self.part)
            .replace("{values}", &self.columns.join(", "))
            .replace("{sums}", &self.columns.iter().map(sum).collect::<Vec<_>>().join(", "))
            .replace("{step}", &seconds(self.step))
            .replace("{redone}", &seconds(self.step.max(Resolution::M30)))
            .replace("{has_markers}", if self.markers { "true" } else { "false" });
        let rows = sqlx::query(AssertSqlSafe(statement)).bind(from).fetch_all(connection).await?;
        report.take(&self.table, &rows)
    }
}
