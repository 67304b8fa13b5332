//! What is not fine, the steps that are claimed there, and what is known of sources and agents for it.

use model::alert::AlertState;
use model::time::Timestamp;
use sqlx::{Postgres, Transaction};
use uuid::Uuid;

use super::webhook::{self, NewDelivery};
use super::{DbError, PgTime, Pool, TownKey, notify};

/// Sources of a town that are looked at.
const MAX_SOURCES: i64 = 200;
/// Subjects of a town that are looked at: more than its roster, its tanks and its sources hold.
const MAX_SUBJECTS: i64 = 5_000;
/// Agents of a town that may be in a loop at once.
const MAX_LOOPS: i64 = 200;

/// Something that is not fine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Episode {
    /// Town.
    pub town: TownKey,
    /// Another for each episode.
    pub id: Uuid,
    /// As [`Claim::subject`].
    pub subject: String,
    /// The state it is in.
    pub state: AlertState,
    /// Since when.
    pub since: Timestamp,
    /// What pages say of it.
    pub words: String,
    /// What webhooks were told of it: JSON.
    pub data: String,
    /// Whether webhooks have been told; not while it was snoozed.
    pub told: bool,
    /// Until when nobody wants to hear of it in this state.
    pub snoozed_until: Option<Timestamp>,
}

/// A step of something that is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim<'a> {
    /// Town.
    pub town: TownKey,
    /// `tank` (the meter), `tank/<name>`, `source/<name>`, `agent/<rig>/<name>`, `loop/<rig>/<name>`, `errors`, `review`.
    pub subject: &'a str,
    /// The state that it leaves.
    pub from: AlertState,
    /// The state that it comes to.
    pub to: AlertState,
    /// When.
    pub at: Timestamp,
    /// What pages say of it.
    pub words: &'a str,
    /// What webhooks are told of it: JSON.
    pub data: &'a str,
    /// Whether they are told, or not for now.
    pub told: bool,
}

type EpisodeRow = (i32, Uuid, String, String, PgTime, String, String, bool, Option<String>, Option<PgTime>);

/// Everything of these towns that is not fine.
///
/// # Errors
/// The database refused.
pub async fn list(pool: &Pool, towns: &[TownKey], now: Timestamp) -> Result<Vec<Episode>, DbError> {
    let rows: Vec<EpisodeRow> = sqlx::query_as(include_str!("sql/alert_list.sql"))
        .bind(keys(towns))
        .bind(MAX_SUBJECTS)
        .bind(PgTime(now))
        .fetch_all(pool)
        .await?;
    Ok(rows.into_iter().map(episode).collect())
}

fn episode((town, id, subject, state, since, words, data, told, covers, until): EpisodeRow) -> Episode {
    // A state of a later version counts as fine: the step out of it is then not claimed.
    let state = AlertState::parse(&state).unwrap_or_default();
    let covers = covers.and_then(|state| AlertState::parse(&state)).map_or(0, AlertState::rank);
    let snoozed_until = until.filter(|_| covers >= state.rank()).map(|until| until.0);
    Episode { town: TownKey(town), id, subject, state, since: since.0, words, data, told, snoozed_until }
}

fn keys(towns: &[TownKey]) -> Vec<i32> {
    towns.iter().map(|town| town.0).collect()
}

/// What of a town is snoozed at `now`, fine or not: subjects with the worst state that is covered.
///
/// # Errors
/// The database refused.
pub async fn snoozes(pool: &Pool, towns: &[TownKey], now: Timestamp) -> Result<Vec<(TownKey, String, u8)>, DbError> {
    let rows: Vec<(i32, String, String)> = sqlx::query_as(
        "select town_id, subject, covers from alert_snooze where town_id = any($1) and until > $2
         order by town_id, subject limit $3",
    )
    .bind(keys(towns))
    .bind(PgTime(now))
    .bind(MAX_SUBJECTS)
    .fetch_all(pool)
    .await?;
    let rank = |state: &str| AlertState::parse(state).map_or(0, AlertState::rank);
    Ok(rows.into_iter().map(|(town, subject, covers)| (TownKey(town), subject, rank(&covers))).collect())
}

/// When each source of these towns was heard last.
///
/// # Errors
/// The database refused.
pub async fn heard(pool: &Pool, towns: &[TownKey]) -> Result<Vec<(TownKey, String, Timestamp)>, DbError> {
    let rows: Vec<(i32, String, PgTime)> =
        sqlx::query_as(include_str!("sql/alert_heard.sql")).bind(keys(towns)).bind(MAX_SOURCES).fetch_all(pool).await?;
    Ok(rows.into_iter().map(|(town, source, at)| (TownKey(town), source, at.0)).collect())
}

/// An agent that was started several times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Starts {
    /// Town.
    pub town: TownKey,
    /// Rig; empty for agents of the whole town.
    pub rig: String,
    /// Its name.
    pub agent: String,
    /// How often.
    pub count: i64,
}

/// Agents of these towns that were started at least `least` times since then.
///
/// # Errors
/// The database refused.
pub async fn starts(pool: &Pool, towns: &[TownKey], since: Timestamp, least: i64) -> Result<Vec<Starts>, DbError> {
    let rows: Vec<(i32, String, String, i64)> = sqlx::query_as(include_str!("sql/alert_starts.sql"))
        .bind(keys(towns))
        .bind(PgTime(since))
        .bind(least)
        .bind(MAX_LOOPS)
        .fetch_all(pool)
        .await?;
    let starts = |(town, rig, agent, count)| Starts { town: TownKey(town), rig, agent, count };
    Ok(rows.into_iter().map(starts).collect())
}

