//! The plan as data: it can be printed, compared and carried out, and says everything that carrying it out needs.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::{
    AccountId, AccountRef, Assignment, Attributes, AwsManagedPolicy, Boundary, CustomerManagedPolicy, Definition,
    Instance, PermissionSetArn, PermissionSetName, Policy, PrincipalId, PrincipalKind, SessionDuration,
};
use crate::plan::Refusal;

/// All that must change, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Where.
    pub instance: Instance,
    /// For which owner.
    pub owner: Option<String>,
    /// The changes with what they wait for.
    pub steps: Vec<Step>,
    /// The ARNs of the permission sets that exist; those created on the way are learnt then.
    pub arns: BTreeMap<PermissionSetName, PermissionSetArn>,
    /// What must not be applied without consent.
    pub refusals: Vec<Refusal>,
    /// What was seen and is none of our business.
    pub left_alone: LeftAlone,
}

/// A change and its place in the order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What changes.
    pub change: Change,
    /// Earlier steps without whose success this one must not happen.
    pub needs: BTreeSet<usize>,
    /// Earlier steps of which at least one must have succeeded, if there are any.
    pub needs_any: BTreeSet<usize>,
    /// Earlier steps that must have ended, however they ended.
    pub after: BTreeSet<usize>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// Create a permission set with its attributes and tags, then make the edits.
    CreateSet {
        /// Its name.
        name: PermissionSetName,
        /// What it will consist of.
        definition: Box<Definition>,
        /// Everything that creating it does not do yet.
        edits: Vec<Edit>,
    },
    /// Edit a permission set that exists. Accounts notice when it is provisioned.
    EditSet {
        /// Its name.
        name: PermissionSetName,
        /// What it consists of.
        before: Box<Definition>,
        /// What it will consist of.
        after: Box<Definition>,
        /// The way from one to the other, one call each.
        edits: Vec<Edit>,
    },
    /// Bring the newest version of a permission set into accounts that have an older one.
    Provision {
        /// Its name.
        name: PermissionSetName,
        /// How to ask for it.
        targets: Targets,
        /// All accounts that get it.
        accounts: Vec<AccountRef>,
        /// Those among them that had an older version before this plan.
        stale: Vec<AccountRef>,
    },
    /// Give somebody a permission set in an account.
    Assign(Assignment),
    /// Take it away again.
    Revoke {
        /// What is taken from whom.
        assignment: Assignment,
        /// How long sessions that run already can go on: AWS ends none (Identity Center user guide, "revoke active
        /// sessions"). `None` if it was not read.
        sessions_last: Option<SessionDuration>,
        /// Whether nobody has the permission set in the account afterwards. Its role goes, and should it come back, it has
        /// another name: policies that name the role break.
        role_goes: bool,
    },
    /// Delete a permission set that this owner's file declared and no longer does, or declares by another name.
    DeleteSet {
        /// Its name.
        name: PermissionSetName,
        /// What it consists of.
        definition: Box<Definition>,
        /// What it is called now, if it was renamed.
        successor: Option<PermissionSetName>,
    },
}

/// One call that edits a permission set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Edit {
    /// Set these tags, the others stay.
    Tag(BTreeMap<String, String>),
    /// Remove these tags.
    Untag(BTreeSet<String>),
    /// Replace description, session duration and relay state together.
    Attributes(Attributes),
    /// Attach an AWS managed policy.
    AttachAws(AwsManagedPolicy),
    /// Detach an AWS managed policy.
    DetachAws(AwsManagedPolicy),
    /// Attach a customer managed policy.
    AttachCustomer(CustomerManagedPolicy),
    /// Detach a customer managed policy.
    DetachCustomer(CustomerManagedPolicy),
    /// Set the inline policy.
    PutInline(Policy),
    /// Remove the inline policy.
    DeleteInline,
    /// Set the permissions boundary.
    PutBoundary(Boundary),
    /// Remove the permissions boundary.
    DeleteBoundary,
}

impl Edit {
    /// Returns whether accounts have to be provisioned to notice: tags stay on the permission set itself.
    pub fn reaches_accounts(&self) -> bool {
        !matches!(self, Self::Tag(_) | Self::Untag(_))
    }
}

/// How to ask for provisioning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Targets {
    /// One request for all accounts in which it is provisioned.
    AllProvisioned,
    /// One request for each account.
    Each,
}

/// What was seen and is not touched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftAlone {
    /// Permission sets that the file does not declare.
    pub permission_sets: Vec<PermissionSetName>,
    /// Accounts outside the scope in which declared permission sets are provisioned.
    pub accounts: Vec<AccountRef>,
    /// Accounts that the file means and that are not active.
    pub inactive: Vec<(AccountRef, String)>,
    /// Assignments outside of ownership, as far as they were read.
    pub assignments: Vec<Assignment>,
    /// How many assignments the file ignores where it would decide.
    #[serde(default)]
    pub ignored: usize,
}

impl Change {
    /// Returns the permission set that the change is about.
    pub fn permission_set(&self) -> &PermissionSetName {
        match self {
            Self::CreateSet { name, .. }
            | Self::EditSet { name, .. }
            | Self::Provision { name, .. }
            | Self::DeleteSet { name, .. } => name,
            Self::Assign(assignment) | Self::Revoke { assignment, .. } => &assignment.permission_set,
        }
    }

    /// Returns how many requests it will take without counting polls.
    pub fn requests(&self) -> usize {
        match self {
            Self::CreateSet { edits, .. } => 1 + edits.len(),
            Self::EditSet { edits, .. } => edits.len(),
            Self::Provision { targets: Targets::AllProvisioned, .. }
            | Self::Assign(_)
            | Self::Revoke { .. }
            | Self::DeleteSet { .. } => 1,
            Self::Provision { targets: Targets::Each, accounts, .. } => accounts.len(),
        }
    }
}

impl Plan {
    /// Returns the users who lose something that a group gets in the same account: if they are in that group, they have it
    /// again, and if not, they are leavers whom nothing should hold back. Their groups decide.
    pub fn users_in_doubt(&self) -> BTreeSet<PrincipalId> {
        let group_gets: BTreeSet<(&PermissionSetName, &AccountId)> = self
            .changes()
            .filter_map(|change| match change {
                Change::Assign(it) if it.principal.kind == PrincipalKind::Group => {
                    Some((&it.permission_set, &it.account.id))
                }
                _ => None,
            })
            .collect();
        let loses = |change: &Change| match change {
            Change::Revoke { assignment: it, .. } if it.principal.kind == PrincipalKind::User => {
                let gets = group_gets.contains(&(&it.permission_set, &it.account.id));
                (gets && it.principal.name.is_some()).then(|| it.principal.id.clone())
            }
            _ => None,
        };
        self.changes().filter_map(loses).collect()
    }

    /// Returns the pairs of which somebody gets or loses something.
    pub fn pairs(&self) -> BTreeSet<(PermissionSetName, AccountId)> {
        let pairs = self.changes().filter_map(|change| match change {
            Change::Assign(it) | Change::Revoke { assignment: it, .. } => {
                Some((it.permission_set.clone(), it.account.id.clone()))
            }
            Change::CreateSet { .. } | Change::EditSet { .. } | Change::Provision { .. } | Change::DeleteSet { .. } => {
                None
            }
        });
        pairs.collect()
    }

    /// Returns whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Returns the changes in order.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.steps.iter().map(|step| &step.change)
    }
}
