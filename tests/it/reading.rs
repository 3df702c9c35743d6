//! Reading with the fewest calls: every way finds the same, the cheapest is taken, and what cannot be read is an error.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use permset::aws::{Access, Aws, ErrorKind};
use permset::model::{Grant, NextBest, ObservedState, PrincipalKind, PrincipalState, Reading, Strategy as Way};
use permset::observed::{self, Request, Snapshot};
use permset::plan;
use permset::sandbox::{Sandbox, World};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::tap::{Verdict, tapped};
use crate::support::{run, universe};

async fn observe(aws: &Aws, desired: &permset::model::DesiredState, only: Option<Way>) -> ObservedState {
    observed::observe(aws, desired, &Request { only, ..Request::default() }, &|_| {}).await.unwrap()
}

fn orphans(observed: &ObservedState) -> BTreeSet<Grant> {
    let is_orphan = |row: &&Grant| observed.directory.by_id.get(&row.principal) == Some(&PrincipalState::Deleted);
    observed.assignments.iter().filter(is_orphan).cloned().collect()
}

fn virtually<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(test)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// What a user's list shows of groups, and whether the deleted still show, AWS does not document: neither matters.
    #[test]
    fn every_way_of_reading_finds_the_same(case in universe::cases(), group_rows: bool, deleted_rows: bool) {
        virtually(async {
            let mut world = case.world();
            world.settings.group_rows_for_users = group_rows;
            world.settings.rows_of_deleted_principals = deleted_rows;
            let sandbox = Sandbox::new(world);
            let desired = run::desired_from(&case.access_file(case.shuffle));
            let aws = run::aws(&sandbox).await;
            let whole = observe(&aws, &desired, Some(Way::ByPermissionSet)).await;
            let by_principal = observe(&aws, &desired, Some(Way::ByPrincipal)).await;
            let by_account = observe(&aws, &desired, Some(Way::ByAccount)).await;
            prop_assert_eq!(&by_account.assignments, &whole.assignments);
            // Only what the deleted left beside others may go unseen, and never on a permission set that is to be deleted.
            let unseen: BTreeSet<_> = whole.assignments.difference(&by_principal.assignments).cloned().collect();
            prop_assert!(by_principal.assignments.is_subset(&whole.assignments));
            prop_assert!(unseen.is_subset(&orphans(&whole)), "{:?}", unseen);
            for row in &unseen {
                let others = by_principal.assignments.iter();
                let mut beside = others.filter(|it| it.permission_set == row.permission_set && it.account == row.account);
                prop_assert!(beside.next().is_some());
            }
            let plans = [&whole, &by_account].map(|observed| plan::plan(&desired, observed).unwrap().0);
            prop_assert_eq!(&plans[0].steps, &plans[1].steps);
            Ok(())
        })?;
    }

    #[test]
    fn a_snapshot_gives_the_same_plan_as_aws(case in universe::cases(), unmanaged: bool) {
        virtually(async {
            let sandbox = Sandbox::new(case.world());
            let desired = run::desired_from(&case.access_file(case.shuffle));
            let aws = run::aws(&sandbox).await;
            let request = Request { unmanaged, ..Request::default() };
            let live = observed::observe(&aws, &desired, &request, &|_| {}).await.unwrap();
            let taken = "2026-11-28T10:00:00Z".to_owned();
            let snapshot = Snapshot::take(&aws, None, taken, &|_| {}).await.unwrap();
            let text = snapshot.to_text().unwrap();
            let read = Snapshot::parse(&text).unwrap();
            prop_assert_eq!(&read, &snapshot);
            prop_assert_eq!(read.to_text().unwrap(), text);
            let (parts, kept) = (read.parts(), read.state_for(&desired, unmanaged));
            let plans = [&live, &kept].map(|observed| plan::plan(&desired, observed).unwrap());
            prop_assert_eq!(&plans[0], &plans[1]);
            let complete = observed::complete(&aws, &live.instance, plan::facts(&plans[0].0, &desired, &live)).await.unwrap();
            prop_assert_eq!(complete, parts.complete(plan::facts(&plans[1].0, &desired, &kept)));
            Ok(())
        })?;
    }
}

const SET: &str = "ps-00000000000000aa";

fn account(number: usize) -> String {
    format!("2000000000{number:02}")
}

