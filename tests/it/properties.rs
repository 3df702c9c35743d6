//! What must hold for every world and every access file.

use std::collections::BTreeSet;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use permset::apply::{Outcome, Terms};
use permset::aws::{Access, Aws};
use permset::model::DesiredState;
use permset::sandbox::world::Fault;
use permset::sandbox::{Sandbox, World};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::support::invariants::Bounds;
use crate::support::tap::{Verdict, is_write, watched};
use crate::support::universe::{ACCOUNTS, Case, SETS};
use crate::support::{run, universe};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(future)
}

/// Everything that the file does not decide about: assignments outside its scope, definitions that are not its own.
fn not_ours(case: &Case, world: &World) -> (BTreeSet<String>, Vec<String>) {
    let name = |id: &str| world.permission_sets.iter().find(|set| set.id == id).map(|set| set.name.clone()).unwrap();
    let index = |list: &[&str], item: &str| list.iter().position(|it| *it == item).unwrap();
    let rows = world
        .assignments
        .iter()
        .filter(|row| !case.owns(index(&SETS, &name(&row.permission_set_id)), index(&ACCOUNTS, &row.account_id)));
    let rows =
        rows.map(|row| format!("{} {} {}", name(&row.permission_set_id), row.account_id, row.principal_id)).collect();
    let sets = world
        .permission_sets
        .iter()
        .filter(|set| !matches!(case.declared[index(&SETS, &set.name)], universe::Declared::As(_)))
        .filter(|set| !case.left(index(&SETS, &set.name)));
    let sets = sets.map(|set| {
        let mut value = serde_json::to_value(set).unwrap();
        // Where it is provisioned follows from assignments.
        value.as_object_mut().unwrap().remove("provisioned");
        value.to_string()
    });
    (rows, sets.collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn applying_a_plan_leaves_nothing_to_do_and_touches_nothing_else(case in universe::cases()) {
        block_on(async {
            let sandbox = Sandbox::new(case.world());
            let desired = run::desired_from(&case.access_file(case.shuffle));
            let before = not_ours(&case, &sandbox.world());
            let report = run::converge(&sandbox, &desired).await;
            // No planned order is refused, no request is one too many.
            prop_assert!(report.outcomes.iter().all(|outcome| *outcome == Outcome::Applied), "{:#?}", report);
            prop_assert_eq!(before, not_ours(&case, &sandbox.world()));
            Ok(())
        })?;
    }

    #[test]
    fn the_order_of_entries_does_not_matter(case in universe::cases(), other in any::<u64>()) {
        block_on(async {
            let sandbox = Sandbox::new(case.world());
            let aws = run::aws(&sandbox).await;
            let one = run::plan(&aws, &run::desired_from(&case.access_file(case.shuffle))).await.1;
            let two = run::plan(&aws, &run::desired_from(&case.access_file(other))).await.1;
            prop_assert_eq!(one, two);
            Ok(())
        })?;
    }

    #[test]
    fn a_plan_reads_and_never_writes(case in universe::cases()) {
        block_on(async {
            let sandbox = Sandbox::new(case.world());
            let before = serde_json::to_value(sandbox.world()).unwrap();
            run::plan(&run::aws(&sandbox).await, &run::desired_from(&case.access_file(case.shuffle))).await;
            prop_assert_eq!(before, serde_json::to_value(sandbox.world()).unwrap());
            Ok(())
        })?;
    }
}

/// How many random worlds something goes wrong in: few here, 10,000 in CI.
fn cases() -> u32 {
    std::env::var("PERMSET_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(15)
}

/// What goes wrong, and at which write or request.
fn faults() -> impl Strategy<Value = Vec<Fault>> {
    let effects = [
        json!({"on": "writes", "effect": "drop_before"}),
        json!({"on": "writes", "effect": "drop_after"}),
        json!({"on": "reads", "effect": "drop_before"}),
        json!({"on": "*", "effect": "throttle"}),
        json!({"on": "writes", "effect": "conflict"}),
        json!({"on": "writes", "effect": {"error": {"code": "InternalServerException"}}}),
        json!({"on": "writes", "effect": {"error": {"code": "AccessDeniedException"}}}),
        json!({"on": "writes", "effect": {"error": {"code": "ResourceNotFoundException"}}}),
        json!({"on": "jobs", "effect": {"job_fails": {"reason": "Received a 500 status error: try again."}}}),
        // What is in the way is waited for, though not for more than five minutes.
        json!({"on": "jobs", "effect": {"job_takes": {"seconds": 250.0}}}),
    ];
    let fault = (prop::sample::select(effects.to_vec()), 1_u64..14).prop_map(|(mut fault, nth)| {
        fault["nth"] = json!(nth);
        serde_json::from_value(fault).unwrap()
    });
    prop::collection::vec(fault, 0..4)
}

/// What AWS may be like.
fn settings() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!({}),
        json!({"conflicts": "account"}),
        json!({"conflicts": "set"}),
        json!({"short_pages": true, "empty_pages": true}),
        json!({"deletion_lingers_seconds": 20.0}),
        json!({"create_refreshes_stale": false}),
        json!({"provisions_partially": false}),
        json!({"delete_missing_assignment": "succeeds", "delete_missing_boundary": "succeeds"}),
        json!({"omit_empty_lists": true, "omit_empty_inline_policy": true}),
    ])
}

