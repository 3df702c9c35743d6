//! Changes in words, the same for every form of output.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use similar::TextDiff;

use crate::model::policy::diff;
use crate::model::{AccountRef, Assignment, Definition, OWNER_TAG, Policy, Shown};
use crate::plan::{Change, Deleted, Emptied, EmptiedPlace, Plan, Refusal};
use crate::report::count;

/// The four things that a change can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Add,
    Change,
    Provision,
    Remove,
}

impl Sign {
    pub(super) fn of(change: &Change) -> Self {
        match change {
            Change::CreateSet { .. } | Change::Assign(_) => Self::Add,
            Change::EditSet { .. } => Self::Change,
            Change::Provision { .. } => Self::Provision,
            Change::Revoke { .. } | Change::DeleteSet { .. } => Self::Remove,
        }
    }

    pub(super) fn mark(self) -> char {
        match self {
            Self::Add => '+',
            Self::Change => '~',
            Self::Provision => '>',
            Self::Remove => '-',
        }
    }
}

/// One line about a part of a permission set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Detail {
    pub(super) label: &'static str,
    pub(super) text: String,
}

/// Says in one line what a change is, for progress and outcomes.
pub fn one_line(change: &Change) -> String {
    match change {
        Change::CreateSet { name, .. } => format!("create permission set {name}"),
        Change::EditSet { name, .. } => format!("change permission set {name}"),
        Change::Provision { name, accounts, .. } => {
            format!("provision {name} into {}", count(accounts.len(), "account"))
        }
        Change::Assign(assignment) => format!("assign {}", assignment_words(assignment)),
        Change::Revoke { assignment, .. } => format!("revoke {}", assignment_words(assignment)),
        Change::DeleteSet { name, successor: None, .. } => format!("delete permission set {name}"),
        Change::DeleteSet { name, successor: Some(new), .. } => {
            format!("delete permission set {name}, which is {new} now")
        }
    }
}

/// Says who has what where.
pub(super) fn assignment_words(assignment: &Assignment) -> String {
    let Assignment { permission_set, account, principal } = assignment;
    let who = match &principal.name {
        Some(name) => Shown(name).to_string(),
        None => format!("{} (deleted)", principal.id),
    };
    format!("{permission_set} in {account} for {} {who}", principal.kind.word())
}

/// Counts the changes: `2 to create, 1 to change, 1 to provision, 1 to delete`.
pub(super) fn summary(plan: &Plan) -> String {
    let counts = Counts::of(plan);
    let parts = [
        (counts.create, "to create"),
        (counts.change, "to change"),
        (counts.provision, "to provision"),
        (counts.delete, "to delete"),
    ];
    let parts: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if parts.is_empty() { "nothing to do".to_owned() } else { parts.join(", ") }
}

/// How many changes of each kind there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) create: usize,
    pub(super) change: usize,
    pub(super) provision: usize,
    pub(super) delete: usize,
    pub(super) requests: usize,
}

impl Counts {
    pub(super) fn of(plan: &Plan) -> Self {
        let mut counts = Self::default();
        for change in plan.changes() {
            let slot = match Sign::of(change) {
                Sign::Add => &mut counts.create,
                Sign::Change => &mut counts.change,
                Sign::Provision => &mut counts.provision,
                Sign::Remove => &mut counts.delete,
            };
            *slot += 1;
            counts.requests += change.requests();
        }
        counts
    }
}

