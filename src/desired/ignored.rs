//! What the access file says it leaves alone.

use crate::desired::form::{IgnoreForm, OneOrMany};
use crate::desired::references::{ShortNames, selector};
use crate::model::{Finding, Ignore, Located, Pattern, PrincipalId};

/// Lowers the lines under `ignore`.
pub(super) fn lower(forms: Vec<IgnoreForm>, short_names: &ShortNames, findings: &mut Vec<Finding>) -> Vec<Ignore> {
    forms.into_iter().map(|form| lower_one(form, short_names, findings)).collect()
}

fn lower_one(form: IgnoreForm, short_names: &ShortNames, findings: &mut Vec<Finding>) -> Ignore {
    let IgnoreForm { groups, users, principal_ids, permission_sets, accounts, place } = form;
    let written = [&groups, &users, &principal_ids, &permission_sets, &accounts];
    if written.into_iter().flatten().any(|list| list.0.is_empty()) {
        let finding = Finding::error(place, "this line has an empty list, which would be taken for everything");
        findings.push(finding.hint("remove the list to mean all, or name something in it"));
    } else if written.into_iter().all(Option::is_none) {
        let finding = Finding::error(place, "this line names nothing, so it would leave everything alone");
        findings.push(finding.hint("add `groups`, `users`, `principal_ids`, `permission_sets` or `accounts`"));
    }
    let mut texts = |list: Option<OneOrMany>| -> Vec<Located<String>> {
        let list = list.map(|list| list.0).unwrap_or_default();
        for empty in list.iter().filter(|text| text.value.is_empty()) {
            findings.push(Finding::error(empty.place, "a name must not be empty; `\"*\"` fits every name"));
        }
        list
    };
    let groups = texts(groups);
    let users = texts(users);
    let ids = texts(principal_ids);
    let permission_sets = texts(permission_sets);
    let accounts = texts(accounts);
    let patterns = |texts: Vec<Located<String>>| texts.into_iter().map(|text| Pattern::new(text.value)).collect();
    Ignore {
        place,
        groups: patterns(groups),
        users: patterns(users),
        principal_ids: ids.into_iter().map(|id| PrincipalId::new(id.value)).collect(),
        permission_sets: patterns(permission_sets),
        accounts: accounts.iter().filter_map(|text| selector(text, short_names, findings)).collect(),
    }
}
