//! The least policy: enough for a run on a sandbox that enforces it, and nothing in it that no run needs.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::cli::{Cli, code, stderr, stdout};

const INSTANCE: &str = "arn:aws:sso:::instance/ssoins-00aa11bb22cc33dd";

/// A world in which an apply does everything there is, and its access file.
fn everything(owner: bool, names: bool) -> (String, String) {
    let account = |n: usize| format!("{:012}", 200_000_000_000_u64 + n as u64);
    let accounts: Vec<Value> = std::iter::once(json!({"id": "111111111111", "name": "management"}))
        .chain((0..4).map(|n| json!({"id": account(n), "name": format!("a{n}")})))
        .collect();
    let id = |kind: &str, n: usize| format!("{kind}670c51-d10{n}-7c4b-9f0e-5a6b7c8d9e0{n}");
    let tag =
        |name: &str| if owner { json!({"permset:owner": "us", "old": "x", "team": name}) } else { json!({"old": "x"}) };
    let set = |n: usize, name: &str| {
        json!({"id": format!("ps-000000000000000{n}"), "name": name, "tags": tag(name), "version": 2, "session_duration": "PT1H",
            "aws_managed_policies": ["arn:aws:iam::aws:policy/ReadOnlyAccess"], "customer_managed_policies": [{"name": "Old"}],
            "inline_policy": r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#,
            "permissions_boundary": {"managed_policy_arn": "arn:aws:iam::aws:policy/PowerUserAccess"},
            "provisioned": {account(0): {"version": 2}, account(1): {"version": 2}}})
    };
    let row = |n: usize, account: String, kind: &str, principal: String| json!({"account_id": account, "permission_set_id": format!("ps-000000000000000{n}"), "principal_type": kind, "principal_id": principal});
    let mut sets = vec![set(1, "Less"), set(2, "More")];
    let mut rows = Vec::new();
    for n in [1, 2] {
        rows.push(row(n, account(0), "GROUP", id("90", 0)));
        rows.push(row(n, account(1), "USER", id("93", 0)));
        // Whom no file names.
        rows.push(row(n, account(1), "GROUP", id("90", 1)));
    }
    if owner {
        // It can only be deleted when it is known that nobody has it any more.
        let mut left = set(3, "Left");
        left["provisioned"] = json!({account(0): {"version": 2}});
        sets.push(left);
        rows.push(row(3, account(0), "GROUP", id("90", 1)));
    }
    let world = json!({"accounts": accounts,
        "settings": {"job_seconds": 0.0},
        "groups": [{"id": id("90", 0), "display_name": "ops"}, {"id": id("90", 1), "display_name": "old"}], "users": [{"id": id("93", 0), "user_name": "ann"}, {"id": id("93", 1), "user_name": "bob"}],
        "permission_sets": sets, "assignments": rows});
    let head = if owner { "owner: us\n" } else { "" };
    let scope = if names {
        "a0, a1, a2".to_owned()
    } else {
        format!("\"{}\", \"{}\", \"{}\"", account(0), account(1), account(2))
    };
    let file = format!(
        "version: 1\n{head}instance: {{ arn: {INSTANCE}, region: eu-central-1 }}\nscope: {{ accounts: [{scope}] }}\nguards: {{ max_deletions: {{ count: 100, share: 100% }} }}\n\
         permission_sets:\n  Less: {{ description: less, tags: {{ new: y }} }}\n  More:\n    session_duration: 2h\n    aws_managed_policies: [PowerUserAccess]\n    \
         customer_managed_policies: [{{ name: New }}]\n    inline_policy: {{ Version: '2012-10-17', Statement: {{ Effect: Allow, Action: 'ecs:*', Resource: '*' }} }}\n    \
         permissions_boundary: {{ aws_managed: ReadOnlyAccess }}\n  Brand-new: {{ description: new }}\nassignments:\n  - permission_sets: [Less, More, Brand-new]\n    accounts: [{scope}]\n    groups: [ops]\n  \
         - permission_sets: [More]\n    accounts: [{scope}]\n    users: [bob]\n"
    );
    (world.to_string(), file)
}

fn prepared(world: &str, file: &str, policy: &Value) -> Cli {
    let cli = Cli::new();
    let mut world: Value = serde_json::from_str(world).unwrap();
    world["access_keys"] = json!([{"id": "SANDBOX", "account_id": "111111111111", "user": "ci", "policy": policy}]);
    cli.write("world.json", world.to_string());
    cli.write("access.yaml", file);
    cli
}

