//! What the sandbox does as AWS IAM Identity Center does it: one test per fact, each with its source.
//!
//! Sources: `botocore` is the service model as botocore 1.44 ships it; `API` the API reference of the operation; `guide` the IAM
//! Identity Center user guide; `tf#n` an issue or pull request of hashicorp/terraform-provider-aws; other names with a number are
//! issues of that repository. "Choice" marks behaviour that nobody has documented.

mod callers;
mod directory;
mod faults;
mod organization;
mod pages_and_rates;
mod sign_in;
mod switches;
mod trail;

use std::time::Duration;

use permset::sandbox::world::{Account, AccountState, Assignment, Membership, Missing, PrincipalType, World};
use permset::sandbox::{Answer, Sandbox, StoreError, starter};
use serde_json::{Value, json};

const INSTANCE: &str = "arn:aws:sso:::instance/ssoins-00aa11bb22cc33dd";
const STORE: &str = "d-00aa11bb22";
const ONE: &str = "222222222222";
const TWO: &str = "333333333333";
const SUSPENDED: &str = "444444444444";
const NOBODY: &str = "00000000-0000-7000-8000-000000000000";
const VIEW: &str = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess";
const ADMIN: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
const LATEST: &str = "LATEST_PERMISSION_SET_PROVISIONED";
const STALE: &str = "LATEST_PERMISSION_SET_NOT_PROVISIONED";

// ---- helpers ----

fn world() -> World {
    serde_json::from_value(json!({
        "settings": {"epoch": 1_700_000_000.0},
        "accounts": [
            {"id": "111111111111"}, {"id": ONE, "name": "one"}, {"id": TWO, "name": "two"},
            {"id": SUSPENDED, "state": "SUSPENDED"}
        ],
        "users": [{"user_name": "ann@example.com", "email": "ann@example.com"}],
        "groups": [{"display_name": "ops"}],
    }))
    .unwrap()
}

fn sandbox() -> Sandbox {
    Sandbox::new(world())
}

fn target(operation: &str) -> String {
    match operation.split_once('.') {
        Some(("store", name)) => format!("AWSIdentityStore.{name}"),
        Some(("org", name)) => format!("AWSOrganizationsV20161128.{name}"),
        _ => format!("SWBExternalService.{operation}"),
    }
}

fn send(sandbox: &Sandbox, operation: &str, body: &Value) -> Answer {
    sandbox.handle(&target(operation), body.to_string().as_bytes())
}

/// Adds the instance or the store to a body that does not name one.
fn full(operation: &str, mut body: Value) -> Value {
    let (member, value) = match operation.split_once('.') {
        Some(("store", _)) => ("IdentityStoreId", STORE),
        Some(_) => return body,
        None if operation == "ListInstances" => return body,
        None => ("InstanceArn", INSTANCE),
    };
    if body.get(member).is_none() {
        body[member] = json!(value);
    }
    body
}

fn ok(sandbox: &Sandbox, operation: &str, body: Value) -> Value {
    let answer = send(sandbox, operation, &full(operation, body));
    let text = String::from_utf8(answer.body).unwrap();
    assert_eq!(answer.status, 200, "{operation}: {text}");
    assert_eq!(answer.error, None);
    serde_json::from_str(&text).unwrap()
}

fn error_body(sandbox: &Sandbox, operation: &str, body: Value) -> Value {
    let answer = send(sandbox, operation, &full(operation, body));
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(answer.status, 400, "{operation}: {body}");
    assert_eq!(answer.error.as_deref(), body["__type"].as_str());
    body
}

/// Code and message of the error that must come.
fn refused(sandbox: &Sandbox, operation: &str, body: Value) -> (String, String) {
    let body = error_body(sandbox, operation, body);
    let text = |member: &str| body[member].as_str().unwrap().to_owned();
    (text("__type"), text("Message"))
}

fn code(sandbox: &Sandbox, operation: &str, body: Value) -> String {
    refused(sandbox, operation, body).0
}

fn create_set(sandbox: &Sandbox, name: &str) -> String {
    let body = ok(sandbox, "CreatePermissionSet", json!({"Name": name}));
    body["PermissionSet"]["PermissionSetArn"].as_str().unwrap().to_owned()
}

fn of(set: &str) -> Value {
    json!({"PermissionSetArn": set})
}

fn ops(sandbox: &Sandbox) -> String {
    sandbox.world().groups[0].id.clone()
}

fn ann(sandbox: &Sandbox) -> String {
    sandbox.world().users[0].id.clone()
}

fn assignment(set: &str, account: &str, kind: &str, principal: &str) -> Value {
    json!({
        "PermissionSetArn": set, "TargetId": account, "TargetType": "AWS_ACCOUNT",
        "PrincipalType": kind, "PrincipalId": principal,
    })
}

async fn pass(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

/// Starts a job, lets it end and gives back its last status.
async fn job(sandbox: &Sandbox, operation: &str, body: Value) -> Value {
    let first = ok(sandbox, operation, body);
    pass(2).await;
    let (describe, key, member) = match operation {
        "CreateAccountAssignment" => (
            "DescribeAccountAssignmentCreationStatus",
            "AccountAssignmentCreationStatus",
            "AccountAssignmentCreationRequestId",
        ),
        "DeleteAccountAssignment" => (
            "DescribeAccountAssignmentDeletionStatus",
            "AccountAssignmentDeletionStatus",
            "AccountAssignmentDeletionRequestId",
        ),
        _ => (
            "DescribePermissionSetProvisioningStatus",
            "PermissionSetProvisioningStatus",
            "ProvisionPermissionSetRequestId",
        ),
    };
    let id = &first[key]["RequestId"];
    ok(sandbox, describe, json!({ member: id }))[key].clone()
}

async fn assign(sandbox: &Sandbox, set: &str, account: &str) -> Value {
    let body = assignment(set, account, "GROUP", &ops(sandbox));
    job(sandbox, "CreateAccountAssignment", body).await
}

fn provisioned(sandbox: &Sandbox, set: &str, status: &str) -> Value {
    let body = json!({"PermissionSetArn": set, "ProvisioningStatus": status});
    ok(sandbox, "ListAccountsForProvisionedPermissionSet", body)["AccountIds"].clone()
}

fn attach(sandbox: &Sandbox, set: &str, policy: &str) {
    let body = json!({"PermissionSetArn": set, "ManagedPolicyArn": policy});
    ok(sandbox, "AttachManagedPolicyToPermissionSet", body);
}

fn inline(sandbox: &Sandbox, set: &str, policy: &str) -> (String, String) {
    let body = json!({"PermissionSetArn": set, "InlinePolicy": policy});
    refused(sandbox, "PutInlinePolicyToPermissionSet", body)
}

fn rows(sandbox: &Sandbox, set: &str, account: &str) -> Vec<Value> {
    let body = json!({"PermissionSetArn": set, "AccountId": account});
    let rows = &ok(sandbox, "ListAccountAssignments", body)["AccountAssignments"];
    rows.as_array().unwrap().clone()
}

// ---- wire ----

// Source: awsJson1_1; UnknownOperationException is its usual answer.
#[test]
fn an_unknown_operation_or_target_is_refused() {
    let sandbox = sandbox();
    assert_eq!(code(&sandbox, "CreateTheMoon", json!({})), "UnknownOperationException");
    for target in ["", "SWBExternalService", ".", "Other.ListInstances", "SWBExternalService."] {
        let answer = sandbox.handle(target, b"{}");
        assert_eq!(answer.error.unwrap(), "UnknownOperationException");
    }
}

// Source: common errors of AWS JSON services.
#[test]
fn a_body_that_is_no_json_object_is_a_serialization_error() {
    let bodies: [&[u8]; 6] = [b"{", b"[]", b"null", b"\"x\"", b"\xff\xfe", b"{\"a\":1}}"];
    for body in bodies {
        let answer = sandbox().handle("SWBExternalService.ListInstances", body);
        assert_eq!(answer.error.unwrap(), "SerializationException");
    }
}

// Source: botocore; every member has a JSON type.
#[test]
fn a_member_of_the_wrong_type_is_a_serialization_error() {
    let sandbox = sandbox();
    let (code, message) = refused(&sandbox, "CreatePermissionSet", json!({"Name": 1}));
    assert_eq!(code, "SerializationException");
    assert_eq!(message, "NUMBER_VALUE can not be converted to a String");
}

// Source: AWS ignores members that the model does not have.
#[test]
fn an_unknown_member_is_ignored() {
    ok(&sandbox(), "ListInstances", json!({"Colour": "red"}));
}

// Source: API common; every response carries x-amzn-RequestId, a UUID, and never the same.
#[test]
fn every_answer_has_a_request_id_of_its_own() {
    let sandbox = sandbox();
    let one = send(&sandbox, "ListInstances", &json!({})).request_id;
    let two = send(&sandbox, "Nonsense", &json!({})).request_id;
    assert_eq!((one.len(), two.len()), (36, 36));
    assert_ne!(one, two);
}

#[test]
fn calls_are_counted_by_service_and_operation() {
    let sandbox = sandbox();
    ok(&sandbox, "ListInstances", json!({}));
    ok(&sandbox, "ListInstances", json!({}));
    ok(&sandbox, "store.ListUsers", json!({}));
    let counted: Vec<_> = sandbox.calls().into_iter().collect();
    let expected = [("identitystore.ListUsers", 1), ("sso-admin.ListInstances", 2)];
    assert_eq!(counted, expected.map(|(name, count)| (name.to_owned(), count)));
}

// ---- validation ----

// Source: tf#32010, aws-samples/aws-iam-identity-center-automation#4 for the wording.
#[test]
fn sso_admin_words_a_broken_constraint_in_lower_camel() {
    let sandbox = sandbox();
    let (code, message) = refused(&sandbox, "CreatePermissionSet", json!({"Name": "a b"}));
    assert_eq!(code, "ValidationException");
    assert_eq!(
        message,
        r"Value of input 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]+"
    );
}

// Source: aws-amplify/amplify-backend#2702 for the wording.
#[test]
fn identitystore_counts_its_validation_errors() {
    let answer = send(&sandbox(), "store.DescribeUser", &json!({"UserId": "x"}));
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    let message = body["Message"].as_str().unwrap();
    assert!(
        message.starts_with(
            "2 validation errors detected: Value 'null' at 'identityStoreId' failed to satisfy constraint: "
        ),
        "{message}"
    );
    assert_eq!(body["RequestId"].as_str().unwrap(), answer.request_id);
}

// Source: aws-ia/terraform-aws-control_tower_account_factory#287.
#[test]
fn organizations_has_its_own_code_for_bad_input() {
    let sandbox = sandbox();
    let body = error_body(&sandbox, "org.DescribeAccount", json!({"AccountId": "12"}));
    assert_eq!(body["__type"], "InvalidInputException");
    let body = error_body(&sandbox, "org.ListAccounts", json!({"MaxResults": 21}));
    assert_eq!(body["Reason"], "MAX_VALUE_EXCEEDED");
}

// Source: botocore; the constraints of the shapes.
#[test]
fn every_kind_of_constraint_of_the_model_is_checked() {
    let sandbox = sandbox();
    let long = "x".repeat(701);
    for (operation, body) in [
        ("CreatePermissionSet", json!({})),
        ("CreatePermissionSet", json!({"Name": null})),
        ("CreatePermissionSet", json!({"Name": ""})),
        ("CreatePermissionSet", json!({"Name": "x".repeat(33)})),
        ("CreatePermissionSet", json!({"Name": "a", "Description": long})),
        ("CreatePermissionSet", json!({"Name": "a", "Description": ""})),
        ("CreatePermissionSet", json!({"Name": "a", "Description": "\u{1b}[0m"})),
        ("CreatePermissionSet", json!({"Name": "a", "RelayState": "é"})),
        ("CreatePermissionSet", json!({"Name": "a", "Tags": [{"Key": "k"}]})),
        ("CreatePermissionSet", json!({"Name": "a", "Tags": [{"Key": "a;b", "Value": ""}]})),
        ("CreatePermissionSet", json!({"Name": "a", "InstanceArn": "arn:aws:sso:::instance/x"})),
        ("ListPermissionSets", json!({"MaxResults": 0})),
        ("ListPermissionSets", json!({"MaxResults": 101})),
        ("ListPermissionSets", json!({"NextToken": "ä"})),
        ("ListInstances", json!({"RegionScope": "EVERYWHERE"})),
        ("store.DescribeUser", json!({"UserId": "42"})),
        ("store.GetUserId", json!({"AlternateIdentifier": {}})),
    ] {
        assert_eq!(code(&sandbox, operation, body.clone()), "ValidationException", "{body}");
    }
}

// Source: botocore; ManagedPolicyArn admits policies that AWS owns only.
#[test]
fn a_customer_policy_is_no_managed_policy_arn() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    let body = json!({"PermissionSetArn": set, "ManagedPolicyArn": "arn:aws:iam::222222222222:policy/mine"});
    let error = code(&sandbox, "AttachManagedPolicyToPermissionSet", body);
    assert_eq!(error, "ValidationException");
}

