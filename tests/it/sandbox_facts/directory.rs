//! Users, groups and memberships beyond what principals of assignments need.

use super::*;

fn user_body() -> Value {
    json!({
        "UserName": "new@example.com", "DisplayName": "New", "Name": {"GivenName": "N", "FamilyName": "W", "MiddleName": "M"},
        "Emails": [{"Value": "new@example.com", "Type": "work", "Primary": true}], "Title": "Engineer",
        "Addresses": [{"Locality": "Berlin"}], "PhoneNumbers": [{"Value": "1"}], "Locale": "de",
    })
}

// Source: botocore identitystore; every attribute comes back as it was sent.
#[test]
fn a_user_keeps_all_its_attributes() {
    let sandbox = sandbox();
    let created = ok(&sandbox, "store.CreateUser", user_body());
    assert_eq!(created["Revision"], "1");
    let user = ok(&sandbox, "store.DescribeUser", json!({"UserId": created["UserId"]}));
    for (member, value) in user_body().as_object().unwrap() {
        assert_eq!(&user[member], value, "{member}");
    }
    assert_eq!(user["UserStatus"], "ENABLED");
    // Those who name no extension see none.
    assert_eq!(user.get("Extensions"), None);
}

fn update(sandbox: &Sandbox, id: &Value, operations: Value) -> Result<Value, String> {
    let body = full("store.UpdateUser", json!({"UserId": id, "Operations": operations}));
    let answer = send(sandbox, "store.UpdateUser", &body);
    match answer.error {
        Some(code) => Err(code),
        None => Ok(ok(sandbox, "store.DescribeUser", json!({"UserId": id}))),
    }
}

fn set_to(path: &str, value: Value) -> Value {
    json!({"AttributePath": path, "AttributeValue": value})
}

// Source: API UpdateUser; Terraform's identitystore_user for the lower-case members of lists and for null.
#[test]
fn an_update_sets_replaces_and_removes() {
    let sandbox = sandbox();
    let id = ok(&sandbox, "store.CreateUser", user_body())["UserId"].clone();
    let user = update(
        &sandbox,
        &id,
        json!([
            set_to("displayName", json!("Newer")),
            set_to("name.familyName", json!("Wu")),
            set_to("title", Value::Null),
            {"AttributePath": "locale"},
            set_to("emails", json!([{"value": "other@example.com", "primary": true}])),
            set_to("userName", json!("newer@example.com")),
        ]),
    )
    .unwrap();
    assert_eq!(
        (&user["DisplayName"], &user["Name"]["FamilyName"], &user["Name"]["MiddleName"]),
        (&json!("Newer"), &json!("Wu"), &json!("M"))
    );
    assert_eq!((user.get("Title"), user.get("Locale")), (None, None));
    assert_eq!(user["Emails"], json!([{"Value": "other@example.com", "Primary": true}]));
    assert_eq!(user["Revision"], "2");
    // Its former names are free.
    ok(&sandbox, "store.CreateUser", user_body());
}

#[test]
fn an_update_that_could_not_be_a_creation_changes_nothing() {
    let sandbox = sandbox();
    let id = ok(&sandbox, "store.CreateUser", user_body())["UserId"].clone();
    let before = ok(&sandbox, "store.DescribeUser", json!({"UserId": id}));
    for (operation, expected) in [
        (set_to("userName", json!("ann@example.com")), "ConflictException"),
        (set_to("emails", json!([{"value": "ann@example.com"}])), "ConflictException"),
        (set_to("userName", json!("two words")), "ValidationException"),
        (set_to("userName", Value::Null), "ValidationException"),
        (set_to("name.familyName", Value::Null), "ValidationException"),
        (set_to("emails", json!([])), "ValidationException"),
        (set_to("emails", json!("x")), "SerializationException"),
        (set_to("userId", json!("x")), "ValidationException"),
        (set_to("name.familyName.x", json!("x")), "ValidationException"),
        (set_to("title.x", json!("x")), "ValidationException"),
    ] {
        assert_eq!(update(&sandbox, &id, json!([operation.clone()])), Err(expected.to_owned()), "{operation}");
    }
    assert_eq!(ok(&sandbox, "store.DescribeUser", json!({"UserId": id})), before);
}

// Source: botocore identitystore, ConflictExceptionReason.
#[test]
fn a_stale_revision_is_a_concurrent_modification() {
    let sandbox = sandbox();
    let group = ops(&sandbox);
    let update = json!({"GroupId": group, "Operations": [set_to("description", json!("d"))], "Revision": "1"});
    assert_eq!(ok(&sandbox, "store.UpdateGroup", update.clone())["Revision"], "2");
    let error = error_body(&sandbox, "store.UpdateGroup", update);
    assert_eq!((&error["__type"], &error["Reason"]), (&json!("ConflictException"), &json!("CONCURRENT_MODIFICATION")));
    assert_eq!(code(&sandbox, "store.DeleteGroup", json!({"GroupId": group, "Revision": "1"})), "ConflictException");
    ok(&sandbox, "store.DeleteGroup", json!({"GroupId": group, "Revision": "2"}));
}

