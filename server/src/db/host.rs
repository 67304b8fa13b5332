//! Hosts of a town: the newest reading of each, and means over steps of time.

use model::host::{Bytes, GpuUse, HISTORY_STEP_S, HostHistory, HostSample, MAX_HOSTS, Percent, Space};
use model::id::HostName;
use model::time::{Timestamp, Window};
use sqlx::Row as _;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::{DbError, PgTime, Pool, TownKey};

/// A sampler that was silent for this long has lost its host to whoever reads it now.
pub const LEASE_S: i64 = 45;
/// Steps of history that are stored, in seconds.
pub const STEPS_S: [i64; 2] = [HISTORY_STEP_S, 60];
/// How long each of [`STEPS_S`] is kept: somewhat longer than the windows that show it.
pub const KEPT_S: [i64; 2] = [2 * 3_600, 8 * 86_400];
/// Rows that one statement removes at most.
const TRIM_ROWS: i64 = 20_000;

/// A host's newest reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostRow {
    /// The machine.
    pub name: HostName,
    /// The process that reads it.
    pub writer: Uuid,
    /// Its number on that machine.
    pub pid: Option<u32>,
    /// When it was read.
    pub at: Timestamp,
    /// The reading.
    pub sample: HostSample,
}

/// What became of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// Stored; viewers of another process want the next one after so many seconds, if any look.
    Stored {
        /// Seconds.
        wanted_s: Option<i64>,
    },
    /// Another process reads this host.
    Taken,
}

/// Writes the newest reading of a host.
///
/// # Errors
/// The database refused.
pub async fn put(pool: &Pool, town: TownKey, row: &HostRow) -> Result<Put, DbError> {
    let query = sqlx::query(include_str!("sql/host_put.sql"))
        .bind(town.0)
        .bind(row.name.as_str())
        .bind(row.writer)
        .bind(row.pid.map(|pid| i32::try_from(pid).unwrap_or(i32::MAX)))
        .bind(PgTime(row.at));
    let lost = PgTime(row.at.plus_seconds(-LEASE_S));
    let Some(stored) = bind_sample(query, &row.sample).bind(lost).fetch_optional(pool).await? else {
        return Ok(Put::Taken);
    };
    if stored.try_get::<bool, _>("is_new")? {
        trim_hosts(pool, town, row.at).await?;
    }
    Ok(Put::Stored { wanted_s: stored.try_get::<Option<i16>, _>("wanted_s")?.map(i64::from) })
}

async fn trim_hosts(pool: &Pool, town: TownKey, now: Timestamp) -> Result<(), DbError> {
    sqlx::query(include_str!("sql/host_trim.sql"))
        .bind(town.0)
        .bind(i64::try_from(MAX_HOSTS).unwrap_or(i64::MAX))
        .bind(PgTime(now.plus_seconds(-KEPT_S[1])))
        .execute(pool)
        .await?;
    Ok(())
}

/// Every host of a town, by name.
///
/// # Errors
/// The database refused.
pub async fn list(pool: &Pool, town: TownKey) -> Result<Vec<HostRow>, DbError> {
    let rows = sqlx::query(include_str!("sql/host_list.sql"))
        .bind(town.0)
        .bind(i64::try_from(MAX_HOSTS).unwrap_or(i64::MAX))
        .fetch_all(pool)
        .await?;
    rows.iter().map(from_row).collect()
}

/// Says that viewers look, and want hosts that are read by none of `mine` to be read every `every_s` seconds.
///
/// # Errors
/// The database refused.
pub async fn want(pool: &Pool, town: TownKey, mine: &[Uuid], every_s: i64, now: Timestamp) -> Result<(), DbError> {
    sqlx::query(include_str!("sql/host_want.sql"))
        .bind(town.0)
        .bind(mine)
        .bind(i16::try_from(every_s).unwrap_or(i16::MAX))
        .bind(PgTime(now.plus_seconds(30)))
        .bind(PgTime(now.plus_seconds(15)))
        .bind(PgTime(now.plus_seconds(-LEASE_S)))
        .execute(pool)
        .await?;
    Ok(())
}

