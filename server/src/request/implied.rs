//! Takes over what sources show to be under way, beside their events and after them.

use model::id::TownName;
use model::request::{Implied, RequestEdge};
use model::time::Timestamp;

use super::Step;
use crate::db::request::{self, Late};
use crate::db::{DbError, Pool, TownKey};
use crate::ingest::{Intake, SubmitError};

/// An end that is told later than this after it came changes nothing any more: the past is being read.
const NEWS_S: i64 = 86_400;

/// Why what is under way could not be noted.
#[derive(Debug, thiserror::Error)]
pub enum ImplyError {
    /// The intake did not take an end.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The database refused.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// What is told of a town's requests.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// The town.
    pub town: &'a TownName,
    /// The same by number.
    pub key: TownKey,
    /// What is under way, and what is over.
    pub requests: &'a [Implied],
    /// An end that does not come in so many seconds is lost.
    pub lost_after_s: i64,
}

/// Notes what is under way and what is over. The end of one that was given up is told in the stream, in the place of the
/// word that it was lost.
///
/// # Errors
/// The store does not answer. Told again, nothing counts twice.
pub async fn imply(pool: &Pool, intake: &Intake, told: Told<'_>, now: Timestamp) -> Result<(), ImplyError> {
    let Told { town, key, requests, lost_after_s } = told;
    let since = now.plus_seconds(-NEWS_S.max(lost_after_s));
    let news: Vec<Implied> = requests.iter().filter(|told| told.at > since).cloned().collect();
    let late = request::imply(pool, key, &news, lost_after_s, now).await?;
    let ended =
        |Late { id, of, at }: &Late| Step { id: *id, edge: RequestEdge::Ended, at: *at, of, told_by: None }.envelope();
    intake.submit_waiting(town, late.iter().map(ended).collect()).await?;
    Ok(())
}
