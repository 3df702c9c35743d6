//! Drift beyond the differences themselves: who made them, what a baseline lets be, and the forms for GitHub.

use serde_json::{Value, json};

use crate::support::cli::{Cli, code, stderr, stdout};
use crate::support::{assert_golden, tests_dir};

const WORLD: &str = "--sandbox=world.json";

fn drift(cli: &Cli, args: &[&str]) -> (i32, Value) {
    let output = cli.command(&[&["-q", WORLD, "drift", "--format", "json"], args].concat());
    (code(&output), serde_json::from_str(&stdout(&output)).unwrap_or_else(|_| panic!("{}", stderr(&output))))
}

fn kinds(found: &Value, list: &str) -> Vec<String> {
    let difference = |it: &Value| it.get("difference").unwrap_or(it)["kind"].as_str().unwrap().to_owned();
    found[list].as_array().unwrap().iter().map(difference).collect()
}

#[test]
fn drift_says_who_made_it() {
    let cli = Cli::with_example();
    let (exit, found) = drift(&cli, &[]);
    assert_eq!(exit, 2);
    let by: Vec<(&str, &str)> = found["differences"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| Some((it["kind"].as_str()?, it["changed_by"]["operation"].as_str()?)))
        .collect();
    assert_eq!(
        by,
        [
            ("changed", "AttachManagedPolicyToPermissionSet"),
            ("undeclared", "CreateAccountAssignment"),
            ("stale", "AttachManagedPolicyToPermissionSet")
        ]
    );
    let text = stdout(&cli.command(&["-q", WORLD, "drift"]));
    assert!(
        text.contains("changed by         carol@example.com, 2025-11-02T03:21:00Z, CreateAccountAssignment"),
        "{text}"
    );
    let (_, without) = drift(&cli, &["--no-trail"]);
    assert!(!without.to_string().contains("carol"), "{without}");
    // Whoever may not read it gets the drift all the same.
    let world = cli.read("world.json");
    let policy = json!({"Statement": [{"Effect": "Allow", "Action": ["sso:*", "identitystore:*", "organizations:*"], "Resource": "*"}]});
    let key = json!([{"id": "SANDBOX", "account_id": "111111111111", "policy": policy}]);
    let mut limited: Value = serde_json::from_str(&world).unwrap();
    limited["access_keys"] = key;
    cli.write("world.json", limited.to_string());
    let output = cli.command(&[WORLD, "drift"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("CloudTrail may not be read"), "{}", stderr(&output));
    assert_eq!(stdout(&output).matches("changed by").count(), 0);
}

#[test]
fn a_line_that_expired_is_a_kind_of_its_own() {
    let cli = Cli::with_example();
    let text = cli.read("access.yaml").replace("guards:", "  - permission_sets: [AdministratorAccess]\n    accounts: [jitsi-hosting]\n    users: [dana@example.com]\n    expires: 2025-12-31\n\nguards:");
    cli.write("access.yaml", text);
    let (exit, found) = drift(&cli, &[]);
    assert_eq!(
        (exit, kinds(&found, "differences").iter().filter(|kind| *kind == "expired").count()),
        (2, 1),
        "{found:#}"
    );
    assert!(!kinds(&found, "differences").contains(&"undeclared".to_owned()));
    let text = stdout(&cli.command(&["-q", WORLD, "drift"]));
    assert!(
        text.contains(
            "expired: of a line of the file whose date has passed\n    assignment      user  dana@example.com"
        ),
        "{text}"
    );
    let github = stdout(&cli.command(&["-q", WORLD, "drift", "--format", "github"]));
    assert!(github.contains("title=permset drift%3A expired::user dana@example.com with AdministratorAccess in 215665149509 (jitsi-hosting), expired on 2025-12-31"), "{github}");
}

#[test]
fn a_baseline_lets_be_what_it_names_for_a_while() {
    let cli = Cli::with_example();
    let (_, before) = drift(&cli, &[]);
    let all = before["differences"].as_array().unwrap().len();
    let write = |reason: &str, expires: &str| {
        cli.command(&[
            "-q",
            WORLD,
            "drift",
            "--write-baseline",
            "baseline.yaml",
            "--reason",
            reason,
            "--expires",
            expires,
        ])
    };
    let wrote = write("known: OPS-1432 # really", "2099-12-31");
    assert_eq!(code(&wrote), 0, "{}", stderr(&wrote));
    assert_eq!(stdout(&wrote), format!("wrote baseline.yaml: {all} differences accepted, 0 kept, 0 dropped\n"));
    let (exit, found) = drift(&cli, &["--baseline", "baseline.yaml"]);
    assert_eq!((exit, found["drifted"].as_bool(), kinds(&found, "accepted").len()), (0, Some(false), all));
    assert_eq!(found["accepted"][0]["reason"], "known: OPS-1432 # really");
    assert_golden(
        &cli.snapshot(&["-q", WORLD, "drift", "--baseline", "baseline.yaml", "--no-trail"]),
        &tests_dir("cli/drift-baseline.txt"),
    );
    assert_golden(&cli.read("baseline.yaml"), &tests_dir("cli/baseline.yaml"));

    // What grows is another difference: one more policy by hand.
    let world = cli.read("world.json");
    cli.write("world.json", world.replace("policy/job-function/ViewOnlyAccess\"\n      ],\n      \"created\": 1735689600.0,\n      \"version\": 2", "policy/job-function/ViewOnlyAccess\",\n        \"arn:aws:iam::aws:policy/IAMFullAccess\"\n      ],\n      \"created\": 1735689600.0,\n      \"version\": 2"));
    assert_ne!(cli.read("world.json"), world);
    let (exit, found) = drift(&cli, &["--baseline", "baseline.yaml"]);
    assert_eq!((exit, kinds(&found, "differences")), (2, vec!["changed".to_owned()]));
    let again = write("this one too", "2099-12-31");
    assert_eq!(stdout(&again), format!("wrote baseline.yaml: 1 difference accepted, {} kept, 1 dropped\n", all - 1));

    // When everything is in place, the baseline says what it no longer has to.
    assert_eq!(code(&cli.command(&["-q", WORLD, "apply", "--auto-approve"])), 0);
    let done = cli.command(&[WORLD, "drift", "--baseline", "baseline.yaml"]);
    assert_eq!((code(&done), stderr(&done).matches("the baseline accepts what is no more").count()), (0, all));
}

#[test]
fn a_baseline_that_says_nothing_is_refused() {
    let cli = Cli::with_example();
    let entry = |more: &str| format!("version: 1\naccepted:\n  - difference: x\n    fingerprint: \"1234\"\n{more}");
    for (text, words) in [
        (entry(""), "an accepted difference has no `reason`"),
        (entry("    reason: \" \"\n"), "every accepted difference has a reason"),
        (entry("    reason: a\n    expires: soon\n"), "`soon` is no date"),
        (entry("    reason: a\n  - fingerprint: \"1234\"\n    reason: b\n"), "accepted above already"),
        (entry("    reason: a\n    colour: red\n"), "unknown field `colour`"),
        ("version: 2\naccepted: []\n".to_owned(), "version 1 of a baseline"),
        ("accepted: [".to_owned(), "this is not YAML"),
    ] {
        cli.write("baseline.yaml", text);
        let output = cli.command(&[WORLD, "drift", "--baseline", "baseline.yaml"]);
        assert_eq!(code(&output), 3, "{words}");
        assert!(stderr(&output).contains(words), "{words}: {}", stderr(&output));
        // Nor is it written over.
        let output = cli.command(&[
            WORLD,
            "drift",
            "--write-baseline",
            "baseline.yaml",
            "--reason",
            "a",
            "--expires",
            "2099-01-01",
        ]);
        assert_eq!(code(&output), 3, "{}", stderr(&output));
    }
    std::fs::remove_file(cli.path("baseline.yaml")).unwrap();
    for (reason, expires) in [(" ", "2099-01-01"), ("a", "never"), ("a", "2020-01-01")] {
        let output = cli.command(&[
            WORLD,
            "drift",
            "--write-baseline",
            "baseline.yaml",
            "--reason",
            reason,
            "--expires",
            expires,
        ]);
        assert_eq!(code(&output), 64, "{}", stderr(&output));
        assert!(!cli.path("baseline.yaml").exists());
    }
    let output = cli.command(&[WORLD, "drift", "--write-baseline", "baseline.yaml", "--reason", "a"]);
    assert_eq!(code(&output), 64);
    // An expired line counts again, and says so.
    let (_, found) = drift(&cli, &[]);
    let fingerprint = found["differences"][0]["fingerprint"].as_str().unwrap().to_owned();
    cli.write("baseline.yaml", format!("version: 1\naccepted:\n  - {{ difference: this, fingerprint: \"{fingerprint}\", reason: a, expires: 2020-01-01 }}\n"));
    let output = cli.command(&[WORLD, "drift", "--baseline", "baseline.yaml"]);
    assert!(
        code(&output) == 2 && stderr(&output).contains("accepted until 2020-01-01, counts again: this"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn annotations_stand_at_the_lines_of_the_file() {
    let cli = Cli::with_example();
    for (format, name) in [("github", "drift-github"), ("sarif", "drift-sarif")] {
        assert_golden(
            &cli.snapshot(&["-q", WORLD, "drift", "--no-trail", "--format", format]),
            &tests_dir(&format!("cli/{name}.txt")),
        );
    }
    let text = stdout(&cli.command(&["-q", WORLD, "drift", "--format", "sarif"]));
    let sarif: Value = serde_json::from_str(&text).unwrap();
    let file = cli.read("access.yaml");
    for result in sarif["runs"][0]["results"].as_array().unwrap() {
        let location = &result["locations"][0]["physicalLocation"];
        let line = location["region"]["startLine"].as_u64().unwrap() as usize;
        assert!(line >= 1 && line <= file.lines().count() && location["artifactLocation"]["uri"] == "access.yaml");
        if result["ruleId"] == "missing" && result["message"]["text"].as_str().unwrap().contains("jitsi-operators") {
            assert!(file.lines().nth(line - 1).unwrap().contains("permission_sets: [JitsiPlatformAccess]"));
        }
    }
    // A clean run prints no annotation.
    cli.command(&["-q", WORLD, "apply", "--auto-approve"]);
    assert_eq!(stdout(&cli.command(&["-q", WORLD, "drift", "--format", "github"])), "");
}

/// The workflow in `examples/` is YAML, and what it runs is what permset understands.
#[test]
fn the_example_workflow_runs() {
    let text = std::fs::read_to_string(tests_dir("../examples/drift.yml")).unwrap();
    let workflow: Value = yaml_serde::from_str(&text).unwrap();
    let script = workflow["jobs"]["drift"]["steps"][2]["run"].as_str().unwrap();
    let line = script.lines().find(|line| line.starts_with("permset ")).unwrap();
    let args: Vec<&str> = line.split(" >").next().unwrap().split_whitespace().skip(1).collect();
    let cli = Cli::with_example();
    cli.write("baseline.yaml", "version: 1\naccepted: []\n");
    let output = cli.command(&[&[WORLD], &args[..]].concat());
    assert_eq!(code(&output), 2, "{}", stderr(&output));
    assert!(stdout(&output).starts_with("### permset drift: 8 differences"), "{}", stdout(&output));
}