// Source: API, common to all operations (choice: ResourceNotFoundException, not AccessDeniedException).
#[test]
fn an_unknown_instance_is_not_found() {
    let body = json!({"InstanceArn": "arn:aws:sso:::instance/ssoins-ffffffffffffffff"});
    assert_eq!(code(&sandbox(), "ListPermissionSets", body), "ResourceNotFoundException");
}

// ---- instances ----

// Source: API ListInstances.
#[test]
fn the_instance_names_its_store_and_owner() {
    let sandbox = sandbox();
    let body = ok(&sandbox, "ListInstances", json!({}));
    let instance = &body["Instances"][0];
    assert_eq!(instance["InstanceArn"], INSTANCE);
    assert_eq!(instance["IdentityStoreId"], STORE);
    assert_eq!(instance["OwnerAccountId"], "111111111111");
    assert_eq!(ok(&sandbox, "DescribeInstance", json!({})), *instance);
}

// Source: guide, Regions; a Region without Identity Center lists nothing.
#[test]
fn a_region_without_identity_center_lists_no_instance() {
    let sandbox = Sandbox::new(serde_json::from_value(json!({"instance": null})).unwrap());
    assert_eq!(ok(&sandbox, "ListInstances", json!({})), json!({"Instances": []}));
}

#[test]
fn further_instances_are_listed_and_hold_nothing() {
    let arn = "arn:aws:sso:::instance/ssoins-1111111111111111";
    let mut world = world();
    world.extra_instances = vec![world.instance.clone().unwrap()];
    world.extra_instances[0].arn = arn.to_owned();
    let sandbox = Sandbox::new(world);
    create_set(&sandbox, "A");
    let body = ok(&sandbox, "ListInstances", json!({}));
    assert_eq!(body["Instances"].as_array().unwrap().len(), 2);
    let sets = ok(&sandbox, "ListPermissionSets", json!({"InstanceArn": arn}));
    assert_eq!(sets, json!({"PermissionSets": []}));
}

// ---- permission sets ----

// Source: API CreatePermissionSet; the duration defaults to an hour, unset members are left out, ids as in the model.
#[test]
fn a_new_set_has_an_hour_and_nothing_else() {
    let sandbox = sandbox();
    let body = ok(&sandbox, "CreatePermissionSet", json!({"Name": "A"}));
    let set = body["PermissionSet"].as_object().unwrap();
    let keys: Vec<_> = set.keys().map(String::as_str).collect();
    assert_eq!(keys, ["Name", "PermissionSetArn", "CreatedDate", "SessionDuration"]);
    assert_eq!(set["SessionDuration"], "PT1H");
    let arn = set["PermissionSetArn"].as_str().unwrap();
    let id = arn.strip_prefix("arn:aws:sso:::permissionSet/ssoins-00aa11bb22cc33dd/ps-");
    assert!(id.unwrap().bytes().all(|b| b.is_ascii_hexdigit()) && id.unwrap().len() == 16);
    assert_eq!(ok(&sandbox, "DescribePermissionSet", of(arn)), body);
}

// Source: tf#19341 shows scientific notation; parsers differ, so timestamps are plain decimals here.
#[tokio::test(start_paused = true)]
async fn timestamps_are_plain_decimals() {
    let sandbox = sandbox();
    pass(5).await;
    let body = json!({"InstanceArn": INSTANCE, "Name": "A"});
    let answer = send(&sandbox, "CreatePermissionSet", &body);
    let text = String::from_utf8(answer.body).unwrap();
    assert!(text.contains("\"CreatedDate\":1700000005.0"), "{text}");
}

// Source: avlcloudtechnologies/terraform-aws-sso#6.
#[test]
fn a_duplicate_name_is_a_conflict() {
    let sandbox = sandbox();
    create_set(&sandbox, "A");
    let (code, message) = refused(&sandbox, "CreatePermissionSet", json!({"Name": "A"}));
    assert_eq!(code, "ConflictException");
    assert_eq!(message, "PermissionSet with name A already exists.");
}

// Choice: names are compared by case.
#[test]
fn names_that_differ_by_case_are_different() {
    let sandbox = sandbox();
    create_set(&sandbox, "ops");
    create_set(&sandbox, "Ops");
}

// Source: tf#17411 for the relay state; API UpdatePermissionSet for the rest.
#[test]
fn an_update_clears_what_it_does_not_send() {
    let sandbox = sandbox();
    let body = json!({"Name": "A", "Description": "d", "RelayState": "https://x", "SessionDuration": "PT4H"});
    let body = ok(&sandbox, "CreatePermissionSet", body);
    let arn = body["PermissionSet"]["PermissionSetArn"].as_str().unwrap();
    assert_eq!(ok(&sandbox, "UpdatePermissionSet", of(arn)), json!({}));
    let set = ok(&sandbox, "DescribePermissionSet", of(arn))["PermissionSet"].clone();
    assert_eq!((&set["Description"], &set["RelayState"]), (&Value::Null, &Value::Null));
    assert_eq!(set["SessionDuration"], "PT1H");
}

// Source: guide, session duration; one to twelve hours. The text comes back as it was sent (choice).
#[test]
fn a_session_lasts_one_to_twelve_hours() {
    let sandbox = sandbox();
    for (number, good) in ["PT1H", "PT60M", "PT12H", "PT3600S", "PT1H30M", "P0DT2H"].iter().enumerate() {
        let body = json!({"Name": format!("S{number}"), "SessionDuration": good});
        let set = ok(&sandbox, "CreatePermissionSet", body);
        assert_eq!(set["PermissionSet"]["SessionDuration"], *good);
    }
    for bad in ["PT59M", "PT13H", "P1D", "-PT2H", "1h", "PT", "P", "PT1X", "PT1M1H", "P1D1W", "PT.5S", "PT1.5H"] {
        let body = json!({"Name": "B", "SessionDuration": bad});
        assert_eq!(code(&sandbox, "CreatePermissionSet", body), "ValidationException", "{bad}");
    }
}

// Source: moto for the wording.
#[test]
fn an_unknown_set_is_not_found() {
    let set = "arn:aws:sso:::permissionSet/ssoins-00aa11bb22cc33dd/ps-ffffffffffffffff";
    let (code, message) = refused(&sandbox(), "DescribePermissionSet", of(set));
    assert_eq!(code, "ResourceNotFoundException");
    assert_eq!(message, "Could not find PermissionSet with id ps-ffffffffffffffff");
}

// Source: tf#26757.
#[tokio::test(start_paused = true)]
async fn a_set_in_use_cannot_be_deleted() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    assign(&sandbox, &set, ONE).await;
    let (code, message) = refused(&sandbox, "DeletePermissionSet", of(&set));
    assert_eq!(code, "ConflictException");
    assert!(message.starts_with("Could not delete because "), "{message}");
    let body = assignment(&set, ONE, "GROUP", &ops(&sandbox));
    job(&sandbox, "DeleteAccountAssignment", body).await;
    ok(&sandbox, "DeletePermissionSet", of(&set));
    assert_eq!(refused(&sandbox, "DeletePermissionSet", of(&set)).0, "ResourceNotFoundException");
    create_set(&sandbox, "A");
}

// Source: tf#26757; a job that is on its way counts as use.
#[tokio::test(start_paused = true)]
async fn a_set_with_an_open_job_cannot_be_deleted() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    let body = assignment(&set, ONE, "GROUP", &ops(&sandbox));
    ok(&sandbox, "CreateAccountAssignment", body);
    assert_eq!(code(&sandbox, "DeletePermissionSet", of(&set)), "ConflictException");
}

// ---- policies ----

// Source: moto and public logs of 2024-01 for the wording ("manged" is AWS's).
#[test]
fn attaching_a_managed_policy_twice_is_a_conflict() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    attach(&sandbox, &set, VIEW);
    let body = json!({"PermissionSetArn": set, "ManagedPolicyArn": VIEW});
    let (code, message) = refused(&sandbox, "AttachManagedPolicyToPermissionSet", body);
    assert_eq!(code, "ConflictException");
    assert!(message.contains("already has a typed link attachment to a manged policy with"));
}

// Source: aws-cloudformation provider for AWS::SSO; the name is the last part of the ARN.
#[test]
fn attached_policies_are_listed_with_their_short_names() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    attach(&sandbox, &set, VIEW);
    let body = ok(&sandbox, "ListManagedPoliciesInPermissionSet", of(&set));
    assert_eq!(body, json!({"AttachedManagedPolicies": [{"Name": "ViewOnlyAccess", "Arn": VIEW}]}));
}

// Source: moto; existence is checked when attaching.
#[test]
fn an_aws_managed_policy_that_does_not_exist_is_not_found() {
    let mut world = world();
    world.aws_managed_policies = Some(vec![VIEW.to_owned()]);
    let sandbox = Sandbox::new(world);
    let set = create_set(&sandbox, "A");
    attach(&sandbox, &set, VIEW);
    let body = json!({"PermissionSetArn": set, "ManagedPolicyArn": ADMIN});
    let (code, message) = refused(&sandbox, "AttachManagedPolicyToPermissionSet", body);
    assert_eq!(code, "ResourceNotFoundException");
    assert_eq!(message, format!("Policy does not exist with ARN: {ADMIN}"));
}

// Source: API DetachManagedPolicyFromPermissionSet.
#[test]
fn detaching_a_policy_that_is_not_attached_is_not_found() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    let managed = json!({"PermissionSetArn": set, "ManagedPolicyArn": ADMIN});
    let error = code(&sandbox, "DetachManagedPolicyFromPermissionSet", managed);
    assert_eq!(error, "ResourceNotFoundException");
    let customer = json!({"PermissionSetArn": set, "CustomerManagedPolicyReference": {"Name": "x"}});
    let operation = "DetachCustomerManagedPolicyReferenceFromPermissionSet";
    assert_eq!(code(&sandbox, operation, customer), "ResourceNotFoundException");
}

