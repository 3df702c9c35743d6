//! A plan that is kept between review and apply.
//!
//! Two lines of JSON: what it is, and the plan. The first carries the digest of the second, so that a file that was cut
//! off or edited is refused. The digest is no signature: whoever can write the file can write the plan.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::model::{
    AccountId, DesiredState, Facts, ObservedState, PermissionSetName, PrincipalRef, PrincipalState, Reading,
};
use crate::plan::{Change, Plan, resolve};

/// The version of the file; another one is refused.
const VERSION: u64 = 1;
const FORMAT: &str = "permset plan";

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
}

/// Why a text is no plan that can be applied.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SavedPlanError {
    /// Something else altogether.
    #[error("it is not a saved plan")]
    NotAPlan,
    /// Of a version that this program does not read.
    #[error("it is of version {0} of the format, this permset reads version {VERSION}")]
    Version(u64),
    /// Cut off, or edited.
    #[error("it is damaged: it was cut off or edited after it was saved")]
    Damaged,
}

#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    version: u64,
    sha256: String,
}

impl SavedPlan {
    /// Returns the text to save.
    ///
    /// # Errors
    /// If the plan has no JSON form, which would be a bug.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        let body = serde_json::to_string(self)?;
        let head = Head { format: FORMAT.to_owned(), version: VERSION, sha256: digest(&body) };
        Ok(format!("{}\n{body}\n", serde_json::to_string(&head)?))
    }

    /// Reads a saved text.
    ///
    /// # Errors
    /// Unless it is whole and of the version that this program writes.
    pub fn parse(text: &str) -> Result<Self, SavedPlanError> {
        let (head, body) = text.split_once('\n').unwrap_or((text, ""));
        let head: Head = serde_json::from_str(head).map_err(|_| SavedPlanError::NotAPlan)?;
        if head.format != FORMAT {
            return Err(SavedPlanError::NotAPlan);
        }
        if head.version != VERSION {
            return Err(SavedPlanError::Version(head.version));
        }
        let body = body.strip_suffix('\n').ok_or(SavedPlanError::Damaged)?;
        if digest(body) != head.sha256 {
            return Err(SavedPlanError::Damaged);
        }
        serde_json::from_str(body).map_err(|_| SavedPlanError::Damaged)
    }

    /// Returns the digest that stands in the first line of the file.
    pub fn digest(&self) -> String {
        digest(&serde_json::to_string(self).unwrap_or_default())
    }

    /// Returns whether a text calls itself a saved plan, of whatever version and in whatever state.
    pub fn is_one(text: &str) -> bool {
        !matches!(Self::parse(text), Err(SavedPlanError::NotAPlan))
    }
}

impl Plan {
    /// Returns what a plan that was not saved is known by: the same for equal plans only.
    pub fn digest(&self) -> String {
        // A plan that has no JSON form cannot be: every key is a text.
        digest(&serde_json::to_string(self).unwrap_or_default())
    }
}

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
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
        known.is_some_and(|known| known.contains_key(account))
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
