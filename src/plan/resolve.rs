//! From names to ids: every grant that the file declares, and every name in it that AWS does not know.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    AccountId, AccountSelector, AccountState, AccountsByName, Assignment, DesiredDefinition, DesiredState, Finding,
    Grant, Located, Lookup, OWNER_TAG, ObservedState, PermissionSetName, Place, PrincipalKind, PrincipalRef, Rule,
    ScopeSets, Shown, similar_name,
};
use crate::plan::{Change, LeftAlone, Step, ignored};

/// The declared side of the comparison, in ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// The active accounts in scope.
    pub scope: BTreeSet<AccountId>,
    /// What should be granted there.
    pub grants: BTreeSet<Grant>,
    /// What must be granted after every apply. More than one where a name means several accounts, which is an error.
    pub required: BTreeSet<Grant>,
    /// What lines of the file granted until their date had passed.
    pub expired: BTreeMap<Grant, usize>,
    /// What is live and left alone.
    pub ignored: BTreeSet<Grant>,
    /// The permission sets that carry this owner's tag and left the file, or are called otherwise now.
    pub leaving: BTreeSet<PermissionSetName>,
}

impl Resolved {
    /// Tells the live assignments that the file decides about from the others. The answer for a pair holds for everybody who
    /// has it, and they stand one after the other.
    pub(super) fn split<'a>(
        &self,
        desired: &DesiredState,
        observed: &'a ObservedState,
    ) -> (Vec<&'a Grant>, Vec<&'a Grant>) {
        let mut last: Option<(&Grant, bool)> = None;
        observed.assignments.iter().partition(|grant| {
            let same = |last: &Grant| last.account == grant.account && last.permission_set == grant.permission_set;
            let owned = match last {
                Some((before, owned)) if same(before) => owned,
                _ => self.owns(desired, &grant.permission_set, &grant.account),
            };
            last = Some((grant, owned));
            owned && !self.ignored.contains(*grant)
        })
    }

    /// Returns whether the file decides about a live assignment.
    pub(super) fn decides(&self, desired: &DesiredState, grant: &Grant) -> bool {
        self.owns(desired, &grant.permission_set, &grant.account) && !self.ignored.contains(grant)
    }

    /// Returns whether the file decides about assignments of this permission set in this account.
    fn owns(&self, desired: &DesiredState, set: &PermissionSetName, account: &AccountId) -> bool {
        let set_in_scope = desired.scope.permission_sets == ScopeSets::All
            || desired.permission_sets.contains_key(set)
            || self.leaving.contains(set);
        set_in_scope && !desired.guards.protect.contains(set) && self.scope.contains(account)
    }
}

/// How many grants a plan may hold: a few lines and `"*"` can multiply out to more than any memory.
const MOST_GRANTS: usize = 5_000_000;

