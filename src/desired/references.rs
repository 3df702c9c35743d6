//! What names in the access file stand for, as far as it is certain without AWS: accounts, permission sets, the scope.

use std::collections::BTreeMap;

use crate::desired::permission_sets::Declared;
use crate::model::{
    AccountId, AccountName, AccountSelector, Finding, Located, PermissionSetName, Scope, Shown, similar_name,
};

/// Short names of accounts.
pub(super) type ShortNames = BTreeMap<String, AccountId>;

/// What references are checked against.
pub(super) struct Context<'a> {
    pub(super) short_names: &'a ShortNames,
    pub(super) permission_sets: &'a Declared,
    pub(super) scope: Option<&'a Scope>,
}

/// Reads one account selector.
pub(super) fn selector(
    text: &Located<String>,
    short_names: &ShortNames,
    findings: &mut Vec<Finding>,
) -> Option<Located<AccountSelector>> {
    let value = text.value.as_str();
    let selector = if value == "*" {
        AccountSelector::All
    } else if let Some(id) = short_names.get(value) {
        AccountSelector::Id(id.clone())
    } else if let Ok(id) = AccountId::parse(value) {
        AccountSelector::Id(id)
    } else if let Some(finding) = bad_selector(text) {
        findings.push(finding);
        return None;
    } else {
        AccountSelector::Name(AccountName::new(value))
    };
    Some(Located::new(selector, text.place))
}

fn bad_selector(text: &Located<String>) -> Option<Finding> {
    let value = text.value.as_str();
    if value.trim().is_empty() {
        return Some(Finding::error(text.place, "an account must not be empty"));
    }
    if value.contains(['*', '?', '[']) {
        let finding = Finding::error(text.place, "patterns of account names are not supported");
        return Some(finding.hint("write each account, or `\"*\"` for all of them"));
    }
    if value.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Finding::error(
            text.place,
            format!("an account id has exactly 12 digits, this one has {}", value.len()),
        ));
    }
    None
}

/// Finds a permission set that the file declares.
pub(super) fn set_name(
    text: &Located<String>,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) -> Option<Located<PermissionSetName>> {
    let declared = PermissionSetName::parse(&text.value).ok().filter(|name| context.permission_sets.contains_key(name));
    if let Some(name) = declared {
        return Some(Located::new(name, text.place));
    }
    let known = context.permission_sets.keys().map(PermissionSetName::as_str);
    let finding = Finding::error(text.place, format!("unknown permission set `{}`", Shown(&text.value)))
        .label("not declared under `permission_sets`");
    // With hundreds of mistakes something else is wrong, and looking for look-alikes takes time.
    let known = known.take(if findings.len() < 100 { usize::MAX } else { 0 });
    findings.push(match similar_name(&text.value, known) {
        Some(name) => finding.hint(format!("did you mean `{}`?", Shown(name))),
        None => finding.hint("declare it; with `definition: external` if somebody else decides what it contains"),
    });
    None
}

/// An id and a name may be one account, which only AWS can tell; two ids, or two names, can be compared here.
pub(super) fn check_in_scope(account: &Located<AccountSelector>, context: &Context<'_>, findings: &mut Vec<Finding>) {
    let Some(scope) = context.scope else { return };
    let comparable = |other: &Located<AccountSelector>| {
        std::mem::discriminant(&other.value) == std::mem::discriminant(&account.value)
    };
    let covered =
        scope.accounts.iter().any(|other| other.value == AccountSelector::All || other.value == account.value);
    let beyond_names = account.value == AccountSelector::All;
    if !covered && !scope.accounts.is_empty() && (beyond_names || scope.accounts.iter().all(comparable)) {
        let finding =
            Finding::error(account.place, "this account is outside `scope`: permset would never assign anything there");
        findings.push(finding.hint("add it to `scope: { accounts: […] }`, or assign in fewer accounts"));
    }
}
