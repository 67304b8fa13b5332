//! Places of events in few bytes. Sorted by time, each is the microseconds since the one before and the first half of its
//! key: a hash, so that two events of the same microsecond never share it.

use model::id::EventKey;
use model::time::Timestamp;

/// A place as far as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Spot {
    /// Time.
    pub at: Timestamp,
    /// First half of the key.
    pub half: u64,
}

impl Spot {
    /// Where an event is stored.
    pub(super) fn of(at: Timestamp, key: EventKey) -> Self {
        Self { at, half: u64::try_from(key.0 >> 64).unwrap_or(u64::MAX) }
    }
    /// The lowest and the highest key that it may have.
    pub(super) fn keys(self) -> (EventKey, EventKey) {
        let low = u128::from(self.half) << 64;
        (EventKey(low), EventKey(low | u128::from(u64::MAX)))
    }
}

/// Appends a spot that is not before `last`.
pub(super) fn push(bytes: &mut Vec<u8>, last: Timestamp, spot: Spot) {
    let mut since = u64::try_from(spot.at.micros_since(last)).unwrap_or(0);
    while since > 0x7f {
        bytes.push(u8::try_from(since & 0x7f).unwrap_or(0) | 0x80);
        since >>= 7;
    }
    bytes.push(u8::try_from(since).unwrap_or(0));
    bytes.extend_from_slice(&spot.half.to_be_bytes());
}

/// Reads spots; none when the bytes are something else.
pub(super) fn read(mut bytes: &[u8]) -> Option<Vec<Spot>> {
    let mut spots = Vec::with_capacity(bytes.len() / 11 + 1);
    let mut last = Timestamp(0);
    while !bytes.is_empty() {
        let mut since = 0_u64;
        let mut shift = 0;
        loop {
            let (byte, rest) = bytes.split_first()?;
            bytes = rest;
            since |= u64::from(byte & 0x7f).checked_shl(shift)?;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let (half, rest) = bytes.split_first_chunk::<8>()?;
        bytes = rest;
        last = Timestamp(last.0.checked_add(i64::try_from(since).ok()?)?);
        spots.push(Spot { at: last, half: u64::from_be_bytes(*half) });
    }
    Some(spots)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn spots_read_back(mut raw in proptest::collection::vec((0_i64..4_102_444_800_000_000, any::<u128>()), 0..60)) {
            raw.sort_unstable();
            let spots: Vec<Spot> = raw.into_iter().map(|(at, key)| Spot::of(Timestamp(at), EventKey(key))).collect();
            let (mut bytes, mut last) = (Vec::new(), Timestamp(0));
            for spot in &spots {
                push(&mut bytes, last, *spot);
                last = spot.at;
            }
            prop_assert_eq!(read(&bytes), Some(spots));
        }

        #[test]
        fn a_spot_stands_for_its_key(key in any::<u128>()) {
            let (low, high) = Spot::of(Timestamp(0), EventKey(key)).keys();
            prop_assert!(low.0 <= key && key <= high.0);
        }
    }
}
