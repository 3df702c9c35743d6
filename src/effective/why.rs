//! Why somebody gets in, or does not: the chain of evidence from a name to a role, and the link that is missing.

use std::collections::BTreeSet;

use crate::model::{
    AccountId, AccountRef, AccountState, AccountsByName, DesiredState, Grant, Lookup, ObservedState, PermissionSetName,
    Principal, PrincipalId, PrincipalKind, PrincipalRef, PrincipalState, Provisioning, Rule,
};

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Group or user.
    pub kind: PrincipalKind,
    /// The name as it was typed.
    pub name: String,
    /// What else the person is called: the e-mail addresses of a user.
    pub aliases: Vec<String>,
    /// The account.
    pub account: AccountId,
    /// The permission set; `None` for any.
    pub permission_set: Option<PermissionSetName>,
}

/// The answer, link by link. What comes after a missing link is answered all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Who is asked about; `None` if nobody has the name.
    pub who: Option<Who>,
    /// A name that was probably meant, if there is none like it.
    pub similar: Option<String>,
    /// The groups of a user, by name; `None` if they may not be read.
    pub groups: Option<Vec<Principal>>,
    /// The account.
    pub account: AccountRef,
    /// Its state.
    pub account_state: AccountState,
    /// Whether the permission set that was asked for exists anywhere.
    pub set_exists: bool,
    /// What they have there.
    pub routes: Vec<Route>,
    /// Who else has the permission set there.
    pub others: Vec<Principal>,
    /// What the access file says of it; `None` without a file.
    pub declared: Option<Declared>,
    /// The conclusion.
    pub verdict: Verdict,
}

/// Somebody who exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The user or group.
    pub principal: Principal,
    /// Whether a user cannot sign in.
    pub disabled: bool,
}

/// A live assignment by which they get in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// The permission set.
    pub permission_set: PermissionSetName,
    /// Whose assignment it is: their own, or that of a group of theirs.
    pub through: Principal,
    /// Whether it is one of theirs, or of a group.
    pub direct: bool,
    /// The role in the account: provisioned and up to date, or an older version, or not there.
    pub role: Option<Role>,
}

/// The state of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// It is what the permission set says.
    UpToDate,
    /// It is an older version.
    Stale,
}

/// What the access file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Whether it declares the permission set that was asked for.
    pub declares_set: bool,
    /// Whether the account is in its scope.
    pub in_scope: bool,
    /// The lines by which they would get in, as numbers of the rules.
    pub lines: Vec<DeclaredLine>,
}

/// A line under `assignments` by which somebody gets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredLine {
    /// Its number, from zero.
    pub rule: usize,
    /// Which permission sets it gives them there.
    pub permission_sets: Vec<PermissionSetName>,
    /// By whose name.
    pub through: String,
    /// Whether its date has passed.
    pub expired: bool,
}

/// The conclusion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They get in.
    Access,
    /// They do not, and this is missing.
    NoAccess(Missing),
    /// Their groups may not be read, so it cannot be said.
    Unknown,
}

/// The link that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// There is nobody of this name.
    Principal,
    /// They cannot sign in.
    SignIn,
    /// The account is suspended or closed.
    ActiveAccount,
    /// There is no such permission set.
    PermissionSet,
    /// Neither they nor a group of theirs are assigned, though the file says so: it was not applied.
    Apply,
    /// Neither they nor a group of theirs are assigned.
    Assignment,
    /// They are assigned, and the role is not in the account.
    Provisioning,
}

