//! Which changes, in which order, and what waits for what.
//!
//! The phases and their reasons:
//!
//! 1. create permission sets: nothing can refer to one that is not there;
//! 2. edit permission sets: accounts see none of it yet (Identity Center user guide, "permission sets");
//! 3. provision each edited or stale set once, where it is provisioned and stays: not where this plan takes away its
//!    last assignment ("404 Assignment not found", terraform-provider-aws#35158), not in accounts that are not active
//!    (aws-sso-util#80), and not at all where it was never provisioned, for the first assignment does that;
//! 4. assign, which provisions whatever the definition is by then, so only after 2 and 3;
//! 5. revoke, last: nobody loses access half-way, and the role of an account keeps its name (its suffix changes when
//!    the last assignment goes and comes back, Identity Center user guide, "referencing permission sets");
//! 6. delete permission sets that left the file, when nobody has them any more: AWS deletes none that is in use.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use crate::model::{
    AccountId, AccountRef, Assignment, Definition, DesiredState, Grant, ObservedSet, ObservedState, PermissionSetName,
    PrincipalId, PrincipalKind, PrincipalRef, Provisioning, SessionDuration,
};
use crate::plan::resolve::Resolved;
use crate::plan::{Change, Edit, Step, Targets, diff, managed};

/// Up to how many accounts are provisioned one by one when others of the set are up to date.
const FEW: usize = 10;

/// Returns all steps.
pub(super) fn steps(desired: &DesiredState, observed: &ObservedState, resolved: &Resolved) -> Vec<Step> {
    let (assigns, revokes) = assignments(desired, observed, resolved);
    let mut changes: Vec<Change> =
        desired.permission_sets.keys().filter_map(|name| definition(name, desired, observed)).collect();
    // Creations first, for readers; the sort is stable, so names stay in order.
    changes.sort_by_key(|change| matches!(change, Change::EditSet { .. }));
    let edited: BTreeSet<PermissionSetName> =
        changes.iter().filter(|change| reaches_accounts(change)).map(|c| c.permission_set().clone()).collect();
    let vanishing = vanishing(observed, &assigns, &revokes);
    for name in desired.permission_sets.keys().filter(|name| managed(desired, name).is_some()) {
        if let Some(set) = observed.permission_sets.get(name) {
            let stays = |account: &AccountId| observed.is_active(account) && !vanishing.contains(&(name, account));
            changes.extend(provision(name, set, edited.contains(name), stays, observed));
        }
    }
    let full = |grant: &Grant| Assignment {
        permission_set: grant.permission_set.clone(),
        account: observed.account_ref(&grant.account),
        principal: observed.directory.principal(&grant.principal),
    };
    // As sets of assignments, not of grants: in the order of names, which readers expect, not of ids.
    let assigns: BTreeSet<Assignment> = assigns.iter().map(full).collect();
    let revokes_in_order: BTreeSet<Assignment> = revokes.iter().map(full).collect();
    changes.extend(assigns.into_iter().map(Change::Assign));
    changes.extend(revokes_in_order.into_iter().map(|assignment| {
        let sessions_last = sessions_last(&assignment.permission_set, desired, observed);
        let role_goes = vanishing.contains(&(&assignment.permission_set, &assignment.account.id));
        Change::Revoke { assignment, sessions_last, role_goes }
    }));
    changes.extend(deletions(desired, observed, resolved, &revokes));
    wire(changes, observed, &held_back(observed, &revokes), &desired.successors())
}

/// Returns the deletions of sets that left the file; one that somebody still has where the file does not decide stays, as does
/// one whose role was left behind in an account: AWS deletes no set that is provisioned anywhere.
fn deletions(
    desired: &DesiredState,
    observed: &ObservedState,
    resolved: &Resolved,
    revokes: &BTreeSet<Grant>,
) -> Vec<Change> {
    let successors = desired.successors();
    let free = resolved.leaving.iter().filter(|name| {
        left_behind(name, observed, revokes).next().is_none() && left_roles(name, observed).next().is_none()
    });
    let change = |name: &PermissionSetName| {
        let definition = observed.permission_sets.get(name)?.definition.clone()?;
        let successor = successors.get(name).map(|new| (*new).clone());
        Some(Change::DeleteSet { name: name.clone(), definition: Box::new(definition), successor })
    };
    free.filter_map(change).collect()
}

