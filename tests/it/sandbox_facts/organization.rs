//! Organizations: the tree, accounts coming and going, tags, delegated administrators.

use super::*;

fn root(sandbox: &Sandbox) -> String {
    ok(sandbox, "org.ListRoots", json!({}))["Roots"][0]["Id"].as_str().unwrap().to_owned()
}

fn unit(sandbox: &Sandbox, parent: &str, name: &str) -> String {
    let body = ok(sandbox, "org.CreateOrganizationalUnit", json!({"ParentId": parent, "Name": name}));
    body["OrganizationalUnit"]["Id"].as_str().unwrap().to_owned()
}

fn ids(sandbox: &Sandbox, operation: &str, key: &str, body: Value) -> Vec<String> {
    let rows = ok(sandbox, operation, body)[key].as_array().unwrap().clone();
    rows.iter().map(|row| row["Id"].as_str().unwrap().to_owned()).collect()
}

// Source: API, organizational units.
#[test]
fn a_tree_of_units_is_built_and_read() {
    let sandbox = sandbox();
    let root = root(&sandbox);
    let outer = unit(&sandbox, &root, "Workloads");
    let inner = unit(&sandbox, &outer, "Video");
    assert!(inner.starts_with(&format!("ou-{}-", root.strip_prefix("r-").unwrap())), "{inner}");
    let described = ok(&sandbox, "org.DescribeOrganizationalUnit", json!({"OrganizationalUnitId": inner}));
    let path = described["OrganizationalUnit"]["Path"].as_str().unwrap();
    assert!(path.ends_with(&format!("/{root}/{outer}/{inner}/")), "{path}");
    ok(&sandbox, "org.MoveAccount", json!({"AccountId": ONE, "SourceParentId": root, "DestinationParentId": inner}));
    assert_eq!(ids(&sandbox, "org.ListAccountsForParent", "Accounts", json!({"ParentId": inner})), [ONE]);
    assert_eq!(
        ids(&sandbox, "org.ListOrganizationalUnitsForParent", "OrganizationalUnits", json!({"ParentId": outer})),
        [inner.as_str()]
    );
    assert_eq!(
        ids(&sandbox, "org.ListChildren", "Children", json!({"ParentId": inner, "ChildType": "ACCOUNT"})),
        [ONE]
    );
    assert_eq!(
        ids(&sandbox, "org.ListChildren", "Children", json!({"ParentId": root, "ChildType": "ORGANIZATIONAL_UNIT"})),
        [outer.as_str()]
    );
    let parents = ok(&sandbox, "org.ListParents", json!({"ChildId": ONE}));
    assert_eq!(parents["Parents"], json!([{"Id": inner, "Type": "ORGANIZATIONAL_UNIT"}]));
    assert_eq!(ids(&sandbox, "org.ListParents", "Parents", json!({"ChildId": outer})), [root]);
}

// Source: API, errors of these operations.
#[test]
fn what_does_not_fit_the_tree_is_refused() {
    let sandbox = sandbox();
    let root = root(&sandbox);
    let outer = unit(&sandbox, &root, "Workloads");
    unit(&sandbox, &outer, "Video");
    let nowhere = format!("{}00000000", &outer[..outer.len() - 8]);
    let moved = |from: &str, to: &str| json!({"AccountId": ONE, "SourceParentId": from, "DestinationParentId": to});
    for (operation, body, expected) in [
        (
            "org.CreateOrganizationalUnit",
            json!({"ParentId": root, "Name": "Workloads"}),
            "DuplicateOrganizationalUnitException",
        ),
        ("org.CreateOrganizationalUnit", json!({"ParentId": nowhere, "Name": "x"}), "ParentNotFoundException"),
        ("org.DeleteOrganizationalUnit", json!({"OrganizationalUnitId": outer}), "OrganizationalUnitNotEmptyException"),
        (
            "org.DescribeOrganizationalUnit",
            json!({"OrganizationalUnitId": nowhere}),
            "OrganizationalUnitNotFoundException",
        ),
        ("org.ListAccountsForParent", json!({"ParentId": nowhere}), "ParentNotFoundException"),
        ("org.ListParents", json!({"ChildId": "999999999999"}), "ChildNotFoundException"),
        ("org.MoveAccount", moved(&nowhere, &outer), "SourceParentNotFoundException"),
        ("org.MoveAccount", moved(&root, &nowhere), "DestinationParentNotFoundException"),
        ("org.MoveAccount", moved(&root, &root), "DuplicateAccountException"),
        ("org.MoveAccount", moved(&outer, &root), "DuplicateAccountException"),
        ("org.ListTagsForResource", json!({"ResourceId": "999999999999"}), "TargetNotFoundException"),
        ("org.DescribeAccount", json!({"AccountId": "999999999999"}), "AccountNotFoundException"),
        ("org.CloseAccount", json!({"AccountId": "111111111111"}), "ConstraintViolationException"),
        (
            "org.RemoveAccountFromOrganization",
            json!({"AccountId": "111111111111"}),
            "MasterCannotLeaveOrganizationException",
        ),
    ] {
        assert_eq!(code(&sandbox, operation, body), expected, "{operation}");
    }
}

