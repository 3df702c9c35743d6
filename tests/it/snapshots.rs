//! Snapshots: everything that an instance holds in a file, and plans from it without AWS.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::cli::{Cli, code, stderr, stdout};

const WORLD: &str = "--sandbox=world.json";

fn observed() -> Cli {
    let cli = Cli::with_example();
    let done = cli.command(&[WORLD, "observe", "--out", "observed.permset"]);
    assert_eq!(code(&done), 0, "{}", stderr(&done));
    let said = stdout(&done);
    assert!(
        said.starts_with("observed: 4 accounts, 3 permission sets, 6 assignments, 4 groups, 5 users; read with "),
        "{said}"
    );
    assert!(said.contains("\nsaved in observed.permset ("), "{said}");
    cli
}

#[test]
fn a_plan_from_a_snapshot_is_the_plan() {
    let cli = observed();
    let changes = |text: String| text.split("; read with ").next().unwrap().to_owned();
    for command in ["plan", "drift"] {
        // A snapshot does not tell who is in which group, nor who changed what.
        let not_kept = if command == "plan" { "--no-people" } else { "--no-trail" };
        let live = cli.command(&["-q", WORLD, command, not_kept]);
        let kept = cli.command(&["-q", command, "--observed", "observed.permset"]);
        assert_eq!(code(&live), code(&kept));
        assert_eq!(changes(stdout(&live)), changes(stdout(&kept)));
    }
    // Whatever becomes of the world.
    cli.command(&["-q", WORLD, "apply", "--auto-approve"]);
    assert!(stdout(&cli.command(&["-q", "plan", "--observed", "observed.permset"])).starts_with("plan: 8 changes"));
}

#[test]
fn what_was_saved_from_a_snapshot_is_applied_if_it_still_holds() {
    let cli = observed();
    for file in ["first.permset", "second.permset"] {
        let saved = cli.command(&["-q", "plan", "--observed", "observed.permset", "--out", file]);
        assert_eq!(code(&saved), 0, "{}", stderr(&saved));
    }
    let applied = cli.command(&["-q", WORLD, "apply", "first.permset"]);
    assert_eq!(code(&applied), 0, "{}", stderr(&applied));
    let again = cli.command(&["-q", WORLD, "apply", "second.permset"]);
    assert_eq!(code(&again), 4, "{}", stderr(&again));
    assert!(stderr(&again).contains("moved since it was made"), "{}", stderr(&again));
}

#[test]
fn a_snapshot_is_for_its_owner_and_never_replaces_something_else() {
    let cli = observed();
    let mode = std::fs::metadata(cli.path("observed.permset")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(code(&cli.command(&[WORLD, "observe", "--out", "observed.permset"])), 0);
    let refused = cli.command(&[WORLD, "observe", "--out", "access.yaml"]);
    assert_eq!(code(&refused), 1);
    assert!(stderr(&refused).contains("`access.yaml` is there and is no snapshot: it is not overwritten"));
    assert_eq!(cli.read("access.yaml"), include_str!("../../access.yaml.example"));
}

#[test]
fn what_is_no_snapshot_or_does_not_fit_is_refused() {
    let cli = observed();
    let text = cli.read("observed.permset");
    cli.write("cut.permset", &text[..text.len() - 10]);
    cli.write("edited.permset", text.replace("jitsi-hosting", "jitsi-hostinG"));
    cli.write("newer.permset", text.replacen("\"version\":1", "\"version\":9", 1));
    let far = cli.read("access.yaml").replace("owner:", "instance: { region: us-east-1 }\nowner:");
    cli.write("far.yaml", far);
    let cases: [(&[&str], i32, &str); 8] = [
        (&["plan", "--observed", "access.yaml"], 4, "it is not a snapshot"),
        (&["plan", "--observed", "cut.permset"], 4, "it is damaged"),
        (&["plan", "--observed", "edited.permset"], 4, "it is damaged"),
        (&["plan", "--observed", "newer.permset"], 4, "it is of version 9 of the format, this permset reads version 1"),
        (&["plan", "--observed", "missing.permset"], 1, "cannot read `missing.permset`"),
        (&["-f", "far.yaml", "plan", "--observed", "observed.permset"], 4, "of Region eu-central-1, not of us-east-1"),
        (
            &["--instance", "arn:aws:sso:::instance/ssoins-ffffffffffffffff", "plan", "--observed", "observed.permset"],
            4,
            "of instance ssoins-00aa11bb22cc33dd, not of ssoins-ffffffffffffffff",
        ),
        (&[WORLD, "drift", "--observed", "observed.permset"], 64, "--observed asks nothing of AWS"),
    ];
    for (args, expected, words) in cases {
        let done = cli.command(args);
        assert_eq!(code(&done), expected, "{args:?}: {}", stderr(&done));
        assert!(stderr(&done).contains(words), "{args:?}: {}", stderr(&done));
        assert_eq!(stdout(&done), "");
    }
}

// Rows that point nowhere, under a digest that fits: nobody's mistake, but no panic either.
#[test]
fn a_snapshot_that_contradicts_itself_is_damaged() {
    use permset::model::sealed::digest;
    let cli = observed();
    let text = cli.read("observed.permset");
    let body = text.lines().nth(1).unwrap();
    let wrong = body.replacen("\"latest\":[", "\"latest\":[4000000000,", 1);
    assert_ne!(body, wrong);
    let sealed = format!("{}\n{wrong}\n", text.lines().next().unwrap().replace(&digest(body), &digest(&wrong)));
    cli.write("wrong.permset", sealed);
    let done = cli.command(&["plan", "--observed", "wrong.permset"]);
    assert_eq!(code(&done), 4, "{}", stderr(&done));
}
