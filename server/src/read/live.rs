//! What the Live page and its API read: each part as often as it changes, once for all who look.

use std::collections::{BTreeMap, HashMap};

use app::reader::ReadError;
use jiff::tz::TimeZone;
use model::burn::{self, Burn};
use model::calendar;
use model::id::{SessionId, TownName};
use model::latency::{LatencySum, Percentile};
use model::live_stats::{
    CallRow, IN_FLIGHT_S, Latency, LatencyStats, LatencyWindow, MOST_SESSIONS, MOST_SUBJECTS, SessionRow, milliseconds,
};
use model::provider::provider_of;
use model::roster::{AgentRow, AgentStatus};
use model::time::{Resolution, TimeRange, Timestamp};
use model::unit::Nanodollars;

use super::{FRESH_US, Reader, place, unavailable};
use crate::db::latency::{self, Sums, Who};
use crate::db::request::{self, Flights};
use crate::db::{DbError, Pool, TownKey, cost, feed, live};
use crate::hub::LiveSums;

/// What the store says of a town's calls and of the worker.
#[derive(Debug, Clone, Default)]
pub struct Activity {
    /// The newest model calls.
    pub newest_calls: Vec<CallRow>,
    /// Requests in flight.
    pub flights: Flights,
    /// Conversations that go on.
    pub sessions: Vec<SessionRow>,
    /// Half hours that wait for the worker.
    pub rollups_pending: i64,
    /// Six-hour spans whose sketches are still being made.
    pub sketches_pending: i64,
    /// Number of the newest change.
    pub seq: i64,
}

/// What is spent by a calendar.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spent {
    day: TimeRange,
    month: TimeRange,
    today: Nanodollars,
    this_month: Nanodollars,
}

/// How long a window's figures are good: a day's percentiles do not move within seconds.
const fn fresh_us(window: LatencyWindow) -> i64 {
    match window {
        LatencyWindow::FiveMinutes => FRESH_US,
        LatencyWindow::Hour => 5 * FRESH_US,
        LatencyWindow::Day => 15 * FRESH_US,
    }
}

impl Reader {
    /// The sums of a town's last minutes.
    ///
    /// # Errors
    /// Unknown town, or the server stops.
    pub async fn live_sums(&self, town: &TownName) -> Result<LiveSums, ReadError> {
        let sums = self.hub.sums(town).await.ok_or(ReadError::Unavailable)?;
        sums.ok_or_else(|| ReadError::UnknownTown(town.to_string()))
    }

    /// The burn ticker, with days and months as `zone` has them. What is committed is in today's and the month's sums at
    /// most a second later.
    ///
    /// # Errors
    /// Unknown town, or the store does not answer.
    pub async fn burn(&self, town: &TownName, zone: &TimeZone, name: &str) -> Result<Burn, ReadError> {
        let key = self.town_key(town).await?;
        let sums = self.live_sums(town).await?;
        let kept = place(&self.burns, (town.clone(), name.to_owned())).await;
        let mut kept = kept.lock().await;
        let now = self.clock.now();
        let spent = match kept.as_ref() {
            Some((at, spent)) if now.micros_since(*at) < FRESH_US && spent.day.contains(now) => *spent,
            _ => {
                let spent = spent(&self.pool, key, zone, now).await.map_err(unavailable)?;
                *kept = Some((now, spent));
                spent
            }
        };
        drop(kept);
        Ok(Burn {
            at: sums.at,
            last_minute: sums.minute.cost,
            per_minute: burn::over(sums.pace, 60),
            per_hour: burn::over(sums.pace, 3_600),
            pace: sums.pace,
            zone: name.to_owned(),
            today: spent.today,
            today_from: spent.day.from(),
            month: spent.this_month,
            month_from: spent.month.from(),
            month_to: spent.month.to(),
            projected: burn::projection(spent.this_month, spent.month, sums.first_event, now),
        })
    }

    /// How long calls took over one window.
    ///
    /// # Errors
    /// Unknown town, or the store does not answer.
    pub async fn latency(&self, town: &TownName, window: LatencyWindow) -> Result<LatencyStats, ReadError> {
        let key = self.town_key(town).await?;
        let kept = place(&self.latencies, (town.clone(), window)).await;
        let mut kept = kept.lock().await;
        let now = self.clock.now();
        if let Some((at, stats)) = kept.as_ref()
            && now.micros_since(*at) < fresh_us(window)
        {
            return Ok(stats.clone());
        }
        let step_s = Resolution::S10.step_s();
        let to = now.floor_to(step_s).plus_seconds(step_s);
        let range = TimeRange::new(to.plus_seconds(-window.seconds()), to).map_err(|_| ReadError::Unavailable)?;
        let sums = read_latency(&self.pool, key, range).await.map_err(unavailable)?;
        let stats = stats(window, range, sums);
        *kept = Some((now, stats.clone()));
        Ok(stats)
    }

