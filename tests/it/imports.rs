//! An access file for what exists: whatever that is, a plan made from the file is empty.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use crate::support::cli::{Cli, code, stderr, stdout};
use crate::support::{assert_golden, run, tests_dir, universe};
use permset::sandbox::Sandbox;

/// Names that could mean something to YAML, to a terminal, or to permset.
const NAMES: [&str; 22] = [
    "ops",
    "Ops",
    "*",
    "true",
    "null",
    "012345678901",
    "1e3",
    "a: b",
    "a #b",
    "- a",
    "[x]",
    "{y}",
    "&a",
    "é",
    " lead",
    "trail ",
    "line\nbreak",
    "\u{1b}[2J",
    "\u{202e}abc",
    "'\"\\",
    "a,b",
    "video-*",
];
const SETS: [&str; 8] = ["Admin", "admin", "AWSReadOnlyAccess", "true", "-x", "a=b,c@d", "123", "."];
const ACCOUNTS: [&str; 4] = ["111111111111", "200000000002", "300000000003", "400000000004"];

fn definition() -> impl Strategy<Value = Value> {
    let text = select(vec!["Plain words", "a: b # c", "caf\u{e9}\tand\nlines", "- x", "\"quoted\""]);
    let policies = subsequence(vec!["ReadOnlyAccess", "job-function/ViewOnlyAccess", "PowerUserAccess"], 0..3);
    let inline = select(vec![
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecs:*","true"],"Resource":"*","Condition":{"StringLike":{"aws:x":["*","a: b"]}}}]}"#,
        r#"{"Version":"2012-10-17","Statement":{"Sid":"A1","Effect":"Deny","NotAction":"iam:*","NotResource":["arn:aws:s3:::b/${aws:username}/*"]}}"#,
        r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
    ]);
    let duration = select(vec!["PT1H", "PT12H", "PT90M", "PT3601S"]);
    let tag = select(vec!["on", "2026-11-28", "", "a+b = c", "1.0"]);
    let boundary = select(vec![
        json!({"managed_policy_arn": "arn:aws:iam::aws:policy/PowerUserAccess"}),
        json!({"customer_managed_policy_reference": {"name": "Bound", "path": "/a/"}}),
    ]);
    let owner = prop::option::weighted(0.2, select(vec!["us", "them"]));
    (
        prop::option::of(text),
        policies,
        prop::option::of(inline),
        duration,
        prop::option::of(tag),
        prop::option::of(boundary),
        owner,
    )
        .prop_map(|(description, policies, inline, duration, tag, boundary, owner)| {
            let arns: Vec<String> = policies.iter().map(|name| format!("arn:aws:iam::aws:policy/{name}")).collect();
            let mut set = json!({"aws_managed_policies": arns, "session_duration": duration,
                "customer_managed_policies": [{"name": "Base"}, {"name": "Team.x", "path": "/t/"}]});
            let map = set.as_object_mut().unwrap();
            map.extend(description.map(|it| ("description".to_owned(), json!(it))));
            map.extend(inline.map(|it| ("inline_policy".to_owned(), json!(it))));
            map.extend(boundary.map(|it| ("permissions_boundary".to_owned(), it)));
            let mut tags = serde_json::Map::new();
            tags.extend(tag.map(|it| ("true".to_owned(), json!(it))));
            tags.extend(owner.map(|it| ("permset:owner".to_owned(), json!(it))));
            map.insert("tags".to_owned(), Value::Object(tags));
            set
        })
}