fn policy(world: &str, file: &str, args: &[&str]) -> Value {
    let cli = prepared(world, file, &json!({}));
    let output = cli.command(&[&["-q", "iam-policy"], args].concat());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    serde_json::from_str(&stdout(&output)).unwrap()
}

fn actions(policy: &Value) -> BTreeSet<String> {
    let statements = policy["Statement"].as_array().unwrap();
    statements
        .iter()
        .flat_map(|it| it["Action"].as_array().unwrap())
        .map(|it| it.as_str().unwrap().to_owned())
        .collect()
}

fn without(policy: &Value, action: &str) -> Value {
    let mut policy = policy.clone();
    for statement in policy["Statement"].as_array_mut().unwrap() {
        statement["Action"].as_array_mut().unwrap().retain(|it| it != action);
    }
    policy
}

/// Runs and returns the exit code with everything that was said.
fn run(world: &str, file: &str, policy: &Value, command: &str) -> (i32, String) {
    let cli = prepared(world, file, policy);
    let args: &[&str] = if command == "apply" {
        &["apply", "--auto-approve", "--allow", "mass-deletion", "--allow", "nothing-left"]
    } else {
        &["plan"]
    };
    let output = cli.command(&[&["--sandbox=world.json"], args].concat());
    (code(&output), format!("{}{}", stdout(&output), stderr(&output)))
}

#[test]
fn the_policy_is_enough_and_the_narrow_one_too() {
    for (owner, names) in [(true, false), (true, true), (false, false)] {
        let (world, file) = everything(owner, names);
        for command in ["plan", "apply"] {
            for more in [&[][..], &["--narrow"], &["--optional"], &["--narrow", "--optional"]] {
                let policy = policy(&world, &file, &[&[command], more].concat());
                let (exit, said) = run(&world, &file, &policy, command);
                assert_eq!(exit, 0, "{command} {more:?} owner {owner}: {said}");
            }
        }
        let plan_only = policy(&world, &file, &["plan"]);
        assert_ne!(run(&world, &file, &plan_only, "apply").0, 0, "plan's policy writes nothing");
    }
}

/// Without any one of the actions some run fails, and says which one it was.
#[test]
fn every_action_is_needed_and_named() {
    let (world, file) = everything(true, false);
    let (named_world, named_file) = everything(true, true);
    for command in ["plan", "apply"] {
        let whole = policy(&world, &file, &[command]);
        let mut idle = Vec::new();
        for action in actions(&whole) {
            let (exit, said) = run(&world, &file, &without(&whole, &action), command);
            let (exit, said) = if exit == 0 {
                run(
                    &named_world,
                    &named_file,
                    &without(&policy(&named_world, &named_file, &[command]), &action),
                    command,
                )
            } else {
                (exit, said)
            };
            if exit == 0 {
                idle.push(action);
            } else {
                assert!(said.contains(&action), "{command} without {action}: {said}");
            }
        }
        assert_eq!(idle, [""; 0], "{command} does without");
    }
}

/// A narrowed policy lets nobody write elsewhere.
#[test]
fn a_narrow_policy_stays_in_its_accounts_and_with_its_owner() {
    let (world, file) = everything(true, false);
    let policy = policy(&world, &file, &["apply", "--narrow"]);
    let other = file.replace("owner: us", "owner: them");
    let (exit, said) = run(&world, &other, &policy, "apply");
    assert_ne!(exit, 0, "{said}");
    let wider = file.replace("\"200000000002\"", "\"200000000003\"");
    let (exit, said) = run(&world, &wider, &policy, "apply");
    assert!(exit == 5 && said.contains("arn:aws:sso:::account/200000000003"), "{said}");
    // A file that only assigns needs to write no permission set.
    let external = "version: 1\nscope: { accounts: [\"200000000000\"] }\npermission_sets: { Less: { definition: external } }\nassignments: [{ permission_sets: [Less], accounts: [\"200000000000\"], groups: [ops] }]\n";
    let small = self::policy(&world, external, &["apply"]);
    let writes: Vec<String> = actions(&small)
        .into_iter()
        .filter(|it| it.contains("PermissionSet") && !it.contains(":List") && !it.contains(":Describe"))
        .collect();
    assert_eq!(writes, [""; 0]);
    assert_eq!(run(&world, external, &small, "apply").0, 0);
}