// Source: guide, quotas; both kinds together.
#[test]
fn a_set_holds_twenty_policies_of_both_kinds() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    for number in 0..19 {
        attach(&sandbox, &set, &format!("arn:aws:iam::aws:policy/P{number}"));
    }
    let operation = "AttachCustomerManagedPolicyReferenceToPermissionSet";
    let body = |name| json!({"PermissionSetArn": set, "CustomerManagedPolicyReference": {"Name": name}});
    ok(&sandbox, operation, body("last"));
    let (code, message) = refused(&sandbox, operation, body("more"));
    assert_eq!(code, "ServiceQuotaExceededException");
    assert!(message.contains("Cannot create ManagedPolicy more than 20"));
}

// Source: botocore; the path defaults to `/` and is part of the identity.
#[test]
fn a_customer_managed_policy_is_known_by_name_and_path() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    let attach = "AttachCustomerManagedPolicyReferenceToPermissionSet";
    let with = |policy| json!({"PermissionSetArn": set, "CustomerManagedPolicyReference": policy});
    ok(&sandbox, attach, with(json!({"Name": "p"})));
    ok(&sandbox, attach, with(json!({"Name": "p", "Path": "/team/"})));
    let twice = code(&sandbox, attach, with(json!({"Name": "p", "Path": "/"})));
    assert_eq!(twice, "ConflictException");
    let body = ok(&sandbox, "ListCustomerManagedPolicyReferencesInPermissionSet", of(&set));
    let expected = json!([{"Name": "p", "Path": "/"}, {"Name": "p", "Path": "/team/"}]);
    assert_eq!(body["CustomerManagedPolicyReferences"], expected);
}

// Source: API GetInlinePolicyForPermissionSet; none is no error. Choice: the text comes back verbatim.
#[test]
fn the_inline_policy_comes_back_verbatim() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    assert_eq!(ok(&sandbox, "GetInlinePolicyForPermissionSet", of(&set)), json!({"InlinePolicy": ""}));
    let text = format!("  {POLICY}\n");
    let body = json!({"PermissionSetArn": set, "InlinePolicy": text});
    ok(&sandbox, "PutInlinePolicyToPermissionSet", body);
    let body = ok(&sandbox, "GetInlinePolicyForPermissionSet", of(&set));
    assert_eq!(body, json!({"InlinePolicy": text}));
}

// Source: aws-cloudformation provider for AWS::SSO, which deletes without looking.
#[test]
fn deleting_an_inline_policy_that_is_not_there_succeeds() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    ok(&sandbox, "DeleteInlinePolicyFromPermissionSet", of(&set));
}

// Source: aws-cloudformation/cloudformation-coverage-roadmap#1294; IAM user guide, policy grammar.
#[test]
fn an_inline_policy_must_follow_the_grammar() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    for bad in [
        "not json",
        "[]",
        "{}",
        r#"{"Statement":[]}"#,
        r#"{"Statement":[1]}"#,
        r#"{"Version":"2020-01-01","Statement":{"Effect":"Allow","Action":"a:b","Resource":"*"}}"#,
        r#"{"Statement":{"Effect":"allow","Action":"a:b","Resource":"*"}}"#,
        r#"{"Statement":{"Effect":"Allow","Resource":"*"}}"#,
        r#"{"Statement":{"Effect":"Allow","Action":"a:b"}}"#,
        r#"{"Statement":{"Effect":"Allow","Action":"a:b","NotAction":"a:c","Resource":"*"}}"#,
        r#"{"Statement":{"Effect":"Allow","Action":[],"Resource":"*"}}"#,
        r#"{"Statement":{"Effect":"Allow","Action":{"a":1},"Resource":"*"}}"#,
        r#"{"Statement":{"Effect":"Allow","Action":"a:b","Resource":"*","Principal":"*"}}"#,
        r#"{"Statement":{"Effect":"Allow","Effect":"Deny","Action":"a:b","Resource":"*"}}"#,
        r#"{"Statement":{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":[]}}"#,
    ] {
        let (code, message) = inline(&sandbox, &set, bad);
        assert_eq!(code, "ValidationException", "{bad}");
        assert!(message.starts_with("Invalid PermissionsPolicy Document"), "{bad}: {message}");
    }
    let deep = format!("{}1{}", "[".repeat(9000), "]".repeat(200));
    assert_eq!(inline(&sandbox, &set, &deep).0, "ValidationException");
}

// Source: botocore; tab, line feed, carriage return and U+0020 to U+00FF.
#[test]
fn an_inline_policy_has_the_charset_of_iam() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    let (code, message) = inline(&sandbox, &set, &POLICY.replace("s3", "s3→"));
    assert_eq!(code, "ValidationException");
    assert!(message.starts_with("Value of input 'inlinePolicy' failed to satisfy constraint"));
}

// Source: LBHackney-IT/Data-Platform#2789.
#[test]
fn an_inline_policy_has_10240_bytes_without_white_space() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    let dense = POLICY.replace("s3:*", &format!("s3:{}", "a".repeat(10_240)));
    let (code, message) = inline(&sandbox, &set, &dense);
    assert_eq!(code, "ValidationException");
    assert!(message.contains("has exceeded the maximum limit of 10240 bytes"), "{message}");
    let airy = format!("{POLICY}{}", " ".repeat(20_000));
    let body = json!({"PermissionSetArn": set, "InlinePolicy": airy});
    ok(&sandbox, "PutInlinePolicyToPermissionSet", body);
}

// Source: botocore; 32768.
#[test]
fn an_inline_policy_has_32768_bytes_in_all() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    let (code, _) = inline(&sandbox, &set, &format!("{POLICY}{}", " ".repeat(32_768)));
    assert_eq!(code, "ValidationException");
}

// Source: Terraform's and the extensions' sources for the Get; choice for the Delete.
#[test]
fn a_boundary_that_is_not_there_is_not_found() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    for operation in ["GetPermissionsBoundaryForPermissionSet", "DeletePermissionsBoundaryFromPermissionSet"] {
        assert_eq!(code(&sandbox, operation, of(&set)), "ResourceNotFoundException");
    }
}

// Source: API PutPermissionsBoundaryToPermissionSet; exactly one of the two.
#[test]
fn a_boundary_is_one_policy_of_either_kind() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    let put = "PutPermissionsBoundaryToPermissionSet";
    let with = |boundary: &Value| json!({"PermissionSetArn": set, "PermissionsBoundary": boundary});
    let customer = json!({"CustomerManagedPolicyReference": {"Name": "b", "Path": "/team/"}});
    for boundary in [json!({"ManagedPolicyArn": VIEW}), customer] {
        ok(&sandbox, put, with(&boundary));
        let body = ok(&sandbox, "GetPermissionsBoundaryForPermissionSet", of(&set));
        assert_eq!(body, json!({"PermissionsBoundary": boundary}));
    }
    let both = json!({"ManagedPolicyArn": VIEW, "CustomerManagedPolicyReference": {"Name": "b"}});
    for bad in [json!({}), both] {
        assert_eq!(code(&sandbox, put, with(&bad)), "ValidationException");
    }
    ok(&sandbox, "DeletePermissionsBoundaryFromPermissionSet", of(&set));
}

// ---- tags ----

// Source: API TagResource, UntagResource.
#[test]
fn tags_overwrite_by_key_and_keep_the_others() {
    let sandbox = sandbox();
    let body = json!({"Name": "A", "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]});
    let body = ok(&sandbox, "CreatePermissionSet", body);
    let arn = &body["PermissionSet"]["PermissionSetArn"];
    ok(&sandbox, "TagResource", json!({"ResourceArn": arn, "Tags": [{"Key": "b", "Value": ""}]}));
    ok(&sandbox, "UntagResource", json!({"ResourceArn": arn, "TagKeys": ["a", "absent"]}));
    let tags = ok(&sandbox, "ListTagsForResource", json!({"ResourceArn": arn}));
    assert_eq!(tags, json!({"Tags": [{"Key": "b", "Value": ""}]}));
}

// Source: guide, tagging.
#[test]
fn tag_keys_of_aws_are_reserved() {
    let body = json!({"Name": "A", "Tags": [{"Key": "aws:x", "Value": ""}]});
    assert_eq!(code(&sandbox(), "CreatePermissionSet", body), "ValidationException");
}

// Source: botocore; instances are taggable, and InstanceArn is optional.
#[test]
fn the_instance_has_tags_too() {
    let sandbox = sandbox();
    let body = json!({"ResourceArn": INSTANCE, "Tags": [{"Key": "k", "Value": "v"}]});
    assert_eq!(send(&sandbox, "TagResource", &body).status, 200);
    let tags = ok(&sandbox, "ListTagsForResource", json!({"ResourceArn": INSTANCE}));
    assert_eq!(tags["Tags"][0]["Key"], "k");
    let other = json!({"ResourceArn": "arn:aws:sso:::instance/ssoins-ffffffffffffffff"});
    assert_eq!(code(&sandbox, "ListTagsForResource", other), "ResourceNotFoundException");
}

// Source: guide; tags are no part of what is provisioned.
#[tokio::test(start_paused = true)]
async fn tags_do_not_make_an_account_stale() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    assign(&sandbox, &set, ONE).await;
    ok(&sandbox, "TagResource", json!({"ResourceArn": set, "Tags": [{"Key": "k", "Value": "v"}]}));
    assert_eq!(provisioned(&sandbox, &set, STALE), json!([]));
}

// ---- jobs and assignments ----

// Source: API CreateAccountAssignment; the first answer has no date and no reason.
#[tokio::test(start_paused = true)]
async fn an_assignment_is_made_by_a_job() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    let group = ops(&sandbox);
    let body = ok(&sandbox, "CreateAccountAssignment", assignment(&set, ONE, "GROUP", &group));
    let first = body["AccountAssignmentCreationStatus"].as_object().unwrap();
    assert_eq!(first["Status"], "IN_PROGRESS");
    assert_eq!((first["TargetId"].as_str(), first["PrincipalId"].as_str()), (Some(ONE), Some(&*group)));
    assert!(!first.contains_key("CreatedDate") && !first.contains_key("FailureReason"));
    let ask = json!({"AccountAssignmentCreationRequestId": first["RequestId"]});
    let operation = "DescribeAccountAssignmentCreationStatus";
    let status = |body: Value| body["AccountAssignmentCreationStatus"].clone();
    let now = status(ok(&sandbox, operation, ask.clone()));
    assert_eq!((now["Status"].as_str(), now["CreatedDate"].as_f64()), (Some("IN_PROGRESS"), Some(1_700_000_000.0)));
    assert!(rows(&sandbox, &set, ONE).is_empty());
    pass(1).await;
    assert_eq!(status(ok(&sandbox, operation, ask))["Status"], "SUCCEEDED");
    let expected = json!({"AccountId": ONE, "PermissionSetArn": set, "PrincipalType": "GROUP", "PrincipalId": group});
    assert_eq!(rows(&sandbox, &set, ONE), [expected]);
}

// Source: API; each kind of request has its own Describe.
#[tokio::test(start_paused = true)]
async fn a_request_id_belongs_to_its_kind() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    let id = assign(&sandbox, &set, ONE).await["RequestId"].clone();
    let body = json!({"AccountAssignmentDeletionRequestId": id});
    let error = code(&sandbox, "DescribeAccountAssignmentDeletionStatus", body);
    assert_eq!(error, "ResourceNotFoundException");
}