/// Returns the live assignments of a set that none of the revocations takes away.
pub(super) fn left_behind<'a>(
    name: &'a PermissionSetName,
    observed: &'a ObservedState,
    revokes: &'a BTreeSet<Grant>,
) -> impl Iterator<Item = &'a Grant> {
    observed.assignments_of(name).filter(|grant| !revokes.contains(*grant))
}

/// Returns the accounts in which a set is provisioned though nobody has it there: no revocation takes such a role away.
pub(super) fn left_roles<'a>(
    name: &'a PermissionSetName,
    observed: &'a ObservedState,
) -> impl Iterator<Item = &'a AccountId> {
    let set = observed.permission_sets.get(name);
    let provisioned = set.and_then(|set| set.provisioned.as_ref()).into_iter().flat_map(BTreeMap::keys);
    let held: BTreeSet<&AccountId> = observed.assignments_of(name).map(|grant| &grant.account).collect();
    provisioned.filter(move |account| !held.contains(account))
}

/// The longer of what is live and what this plan makes of it: somebody may sign in between the two.
fn sessions_last(
    name: &PermissionSetName,
    desired: &DesiredState,
    observed: &ObservedState,
) -> Option<SessionDuration> {
    let live = observed.permission_sets.get(name)?.definition.as_ref()?.session_duration;
    Some(managed(desired, name).map_or(live, |declared| declared.session_duration.max(live)))
}

fn definition(name: &PermissionSetName, desired: &DesiredState, observed: &ObservedState) -> Option<Change> {
    let after = managed(desired, name)?;
    let Some(set) = observed.permission_sets.get(name) else {
        let edits = diff::edits_after_creation(after);
        return Some(Change::CreateSet { name: name.clone(), definition: Box::new(after.clone()), edits });
    };
    let before: &Definition = set.definition.as_ref()?;
    let edits = diff::edits(before, after);
    let change = Change::EditSet {
        name: name.clone(),
        before: Box::new(before.clone()),
        after: Box::new(after.clone()),
        edits: edits.clone(),
    };
    (!edits.is_empty()).then_some(change)
}

fn reaches_accounts(change: &Change) -> bool {
    match change {
        Change::EditSet { edits, .. } => edits.iter().any(Edit::reaches_accounts),
        Change::CreateSet { .. }
        | Change::Provision { .. }
        | Change::Assign(_)
        | Change::Revoke { .. }
        | Change::DeleteSet { .. } => false,
    }
}

/// Returns what is declared and missing, and what is there and not declared, where the file decides.
fn assignments(
    desired: &DesiredState,
    observed: &ObservedState,
    resolved: &Resolved,
) -> (BTreeSet<Grant>, BTreeSet<Grant>) {
    // Only what differs is asked whether the file decides about it; grants of the file are where it does.
    let owned = |grant: &&Grant| resolved.decides(desired, grant);
    let assigns = resolved.grants.difference(&observed.assignments).cloned().collect();
    let revokes = observed.assignments.difference(&resolved.grants).filter(owned).cloned().collect();
    (assigns, revokes)
}

type Pair<'a> = (&'a PermissionSetName, &'a AccountId);

/// Returns one revocation for each role of which every live assignment goes: the one that waits until somebody new is
/// there. Preferably that of a principal who no longer exists, for that one gives nobody anything meanwhile.
fn held_back<'a>(observed: &'a ObservedState, revokes: &'a BTreeSet<Grant>) -> BTreeSet<&'a Grant> {
    let emptied = vanishing(observed, [], revokes);
    let mut held: BTreeMap<Pair<'a>, &'a Grant> = BTreeMap::new();
    for grant in revokes {
        let pair = (&grant.permission_set, &grant.account);
        let is_gone = |grant: &Grant| observed.directory.principal(&grant.principal).name.is_none();
        if emptied.contains(&pair) && held.get(&pair).is_none_or(|other| is_gone(grant) && !is_gone(other)) {
            held.insert(pair, grant);
        }
    }
    held.into_values().collect()
}

