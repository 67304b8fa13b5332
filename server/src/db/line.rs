//! Pages of events, newest first, with filters: what the Live page's list scrolls through.

use model::event::EventKind;
use model::event_line::{EventLine, EventPage, Level};
use model::id::{AgentName, EventKey, RigName, Role, SourceName};
use model::time::Timestamp;
use sqlx::{AssertSqlSafe, Row as _};
use uuid::Uuid;

use super::{DbError, PgTime, Pool, TownKey, event};
use crate::hub::event_row;

/// Lines of a page at most.
pub const MAX_LINES: usize = 500;
/// Events that are looked at for one page when not all of them fit.
const LOOKED_AT: i64 = 10_000;
/// How far back is looked first: planning over every day there ever was costs more than the query itself.
const LATELY_S: i64 = 3 * 24 * 3_600;

/// A place in a town's events, by time and key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Before {
    /// Time.
    pub at: Timestamp,
    /// Key.
    pub key: EventKey,
}

impl Before {
    /// Behind every event.
    pub const NEWEST: Self = Self { at: Timestamp::MAX_BELIEVED, key: EventKey(u128::MAX) };

    /// Reads [`EventPage::next`].
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        let (at, key) = raw.split_once('-')?;
        let hex = key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
        let at = Timestamp(at.parse().ok()?).believed().ok()?;
        Some(Self { at, key: EventKey(u128::from_str_radix(key, 16).ok().filter(|_| hex)?) })
    }
    /// The inverse of [`Before::parse`].
    #[must_use]
    pub fn written(self) -> String {
        format!("{}-{:032x}", self.at.0, self.key.0)
    }
}

/// Which events are wanted. Empty lists and nothing: all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Kinds.
    pub kinds: Vec<EventKind>,
    /// Rig.
    pub rig: Option<RigName>,
    /// Roles.
    pub roles: Vec<Role>,
    /// Agent.
    pub agent: Option<AgentName>,
    /// Levels.
    pub levels: Vec<Level>,
    /// Sources.
    pub sources: Vec<SourceName>,
    /// A part of a name or of a log line's text: model, tool, file, agent, rig, session, bead or source, in whatever case.
    pub text: Option<String>,
}

impl Filter {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// At most `limit` lines before a place.
///
/// # Errors
/// The database refused.
pub async fn page(
    pool: &Pool,
    town: TownKey,
    before: Before,
    filter: &Filter,
    limit: usize,
) -> Result<EventPage, DbError> {
    let limit = limit.clamp(1, MAX_LINES);
    let wanted = i64::try_from(limit).unwrap_or(i64::MAX);
    // One more says whether there are more.
    let most = if filter.is_none() { wanted + 1 } else { LOOKED_AT };
    let sql = include_str!("sql/lines.sql").replace("{columns}", event::COLUMNS);
    let numbers = |all: Vec<usize>| {
        let all: Vec<i16> = all.into_iter().filter_map(|n| i16::try_from(n).ok()).collect();
        (!all.is_empty()).then_some(all)
    };
    for since in [before.at.plus_seconds(-LATELY_S), Timestamp::MIN_BELIEVED] {
        let rows = sqlx::query(AssertSqlSafe(sql.clone()))
            .bind(town.0)
            .bind(PgTime(before.at))
            .bind(Uuid::from_u128(before.key.0))
            .bind(PgTime(since))
            .bind(most)
            .bind(numbers(filter.kinds.iter().map(|kind| kind.index()).collect()))
            .bind(filter.rig.as_ref().map(RigName::as_str))
            .bind(numbers(filter.roles.iter().map(|role| role.index()).collect()))
            .bind(filter.agent.as_ref().map(AgentName::as_str))
            .bind(numbers(filter.levels.iter().map(|level| level.index()).collect()))
            .bind(filter.text.as_deref())
            .bind(wanted)
            .bind(
                (!filter.sources.is_empty()).then(|| filter.sources.iter().map(SourceName::as_str).collect::<Vec<_>>()),
            )
            .fetch_all(pool)
            .await?;
        let Some(first) = rows.first() else { return Ok(EventPage::default()) };
        let looked_at: i64 = first.try_get("looked_at")?;
        let is_end = looked_at < most;
        let mut events = Vec::with_capacity(rows.len());
        let mut last = None;
        for row in &rows {
            // Nothing fits: the row only says what was looked at.
            if row.try_get::<Option<PgTime>, _>("ts")?.is_none() {
                break;
            }
            let priced = event::decode(row)?;
            last = Some(Before { at: priced.envelope.at, key: priced.envelope.key });
            events.push(EventLine::of(&priced, event_row(&priced)));
        }
        let looked_to = match first.try_get::<Option<PgTime>, _>("last_ts")? {
            Some(at) => Some(Before { at: at.0, key: EventKey(first.try_get::<Uuid, _>("last_key")?.as_u128()) }),
            None => None,
        };
        let full = events.len() == limit;
        // What is older was not looked at yet.
        if is_end && since > Timestamp::MIN_BELIEVED && (!full || last == looked_to) {
            continue;
        }
        let next = match (full, is_end) {
            // Nothing is behind the last one that was looked at, if that is the last line.
            (true, true) if last == looked_to => None,
            (true, _) => last,
            (false, true) => None,
            (false, false) => looked_to,
        };
        return Ok(EventPage {
            events,
            next: next.map(Before::written),
            looked_at: looked_at.unsigned_abs(),
            partial: !full && !is_end,
        });
    }
    Ok(EventPage::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back() {
        let place = Before { at: Timestamp(1_790_000_000_000_001), key: EventKey(0xabc) };
        assert_eq!(Before::parse(&place.written()), Some(place));
        for bad in [
            "",
            "-",
            "1790000000000001",
            "1790000000000001-abc",
            "x-00000000000000000000000000000abc",
            "5-00000000000000000000000000000abc",
        ] {
            assert_eq!(Before::parse(bad), None, "{bad}");
        }
    }
}
