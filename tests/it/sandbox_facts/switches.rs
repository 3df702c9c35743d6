//! One test for each point that is unknown about AWS: both ways, the default first.

use permset::sandbox::world::{Conflicts, Echo, UnknownAssignee, UnknownInstance};

use super::*;

#[test]
fn the_readme_and_the_help_list_every_switch() {
    let readme = include_str!("../../../README.md");
    let help = crate::support::cli::Cli::new().command(&["sandbox", "--help"]);
    let help = String::from_utf8(help.stdout).unwrap();
    let mut words = help.split(|it: char| !it.is_ascii_lowercase() && it != '_').collect::<Vec<_>>();
    words.sort_unstable();
    let settings = serde_json::to_value(permset::sandbox::world::Settings::default()).unwrap();
    for switch in settings.as_object().unwrap().keys() {
        assert!(readme.contains(&format!("`{switch}`")), "{switch}");
        assert!(words.binary_search(&switch.as_str()).is_ok(), "{switch}");
    }
}

#[tokio::test(start_paused = true)]
async fn deletions_count_among_the_open_requests_or_not() {
    let sandbox = sandbox();
    sandbox.edit(|world| {
        world.accounts.extend((0..10).map(|number| {
            let id = format!("5000000000{number:02}");
            Account { id, ..Account::default() }
        }));
    });
    let set = create_set(&sandbox, "A");
    assign(&sandbox, &set, ONE).await;
    assign(&sandbox, &set, TWO).await;
    for number in 0..9 {
        let body = assignment(&set, &format!("5000000000{number:02}"), "GROUP", &ops(&sandbox));
        ok(&sandbox, "CreateAccountAssignment", body);
    }
    ok(&sandbox, "DeleteAccountAssignment", assignment(&set, ONE, "GROUP", &ops(&sandbox)));
    let another = assignment(&set, "500000000009", "GROUP", &ops(&sandbox));
    assert_eq!(code(&sandbox, "CreateAccountAssignment", another.clone()), "ThrottlingException");
    sandbox.edit(|world| world.settings.deletions_are_open_jobs = false);
    ok(&sandbox, "CreateAccountAssignment", another);
}

#[test]
fn names_differ_by_case_or_not() {
    let sandbox = sandbox();
    create_set(&sandbox, "Admin");
    create_set(&sandbox, "ADMIN");
    sandbox.edit(|world| world.settings.names_differ_by_case = false);
    assert_eq!(code(&sandbox, "CreatePermissionSet", json!({"Name": "admin"})), "ConflictException");
}

#[tokio::test(start_paused = true)]
async fn a_description_makes_accounts_stale_or_not() {
    for (switch, stale) in [(true, json!([ONE])), (false, json!([]))] {
        let sandbox = sandbox();
        sandbox.edit(|world| world.settings.description_makes_stale = switch);
        let set = create_set(&sandbox, "A");
        assign(&sandbox, &set, ONE).await;
        ok(&sandbox, "UpdatePermissionSet", json!({"PermissionSetArn": set, "Description": "new"}));
        assert_eq!(provisioned(&sandbox, &set, STALE), stale);
        ok(&sandbox, "UpdatePermissionSet", json!({"PermissionSetArn": set, "SessionDuration": "PT2H"}));
        assert_eq!(provisioned(&sandbox, &set, STALE), json!([ONE]));
    }
}

#[test]
fn deleting_a_boundary_that_is_not_there_fails_or_not() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    assert_eq!(code(&sandbox, "DeletePermissionsBoundaryFromPermissionSet", of(&set)), "ResourceNotFoundException");
    sandbox.edit(|world| world.settings.delete_missing_boundary = Missing::Succeeds);
    ok(&sandbox, "DeletePermissionsBoundaryFromPermissionSet", of(&set));
}

// Source: tf#26757: after the last assignment went, the set stays "in use" for minutes.
#[tokio::test(start_paused = true)]
async fn a_set_can_count_as_in_use_for_a_while() {
    let sandbox = sandbox();
    sandbox.edit(|world| world.settings.deletion_lingers_seconds = 60.0);
    let set = create_set(&sandbox, "A");
    assign(&sandbox, &set, ONE).await;
    job(&sandbox, "DeleteAccountAssignment", assignment(&set, ONE, "GROUP", &ops(&sandbox))).await;
    assert_eq!(code(&sandbox, "DeletePermissionSet", of(&set)), "ConflictException");
    pass(60).await;
    ok(&sandbox, "DeletePermissionSet", of(&set));
}

