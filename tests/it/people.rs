//! The people behind a plan: whom it gives something, takes something from, and what keeps them in.

use serde_json::{Value, json};

use crate::support::cli::{Cli, code, stderr, stdout};

const SET: &str = "ps-0000000000000001";
const ACCOUNT: &str = "215665149509";

fn id(kind: &str, n: usize) -> String {
    format!("{kind}670c51-d10{n}-7c4b-9f0e-5a6b7c8d9e0{n}")
}

/// Users ann, bob, cid, dee; groups ops (ann, bob), dev (bob, cid), none (nobody).
fn world(assigned: &[(&str, usize)]) -> Value {
    let users: Vec<Value> = ["ann", "bob", "cid", "dee"]
        .iter()
        .enumerate()
        .map(|(n, name)| json!({"id": id("93", n), "user_name": name}))
        .collect();
    let groups: Vec<Value> = ["ops", "dev", "none"]
        .iter()
        .enumerate()
        .map(|(n, name)| json!({"id": id("90", n), "display_name": name}))
        .collect();
    let memberships: Vec<Value> = [(0, 0), (0, 1), (1, 1), (1, 2)]
        .iter()
        .map(|(group, user)| json!({"group_id": id("90", *group), "user_id": id("93", *user)}))
        .collect();
    let rows: Vec<Value> = assigned
        .iter()
        .map(|(kind, n)| {
            json!({"account_id": ACCOUNT, "permission_set_id": SET, "principal_type": kind,
                "principal_id": id(if *kind == "USER" { "93" } else { "90" }, *n)})
        })
        .collect();
    let provisioned = if rows.is_empty() { json!({}) } else { json!({ACCOUNT: {}}) };
    json!({"accounts": [{"id": "111111111111", "name": "management"}, {"id": ACCOUNT, "name": "hosting"}], "users": users, "groups": groups,
        "memberships": memberships, "assignments": rows,
        "permission_sets": [{"id": SET, "name": "Ops", "session_duration": "PT4H", "provisioned": provisioned}]})
}

fn file(principals: &str) -> String {
    format!(
        "version: 1\nscope: {{ accounts: [hosting] }}\npermission_sets: {{ Ops: {{ definition: external }} }}\nassignments:\n  - permission_sets: [Ops]\n    accounts: [hosting]\n    {principals}\n"
    )
}

fn plan(assigned: &[(&str, usize)], principals: &str, args: &[&str]) -> String {
    let cli = Cli::new();
    cli.write("world.json", world(assigned).to_string());
    cli.write("access.yaml", file(principals));
    let output = cli.command(&[&["--sandbox=world.json", "-q", "plan"], args].concat());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    stdout(&output)
}

/// For each change: who gains, has it already, loses, keeps it.
fn effects(assigned: &[(&str, usize)], principals: &str) -> (Value, Vec<String>) {
    let plan: Value = serde_json::from_str(&plan(assigned, principals, &["--format", "json"])).unwrap();
    let people = &plan["people"];
    let mut words = Vec::new();
    for effect in people["changes"].as_array().unwrap() {
        let change = &plan["changes"][effect["index"].as_u64().unwrap() as usize];
        let mut line = format!(
            "{} {}:",
            change["action"].as_str().unwrap(),
            change["assignment"]["principal"]["name"].as_str().unwrap()
        );
        for part in ["gain", "have", "lose", "keep"] {
            for one in effect[part].as_array().unwrap() {
                let name = one["name"].as_str().or(one["user"]["name"].as_str()).unwrap();
                let through = one["through"]["name"].as_str().map(|it| format!("({it})")).unwrap_or_default();
                line.push_str(&format!(" {part} {name}{through}"));
            }
        }
        words.push(line);
    }
    (json!([people["gain"], people["lose"]]), words)
}

#[test]
fn groups_are_the_people_in_them() {
    let (total, words) = effects(&[], "groups: [ops, dev, none]\n    users: [dee]");
    assert_eq!(total, json!([4, 0]));
    assert_eq!(
        words,
        [
            "create_assignment dev: gain bob gain cid",
            "create_assignment none:",
            "create_assignment ops: gain ann gain bob",
            "create_assignment dee: gain dee"
        ]
    );
}