// Source: botocore; list rows have three members, the filter is by status.
#[tokio::test(start_paused = true)]
async fn job_lists_have_three_members_and_a_filter() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    assign(&sandbox, &set, ONE).await;
    let body = ok(&sandbox, "CreateAccountAssignment", assignment(&set, TWO, "GROUP", &ops(&sandbox)));
    let open = &body["AccountAssignmentCreationStatus"]["RequestId"];
    let body = json!({"Filter": {"Status": "IN_PROGRESS"}});
    let body = ok(&sandbox, "ListAccountAssignmentCreationStatus", body);
    let expected = json!([{"Status": "IN_PROGRESS", "RequestId": open, "CreatedDate": 1_700_000_002.0}]);
    assert_eq!(body["AccountAssignmentsCreationStatus"], expected);
    let all = ok(&sandbox, "ListAccountAssignmentCreationStatus", json!({}));
    assert_eq!(all["AccountAssignmentsCreationStatus"].as_array().unwrap().len(), 2);
    let none = ok(&sandbox, "ListPermissionSetProvisioningStatus", json!({}));
    assert_eq!(none, json!({"PermissionSetsProvisioningStatus": []}));
}

// Source: Terraform's account_assignment resource; the API does not prevent duplicates, there is one row.
#[tokio::test(start_paused = true)]
async fn creating_an_assignment_twice_leaves_one() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    assign(&sandbox, &set, ONE).await;
    assert_eq!(assign(&sandbox, &set, ONE).await["Status"], "SUCCEEDED");
    assert_eq!(rows(&sandbox, &set, ONE).len(), 1);
}

// Source: API CreateAccountAssignment.
#[tokio::test(start_paused = true)]
async fn an_assignment_provisions_the_set() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    assert_eq!(provisioned(&sandbox, &set, LATEST), json!([]));
    assign(&sandbox, &set, ONE).await;
    assert_eq!(provisioned(&sandbox, &set, LATEST), json!([ONE]));
    let body = ok(&sandbox, "ListPermissionSetsProvisionedToAccount", json!({"AccountId": ONE}));
    assert_eq!(body, json!({"PermissionSets": [set]}));
}

// Source: API DeleteAccountAssignment; the role goes with the last assignment only.
#[tokio::test(start_paused = true)]
async fn the_last_deletion_deprovisions_the_set() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    assign(&sandbox, &set, ONE).await;
    let user = assignment(&set, ONE, "USER", &ann(&sandbox));
    job(&sandbox, "CreateAccountAssignment", user.clone()).await;
    job(&sandbox, "DeleteAccountAssignment", user).await;
    assert_eq!(provisioned(&sandbox, &set, LATEST), json!([ONE]));
    let group = assignment(&set, ONE, "GROUP", &ops(&sandbox));
    let last = job(&sandbox, "DeleteAccountAssignment", group).await;
    assert_eq!(last["Status"], "SUCCEEDED");
    assert_eq!(provisioned(&sandbox, &set, LATEST), json!([]));
    assert!(rows(&sandbox, &set, ONE).is_empty());
}

// Source: guide, referencing permission sets in resource policies; a new provisioning gives a new role name.
#[tokio::test(start_paused = true)]
async fn the_role_suffix_changes_with_a_new_provisioning_only() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    let suffix = || sandbox.world().permission_sets[0].provisioned[ONE].role_suffix.clone();
    assign(&sandbox, &set, ONE).await;
    let first = suffix();
    assert_eq!(first.len(), 16);
    let target = json!({"PermissionSetArn": set, "TargetType": "ALL_PROVISIONED_ACCOUNTS"});
    job(&sandbox, "ProvisionPermissionSet", target).await;
    assert_eq!(suffix(), first);
    let body = assignment(&set, ONE, "GROUP", &ops(&sandbox));
    job(&sandbox, "DeleteAccountAssignment", body).await;
    assign(&sandbox, &set, ONE).await;
    assert_ne!(suffix(), first);
}

// Source: tf#19341 for the wording.
#[tokio::test(start_paused = true)]
async fn an_unknown_principal_fails_the_job() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    let body = assignment(&set, ONE, "GROUP", NOBODY);
    let last = job(&sandbox, "CreateAccountAssignment", body).await;
    assert_eq!(last["Status"], "FAILED");
    assert_eq!(
        last["FailureReason"],
        format!("Received a 404 status error: the GROUP assignee {NOBODY} was not found in directory {STORE}")
    );
    assert_eq!(provisioned(&sandbox, &set, LATEST), json!([]));
    let wrong_kind = assignment(&set, ONE, "USER", &ops(&sandbox));
    assert_eq!(job(&sandbox, "CreateAccountAssignment", wrong_kind).await["Status"], "FAILED");
}

// Choice: at the job, not at the call.
#[tokio::test(start_paused = true)]
async fn an_unknown_account_fails_the_job() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    let last = assign(&sandbox, &set, "999999999999").await;
    assert_eq!(last["Status"], "FAILED");
    assert!(last["FailureReason"].as_str().unwrap().starts_with("Received a 404 status error: "));
}

// Source: aws-sso-util#80, aws-identitycenter-codepipeline-auto-assignment#31.
#[tokio::test(start_paused = true)]
async fn a_suspended_account_fails_the_job() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    let last = assign(&sandbox, &set, SUSPENDED).await;
    assert_eq!(last["Status"], "FAILED");
    let reason = last["FailureReason"].as_str().unwrap();
    assert!(reason.starts_with("AWS SSO is unable to complete your request at this time."));
    assert!(reason.contains(SUSPENDED));
}

// Source: guide, customer managed policies; IAM's wording (tf#27889).
#[tokio::test(start_paused = true)]
async fn a_customer_managed_policy_missing_in_the_account_fails_the_job() {
    let sandbox = sandbox();
    sandbox.edit(|world| {
        let account = world.accounts.iter_mut().find(|it| it.id == ONE).unwrap();
        account.customer_managed_policies = Some(vec!["/team/Baseline".to_owned()]);
    });
    let set = create_set(&sandbox, "A");
    let reference = json!({"Name": "Baseline", "Path": "/team/"});
    let body = json!({"PermissionSetArn": set, "CustomerManagedPolicyReference": reference});
    ok(&sandbox, "AttachCustomerManagedPolicyReferenceToPermissionSet", body);
    assert_eq!(assign(&sandbox, &set, ONE).await["Status"], "SUCCEEDED");
    let boundary = json!({"CustomerManagedPolicyReference": {"Name": "baseline", "Path": "/team/"}});
    let body = json!({"PermissionSetArn": set, "PermissionsBoundary": boundary});
    ok(&sandbox, "PutPermissionsBoundaryToPermissionSet", body);
    let target = json!({"PermissionSetArn": set, "TargetType": "AWS_ACCOUNT", "TargetId": ONE});
    let last = job(&sandbox, "ProvisionPermissionSet", target).await;
    assert_eq!(last["Status"], "FAILED");
    assert!(last["FailureReason"].as_str().unwrap().contains("policy/team/baseline"));
    assert_eq!(assign(&sandbox, &set, TWO).await["Status"], "SUCCEEDED");
}

// Source: aws-iam-identity-center-extensions#111, iam-identity-center-team#513.
#[tokio::test(start_paused = true)]
async fn one_job_at_a_time_on_an_account_and_a_set() {
    let sandbox = sandbox();
    let (set, other) = (create_set(&sandbox, "A"), create_set(&sandbox, "B"));
    let group = ops(&sandbox);
    ok(&sandbox, "CreateAccountAssignment", assignment(&set, ONE, "GROUP", &group));
    let user = assignment(&set, ONE, "USER", &ann(&sandbox));
    let (code, message) = refused(&sandbox, "CreateAccountAssignment", user.clone());
    assert_eq!(code, "ConflictException");
    assert_eq!(message, "There is a conflicting operation in process.");
    ok(&sandbox, "CreateAccountAssignment", assignment(&set, TWO, "GROUP", &group));
    ok(&sandbox, "CreateAccountAssignment", assignment(&other, ONE, "GROUP", &group));
    pass(1).await;
    ok(&sandbox, "CreateAccountAssignment", user);
}

// Source: the same; a provisioning of all accounts covers each of them.
#[tokio::test(start_paused = true)]
async fn provisioning_all_accounts_locks_every_one_of_them() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    assign(&sandbox, &set, ONE).await;
    let all = json!({"PermissionSetArn": set, "TargetType": "ALL_PROVISIONED_ACCOUNTS"});
    ok(&sandbox, "ProvisionPermissionSet", all.clone());
    let group = ops(&sandbox);
    let covered = assignment(&set, ONE, "GROUP", &group);
    assert_eq!(code(&sandbox, "DeleteAccountAssignment", covered.clone()), "ConflictException");
    assert_eq!(code(&sandbox, "ProvisionPermissionSet", all.clone()), "ConflictException");
    ok(&sandbox, "CreateAccountAssignment", assignment(&set, TWO, "GROUP", &group));
    pass(1).await;
    ok(&sandbox, "DeleteAccountAssignment", covered);
    assert_eq!(code(&sandbox, "ProvisionPermissionSet", all), "ConflictException");
}

// Source: aws-iam-identity-center-extensions#87; guide, quotas. That deletions count is a choice.
#[tokio::test(start_paused = true)]
async fn ten_assignment_jobs_may_be_open() {
    let sandbox = sandbox();
    let group = ops(&sandbox);
    let sets: Vec<_> = (0..11).map(|n| create_set(&sandbox, &format!("S{n}"))).collect();
    for set in &sets[..10] {
        ok(&sandbox, "CreateAccountAssignment", assignment(set, ONE, "GROUP", &group));
    }
    let more = assignment(&sets[10], ONE, "GROUP", &group);
    let (code, message) = refused(&sandbox, "CreateAccountAssignment", more.clone());
    assert_eq!(code, "ThrottlingException");
    assert_eq!(message, "There are too many requests processing. Please try again later.");
    pass(1).await;
    ok(&sandbox, "CreateAccountAssignment", more);
}

// Choice, with a switch: ResourceNotFoundException at once, or a job that succeeds.
#[tokio::test(start_paused = true)]
async fn deleting_an_assignment_that_is_not_there_follows_the_switch() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    let body = assignment(&set, ONE, "GROUP", &ops(&sandbox));
    let error = code(&sandbox, "DeleteAccountAssignment", body.clone());
    assert_eq!(error, "ResourceNotFoundException");
    sandbox.edit(|world| world.settings.delete_missing_assignment = Missing::Succeeds);
    assert_eq!(job(&sandbox, "DeleteAccountAssignment", body).await["Status"], "SUCCEEDED");
}

// Source: aws-sso-util#93, slashdevops/idp-scim-sync#70; tf#19341 for the clean-up.
#[tokio::test(start_paused = true)]
async fn a_deleted_principal_leaves_an_orphan_that_can_be_removed() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    let group = ops(&sandbox);
    assign(&sandbox, &set, ONE).await;
    ok(&sandbox, "store.DeleteGroup", json!({"GroupId": group}));
    assert_eq!(code(&sandbox, "store.DescribeGroup", json!({"GroupId": group})), "ResourceNotFoundException");
    assert_eq!(rows(&sandbox, &set, ONE)[0]["PrincipalId"], group);
    let body = assignment(&set, ONE, "GROUP", &group);
    assert_eq!(job(&sandbox, "DeleteAccountAssignment", body).await["Status"], "SUCCEEDED");
}

