//! What calls cost in some ranges of time, by whatever they are grouped by, with whatever filter.

use model::cost::{CostFilter, Dimension, SpendSum};
use model::event::Provenance;
use model::id::Role;
use model::provider::provider_of;
use model::time::{TimeRange, Timestamp};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Row as _};

use super::row::{self, number};
use super::{QUARTER_S, TIERS, Tier};
use crate::db::fold::Statement;
use crate::db::{DbError, PgTime, TownKey};

/// Groups of one answer at most: far more than any page shows. Over it, the answer would not sum to the total, so that is an
/// error.
pub(super) const MAX_GROUPS: i64 = 200_000;

/// What sums are grouped by, besides the range that they are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Columns<'a>(pub &'a [Dimension]);

/// Which range (by position), the groups in the order of the columns, and the sum.
pub type Sums = Vec<(usize, Vec<Option<String>>, SpendSum)>;

/// Sums per range and group. Ranges are widened to quarters of an hour, which is where days begin. Exact within the
/// connection's snapshot.
///
/// # Errors
/// The database refused, or there are more than 200,000 groups.
pub async fn sums(
    connection: &mut PgConnection,
    town: TownKey,
    ranges: &[TimeRange],
    by: Columns<'_>,
    filter: &CostFilter,
) -> Result<Sums, DbError> {
    let is_whole = needs_whole(by.0, filter);
    let keys: Vec<&str> = by.0.iter().map(|dimension| column(*dimension)).collect();
    let keys = if keys.is_empty() { String::new() } else { format!(", {}", keys.join(", ")) };
    let statement = format!(
        "select range{keys}, {} from ({}) as s group by range{keys} limit {}",
        summed(),
        source(is_whole),
        MAX_GROUPS + 1
    );
    let models = models(connection, town, filter).await?;
    let statement = bind(sqlx::query(AssertSqlSafe(statement)), town, ranges, is_whole, filter, models);
    let rows = statement.fetch_all(connection).await?;
    if i64::try_from(rows.len()).unwrap_or(i64::MAX) > MAX_GROUPS {
        return Err(DbError::Unknown { what: format!("more than {MAX_GROUPS} groups of costs") });
    }
    let mut sums = Sums::with_capacity(rows.len());
    for found in &rows {
        let sum = row::sum(found)?;
        // Everything was taken back, and the worker has not been there yet.
        if sum.is_zero() {
            continue;
        }
        let range = usize::try_from(found.try_get::<i32, _>("range")?).unwrap_or(0);
        let groups = by.0.iter().map(|dimension| group(found, *dimension)).collect::<Result<_, _>>()?;
        sums.push((range, groups, sum));
    }
    Ok(merged(sums, by.0))
}

/// Several models have one provider.
fn merged(mut sums: Sums, by: &[Dimension]) -> Sums {
    if !by.contains(&Dimension::Provider) {
        return sums;
    }
    sums.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    sums.dedup_by(|later, earlier| {
        let same = (later.0, &later.1) == (earlier.0, &earlier.1);
        if same {
            earlier.2.add(&later.2);
        }
        same
    });
    sums
}

/// Whether accounts know too little for it.
pub(super) fn needs_whole(by: &[Dimension], filter: &CostFilter) -> bool {
    [Dimension::Bead, Dimension::Session].iter().any(|dimension| by.contains(dimension) || filter.has(*dimension))
}

/// The name of a group, out of its column.
pub(super) fn group(row: &PgRow, dimension: Dimension) -> Result<Option<String>, DbError> {
    Ok(match dimension {
        Dimension::Role => Some(row::role(row.try_get("role")?).name().to_owned()),
        Dimension::Provenance => Some(row::provenance(row.try_get("provenance")?).name().to_owned()),
        Dimension::Provider => Some(provider_of(row.try_get("model")?).to_owned()),
        other => Some(row.try_get::<String, _>(column(other))?).filter(|name| !name.is_empty()),
    })
}

pub(super) const fn column(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Role => "role",
        Dimension::Rig => "rig",
        Dimension::Agent => "agent",
        Dimension::Model | Dimension::Provider => "model",
        Dimension::Bead => "bead",
        Dimension::Session => "session",
        Dimension::Provenance => "provenance",
    }
}

/// The columns of a sum, added up.
pub(super) fn summed() -> String {
    row::MEASURES.map(|measure| format!("sum({measure})::bigint as {measure}")).join(", ")
}

fn tiers(is_whole: bool) -> impl Iterator<Item = Tier> {
    // Quarters are whole, and the only ones.
    TIERS.into_iter().filter(move |tier| tier.is_whole == is_whole || tier.step_s == QUARTER_S)
}

