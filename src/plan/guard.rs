//! What a plan may not do without somebody's word for it.
//!
//! Refusals are shown in every plan and block only apply. Each names its numbers and the consent that lifts it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::{
    AccountId, AccountRef, Assignment, CONTROL_TOWER_SETS, DesiredState, Grant, MaxDeletions, OWNER_TAG, ObservedState,
    PermissionSetName, PrincipalKind, UserName,
};
use crate::plan::resolve::Resolved;
use crate::plan::{Change, Step, caller, managed, order};

/// The consents that `--allow` takes.
pub const CONSENTS: [&str; 8] = [
    "control-tower",
    "left-behind",
    "management-account",
    "mass-deletion",
    "nothing-left",
    "own-way-in",
    "required",
    "take-over",
];

/// So few deletions are never too large a share: two of three are an ordinary day in a small file.
const FEW: usize = 3;

/// Groups of AWS Control Tower (its user guide, "IAM Identity Center groups and permission sets").
const CONTROL_TOWER_GROUPS: [&str; 8] = [
    "AWSAccountFactory",
    "AWSAuditAccountAdmins",
    "AWSControlTowerAdmins",
    "AWSLogArchiveAdmins",
    "AWSLogArchiveViewers",
    "AWSSecurityAuditPowerUsers",
    "AWSSecurityAuditors",
    "AWSServiceCatalogAdmins",
];

/// A reason not to apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// A permission set carries the tag of another owner.
    TakeOver {
        /// The permission set.
        permission_set: PermissionSetName,
        /// Whose tag it carries.
        theirs: String,
        /// Who this file says owns it.
        ours: Option<String>,
    },
    /// More is taken away at once than the file's limits admit.
    MassDeletion {
        /// Of what.
        what: Deleted,
        /// How many of them.
        deletions: usize,
        /// Of how many that the file decides about.
        of: usize,
        /// The limits.
        limits: MaxDeletions,
    },
    /// Of single accounts or permission sets a larger share is taken away at once than the file's limits admit.
    MassDeletionWithin {
        /// Of which, the emptiest first.
        places: Vec<Emptied>,
        /// The limits.
        limits: MaxDeletions,
    },
    /// The file grants nobody anything, and there is something that it decides about: an emptied file looks like that.
    NothingLeft {
        /// How many assignments would go.
        deletions: usize,
    },
    /// A grant that the file calls required would not be there.
    Required {
        /// Which.
        assignment: Assignment,
    },
    /// A permission set left the file, and cannot be deleted: somebody has it where the file does not decide, or a role of it was
    /// left behind.
    LeftBehind {
        /// The permission set.
        permission_set: PermissionSetName,
        /// Who has it, and where.
        assignments: Vec<Assignment>,
        /// Where it is provisioned though nobody has it.
        roles: Vec<AccountRef>,
    },
    /// Permission sets or groups of AWS Control Tower are touched, which repairs them at its next update.
    ControlTower {
        /// Their names.
        names: BTreeSet<String>,
    },
    /// Whoever applies the plan would lose what they came in through.
    OwnWayIn {
        /// Who that is.
        user: UserName,
        /// What would go.
        assignment: Assignment,
        /// Whether it is known that it is theirs; if not, their groups could not be read.
        certain: bool,
    },
    /// Something is touched that AWS forbids to everybody outside of the management account.
    ManagementAccount {
        /// The management account.
        owner: AccountId,
        /// The account of the caller.
        caller: AccountId,
        /// What would be touched.
        permission_sets: BTreeSet<PermissionSetName>,
    },
}

/// Somewhere much is taken away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Emptied {
    /// Where.
    pub place: EmptiedPlace,
    /// How many assignments.
    pub deletions: usize,
    /// Of how many that the file decides about.
    pub of: usize,
}

/// Where something can be taken away.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EmptiedPlace {
    /// In an account.
    Account(AccountRef),
    /// Of a permission set, in all accounts.
    PermissionSet(PermissionSetName),
}

/// What can be deleted in masses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deleted {
    /// Account assignments.
    Assignments,
    /// Permission sets that left the file: two files with one owner would delete each other's.
    PermissionSets,
}

impl Refusal {
    /// Returns whether it stands although nothing would be changed.
    pub fn stands_alone(&self) -> bool {
        matches!(self, Self::Required { .. })
    }

