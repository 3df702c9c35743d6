//! Assignments of the access file: references and what is certain without AWS.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use crate::desired::expiry;
use crate::desired::form::AssignmentForm;
use crate::desired::references::{Context, check_in_scope, selector, set_name};
use crate::model::{AccountSelector, Finding, GroupName, Located, PermissionSetName, Rule, Shown, UserName};

/// Lowers all assignments.
pub(super) fn lower(
    forms: Vec<AssignmentForm>,
    context: &Context<'_>,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> Vec<Rule> {
    let rules: Vec<Rule> = forms.into_iter().map(|form| lower_rule(form, context, now, findings)).collect();
    if within_bounds(&rules, findings) {
        warn_of_repeats(&rules, findings);
    }
    rules
}

fn lower_rule(form: AssignmentForm, context: &Context<'_>, now: Timestamp, findings: &mut Vec<Finding>) -> Rule {
    let AssignmentForm { permission_sets, accounts, except_accounts, groups, users, expires, reason, place } = form;
    for (name, list) in [("permission_sets", &permission_sets.0), ("accounts", &accounts.0)] {
        if list.as_ref().is_some_and(Vec::is_empty) {
            findings.push(Finding::error(
                place,
                format!("the assignment has an empty list of `{name}`: it selects nothing"),
            ));
        }
    }
    let (groups, users) = (groups.unwrap_or_default(), users.unwrap_or_default());
    if groups.is_empty() && users.is_empty() {
        let finding = Finding::error(place, "the assignment names neither groups nor users: it selects nothing");
        findings.push(finding.hint("add `groups: […]` or `users: […]`"));
    }
    let accounts = selectors(accounts.0.unwrap_or_default(), context, findings);
    for account in &accounts {
        check_in_scope(account, context, findings);
    }
    let except_accounts = selectors(except_accounts.unwrap_or_default(), context, findings);
    let excepted =
        |account: &Located<AccountSelector>| except_accounts.iter().any(|except| except.value == account.value);
    if !accounts.is_empty() && accounts.iter().all(excepted) {
        findings.push(Finding::error(place, "the exclusions take every account away: the assignment selects nothing"));
    }
    Rule {
        place,
        permission_sets: permission_sets
            .0
            .unwrap_or_default()
            .iter()
            .filter_map(|name| set_name(name, context, findings))
            .collect(),
        accounts,
        except_accounts,
        groups: names(groups, "group", GroupName::new, findings),
        users: names(users, "user", UserName::new, findings),
        expires: expires.and_then(|expires| expiry::lower(expires, now, findings)),
        reason: reason.map(|reason| reason.value),
    }
}

fn selectors(
    written: Vec<Located<String>>,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) -> Vec<Located<AccountSelector>> {
    written.iter().filter_map(|text| selector(text, context.short_names, findings)).collect()
}

fn names<T>(
    written: Vec<Located<String>>,
    what: &str,
    make: fn(String) -> T,
    findings: &mut Vec<Finding>,
) -> Vec<Located<T>> {
    let mut names = Vec::new();
    for text in written {
        if text.value.trim().is_empty() {
            findings.push(Finding::error(text.place, format!("the name of a {what} must not be empty")));
        } else {
            names.push(text.map(make));
        }
    }
    names
}

/// How many grants a file may write out. Identity Center itself takes 3,000 accounts (user guide, quotas).
const MOST_GRANTS: usize = 1_000_000;

/// A few lines can multiply out to more than any memory holds.
fn within_bounds(rules: &[Rule], findings: &mut Vec<Finding>) -> bool {
    let mut total = 0_usize;
    for rule in rules {
        let principals = rule.groups.len().saturating_add(rule.users.len());
        let grants = rule.permission_sets.len().saturating_mul(rule.accounts.len()).saturating_mul(principals);
        total = total.saturating_add(grants);
        if total > MOST_GRANTS {
            let message = format!("the assignments up to here multiply out to {total} grants, more than {MOST_GRANTS}");
            findings.push(Finding::error(rule.place, message).hint("split the file, or assign to groups"));
            return false;
        }
    }
    true
}

/// Numbers things in the order in which they come.
struct Numbers<T>(HashMap<T, usize>);

impl<T: Eq + std::hash::Hash> Numbers<T> {
    fn new() -> Self {
        Self(HashMap::new())
    }

    fn of(&mut self, thing: T) -> usize {
        let next = self.0.len();
        *self.0.entry(thing).or_insert(next)
    }
}

/// The same grant written twice is one grant; but whoever removes one of the lines believes to have removed it.
fn warn_of_repeats(rules: &[Rule], findings: &mut Vec<Finding>) {
    let (mut sets, mut accounts, mut names) = (Numbers::new(), Numbers::new(), Numbers::new());
    let mut mentions = Vec::new();
    let mut times: HashMap<usize, usize> = HashMap::new();
    for (index, rule) in rules.iter().enumerate() {
        let groups = rule.groups.iter().map(|group| ("group", group.value.as_str(), group.place));
        let users = rule.users.iter().map(|user| ("user", user.value.as_str(), user.place));
        for (kind, name, place) in groups.chain(users) {
            let principal = names.of((kind, name));
            *times.entry(principal).or_default() += 1;
            mentions.push((index, kind, name, place, principal));
        }
    }
    // Numbers, sorted: a million grants are looked through in no time. Who is named once gets nothing twice, unless the
    // same line names a permission set or an account twice.
    let mut grants: Vec<(usize, usize, usize, usize)> = Vec::new();
    let mut of_rules: BTreeMap<usize, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (mention, (rule, _, _, _, principal)) in mentions.iter().enumerate() {
        let Some(written) = rules.get(*rule) else { continue };
        let (in_sets, in_accounts) = of_rules.entry(*rule).or_insert_with(|| {
            let in_sets: Vec<usize> = written.permission_sets.iter().map(|set| sets.of(&set.value)).collect();
            (in_sets, written.accounts.iter().map(|account| accounts.of(&account.value)).collect())
        });
        if times.get(principal) == Some(&1) && !has_repeats(in_sets) && !has_repeats(in_accounts) {
            continue;
        }
        for set in &*in_sets {
            grants.extend(in_accounts.iter().map(|account| (*set, *account, *principal, mention)));
        }
    }
    grants.sort_unstable();
    let mut repeated: BTreeMap<usize, usize> = BTreeMap::new();
    for two in grants.windows(2) {
        if let [(set, account, principal, _), (again, there, them, mention)] = two
            && (set, account, principal) == (again, there, them)
        {
            repeated.entry(*mention).or_insert(*set);
        }
    }
    let named: HashMap<usize, &PermissionSetName> = sets.0.into_iter().map(|(set, number)| (number, set)).collect();
    for (mention, set) in repeated {
        let (Some((_, kind, name, place, _)), Some(set)) = (mentions.get(mention), named.get(&set)) else { continue };
        let message = format!("{kind} `{}` gets `{set}` here a second time", Shown(name));
        findings.push(
            Finding::warning(*place, message).hint("one line is enough; removing only one of them takes nothing away"),
        );
    }
}

fn has_repeats(numbers: &[usize]) -> bool {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    sorted.windows(2).any(|two| matches!(two, [a, b] if a == b))
}
