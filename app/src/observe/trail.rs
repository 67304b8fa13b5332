//! The way through ranges, back and forward. The address is the truth: the trail only watches where it goes.

use crate::reader::SeriesRange;

/// More steps than anyone goes back; older ones are forgotten.
const DEPTH: usize = 64;

/// Ranges before and after the one shown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trail {
    current: SeriesRange,
    back: Vec<SeriesRange>,
    forward: Vec<SeriesRange>,
}

impl Trail {
    /// Begins at `range`.
    pub(crate) const fn new(range: SeriesRange) -> Self {
        Self { current: range, back: Vec::new(), forward: Vec::new() }
    }
    /// The address went to `range`: a step back or forward when it lies there, else a new step.
    pub(crate) fn visit(&mut self, range: SeriesRange) {
        if range == self.current {
            return;
        }
        let left = std::mem::replace(&mut self.current, range);
        if self.back.last() == Some(&range) {
            self.back.pop();
            self.forward.push(left);
        } else if self.forward.last() == Some(&range) {
            self.forward.pop();
            self.back.push(left);
        } else {
            self.forward.clear();
            if self.back.len() == DEPTH {
                self.back.remove(0);
            }
            self.back.push(left);
        }
    }
    /// Where one step back leads.
    pub(crate) fn before(&self) -> Option<SeriesRange> {
        self.back.last().copied()
    }
    /// Where one step forward leads.
    pub(crate) fn after(&self) -> Option<SeriesRange> {
        self.forward.last().copied()
    }
}

#[cfg(test)]
mod tests {
    use model::Window;

    use super::*;

    #[test]
    fn the_browsers_own_back_button_is_a_step_back() {
        let [hour, six, day, week] = Window::ALL.map(SeriesRange::Window);
        let mut trail = Trail::new(hour);
        trail.visit(six);
        trail.visit(day);
        assert_eq!((trail.before(), trail.after()), (Some(six), None));
        trail.visit(six);
        assert_eq!((trail.before(), trail.after()), (Some(hour), Some(day)));
        trail.visit(six);
        trail.visit(day);
        assert_eq!((trail.before(), trail.after()), (Some(six), None));
        trail.visit(six);
        trail.visit(week);
        assert_eq!((trail.before(), trail.after()), (Some(six), None), "a new step forgets what lay ahead");
    }
}
