//! What a saved plan takes for granted: the part of the observed state that its changes rest on.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::{
    Account, AccountId, Definition, Grant, ObservedSet, PermissionSetName, PrincipalRef, PrincipalState, Provisioning,
};

/// Live facts, read for a plan and read again before it is applied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The permission sets that change, are assigned or are revoked; `None` where there is none of this name.
    pub permission_sets: BTreeMap<PermissionSetName, Option<ObservedSet>>,
    /// The permission sets and accounts whose assignments are known.
    pub pairs: BTreeSet<(PermissionSetName, AccountId)>,
    /// All assignments of these pairs.
    pub assignments: BTreeSet<Grant>,
    /// The accounts in which something happens; `None` where the organization has none of this id.
    pub accounts: BTreeMap<AccountId, Option<Account>>,
    /// Who gets or loses something.
    pub principals: Vec<(PrincipalRef, PrincipalState)>,
}

/// A fact that is no longer what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moved {
    /// A permission set that was to be created is there already.
    SetAppeared(PermissionSetName),
    /// A permission set is gone.
    SetGone(PermissionSetName),
    /// A permission set was deleted, and another one of its name made.
    SetReplaced(PermissionSetName),
    /// A permission set was edited.
    SetEdited {
        /// Its name.
        name: PermissionSetName,
        /// What it consisted of.
        was: Box<Definition>,
        /// What it consists of.
        now: Box<Definition>,
    },
    /// Whether an account has a permission set, and which version.
    Provisioned {
        /// The permission set.
        name: PermissionSetName,
        /// The account.
        account: AccountId,
        /// What it had.
        was: Option<Provisioning>,
        /// What it has.
        now: Option<Provisioning>,
    },
    /// An assignment that was there is gone.
    AssignmentGone(Grant),
    /// An assignment is there that was not.
    AssignmentAppeared(Grant),
    /// An account is not what it was.
    Account {
        /// Its id.
        id: AccountId,
        /// What it was.
        was: Option<Account>,
        /// What it is.
        now: Option<Account>,
    },
    /// Somebody is not who they were.
    Principal {
        /// Who.
        principal: PrincipalRef,
        /// What was known of them.
        was: PrincipalState,
        /// What is known of them.
        now: PrincipalState,
    },
}

impl Facts {
    /// Returns everything that is different now.
    pub fn moved(&self, now: &Self) -> Vec<Moved> {
        // A new field must be compared before this compiles again.
        let Self { permission_sets, pairs: _, assignments, accounts, principals } = self;
        let mut moved = Vec::new();
        for (name, was) in permission_sets {
            let now = now.permission_sets.get(name).and_then(Option::as_ref);
            match (was, now) {
                (None, None) => {}
                (None, Some(_)) => moved.push(Moved::SetAppeared(name.clone())),
                (Some(_), None) => moved.push(Moved::SetGone(name.clone())),
                (Some(was), Some(now)) if was.arn != now.arn => moved.push(Moved::SetReplaced(name.clone())),
                (Some(was), Some(now)) => moved.extend(moved_set(name, was, now)),
            }
        }
        moved.extend(assignments.difference(&now.assignments).cloned().map(Moved::AssignmentGone));
        moved.extend(now.assignments.difference(assignments).cloned().map(Moved::AssignmentAppeared));
        for (id, was) in accounts {
            let now = now.accounts.get(id).cloned().flatten();
            if *was != now {
                moved.push(Moved::Account { id: id.clone(), was: was.clone(), now });
            }
        }
        for (principal, was) in principals {
            let now = now.principals.iter().find(|(other, _)| other == principal).map(|(_, state)| state);
            let now = now.cloned().unwrap_or(PrincipalState::Deleted);
            if *was != now {
                moved.push(Moved::Principal { principal: principal.clone(), was: was.clone(), now });
            }
        }
        moved
    }
}

fn moved_set(name: &PermissionSetName, was: &ObservedSet, now: &ObservedSet) -> Vec<Moved> {
    let ObservedSet { arn: _, definition, provisioned } = was;
    let mut moved = Vec::new();
    if let (Some(was), Some(now)) = (definition, &now.definition)
        && was != now
    {
        let (was, now) = (Box::new(was.clone()), Box::new(now.clone()));
        moved.push(Moved::SetEdited { name: name.clone(), was, now });
    }
    if let (Some(was), Some(now)) = (provisioned, &now.provisioned) {
        let accounts: BTreeSet<&AccountId> = was.keys().chain(now.keys()).collect();
        moved.extend(accounts.into_iter().filter(|account| was.get(account) != now.get(account)).map(|account| {
            Moved::Provisioned {
                name: name.clone(),
                account: account.clone(),
                was: was.get(account).copied(),
                now: now.get(account).copied(),
            }
        }));
    }
    moved
}
