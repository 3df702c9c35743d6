//! Saved plans: what is applied is what was reviewed, or nothing.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use permset::aws::Access;
use permset::model::sealed::SealError;
use permset::model::{Facts, Reading};
use permset::plan::{self, Plan, SavedPlan};
use permset::report::saved::moved;
use permset::sandbox::world::PermissionSet;
use permset::sandbox::{Sandbox, World};
use proptest::prelude::*;

use crate::support::cli::{Cli, code, stderr, stdout};
use crate::support::tap::{Verdict, is_write, tapped};
use crate::support::{folders, run, universe};

fn saved(plan: Plan, facts: Facts) -> SavedPlan {
    SavedPlan {
        made: "2026-11-25T10:00:00Z".to_owned(),
        file: "access.yaml".to_owned(),
        file_digest: "0".repeat(64),
        reading: Reading::default(),
        plan,
        facts,
        people: None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn save_then_load_is_identity_and_nothing_has_moved(case in universe::cases(), cut in any::<prop::sample::Index>()) {
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(async {
            let sandbox = Sandbox::new(case.world());
            let desired = run::desired_from(&case.access_file(case.shuffle));
            let aws = run::aws(&sandbox).await;
            let (observed, plan, _) = run::plan(&aws, &desired).await;
            let facts = plan::facts(&plan, &desired, &observed);
            let saved = saved(plan, facts);
            let text = saved.to_text().unwrap();
            prop_assert_eq!(SavedPlan::parse(&text), Ok(saved.clone()));
            // Cut off anywhere, or changed anywhere, it is none any more.
            let cut = cut.index(text.len());
            prop_assert!(SavedPlan::parse(text.get(..cut).unwrap_or_default()).is_err());
            let mut edited = text.clone().into_bytes();
            edited[cut] = if edited[cut] == b'x' { b'y' } else { b'x' };
            prop_assert!(SavedPlan::parse(&String::from_utf8_lossy(&edited)).is_err());
            let now = permset::observed::again(&aws, &saved.plan.instance, &saved.facts, &saved.plan.arns, &|_| {});
            prop_assert_eq!(saved.facts.moved(&now.await.unwrap()), vec![]);
            Ok(())
        })?;
    }
}

/// Everything that somebody may do to the starter world between plan and apply, and the words for it.
type Edit = (&'static str, fn(&mut World));

fn edits() -> Vec<Edit> {
    vec![
        ("permission set AdministratorAccess was edited: session duration", |world| {
            set(world, "AdministratorAccess").session_duration = "PT12H".to_owned();
        }),
        ("permission set AdministratorAccess was edited: managed policies + IAMFullAccess", |world| {
            let policies = &mut set(world, "AdministratorAccess").aws_managed_policies;
            policies.push("arn:aws:iam::aws:policy/IAMFullAccess".to_owned());
        }),
        ("permission set AdministratorAccess was deleted, and made anew", |world| {
            let set = set(world, "AdministratorAccess");
            let (old, new) = (set.id.clone(), "ps-00000000000000ff".to_owned());
            set.id.clone_from(&new);
            for row in world.assignments.iter_mut().filter(|row| row.permission_set_id == old) {
                row.permission_set_id.clone_from(&new);
            }
        }),
        ("permission set AdministratorAccess is gone", |world| {
            let id = set(world, "AdministratorAccess").id.clone();
            world.permission_sets.retain(|set| set.id != id);
            world.assignments.retain(|row| row.permission_set_id != id);
        }),
        ("permission set JitsiPlatformAccess was to be created, and is there now", |world| {
            world.permission_sets.push(PermissionSet::named("JitsiPlatformAccess"));
        }),
        ("revoked meanwhile: AdministratorAccess in 215665149509 for user dana@example.com", |world| {
            let dana = world.users.iter().find(|user| user.user_name == "dana@example.com").unwrap().id.clone();
            world.assignments.retain(|row| row.principal_id != dana);
        }),
        ("assigned meanwhile: AdministratorAccess in 215665149509 for user", |world| {
            let bob = world.users.iter().find(|user| user.user_name == "bob@example.com").unwrap().id.clone();
            let mut row = world.assignments.iter().find(|row| row.account_id == "215665149509").unwrap().clone();
            row.principal_id = bob;
            world.assignments.push(row);
        }),
        ("account 215665149509 was `jitsi-hosting`, active, and is `jitsi-hosting`, SUSPENDED", |world| {
            let account = world.accounts.iter_mut().find(|account| account.id == "215665149509").unwrap();
            account.state = permset::sandbox::world::AccountState::Suspended;
        }),
        ("`jitsi-operators`, and is `jitsi-interns`", |world| {
            let group = world.groups.iter_mut().find(|group| group.display_name == "jitsi-operators").unwrap();
            group.display_name = "jitsi-interns".to_owned();
        }),
        ("and is deleted", |world| {
            let alice = world.users.iter().find(|user| user.user_name == "alice@example.com").unwrap().id.clone();
            world.users.retain(|user| user.id != alice);
            world.memberships.retain(|membership| membership.user_id != alice);
        }),
        ("had an older version of AdministratorAccess, and has the newest", |world| {
            let set = set(world, "AdministratorAccess");
            set.provisioned.values_mut().for_each(|provisioned| provisioned.version = set.version);
        }),
    ]
}

fn set<'a>(world: &'a mut World, name: &str) -> &'a mut PermissionSet {
    world.permission_sets.iter_mut().find(|set| set.name == name).unwrap()
}

