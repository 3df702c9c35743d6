//! What time it is in the world: a base in epoch seconds plus the time that went by since.
//!
//! The passing of time comes from tokio's clock, so that a paused runtime puts the world in virtual time; without a runtime it is
//! the machine's monotonic clock. It must not sleep, and it knows nothing of jobs.

use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

#[derive(Debug, Clone)]
pub(super) struct Clock {
    base: f64,
    started: Instant,
}

impl Clock {
    /// Starts at `epoch`, or at the machine's time, but never before `latest`: a world reopened with a fixed epoch would
    /// otherwise run through the same seconds again, and jobs begun in its past would lie in its future.
    pub(super) fn start(epoch: Option<f64>, latest: f64) -> Self {
        let machine = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        Self { base: epoch.unwrap_or_else(machine).max(latest), started: Instant::now() }
    }

    /// Never tells a time before `moment` from now on.
    pub(super) fn resume(&mut self, moment: f64) {
        self.base = self.base.max(moment);
    }

    /// Epoch seconds, rounded to milliseconds as AWS sends them.
    pub(super) fn now(&self) -> f64 {
        let elapsed = Instant::now().saturating_duration_since(self.started);
        round(self.base + elapsed.as_secs_f64())
    }
}

/// Rounds to milliseconds.
pub(super) fn round(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}
