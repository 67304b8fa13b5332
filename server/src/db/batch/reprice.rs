//! Prices that change after the fact: stored calls get the cost that the price book says now.
//!
//! A job goes through a town's events by key. Each piece is one transaction: calls whose cost is another now are taken
//! back and stored anew under their keys, with everything that follows, exactly as when a better report replaces
//! another; and the job's row is carried on behind what was looked at. So a piece happens as a whole or not at all, and
//! once. What the agent itself reported stays the amount that counts; only what the book says beside it changes.

use std::collections::{HashMap, HashSet};

use model::Nanodollars;
use model::event::{Cost, Envelope, Event, ModelCall, PricedEvent};
use model::id::EventKey;
use model::price::{Price, PriceBook};
use model::time::Timestamp;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Row as _};
use uuid::Uuid;

use super::{Changed, sums};
use crate::db::copy_rows::CopyRows;
use crate::db::event::{self, COLUMNS, Place};
use crate::db::fold::Fold;
use crate::db::partition::{self, Day};
use crate::db::{DbError, PgTime, Pool, TownKey, claim, price};

/// What notifications begin with here: no process's own mark, so that this process's viewers are told too.
const FROM: &str = "reprice";
/// The last key there is: what comes after it is later.
const LAST: EventKey = EventKey(u128::MAX);

/// What a call costs by a book; the flag says that the event stands for many calls.
pub type Pricer = fn(&Envelope, bool, &PriceBook) -> Option<Cost>;

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There is more to do.
    More,
    /// It is done.
    Done,
    /// Another worker has it in hand, or it was done before.
    Elsewhere,
}

/// Looks at the next `limit` events of a job, in one transaction. Safe to repeat, and with several workers at once.
///
/// # Errors
/// The database refused; nothing was changed.
pub async fn reprice(pool: &Pool, town: TownKey, job: i32, limit: usize, pricer: Pricer) -> Result<Progress, DbError> {
    // Days are read one by one: planning a query over all of them would cost more with every day of history.
    let days = partition::list(pool).await?;
    let mut transaction = pool.begin().await?;
    let connection = &mut *transaction;
    // Nobody waits for this row: who does not get it leaves the job alone.
    let row = sqlx::query(include_str!("../sql/reprice_claim.sql"))
        .bind(town.0)
        .bind(job)
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = row else { return Ok(Progress::Elsewhere) };
    // Nobody else takes back events of this town until the transaction ends.
    claim::lock(&mut *connection, &[town.0]).await?;
    let floor = row.try_get::<Option<PgTime>, _>("floor")?.map(|floor| floor.0);
    let to = row.try_get::<PgTime, _>("to_ts")?.0;
    let mut cursor = Place {
        town,
        at: row.try_get::<PgTime, _>("cursor_ts")?.0,
        key: EventKey(row.try_get::<Uuid, _>("cursor_key")?.as_u128()),
    };
    if let Some(floor) = floor.filter(|floor| *floor > cursor.at) {
        // Retention has dropped what lies below, or is about to: the tiers could not follow.
        cursor = before(town, floor);
    }
    let stretch = Stretch::read(&mut *connection, &days, cursor, to, limit).await?;
    let book = price::load_in(&mut *connection).await?;
    let model = row.try_get::<Option<&str>, _>("model")?;
    let mut tally = Tally::default();
    let mut news: HashMap<Place, Cost> = HashMap::new();
    for (place, event, is_sum) in &stretch.calls {
        if model.is_some_and(|model| !is_called(event, model, &book)) {
            continue;
        }
        let Some(cost) = pricer(&event.envelope, *is_sum, &book) else { continue };
        let changed = event.cost != Some(cost);
        tally.count(event, cost, changed);
        if changed {
            news.insert(*place, cost);
        }
    }
    if !news.is_empty() {
        let notice = format!("{FROM}:{}", row.try_get::<&str, _>("town")?);
        store(&mut *connection, town, &news, notice).await?;
    }
    sqlx::query(include_str!("../sql/reprice_carry_on.sql"))
        .bind(town.0)
        .bind(job)
        .bind(PgTime(stretch.cursor.at))
        .bind(Uuid::from_u128(stretch.cursor.key.0))
        .bind(floor.map(PgTime))
        .bind(tally.looked)
        .bind(tally.changed)
        .bind(tally.before.0)
        .bind(tally.after.0)
        .bind(tally.unpriced)
        .bind(tally.span.map(|(from, _)| PgTime(from)))
        .bind(tally.span.map(|(_, to)| PgTime(to)))
        .bind(stretch.is_last)
        .execute(&mut *connection)
        .await?;
    transaction.commit().await?;
    Ok(if stretch.is_last { Progress::Done } else { Progress::More })
}

/// The place behind which `at` begins.
pub(in crate::db) const fn before(town: TownKey, at: Timestamp) -> Place {
    Place { town, at: Timestamp(at.0 - 1), key: LAST }
}

/// Whether a job for `model` means this call: by the name that the call has, or the book has for it at its time.
fn is_called(event: &PricedEvent, model: &str, book: &PriceBook) -> bool {
    let Event::ModelCall(ModelCall { model: name, .. }) = &event.envelope.event else { return false };
    let priced_as = |price: &Price| book.entry(model) == Some(price.model.as_str());
    name.as_str().eq_ignore_ascii_case(model) || book.at(name.as_str(), event.envelope.at).is_some_and(priced_as)
}

