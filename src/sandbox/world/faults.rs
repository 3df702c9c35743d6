//! The part of the world file that says what shall go wrong, and when.
//!
//! Shapes only; `sandbox::faults` plays them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::defaults::{is_default, is_one, one};

/// Something that shall go wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// On which calls: an operation (`CreateAccountAssignment`, `sso-admin.ListInstances`), a pattern with `*`, or the words
    /// `reads`, `writes` and `jobs`.
    pub on: String,
    /// Only calls about this account id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Only calls about this permission set, by name or by the end of its ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission_set: Option<String>,
    /// Only calls about this user or group, by name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The first of these calls that it hits; left out, the first.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub nth: u64,
    /// It hits each so-manieth from there; left out, every one.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub every: u64,
    /// How often it hits at most; left out, once; `null`, without end.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub times: Option<u64>,
    /// The chance, 0 to 1, that it does hit when it could; drawn from the world's seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chance: Option<f64>,
    /// What goes wrong.
    pub effect: Effect,
    /// How many calls it was asked about.
    #[serde(default, skip_serializing_if = "is_default")]
    pub seen: u64,
    /// How often it hit.
    #[serde(default, skip_serializing_if = "is_default")]
    pub played: u64,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// Refused by rate, in the words of the service.
    Throttle,
    /// Refused because another write is under way.
    Conflict,
    /// Refused with an error of the model.
    Error {
        /// Such as `AccessDeniedException`.
        code: String,
        /// Left out, a sentence that names the fault.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// Further members of the error, such as `Reason`.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        members: Map<String, Value>,
    },
    /// The asynchronous request begins well and ends FAILED.
    JobFails {
        /// Its FailureReason.
        reason: String,
    },
    /// The asynchronous request takes so long.
    JobTakes {
        /// Instead of the setting.
        seconds: f64,
    },
    /// The answer comes late; the effect does not.
    Delay {
        /// By how much.
        seconds: f64,
    },
    /// The connection breaks, and nothing has happened.
    DropBefore,
    /// The connection breaks after it has happened.
    DropAfter,
    /// The answer breaks off.
    Truncate {
        /// After so many bytes of the body.
        bytes: usize,
    },
    /// Somebody else makes these calls just before.
    Edit {
        /// As the management account.
        calls: Vec<OutOfBand>,
    },
}

/// A call that somebody else makes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutOfBand {
    /// Such as `sso-admin.DeleteInlinePolicyFromPermissionSet`.
    pub operation: String,
    /// Its input.
    #[serde(default)]
    pub input: Map<String, Value>,
}

fn once() -> Option<u64> {
    Some(1)
}

fn is_once(times: &Option<u64>) -> bool {
    *times == once()
}
