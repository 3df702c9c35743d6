//! Works out what the form means: names become typed, short names become ids, references are checked.

use jiff::Timestamp;

use crate::desired::decode::{Kept, Named};
use crate::desired::form::{AccessForm, InstanceForm, ScopeForm};
use crate::desired::references::{Context, ShortNames, selector};
use crate::desired::source::Reader;
use crate::desired::{assignments, guards, ignored, permission_sets, text};
use crate::model::{AccountId, AccountName, DesiredState, Finding, InstanceArn, Located, Scope, ScopeSets, Shown};

/// Lowers the form; `None` after a finding that leaves nothing to go on with.
pub(super) fn lower(
    form: AccessForm,
    reader: &mut Reader,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> Option<DesiredState> {
    let AccessForm { version, owner, instance, scope, accounts, permission_sets, assignments, guards, ignore } = form;
    check_version(version, findings);
    let owner = owner.filter(|owner| text::owner(owner, findings)).map(|owner| owner.value);
    let (instance, region) = lower_instance(instance, findings);
    let short_names = lower_accounts(accounts, findings);
    let permission_sets = permission_sets::lower(permission_sets, owner.as_deref(), reader, findings);
    let scope = lower_scope(scope, &short_names, findings);
    let context = Context { short_names: &short_names, permission_sets: &permission_sets, scope: scope.as_ref() };
    let rules = assignments::lower(assignments.unwrap_or_default(), &context, now, findings);
    let guards = guards::lower(guards, &context, findings);
    let ignore = ignored::lower(ignore.unwrap_or_default(), &short_names, findings);
    // A declared name whose value was wrong is known by name only; its findings are errors, so the state is not used.
    let permission_sets = permission_sets.into_iter().filter_map(|(name, set)| Some((name, set?))).collect();
    let short_names = short_names.into_iter().map(|(name, id)| (id, AccountName::new(name))).collect();
    Some(DesiredState { owner, instance, region, short_names, scope: scope?, permission_sets, rules, guards, ignore })
}

fn check_version(version: Kept<Located<String>>, findings: &mut Vec<Finding>) {
    let Kept(Some(version)) = version else { return };
    if version.value != "1" {
        let message = format!("this program reads version 1 of the access file, not `{}`", Shown(&version.value));
        findings.push(Finding::error(version.place, message));
    }
}

fn lower_instance(
    form: Option<InstanceForm>,
    findings: &mut Vec<Finding>,
) -> (Option<Located<InstanceArn>>, Option<String>) {
    let Some(InstanceForm { arn, region, place }) = form else { return (None, None) };
    if arn.is_none() && region.is_none() {
        findings.push(Finding::error(place, "instance has neither `arn` nor `region`"));
    }
    let arn = arn.and_then(|arn| match InstanceArn::parse(&arn.value) {
        Ok(parsed) => Some(Located::new(parsed, arn.place)),
        Err(error) => {
            findings.push(Finding::error(arn.place, error.to_string()));
            None
        }
    });
    let region = region.filter(|region| {
        // The Region becomes part of a host name.
        let fits = !region.value.is_empty()
            && region.value.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !fits {
            findings.push(Finding::error(region.place, "a Region looks like `eu-central-1`"));
        }
        fits
    });
    (arn, region.map(|region| region.value))
}

fn lower_accounts(accounts: Option<Named<Located<String>>>, findings: &mut Vec<Finding>) -> ShortNames {
    let mut short_names = ShortNames::new();
    for (name, id) in accounts.map(|named| named.0).unwrap_or_default() {
        if let Some(message) = bad_short_name(&name.value) {
            findings.push(Finding::error(name.place, message));
        }
        let Some(id) = id else { continue };
        match AccountId::parse(&id.value) {
            Ok(id) => {
                short_names.insert(name.value, id);
            }
            Err(error) => findings.push(Finding::error(id.place, error.to_string())),
        }
    }
    short_names
}

fn bad_short_name(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("a short name must not be empty")
    } else if name.contains(['*', '?', '[']) {
        Some("a short name cannot hold `*`, `?` or `[`")
    } else if AccountId::parse(name).is_ok() {
        Some("a short name cannot be an account id")
    } else {
        None
    }
}

fn lower_scope(form: Kept<ScopeForm>, short_names: &ShortNames, findings: &mut Vec<Finding>) -> Option<Scope> {
    let Kept(Some(ScopeForm { accounts, permission_sets, place })) = form else { return None };
    let permission_sets = match &permission_sets {
        None => ScopeSets::Declared,
        Some(word) if word.value == "declared" => ScopeSets::Declared,
        Some(word) if word.value == "all" => ScopeSets::All,
        Some(word) => {
            findings.push(Finding::error(word.place, "the permission sets in scope are `declared` or `all`"));
            ScopeSets::Declared
        }
    };
    let written = accounts.0?;
    if written.is_empty() {
        findings.push(
            Finding::error(place, "the scope names no account").hint("list accounts, or write `[\"*\"]` for all"),
        );
    }
    let accounts = written.iter().filter_map(|text| selector(text, short_names, findings)).collect();
    Some(Scope { accounts, permission_sets })
}