    /// Returns the name of the consent that lifts it.
    pub fn consent(&self) -> &'static str {
        match self {
            Self::TakeOver { .. } => "take-over",
            Self::MassDeletion { .. } | Self::MassDeletionWithin { .. } => "mass-deletion",
            Self::NothingLeft { .. } => "nothing-left",
            Self::Required { .. } => "required",
            Self::LeftBehind { .. } => "left-behind",
            Self::ControlTower { .. } => "control-tower",
            Self::OwnWayIn { .. } => "own-way-in",
            Self::ManagementAccount { .. } => "management-account",
        }
    }

    /// Returns whether it would be another one if somebody else applied the plan.
    pub fn depends_on_caller(&self) -> bool {
        matches!(self, Self::OwnWayIn { .. } | Self::ManagementAccount { .. })
    }
}

/// Finds all refusals.
pub(super) fn refusals(
    desired: &DesiredState,
    observed: &ObservedState,
    resolved: &Resolved,
    steps: &[Step],
) -> Vec<Refusal> {
    let mut refusals = take_overs(desired, observed);
    refusals.extend(deletions(desired, observed, resolved, steps));
    refusals.extend(required(desired, observed, resolved));
    refusals.extend(left_behind(observed, resolved, steps));
    refusals.extend(control_tower(steps));
    refusals.extend(caller::refusals(steps, &observed.caller, &observed.instance, &caller::Live::from(observed)));
    refusals
}

fn take_overs(desired: &DesiredState, observed: &ObservedState) -> Vec<Refusal> {
    let successors = desired.successors();
    let declared = observed
        .permission_sets
        .iter()
        .filter(|(name, _)| managed(desired, name).is_some() || successors.contains_key(*name));
    let owned = declared.filter_map(|(name, set)| Some((name, set.definition.as_ref()?.tags.get(OWNER_TAG)?)));
    let theirs = owned.filter(|(_, theirs)| desired.owner.as_ref() != Some(*theirs));
    let refusal = |(name, theirs): (&PermissionSetName, &String)| Refusal::TakeOver {
        permission_set: name.clone(),
        theirs: theirs.clone(),
        ours: desired.owner.clone(),
    };
    theirs.map(refusal).collect()
}

fn deletions(desired: &DesiredState, observed: &ObservedState, resolved: &Resolved, steps: &[Step]) -> Vec<Refusal> {
    let limits = desired.guards.max_deletions;
    let too_many = |what, deletions: usize, of: usize| {
        let share = is_large_share(deletions, of, limits);
        (deletions > limits.count || share).then_some(Refusal::MassDeletion { what, deletions, of, limits })
    };
    let successors = desired.successors();
    // Who has the same under its new name loses nothing.
    let moves = |assignment: &Assignment| {
        successors.get(&assignment.permission_set).is_some_and(|new| {
            let (permission_set, account) = ((*new).clone(), assignment.account.id.clone());
            resolved.grants.contains(&Grant { permission_set, account, principal: assignment.principal.to_ref() })
        })
    };
    let revoked: Vec<&Assignment> = steps
        .iter()
        .filter_map(|step| match &step.change {
            Change::Revoke { assignment, .. } if !moves(assignment) => Some(assignment),
            _ => None,
        })
        .collect();
    let owned = if revoked.is_empty() { Vec::new() } else { resolved.split(desired, observed).0 };
    let assignments = if !revoked.is_empty() && resolved.grants.is_empty() {
        Some(Refusal::NothingLeft { deletions: revoked.len() })
    } else {
        // What is too much in all need not be told once more for each part of it.
        too_many(Deleted::Assignments, revoked.len(), owned.len()).or_else(|| {
            let rows = owned.iter().map(|row| (&row.permission_set, observed.account_ref(&row.account)));
            let places = emptied(&revoked, rows, limits);
            (!places.is_empty()).then_some(Refusal::MassDeletionWithin { places, limits })
        })
    };
    let deletes = steps.iter().filter(|step| matches!(step.change, Change::DeleteSet { successor: None, .. })).count();
    let declared = observed.permission_sets.keys().filter(|name| managed(desired, name).is_some()).count();
    let sets = too_many(Deleted::PermissionSets, deletes, declared + resolved.leaving.len());
    assignments.into_iter().chain(sets).collect()
}

fn is_large_share(deletions: usize, of: usize, limits: MaxDeletions) -> bool {
    deletions > FEW && deletions.saturating_mul(100) > limits.percent.saturating_mul(of)
}

