//! What people ask between two applies: why, who can, and what of it an account sees.

use std::process::Command;

use serde_json::Value;

use crate::support::cli::{Cli, code, stderr, stdout};
use crate::support::{assert_golden, tests_dir};

const WORLD: &str = "--sandbox=world.json";

fn golden(cli: &Cli, name: &str, args: &[&str]) {
    assert_golden(&cli.snapshot(args), &tests_dir(&format!("cli/{name}.txt")));
}

fn why(cli: &Cli, args: &[&str]) -> (i32, Value) {
    let output = cli.command(&[&["-q", WORLD, "why", "--format", "json"], args].concat());
    (code(&output), serde_json::from_str(&stdout(&output)).unwrap_or_else(|_| panic!("{}", stderr(&output))))
}

#[test]
fn why_for_people() {
    let cli = Cli::with_example();
    let account = ["--account", "jitsi-hosting"];
    let ask = |more: &[&'static str]| [&["-q", WORLD, "why"], account.as_slice(), more].concat();
    golden(
        &cli,
        "why-assignment-missing",
        &ask(&["--user", "bob@example.com", "--permission-set", "JitsiPlatformAccess"]),
    );
    golden(
        &cli,
        "why-not-applied",
        &ask(&["--user", "alice@example.com", "--permission-set", "JitsiPlatformAccess", "--expect", "access"]),
    );
    golden(&cli, "why-directly-and-stale", &ask(&["--user", "dana@example.com", "--expect", "access"]));
    golden(&cli, "why-disabled", &ask(&["--user", "erik@example.com"]));
    golden(&cli, "why-nobody", &ask(&["--user", "erik@exampel.com", "--expect", "no-access"]));
    golden(&cli, "why-group", &ask(&["--group", "jitsi-admins", "--permission-set", "AdministratorAccess"]));
    golden(&cli, "why-account", &ask(&[]));
    golden(
        &cli,
        "why-request",
        &ask(&[
            "--user",
            "bob@example.com",
            "--permission-set",
            "JitsiPlatformAccess",
            "--request",
            "--reason",
            "On call, OPS-1432",
        ]),
    );
    golden(&cli, "who-can", &["-q", WORLD, "who-can"]);
    golden(&cli, "who-can-action", &["-q", WORLD, "who-can", "--action", "ecs:UpdateService"]);
    golden(&cli, "who-can-csv", &["-q", WORLD, "who-can", "--set", "AdministratorAccess", "--format", "csv"]);
}

/// The loop that the guide describes: no access, the lines to add, applied, access.
#[test]
fn the_patch_gives_what_was_missing() {
    let cli = Cli::with_example();
    for (principal, name, set) in [
        ("--user", "bob@example.com", "JitsiPlatformAccess"),
        ("--group", "jitsi-operators", "AdministratorAccess"),
        // Not declared: the file gets to assign it, and somebody else keeps its definition.
        ("--user", "carol@example.com", "BillingView"),
    ] {
        let question = [principal, name, "--account", "jitsi-hosting", "--permission-set", set, "--reason", "a: b # c"];
        let (exit, answer) = why(&cli, &[&question[..], &["--expect", "no-access"]].concat());
        assert_eq!((exit, &answer["verdict"]), (0, &Value::from("no_access")), "{answer:#}");
        cli.write("add.patch", answer["patch"].as_str().unwrap_or_else(|| panic!("{answer:#}")));
        let applied = Command::new("git")
            .args(["apply", "--no-index", "-p1", "add.patch"])
            .current_dir(cli.dir.path())
            .output()
            .unwrap();
        assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
        let done = cli.command(&["-q", WORLD, "apply", "--auto-approve"]);
        assert_eq!(code(&done), 0, "{}{}", stdout(&done), stderr(&done));
        let (exit, answer) = why(&cli, &[&question[..], &["--expect", "access"]].concat());
        assert_eq!((exit, &answer["verdict"]), (0, &Value::from("access")), "{answer:#}");
        assert_eq!(answer["routes"][0]["role"], "up_to_date");
    }
}

#[test]
fn without_a_file_only_what_is_live_is_told() {
    let cli = Cli::with_example();
    std::fs::remove_file(cli.path("access.yaml")).unwrap();
    let (exit, answer) = why(
        &cli,
        &["--user", "alice@example.com", "--account", "215665149509", "--permission-set", "AdministratorAccess"],
    );
    assert_eq!((exit, &answer["patch"]), (0, &Value::Null));
    assert!(!answer["evidence"].to_string().contains("access file"), "{answer:#}");
    // One that was asked for by name must be there.
    let output = cli.command(&[WORLD, "-f", "other.yaml", "why", "--user", "a", "--account", "215665149509"]);
    assert_eq!(code(&output), 1);
    let (_, answer) =
        why(&cli, &["--user", "alice@example.com", "--account", "215665149509", "--permission-set", "Nobody"]);
    assert_eq!(answer["message"], "no access: there is no such permission set");
}

#[test]
fn what_cannot_be_asked_is_said() {
    let cli = Cli::with_example();
    for (args, exit, words) in [
        (vec!["why", "--user", "a", "--account", "nowhere"], 1, "there is no account `nowhere`"),
        (
            vec!["why", "--account", "jitsi-hosting", "--expect", "access"],
            64,
            "--request and --expect are about somebody",
        ),
        (vec!["why", "--user", "a", "--account", "jitsi-hosting", "--permission-set", "a b"], 64, "`a b`"),
        (vec!["who-can", "--action", "ecs:*"], 64, "`ecs:*` is not the name of an action"),
        (vec!["who-can", "--set", "Nobody"], 1, "there is no permission set `Nobody`"),
        (vec!["who-can", "--account", "nowhere"], 1, "there is no account `nowhere`"),
    ] {
        let output = cli.command(&[&[WORLD][..], &args].concat());
        assert_eq!(code(&output), exit, "{args:?} {}", stderr(&output));
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    }
}

/// The file keeps its line ends, tabs and paths: what is printed is a patch that applies.
#[test]
fn patches_fit_the_files_that_people_have() {
    let question =
        ["--user", "bob@example.com", "--account", "jitsi-hosting", "--permission-set", "JitsiPlatformAccess"];
    let plain = include_str!("../../access.yaml.example");
    for (text, file) in [
        (plain.replace('\n', "\r\n"), "access.yaml"),
        (plain.replace("\n\nguards", "\n#\twith a tab\n\nguards"), "./access.yaml"),
        (plain.trim_end().to_owned(), "access.yaml"),
    ] {
        let cli = Cli::with_example();
        cli.write("access.yaml", text);
        let output = cli.command(&[&["-q", WORLD, "-f", file, "why"], &question[..]].concat());
        let said = stdout(&output);
        let patch = said
            .split("would give it:\n\n")
            .nth(1)
            .unwrap_or_else(|| panic!("{said}"))
            .split("\n\nnext: ")
            .next()
            .unwrap();
        cli.write("add.patch", format!("{patch}\n"));
        let applied = Command::new("git")
            .args(["apply", "--no-index", "-p1", "add.patch"])
            .current_dir(cli.dir.path())
            .output()
            .unwrap();
        assert!(applied.status.success(), "{file}: {}{patch}", String::from_utf8_lossy(&applied.stderr));
        let (_, answer) = why(&cli, &question);
        assert!(answer["message"].as_str().unwrap().contains("was not applied"), "{answer:#}");
    }
    // What cannot be patched is told as lines; what would be cut in two is not touched.
    for text in [
        format!(
            "{}assignments: [{{ permission_sets: [AdministratorAccess], accounts: [jitsi-hosting], groups: [jitsi-admins] }}]\n",
            plain.split("assignments:").next().unwrap()
        ),
        format!(
            "{}  - permission_sets: [AdministratorAccess]\n    accounts: [jitsi-hosting]\n    groups: [auditors]\n    reason: |\n      one\n      # two\n",
            plain.split("# What apply does").next().unwrap()
        ),
    ] {
        let cli = Cli::with_example();
        cli.write("access.yaml", text);
        let (_, answer) = why(&cli, &question);
        assert_eq!(answer["patch"], Value::Null, "{answer:#}");
        let said = stdout(&cli.command(&[&["-q", WORLD, "why"], &question[..]].concat()));
        assert!(said.contains("these lines under `assignments` of the access file would give it:"), "{said}");
    }
}

#[test]
fn a_person_is_known_by_every_address() {
    let cli = Cli::with_example();
    let world =
        cli.read("world.json").replace("\"email\": \"alice@example.com\"", "\"email\": \"alice.mail@example.com\"");
    cli.write("world.json", world);
    cli.write(
        "access.yaml",
        cli.read("access.yaml")
            .replace("users: [alice@example.com]", "users: [alice.mail@example.com]")
            .replace("    groups: [jitsi-operators]\n", ""),
    );
    for name in ["alice@example.com", "alice.mail@example.com"] {
        let (_, answer) =
            why(&cli, &["--user", name, "--account", "jitsi-hosting", "--permission-set", "JitsiPlatformAccess"]);
        assert_eq!(answer["message"], "no access: the access file gives it, and it was not applied", "{name}");
    }
}

#[test]
fn a_test_of_nobody_proves_nothing() {
    let cli = Cli::with_example();
    let account = ["--account", "jitsi-hosting", "--expect", "no-access"];
    for (more, exit) in [
        (vec!["--user", "bob@example.com"], 0),
        (vec!["--user", "bbo@example.com"], 2),
        (vec!["--user", "bob@example.com", "--permission-set", "Nobody"], 2),
    ] {
        assert_eq!(why(&cli, &[&more[..], &account].concat()).0, exit, "{more:?}");
    }
    let output = cli.command(&[WORLD, "who-can", "--account", "jitsi-hosting", "--set", "AdminstratorAccess"]);
    assert_eq!(code(&output), 1);
    assert!(
        stderr(&output)
            .contains("there is no permission set `AdminstratorAccess`; did you mean `AdministratorAccess`?")
    );
}
