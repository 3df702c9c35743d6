//! A second, slow and obvious implementation of the diff agrees with the first.

use std::collections::BTreeSet;

use permset::model::Assignment;
use permset::plan::{Change, Plan};
use permset::sandbox::Sandbox;
use proptest::prelude::*;

use crate::support::{run, universe};

/// A plan as the oracle speaks.
pub fn in_words(plan: &Plan) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for change in plan.changes() {
        match change {
            Change::CreateSet { name, .. } => words.extend([format!("create {name}")]),
            Change::EditSet { name, .. } => words.extend([format!("edit {name}")]),
            Change::Provision { name, accounts, .. } => {
                words.extend(accounts.iter().map(|account| format!("provision {name} {}", account.id)));
            }
            Change::DeleteSet { name, .. } => words.extend([format!("delete {name}")]),
            Change::Assign(it) => words.extend([assignment("assign", it)]),
            Change::Revoke { assignment: it, .. } => words.extend([assignment("revoke", it)]),
        }
    }
    words
}

fn assignment(verb: &str, it: &Assignment) -> String {
    format!("{verb} {} {} {}", it.permission_set, it.account.id, it.principal.id)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_plan_is_what_the_oracle_expects(case in universe::cases()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let words = runtime.block_on(async {
            let sandbox = Sandbox::new(case.world());
            let desired = run::desired_from(&case.access_file(case.shuffle));
            let (_, plan, _) = run::plan(&run::aws(&sandbox).await, &desired).await;
            in_words(&plan)
        });
        prop_assert_eq!(words, case.expected());
    }
}
