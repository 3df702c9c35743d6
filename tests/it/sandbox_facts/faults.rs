//! Faults: each kind, when it hits, and that it can be repeated.

use permset::sandbox::world::{Effect, Fault, OutOfBand};
use permset::sandbox::{Call, Delivery};

use super::*;

fn fault(on: &str, effect: Value) -> Fault {
    serde_json::from_value(json!({"on": on, "effect": effect})).unwrap()
}

fn with(faults: Vec<Fault>) -> Sandbox {
    let sandbox = sandbox();
    put(&sandbox, faults);
    sandbox
}

/// These faults in the place of those there are.
fn put(sandbox: &Sandbox, faults: Vec<Fault>) {
    sandbox.clear_faults();
    faults.into_iter().for_each(|fault| sandbox.add_fault(fault).unwrap());
}

/// What a number of calls come to, one word each.
fn outcomes(sandbox: &Sandbox, operation: &str, times: usize) -> Vec<String> {
    (0..times)
        .map(|_| send(sandbox, operation, &full(operation, json!({}))).error.unwrap_or_else(|| "ok".to_owned()))
        .collect()
}

fn hits(sandbox: &Sandbox, operation: &str, times: usize) -> Vec<usize> {
    let outcomes = outcomes(sandbox, operation, times);
    (0..times).filter(|number| outcomes[*number] != "ok").map(|number| number + 1).collect()
}

#[test]
fn a_fault_hits_the_nth_call_each_so_manieth_and_so_often() {
    let throttle = || fault("ListInstances", json!("throttle"));
    assert_eq!(hits(&with(vec![throttle()]), "ListInstances", 5), [1]);
    assert_eq!(hits(&with(vec![Fault { nth: 3, ..throttle() }]), "ListInstances", 5), [3]);
    assert_eq!(hits(&with(vec![Fault { nth: 2, every: 3, times: None, ..throttle() }]), "ListInstances", 9), [2, 5, 8]);
    assert_eq!(hits(&with(vec![Fault { every: 2, times: Some(2), ..throttle() }]), "ListInstances", 9), [1, 3]);
    assert_eq!(hits(&with(vec![Fault { times: None, ..throttle() }]), "ListPermissionSets", 3), [0_usize; 0]);
}

