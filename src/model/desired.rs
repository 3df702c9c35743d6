//! What the access file declares, checked as far as that is possible without AWS.

use std::collections::BTreeMap;

use crate::model::{
    Account, AccountId, AccountName, Definition, GroupName, Guards, Ignore, InstanceArn, Located, PermissionSetName,
    Place, PrincipalKind, UserName,
};

/// The desired state: the access file with its meaning worked out and every place kept, so that what only AWS can
/// tell (no such group) is still reported at its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredState {
    /// Who owns the permission sets of this file.
    pub owner: Option<String>,
    /// Which instance, if the file says so.
    pub instance: Option<Located<InstanceArn>>,
    /// Which Region, if the file says so.
    pub region: Option<String>,
    /// Short names of accounts; everywhere else they are ids already.
    pub short_names: BTreeMap<AccountId, AccountName>,
    /// Where the file is the whole truth about assignments.
    pub scope: Scope,
    /// The declared permission sets.
    pub permission_sets: BTreeMap<PermissionSetName, DesiredSet>,
    /// The lines under `assignments`, in the order of the file.
    pub rules: Vec<Rule>,
    /// What an apply may not do without consent.
    pub guards: Guards,
    /// Live assignments that are left alone.
    pub ignore: Vec<Ignore>,
}

/// Where the file decides about assignments; nothing outside is ever touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// In which accounts.
    pub accounts: Vec<Located<AccountSelector>>,
    /// For which permission sets.
    pub permission_sets: ScopeSets,
}

/// For which permission sets the file decides about assignments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeSets {
    /// Those that it declares.
    Declared,
    /// All of the instance.
    All,
}

/// A permission set of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredSet {
    /// Where its name stands.
    pub place: Place,
    /// What it should consist of.
    pub definition: DesiredDefinition,
    /// What it was called before: those that still exist are replaced by it.
    pub previously: Vec<Located<PermissionSetName>>,
}

/// Who decides what a declared permission set consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DesiredDefinition {
    /// This file, whole.
    Managed(Box<Definition>),
    /// Somebody else; this file only assigns it.
    External,
}

/// One line under `assignments`: its lists multiply out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Where it begins.
    pub place: Place,
    /// What is granted.
    pub permission_sets: Vec<Located<PermissionSetName>>,
    /// In which accounts.
    pub accounts: Vec<Located<AccountSelector>>,
    /// Accounts taken out again.
    pub except_accounts: Vec<Located<AccountSelector>>,
    /// To which groups.
    pub groups: Vec<Located<GroupName>>,
    /// To which users.
    pub users: Vec<Located<UserName>>,
    /// Until when.
    pub expires: Option<Expiry>,
    /// Why, for readers.
    pub reason: Option<String>,
}

impl Rule {
    /// Returns whether its date has passed: then it grants nothing.
    pub fn has_expired(&self) -> bool {
        self.expires.as_ref().is_some_and(|expiry| expiry.passed)
    }
}

/// Until when a line grants anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// The date as it is written.
    pub written: String,
    /// Where it stands.
    pub place: Place,
    /// Whether it had passed when the file was read.
    pub passed: bool,
}

/// How the file names accounts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountSelector {
    /// Every active account of the organization.
    All,
    /// One account by its id, be it written so or by a short name of the file.
    Id(AccountId),
    /// One account by its exact name in AWS Organizations.
    Name(AccountName),
}

impl AccountSelector {
    /// Returns whether this means the account, whatever its state.
    pub fn matches(&self, account: &Account) -> bool {
        match self {
            Self::All => true,
            Self::Id(id) => *id == account.id,
            Self::Name(name) => *name == account.name,
        }
    }
}

impl DesiredState {
    /// Returns all account selectors of the file, those of the scope first; lines that have expired may name accounts that
    /// are gone.
    pub fn account_selectors(&self) -> impl Iterator<Item = &Located<AccountSelector>> {
        let of_rules = self.rules.iter().filter(|rule| !rule.has_expired());
        let of_rules = of_rules.flat_map(|rule| rule.accounts.iter().chain(&rule.except_accounts));
        let of_guards = self.guards.required.iter().map(|required| &required.account);
        let ignored = self.ignore.iter().flat_map(|ignore| &ignore.accounts);
        self.scope.accounts.iter().chain(of_rules).chain(of_guards).chain(ignored)
    }

    /// Returns what each former permission set is called now.
    pub fn successors(&self) -> BTreeMap<&PermissionSetName, &PermissionSetName> {
        let former = |(name, set)| {
            let set: &DesiredSet = set;
            set.previously.iter().map(move |old| (&old.value, name))
        };
        self.permission_sets.iter().flat_map(former).collect()
    }

    /// Returns every principal that the file names, with its place.
    pub fn principals(&self) -> impl Iterator<Item = (PrincipalKind, &str, Place)> {
        let groups = self.rules.iter().flat_map(|rule| &rule.groups);
        let groups = groups.map(|group| (PrincipalKind::Group, group.value.as_str(), group.place));
        let users = self.rules.iter().flat_map(|rule| &rule.users);
        let users = users.map(|user| (PrincipalKind::User, user.value.as_str(), user.place));
        let required = self.guards.required.iter();
        let required = required.map(|it| (it.kind, it.principal.value.as_str(), it.principal.place));
        groups.chain(users).chain(required)
    }
}
