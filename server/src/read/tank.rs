//! What the Tank page reads: the ledger, read once a second for all who look, and the band by what is left right now.

use app::reader::{LedgerLine, ReadError, TankPage};
use model::id::TownName;
use model::runway::{RunwayBand, next_topup};
use model::time::Timestamp;

use super::{FRESH_US, Reader, place, unavailable};
use crate::db::ledger::{self, Entry, EntryKind, Habits};
use crate::db::{DbError, Pool, TownKey, fuel};

/// Ledger entries on the Tank page.
const LEDGER_LINES: i64 = 50;
/// Top-ups that say what is usual.
const USUAL_OF: i64 = 20;

/// What the store says of a town's tank.
pub(super) struct TankBook {
    /// Under which the ledger was read, see [`Hub::ledger_revision`](crate::hub::Hub::ledger_revision).
    revision: u64,
    /// What calls cost lately, see [`fuel::meter_burn`].
    burn: Vec<i64>,
    /// The page, with the band of the balance below.
    page: TankPage,
    left: i64,
}

impl TankBook {
    async fn read(pool: &Pool, town: TownKey, now: Timestamp, revision: u64) -> Result<Self, DbError> {
        let entries = ledger::newest(pool, town, LEDGER_LINES).await?.into_iter().map(line).collect();
        let burn = fuel::meter_burn(pool, town, now).await?;
        let Habits { entries: total, topups, capacity } = ledger::habits(pool, town, USUAL_OF).await?;
        let page = TankPage { next_topup: next_topup(&topups, now), capacity, entries, total, ..TankPage::default() };
        Ok(Self { revision, burn, page, left: 0 })
    }

    /// The page of a meter that holds `left`. The band follows the live balance, not the time when the ledger was read.
    fn page(&mut self, left: i64) -> TankPage {
        if left != self.left {
            self.page.band = RunwayBand::of(left, &self.burn);
            self.left = left;
        }
        self.page.clone()
    }
}

fn line(entry: Entry) -> LedgerLine {
    LedgerLine { at: entry.at, correction: entry.kind == EntryKind::Correction, amount: entry.amount, note: entry.note }
}

impl Reader {
    /// What the Tank page shows besides the live state: the meter's band, and the newest of the ledger. A top-up is in it
    /// as soon as the hub was told of it.
    ///
    /// # Errors
    /// Unknown town, or the store does not answer.
    pub async fn tank(&self, town: &TownName) -> Result<TankPage, ReadError> {
        let key = self.town_key(town).await?;
        let gauges = self.hub.gauges(town).await.ok_or(ReadError::Unavailable)?;
        let left = gauges.and_then(|gauges| gauges.tank).map_or(0, |tank| tank.balance.0);
        // As with charts: many tabs cost one reading a second.
        let kept = place(&self.tanks, town.clone()).await;
        let mut kept = kept.lock().await;
        // Before the reading: what changes during it makes the next one read again.
        let (now, revision) = (self.clock.now(), self.hub.ledger_revision());
        if let Some((read_at, book)) = kept.as_mut()
            && now.micros_since(*read_at) < FRESH_US
            && book.revision == revision
        {
            return Ok(book.page(left));
        }
        let mut book = TankBook::read(&self.pool, key, now, revision).await.map_err(unavailable)?;
        let page = book.page(left);
        *kept = Some((now, book));
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_band_follows_what_is_left_although_the_ledger_is_a_second_old() {
        let burn = vec![100; 12];
        let mut book = TankBook { revision: 0, burn: burn.clone(), page: TankPage::default(), left: 0 };
        for left in [1_000, 400, 400, 9_000, 0] {
            assert_eq!(book.page(left).band, RunwayBand::of(left, &burn), "{left}");
        }
    }
}
