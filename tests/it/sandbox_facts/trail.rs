//! CloudTrail's event history, and callers whose IAM policies count.
//!
//! Sources: API reference of LookupEvents; a published sample of CreateAccountAssignment (2023); the wording of refusals as
//! identitystore answers it; Service Authorization Reference for the resources of actions.

use permset::sandbox::Request;
use permset::sandbox::world::AccessKey;

use super::*;

const LOOKUP: &str = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents";

fn call(sandbox: &Sandbox, key: &str, target: &str, body: &Value) -> (u16, Value) {
    let authorization = format!("AWS4-HMAC-SHA256 Credential={key}/20260101/eu-central-1/x/aws4_request, Signature=0");
    let answer = sandbox.answer(&Request {
        method: "POST",
        path: "/",
        target: Some(target),
        content_type: Some("application/x-amz-json-1.1"),
        authorization: Some(&authorization),
        body: body.to_string().as_bytes(),
        ..Request::default()
    });
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

fn events(sandbox: &Sandbox, key: &str, body: &Value) -> Vec<Value> {
    let (status, answer) = call(sandbox, key, LOOKUP, body);
    assert_eq!(status, 200, "{answer}");
    answer["Events"].as_array().unwrap().clone()
}

fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["EventName"].as_str().unwrap()).collect()
}

/// API: newest first, by one attribute, in pages of up to 50; the event itself is a text.
#[test]
fn the_trail_tells_who_changed_what() {
    let sandbox = Sandbox::new(starter::starter());
    let by = |key: &str, value: &str| json!({"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}]});
    let found = events(&sandbox, "111111111111", &by("EventSource", "sso.amazonaws.com"));
    assert_eq!(names(&found), ["AttachManagedPolicyToPermissionSet", "CreateAccountAssignment"]);
    let whole: Value = serde_json::from_str(found[1]["CloudTrailEvent"].as_str().unwrap()).unwrap();
    assert_eq!(whole["requestParameters"]["targetId"], "215665149509");
    assert_eq!(whole["eventTime"], "2025-11-02T03:21:00Z");
    assert_eq!(
        (whole["userIdentity"]["type"].as_str(), found[1]["Username"].as_str()),
        (Some("AssumedRole"), Some("carol@example.com"))
    );
    let (_, first) = call(&sandbox, "111111111111", LOOKUP, &json!({"MaxResults": 1}));
    let (_, second) =
        call(&sandbox, "111111111111", LOOKUP, &json!({"MaxResults": 1, "NextToken": first["NextToken"]}));
    assert_eq!(
        (names(second["Events"].as_array().unwrap()), second.get("NextToken")),
        (vec!["CreateAccountAssignment"], None)
    );
    assert!(events(&sandbox, "111111111111", &by("EventName", "DeletePermissionSet")).is_empty());
    assert_eq!(events(&sandbox, "111111111111", &json!({"StartTime": 1_762_057_000})).len(), 1);
    for (body, error) in [
        (json!({"MaxResults": 51}), "InvalidMaxResultsException"),
        (json!({"MaxResults": 0}), "InvalidMaxResultsException"),
        (json!({"NextToken": "?"}), "InvalidNextTokenException"),
        (json!({"LookupAttributes": [{}, {}]}), "InvalidLookupAttributesException"),
    ] {
        let (status, answer) = call(&sandbox, "111111111111", LOOKUP, &body);
        assert_eq!((status, answer["__type"].as_str()), (400, Some(error)), "{body}");
    }
}

/// Guide of CloudTrail: events are those of the account that called; they come after minutes. Choice: only so many are kept.
#[test]
fn events_are_of_the_account_that_called_and_come_late() {
    let mut world = starter::starter();
    world.settings.epoch = Some(1_762_057_300.0);
    let sandbox = Sandbox::new(world.clone());
    assert_eq!(events(&sandbox, "333333333333", &json!({})), Vec::<Value>::new());
    assert_eq!(events(&sandbox, "111111111111", &json!({})).len(), 2);
    world.settings.trail_delay_seconds = 900.0;
    world.settings.trail_events = 2;
    let sandbox = Sandbox::new(world);
    assert_eq!(names(&events(&sandbox, "111111111111", &json!({}))), ["CreateAccountAssignment"]);
    let create = json!({"InstanceArn": INSTANCE, "Name": "New"});
    assert_eq!(call(&sandbox, "333333333333", "SWBExternalService.CreatePermissionSet", &create).0, 400);
    assert_eq!(call(&sandbox, "111111111111", "SWBExternalService.CreatePermissionSet", &create).0, 200);
    let kept: Vec<String> = sandbox.world().trail.into_iter().map(|event| event.name).collect();
    assert_eq!(kept, ["AttachManagedPolicyToPermissionSet", "CreatePermissionSet"], "what was refused is not kept");
}

/// A change that only the journal holds is remembered with whoever made it.
#[test]
fn the_trail_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("world.json");
    let sandbox = Sandbox::open(&path, starter::starter).unwrap();
    sandbox.save().unwrap();
    let create = json!({"InstanceArn": INSTANCE, "Name": "New"});
    assert_eq!(call(&sandbox, "111111111111", "SWBExternalService.CreatePermissionSet", &create).0, 200);
    let copy = dir.path().join("killed.json");
    std::fs::copy(&path, &copy).unwrap();
    std::fs::copy(dir.path().join("world.json.journal"), dir.path().join("killed.json.journal")).unwrap();
    let trail = Sandbox::open(&copy, starter::starter).unwrap().world().trail;
    let last = trail.last().unwrap();
    assert_eq!(
        (last.name.as_str(), last.arn.as_str()),
        ("CreatePermissionSet", "arn:aws:iam::111111111111:user/sandbox")
    );
}

fn with_policy(policy: Value) -> Sandbox {
    let mut world = starter::starter();
    world.access_keys.push(AccessKey {
        id: "AKIALIMITED".to_owned(),
        account_id: "111111111111".to_owned(),
        user: Some("ci".to_owned()),
        permission_set: None,
        policy: Some(policy),
    });
    Sandbox::new(world)
}

fn allow(action: &Value, resource: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]})
}

