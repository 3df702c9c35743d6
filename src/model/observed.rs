//! What AWS was seen to hold, complete for what was asked.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::model::{
    Account, AccountId, AccountName, AccountRef, AccountSelector, AccountState, Caller, Definition, Grant,
    IdentityStoreId, InstanceArn, PermissionSetArn, PermissionSetName, Principal, PrincipalId, PrincipalKind,
    PrincipalRef, Reading,
};

/// The instance that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Its ARN.
    pub arn: InstanceArn,
    /// The identity store behind it.
    pub identity_store: IdentityStoreId,
    /// The Region it was read in.
    pub region: String,
    /// The account that it belongs to: the management account, for an instance of an organization. `None` if AWS does not say.
    pub owner: Option<AccountId>,
}

/// The observed state: complete for the declared permission sets and the scope, or it would not exist.
#[derive(Clone, Debug)]
pub struct ObservedState {
    /// Where it was read.
    pub instance: Instance,
    /// Accounts, as far as the file or an assignment names them.
    pub accounts: BTreeMap<AccountId, Account>,
    /// Whether `accounts` holds the whole organization.
    pub whole_organization: bool,
    /// All permission sets of the instance by name.
    pub permission_sets: BTreeMap<PermissionSetName, ObservedSet>,
    /// The assignments of every pair that was read.
    pub assignments: BTreeSet<Grant>,
    /// Users and groups that the file or an assignment names.
    pub directory: Directory,
    /// The groups of users, as far as somebody asked; those of a user that is not here may be any.
    pub groups_of: BTreeMap<PrincipalId, BTreeSet<PrincipalId>>,
    /// The users in groups, as far as somebody asked.
    pub members_of: BTreeMap<PrincipalId, BTreeSet<PrincipalId>>,
    /// Who read it.
    pub caller: Caller,
    /// What the reading took.
    pub reading: Reading,
}

impl ObservedState {
    /// Returns an instance of which nothing is known yet.
    pub fn empty(instance: Instance, caller: Caller) -> Self {
        Self {
            instance,
            accounts: BTreeMap::new(),
            whole_organization: false,
            permission_sets: BTreeMap::new(),
            assignments: BTreeSet::new(),
            directory: Directory::default(),
            groups_of: BTreeMap::new(),
            members_of: BTreeMap::new(),
            caller,
            reading: Reading::default(),
        }
    }

    /// Returns an account with its name.
    pub fn account_ref(&self, id: &AccountId) -> AccountRef {
        AccountRef { id: id.clone(), name: self.accounts.get(id).map(|account| account.name.clone()) }
    }

    /// Returns the active accounts that any of the selectors means.
    pub fn active_accounts<'a>(&self, selectors: impl IntoIterator<Item = &'a AccountSelector>) -> BTreeSet<AccountId> {
        let accounts = AccountsByName::new(&self.accounts);
        let meant = selectors.into_iter().flat_map(|selector| accounts.meant_by(selector));
        meant.filter(|account| account.state == AccountState::Active).map(|account| account.id.clone()).collect()
    }

    /// Returns the assignments of one permission set in one account.
    pub fn assignments_on<'a>(
        &'a self,
        name: &'a PermissionSetName,
        account: &'a AccountId,
    ) -> impl Iterator<Item = &'a Grant> {
        let on_pair = |grant: &&Grant| grant.account == *account && grant.permission_set == *name;
        self.assignments.range(Grant::first_of(name, account)..).take_while(on_pair)
    }

    /// Returns the assignments of one permission set.
    pub fn assignments_of<'a>(&'a self, name: &'a PermissionSetName) -> impl Iterator<Item = &'a Grant> {
        let of_set = |grant: &&Grant| grant.permission_set == *name;
        self.assignments.range(Grant::first_of(name, &AccountId::lowest())..).take_while(of_set)
    }

    /// Returns whether an account can be written to. One that was asked for and not found has left the organization.
    pub fn is_active(&self, id: &AccountId) -> bool {
        self.accounts.get(id).is_some_and(|account| account.state == AccountState::Active)
    }
}

/// The accounts of an organization, to be found by whatever the access file calls them: looking through all of them for each
/// of a hundred thousand selectors takes minutes.
#[derive(Debug)]
pub struct AccountsByName<'a> {
    by_id: &'a BTreeMap<AccountId, Account>,
    by_name: HashMap<&'a AccountName, Vec<&'a Account>>,
}

impl<'a> AccountsByName<'a> {
    /// Sorts accounts.
    pub fn new(accounts: &'a BTreeMap<AccountId, Account>) -> Self {
        let mut by_name: HashMap<&AccountName, Vec<&Account>> = HashMap::new();
        for account in accounts.values() {
            by_name.entry(&account.name).or_default().push(account);
        }
        Self { by_id: accounts, by_name }
    }

    /// Returns the accounts that a selector means, in the order of their ids.
    pub fn meant_by(&self, selector: &AccountSelector) -> Vec<&'a Account> {
        match selector {
            AccountSelector::All => self.by_id.values().collect(),
            AccountSelector::Id(id) => self.by_id.get(id).into_iter().collect(),
            AccountSelector::Name(name) => self.by_name.get(name).cloned().unwrap_or_default(),
        }
    }
}

/// A permission set that exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedSet {
    /// Its ARN.
    pub arn: PermissionSetArn,
    /// What it consists of; `None` if nobody asked.
    pub definition: Option<Definition>,
    /// Where it is provisioned; `None` if nobody asked.
    pub provisioned: Option<BTreeMap<AccountId, Provisioning>>,
}

/// Whether an account has the newest version of a permission set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Provisioning {
    /// The role in the account is what the permission set says.
    Latest,
    /// The permission set was edited and never provisioned again: the role is an older version.
    Stale,
}

/// What is known of users and groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    /// For every name of the file, what the identity store answered.
    pub by_name: BTreeMap<(PrincipalKind, String), Lookup>,
    /// For every id of an assignment, who that is.
    pub by_id: BTreeMap<PrincipalRef, PrincipalState>,
}

/// The answer to a look-up by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// There it is.
    Found(PrincipalId),
    /// There is none; perhaps this one was meant.
    Missing {
        /// A name that differs in a letter or two, or in case.
        similar: Option<String>,
    },
}

/// Who an id is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PrincipalState {
    /// A group or user that exists.
    Known {
        /// Its name.
        name: String,
        /// Whether a user is disabled and cannot sign in.
        disabled: bool,
    },
    /// The identity store does not have it (any more): whoever it was, the assignment is an orphan.
    Deleted,
}

impl Directory {
    /// Returns a principal with its name.
    pub fn principal(&self, principal: &PrincipalRef) -> Principal {
        let name = match self.by_id.get(principal) {
            Some(PrincipalState::Known { name, .. }) => Some(name.clone()),
            Some(PrincipalState::Deleted) | None => None,
        };
        Principal { kind: principal.kind, id: principal.id.clone(), name }
    }

    /// Returns whether a user exists and is disabled.
    pub fn is_disabled(&self, principal: &PrincipalRef) -> bool {
        matches!(self.by_id.get(principal), Some(PrincipalState::Known { disabled: true, .. }))
    }
}