#[test]
fn who_has_it_otherwise_neither_gains_nor_loses() {
    // ops is there; dev comes: bob has it through ops.
    let (total, words) = effects(&[("GROUP", 0)], "groups: [ops, dev]");
    assert_eq!((total, words), (json!([1, 0]), vec!["create_assignment dev: gain cid have bob(ops)".to_owned()]));
    // ops goes, dev stays: bob keeps it through dev, and cid has it by an assignment of their own.
    let (total, words) = effects(&[("GROUP", 0), ("GROUP", 1), ("USER", 2)], "groups: [dev]");
    assert_eq!(total, json!([0, 1]));
    assert_eq!(words, ["delete_assignment ops: lose ann keep bob(dev)", "delete_assignment cid: keep cid(dev)"]);
    // One group in the place of another: whoever is in both keeps it.
    let (total, words) = effects(&[("GROUP", 0)], "groups: [dev]");
    assert_eq!(total, json!([1, 1]));
    assert_eq!(
        words,
        ["create_assignment dev: gain cid have bob(ops)", "delete_assignment ops: lose ann keep bob(dev)"]
    );
}

#[test]
fn the_plan_tells_people_apart_and_asks_only_when_something_changes() {
    let text = plan(&[("GROUP", 0), ("USER", 1)], "groups: [dev, none]", &[]);
    for words in [
        "        have it already    bob by an assignment of their own\n",
        "        people             nobody: the group has no members\n",
        "        lose access        ann\n        keep it            bob through group dev\n",
        "people: 1 gains something, 1 loses something\n",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    let calls =
        |text: &str| text.split("read with ").nth(1).unwrap().split(' ').next().unwrap().parse::<usize>().unwrap();
    let without = plan(&[("GROUP", 0), ("USER", 1)], "groups: [dev, none]", &["--no-people"]);
    assert!(!without.contains("people") && calls(&without) < calls(&text), "{without}");
    let nothing = plan(&[("GROUP", 1)], "groups: [dev]", &[]);
    assert_eq!(calls(&nothing), calls(&plan(&[("GROUP", 1)], "groups: [dev]", &["--no-people"])));
    let markdown = plan(&[("GROUP", 0)], "groups: [dev]", &["--format", "markdown"]);
    assert!(
        markdown.contains("| group `dev`<br>gain access: `cid`<br>have it already: `bob through group ops` |"),
        "{markdown}"
    );
}

/// That nobody can say whom it concerns keeps nobody from being let in.
#[test]
fn a_plan_needs_no_members() {
    for (error, words) in [
        (
            "AccessDeniedException",
            "notice: the members of groups may not be read, so this does not say whom it concerns",
        ),
        ("ValidationException", "notice: the members of groups cannot be read (ListGroupMemberships failed"),
    ] {
        let cli = Cli::new();
        let mut world = world(&[]);
        world["faults"] =
            json!([{"on": "identitystore.ListGroupMemberships", "times": null, "effect": {"error": {"code": error}}}]);
        cli.write("world.json", world.to_string());
        cli.write("access.yaml", file("groups: [ops]"));
        let args = |command: &[&'static str]| [&["--sandbox=world.json"], command].concat();
        let plan = cli.command(&args(&["plan", "--format", "json"]));
        assert_eq!(code(&plan), 0, "{}", stderr(&plan));
        assert!(stderr(&plan).contains(words), "{}", stderr(&plan));
        let plan: Value = serde_json::from_str(&stdout(&plan)).unwrap();
        assert_eq!((plan["changes"].as_array().unwrap().len(), &plan["people"]), (1, &Value::Null));
        let apply = cli.command(&args(&["apply", "--auto-approve"]));
        assert_eq!(code(&apply), 0, "{}", stderr(&apply));
        assert!(stderr(&apply).contains(words), "{}", stderr(&apply));
        let again = cli.command(&args(&["plan", "--detailed-exitcode"]));
        assert_eq!(code(&again), 0, "{}", stdout(&again));
    }
}
