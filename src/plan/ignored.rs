//! Live assignments that the file leaves alone by name.

use std::collections::BTreeSet;

use crate::model::{
    AccountId, AccountsByName, DesiredState, Finding, Grant, Ignore, ObservedState, Pattern, PrincipalKind,
};
use crate::plan::Resolved;

/// A line with the accounts that it means.
type Line<'a> = (&'a Ignore, BTreeSet<AccountId>);

fn lines<'a>(desired: &'a DesiredState, observed: &ObservedState) -> Vec<Line<'a>> {
    let by_name = AccountsByName::new(&observed.accounts);
    let accounts = |ignore: &Ignore| {
        let meant = ignore.accounts.iter().flat_map(|account| by_name.meant_by(&account.value));
        meant.map(|account| account.id.clone()).collect()
    };
    desired.ignore.iter().map(|ignore| (ignore, accounts(ignore))).collect()
}

fn matches((ignore, accounts): &Line<'_>, grant: &Grant, observed: &ObservedState) -> bool {
    if !ignore.covers(&grant.permission_set, &grant.account, accounts) {
        return false;
    }
    if !ignore.names_principals() || ignore.principal_ids.contains(&grant.principal.id) {
        return true;
    }
    let patterns = match grant.principal.kind {
        PrincipalKind::Group => &ignore.groups,
        PrincipalKind::User => &ignore.users,
    };
    match observed.directory.principal(&grant.principal).name {
        Some(name) => patterns.iter().any(|pattern| pattern.matches(&name)),
        // Whoever no longer exists has no name; all of them means all of them.
        None => patterns.iter().any(|pattern| *pattern == Pattern::new("*")),
    }
}

/// Returns the live assignments that any line matches.
pub(super) fn live(desired: &DesiredState, observed: &ObservedState) -> BTreeSet<Grant> {
    if desired.ignore.is_empty() {
        return BTreeSet::new();
    }
    let lines = lines(desired, observed);
    let ignored = |grant: &&Grant| lines.iter().any(|line| matches(line, grant, observed));
    observed.assignments.iter().filter(ignored).cloned().collect()
}

/// What is declared cannot be left alone as well.
pub(super) fn check(
    desired: &DesiredState,
    observed: &ObservedState,
    resolved: &Resolved,
    findings: &mut Vec<Finding>,
) {
    for line in lines(desired, observed) {
        // A line that has expired is declared still: else what it gave would outlive its date.
        let mut declared = resolved.grants.iter().chain(resolved.expired.keys());
        let Some(grant) = declared.find(|grant| matches(&line, grant, observed)) else { continue };
        let principal = observed.directory.principal(&grant.principal).to_string();
        let principal = principal.split_whitespace().collect::<Vec<_>>().join(" ");
        let message = format!(
            "this ignores what the file declares: {principal} with `{}` in {}",
            grant.permission_set,
            observed.account_ref(&grant.account)
        );
        findings.push(
            Finding::error(line.0.place, message).hint("what is declared is not left alone: narrow one of the two"),
        );
    }
}
