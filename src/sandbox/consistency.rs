//! Fills in what a world file leaves out, and says what in it cannot be.
//!
//! Orphans (assignments of principals that do not exist), stale provisioning and assignments in accounts that left the
//! organization are states AWS knows, so they are no problems here.

use std::collections::{BTreeMap, BTreeSet};

use super::fault_terms;
use super::ids::{derived_hex, derived_principal};
use super::model;
use super::policy_document;
use super::wire::Service;
use super::world::{Account, PermissionSet, Provisioned, World};

/// A shape of the service models.
type Shape = (Service, &'static str);
const ACCOUNT_ID: Shape = (Service::SsoAdmin, "AccountId");
const REQUEST_ID: Shape = (Service::SsoAdmin, "UUId");
const INSTANCE_ARN: Shape = (Service::SsoAdmin, "InstanceArn");
const SET_ARN: Shape = (Service::SsoAdmin, "PermissionSetArn");
const SET_NAME: Shape = (Service::SsoAdmin, "PermissionSetName");
const DURATION: Shape = (Service::SsoAdmin, "Duration");
const DESCRIPTION: Shape = (Service::SsoAdmin, "PermissionSetDescription");
const RELAY_STATE: Shape = (Service::SsoAdmin, "RelayState");
const MANAGED_POLICY: Shape = (Service::SsoAdmin, "ManagedPolicyArn");
const POLICY_NAME: Shape = (Service::SsoAdmin, "ManagedPolicyName");
const POLICY_PATH: Shape = (Service::SsoAdmin, "ManagedPolicyPath");
const PRINCIPAL_ID: Shape = (Service::SsoAdmin, "PrincipalId");
const REGION: Shape = (Service::SsoAdmin, "RegionName");
const STORE_ID: Shape = (Service::IdentityStore, "IdentityStoreId");
const ROOT_ID: Shape = (Service::Organizations, "RootId");
const UNIT_ID: Shape = (Service::Organizations, "OrganizationalUnitId");

/// Fills in the ids, names and provisioned pairs that were left out, always with the same values for the same world.
pub(super) fn complete(world: &mut World) {
    let seed = world.seed;
    complete_organization(world);
    for user in &mut world.users {
        fill(&mut user.id, || derived_principal(seed, &["user", &user.user_name]));
        fill(&mut user.display_name, || user.user_name.clone());
    }
    for group in &mut world.groups {
        fill(&mut group.id, || derived_principal(seed, &["group", &group.display_name]));
    }
    for membership in &mut world.memberships {
        let of = ["membership", &membership.group_id, &membership.user_id];
        fill(&mut membership.id, || derived_principal(seed, &of));
    }
    for set in &mut world.permission_sets {
        fill(&mut set.id, || format!("ps-{}", derived_hex(seed, &["set", &set.name])));
    }
    complete_provisioned(world);
}

fn complete_organization(world: &mut World) {
    let seed = world.seed;
    let organization = &mut world.organization;
    fill(&mut organization.id, || {
        let digits: String = derived_hex(seed, &["organization"]).chars().take(10).collect();
        format!("o-{digits}")
    });
    let first = world.accounts.iter().map(|account| &account.id).min();
    let owner = world.instance.as_ref().map(|instance| &instance.owner_account_id);
    fill(&mut organization.management_account_id, || {
        owner.or(first).cloned().unwrap_or_else(|| "111111111111".to_owned())
    });
    // The management account is always among the accounts: ListAccounts shows it like any other [organizations API reference].
    let management = &organization.management_account_id;
    if !world.accounts.iter().any(|account| account.id == *management) {
        world.accounts.push(Account { id: management.clone(), name: "management".to_owned(), ..Account::default() });
    }
    for account in &mut world.accounts {
        fill(&mut account.name, || account.id.clone());
        fill(&mut account.email, || format!("aws+{}@example.com", account.id));
    }
    complete_tree(world);
}

/// Names the root and the units, and turns paths such as `/Workloads/Video` into the ids of the units they lead to.
fn complete_tree(world: &mut World) {
    let seed = world.seed;
    let organization = &mut world.organization;
    fill(&mut organization.root_id, || {
        let letters: String = derived_hex(seed, &["root"]).chars().take(4).collect();
        format!("r-{letters}")
    });
    let root = organization.root_id.clone();
    let suffix = root.strip_prefix("r-").unwrap_or_default();
    let mut below: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, unit) in organization.units.iter_mut().enumerate() {
        let of = ["unit", &unit.parent, &unit.name];
        fill(&mut unit.id, || format!("ou-{suffix}-{}", derived_hex(seed, &of).chars().take(8).collect::<String>()));
        below.entry(unit.parent.clone()).or_default().push(place);
    }
    // From the root down: who stands under it is said by no parent, by its path, or by its id.
    let mut known = BTreeMap::from([("/".to_owned(), root.clone())]);
    let mut open = vec![(String::new(), root.clone())];
    while let Some((path, id)) = open.pop() {
        let at_root = if path.is_empty() { vec![String::new(), "/".to_owned()] } else { vec![path.clone()] };
        let names = at_root.into_iter().chain([id.clone()]);
        let places: Vec<usize> = names.filter_map(|name| below.remove(&name)).flatten().collect();
        for place in places {
            if let Some(unit) = organization.units.get_mut(place) {
                unit.parent.clone_from(&id);
                let path = format!("{path}/{}", unit.name);
                known.insert(path.clone(), unit.id.clone());
                open.push((path, unit.id.clone()));
            }
        }
    }
    for account in &mut world.accounts {
        if account.parent.is_empty() {
            account.parent.clone_from(&root);
        } else if let Some(id) = known.get(&account.parent) {
            account.parent.clone_from(id);
        }
    }
}

