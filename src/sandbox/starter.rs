//! The worlds that people start with.
//!
//! [`starter`] is a small organization where somebody has clicked in the console, so that there is drift to find; [`world_for`]
//! has just the accounts and principals that it is given. Both are the same on every machine.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::consistency;
use super::world::{
    Account, AccountState, Assignment, Group, Membership, PermissionSet, PrincipalType, Provisioned, TrailEvent, User,
    UserStatus, World,
};

const MANAGEMENT: &str = "111111111111";
const HOSTING: &str = "215665149509";
const STAGING: &str = "333333333333";
/// 1 January 2025.
const FOUNDED: f64 = 1_735_689_600.0;
/// 2 November 2025, early in the morning.
const CLICKED: f64 = 1_762_053_660.0;
/// The set that a click in the console has changed.
const ADMINISTRATOR: &str = "ps-0a1b2c3d4e5f6071";
const READ_ONLY: &str = "ps-1b2c3d4e5f607182";
const BILLING: &str = "ps-2c3d4e5f60718293";
/// A user that was deleted while it was still assigned.
const GONE: &str = "93670c51-d2a1-7c4b-9f0e-5a6b7c8d9e0f";

/// What a world must contain for an access file to find its names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Ids and names of accounts.
    pub accounts: Vec<(String, String)>,
    /// Display names of groups.
    pub groups: Vec<String>,
    /// User names.
    pub users: Vec<String>,
}

/// Makes an otherwise empty Identity Center with a management account and exactly these accounts, groups and users.
///
/// If the default id of the management account is among the accounts, that account is it.
#[must_use]
pub fn world_for(names: &Names) -> World {
    let mut world = World::default();
    let mut seen = BTreeSet::new();
    for (id, name) in &names.accounts {
        if seen.insert(id) {
            world.accounts.push(account(id, name, AccountState::Active));
        }
    }
    let management = MANAGEMENT.to_owned();
    if !seen.contains(&management) {
        world.accounts.push(account(MANAGEMENT, "management", AccountState::Active));
    }
    let groups: BTreeSet<&String> = names.groups.iter().collect();
    world.groups = groups.into_iter().map(|name| group(name)).collect();
    let users: BTreeSet<&String> = names.users.iter().collect();
    world.users = users.into_iter().map(|name| user(name, name, UserStatus::Enabled)).collect();
    consistency::complete(&mut world);
    world
}

/// Makes the world of the first steps: an account for video hosting, the people around it, and what they left behind.
#[must_use]
pub fn starter() -> World {
    let mut world = World {
        accounts: vec![
            account(MANAGEMENT, "example-management", AccountState::Active),
            account(HOSTING, "jitsi-hosting", AccountState::Active),
            account(STAGING, "video-staging", AccountState::Active),
            account("444444444444", "old-recordings", AccountState::Suspended),
        ],
        groups: ["jitsi-admins", "jitsi-operators", "platform-admins", "auditors"].map(group).into(),
        users: vec![
            user("alice@example.com", "Alice", UserStatus::Enabled),
            user("bob@example.com", "Bob", UserStatus::Enabled),
            user("carol@example.com", "Carol", UserStatus::Enabled),
            user("dana@example.com", "Dana", UserStatus::Enabled),
            user("erik@example.com", "Erik", UserStatus::Disabled),
        ],
        permission_sets: vec![administrator(), read_only(), billing()],
        ..World::default()
    };
    // Gives the principals their ids, which the rest refers to.
    consistency::complete(&mut world);
    world.memberships = [
        ("jitsi-operators", "alice@example.com"),
        ("jitsi-admins", "bob@example.com"),
        ("platform-admins", "carol@example.com"),
    ]
    .map(|(group, user)| Membership {
        group_id: group_id(&world, group),
        user_id: user_id(&world, user),
        ..Membership::default()
    })
    .into();
    world.assignments = assignments(&world);
    world.trail = trail(&world);
    consistency::complete(&mut world);
    world
}

