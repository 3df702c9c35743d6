//! The differences once more, told by kind, for a scheduled look.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::sealed;
use crate::model::{
    Accepted, AccountRef, AccountSelector, Assignment, ChangedBy, Definition, DesiredState, Grant, Lookup,
    ObservedState, PermissionSetName, Place, PrincipalKind, Rule,
};
use crate::plan::resolve::{self, Resolved};
use crate::plan::{Change, LeftAlone, Plan, Refusal};

/// What differs, and what is left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// Where.
    pub instance: crate::model::Instance,
    /// The differences, by kind and in the order of the plan.
    pub entries: Vec<DriftEntry>,
    /// Those that somebody lets be, which do not count.
    pub accepted: Vec<(DriftEntry, Accepted)>,
    /// What is not counted.
    pub left_alone: LeftAlone,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriftEntry {
    /// Of which kind.
    pub kind: DriftKind,
    /// About what.
    pub subject: DriftSubject,
    /// Where the access file says otherwise, if it says anything of it.
    pub place: Option<Place>,
    /// Who made it, if that is known.
    pub changed_by: Option<ChangedBy>,
}

/// The kinds of drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DriftKind {
    /// Declared, but live is different.
    Changed,
    /// Declared, but not there.
    Missing,
    /// Live, in scope, not declared.
    Undeclared,
    /// The definition is right, but accounts still run an older version.
    Stale,
    /// Of somebody who no longer exists, or cannot sign in.
    Orphaned,
    /// Of a line whose date has passed.
    Expired,
}

impl Drift {
    /// Takes out what a baseline accepts, and returns its lines that accept nothing any more.
    pub fn accept(&mut self, accepted: &[Accepted]) -> Vec<Accepted> {
        let lines: BTreeMap<&str, &Accepted> =
            accepted.iter().filter(|it| !it.has_expired()).map(|it| (it.fingerprint.as_str(), it)).collect();
        let mut used = BTreeSet::new();
        for entry in std::mem::take(&mut self.entries) {
            let fingerprint = entry.fingerprint();
            match lines.get(fingerprint.as_str()) {
                Some(line) => self.accepted.push((entry, (*line).clone())),
                None => self.entries.push(entry),
            }
            used.insert(fingerprint);
        }
        accepted.iter().filter(|it| !used.contains(&it.fingerprint)).cloned().collect()
    }
}

impl DriftEntry {
    /// Returns by what it is known again: kind and subject in ids, and for a definition what it is and what it should be. A
    /// difference that grows is another one.
    pub fn fingerprint(&self) -> String {
        let ids = |accounts: &[AccountRef]| accounts.iter().map(|it| it.id.to_string()).collect::<Vec<_>>().join(" ");
        let grant = |it: &Assignment| {
            format!("{} {} {} {}", it.permission_set, it.account.id, it.principal.kind.word(), it.principal.id)
        };
        let subject = match &self.subject {
            DriftSubject::MissingSet { name } | DriftSubject::LeftSet { name } => name.to_string(),
            DriftSubject::ChangedSet { name, live, declared } => {
                format!("{name} {}", serde_json::to_string(&(live, declared)).unwrap_or_default())
            }
            DriftSubject::StaleAccounts { name, accounts } => format!("{name} {}", ids(accounts)),
            DriftSubject::Assignment(it) | DriftSubject::DisabledUser(it) => grant(it),
            DriftSubject::Expired { assignment, .. } => grant(assignment),
        };
        let digest = sealed::digest(&format!("{} {subject}", self.kind.word()));
        digest.chars().take(20).collect()
    }
}

impl DriftKind {
    /// All kinds in the order in which they are reported.
    pub const ALL: [Self; 6] =
        [Self::Changed, Self::Missing, Self::Undeclared, Self::Stale, Self::Orphaned, Self::Expired];

    /// Returns the word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Missing => "missing",
            Self::Undeclared => "undeclared",
            Self::Stale => "stale",
            Self::Orphaned => "orphaned",
            Self::Expired => "expired",
        }
    }
}

