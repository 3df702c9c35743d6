//! What a plan may not do because of who applies it: these guards are looked at again for whoever applies a saved plan.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    AccountId, AccountRef, Assignment, Caller, Facts, Grant, Instance, ObservedSet, ObservedState, PermissionSetName,
    PrincipalKind, PrincipalRef,
};
use crate::plan::{Change, Plan, Refusal, Step};

/// What is live, as far as these guards look at it.
pub(super) struct Live<'a> {
    pub(super) rows: &'a BTreeSet<Grant>,
    pub(super) sets: BTreeMap<&'a PermissionSetName, &'a ObservedSet>,
}

impl<'a> From<&'a ObservedState> for Live<'a> {
    fn from(observed: &'a ObservedState) -> Self {
        Self { rows: &observed.assignments, sets: observed.permission_sets.iter().collect() }
    }
}

impl<'a> From<&'a Facts> for Live<'a> {
    fn from(facts: &'a Facts) -> Self {
        let sets = facts.permission_sets.iter().filter_map(|(name, set)| Some((name, set.as_ref()?)));
        Self { rows: &facts.assignments, sets: sets.collect() }
    }
}

impl Plan {
    /// Returns the plan as somebody else may apply it: with the refusals that depend on the caller found anew.
    #[must_use]
    pub fn for_caller(self, caller: &Caller, facts: &Facts) -> Self {
        let found = refusals(&self.steps, caller, &self.instance, &Live::from(facts));
        let others = self.refusals.iter().filter(|refusal| !refusal.depends_on_caller()).cloned();
        Self { refusals: others.chain(found).collect(), ..self }
    }
}

/// Finds what depends on the caller.
pub(super) fn refusals(steps: &[Step], caller: &Caller, instance: &Instance, live: &Live<'_>) -> Vec<Refusal> {
    let way_in = own_way_in(steps, caller, live);
    way_in.into_iter().chain(management_account(steps, caller, instance, live)).collect()
}

/// Looks whether the caller could still come in the same way afterwards. What cannot be read counts as a no.
fn own_way_in(steps: &[Step], caller: &Caller, live: &Live<'_>) -> Option<Refusal> {
    let way = caller.way_in()?;
    let here = |set: &PermissionSetName, account: &AccountId| *set == way.permission_set && *account == way.account;
    let mut after: BTreeSet<PrincipalRef> = live
        .rows
        .iter()
        .filter(|row| here(&row.permission_set, &row.account))
        .map(|row| row.principal.clone())
        .collect();
    let mut gone: Vec<&Assignment> = Vec::new();
    for step in steps {
        match &step.change {
            Change::Assign(assignment) if here(&assignment.permission_set, &assignment.account.id) => {
                after.insert(assignment.principal.to_ref());
            }
            Change::Revoke { assignment, .. } if here(&assignment.permission_set, &assignment.account.id) => {
                after.remove(&assignment.principal.to_ref());
                gone.push(assignment);
            }
            Change::CreateSet { .. }
            | Change::EditSet { .. }
            | Change::Provision { .. }
            | Change::Assign(_)
            | Change::Revoke { .. }
            | Change::DeleteSet { .. } => {}
        }
    }
    let groups = caller.user.as_ref().and_then(|user| user.groups.as_ref());
    let surely_ours = |principal: &PrincipalRef| match principal.kind {
        PrincipalKind::User => caller.user.as_ref().is_some_and(|user| user.id == principal.id),
        PrincipalKind::Group => groups.is_some_and(|groups| groups.contains(&principal.id)),
    };
    let perhaps_ours = |principal: &PrincipalRef| match principal.kind {
        PrincipalKind::User => caller.user.as_ref().is_none_or(|user| user.id == principal.id),
        PrincipalKind::Group => groups.is_none_or(|groups| groups.contains(&principal.id)),
    };
    let lost: Vec<&Assignment> = gone.into_iter().filter(|it| perhaps_ours(&it.principal.to_ref())).collect();
    let surely = lost.iter().find(|it| surely_ours(&it.principal.to_ref()));
    let (assignment, certain) = ((**surely.or(lost.first())?).clone(), surely.is_some());
    let stays = after.iter().any(surely_ours);
    (!stays).then_some(Refusal::OwnWayIn { user: way.user, assignment, certain })
}

/// A delegated administrator can do nothing in the management account, nor to a permission set that is provisioned there
/// (Identity Center user guide, "Delegated administration").
fn management_account(steps: &[Step], caller: &Caller, instance: &Instance, live: &Live<'_>) -> Option<Refusal> {
    let owner = instance.owner.as_ref().filter(|owner| **owner != caller.account)?;
    let is_there = |name: &PermissionSetName| {
        let provisioned = live.sets.get(name).and_then(|set| set.provisioned.as_ref());
        provisioned.is_some_and(|provisioned| provisioned.contains_key(owner))
    };
    let among = |accounts: &[AccountRef]| accounts.iter().any(|account| account.id == *owner);
    let touches = |change: &&Change| match change {
        Change::CreateSet { .. } => false,
        Change::EditSet { name, .. } | Change::DeleteSet { name, .. } => is_there(name),
        Change::Provision { accounts, name, .. } => among(accounts) || is_there(name),
        Change::Assign(assignment) | Change::Revoke { assignment, .. } => {
            assignment.account.id == *owner || is_there(&assignment.permission_set)
        }
    };
    let names: BTreeSet<PermissionSetName> =
        steps.iter().map(|step| &step.change).filter(touches).map(|change| change.permission_set().clone()).collect();
    (!names.is_empty()).then(|| Refusal::ManagementAccount {
        owner: owner.clone(),
        caller: caller.account.clone(),
        permission_sets: names,
    })
}