/// Who clicked.
fn trail(world: &World) -> Vec<TrailEvent> {
    let instance = world.instance.as_ref().map(|it| it.arn.as_str()).unwrap_or_default();
    let short = instance.rsplit('/').next().unwrap_or_default();
    let set = format!("arn:aws:sso:::permissionSet/{short}/{ADMINISTRATOR}");
    let event = |at: f64, name: &str, request: Value| TrailEvent {
        at,
        name: name.to_owned(),
        account_id: MANAGEMENT.to_owned(),
        arn: format!(
            "arn:aws:sts::{MANAGEMENT}:assumed-role/AWSReservedSSO_AdministratorAccess_0123456789abcdef/carol@example.com"
        ),
        request: request.as_object().cloned().unwrap_or_default(),
    };
    let policy = json!({"InstanceArn": instance, "PermissionSetArn": set,
        "ManagedPolicyArn": "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"});
    let assignment = json!({"InstanceArn": instance, "PermissionSetArn": set, "TargetId": HOSTING, "TargetType": "AWS_ACCOUNT",
        "PrincipalType": "USER", "PrincipalId": user_id(world, "dana@example.com")});
    vec![
        event(CLICKED, "CreateAccountAssignment", assignment),
        event(CLICKED + 3_600.0, "AttachManagedPolicyToPermissionSet", policy),
    ]
}

fn assignments(world: &World) -> Vec<Assignment> {
    let group = |name| (PrincipalType::Group, group_id(world, name));
    let user = |name| (PrincipalType::User, user_id(world, name));
    [
        (MANAGEMENT, ADMINISTRATOR, group("platform-admins")),
        (MANAGEMENT, BILLING, user("carol@example.com")),
        // By hand, past every group.
        (HOSTING, ADMINISTRATOR, user("dana@example.com")),
        (HOSTING, ADMINISTRATOR, (PrincipalType::User, GONE.to_owned())),
        (HOSTING, READ_ONLY, group("auditors")),
        (STAGING, READ_ONLY, group("auditors")),
    ]
    .map(|(account, set, (principal_type, principal_id))| Assignment {
        account_id: account.to_owned(),
        permission_set_id: set.to_owned(),
        principal_type,
        principal_id,
    })
    .into()
}

// A second policy was attached in the console, and only one of the two accounts was provisioned since.
fn administrator() -> PermissionSet {
    let mut set = set(ADMINISTRATOR, "AdministratorAccess", "Clicked together in the console");
    set.aws_managed_policies = vec![
        "arn:aws:iam::aws:policy/AdministratorAccess".to_owned(),
        "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess".to_owned(),
    ];
    set.version = 2;
    set.provisioned = BTreeMap::from([(MANAGEMENT.to_owned(), provisioned(2)), (HOSTING.to_owned(), provisioned(1))]);
    set
}

// As Control Tower makes it [AWS Control Tower user guide, IAM Identity Center groups and permission sets].
fn read_only() -> PermissionSet {
    let mut set = set(
        READ_ONLY,
        "AWSReadOnlyAccess",
        "This policy grants permissions to view resources and basic metadata across all AWS services",
    );
    set.aws_managed_policies = vec!["arn:aws:iam::aws:policy/job-function/ViewOnlyAccess".to_owned()];
    set.tags = BTreeMap::from([("ManagedBy".to_owned(), "ControlTower".to_owned())]);
    set
}

fn billing() -> PermissionSet {
    let mut set = set(BILLING, "BillingView", "Read access to the bills");
    set.aws_managed_policies = vec!["arn:aws:iam::aws:policy/AWSBillingReadOnlyAccess".to_owned()];
    set
}

fn set(id: &str, name: &str, description: &str) -> PermissionSet {
    PermissionSet {
        id: id.to_owned(),
        description: Some(description.to_owned()),
        created: FOUNDED,
        ..PermissionSet::named(name)
    }
}

fn provisioned(version: u64) -> Provisioned {
    Provisioned { version, role_suffix: String::new() }
}

fn account(id: &str, name: &str, state: AccountState) -> Account {
    Account { id: id.to_owned(), name: name.to_owned(), state, joined: FOUNDED, ..Account::default() }
}

fn group(name: &str) -> Group {
    Group { display_name: name.to_owned(), ..Group::default() }
}

fn user(user_name: &str, display_name: &str, status: UserStatus) -> User {
    User {
        user_name: user_name.to_owned(),
        display_name: display_name.to_owned(),
        email: user_name.contains('@').then(|| user_name.to_owned()),
        status,
        ..User::default()
    }
}

fn group_id(world: &World, name: &str) -> String {
    let group = world.groups.iter().find(|group| group.display_name == name);
    group.map(|group| group.id.clone()).unwrap_or_default()
}

fn user_id(world: &World, name: &str) -> String {
    let user = world.users.iter().find(|user| user.user_name == name);
    user.map(|user| user.id.clone()).unwrap_or_default()
}
