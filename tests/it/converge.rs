//! Whatever goes wrong at whichever call, the next run converges; and on the way nobody has what neither before nor after
//! grants, nothing outside of the file is touched, and what is required is never gone.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use permset::apply::{self, ApplyReport, Outcome, Terms};
use permset::aws::{Access, Aws};
use permset::model::DesiredState;
use permset::plan::Plan;
use permset::sandbox::world::{Assignment, Fault, PrincipalType};
use permset::sandbox::{Sandbox, World};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::support::invariants::{Bounds, grants};
use crate::support::tap::{Verdict, is_write, tapped, watched};
use crate::support::{folders, run};

/// Applies until nothing gets better, and returns how many changes are left. Two runs are enough where one failure held
/// back something that another run can do.
async fn settle(aws: &Aws, desired: &DesiredState) -> usize {
    let mut left = usize::MAX;
    loop {
        let (_, plan, _) = run::plan(aws, desired).await;
        let (_, now_left) = run::apply(aws, desired, &plan).await;
        if now_left == 0 || now_left >= left {
            return now_left;
        }
        left = now_left;
    }
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wrong {
    /// kill -9 right before a write reaches AWS.
    KilledBefore,
    /// kill -9 right after.
    KilledAfter,
    /// The connection breaks before a write has an effect.
    LostRequest,
    /// The connection breaks after it.
    LostAnswer,
    /// AWS answers a write with an error.
    Error(&'static str),
    /// An asynchronous request begins well and fails late.
    FailsLate,
    /// An asynchronous request takes a quarter of an hour.
    Slow,
    /// Somebody else assigns something in scope that is not declared.
    Assigned,
    /// Somebody else revokes something that is declared.
    Revoked,
    /// Somebody else edits a declared permission set.
    Edited,
}

const ALL: [Wrong; 16] = [
    Wrong::KilledBefore,
    Wrong::KilledAfter,
    Wrong::LostRequest,
    Wrong::LostAnswer,
    Wrong::Error("ConflictException"),
    Wrong::Error("ThrottlingException"),
    Wrong::Error("InternalServerException"),
    Wrong::Error("AccessDeniedException"),
    Wrong::Error("ResourceNotFoundException"),
    Wrong::Error("ServiceQuotaExceededException"),
    Wrong::Error("ValidationException"),
    Wrong::FailsLate,
    Wrong::Slow,
    Wrong::Assigned,
    Wrong::Revoked,
    Wrong::Edited,
];

/// With PERMSET_THOROUGH everything goes wrong everywhere, as in CI; without, kills and lost answers do.
fn is_thorough() -> bool {
    std::env::var_os("PERMSET_THOROUGH").is_some()
}

impl Wrong {
    fn is_swift(self) -> bool {
        matches!(self, Self::KilledBefore | Self::KilledAfter | Self::LostAnswer)
    }

    fn fault(self, nth: usize) -> Option<Fault> {
        let (on, effect): (&str, Value) = match self {
            Self::LostRequest => ("writes", json!("drop_before")),
            Self::LostAnswer => ("writes", json!("drop_after")),
            Self::Error(code) => {
                ("writes", json!({"error": {"code": code, "message": "There is a conflicting operation in process."}}))
            }
            Self::FailsLate => ("jobs", json!({"job_fails": {"reason": "Received a 500 status error: try again."}})),
            Self::Slow => ("jobs", json!({"job_takes": {"seconds": 900.0}})),
            Self::KilledBefore | Self::KilledAfter | Self::Assigned | Self::Revoked | Self::Edited => return None,
        };
        Some(serde_json::from_value(json!({"on": on, "nth": nth, "effect": effect})).unwrap())
    }

    /// What somebody else does meanwhile, if that is what goes wrong.
    fn edit(self, world: &mut World, bounds: &Bounds) {
        let account = bounds.scope.first().cloned().unwrap_or_default();
        let set = world.permission_sets.iter_mut().find(|set| bounds.declared.contains(&set.name));
        match (self, set) {
            (Self::Assigned, Some(set)) => {
                let row = Assignment {
                    account_id: account.clone(),
                    permission_set_id: set.id.clone(),
                    principal_type: PrincipalType::User,
                    principal_id: "00000000-0000-7000-8000-00000000dead".to_owned(),
                };
                let version = set.version;
                let provisioned = json!({"version": version});
                set.provisioned.entry(account).or_insert_with(|| serde_json::from_value(provisioned).unwrap());
                world.assignments.push(row);
            }
            (Self::Edited, Some(set)) => {
                set.session_duration = "PT11H".to_owned();
                set.version += 1;
            }
            (Self::Revoked, _) => {
                let is_declared = |row: &Assignment| bounds.declares(world, row);
                if let Some(index) = world.assignments.iter().position(is_declared) {
                    world.assignments.remove(index);
                }
            }
            _ => {}
        }
    }
}

/// One run in which something goes wrong at the `nth` write or request, from 1; `None` if there is no such write.
async fn disturbed(folder: &Path, desired: &DesiredState, bounds: &Bounds, wrong: Wrong, nth: usize) -> Option<usize> {
    let sandbox = Sandbox::new(run::world(&folder.join("world.json")));
    let (hit, met) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (count, told, world) = (hit.clone(), met.clone(), sandbox.clone());
    let others = bounds.clone();
    let judge = move |operation: &str| {
        if !is_write(operation) || count.fetch_add(1, Ordering::Relaxed) + 1 != nth {
            return Verdict::Pass;
        }
        told.notify_one();
        match wrong {
            Wrong::KilledBefore => Verdict::HangBefore,
            Wrong::KilledAfter => Verdict::HangAfter,
            Wrong::Assigned | Wrong::Revoked | Wrong::Edited => {
                world.edit(|world| wrong.edit(world, &others));
                Verdict::Pass
            }
            _ => Verdict::Pass,
        }
    };
    let bounds = bounds.fresh(matches!(wrong, Wrong::Assigned | Wrong::Revoked | Wrong::Edited));
    let watch = bounds.clone().watch(&sandbox);
    let aws = run::connect(watched(&sandbox, judge, watch.clone()), Access::ReadWrite).await;
    let (_, plan, _) = run::plan(&aws, desired).await;
    let fault = wrong.fault(nth);
    let is_fault = fault.is_some();
    let faults = sandbox.faults().len();
    fault.into_iter().for_each(|fault| sandbox.add_fault(fault).unwrap());
    if wrong == Wrong::KilledBefore || wrong == Wrong::KilledAfter {
        tokio::select! {
            _ = run::apply(&aws, desired, &plan) => {}
            () = met.notified() => {}
        }
    } else {
        let (report, left) = run::apply(&aws, desired, &plan).await;
        truthful(&report, left, bounds.left, wrong);
    }
    let played = sandbox.faults().get(faults).is_some_and(|fault| fault.played > 0);
    if (is_fault && !played) || hit.load(Ordering::Relaxed) < nth {
        return None;
    }
    // What the interrupted run left in flight goes on; the next one waits its turn.
    let again = run::connect(watched(&sandbox, |_| Verdict::Pass, watch), Access::ReadWrite).await;
    let left = settle(&again, desired).await;
    let at = format!("{} {wrong:?} {nth}", folder.display());
    bounds.reached(&sandbox.world(), left, &at);
    Some(nth)
}

/// A run that says that all is done leaves no more than an undisturbed one; one in which nothing but time went wrong says so.
fn truthful(report: &ApplyReport, left: usize, expected: usize, wrong: Wrong) {
    let all_done = report.outcomes.iter().all(Outcome::succeeded);
    match wrong {
        // The SDK asks again, and what comes back then is understood; what is slow is waited for.
        Wrong::LostRequest
        | Wrong::LostAnswer
        | Wrong::Slow
        | Wrong::Error("ConflictException" | "ThrottlingException" | "InternalServerException") => {
            assert_eq!(all_done, expected == 0, "{wrong:?}: {report:#?}");
            // Where one failure holds back what another run can do, it takes that one.
            assert!(left == 0 || expected > 0, "{wrong:?}: {report:#?}");
        }
        // What is not found cannot be revoked or deleted, which is believed until all is observed again.
        Wrong::Error("ResourceNotFoundException") => {}
        // What failed is said to have failed.
        Wrong::Error(_) | Wrong::FailsLate if left > expected => assert!(!all_done, "{wrong:?}: {report:#?}"),
        _ => {}
    }
}

/// One column of the table: every scenario, every write, one thing that goes wrong.
fn column(wrong: Wrong) -> BTreeMap<String, usize> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut counts = BTreeMap::new();
        for folder in folders("scenarios") {
            let desired = run::desired(&folder.join("access.yaml"));
            let bounds = bounds(&folder, &desired).await;
            let mut count = 0;
            while disturbed(&folder, &desired, &bounds, wrong, count + 1).await.is_some() {
                count += 1;
            }
            counts.insert(folder.file_name().unwrap().to_string_lossy().into_owned(), count);
        }
        counts
    })
}

