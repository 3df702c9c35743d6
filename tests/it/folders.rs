//! Several access files in one folder, read as one document.

use crate::support::cli::{Cli, code, stderr, stdout};

const HEAD: &str = "version: 1\nowner: jitsi-platform\nscope: { accounts: [jitsi-hosting] }\naccounts: { jitsi-hosting: \"215665149509\" }\n";

fn set(name: &str, group: &str) -> String {
    format!(
        "permission_sets:\n  {name}:\n    aws_managed_policies: [ReadOnlyAccess]\nassignments:\n  - permission_sets: [{name}]\n    accounts: [jitsi-hosting]\n    groups: [{group}]\n"
    )
}

#[test]
fn a_folder_is_one_document() {
    let whole = Cli::with_example();
    whole.write("access.yaml", format!("{HEAD}{}", set("A", "jitsi-admins")));
    let one = whole.command(&["--sandbox=world.json", "-q", "plan", "--format", "json"]);
    let parts = Cli::with_example();
    parts.write("access/10-head.yaml", HEAD);
    parts.write("access/a.yml", set("A", "jitsi-admins"));
    // None of these is part of it.
    for other in [".hidden.yaml", "notes.txt", "below/c.yaml"] {
        parts.write(&format!("access/{other}"), "no: access file");
    }
    parts.write("access/nothing.yaml", "# all of it is commented out\n");
    let several = parts.command(&["--sandbox=world.json", "-q", "-f", "access", "plan", "--format", "json"]);
    assert_eq!(code(&several), 0, "{}", stderr(&several));
    assert_eq!(stdout(&several), stdout(&one));
}

#[test]
fn what_stands_twice_is_told_with_both_places() {
    let cli = Cli::new();
    cli.write("access/a.yaml", format!("{HEAD}{}", set("A", "g")));
    cli.write("access/b.yaml", format!("version: 1\naccounts: {{ jitsi-hosting: \"1\" }}\n{}", set("A", "h")));
    let output = cli.command(&["-f", "access", "validate"]);
    assert_eq!(code(&output), 3);
    for (name, line) in [("version", 1), ("jitsi-hosting", 4), ("A", 6)] {
        let expected = format!("error: `{name}` stands in access/a.yaml:{line} already\n --> access/b.yaml:");
        assert!(stderr(&output).contains(&expected), "{expected}{}", stderr(&output));
    }
}

#[test]
fn mistakes_of_all_files_are_told_at_once() {
    let cli = Cli::new();
    cli.write("access/a.yaml", format!("{HEAD}unknown: 1\n"));
    cli.write("access/b.yaml", "assignments:\n  - permission_sets: [Nobody]\n    accounts: [jitsi-hosting]\n");
    cli.write("access/c.yaml", "[1]\n");
    let output = cli.command(&["-f", "access", "validate"]);
    assert_eq!(code(&output), 3);
    for place in ["access/a.yaml:5:", "access/b.yaml:2:", "access/c.yaml:1:"] {
        assert!(stderr(&output).contains(place), "{place}: {}", stderr(&output));
    }
    cli.write("broken/a.yaml", "a: [");
    cli.write("broken/b.yaml", "b: }");
    let output = cli.command(&["-f", "broken", "validate"]);
    assert!(stderr(&output).contains("broken/a.yaml") && stderr(&output).contains("broken/b.yaml"));
}

#[test]
fn an_empty_folder_is_no_empty_access_file() {
    let cli = Cli::new();
    cli.write("access/readme.txt", "");
    let output = cli.command(&["-f", "access", "plan"]);
    assert_eq!(code(&output), 1);
    assert!(
        stderr(&output).contains("there is no `*.yaml` or `*.yml` file in the folder `access`"),
        "{}",
        stderr(&output)
    );
}

/// `-f <(generate)`: what can be read once is read once.
#[test]
fn an_access_file_may_come_through_a_pipe() {
    use std::io::Write as _;
    let cli = Cli::with_example();
    let mut command = cli.prepare(&["--sandbox=world.json", "-q", "-f", "/dev/stdin", "apply", "--auto-approve"]);
    let piped = std::process::Stdio::piped;
    let mut running = command.stdin(piped()).stdout(piped()).stderr(piped()).spawn().unwrap();
    running.stdin.take().unwrap().write_all(cli.read("access.yaml").as_bytes()).unwrap();
    let output = running.wait_with_output().unwrap();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).ends_with("converged: observed again: nothing is left to do\n"), "{}", stdout(&output));
}
