//! Model calls without a price: counted per model where batches are folded, so that nobody has to look through events
//! for them, and gone as soon as the calls are repriced or taken back.

use model::time::Timestamp;
use sqlx::postgres::PgConnection;

use super::{DbError, PgTime, Pool, TownKey};

/// Models of one answer at most, those with the most tokens first.
pub const MOST: usize = 200;

/// What a batch changes of one model's unpriced calls in six hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UnpricedSum<'a> {
    /// Town.
    pub town: TownKey,
    /// Model, as its source names it.
    pub model: &'a str,
    /// Beginning of the six hours.
    pub bucket: Timestamp,
    /// Calls.
    pub calls: i64,
    /// Tokens by kind, in the order of `TokenCounts::KINDS`.
    pub tokens: [i64; 5],
    /// The earliest of these calls.
    pub first_seen: Timestamp,
    /// The latest.
    pub last_seen: Timestamp,
}

/// Adds sums (sorted by town, model and bucket, each once).
pub(super) async fn write(
    connection: &mut PgConnection,
    sums: &[UnpricedSum<'_>],
    may_empty: bool,
) -> Result<(), DbError> {
    if sums.is_empty() {
        return Ok(());
    }
    let towns: Vec<i32> = sums.iter().map(|sum| sum.town.0).collect();
    let models: Vec<&str> = sums.iter().map(|sum| sum.model).collect();
    let buckets: Vec<PgTime> = sums.iter().map(|sum| PgTime(sum.bucket)).collect();
    let kind = |kind: usize| sums.iter().map(|sum| sum.tokens[kind]).collect::<Vec<i64>>();
    sqlx::query(include_str!("sql/unpriced_add.sql"))
        .bind(&towns)
        .bind(&models)
        .bind(&buckets)
        .bind(sums.iter().map(|sum| sum.calls).collect::<Vec<i64>>())
        .bind(kind(0))
        .bind(kind(1))
        .bind(kind(2))
        .bind(kind(3))
        .bind(kind(4))
        .bind(sums.iter().map(|sum| PgTime(sum.first_seen)).collect::<Vec<_>>())
        .bind(sums.iter().map(|sum| PgTime(sum.last_seen)).collect::<Vec<_>>())
        .execute(&mut *connection)
        .await?;
    if may_empty {
        sqlx::query(include_str!("sql/unpriced_drop_empty.sql"))
            .bind(towns)
            .bind(models)
            .bind(buckets)
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// A model that is used and has no price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpriced {
    /// Model, as its source names it.
    pub model: String,
    /// Calls without a price; those for which the agent itself told the cost are not among them.
    pub calls: i64,
    /// Their tokens by kind, in the order of `TokenCounts::KINDS`.
    pub tokens: [i64; 5],
    /// About when the first of them was; the day is right.
    pub first_seen: Timestamp,
    /// About when the last of them was.
    pub last_seen: Timestamp,
}

impl Unpriced {
    /// The command that adds the price, to be pasted and completed: amounts are dollars per million tokens, and the
    /// price holds from the day of the first call.
    #[must_use]
    pub fn add_command(&self) -> String {
        let model = quoted(&model::price::plain_name(&self.model));
        let day = self.day();
        format!("towngauge prices add {model} --effective {day} --input DOLLARS --output DOLLARS --cache-read DOLLARS")
    }
    /// The command that prices the calls afterwards.
    #[must_use]
    pub fn reprice_command(&self, town: &str) -> String {
        let model = quoted(&model::price::plain_name(&self.model));
        format!("towngauge reprice --town {town} --from {}T00:00:00Z --model {model}", self.day())
    }
    fn day(&self) -> String {
        self.first_seen.to_string().chars().take_while(|c| *c != 'T').collect()
    }
}

/// A word for a shell: names come from outside.
#[must_use]
pub fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/' | '@');
    if name.chars().all(plain) { name.to_owned() } else { format!("'{}'", name.replace('\'', r"'\''")) }
}

/// The models of a town that are used and have no price, those with the most tokens first; at most [`MOST`]. Over the
/// events that are kept: a few rows per model and day out of a table of its own.
///
/// # Errors
/// The database refused.
pub async fn list(pool: &Pool, town: TownKey) -> Result<Vec<Unpriced>, DbError> {
    type Row = (String, i64, i64, i64, i64, i64, i64, PgTime, PgTime);
    let rows: Vec<Row> = sqlx::query_as(include_str!("sql/unpriced_list.sql"))
        .bind(town.0)
        .bind(i64::try_from(MOST).unwrap_or(i64::MAX))
        .fetch_all(pool)
        .await?;
    let row = |(model, calls, input, output, read, write_5m, write_1h, first, last): Row| Unpriced {
        model,
        calls,
        tokens: [input, output, read, write_5m, write_1h],
        first_seen: first.0,
        last_seen: last.0,
    };
    Ok(rows.into_iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_can_be_pasted_whatever_the_model_is_called() {
        let at = Timestamp::from_seconds(1_795_000_000);
        let check = |model: &str, want: &str| {
            let row = Unpriced { model: model.to_owned(), calls: 1, tokens: [1; 5], first_seen: at, last_seen: at };
            assert!(
                row.add_command().contains(&format!("prices add {want} --effective 2026-11-18")),
                "{}",
                row.add_command()
            );
            assert!(
                row.reprice_command("home").ends_with(&format!("--model {want}")),
                "{}",
                row.reprice_command("home")
            );
        };
        check("openai/GPT-9-2026-08-07", "gpt-9");
        check("it's; rm -rf ~", r"'it'\''s; rm -rf ~'");
    }
}
