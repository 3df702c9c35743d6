//! The file of a snapshot: tables, and rows of positions in them. A million assignments name each id only once.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::Snapshot;
use crate::aws::Listed;
use crate::model::sealed::Format;
use crate::model::{
    Account, AccountId, AccountName, AccountState, Caller, Definition, Grant, Instance, ObservedSet, PermissionSetArn,
    PermissionSetName, PrincipalId, PrincipalKind, PrincipalRef, Provisioning, Reading,
};

/// The file.
pub(super) const FORMAT: Format = Format { title: "permset snapshot", name: "snapshot", version: 1 };

/// A position in a table.
type Index = u32;

/// A snapshot as it is written.
#[derive(Serialize, Deserialize)]
pub(super) struct Table {
    taken: String,
    instance: Instance,
    caller: Caller,
    reading: Reading,
    /// The accounts of the organization, in the order of their ids.
    accounts: Vec<AccountRow>,
    /// Accounts that permission sets are provisioned in and the organization does not have.
    other_accounts: Vec<AccountId>,
    groups: Vec<(PrincipalId, String)>,
    users: Vec<UserRow>,
    /// Whoever has something and is neither a group nor a user any more.
    deleted: Vec<PrincipalRef>,
    permission_sets: Vec<SetRow>,
}

/// Id, name, and the state if it is not active.
type AccountRow = (AccountId, AccountName, Option<String>);

#[derive(Serialize, Deserialize)]
struct UserRow {
    id: PrincipalId,
    name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    emails: Vec<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    disabled: bool,
}

#[derive(Serialize, Deserialize)]
struct SetRow {
    name: PermissionSetName,
    arn: PermissionSetArn,
    definition: Option<Definition>,
    /// Positions of the accounts that have its newest version.
    latest: Vec<Index>,
    /// Positions of those that have an older one.
    stale: Vec<Index>,
    /// Positions of accounts, and of who has it there: among groups, then users, then the deleted.
    assignments: Vec<(Index, Vec<Index>)>,
}

impl From<Snapshot> for Table {
    fn from(snapshot: Snapshot) -> Self {
        let Snapshot { taken, instance, caller, accounts, permission_sets, assignments, groups, users, reading } =
            snapshot;
        let mut account_at: HashMap<AccountId, Index> = HashMap::new();
        for id in accounts.keys() {
            place(&mut account_at, id);
        }
        let mut other_accounts = Vec::new();
        let provisioned = permission_sets.values().flat_map(|set| &set.provisioned).flat_map(BTreeMap::keys);
        for id in provisioned.chain(assignments.iter().map(|row| &row.account)) {
            if place(&mut account_at, id) {
                other_accounts.push(id.clone());
            }
        }
        let mut principal_at: HashMap<PrincipalRef, Index> = HashMap::new();
        for (kind, listed) in [(PrincipalKind::Group, &groups), (PrincipalKind::User, &users)] {
            for one in listed {
                place(&mut principal_at, &PrincipalRef { kind, id: one.id.clone() });
            }
        }
        let mut deleted = Vec::new();
        let mut rows: BTreeMap<PermissionSetName, Vec<(Index, Vec<Index>)>> = BTreeMap::new();
        for Grant { permission_set, account, principal } in assignments {
            if place(&mut principal_at, &principal) {
                deleted.push(principal.clone());
            }
            let (Some(account), Some(principal)) = (account_at.get(&account), principal_at.get(&principal)) else {
                continue;
            };
            let rows = rows.entry(permission_set).or_default();
            match rows.last_mut() {
                Some((last, principals)) if last == account => principals.push(*principal),
                _ => rows.push((*account, vec![*principal])),
            }
        }
        let set = |(name, ObservedSet { arn, definition, provisioned }): (PermissionSetName, ObservedSet)| {
            let with = |wanted| {
                let accounts = provisioned.iter().flatten().filter(move |(_, version)| **version == wanted);
                accounts.filter_map(|(id, _)| account_at.get(id).copied()).collect()
            };
            let (latest, stale) = (with(Provisioning::Latest), with(Provisioning::Stale));
            SetRow { assignments: rows.remove(&name).unwrap_or_default(), name, arn, definition, latest, stale }
        };
        let account = |Account { id, name, state }| match state {
            AccountState::Active => (id, name, None),
            AccountState::Inactive(state) => (id, name, Some(state)),
        };
        let user = |Listed { name, emails, disabled, id }| UserRow { id, name, emails, disabled };
        Self {
            taken,
            instance,
            caller,
            reading,
            permission_sets: permission_sets.into_iter().map(set).collect(),
            accounts: accounts.into_values().map(account).collect(),
            other_accounts,
            groups: groups.into_iter().map(|group| (group.id, group.name)).collect(),
            users: users.into_iter().map(user).collect(),
            deleted,
        }
    }
}