#[test]
fn chance_comes_from_the_seed() {
    let run = |seed: u64| {
        let sandbox = with(vec![Fault { times: None, chance: Some(0.3), ..fault("*", json!("throttle")) }]);
        sandbox.edit(|world| world.seed = seed);
        hits(&sandbox, "ListInstances", 200)
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
    assert!((30..=90).contains(&run(1).len()), "{}", run(1).len());
}

#[test]
fn a_fault_hits_only_what_it_is_about() {
    let sandbox = with(vec![
        Fault { times: None, permission_set: Some("A".to_owned()), ..fault("reads", json!("throttle")) },
        Fault {
            times: None,
            principal: Some("ops".to_owned()),
            account: Some(ONE.to_owned()),
            ..fault("jobs", json!("conflict"))
        },
    ]);
    let (a, b) = (create_set(&sandbox, "A"), create_set(&sandbox, "B"));
    assert_eq!(code(&sandbox, "DescribePermissionSet", of(&a)), "ThrottlingException");
    ok(&sandbox, "DescribePermissionSet", of(&b));
    ok(&sandbox, "UpdatePermissionSet", of(&a));
    let body = |account: &str, principal: &str| assignment(&b, account, "GROUP", principal);
    let group = ops(&sandbox);
    let (refusal, message) = refused(&sandbox, "CreateAccountAssignment", body(ONE, &group));
    assert_eq!(
        (refusal.as_str(), message.as_str()),
        ("ConflictException", "There is a conflicting operation in process.")
    );
    ok(&sandbox, "CreateAccountAssignment", body(TWO, &group));
    ok(&sandbox, "CreateAccountAssignment", body(ONE, NOBODY));
}

#[test]
fn any_error_can_be_played_with_its_members() {
    let effect = json!({"error": {"code": "AccessDeniedException", "message": "no key", "members": {"Reason": "KMS_AccessDeniedException"}}});
    let body = error_body(&with(vec![fault("ListPermissionSets", effect)]), "ListPermissionSets", json!({}));
    assert_eq!(
        (&body["__type"], &body["Message"], &body["Reason"]),
        (&json!("AccessDeniedException"), &json!("no key"), &json!("KMS_AccessDeniedException"))
    );
    for (code, status) in [("InternalServerException", 500), ("InternalFailure", 500), ("ServiceUnavailable", 503)] {
        let sandbox = with(vec![fault("ListPermissionSets", json!({"error": {"code": code}}))]);
        assert_eq!(send(&sandbox, "ListPermissionSets", &full("ListPermissionSets", json!({}))).status, status);
    }
    assert_eq!(
        outcomes(&with(vec![fault("organizations.*", json!("conflict"))]), "org.ListAccounts", 1),
        ["ConcurrentModificationException"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_job_can_fail_late_or_take_long() {
    let sandbox = with(vec![Fault {
        account: Some(ONE.to_owned()),
        ..fault("CreateAccountAssignment", json!({"job_fails": {"reason": "Received a 403 status error"}}))
    }]);
    let set = create_set(&sandbox, "A");
    let status = assign(&sandbox, &set, ONE).await;
    assert_eq!(
        (&status["Status"], &status["FailureReason"]),
        (&json!("FAILED"), &json!("Received a 403 status error"))
    );
    assert_eq!(rows(&sandbox, &set, ONE).len(), 0);
    assert_eq!(assign(&sandbox, &set, ONE).await["Status"], "SUCCEEDED");
    put(&sandbox, vec![fault("jobs", json!({"job_takes": {"seconds": 30.0}}))]);
    assert_eq!(assign(&sandbox, &set, TWO).await["Status"], "IN_PROGRESS");
    pass(28).await;
    assert_eq!(rows(&sandbox, &set, TWO).len(), 1);
}

#[test]
fn a_connection_breaks_before_or_after_the_effect() {
    for (effect, sets) in [("drop_before", 0), ("drop_after", 1)] {
        let sandbox = with(vec![fault("writes", json!(effect))]);
        let answer = send(&sandbox, "CreatePermissionSet", &full("CreatePermissionSet", json!({"Name": "A"})));
        assert_eq!((answer.delivery, sandbox.world().permission_sets.len()), (Delivery::Dropped, sets), "{effect}");
    }
    let sandbox = with(vec![fault("reads", json!({"truncate": {"bytes": 7}}))]);
    assert_eq!(send(&sandbox, "ListInstances", &json!({})).delivery, Delivery::Truncated(7));
    let sandbox = with(vec![fault("reads", json!({"delay": {"seconds": 1.5}}))]);
    assert_eq!(send(&sandbox, "ListInstances", &json!({})).delay, Duration::from_millis(1_500));
}

// Source: two actors on one instance: what was read is no longer true when it is written.
#[test]
fn somebody_else_edits_at_a_given_call() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    let input = json!({"InstanceArn": INSTANCE, "PermissionSetArn": set}).as_object().unwrap().clone();
    let calls = vec![
        OutOfBand { operation: "sso-admin.DeletePermissionSet".to_owned(), input: input.clone() },
        OutOfBand { operation: "sso-admin.DeletePermissionSet".to_owned(), input },
    ];
    let edit = Fault { nth: 2, ..fault("DescribePermissionSet", json!("throttle")) };
    put(&sandbox, vec![Fault { effect: Effect::Edit { calls }, ..edit }]);
    ok(&sandbox, "DescribePermissionSet", of(&set));
    assert_eq!(code(&sandbox, "DescribePermissionSet", of(&set)), "ResourceNotFoundException");
    let log: Vec<(String, String)> =
        sandbox.log().into_iter().rev().take(3).map(|call: Call| (call.operation, call.outcome)).collect();
    let refused = || "ResourceNotFoundException".to_owned();
    assert_eq!(log[0], ("sso-admin.DescribePermissionSet".to_owned(), refused()));
    assert_eq!((log[1].1.clone(), log[2].1.clone()), (refused(), "ok".to_owned()));
}

#[test]
fn the_log_tells_operation_caller_outcome_and_fault() {
    let sandbox = with(vec![fault("ListInstances", json!("throttle"))]);
    outcomes(&sandbox, "ListInstances", 2);
    let log = sandbox.log();
    assert_eq!(
        (log[0].operation.as_str(), log[0].outcome.as_str(), log[0].fault.as_deref()),
        ("sso-admin.ListInstances", "ThrottlingException", Some("throttle"))
    );
    assert_eq!(
        (log[1].number, log[1].outcome.as_str(), log[1].caller.as_str()),
        (2, "ok", "arn:aws:iam::111111111111:user/console")
    );
    assert_eq!(sandbox.faults()[0].played, 1);
}

#[test]
fn the_log_does_not_grow_without_end() {
    let sandbox = sandbox();
    outcomes(&sandbox, "Nonsense", 10_050);
    let log = sandbox.log();
    assert_eq!((log.len(), log[0].number, sandbox.calls()["unknown"]), (10_000, 51, 10_050));
}

// The counters of faults are in the journal with the calls: a killed sandbox does not play one twice.
#[test]
fn faults_outlive_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.json");
    let sandbox = Sandbox::open(&path, world).unwrap();
    put(&sandbox, vec![Fault { times: Some(2), ..fault("ListInstances", json!("throttle")) }]);
    outcomes(&sandbox, "ListInstances", 1);
    let killed = left_behind(&path);
    let again = Sandbox::open(&killed.path().join("world.json"), World::default).unwrap();
    assert_eq!((again.faults()[0].played, hits(&again, "ListInstances", 3)), (1, vec![1]));
}

// One that has ended a call is not followed by others, whose turn then is still to come.
#[tokio::test(start_paused = true)]
async fn a_call_meets_faults_up_to_the_one_that_ends_it() {
    let sandbox = with(vec![
        fault("ProvisionPermissionSet", json!({"job_fails": {"reason": "late"}})),
        fault("ProvisionPermissionSet", json!("throttle")),
        fault("ProvisionPermissionSet", json!("conflict")),
    ]);
    let set = create_set(&sandbox, "A");
    let body = json!({"PermissionSetArn": set, "TargetType": "ALL_PROVISIONED_ACCOUNTS"});
    assert_eq!(code(&sandbox, "ProvisionPermissionSet", body.clone()), "ThrottlingException");
    assert_eq!(sandbox.faults().iter().map(|fault| fault.played).collect::<Vec<_>>(), [1, 1, 0]);
    assert_eq!(code(&sandbox, "ProvisionPermissionSet", body.clone()), "ConflictException");
    // What was decided about the call that was refused is not left over for another.
    assert_eq!(job(&sandbox, "ProvisionPermissionSet", body).await["Status"], "SUCCEEDED");
    // Only jobs can fail late.
    put(&sandbox, vec![fault("*", json!({"job_fails": {"reason": "late"}}))]);
    ok(&sandbox, "ListInstances", json!({}));
    assert_eq!(sandbox.faults()[0].seen, 0);
}

#[test]
fn a_fault_that_cannot_be_is_refused() {
    let sandbox = sandbox();
    let edit = json!({"edit": {"calls": [{"operation": "sso-admin.Nonsense"}]}});
    for (fault, expected) in [
        (fault("CreateAcountAssignment", json!("throttle")), "no operation of sso-admin"),
        (fault("sts.*", json!("throttle")), "others have no faults"),
        (Fault { chance: Some(2.0), ..fault("*", json!("throttle")) }, "between 0 and 1"),
        (fault("jobs", json!({"job_takes": {"seconds": 1e308}})), "from 0 to 86400"),
        (fault("*", edit), "there is no such operation"),
        (
            fault("ListInstances", json!({"error": {"code": "ConflictException"}})),
            "AWS documents AccessDeniedException, ",
        ),
        (fault("*", json!({"error": {"code": "TrottlingException"}})), ", ThrottlingException, "),
    ] {
        let error = sandbox.add_fault(fault).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!(sandbox.faults(), []);
}

// Also what a fault has only seen so far is in the journal.
#[test]
fn the_nth_call_is_counted_over_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.json");
    let sandbox = Sandbox::open(&path, world).unwrap();
    put(&sandbox, vec![Fault { nth: 3, ..fault("ListInstances", json!("throttle")) }]);
    assert_eq!(outcomes(&sandbox, "ListInstances", 2), ["ok", "ok"]);
    let killed = left_behind(&path);
    let again = Sandbox::open(&killed.path().join("world.json"), World::default).unwrap();
    assert_eq!(hits(&again, "ListInstances", 2), [1]);
}
