//! The clock, passed in: one place reads the system's.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use model::Timestamp;

/// Tells the time.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(|| {
            let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Timestamp(i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX))
        }))
    }
    /// The system's clock, set so that it now is `start`.
    #[must_use]
    pub fn starting_at(start: Timestamp) -> Self {
        let system = Self::system();
        let ahead_us = start.0 - system.now().0;
        Self(Arc::new(move || Timestamp(system.now().0 + ahead_us)))
    }
    /// A clock that stands still until the returned hand moves it: for tests.
    #[must_use]
    pub fn manual(start: Timestamp) -> (Self, Arc<AtomicI64>) {
        let hand = Arc::new(AtomicI64::new(start.0));
        let shown = Arc::clone(&hand);
        (Self(Arc::new(move || Timestamp(shown.load(Ordering::Relaxed)))), hand)
    }
    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}