// Source: landing-zone-accelerator-on-aws#667.
#[test]
fn filters_are_served_or_refused() {
    let sandbox = sandbox();
    let body = json!({"Filters": [{"AttributePath": "DisplayName", "AttributeValue": "ops"}]});
    assert_eq!(ok(&sandbox, "store.ListGroups", body.clone())["Groups"][0]["DisplayName"], "ops");
    sandbox.edit(|world| world.settings.filters = false);
    let (code, message) = refused(&sandbox, "store.ListGroups", body);
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("ValidationException", "Filter is deprecated, please remove filter from request.")
    );
}

// Source: botocore organizations: Paths and Path are new, older endpoints leave them out.
#[test]
fn paths_are_said_or_not() {
    let sandbox = sandbox();
    let first = |sandbox: &Sandbox| ok(sandbox, "org.ListAccounts", json!({}))["Accounts"][0].clone();
    let path = first(&sandbox)["Paths"][0].as_str().unwrap().to_owned();
    assert!(path.starts_with("o-") && path.ends_with("/111111111111/"), "{path}");
    sandbox.edit(|world| world.settings.paths = false);
    assert_eq!(first(&sandbox).get("Paths"), None);
}

// Source: API, access control attributes (choices: Describe while off, with a switch, and Create while on are errors).
#[test]
fn attributes_for_access_control_are_on_or_off() {
    let sandbox = sandbox();
    let configuration = |key: &str| {
        let attribute = json!({"Key": key, "Value": {"Source": [format!("${{path:{key}}}")]}});
        json!({"InstanceAccessControlAttributeConfiguration": {"AccessControlAttributes": [attribute]}})
    };
    let describe = "DescribeInstanceAccessControlAttributeConfiguration";
    let create = "CreateInstanceAccessControlAttributeConfiguration";
    assert_eq!(code(&sandbox, describe, json!({})), "ResourceNotFoundException");
    ok(&sandbox, create, configuration("title"));
    assert_eq!(code(&sandbox, create, configuration("title")), "ConflictException");
    ok(&sandbox, "UpdateInstanceAccessControlAttributeConfiguration", configuration("team"));
    let body = ok(&sandbox, describe, json!({}));
    assert_eq!(
        (&body["Status"], &body["InstanceAccessControlAttributeConfiguration"]["AccessControlAttributes"][0]["Key"]),
        (&json!("ENABLED"), &json!("team"))
    );
    ok(&sandbox, "DeleteInstanceAccessControlAttributeConfiguration", json!({}));
    assert_eq!(code(&sandbox, describe, json!({})), "ResourceNotFoundException");
    sandbox.edit(|world| world.settings.describe_missing_attributes = Missing::Succeeds);
    assert_eq!(ok(&sandbox, describe, json!({})), json!({}));
}

// Source: botocore, GetInlinePolicyForPermissionSet: an empty policy can be returned; Terraform takes both for none.
#[test]
fn no_inline_policy_is_an_empty_text_or_none() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    assert_eq!(ok(&sandbox, "GetInlinePolicyForPermissionSet", of(&set)), json!({"InlinePolicy": ""}));
    sandbox.edit(|world| world.settings.omit_empty_inline_policy = true);
    assert_eq!(ok(&sandbox, "GetInlinePolicyForPermissionSet", of(&set)), json!({}));
}