#[test]
fn a_group_can_be_renamed_but_not_to_a_name_that_is_taken() {
    let sandbox = sandbox();
    let other = ok(&sandbox, "store.CreateGroup", json!({"DisplayName": "dev"}))["GroupId"].clone();
    let rename = |to: &str| json!({"GroupId": other, "Operations": [set_to("displayName", json!(to))]});
    assert_eq!(code(&sandbox, "store.UpdateGroup", rename("ops")), "ConflictException");
    assert_eq!(code(&sandbox, "store.UpdateGroup", rename("Administrator")), "ValidationException");
    ok(&sandbox, "store.UpdateGroup", rename("builders"));
    let by_name = |name: &str| json!({"AlternateIdentifier": {"UniqueAttribute": {"AttributePath": "displayName", "AttributeValue": name}}});
    assert_eq!(ok(&sandbox, "store.GetGroupId", by_name("builders"))["GroupId"], other);
    assert_eq!(code(&sandbox, "store.GetGroupId", by_name("dev")), "ResourceNotFoundException");
    // Terraform's data sources spell it so.
    let upper =
        json!({"AlternateIdentifier": {"UniqueAttribute": {"AttributePath": "DisplayName", "AttributeValue": "ops"}}});
    ok(&sandbox, "store.GetGroupId", upper);
}

// Source: API, group memberships.
#[test]
fn a_membership_is_made_found_listed_and_deleted() {
    let sandbox = sandbox();
    let (group, user) = (ops(&sandbox), ann(&sandbox));
    let pair = json!({"GroupId": group, "MemberId": {"UserId": user}});
    let id = ok(&sandbox, "store.CreateGroupMembership", pair.clone())["MembershipId"].clone();
    assert_eq!(
        error_body(&sandbox, "store.CreateGroupMembership", pair.clone())["Reason"],
        "UNIQUENESS_CONSTRAINT_VIOLATION"
    );
    assert_eq!(ok(&sandbox, "store.GetGroupMembershipId", pair.clone())["MembershipId"], id);
    let row = ok(&sandbox, "store.DescribeGroupMembership", json!({"MembershipId": id}));
    assert_eq!((&row["GroupId"], &row["MemberId"]), (&json!(group), &json!({"UserId": user})));
    assert_eq!(ok(&sandbox, "store.ListGroupMemberships", json!({"GroupId": group}))["GroupMemberships"], json!([row]));
    assert_eq!(
        ok(&sandbox, "store.ListGroupMembershipsForMember", json!({"MemberId": {"UserId": user}}))["GroupMemberships"],
        json!([row])
    );
    let asked = json!({"MemberId": {"UserId": user}, "GroupIds": [group, NOBODY]});
    let results = ok(&sandbox, "store.IsMemberInGroups", asked)["Results"].clone();
    assert_eq!((&results[0]["MembershipExists"], &results[1]["MembershipExists"]), (&json!(true), &json!(false)));
    ok(&sandbox, "store.DeleteGroupMembership", json!({"MembershipId": id}));
    assert_eq!(
        code(&sandbox, "store.DescribeGroupMembership", json!({"MembershipId": id})),
        "ResourceNotFoundException"
    );
    assert_eq!(code(&sandbox, "store.GetGroupMembershipId", pair), "ResourceNotFoundException");
}

// Source: API DeleteGroup, DeleteUser.
#[test]
fn memberships_go_with_the_group_and_with_the_user() {
    for (operation, member) in [("store.DeleteGroup", "GroupId"), ("store.DeleteUser", "UserId")] {
        let sandbox = sandbox();
        let (group, user) = (ops(&sandbox), ann(&sandbox));
        ok(&sandbox, "store.CreateGroupMembership", json!({"GroupId": group, "MemberId": {"UserId": user}}));
        let id = if member == "GroupId" { &group } else { &user };
        ok(&sandbox, operation, json!({ member: id }));
        assert_eq!(sandbox.world().memberships, []);
    }
}

// Source: botocore identitystore, newest model.
#[test]
fn there_is_one_store() {
    let sandbox = sandbox();
    let stores = ok(&sandbox, "store.ListIdentityStores", json!({}));
    assert_eq!(stores["IdentityStores"][0]["IdentityStoreId"], STORE);
    let arn = stores["IdentityStores"][0]["IdentityStoreArn"].clone();
    assert_eq!(ok(&sandbox, "store.DescribeIdentityStore", json!({"IdentityStoreId": arn}))["IdentityStoreId"], STORE);
}