/// Gives something the next position, unless it has one already.
fn place<T: Clone + Eq + std::hash::Hash>(positions: &mut HashMap<T, Index>, value: &T) -> bool {
    if positions.contains_key(value) {
        return false;
    }
    // Four billion accounts or people are beyond every quota.
    positions.insert(value.clone(), Index::try_from(positions.len()).unwrap_or(Index::MAX));
    true
}

/// A position that is in no table.
#[derive(Debug, thiserror::Error)]
#[error("a row points nowhere")]
pub(super) struct Astray;

fn at<T: Clone>(table: &[T], index: Index) -> Result<T, Astray> {
    usize::try_from(index).ok().and_then(|index| table.get(index)).cloned().ok_or(Astray)
}

impl TryFrom<Table> for Snapshot {
    type Error = Astray;

    fn try_from(table: Table) -> Result<Self, Astray> {
        let account_ids: Vec<AccountId> =
            table.accounts.iter().map(|(id, ..)| id).chain(&table.other_accounts).cloned().collect();
        let principal = |kind| move |id: &PrincipalId| PrincipalRef { kind, id: id.clone() };
        let groups = table.groups.iter().map(|(id, _)| id).map(principal(PrincipalKind::Group));
        let users = table.users.iter().map(|user| &user.id).map(principal(PrincipalKind::User));
        let principals: Vec<PrincipalRef> = groups.chain(users).chain(table.deleted).collect();
        let mut assignments = Vec::new();
        let mut permission_sets = BTreeMap::new();
        for SetRow { name, arn, definition, latest, stale, assignments: rows } in table.permission_sets {
            for (account, held) in rows {
                let account = at(&account_ids, account)?;
                for index in held {
                    let (permission_set, account, principal) = (name.clone(), account.clone(), at(&principals, index)?);
                    assignments.push(Grant { permission_set, account, principal });
                }
            }
            let with = |version, indexes: Vec<Index>| {
                let accounts = &account_ids;
                indexes.into_iter().map(move |index| Ok((at(accounts, index)?, version)))
            };
            let provisioned = with(Provisioning::Latest, latest).chain(with(Provisioning::Stale, stale));
            let provisioned = Some(provisioned.collect::<Result<_, Astray>>()?);
            permission_sets.insert(name, ObservedSet { arn, definition, provisioned });
        }
        let account = |(id, name, state): AccountRow| {
            let state = state.map_or(AccountState::Active, AccountState::Inactive);
            (id.clone(), Account { id, name, state })
        };
        let group = |(id, name)| Listed { name, emails: Vec::new(), disabled: false, id };
        let user = |UserRow { id, name, emails, disabled }| Listed { name, emails, disabled, id };
        Ok(Self {
            taken: table.taken,
            instance: table.instance,
            caller: table.caller,
            accounts: table.accounts.into_iter().map(account).collect(),
            permission_sets,
            assignments: assignments.into_iter().collect(),
            groups: table.groups.into_iter().map(group).collect(),
            users: table.users.into_iter().map(user).collect(),
            reading: table.reading,
        })
    }
}