// Choice, with a switch: a user's rows include those of the user's groups, which name the group.
#[tokio::test(start_paused = true)]
async fn a_users_rows_include_the_groups_rows() {
    let sandbox = sandbox();
    let (group, user) = (ops(&sandbox), ann(&sandbox));
    let member = Membership { group_id: group.clone(), user_id: user.clone(), ..Membership::default() };
    sandbox.edit(|world| world.memberships.push(member));
    let set = create_set(&sandbox, "A");
    assign(&sandbox, &set, ONE).await;
    let direct = assignment(&set, TWO, "USER", &user);
    job(&sandbox, "CreateAccountAssignment", direct).await;
    let list = |filter: Value| {
        let body = json!({"PrincipalType": "USER", "PrincipalId": user, "Filter": filter});
        let body = ok(&sandbox, "ListAccountAssignmentsForPrincipal", body);
        let rows = body["AccountAssignments"].as_array().unwrap().clone();
        rows.iter().map(|row| row["PrincipalId"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(list(json!({})), [user.clone(), group.clone()]);
    assert_eq!(list(json!({"AccountId": ONE})), [group]);
    sandbox.edit(|world| world.settings.group_rows_for_users = false);
    assert_eq!(list(Value::Null), [user.as_str()]);
}

// Source: Terraform relies on it after deletions.
#[test]
fn a_pair_without_assignments_lists_none() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    assert!(rows(&sandbox, &set, "999999999999").is_empty());
}

// ---- provisioning ----

// Source: guide; Terraform and CloudFormation provision after each of these.
#[tokio::test(start_paused = true)]
async fn every_change_of_content_leaves_accounts_stale() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    assign(&sandbox, &set, ONE).await;
    let reference = json!({"Name": "p"});
    let boundary = json!({"ManagedPolicyArn": VIEW});
    for (operation, more) in [
        ("UpdatePermissionSet", json!({"Description": "d"})),
        ("AttachManagedPolicyToPermissionSet", json!({"ManagedPolicyArn": VIEW})),
        ("DetachManagedPolicyFromPermissionSet", json!({"ManagedPolicyArn": VIEW})),
        ("AttachCustomerManagedPolicyReferenceToPermissionSet", json!({"CustomerManagedPolicyReference": reference})),
        ("DetachCustomerManagedPolicyReferenceFromPermissionSet", json!({"CustomerManagedPolicyReference": reference})),
        ("PutInlinePolicyToPermissionSet", json!({"InlinePolicy": POLICY})),
        ("DeleteInlinePolicyFromPermissionSet", json!({})),
        ("PutPermissionsBoundaryToPermissionSet", json!({"PermissionsBoundary": boundary})),
        ("DeletePermissionsBoundaryFromPermissionSet", json!({})),
    ] {
        let mut body = more;
        body["PermissionSetArn"] = json!(set);
        ok(&sandbox, operation, body);
        assert_eq!(provisioned(&sandbox, &set, STALE), json!([ONE]), "{operation}");
        assert_eq!(provisioned(&sandbox, &set, LATEST), json!([]), "{operation}");
        let target = json!({"PermissionSetArn": set, "TargetType": "AWS_ACCOUNT", "TargetId": ONE});
        let last = job(&sandbox, "ProvisionPermissionSet", target).await;
        assert_eq!((last["Status"].as_str(), last["AccountId"].as_str()), (Some("SUCCEEDED"), Some(ONE)));
        assert_eq!(provisioned(&sandbox, &set, LATEST), json!([ONE]), "{operation}");
    }
}

// Source: API ListPermissionSetsProvisionedToAccount; the filter goes by account as well.
#[tokio::test(start_paused = true)]
async fn stale_sets_are_found_by_account_too() {
    let sandbox = sandbox();
    let (stale, fresh) = (create_set(&sandbox, "A"), create_set(&sandbox, "B"));
    assign(&sandbox, &stale, ONE).await;
    assign(&sandbox, &fresh, ONE).await;
    attach(&sandbox, &stale, VIEW);
    for (status, set) in [(STALE, stale), (LATEST, fresh)] {
        let body = json!({"AccountId": ONE, "ProvisioningStatus": status});
        let body = ok(&sandbox, "ListPermissionSetsProvisionedToAccount", body);
        assert_eq!(body["PermissionSets"], json!([set]));
    }
}

// Choice, with a switch.
#[tokio::test(start_paused = true)]
async fn a_new_assignment_refreshes_a_stale_account_by_the_switch() {
    for (refreshes, left) in [(true, json!([])), (false, json!([ONE]))] {
        let mut world = world();
        world.settings.create_refreshes_stale = refreshes;
        let sandbox = Sandbox::new(world);
        let set = create_set(&sandbox, "A");
        assign(&sandbox, &set, ONE).await;
        attach(&sandbox, &set, VIEW);
        let user = assignment(&set, ONE, "USER", &ann(&sandbox));
        job(&sandbox, "CreateAccountAssignment", user).await;
        assert_eq!(provisioned(&sandbox, &set, STALE), left);
    }
}

// Source: API ProvisionPermissionSet.
#[test]
fn provisioning_one_account_needs_its_id() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    let body = json!({"PermissionSetArn": set, "TargetType": "AWS_ACCOUNT"});
    let (code, message) = refused(&sandbox, "ProvisionPermissionSet", body);
    assert_eq!(code, "ValidationException");
    assert!(message.contains("'targetId'"));
}

// Source: Terraform's acceptance tests; the answer names no account.
#[tokio::test(start_paused = true)]
async fn provisioning_a_set_that_is_nowhere_succeeds() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    let body = json!({"PermissionSetArn": set, "TargetType": "ALL_PROVISIONED_ACCOUNTS"});
    let last = job(&sandbox, "ProvisionPermissionSet", body).await;
    assert_eq!(last["Status"], "SUCCEEDED");
    assert_eq!(last.get("AccountId"), None);
}

// Source: tf#32006.
#[tokio::test(start_paused = true)]
async fn a_set_can_be_provisioned_without_any_assignment() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    let body = json!({"PermissionSetArn": set, "TargetType": "AWS_ACCOUNT", "TargetId": ONE});
    job(&sandbox, "ProvisionPermissionSet", body).await;
    assert_eq!(provisioned(&sandbox, &set, LATEST), json!([ONE]));
    assert!(rows(&sandbox, &set, ONE).is_empty());
    assert_eq!(code(&sandbox, "DeletePermissionSet", of(&set)), "ConflictException");
}

// ---- pages ----

// Source: API; MaxResults is honoured, the last page has no token.
#[test]
fn lists_come_in_pages_and_end_without_a_token() {
    let mut world = world();
    world.settings.page_size = 3;
    let sandbox = Sandbox::new(world);
    let mut expected: Vec<_> = (0..7).map(|n| create_set(&sandbox, &format!("S{n}"))).collect();
    expected.sort();
    let mut found = Vec::new();
    let mut sizes = Vec::new();
    let mut body = json!({});
    loop {
        let page = ok(&sandbox, "ListPermissionSets", body);
        let sets = page["PermissionSets"].as_array().unwrap();
        sizes.push(sets.len());
        found.extend(sets.iter().map(|set| set.as_str().unwrap().to_owned()));
        match page.get("NextToken") {
            Some(token) => body = json!({"NextToken": token, "MaxResults": 2}),
            None => break,
        }
    }
    assert_eq!((found, sizes), (expected, vec![3, 2, 2]));
}

// Choice: a token belongs to its operation and input; AWS documents ValidationException for bad input.
#[test]
fn a_token_is_bound_to_its_request() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    let other = create_set(&sandbox, "B");
    attach(&sandbox, &set, VIEW);
    attach(&sandbox, &set, ADMIN);
    let list = "ListManagedPoliciesInPermissionSet";
    let body = ok(&sandbox, list, json!({"PermissionSetArn": set, "MaxResults": 1}));
    let token = body["NextToken"].as_str().unwrap();
    for (operation, body) in [
        (list, json!({"PermissionSetArn": other, "NextToken": token})),
        ("ListPermissionSets", json!({"NextToken": token})),
        (list, json!({"PermissionSetArn": set, "NextToken": format!("{token}0")})),
        (list, json!({"PermissionSetArn": set, "NextToken": token.replace(|c: char| c.is_ascii_digit(), "f")})),
        (list, json!({"PermissionSetArn": set, "NextToken": "++++"})),
    ] {
        assert_eq!(code(&sandbox, operation, body), "ValidationException");
    }
    let body = ok(&sandbox, list, json!({"PermissionSetArn": set, "NextToken": token}));
    assert_eq!(body["AttachedManagedPolicies"][0]["Arn"], ADMIN);
}

// Source: botocore; organizations pages have at most 20 entries.
#[test]
fn organizations_pages_have_twenty_accounts() {
    let mut world = world();
    for number in 0..30 {
        let account = json!({"id": format!("5000000000{number:02}")});
        world.accounts.push(serde_json::from_value::<Account>(account).unwrap());
    }
    let sandbox = Sandbox::new(world);
    let body = ok(&sandbox, "org.ListAccounts", json!({}));
    assert_eq!(body["Accounts"].as_array().unwrap().len(), 20);
    let body = ok(&sandbox, "org.ListAccounts", json!({"NextToken": body["NextToken"]}));
    assert_eq!(body["Accounts"].as_array().unwrap().len(), 14);
    let bad = error_body(&sandbox, "org.ListAccounts", json!({"NextToken": "x"}));
    assert_eq!(bad["Reason"], "INVALID_NEXT_TOKEN");
}

// ---- identity store ----

// Source: API GetUserId; by user name or email, exact.
#[test]
fn a_user_is_found_by_name_or_email() {
    let sandbox = sandbox();
    let ask = |path: &str, value: &str| {
        let attribute = json!({"AttributePath": path, "AttributeValue": value});
        json!({"AlternateIdentifier": {"UniqueAttribute": attribute}})
    };
    for path in ["userName", "emails.value"] {
        let body = ok(&sandbox, "store.GetUserId", ask(path, "ann@example.com"));
        assert_eq!(body["UserId"], ann(&sandbox));
        let error = code(&sandbox, "store.GetUserId", ask(path, "ANN@example.com"));
        assert_eq!(error, "ResourceNotFoundException");
    }
    let error = code(&sandbox, "store.GetUserId", ask("displayName", "ann@example.com"));
    assert_eq!(error, "ValidationException");
}

// Source: API GetGroupId; moto for the wording, botocore for the members of the error.
#[test]
fn a_group_is_found_by_display_name() {
    let sandbox = sandbox();
    let ask = |value: &str| {
        let attribute = json!({"AttributePath": "displayName", "AttributeValue": value});
        json!({"AlternateIdentifier": {"UniqueAttribute": attribute}})
    };
    assert_eq!(ok(&sandbox, "store.GetGroupId", ask("ops"))["GroupId"], ops(&sandbox));
    let body = error_body(&sandbox, "store.GetGroupId", ask("nobody"));
    assert_eq!((body["Message"].as_str(), body["ResourceType"].as_str()), (Some("GROUP not found."), Some("GROUP")));
    assert_eq!(body["RequestId"].as_str().unwrap().len(), 36);
}

// Source: botocore; ids and stores may be given as ARNs in the newest model.
#[test]
fn a_principal_is_described_by_id_or_arn() {
    let sandbox = sandbox();
    let id = ann(&sandbox);
    let by_id = ok(&sandbox, "store.DescribeUser", json!({"UserId": id}));
    assert_eq!((by_id["UserName"].as_str(), by_id["UserStatus"].as_str()), (Some("ann@example.com"), Some("ENABLED")));
    let arn = json!({
        "UserId": format!("arn:aws:identitystore:::user/{id}"),
        "IdentityStoreId": format!("arn:aws:identitystore::111111111111:identitystore/{STORE}"),
    });
    assert_eq!(ok(&sandbox, "store.DescribeUser", arn), by_id);
    let body = error_body(&sandbox, "store.DescribeUser", json!({"UserId": NOBODY}));
    assert_eq!(body["ResourceId"], NOBODY);
}

