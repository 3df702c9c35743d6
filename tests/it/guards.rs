//! What an apply needs consent for: each guard at its limits, and that consent is asked for and taken.

use permset::plan::Refusal;
use permset::sandbox::world::AccessKey;
use permset::sandbox::{Sandbox, World};
use serde_json::json;

use crate::support::cli::{Cli, code, stderr, stdout};
use crate::support::run;

const ACCOUNT: &str = "222222222222";

/// A world in which so many users hold `Ops`.
fn world(holders: usize) -> World {
    let id = |number: usize| format!("00000000-0000-7000-8000-{number:012}");
    let users: Vec<_> = (0..holders).map(|it| json!({"id": id(it), "user_name": format!("user{it}")})).collect();
    let rows: Vec<_> = (0..holders)
        .map(|it| {
            json!({"account_id": ACCOUNT, "permission_set_id": "ps-0000000000000001", "principal_type": "USER", "principal_id": id(it)})
        })
        .collect();
    serde_json::from_value(json!({
        "settings": {"epoch": 1_700_000_000.0},
        "accounts": [{"id": "111111111111"}, {"id": ACCOUNT, "name": "one"}, {"id": "333333333333", "state": "SUSPENDED"}],
        "users": users,
        "permission_sets": [{"id": "ps-0000000000000001", "name": "Ops"}],
        "assignments": rows,
    }))
    .unwrap()
}

/// A file that keeps the first so many of them.
fn file(kept: usize, guards: &str) -> String {
    let users: Vec<String> = (0..kept).map(|it| format!("user{it}")).collect();
    let rule = format!("assignments: [{{ permission_sets: [Ops], accounts: [one], users: [{}] }}]\n", users.join(", "));
    let rules = if kept == 0 { "" } else { &rule };
    format!("version: 1\nscope: {{ accounts: [\"*\"] }}\npermission_sets: {{ Ops: {{}} }}\n{rules}{guards}")
}

async fn refusals(holders: usize, kept: usize, guards: &str) -> Vec<Refusal> {
    let sandbox = Sandbox::new(world(holders));
    let aws = run::aws(&sandbox).await;
    run::plan(&aws, &run::desired_from(&file(kept, guards))).await.1.refusals
}

async fn consents(holders: usize, kept: usize, guards: &str) -> Vec<&'static str> {
    refusals(holders, kept, guards).await.iter().map(Refusal::consent).collect()
}

#[tokio::test(start_paused = true)]
async fn the_count_and_the_share_of_deletions_are_limited() {
    for (holders, kept, refused) in [
        // Three of four are no large share, four of five are.
        (4, 1, false),
        (5, 1, true),
        (14, 10, false),
        (13, 9, true),
        (40, 30, false),
        (41, 30, true),
    ] {
        let expected = if refused { vec!["mass-deletion"] } else { vec![] };
        assert_eq!(consents(holders, kept, "").await, expected, "{holders} -> {kept}");
    }
    assert_eq!(consents(40, 30, "guards: { max_deletions: { count: 9 } }\n").await, ["mass-deletion"]);
    assert_eq!(consents(40, 10, "guards: { max_deletions: { count: 30, share: 75% } }\n").await, [""; 0]);
    assert_eq!(consents(40, 39, "guards: { max_deletions: { count: 0 } }\n").await, ["mass-deletion"]);
    assert_eq!(consents(40, 40, "guards: { max_deletions: { count: 0, share: 0% } }\n").await, [""; 0]);
}

