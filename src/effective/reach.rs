//! Who holds what, directly and through groups, for access reviews.

use std::collections::BTreeSet;

use crate::effective::action::{Allowed, allowed};
use crate::model::{
    AccountRef, ObservedState, PermissionSetName, Principal, PrincipalKind, PrincipalRef, PrincipalState, Provisioning,
};

/// What one person, or somebody nobody knows, has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holding {
    /// Where.
    pub account: AccountRef,
    /// What.
    pub permission_set: PermissionSetName,
    /// The user; the group itself if it has no members, or they may not be read; or whoever no longer exists.
    pub who: Principal,
    /// Through which group.
    pub through: Option<Principal>,
    /// Whether the user cannot sign in.
    pub disabled: bool,
    /// Whether the account runs an older version of the permission set.
    pub stale: bool,
    /// Whether the account is active.
    pub active: bool,
    /// Whether it allows the action that was asked for.
    pub allowed: Option<Allowed>,
}

/// Everybody's holdings, and who has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// In the order of accounts, permission sets and people.
    pub holdings: Vec<Holding>,
    /// Users who hold nothing at all; only where everybody was read.
    pub without: Vec<Principal>,
    /// Groups that hold something, or exist, and have no members.
    pub empty_groups: Vec<Principal>,
}

/// Returns who holds what of all that was observed; with an action, only what allows it, or may.
pub fn reach(observed: &ObservedState, action: Option<&str>) -> Reach {
    let mut reach = Reach::default();
    let mut holders = BTreeSet::new();
    for grant in &observed.assignments {
        let set = observed.permission_sets.get(&grant.permission_set);
        let stale = set.and_then(|set| set.provisioned.as_ref()?.get(&grant.account)) == Some(&Provisioning::Stale);
        let verdict = action.map(|action| {
            // What the older version says, nobody tells.
            let definition = set.and_then(|set| set.definition.as_ref()).filter(|_| !stale);
            definition.map_or(Allowed::Unknown, |definition| allowed(definition, action))
        });
        let held = |who: &PrincipalRef, through: Option<Principal>| Holding {
            account: observed.account_ref(&grant.account),
            permission_set: grant.permission_set.clone(),
            who: observed.directory.principal(who),
            through,
            disabled: observed.directory.is_disabled(who),
            stale,
            active: observed.is_active(&grant.account),
            allowed: verdict,
        };
        let members = observed.members_of.get(&grant.principal.id);
        let members = members.filter(|_| grant.principal.kind == PrincipalKind::Group);
        let mut found: Vec<Holding> = Vec::new();
        match members {
            Some(members) if !members.is_empty() => {
                let group = observed.directory.principal(&grant.principal);
                for user in members {
                    let user = PrincipalRef { kind: PrincipalKind::User, id: user.clone() };
                    found.push(held(&user, Some(group.clone())));
                    holders.insert(user);
                }
            }
            _ => {
                found.push(held(&grant.principal, None));
                holders.insert(grant.principal.clone());
            }
        }
        reach.holdings.extend(found.into_iter().filter(|it| it.allowed != Some(Allowed::No)));
    }
    reach.holdings.sort();
    for (principal, state) in &observed.directory.by_id {
        let PrincipalState::Known { .. } = state else { continue };
        let empty = observed.members_of.get(&principal.id).is_some_and(BTreeSet::is_empty);
        match principal.kind {
            PrincipalKind::User if !holders.contains(principal) => {
                reach.without.push(observed.directory.principal(principal));
            }
            PrincipalKind::Group if empty => reach.empty_groups.push(observed.directory.principal(principal)),
            PrincipalKind::User | PrincipalKind::Group => {}
        }
    }
    for list in [&mut reach.without, &mut reach.empty_groups] {
        list.sort_by(|a, b| a.name.cmp(&b.name));
    }
    reach
}
