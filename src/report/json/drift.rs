//! Drift.

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::Reading;
use crate::plan::{Drift, DriftKind, DriftSubject};
use crate::report::json::FORMAT_VERSION;
use crate::report::json::parts::{
    self, AccountJson, AssignmentJson, DefinitionJson, InstanceJson, LeftAloneJson, ReadingJson, accounts, assignment,
    definition, instance, left_alone,
};

/// Drift found by permset, version 1.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "permset drift, version 1")]
pub struct DriftJson {
    /// The version of this format. Members may be added within a version; none is removed or changed.
    format_version: u32,
    instance: InstanceJson,
    /// Whether any difference was found.
    drifted: bool,
    differences: Vec<DifferenceJson>,
    /// What a baseline lets be; it does not count.
    accepted: Vec<AcceptedJson>,
    left_alone: LeftAloneJson,
    reading: ReadingJson,
}

/// One difference.
#[derive(Debug, Serialize, JsonSchema)]
struct DifferenceJson {
    kind: DriftKindJson,
    subject: SubjectJson,
    /// By what it is known again: what a baseline lists.
    fingerprint: String,
    /// Who made it, as far as CloudTrail remembers.
    changed_by: Option<ChangedByJson>,
}

/// A difference that somebody lets be.
#[derive(Debug, Serialize, JsonSchema)]
struct AcceptedJson {
    difference: DifferenceJson,
    reason: String,
    /// Until when, as it is written.
    expires: Option<String>,
}

/// Who changed something, and when.
#[derive(Debug, Serialize, JsonSchema)]
struct ChangedByJson {
    /// The ARN of the caller.
    who: String,
    /// RFC 3339.
    when: String,
    operation: String,
}

/// Kinds of drift.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum DriftKindJson {
    /// Declared, but live is different.
    Changed,
    /// Declared, but not there.
    Missing,
    /// Live, in scope, not declared.
    Undeclared,
    /// The definition is right, but accounts run an older version.
    Stale,
    /// Of somebody who no longer exists, or cannot sign in.
    Orphaned,
    /// Of a line of the file whose date has passed.
    Expired,
}

/// What a difference is about.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
enum SubjectJson {
    /// A permission set that is not there.
    MissingPermissionSet { permission_set: String },
    /// A permission set that is different.
    ChangedPermissionSet { permission_set: String, live: Box<DefinitionJson>, declared: Box<DefinitionJson> },
    /// A permission set that this owner's file declared once and no longer does.
    UndeclaredPermissionSet { permission_set: String },
    /// Accounts that have an older version of a permission set.
    StaleAccounts { permission_set: String, accounts: Vec<AccountJson> },
    /// An assignment.
    Assignment { assignment: AssignmentJson },
    /// An assignment of a line whose date has passed.
    Expired {
        assignment: AssignmentJson,
        /// The date as it is written.
        expires: String,
    },
    /// A declared assignment of a user who is disabled.
    DisabledUser { assignment: AssignmentJson },
}

impl DriftJson {
    /// Makes the JSON form of drift.
    pub fn new(drift: &Drift, reading: &Reading) -> Self {
        let difference = |entry: &crate::plan::DriftEntry| DifferenceJson {
            kind: drift_kind(entry.kind),
            subject: subject(&entry.subject),
            fingerprint: entry.fingerprint(),
            changed_by: entry.changed_by.as_ref().map(|by| ChangedByJson {
                who: by.who.clone(),
                when: by.when.clone(),
                operation: by.operation.clone(),
            }),
        };
        let accepted = |(entry, accepted): &(crate::plan::DriftEntry, crate::model::Accepted)| AcceptedJson {
            difference: difference(entry),
            reason: accepted.reason.clone(),
            expires: accepted.expires.as_ref().map(|expiry| expiry.written.clone()),
        };
        Self {
            format_version: FORMAT_VERSION,
            instance: instance(&drift.instance),
            drifted: !drift.entries.is_empty(),
            differences: drift.entries.iter().map(difference).collect(),
            accepted: drift.accepted.iter().map(accepted).collect(),
            left_alone: left_alone(&drift.left_alone),
            reading: parts::reading(reading),
        }
    }
}

fn drift_kind(kind: DriftKind) -> DriftKindJson {
    match kind {
        DriftKind::Changed => DriftKindJson::Changed,
        DriftKind::Missing => DriftKindJson::Missing,
        DriftKind::Undeclared => DriftKindJson::Undeclared,
        DriftKind::Stale => DriftKindJson::Stale,
        DriftKind::Orphaned => DriftKindJson::Orphaned,
        DriftKind::Expired => DriftKindJson::Expired,
    }
}

fn subject(subject: &DriftSubject) -> SubjectJson {
    match subject {
        DriftSubject::MissingSet { name } => {
            SubjectJson::MissingPermissionSet { permission_set: name.as_str().to_owned() }
        }
        DriftSubject::ChangedSet { name, live, declared } => SubjectJson::ChangedPermissionSet {
            permission_set: name.as_str().to_owned(),
            live: Box::new(definition(live)),
            declared: Box::new(definition(declared)),
        },
        DriftSubject::LeftSet { name } => {
            SubjectJson::UndeclaredPermissionSet { permission_set: name.as_str().to_owned() }
        }
        DriftSubject::StaleAccounts { name, accounts: stale } => {
            SubjectJson::StaleAccounts { permission_set: name.as_str().to_owned(), accounts: accounts(stale) }
        }
        DriftSubject::Assignment(value) => SubjectJson::Assignment { assignment: assignment(value) },
        DriftSubject::Expired { assignment: value, expires } => {
            SubjectJson::Expired { assignment: assignment(value), expires: expires.clone() }
        }
        DriftSubject::DisabledUser(value) => SubjectJson::DisabledUser { assignment: assignment(value) },
    }
}
