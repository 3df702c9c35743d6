//! A plan that is kept between review and apply, and what it rests on.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::sealed::{self, Format, SealError};
use crate::model::{
    AccountId, DesiredState, Facts, ObservedState, People, PermissionSetName, PrincipalRef, PrincipalState, Reading,
};
use crate::plan::{Change, Plan, resolve};

/// The file that it is kept in.
const FORMAT: Format = Format { title: "permset plan", name: "saved plan", version: 1 };

/// A plan with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedPlan {
    /// When it was made, in RFC 3339.
    pub made: String,
    /// The access file, as its author named it.
    pub file: String,
    /// The digest of the access file and the policy files that it names.
    pub file_digest: String,
    /// What the reading took.
    pub reading: Reading,
    /// The plan.
    pub plan: Plan,
    /// What it takes for granted.
    pub facts: Facts,
    /// What the plan means to people, for those who read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<People>,
}

impl SavedPlan {
    /// Returns the text to save.
    ///
    /// # Errors
    /// If the plan has no JSON form, which would be a bug.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        FORMAT.seal(self)
    }

    /// Reads a saved text.
    ///
    /// # Errors
    /// Unless it is whole and of the version that this program writes.
    pub fn parse(text: &str) -> Result<Self, SealError> {
        FORMAT.open(text)
    }

    /// Returns the digest that stands in the first line of the file.
    pub fn digest(&self) -> String {
        sealed::digest(&serde_json::to_string(self).unwrap_or_default())
    }

    /// Returns whether a text calls itself a saved plan, of whatever version and in whatever state.
    pub fn is_one(text: &str) -> bool {
        FORMAT.is_one(text)
    }
}

impl Plan {
    /// Returns what a plan that was not saved is known by: the same for equal plans only.
    pub fn digest(&self) -> String {
        // A plan that has no JSON form cannot be: every key is a text.
        sealed::digest(&serde_json::to_string(self).unwrap_or_default())
    }
}

/// Returns the live facts that the changes of a plan rest on, and those that its guards do.
pub fn facts(plan: &Plan, desired: &DesiredState, observed: &ObservedState) -> Facts {
    let mut sets: BTreeSet<&PermissionSetName> = BTreeSet::new();
    let mut pairs: BTreeSet<(PermissionSetName, AccountId)> = BTreeSet::new();
    let mut accounts: BTreeSet<&AccountId> = BTreeSet::new();
    let mut principals: BTreeSet<PrincipalRef> = BTreeSet::new();
    let successors = desired.successors();
    for change in plan.changes() {
        sets.insert(change.permission_set());
        // A former permission set goes because there is another one, and whoever loses it has that.
        let successor = successors.get(change.permission_set()).copied();
        sets.extend(successor);
        match change {
            Change::Assign(assignment) | Change::Revoke { assignment, .. } => {
                pairs.extend(successor.map(|new| (new.clone(), assignment.account.id.clone())));
                pairs.insert((assignment.permission_set.clone(), assignment.account.id.clone()));
                accounts.insert(&assignment.account.id);
                principals.insert(assignment.principal.to_ref());
            }
            Change::Provision { accounts: into, .. } => accounts.extend(into.iter().map(|account| &account.id)),
            Change::CreateSet { .. } | Change::EditSet { .. } | Change::DeleteSet { .. } => {}
        }
    }
    let required =
        if plan.is_empty() { BTreeSet::new() } else { resolve::required(desired, observed, &mut Vec::new()) };
    for grant in &required {
        sets.insert(&grant.permission_set);
        pairs.insert((grant.permission_set.clone(), grant.account.clone()));
        accounts.insert(&grant.account);
        principals.insert(grant.principal.clone());
    }
    // Somebody has a permission set only where it is provisioned, so the other pairs need not be asked.
    let provisioned = |set: &PermissionSetName, account: &AccountId| {
        let known = observed.permission_sets.get(set).and_then(|set| set.provisioned.as_ref());
        // Where it is may not be known: the pair was found in the account then.
        known.map_or(observed.permission_sets.contains_key(set), |known| known.contains_key(account))
    };
    pairs.retain(|(set, account)| provisioned(set, account));
    let rows = observed.assignments.iter();
    let rows = rows.filter(|row| pairs.contains(&(row.permission_set.clone(), row.account.clone())));
    Facts {
        assignments: rows.cloned().collect(),
        pairs,
        permission_sets: sets
            .into_iter()
            .map(|name| (name.clone(), observed.permission_sets.get(name).cloned()))
            .collect(),
        accounts: accounts.into_iter().map(|id| (id.clone(), observed.accounts.get(id).cloned())).collect(),
        principals: principals
            .into_iter()
            .map(|principal| {
                let state = observed.directory.by_id.get(&principal).cloned();
                (principal, state.unwrap_or(PrincipalState::Deleted))
            })
            .collect(),
    }
}
