//! A town's tank, drawn down as calls are committed.

use model::tank::GasTank;
use model::{Nanodollars, Timestamp};

/// The ledger's sums, and what was spent since its first entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tank {
    /// Time of the first entry: what was spent before does not count.
    pub first: Timestamp,
    /// Time of the last top-up.
    pub last_topup: Timestamp,
    /// Everything that was filled in and corrected.
    pub filled: Nanodollars,
    /// The same up to and including the last top-up.
    pub filled_at_topup: Nanodollars,
    /// Cost of the events since `first`.
    pub spent: Nanodollars,
    /// The same before `last_topup`.
    pub spent_at_topup: Nanodollars,
    /// What counts as full, when somebody said so.
    pub capacity: Option<Nanodollars>,
}

impl Tank {
    /// Draws the cost of an event at `at`; a negative cost fills it back.
    pub fn draw(&mut self, at: Timestamp, cost: Nanodollars) {
        if at < self.first {
            return;
        }
        self.spent += cost;
        if at < self.last_topup {
            self.spent_at_topup += cost;
        }
    }

    /// What the gauge shows.
    #[must_use]
    pub fn gauge(&self) -> GasTank {
        GasTank {
            balance: self.filled - self.spent,
            capacity: self.capacity.unwrap_or(self.filled_at_topup - self.spent_at_topup),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tank() -> Tank {
        Tank {
            first: Timestamp::from_seconds(100),
            last_topup: Timestamp::from_seconds(200),
            filled: Nanodollars(80),
            filled_at_topup: Nanodollars(80),
            spent: Nanodollars(30),
            spent_at_topup: Nanodollars(30),
            capacity: None,
        }
    }

    #[test]
    fn full_is_the_balance_right_after_the_last_top_up() {
        let mut tank = tank();
        tank.draw(Timestamp::from_seconds(300), Nanodollars(20));
        assert_eq!(tank.gauge(), GasTank { balance: Nanodollars(30), capacity: Nanodollars(50) });
        tank.draw(Timestamp::from_seconds(300), Nanodollars(-20));
        assert_eq!(tank.gauge().balance, Nanodollars(50));
    }

    #[test]
    fn spending_before_the_first_entry_does_not_count_and_late_spending_lowers_full() {
        let mut tank = tank();
        tank.draw(Timestamp::from_seconds(99), Nanodollars(7));
        assert_eq!(tank.gauge().balance, Nanodollars(50));
        tank.draw(Timestamp::from_seconds(150), Nanodollars(7));
        assert_eq!(tank.gauge(), GasTank { balance: Nanodollars(43), capacity: Nanodollars(43) });
        tank.capacity = Some(Nanodollars(100));
        assert_eq!(tank.gauge().capacity, Nanodollars(100));
    }
}
