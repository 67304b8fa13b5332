//! What the hub loads of a town, in one consistent view of the store.

use async_trait::async_trait;
use model::event::AgentState;
use model::fuel::FuelTank;
use model::hook::Hook;
use model::id::{AgentName, BeadId, RigName, Role, SessionId, TownName};
use model::rate::RING_S;
use model::roster::{AgentRow, ROSTER_HOLD_S};
use model::time::Timestamp;
use model::wire::{BeadCounts, EVENTS_KEPT, EventRow};
use model::{Aggregate, Nanodollars};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Postgres, Row as _, Transaction};

use super::{DbError, PgTime, Pool, TownKey, event, fuel, ledger, spent, town};
use crate::hub::{Bucket, Edges, MAX_AGENTS, Seed, SeedView, Seeds, Tank, event_row, role_slot};

/// Where the newest events are looked for first.
const LATELY_S: i64 = 3 * 24 * 3_600;

/// The store behind the hub.
#[derive(Debug, Clone)]
pub struct PgSeeds(pub Pool);

struct PgView(Transaction<'static, Postgres>);

#[async_trait]
impl Seeds for PgSeeds {
    async fn view(&self) -> anyhow::Result<Box<dyn SeedView>> {
        let mut transaction = self.0.begin_with("begin isolation level repeatable read, read only").await?;
        // The first query fixes the snapshot.
        sqlx::query("select 1").execute(&mut *transaction).await?;
        Ok(Box::new(PgView(transaction)))
    }

    async fn beads(&self, town: &TownName) -> anyhow::Result<BeadCounts> {
        let mut connection = self.0.acquire().await?;
        Ok(beads(&mut connection, town).await?)
    }

    async fn tanks(&self, town: &TownName, now: Timestamp) -> anyhow::Result<Vec<FuelTank>> {
        let Some(found) = town::find(&self.0, town).await? else { return Ok(Vec::new()) };
        let mut connection = self.0.acquire().await?;
        Ok(fuel::list(&mut connection, found.key, now).await?)
    }

    async fn towns(&self) -> anyhow::Result<Vec<TownName>> {
        Ok(town::list(&self.0).await?.into_iter().map(|town| town.name).collect())
    }
}

#[async_trait]
impl SeedView for PgView {
    async fn read(mut self: Box<Self>, town: &TownName, now: Timestamp) -> anyhow::Result<Option<Seed>> {
        let seed = read(&mut self.0, town, now).await?;
        self.0.rollback().await?;
        Ok(seed)
    }
}

async fn read(connection: &mut PgConnection, name: &TownName, now: Timestamp) -> Result<Option<Seed>, DbError> {
    let row: Option<(i32, bool, Option<i64>, Option<PgTime>)> =
        sqlx::query_as(include_str!("sql/seed_town.sql")).bind(name.as_str()).fetch_optional(&mut *connection).await?;
    let Some((key, demo, capacity, first_bucket)) = row else { return Ok(None) };
    let town = TownKey(key);
    Ok(Some(Seed {
        demo,
        first_event: first_event(connection, town, first_bucket, now).await?,
        tank: tank(connection, town, capacity.map(Nanodollars)).await?,
        tanks: fuel::list(connection, town, now).await?,
        roster: roster(connection, town, now).await?,
        beads: beads(connection, name).await?,
        events: newest_events(connection, town, EVENTS_KEPT, now).await?,
        seconds: seconds(connection, town, now).await?,
        buckets: buckets(connection, town, now).await?,
        working: working(connection, town, now).await?,
    }))
}

/// The town's tank; none while its ledger is empty.
///
/// # Errors
/// The database refused.
pub async fn tank(
    connection: &mut PgConnection,
    town: TownKey,
    capacity: Option<Nanodollars>,
) -> Result<Option<Tank>, DbError> {
    let Some(sums) = ledger::sums(connection, town).await? else { return Ok(None) };
    let until_topup = spent::between(connection, town, sums.first, sums.last_topup).await?;
    let until_now = spent::between(connection, town, sums.first, Timestamp::MAX_BELIEVED).await?;
    Ok(Some(Tank {
        first: sums.first,
        last_topup: sums.last_topup,
        filled: sums.filled,
        filled_at_topup: sums.filled_at_topup,
        spent: until_now,
        spent_at_topup: until_topup,
        capacity,
    }))
}

async fn roster(connection: &mut PgConnection, town: TownKey, now: Timestamp) -> Result<Vec<AgentRow>, DbError> {
    let rows = sqlx::query(include_str!("sql/seed_roster.sql"))
        .bind(town.0)
        .bind(PgTime(now.plus_seconds(-ROSTER_HOLD_S)))
        .bind(i64::try_from(MAX_AGENTS).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await?;
    rows.iter().map(agent).filter_map(Result::transpose).collect()
}

/// None for a name that this version does not accept.
fn agent(row: &PgRow) -> Result<Option<AgentRow>, DbError> {
    let Ok(name) = AgentName::new(row.try_get("name")?) else { return Ok(None) };
    let state = |column: &str| -> Result<Option<AgentState>, DbError> {
        let number: Option<i16> = row.try_get(column)?;
        Ok(number.and_then(|i| usize::try_from(i).ok()).and_then(|i| AgentState::ALL.get(i).copied()))
    };
    let time = |column: &str| row.try_get::<Option<PgTime>, _>(column).map(|at| at.map(|at| at.0));
    let text = |column: &str| row.try_get::<Option<&str>, _>(column);
    Ok(Some(AgentRow {
        rig: text("rig")?.and_then(|raw| RigName::new(raw).ok()),
        name,
        role: role(row.try_get("role")?),
        session: text("session")?.and_then(|raw| SessionId::new(raw).ok()),
        bead: text("bead")?.and_then(|raw| BeadId::new(raw).ok()),
        said: state("said")?.zip(time("said_at")?),
        recorded: state("recorded")?.zip(time("recorded_at")?),
        gt_status: state("gt_status")?.zip(time("gt_status_at")?),
        seen: time("terminal_at")?,
        worked: time("worked_at")?,
        progressed: time("progressed_at")?,
        hook: match (state("hook_state")?, time("hook_since")?, time("hook_at")?) {
            (Some(state), Some(since), Some(at)) => Some(Hook {
                bead: text("hook_bead")?.and_then(|raw| BeadId::new(raw).ok()),
                state,
                since,
                at,
                closed: row.try_get("hook_closed")?,
            }),
            _ => None,
        },
        first_seen: row.try_get::<PgTime, _>("first_seen")?.0,
        last_seen: row.try_get::<PgTime, _>("last_seen")?.0,
    }))
}

async fn beads(connection: &mut PgConnection, town: &TownName) -> Result<BeadCounts, DbError> {
    let (open, in_progress, in_review, closed, escalations, blocked): (i64, i64, i64, i64, i64, i64) =
        sqlx::query_as(include_str!("sql/seed_beads.sql")).bind(town.as_str()).fetch_one(connection).await?;
    let count = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(BeadCounts {
        open: count(open),
        in_progress: count(in_progress),
        in_review: count(in_review),
        closed: count(closed),
        escalations: count(escalations),
        blocked: count(blocked),
    })
}

/// The newest events of a town, newest first.
///
/// # Errors
/// The database refused.
pub async fn newest_events(
    connection: &mut PgConnection,
    town: TownKey,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<EventRow>, DbError> {
    let sql = include_str!("sql/newest_events.sql").replace("{columns}", event::COLUMNS);
    let mut events = Vec::new();
    // Lately first: planning over every day there ever was costs more than the query itself.
    for since in [now.plus_seconds(-LATELY_S), Timestamp::MIN_BELIEVED] {
        let rows = sqlx::query(AssertSqlSafe(sql.clone()))
            .bind(town.0)
            .bind(PgTime(since))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&mut *connection)
            .await?;
        events = rows.iter().map(|row| Ok(event_row(&event::decode(row)?))).collect::<Result<_, DbError>>()?;
        if events.len() >= limit {
            break;
        }
    }
    Ok(events)
}

/// Time of a town's first event: exact while the town is young, when the pace depends on it; later its bucket.
async fn first_event(
    connection: &mut PgConnection,
    town: TownKey,
    bucket: Option<PgTime>,
    now: Timestamp,
) -> Result<Option<Timestamp>, DbError> {
    let Some(bucket) = bucket else { return Ok(None) };
    if bucket.0 < now.plus_seconds(-2 * RING_S) {
        return Ok(Some(bucket.0));
    }
    let (first,): (Option<PgTime>,) = sqlx::query_as("select min(ts) from event where town_id = $1 and ts >= $2")
        .bind(town.0)
        .bind(bucket)
        .fetch_one(connection)
        .await?;
    Ok(Some(first.unwrap_or(bucket).0))
}

async fn seconds(
    connection: &mut PgConnection,
    town: TownKey,
    now: Timestamp,
) -> Result<Vec<(Timestamp, Aggregate)>, DbError> {
    let since = PgTime(now.floor_to(1).plus_seconds(-RING_S));
    let rows = sqlx::query(include_str!("sql/seed_seconds.sql")).bind(town.0).bind(since).fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row.try_get::<PgTime, _>("second")?.0, aggregate(row)?))).collect()
}

