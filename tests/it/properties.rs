//! What must hold for every world and every access file.

use std::collections::BTreeSet;

use permset::apply::Outcome;
use permset::sandbox::{Sandbox, World};
use proptest::prelude::*;

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