/// Returns the pairs whose last assignment goes: their role is deleted, so there is nothing to provision.
fn vanishing<'a>(
    observed: &'a ObservedState,
    assigns: impl IntoIterator<Item = &'a Grant>,
    revokes: &'a BTreeSet<Grant>,
) -> BTreeSet<Pair<'a>> {
    // Only where something goes can the last go.
    let mut remaining: BTreeMap<Pair<'a>, usize> = BTreeMap::new();
    for grant in revokes {
        let held = || observed.assignments_on(&grant.permission_set, &grant.account).count();
        remaining.entry((&grant.permission_set, &grant.account)).or_insert_with(held);
    }
    for grant in assigns {
        if let Some(count) = remaining.get_mut(&(&grant.permission_set, &grant.account)) {
            *count += 1;
        }
    }
    for grant in revokes {
        if let Some(count) = remaining.get_mut(&(&grant.permission_set, &grant.account)) {
            *count = count.saturating_sub(1);
        }
    }
    remaining.into_iter().filter(|(_, count)| *count == 0).map(|(pair, _)| pair).collect()
}

fn provision(
    name: &PermissionSetName,
    set: &ObservedSet,
    edited: bool,
    stays: impl Fn(&AccountId) -> bool,
    observed: &ObservedState,
) -> Option<Change> {
    let provisioned = set.provisioned.as_ref()?;
    let is_stale = |account: &AccountId| provisioned.get(account) == Some(&Provisioning::Stale);
    let accounts: Vec<&AccountId> = provisioned.keys().filter(|id| stays(id) && (edited || is_stale(id))).collect();
    if accounts.is_empty() {
        return None;
    }
    let everywhere = provisioned.keys().all(stays);
    let targets = if everywhere && (accounts.len() == provisioned.len() || accounts.len() > FEW) {
        Targets::AllProvisioned
    } else {
        Targets::Each
    };
    let refs = |ids: &[&AccountId]| ids.iter().map(|id| observed.account_ref(id)).collect::<Vec<AccountRef>>();
    let stale: Vec<&AccountId> = accounts.iter().copied().filter(|id| is_stale(id)).collect();
    Some(Change::Provision { name: name.clone(), targets, accounts: refs(&accounts), stale: refs(&stale) })
}

/// What a step waits for.
#[derive(Default)]
struct Waits {
    needs: BTreeSet<usize>,
    needs_any: BTreeSet<usize>,
    after: BTreeSet<usize>,
}

/// Which earlier steps a later one may depend on.
struct Earlier<'a> {
    observed: &'a ObservedState,
    held_back: &'a BTreeSet<&'a Grant>,
    successors: &'a BTreeMap<&'a PermissionSetName, &'a PermissionSetName>,
    definition: BTreeMap<&'a PermissionSetName, usize>,
    provision: BTreeMap<&'a PermissionSetName, usize>,
    provision_of_pair: BTreeMap<Pair<'a>, usize>,
    last_of_pair: BTreeMap<Pair<'a>, usize>,
    assigns_of_pair: BTreeMap<Pair<'a>, BTreeSet<usize>>,
    /// With the groups that they are for.
    group_assigns_of_pair: BTreeMap<Pair<'a>, Vec<(&'a PrincipalId, usize)>>,
    assigns_of_person: BTreeMap<(&'a AccountId, PrincipalRef), BTreeSet<usize>>,
    revokes_of_set: BTreeMap<&'a PermissionSetName, BTreeSet<usize>>,
}

/// Adds what each change waits for.
fn wire(
    changes: Vec<Change>,
    observed: &ObservedState,
    held_back: &BTreeSet<&Grant>,
    successors: &BTreeMap<&PermissionSetName, &PermissionSetName>,
) -> Vec<Step> {
    let mut waits = Vec::with_capacity(changes.len());
    let mut earlier = Earlier {
        observed,
        held_back,
        successors,
        definition: BTreeMap::new(),
        provision: BTreeMap::new(),
        provision_of_pair: BTreeMap::new(),
        last_of_pair: BTreeMap::new(),
        assigns_of_pair: BTreeMap::new(),
        group_assigns_of_pair: BTreeMap::new(),
        assigns_of_person: BTreeMap::new(),
        revokes_of_set: BTreeMap::new(),
    };
    for (index, change) in changes.iter().enumerate() {
        waits.push(earlier.waits(change));
        earlier.remember(index, change);
    }
    changes
        .into_iter()
        .zip(waits)
        .map(|(change, Waits { needs, needs_any, after })| Step { change, needs, needs_any, after })
        .collect()
}

