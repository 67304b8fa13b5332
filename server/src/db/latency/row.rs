//! Rows of every latency tier, and sums by bucket, kind and name as columns.

use std::collections::BTreeMap;

use model::latency::{LatencySum, Sketch, Subject};
use model::time::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::db::fold::Statement;
use crate::db::{DbError, PgTime};

/// Bucket, kind and name.
pub(super) type Key = (Timestamp, i16, String);
/// Sums of one town.
pub(super) type Sums = BTreeMap<Key, LatencySum>;

/// Kind (as in `event`) and name of a subject.
pub(super) const fn kind(subject: Subject<'_>) -> (i16, &str) {
    match subject {
        Subject::Model(name) => (0, name),
        Subject::Tool(name) => (1, name),
    }
}

/// Reads a row of any tier.
pub(super) fn decode(row: &PgRow) -> Result<(Key, LatencySum), DbError> {
    let sketch: &[u8] = row.try_get("sketch")?;
    let sketch = Sketch::from_bytes(sketch).map_err(|error| DbError::Unknown { what: error.to_string() })?;
    let sum = LatencySum {
        calls: row.try_get("calls")?,
        errors: row.try_get("errors")?,
        total_us: row.try_get("total_us")?,
        sketch,
    };
    let bucket: PgTime = row.try_get("bucket")?;
    Ok(((bucket.0, row.try_get("kind")?, row.try_get("name")?), sum))
}

/// Adds a row to what it is a part of.
pub(super) fn add(sums: &mut Sums, key: Key, sum: &LatencySum) {
    sums.entry(key).or_default().merge(sum);
}

/// Binds bucket, kind, name, calls, errors, microseconds and sketch, one list each.
pub(super) fn bind<'q>(statement: Statement<'q>, sums: &[(&Key, &LatencySum)]) -> Statement<'q> {
    let number = |of: fn(&LatencySum) -> i64| sums.iter().map(|(_, sum)| of(sum)).collect::<Vec<i64>>();
    statement
        .bind(sums.iter().map(|((bucket, ..), _)| PgTime(*bucket)).collect::<Vec<_>>())
        .bind(sums.iter().map(|((_, kind, _), _)| *kind).collect::<Vec<i16>>())
        .bind(sums.iter().map(|((.., name), _)| name.clone()).collect::<Vec<String>>())
        .bind(number(|sum| sum.calls))
        .bind(number(|sum| sum.errors))
        .bind(number(|sum| sum.total_us))
        .bind(sums.iter().map(|(_, sum)| sum.sketch.to_bytes()).collect::<Vec<Vec<u8>>>())
}
