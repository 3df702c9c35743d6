//! The people whom a plan gives something, or takes something from.

use std::collections::{BTreeMap, BTreeSet};

use crate::effective::users;
use crate::model::{
    AccountId, Grant, ObservedState, People, PeopleOf, PermissionSetName, PrincipalId, PrincipalKind, PrincipalRef,
};
use crate::plan::{Change, Plan};

type Pair<'a> = (&'a PermissionSetName, &'a AccountId);

/// Returns the groups whose members decide about that: all that have, get or lose something where the plan changes something.
pub fn groups(plan: &Plan, observed: &ObservedState) -> BTreeSet<PrincipalId> {
    let exists = |principal: &PrincipalRef| observed.directory.principal(principal).name.is_some();
    let held = |(before, after): (BTreeSet<Grant>, BTreeSet<Grant>)| before.into_iter().chain(after);
    let principals = pairs(plan, observed).into_values().flat_map(held).map(|grant| grant.principal);
    principals.filter(|it| it.kind == PrincipalKind::Group && exists(it)).map(|it| it.id).collect()
}

/// Who has each pair before and after, where the plan assigns or revokes.
fn pairs<'a>(plan: &'a Plan, observed: &ObservedState) -> BTreeMap<Pair<'a>, (BTreeSet<Grant>, BTreeSet<Grant>)> {
    let mut pairs: BTreeMap<Pair<'a>, (BTreeSet<Grant>, BTreeSet<Grant>)> = BTreeMap::new();
    for change in plan.changes() {
        let (Change::Assign(it) | Change::Revoke { assignment: it, .. }) = change else { continue };
        let pair = (&it.permission_set, &it.account.id);
        let (_, after) = pairs.entry(pair).or_insert_with(|| {
            let before: BTreeSet<Grant> = observed.assignments_on(pair.0, pair.1).cloned().collect();
            (before.clone(), before)
        });
        match change {
            Change::Assign(_) => drop(after.insert(it.to_grant())),
            _ => drop(after.remove(&it.to_grant())),
        }
    }
    pairs
}

/// Returns what a plan means to people.
pub fn people(plan: &Plan, observed: &ObservedState) -> People {
    let pairs = pairs(plan, observed);
    // Through whom somebody has a pair: themselves, who come last, before any group.
    let through = |grants: &BTreeSet<Grant>| {
        let mut through: BTreeMap<PrincipalId, PrincipalRef> = BTreeMap::new();
        for grant in grants {
            for user in users(observed, &grant.principal).unwrap_or_default() {
                through.insert(user, grant.principal.clone());
            }
        }
        through
    };
    let through: BTreeMap<Pair<'_>, _> =
        pairs.iter().map(|(pair, (before, after))| (*pair, (through(before), through(after)))).collect();
    let mut people = People::default();
    let (mut gain, mut lose) = (BTreeSet::new(), BTreeSet::new());
    for (step, change) in plan.changes().enumerate() {
        let (Change::Assign(it) | Change::Revoke { assignment: it, .. }) = change else { continue };
        // Whoever no longer exists loses nothing.
        if it.principal.name.is_none() {
            continue;
        }
        let Some(users) = users(observed, &it.principal.to_ref()) else { continue };
        let Some((before, after)) = through.get(&(&it.permission_set, &it.account.id)) else { continue };
        let mut effect = PeopleOf::default();
        for user in users {
            let who = PrincipalRef { kind: PrincipalKind::User, id: user };
            let person = observed.directory.principal(&who);
            let (others, with, without) = match change {
                Change::Assign(_) => (before, &mut effect.have, &mut effect.gain),
                _ => (after, &mut effect.keep, &mut effect.lose),
            };
            match others.get(&who.id) {
                Some(through) => with.push((person, observed.directory.principal(through))),
                None => {
                    without.push(person);
                    let all = if matches!(change, Change::Assign(_)) { &mut gain } else { &mut lose };
                    all.insert(who.id);
                }
            }
        }
        for list in [&mut effect.gain, &mut effect.lose] {
            list.sort_by(|a, b| a.name.cmp(&b.name));
        }
        people.by_step.insert(step, effect);
    }
    (people.gain, people.lose) = (gain.len(), lose.len());
    people
}
