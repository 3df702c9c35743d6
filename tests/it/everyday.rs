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