// Source: quotas page: 500 permission sets in an account.
#[test]
fn an_account_holds_so_many_sets() {
    let sandbox = sandbox();
    sandbox.edit(|world| {
        world.permission_sets = (0..501)
            .map(|number| {
                let mut set = permset::sandbox::world::PermissionSet::named(&format!("Set{number}"));
                if number < 500 {
                    let role = permset::sandbox::world::Provisioned { version: 1, role_suffix: String::new() };
                    set.provisioned.insert(ONE.to_owned(), role);
                }
                set
            })
            .collect();
    });
    let arn = |name: &str| {
        let world = sandbox.world();
        let id = &world.permission_sets.iter().find(|set| set.name == name).unwrap().id;
        format!("{}/{id}", INSTANCE.replacen(":instance/", ":permissionSet/", 1))
    };
    let body = |name: &str| assignment(&arn(name), ONE, "GROUP", &ops(&sandbox));
    assert_eq!(code(&sandbox, "CreateAccountAssignment", body("Set500")), "ServiceQuotaExceededException");
    ok(&sandbox, "CreateAccountAssignment", body("Set499"));
}

// Source: tf#19215, tf#26138: writes of one permission set at the same time are in conflict.
#[tokio::test(start_paused = true)]
async fn two_writes_of_a_set_at_once_are_in_conflict_or_not() {
    let sandbox = sandbox();
    let (one, two) = (create_set(&sandbox, "A"), create_set(&sandbox, "B"));
    let update = |set: &str| json!({"PermissionSetArn": set, "RelayState": "https://example.com/"});
    ok(&sandbox, "UpdatePermissionSet", update(&one));
    ok(&sandbox, "UpdatePermissionSet", update(&one));
    sandbox.edit(|world| world.settings.write_seconds = Some(1.0));
    let answer = send(&sandbox, "UpdatePermissionSet", &full("UpdatePermissionSet", update(&one)));
    assert_eq!((answer.status, answer.delay), (200, Duration::from_secs(1)));
    assert_eq!(code(&sandbox, "DeletePermissionSet", of(&one)), "ConflictException");
    // What may not be called at all is no conflict.
    let malformed = format!("x/{}", one.rsplit('/').next().unwrap());
    assert_eq!(code(&sandbox, "DeletePermissionSet", of(&malformed)), "ValidationException");
    // Others go on: reads, other sets, and what is asynchronous, which has its own conflicts.
    ok(&sandbox, "DescribePermissionSet", of(&one));
    ok(&sandbox, "UpdatePermissionSet", update(&two));
    ok(&sandbox, "CreateAccountAssignment", assignment(&one, ONE, "GROUP", &ops(&sandbox)));
    pass(1).await;
    ok(&sandbox, "UpdatePermissionSet", update(&one));
}

// Choice: which of the two allowances pays is unknown.
#[tokio::test(start_paused = true)]
async fn the_store_has_an_allowance_of_its_own_or_not() {
    for (shared, left) in [(false, true), (true, false)] {
        let sandbox = sandbox();
        sandbox.edit(|world| {
            world.settings.throttle = Some(true);
            world.settings.calls_per_second = 1.0;
            world.settings.identitystore_shares_rate = shared;
            world.settings.organizations_calls_per_second = 1.0;
        });
        let works = |operation: &str| {
            let answer = send(&sandbox, operation, &full(operation, json!({})));
            answer
                .error
                .inspect(|code| assert!(matches!(&**code, "ThrottlingException" | "TooManyRequestsException")))
                .is_none()
        };
        assert!(works("ListInstances"));
        assert_eq!(works("store.ListUsers"), left);
        assert_eq!((works("org.ListAccounts"), works("org.ListAccounts")), (true, false));
    }
}

#[tokio::test(start_paused = true)]
async fn requests_are_in_conflict_on_a_pair_an_account_or_a_set() {
    for (conflicts, other_set, other_account) in
        [(Conflicts::Pair, true, true), (Conflicts::Account, false, true), (Conflicts::Set, true, false)]
    {
        let sandbox = sandbox();
        sandbox.edit(|world| world.settings.conflicts = conflicts);
        let (one, two) = (create_set(&sandbox, "A"), create_set(&sandbox, "B"));
        let works = |set: &str, account: &str| {
            let body = full("CreateAccountAssignment", assignment(set, account, "GROUP", &ops(&sandbox)));
            let answer = send(&sandbox, "CreateAccountAssignment", &body);
            answer.error.inspect(|code| assert_eq!(code, "ConflictException")).is_none()
        };
        assert!(works(&one, ONE));
        assert!(!works(&one, ONE));
        assert_eq!((works(&two, ONE), works(&one, TWO)), (other_set, other_account), "{conflicts:?}");
        pass(2).await;
        assert!(works(&two, TWO));
    }
}

