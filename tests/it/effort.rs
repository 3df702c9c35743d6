//! What a change costs: the worked examples by which tools are compared, counted call by call.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use permset::aws::Access;
use permset::sandbox::{Sandbox, World};
use serde_json::json;

use crate::support::run;
use crate::support::tap::{Verdict, is_write, tapped};

/// Ten accounts, with the management account, and a group.
fn world() -> World {
    let accounts: Vec<_> = (0..9).map(|n| json!({"id": format!("20000000000{n}"), "name": format!("a{n}")})).collect();
    let world = json!({
        "settings": {"epoch": 1_700_000_000.0, "job_seconds": 5.0},
        "accounts": accounts,
        "groups": [{"id": "90670c51-d200-7c4b-9f0e-5a6b7c8d9e00", "display_name": "ops"}],
    });
    serde_json::from_value(world).unwrap()
}

/// Everything a permission set can have, assigned in ten accounts.
const FULL: &str = "{ description: First, aws_managed_policies: [ReadOnlyAccess, SecurityAudit, IAMReadOnlyAccess], \
                    inline_policy: { Version: 2012-10-17, Statement: { Effect: Allow, Action: 'ecs:*', Resource: '*' } }, \
                    permissions_boundary: { aws_managed: PowerUserAccess } }";

fn file(set: &str) -> String {
    format!(
        "version: 1\nowner: us\nscope: {{ accounts: ['*'] }}\npermission_sets: {{ Ops: {set} }}\n\
         assignments: [{{ permission_sets: [Ops], accounts: ['*'], groups: [ops] }}]\n"
    )
}

/// Brings a world from one file to the other, and counts: writes by operation, and questions how requests are doing.
async fn effort(from: Option<&str>, to: &str) -> (BTreeMap<String, usize>, usize) {
    let sandbox = Sandbox::new(world());
    if let Some(from) = from {
        run::converge(&sandbox, &run::desired_from(from)).await;
    }
    let counts = Arc::new(Mutex::new((BTreeMap::new(), 0)));
    let seen = counts.clone();
    let client = tapped(&sandbox, move |operation| {
        let (writes, polls) = &mut *seen.lock().unwrap();
        if is_write(operation) {
            *writes.entry(operation.to_owned()).or_insert(0) += 1;
        } else if operation.ends_with("Status") {
            *polls += 1;
        }
        Verdict::Pass
    });
    let (aws, desired) = (run::connect(client, Access::ReadWrite).await, run::desired_from(to));
    let plan = run::plan(&aws, &desired).await.1;
    let (report, left) = run::apply(&aws, &desired, &plan).await;
    assert_eq!(left, 0, "{report:#?}");
    let (writes, polls) = counts.lock().unwrap().clone();
    assert_eq!(writes.values().sum::<usize>(), plan.changes().map(permset::plan::Change::requests).sum::<usize>());
    (writes, polls)
}

fn total(writes: &BTreeMap<String, usize>) -> usize {
    writes.values().sum()
}

fn provisions(writes: &BTreeMap<String, usize>) -> usize {
    writes.get("ProvisionPermissionSet").copied().unwrap_or(0)
}

#[tokio::test(start_paused = true)]
async fn a_new_set_with_ten_assignments_takes_sixteen_writes_and_no_provisioning() {
    let (writes, polls) = effort(None, &file(FULL)).await;
    assert_eq!((total(&writes), provisions(&writes)), (16, 0), "{writes:#?}");
    // Ten requests, all at once, that take 5 s each: some rounds of one page, and each is asked for at its end.
    assert!(polls <= 60, "{polls}");
}

#[tokio::test(start_paused = true)]
async fn a_swap_of_one_policy_takes_two_writes_and_one_provisioning() {
    let (writes, polls) = effort(Some(&file(FULL)), &file(&FULL.replace("SecurityAudit", "ViewOnlyAccess"))).await;
    assert_eq!((total(&writes), provisions(&writes)), (3, 1), "{writes:#?}");
    assert!(polls <= 40, "{polls}");
}

#[tokio::test(start_paused = true)]
async fn a_larger_edit_takes_a_write_for_each_part_and_one_provisioning() {
    let edited = FULL
        .replace("First", "Second")
        .replace("'ecs:*'", "'ec2:*'")
        .replace("IAMReadOnlyAccess]", "IAMReadOnlyAccess, AmazonS3FullAccess, AmazonSSMFullAccess]");
    let (writes, polls) = effort(Some(&file(FULL)), &file(&edited)).await;
    assert_eq!((total(&writes), provisions(&writes)), (5, 1), "{writes:#?}");
    assert!(polls <= 40, "{polls}");
}

#[tokio::test(start_paused = true)]
async fn the_removal_of_a_set_takes_a_write_for_each_assignment_and_one() {
    let nothing = "version: 1\nowner: us\nscope: { accounts: ['*'] }\n";
    let (writes, polls) = effort(Some(&file(FULL)), nothing).await;
    assert_eq!((total(&writes), provisions(&writes)), (11, 0), "{writes:#?}");
    assert_eq!(writes.get("DeletePermissionSet"), Some(&1));
    assert!(polls <= 60, "{polls}");
}

#[tokio::test(start_paused = true)]
async fn a_change_of_a_tag_takes_one_write() {
    let (writes, polls) =
        effort(Some(&file(FULL)), &file(&FULL.replace("{ description", "{ tags: { a: b }, description"))).await;
    assert_eq!((total(&writes), provisions(&writes), polls), (1, 0, 0), "{writes:#?}");
}
