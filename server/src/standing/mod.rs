//! How each source of a town stands: what the Sources page and its API say.

mod card;
mod folder;
pub mod known;
mod machine;
mod rate;

use model::id::TownName;
use model::time::Timestamp;

use app::sources::SourceCard;

pub use folder::{Folders, Watcher};
pub use machine::machine;
pub use rate::Rates;

use crate::db::{DbError, Pool, TownKey, source};
use card::{Heard, Here};

/// Refused items that are shown of each source.
const REFUSED: i64 = 10;
/// Names that are shown of each source, of those that nobody understood.
const UNMAPPED: i64 = 50;

/// Where standings come from.
#[derive(Clone)]
pub struct Standings {
    /// The counters.
    pub pool: Pool,
    /// How much came lately.
    pub rates: Rates,
    /// What is watched.
    pub folders: Folders,
    /// Town that local files are read into.
    pub home: TownName,
}

impl Standings {
    /// Every source that ever sent something to the town, and every other that this version knows.
    ///
    /// # Errors
    /// The database refused.
    pub async fn of(&self, key: TownKey, town: &TownName, now: Timestamp) -> Result<Vec<SourceCard>, DbError> {
        let rows = source::list(&self.pool, key).await?;
        let heard = Heard {
            per_s: rows.iter().map(|row| self.rates.per_s(key, &row.source, now)).collect(),
            rows,
            refused: source::refused(&self.pool, key, REFUSED).await?,
            unmapped: source::unmapped(&self.pool, key, UNMAPPED).await?,
        };
        let is_home = *town == self.home;
        let roots = if is_home { self.folders.roots(now).await } else { Vec::new() };
        let here = Here { watcher: self.folders.watcher(), roots, home: &self.home, is_home };
        Ok(card::all(heard, &here, now))
    }
}