// Source: quotas page of Organizations: five levels below the root.
#[test]
fn units_are_nested_five_deep() {
    let sandbox = sandbox();
    let mut parent = root(&sandbox);
    for level in 0..5 {
        parent = unit(&sandbox, &parent, &format!("level {level}"));
    }
    let error = error_body(&sandbox, "org.CreateOrganizationalUnit", json!({"ParentId": parent, "Name": "too deep"}));
    assert_eq!(
        (&error["__type"], &error["Reason"]),
        (&json!("ConstraintViolationException"), &json!("OU_DEPTH_LIMIT_EXCEEDED"))
    );
}

// Source: API CreateAccount: asynchronous; an address is used once.
#[tokio::test(start_paused = true)]
async fn an_account_is_made_in_its_time() {
    let sandbox = sandbox();
    let tags = json!([{"Key": "env", "Value": "prod"}]);
    let create = json!({"Email": "new@example.com", "AccountName": "new", "Tags": tags});
    let status = |sandbox: &Sandbox, id: &Value| {
        ok(sandbox, "org.DescribeCreateAccountStatus", json!({"CreateAccountRequestId": id}))["CreateAccountStatus"]
            .clone()
    };
    let first = ok(&sandbox, "org.CreateAccount", create.clone())["CreateAccountStatus"].clone();
    let second = ok(&sandbox, "org.CreateAccount", create)["CreateAccountStatus"].clone();
    assert_eq!((&first["State"], first.get("AccountId")), (&json!("IN_PROGRESS"), None));
    pass(1).await;
    let (done, failed) = (status(&sandbox, &first["Id"]), status(&sandbox, &second["Id"]));
    assert_eq!(
        (&done["State"], &failed["State"], &failed["FailureReason"]),
        (&json!("SUCCEEDED"), &json!("FAILED"), &json!("EMAIL_ALREADY_EXISTS"))
    );
    let account = ok(&sandbox, "org.DescribeAccount", json!({"AccountId": done["AccountId"]}))["Account"].clone();
    assert_eq!((&account["Name"], &account["State"]), (&json!("new"), &json!("ACTIVE")));
    assert_eq!(ok(&sandbox, "org.ListTagsForResource", json!({"ResourceId": done["AccountId"]}))["Tags"], tags);
    let listed = ok(&sandbox, "org.ListCreateAccountStatus", json!({"States": ["FAILED"]}));
    assert_eq!(listed["CreateAccountStatuses"], json!([failed]));
    // It can be assigned to like any other.
    let set = create_set(&sandbox, "A");
    let account = done["AccountId"].as_str().unwrap();
    assert_eq!(assign(&sandbox, &set, account).await["Status"], "SUCCEEDED");
}

// Source: API CloseAccount: PENDING_CLOSURE, then SUSPENDED.
#[tokio::test(start_paused = true)]
async fn an_account_is_closed_in_its_time() {
    let sandbox = sandbox();
    let state =
        |sandbox: &Sandbox| ok(sandbox, "org.DescribeAccount", json!({"AccountId": ONE}))["Account"]["State"].clone();
    ok(&sandbox, "org.CloseAccount", json!({"AccountId": ONE}));
    assert_eq!(state(&sandbox), "PENDING_CLOSURE");
    assert_eq!(code(&sandbox, "org.CloseAccount", json!({"AccountId": ONE})), "AccountAlreadyClosedException");
    pass(1).await;
    assert_eq!(state(&sandbox), "SUSPENDED");
    let set = create_set(&sandbox, "A");
    assert_eq!(assign(&sandbox, &set, ONE).await["Status"], "FAILED");
}