    /// The newest calls, the sessions in flight, and how far the worker is.
    ///
    /// # Errors
    /// Unknown town, or the store does not answer.
    pub async fn activity(&self, town: &TownName, roster: &[AgentRow]) -> Result<Activity, ReadError> {
        let key = self.town_key(town).await?;
        let kept = place(&self.activities, town.clone()).await;
        let mut kept = kept.lock().await;
        let now = self.clock.now();
        if let Some((at, activity)) = kept.as_ref()
            && now.micros_since(*at) < FRESH_US
        {
            return Ok(activity.clone());
        }
        let activity = read_activity(&self.pool, key, roster, now, self.lost_after_s).await.map_err(unavailable)?;
        *kept = Some((now, activity.clone()));
        Ok(activity)
    }
}

async fn spent(pool: &Pool, town: TownKey, zone: &TimeZone, now: Timestamp) -> Result<Spent, DbError> {
    let unknown = || DbError::Unknown { what: format!("no day for {now}") };
    let day = calendar::day(now, zone).ok_or_else(unknown)?;
    let month = calendar::month(now, zone).ok_or_else(unknown)?;
    // One snapshot, so that nothing moves between tiers.
    let mut view = pool.begin_with("begin isolation level repeatable read, read only").await?;
    let today = cost::between(&mut view, town, day.from(), day.to()).await?;
    let this_month = cost::between(&mut view, town, month.from(), month.to()).await?;
    view.rollback().await?;
    Ok(Spent { day, month, today, this_month })
}

async fn read_latency(pool: &Pool, town: TownKey, range: TimeRange) -> Result<Sums, DbError> {
    let mut view = pool.begin_with("begin isolation level repeatable read, read only").await?;
    let sums = latency::window(&mut view, town, range).await?;
    view.rollback().await?;
    Ok(sums)
}

/// The sums of a tool, a model or a provider: over the window, and per point.
#[derive(Default)]
struct Line {
    whole: LatencySum,
    points: BTreeMap<usize, LatencySum>,
}

impl Line {
    fn add(&mut self, point: usize, sum: &LatencySum) {
        self.whole.merge(sum);
        self.points.entry(point).or_default().merge(sum);
    }
    fn finish(&self, name: &str, points: usize) -> Latency {
        let mut latency = Latency::of(name.to_owned(), &self.whole);
        latency.spark_p95_ms = vec![None; points];
        for (place, sum) in &self.points {
            if let Some(slot) = latency.spark_p95_ms.get_mut(*place) {
                *slot = sum.sketch.percentile_us(Percentile::P95).map(milliseconds);
            }
        }
        latency
    }
}

/// Pure: what the sums of a window say.
fn stats(window: LatencyWindow, range: TimeRange, sums: Sums) -> LatencyStats {
    let step_s = window.step().step_s();
    let spark_from = range.from().floor_to(step_s);
    let place_of = |at: Timestamp| usize::try_from((at.seconds() - spark_from.seconds()) / step_s).unwrap_or(0);
    let points = place_of(Timestamp(range.to().0 - 1)) + 1;
    let (mut tools, mut models, mut providers) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let (mut all_tools, mut all_models) = (Line::default(), Line::default());
    for (bucket, who, sum) in sums {
        let point = place_of(bucket);
        match who {
            Who::Tool(name) => {
                all_tools.add(point, &sum);
                tools.entry(name).or_insert_with(Line::default).add(point, &sum);
            }
            Who::Model(name) => {
                all_models.add(point, &sum);
                providers.entry(provider_of(&name).to_owned()).or_insert_with(Line::default).add(point, &sum);
                models.entry(name).or_insert_with(Line::default).add(point, &sum);
            }
        }
    }
    let mut left_out = 0;
    let mut most_used = |lines: BTreeMap<String, Line>| {
        let mut lines: Vec<_> = lines.into_iter().filter(|(_, line)| line.whole.calls > 0).collect();
        lines.sort_by_key(|(_, line)| std::cmp::Reverse(line.whole.calls));
        left_out += lines.len().saturating_sub(MOST_SUBJECTS);
        lines.iter().take(MOST_SUBJECTS).map(|(name, line)| line.finish(name, points)).collect::<Vec<_>>()
    };
    LatencyStats {
        window,
        from: range.from(),
        to: range.to(),
        spark_from,
        spark_step_s: step_s,
        tools: most_used(tools),
        models: most_used(models),
        providers: most_used(providers),
        all_tools: all_tools.finish("all tools", points),
        all_models: all_models.finish("all models", points),
        left_out,
    }
}