/// Service Authorization Reference: every required resource must be allowed.
#[test]
fn a_policy_of_the_caller_counts() {
    let list = json!({"InstanceArn": INSTANCE});
    let run = |policy: Value, target: &str, body: &Value| {
        let (_, answer) = call(&with_policy(policy), "AKIALIMITED", target, body);
        answer["Message"].as_str().unwrap_or("ok").to_owned()
    };
    let sets = "SWBExternalService.ListPermissionSets";
    assert_eq!(run(allow(&json!("sso:ListPermissionSets"), &json!("*")), sets, &list), "ok");
    assert_eq!(run(allow(&json!(["SSO:list*"]), &json!([INSTANCE])), sets, &list), "ok");
    assert_eq!(
        run(allow(&json!("sso:ListInstances"), &json!("*")), sets, &list),
        format!(
            "User: arn:aws:iam::111111111111:user/ci is not authorized to perform: sso:ListPermissionSets on resource: {INSTANCE} \
             because no identity-based policy allows the sso:ListPermissionSets action"
        )
    );
    let set = "arn:aws:sso:::permissionSet/ssoins-00aa11bb22cc33dd/ps-0a1b2c3d4e5f6071";
    let rows = json!({"InstanceArn": INSTANCE, "PermissionSetArn": set, "AccountId": "215665149509"});
    let target = "SWBExternalService.ListAccountAssignments";
    let on = |resources: Value| run(allow(&json!("sso:*"), &resources), target, &rows);
    assert_eq!(on(json!([INSTANCE, set, "arn:aws:sso:::account/215665149509"])), "ok");
    assert!(on(json!([INSTANCE, set])).contains("on resource: arn:aws:sso:::account/215665149509"));
    assert!(on(json!([INSTANCE, "arn:aws:sso:::account/*"])).contains(&format!("on resource: {set}")));
    let deny = json!({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "sso:ListAccount*", "Resource": "*"}]});
    assert!(run(deny, target, &rows).contains("is not authorized to perform: sso:ListAccountAssignments"));
    // Tags are those of the permission set; accounts have none.
    let tagged = |tag: &str| {
        json!({"Statement": [
            {"Effect": "Allow", "Action": "sso:*", "Resource": [INSTANCE, "arn:aws:sso:::account/*"]},
            {"Effect": "Allow", "Action": "sso:*", "Resource": "arn:aws:sso:::permissionSet/*", "Condition": {"StringEquals": {"aws:ResourceTag/ManagedBy": tag}}}]})
    };
    let control = "arn:aws:sso:::permissionSet/ssoins-00aa11bb22cc33dd/ps-1b2c3d4e5f607182";
    let describe = json!({"InstanceArn": INSTANCE, "PermissionSetArn": control});
    assert_eq!(run(tagged("ControlTower"), "SWBExternalService.DescribePermissionSet", &describe), "ok");
    assert!(run(tagged("us"), "SWBExternalService.DescribePermissionSet", &describe).contains(control));
    assert!(
        call(&with_policy(allow(&json!("sso:*"), &json!("*"))), "AKIALIMITED", LOOKUP, &json!({})).1["Message"]
            .as_str()
            .unwrap()
            .contains("cloudtrail:LookupEvents")
    );
}
