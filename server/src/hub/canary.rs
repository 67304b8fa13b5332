//! Canaries: what flies the way that events take, and how long it took until a page had painted it.
//!
//! A canary is let into the intake's queue like events are, flies with a batch through its transaction, its commit and the
//! hub's channel, makes its town's next frame, and follows that frame down the socket of one viewer, who sends it back when
//! the frame is painted. It is no event: nothing of it is stored, counted or shown but its age.
//!
//! Both ends are read from the server's clock. So the age is right whatever the viewer's clock says, and includes the way
//! back: exact where the browser runs on this machine, and an upper bound where it does not.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::Timestamp;
use model::host::EventToPixel;
use model::wire::Canary;

use super::reader::ViewerId;
use crate::ingest::Histogram;

/// A minute: what is told is of the canaries that were let go within it.
const TOLD_US: i64 = 60_000_000;
/// After this long a canary that is not back is called lost; it may still come.
const LOST_US: i64 = 5_000_000;
/// Canaries that are remembered: more than fly in a minute.
const KEPT: usize = 64;

/// One canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Flight {
    canary: Canary,
    born: Timestamp,
    /// Who is to send it back; none while it is on its way to a viewer.
    asked: Option<ViewerId>,
    /// How long it took; none: it is not back.
    age_us: Option<i64>,
}

#[derive(Debug, Default)]
struct Book {
    last: u64,
    /// In the order of their birth.
    flights: VecDeque<Flight>,
}

/// The canaries of this process; clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Canaries(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    book: Mutex<Book>,
    /// All ages since the start, in milliseconds.
    ages_ms: Histogram<9>,
}

impl Default for Inner {
    fn default() -> Self {
        let ages_ms = Histogram::new([25, 50, 100, 200, 400, 800, 1_600, 5_000, 15_000]);
        Self { book: Mutex::default(), ages_ms }
    }
}

impl Canaries {
    /// A new one, born at `now`.
    pub fn hatch(&self, now: Timestamp) -> Canary {
        let mut book = self.book();
        book.last += 1;
        let canary = Canary { number: book.last };
        book.flights.push_back(Flight { canary, born: now, asked: None, age_us: None });
        if book.flights.len() > KEPT {
            book.flights.pop_front();
        }
        canary
    }

    /// Notes who is to send it back.
    pub(super) fn ask(&self, canary: Canary, viewer: ViewerId) {
        if let Some(flight) = self.book().flights.iter_mut().find(|flight| flight.canary == canary) {
            flight.asked = Some(viewer);
        }
    }

    /// Nobody is there to see it: it says nothing.
    pub(super) fn forget(&self, canary: Canary) {
        self.book().flights.retain(|flight| flight.canary != canary);
    }

    /// A viewer does not look any more: what it was asked to send back says nothing, for it would be painted when somebody
    /// looks again.
    pub(super) fn left(&self, viewer: ViewerId) {
        self.book().flights.retain(|flight| flight.asked != Some(viewer) || flight.age_us.is_some());
    }

    /// A canary is back. It counts once, and only from the viewer that was asked.
    pub(super) fn back(&self, canary: Canary, viewer: ViewerId, now: Timestamp) {
        let mut book = self.book();
        let is_it = |flight: &&mut Flight| flight.canary == canary && flight.asked == Some(viewer);
        let Some(flight) = book.flights.iter_mut().find(is_it).filter(|flight| flight.age_us.is_none()) else { return };
        // None of a clock that was set back meanwhile.
        if let Ok(age_us) = u64::try_from(now.micros_since(flight.born)) {
            flight.age_us = i64::try_from(age_us).ok();
            drop(book);
            self.0.ages_ms.observe(age_us.div_ceil(1_000));
        }
    }

    /// What the canaries of the last minute tell.
    #[must_use]
    pub fn told(&self, now: Timestamp) -> EventToPixel {
        let book = self.book();
        let lately = || book.flights.iter().filter(|flight| now.micros_since(flight.born) < TOLD_US);
        let mut ages_us: Vec<i64> = lately().filter_map(|flight| flight.age_us).collect();
        ages_us.sort_unstable();
        let is_lost = |flight: &&Flight| flight.age_us.is_none() && now.micros_since(flight.born) >= LOST_US;
        let lost = lately().filter(is_lost).count();
        let ms = |age_us: &i64| u32::try_from(age_us.unsigned_abs().div_ceil(1_000)).unwrap_or(u32::MAX);
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        EventToPixel {
            back: count(ages_us.len()),
            lost: count(lost),
            // Nearest rank: of an even number the lower of the two in the middle.
            median_ms: ages_us.get(ages_us.len().saturating_sub(1) / 2).map(ms),
            worst_ms: ages_us.last().map(ms),
        }
    }

