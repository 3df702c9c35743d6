//! The differences once more, told by kind, for a scheduled look.

use crate::model::{AccountRef, Assignment, Definition, DesiredState, ObservedState, PermissionSetName};
use crate::plan::resolve;
use crate::plan::{Change, LeftAlone, Plan, Refusal};

/// What differs, and what is left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// Where.
    pub instance: crate::model::Instance,
    /// The differences, by kind and in the order of the plan.
    pub entries: Vec<DriftEntry>,
    /// What is not counted.
    pub left_alone: LeftAlone,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriftEntry {
    /// Of which kind.
    pub kind: DriftKind,
    /// About what.
    pub subject: DriftSubject,
}

/// The kinds of drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DriftKind {
    /// Declared, but live is different.
    Changed,
    /// Declared, but not there.
    Missing,
    /// Live, in scope, not declared.
    Undeclared,
    /// The definition is right, but accounts still run an older version.
    Stale,
    /// Of somebody who no longer exists, or cannot sign in.
    Orphaned,
}

impl DriftKind {
    /// All kinds in the order in which they are reported.
    pub const ALL: [Self; 5] = [Self::Changed, Self::Missing, Self::Undeclared, Self::Stale, Self::Orphaned];

    /// Returns the word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Missing => "missing",
            Self::Undeclared => "undeclared",
            Self::Stale => "stale",
            Self::Orphaned => "orphaned",
        }
    }
}

/// What a difference is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DriftSubject {
    /// A permission set that is not there.
    MissingSet {
        /// Its name.
        name: PermissionSetName,
    },
    /// A permission set that is different.
    ChangedSet {
        /// Its name.
        name: PermissionSetName,
        /// What it consists of.
        live: Box<Definition>,
        /// What it should consist of.
        declared: Box<Definition>,
    },
    /// Accounts that have an older version of a permission set.
    StaleAccounts {
        /// The permission set.
        name: PermissionSetName,
        /// The accounts.
        accounts: Vec<AccountRef>,
    },
    /// A permission set that this owner's file declared once and no longer does.
    LeftSet {
        /// Its name.
        name: PermissionSetName,
    },
    /// An assignment.
    Assignment(Assignment),
    /// An assignment, as declared, of a user who is disabled.
    DisabledUser(Assignment),
}

/// Tells the differences by kind.
pub fn drift(plan: &Plan, desired: &DesiredState, observed: &ObservedState) -> Drift {
    let mut entries: Vec<DriftEntry> = plan.changes().filter_map(entry).collect();
    entries.extend(plan.refusals.iter().filter_map(|refusal| unchanged(refusal, plan)));
    entries.extend(disabled_users(desired, observed));
    entries.sort_by_key(|entry| entry.kind);
    Drift { instance: plan.instance.clone(), entries, left_alone: plan.left_alone.clone() }
}

fn entry(change: &Change) -> Option<DriftEntry> {
    let (kind, subject) = match change {
        Change::CreateSet { name, .. } => (DriftKind::Missing, DriftSubject::MissingSet { name: name.clone() }),
        Change::EditSet { name, before, after, edits: _ } => (
            DriftKind::Changed,
            DriftSubject::ChangedSet { name: name.clone(), live: before.clone(), declared: after.clone() },
        ),
        // Accounts that only follow an edit of this plan are no difference of their own.
        Change::Provision { stale, .. } if stale.is_empty() => return None,
        Change::Provision { name, stale, .. } => {
            (DriftKind::Stale, DriftSubject::StaleAccounts { name: name.clone(), accounts: stale.clone() })
        }
        Change::Assign(assignment) => (DriftKind::Missing, DriftSubject::Assignment(assignment.clone())),
        Change::Revoke { assignment, .. } if assignment.principal.name.is_none() => {
            (DriftKind::Orphaned, DriftSubject::Assignment(assignment.clone()))
        }
        Change::Revoke { assignment, .. } => (DriftKind::Undeclared, DriftSubject::Assignment(assignment.clone())),
        Change::DeleteSet { name, .. } => (DriftKind::Undeclared, DriftSubject::LeftSet { name: name.clone() }),
    };
    Some(DriftEntry { kind, subject })
}

/// What differs though no change of the plan is about it, since apply may not mend it: somebody should look all the same.
fn unchanged(refusal: &Refusal, plan: &Plan) -> Option<DriftEntry> {
    let (kind, subject) = match refusal {
        Refusal::LeftBehind { permission_set, .. } => {
            (DriftKind::Undeclared, DriftSubject::LeftSet { name: permission_set.clone() })
        }
        Refusal::Required { assignment } => {
            let goes = |change: &Change| matches!(change, Change::Revoke { assignment: it, .. } if it == assignment);
            if plan.changes().any(goes) {
                return None;
            }
            (DriftKind::Missing, DriftSubject::Assignment(assignment.clone()))
        }
        Refusal::TakeOver { .. }
        | Refusal::MassDeletion { .. }
        | Refusal::MassDeletionWithin { .. }
        | Refusal::OwnWayIn { .. }
        | Refusal::ManagementAccount { .. }
        | Refusal::NothingLeft { .. }
        | Refusal::ControlTower { .. } => return None,
    };
    Some(DriftEntry { kind, subject })
}

/// Declared and live, but of no use: the user cannot sign in. Nothing to apply, something to know.
fn disabled_users<'a>(desired: &DesiredState, observed: &'a ObservedState) -> impl Iterator<Item = DriftEntry> + 'a {
    let resolved = resolve::resolve(desired, observed, &mut Vec::new());
    let live = observed
        .assignments
        .iter()
        .filter(move |row| resolved.grants.contains(*row) && observed.directory.is_disabled(&row.principal));
    live.map(|row| {
        let assignment = Assignment {
            permission_set: row.permission_set.clone(),
            account: observed.account_ref(&row.account),
            principal: observed.directory.principal(&row.principal),
        };
        DriftEntry { kind: DriftKind::Orphaned, subject: DriftSubject::DisabledUser(assignment) }
    })
}