/// Thirty accounts, in each of which one permission set is assigned to the same two groups; some users.
fn world(users: usize) -> Value {
    let principal = |kind: usize, number: usize| format!("{kind:08x}-0000-7000-8000-{number:012x}");
    let accounts: Vec<Value> = (0..30).map(|it| json!({"id": account(it), "name": format!("a{it}")})).collect();
    let groups: Vec<Value> =
        (0..2).map(|it| json!({"id": principal(1, it), "display_name": format!("group-{it}")})).collect();
    let users: Vec<Value> =
        (0..users).map(|it| json!({"id": principal(2, it), "user_name": format!("user-{it}")})).collect();
    let assignments: Vec<Value> = (0..30)
        .flat_map(|it| (0..2).map(move |group| (it, group)))
        .map(|(it, group)| {
            json!({"account_id": account(it), "permission_set_id": SET, "principal_type": "GROUP", "principal_id": principal(1, group)})
        })
        .collect();
    json!({
        "accounts": accounts, "groups": groups, "users": users, "assignments": assignments,
        "permission_sets": [{"id": SET, "name": "Ops"}],
    })
}

const FILE: &str = "version: 1\nscope: { accounts: ['*'] }\npermission_sets: { Ops: {} }\n\
                    assignments: [{ permission_sets: [Ops], accounts: ['*'], groups: [group-0] }]\n";

/// Reads a world and counts by operation.
async fn read(world: Value, file: &str, only: Option<Way>) -> (ObservedState, BTreeMap<String, usize>) {
    let world: World = serde_json::from_value(world).unwrap();
    let sandbox = Sandbox::new(world);
    let counts = Arc::new(Mutex::new(BTreeMap::new()));
    let seen = counts.clone();
    let client = tapped(&sandbox, move |operation| {
        *seen.lock().unwrap().entry(operation.to_owned()).or_insert(0) += 1;
        Verdict::Pass
    });
    let aws = run::connect(client, Access::ReadOnly).await;
    let observed = observe(&aws, &run::desired_from(file), only).await;
    let counts = counts.lock().unwrap().clone();
    (observed, counts)
}

fn count(counts: &BTreeMap<String, usize>, operation: &str) -> usize {
    counts.get(operation).copied().unwrap_or(0)
}

#[tokio::test(start_paused = true)]
async fn a_few_principals_are_asked_instead_of_many_pairs() {
    let (observed, counts) = read(world(5), FILE, None).await;
    assert_eq!(observed.assignments.len(), 60);
    assert_eq!(count(&counts, "ListAccountAssignments"), 0, "{counts:#?}");
    assert_eq!(count(&counts, "ListAccountAssignmentsForPrincipal"), 7);
    // The lists have told all names.
    assert_eq!((count(&counts, "ListGroups"), count(&counts, "ListUsers")), (1, 1));
    assert_eq!((count(&counts, "DescribeGroup"), count(&counts, "GetGroupId")), (0, 0));
    // Whoever reads by pairs needs no lists, and asks for the second group's name.
    let (whole, pairs) = read(world(5), FILE, Some(Way::ByPermissionSet)).await;
    assert_eq!(count(&pairs, "ListAccountAssignments"), 30);
    let Reading { calls, strategy, next_best, seconds: _ } = observed.reading;
    assert_eq!(strategy, Way::ByPrincipal);
    let promised = next_best.unwrap();
    assert_eq!((promised.strategy, promised.at_least), (Way::ByPermissionSet, false));
    // About: the pairs are counted, the names they bring are not.
    assert!(promised.calls.abs_diff(whole.reading.calls) <= 3, "{promised:?} {}", whole.reading.calls);
    assert!(calls < whole.reading.calls);
    assert_eq!(whole.assignments, observed.assignments);
    assert_eq!(whole.directory, observed.directory);
}

#[tokio::test(start_paused = true)]
async fn many_principals_are_counted_only_until_it_is_clear() {
    let (observed, counts) = read(world(500), FILE, None).await;
    assert_eq!(observed.reading.strategy, Way::ByPermissionSet);
    assert_eq!(count(&counts, "ListAccountAssignments"), 30);
    assert_eq!((count(&counts, "ListAccountAssignmentsForPrincipal"), count(&counts, "ListUsers")), (0, 1));
    let calls = observed.reading.calls;
    assert_eq!(observed.reading.next_best, Some(NextBest { strategy: Way::ByPrincipal, calls, at_least: true }));
}