// An assignment implies a provisioned role: CreateAccountAssignment makes it [CreateAccountAssignment, API reference].
fn complete_provisioned(world: &mut World) {
    let seed = world.seed;
    let pairs: BTreeSet<(&str, &str)> =
        world.assignments.iter().map(|it| (it.permission_set_id.as_str(), it.account_id.as_str())).collect();
    for set in &mut world.permission_sets {
        let version = set.version;
        let accounts = pairs.range((set.id.as_str(), "")..).take_while(|(id, _)| *id == set.id);
        for (_, account) in accounts {
            set.provisioned
                .entry((*account).to_owned())
                .or_insert_with(|| Provisioned { version, role_suffix: String::new() });
        }
        for (account, provisioned) in &mut set.provisioned {
            fill(&mut provisioned.role_suffix, || derived_hex(seed, &["role", &set.id, account]));
        }
    }
}

fn fill(field: &mut String, value: impl FnOnce() -> String) {
    if field.is_empty() {
        *field = value();
    }
}

/// What contradicts itself or AWS's own rules in a completed world.
pub(super) fn problems(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    instances(world, &mut found);
    settings(world, &mut found);
    principals(world, &mut found);
    sets(world, &mut found);
    assignments(world, &mut found);
    tree(world, &mut found);
    unique("account id", world.accounts.iter().map(|it| &it.id), &mut found);
    for account in &world.accounts {
        form("account id", &account.id, ACCOUNT_ID, &mut found);
        moment("account", &account.id, account.joined, &mut found);
    }
    unique("job", world.jobs.iter().map(|it| &it.request_id), &mut found);
    for job in &world.jobs {
        form("request id", &job.request_id, REQUEST_ID, &mut found);
        moment("job", &job.request_id, job.created, &mut found);
        moment("job", &job.request_id, job.due, &mut found);
    }
    found
}

fn instances(world: &World, found: &mut Vec<String>) {
    let all = || world.instance.iter().chain(&world.extra_instances);
    unique("instance", all().map(|it| &it.arn), found);
    for instance in all() {
        form("instance ARN", &instance.arn, INSTANCE_ARN, found);
        form("account id", &instance.owner_account_id, ACCOUNT_ID, found);
        form("Region", &instance.region, REGION, found);
        form("identity store id", &instance.identity_store_id, STORE_ID, found);
    }
    let management = &world.organization.management_account_id;
    form("account id", management, ACCOUNT_ID, found);
    if world.instance.is_none() && !world.permission_sets.is_empty() {
        found.push("there are permission sets but no instance".to_owned());
    }
}