// Source: API ListUsers; the filter is deprecated but served.
#[test]
fn users_and_groups_are_listed_and_filtered() {
    let sandbox = sandbox();
    ok(&sandbox, "store.CreateGroup", json!({"DisplayName": "dev team"}));
    let all = ok(&sandbox, "store.ListGroups", json!({}));
    assert_eq!(all["Groups"].as_array().unwrap().len(), 2);
    let filters = json!([{"AttributePath": "DisplayName", "AttributeValue": "ops"}]);
    let body = ok(&sandbox, "store.ListGroups", json!({"Filters": filters}));
    assert_eq!(body["Groups"][0]["GroupId"], ops(&sandbox));
    assert_eq!(body["Groups"].as_array().unwrap().len(), 1);
    let filters = json!([{"AttributePath": "DisplayName", "AttributeValue": "Ann"}]);
    assert_eq!(code(&sandbox, "store.ListUsers", json!({"Filters": filters})), "ValidationException");
}

// Source: botocore ConflictException.Reason.
#[test]
fn names_are_unique_in_the_store() {
    let sandbox = sandbox();
    let name = json!({"GivenName": "Ann", "FamilyName": "A"});
    let user = json!({"UserName": "ann@example.com", "DisplayName": "Ann", "Name": name});
    for (operation, body) in [("store.CreateUser", user), ("store.CreateGroup", json!({"DisplayName": "ops"}))] {
        let body = error_body(&sandbox, operation, body);
        assert_eq!(body["__type"], "ConflictException");
        assert_eq!(body["Reason"], "UNIQUENESS_CONSTRAINT_VIOLATION");
    }
}

// Source: API CreateUser, CreateGroup.
#[test]
fn new_principals_need_names_that_are_not_reserved() {
    let sandbox = sandbox();
    let name = json!({"GivenName": "Z", "FamilyName": "Z"});
    let user = json!({"UserName": "zoe", "DisplayName": "Zoe", "Name": name});
    let id = ok(&sandbox, "store.CreateUser", user.clone())["UserId"].clone();
    assert_eq!(ok(&sandbox, "store.DescribeUser", json!({"UserId": id}))["Name"], name);
    for missing in ["UserName", "DisplayName", "Name"] {
        let mut body = user.clone();
        body[missing] = Value::Null;
        assert_eq!(code(&sandbox, "store.CreateUser", body), "ValidationException");
    }
    let body = json!({"DisplayName": "AWSAdministrators"});
    assert_eq!(code(&sandbox, "store.CreateGroup", body), "ValidationException");
}

// Source: guide; a recreated principal is another one.
#[test]
fn a_recreated_group_has_a_new_id() {
    let sandbox = sandbox();
    let before = ops(&sandbox);
    ok(&sandbox, "store.DeleteGroup", json!({"GroupId": before}));
    assert_eq!(code(&sandbox, "store.DeleteGroup", json!({"GroupId": before})), "ResourceNotFoundException");
    let after = ok(&sandbox, "store.CreateGroup", json!({"DisplayName": "ops"}));
    assert_ne!(after["GroupId"], before);
}

// Source: API DeleteUser.
#[test]
fn a_deleted_user_leaves_its_groups() {
    let sandbox = Sandbox::new(starter::starter());
    let before = sandbox.world();
    let user = before.users.iter().find(|it| it.user_name == "alice@example.com").unwrap();
    ok(&sandbox, "store.DeleteUser", json!({"UserId": user.id}));
    assert!(sandbox.world().memberships.iter().all(|it| it.user_id != user.id));
}

// ---- organizations ----

// Source: botocore; State is the newer member, Status the older.
#[test]
fn an_account_has_state_and_status() {
    let sandbox = sandbox();
    let body = ok(&sandbox, "org.DescribeAccount", json!({"AccountId": SUSPENDED}));
    let account = &body["Account"];
    assert_eq!((account["State"].as_str(), account["Status"].as_str()), (Some("SUSPENDED"), Some("SUSPENDED")));
    assert_eq!(account["JoinedMethod"], "CREATED");
    let error = code(&sandbox, "org.DescribeAccount", json!({"AccountId": "999999999999"}));
    assert_eq!(error, "AccountNotFoundException");
}

// Source: API DescribeOrganization; the management account is listed like any other.
#[test]
fn the_organization_names_its_management_account() {
    let sandbox = sandbox();
    let body = ok(&sandbox, "org.DescribeOrganization", json!({}));
    assert_eq!(body["Organization"]["MasterAccountId"], "111111111111");
    let accounts = ok(&sandbox, "org.ListAccounts", json!({}));
    let ids: Vec<_> = accounts["Accounts"].as_array().unwrap().iter().map(|it| &it["Id"]).collect();
    assert_eq!(ids, ["111111111111", ONE, TWO, SUSPENDED]);
}

// ---- the world and its file ----

#[test]
fn the_starter_world_has_drift_to_find() {
    let sandbox = Sandbox::new(starter::starter());
    let world = sandbox.world();
    assert_eq!(world.permission_sets.len(), 3);
    let arn = |id: &str| format!("arn:aws:sso:::permissionSet/ssoins-00aa11bb22cc33dd/{id}");
    let admin = world.permission_sets.iter().find(|it| it.name == "AdministratorAccess").unwrap();
    let set = arn(&admin.id);
    assert_eq!(provisioned(&sandbox, &set, STALE), json!(["215665149509"]));
    assert_eq!(provisioned(&sandbox, &set, LATEST), json!(["111111111111"]));
    let rows = rows(&sandbox, &set, "215665149509");
    let orphans = rows.iter().filter(|row| {
        let body = json!({"UserId": row["PrincipalId"], "IdentityStoreId": STORE});
        send(&sandbox, "store.DescribeUser", &body).status == 400
    });
    assert_eq!((rows.len(), orphans.count()), (2, 1));
}

#[test]
fn a_world_for_names_has_just_these() {
    let names = starter::Names {
        accounts: vec![(ONE.to_owned(), "one".to_owned())],
        groups: vec!["ops".to_owned(), "ops".to_owned()],
        users: vec!["ann".to_owned()],
    };
    let world = starter::world_for(&names);
    let accounts: Vec<_> = world.accounts.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(accounts, [ONE, "111111111111"]);
    assert_eq!((world.groups.len(), world.users.len(), world.permission_sets.len()), (1, 1, 0));
}

#[test]
fn a_world_survives_its_file_form() {
    for world in [starter::starter(), world(), World::default()] {
        let once = Sandbox::new(world).world();
        let text = serde_json::to_string_pretty(&once).unwrap();
        let back: World = serde_json::from_str(&text).unwrap();
        assert_eq!(back, once);
        assert_eq!(Sandbox::new(back).world(), once);
    }
}

#[tokio::test(start_paused = true)]
async fn every_change_is_in_the_journal_and_in_the_file_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deeper/world.json");
    let sandbox = Sandbox::open(&path, world).unwrap();
    let read = || serde_json::from_slice::<World>(&std::fs::read(&path).unwrap()).unwrap();
    let journal = || std::fs::read_to_string(folder.path().join("deeper/world.json.journal")).unwrap_or_default();
    assert!(read().permission_sets.is_empty());
    let set = create_set(&sandbox, "A");
    assert_eq!((read().permission_sets.len(), journal().lines().count()), (0, 2), "{}", journal());
    ok(&sandbox, "CreateAccountAssignment", assignment(&set, ONE, "GROUP", &ops(&sandbox)));
    assert_eq!(code(&sandbox, "CreatePermissionSet", json!({"Name": "A"})), "ConflictException");
    ok(&sandbox, "ListInstances", json!({}));
    assert_eq!(journal().lines().count(), 3, "{}", journal());
    pass(1).await;
    let now = sandbox.world();
    drop(sandbox);
    assert_eq!((journal(), World { generation: 0, ..read() }), (String::new(), now));
    // A file of somebody else's is replaced with the first change.
    let sandbox = Sandbox::open(&path, world).unwrap();
    create_set(&sandbox, "B");
    assert_eq!((read().permission_sets.len(), journal()), (2, String::new()));
    sandbox.edit(|world| world.assignments.clear());
    assert_eq!(World { generation: 0, ..read() }, sandbox.world());
}

/// What a killed process leaves behind: the files as they are, while the sandbox still lives.
fn left_behind(path: &std::path::Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for ending in ["", ".journal"] {
        let from = format!("{}{ending}", path.display());
        let _ = std::fs::copy(from, folder.path().join(format!("world.json{ending}")));
    }
    folder
}

#[tokio::test(start_paused = true)]
async fn a_killed_process_loses_nothing_that_was_answered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.json");
    let sandbox = Sandbox::open(&path, world).unwrap();
    let set = create_set(&sandbox, "A");
    assign(&sandbox, &set, ONE).await;
    attach(&sandbox, &set, ADMIN);
    let user = json!({"UserName": "new", "DisplayName": "N", "Name": {"GivenName": "N", "FamilyName": "N"}});
    ok(&sandbox, "store.CreateUser", user);
    ok(&sandbox, "org.CreateAccount", json!({"Email": "new@example.com", "AccountName": "new"}));
    pass(2).await;
    job(&sandbox, "ProvisionPermissionSet", json!({"PermissionSetArn": set, "TargetType": "ALL_PROVISIONED_ACCOUNTS"}))
        .await;
    ok(&sandbox, "CreateAccountAssignment", assignment(&set, TWO, "GROUP", &ops(&sandbox)));
    pass(1).await;
    let killed = left_behind(&path);
    let again = Sandbox::open(&killed.path().join("world.json"), World::default).unwrap();
    pass(5).await;
    assert_eq!(again.world(), sandbox.world());
    // The journal is folded in when that one ends, and no call is made twice.
    drop(again);
    let again = Sandbox::open(&killed.path().join("world.json"), World::default).unwrap();
    assert_eq!(World { generation: 0, ..again.world() }, sandbox.world());
}

#[test]
fn a_torn_line_is_the_call_in_flight() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.json");
    let sandbox = Sandbox::open(&path, world).unwrap();
    create_set(&sandbox, "A");
    ok(&sandbox, "store.CreateGroup", json!({"DisplayName": "é"}));
    let killed = left_behind(&path);
    let journal = killed.path().join("world.json.journal");
    let text = std::fs::read(&journal).unwrap();
    // In the middle of a character.
    let torn = text.iter().rposition(|byte| *byte == 0xC3).unwrap() + 1;
    std::fs::write(&journal, &text[..torn]).unwrap();
    let again = Sandbox::open(&killed.path().join("world.json"), World::default).unwrap();
    assert_eq!((again.world().permission_sets.len(), again.world().groups.len()), (1, 1));
    create_set(&again, "C");
    let twice = left_behind(&killed.path().join("world.json"));
    let third = Sandbox::open(&twice.path().join("world.json"), World::default).unwrap();
    assert_eq!(third.world().permission_sets.len(), 2);
}

// Somebody starts again from a template: what was played since is not played into it.
#[test]
fn a_journal_of_another_file_is_put_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.json");
    let template = serde_json::to_vec(&world()).unwrap();
    std::fs::write(&path, &template).unwrap();
    let sandbox = Sandbox::open(&path, World::default).unwrap();
    create_set(&sandbox, "A");
    create_set(&sandbox, "B");
    let killed = left_behind(&path);
    let there = killed.path().join("world.json");
    let journal = std::fs::read(killed.path().join("world.json.journal")).unwrap();
    std::fs::write(&there, &template).unwrap();
    let opened = Sandbox::open(&there, World::default).unwrap();
    assert_eq!(opened.world().permission_sets, []);
    let notices = opened.notices().join("\n");
    assert!(notices.contains("the last 1 changes are in"), "{notices}");
    assert_eq!(std::fs::read(killed.path().join("world.json.journal.old")).unwrap(), journal);
    assert_eq!(opened.notices(), Vec::<String>::new());
    drop(opened);
    Sandbox::make(&there, world()).unwrap();
    assert_eq!(Sandbox::open(&there, World::default).unwrap().world().permission_sets, []);
}