/// Events in a row, of which the calls are kept.
struct Stretch {
    /// Place, event, and whether it stands for many calls.
    calls: Vec<(Place, PricedEvent, bool)>,
    /// Everything up to here was read.
    cursor: Place,
    /// Nothing comes after it.
    is_last: bool,
}

impl Stretch {
    /// The next `limit` events after `cursor` and before `to`.
    async fn read(
        connection: &mut PgConnection,
        days: &std::collections::BTreeSet<Day>,
        mut cursor: Place,
        to: Timestamp,
        limit: usize,
    ) -> Result<Self, DbError> {
        let town = cursor.town;
        let mut calls = Vec::new();
        let mut room = limit;
        // Behind the last key of an instant, the next one comes; the day before may be gone by now.
        let next = if cursor.key == LAST { Timestamp(cursor.at.0 + 1) } else { cursor.at };
        for day in days.range(Day::of(next)..) {
            if room == 0 || day.begins() >= to {
                break;
            }
            let statement = format!(
                "select {COLUMNS} from {} where town_id = $1 and ts >= $2 and (ts, key) > ($2, $3) and ts < $4 \
                 order by ts, key limit $5",
                partition::name(*day)
            );
            let rows = sqlx::query(AssertSqlSafe(statement))
                .bind(town.0)
                .bind(PgTime(cursor.at))
                .bind(Uuid::from_u128(cursor.key.0))
                .bind(PgTime(to))
                .bind(i64::try_from(room).unwrap_or(i64::MAX))
                .fetch_all(&mut *connection)
                .await?;
            let sums = places_of_sums(&mut *connection, town, &cursor, &rows).await?;
            for row in &rows {
                let at = row.try_get::<PgTime, _>("ts")?.0;
                cursor = Place { town, at, key: EventKey(row.try_get::<Uuid, _>("key")?.as_u128()) };
                // 0: EventKind::ModelCall
                if row.try_get::<i16, _>("kind")? == 0 {
                    calls.push((cursor, event::decode(row)?, sums.contains(&(cursor.at, cursor.key))));
                }
            }
            room -= rows.len().min(room);
        }
        Ok(Self { calls, cursor, is_last: room > 0 })
    }
}

/// Which of the events that were read stand for many calls.
async fn places_of_sums(
    connection: &mut PgConnection,
    town: TownKey,
    after: &Place,
    rows: &[sqlx::postgres::PgRow],
) -> Result<HashSet<(Timestamp, EventKey)>, DbError> {
    let Some(last) = rows.last() else { return Ok(HashSet::new()) };
    let places: Vec<(PgTime, Uuid)> = sqlx::query_as(include_str!("../sql/claim_select_sums.sql"))
        .bind(town.0)
        .bind(PgTime(after.at))
        .bind(last.try_get::<PgTime, _>("ts")?)
        .fetch_all(connection)
        .await?;
    Ok(places.into_iter().map(|(at, key)| (at.0, EventKey(key.as_u128()))).collect())
}

/// What a piece did.
#[derive(Debug, Default)]
struct Tally {
    looked: i64,
    changed: i64,
    before: Nanodollars,
    after: Nanodollars,
    unpriced: i64,
    span: Option<(Timestamp, Timestamp)>,
}

impl Tally {
    fn count(&mut self, event: &PricedEvent, cost: Cost, changed: bool) {
        let amount = |cost: Option<Cost>| cost.and_then(|cost| cost.amount).unwrap_or(Nanodollars::ZERO);
        self.looked += 1;
        self.before += amount(event.cost);
        self.after += amount(Some(cost));
        self.unpriced += i64::from(cost.amount.is_none());
        if changed {
            let at = event.envelope.at;
            self.changed += 1;
            self.span = Some(self.span.map_or((at, at), |(from, to)| (from.min(at), to.max(at))));
        }
    }
}

/// Takes the events back and stores them with their new costs.
async fn store(
    connection: &mut PgConnection,
    town: TownKey,
    news: &HashMap<Place, Cost>,
    notice: String,
) -> Result<(), DbError> {
    let mut places: Vec<Place> = news.keys().copied().collect();
    places.sort_unstable();
    let taken = event::take_back(&mut *connection, &places).await?;
    let mut told: Vec<(TownKey, PricedEvent)> = taken.clone();
    for (_, event) in &mut told {
        let place = Place { town, at: event.envelope.at, key: event.envelope.key };
        event.cost = news.get(&place).copied().or(event.cost);
    }
    told.sort_unstable_by_key(|(town, event)| (*town, event.envelope.at, event.envelope.key));
    let inserted = || told.iter().map(|(town, event)| (*town, event));
    let rows = CopyRows::of(inserted());
    rows.copy(&mut *connection, 0..rows.len()).await?;
    let taken = || taken.iter().map(|(town, event)| (*town, event));
    let changed = Changed::of(inserted, taken);
    let repriced = sums::repriced(inserted(), taken());
    let fold = Fold { repriced: &repriced, notices: &[notice], may_empty: true, ..changed.fold() };
    fold.write(connection).await
}