/// What is left, and what is granted, when nobody interrupts.
async fn bounds(folder: &Path, desired: &DesiredState) -> Bounds {
    let sandbox = Sandbox::new(run::world(&folder.join("world.json")));
    let before = sandbox.world();
    let left = settle(&run::aws(&sandbox).await, desired).await;
    Bounds::new(desired, &before, &sandbox.world(), left)
}

#[test]
fn whatever_goes_wrong_at_whichever_write_the_next_run_converges() {
    // A column is a runtime of its own, in a time of its own.
    let queue = Mutex::new(ALL.into_iter().filter(|wrong| is_thorough() || wrong.is_swift()).collect::<Vec<_>>());
    let columns = queue.lock().unwrap().len();
    let table = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, std::num::NonZero::get) {
            scope.spawn(|| {
                loop {
                    let Some(wrong) = queue.lock().unwrap().pop() else { break };
                    let counts = column(wrong);
                    table.lock().unwrap().insert(wrong, counts);
                }
            });
        }
    });
    let table = table.into_inner().unwrap();
    assert_eq!(table.len(), columns, "a column failed, see above");
    let total: usize = table.values().flat_map(BTreeMap::values).sum();
    print_table(&table, total);
    assert!(total > if is_thorough() { 1500 } else { 300 }, "{total} runs are too few to mean anything");
    assert!(table.values().all(|column| column.values().sum::<usize>() > 20), "{table:#?}");
}

