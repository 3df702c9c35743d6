//! The part of the world file that remembers who changed what: CloudTrail's event history.
//!
//! Shapes only, as in the rest of the file form.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A change that somebody asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrailEvent {
    /// Epoch seconds.
    pub at: f64,
    /// The operation, as in `CreateAccountAssignment`.
    pub name: String,
    /// The account of the caller.
    pub account_id: String,
    /// The ARN of the caller.
    pub arn: String,
    /// The input.
    pub request: Map<String, Value>,
}
