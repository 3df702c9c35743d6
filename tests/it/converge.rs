//! Interrupted at every point, the next run converges; and no state in between grants more than before and after.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use permset::aws::{Access, Aws};
use permset::sandbox::{Sandbox, World};
use tokio::sync::Notify;

use crate::support::tap::{Verdict, is_write, tapped};
use crate::support::{folders, run};

/// Who has what where, in ids.
fn grants(world: &World) -> BTreeSet<(String, String, String)> {
    let row = |row: &permset::sandbox::world::Assignment| {
        let set = world.permission_sets.iter().find(|set| set.id == row.permission_set_id).unwrap();
        (set.name.clone(), row.account_id.clone(), row.principal_id.clone())
    };
    world.assignments.iter().map(row).collect()
}

/// Applies until nothing gets better, and returns how many changes are left. Two runs are enough where one failure held
/// back something that another run can do.
async fn settle(sandbox: &Sandbox, desired: &permset::model::DesiredState) -> usize {
    let aws = run::aws(sandbox).await;
    let mut left = usize::MAX;
    loop {
        let (_, plan, _) = run::plan(&aws, desired).await;
        let (_, now_left) = run::apply(&aws, desired, &plan).await;
        if now_left == 0 || now_left >= left {
            return now_left;
        }
        left = now_left;
    }
}

/// What is left, and what is granted, when nobody interrupts.
async fn undisturbed(folder: &Path) -> (usize, BTreeSet<(String, String, String)>) {
    let sandbox = Sandbox::new(run::world(&folder.join("world.json")));
    let left = settle(&sandbox, &run::desired(&folder.join("access.yaml"))).await;
    (left, grants(&sandbox.world()))
}

/// Lets the `nth` write meet a verdict, and tells when it has.
async fn disturbed(sandbox: &Sandbox, nth: usize, verdict: Verdict) -> (Aws, Arc<Notify>) {
    let (count, met) = (AtomicUsize::new(0), Arc::new(Notify::new()));
    let told = met.clone();
    let client = tapped(sandbox, move |operation| {
        if is_write(operation) && count.fetch_add(1, Ordering::Relaxed) == nth {
            told.notify_one();
            return verdict;
        }
        Verdict::Pass
    });
    (run::connect(client, Access::ReadWrite).await, met)
}

#[tokio::test(start_paused = true)]
async fn killed_before_or_after_any_write_the_next_run_converges() {
    let mut kills = 0;
    for folder in folders("scenarios") {
        let desired = run::desired(&folder.join("access.yaml"));
        let (left, after) = undisturbed(&folder).await;
        for verdict in [Verdict::HangBefore, Verdict::HangAfter] {
            for nth in 0.. {
                let sandbox = Sandbox::new(run::world(&folder.join("world.json")));
                let before = grants(&sandbox.world());
                let (aws, met) = disturbed(&sandbox, nth, verdict).await;
                let (_, plan, _) = run::plan(&aws, &desired).await;
                let killed = tokio::select! {
                    _ = run::apply(&aws, &desired, &plan) => false,
                    () = met.notified() => true,
                };
                if !killed {
                    break;
                }
                kills += 1;
                let between = grants(&sandbox.world());
                let allowed: BTreeSet<_> = before.union(&after).cloned().collect();
                assert!(between.is_subset(&allowed), "{} {verdict:?} {nth}", folder.display());
                // What the killed run left in flight goes on; the next run waits its turn.
                let still_left = settle(&sandbox, &desired).await;
                assert_eq!(still_left, left, "{} {verdict:?} {nth}", folder.display());
                assert_eq!(grants(&sandbox.world()), after, "{} {verdict:?} {nth}", folder.display());
            }
        }
    }
    assert!(kills > 100, "{kills} kills are too few to mean anything");
}

