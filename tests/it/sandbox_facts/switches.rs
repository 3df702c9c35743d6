//! One test for each point that is unknown about AWS: both ways, the default first.

use super::*;

#[test]
fn the_readme_lists_every_switch() {
    let readme = include_str!("../../../README.md");
    let settings = serde_json::to_value(permset::sandbox::world::Settings::default()).unwrap();
    for switch in settings.as_object().unwrap().keys().filter(|switch| *switch != "epoch") {
        assert!(readme.contains(&format!("`{switch}`")), "{switch}");
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
    sandbox.edit(|world| world.settings.delete_missing_boundary = DeleteMissing::Succeeds);
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

// Source: API, access control attributes (choices: Describe while off and Create while on are errors).
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