fn with_settings(world: World, settings: &Value) -> World {
    let mut value = serde_json::to_value(world).unwrap();
    for (key, setting) in settings.as_object().unwrap() {
        value["settings"][key] = setting.clone();
    }
    serde_json::from_value(value).unwrap()
}

#[test]
fn whatever_goes_wrong_it_converges_and_nobody_has_what_nobody_grants() {
    // Each thread draws worlds of its own.
    let threads = u32::try_from(std::thread::available_parallelism().map_or(1, std::num::NonZero::get)).unwrap();
    let config = ProptestConfig {
        cases: cases().div_ceil(threads),
        failure_persistence: None,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    };
    let worlds = || {
        let strategy = (universe::cases(), faults(), settings(), prop::option::of(0_usize..20));
        let run = |(case, faults, settings, killed)| {
            block_on(disturbed(&case, faults, &settings, killed));
            Ok(())
        };
        TestRunner::new(config.clone()).run(&strategy, run).map_err(|failure| failure.to_string())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(worlds)).collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), Ok(()));
        }
    });
}

/// A run in which things go wrong, and which may be killed at a write; then runs in which the rest goes wrong.
async fn disturbed(case: &Case, faults: Vec<Fault>, settings: &Value, killed: Option<usize>) {
    let desired = run::desired_from(&case.access_file(case.shuffle));
    let start = with_settings(case.world(), settings);
    let undisturbed = Sandbox::new(start.clone());
    run::converge(&undisturbed, &desired).await;
    let bounds = Arc::new(Bounds::new(&desired, &start, &undisturbed.world(), 0));
    let sandbox = Sandbox::new(start);
    for fault in faults {
        sandbox.add_fault(fault).unwrap();
    }
    let (count, dead) = (AtomicUsize::new(0), Arc::new(Notify::new()));
    let told = dead.clone();
    let judge = move |operation: &str| {
        if is_write(operation) && Some(count.fetch_add(1, Ordering::Relaxed)) == killed {
            told.notify_one();
            return Verdict::HangAfter;
        }
        Verdict::Pass
    };
    let watch = bounds.clone().watch(&sandbox);
    let aws = run::connect(watched(&sandbox, judge, watch.clone()), Access::ReadWrite).await;
    tokio::select! {
        () = settled(&aws, &desired) => {}
        () = dead.notified() => {}
    }
    let next = run::connect(watched(&sandbox, |_| Verdict::Pass, watch), Access::ReadWrite).await;
    settled(&next, &desired).await;
    sandbox.clear_faults();
    settled(&next, &desired).await;
    let left = run::plan(&next, &desired).await.1.steps.len();
    bounds.reached(&sandbox.world(), left, "random");
}

/// Applies once, or not at all where a read fails for good.
async fn settled(aws: &Aws, desired: &DesiredState) {
    let observed = permset::observed::observe(aws, desired, &permset::observed::Request::default(), &|_| {}).await;
    let Ok(observed) = observed else { return };
    let (plan, _) = permset::plan::plan(desired, &observed).unwrap();
    let (_keep, stop) = tokio::sync::watch::channel(false);
    permset::apply::apply(aws, &plan, &Terms::default(), stop, |_| {}).await;
}