/// Past the test harness, which keeps what passing tests print to itself.
fn print_table(table: &BTreeMap<Wrong, BTreeMap<String, usize>>, total: usize) {
    let short = |wrong: &Wrong| match wrong {
        Wrong::Error(code) => code.chars().filter(char::is_ascii_uppercase).take(2).collect::<String>() + "E",
        other => format!("{other:?}"),
    };
    let mut text = format!("\n{total} disturbed runs, by scenario and by what went wrong at each write:\n{:<28}", "");
    for wrong in table.keys() {
        text.push_str(&format!("{:>13}", short(wrong)));
    }
    for scenario in table.values().next().unwrap().keys() {
        text.push_str(&format!("\n{scenario:<28}"));
        for column in table.values() {
            text.push_str(&format!("{:>13}", column[scenario]));
        }
    }
    let _ = writeln!(std::io::stdout().lock(), "{text}\n");
}

/// Somebody else's edits right between plan and apply.
#[tokio::test(start_paused = true)]
async fn what_happens_between_plan_and_apply_is_seen_by_the_next_run() {
    for folder in folders("scenarios") {
        let desired = run::desired(&folder.join("access.yaml"));
        let bounds = bounds(&folder, &desired).await;
        for wrong in [Wrong::Assigned, Wrong::Revoked, Wrong::Edited] {
            let bounds = bounds.fresh(true);
            let sandbox = Sandbox::new(run::world(&folder.join("world.json")));
            let client = watched(&sandbox, |_| Verdict::Pass, bounds.clone().watch(&sandbox));
            let aws = run::connect(client, Access::ReadWrite).await;
            let (_, plan, _) = run::plan(&aws, &desired).await;
            sandbox.edit(|world| wrong.edit(world, &bounds));
            run::apply(&aws, &desired, &plan).await;
            let left = settle(&aws, &desired).await;
            bounds.reached(&sandbox.world(), left, &format!("{} {wrong:?}", folder.display()));
        }
    }
}

async fn applied(aws: &Aws, plan: &Plan) -> ApplyReport {
    let (_keep, stop) = tokio::sync::watch::channel(false);
    apply::apply(aws, plan, &Terms::default(), stop, |_| {}).await
}

