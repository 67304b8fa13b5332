//! The way back through the zooms, as a browser's history works.

use crate::viewport::TimeRange;

/// More steps than anyone goes back; older ones are forgotten.
const DEPTH: usize = 64;

/// The ranges shown before and after the current one.
#[derive(Debug, Clone, PartialEq)]
pub struct ZoomHistory {
    current: TimeRange,
    back: Vec<TimeRange>,
    forward: Vec<TimeRange>,
}

impl ZoomHistory {
    /// A history that begins at `range`.
    pub fn new(range: TimeRange) -> Self {
        Self { current: range, back: Vec::new(), forward: Vec::new() }
    }

    /// The range shown.
    pub fn current(&self) -> TimeRange {
        self.current
    }

    /// Goes to a new range; what lay ahead is gone. The same range again is no step.
    pub fn push(&mut self, range: TimeRange) {
        if range == self.current {
            return;
        }
        if self.back.len() == DEPTH {
            self.back.remove(0);
        }
        self.back.push(self.current);
        self.forward.clear();
        self.current = range;
    }

    /// Replaces the current range without a step: panning in progress, or the live edge moving on.
    pub fn replace(&mut self, range: TimeRange) {
        self.current = range;
    }

    /// One step back; the range now shown, or None at the beginning.
    pub fn back(&mut self) -> Option<TimeRange> {
        let range = self.back.pop()?;
        self.forward.push(std::mem::replace(&mut self.current, range));
        Some(range)
    }

    /// One step forward again, or None at the end.
    pub fn forward(&mut self) -> Option<TimeRange> {
        let range = self.forward.pop()?;
        self.back.push(std::mem::replace(&mut self.current, range));
        Some(range)
    }

    /// Whether there is a way back.
    pub fn can_go_back(&self) -> bool {
        !self.back.is_empty()
    }

    /// Whether there is a way forward.
    pub fn can_go_forward(&self) -> bool {
        !self.forward.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(to: f64) -> TimeRange {
        TimeRange::new(0.0, to)
    }

    #[test]
    fn back_and_forward_are_inverse_until_a_new_zoom() {
        let mut history = ZoomHistory::new(range(1.0));
        history.push(range(2.0));
        history.push(range(2.0));
        history.push(range(3.0));
        assert_eq!(history.back(), Some(range(2.0)));
        assert_eq!(history.back(), Some(range(1.0)));
        assert_eq!(history.back(), None);
        assert_eq!(history.forward(), Some(range(2.0)));
        history.push(range(9.0));
        assert!(!history.can_go_forward());
        assert!(history.can_go_back());
        assert_eq!(history.forward(), None);
        assert_eq!(history.current(), range(9.0));
    }

    #[test]
    fn the_history_is_bounded() {
        let mut history = ZoomHistory::new(range(0.0));
        (1..500).for_each(|i| history.push(range(i as f64)));
        assert_eq!(std::iter::from_fn(|| history.back()).count(), DEPTH);
    }
}
