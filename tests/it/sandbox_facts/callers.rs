//! Who may do what: by access key, account and Region.

use permset::sandbox::Request;
use permset::sandbox::world::{AccessKey, UnknownKeys};

use super::*;

const MANAGEMENT: &str = "111111111111";

/// Calls with a signature of the key for the Region.
fn signed(sandbox: &Sandbox, key: &str, region: &str, operation: &str, body: Value) -> (u16, Value) {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={key}/20260101/{region}/sso/aws4_request, SignedHeaders=host, Signature=0"
    );
    asked(sandbox, Some(&authorization), operation, body)
}

fn asked(sandbox: &Sandbox, authorization: Option<&str>, operation: &str, body: Value) -> (u16, Value) {
    let target = target(operation);
    let body = full(operation, body).to_string();
    let request = Request {
        method: "POST",
        path: "/",
        target: Some(&target),
        content_type: Some("application/x-amz-json-1.1"),
        authorization,
        body: body.as_bytes(),
        ..Request::default()
    };
    let answer = sandbox.answer(&request);
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

fn as_account(sandbox: &Sandbox, account: &str, operation: &str, body: Value) -> String {
    let (_, body) = signed(sandbox, account, "eu-central-1", operation, body);
    body["__type"].as_str().unwrap_or("ok").to_owned()
}

fn delegated() -> (Sandbox, String) {
    let sandbox = sandbox();
    let register = json!({"AccountId": ONE, "ServicePrincipal": "sso.amazonaws.com"});
    ok(&sandbox, "org.RegisterDelegatedAdministrator", register);
    let set = create_set(&sandbox, "A");
    (sandbox, set)
}

// Source: common errors of AWS services.
#[test]
fn a_request_must_be_signed() {
    let (status, body) = asked(&sandbox(), None, "ListInstances", json!({}));
    assert_eq!((status, body["__type"].as_str().unwrap()), (400, "MissingAuthenticationTokenException"));
    for authorization in ["", "Bearer x", "AWS4-HMAC-SHA256 Signature=0", "AWS4-HMAC-SHA256 Credential=a/b"] {
        let (_, body) = asked(&sandbox(), Some(authorization), "ListInstances", json!({}));
        assert_eq!(body["__type"], "IncompleteSignatureException", "{authorization}");
    }
}

// Choice, with a switch: keys that the world does not know are the management account's.
#[test]
fn a_key_stands_for_an_account() {
    let sandbox = sandbox();
    assert_eq!(as_account(&sandbox, "AKIDEXAMPLE", "ListPermissionSets", json!({})), "ok");
    assert_eq!(as_account(&sandbox, MANAGEMENT, "ListPermissionSets", json!({})), "ok");
    assert_eq!(as_account(&sandbox, TWO, "ListPermissionSets", json!({})), "AccessDeniedException");
    let key = AccessKey {
        id: "AKIATWO".to_owned(),
        account_id: TWO.to_owned(),
        user: Some("tom".to_owned()),
        permission_set: None,
        policy: None,
    };
    sandbox.edit(|world| world.access_keys = vec![key]);
    let (_, body) = signed(&sandbox, "AKIATWO", "eu-central-1", "ListPermissionSets", json!({}));
    let message = body["Message"].as_str().unwrap();
    assert_eq!(
        message,
        format!(
            "User: arn:aws:iam::{TWO}:user/tom is not authorized to perform: sso:ListPermissionSets on resource: {INSTANCE}"
        )
    );
    sandbox.edit(|world| world.settings.unknown_keys = UnknownKeys::Refused);
    assert_eq!(as_account(&sandbox, "AKIDEXAMPLE", "ListInstances", json!({})), "UnrecognizedClientException");
    assert_eq!(as_account(&sandbox, MANAGEMENT, "ListInstances", json!({})), "ok");
}

// Credentials of a role die with the sandbox that gave them; nobody may become the management account by that.
#[test]
fn a_role_that_is_not_known_is_nobody() {
    assert_eq!(
        as_account(&sandbox(), "ASIAABCDEFGHIJKLMNOP", "ListInstances", json!({})),
        "UnrecognizedClientException"
    );
}

// Source: cloud-copilot/iam-collect#54, cloudquery/cloudquery#10844; guide, delegated administration.
#[test]
fn a_member_sees_the_instance_and_nothing_in_it() {
    let sandbox = sandbox();
    let (_, body) = signed(&sandbox, TWO, "eu-central-1", "ListInstances", json!({}));
    assert_eq!(body["Instances"][0]["InstanceArn"], INSTANCE);
    for operation in
        ["ListPermissionSets", "CreatePermissionSet", "store.ListUsers", "org.ListAccounts", "org.ListRoots"]
    {
        assert_eq!(as_account(&sandbox, TWO, operation, json!({"Name": "A"})), "AccessDeniedException", "{operation}");
    }
    // Source: API DescribeOrganization; any member may call it.
    assert_eq!(as_account(&sandbox, TWO, "org.DescribeOrganization", json!({})), "ok");
}

// Source: API common, organizations.
#[test]
fn an_account_of_another_organization_is_in_none() {
    let sandbox = sandbox();
    let key = AccessKey {
        id: "AKIAFAR".to_owned(),
        account_id: "999999999999".to_owned(),
        user: None,
        permission_set: None,
        policy: None,
    };
    sandbox.edit(|world| world.access_keys = vec![key]);
    assert_eq!(
        as_account(&sandbox, "AKIAFAR", "org.DescribeOrganization", json!({})),
        "AWSOrganizationsNotInUseException"
    );
    // Nor is the instance shared with it, nor with an account that is suspended.
    for key in ["AKIAFAR", SUSPENDED] {
        let (_, body) = signed(&sandbox, key, "eu-central-1", "ListInstances", json!({}));
        assert_eq!(body["Instances"], json!([]), "{key}");
    }
}

// Source: guide, delegated administration; iam-identity-center-team#59, #459, terraform-aws-sso-elevator#101.
#[tokio::test(start_paused = true)]
async fn a_delegated_administrator_cannot_assign_in_the_management_account() {
    let (sandbox, set) = delegated();
    let group = ops(&sandbox);
    let body = assignment(&set, MANAGEMENT, "GROUP", &group);
    let (_, error) = signed(&sandbox, ONE, "eu-central-1", "CreateAccountAssignment", body.clone());
    let message = error["Message"].as_str().unwrap();
    assert!(
        message.ends_with(&format!("is not authorized to perform: sso:CreateAccountAssignment on resource: {set}")),
        "{message}"
    );
    assert_eq!(as_account(&sandbox, ONE, "CreateAccountAssignment", assignment(&set, TWO, "GROUP", &group)), "ok");
    assert_eq!(as_account(&sandbox, ONE, "UpdatePermissionSet", of(&set)), "ok");
    assert_eq!(as_account(&sandbox, ONE, "store.ListUsers", json!({})), "ok");
    assert_eq!(as_account(&sandbox, ONE, "org.ListAccounts", json!({})), "ok");
    assert_eq!(
        as_account(&sandbox, ONE, "org.TagResource", json!({"ResourceId": TWO, "Tags": []})),
        "AccessDeniedException"
    );
}

// Source: landing-zone-accelerator-on-aws#274, #293, terraform-aws-sso-elevator#83: one assignment there, and the whole set is out
// of reach.
#[tokio::test(start_paused = true)]
async fn a_set_in_the_management_account_is_out_of_reach_for_the_delegated_administrator() {
    let (sandbox, set) = delegated();
    job(&sandbox, "CreateAccountAssignment", assignment(&set, MANAGEMENT, "GROUP", &ops(&sandbox))).await;
    for (operation, body) in [
        ("UpdatePermissionSet", of(&set)),
        ("DeletePermissionSet", of(&set)),
        ("AttachManagedPolicyToPermissionSet", json!({"PermissionSetArn": set, "ManagedPolicyArn": ADMIN})),
        ("PutInlinePolicyToPermissionSet", json!({"PermissionSetArn": set, "InlinePolicy": POLICY})),
        ("ProvisionPermissionSet", json!({"PermissionSetArn": set, "TargetType": "ALL_PROVISIONED_ACCOUNTS"})),
        ("DeleteAccountAssignment", assignment(&set, MANAGEMENT, "GROUP", &ops(&sandbox))),
    ] {
        assert_eq!(as_account(&sandbox, ONE, operation, body), "AccessDeniedException", "{operation}");
    }
    assert_eq!(as_account(&sandbox, ONE, "DescribePermissionSet", of(&set)), "ok");
}

// Choice, with a switch: API ListAccountAssignmentsForPrincipal says that the management account must call it.
#[test]
fn a_delegated_administrator_cannot_list_by_principal() {
    let (sandbox, _) = delegated();
    let body = json!({"PrincipalType": "GROUP", "PrincipalId": ops(&sandbox)});
    assert_eq!(as_account(&sandbox, ONE, "ListAccountAssignmentsForPrincipal", body.clone()), "AccessDeniedException");
    sandbox.edit(|world| world.settings.delegated_lists_by_principal = true);
    assert_eq!(as_account(&sandbox, ONE, "ListAccountAssignmentsForPrincipal", body), "ok");
}

// Source: guide, Regions: the instance is in its home Region only; a call in another one finds nothing, and that is no error.
#[test]
fn another_region_has_no_instance() {
    let sandbox = sandbox();
    let (status, body) = signed(&sandbox, MANAGEMENT, "us-east-1", "ListInstances", json!({}));
    assert_eq!((status, &body["Instances"]), (200, &json!([])));
    for operation in ["ListPermissionSets", "store.ListUsers"] {
        let (_, body) = signed(&sandbox, MANAGEMENT, "us-east-1", operation, json!({}));
        assert_eq!(body["__type"], "ResourceNotFoundException", "{operation}");
    }
    // Organizations has one endpoint for all Regions.
    assert_eq!(signed(&sandbox, MANAGEMENT, "us-east-1", "org.ListAccounts", json!({})).0, 200);
}

// Source: the operations of the model that the sandbox does not play are refused, never unknown and never silent.
#[test]
fn what_is_not_played_is_refused_by_name() {
    let body = json!({"ApplicationProviderArn": "arn:aws:sso::aws:applicationProvider/custom", "Name": "app"});
    let (code, message) = refused(&sandbox(), "CreateApplication", body);
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("AccessDeniedException", "The sandbox does not play CreateApplication.")
    );
    assert_eq!(code_of(&sandbox(), "CreateApplication"), "ValidationException");
}

fn code_of(sandbox: &Sandbox, operation: &str) -> String {
    refused(sandbox, operation, json!({})).0
}