impl<'a> Earlier<'a> {
    /// Returns what a change waits for.
    fn waits(&self, change: &'a Change) -> Waits {
        let of = |table: &BTreeMap<&PermissionSetName, usize>| table.get(change.permission_set()).copied();
        match change {
            Change::CreateSet { .. } | Change::EditSet { .. } => Waits::default(),
            Change::DeleteSet { name, successor, .. } => {
                let mut needs = self.revokes_of_set.get(name).cloned().unwrap_or_default();
                needs.extend(successor.iter().flat_map(|new| self.made(new)));
                Waits { needs, ..Waits::default() }
            }
            // Half an edit must not reach accounts: they keep the old version, which is consistent.
            Change::Provision { .. } => Waits { needs: of(&self.definition).into_iter().collect(), ..Waits::default() },
            Change::Assign(assignment) => {
                let pair = (&assignment.permission_set, &assignment.account.id);
                // Where the account has an older version, nobody new gets it: that may be more than the file grants, and
                // whether assigning brings the newest version by itself is not documented.
                let newest = self.provision_of_pair.get(&pair).copied();
                let after = of(&self.provision).into_iter().chain(self.last_of_pair.get(&pair).copied());
                let needs = of(&self.definition).into_iter().chain(newest);
                Waits { needs: needs.collect(), after: after.collect(), ..Waits::default() }
            }
            Change::Revoke { assignment, .. } => {
                let pair = (&assignment.permission_set, &assignment.account.id);
                let person = (&assignment.account.id, assignment.principal.to_ref());
                let grant = assignment.to_grant();
                // What takes this one's place must be there first: the same person with another permission set, or
                // anybody at all where the role would be left without. Where granting failed, it stays.
                let of_pair = self.assigns_of_pair.get(&pair).filter(|_| self.held_back.contains(&grant));
                let mut needs = self.assigns_of_person.get(&person).cloned().unwrap_or_default();
                // A group that gets the same stands for the users in it, and whoever gets the same may stand for a group that
                // loses it. What is not known of memberships counts as one.
                if assignment.principal.name.is_some() {
                    match assignment.principal.kind {
                        PrincipalKind::User => {
                            let groups = self.observed.groups_of.get(&assignment.principal.id);
                            let assigns = self.group_assigns_of_pair.get(&pair).into_iter().flatten();
                            let of_theirs =
                                assigns.filter(|(group, _)| groups.is_none_or(|groups| groups.contains(group)));
                            needs.extend(of_theirs.map(|(_, index)| *index));
                        }
                        PrincipalKind::Group => needs.extend(self.assigns_of_pair.get(&pair).into_iter().flatten()),
                    }
                }
                // A former permission set goes when the one that replaces it is whole, and everybody has it there.
                if let Some(new) = self.successors.get(&assignment.permission_set) {
                    needs.extend(self.made(new));
                    needs.extend(self.assigns_of_pair.get(&(*new, &assignment.account.id)).into_iter().flatten());
                }
                let after = [of(&self.definition), of(&self.provision), self.last_of_pair.get(&pair).copied()];
                Waits {
                    needs,
                    needs_any: of_pair.cloned().unwrap_or_default(),
                    after: after.into_iter().flatten().collect(),
                }
            }
        }
    }

    /// Returns the steps that make a permission set what it shall be, in its accounts as well.
    fn made(&self, name: &PermissionSetName) -> impl Iterator<Item = usize> {
        [self.definition.get(name), self.provision.get(name)].into_iter().flatten().copied()
    }

    fn remember(&mut self, index: usize, change: &'a Change) {
        match change {
            Change::CreateSet { name, .. } | Change::EditSet { name, .. } => {
                self.definition.insert(name, index);
            }
            Change::Provision { name, accounts, .. } => {
                self.provision.insert(name, index);
                let pairs = accounts.iter().map(|account| (name, &account.id));
                self.provision_of_pair.extend(pairs.zip(iter::repeat(index)));
            }
            Change::Assign(assignment) => {
                let pair = (&assignment.permission_set, &assignment.account.id);
                // AWS refuses a second request on the same pair while one is running ("conflicting operation").
                self.last_of_pair.insert(pair, index);
                self.assigns_of_pair.entry(pair).or_default().insert(index);
                if assignment.principal.kind == PrincipalKind::Group {
                    self.group_assigns_of_pair.entry(pair).or_default().push((&assignment.principal.id, index));
                }
                let person = (&assignment.account.id, assignment.principal.to_ref());
                self.assigns_of_person.entry(person).or_default().insert(index);
            }
            Change::Revoke { assignment, .. } => {
                self.last_of_pair.insert((&assignment.permission_set, &assignment.account.id), index);
                self.revokes_of_set.entry(&assignment.permission_set).or_default().insert(index);
            }
            Change::DeleteSet { .. } => {}
        }
    }
}