fn tree(world: &World, found: &mut Vec<String>) {
    let organization = &world.organization;
    form("root id", &organization.root_id, ROOT_ID, found);
    unique("organizational unit id", organization.units.iter().map(|it| &it.id), found);
    let root = organization.root_id.as_str();
    let parents: BTreeMap<&str, &str> =
        organization.units.iter().map(|it| (it.id.as_str(), it.parent.as_str())).collect();
    for unit in &organization.units {
        form("organizational unit id", &unit.id, UNIT_ID, found);
        // Five levels below the root [quotas, Organizations user guide].
        let mut above = unit.id.as_str();
        for _ in 0..5 {
            above = parents.get(above).copied().unwrap_or(above);
        }
        if above != root {
            found.push(format!(
                "organizational unit `{}` does not hang on the root, five levels below it at most",
                unit.name
            ));
        }
    }
    for account in &world.accounts {
        if account.parent != root && !parents.contains_key(account.parent.as_str()) {
            found.push(format!("account `{}` stands under `{}`, which does not exist", account.id, account.parent));
        }
        moment("account", &account.id, account.closing.unwrap_or_default(), found);
    }
    for creation in &organization.creations {
        moment("request", &creation.id, creation.requested, found);
        moment("request", &creation.id, creation.due, found);
    }
    for administrator in organization.delegated_administrators.keys() {
        if !world.accounts.iter().any(|account| account.id == *administrator) {
            found.push(format!("delegated administrator `{administrator}` is no account of the organization"));
        }
    }
    found.extend(world.faults.iter().filter_map(fault_terms::problem));
}

fn settings(world: &World, found: &mut Vec<String>) {
    let settings = &world.settings;
    if !(1..=100).contains(&settings.page_size) {
        found.push("settings.page_size must be between 1 and 100".to_owned());
    }
    if !(1..=20).contains(&settings.organizations_page_size) {
        found.push("settings.organizations_page_size must be between 1 and 20".to_owned());
    }
    moment("settings", "job_seconds", settings.job_seconds.unwrap_or_default(), found);
    moment("settings", "write_seconds", settings.write_seconds.unwrap_or_default(), found);
    moment("settings", "read_lag_seconds", settings.read_lag_seconds, found);
    moment("settings", "deletion_lingers_seconds", settings.deletion_lingers_seconds, found);
    for (name, rate) in [
        ("calls_per_second", settings.calls_per_second),
        ("organizations_calls_per_second", settings.organizations_calls_per_second),
    ] {
        if !(rate > 0.0 && rate.is_finite()) {
            found.push(format!("settings.{name} must be more than 0"));
        }
    }
    moment("settings", "epoch", settings.epoch.unwrap_or_default(), found);
}

fn principals(world: &World, found: &mut Vec<String>) {
    unique("user id", world.users.iter().map(|it| &it.id), found);
    unique("user name", world.users.iter().map(|it| &it.user_name), found);
    unique("email", world.users.iter().filter_map(|it| it.email.as_ref()), found);
    unique("group id", world.groups.iter().map(|it| &it.id), found);
    unique("group name", world.groups.iter().map(|it| &it.display_name), found);
    unique("membership", world.memberships.iter().map(|it| &it.id), found);
    let ids = || {
        let users = world.users.iter().map(|it| &it.id);
        users.chain(world.groups.iter().map(|it| &it.id))
    };
    for id in ids() {
        form("principal id", id, PRINCIPAL_ID, found);
    }
    let known: BTreeSet<&String> = ids().collect();
    let pairs: Vec<String> = world.memberships.iter().map(|it| format!("{} in {}", it.user_id, it.group_id)).collect();
    unique("membership", pairs.iter(), found);
    if let Some(name) =
        world.settings.sign_in_as.as_ref().filter(|name| !world.users.iter().any(|it| it.user_name == **name))
    {
        found.push(format!("settings.sign_in_as: there is no user `{name}`"));
    }
    for it in &world.memberships {
        for id in [&it.group_id, &it.user_id] {
            if !known.contains(id) {
                found.push(format!("membership `{}` names `{id}`, which does not exist", it.id));
            }
        }
    }
}

