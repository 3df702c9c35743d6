//! What comes due when: one queue for everything that takes its time, in the order in which it takes effect. Of two due at once it
//! is the one that began first.

use std::collections::BTreeSet;

/// Everything that is under way.
#[derive(Debug, Clone, Default)]
pub(super) struct Schedule {
    // By milliseconds, which is what times are rounded to, and by turn.
    queue: BTreeSet<(u64, u64, Due)>,
    turn: u64,
}

/// Something that is under way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// The number of a job of Identity Center.
    Job(u64),
    /// The id of a request for a new account.
    Creation(String),
    /// The id of an account that is being closed.
    Closing(String),
}

impl Schedule {
    pub(super) fn add(&mut self, at: f64, due: Due) {
        self.queue.insert((milliseconds(at), self.turn, due));
        self.turn = self.turn.saturating_add(1);
    }

    /// Takes what comes due first, if that is by now, with its time.
    pub(super) fn take_by(&mut self, now: f64) -> Option<(f64, Due)> {
        if !self.any_by(now) {
            return None;
        }
        self.queue.pop_first().map(|(at, _, due)| (at as f64 / 1000.0, due))
    }

    pub(super) fn any_by(&self, now: f64) -> bool {
        self.queue.first().is_some_and(|(at, _, _)| *at <= milliseconds(now))
    }
}

// Casts of floats saturate, and times are never negative.
fn milliseconds(seconds: f64) -> u64 {
    (seconds * 1000.0).round() as u64
}