// Somebody edits the file while it is served: no write may lose that without a word.
#[test]
fn what_is_edited_while_in_use_is_put_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.json");
    let sandbox = Sandbox::open(&path, world).unwrap();
    create_set(&sandbox, "A");
    assert_eq!(sandbox.notices(), Vec::<String>::new());
    let mut edited = world();
    edited.seed = 77;
    let edited = serde_json::to_vec(&edited).unwrap();
    std::fs::write(&path, &edited).unwrap();
    sandbox.save().unwrap();
    let notices = sandbox.notices().join("\n");
    assert!(notices.contains("was edited while it was in use"), "{notices}");
    assert_eq!(std::fs::read(folder.path().join("world.json.edited")).unwrap(), edited);
    create_set(&sandbox, "B");
    std::fs::write(&path, "again").unwrap();
    drop(sandbox);
    assert_eq!(std::fs::read(folder.path().join("world.json.edited")).unwrap(), edited);
    assert_eq!(std::fs::read(folder.path().join("world.json.edited.2")).unwrap(), b"again");
    assert_eq!(Sandbox::open(&path, world).unwrap().world().permission_sets.len(), 2);
}

#[cfg(unix)]
#[test]
fn a_link_to_a_world_is_that_world() {
    let folder = tempfile::tempdir().unwrap();
    let (path, link) = (folder.path().join("world.json"), folder.path().join("link.json"));
    let sandbox = Sandbox::open(&path, world).unwrap();
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(matches!(Sandbox::open(&link, world), Err(StoreError::Locked { .. })));
    create_set(&sandbox, "A");
    drop(sandbox);
    let linked = Sandbox::open(&link, world).unwrap();
    create_set(&linked, "B");
    drop(linked);
    assert!(link.is_symlink());
    assert_eq!(Sandbox::open(&path, world).unwrap().world().permission_sets.len(), 2);
}

// Ids do not depend on who looks when: a journal that is played again gives the same world as the calls did.
#[tokio::test(start_paused = true)]
async fn what_is_under_way_ends_in_the_same_way_whoever_looks() {
    for looks in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("world.json");
        let sandbox = Sandbox::open(&path, world).unwrap();
        let set = create_set(&sandbox, "A");
        ok(&sandbox, "org.CreateAccount", json!({"Email": "new@example.com", "AccountName": "new"}));
        tokio::time::advance(Duration::from_millis(500)).await;
        ok(&sandbox, "CreateAccountAssignment", assignment(&set, ONE, "GROUP", &ops(&sandbox)));
        tokio::time::advance(Duration::from_millis(650)).await;
        if looks {
            ok(&sandbox, "ListInstances", json!({}));
        }
        let created =
            ok(&sandbox, "org.ListCreateAccountStatus", json!({}))["CreateAccountStatuses"][0]["AccountId"].clone();
        pass(1).await;
        ok(&sandbox, "org.TagResource", json!({"ResourceId": created, "Tags": [{"Key": "k", "Value": "v"}]}));
        let killed = left_behind(&path);
        let again = Sandbox::open(&killed.path().join("world.json"), World::default).unwrap();
        assert_eq!(again.world(), sandbox.world());
    }
}

// What is kept of a request must be readable again.
#[test]
fn a_body_that_nests_too_deeply_is_refused_and_strange_members_are_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.json");
    let sandbox = Sandbox::open(&path, world).unwrap();
    let nested = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!([inner]));
    let body = |extension: Value| json!({"UserName": "u", "DisplayName": "U", "Name": {"GivenName": "G", "FamilyName": "F"}, "Extensions": {"aws:identitystore:ext": extension}});
    assert_eq!(code(&sandbox, "store.CreateUser", body(nested(100))), "SerializationException");
    ok(&sandbox, "store.CreateUser", body(nested(50)));
    ok(&sandbox, "CreatePermissionSet", json!({"Name": "A", "X": nested(50)}));
    let journal = std::fs::read_to_string(folder.path().join("world.json.journal")).unwrap();
    assert!(!journal.contains("\"X\""), "{journal}");
    let killed = left_behind(&path);
    assert_eq!(Sandbox::open(&killed.path().join("world.json"), World::default).unwrap().world(), sandbox.world());
    drop(sandbox);
    assert_eq!(Sandbox::open(&path, World::default).unwrap().world().users.len(), 2);
}

#[test]
fn a_journal_that_does_not_fit_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.json");
    drop(Sandbox::open(&path, world).unwrap());
    let heading = {
        let sandbox = Sandbox::open(&path, world).unwrap();
        create_set(&sandbox, "A");
        create_set(&sandbox, "B");
        let killed = left_behind(&path);
        drop(sandbox);
        std::fs::copy(killed.path().join("world.json"), &path).unwrap();
        let journal = std::fs::read_to_string(killed.path().join("world.json.journal")).unwrap();
        format!("{}\n", journal.lines().next().unwrap())
    };
    let unknown = r#"{"call":{"at":1700000000.0,"call":{"operation":"sso-admin.Nonsense","input":{}}}}"#;
    for (lines, expected) in [(unknown, "does not fit its world: sso-admin.Nonsense"), ("{]", "malformed")] {
        std::fs::write(folder.path().join("world.json.journal"), format!("{heading}{lines}\n")).unwrap();
        let error = Sandbox::open(&path, world).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn jobs_outlive_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.json");
    let first = Sandbox::open(&path, world).unwrap();
    let set = create_set(&first, "A");
    ok(&first, "CreateAccountAssignment", assignment(&set, ONE, "GROUP", &ops(&first)));
    drop(first);
    let second = Sandbox::open(&path, || panic!("the file is there")).unwrap();
    assert!(rows(&second, &set, ONE).is_empty());
    pass(1).await;
    assert_eq!(rows(&second, &set, ONE).len(), 1);
}

#[test]
fn a_world_file_has_one_user_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.json");
    let first = Sandbox::open(&path, world).unwrap();
    let clone = first.clone();
    drop(first);
    let second = Sandbox::open(&path, world);
    assert!(matches!(second, Err(StoreError::Locked { .. })));
    drop(clone);
    Sandbox::open(&path, world).unwrap();
}