fn sets(world: &World, found: &mut Vec<String>) {
    unique("permission set id", world.permission_sets.iter().map(|it| &it.id), found);
    unique("permission set", world.permission_sets.iter().map(|it| &it.name), found);
    for set in &world.permission_sets {
        let arn = format!("arn:aws:sso:::permissionSet/ssoins-0000000000000000/{}", set.id);
        if !model::holds(SET_ARN.0, SET_ARN.1, &arn) {
            found.push(format!("permission set id `{}` is malformed", set.id));
        }
        form("permission set name", &set.name, SET_NAME, found);
        form("session duration", &set.session_duration, DURATION, found);
        moment("permission set", &set.name, set.created, found);
        contents(set, found);
        set_provisioned(set, found);
    }
}

/// What AWS would not have taken.
fn contents(set: &PermissionSet, found: &mut Vec<String>) {
    let texts = [(&set.description, "description", DESCRIPTION), (&set.relay_state, "relay state", RELAY_STATE)];
    for (text, what, shape) in texts {
        if let Some(text) = text {
            form(what, text, shape, found);
        }
    }
    for arn in &set.aws_managed_policies {
        form("managed policy ARN", arn, MANAGED_POLICY, found);
    }
    for policy in &set.customer_managed_policies {
        form("policy name", &policy.name, POLICY_NAME, found);
        form("policy path", &policy.path, POLICY_PATH, found);
    }
    if set.aws_managed_policies.len() + set.customer_managed_policies.len() > 20 {
        found.push(format!("permission set `{}` has more than 20 policies", set.name));
    }
    if let Some(Err(error)) = set.inline_policy.as_ref().map(|text| policy_document::check(text)) {
        found.push(format!("the inline policy of permission set `{}`: {}", set.name, error.message));
    }
    // Beyond this it could not grow, and JSON not tell it apart.
    if set.version > 1 << 53 {
        found.push(format!("permission set `{}` has an impossible version", set.name));
    }
}

fn set_provisioned(set: &PermissionSet, found: &mut Vec<String>) {
    for (account, provisioned) in &set.provisioned {
        form("account id", account, ACCOUNT_ID, found);
        if provisioned.version > set.version {
            found.push(format!(
                "permission set `{}` is provisioned in {account} at version {}, but is only at {}",
                set.name, provisioned.version, set.version
            ));
        }
    }
}

fn assignments(world: &World, found: &mut Vec<String>) {
    let known: BTreeSet<&String> = world.permission_sets.iter().map(|it| &it.id).collect();
    for it in &world.assignments {
        form("account id", &it.account_id, ACCOUNT_ID, found);
        form("principal id", &it.principal_id, PRINCIPAL_ID, found);
        if !known.contains(&it.permission_set_id) {
            found.push(format!(
                "an assignment in {} names permission set `{}`, which does not exist",
                it.account_id, it.permission_set_id
            ));
        }
    }
}

fn unique<'a>(what: &str, of: impl Iterator<Item = &'a String>, found: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for it in of {
        if !seen.insert(it) {
            found.push(format!("{what} `{it}` appears twice"));
        }
    }
}

fn form(what: &str, value: &str, shape: Shape, found: &mut Vec<String>) {
    let (service, name) = shape;
    if !model::holds(service, name, value) {
        found.push(format!("{what} `{value}` is malformed"));
    }
}

// Beyond the year 9999 no client can print a timestamp.
fn moment(what: &str, name: &str, seconds: f64, found: &mut Vec<String>) {
    if !(0.0..=253_402_300_799.0).contains(&seconds) {
        found.push(format!("{what} `{name}`: {seconds} is no number of seconds from 0 to the year 9999"));
    }
}