/// Answers a question from what was observed; `set_exists` is whether the permission set that was asked for does.
pub fn why(question: &Question, observed: &ObservedState, desired: Option<&DesiredState>, set_exists: bool) -> Answer {
    let lookup = observed.directory.by_name.get(&(question.kind, question.name.clone()));
    let (id, similar) = match lookup {
        Some(Lookup::Found(id)) => (Some(PrincipalRef { kind: question.kind, id: id.clone() }), None),
        Some(Lookup::Missing { similar }) => (None, similar.clone()),
        None => (None, None),
    };
    let who = id
        .as_ref()
        .map(|id| Who { principal: observed.directory.principal(id), disabled: observed.directory.is_disabled(id) });
    let groups = id.as_ref().and_then(|id| groups_of(observed, id));
    let theirs: BTreeSet<PrincipalRef> = id.iter().cloned().chain(group_refs(groups.as_deref())).collect();
    let routes = id.as_ref().map(|id| routes(question, observed, id, &theirs)).unwrap_or_default();
    let account_state = observed.accounts.get(&question.account).map(|account| account.state.clone());
    let account_state = account_state.unwrap_or(AccountState::Inactive("not in the organization".to_owned()));
    let declared = desired.map(|desired| declared(question, observed, desired, groups.as_deref(), who.as_ref()));
    let missing = |missing| Verdict::NoAccess(missing);
    let verdict = match (&who, &account_state, routes.iter().any(|route| route.role.is_some())) {
        (None, _, _) => missing(Missing::Principal),
        (Some(who), _, _) if who.disabled => missing(Missing::SignIn),
        (_, AccountState::Inactive(_), _) => missing(Missing::ActiveAccount),
        (_, _, true) => Verdict::Access,
        _ if !routes.is_empty() => missing(Missing::Provisioning),
        _ if groups.is_none() => Verdict::Unknown,
        _ if !set_exists && !declared.as_ref().is_some_and(|it| it.declares_set) => missing(Missing::PermissionSet),
        _ if declared.as_ref().is_some_and(|it| it.lines.iter().any(|line| !line.expired)) => missing(Missing::Apply),
        _ => missing(Missing::Assignment),
    };
    let others = others(question, observed, &theirs);
    Answer {
        who,
        similar,
        groups,
        account: observed.account_ref(&question.account),
        account_state,
        set_exists,
        routes,
        others,
        declared,
        verdict,
    }
}

/// A group has no groups of its own.
fn groups_of(observed: &ObservedState, principal: &PrincipalRef) -> Option<Vec<Principal>> {
    if principal.kind == PrincipalKind::Group {
        return Some(Vec::new());
    }
    let group =
        |id: &PrincipalId| observed.directory.principal(&PrincipalRef { kind: PrincipalKind::Group, id: id.clone() });
    let mut groups: Vec<Principal> = observed.groups_of.get(&principal.id)?.iter().map(group).collect();
    groups.sort_by(|a, b| a.name.cmp(&b.name));
    Some(groups)
}

fn group_refs(groups: Option<&[Principal]>) -> impl Iterator<Item = PrincipalRef> {
    groups.into_iter().flatten().map(Principal::to_ref)
}

fn is_asked(question: &Question, grant: &Grant) -> bool {
    grant.account == question.account && question.permission_set.as_ref().is_none_or(|set| *set == grant.permission_set)
}

fn routes(
    question: &Question,
    observed: &ObservedState,
    id: &PrincipalRef,
    theirs: &BTreeSet<PrincipalRef>,
) -> Vec<Route> {
    let grants = observed.assignments.iter().filter(|it| is_asked(question, it) && theirs.contains(&it.principal));
    let route = |grant: &Grant| {
        let provisioned = observed.permission_sets.get(&grant.permission_set).and_then(|set| set.provisioned.as_ref());
        let role = provisioned.and_then(|provisioned| provisioned.get(&grant.account)).map(|state| match state {
            Provisioning::Latest => Role::UpToDate,
            Provisioning::Stale => Role::Stale,
        });
        let through = observed.directory.principal(&grant.principal);
        Route { permission_set: grant.permission_set.clone(), through, direct: grant.principal == *id, role }
    };
    let mut routes: Vec<Route> = grants.map(route).collect();
    routes.sort();
    routes
}

/// Whoever else has what was asked for: somebody who could be asked, or a group to be in.
fn others(question: &Question, observed: &ObservedState, theirs: &BTreeSet<PrincipalRef>) -> Vec<Principal> {
    if question.permission_set.is_none() {
        return Vec::new();
    }
    let others = observed.assignments.iter().filter(|it| is_asked(question, it) && !theirs.contains(&it.principal));
    let exists = |principal: &&PrincipalRef| {
        !matches!(observed.directory.by_id.get(*principal), None | Some(PrincipalState::Deleted))
    };
    others.map(|grant| &grant.principal).filter(exists).map(|it| observed.directory.principal(it)).collect()
}

