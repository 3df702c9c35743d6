//! What an apply needs consent for: each guard at its limits, and that consent is asked for and taken.

use permset::plan::Refusal;
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
    assert!(stdout(&again).contains("refused: StillUsed left the file and stays"), "{}", stdout(&again));
    // Somebody still has it: whoever looks on a schedule must hear of it.
    let drift = cli.command(&["--sandbox=world.json", "-q", "drift"]);
    assert_eq!(code(&drift), 2, "{}", stderr(&drift));
    assert!(stdout(&drift).contains("permission set  StillUsed   left the file"), "{}", stdout(&drift));
}