// Provisioning everywhere works in every account of the set, whichever way round.
#[tokio::test(start_paused = true)]
async fn provisioning_everywhere_meets_what_is_under_way_in_its_accounts() {
    for (conflicts, same, other) in
        [(Conflicts::Pair, false, true), (Conflicts::Account, false, false), (Conflicts::Set, false, true)]
    {
        let sandbox = sandbox();
        sandbox.edit(|world| world.settings.conflicts = conflicts);
        let (one, two) = (create_set(&sandbox, "A"), create_set(&sandbox, "B"));
        assign(&sandbox, &one, ONE).await;
        assign(&sandbox, &two, ONE).await;
        let everywhere = |set: &str| json!({"PermissionSetArn": set, "TargetType": "ALL_PROVISIONED_ACCOUNTS"});
        let works = |operation: &str, body: Value| send(&sandbox, operation, &full(operation, body)).error.is_none();
        let here = |set: &str| assignment(set, ONE, "USER", &ann(&sandbox));
        ok(&sandbox, "ProvisionPermissionSet", everywhere(&one));
        assert_eq!(works("CreateAccountAssignment", here(&one)), same, "{conflicts:?}");
        assert_eq!(works("ProvisionPermissionSet", everywhere(&two)), other, "{conflicts:?}");
        pass(2).await;
        ok(&sandbox, "CreateAccountAssignment", here(&one));
        assert_eq!(works("ProvisionPermissionSet", everywhere(&one)), same, "{conflicts:?}");
        assert_eq!(works("ProvisionPermissionSet", everywhere(&two)), other, "{conflicts:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_assignee_fails_late_or_is_refused() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    let nobody = "00000000-0000-4000-8000-000000000000";
    let bad = [assignment(&set, ONE, "GROUP", nobody), assignment(&set, "999999999999", "GROUP", &ops(&sandbox))];
    for body in bad.clone() {
        assert_eq!(job(&sandbox, "CreateAccountAssignment", body).await["Status"], "FAILED");
    }
    sandbox.edit(|world| world.settings.unknown_assignee = UnknownAssignee::Refused);
    for body in bad {
        assert_eq!(code(&sandbox, "CreateAccountAssignment", body), "ResourceNotFoundException");
    }
    assert_eq!(assign(&sandbox, &set, ONE).await["Status"], "SUCCEEDED");
}

// Source: tf#19341: the assignment of a user deleted in the console could not be deleted in 2021.
#[tokio::test(start_paused = true)]
async fn what_a_deleted_principal_left_is_shown_and_revoked_or_not() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    assign(&sandbox, &set, ONE).await;
    let ops = ops(&sandbox);
    ok(&sandbox, "store.DeleteGroup", json!({"GroupId": ops}));
    let shown = || {
        let body = json!({"PrincipalType": "GROUP", "PrincipalId": ops});
        ok(&sandbox, "ListAccountAssignmentsForPrincipal", body)["AccountAssignments"].as_array().unwrap().len()
    };
    assert_eq!(shown(), 1);
    sandbox.edit(|world| {
        world.settings.rows_of_deleted_principals = false;
        world.settings.orphans_can_be_revoked = false;
    });
    assert_eq!(shown(), 0);
    let body = assignment(&set, ONE, "GROUP", &ops);
    assert_eq!(job(&sandbox, "DeleteAccountAssignment", body.clone()).await["Status"], "FAILED");
    assert_eq!(rows(&sandbox, &set, ONE).len(), 1);
    sandbox.edit(|world| world.settings.orphans_can_be_revoked = true);
    assert_eq!(job(&sandbox, "DeleteAccountAssignment", body).await["Status"], "SUCCEEDED");
    assert!(rows(&sandbox, &set, ONE).is_empty());
}

// Source: aws-sso-util#80 for the suspended account that stays listed.
#[tokio::test(start_paused = true)]
async fn provisioning_everywhere_is_partial_or_all_or_nothing() {
    for (partially, latest, stale) in [(true, vec![TWO], vec![ONE]), (false, vec![], vec![ONE, TWO])] {
        let sandbox = sandbox();
        let set = create_set(&sandbox, "A");
        assign(&sandbox, &set, ONE).await;
        assign(&sandbox, &set, TWO).await;
        attach(&sandbox, &set, VIEW);
        sandbox.edit(|world| {
            world.settings.provisions_partially = partially;
            world.accounts.iter_mut().find(|it| it.id == ONE).unwrap().state = AccountState::Suspended;
        });
        let body = json!({"PermissionSetArn": set, "TargetType": "ALL_PROVISIONED_ACCOUNTS"});
        let last = job(&sandbox, "ProvisionPermissionSet", body).await;
        assert_eq!(last["Status"], "FAILED");
        assert!(last["FailureReason"].as_str().unwrap().contains(ONE));
        assert_eq!(provisioned(&sandbox, &set, LATEST), json!(latest));
        assert_eq!(provisioned(&sandbox, &set, STALE), json!(stale));
    }
}

#[test]
fn an_update_without_a_description_clears_it_or_not() {
    for (clears, left) in [(true, None), (false, Some("said"))] {
        let sandbox = sandbox();
        sandbox.edit(|world| world.settings.update_clears_description = clears);
        let set = create_set(&sandbox, "A");
        ok(&sandbox, "UpdatePermissionSet", json!({"PermissionSetArn": set, "Description": "said"}));
        ok(&sandbox, "UpdatePermissionSet", json!({"PermissionSetArn": set, "SessionDuration": "PT2H"}));
        let body = ok(&sandbox, "DescribePermissionSet", of(&set));
        assert_eq!(body["PermissionSet"].get("Description").and_then(Value::as_str), left);
    }
}

#[test]
fn texts_come_back_as_sent_or_in_one_spelling() {
    let sandbox = sandbox();
    let set = create_set(&sandbox, "A");
    let tight = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}]}"#;
    let sent = &tight.replace(',', " ,\n  ");
    ok(&sandbox, "PutInlinePolicyToPermissionSet", json!({"PermissionSetArn": set, "InlinePolicy": sent}));
    ok(&sandbox, "UpdatePermissionSet", json!({"PermissionSetArn": set, "SessionDuration": "PT90M"}));
    for (echo, policy, duration) in [(Echo::Verbatim, &**sent, "PT90M"), (Echo::Normalized, tight, "PT1H30M")] {
        sandbox.edit(|world| world.settings.echo = echo);
        assert_eq!(ok(&sandbox, "GetInlinePolicyForPermissionSet", of(&set))["InlinePolicy"], policy);
        assert_eq!(ok(&sandbox, "DescribePermissionSet", of(&set))["PermissionSet"]["SessionDuration"], duration);
    }
}

