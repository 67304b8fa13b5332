//! The tiers against a fold of the events from scratch, a day at a time. What waits for the worker counts as summed.

use std::collections::BTreeSet;

use model::cost::{SPEND_MEASURES, SpendSum};
use model::time::TimeRange;
use sqlx::postgres::PgConnection;

use super::row::{Sums, Whose};
use super::{TIERS, Tier, rebuild};
use crate::db::verify::{Difference, VerifyReport};
use crate::db::{DbError, PgTime, TownKey};

/// Differences that are told of each tier.
const TOLD: usize = 20;
const DAY_S: i64 = 86_400;

/// Compares every tier from `from` on, the beginning of a day in UTC. Days of which a part is still being summed for the
/// first time are left out.
pub(in crate::db) async fn verify(
    connection: &mut PgConnection,
    from: PgTime,
    report: &mut VerifyReport,
) -> Result<(), DbError> {
    let days: Vec<(i32, PgTime, bool)> =
        sqlx::query_as(include_str!("../sql/spend_days.sql")).bind(from).fetch_all(&mut *connection).await?;
    let mut told = [0; TIERS.len()];
    for (town, day, rebuilding) in days {
        if rebuilding {
            report.pending += 1;
            continue;
        }
        let town = TownKey(town);
        let Ok(range) = TimeRange::new(day.0, day.0.plus_seconds(DAY_S)) else { continue };
        let mut expected = rebuild::fold(&mut *connection, town, range).await?;
        // What waits is not in the tiers yet.
        for (key, sum) in rebuild::kept(&mut *connection, town, "spend_part", range).await? {
            expected.entry(key).or_default().subtract(&sum);
        }
        for (tier, told) in TIERS.into_iter().zip(&mut told) {
            let kept = rebuild::kept(&mut *connection, town, tier.table, range).await?;
            compare(town, tier, &kept, &tier.of(&expected), told, report);
        }
    }
    Ok(())
}

fn compare(town: TownKey, tier: Tier, kept: &Sums, expected: &Sums, told: &mut usize, report: &mut VerifyReport) {
    let keys: BTreeSet<_> = kept.keys().chain(expected.keys()).collect();
    for key in keys {
        report.compared += 1;
        let (kept, expected) = (kept.get(key), expected.get(key));
        if kept == expected {
            continue;
        }
        report.different += 1;
        *told += 1;
        if *told <= TOLD {
            let Whose { role, rig, agent, model, bead, session, provenance } = &key.1;
            report.first.push(Difference {
                table: tier.table.to_owned(),
                town: town.0,
                bucket: key.0,
                part: format!("{role} {rig} {agent} {model} {bead} {session} {provenance}"),
                stored: kept.map(spell),
                expected: expected.map(spell),
            });
        }
    }
}

fn spell(sum: &SpendSum) -> String {
    format!("{:?}", <[i64; SPEND_MEASURES]>::from(*sum))
}