// An identity provider's outage, or a merge gone wrong, looks like this.
#[tokio::test(start_paused = true)]
async fn a_file_that_grants_nothing_must_be_meant() {
    assert_eq!(consents(1, 0, "").await, ["nothing-left"]);
    assert_eq!(consents(30, 0, "guards: { max_deletions: { count: 100, share: 100% } }\n").await, ["nothing-left"]);
    assert_eq!(consents(0, 0, "").await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_required_grant_is_there_afterwards_or_consent_is_asked() {
    let required = |user: &str, account: &str| {
        format!("guards: {{ required: [{{ user: {user}, permission_set: Ops, account: {account} }}] }}\n")
    };
    assert_eq!(consents(2, 2, &required("user1", "one")).await, [""; 0]);
    assert_eq!(consents(2, 1, &required("user1", "one")).await, ["required"]);
    // Nobody can be let into an account that is not active.
    assert_eq!(consents(2, 2, &required("user1", "\"333333333333\"")).await, ["required"]);
}

#[tokio::test(start_paused = true)]
async fn a_required_grant_of_nobody_is_a_mistake() {
    let sandbox = Sandbox::new(world(1));
    let aws = run::aws(&sandbox).await;
    let desired =
        run::desired_from(&file(1, "guards: { required: [{ group: nobody, permission_set: Ops, account: one }] }\n"));
    let observed = run::observe(&aws, &desired).await;
    let findings = permset::plan::plan(&desired, &observed).unwrap_err();
    assert_eq!(findings[0].message, "unknown group `nobody`");
}

#[test]
fn apply_refuses_until_it_is_meant() {
    let cli = Cli::new();
    cli.write("access.yaml", file(1, ""));
    let mut world = world(6);
    world.settings.job_seconds = Some(0.0);
    cli.write("world.json", serde_json::to_string(&world).unwrap());
    let apply =
        |more: &[&str]| cli.command(&[&["--sandbox=world.json", "-q", "apply", "--auto-approve"], more].concat());
    let refused = apply(&[]);
    assert_eq!(code(&refused), 4);
    let said = stdout(&refused);
    assert!(said.contains("refused: this plan deletes 5 of 6 assignments (limits: 10, or 30%)"), "{said}");
    assert!(stderr(&refused).contains("apply --allow mass-deletion`"), "{}", stderr(&refused));
    assert_eq!(code(&apply(&["--allow", "take-over"])), 4);
    assert_eq!(code(&apply(&["--allow", "mass-deletion"])), 0);
    assert!(stdout(&apply(&[])).contains("nothing to do"));
}

// Two files that share an owner would delete each other's permission sets.
#[tokio::test(start_paused = true)]
async fn the_deletion_of_permission_sets_is_limited_too() {
    for (sets, refused) in [(3, false), (4, true)] {
        let mut world = world(1);
        world.permission_sets.extend((0..sets).map(|number| {
            let mut set = permset::sandbox::world::PermissionSet::named(&format!("Left{number}"));
            set.tags.insert("permset:owner".to_owned(), "team".to_owned());
            set
        }));
        let sandbox = Sandbox::new(world);
        let aws = run::aws(&sandbox).await;
        let desired = run::desired_from(&file(1, "owner: team\n"));
        let plan = run::plan(&aws, &desired).await.1;
        let consents: Vec<&str> = plan.refusals.iter().map(Refusal::consent).collect();
        assert_eq!(consents, if refused { vec!["mass-deletion"] } else { vec![] }, "{sets}");
    }
}

// What is still in use elsewhere stops an apply that changes something, not one that has nothing to do.
#[test]
fn what_was_left_behind_stops_changes_and_nothing_else() {
    let cli = Cli::new();
    for name in ["access.yaml", "world.json"] {
        let text = std::fs::read_to_string(crate::support::tests_dir("scenarios/left-the-file").join(name)).unwrap();
        let text = text.replace("\"job_seconds\": 2.0", "\"job_seconds\": 0.0");
        cli.write(name, text.replace("\"deletion_lingers_seconds\": 30.0", "\"deletion_lingers_seconds\": 0.0"));
    }
    let apply =
        |more: &[&str]| cli.command(&[&["--sandbox=world.json", "-q", "apply", "--auto-approve"], more].concat());
    assert_eq!(code(&apply(&[])), 4);
    assert_eq!(code(&apply(&["--allow", "left-behind"])), 0);
    let again = apply(&[]);
    assert_eq!(code(&again), 0, "{}", stderr(&again));
    assert!(stdout(&again).contains("notice: StillUsed left the file and stays"), "{}", stdout(&again));
    // Somebody still has it: whoever looks on a schedule must hear of it.
    let drift = cli.command(&["--sandbox=world.json", "-q", "drift"]);
    assert_eq!(code(&drift), 2, "{}", stderr(&drift));
    assert!(stdout(&drift).contains("permission set  StillUsed   left the file"), "{}", stdout(&drift));
}

/// A world in which the caller of the in-process sandbox came in as `user` through `Ops` in account one.
fn seen_by(user: &str, mut world: World) -> World {
    world.access_keys.push(AccessKey {
        id: "SANDBOX".to_owned(),
        account_id: ACCOUNT.to_owned(),
        user: Some(user.to_owned()),
        permission_set: Some("Ops".to_owned()),
        policy: None,
    });
    // Only the management account's callers may call Identity Center at all, and somebody signs in there too.
    world.organization.management_account_id = ACCOUNT.to_owned();
    let instance = world.instance.get_or_insert_default();
    instance.owner_account_id = ACCOUNT.to_owned();
    world
}

async fn refused(world: World, file: &str) -> Vec<Refusal> {
    let sandbox = Sandbox::new(world);
    run::plan(&run::aws(&sandbox).await, &run::desired_from(file)).await.1.refusals
}

#[tokio::test(start_paused = true)]
async fn nobody_shuts_themselves_out_by_mistake() {
    let users: [(&str, &[&str]); 3] = [("user2", &["own-way-in"]), ("user0", &[]), ("nobody-here", &["own-way-in"])];
    // Who is behind a session that is no user of the directory is not known, so it may be anybody.
    for (user, expected) in users {
        let found = refused(seen_by(user, world(3)), &file(2, "")).await;
        assert_eq!(found.iter().map(Refusal::consent).collect::<Vec<_>>(), expected, "{user}");
    }
    let found = refused(seen_by("user2", world(3)), &file(2, "")).await;
    assert!(matches!(&*found, [Refusal::OwnWayIn { certain: true, .. }]), "{found:#?}");
}

/// `user0` comes in through the group `admins` as well as directly.
fn with_group(user: &str) -> World {
    let mut world = seen_by(user, world(2));
    let group = "00000000-0000-7000-8000-0000000000aa";
    let more: World = serde_json::from_value(json!({
        "settings": {"epoch": 1_700_000_000.0},
        "groups": [{"id": group, "display_name": "admins"}],
        "memberships": [{"id": "00000000-0000-7000-8000-0000000000bb", "group_id": group, "user_id": "00000000-0000-7000-8000-000000000000"}],
        "assignments": [{"account_id": ACCOUNT, "permission_set_id": "ps-0000000000000001", "principal_type": "GROUP", "principal_id": group}],
    }))
    .unwrap();
    world.groups = more.groups;
    world.memberships = more.memberships;
    world.assignments.extend(more.assignments);
    world
}

#[tokio::test(start_paused = true)]
async fn groups_count_as_a_way_in() {
    // The direct assignment of user0 goes, the group stays; the group goes, and user0 stays; both go.
    let direct_goes = file(1, "").replace("users: [user0]", "users: [user1], groups: [admins]");
    let group_goes = file(2, "");
    let both_go = file(1, "").replace("user0", "user1");
    let of = |found: Vec<Refusal>| found.iter().map(Refusal::consent).collect::<Vec<_>>();
    let cases: [(&str, &[&str]); 3] = [(&direct_goes, &[]), (&group_goes, &[]), (&both_go, &["own-way-in"])];
    for (text, as_user0) in cases {
        assert_eq!(of(refused(with_group("user0"), text).await), as_user0, "{text}");
        assert_eq!(of(refused(with_group("user1"), text).await), [""; 0], "{text}");
    }
    // Where the groups may not be read, a group that goes may be theirs.
    let denied: permset::sandbox::world::Fault = serde_json::from_value(json!({
        "on": "identitystore.ListGroupMembershipsForMember", "times": null, "effect": {"error": {"code": "AccessDeniedException"}},
    }))
    .unwrap();
    let cases: [(&str, &[&str]); 2] = [(&group_goes, &[]), (&direct_goes, &["own-way-in"])];
    for (text, expected) in cases {
        let sandbox = Sandbox::new(with_group("user0"));
        sandbox.add_fault(denied.clone()).unwrap();
        let plan = run::plan(&run::aws(&sandbox).await, &run::desired_from(text)).await.1;
        assert_eq!(of(plan.refusals), expected, "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_management_account_is_out_of_reach_for_a_delegated_administrator() {
    let delegated = || {
        let mut world = world(2);
        world.access_keys.push(AccessKey {
            id: "SANDBOX".to_owned(),
            account_id: ACCOUNT.to_owned(),
            user: None,
            permission_set: None,
            policy: None,
        });
        let since = [("sso.amazonaws.com".to_owned(), 1_600_000_000.0)].into();
        world.organization.delegated_administrators = [(ACCOUNT.to_owned(), since)].into();
        world
    };
    let there = file(2, "").replace("accounts: [one]", "accounts: [one, \"111111111111\"]");
    let found = refused(delegated(), &there).await;
    assert!(matches!(&*found, [Refusal::ManagementAccount { .. }]), "{found:#?}");
    assert_eq!(refused(world(2), &there).await, []);
    assert_eq!(refused(delegated(), &file(1, "")).await, []);
    // What is provisioned there cannot be edited either.
    let mut world = delegated();
    let mut row = world.assignments[0].clone();
    row.account_id = "111111111111".to_owned();
    world.assignments.push(row);
    let edited = file(2, "").replace("Ops: {}", "Ops: { session_duration: 4h }").replace("[\"*\"]", "[one]");
    let found = refused(world.clone(), &edited).await;
    assert!(matches!(&*found, [Refusal::ManagementAccount { .. }]), "{found:#?}");
    // Nor assigned or revoked anywhere.
    let external = file(1, "").replace("Ops: {}", "Ops: { definition: external }").replace("[\"*\"]", "[one]");
    let found = refused(world, &external).await;
    assert!(matches!(&*found, [Refusal::ManagementAccount { .. }]), "{found:#?}");
}

#[tokio::test(start_paused = true)]
async fn no_account_and_no_permission_set_is_emptied_in_passing() {
    // Four of five in one account, among thirty elsewhere: not much in all, nearly everything there.
    let mut world = world(35);
    world.accounts.push(serde_json::from_value(json!({"id": "444444444444", "name": "four"})).unwrap());
    for row in world.assignments.iter_mut().skip(30) {
        row.account_id = "444444444444".to_owned();
    }
    let text = file(30, "") + "  - { permission_sets: [Ops], accounts: [four], users: [user34] }\n";
    let text = text.replace("assignments: [{", "assignments:\n  - {").replace("}]\n", "}\n");
    let found = refused(world, &text).await;
    let [Refusal::MassDeletionWithin { places, .. }] = &*found else { panic!("{found:#?}") };
    assert_eq!(places.iter().map(|place| (place.deletions, place.of)).collect::<Vec<_>>(), [(4, 5)]);
}

// The role that plans can only read; what it could lose says nothing about the role that applies.
#[tokio::test(start_paused = true)]
async fn a_saved_plan_is_looked_at_again_for_whoever_applies_it() {
    let sandbox = Sandbox::new(seen_by("user2", world(3)));
    let desired = run::desired_from(&file(2, ""));
    let (observed, plan, _) = run::plan(&run::aws(&sandbox).await, &desired).await;
    let facts = permset::plan::facts(&plan, &desired, &observed);
    assert_eq!(plan.refusals.len(), 1);
    let aws = run::aws(&sandbox).await;
    for (user, refusals) in [("user1", 0), ("user2", 1)] {
        sandbox.edit(|world| world.access_keys[0].user = Some(user.to_owned()));
        let caller = permset::observed::caller(&aws, &plan.instance, &facts).await.unwrap();
        assert_eq!(plan.clone().for_caller(&caller, &facts).refusals.len(), refusals, "{user}");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_gets_the_same_under_a_new_name_loses_nothing() {
    let renamed = |kept: usize| {
        file(kept, "").replace("Ops: {}", "Platform: { previously: [Ops] }").replace("[Ops], acc", "[Platform], acc")
    };
    let of = |found: Vec<Refusal>| found.iter().map(Refusal::consent).collect::<Vec<_>>();
    assert_eq!(of(refused(world(40), &renamed(40)).await), [""; 0]);
    // Those who get nothing under the new name count.
    assert_eq!(of(refused(world(40), &renamed(20)).await), ["mass-deletion"]);
    // Somebody else's is not ours to rename.
    let mut theirs = world(2);
    theirs.permission_sets[0].tags.insert("permset:owner".to_owned(), "another".to_owned());
    assert_eq!(of(refused(theirs, &renamed(2)).await), ["take-over"]);
}
