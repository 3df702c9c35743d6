//! Who made the differences that drift found, as far as CloudTrail remembers.

use std::collections::BTreeMap;

use crate::model::{Assignment, PermissionSetArn, PermissionSetName, TrailEvent};
use crate::plan::{DriftEntry, DriftKind, DriftSubject};

/// Writes to each difference the newest event that can have made it; `events` are newest first.
pub fn attribute(
    entries: &mut [DriftEntry],
    arns: &BTreeMap<PermissionSetName, PermissionSetArn>,
    events: &[TrailEvent],
) {
    for entry in entries.iter_mut().filter(|entry| entry.changed_by.is_none()) {
        let made = |event: &&TrailEvent| makes(event, entry.kind, &entry.subject, arns);
        entry.changed_by = events.iter().find(made).map(|event| event.by.clone());
    }
}

/// Returns whether anything is left that an event could explain.
pub fn is_attributed(
    entries: &[DriftEntry],
    arns: &BTreeMap<PermissionSetName, PermissionSetArn>,
    events: &[TrailEvent],
) -> bool {
    entries.iter().all(|entry| events.iter().any(|event| makes(event, entry.kind, &entry.subject, arns)))
}

fn makes(
    event: &TrailEvent,
    kind: DriftKind,
    subject: &DriftSubject,
    arns: &BTreeMap<PermissionSetName, PermissionSetArn>,
) -> bool {
    let operation = event.by.operation.as_str();
    let of_set =
        |name: &PermissionSetName| event.permission_set.is_some() && event.permission_set.as_ref() == arns.get(name);
    let assigned = |it: &Assignment, wanted: &str| {
        operation == wanted
            && of_set(&it.permission_set)
            && event.account.as_ref() == Some(&it.account.id)
            && event.principal.as_ref() == Some(&it.principal.id)
    };
    match (kind, subject) {
        (DriftKind::Missing, DriftSubject::Assignment(it)) => assigned(it, "DeleteAccountAssignment"),
        (_, DriftSubject::Assignment(it) | DriftSubject::Expired { assignment: it, .. }) => {
            assigned(it, "CreateAccountAssignment")
        }
        (_, DriftSubject::ChangedSet { name, .. } | DriftSubject::StaleAccounts { name, .. }) => {
            of_set(name) && !operation.contains("AccountAssignment") && operation != "ProvisionPermissionSet"
        }
        (_, DriftSubject::MissingSet { .. } | DriftSubject::LeftSet { .. } | DriftSubject::DisabledUser(_)) => false,
    }
}