fn worlds() -> impl Strategy<Value = Value> {
    let names = || prop::collection::vec(select(NAMES.to_vec()), 4);
    let sets = subsequence(SETS.to_vec(), 0..SETS.len())
        .prop_flat_map(|names| (Just(names.clone()), prop::collection::vec(definition(), names.len())));
    let rows = prop::collection::vec((0..8_usize, 0..4_usize, 0..10_usize, any::<bool>()), 0..24);
    (names(), names(), names(), sets, rows, any::<[bool; 4]>()).prop_map(|(accounts, groups, users, (names, definitions), rows, suspended)| {
        // Names of groups and of users are unique in an identity store; names of accounts are not.
        let unique = |names: Vec<&str>| -> Vec<String> {
            let mut seen = std::collections::BTreeSet::new();
            names.into_iter().enumerate().map(|(n, name)| if seen.insert(name) { name.to_owned() } else { format!("{name}{n}") }).collect()
        };
        let accounts: Vec<Value> = ACCOUNTS.iter().zip(accounts).zip(suspended).enumerate().map(|(n, ((id, name), suspended))| {
            json!({"id": id, "name": name, "state": if suspended && n > 0 { "SUSPENDED" } else { "ACTIVE" }})
        }).collect();
        let id = |first: &str, n: usize| format!("{first}670c51-d10{n}-7c4b-9f0e-5a6b7c8d9e0{n}");
        let groups: Vec<Value> = unique(groups).into_iter().enumerate().map(|(n, name)| json!({"id": id("90", n), "display_name": name})).collect();
        let users: Vec<Value> = unique(users).into_iter().enumerate().map(|(n, name)| {
            json!({"id": id("93", n), "user_name": name, "status": if n == 3 { "DISABLED" } else { "ENABLED" }})
        }).collect();
        let mut assignments = Vec::new();
        let mut permission_sets: Vec<Value> = Vec::new();
        for (number, (name, definition)) in names.iter().zip(definitions).enumerate() {
            let mut set = definition;
            let mut provisioned = serde_json::Map::new();
            for (_, account, principal, stale) in rows.iter().filter(|row| row.0 == number) {
                let (kind, id) = if *principal < 5 { ("GROUP", id("90", *principal)) } else { ("USER", id("93", principal - 5)) };
                let row = json!({"account_id": ACCOUNTS[*account], "permission_set_id": format!("ps-000000000000000{number}"),
                    "principal_type": kind, "principal_id": id});
                if !assignments.contains(&row) {
                    assignments.push(row);
                }
                provisioned.insert(ACCOUNTS[*account].to_owned(), json!({"version": if *stale && number % 3 == 0 { 1 } else { 2 }}));
            }
            let map = set.as_object_mut().unwrap();
            map.insert("id".to_owned(), json!(format!("ps-000000000000000{number}")));
            map.insert("name".to_owned(), json!(name));
            map.insert("version".to_owned(), json!(2));
            map.insert("provisioned".to_owned(), Value::Object(provisioned));
            permission_sets.push(set);
        }
        json!({"format_version": 1, "settings": {"epoch": 1_700_000_000.0}, "accounts": accounts, "users": users, "groups": groups,
            "permission_sets": permission_sets, "assignments": assignments})
    })
}

/// Imports and plans; returns the file and what the plan says.
fn round_trip(cli: &Cli, args: &[&str], file: &str) -> (String, Value) {
    let mut import = vec!["--sandbox=world.json", "import"];
    import.extend(args);
    let output = cli.command(&import);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let plan = cli.command(&["--sandbox=world.json", "-f", file, "plan", "--format", "json"]);
    assert_eq!(code(&plan), 0, "{}", stderr(&plan));
    (stderr(&output), serde_json::from_str(&stdout(&plan)).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, failure_persistence: None, ..ProptestConfig::default() })]

    /// The bar: whatever the world, the plan is empty, and nothing that would widen it is refused either.
    #[test]
    fn a_plan_after_an_import_is_empty(world in worlds()) {
        let cli = Cli::new();
        cli.write("world.json", world.to_string());
        for (args, file) in [
            (vec!["--out", "whole.yaml"], "whole.yaml"),
            (vec!["--split", "parts"], "parts"),
            (vec!["--out", "star.yaml", "--star", "--external"], "star.yaml"),
            (vec!["--out", "one.yaml", "--accounts", "111111111111,200000000002"], "one.yaml"),
        ] {
            let (_, plan) = round_trip(&cli, &args, file);
            prop_assert_eq!(&plan["changes"], &json!([]), "{} {}", file, world);
            prop_assert_eq!(&plan["refusals"], &json!([]), "{} {}", file, world);
        }
        // From a snapshot it is the same file.
        let observed = cli.command(&["--sandbox=world.json", "-q", "observe", "--out", "o"]);
        prop_assert_eq!(code(&observed), 0, "{}", stderr(&observed));
        let text = |args: &[&str]| stdout(&cli.command(args)).lines().filter(|line| !line.contains("as it was at")).collect::<Vec<_>>().join("\n");
        let live = text(&["--sandbox=world.json", "-q", "import"]);
        prop_assert_eq!(text(&["-q", "import", "--observed", "o"]), live);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, failure_persistence: None, ..ProptestConfig::default() })]

    /// In the universes of the other properties everything is declared, and what is declared grants exactly what is live.
    #[test]
    fn what_is_imported_grants_exactly_what_is_live(case in universe::cases()) {
        let cli = Cli::new();
        cli.write("world.json", serde_json::to_string(&case.world()).unwrap());
        let (_, plan) = round_trip(&cli, &["--out", "a.yaml"], "a.yaml");
        prop_assert_eq!(&plan["changes"], &json!([]));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let mut world = case.world();
        let live = world.assignments.clone();
        // Made anew from the file alone: what names can say comes back, and nothing else.
        world.assignments.clear();
        world.permission_sets.iter_mut().for_each(|set| set.provisioned.clear());
        let desired = run::desired(&cli.path("a.yaml"));
        let made = runtime.block_on(async {
            let sandbox = Sandbox::new(world);
            run::converge(&sandbox, &desired).await;
            sandbox.world().assignments
        });
        let nameable: std::collections::BTreeSet<_> =
            live.into_iter().filter(|row| row.principal_id != universe::PRINCIPALS[3].1).collect();
        prop_assert_eq!(made.into_iter().collect::<std::collections::BTreeSet<_>>(), nameable);
    }
}