#[tokio::test(start_paused = true)]
async fn a_lost_request_or_answer_is_not_a_lost_change() {
    for folder in folders("scenarios") {
        let desired = run::desired(&folder.join("access.yaml"));
        let (left, after) = undisturbed(&folder).await;
        for verdict in [Verdict::LoseRequest, Verdict::LoseAnswer] {
            for nth in 0.. {
                let sandbox = Sandbox::new(run::world(&folder.join("world.json")));
                let (aws, met) = disturbed(&sandbox, nth, verdict).await;
                let (_, plan, _) = run::plan(&aws, &desired).await;
                let (report, left_now) = run::apply(&aws, &desired, &plan).await;
                if tokio::time::timeout(std::time::Duration::ZERO, met.notified()).await.is_err() {
                    break;
                }
                // The SDK asks again, and what comes back then is understood: nothing fails that would not without it.
                let all_done = report.outcomes.iter().all(permset::apply::Outcome::succeeded);
                assert_eq!(
                    (all_done, left_now == 0),
                    (left == 0, left == 0),
                    "{} {verdict:?} {nth}: {report:#?}",
                    folder.display()
                );
                assert_eq!(settle(&sandbox, &desired).await, left, "{} {verdict:?} {nth}", folder.display());
                assert_eq!(grants(&sandbox.world()), after, "{} {verdict:?} {nth}", folder.display());
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_read_fails_the_whole_observation() {
    for folder in folders("scenarios").into_iter().take(6) {
        let desired = run::desired(&folder.join("access.yaml"));
        for nth in 0.. {
            let sandbox = Sandbox::new(run::world(&folder.join("world.json")));
            let count = AtomicUsize::new(0);
            let last = Arc::new(Mutex::new(String::new()));
            let lost = last.clone();
            // From the nth read on, that operation never gets through, however often the SDK tries.
            let client = tapped(&sandbox, move |operation| {
                let mut lost = lost.lock().unwrap();
                if lost.is_empty() && count.fetch_add(1, Ordering::Relaxed) == nth {
                    operation.clone_into(&mut lost);
                }
                if *lost == operation { Verdict::LoseRequest } else { Verdict::Pass }
            });
            let aws = run::connect(client, Access::ReadOnly).await;
            let observed =
                permset::observed::observe(&aws, &desired, &permset::observed::Request::default(), &|_| {}).await;
            let lost = last.lock().unwrap().clone();
            if lost.is_empty() {
                break;
            }
            let error = observed.expect_err(&lost);
            assert_eq!(error.operation, lost);
            assert!(!error.subject.is_empty(), "{error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_that_becomes_current_while_we_read_is_not_overlooked() {
    let folder = crate::support::tests_dir("scenarios/first-case");
    let sandbox = Sandbox::new(run::world(&folder.join("world.json")));
    let desired = run::desired(&folder.join("access.yaml"));
    let expected = run::observe(&run::aws(&sandbox).await, &desired).await.assignments;
    // Somebody else's provisioning ends between the two lists of where a permission set is provisioned.
    let (count, world) = (AtomicUsize::new(0), sandbox.clone());
    let client = tapped(&sandbox, move |operation| {
        if operation == "ListAccountsForProvisionedPermissionSet" && count.fetch_add(1, Ordering::Relaxed) % 2 == 1 {
            world.edit(|world| {
                for set in &mut world.permission_sets {
                    set.provisioned.values_mut().for_each(|provisioned| provisioned.version = set.version);
                }
            });
        }
        Verdict::Pass
    });
    let observed = run::observe(&run::connect(client, Access::ReadOnly).await, &desired).await;
    assert_eq!(observed.assignments, expected);
}

#[tokio::test(start_paused = true)]
async fn a_set_that_somebody_else_creates_meanwhile_is_not_taken_for_ours() {
    let text = "version: 1\nscope: { accounts: [\"215665149509\"] }\npermission_sets:\n  Ops: { aws_managed_policies: [ReadOnlyAccess] }\n\
                assignments:\n  - { permission_sets: [Ops], accounts: [\"215665149509\"], groups: [jitsi-operators] }\n";
    let (sandbox, desired) = (Sandbox::new(permset::sandbox::starter::starter()), run::desired_from(text));
    let aws = run::aws(&sandbox).await;
    let (_, plan, _) = run::plan(&aws, &desired).await;
    sandbox.edit(|world| {
        let mut theirs = permset::sandbox::world::PermissionSet::named("Ops");
        theirs.aws_managed_policies = vec!["arn:aws:iam::aws:policy/AdministratorAccess".to_owned()];
        world.permission_sets.push(theirs);
    });
    let before = grants(&sandbox.world());
    let (report, _) = run::apply(&aws, &desired, &plan).await;
    assert!(report.outcomes.iter().all(|outcome| !outcome.succeeded()), "{report:#?}");
    assert_eq!(grants(&sandbox.world()), before);
}

#[tokio::test(start_paused = true)]
async fn a_reading_command_cannot_write() {
    let folder = crate::support::tests_dir("scenarios/first-case");
    let sandbox = Sandbox::new(run::world(&folder.join("world.json")));
    let desired = run::desired(&folder.join("access.yaml"));
    let aws = run::connect(sandbox.connector(), Access::ReadOnly).await;
    let (_, plan, _) = run::plan(&aws, &desired).await;
    let before = sandbox.calls();
    let (report, left) = run::apply(&aws, &desired, &plan).await;
    assert_eq!(left, plan.steps.len());
    assert!(report.outcomes.iter().all(|outcome| !outcome.succeeded()));
    let written = sandbox.calls().into_iter().filter(|(operation, count)| {
        let verb = operation.rsplit('.').next().unwrap();
        is_write(verb) && before.get(operation) != Some(count)
    });
    assert_eq!(written.count(), 0);
}
