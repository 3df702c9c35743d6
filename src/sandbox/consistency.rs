//! Fills in what a world file leaves out, and says what in it cannot be.
//!
//! Orphans (assignments of principals that do not exist), stale provisioning and assignments in accounts that left the
//! organization are states AWS knows, so they are no problems here.

use std::collections::BTreeSet;

use super::ids::{derived_hex, derived_principal};
use super::patterns::{self, Text};
use super::world::{Account, AccountState, PermissionSet, Provisioned, World};

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
        world.accounts.push(Account {
            id: management.clone(),
            name: "management".to_owned(),
            email: String::new(),
            state: AccountState::Active,
            joined: 0.0,
            customer_managed_policies: None,
        });
    }
    for account in &mut world.accounts {
        fill(&mut account.name, || account.id.clone());
        fill(&mut account.email, || format!("aws+{}@example.com", account.id));
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
    unique("account id", world.accounts.iter().map(|it| &it.id), &mut found);
    for account in &world.accounts {
        form("account id", &account.id, &patterns::ACCOUNT_ID, &mut found);
        moment("account", &account.id, account.joined, &mut found);
    }
    unique("job", world.jobs.iter().map(|it| &it.request_id), &mut found);
    for job in &world.jobs {
        form("request id", &job.request_id, &patterns::REQUEST_ID, &mut found);
        moment("job", &job.request_id, job.created, &mut found);
        moment("job", &job.request_id, job.due, &mut found);
    }
    found
}

fn instances(world: &World, found: &mut Vec<String>) {
    let all = || world.instance.iter().chain(&world.extra_instances);
    unique("instance", all().map(|it| &it.arn), found);
    for instance in all() {
        form("instance ARN", &instance.arn, &patterns::INSTANCE_ARN, found);
        form("account id", &instance.owner_account_id, &patterns::ACCOUNT_ID, found);
        if !patterns::is_store_id(&instance.identity_store_id) {
            found.push(format!("identity store id `{}` is malformed", instance.identity_store_id));
        }
    }
    let management = &world.organization.management_account_id;
    form("account id", management, &patterns::ACCOUNT_ID, found);
    if world.instance.is_none() && !world.permission_sets.is_empty() {
        found.push("there are permission sets but no instance".to_owned());
    }
}

fn settings(world: &World, found: &mut Vec<String>) {
    let settings = &world.settings;
    if !(1..=100).contains(&settings.page_size) {
        found.push("settings.page_size must be between 1 and 100".to_owned());
    }
    if !(1..=20).contains(&settings.organizations_page_size) {
        found.push("settings.organizations_page_size must be between 1 and 20".to_owned());
    }
    moment("settings", "job_seconds", settings.job_seconds, found);
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
        form("principal id", id, &patterns::PRINCIPAL_ID, found);
    }
    let known: BTreeSet<&String> = ids().collect();
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
        if !patterns::is_permission_set_id(&set.id) {
            found.push(format!("permission set id `{}` is malformed", set.id));
        }
        form("permission set name", &set.name, &patterns::PERMISSION_SET_NAME, found);
        form("session duration", &set.session_duration, &patterns::SESSION_DURATION, found);
        moment("permission set", &set.name, set.created, found);
        set_provisioned(set, found);
    }
}

fn set_provisioned(set: &PermissionSet, found: &mut Vec<String>) {
    for (account, provisioned) in &set.provisioned {
        form("account id", account, &patterns::ACCOUNT_ID, found);
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
        form("account id", &it.account_id, &patterns::ACCOUNT_ID, found);
        form("principal id", &it.principal_id, &patterns::PRINCIPAL_ID, found);
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

fn form(what: &str, value: &str, text: &Text, found: &mut Vec<String>) {
    if !text.holds(value) {
        found.push(format!("{what} `{value}` is malformed"));
    }
}

// Beyond the year 9999 no client can print a timestamp.
fn moment(what: &str, name: &str, seconds: f64, found: &mut Vec<String>) {
    if !(0.0..=253_402_300_799.0).contains(&seconds) {
        found.push(format!("{what} `{name}`: {seconds} is no number of seconds from 0 to the year 9999"));
    }
}
