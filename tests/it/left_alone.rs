//! Lines with an end, and live assignments that the file leaves alone.

use permset::model::Severity;
use permset::plan;
use permset::sandbox::Sandbox;

use crate::oracle::in_words;
use crate::support::run;

const HEAD: &str = "version: 1\nscope: { accounts: [\"215665149509\"] }\npermission_sets:\n  AdministratorAccess: { definition: external }\nassignments:\n  - permission_sets: [AdministratorAccess]\n    accounts: [\"215665149509\"]\n    groups: [jitsi-admins]\n";

/// What a plan does to the starter world, in words.
async fn words(more: &str) -> Vec<String> {
    let sandbox = Sandbox::new(permset::sandbox::starter::starter());
    let desired = run::desired_from(&format!("{HEAD}{more}"));
    let (_, plan, _) = run::plan(&run::aws(&sandbox).await, &desired).await;
    in_words(&plan).into_iter().collect()
}

const ORPHAN: &str = "93670c51-d2a1-7c4b-9f0e-5a6b7c8d9e0f";

#[tokio::test(start_paused = true)]
async fn what_is_ignored_stays() {
    let both = words("").await;
    assert_eq!(both.iter().filter(|it| it.starts_with("revoke")).count(), 2, "{both:?}");
    let revoked = |words: Vec<String>| words.into_iter().filter(|it| it.starts_with("revoke")).count();
    for (line, left) in [
        ("{ users: \"dana@*\" }", 1),
        ("{ users: \"*\" }", 0),
        ("{ groups: \"jit-*\" }", 2),
        ("{ principal_ids: 93670c51-d2a1-7c4b-9f0e-5a6b7c8d9e0f }", 1),
        ("{ users: \"*\", permission_sets: \"Temporary*\" }", 2),
        ("{ permission_sets: \"Admin*\", users: [\"da*\"], accounts: \"215665149509\" }", 1),
        ("{ users: \"*\", accounts: \"111111111111\" }", 2),
    ] {
        assert_eq!(revoked(words(&format!("ignore: [{line}]\n")).await), left, "{line}");
    }
    assert!(both.iter().any(|it| it.contains(ORPHAN)), "{both:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_declared_cannot_be_ignored() {
    let sandbox = Sandbox::new(permset::sandbox::starter::starter());
    let desired = run::desired_from(&format!("{HEAD}ignore: [{{ groups: \"jitsi-*\" }}]\n"));
    let observed = run::observe(&run::aws(&sandbox).await, &desired).await;
    let findings = plan::plan(&desired, &observed).unwrap_err();
    let errors: Vec<_> = findings.iter().filter(|it| it.severity == Severity::Error).collect();
    assert_eq!(errors.len(), 1, "{findings:?}");
    assert!(
        errors[0].message.contains("this ignores what the file declares: group jitsi-admins"),
        "{}",
        errors[0].message
    );
}

#[tokio::test(start_paused = true)]
async fn an_expired_line_grants_nothing_and_may_name_who_is_gone() {
    let line = |date: &str, user: &str| {
        format!(
            "  - permission_sets: [AdministratorAccess]\n    accounts: [\"215665149509\"]\n    users: [{user}]\n    expires: {date}\n"
        )
    };
    let revokes = |words: &[String]| words.iter().filter(|it| it.starts_with("revoke")).count();
    assert_eq!(revokes(&words(&line("2099-01-01", "dana@example.com")).await), 1);
    let expired = words(&line("2020-01-01", "dana@example.com")).await;
    assert_eq!((revokes(&expired), expired), (2, words("").await));
    let gone = words(&line("2020-01-01", "nobody@example.com")).await;
    assert_eq!(revokes(&gone), 2);
}

#[tokio::test(start_paused = true)]
async fn what_has_expired_is_not_ignored() {
    let line = "  - permission_sets: [AdministratorAccess]\n    accounts: [\"215665149509\"]\n    users: [dana@example.com]\n    expires: 2020-01-01\nignore: [{ users: \"dana@*\" }]\n";
    let sandbox = Sandbox::new(permset::sandbox::starter::starter());
    let desired = run::desired_from(&format!("{HEAD}{line}"));
    let observed = run::observe(&run::aws(&sandbox).await, &desired).await;
    let findings = plan::plan(&desired, &observed).unwrap_err();
    assert!(
        findings.iter().any(|it| it.message.contains("this ignores what the file declares: user dana@example.com"))
    );
}

/// A plan that was approved while a line held must not grant what has expired since: `apply PLAN` compares the digests.
#[test]
fn with_a_line_that_expires_the_file_is_another() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("access.yaml");
    std::fs::write(&path, format!("{HEAD}    expires: 2027-01-31\n")).unwrap();
    let digest = |now: &str| permset::desired::load_at(&path, now.parse().unwrap()).unwrap().digest;
    assert_eq!(digest("2026-11-28T00:00:00Z"), digest("2027-01-31T23:59:59Z"));
    assert_ne!(digest("2027-01-31T23:59:59Z"), digest("2027-02-01T00:00:00Z"));
}