#[tokio::test(start_paused = true)]
async fn what_the_deleted_left_alone_is_found_and_beside_others_when_all_is_asked() {
    let gone = "99999999-0000-7000-8000-000000000000";
    let mut world = world(5);
    let orphan = |number: usize| json!({"account_id": account(number), "permission_set_id": SET, "principal_type": "USER", "principal_id": gone});
    let rows = world["assignments"].as_array_mut().unwrap();
    rows.retain(|row| row["account_id"] != account(0));
    rows.extend([orphan(0), orphan(1)]);
    world["settings"] = json!({"rows_of_deleted_principals": true});
    let (observed, counts) = read(world.clone(), FILE, None).await;
    assert_eq!(observed.reading.strategy, Way::ByPrincipal);
    assert_eq!(count(&counts, "ListAccountAssignments"), 1, "{counts:#?}");
    assert_eq!(orphans(&observed).len(), 1);
    let (deep, _) = read(world, FILE, Some(Way::ByPermissionSet)).await;
    assert_eq!(orphans(&deep).len(), 2);
}

// Otherwise a saved plan would be refused for ever: applying it asks about each pair, and finds what planning did not see.
#[tokio::test(start_paused = true)]
async fn where_something_changes_everybody_is_known_and_a_saved_plan_holds() {
    let mut world = world(5);
    let gone = "99999999-0000-7000-8000-000000000000";
    let orphan =
        json!({"account_id": account(1), "permission_set_id": SET, "principal_type": "USER", "principal_id": gone});
    world["assignments"].as_array_mut().unwrap().push(orphan);
    world["settings"] = json!({"rows_of_deleted_principals": false});
    let sandbox = Sandbox::new(serde_json::from_value(world).unwrap());
    let aws = run::aws(&sandbox).await;
    let desired = run::desired_from(&FILE.replace("groups", "except_accounts: [a2], groups"));
    let (observed, plan, _) = run::plan(&aws, &desired).await;
    assert_eq!(observed.reading.strategy, Way::ByPrincipal);
    // The second group everywhere, the first in one account, and the one who no longer exists.
    let revoked = plan.changes().filter(|change| matches!(change, plan::Change::Revoke { .. })).count();
    assert_eq!((revoked, orphans(&observed).len()), (32, 1));
    let facts = plan::facts(&plan, &desired, &observed);
    let facts = observed::complete(&aws, &plan.instance, facts).await.unwrap();
    let now = observed::again(&aws, &plan.instance, &facts, &plan.arns, &|_| {}).await.unwrap();
    assert_eq!(facts.moved(&now), vec![]);
    assert_eq!(run::apply(&aws, &desired, &plan).await.1, 0);
}

// A user's row on a pair that a group has as well is asked about: AWS does not say that it cannot be the group's.
#[tokio::test(start_paused = true)]
async fn somebody_who_has_it_beside_a_group_is_asked_about() {
    let mut world = world(5);
    let user = format!("{:08x}-0000-7000-8000-{:012x}", 2, 3);
    let row =
        json!({"account_id": account(7), "permission_set_id": SET, "principal_type": "USER", "principal_id": user});
    world["assignments"].as_array_mut().unwrap().push(row);
    let (observed, counts) = read(world, FILE, None).await;
    assert_eq!((count(&counts, "ListAccountAssignments"), observed.assignments.len()), (1, 61));
}

fn refused(mut world: Value, operation: &str, code: &str) -> Value {
    world["faults"] = json!([{"on": operation, "times": null, "effect": {"error": {"code": code}}}]);
    world
}

