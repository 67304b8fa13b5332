//! The tiers against a fold of the events from scratch, six hours at a time.

use std::collections::BTreeSet;

use model::latency::LatencySum;
use model::time::{Resolution, TimeRange, Timestamp};
use sqlx::postgres::PgConnection;

use super::rebuild::{coarser, fold, six_hours, stored};
use super::row::{Key, Sums};
use super::{SPAN, TIERS};
use crate::db::verify::{Difference, VerifyReport};
use crate::db::{DbError, PgTime, TownKey};

/// Differences that are told of each tier.
const TOLD: usize = 20;

/// Compares every tier from `from` on. Spans that wait for the worker are left out: as long as their sketches are being
/// rebuilt altogether, else only in the coarser tiers.
pub(in crate::db) async fn verify(
    connection: &mut PgConnection,
    from: PgTime,
    report: &mut VerifyReport,
) -> Result<(), DbError> {
    let spans: Vec<(i32, PgTime, bool)> =
        sqlx::query_as(include_str!("../sql/latency_spans.sql")).bind(from).fetch_all(&mut *connection).await?;
    let mut told = [0; TIERS.len()];
    for (town, span, rebuilding) in spans {
        if rebuilding {
            report.pending += 1;
            continue;
        }
        let town = TownKey(town);
        let Ok(range) = TimeRange::new(span.0, six_hours(span.0)) else { continue };
        let pending = pending(&mut *connection, town, range).await?;
        let finest = fold(&mut *connection, town, range).await?;
        for (tier, told) in TIERS.into_iter().zip(&mut told) {
            let settled = |bucket: Timestamp| {
                tier == Resolution::S10 || !pending.iter().any(|span| span.floor_to(tier.step_s()) == bucket)
            };
            let mut kept = stored(&mut *connection, town, tier, range).await?;
            if tier == Resolution::S10 {
                kept.retain(|_, sum| !sum.is_empty());
            }
            compare(town, tier, &kept, &coarser(&finest, tier), settled, told, report);
        }
    }
    Ok(())
}

async fn pending(
    connection: &mut PgConnection,
    town: TownKey,
    range: TimeRange,
) -> Result<BTreeSet<Timestamp>, DbError> {
    let spans: Vec<(PgTime,)> =
        sqlx::query_as("select distinct bucket from latency_dirty where town_id = $1 and bucket >= $2 and bucket < $3")
            .bind(town.0)
            .bind(PgTime(range.from()))
            .bind(PgTime(range.to()))
            .fetch_all(connection)
            .await?;
    Ok(spans.into_iter().map(|(span,)| span.0.floor_to(SPAN.step_s())).collect())
}

fn compare(
    town: TownKey,
    tier: Resolution,
    stored: &Sums,
    expected: &Sums,
    settled: impl Fn(Timestamp) -> bool,
    told: &mut usize,
    report: &mut VerifyReport,
) {
    let keys: BTreeSet<&Key> = stored.keys().chain(expected.keys()).filter(|(bucket, ..)| settled(*bucket)).collect();
    for key in keys {
        report.compared += 1;
        let (stored, expected) = (stored.get(key), expected.get(key));
        if stored == expected {
            continue;
        }
        report.different += 1;
        *told += 1;
        if *told <= TOLD {
            report.first.push(Difference {
                table: format!("latency_{}", tier.name()),
                town: town.0,
                bucket: key.0,
                part: format!("{} {}", if key.1 == 0 { "model" } else { "tool" }, key.2),
                stored: stored.map(spell),
                expected: expected.map(spell),
            });
        }
    }
}

fn spell(sum: &LatencySum) -> String {
    let LatencySum { calls, errors, total_us, sketch } = sum;
    format!("{{{calls},{errors},{total_us},{:?}}}", sketch.to_bytes())
}