    /// How many were let go since the start.
    #[must_use]
    pub fn hatched(&self) -> u64 {
        self.book().last
    }

    /// All ages since the start, in milliseconds, rounded up.
    #[must_use]
    pub fn ages_ms(&self) -> &Histogram<9> {
        &self.0.ages_ms
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::fixture::T0;

    const VIEWER: ViewerId = ViewerId { town: 0, id: 7 };
    const OTHER: ViewerId = ViewerId { town: 0, id: 8 };

    fn after(ms: i64) -> Timestamp {
        Timestamp(T0.0 + ms * 1_000)
    }

    #[test]
    fn the_median_and_the_worst_of_the_last_minute_are_told() {
        let canaries = Canaries::default();
        assert_eq!(canaries.told(T0), EventToPixel::default());
        for (born_ms, age_ms) in [(0, 900), (5_000, 120), (10_000, 300), (15_000, 180)] {
            let canary = canaries.hatch(after(born_ms));
            canaries.ask(canary, VIEWER);
            canaries.back(canary, VIEWER, after(born_ms + age_ms));
        }
        let told = |ms| {
            let EventToPixel { back, lost, median_ms, worst_ms } = canaries.told(after(ms));
            (back, lost, median_ms, worst_ms)
        };
        assert_eq!(told(20_000), (4, 0, Some(180), Some(900)));
        assert_eq!(told(60_000), (3, 0, Some(180), Some(300)));
        assert_eq!(told(70_000), (1, 0, Some(180), Some(180)));
        assert_eq!(told(75_000), (0, 0, None, None));
        assert_eq!((canaries.hatched(), canaries.ages_ms().read().count), (4, 4));
    }

    #[test]
    fn one_that_does_not_come_back_is_lost_and_may_come_late() {
        let canaries = Canaries::default();
        let canary = canaries.hatch(T0);
        canaries.ask(canary, VIEWER);
        assert_eq!(canaries.told(after(4_999)).lost, 0, "it may be on its way");
        assert_eq!(canaries.told(after(5_000)).lost, 1);
        canaries.back(canary, VIEWER, after(7_000));
        assert_eq!(
            canaries.told(after(7_000)),
            EventToPixel { back: 1, lost: 0, median_ms: Some(7_000), worst_ms: Some(7_000) }
        );
    }

    #[test]
    fn an_answer_counts_once_and_only_from_who_was_asked() {
        let canaries = Canaries::default();
        let canary = canaries.hatch(T0);
        canaries.back(canary, VIEWER, after(1));
        canaries.ask(canary, VIEWER);
        canaries.back(canary, OTHER, after(2));
        canaries.back(Canary { number: 99 }, VIEWER, after(3));
        assert_eq!(canaries.told(after(4)).back, 0);
        canaries.back(canary, VIEWER, after(50));
        canaries.back(canary, VIEWER, after(4_000));
        assert_eq!((canaries.told(after(4_000)).worst_ms, canaries.ages_ms().read().count), (Some(50), 1));
    }

    #[test]
    fn what_a_page_paints_after_somebody_came_back_to_it_says_nothing() {
        let canaries = Canaries::default();
        let [seen, unseen, unasked] = [0; 3].map(|_| canaries.hatch(T0));
        canaries.ask(seen, VIEWER);
        canaries.ask(unseen, VIEWER);
        canaries.back(seen, VIEWER, after(80));
        canaries.left(VIEWER);
        canaries.back(unseen, VIEWER, after(30_000));
        canaries.forget(unasked);
        assert_eq!(
            canaries.told(after(30_000)),
            EventToPixel { back: 1, lost: 0, median_ms: Some(80), worst_ms: Some(80) }
        );
    }

    #[test]
    fn a_clock_that_was_set_back_tells_no_age() {
        let canaries = Canaries::default();
        let canary = canaries.hatch(T0);
        canaries.ask(canary, VIEWER);
        canaries.back(canary, VIEWER, after(-1));
        assert_eq!(canaries.told(after(10)).back, 0);
    }

    #[test]
    fn they_are_bounded() {
        let canaries = Canaries::default();
        for n in 0..1_000 {
            canaries.hatch(after(n));
        }
        assert_eq!(canaries.book().flights.len(), KEPT);
    }
}