/// Says why a plan is refused.
pub(super) fn refusal(refusal: &Refusal) -> String {
    match refusal {
        Refusal::TakeOver { permission_set, theirs, ours } => {
            let ours = ours
                .as_ref()
                .map_or_else(|| "this file has no owner".to_owned(), |ours| format!("this file is `{}`", Shown(ours)));
            format!("permission set {permission_set} is owned by `{}` (tag {OWNER_TAG}), {ours}", Shown(theirs))
        }
        Refusal::MassDeletion { what, deletions, of, limits } => {
            let what = match what {
                Deleted::Assignments => "assignment",
                Deleted::PermissionSets => "permission set",
            };
            let of = count(*of, what);
            format!("this plan deletes {deletions} of {of} (limits: {}, or {}%)", limits.count, limits.percent)
        }
        Refusal::MassDeletionWithin { places, limits } => {
            let place = |emptied: &Emptied| match &emptied.place {
                EmptiedPlace::Account(account) => format!("{} of {} in {account}", emptied.deletions, emptied.of),
                EmptiedPlace::PermissionSet(name) => format!("{} of {} of {name}", emptied.deletions, emptied.of),
            };
            let more = if places.len() > 5 { format!(" and {} more", places.len() - 5) } else { String::new() };
            let list = places.iter().take(5).map(place).collect::<Vec<_>>().join(", ");
            format!(
                "this plan deletes {list}{more} (limit: {}% in each account and of each permission set)",
                limits.percent
            )
        }
        Refusal::OwnWayIn { user, assignment, certain } => {
            let way = format!("{} in {}", assignment.permission_set, assignment.account);
            let what = assignment_words(assignment);
            if *certain {
                format!("this plan takes away your own way in: you are `{user}` with {way}, and it revokes {what}")
            } else {
                format!(
                    "this plan may take away your own way in: you are `{user}` with {way}, it revokes {what}, and your groups could not be read"
                )
            }
        }
        Refusal::ManagementAccount { owner, caller, permission_sets } => {
            let names: Vec<String> = permission_sets.iter().take(5).map(ToString::to_string).collect();
            let more = if permission_sets.len() > 5 {
                format!(" and {} more", permission_sets.len() - 5)
            } else {
                String::new()
            };
            format!(
                "you call from {caller}, and AWS lets only {owner} (the management account) touch what is assigned or provisioned there: {}{more}",
                names.join(", ")
            )
        }
        Refusal::NothingLeft { deletions } => format!(
            "the file assigns nobody anything, so this plan deletes all of the {} that it decides about",
            count(*deletions, "assignment")
        ),
        Refusal::Required { assignment } => format!(
            "a required grant would be missing: {} in {} for {}",
            assignment.permission_set,
            assignment.account,
            assignment.principal.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
        ),
        Refusal::LeftBehind { permission_set, assignments, roles } => {
            let held = assignments.iter().map(assignment_words);
            let roles = roles.iter().map(|account| format!("provisioned in {account} though nobody has it"));
            let all: Vec<String> = held.chain(roles).collect();
            let more = if all.len() > 5 { format!(" and {} more", all.len() - 5) } else { String::new() };
            let list: Vec<&str> = all.iter().take(5).map(String::as_str).collect();
            format!(
                "{permission_set} left the file and stays, for it is still in use outside: {}{more}",
                list.join(", ")
            )
        }
        Refusal::ControlTower { names } => {
            let names: Vec<String> = names.iter().map(|name| format!("`{}`", Shown(name))).collect();
            format!("this plan takes from what AWS Control Tower owns: {}", names.join(", "))
        }
    }
}

/// Describes a new permission set: what it has, and always how long a session lasts.
pub(super) fn definition(definition: &Definition) -> Vec<Detail> {
    let Definition {
        description,
        session_duration,
        relay_state,
        tags,
        aws_managed_policies,
        customer_managed_policies,
        inline_policy,
        permissions_boundary,
    } = definition;
    let tags: Vec<String> = tags.iter().map(|(key, value)| format!("{}={}", Shown(key), Shown(value))).collect();
    let parts = [
        ("description", description.as_deref().map(quoted)),
        ("session duration", Some(session_duration.to_string())),
        ("relay state", relay_state.as_deref().map(|text| Shown(text).to_string())),
        ("tags", (!tags.is_empty()).then(|| tags.join(", "))),
        ("managed policies", listed(aws_managed_policies)),
        ("customer policies", listed(customer_managed_policies)),
        ("inline policy", inline_policy.as_ref().map(ToString::to_string)),
        ("boundary", permissions_boundary.as_ref().map(ToString::to_string)),
    ];
    parts.into_iter().filter_map(|(label, text)| Some(Detail { label, text: text? })).collect()
}

fn listed<T: Ord + Display>(items: &BTreeSet<T>) -> Option<String> {
    let texts: Vec<String> = items.iter().map(ToString::to_string).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}

