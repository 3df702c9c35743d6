//! What people meet: sts, the portal, and the sign-in of a command line.

use permset::sandbox::Request;
use permset::sandbox::world::UserStatus;

use super::*;

const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

fn get(sandbox: &Sandbox, path: &str, query: &str, bearer: Option<&str>) -> Answer {
    sandbox.answer(&Request { method: "GET", path, query, bearer, host: Some("127.0.0.1:80"), ..Request::default() })
}

fn post(sandbox: &Sandbox, path: &str, body: &Value) -> (u16, Value) {
    let body = body.to_string();
    let answer = sandbox.answer(&Request {
        method: "POST",
        path,
        body: body.as_bytes(),
        host: Some("127.0.0.1:80"),
        ..Request::default()
    });
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

fn json_of(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

/// A world in which Ann, through her group, holds the set `View` in the account ONE.
async fn world_with_access() -> (Sandbox, String) {
    let sandbox = sandbox();
    let (group, user) = (ops(&sandbox), ann(&sandbox));
    ok(&sandbox, "store.CreateGroupMembership", json!({"GroupId": group, "MemberId": {"UserId": user}}));
    let set = create_set(&sandbox, "View");
    assign(&sandbox, &set, ONE).await;
    let token = sign_in(&sandbox).await;
    (sandbox, token)
}

async fn sign_in(sandbox: &Sandbox) -> String {
    let (_, client) = post(sandbox, "/client/register", &json!({"clientName": "cli", "clientType": "public"}));
    let known = json!({"clientId": client["clientId"], "clientSecret": client["clientSecret"]});
    let with = |more: Value| {
        let mut body = known.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let (_, device) = post(
        sandbox,
        "/device_authorization",
        &with(json!({"startUrl": format!("https://{STORE}.awsapps.com/start")})),
    );
    let ask = with(json!({"grantType": DEVICE, "deviceCode": device["deviceCode"]}));
    let (status, pending) = post(sandbox, "/token", &ask);
    assert_eq!((status, &pending["error"]), (400, &json!("authorization_pending")));
    let page = device["verificationUriComplete"].as_str().unwrap();
    let query = page.split_once('?').unwrap().1;
    let seen = get(sandbox, "/device", query, None);
    assert_eq!(seen.status, 200);
    assert!(String::from_utf8(seen.body).unwrap().contains("Signed in as ann@example.com"));
    let (status, token) = post(sandbox, "/token", &ask);
    assert_eq!(status, 200, "{token}");
    // A code is good once.
    assert_eq!(post(sandbox, "/token", &ask).0, 400);
    token["accessToken"].as_str().unwrap().to_owned()
}

// Source: botocore sso; aws/aws-sam-cli#2129 and ministryofjustice/aws-root-account#579 for "No access".
#[tokio::test(start_paused = true)]
async fn the_portal_shows_what_a_person_holds_and_refuses_the_rest() {
    let (sandbox, token) = world_with_access().await;
    let accounts = json_of(&get(&sandbox, "/assignment/accounts", "", Some(&token)));
    assert_eq!(
        accounts["accountList"],
        json!([{"accountId": ONE, "accountName": "one", "emailAddress": format!("aws+{ONE}@example.com")}])
    );
    let roles = json_of(&get(&sandbox, "/assignment/roles", &format!("account_id={ONE}"), Some(&token)));
    assert_eq!(roles["roleList"], json!([{"roleName": "View", "accountId": ONE}]));
    for query in [format!("role_name=View&account_id={TWO}"), format!("role_name=Other&account_id={ONE}")] {
        let answer = get(&sandbox, "/federation/credentials", &query, Some(&token));
        assert_eq!(
            (answer.status, answer.error.as_deref(), &json_of(&answer)["message"]),
            (403, Some("ForbiddenException"), &json!("No access"))
        );
    }
    for bearer in [None, Some("nonsense")] {
        let answer = get(&sandbox, "/assignment/accounts", "", bearer);
        assert_eq!((answer.status, answer.error.as_deref()), (401, Some("UnauthorizedException")));
    }
}

// Source: the guide's last step; botocore sts and sso (milliseconds).
#[tokio::test(start_paused = true)]
async fn credentials_of_a_role_say_who_they_are() {
    let (sandbox, token) = world_with_access().await;
    let query = format!("role_name=View&account_id={ONE}");
    let body = json_of(&get(&sandbox, "/federation/credentials", &query, Some(&token)));
    let expiration = body["roleCredentials"]["expiration"].as_u64().unwrap();
    let now = 1_700_000_002_000_u64;
    assert_eq!(expiration - now, 3_600_000);
    let key = body["roleCredentials"]["accessKeyId"].as_str().unwrap();
    assert!(key.starts_with("ASIA") && key.len() == 20, "{key}");
    let suffix = &sandbox.world().permission_sets[0].provisioned[ONE].role_suffix;
    let identity = who(&sandbox, key);
    assert!(
        identity.contains(&format!(
            "<Arn>arn:aws:sts::{ONE}:assumed-role/AWSReservedSSO_View_{suffix}/ann@example.com</Arn>"
        )),
        "{identity}"
    );
    assert!(identity.contains(":ann@example.com</UserId>") && identity.contains("<UserId>AROA"), "{identity}");
    pass(3_601).await;
    assert!(who(&sandbox, key).contains("<Code>ExpiredToken</Code>"));
}

fn who(sandbox: &Sandbox, key: &str) -> String {
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential={key}/20260101/eu-central-1/sts/aws4_request, Signature=0");
    let answer = sandbox.answer(&Request {
        method: "POST",
        path: "/",
        content_type: Some("application/x-www-form-urlencoded; charset=utf-8"),
        authorization: Some(&authorization),
        body: b"Action=GetCallerIdentity&Version=2011-06-15",
        ..Request::default()
    });
    String::from_utf8(answer.body).unwrap()
}

#[test]
fn sts_knows_one_operation_and_who_signs() {
    let identity = who(&sandbox(), "AKIDEXAMPLE");
    assert!(identity.contains("<Account>111111111111</Account>"), "{identity}");
    let body = b"Action=AssumeRole&Version=2011-06-15";
    let answer = sandbox().answer(&Request {
        method: "POST",
        path: "/",
        content_type: Some("application/x-www-form-urlencoded"),
        body,
        ..Request::default()
    });
    assert_eq!((answer.status, answer.error.as_deref()), (400, Some("InvalidAction")));
}

// Source: guide: running sessions of a role outlive the assignment; the next ones are refused.
#[tokio::test(start_paused = true)]
async fn a_revocation_refuses_new_credentials_and_lets_old_ones_be() {
    let (sandbox, token) = world_with_access().await;
    let query = format!("role_name=View&account_id={ONE}");
    let body = json_of(&get(&sandbox, "/federation/credentials", &query, Some(&token)));
    let key = body["roleCredentials"]["accessKeyId"].as_str().unwrap();
    sandbox.edit(|world| world.assignments.clear());
    assert_eq!(get(&sandbox, "/federation/credentials", &query, Some(&token)).status, 403);
    assert!(who(&sandbox, key).contains("assumed-role"));
}

#[tokio::test(start_paused = true)]
async fn a_token_ends_with_the_logout_and_with_its_hour() {
    let (sandbox, token) = world_with_access().await;
    let logout = |token: &str| {
        sandbox.answer(&Request { method: "POST", path: "/logout", bearer: Some(token), ..Request::default() }).status
    };
    assert_eq!((logout(&token), logout(&token)), (200, 401));
    let token = sign_in(&sandbox).await;
    pass(3_601).await;
    assert_eq!(get(&sandbox, "/assignment/accounts", "", Some(&token)).status, 401);
}

// Source: RFC 7636; what the AWS CLI sends.
#[test]
fn a_browser_brings_back_a_code_for_whoever_began() {
    let sandbox = sandbox();
    let (_, client) = post(
        &sandbox,
        "/client/register",
        &json!({"clientName": "cli", "clientType": "public", "issuerUrl": format!("https://{STORE}.awsapps.com/start")}),
    );
    let id = client["clientId"].as_str().unwrap();
    // The challenge of RFC 7636, appendix B.
    let (verifier, challenge) =
        ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    let back = "http://127.0.0.1:4711/oauth/callback";
    let authorize = |redirect: &str| {
        let query = format!(
            "response_type=code&client_id={id}&redirect_uri={redirect}&state=st%26x&code_challenge_method=S256&code_challenge={challenge}&scopes=sso%3Aaccount%3Aaccess"
        );
        get(&sandbox, "/authorize", &query, None)
    };
    for foreign in [
        "http://example.com/cb",
        "https://127.0.0.1/cb",
        "http://127.0.0.1.example.com/",
        "http://127.0.0.1@example.com/",
        "http://127.0.0.1:80@example.com/cb",
        "http://[::1]@example.com/cb",
        "http://127.0.0.1%23x",
        "javascript:alert(1)",
    ] {
        assert_eq!((authorize(foreign).status, authorize(foreign).location), (400, None), "{foreign}");
    }
    let answer = authorize(back);
    let location = answer.location.unwrap();
    assert_eq!(answer.status, 302);
    let code = location.strip_prefix(&format!("{back}?code=")).unwrap().strip_suffix("&state=st%26x").unwrap();
    let ask = |verifier: &str, redirect: &str| {
        let body = json!({"grantType": "authorization_code", "clientId": id, "clientSecret": client["clientSecret"], "redirectUri": redirect, "codeVerifier": verifier, "code": code});
        post(&sandbox, "/token", &body)
    };
    let (status, token) = ask(verifier, back);
    assert_eq!(status, 200, "{token}");
    // Once, and not for another proof; a refresh token renews, once.
    assert_eq!(ask(verifier, back).1["error"], "invalid_grant");
    let renew = json!({"grantType": "refresh_token", "clientId": id, "clientSecret": client["clientSecret"], "refreshToken": token["refreshToken"]});
    assert_eq!((post(&sandbox, "/token", &renew).0, post(&sandbox, "/token", &renew).0), (200, 400));
}

#[test]
fn a_wrong_proof_or_client_gets_nothing() {
    let sandbox = sandbox();
    let (_, client) = post(&sandbox, "/client/register", &json!({"clientName": "cli", "clientType": "public"}));
    let id = client["clientId"].as_str().unwrap();
    let query = format!(
        "response_type=code&client_id={id}&redirect_uri=http://127.0.0.1:1/cb&state=s&code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    );
    let location = get(&sandbox, "/authorize", &query, None).location.unwrap();
    let code = location.split("code=").nth(1).unwrap().split('&').next().unwrap();
    let body = json!({"grantType": "authorization_code", "clientId": id, "clientSecret": client["clientSecret"], "redirectUri": "http://127.0.0.1:1/cb", "codeVerifier": "wrong", "code": code});
    assert_eq!(post(&sandbox, "/token", &body).1["error"], "invalid_grant");
    let strange = json!({"grantType": "refresh_token", "clientId": id, "clientSecret": "x", "refreshToken": "y"});
    let (status, error) = post(&sandbox, "/token", &strange);
    assert_eq!((status, &error["error"]), (401, &json!("invalid_client")));
    // A directory that is not this one.
    let (status, _) = post(
        &sandbox,
        "/client/register",
        &json!({"clientName": "c", "clientType": "public", "issuerUrl": "https://d-ffffffffff.awsapps.com/start"}),
    );
    assert_eq!(status, 400);
}

#[test]
fn nobody_signs_in_who_is_disabled_or_unknown() {
    let sandbox = sandbox();
    sandbox.edit(|world| world.users[0].status = UserStatus::Disabled);
    assert_eq!(get(&sandbox, "/device", "user_code=AAAA-BBBB", None).status, 403);
    assert_eq!(get(&sandbox, "/device", "user_code=AAAA-BBBB&user=%3Cscript%3E", None).status, 403);
}

// Source: AWS's front end answers so to what is no request of the JSON protocol.
#[test]
fn what_is_no_request_is_answered_in_xml() {
    for request in [
        Request { method: "GET", path: "/", ..Request::default() },
        Request { method: "POST", path: "/nowhere", ..Request::default() },
        Request {
            method: "POST",
            path: "/",
            target: Some("SWBExternalService.ListInstances"),
            content_type: Some("text/plain"),
            ..Request::default()
        },
        Request { method: "GET", path: "/", target: Some("SWBExternalService.ListInstances"), ..Request::default() },
    ] {
        let answer = sandbox().answer(&request);
        assert_eq!((answer.status, answer.body.as_slice()), (404, b"<UnknownOperationException/>\n".as_slice()));
    }
}

// Whoever is deleted or disabled is out, whatever token there still is.
#[tokio::test(start_paused = true)]
async fn a_deleted_or_disabled_user_is_signed_out() {
    for deleted in [true, false] {
        let (sandbox, token) = world_with_access().await;
        assert_eq!(get(&sandbox, "/assignment/accounts", "", Some(&token)).status, 200);
        if deleted {
            ok(&sandbox, "store.DeleteUser", json!({"UserId": ann(&sandbox)}));
        } else {
            sandbox.edit(|world| world.users[0].status = UserStatus::Disabled);
        }
        assert_eq!(get(&sandbox, "/assignment/accounts", "", Some(&token)).status, 401);
    }
}

#[tokio::test(start_paused = true)]
async fn the_log_tells_who_was_at_the_portal() {
    let (sandbox, token) = world_with_access().await;
    get(&sandbox, "/assignment/accounts", "", Some(&token));
    who(&sandbox, "AKIDEXAMPLE");
    let log = sandbox.log();
    let last = |back: usize| (log[log.len() - back].operation.as_str(), log[log.len() - back].caller.as_str());
    assert_eq!(last(2), ("sso.ListAccounts", "ann@example.com"));
    assert_eq!(last(1), ("sts.GetCallerIdentity", "arn:aws:iam::111111111111:user/sandbox"));
}