/// What a difference is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DriftSubject {
    /// A permission set that is not there.
    MissingSet {
        /// Its name.
        name: PermissionSetName,
    },
    /// A permission set that is different.
    ChangedSet {
        /// Its name.
        name: PermissionSetName,
        /// What it consists of.
        live: Box<Definition>,
        /// What it should consist of.
        declared: Box<Definition>,
    },
    /// Accounts that have an older version of a permission set.
    StaleAccounts {
        /// The permission set.
        name: PermissionSetName,
        /// The accounts.
        accounts: Vec<AccountRef>,
    },
    /// A permission set that this owner's file declared once and no longer does.
    LeftSet {
        /// Its name.
        name: PermissionSetName,
    },
    /// An assignment.
    Assignment(Assignment),
    /// An assignment that a line of the file gave until its date had passed.
    Expired {
        /// The assignment.
        assignment: Assignment,
        /// The date as it is written.
        expires: String,
    },
    /// An assignment, as declared, of a user who is disabled.
    DisabledUser(Assignment),
}

/// Up to how many differences the lines that say otherwise are looked for: nobody reads more annotations.
const LOOKED_FOR: usize = 2_000;

/// Tells the differences by kind.
pub fn drift(plan: &Plan, desired: &DesiredState, observed: &ObservedState) -> Drift {
    let resolved = resolve::resolve(desired, observed, &mut Vec::new());
    let mut found: Vec<(DriftKind, DriftSubject)> = plan.changes().filter_map(entry).collect();
    found.extend(plan.refusals.iter().filter_map(|refusal| unchanged(refusal, plan)));
    found.extend(disabled_users(&resolved, observed));
    let looked_for = found.len() <= LOOKED_FOR;
    let with_place = |(kind, subject)| {
        let (kind, subject, place) = placed(kind, subject, desired, observed, &resolved, looked_for);
        DriftEntry { kind, subject, place, changed_by: None }
    };
    let mut entries: Vec<DriftEntry> = found.into_iter().map(with_place).collect();
    entries.sort_by_key(|entry| entry.kind);
    Drift { instance: plan.instance.clone(), entries, accepted: Vec::new(), left_alone: plan.left_alone.clone() }
}

/// Finds where the file says otherwise; what a line gave until its date had passed is a kind of its own.
fn placed(
    kind: DriftKind,
    subject: DriftSubject,
    desired: &DesiredState,
    observed: &ObservedState,
    resolved: &Resolved,
    looked_for: bool,
) -> (DriftKind, DriftSubject, Option<Place>) {
    let of_set = |name: &PermissionSetName| desired.permission_sets.get(name).map(|set| set.place);
    let place = match &subject {
        DriftSubject::MissingSet { name }
        | DriftSubject::ChangedSet { name, .. }
        | DriftSubject::StaleAccounts { name, .. }
        | DriftSubject::LeftSet { name } => of_set(name),
        DriftSubject::Assignment(it) if kind == DriftKind::Undeclared || kind == DriftKind::Orphaned => {
            let grant = it.to_grant();
            let rule = resolved.expired.get(&grant).and_then(|rule| desired.rules.get(*rule));
            if let Some(expiry) = rule.and_then(|rule| rule.expires.as_ref()) {
                let (assignment, expires) = (it.clone(), expiry.written.clone());
                return (DriftKind::Expired, DriftSubject::Expired { assignment, expires }, Some(expiry.place));
            }
            None
        }
        DriftSubject::Assignment(it) | DriftSubject::DisabledUser(it) if looked_for => {
            granting(desired, observed, &it.to_grant()).find(|rule| !rule.has_expired()).map(|rule| rule.place)
        }
        DriftSubject::Assignment(_) | DriftSubject::DisabledUser(_) | DriftSubject::Expired { .. } => None,
    };
    (kind, subject, place)
}

