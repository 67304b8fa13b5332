//! Which of a batch's claimed events count, given those that are stored.

use std::collections::HashMap;

use model::dedupe::{Claim, Resolution, resolve};
use sqlx::postgres::PgConnection;

use super::{Row, Verdict, place};
use crate::db::claim::{self, Stored};
use crate::db::{DbError, TownKey};

/// What has to be done about claims.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// Stored claims that a better report replaces.
    pub replaced: Vec<Stored>,
    /// Claims of the batch that count.
    pub new: Vec<Stored>,
}

struct Known {
    stored: Stored,
    /// Position in the batch; none for what was stored before.
    row: Option<usize>,
}

impl Claims {
    /// Applies the batch's claims in order to what is stored. Until the transaction ends, nobody else decides about
    /// the claims of these towns.
    pub(super) async fn decide(
        connection: &mut PgConnection,
        rows: &[Row],
        verdicts: &mut [Verdict],
    ) -> Result<Self, DbError> {
        let claimed: Vec<(usize, Claim)> =
            rows.iter().enumerate().filter_map(|(i, row)| Some((i, row.event.envelope.claim?))).collect();
        let mut messages: Vec<(TownKey, u128)> =
            claimed.iter().map(|(i, claim)| (rows[*i].town, claim.message)).collect();
        messages.sort_unstable();
        messages.dedup();
        let mut towns: Vec<i32> = messages.iter().map(|(town, _)| town.0).collect();
        towns.dedup();
        claim::lock(&mut *connection, &towns).await?;
        let stored = claim::select(&mut *connection, &messages).await?;
        Ok(Self::apply(rows, &claimed, stored, verdicts))
    }

    fn apply(rows: &[Row], claimed: &[(usize, Claim)], stored: Vec<Stored>, verdicts: &mut [Verdict]) -> Self {
        let mut known: HashMap<(TownKey, u128), Vec<Known>> = HashMap::with_capacity(claimed.len());
        for stored in stored {
            let key = (stored.place.town, stored.claim.message);
            known.entry(key).or_default().push(Known { stored, row: None });
        }
        let mut replaced = Vec::new();
        let mut scratch = Vec::new();
        for &(i, claim) in claimed {
            let rivals = known.entry((rows[i].town, claim.message)).or_default();
            scratch.clear();
            scratch.extend(rivals.iter().map(|rival| rival.stored.claim));
            match resolve(&scratch, &claim) {
                Resolution::Duplicate => verdicts[i] = Verdict::Duplicate,
                Resolution::Store { replaces } => {
                    // From the back, so that the positions before stay what they are.
                    for position in replaces.into_iter().rev() {
                        let rival = rivals.remove(position);
                        match rival.row {
                            Some(earlier) => verdicts[earlier] = Verdict::Duplicate,
                            None => replaced.push(rival.stored),
                        }
                    }
                    rivals.push(Known { stored: Stored { claim, place: place(&rows[i]) }, row: Some(i) });
                }
            }
        }
        let mut new: Vec<Stored> =
            known.into_values().flatten().filter(|known| known.row.is_some()).map(|known| known.stored).collect();
        new.sort_unstable_by_key(|s| (s.place.town, s.claim.message, s.claim.request));
        Self { replaced, new }
    }
}
