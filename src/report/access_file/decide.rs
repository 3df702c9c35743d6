//! What an access file can say of each permission set and principal, and what somebody has to decide first.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    AccountId, CONTROL_TOWER_SETS, Definition, Grant, OWNER_TAG, ObservedSet, ObservedState, PermissionSetName,
    PrincipalRef, PrincipalState, Provisioning, Shown,
};
use crate::report::access_file::Options;
use crate::report::count;

/// What becomes of a permission set in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is declared, whole.
    Managed(Box<Definition>),
    /// It is only assigned.
    External {
        /// Why.
        why: String,
        /// What it consists of, to show what the file would say.
        definition: Option<Box<Definition>>,
    },
    /// It cannot be declared at all.
    LeftOut,
}

/// All verdicts.
pub(super) struct Decisions {
    sets: BTreeMap<PermissionSetName, Verdict>,
    nameable: BTreeSet<PrincipalRef>,
    /// Who owns the permission sets that are declared whole.
    pub(super) owner: Option<String>,
}

impl Decisions {
    pub(super) fn new(observed: &ObservedState, options: &Options) -> Self {
        let mut spellings: BTreeMap<String, usize> = BTreeMap::new();
        for name in observed.permission_sets.keys() {
            *spellings.entry(name.as_str().to_ascii_lowercase()).or_default() += 1;
        }
        let is_twin = |name: &PermissionSetName| {
            spellings.get(&name.as_str().to_ascii_lowercase()).is_some_and(|number| *number > 1)
        };
        // What carries the owner's tag and is not declared, apply deletes.
        let all_declared = !options.narrowed && !observed.permission_sets.keys().any(is_twin);
        let common = || if all_declared { common_owner(observed) } else { None };
        let owner = options.owner.clone().or_else(common);
        let verdict = |(name, set): (&PermissionSetName, &ObservedSet)| {
            let verdict = if is_twin(name) { Verdict::LeftOut } else { judge(name, set, owner.as_deref(), options) };
            (name.clone(), verdict)
        };
        let sets = observed.permission_sets.iter().map(verdict).collect();
        Self { sets, nameable: nameable(observed), owner }
    }

    pub(super) fn verdict(&self, name: &PermissionSetName) -> Option<&Verdict> {
        self.sets.get(name)
    }

    /// Returns the permission sets that the file declares.
    pub(super) fn sets(&self) -> impl Iterator<Item = (&PermissionSetName, &Verdict)> {
        self.sets.iter().filter(|(_, verdict)| **verdict != Verdict::LeftOut)
    }

    /// Returns whether a name in the file means this principal and nobody else.
    pub(super) fn is_nameable(&self, principal: &PrincipalRef) -> bool {
        self.nameable.contains(principal)
    }

    /// Says what somebody should look at.
    pub(super) fn words(
        &self,
        observed: &ObservedState,
        nameless: &BTreeSet<&PrincipalRef>,
        told: &BTreeSet<Grant>,
    ) -> Vec<String> {
        let mut words = Vec::new();
        let twins: Vec<&str> =
            self.sets.iter().filter(|(_, it)| **it == Verdict::LeftOut).map(|(name, _)| name.as_str()).collect();
        if !twins.is_empty() {
            words.push(format!("permission sets whose names differ by case only, left out: {}", twins.join(", ")));
        }
        for (name, verdict) in &self.sets {
            if let Verdict::External { why, definition: Some(_) } = verdict {
                words.push(format!("{name}: {why}"));
            }
        }
        if !nameless.is_empty() {
            let who = count(nameless.len(), "user or group").replace("user or groups", "users or groups");
            words.push(format!("{who} without a name that means only them, most likely deleted: see `ignore`"));
        }
        let inactive = observed.assignments.iter().filter(|grant| !observed.is_active(&grant.account));
        let inactive: Vec<&Grant> = inactive.collect();
        if !inactive.is_empty() {
            let accounts: BTreeSet<String> =
                inactive.iter().map(|grant| observed.account_ref(&grant.account).to_string()).collect();
            let accounts: Vec<String> = accounts.into_iter().collect();
            words.push(format!(
                "{} in accounts that are not active, left out; should one come back, apply revokes them: {}",
                count(inactive.len(), "assignment"),
                Shown(&accounts.join(", "))
            ));
        }
        let used: BTreeSet<&AccountId> = told.iter().map(|grant| &grant.account).collect();
        let mut names: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for account in observed.accounts.values() {
            names.entry(account.name.as_str()).or_default().push(account.id.as_str());
        }
        let in_use = |ids: &[&str]| used.iter().any(|id| ids.contains(&id.as_str()));
        for (name, ids) in names.into_iter().filter(|(_, ids)| ids.len() > 1 && in_use(ids)) {
            words.push(format!(
                "several accounts are called `{}`, so their ids stand here: {}",
                Shown(name),
                ids.join(", ")
            ));
        }
        words
    }
}

/// Returns the owner whose tag every permission set carries that could be declared whole.
fn common_owner(observed: &ObservedState) -> Option<String> {
    let definitions = observed.permission_sets.iter().filter(|(name, _)| !is_control_tower(name));
    let owners: BTreeSet<Option<&String>> = definitions
        .filter_map(|(_, set)| set.definition.as_ref())
        .map(|definition| definition.tags.get(OWNER_TAG))
        .collect();
    match owners.into_iter().collect::<Vec<_>>().as_slice() {
        [Some(owner)] => Some((*owner).clone()),
        _ => None,
    }
}

fn is_control_tower(name: &PermissionSetName) -> bool {
    CONTROL_TOWER_SETS.contains(&name.as_str())
}

fn judge(name: &PermissionSetName, set: &ObservedSet, owner: Option<&str>, options: &Options) -> Verdict {
    let external = |why: &str| Verdict::External { why: why.to_owned(), definition: None };
    if is_control_tower(name) {
        return external("AWS Control Tower decides what it contains");
    }
    if options.external {
        return external("this file only assigns it");
    }
    let Some(definition) = &set.definition else { return external("what it contains was not read") };
    let to_decide = |why: String| Verdict::External { why, definition: Some(Box::new(definition.clone())) };
    let theirs = definition.tags.get(OWNER_TAG);
    if let Some(theirs) = theirs.filter(|theirs| Some(theirs.as_str()) != owner) {
        return external(&format!("it belongs to {}", Shown(theirs)));
    }
    if let Some(why) = options.cannot.get(name) {
        return external(why);
    }
    if definition.inline_policy.as_ref().is_some_and(|policy| policy.document().is_none()) {
        return external("its inline policy is no policy that permset can read");
    }
    let stale = set.provisioned.iter().flatten().filter(|(_, state)| **state == Provisioning::Stale).count();
    if stale > 0 {
        let accounts = count(stale, "account");
        return to_decide(format!("edited and never provisioned in {accounts}, where an older version is in force"));
    }
    Verdict::Managed(Box::new(definition.clone()))
}

/// Returns those of whom the file can speak by name.
fn nameable(observed: &ObservedState) -> BTreeSet<PrincipalRef> {
    let mut named: BTreeMap<(crate::model::PrincipalKind, &str), Vec<&PrincipalRef>> = BTreeMap::new();
    for (principal, state) in &observed.directory.by_id {
        if let PrincipalState::Known { name, .. } = state
            && !name.trim().is_empty()
        {
            named.entry((principal.kind, name)).or_default().push(principal);
        }
    }
    let only = named.into_values().filter_map(|who| match who.as_slice() {
        [one] => Some((*one).clone()),
        _ => None,
    });
    only.collect()
}