#[test]
fn a_session_has_its_bounds_or_not() {
    let sandbox = sandbox();
    let body = |name: &str, duration: &str| json!({"Name": name, "SessionDuration": duration});
    assert_eq!(code(&sandbox, "CreatePermissionSet", body("A", "PT13H")), "ValidationException");
    sandbox.edit(|world| world.settings.any_session_duration = true);
    ok(&sandbox, "CreatePermissionSet", body("A", "PT13H"));
    assert_eq!(code(&sandbox, "CreatePermissionSet", body("B", "13h")), "ValidationException");
}

#[test]
fn an_unknown_instance_is_not_found_or_denied() {
    let sandbox = sandbox();
    let body = json!({"InstanceArn": "arn:aws:sso:::instance/ssoins-ffffffffffffffff"});
    assert_eq!(code(&sandbox, "ListPermissionSets", body.clone()), "ResourceNotFoundException");
    sandbox.edit(|world| world.settings.unknown_instance = UnknownInstance::Denied);
    assert_eq!(code(&sandbox, "ListPermissionSets", body), "AccessDeniedException");
}

#[test]
fn internal_errors_have_a_status() {
    let sandbox = sandbox();
    for status in [500, 400] {
        sandbox.edit(|world| {
            world.settings.internal_error_status = status;
            let fault = json!({"on": "ListInstances", "effect": {"error": {"code": "InternalServerException"}}});
            world.faults = vec![serde_json::from_value(fault).unwrap()];
        });
        assert_eq!(send(&sandbox, "ListInstances", &json!({})).status, status);
    }
}