#[tokio::test(start_paused = true)]
async fn whatever_moves_is_named() {
    let desired = run::desired(&crate::support::tests_dir("../access.yaml.example"));
    for (words, edit) in edits() {
        let sandbox = Sandbox::new(permset::sandbox::starter::starter());
        let aws = run::aws(&sandbox).await;
        let (observed, plan, _) = run::plan(&aws, &desired).await;
        let facts = plan::facts(&plan, &desired, &observed);
        sandbox.edit(edit);
        let now = permset::observed::again(&aws, &plan.instance, &facts, &plan.arns, &|_| {}).await.unwrap();
        let told: Vec<String> = facts.moved(&now).iter().map(|one| moved(one, &now)).collect();
        assert!(told.iter().any(|line| line.contains(words)), "{words}: {told:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_facts_are_read_again() {
    for folder in folders("scenarios") {
        let desired = run::desired(&folder.join("access.yaml"));
        let sandbox = Sandbox::new(run::world(&folder.join("world.json")));
        let aws = run::aws(&sandbox).await;
        let (observed, plan, _) = run::plan(&aws, &desired).await;
        let facts = plan::facts(&plan, &desired, &observed);
        let before = aws.calls();
        permset::observed::instance(&aws, &plan.instance.arn).await.unwrap();
        permset::observed::again(&aws, &plan.instance, &facts, &plan.arns, &|_| {}).await.unwrap();
        let calls = aws.calls() - before;
        // By its id an account or a group takes one call of its own; a page of a list has many.
        let most = observed.reading.calls + (facts.principals.len() + facts.accounts.len()) as u64;
        assert!(calls <= most, "{}: {calls} of {most}", folder.display());
    }
    // One changed tag in an organization: what the other permission sets and accounts hold is not asked.
    let sandbox = Sandbox::new(permset::sandbox::starter::starter());
    let desired = run::desired(&crate::support::tests_dir("../access.yaml.example"));
    run::converge(&sandbox, &desired).await;
    sandbox.edit(|world| drop(set(world, "JitsiPlatformAccess").tags.insert("stray".to_owned(), "x".to_owned())));
    let reads = Arc::new(Mutex::new(Vec::new()));
    let seen = reads.clone();
    let client = tapped(&sandbox, move |operation| {
        seen.lock().unwrap().push(operation.to_owned());
        Verdict::Pass
    });
    let aws = run::connect(client, Access::ReadOnly).await;
    let (observed, plan, _) = run::plan(&aws, &desired).await;
    let facts = plan::facts(&plan, &desired, &observed);
    reads.lock().unwrap().clear();
    permset::observed::again(&aws, &plan.instance, &facts, &plan.arns, &|_| {}).await.unwrap();
    let mut again = reads.lock().unwrap().clone();
    again.sort();
    // The list of permission sets, nine about the one, and the required grant of the example: nine about its set, one row.
    assert_eq!(again.iter().filter(|operation| *operation == "ListAccountAssignments").count(), 1, "{again:#?}");
    assert_eq!(again.iter().filter(|operation| *operation == "ListTagsForResource").count(), 2, "{again:#?}");
    assert!(again.len() <= 22, "{again:#?}");
}

#[test]
fn two_ci_jobs_plan_and_apply() {
    let cli = Cli::with_example();
    let planned = cli.command(&["--sandbox=world.json", "plan", "--out", "plan.permset", "--format", "markdown"]);
    assert_eq!(code(&planned), 0, "{}", stderr(&planned));
    assert!(stderr(&planned).contains("saved; `permset --sandbox=world.json apply plan.permset` applies exactly this"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(cli.path("plan.permset")).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let shown = cli.command(&["show", "plan.permset"]);
    let text = stdout(&cli.command(&["--sandbox=world.json", "plan", "--show-unmanaged"]));
    let rest = stdout(&shown);
    let (head, rest) = rest.split_once("\n\n").unwrap();
    assert!(head.starts_with("saved plan, made 20") && head.contains(" ago, from access.yaml (sha256 "), "{head}");
    assert!(text.starts_with(rest.split("left alone").next().unwrap()), "{rest}");
    let markdown = cli.command(&["show", "plan.permset", "--format", "markdown"]);
    assert_eq!(stdout(&markdown), stdout(&planned));
    let json: serde_json::Value =
        serde_json::from_str(&stdout(&cli.command(&["show", "plan.permset", "--format", "json"]))).unwrap();
    assert_eq!(json["changes"].as_array().unwrap().len(), 8);

    // Nobody has to be there to approve what was approved.
    let applied = cli.command(&["--sandbox=world.json", "apply", "plan.permset"]);
    assert_eq!(code(&applied), 0, "{}", stderr(&applied));
    assert!(stdout(&applied).ends_with("summary: 8 applied\nconverged: observed again: nothing is left to do\n"));
    // Once only: what it rests on is no longer so.
    let again = cli.command(&["--sandbox=world.json", "apply", "plan.permset"]);
    assert_eq!(code(&again), 4);
    assert!(stderr(&again).contains("refused: 6 facts that the plan rests on have moved"), "{}", stderr(&again));
    assert!(stderr(&again).contains("hint: make a new plan: `permset --sandbox=world.json plan --out plan.permset`"));
}

#[test]
fn what_is_not_whole_or_not_for_here_is_refused() {
    let cli = Cli::with_example();
    cli.command(&["--sandbox=world.json", "plan", "--out", "plan.permset"]);
    let world = cli.read("world.json");
    let refused = |name: &str, words: &str| {
        let output = cli.command(&["--sandbox=world.json", "apply", name]);
        assert_eq!(code(&output), 4, "{words}: {}", stderr(&output));
        assert!(stderr(&output).contains(words), "{words}: {}", stderr(&output));
        assert_eq!(cli.read("world.json"), world, "{words}");
    };
    let text = cli.read("plan.permset");
    cli.write("cut", &text[..text.len() / 2]);
    refused("cut", "it was cut off or edited after it was saved");
    cli.write("edited", text.replace("jitsi-operators", "jitsi-everybody"));
    refused("edited", "it was cut off or edited after it was saved");
    cli.write("newer", text.replacen("\"version\":1", "\"version\":2", 1));
    refused("newer", "it is of version 2 of the format, this permset reads version 1");
    refused("access.yaml", "it is not a saved plan");
    let access = cli.read("access.yaml");
    cli.write("access.yaml", format!("{access}# looked at\n"));
    refused("plan.permset", "access.yaml has changed since the plan was made");
    cli.write("other.yaml", &access);
    let other = cli.command(&["--sandbox=world.json", "-q", "-f", "other.yaml", "plan", "--out", "other.permset"]);
    assert_eq!(code(&other), 0);
    refused("other.permset", "hint: name that file: `-f other.yaml`");
    cli.write("access.yaml", access);
    // Another Identity Center.
    cli.write("world.json", world.replace("ssoins-00aa11bb22cc33dd", "ssoins-00aa11bb22cc33ff"));
    let output = cli.command(&["--sandbox=world.json", "apply", "plan.permset"]);
    assert_eq!(code(&output), 4, "{}", stderr(&output));
    assert!(stderr(&output).contains("the plan is for another instance"), "{}", stderr(&output));
    cli.write("world.json", world.replace("d-00aa11bb22", "d-00aa11bbff"));
    let output = cli.command(&["--sandbox=world.json", "apply", "plan.permset"]);
    assert_eq!(code(&output), 4, "{}", stderr(&output));
    assert!(stderr(&output).contains("has identity store d-00aa11bbff behind it"), "{}", stderr(&output));
    let missing = cli.command(&["--sandbox=world.json", "apply", "nothing.permset"]);
    assert_eq!(code(&missing), 1);
}

#[test]
fn saving_never_overwrites_something_else() {
    let cli = Cli::with_example();
    let access = cli.read("access.yaml");
    let output = cli.command(&["--sandbox=world.json", "-q", "plan", "--out", "access.yaml"]);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("`access.yaml` is there and is no saved plan: it is not overwritten"));
    assert_eq!(cli.read("access.yaml"), access);
    for _ in 0..2 {
        assert_eq!(code(&cli.command(&["--sandbox=world.json", "-q", "plan", "--out", "plan.permset"])), 0);
    }
    assert_eq!(code(&cli.command(&["--sandbox=world.json", "-q", "plan", "--out", "no/folder/plan"])), 1);
}

#[test]
fn consent_is_asked_for_when_it_is_applied() {
    let cli = Cli::with_example();
    let access = cli.read("access.yaml");
    let (head, _) = access.split_once("\nassignments:").unwrap();
    let head = head.split("\nguards:").next().unwrap();
    cli.write("access.yaml", format!("{head}\n"));
    assert_eq!(code(&cli.command(&["--sandbox=world.json", "-q", "plan", "--out", "plan.permset"])), 0);
    let output = cli.command(&["--sandbox=world.json", "-q", "apply", "plan.permset"]);
    assert_eq!(code(&output), 4, "{}", stderr(&output));
    let hint =
        "if it is meant: `permset --sandbox=world.json apply plan.permset --allow control-tower --allow nothing-left`";
    assert!(stderr(&output).contains(hint), "{}", stderr(&output));
    let output = cli.command(&[
        "--sandbox=world.json",
        "-q",
        "apply",
        "plan.permset",
        "--allow",
        "nothing-left",
        "--allow",
        "control-tower",
    ]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_while_facts_are_read() {
    let sandbox = Sandbox::new(permset::sandbox::starter::starter());
    let desired = run::desired(&crate::support::tests_dir("../access.yaml.example"));
    let writes = Arc::new(AtomicUsize::new(0));
    let seen = writes.clone();
    let client = tapped(&sandbox, move |operation| {
        seen.fetch_add(usize::from(is_write(operation)), Ordering::Relaxed);
        Verdict::Pass
    });
    let aws = run::connect(client, Access::ReadWrite).await;
    let (observed, plan, _) = run::plan(&aws, &desired).await;
    let facts = plan::facts(&plan, &desired, &observed);
    permset::observed::again(&aws, &plan.instance, &facts, &plan.arns, &|_| {}).await.unwrap();
    assert_eq!(writes.load(Ordering::Relaxed), 0);
    assert_eq!(SavedPlan::parse("{}"), Err(SealError::NotOne("saved plan")));
}

#[test]
fn nothing_to_do_is_looked_at_again() {
    let cli = Cli::with_example();
    assert_eq!(code(&cli.command(&["--sandbox=world.json", "-q", "apply", "--auto-approve"])), 0);
    assert_eq!(code(&cli.command(&["--sandbox=world.json", "-q", "plan", "--out", "plan.permset"])), 0);
    assert_eq!(code(&cli.command(&["--sandbox=world.json", "-q", "apply", "plan.permset"])), 0);
    let mut world: World = serde_json::from_str(&cli.read("world.json")).unwrap();
    world.assignments.clear();
    cli.write("world.json", serde_json::to_string(&world).unwrap());
    let output = cli.command(&["--sandbox=world.json", "-q", "apply", "plan.permset"]);
    assert_eq!(code(&output), 4, "{}", stderr(&output));
    assert!(stderr(&output).contains("nothing was to be done when the plan was made"), "{}", stderr(&output));
}

#[tokio::test(start_paused = true)]
async fn a_required_grant_rests_on_whoever_has_it() {
    let text = "version: 1\nscope: { accounts: [\"215665149509\"] }\npermission_sets: { AdministratorAccess: { aws_managed_policies: [AdministratorAccess] } }\n\
                assignments:\n  - { permission_sets: [AdministratorAccess], accounts: [\"215665149509\"], users: [alice@example.com], groups: [jitsi-admins] }\n\
                guards: { required: [{ group: jitsi-admins, permission_set: AdministratorAccess, account: \"215665149509\" }] }\n";
    let sandbox = Sandbox::new(permset::sandbox::starter::starter());
    run::converge(&sandbox, &run::desired_from(text)).await;
    let less = run::desired_from(&text.replace("users: [alice@example.com], ", ""));
    let aws = run::aws(&sandbox).await;
    let (observed, plan, _) = run::plan(&aws, &less).await;
    assert_eq!(plan.steps.len(), 1, "{:#?}", plan.steps);
    let facts = plan::facts(&plan, &less, &observed);
    sandbox.edit(|world| world.groups.retain(|group| group.display_name != "jitsi-admins"));
    let now = permset::observed::again(&aws, &plan.instance, &facts, &plan.arns, &|_| {}).await.unwrap();
    let told: Vec<String> = facts.moved(&now).iter().map(|one| moved(one, &now)).collect();
    assert!(told.iter().any(|line| line.contains("was `jitsi-admins`, and is deleted")), "{told:#?}");
}

// Somebody else decides what it contains; the plan was made from what that was.
#[test]
fn an_external_definition_is_a_fact_as_well() {
    let cli = Cli::with_example();
    assert_eq!(code(&cli.command(&["--sandbox=world.json", "-q", "plan", "--out", "plan.permset"])), 0);
    let access = cli.read("access.yaml");
    cli.write("access.yaml", access.replace("    groups: [auditors]", "    groups: [auditors, jitsi-admins]"));
    assert_eq!(code(&cli.command(&["--sandbox=world.json", "-q", "plan", "--out", "plan.permset"])), 0);
    let mut world: World = serde_json::from_str(&cli.read("world.json")).unwrap();
    set(&mut world, "AWSReadOnlyAccess").aws_managed_policies =
        vec!["arn:aws:iam::aws:policy/AdministratorAccess".to_owned()];
    cli.write("world.json", serde_json::to_string(&world).unwrap());
    let output = cli.command(&["--sandbox=world.json", "-q", "apply", "plan.permset"]);
    assert_eq!(code(&output), 4, "{}", stderr(&output));
    assert!(stderr(&output).contains("moved: permission set AWSReadOnlyAccess was edited"), "{}", stderr(&output));
}

#[test]
fn a_forged_plan_cannot_steer_the_terminal() {
    let cli = Cli::with_example();
    cli.command(&["--sandbox=world.json", "-q", "plan", "--out", "plan.permset"]);
    let mut saved = SavedPlan::parse(&cli.read("plan.permset")).unwrap();
    saved.file_digest = "\u{1b}[2J\u{1b}[Hxxxxx".to_owned();
    saved.plan.instance.region = "eu\u{1b}]0;owned\u{7}".to_owned();
    saved.file = "\u{1b}[31m".to_owned();
    cli.write("forged", saved.to_text().unwrap());
    for format in ["text", "markdown", "json"] {
        let shown = stdout(&cli.command(&["--color", "always", "show", "forged", "--format", format]));
        assert!(!shown.contains("\u{1b}[2J") && !shown.contains("\u{1b}]") && !shown.contains('\u{7}'), "{shown:?}");
    }
}

// A rename that was cut short: everybody has the new one, and the plan takes the old one away.
#[tokio::test(start_paused = true)]
async fn what_a_renamed_set_takes_away_rests_on_what_replaces_it() {
    let both = "version: 1\nscope: { accounts: [\"215665149509\"] }\npermission_sets: { OldOps: { aws_managed_policies: [ReadOnlyAccess] }, NewOps: { aws_managed_policies: [ReadOnlyAccess] } }\n\
                assignments: [{ permission_sets: [OldOps, NewOps], accounts: [\"215665149509\"], users: [alice@example.com] }]\n";
    let renamed = both
        .replace("OldOps: { aws_managed_policies: [ReadOnlyAccess] }, NewOps: {", "NewOps: { previously: [OldOps],");
    let renamed = run::desired_from(&renamed.replace("[OldOps, NewOps]", "[NewOps]"));
    let lost: [Edit; 2] = [
        ("revoked meanwhile: NewOps", |world| {
            let new = set(world, "NewOps").id.clone();
            world.assignments.retain(|row| row.permission_set_id != new);
        }),
        ("permission set NewOps was edited", |world| set(world, "NewOps").aws_managed_policies.clear()),
    ];
    for (words, edit) in lost {
        let sandbox = Sandbox::new(permset::sandbox::starter::starter());
        run::converge(&sandbox, &run::desired_from(both)).await;
        let aws = run::aws(&sandbox).await;
        let (observed, plan, _) = run::plan(&aws, &renamed).await;
        assert_eq!(plan.steps.len(), 2, "{:#?}", plan.steps);
        let facts = plan::facts(&plan, &renamed, &observed);
        sandbox.edit(edit);
        let now = permset::observed::again(&aws, &plan.instance, &facts, &plan.arns, &|_| {}).await.unwrap();
        let told: Vec<String> = facts.moved(&now).iter().map(|one| moved(one, &now)).collect();
        assert!(told.iter().any(|line| line.contains(words)), "{words}: {told:#?}");
    }
}