#[test]
fn a_bad_world_file_is_refused_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.json");
    let open = |text: &str| {
        std::fs::write(&path, text).unwrap();
        Sandbox::open(&path, world).unwrap_err()
    };
    let StoreError::Parse { source, .. } = open("{\n  \"seed\": }") else {
        panic!("not a parse error");
    };
    assert_eq!((source.line(), source.column()), (2, 11));
    assert!(matches!(open(r#"{"colour": "red"}"#), StoreError::Parse { .. }));
    assert!(matches!(open(r#"{"format_version": 2, "new": 1}"#), StoreError::Version { found: 2, .. }));
    for (text, expected) in [
        (r#"{"groups": [{"display_name": "a"}, {"display_name": "a"}]}"#, "group name `a` appears twice"),
        (r#"{"accounts": [{"id": "12"}]}"#, "account id `12` is malformed"),
        (r#"{"permission_sets": [{"name": "a"}, {"name": "a"}]}"#, "permission set `a` appears twice"),
        (r#"{"settings": {"page_size": 0}}"#, "settings.page_size must be between 1 and 100"),
        (
            r#"{"settings": {"organizations_calls_per_second": 0}}"#,
            "settings.organizations_calls_per_second must be more than 0",
        ),
        (
            r#"{"permission_sets": [{"name": "a", "provisioned": {"222222222222": {"version": 2}}}]}"#,
            "permission set `a` is provisioned in 222222222222 at version 2, but is only at 1",
        ),
    ] {
        let StoreError::Inconsistent { what, .. } = open(text) else {
            panic!("{text} was taken");
        };
        assert!(what.contains(expected), "{what}");
    }
    let unknown = Assignment {
        account_id: ONE.to_owned(),
        permission_set_id: "ps-0000000000000000".to_owned(),
        principal_type: PrincipalType::User,
        principal_id: NOBODY.to_owned(),
    };
    let text = json!({"assignments": [unknown]}).to_string();
    let error = open(&text).to_string();
    assert!(error.contains("`ps-0000000000000000`, which does not exist"), "{error}");
}

#[test]
fn a_failed_write_is_answered_as_an_internal_error_and_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gone/world.json");
    let sandbox = Sandbox::open(&path, world).unwrap();
    std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    let body = full("CreatePermissionSet", json!({"Name": "A"}));
    let answer = send(&sandbox, "CreatePermissionSet", &body);
    assert_eq!((answer.status, answer.error.as_deref()), (500, Some("InternalServerException")));
    let text = String::from_utf8(answer.body).unwrap();
    assert!(text.contains("cannot write the sandbox world"), "{text}");
    let body = full("CreatePermissionSet", json!({"Name": "B"}));
    assert_eq!(send(&sandbox, "CreatePermissionSet", &body).status, 500);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    create_set(&sandbox, "C");
    let written: World = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(written.permission_sets.len(), 3);
}

// A folder in the place of the journal. What was answered before and after is kept, what was refused may have happened.
#[test]
fn a_write_that_fails_takes_nothing_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.json");
    let sandbox = Sandbox::open(&path, world).unwrap();
    create_set(&sandbox, "A");
    sandbox.save().unwrap();
    let journal = folder.path().join("world.json.journal");
    std::fs::create_dir(&journal).unwrap();
    let refused = send(&sandbox, "CreatePermissionSet", &full("CreatePermissionSet", json!({"Name": "B"})));
    assert_eq!(refused.error.as_deref(), Some("InternalServerException"));
    let refused = send(&sandbox, "org.CreateAccount", &json!({"Email": "c@example.com", "AccountName": "c"}));
    assert_eq!(refused.status, 200, "the whole world is written next, which needs no journal");
    std::fs::remove_dir(&journal).unwrap();
    create_set(&sandbox, "C");
    let killed = left_behind(&path);
    let after = Sandbox::open(&killed.path().join("world.json"), world).unwrap();
    let mut names: Vec<_> = after.world().permission_sets.iter().map(|set| set.name.clone()).collect();
    names.sort();
    assert_eq!(names, ["A", "B", "C"]);
    assert_eq!(after.world(), sandbox.world());
}

// A journal whose heading never arrived holds nothing that was answered.
#[test]
fn an_empty_journal_is_no_journal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.json");
    drop(Sandbox::open(&path, world).unwrap());
    for text in ["", "{\"dig"] {
        std::fs::write(folder.path().join("world.json.journal"), text).unwrap();
        let sandbox = Sandbox::open(&path, world).unwrap();
        assert_eq!(sandbox.notices(), Vec::<String>::new());
        create_set(&sandbox, &format!("A{}", text.len()));
        create_set(&sandbox, &format!("B{}", text.len()));
        let killed = left_behind(&path);
        let after = Sandbox::open(&killed.path().join("world.json"), world).unwrap();
        assert_eq!(after.world().permission_sets.len(), sandbox.world().permission_sets.len());
    }
}

// Somebody removed the world file of a sandbox that was killed: its changes are not for the starter world.
#[test]
fn a_journal_without_its_world_is_put_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.json");
    std::fs::write(folder.path().join("world.json.journal"), "{\"digest\":1}\n").unwrap();
    let sandbox = Sandbox::open(&path, world).unwrap();
    assert!(sandbox.notices().join("").contains("world.json.journal.old"));
    assert!(folder.path().join("world.json.journal.old").exists());
}

#[test]
fn the_same_world_gives_the_same_ids() {
    let run = |reads: usize| {
        let sandbox = sandbox();
        for _ in 0..reads {
            ok(&sandbox, "ListInstances", json!({}));
        }
        let set = create_set(&sandbox, "A");
        let group = ok(&sandbox, "store.CreateGroup", json!({"DisplayName": "g"}))["GroupId"].clone();
        let body = assignment(&set, ONE, "GROUP", group.as_str().unwrap());
        let body = ok(&sandbox, "CreateAccountAssignment", body);
        (set, group, body["AccountAssignmentCreationStatus"]["RequestId"].clone())
    };
    assert_eq!(run(0), run(0));
    // Reads do not move them.
    assert_eq!(run(0), run(7));
    let request = || send(&sandbox(), "ListInstances", &json!({})).request_id;
    assert_eq!(request(), request());
    let mut other = world();
    other.seed = 2;
    assert_ne!(create_set(&Sandbox::new(other), "A"), create_set(&sandbox(), "A"));
}

#[test]
fn an_assignment_in_the_world_implies_a_provisioned_set() {
    let mut world = world();
    world.permission_sets = serde_json::from_value(json!([{"name": "A", "id": "ps-0000000000000000"}])).unwrap();
    world.assignments.push(Assignment {
        account_id: ONE.to_owned(),
        permission_set_id: "ps-0000000000000000".to_owned(),
        principal_type: PrincipalType::User,
        principal_id: NOBODY.to_owned(),
    });
    let set = &Sandbox::new(world).world().permission_sets[0];
    assert_eq!((set.provisioned[ONE].version, set.provisioned[ONE].role_suffix.len()), (1, 16));
}

#[test]
fn the_clock_runs_without_a_runtime() {
    let mut world = world();
    world.settings.job_seconds = Some(0.0);
    let sandbox = Sandbox::new(world);
    let set = create_set(&sandbox, "A");
    ok(&sandbox, "CreateAccountAssignment", assignment(&set, ONE, "GROUP", &ops(&sandbox)));
    assert_eq!(rows(&sandbox, &set, ONE).len(), 1);
}

// ---- hostile input ----

/// Every operation with a body that is accepted.
fn good_requests(set: &str, group: &str) -> Vec<(&'static str, Value)> {
    let of = |more: Value| {
        let mut body = more;
        body["PermissionSetArn"] = json!(set);
        body
    };
    let managed = of(json!({"ManagedPolicyArn": VIEW}));
    let customer = of(json!({"CustomerManagedPolicyReference": {"Name": "p", "Path": "/t/"}}));
    let row = assignment(set, ONE, "GROUP", group);
    let attribute = |path: &str| {
        let attribute = json!({"AttributePath": path, "AttributeValue": "ops"});
        json!({"AlternateIdentifier": {"UniqueAttribute": attribute}})
    };
    let name = json!({"GivenName": "A", "FamilyName": "B"});
    vec![
        ("ListInstances", json!({"MaxResults": 3})),
        ("DescribeInstance", json!({})),
        ("CreatePermissionSet", json!({"Name": "N", "Tags": [{"Key": "k", "Value": "v"}], "SessionDuration": "PT2H"})),
        ("DescribePermissionSet", of(json!({}))),
        ("UpdatePermissionSet", of(json!({"Description": "d", "RelayState": "r"}))),
        ("DeletePermissionSet", of(json!({}))),
        ("ListPermissionSets", json!({"MaxResults": 3})),
        ("AttachManagedPolicyToPermissionSet", managed.clone()),
        ("DetachManagedPolicyFromPermissionSet", managed),
        ("ListManagedPoliciesInPermissionSet", of(json!({"MaxResults": 3}))),
        ("AttachCustomerManagedPolicyReferenceToPermissionSet", customer.clone()),
        ("DetachCustomerManagedPolicyReferenceFromPermissionSet", customer),
        ("ListCustomerManagedPolicyReferencesInPermissionSet", of(json!({"MaxResults": 3}))),
        ("PutInlinePolicyToPermissionSet", of(json!({"InlinePolicy": POLICY}))),
        ("GetInlinePolicyForPermissionSet", of(json!({}))),
        ("DeleteInlinePolicyFromPermissionSet", of(json!({}))),
        ("PutPermissionsBoundaryToPermissionSet", of(json!({"PermissionsBoundary": {"ManagedPolicyArn": VIEW}}))),
        ("GetPermissionsBoundaryForPermissionSet", of(json!({}))),
        ("DeletePermissionsBoundaryFromPermissionSet", of(json!({}))),
        ("TagResource", json!({"ResourceArn": set, "Tags": [{"Key": "k", "Value": "v"}]})),
        ("UntagResource", json!({"ResourceArn": set, "TagKeys": ["k"]})),
        ("ListTagsForResource", json!({"ResourceArn": set})),
        ("ProvisionPermissionSet", of(json!({"TargetType": "AWS_ACCOUNT", "TargetId": ONE}))),
        ("DescribePermissionSetProvisioningStatus", json!({"ProvisionPermissionSetRequestId": NOBODY})),
        ("ListPermissionSetProvisioningStatus", json!({"Filter": {"Status": "FAILED"}})),
        ("CreateAccountAssignment", row.clone()),
        ("DeleteAccountAssignment", row),
        ("DescribeAccountAssignmentCreationStatus", json!({"AccountAssignmentCreationRequestId": NOBODY})),
        ("DescribeAccountAssignmentDeletionStatus", json!({"AccountAssignmentDeletionRequestId": NOBODY})),
        ("ListAccountAssignmentCreationStatus", json!({"Filter": {"Status": "FAILED"}})),
        ("ListAccountAssignmentDeletionStatus", json!({"Filter": {"Status": "FAILED"}})),
        ("ListAccountAssignments", of(json!({"AccountId": ONE}))),
        (
            "ListAccountAssignmentsForPrincipal",
            json!({"PrincipalType": "GROUP", "PrincipalId": group, "Filter": {"AccountId": ONE}}),
        ),
        ("ListAccountsForProvisionedPermissionSet", of(json!({"ProvisioningStatus": STALE}))),
        ("ListPermissionSetsProvisionedToAccount", json!({"AccountId": ONE, "ProvisioningStatus": STALE})),
        ("store.ListUsers", json!({"Filters": [{"AttributePath": "UserName", "AttributeValue": "x"}]})),
        ("store.ListGroups", json!({"MaxResults": 3})),
        ("store.DescribeUser", json!({"UserId": NOBODY})),
        ("store.DescribeGroup", json!({"GroupId": group})),
        ("store.GetUserId", attribute("userName")),
        ("store.GetGroupId", attribute("displayName")),
        ("store.CreateUser", json!({"UserName": "u", "DisplayName": "U", "Name": name, "Emails": [{"Value": "u@x"}]})),
        ("store.CreateGroup", json!({"DisplayName": "G", "Description": "d"})),
        ("store.DeleteUser", json!({"UserId": NOBODY})),
        ("store.DeleteGroup", json!({"GroupId": group})),
        ("org.DescribeOrganization", json!({})),
        ("org.ListAccounts", json!({"MaxResults": 3})),
        ("org.DescribeAccount", json!({"AccountId": ONE})),
    ]
}

/// A small generator, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides.max(1)
    }
}

const BAD_VALUES: usize = 16;

/// Wrong in every place of every operation: by type, by length or by character.
fn bad_value(number: usize) -> Value {
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    let values: [Value; BAD_VALUES] = [
        json!(true),
        json!(false),
        json!(-1),
        json!(1.5),
        json!(1e308),
        json!(u64::MAX),
        json!([]),
        json!([null]),
        json!([[{}]]),
        json!({"Key": []}),
        json!({"": {}}),
        deep,
        json!("\u{0}"),
        json!("\u{202e}\u{1b}[2J"),
        json!("\u{1F600}\u{0}".repeat(2_000)),
        json!([{"Key": 1, "Value": {}}]),
    ];
    values[number % BAD_VALUES].clone()
}

/// Replaces each value of the body by turns, nested ones too, with each bad value.
fn mutants(body: &Value) -> Vec<Value> {
    let mut mutants = Vec::new();
    for pointer in pointers(body, "") {
        for number in 0..BAD_VALUES {
            let mut mutant = body.clone();
            *mutant.pointer_mut(&pointer).unwrap() = bad_value(number);
            mutants.push(mutant);
        }
    }
    mutants
}

fn pointers(value: &Value, path: &str) -> Vec<String> {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(key, it)| (key.clone(), it)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(n, it)| (n.to_string(), it)).collect(),
        _ => Vec::new(),
    };
    below
        .into_iter()
        .flat_map(|(key, it)| {
            let here = format!("{path}/{key}");
            let deeper = pointers(it, &here);
            [here].into_iter().chain(deeper)
        })
        .collect()
}

#[test]
fn the_good_requests_pass_validation() {
    let sandbox = sandbox();
    let (set, group) = (create_set(&sandbox, "A"), ops(&sandbox));
    for (operation, body) in good_requests(&set, &group) {
        let answer = send(&sandbox, operation, &full(operation, body));
        let error = answer.error.unwrap_or_default();
        let known = ["", "ResourceNotFoundException", "ConflictException"];
        assert!(known.contains(&error.as_str()), "{operation}: {error}");
    }
}

#[test]
fn a_wrong_value_anywhere_is_refused() {
    let sandbox = sandbox();
    let (set, group) = (create_set(&sandbox, "A"), ops(&sandbox));
    let before = sandbox.world();
    for (operation, body) in good_requests(&set, &group) {
        for mutant in mutants(&full(operation, body)) {
            let answer = send(&sandbox, operation, &mutant);
            // A list may be empty, a structure of optional members may have none, and an attribute's value is a free document.
            if answer.status == 200 {
                let text = mutant.to_string();
                let free = ["[]", "{\"Key\":[]}", "{\"\":{}}"].iter().any(|it| text.contains(it));
                assert!(free, "{operation} took {}", text.chars().take(300).collect::<String>());
                continue;
            }
            assert_eq!(answer.status, 400);
            assert!(serde_json::from_slice::<Value>(&answer.body).unwrap()["__type"].is_string());
        }
    }
    assert_eq!(sandbox.world().permission_sets.len(), before.permission_sets.len() + 1);
}

#[test]
fn broken_bytes_are_refused_by_every_operation() {
    let sandbox = sandbox();
    let (set, group) = (create_set(&sandbox, "A"), ops(&sandbox));
    let mut dice = Dice(7);
    for (operation, body) in good_requests(&set, &group) {
        let target = match operation.split_once('.') {
            Some(("store", name)) => format!("AWSIdentityStore.{name}"),
            Some((_, name)) => format!("AWSOrganizationsV20161128.{name}"),
            None => format!("SWBExternalService.{operation}"),
        };
        let good = full(operation, body).to_string().into_bytes();
        for _ in 0..200 {
            let mut bytes = good.clone();
            for _ in 0..=dice.roll(4) {
                let place = dice.roll(bytes.len());
                match dice.roll(3) {
                    0 => bytes.truncate(place.max(1)),
                    1 => bytes[place] = u8::try_from(dice.roll(256)).unwrap(),
                    _ => bytes.insert(place, b"{}[]\",:\\0n\xff"[dice.roll(11)]),
                }
            }
            let answer = sandbox.handle(&target, &bytes);
            let json = serde_json::from_slice::<Value>(&bytes).is_ok_and(|it| it.is_object());
            assert!(answer.status == 400 || (answer.status == 200 && json), "{operation}");
            if !json {
                assert_eq!(answer.error.as_deref(), Some("SerializationException"));
            }
        }
        let deep = [b"{\"A\":".repeat(5_000), b"1".to_vec()].concat();
        assert_eq!(sandbox.handle(&target, &deep).error.as_deref(), Some("SerializationException"));
    }
}