/// Resolves the whole file.
pub(super) fn resolve(desired: &DesiredState, observed: &ObservedState, findings: &mut Vec<Finding>) -> Resolved {
    let accounts_by_name = AccountsByName::new(&observed.accounts);
    check_accounts(desired, observed, &accounts_by_name, findings);
    check_permission_sets(desired, observed, findings);
    let scope = observed.active_accounts(desired.scope.accounts.iter().map(|account| &account.value));
    let mut resolved = Resolved {
        scope,
        grants: BTreeSet::new(),
        required: required(desired, observed, findings),
        expired: BTreeMap::new(),
        ignored: ignored::live(desired, observed),
        leaving: leaving(desired, observed),
    };
    let mut written: Vec<(Grant, Place)> = Vec::new();
    for (number, rule) in desired.rules.iter().enumerate() {
        let expired = rule.has_expired();
        // What has expired may name who is gone.
        let mut of_expired = Vec::new();
        let of_names = if expired { &mut of_expired } else { &mut *findings };
        let accounts = rule_accounts(rule, observed, &accounts_by_name, &resolved.scope, of_names);
        let principals = principals(rule, observed, of_names);
        let grants = accounts.len().saturating_mul(principals.len()).saturating_mul(rule.permission_sets.len());
        let grants = written.len().saturating_add(resolved.expired.len()).saturating_add(grants);
        if grants > MOST_GRANTS {
            let message =
                format!("the assignments up to here multiply out to {grants} grants, more than {MOST_GRANTS}");
            findings.push(Finding::error(rule.place, message).hint("split the file, or assign to groups"));
            break;
        }
        for set in &rule.permission_sets {
            for account in &accounts {
                let given = principals.iter().map(|(principal, place)| {
                    let (permission_set, account) = (set.value.clone(), account.clone());
                    (Grant { permission_set, account, principal: principal.clone() }, *place)
                });
                if expired {
                    resolved.expired.extend(given.map(|(grant, _)| (grant, number)));
                } else {
                    written.extend(given);
                }
            }
        }
    }
    // In the order of the file where the same is granted more than once: the later line is the one too many.
    written.sort_by(|(a, _), (b, _)| a.cmp(b));
    let again = written.windows(2).filter_map(|two| match two {
        [(before, first), (grant, place)] if before == grant && first != place => Some((*place, &grant.principal)),
        _ => None,
    });
    for (place, principal) in again.collect::<BTreeSet<_>>() {
        warn_of_repeat(&observed.directory.principal(principal).to_string(), place, findings);
    }
    resolved.grants = written.into_iter().map(|(grant, _)| grant).collect();
    ignored::check(desired, observed, &resolved, findings);
    resolved
}

fn warn_of_repeat(principal: &str, place: Place, findings: &mut Vec<Finding>) {
    let message = format!(
        "{} gets something here that another line grants already",
        principal.split_whitespace().collect::<Vec<_>>().join(" ")
    );
    findings.push(
        Finding::warning(place, message).hint("one line is enough; removing only one of them takes nothing away"),
    );
}

/// Every selector must mean an account, and only one.
fn check_accounts(
    desired: &DesiredState,
    observed: &ObservedState,
    accounts: &AccountsByName<'_>,
    findings: &mut Vec<Finding>,
) {
    for Located { value, place } in desired.account_selectors() {
        match (value, accounts.meant_by(value).as_slice()) {
            (AccountSelector::All, _) | (_, [_]) => {}
            (AccountSelector::Id(id), []) => {
                findings
                    .push(Finding::error(*place, format!("unknown account {id}")).label("not in this organization"));
            }
            (AccountSelector::Name(name), []) => {
                let finding = Finding::error(*place, format!("unknown account `{name}`"))
                    .label("no account of the organization has this name");
                let names = observed.accounts.values().map(|account| account.name.as_str());
                findings.push(match similar_name(name.as_str(), names) {
                    Some(similar) => finding.hint(format!("did you mean `{}`?", Shown(similar))),
                    None => finding.hint("write the account's id, or give it a short name under `accounts:`"),
                });
            }
            (_, several) => {
                let ids = several.iter().map(|account| account.id.to_string()).collect::<Vec<_>>().join(" and ");
                let finding = Finding::error(*place, format!("several accounts have this name: {ids}"));
                findings.push(finding.hint("write the id, or give it a short name under `accounts:`"));
            }
        }
    }
}

fn check_permission_sets(desired: &DesiredState, observed: &ObservedState, findings: &mut Vec<Finding>) {
    for (name, set) in &desired.permission_sets {
        if observed.permission_sets.contains_key(name) {
            continue;
        }
        if set.definition == DesiredDefinition::External {
            let finding = Finding::error(set.place, format!("the external permission set `{name}` does not exist"));
            let names = observed.permission_sets.keys().map(PermissionSetName::as_str);
            findings.push(match similar_name(name.as_str(), names) {
                Some(similar) => finding.hint(format!("did you mean `{}`?", Shown(similar))),
                None => finding.hint("whoever owns its definition has to create it first"),
            });
        } else if let Some(twin) =
            observed.permission_sets.keys().find(|other| other.as_str().eq_ignore_ascii_case(name.as_str()))
        {
            let message = format!(
                "`{name}` would be created beside `{twin}`, which differs by case only: in IAM they would be one role name"
            );
            findings.push(Finding::error(set.place, message).hint(format!("write `{twin}` to adopt it")));
        }
    }
}

