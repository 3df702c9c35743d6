//! Access files that must be refused, each with its exact message, and files that must be accepted.

use std::process::Command;
use std::time::Instant;

use crate::support::cli::{Cli, code, stderr, stdout};
use crate::support::{assert_golden, files, tests_dir};

#[test]
fn every_mistake_has_an_address() {
    let cli = Cli::new();
    let all = files("access/invalid", ".yaml");
    assert!(all.len() >= 30, "only {}", all.len());
    for path in all {
        let name = path.file_name().unwrap().to_str().unwrap();
        let output = cli.prepare(&["-f", name, "validate"]).current_dir(path.parent().unwrap()).output().unwrap();
        assert_eq!(code(&output), 3, "{name}: {}{}", stdout(&output), stderr(&output));
        assert_eq!(stdout(&output), "", "{name}");
        // Whatever stands in a file, nothing but our own line ends may reach a terminal.
        let steering = stderr(&output).chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(steering, None, "{name}");
        assert_golden(&stderr(&output), &path.with_extension("stderr"));
    }
}

#[test]
fn every_valid_file_is_accepted() {
    let cli = Cli::new();
    for path in files("access/valid", ".yaml") {
        let output = cli.command(&["-q", "-f", path.to_str().unwrap(), "validate"]);
        assert_eq!(code(&output), 0, "{}: {}", path.display(), stderr(&output));
    }
}

#[test]
fn ids_keep_their_zeros() {
    let desired = crate::support::run::desired(&tests_dir("access/valid/leading-zeros.yaml"));
    let ids: Vec<String> = desired.scope.accounts.iter().map(|account| format!("{:?}", account.value)).collect();
    assert_eq!(ids.join(" ").matches("012345678901").count(), 1, "{ids:?}");
    assert!(ids.iter().any(|id| id.contains("000000000001")), "{ids:?}");
}

#[test]
fn scalars_keep_their_spelling() {
    let desired = crate::support::run::desired(&tests_dir("access/valid/awkward-scalars.yaml"));
    assert_eq!(desired.owner.as_deref(), Some("2024"));
    let set = desired.permission_sets.iter().find(|(name, _)| name.as_str() == "123").unwrap().1;
    let permset::model::DesiredDefinition::Managed(definition) = &set.definition else { panic!("{set:?}") };
    assert_eq!(definition.description.as_deref(), Some("1e3"));
    let tags: Vec<String> = definition.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(tags.join(" "), "d=2026-11-23 e= f=1.50 n=0x1F on=off permset:owner=2024 t=true u=1_000 yes=no");
}

/// Runs `validate` on a text that would be too large to keep in the repository.
fn refused(text: impl AsRef<[u8]>) -> String {
    let cli = Cli::new();
    cli.write("access.yaml", text);
    let started = Instant::now();
    let output = cli.command(&["validate"]);
    // Not a measurement: without a bound these would take hours or all of the memory.
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    stderr(&output)
}

#[test]
fn a_hundred_thousand_levels_are_refused() {
    for (open, close) in [("[", "]"), ("{a: ", "}")] {
        let deep = format!("version: 1\naccounts: {}{}\n", open.repeat(100_000), close.repeat(100_000));
        assert!(refused(deep).contains("nested"), "flow");
    }
    let block: String = (0..3_000).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    assert!(refused(block).contains("nested"), "block");
    let lists = format!("version: 1\naccounts:\n  {}x\n", "- ".repeat(100_000));
    refused(lists);
}

#[test]
fn twenty_megabytes_are_refused() {
    assert!(refused("#".repeat(20 << 20)).contains("larger than 16 MiB"));
}

#[test]
fn ten_megabytes_of_one_line_are_refused_in_a_few_words() {
    let message =
        refused(format!("version: 1\nunknown: \"{}\"\nscope: {{ accounts: [\"*\"] }}\n", "x".repeat(10 << 20)));
    assert!(message.contains("unknown field `unknown`") && message.len() < 2_000, "{} bytes", message.len());
}

#[test]
fn a_few_lines_that_multiply_out_are_refused() {
    let list = |prefix: &str| (0..200).map(|n| format!("{prefix}{n}")).collect::<Vec<_>>().join(", ");
    let accounts = (0..200).map(|n| format!("\"{n:012}\"")).collect::<Vec<_>>().join(", ");
    let sets: String = (0..200).map(|n| format!("  S{n}: {{ aws_managed_policies: [A] }}\n")).collect();
    let text = format!(
        "version: 1\nscope: {{ accounts: [\"*\"] }}\npermission_sets:\n{sets}assignments:\n  - permission_sets: [{}]\n    \
         accounts: [{accounts}]\n    groups: [{}]\n",
        list("S"),
        list("g")
    );
    assert!(refused(text).contains("multiply out to 8000000 grants"));
}

#[test]
fn thousands_of_mistakes_are_counted_and_not_all_drawn() {
    let unknown: String = (0..20_000).map(|n| format!("field{n}: 1\n")).collect();
    let message = refused(format!("version: 1\n{unknown}"));
    assert!(
        message.contains("more like these") && message.ends_with("20001 errors\n"),
        "{}",
        &message[message.len() - 200..]
    );
}

#[test]
fn an_endless_file_is_refused() {
    if std::path::Path::new("/dev/zero").exists() {
        let output =
            Command::new(env!("CARGO_BIN_EXE_permset")).args(["-f", "/dev/zero", "validate"]).output().unwrap();
        assert_eq!(code(&output), 3, "{}", stderr(&output));
    }
}

#[test]
#[cfg(unix)]
fn a_policy_file_cannot_be_reached_through_a_link() {
    let (cli, elsewhere) = (Cli::new(), Cli::new());
    elsewhere.write("policy.json", r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#);
    std::os::unix::fs::symlink(elsewhere.path("policy.json"), cli.path("policy.json")).unwrap();
    cli.write(
        "access.yaml",
        "version: 1\nscope: { accounts: [\"*\"] }\npermission_sets:\n  Ops: { inline_policy_file: policy.json }\n",
    );
    let output = cli.command(&["validate"]);
    assert_eq!(code(&output), 3);
    assert!(stderr(&output).contains("a link that leaves it"), "{}", stderr(&output));
}