/// Describes how a permission set changes, a line each; `full` adds the text of an inline policy.
pub(super) fn edits(before: &Definition, after: &Definition, full: bool) -> Vec<Detail> {
    let Definition {
        description,
        session_duration,
        relay_state,
        tags,
        aws_managed_policies,
        customer_managed_policies,
        inline_policy,
        permissions_boundary,
    } = after;
    let mut details = Vec::new();
    let mut add = |label, text: String| details.push(Detail { label, text });
    if let Some(text) = replaced(before.description.as_deref().map(quoted), description.as_deref().map(quoted)) {
        add("description", text);
    }
    if before.session_duration != *session_duration {
        add("session duration", format!("{} -> {session_duration}", before.session_duration));
    }
    if let Some(text) = replaced(before.relay_state.as_deref().map(Shown), relay_state.as_deref().map(Shown)) {
        add("relay state", text);
    }
    if let Some(text) = tag_changes(&before.tags, tags) {
        add("tags", text);
    }
    if let Some(text) = set_changes(&before.aws_managed_policies, aws_managed_policies) {
        add("managed policies", text);
    }
    if let Some(text) = set_changes(&before.customer_managed_policies, customer_managed_policies) {
        add("customer policies", text);
    }
    for text in policy_changes(before.inline_policy.as_ref(), inline_policy.as_ref(), full) {
        add("inline policy", text);
    }
    if let Some(text) = replaced(before.permissions_boundary.as_ref(), permissions_boundary.as_ref()) {
        add("boundary", text);
    }
    details
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", Shown(text))
}

fn replaced<T: Display + PartialEq>(before: Option<T>, after: Option<T>) -> Option<String> {
    match (before, after) {
        (None, Some(after)) => Some(format!("+ {after}")),
        (Some(before), None) => Some(format!("- {before}")),
        (Some(before), Some(after)) if before != after => Some(format!("{before} -> {after}")),
        _ => None,
    }
}

fn tag_changes(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Option<String> {
    let mut parts = Vec::new();
    for (key, value) in after {
        match before.get(key) {
            None => parts.push(format!("+ {}={}", Shown(key), Shown(value))),
            Some(old) if old != value => parts.push(format!("{}={} -> {}", Shown(key), Shown(old), Shown(value))),
            Some(_) => {}
        }
    }
    let gone = before.iter().filter(|(key, _)| !after.contains_key(*key));
    parts.extend(gone.map(|(key, value)| format!("- {}={}", Shown(key), Shown(value))));
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn set_changes<T: Ord + Display>(before: &BTreeSet<T>, after: &BTreeSet<T>) -> Option<String> {
    let list = |items: Vec<&T>| items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let signed = [('+', list(after.difference(before).collect())), ('-', list(before.difference(after).collect()))];
    let parts: Vec<String> =
        signed.iter().filter(|(_, text)| !text.is_empty()).map(|(sign, text)| format!("{sign} {text}")).collect();
    (!parts.is_empty()).then(|| parts.join("  "))
}

fn policy_changes(before: Option<&Policy>, after: Option<&Policy>, full: bool) -> Vec<String> {
    let mut lines = match (before, after) {
        (None, None) => return Vec::new(),
        (Some(before), Some(after)) if before == after => return Vec::new(),
        (None, Some(after)) => vec![format!("+ {after}")],
        (Some(before), None) => vec![format!("- {before}")],
        (Some(before), Some(after)) => match diff::lines(before, after) {
            lines if lines.is_empty() => vec![format!("{before} -> {after}")],
            lines => lines,
        },
    };
    if full && let Some(diff) = policy_text_diff(before, after) {
        lines.extend(diff.lines().map(str::to_owned));
    }
    lines
}

/// Says line by line how the text of an inline policy changes, safe to print.
pub(super) fn policy_text_diff(before: Option<&Policy>, after: Option<&Policy>) -> Option<String> {
    let text = |policy: Option<&Policy>| policy.map(Policy::to_tidy_text).unwrap_or_default();
    let (before, after) = (text(before), text(after));
    let diff = TextDiff::from_lines(before.as_str(), after.as_str());
    let diff = diff.unified_diff().context_radius(3).to_string();
    let lines: Vec<String> =
        diff.lines().filter(|line| !line.starts_with('\\')).map(|line| Shown(line).to_string()).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// How many accounts are named before the rest is only counted.
const NAMED_ACCOUNTS: usize = 4;

/// Names accounts: whoever reviews a plan must see which ones it reaches, in scope or not.
pub(super) fn account_list(accounts: &[AccountRef], full: bool) -> String {
    let named = if full { usize::MAX } else { NAMED_ACCOUNTS };
    let names: Vec<String> = accounts.iter().take(named).map(ToString::to_string).collect();
    match accounts.len().checked_sub(named) {
        Some(more) if more > 0 => format!("{} accounts: {} and {more} more", accounts.len(), names.join(", ")),
        _ => names.join(", "),
    }
}