/// Returns the active accounts that a rule means, all of them in scope.
fn rule_accounts(
    rule: &Rule,
    observed: &ObservedState,
    by_name: &AccountsByName<'_>,
    scope: &BTreeSet<AccountId>,
    findings: &mut Vec<Finding>,
) -> BTreeSet<AccountId> {
    let active = |selector: &AccountSelector| {
        let meant = by_name.meant_by(selector).into_iter();
        meant.filter(|account| account.state == AccountState::Active).map(|account| account.id.clone())
    };
    let mut accounts: BTreeSet<AccountId> = rule.accounts.iter().flat_map(|account| active(&account.value)).collect();
    for except in &rule.except_accounts {
        let excluded: BTreeSet<AccountId> = active(&except.value).collect();
        if excluded.is_disjoint(&accounts) {
            let finding = Finding::warning(except.place, "this exclusion excludes nothing");
            findings.push(finding.hint("the assignment does not reach that account anyway"));
        }
        accounts.retain(|account| !excluded.contains(account));
    }
    if accounts.is_empty() {
        findings
            .push(Finding::warning(rule.place, "this assignment reaches no active account: it gives nobody anything"));
    }
    for selector in &rule.accounts {
        let outside: Vec<_> =
            active(&selector.value).filter(|account| accounts.contains(account) && !scope.contains(account)).collect();
        if let [first, rest @ ..] = outside.as_slice() {
            let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
            let message = format!(
                "{}{more} is outside `scope`: permset would never assign anything there",
                observed.account_ref(first)
            );
            findings.push(
                Finding::error(selector.place, message)
                    .hint("add it to `scope: { accounts: […] }`, or assign in fewer accounts"),
            );
        }
    }
    accounts
}

/// Returns the permission sets that this owner's file made or adopted, by their tag, and that it declares no more; and those
/// that it says are called otherwise now.
fn leaving(desired: &DesiredState, observed: &ObservedState) -> BTreeSet<PermissionSetName> {
    let successors = desired.successors();
    let undeclared = observed
        .permission_sets
        .iter()
        .filter(|(name, _)| !desired.permission_sets.contains_key(*name) && !desired.guards.protect.contains(*name));
    let has_our_tag = |live: &crate::model::Definition| {
        let tag = live.tags.get(OWNER_TAG);
        tag.is_some() && tag == desired.owner.as_ref()
    };
    let ours = undeclared
        .filter(|(name, set)| successors.contains_key(*name) || set.definition.as_ref().is_some_and(has_our_tag));
    ours.map(|(name, _)| name.clone()).collect()
}

/// Returns the grants that must be there. Accounts that are not active count: what is required there is missing.
pub(super) fn required(
    desired: &DesiredState,
    observed: &ObservedState,
    findings: &mut Vec<Finding>,
) -> BTreeSet<Grant> {
    let mut grants = BTreeSet::new();
    for required in &desired.guards.required {
        let name = (required.kind, required.principal.value.as_str(), required.principal.place);
        let found = find_principals([name], observed, findings);
        let meant = AccountsByName::new(&observed.accounts).meant_by(&required.account.value);
        for account in meant {
            grants.extend(found.iter().map(|(principal, _)| Grant {
                permission_set: required.permission_set.value.clone(),
                account: account.id.clone(),
                principal: principal.clone(),
            }));
        }
    }
    grants
}

fn principals(rule: &Rule, observed: &ObservedState, findings: &mut Vec<Finding>) -> Vec<(PrincipalRef, Place)> {
    let groups = rule.groups.iter().map(|group| (PrincipalKind::Group, group.value.as_str(), group.place));
    let users = rule.users.iter().map(|user| (PrincipalKind::User, user.value.as_str(), user.place));
    find_principals(groups.chain(users), observed, findings)
}