/// Returns the lines of the file that give, or gave, an assignment.
fn granting<'a>(
    desired: &'a DesiredState,
    observed: &'a ObservedState,
    grant: &'a Grant,
) -> impl Iterator<Item = &'a Rule> {
    let means = |selector: &AccountSelector| {
        observed
            .accounts
            .get(&grant.account)
            .map_or(*selector == AccountSelector::Id(grant.account.clone()), |it| selector.matches(it))
    };
    let is_named = |name: &str| {
        let lookup = observed.directory.by_name.get(&(grant.principal.kind, name.to_owned()));
        matches!(lookup, Some(Lookup::Found(id)) if *id == grant.principal.id)
    };
    desired.rules.iter().filter(move |rule| {
        rule.permission_sets.iter().any(|set| set.value == grant.permission_set)
            && rule.accounts.iter().any(|it| means(&it.value))
            && !rule.except_accounts.iter().any(|it| means(&it.value))
            && match grant.principal.kind {
                PrincipalKind::Group => rule.groups.iter().any(|group| is_named(group.value.as_str())),
                PrincipalKind::User => rule.users.iter().any(|user| is_named(user.value.as_str())),
            }
    })
}

fn entry(change: &Change) -> Option<(DriftKind, DriftSubject)> {
    let found = match change {
        Change::CreateSet { name, .. } => (DriftKind::Missing, DriftSubject::MissingSet { name: name.clone() }),
        Change::EditSet { name, before, after, edits: _ } => (
            DriftKind::Changed,
            DriftSubject::ChangedSet { name: name.clone(), live: before.clone(), declared: after.clone() },
        ),
        // Accounts that only follow an edit of this plan are no difference of their own.
        Change::Provision { stale, .. } if stale.is_empty() => return None,
        Change::Provision { name, stale, .. } => {
            (DriftKind::Stale, DriftSubject::StaleAccounts { name: name.clone(), accounts: stale.clone() })
        }
        Change::Assign(assignment) => (DriftKind::Missing, DriftSubject::Assignment(assignment.clone())),
        Change::Revoke { assignment, .. } if assignment.principal.name.is_none() => {
            (DriftKind::Orphaned, DriftSubject::Assignment(assignment.clone()))
        }
        Change::Revoke { assignment, .. } => (DriftKind::Undeclared, DriftSubject::Assignment(assignment.clone())),
        Change::DeleteSet { name, .. } => (DriftKind::Undeclared, DriftSubject::LeftSet { name: name.clone() }),
    };
    Some(found)
}

/// What differs though no change of the plan is about it, since apply may not mend it: somebody should look all the same.
fn unchanged(refusal: &Refusal, plan: &Plan) -> Option<(DriftKind, DriftSubject)> {
    match refusal {
        Refusal::LeftBehind { permission_set, .. } => {
            Some((DriftKind::Undeclared, DriftSubject::LeftSet { name: permission_set.clone() }))
        }
        Refusal::Required { assignment } => {
            let goes = |change: &Change| matches!(change, Change::Revoke { assignment: it, .. } if it == assignment);
            let missing = (DriftKind::Missing, DriftSubject::Assignment(assignment.clone()));
            (!plan.changes().any(goes)).then_some(missing)
        }
        Refusal::TakeOver { .. }
        | Refusal::MassDeletion { .. }
        | Refusal::MassDeletionWithin { .. }
        | Refusal::OwnWayIn { .. }
        | Refusal::ManagementAccount { .. }
        | Refusal::NothingLeft { .. }
        | Refusal::ControlTower { .. } => None,
    }
}

/// Declared and live, but of no use: the user cannot sign in. Nothing to apply, something to know.
fn disabled_users<'a>(
    resolved: &'a Resolved,
    observed: &'a ObservedState,
) -> impl Iterator<Item = (DriftKind, DriftSubject)> + 'a {
    let of_no_use = |row: &&Grant| resolved.grants.contains(*row) && observed.directory.is_disabled(&row.principal);
    observed.assignments.iter().filter(of_no_use).map(|row| {
        let assignment = Assignment {
            permission_set: row.permission_set.clone(),
            account: observed.account_ref(&row.account),
            principal: observed.directory.principal(&row.principal),
        };
        (DriftKind::Orphaned, DriftSubject::DisabledUser(assignment))
    })
}