async fn buckets(
    connection: &mut PgConnection,
    town: TownKey,
    now: Timestamp,
) -> Result<Vec<(Timestamp, Bucket)>, DbError> {
    let since = PgTime(Edges::oldest(now));
    let rows =
        sqlx::query(include_str!("sql/seed_buckets.sql")).bind(town.0).bind(since).fetch_all(&mut *connection).await?;
    let mut buckets = Vec::with_capacity(rows.len());
    for row in &rows {
        let bucket = Bucket { sum: aggregate(row)?, ..Bucket::default() };
        buckets.push((row.try_get::<PgTime, _>("bucket")?.0, bucket));
    }
    let roles: Vec<(PgTime, i16, i64)> =
        sqlx::query_as(include_str!("sql/seed_roles.sql")).bind(town.0).bind(since).fetch_all(connection).await?;
    for (from, role, cost) in roles {
        let mut bucket = Bucket::default();
        bucket.cost_by_role[role_slot(role)] = Nanodollars(cost);
        buckets.push((from.0, bucket));
    }
    Ok(buckets)
}

async fn working(
    connection: &mut PgConnection,
    town: TownKey,
    now: Timestamp,
) -> Result<Vec<(Timestamp, u32)>, DbError> {
    let since = PgTime(now.floor_to(60).plus_seconds(-RING_S - 180));
    let rows: Vec<(PgTime, i64)> =
        sqlx::query_as(include_str!("sql/seed_working.sql")).bind(town.0).bind(since).fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(minute, n)| (minute.0, u32::try_from(n).unwrap_or(u32::MAX))).collect())
}

fn aggregate(row: &PgRow) -> Result<Aggregate, DbError> {
    let mut measures = [0; model::aggregate::MEASURES];
    for (slot, column) in measures.iter_mut().zip(Aggregate::NAMES) {
        *slot = row.try_get(column)?;
    }
    Ok(Aggregate::from_array(measures))
}

fn role(index: i16) -> Role {
    Role::ALL[role_slot(index)]
}
