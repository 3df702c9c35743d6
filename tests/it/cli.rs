//! The command line as people meet it: every command's help, every exit code, both streams.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use crate::support::cli::{Cli, code, stderr, stdout};
use crate::support::{assert_golden, tests_dir};

fn golden(cli: &Cli, name: &str, args: &[&str]) {
    assert_golden(&cli.snapshot(args), &tests_dir(&format!("cli/{name}.txt")));
}

#[test]
fn help() {
    let cli = Cli::new();
    golden(&cli, "help", &["--help"]);
    for command in [
        "init",
        "validate",
        "plan",
        "show",
        "observe",
        "apply",
        "import",
        "drift",
        "why",
        "who-can",
        "iam-policy",
        "completions",
        "man",
        "sandbox",
        "schema",
    ] {
        golden(&cli, &format!("help-{command}"), &[command, "--help"]);
    }
    for command in ["init", "show", "reset", "serve", "log"] {
        golden(&cli, &format!("help-sandbox-{command}"), &["sandbox", command, "--help"]);
    }
    golden(&cli, "help-sandbox-fault-add", &["sandbox", "fault", "add", "--help"]);
    assert!(stdout(&cli.command(&["--version"])).starts_with("permset 0."));
}

#[test]
fn every_example_in_the_help_runs() {
    let cli = Cli::with_example();
    cli.write("access.yaml.example", include_str!("../../access.yaml.example"));
    let commands = [
        "init",
        "validate",
        "plan",
        "show",
        "observe",
        "import",
        "drift",
        "why",
        "who-can",
        "iam-policy",
        "apply",
        "schema",
        "completions",
        "man",
        "profiles",
        "sandbox show",
        "sandbox reset",
        "sandbox fault add",
        "sandbox fault list",
        "sandbox fault clear",
        "--help",
    ];
    for command in commands {
        let mut asked: Vec<&str> = command.split(' ').collect();
        asked.push("--help");
        let help = stdout(&cli.command(&asked));
        let example = help.lines().find_map(|line| {
            let (before, args) = line.split_once("permset ")?;
            let before = before.trim();
            (before != "Usage:" && before.ends_with(':')).then_some(args)
        });
        let args = example.unwrap_or_else(|| panic!("no example in the help of {command}:\n{help}"));
        // The examples of real use are run on the sandbox, like the others.
        let args = args.replace("'no such role'", "reason");
        let mut args: Vec<&str> = args.split_whitespace().filter(|arg| !arg.starts_with("--sandbox")).collect();
        args.insert(0, "--sandbox=world.json");
        let output = cli.command(&args);
        assert!([0, 2].contains(&code(&output)), "{args:?}: {}", stderr(&output));
        assert!(!output.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn exit_0_and_2_plan_and_drift() {
    let cli = Cli::with_example();
    golden(&cli, "plan", &["--sandbox=world.json", "plan"]);
    golden(&cli, "plan-quiet", &["--sandbox=world.json", "-q", "plan", "--detailed-exitcode"]);
    golden(&cli, "plan-markdown", &["--sandbox=world.json", "-q", "plan", "--format", "markdown"]);
    golden(&cli, "plan-unmanaged", &["--sandbox=world.json", "-q", "plan", "--show-unmanaged"]);
    golden(&cli, "drift", &["--sandbox=world.json", "-q", "drift"]);
    golden(&cli, "drift-markdown", &["--sandbox=world.json", "-q", "drift", "--format", "markdown"]);
    golden(&cli, "validate", &["validate"]);
    golden(&cli, "validate-quiet", &["-q", "validate"]);
}

#[test]
fn apply_converges_and_says_so() {
    let cli = Cli::with_example();
    let output = cli.command(&["--sandbox=world.json", "apply", "--auto-approve"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).ends_with("summary: 8 applied\nconverged: observed again: nothing is left to do\n"));
    golden(&cli, "apply-again", &["--sandbox=world.json", "-q", "apply", "--auto-approve"]);
    golden(&cli, "plan-nothing-to-do", &["--sandbox=world.json", "-q", "plan", "--detailed-exitcode"]);
    golden(&cli, "drift-none", &["--sandbox=world.json", "-q", "drift"]);
    golden(&cli, "sandbox-show", &["sandbox", "show", "--world", "world.json"]);
}

#[test]
fn exit_1_trouble_outside() {
    let cli = Cli::new();
    golden(&cli, "no-file", &["plan"]);
    cli.write("access.yaml", include_str!("../../access.yaml.example"));
    golden(&cli, "no-region", &["-q", "plan"]);
    golden(&cli, "no-credentials", &["-q", "--region", "eu-central-1", "plan"]);
    golden(&cli, "unknown-profile", &["-q", "--region", "eu-central-1", "--profile", "nobody", "plan"]);
    cli.write("world.json", "{ \"format_version\": 1, \"acounts\": [] }");
    golden(&cli, "broken-world", &["-q", "--sandbox=world.json", "plan"]);
    cli.write("world.json", "{ \"format_version\": 1, \"instance\": null }");
    golden(&cli, "no-instance", &["-q", "--sandbox=world.json", "plan"]);
}

#[test]
fn exit_1_nothing_answers() {
    let cli = Cli::with_example();
    let args = ["-q", "--region", "eu-central-1", "--endpoint-url", "http://127.0.0.1:1", "plan"];
    let mut command = cli.prepare(&args);
    command.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "secret");
    let output = command.output().unwrap();
    assert_golden(&cli.transcript(&args, &output), &tests_dir("cli/nothing-answers.txt"));
}

#[test]
fn exit_1_a_world_in_use() {
    let cli = Cli::with_example();
    let _held = permset::sandbox::Sandbox::open(&cli.path("world.json"), permset::sandbox::World::default).unwrap();
    golden(&cli, "world-in-use", &["-q", "--sandbox=world.json", "plan"]);
}

#[test]
fn exit_3_what_only_aws_can_tell() {
    let cli = Cli::with_example();
    cli.write(
        "wrong.yaml",
        "version: 1\nscope: { accounts: [jitsi-hosting, \"999999999999\", old-recordings] }\npermission_sets:\n  \
         administratoraccess: { aws_managed_policies: [ReadOnlyAccess] }\n  AWSReadOnlyAcess: { definition: external }\n  \
         Ops: { aws_managed_policies: [ReadOnlyAccess] }\nassignments:\n  - permission_sets: [Ops]\n    accounts: [jitsi-hostin]\n    \
         groups: [jitsi-operatos, nobody]\n    users: [Alice@example.com]\n",
    );
    golden(&cli, "wrong-names", &["--sandbox=world.json", "-f", "wrong.yaml", "plan"]);
}

#[test]
fn exit_4_consent_is_missing() {
    let cli = Cli::with_example();
    let before = cli.read("world.json");
    golden(&cli, "apply-unattended", &["--sandbox=world.json", "-q", "apply"]);
    assert_eq!(cli.read("world.json"), before);
    let world = before.replacen("\"tags\": {}", "\"tags\": { \"permset:owner\": \"somebody-else\" }", 1);
    let world = if world == before {
        before.replacen("\"version\": 2", "\"tags\": {\"permset:owner\": \"somebody-else\"}, \"version\": 2", 1)
    } else {
        world
    };
    cli.write("world.json", &world);
    golden(&cli, "apply-take-over", &["--sandbox=world.json", "-q", "apply", "--auto-approve"]);
    let allowed = cli.command(&["--sandbox=world.json", "-q", "apply", "--auto-approve", "--allow", "take-over"]);
    assert_eq!(code(&allowed), 0, "{}{}", stdout(&allowed), stderr(&allowed));
}

#[test]
fn exit_5_not_all_of_it() {
    let cli = Cli::new();
    for name in ["access.yaml", "world.json"] {
        let text = std::fs::read_to_string(tests_dir("scenarios/missing-customer-policy").join(name)).unwrap();
        cli.write(name, text.replace("\"job_seconds\": 2.0", "\"job_seconds\": 0.0"));
    }
    let output = cli.command(&["--sandbox=world.json", "apply", "--auto-approve"]);
    assert_eq!(code(&output), 5);
    assert!(stdout(&output).contains("TeamBaseline does not exist"), "{}", stdout(&output));
    assert!(stdout(&output).contains("incomplete: observed again: 1 change left"), "{}", stdout(&output));
}

#[test]
fn exit_64_the_command_line() {
    let cli = Cli::new();
    golden(&cli, "usage-no-command", &[]);
    golden(&cli, "usage-unknown-flag", &["plan", "--detailed-exit-code"]);
    golden(&cli, "usage-unknown-command", &["aply"]);
    golden(&cli, "usage-conflict", &["--sandbox", "--profile", "x", "plan"]);
    golden(&cli, "usage-consent", &["apply", "--allow", "everything"]);
    cli.write("access.yaml", "version: 1\nscope: { accounts: [\"*\"] }\n");
    golden(&cli, "usage-instance", &["--sandbox", "--instance", "ssoins-1", "plan"]);
}

#[test]
#[cfg(unix)]
fn exit_130_stopped_by_the_user() {
    let cli = Cli::with_example();
    let world = cli.read("world.json").replace("\"job_seconds\": 0.0", "\"job_seconds\": 1.5");
    cli.write("world.json", &world);
    for signal in ["-INT", "-TERM"] {
        let args = ["--sandbox=world.json", "-q", "apply", "--auto-approve"];
        let mut child = cli.prepare(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.find(|line| line.as_ref().unwrap().contains("done")).unwrap().unwrap();
        let killed = std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let rest: Vec<String> = lines.map(Result::unwrap).collect();
        let output = child.wait_with_output().unwrap();
        assert_eq!(code(&output), 130, "{first}\n{}\n{}", rest.join("\n"), stderr(&output));
        assert!(rest.iter().any(|line| line.contains("stopped before")), "{rest:?}");
        assert!(stderr(&output).contains("apply` goes on"), "{}", stderr(&output));
    }
    // What was under way has ended, and the next run finishes the rest.
    let output = cli.command(&["--sandbox=world.json", "-q", "apply", "--auto-approve"]);
    assert_eq!(code(&output), 0, "{}{}", stdout(&output), stderr(&output));
}

#[test]
fn json_is_data_and_nothing_else() {
    let cli = Cli::with_example();
    for args in [["plan", "--format", "json"], ["drift", "--format", "json"]] {
        let output = cli.command(&[&["--sandbox=world.json"], args.as_slice()].concat());
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(json["format_version"], 1);
    }
    let output = cli.command(&["--sandbox=world.json", "apply", "--auto-approve", "--format", "json"]);
    let events: Vec<serde_json::Value> =
        stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events[0]["event"], "plan");
    let finished = events.iter().filter(|event| event["event"] == "finished" && event["outcome"] == "applied").count();
    let last = events.last().unwrap();
    assert_eq!(
        (last["event"].as_str(), last["applied"].as_u64(), last["remaining"].as_u64()),
        (Some("summary"), Some(8), Some(0))
    );
    assert_eq!(finished, 8);
}

#[test]
fn verbose_logs_every_call_to_stderr() {
    let cli = Cli::with_example();
    let text = stderr(&cli.command(&["--sandbox=world.json", "-v", "plan"]));
    let line = text.lines().find(|line| line.contains("DescribePermissionSet")).unwrap();
    for part in ["operation=", "subject=", "request_id=", "milliseconds="] {
        assert!(line.contains(part), "{line}");
    }
    let output = cli.command(&["--sandbox=world.json", "-v", "--log-format", "json", "-f", "access.yaml", "plan"]);
    let logged: Vec<serde_json::Value> = stderr(&output)
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(logged.iter().any(|line| line["fields"]["operation"] == "ListInstances"), "{}", stderr(&output));
    assert!(!stdout(&output).contains("request_id"), "logs go to stderr");
}

#[test]
fn colours_only_where_they_are_wanted() {
    let cli = Cli::with_example();
    let escape = |args: &[&str]| cli.command(args).stdout.contains(&0x1b);
    assert!(!escape(&["--sandbox=world.json", "plan"]), "not a terminal");
    assert!(escape(&["--sandbox=world.json", "--color", "always", "plan"]));
    assert!(!escape(&["--sandbox=world.json", "--color", "never", "plan"]));
}

#[test]
fn init_writes_a_starter_and_never_overwrites() {
    let cli = Cli::new();
    golden(&cli, "init", &["init"]);
    assert_eq!(cli.read("access.yaml"), include_str!("../../access.yaml.example"));
    cli.write("access.yaml", "mine");
    golden(&cli, "init-again", &["init"]);
    assert_eq!(cli.read("access.yaml"), "mine");
}

#[test]
fn a_sandbox_can_be_made_for_any_access_file() {
    let cli = Cli::new();
    let access = "version: 1\nscope: { accounts: [Video, short] }\naccounts: { short: \"012345678901\" }\npermission_sets:\n  \
                  Ops: { aws_managed_policies: [ReadOnlyAccess] }\nassignments:\n  - permission_sets: [Ops]\n    accounts: [Video, short]\n    \
                  groups: [operators]\n    users: [ann@example.com]\n";
    cli.write("access.yaml", access);
    golden(&cli, "sandbox-show-nothing", &["sandbox", "show"]);
    golden(&cli, "sandbox-init-from", &["sandbox", "init", "--from", "access.yaml"]);
    golden(&cli, "sandbox-init-again", &["sandbox", "init"]);
    let output = cli.command(&["--sandbox", "apply", "--auto-approve"]);
    assert_eq!(code(&output), 0, "{}{}", stdout(&output), stderr(&output));
    golden(&cli, "sandbox-show-from", &["sandbox", "show"]);
    golden(&cli, "sandbox-reset", &["sandbox", "reset"]);
    golden(&cli, "sandbox-reset-refused", &["sandbox", "reset", "--world", "access.yaml"]);
    assert_eq!(cli.read("access.yaml"), access);
    assert!(stdout(&cli.command(&["sandbox", "show"])).contains("jitsi-hosting"));
    let json: serde_json::Value =
        serde_json::from_slice(&cli.command(&["sandbox", "show", "--format", "json"]).stdout).unwrap();
    assert_eq!(json["format_version"], 1);
}

#[test]
fn the_example_works_on_a_world_made_for_it() {
    let cli = Cli::new();
    cli.write("access.yaml", include_str!("../../access.yaml.example"));
    cli.command(&["sandbox", "init", "--from", "access.yaml"]);
    let output = cli.command(&["--sandbox", "-q", "plan", "--detailed-exitcode"]);
    assert_eq!(code(&output), 2, "{}", stderr(&output));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_reported_and_a_closed_pipe_is_not() {
    let cli = Cli::with_example();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = cli.prepare(&["-q", "--sandbox=world.json", "plan"]).stdout(full).output().unwrap();
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("cannot write the result"), "{}", stderr(&output));
    let mut child = cli
        .prepare(&["-q", "--sandbox=world.json", "plan"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((code(&output), stderr(&output).as_str()), (0, ""));
    // A plan that nobody could see is not applied.
    let before = cli.read("world.json");
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = cli.prepare(&["-q", "--sandbox=world.json", "apply", "--auto-approve"]).stdout(full).output().unwrap();
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("could not be shown, nothing was changed"), "{}", stderr(&output));
    assert_eq!(cli.read("world.json"), before);
}

#[test]
fn trouble_with_the_key_of_the_instance_has_a_way_out() {
    let cli = Cli::with_example();
    let mut world: serde_json::Value = serde_json::from_str(&cli.read("world.json")).unwrap();
    let members = serde_json::json!({"Reason": "KMS_AccessDeniedException"});
    let effect =
        serde_json::json!({"error": {"code": "AccessDeniedException", "message": "no key", "members": members}});
    world["faults"] = serde_json::json!([{"on": "ListPermissionSets", "times": null, "effect": effect}]);
    cli.write("world.json", world.to_string());
    let output = cli.command(&["--sandbox=world.json", "-q", "plan"]);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("no key (KMS_AccessDeniedException)"), "{}", stderr(&output));
    assert!(stderr(&output).contains("`kms:Decrypt` through sso and identitystore is missing"), "{}", stderr(&output));
}

#[test]
fn man_pages_and_completions_know_every_command() {
    let cli = Cli::new();
    assert_eq!(code(&cli.command(&["man", "--out", "man"])), 0);
    let pages: Vec<String> =
        std::fs::read_dir(cli.path("man")).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    let bash = stdout(&cli.command(&["completions", "bash"]));
    for command in ["plan", "apply", "why", "who-can", "import", "iam-policy", "doctor", "profiles", "sandbox"] {
        assert!(pages.contains(&format!("permset-{command}.1")), "{pages:?}");
        assert!(
            bash.contains(&format!("permset__{}", command.replace('-', "__"))) || bash.contains(command),
            "{command}"
        );
    }
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        assert_eq!(code(&cli.command(&["completions", shell])), 0, "{shell}");
    }
}