#[tokio::test(start_paused = true)]
async fn who_may_not_ask_by_principal_asks_by_permission_set() {
    for (operation, spent) in [("ListAccountAssignmentsForPrincipal", 1), ("ListUsers", 0), ("ListGroups", 0)] {
        let (observed, counts) = read(refused(world(5), operation, "AccessDeniedException"), FILE, None).await;
        assert_eq!(observed.reading.strategy, Way::ByPermissionSet, "{operation}");
        assert_eq!(observed.assignments.len(), 60);
        assert_eq!(count(&counts, "ListAccountAssignmentsForPrincipal"), spent, "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_answer_of_any_way_is_an_error_and_never_nothing() {
    for only in [Way::ByPermissionSet, Way::ByPrincipal, Way::ByAccount] {
        let operation = match only {
            Way::ByPermissionSet => "ListAccountAssignments",
            Way::ByPrincipal => "ListAccountAssignmentsForPrincipal",
            Way::ByAccount => "ListPermissionSetsProvisionedToAccount",
        };
        let mut world = refused(world(5), operation, "ValidationException");
        // Somewhere in the middle.
        world["faults"][0]["nth"] = json!(3);
        world["permission_sets"].as_array_mut().unwrap().push(json!({"id": "ps-00000000000000bb", "name": "Other"}));
        let file = FILE.replace("['*'] }", "['*'], permission_sets: all }");
        let sandbox = Sandbox::new(serde_json::from_value(world).unwrap());
        let aws = run::aws(&sandbox).await;
        let request = Request { only: Some(only), ..Request::default() };
        let error = observed::observe(&aws, &run::desired_from(&file), &request, &|_| {}).await.unwrap_err();
        assert_eq!((error.kind, error.operation), (ErrorKind::Invalid, operation));
    }
}

/// One account of an organization with forty permission sets, where the file decides about all of them.
#[tokio::test(start_paused = true)]
async fn a_scope_of_one_account_is_read_by_account() {
    let mut world = world(5);
    let sets = (0..40).map(|it| json!({"id": format!("ps-{it:016x}"), "name": format!("Other{it}")}));
    world["permission_sets"].as_array_mut().unwrap().extend(sets);
    let group = format!("{:08x}-0000-7000-8000-{:012x}", 1, 1);
    let rows = (0..40).map(|it| {
        json!({"account_id": account(it % 10), "permission_set_id": format!("ps-{it:016x}"), "principal_type": "GROUP", "principal_id": group})
    });
    world["assignments"].as_array_mut().unwrap().extend(rows);
    let file = FILE
        .replace("'*'", &format!("'{}'", account(3)))
        .replace(" }\npermission", ", permission_sets: all }\npermission");
    let (observed, counts) = read(world.clone(), &file, None).await;
    assert_eq!(observed.reading.strategy, Way::ByAccount);
    assert_eq!(count(&counts, "ListPermissionSetsProvisionedToAccount"), 1);
    // Only of the one that is declared.
    assert_eq!(count(&counts, "ListAccountsForProvisionedPermissionSet"), 2);
    let (whole, more) = read(world, &file, Some(Way::ByPermissionSet)).await;
    assert_eq!(count(&more, "ListAccountsForProvisionedPermissionSet"), 82);
    assert_eq!(whole.assignments, observed.assignments);
    assert!(observed.assignments.iter().all(|row| row.principal.kind == PrincipalKind::Group));
}

/// By account every pair is asked, be principals ever so few: what the deleted left behind beside others is seen.
#[tokio::test(start_paused = true)]
async fn by_account_nobody_goes_unseen() {
    let mut world = world(5);
    let sets = (0..40).map(|it| json!({"id": format!("ps-{it:016x}"), "name": format!("Other{it}")}));
    world["permission_sets"].as_array_mut().unwrap().extend(sets);
    let row = |it: usize, kind: &str, id: &str| json!({"account_id": account(3), "permission_set_id": format!("ps-{it:016x}"), "principal_type": kind, "principal_id": id});
    let group = format!("{:08x}-0000-7000-8000-{:012x}", 1, 1);
    let rows = world["assignments"].as_array_mut().unwrap();
    rows.extend((0..40).map(|it| row(it, "GROUP", &group)));
    rows.push(row(7, "USER", "99999999-0000-7000-8000-000000000000"));
    world["settings"] = json!({"rows_of_deleted_principals": false});
    let file = FILE
        .replace("'*'", &format!("'{}'", account(3)))
        .replace(" }\npermission", ", permission_sets: all }\npermission");
    let (observed, counts) = read(world, &file, None).await;
    assert_eq!(observed.reading.strategy, Way::ByAccount);
    assert_eq!((count(&counts, "ListAccountAssignmentsForPrincipal"), orphans(&observed).len()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn who_may_not_ask_by_account_asks_by_permission_set() {
    let mut world = refused(world(5), "ListPermissionSetsProvisionedToAccount", "AccessDeniedException");
    world["permission_sets"].as_array_mut().unwrap().push(json!({"id": "ps-00000000000000bb", "name": "Other"}));
    let file = FILE
        .replace("'*'", &format!("'{}'", account(3)))
        .replace(" }\npermission", ", permission_sets: all }\npermission");
    let (observed, counts) = read(world, &file, None).await;
    assert_eq!(observed.reading.strategy, Way::ByPermissionSet);
    assert_eq!(count(&counts, "ListAccountsForProvisionedPermissionSet"), 4);
}