/// Returns the accounts and permission sets that lose too large a share of their assignments.
fn emptied<'a>(
    revoked: &[&Assignment],
    rows: impl Iterator<Item = (&'a PermissionSetName, AccountRef)>,
    limits: MaxDeletions,
) -> Vec<Emptied> {
    let mut counts: BTreeMap<EmptiedPlace, (usize, usize)> = BTreeMap::new();
    for assignment in revoked {
        counts.entry(EmptiedPlace::Account(assignment.account.clone())).or_default().0 += 1;
        counts.entry(EmptiedPlace::PermissionSet(assignment.permission_set.clone())).or_default().0 += 1;
    }
    for (set, account) in rows {
        // Where nothing is deleted nothing is counted.
        for place in [EmptiedPlace::Account(account), EmptiedPlace::PermissionSet(set.clone())] {
            if let Some((_, of)) = counts.get_mut(&place) {
                *of += 1;
            }
        }
    }
    let large = counts.into_iter().filter(|(_, (deletions, of))| is_large_share(*deletions, *of, limits));
    let mut places: Vec<Emptied> = large.map(|(place, (deletions, of))| Emptied { place, deletions, of }).collect();
    places.sort_by_key(|emptied| std::cmp::Reverse(emptied.deletions));
    places
}

/// What is declared will be there; what the file does not decide about stays as it is.
fn required(desired: &DesiredState, observed: &ObservedState, resolved: &Resolved) -> Vec<Refusal> {
    let live = |grant: &Grant| {
        let stays = !resolved.decides(desired, grant);
        stays && observed.assignments.contains(grant)
    };
    let missing = resolved.required.iter().filter(|grant| !resolved.grants.contains(grant) && !live(grant));
    let refusal = |grant: &Grant| Refusal::Required {
        assignment: Assignment {
            permission_set: grant.permission_set.clone(),
            account: observed.account_ref(&grant.account),
            principal: observed.directory.principal(&grant.principal),
        },
    };
    missing.map(refusal).collect()
}

fn left_behind(observed: &ObservedState, resolved: &Resolved, steps: &[Step]) -> Vec<Refusal> {
    let revokes: BTreeSet<Grant> = steps
        .iter()
        .filter_map(|step| match &step.change {
            Change::Revoke { assignment, .. } => Some(assignment.to_grant()),
            _ => None,
        })
        .collect();
    let refusal = |name: &PermissionSetName| {
        let held = order::left_behind(name, observed, &revokes);
        let assignments: Vec<Assignment> = held
            .map(|grant| Assignment {
                account: observed.account_ref(&grant.account),
                principal: observed.directory.principal(&grant.principal),
                permission_set: grant.permission_set.clone(),
            })
            .collect();
        let roles: Vec<AccountRef> = order::left_roles(name, observed).map(|id| observed.account_ref(id)).collect();
        let free = assignments.is_empty() && roles.is_empty();
        (!free).then(|| Refusal::LeftBehind { permission_set: name.clone(), assignments, roles })
    };
    resolved.leaving.iter().filter_map(refusal).collect()
}

fn control_tower(steps: &[Step]) -> Option<Refusal> {
    let is_its_set = |name: &PermissionSetName| CONTROL_TOWER_SETS.contains(&name.as_str());
    let mut names = BTreeSet::new();
    for step in steps {
        match &step.change {
            Change::CreateSet { name, .. } | Change::EditSet { name, .. } | Change::DeleteSet { name, .. }
                if is_its_set(name) =>
            {
                names.insert(name.to_string());
            }
            Change::Revoke { assignment, .. } => {
                if is_its_set(&assignment.permission_set) {
                    names.insert(assignment.permission_set.to_string());
                }
                let group =
                    assignment.principal.name.as_ref().filter(|_| assignment.principal.kind == PrincipalKind::Group);
                names.extend(group.filter(|name| CONTROL_TOWER_GROUPS.contains(&name.as_str())).cloned());
            }
            // Bringing accounts up to date and granting more take nothing from Control Tower.
            Change::CreateSet { .. }
            | Change::EditSet { .. }
            | Change::DeleteSet { .. }
            | Change::Provision { .. }
            | Change::Assign(_) => {}
        }
    }
    (!names.is_empty()).then_some(Refusal::ControlTower { names })
}