async fn read_activity(
    pool: &Pool,
    town: TownKey,
    roster: &[AgentRow],
    now: Timestamp,
    lost_after_s: i64,
) -> Result<Activity, DbError> {
    let since = now.plus_seconds(-IN_FLIGHT_S);
    // The agent heard last stands for a conversation that several have.
    let mut holders: HashMap<&SessionId, &AgentRow> = HashMap::new();
    let lately = roster.iter().filter(|row| row.last_seen > since);
    for (session, row) in lately.filter_map(|row| Some((row.session.as_ref()?, row))) {
        let holder = holders.entry(session).or_insert(row);
        if holder.last_seen < row.last_seen {
            *holder = row;
        }
    }
    let mut connection = pool.acquire().await?;
    let names: Vec<&str> = holders.keys().map(|session| session.as_str()).collect();
    let mut flights = live::sessions(&mut connection, town, &names).await?;
    flights.retain(|flight| flight.last_seen > since && flight.ended_at.is_none_or(|ended| ended < flight.last_seen));
    flights.sort_by(|a, b| b.last_seen.cmp(&a.last_seen).then_with(|| a.session.cmp(&b.session)));
    let session = |flight: live::Flight| {
        let holder = holders.get(&flight.session).copied();
        SessionRow {
            channel: flight.source,
            started: flight.first_seen,
            heard: flight.last_seen,
            role: holder.map(|row| row.role).unwrap_or_default(),
            rig: holder.and_then(|row| row.rig.clone()),
            agent: holder.map(|row| row.name.clone()),
            bead: flight.bead.clone().or_else(|| holder.and_then(|row| row.bead.clone())),
            working: holder.is_some_and(|row| row.status(now) == AgentStatus::Working),
            session: flight.session,
        }
    };
    let sessions = flights.into_iter().take(MOST_SESSIONS).map(session).collect();
    let flights = request::active(&mut connection, town, now, lost_after_s).await?;
    let newest_calls = live::newest_calls(&mut connection, town, now).await?;
    let (rollups_pending, sketches_pending) = live::pending(&mut connection, town).await?;
    drop(connection);
    let seq = feed::reach(pool, town).await?.newest;
    Ok(Activity { newest_calls, flights, sessions, rollups_pending, sketches_pending, seq })
}

#[cfg(test)]
mod tests {
    use model::latency::Sketch;

    use super::*;

    fn sum(durations_us: &[u64], errors: i64) -> LatencySum {
        LatencySum {
            calls: i64::try_from(durations_us.len()).unwrap(),
            errors,
            total_us: i64::try_from(durations_us.iter().sum::<u64>()).unwrap(),
            sketch: Sketch::of(durations_us.iter().map(|us| (*us, 1))),
        }
    }

    #[test]
    fn tools_models_and_makers_are_summed_over_the_window_and_per_point() {
        let at = Timestamp::from_seconds;
        let range = TimeRange::new(at(1_800), at(5_400)).unwrap();
        let tool = |name: &str| Who::Tool(name.to_owned());
        let model = |name: &str| Who::Model(name.to_owned());
        let sums = vec![
            (at(1_800), tool("Bash"), sum(&[1_000, 3_000], 1)),
            (at(5_390), tool("Bash"), sum(&[9_000], 0)),
            (at(2_100), tool("Read"), sum(&[1_000], 0)),
            (at(3_600), model("claude-x"), sum(&[2_000_000], 0)),
            (at(3_600), model("claude-y"), sum(&[4_000_000], 1)),
            (at(3_610), tool("Taken back"), LatencySum::default()),
        ];
        let found = stats(LatencyWindow::Hour, range, sums);
        let names = |list: &[Latency]| list.iter().map(|row| (row.name.clone(), row.n, row.errors)).collect::<Vec<_>>();
        assert_eq!(names(&found.tools), [("Bash".to_owned(), 3, 1), ("Read".to_owned(), 1, 0)]);
        assert_eq!(names(&found.providers), [("Anthropic".to_owned(), 2, 1)]);
        assert_eq!((found.all_tools.n, found.all_models.n, found.left_out), (4, 2, 0));
        assert_eq!(found.all_models.mean_ms, Some(3_000.0));
        let spark = &found.tools[0].spark_p95_ms;
        assert_eq!((spark.len(), spark.iter().flatten().count()), (12, 2));
        assert!(spark[0].is_some_and(|ms| (ms / 3.0 - 1.0).abs() < 0.01) && spark[11].is_some());
    }
}
