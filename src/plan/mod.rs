//! From two states to one plan: pure, deterministic, and with nothing left to decide.
//!
//! `resolve` turns names into ids, `diff` compares definitions, `order` puts the changes into phases and says what
//! waits for what, `guard` and `caller` find what must not happen without
//! consent, `drift` tells the same differences by kind, `saved` keeps a
//! plan between review and apply.
//! No I/O, no clock, no text for users apart from findings.

mod attribution;
mod caller;
mod change;
mod diff;
mod drift;
mod guard;
mod ignored;
mod order;
mod resolve;
mod saved;

use std::collections::BTreeMap;

pub use attribution::{attribute, is_attributed};
pub use change::{Change, Edit, LeftAlone, Plan, Step, Targets};
pub use drift::{Drift, DriftEntry, DriftKind, DriftSubject, drift};
pub use guard::{CONSENTS, Deleted, Emptied, EmptiedPlace, Refusal};
pub use resolve::Resolved;
pub use saved::{SavedPlan, facts};

use crate::model::{DesiredDefinition, DesiredState, Finding, ObservedState, Severity};

/// Compares what should be with what is.
///
/// Returns the plan and what deserves a look.
///
/// # Errors
/// Everything in the access file that AWS proves wrong: unknown accounts, groups, users, permission sets.
pub fn plan(desired: &DesiredState, observed: &ObservedState) -> Result<(Plan, Vec<Finding>), Vec<Finding>> {
    let mut findings = Vec::new();
    let resolved = resolve::resolve(desired, observed, &mut findings);
    findings.sort_by_key(|finding| finding.place);
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(findings);
    }
    let steps = order::steps(desired, observed, &resolved);
    let arns =
        observed.permission_sets.iter().map(|(name, set)| (name.clone(), set.arn.clone())).collect::<BTreeMap<_, _>>();
    let plan = Plan {
        instance: observed.instance.clone(),
        owner: desired.owner.clone(),
        refusals: guard::refusals(desired, observed, &resolved, &steps),
        left_alone: resolve::left_alone(desired, observed, &resolved, &steps),
        arns,
        steps,
    };
    Ok((plan, findings))
}

/// Returns what a declared permission set should consist of, if this file decides that.
fn managed<'a>(
    desired: &'a DesiredState,
    name: &crate::model::PermissionSetName,
) -> Option<&'a crate::model::Definition> {
    match desired.permission_sets.get(name).map(|set| &set.definition) {
        Some(DesiredDefinition::Managed(definition)) => Some(definition),
        Some(DesiredDefinition::External) | None => None,
    }
}