fn find_principals<'a>(
    names: impl IntoIterator<Item = (PrincipalKind, &'a str, Place)>,
    observed: &ObservedState,
    findings: &mut Vec<Finding>,
) -> Vec<(PrincipalRef, Place)> {
    let mut found = Vec::new();
    for (kind, name, place) in names {
        match observed.directory.by_name.get(&(kind, name.to_owned())) {
            Some(Lookup::Found(id)) => {
                let principal = PrincipalRef { kind, id: id.clone() };
                if observed.directory.is_disabled(&principal) {
                    let finding =
                        Finding::warning(place, format!("user `{}` is disabled and cannot sign in", Shown(name)));
                    findings.push(finding.hint("leave the line if they come back, remove it if not"));
                }
                found.push((principal, place));
            }
            missing => {
                let word = kind.word();
                let finding = Finding::error(place, format!("unknown {word} `{}`", Shown(name)))
                    .label(format!("not in identity store {}", observed.instance.identity_store));
                // The same name in ten rules is one mistake, but each place has to be mended.
                findings.push(match missing {
                    Some(Lookup::Missing { similar: Some(similar) }) => {
                        finding.hint(format!("did you mean `{}`?", Shown(similar)))
                    }
                    _ => finding.hint(format!("permset assigns to {word}s that exist; it creates none")),
                });
            }
        }
    }
    found
}

/// Lists what was seen and stays as it is.
pub(super) fn left_alone(
    desired: &DesiredState,
    observed: &ObservedState,
    resolved: &Resolved,
    steps: &[Step],
) -> LeftAlone {
    let undeclared = observed.permission_sets.keys();
    let undeclared =
        undeclared.filter(|name| !desired.permission_sets.contains_key(*name) && !resolved.leaving.contains(*name));
    let permission_sets = match desired.scope.permission_sets {
        ScopeSets::Declared => undeclared.cloned().collect(),
        ScopeSets::All => undeclared.filter(|name| desired.guards.protect.contains(*name)).cloned().collect(),
    };
    let declared = observed.permission_sets.iter().filter(|(name, _)| desired.permission_sets.contains_key(*name));
    let provisioned: BTreeSet<&AccountId> =
        declared.flat_map(|(_, set)| set.provisioned.iter().flat_map(BTreeMap::keys)).collect();
    // An account that the plan provisions into is not left alone, though nothing is assigned or revoked in it.
    let touched: BTreeSet<&AccountId> = steps
        .iter()
        .flat_map(|step| match &step.change {
            Change::Provision { accounts, .. } => accounts.as_slice(),
            _ => &[],
        })
        .map(|account| &account.id)
        .collect();
    let is_left = |account: &AccountId| {
        !resolved.scope.contains(account) && !touched.contains(account) && observed.is_active(account)
    };
    let accounts = provisioned.iter().filter(|account| is_left(account)).map(|account| observed.account_ref(account));
    let gone = provisioned.iter().filter(|account| !observed.accounts.contains_key(**account));
    let gone = gone.map(|account| (observed.account_ref(account), "not in the organization".to_owned()));
    let by_name = AccountsByName::new(&observed.accounts);
    let meant: BTreeSet<&AccountId> = desired
        .account_selectors()
        .flat_map(|selector| by_name.meant_by(&selector.value))
        .filter(|account| account.state != AccountState::Active)
        .map(|account| &account.id)
        .collect();
    let inactive = observed.accounts.values().filter_map(|account| match &account.state {
        AccountState::Inactive(state) if meant.contains(&account.id) => {
            Some((observed.account_ref(&account.id), state.clone()))
        }
        AccountState::Inactive(_) | AccountState::Active => None,
    });
    let (_, others) = resolved.split(desired, observed);
    let assignments = others.into_iter().map(|row| Assignment {
        permission_set: row.permission_set.clone(),
        account: observed.account_ref(&row.account),
        principal: observed.directory.principal(&row.principal),
    });
    LeftAlone {
        permission_sets,
        accounts: accounts.collect(),
        inactive: inactive.chain(gone).collect(),
        assignments: assignments.collect(),
        ignored: resolved
            .ignored
            .iter()
            .filter(|grant| resolved.owns(desired, &grant.permission_set, &grant.account))
            .count(),
    }
}
