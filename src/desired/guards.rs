//! Guards of the access file: numbers, names, and references that are certain without AWS.

use std::collections::BTreeSet;

use crate::desired::form::{GuardsForm, MaxDeletionsForm, RequiredForm};
use crate::desired::references::{Context, check_in_scope, selector, set_name};
use crate::model::{
    AccountSelector, Finding, Guards, Located, MaxDeletions, PermissionSetName, PrincipalKind, RequiredGrant,
};

/// Lowers the guards; without any, the default limits hold.
pub(super) fn lower(form: Option<GuardsForm>, context: &Context<'_>, findings: &mut Vec<Finding>) -> Guards {
    let Some(GuardsForm { max_deletions, protect, required }) = form else {
        return Guards::default();
    };
    Guards {
        max_deletions: max_deletions.map_or_else(MaxDeletions::default, |form| lower_limits(form, findings)),
        protect: lower_protect(protect.unwrap_or_default(), context, findings),
        required: required
            .unwrap_or_default()
            .into_iter()
            .filter_map(|it| lower_required(it, context, findings))
            .collect(),
    }
}

fn lower_limits(form: MaxDeletionsForm, findings: &mut Vec<Finding>) -> MaxDeletions {
    let MaxDeletionsForm { count, share, place } = form;
    if count.is_none() && share.is_none() {
        findings.push(Finding::error(place, "max_deletions has neither `count` nor `share`"));
    }
    let default = MaxDeletions::default();
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<usize>().ok()).flatten();
    let count = count.map_or(Some(default.count), |count| {
        let parsed = number(&count.value);
        if parsed.is_none() {
            findings.push(Finding::error(count.place, "the most deletions are a whole number, such as `10`"));
        }
        parsed
    });
    let percent = share.map_or(Some(default.percent), |share| {
        let parsed = share.value.strip_suffix('%').and_then(|digits| number(digits.trim())).filter(|it| *it <= 100);
        if parsed.is_none() {
            findings
                .push(Finding::error(share.place, "the largest share of deletions is a percentage from 0% to 100%"));
        }
        parsed
    });
    MaxDeletions { count: count.unwrap_or(default.count), percent: percent.unwrap_or(default.percent) }
}

fn lower_protect(
    names: Vec<Located<String>>,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) -> BTreeSet<PermissionSetName> {
    let mut protected = BTreeSet::new();
    for name in names {
        match PermissionSetName::parse(&name.value) {
            Ok(set) if context.permission_sets.contains_key(&set) => {
                let finding = Finding::error(name.place, format!("`{set}` is declared and protected"));
                findings.push(finding.hint("a protected permission set is left alone: take it out of one of the two"));
            }
            Ok(set) if is_former(&set, context) => {
                let finding =
                    Finding::error(name.place, format!("`{set}` is protected, and `previously` would delete it"));
                findings.push(finding.hint("a protected permission set is left alone: take it out of one of the two"));
            }
            Ok(set) => drop(protected.insert(set)),
            Err(error) => findings.push(Finding::error(name.place, error.to_string())),
        }
    }
    protected
}

fn is_former(name: &PermissionSetName, context: &Context<'_>) -> bool {
    let mut former = context.permission_sets.values().flatten().flat_map(|set| &set.previously);
    former.any(|old| old.value == *name)
}

fn lower_required(form: RequiredForm, context: &Context<'_>, findings: &mut Vec<Finding>) -> Option<RequiredGrant> {
    let RequiredForm { group, user, permission_set, account, place } = form;
    let principal = match (group, user) {
        (Some(group), None) => Some((PrincipalKind::Group, group)),
        (None, Some(user)) => Some((PrincipalKind::User, user)),
        (None, None) | (Some(_), Some(_)) => {
            findings.push(Finding::error(place, "a required grant names a group or a user, one of the two"));
            None
        }
    };
    let permission_set = set_name(&permission_set, context, findings);
    let account = selector(&account, context.short_names, findings).filter(|account| {
        let one = account.value != AccountSelector::All;
        if one {
            check_in_scope(account, context, findings);
        } else {
            findings.push(Finding::error(account.place, "a required grant is in one account, not in all"));
        }
        one
    });
    let (kind, principal) = principal?;
    if principal.value.trim().is_empty() {
        findings.push(Finding::error(principal.place, format!("the name of a {} must not be empty", kind.word())));
        return None;
    }
    Some(RequiredGrant { place, kind, principal, permission_set: permission_set?, account: account? })
}