/// Writes a step of a host's history; a step that is there stays.
///
/// # Errors
/// The database refused.
pub async fn put_mean(
    pool: &Pool,
    town: TownKey,
    name: &HostName,
    (step_s, at): (i64, Timestamp),
    mean: &HostSample,
) -> Result<(), DbError> {
    let query = sqlx::query(include_str!("sql/host_mean_put.sql"))
        .bind(town.0)
        .bind(name.as_str())
        .bind(i16::try_from(step_s).unwrap_or(i16::MAX))
        .bind(PgTime(at));
    bind_sample(query, mean).execute(pool).await?;
    Ok(())
}

/// Beginning of a host's newest step.
///
/// # Errors
/// The database refused.
pub async fn newest_mean(
    pool: &Pool,
    town: TownKey,
    name: &HostName,
    step_s: i64,
) -> Result<Option<Timestamp>, DbError> {
    let newest: Option<PgTime> = sqlx::query_scalar(
        "select at from host_mean where town_id = $1 and name = $2 and step_s = $3 order by at desc limit 1",
    )
    .bind(town.0)
    .bind(name.as_str())
    .bind(i16::try_from(step_s).unwrap_or(i16::MAX))
    .fetch_optional(pool)
    .await?;
    Ok(newest.map(|at| at.0))
}

/// As [`put_mean`] for many steps of one host at once.
///
/// # Errors
/// The database refused.
pub async fn put_means(
    pool: &Pool,
    town: TownKey,
    name: &HostName,
    step_s: i64,
    means: &[(Timestamp, HostSample)],
) -> Result<(), DbError> {
    // Thirteen values a row, and a statement takes 65,535.
    for part in means.chunks(4_000) {
        let mut builder: QueryBuilder<Postgres> = QueryBuilder::new(
            "insert into host_mean (town_id, name, step_s, at, cpu, memory_used, memory_total, has_gpu, gpu, vram_used, \
             vram_total, disk_used, disk_total) ",
        );
        builder.push_values(part, |mut row, (at, mean)| {
            let flat = Flat::of(mean);
            row.push_bind(town.0)
                .push_bind(name.as_str())
                .push_bind(i16::try_from(step_s).unwrap_or(i16::MAX))
                .push_bind(PgTime(*at))
                .push_bind(flat.cpu)
                .push_bind(flat.memory.0)
                .push_bind(flat.memory.1)
                .push_bind(flat.has_gpu)
                .push_bind(flat.gpu)
                .push_bind(flat.vram.0)
                .push_bind(flat.vram.1)
                .push_bind(flat.disk.0)
                .push_bind(flat.disk.1);
        });
        builder.push(" on conflict do nothing");
        builder.build().execute(pool).await?;
    }
    Ok(())
}

/// The means of every host of a town over a window.
///
/// # Errors
/// The database refused.
pub async fn history(pool: &Pool, town: TownKey, window: Window, now: Timestamp) -> Result<HostHistory, DbError> {
    let mut page = HostHistory::empty(window, now);
    // Made of the longest stored step that divides it.
    let stored = STEPS_S.into_iter().rev().find(|step_s| page.step_s % step_s == 0).unwrap_or(HISTORY_STEP_S);
    let most = MAX_HOSTS * page.steps();
    let rows = sqlx::query(include_str!("sql/host_history.sql"))
        .bind(town.0)
        .bind(i16::try_from(stored).unwrap_or(i16::MAX))
        .bind(PgTime(Timestamp::from_seconds(page.from_s)))
        .bind(PgTime(Timestamp::from_seconds(page.to_s)))
        .bind(page.step_s)
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(pool)
        .await?;
    for row in rows {
        page.put(&host_name(&row)?, row.try_get("at_s")?, &sample(&row)?);
    }
    Ok(page)
}

