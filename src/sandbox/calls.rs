//! What was called: counters by operation, and a log of the latest calls.
//!
//! Nothing is decided here. The log keeps a fixed number of calls, so that a sandbox that serves for weeks does not grow.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

/// How many calls the log keeps.
const KEPT: usize = 10_000;

/// One call in the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Counts all calls from 1.
    pub number: u64,
    /// Epoch seconds of the world's clock.
    pub at: f64,
    /// `service.Operation`; `unknown` if there is none such.
    pub operation: String,
    /// The ARN of the caller; empty if it is not known.
    pub caller: String,
    /// `ok`, or the code of the error.
    pub outcome: String,
    /// The fault that hit it, in short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// As in the answer.
    pub request_id: String,
}

#[derive(Debug, Default)]
pub(super) struct Calls {
    counts: BTreeMap<String, u64>,
    log: VecDeque<Call>,
    number: u64,
}

impl Calls {
    pub(super) fn record(&mut self, mut call: Call) {
        self.number = self.number.saturating_add(1);
        call.number = self.number;
        match self.counts.get_mut(&call.operation) {
            Some(count) => *count = count.saturating_add(1),
            None => drop(self.counts.insert(call.operation.clone(), 1)),
        }
        if self.log.len() >= KEPT {
            self.log.pop_front();
        }
        self.log.push_back(call);
    }

    pub(super) fn counts(&self) -> &BTreeMap<String, u64> {
        &self.counts
    }

    pub(super) fn log(&self) -> impl Iterator<Item = &Call> {
        self.log.iter()
    }
}
