//! Lists in pages, calls by rate, and readers that lag behind.

use super::*;

fn groups(sandbox: &Sandbox, count: usize) {
    for number in 0..count {
        ok(sandbox, "store.CreateGroup", json!({"DisplayName": format!("group {number}")}));
    }
}

/// Reads a list to its end: the names, and how many items each page had.
fn all(sandbox: &Sandbox, operation: &str, key: &str, mut body: Value) -> (Vec<Value>, Vec<usize>) {
    let (mut rows, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let page = ok(sandbox, operation, body.clone());
        let items = page[key].as_array().unwrap();
        sizes.push(items.len());
        rows.extend(items.iter().cloned());
        match page.get("NextToken") {
            Some(token) => body["NextToken"] = token.clone(),
            None => return (rows, sizes),
        }
        assert!(sizes.len() < 1_000);
    }
}

// Source: API common: a page may be shorter than MaxResults, even with a token.
#[test]
fn pages_can_be_cut_short() {
    let sandbox = sandbox();
    groups(&sandbox, 40);
    let (expected, sizes) = all(&sandbox, "store.ListGroups", "Groups", json!({}));
    assert_eq!(sizes, [41]);
    sandbox.edit(|world| world.settings.short_pages = true);
    let (rows, sizes) = all(&sandbox, "store.ListGroups", "Groups", json!({"MaxResults": 10}));
    assert_eq!(rows, expected);
    assert!(sizes.iter().all(|size| (1..=10).contains(size)) && sizes.iter().any(|size| *size < 10), "{sizes:?}");
}

// Source: API common, organizations: a page may be empty and still carry a token.
#[test]
fn pages_can_be_empty() {
    let sandbox = sandbox();
    sandbox.edit(|world| {
        world.settings.empty_pages = true;
        world.settings.organizations_page_size = 1;
    });
    let (rows, sizes) = all(&sandbox, "org.ListAccounts", "Accounts", json!({}));
    assert_eq!(rows.len(), 4);
    assert!(sizes.contains(&0), "{sizes:?}");
}

// Source: benkehoe/aws-sso-util reads this list with a default (choice, with a switch).
#[test]
fn an_empty_list_can_be_missing() {
    let sandbox = sandbox();
    let body = json!({"AccountId": ONE});
    assert_eq!(ok(&sandbox, "ListPermissionSetsProvisionedToAccount", body.clone()), json!({"PermissionSets": []}));
    sandbox.edit(|world| world.settings.omit_empty_lists = true);
    assert_eq!(ok(&sandbox, "ListPermissionSetsProvisionedToAccount", body), json!({}));
}

fn until_refused(sandbox: &Sandbox, operation: &str, body: Value) -> (usize, String) {
    for number in 0..1_000 {
        let answer = send(sandbox, operation, &full(operation, body.clone()));
        if let Some(code) = answer.error {
            return (number, code);
        }
    }
    panic!("{operation} is never refused");
}

// Source: quotas page: twenty calls a second for all of Identity Center (tf#25552 for the wording). Choices: the identity store has
// an allowance of its own; Organizations ten a second, ListRoots one with a burst of two.
#[tokio::test(start_paused = true)]
async fn calls_are_limited_by_rate() {
    let sandbox = sandbox();
    sandbox.limit_rates(true);
    assert_eq!(until_refused(&sandbox, "ListInstances", json!({})), (20, "ThrottlingException".to_owned()));
    assert_eq!(refused(&sandbox, "ListPermissionSets", json!({})).1, "Rate exceeded");
    assert_eq!(until_refused(&sandbox, "store.ListUsers", json!({})).0, 20);
    assert_eq!(error_body(&sandbox, "store.ListUsers", json!({}))["RetryAfterSeconds"], 1);
    assert_eq!(until_refused(&sandbox, "org.ListAccounts", json!({})), (10, "TooManyRequestsException".to_owned()));
    assert_eq!(until_refused(&sandbox, "org.ListRoots", json!({})).0, 2);
    pass(1).await;
    assert_eq!(until_refused(&sandbox, "ListInstances", json!({})).0, 20);
    assert_eq!(until_refused(&sandbox, "org.ListRoots", json!({})).0, 1);
    // A call that is refused by rate takes nothing from the allowance: after a twentieth of a second there is one.
    tokio::time::advance(Duration::from_millis(50)).await;
    assert_eq!(until_refused(&sandbox, "ListInstances", json!({})).0, 1);
}

// In process nobody is limited unless the world says so.
#[test]
fn the_world_can_say_whether_calls_are_limited() {
    let sandbox = sandbox();
    for _ in 0..30 {
        ok(&sandbox, "ListInstances", json!({}));
    }
    sandbox.edit(|world| {
        world.settings.throttle = Some(true);
        world.settings.calls_per_second = 3.0;
    });
    assert_eq!(until_refused(&sandbox, "ListInstances", json!({})).0, 3);
}

// Source: tf issues on reads after writes; ConflictException is documented for "has not propagated yet" (choice, with a switch).
#[tokio::test(start_paused = true)]
async fn readers_can_lag_behind_writers() {
    let sandbox = sandbox();
    sandbox.edit(|world| world.settings.read_lag_seconds = 5.0);
    pass(6).await;
    let set = create_set(&sandbox, "A");
    assert_eq!(code(&sandbox, "DescribePermissionSet", of(&set)), "ResourceNotFoundException");
    // Writers do not lag.
    ok(&sandbox, "UpdatePermissionSet", json!({"PermissionSetArn": set, "Description": "new"}));
    pass(3).await;
    assert_eq!(code(&sandbox, "DescribePermissionSet", of(&set)), "ResourceNotFoundException");
    pass(3).await;
    assert_eq!(ok(&sandbox, "DescribePermissionSet", of(&set))["PermissionSet"]["Description"], "new");
    // A job that has ended shows at once that it has, and later what it did.
    let status = assign(&sandbox, &set, ONE).await;
    assert_eq!(status["Status"], "SUCCEEDED");
    assert_eq!(rows(&sandbox, &set, ONE).len(), 0);
    pass(6).await;
    assert_eq!(rows(&sandbox, &set, ONE).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn finished_jobs_are_forgotten_after_a_while() {
    let sandbox = sandbox();
    sandbox.edit(|world| world.settings.finished_jobs = 2);
    let set = create_set(&sandbox, "A");
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(assign(&sandbox, &set, ONE).await["RequestId"].clone());
    }
    let listed = ok(&sandbox, "ListAccountAssignmentCreationStatus", json!({}));
    let listed: Vec<&Value> =
        listed["AccountAssignmentsCreationStatus"].as_array().unwrap().iter().map(|it| &it["RequestId"]).collect();
    assert_eq!(listed, [&ids[2], &ids[3]]);
    let body = json!({"AccountAssignmentCreationRequestId": ids[0]});
    assert_eq!(code(&sandbox, "DescribeAccountAssignmentCreationStatus", body), "ResourceNotFoundException");
}