/// Removes history that is older than it is kept. Returns how many rows went.
///
/// # Errors
/// The database refused; what was removed up to then is gone.
pub async fn trim(pool: &Pool, now: Timestamp) -> Result<u64, DbError> {
    let mut gone = 0;
    for (step_s, kept_s) in STEPS_S.into_iter().zip(KEPT_S) {
        loop {
            let done = sqlx::query(include_str!("sql/host_mean_trim.sql"))
                .bind(i16::try_from(step_s).unwrap_or(i16::MAX))
                .bind(PgTime(now.plus_seconds(-kept_s)))
                .bind(TRIM_ROWS)
                .execute(pool)
                .await?
                .rows_affected();
            gone += done;
            if done < TRIM_ROWS.unsigned_abs() {
                break;
            }
        }
    }
    Ok(gone)
}

/// A reading as its columns.
struct Flat {
    cpu: Option<i16>,
    memory: (Option<i64>, Option<i64>),
    has_gpu: bool,
    gpu: Option<i16>,
    vram: (Option<i64>, Option<i64>),
    disk: (Option<i64>, Option<i64>),
}

impl Flat {
    fn of(sample: &HostSample) -> Self {
        let tenths = |share: Option<Percent>| share.map(|share| i16::try_from(share.tenths()).unwrap_or(i16::MAX));
        let room = |space: Option<Space>| {
            let bytes = |bytes: Bytes| i64::try_from(bytes.0).unwrap_or(i64::MAX);
            (space.map(|space| bytes(space.used_bytes)), space.map(|space| bytes(space.total_bytes)))
        };
        Self {
            cpu: tenths(sample.cpu),
            memory: room(sample.memory),
            has_gpu: sample.gpu.is_some(),
            gpu: tenths(sample.gpu.and_then(|gpu| gpu.percent)),
            vram: room(sample.gpu.and_then(|gpu| gpu.vram)),
            disk: room(sample.disk),
        }
    }
}

fn bind_sample<'q>(query: Query<'q, Postgres, PgArguments>, sample: &HostSample) -> Query<'q, Postgres, PgArguments> {
    let flat = Flat::of(sample);
    query
        .bind(flat.cpu)
        .bind(flat.memory.0)
        .bind(flat.memory.1)
        .bind(flat.has_gpu)
        .bind(flat.gpu)
        .bind(flat.vram.0)
        .bind(flat.vram.1)
        .bind(flat.disk.0)
        .bind(flat.disk.1)
}

fn sample(row: &PgRow) -> Result<HostSample, DbError> {
    let share = |column: &str| -> Result<Option<Percent>, sqlx::Error> {
        let tenths: Option<i16> = row.try_get(column)?;
        Ok(tenths.map(|tenths| Percent::from_tenths(u16::try_from(tenths).unwrap_or(0))))
    };
    let room = |used: &str, total: &str| -> Result<Option<Space>, sqlx::Error> {
        let (used, total): (Option<i64>, Option<i64>) = (row.try_get(used)?, row.try_get(total)?);
        let bytes = |bytes: i64| u64::try_from(bytes).unwrap_or(0);
        Ok(used.zip(total).map(|(used, total)| Space::new(bytes(used), bytes(total))))
    };
    let gpu = if row.try_get("has_gpu")? {
        Some(GpuUse { percent: share("gpu")?, vram: room("vram_used", "vram_total")? })
    } else {
        None
    };
    Ok(HostSample {
        cpu: share("cpu")?,
        memory: room("memory_used", "memory_total")?,
        gpu,
        disk: room("disk_used", "disk_total")?,
    })
}

fn host_name(row: &PgRow) -> Result<HostName, DbError> {
    let raw: &str = row.try_get("name")?;
    HostName::new(raw).map_err(|error| DbError::from(sqlx::Error::Decode(error.into())))
}

fn from_row(row: &PgRow) -> Result<HostRow, DbError> {
    Ok(HostRow {
        name: host_name(row)?,
        writer: row.try_get("writer")?,
        pid: row.try_get::<Option<i32>, _>("pid")?.and_then(|pid| u32::try_from(pid).ok()),
        at: row.try_get::<PgTime, _>("last_heard")?.0,
        sample: sample(row)?,
    })
}