// Source: guide, delegated administration: one account, a member, for a trusted service.
#[test]
fn identity_center_has_one_delegated_administrator() {
    let sandbox = sandbox();
    let register = |account: &str, service: &str| json!({"AccountId": account, "ServicePrincipal": service});
    let sso = "sso.amazonaws.com";
    for (account, service, reason) in [
        ("111111111111", sso, "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR"),
        (SUSPENDED, sso, "CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR"),
        (ONE, "config.amazonaws.com", "SERVICE_ACCESS_NOT_ENABLED"),
    ] {
        let error = error_body(&sandbox, "org.RegisterDelegatedAdministrator", register(account, service));
        assert_eq!(error["Reason"], reason);
    }
    ok(&sandbox, "org.RegisterDelegatedAdministrator", register(ONE, sso));
    let again = code(&sandbox, "org.RegisterDelegatedAdministrator", register(ONE, sso));
    assert_eq!(again, "AccountAlreadyRegisteredException");
    let second = error_body(&sandbox, "org.RegisterDelegatedAdministrator", register(TWO, sso));
    assert_eq!(second["Reason"], "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED");
    ok(&sandbox, "org.EnableAWSServiceAccess", json!({"ServicePrincipal": "config.amazonaws.com"}));
    ok(&sandbox, "org.RegisterDelegatedAdministrator", register(TWO, "config.amazonaws.com"));
    assert_eq!(
        ids(&sandbox, "org.ListDelegatedAdministrators", "DelegatedAdministrators", json!({"ServicePrincipal": sso})),
        [ONE]
    );
    assert_eq!(ids(&sandbox, "org.ListDelegatedAdministrators", "DelegatedAdministrators", json!({})), [ONE, TWO]);
    assert_eq!(
        code(&sandbox, "org.RemoveAccountFromOrganization", json!({"AccountId": ONE})),
        "ConstraintViolationException"
    );
    let services = ok(&sandbox, "org.ListDelegatedServicesForAccount", json!({"AccountId": TWO}));
    assert_eq!(services["DelegatedServices"][0]["ServicePrincipal"], "config.amazonaws.com");
    ok(&sandbox, "org.DeregisterDelegatedAdministrator", register(ONE, sso));
    assert_eq!(
        code(&sandbox, "org.DeregisterDelegatedAdministrator", register(ONE, sso)),
        "AccountNotRegisteredException"
    );
    ok(&sandbox, "org.RemoveAccountFromOrganization", json!({"AccountId": ONE}));
}

// A world file may name units by their paths.
#[test]
fn paths_in_a_world_file_are_found() {
    let world: World = serde_json::from_value(json!({
        "organization": {"units": [
            {"name": "Video", "parent": "/Workloads"}, {"name": "Workloads"}, {"name": "Video", "parent": "/"}
        ]},
        "accounts": [{"id": ONE, "parent": "/Workloads/Video"}, {"id": TWO, "parent": "/Video"}, {"id": SUSPENDED}],
    }))
    .unwrap();
    let sandbox = Sandbox::new(world);
    let root = root(&sandbox);
    let top = ids(&sandbox, "org.ListOrganizationalUnitsForParent", "OrganizationalUnits", json!({"ParentId": root}));
    assert_eq!(top.len(), 2);
    let path = |account: &str| {
        ok(&sandbox, "org.DescribeAccount", json!({"AccountId": account}))["Account"]["Paths"][0]
            .as_str()
            .unwrap()
            .matches('/')
            .count()
    };
    // o-…/r-…/[units/]account/
    assert_eq!((path(ONE), path(TWO), path(SUSPENDED)), (5, 4, 3));
    let again = Sandbox::new(sandbox.world());
    assert_eq!(again.world(), sandbox.world());
}