/// All rows that make up the ranges and pass the filter, with their range: a piece of a tier each, read straight from its
/// key (`offset 0` keeps the planner from reading the whole tier), and what waits for the worker.
/// $1: town; $2 to $9: the filter; $10 to $12: the ranges; behind them three lists per tier.
pub(super) fn source(is_whole: bool) -> String {
    const FILTER: &str = "($2::smallint[] is null or t.role = any($2)) and ($3::text[] is null or t.rig = any($3)) \
        and ($4::text[] is null or t.agent = any($4)) and ($5::text[] is null or t.model = any($5)) \
        and ($6::text[] is null or t.model = any($6)) and ($7::text[] is null or t.bead = any($7)) \
        and ($8::text[] is null or t.session = any($8)) and ($9::smallint[] is null or t.provenance = any($9))";
    let measures = row::MEASURES.join(", ");
    let piece = |table: &str, first: usize| {
        format!(
            "select p.range, t.bucket, t.role, t.rig, t.agent, t.model, t.bead, t.session, t.provenance, {measures} \
             from unnest(${first}::integer[], ${}::timestamptz[], ${}::timestamptz[]) as p(range, start, stop) \
             cross join lateral (select * from {table} t where t.town_id = $1 and t.bucket >= p.start \
             and t.bucket < p.stop and {FILTER} offset 0) as t",
            first + 1,
            first + 2
        )
    };
    let tables = std::iter::once("spend_part").chain(tiers(is_whole).map(|tier| tier.table));
    let pieces: Vec<String> = tables.enumerate().map(|(at, table)| piece(table, 10 + 3 * at)).collect();
    pieces.join(" union all ")
}

/// Binds what [`source`] names.
pub(super) fn bind<'q>(
    statement: Statement<'q>,
    town: TownKey,
    ranges: &[TimeRange],
    is_whole: bool,
    filter: &CostFilter,
    models: Option<Vec<String>>,
) -> Statement<'q> {
    let mut statement = bind_filter(statement, town, filter, models);
    let widened: Vec<(i32, i64, Timestamp, Timestamp)> = ranges
        .iter()
        .zip(0..)
        .map(|(range, n)| (n, 0, range.from().floor_to(QUARTER_S), range.to().ceil_to(QUARTER_S)))
        .collect();
    let mut pieces = widened.clone();
    for (n, _, from, to) in widened {
        cover(n, (from, to), &tiers(is_whole).collect::<Vec<_>>(), &mut pieces);
    }
    for step_s in std::iter::once(0).chain(tiers(is_whole).map(|tier| tier.step_s)) {
        let of = || pieces.iter().filter(move |(_, step, ..)| *step == step_s);
        statement = statement
            .bind(of().map(|(n, ..)| *n).collect::<Vec<i32>>())
            .bind(of().map(|(_, _, from, _)| PgTime(*from)).collect::<Vec<_>>())
            .bind(of().map(|(.., to)| PgTime(*to)).collect::<Vec<_>>());
    }
    statement
}

/// Binds town and filter: $1 to $9. Unknown names are ''; `models`: those of the chosen providers.
pub(super) fn bind_filter<'q>(
    statement: Statement<'q>,
    town: TownKey,
    filter: &CostFilter,
    models: Option<Vec<String>>,
) -> Statement<'q> {
    let chosen = |dimension| filter.has(dimension).then(|| filter.chosen(dimension));
    let names = |dimension| {
        chosen(dimension).map(|groups| groups.iter().map(|g| g.as_deref().unwrap_or("").to_owned()).collect::<Vec<_>>())
    };
    let numbers = |dimension, all: &[&str]| {
        chosen(dimension).map(|groups| {
            let index = |name: &str| all.iter().position(|known| *known == name).map(number);
            groups.iter().filter_map(|group| index(group.as_deref()?)).collect::<Vec<i16>>()
        })
    };
    statement
        .bind(town.0)
        .bind(numbers(Dimension::Role, &Role::ALL.map(Role::name)))
        .bind(names(Dimension::Rig))
        .bind(names(Dimension::Agent))
        .bind(names(Dimension::Model))
        .bind(models)
        .bind(names(Dimension::Bead))
        .bind(names(Dimension::Session))
        .bind(numbers(Dimension::Provenance, &Provenance::ALL.map(Provenance::name)))
}

/// As few buckets as make up a range: the coarsest in the middle, finer ones at both ends. Tiers come finest first.
fn cover(
    n: i32,
    (from, to): (Timestamp, Timestamp),
    tiers: &[Tier],
    pieces: &mut Vec<(i32, i64, Timestamp, Timestamp)>,
) {
    let Some((coarsest, finer)) = tiers.split_last() else { return };
    if from >= to {
        return;
    }
    let (first, last) = (from.ceil_to(coarsest.step_s), to.floor_to(coarsest.step_s));
    if first >= last {
        return cover(n, (from, to), finer, pieces);
    }
    cover(n, (from, first), finer, pieces);
    pieces.push((n, coarsest.step_s, first, last));
    cover(n, (last, to), finer, pieces);
}

/// The models of the chosen providers; none when none are chosen.
pub(super) async fn models(
    connection: &mut PgConnection,
    town: TownKey,
    filter: &CostFilter,
) -> Result<Option<Vec<String>>, DbError> {
    if !filter.has(Dimension::Provider) {
        return Ok(None);
    }
    let known: Vec<(String,)> =
        sqlx::query_as(include_str!("../sql/spend_models.sql")).bind(town.0).fetch_all(connection).await?;
    let chosen = filter.chosen(Dimension::Provider);
    let is_chosen = |model: &String| chosen.iter().any(|provider| provider.as_deref() == Some(provider_of(model)));
    Ok(Some(known.into_iter().map(|(model,)| model).filter(is_chosen).collect()))
}
