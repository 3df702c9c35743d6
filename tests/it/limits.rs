//! At the limit of what AWS allows: 20 calls a second and 10 open requests, for everybody together. In virtual time, against a
//! sandbox that counts, with answers that take a tenth of a second.

use std::cell::RefCell;
use std::time::Duration;

use permset::apply::{self, Terms};
use permset::aws::{Aws, Connection, Transport};
use permset::model::{Progress, Strategy};
use permset::observed::{self, Request};
use permset::sandbox::{Sandbox, World};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::support::run;

/// A world that throttles.
fn sandbox(more: Value) -> Sandbox {
    let accounts: Vec<Value> =
        (0..120).map(|n| json!({"id": format!("300000000{n:03}"), "name": format!("a{n}")})).collect();
    let groups: Vec<Value> = (0..5)
        .map(|n| json!({"id": format!("90670c51-d20{n}-7c4b-9f0e-5a6b7c8d9e00"), "display_name": format!("g{n}")}))
        .collect();
    let mut world = json!({
        "settings": {"throttle": true, "epoch": 1_700_000_000.0, "job_seconds": 2.0},
        "accounts": accounts, "groups": groups,
        "faults": [{"on": "*", "times": null, "effect": {"delay": {"seconds": 0.1}}}],
    });
    for (key, value) in more.as_object().unwrap() {
        match value {
            Value::Object(fields) => world[key].as_object_mut().unwrap().extend(fields.clone()),
            other => world[key] = other.clone(),
        }
    }
    Sandbox::new(serde_json::from_value::<World>(world).unwrap())
}

async fn paced(sandbox: &Sandbox) -> Aws {
    let connection = Connection {
        profile: None,
        region: None,
        endpoint_url: None,
        transport: Transport::Paced(sandbox.connector()),
    };
    Aws::connect(&connection, permset::aws::Access::ReadWrite).await.unwrap()
}

/// So many permission sets in 120 accounts.
fn large(number: usize) -> (Sandbox, permset::model::DesiredState) {
    let set = |n: usize| format!("ps-{n:016x}");
    let sets: Vec<Value> = (0..number).map(|n| json!({"id": set(n), "name": format!("S{n}")})).collect();
    let rows: Vec<Value> = (0..number)
        .flat_map(|n| (0..120).map(move |a| (n, a)))
        .map(|(n, a)| {
            json!({"account_id": format!("300000000{a:03}"), "permission_set_id": set(n), "principal_type": "GROUP",
                   "principal_id": format!("90670c51-d20{}-7c4b-9f0e-5a6b7c8d9e00", n % 5)})
        })
        .collect();
    let names = (0..number).map(|n| format!("S{n}: {{}}")).collect::<Vec<_>>().join(", ");
    let desired = run::desired_from(&format!(
        "version: 1\nscope: {{ accounts: ['*'] }}\npermission_sets: {{ {names} }}\nassignments: []\n"
    ));
    (sandbox(json!({"permission_sets": sets, "assignments": rows})), desired)
}

/// What the sandbox saw: calls of one service, how many it refused by rate, and when they came.
fn seen(sandbox: &Sandbox) -> (usize, usize) {
    let log = sandbox.log();
    let sso: Vec<_> = log.iter().filter(|call| call.operation.starts_with("sso-admin.")).collect();
    let throttled = sso.iter().filter(|call| call.outcome == "ThrottlingException").count();
    (sso.len(), throttled)
}

#[tokio::test(start_paused = true)]
async fn a_long_read_takes_hardly_longer_than_the_allowance() {
    let (sandbox, desired) = large(10);
    let aws = paced(&sandbox).await;
    let begun = Instant::now();
    let request = Request { only: Some(Strategy::ByPermissionSet), ..Request::default() };
    let observed = observed::observe(&aws, &desired, &request, &|_| {}).await.unwrap();
    let (took, calls) = (begun.elapsed().as_secs_f64(), observed.reading.calls as f64);
    assert!(calls > 1_200.0, "{calls}");
    let (_, throttled) = seen(&sandbox);
    assert!(took <= 1.10 * calls / 20.0, "{calls} calls took {took:.1} s");
    assert!(throttled * 100 <= calls as usize, "{throttled} of {calls}");
}

#[tokio::test(start_paused = true)]
async fn after_a_quarter_it_is_known_how_long_a_read_takes() {
    // With few principals, and with more than there are pairs.
    for only in [None, Some(Strategy::ByPermissionSet)] {
        let (sandbox, desired) = large(30);
        let aws = paced(&sandbox).await;
        let begun = Instant::now();
        let said = RefCell::new(Vec::new());
        let on_progress = |step: Progress| {
            let left = step.left(aws.calls(), begun.elapsed());
            said.borrow_mut().extend(left.map(|left| (begun.elapsed().as_secs_f64(), left.as_secs_f64())));
        };
        let request = Request { only, ..Request::default() };
        observed::observe(&aws, &desired, &request, &on_progress).await.unwrap();
        let took = begun.elapsed().as_secs_f64();
        let late: Vec<_> = said.into_inner().into_iter().filter(|(at, _)| *at >= took / 4.0).collect();
        assert!(late.len() > 10 || only.is_none(), "{late:?}");
        for (at, left) in late {
            assert!((at + left - took).abs() <= 0.2 * took, "after {at:.1} of {took:.1} s: {left:.1} s left");
        }
    }
}

