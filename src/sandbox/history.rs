//! What readers see shortly after a change: with a lag, the world as it was.
//!
//! Earlier states are kept only while the lag is switched on, and only as long as somebody could still see them.

use std::collections::VecDeque;

use super::state::State;

#[derive(Debug, Default)]
pub(super) struct History {
    // Each with the time at which it was superseded, oldest first.
    earlier: VecDeque<(f64, State)>,
}

impl History {
    /// Keeps a state that is about to change.
    pub(super) fn remember(&mut self, state: &State) {
        let lag = state.settings.read_lag_seconds;
        if lag > 0.0 {
            self.earlier.push_back((state.now, state.clone()));
        }
        while self.earlier.front().is_some_and(|(superseded, _)| *superseded <= state.now - lag) {
            self.earlier.pop_front();
        }
    }

    /// The state that readers see now: the one that was current a lag ago.
    pub(super) fn visible<'a>(&'a self, state: &'a State) -> &'a State {
        let then = state.now - state.settings.read_lag_seconds;
        self.earlier.iter().find(|(superseded, _)| *superseded > then).map_or(state, |(_, earlier)| earlier)
    }
}
