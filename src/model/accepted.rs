//! Differences that somebody has looked at and lets be, for a while.

use crate::model::{Expiry, Place};

/// A line of a baseline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// By what the difference is known.
    pub fingerprint: String,
    /// The difference in words, for readers.
    pub difference: String,
    /// Why it is let be.
    pub reason: String,
    /// Until when; without it for good.
    pub expires: Option<Expiry>,
    /// Where the line begins.
    pub place: Place,
}

impl Accepted {
    /// Returns whether its date has passed: then the difference counts again.
    pub fn has_expired(&self) -> bool {
        self.expires.as_ref().is_some_and(|expiry| expiry.passed)
    }
}
