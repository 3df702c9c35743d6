//! How much longer something takes, as far as can be told: work is counted in calls, for calls are what there is a rate of.

use std::time::Duration;

/// How far something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is under way, such as `permission sets`.
    pub what: &'static str,
    /// How many are done.
    pub done: usize,
    /// Of how many.
    pub total: usize,
    /// How many calls are still to come until all is done, that and whatever follows, as far as this can be told by now.
    pub calls_left: usize,
}

/// Before so much time has passed, rates mean nothing.
const TOO_EARLY: Duration = Duration::from_secs(2);

/// So many calls go out at once in the beginning, and say nothing of the rate.
const AT_ONCE: u64 = 15;

impl Progress {
    /// Returns how much longer it takes, given how many calls have been made so far and in which time.
    pub fn left(&self, calls: u64, elapsed: Duration) -> Option<Duration> {
        if calls == 0 || elapsed < TOO_EARLY {
            return None;
        }
        let number = |n: u64| u32::try_from(n).map_or(f64::INFINITY, f64::from);
        let calls_left = number(u64::try_from(self.calls_left).unwrap_or(u64::MAX));
        let paced = number(calls - AT_ONCE.min(calls / 2));
        Duration::try_from_secs_f64(calls_left * elapsed.as_secs_f64() / paced).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Progress;

    #[test]
    fn what_is_left_goes_at_the_rate_so_far() {
        let progress = Progress { what: "sets", done: 1, total: 2, calls_left: 300 };
        assert_eq!(progress.left(10, Duration::from_secs(1)), None);
        assert_eq!(progress.left(0, Duration::from_secs(9)), None);
        assert_eq!(progress.left(215, Duration::from_secs(10)), Some(Duration::from_secs(15)));
        let endless = Progress { calls_left: usize::MAX, ..progress };
        assert_eq!(endless.left(200, Duration::from_secs(10)), None);
    }
}