fn declared(
    question: &Question,
    observed: &ObservedState,
    desired: &DesiredState,
    groups: Option<&[Principal]>,
    who: Option<&Who>,
) -> Declared {
    let by_name = AccountsByName::new(&observed.accounts);
    let means = |selector: &crate::model::AccountSelector| {
        by_name.meant_by(selector).iter().any(|account| account.id == question.account)
    };
    let mut users: BTreeSet<&str> = BTreeSet::new();
    let mut group_names: BTreeSet<&str> = groups.into_iter().flatten().filter_map(|it| it.name.as_deref()).collect();
    let typed = match question.kind {
        PrincipalKind::User => &mut users,
        PrincipalKind::Group => &mut group_names,
    };
    typed.insert(question.name.as_str());
    typed.extend(question.aliases.iter().map(String::as_str));
    typed.extend(who.and_then(|who| who.principal.name.as_deref()));
    let line = |(number, rule): (usize, &Rule)| {
        let sets = rule.permission_sets.iter().map(|set| &set.value);
        let sets = sets.filter(|set| question.permission_set.as_ref().is_none_or(|asked| asked == *set));
        let permission_sets: Vec<PermissionSetName> = sets.cloned().collect();
        let here =
            rule.accounts.iter().any(|it| means(&it.value)) && !rule.except_accounts.iter().any(|it| means(&it.value));
        let group = rule.groups.iter().map(|group| group.value.as_str()).find(|name| group_names.contains(name));
        let user = rule.users.iter().map(|user| user.value.as_str()).find(|name| users.contains(name));
        let through = group.or(user).filter(|_| here && !permission_sets.is_empty())?.to_owned();
        Some(DeclaredLine { rule: number, permission_sets, through, expired: rule.has_expired() })
    };
    Declared {
        declares_set: question.permission_set.as_ref().is_none_or(|set| desired.permission_sets.contains_key(set)),
        in_scope: desired.scope.accounts.iter().any(|account| means(&account.value)),
        lines: desired.rules.iter().enumerate().filter_map(line).collect(),
    }
}

/// A permission set and an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetThere {
    /// The permission set.
    pub permission_set: PermissionSetName,
    /// Whether the access file declares it; `None` without a file.
    pub declared: Option<bool>,
    /// The numbers of the rules that give it to somebody there.
    pub rules: Vec<usize>,
    /// Who has it there.
    pub holders: Vec<Principal>,
    /// Its role there.
    pub role: Option<Role>,
}

/// Returns the permission sets that reach an account, live or by the access file.
pub fn in_account(observed: &ObservedState, account: &AccountId, desired: Option<&DesiredState>) -> Vec<SetThere> {
    let by_name = AccountsByName::new(&observed.accounts);
    let means =
        |selector: &crate::model::AccountSelector| by_name.meant_by(selector).iter().any(|it| it.id == *account);
    let reaches = |rule: &Rule| {
        let excepted = rule.except_accounts.iter().any(|it| means(&it.value));
        !rule.has_expired() && !excepted && rule.accounts.iter().any(|it| means(&it.value))
    };
    let rules: Vec<(usize, &Rule)> =
        desired.iter().flat_map(|desired| desired.rules.iter().enumerate()).filter(|(_, rule)| reaches(rule)).collect();
    let written = rules.iter().flat_map(|(_, rule)| &rule.permission_sets).map(|set| set.value.clone());
    let live = observed
        .permission_sets
        .iter()
        .filter(|(_, set)| set.provisioned.as_ref().is_some_and(|provisioned| provisioned.contains_key(account)));
    let names: BTreeSet<PermissionSetName> = live.map(|(name, _)| name.clone()).chain(written).collect();
    let there = |name: PermissionSetName| {
        let gives = |(number, rule): &(usize, &Rule)| {
            rule.permission_sets.iter().any(|set| set.value == name).then_some(*number)
        };
        let state = observed.permission_sets.get(&name).and_then(|set| set.provisioned.as_ref()?.get(account));
        let holders =
            observed.assignments_on(&name, account).map(|grant| observed.directory.principal(&grant.principal));
        SetThere {
            declared: desired.map(|desired| desired.permission_sets.contains_key(&name)),
            rules: rules.iter().filter_map(gives).collect(),
            holders: holders.collect(),
            role: state.map(|state| match state {
                Provisioning::Latest => Role::UpToDate,
                Provisioning::Stale => Role::Stale,
            }),
            permission_set: name,
        }
    };
    names.into_iter().map(there).collect()
}