/// Two CI jobs, a moment apart.
#[tokio::test(start_paused = true)]
async fn two_applies_at_once_lose_and_double_nothing() {
    for folder in folders("scenarios") {
        let desired = run::desired(&folder.join("access.yaml"));
        let bounds = bounds(&folder, &desired).await;
        for late in [0, 400, 1500] {
            let bounds = bounds.fresh(false);
            let at = format!("{} {late} ms", folder.display());
            let sandbox = Sandbox::new(run::world(&folder.join("world.json")));
            let connect = async || {
                let client = watched(&sandbox, |_| Verdict::Pass, bounds.clone().watch(&sandbox));
                run::connect(client, Access::ReadWrite).await
            };
            let run = async |pause: u64| {
                tokio::time::sleep(Duration::from_millis(pause)).await;
                let aws = connect().await;
                let (_, plan, _) = run::plan(&aws, &desired).await;
                let report = applied(&aws, &plan).await;
                (aws, report)
            };
            let ((aws, first), (_, second)) = tokio::join!(run(0), run(late));
            // Whoever says that all is done is right: what is left is what the other one said had failed.
            let done = |report: &ApplyReport| report.outcomes.iter().all(Outcome::succeeded);
            let left = run::plan(&aws, &desired).await.1.steps.len();
            if done(&first) && done(&second) {
                assert_eq!(left, bounds.left, "{at}: {first:#?} {second:#?}");
            }
            let left = settle(&aws, &desired).await;
            let world = sandbox.world();
            bounds.reached(&world, left, &at);
            assert_eq!(world.assignments.len(), bounds.after.len(), "{at}: doubled");
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

// What replaces it must be there and whole: a rename takes nothing away that did not come back.
#[tokio::test(start_paused = true)]
async fn a_rename_that_fails_leaves_the_former_permission_set_alone() {
    for (failing, user) in [
        ("CreatePermissionSet", "groups: [jitsi-operators]"),
        ("AttachManagedPolicyToPermissionSet", "users: [alice@example.com]"),
    ] {
        let old = "version: 1\nscope: { accounts: [\"215665149509\"] }\npermission_sets: { OldOps: { aws_managed_policies: [ReadOnlyAccess] } }\n\
                   assignments: [{ permission_sets: [OldOps], accounts: [\"215665149509\"], groups: [jitsi-operators], users: [alice@example.com] }]\n";
        let sandbox = Sandbox::new(permset::sandbox::starter::starter());
        run::converge(&sandbox, &run::desired_from(old)).await;
        let before = grants(&sandbox.world());
        let new =
            old.replace("{ OldOps: {", "{ NewOps: { previously: [OldOps],").replace("[OldOps], acc", "[NewOps], acc");
        let new = new.replace("groups: [jitsi-operators], users: [alice@example.com]", user);
        let fault =
            json!({"on": failing, "times": null, "effect": {"error": {"code": "ServiceQuotaExceededException"}}});
        sandbox.add_fault(serde_json::from_value(fault).unwrap()).unwrap();
        let (aws, desired) = (run::aws(&sandbox).await, run::desired_from(&new));
        let plan = run::plan(&aws, &desired).await.1;
        let (_, left) = run::apply(&aws, &desired, &plan).await;
        assert!(left > 0);
        assert_eq!(grants(&sandbox.world()), before, "{failing}");
        sandbox.clear_faults();
        assert_eq!(settle(&aws, &desired).await, 0, "{failing}");
    }
}

// Carol is in the group, or may be: who is, is not read.
#[tokio::test(start_paused = true)]
async fn a_grant_that_fails_holds_back_whoever_it_may_stand_for() {
    let file = |who: &str| {
        format!(
            "version: 1\nscope: {{ accounts: [\"215665149509\"] }}\npermission_sets: {{ Ops: {{ aws_managed_policies: [ReadOnlyAccess] }} }}\n\
         assignments: [{{ permission_sets: [Ops], accounts: [\"215665149509\"], {who} }}]\n"
        )
    };
    let (users, group, other) =
        ("users: [alice@example.com, bob@example.com]", "groups: [jitsi-operators]", "groups: [jitsi-admins]");
    for (before, after) in [(users, group), (group, users), (group, other)] {
        let sandbox = Sandbox::new(permset::sandbox::starter::starter());
        run::converge(&sandbox, &run::desired_from(&file(before))).await;
        // Bob is in no group and loses what he has; Alice is.
        sandbox.edit(|world| {
            let id = |name: &str| world.users.iter().find(|user| user.user_name == name).unwrap().id.clone();
            let (alice, bob) = (id("alice@example.com"), id("bob@example.com"));
            let group = world.groups.iter().find(|group| group.display_name == "jitsi-operators").unwrap().id.clone();
            world.memberships.retain(|it| it.user_id != alice && it.user_id != bob);
            let membership = json!({"id": "00000000-0000-7000-8000-0000000000bb", "group_id": group, "user_id": alice});
            world.memberships.push(serde_json::from_value(membership).unwrap());
        });
        let leaver = sandbox.world().users.iter().find(|user| user.user_name == "bob@example.com").unwrap().id.clone();
        let had = grants(&sandbox.world());
        let fault = json!({"on": "CreateAccountAssignment", "times": null, "effect": {"job_fails": {"reason": "Received a 403 status error: Access denied by IAM."}}});
        sandbox.add_fault(serde_json::from_value(fault).unwrap()).unwrap();
        let (aws, desired) = (run::aws(&sandbox).await, run::desired_from(&file(after)));
        let plan = run::plan(&aws, &desired).await.1;
        run::apply(&aws, &desired, &plan).await;
        let kept = grants(&sandbox.world());
        let lost: Vec<_> = had.difference(&kept).collect();
        let leaves = |row: &(String, String, String)| before == users && row.2 == leaver;
        assert!(lost.iter().all(|row| leaves(row)), "{before} -> {after}: {lost:#?}");
        assert_eq!(lost.len(), usize::from(before == users), "{before} -> {after}");
        sandbox.clear_faults();
        assert_eq!(settle(&aws, &desired).await, 0, "{before} -> {after}");
    }
}