#[test]
fn the_starter_world_as_a_file() {
    let cli = Cli::with_example();
    let output = cli.command(&["--sandbox=world.json", "import", "--out", "imported.yaml"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let text: String = cli
        .read("imported.yaml")
        .lines()
        .filter(|line| !line.contains("as it was at"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_golden(&text, &tests_dir("cli/import.yaml"));
    assert_golden(&cli.transcript(&["import", "--out", "imported.yaml"], &output), &tests_dir("cli/import.txt"));
    // Never over anything.
    let again = cli.command(&["--sandbox=world.json", "import", "--out", "imported.yaml"]);
    assert_eq!(code(&again), 1);
    assert!(stderr(&again).contains("import never overwrites"), "{}", stderr(&again));
    cli.command(&["--sandbox=world.json", "import", "--split", "parts"]);
    let again = cli.command(&["--sandbox=world.json", "import", "--split", "parts"]);
    assert!(stderr(&again).contains("import never overwrites"), "{}", stderr(&again));
}

/// A part of an access file looks like a whole one to the next apply.
#[cfg(unix)]
#[test]
fn a_crash_leaves_no_part_of_a_file() {
    let cli = Cli::with_example();
    cli.command(&["--sandbox=world.json", "observe", "--out", "o"]);
    for (how, name) in [("--out", "a.yaml"), ("--split", "parts")] {
        let import = |limit: &str| {
            let exec = format!("{limit} exec \"$0\" import --observed o {how} {name}");
            let mut shell = std::process::Command::new("/bin/sh");
            let program = cli.prepare(&[]).get_program().to_owned();
            shell.arg("-c").arg(exec).arg(program).current_dir(cli.dir.path()).env_clear().output().unwrap()
        };
        // The system kills whoever writes a file of more than 512 bytes.
        let output = import("ulimit -c 0; ulimit -f 1;");
        assert_eq!(output.status.code(), None, "{}", stderr(&output));
        assert!(!cli.path(name).exists(), "{name}");
        assert_eq!(code(&import("umask 022;")), 0);
        let mode = std::os::unix::fs::PermissionsExt::mode(&cli.path(name).metadata().unwrap().permissions());
        assert_eq!(mode & 0o777, if how == "--out" { 0o644 } else { 0o755 });
    }
}

#[test]
fn an_owner_is_only_written_as_a_tag() {
    let cli = Cli::with_example();
    let (said, plan) = round_trip(&cli, &["--out", "a.yaml", "--owner", "us"], "a.yaml");
    assert!(said.contains("the first apply writes the tag of the owner on 1 permission set"), "{said}");
    let changes = plan["changes"].as_array().unwrap();
    assert_eq!((changes.len(), &changes[0]["permission_set"]), (1, &json!("BillingView")));
    assert_eq!(changes[0]["after"]["tags"], json!({"permset:owner": "us"}));
}

/// What carries the tag of the file's owner and is not in the file, an apply would delete.
#[test]
fn a_part_never_takes_over_an_owner() {
    let owned = |name: &str, n: usize| {
        json!({"id": format!("ps-000000000000000{n}"), "name": name, "tags": {"permset:owner": "team"},
            "aws_managed_policies": ["arn:aws:iam::aws:policy/ReadOnlyAccess"], "provisioned": {}})
    };
    let cli = Cli::new();
    let world = |sets: Vec<Value>| {
        json!({"accounts": [{"id": "111111111111", "name": "management"}], "permission_sets": sets}).to_string()
    };
    cli.write("world.json", world(vec![owned("A", 1), owned("B", 2)]));
    cli.command(&["--sandbox=world.json", "observe", "--out", "o"]);
    for place in [["--sandbox=world.json", "import"].as_slice(), &["import", "--observed", "o"]] {
        let part = cli.command(&[place, &["--sets", "A", "--out", "part.yaml"]].concat());
        assert_eq!(code(&part), 0, "{}", stderr(&part));
        assert!(!cli.read("part.yaml").contains("owner:"), "{}", cli.read("part.yaml"));
        let plan = cli.command(&["--sandbox=world.json", "-f", "part.yaml", "plan", "--detailed-exitcode"]);
        assert_eq!(code(&plan), 0, "{}", stdout(&plan));
        std::fs::remove_file(cli.path("part.yaml")).unwrap();
        for narrow in [["--sets", "A"], ["--accounts", "111111111111"]] {
            let part = cli.command(&[place, &narrow, &["--owner", "team", "--out", "part.yaml"]].concat());
            assert_eq!(code(&part), 4, "{}", stderr(&part));
            assert!(stderr(&part).contains("an apply would delete them: "), "{}", stderr(&part));
        }
    }
    // Two that differ by case cannot be declared, so nobody may own them.
    cli.write("world.json", world(vec![owned("Dev", 1), owned("dev", 2), owned("Ops", 3)]));
    let (_, plan) = round_trip(&cli, &["--out", "twins.yaml"], "twins.yaml");
    assert_eq!(plan["changes"], json!([]));
    let refused = cli.command(&["--sandbox=world.json", "import", "--owner", "team"]);
    assert_eq!(code(&refused), 4, "{}", stderr(&refused));
    for owner in ["", "a\nb"] {
        assert_eq!(code(&cli.command(&["--sandbox=world.json", "import", "--owner", owner])), 64);
    }
}

#[test]
fn assignments_in_suspended_accounts_are_told() {
    let cli = Cli::with_example();
    let world = cli
        .read("world.json")
        .replace("\"account_id\": \"333333333333\"", "\"account_id\": \"444444444444\"")
        .replace("\"333333333333\": {\n          \"version\": 1", "\"444444444444\": {\n          \"version\": 1");
    cli.write("world.json", &world);
    let (said, _) = round_trip(&cli, &["--out", "a.yaml"], "a.yaml");
    assert!(said.contains("1 assignment in accounts that are not active, left out"), "{said}");
}

#[test]
fn what_is_named_must_exist() {
    let cli = Cli::with_example();
    cli.command(&["--sandbox=world.json", "observe", "--out", "o"]);
    for (args, message) in [
        (["--accounts", "jitsi-hostin"], "there is no account `jitsi-hostin`; did you mean `jitsi-hosting`?"),
        (["--accounts", "999999999999"], "there is no account `999999999999`"),
        (["--sets", "Nobody"], "there is no permission set `Nobody`"),
    ] {
        for place in [["--sandbox=world.json", "import"].as_slice(), &["import", "--observed", "o"]] {
            let output = cli.command(&[place, &args].concat());
            assert_eq!(code(&output), 1, "{args:?}");
            assert!(stderr(&output).contains(message), "{}", stderr(&output));
        }
    }
}

/// Whatever took the fewest calls, and whether it was read now or then, a part is the same part.
#[test]
fn a_part_is_the_same_from_a_snapshot() {
    let set = |n: usize, provisioned: Value| json!({"id": format!("ps-000000000000000{n}"), "name": format!("S{n}"), "provisioned": provisioned});
    let row = |n: usize| {
        json!({"account_id": "200000000002", "permission_set_id": format!("ps-000000000000000{n}"),
            "principal_type": "GROUP", "principal_id": "90670c51-d200-7c4b-9f0e-5a6b7c8d9e00"})
    };
    let id = |n: usize| format!("2000000000{n:02}");
    let name = |n: usize| if n == 4 { "a3".to_owned() } else { format!("a{n}") };
    let mut accounts = vec![json!({"id": "111111111111", "name": "management"}), json!({"id": id(2), "name": "web"})];
    accounts.extend((3..16).map(|n| json!({"id": id(n), "name": name(n)})));
    let world = json!({"accounts": accounts, "groups": [{"id": "90670c51-d200-7c4b-9f0e-5a6b7c8d9e00", "display_name": "ops"}],
        "assignments": [row(1), row(2)], "permission_sets": [set(1, json!({"200000000002": {}})),
            set(2, json!({"200000000002": {}, "200000000003": {}})), set(3, json!({"200000000003": {}})), set(4, json!({}))]});
    let cli = Cli::new();
    cli.write("world.json", world.to_string());
    cli.command(&["--sandbox=world.json", "observe", "--out", "o"]);
    let import = |args: &[&str]| {
        [["-q", "--sandbox=world.json", "import"].as_slice(), &["-q", "import", "--observed", "o"]].map(|place| {
            let output = cli.command(&[place, args].concat());
            let text =
                stdout(&output).lines().filter(|line| !line.contains("as it was at")).collect::<Vec<_>>().join("\n");
            (code(&output), text, stderr(&output))
        })
    };
    // One account is asked what it has; of many, all permission sets are asked where they are.
    let many = (3..16).map(id).collect::<Vec<_>>().join(",") + ",management";
    for (accounts, sets) in [("web", ["S1", "S2"]), (&many, ["S2", "S3"])] {
        let [live, snapshot] = import(&["--accounts", accounts]);
        assert_eq!(live.0, 0, "{}", live.2);
        assert_eq!(live, snapshot);
        let declared = ["S1", "S2", "S3", "S4"]
            .into_iter()
            .filter(|it| live.1.lines().any(|line| line == format!("  {it}: {{}}")));
        assert_eq!(declared.collect::<Vec<_>>(), sets, "{}", live.1);
    }
    for (code, _, said) in import(&["--accounts", "a3"]) {
        assert_eq!(code, 1);
        assert!(
            said.contains("several accounts are called `a3`: 200000000003, 200000000004; name one by its id"),
            "{said}"
        );
    }
}

/// One account of a large organization is asked about without reading the others.
#[test]
fn one_account_costs_what_is_in_it() {
    let cli = Cli::new();
    let accounts: Vec<Value> =
        (0..500).map(|n| json!({"id": format!("{:012}", n + 1), "name": format!("a{n}")})).collect();
    let sets: Vec<Value> = (0..200)
        .map(|n| json!({"id": format!("ps-{n:016x}"), "name": format!("S{n}"), "provisioned": {format!("{:012}", n + 1): {}}}))
        .collect();
    let rows: Vec<Value> = (0..200)
        .map(|n| json!({"account_id": format!("{:012}", n + 1), "permission_set_id": format!("ps-{n:016x}"), "principal_type": "GROUP", "principal_id": "90670c51-d200-7c4b-9f0e-5a6b7c8d9e00"}))
        .collect();
    let world = json!({"accounts": accounts, "organization": {"management_account_id": "000000000001"}, "permission_sets": sets,
        "instance": {"owner_account_id": "000000000001"}, "assignments": rows, "groups": [{"id": "90670c51-d200-7c4b-9f0e-5a6b7c8d9e00", "display_name": "ops"}]});
    cli.write("world.json", world.to_string());
    let output =
        cli.command(&["--sandbox=world.json", "-v", "import", "--accounts", "000000000007", "--out", "a.yaml"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let plan = cli.command(&["--sandbox=world.json", "-f", "a.yaml", "plan", "--detailed-exitcode"]);
    assert_eq!(code(&plan), 0, "{}", stdout(&plan));
    assert_eq!(cli.read("a.yaml").matches("S6").count(), 2, "{}", cli.read("a.yaml"));
    let calls = stderr(&output).lines().filter(|line| line.contains("operation=")).count();
    assert!((10..30).contains(&calls), "{calls}");
}