/// Somebody else makes ten calls a second for half a minute, then goes.
#[tokio::test(start_paused = true)]
async fn a_read_gives_way_to_somebody_else_and_takes_the_allowance_back() {
    let (sandbox, desired) = large(10);
    let aws = paced(&sandbox).await;
    let neighbour = async {
        let mut refused = 0;
        for _ in 0..300 {
            let answer = sandbox.handle("SWBExternalService.ListInstances", b"{}");
            refused += usize::from(answer.status != 200);
            sleep(Duration::from_millis(100)).await;
        }
        refused
    };
    let begun = Instant::now();
    let request = Request { only: Some(Strategy::ByPermissionSet), ..Request::default() };
    let read = async {
        let observed = observed::observe(&aws, &desired, &request, &|_| {}).await.unwrap();
        (observed.reading.calls as f64, begun.elapsed().as_secs_f64())
    };
    let (refused, (calls, took)) = tokio::join!(neighbour, read);
    // What the neighbour leaves, and the whole of it afterwards.
    let at_best = if calls > 300.0 { 30.0 + (calls - 300.0) / 20.0 } else { calls / 10.0 };
    assert!(took <= 1.25 * at_best, "{calls} calls took {took:.1} s, at best {at_best:.1}");
    assert!(refused <= 150, "{refused} of the neighbour's calls were refused");
}

/// Applies 300 assignments that take so long each, and every tenth a minute if that is wanted. Returns what it took, and what it
/// could have.
async fn apply_300(seconds: f64, some_are_slow: bool) -> (f64, f64) {
    let names = (0..5).map(|n| format!("S{n}: {{}}")).collect::<Vec<_>>().join(", ");
    let sets: Vec<Value> = (0..5).map(|n| json!({"id": format!("ps-{n:016x}"), "name": format!("S{n}")})).collect();
    let mut faults = vec![json!({"on": "*", "times": null, "effect": {"delay": {"seconds": 0.1}}})];
    if some_are_slow {
        let slow = json!({"on": "jobs", "every": 10, "times": null, "effect": {"job_takes": {"seconds": 60.0}}});
        faults.insert(0, slow);
    }
    let sandbox = sandbox(json!({"permission_sets": sets, "settings": {"job_seconds": seconds}, "faults": faults}));
    let accounts = (0..60).map(|n| format!("'300000000{n:03}'")).collect::<Vec<_>>().join(", ");
    let all = (0..5).map(|n| format!("S{n}")).collect::<Vec<_>>().join(", ");
    let desired = run::desired_from(&format!(
        "version: 1\nscope: {{ accounts: ['*'] }}\npermission_sets: {{ {names} }}\n\
         assignments: [{{ permission_sets: [{all}], accounts: [{accounts}], groups: [g0] }}]\n"
    ));
    let aws = paced(&sandbox).await;
    let plan = run::plan(&aws, &desired).await.1;
    assert_eq!(plan.steps.len(), 300);
    let (before, begun) = (seen(&sandbox), Instant::now());
    let (_keep, stop) = tokio::sync::watch::channel(false);
    let report = apply::apply(&aws, &plan, &Terms::default(), stop, |_| {}).await;
    let took = begun.elapsed().as_secs_f64();
    assert!(report.outcomes.iter().all(apply::Outcome::succeeded), "{report:#?}");
    let (calls, throttled) = seen(&sandbox);
    let (calls, throttled) = (calls - before.0, throttled - before.1);
    let refused = sandbox.log().iter().filter(|call| call.outcome == "ServiceQuotaExceededException").count();
    assert_eq!(refused, 0, "more than ten requests were open");
    assert!(throttled * 100 <= calls, "{throttled} of {calls} throttled");
    let work = if some_are_slow { 270.0 * seconds + 30.0 * 60.0 } else { 300.0 * seconds };
    let bound = f64::max(calls as f64 / 20.0, work / 10.0);
    (took, bound)
}

#[tokio::test(start_paused = true)]
async fn an_apply_takes_hardly_longer_than_ten_requests_at_a_time_permit() {
    for seconds in [0.5, 2.0, 10.0] {
        let (took, bound) = apply_300(seconds, false).await;
        assert!(took <= 1.15 * bound, "{took:.1} s, bound {bound:.1} s for requests of {seconds} s");
    }
}

/// A few requests that take far longer than the others must not make it look late at those.
#[tokio::test(start_paused = true)]
async fn a_few_slow_requests_do_not_slow_down_the_others() {
    let (took, bound) = apply_300(2.0, true).await;
    assert!(took <= 1.35 * bound, "{took:.1} s, bound {bound:.1} s");
}
