//! The passing of time: what is under way takes effect.
//!
//! Whichever call comes next, what is due takes effect in order of due times, each at its own time. Nothing that takes effect may
//! draw an id: it would depend on who looked when.

use super::schedule::Due;
use super::state::State;
use super::{jobs, organizations};

/// Whether anything comes due by now.
pub(super) fn any_due(state: &State) -> bool {
    state.schedule.any_by(state.now)
}

/// Lets everything that is due take effect.
pub(super) fn settle(state: &mut State) {
    let now = state.now;
    while let Some((at, due)) = state.schedule.take_by(now) {
        state.now = at;
        match due {
            Due::Job(number) => jobs::end(state, number),
            Due::Creation(id) => organizations::end_creation(state, &id),
            Due::Closing(id) => organizations::end_closing(state, &id),
        }
    }
    state.now = now;
}
