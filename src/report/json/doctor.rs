//! What a look at a person's machine found.

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::{Check, CheckVerdict};
use crate::report::json::FORMAT_VERSION;

/// What `permset doctor` found, version 1.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "permset doctor, version 1")]
pub struct DoctorJson {
    /// The version of this format. Members may be added within a version; none is removed or changed.
    format_version: u32,
    profile: String,
    /// Whether no link is broken.
    healthy: bool,
    checks: Vec<CheckJson>,
}

/// One link of the chain from a profile to a role.
#[derive(Debug, Serialize, JsonSchema)]
struct CheckJson {
    name: String,
    verdict: CheckVerdictJson,
    evidence: String,
    /// What to do.
    next: Option<String>,
}

/// How a link is.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum CheckVerdictJson {
    Ok,
    /// An earlier link is broken.
    Skipped,
    /// It holds, and somebody should know.
    Warning,
    Broken,
}

impl DoctorJson {
    /// Makes the JSON form of checks.
    pub fn new(profile: &str, checks: &[Check]) -> Self {
        let check = |it: &Check| CheckJson {
            name: it.name.to_owned(),
            verdict: match it.verdict {
                CheckVerdict::Ok => CheckVerdictJson::Ok,
                CheckVerdict::Skipped => CheckVerdictJson::Skipped,
                CheckVerdict::Warning => CheckVerdictJson::Warning,
                CheckVerdict::Broken => CheckVerdictJson::Broken,
            },
            evidence: it.evidence.clone(),
            next: it.next.clone(),
        };
        Self {
            format_version: FORMAT_VERSION,
            profile: profile.to_owned(),
            healthy: checks.iter().all(|check| check.verdict != CheckVerdict::Broken),
            checks: checks.iter().map(check).collect(),
        }
    }
}
