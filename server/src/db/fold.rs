//! Everything that follows from a batch of events, written in one statement.

use std::collections::BTreeMap;

use model::roster::AgentRow;
use model::time::Timestamp;
use sqlx::Postgres;
use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::query::Query;

use super::feed::FeedChange;
use super::headline::BucketSum;
use super::latency::LatencyPart;
use super::presence::PresenceSum;
use super::session::SessionRow;
use super::source_count::{BothCosts, SourceSum};
use super::spend::SpendPart;
use super::unpriced::UnpricedSum;
use super::{
    DbError, PgTime, TownKey, agent, feed, headline, latency, presence, session, source_count, spend, unpriced,
};

/// A statement that is being given its values.
pub(super) type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// What a batch changes besides the events themselves. Every list is sorted by its key and names each key once.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fold<'a> {
    /// The finest tier.
    pub buckets: &'a [BucketSum],
    /// Signs of work.
    pub present: &'a [PresenceSum<'a>],
    /// The roster.
    pub agents: &'a [(TownKey, AgentRow)],
    /// Sessions.
    pub sessions: &'a [SessionRow],
    /// Counters.
    pub sources: &'a [SourceSum<'a>],
    /// What calls that were priced again change of the sums of both costs; what a batch changes stands in `sources`.
    pub repriced: &'a [BothCosts<'a>],
    /// Calls without a price.
    pub unpriced: &'a [UnpricedSum<'a>],
    /// What streams have to tell.
    pub feed: Option<&'a BTreeMap<TownKey, FeedChange>>,
    /// How long calls took.
    pub latency: &'a [LatencyPart<'a>],
    /// What calls cost whom.
    pub spend: &'a [SpendPart<'a>],
    /// Spans that the coarser tiers have to redo.
    pub dirty: &'a [(TownKey, Timestamp)],
    /// Word to the other processes.
    pub notices: &'a [String],
    /// Whether sums go down, so that rows may end up without anything. Such rows go.
    pub may_empty: bool,
}

impl Fold<'_> {
    /// Writes it.
    ///
    /// # Errors
    /// Whatever Postgres reports.
    pub(super) async fn write(&self, connection: &mut PgConnection) -> Result<(), DbError> {
        // Rare, so these are statements of their own; always in this order and before the one below, which begins with
        // the sources: so writers never wait in a circle.
        unpriced::write(&mut *connection, self.unpriced, self.may_empty).await?;
        source_count::correct(&mut *connection, self.repriced).await?;
        let statement = sqlx::query(include_str!("sql/fold.sql"));
        let statement = headline::bind(statement, self.buckets);
        let statement = presence::bind(statement, self.present);
        let statement = agent::bind(statement, self.agents);
        let statement = session::bind(statement, self.sessions);
        let statement = source_count::bind(statement, self.sources);
        let statement = statement
            .bind(self.dirty.iter().map(|(town, _)| town.0).collect::<Vec<i32>>())
            .bind(self.dirty.iter().map(|(_, span)| PgTime(*span)).collect::<Vec<_>>())
            .bind(self.notices);
        let statement = source_count::bind_rest(statement, self.sources);
        let statement = headline::bind_rest(statement, self.buckets);
        let statement = agent::bind_rest(statement, self.agents);
        let statement = latency::bind(statement, self.latency);
        let none = BTreeMap::new();
        let statement = feed::bind(statement, self.feed.unwrap_or(&none));
        let statement = agent::bind_last(statement, self.agents);
        spend::bind(statement, self.spend).execute(&mut *connection).await?;
        if self.may_empty {
            headline::drop_empty(&mut *connection, self.buckets).await?;
            presence::drop_empty(connection, self.present).await?;
        }
        Ok(())
    }
}