/// Makes the step, with what is to be told of it, in one transaction; `false` when somebody else made it before.
///
/// # Errors
/// The database refused; nothing was done then.
pub async fn step(pool: &Pool, claim: Claim<'_>, deliveries: &[NewDelivery<'_>]) -> Result<bool, DbError> {
    let Claim { town, subject, from, to, at, words, data, told } = claim;
    let mut transaction = pool.begin().await?;
    let of_subject = |statement: &'static str| sqlx::query(statement).bind(town.0).bind(subject);
    let statement = match (from, to) {
        (AlertState::Fine, _) => of_subject(
            "insert into alert (town_id, subject, state, since, words, data, told) values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (town_id, subject) do nothing",
        )
        .bind(to.name())
        .bind(PgTime(at))
        .bind(words)
        .bind(data)
        .bind(told),
        (_, AlertState::Fine) => {
            of_subject("delete from alert where town_id = $1 and subject = $2 and state = $3").bind(from.name())
        }
        _ => of_subject(
            "update alert set state = $3, since = $4, words = $5, data = $6, told = $7
              where town_id = $1 and subject = $2 and state = $8",
        )
        .bind(to.name())
        .bind(PgTime(at))
        .bind(words)
        .bind(data)
        .bind(told)
        .bind(from.name()),
    };
    let claimed = statement.execute(&mut *transaction).await?.rows_affected() == 1;
    if claimed {
        webhook::insert(&mut transaction, town, deliveries).await?;
        notify::send_alerts(&mut transaction, town).await?;
    }
    transaction.commit().await?;
    Ok(claimed)
}

/// Tells of an episode that began while it was snoozed; `false` when somebody else did, or it has ended.
///
/// # Errors
/// The database refused; nothing was done then.
pub async fn tell(pool: &Pool, episode: &Episode, deliveries: &[NewDelivery<'_>]) -> Result<bool, DbError> {
    let mut transaction = pool.begin().await?;
    let statement = "update alert set told = true where town_id = $1 and alert_id = $2 and state = $3 and not told";
    let query = sqlx::query(statement).bind(episode.town.0).bind(episode.id).bind(episode.state.name());
    let claimed = query.execute(&mut *transaction).await?.rows_affected() == 1;
    if claimed {
        webhook::insert(&mut transaction, episode.town, deliveries).await?;
    }
    transaction.commit().await?;
    Ok(claimed)
}

/// Says an episode anew: its figures have changed.
///
/// # Errors
/// The database refused.
pub async fn say(pool: &Pool, episode: &Episode, words: &str, data: &str) -> Result<(), DbError> {
    let mut transaction = pool.begin().await?;
    sqlx::query("update alert set words = $3, data = $4 where town_id = $1 and alert_id = $2")
        .bind(episode.town.0)
        .bind(episode.id)
        .bind(words)
        .bind(data)
        .execute(&mut *transaction)
        .await?;
    notify::send_alerts(&mut transaction, episode.town).await?;
    transaction.commit().await?;
    Ok(())
}

/// Snoozes an episode's subject; `false` when it has ended.
///
/// # Errors
/// The database refused.
pub async fn snooze(pool: &Pool, town: TownKey, id: Uuid, until: Timestamp) -> Result<bool, DbError> {
    let mut transaction = pool.begin().await?;
    let row: Option<(String,)> = sqlx::query_as(include_str!("sql/alert_snooze.sql"))
        .bind(town.0)
        .bind(id)
        .bind(PgTime(until))
        .fetch_optional(&mut *transaction)
        .await?;
    done(transaction, town, row.is_some()).await
}

/// Wakes an episode's subject; `false` when it has ended.
///
/// # Errors
/// The database refused.
pub async fn wake(pool: &Pool, town: TownKey, id: Uuid) -> Result<bool, DbError> {
    let mut transaction = pool.begin().await?;
    let subject: Option<(String,)> = sqlx::query_as("select subject from alert where town_id = $1 and alert_id = $2")
        .bind(town.0)
        .bind(id)
        .fetch_optional(&mut *transaction)
        .await?;
    if let Some((subject,)) = &subject {
        sqlx::query("delete from alert_snooze where town_id = $1 and subject = $2")
            .bind(town.0)
            .bind(subject)
            .execute(&mut *transaction)
            .await?;
    }
    done(transaction, town, subject.is_some()).await
}

async fn done(mut transaction: Transaction<'_, Postgres>, town: TownKey, is: bool) -> Result<bool, DbError> {
    notify::send_alerts(&mut transaction, town).await?;
    transaction.commit().await?;
    Ok(is)
}

/// Forgets snoozes that ended long enough ago for every server's clock.
///
/// # Errors
/// The database refused.
pub async fn forget_snoozes(pool: &Pool, before: Timestamp) -> Result<(), DbError> {
    sqlx::query("delete from alert_snooze where until < $1").bind(PgTime(before)).execute(pool).await?;
    Ok(())
}

/// Takes or keeps the watch over every town for so many seconds; `false` while another has it.
///
/// # Errors
/// The database refused.
pub async fn hold_watch(pool: &Pool, holder: Uuid, for_s: i64) -> Result<bool, DbError> {
    let row: Option<(Uuid,)> =
        sqlx::query_as(include_str!("sql/alert_hold_watch.sql")).bind(holder).bind(for_s).fetch_optional(pool).await?;
    Ok(row.is_some())
}

/// Leaves the watch to another at once.
///
/// # Errors
/// The database refused.
pub async fn leave_watch(pool: &Pool, holder: Uuid) -> Result<(), DbError> {
    sqlx::query("delete from alert_watch where holder = $1").bind(holder).execute(pool).await?;
    Ok(())
}
