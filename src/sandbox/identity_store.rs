//! The operations of `identitystore` (botocore model 2020-06-15) on users and groups.
//!
//! Deleting a principal leaves its account assignments alone: that is how orphans come about. Names are matched exactly; whether
//! AWS ignores case is not documented.

use serde_json::{Map, Value, json};

use super::operation::{Input, Operation, read, write};
use super::pages::page;
use super::patterns;
use super::state::State;
use super::validate::{Member, Shape, optional, required};
use super::wire::{AwsError, Reply};
use super::world::{Group, User};

const STORE: Member = required("IdentityStoreId", Shape::Text(&patterns::IDENTITY_STORE_ID));
const MAX_RESULTS: Member = optional("MaxResults", Shape::Integer { min: 1, max: 100 });
const NEXT_TOKEN: Member = optional("NextToken", Shape::Text(&patterns::STORE_TOKEN));
const USER_ID: Member = required("UserId", Shape::Text(&patterns::RESOURCE_ID));
const GROUP_ID: Member = required("GroupId", Shape::Text(&patterns::RESOURCE_ID));
const FILTERS: Member = optional(
    "Filters",
    Shape::List {
        min: 0,
        max: 1,
        item: &Shape::Structure(
            const {
                &[
                    required("AttributePath", Shape::Text(&patterns::ATTRIBUTE_PATH)),
                    required("AttributeValue", Shape::Text(&patterns::PROSE)),
                ]
            },
        ),
    },
);
const ALTERNATE: Member = required(
    "AlternateIdentifier",
    Shape::Union(
        const {
            &[
                optional(
                    "ExternalId",
                    Shape::Structure(
                        const {
                            &[
                                required("Issuer", Shape::Text(&patterns::ISSUER)),
                                required("Id", Shape::Text(&patterns::EXTERNAL_ID)),
                            ]
                        },
                    ),
                ),
                optional(
                    "UniqueAttribute",
                    Shape::Structure(
                        const {
                            &[
                                required("AttributePath", Shape::Text(&patterns::ATTRIBUTE_PATH)),
                                required("AttributeValue", Shape::Document),
                            ]
                        },
                    ),
                ),
            ]
        },
    ),
);
const NAME: Member = optional(
    "Name",
    Shape::Structure(
        const {
            &[
                optional("GivenName", Shape::Text(&patterns::PROSE)),
                optional("FamilyName", Shape::Text(&patterns::PROSE)),
            ]
        },
    ),
);
const EMAILS: Member = optional(
    "Emails",
    Shape::List {
        min: 1,
        max: 1,
        item: &Shape::Structure(const { &[optional("Value", Shape::Text(&patterns::PROSE))] }),
    },
);

pub(super) const OPERATIONS: &[Operation] = &[
    read("ListUsers", &[STORE, FILTERS, MAX_RESULTS, NEXT_TOKEN], list_users),
    read("ListGroups", &[STORE, FILTERS, MAX_RESULTS, NEXT_TOKEN], list_groups),
    read("DescribeUser", &[STORE, USER_ID], describe_user),
    read("DescribeGroup", &[STORE, GROUP_ID], describe_group),
    read("GetUserId", &[STORE, ALTERNATE], get_user_id),
    read("GetGroupId", &[STORE, ALTERNATE], get_group_id),
    write(
        "CreateUser",
        const {
            &[
                STORE,
                optional("UserName", Shape::Text(&patterns::USER_NAME)),
                optional("DisplayName", Shape::Text(&patterns::PROSE)),
                NAME,
                EMAILS,
            ]
        },
        create_user,
    ),
    write(
        "CreateGroup",
        const {
            &[
                STORE,
                optional("DisplayName", Shape::Text(&patterns::GROUP_NAME)),
                optional("Description", Shape::Text(&patterns::PROSE)),
            ]
        },
        create_group,
    ),
    write("DeleteUser", &[STORE, USER_ID], delete_user),
    write("DeleteGroup", &[STORE, GROUP_ID], delete_group),
];

fn list_users(state: &State, input: Input<'_>) -> Reply {
    let store = store(state, input)?;
    let wanted = filter(input, "UserName")?;
    let users = state.store.users.values().filter(|user| wanted.is_none_or(|name| user.user_name == name));
    page(state, input, "Users", users, |user| user_body(store, user))
}

fn list_groups(state: &State, input: Input<'_>) -> Reply {
    let store = store(state, input)?;
    let wanted = filter(input, "DisplayName")?;
    let groups = state.store.groups.values().filter(|group| wanted.is_none_or(|name| group.display_name == name));
    page(state, input, "Groups", groups, |group| group_body(store, group))
}

fn describe_user(state: &State, input: Input<'_>) -> Reply {
    let store = store(state, input)?;
    user(state, input).map(|user| user_body(store, user))
}

fn describe_group(state: &State, input: Input<'_>) -> Reply {
    let store = store(state, input)?;
    group(state, input).map(|group| group_body(store, group))
}

fn get_user_id(state: &State, input: Input<'_>) -> Reply {
    let store = store(state, input)?;
    let users = &state.store;
    let id = match unique_attribute(input)? {
        Some(("userName", value)) => users.user_names.get(value),
        Some(("emails.value", value)) => users.emails.get(value),
        Some((path, _)) => return Err(bad_path(input, path)),
        // No user of the sandbox has an external id.
        None => None,
    };
    let id = id.ok_or_else(|| missing("USER", ""))?;
    Ok(json!({"IdentityStoreId": store, "UserId": id, "UserArn": user_arn(id)}))
}

fn get_group_id(state: &State, input: Input<'_>) -> Reply {
    let store = store(state, input)?;
    let id = match unique_attribute(input)? {
        Some(("displayName", value)) => state.store.group_names.get(value),
        Some((path, _)) => return Err(bad_path(input, path)),
        None => None,
    };
    let id = id.ok_or_else(|| missing("GROUP", ""))?;
    Ok(json!({"IdentityStoreId": store, "GroupId": id, "GroupArn": group_arn(id)}))
}

// The shape has these members optional; the service wants them [CreateUser, API reference].
fn create_user(state: &mut State, input: Input<'_>) -> Reply {
    let store = store(state, input)?.to_owned();
    let wanted = |member| input.refused(member, "Member must not be null");
    let name = input.inside("Name");
    let part = |member| name.and_then(|name| name.owned(member));
    let user_name = input.owned("UserName").ok_or_else(|| wanted("userName"))?;
    let display_name = input.owned("DisplayName").ok_or_else(|| wanted("displayName"))?;
    let given_name = part("GivenName").ok_or_else(|| wanted("name.givenName"))?;
    let family_name = part("FamilyName").ok_or_else(|| wanted("name.familyName"))?;
    let email = input.structures("Emails").find_map(|email| email.owned("Value"));
    not_reserved(input, "userName", &user_name)?;
    let twice = email.as_ref().is_some_and(|email| state.store.emails.contains_key(email));
    if twice || state.store.user_names.contains_key(&user_name) {
        return Err(duplicate("USER", "Duplicate UserName"));
    }
    let id = state.new_principal_id();
    state.store.insert_user(User {
        id: id.clone(),
        user_name,
        display_name,
        given_name: Some(given_name),
        family_name: Some(family_name),
        email,
        status: super::world::UserStatus::Enabled,
    });
    Ok(json!({"UserId": id, "IdentityStoreId": store, "UserArn": user_arn(&id)}))
}

fn create_group(state: &mut State, input: Input<'_>) -> Reply {
    let store = store(state, input)?.to_owned();
    let display_name =
        input.owned("DisplayName").ok_or_else(|| input.refused("displayName", "Member must not be null"))?;
    not_reserved(input, "displayName", &display_name)?;
    if state.store.group_names.contains_key(&display_name) {
        return Err(duplicate("GROUP", "Duplicate GroupDisplayName"));
    }
    let id = state.new_principal_id();
    state.store.insert_group(Group { id: id.clone(), display_name, description: input.owned("Description") });
    Ok(json!({"GroupId": id, "IdentityStoreId": store, "GroupArn": group_arn(&id)}))
}

// Terraform handles ResourceNotFoundException on these, so a second deletion is one.
fn delete_user(state: &mut State, input: Input<'_>) -> Reply {
    store(state, input)?;
    let id = user(state, input)?.id.clone();
    state.store.remove_user(&id);
    Ok(json!({}))
}

fn delete_group(state: &mut State, input: Input<'_>) -> Reply {
    store(state, input)?;
    let id = group(state, input)?.id.clone();
    state.store.remove_group(&id);
    Ok(json!({}))
}

/// The bare id of the store that the input names, be it by id or by ARN.
fn store<'a>(state: &'a State, input: Input<'_>) -> Result<&'a str, AwsError> {
    let id = bare(input.text("IdentityStoreId"));
    state.instance.iter().map(|instance| instance.identity_store_id.as_str()).find(|known| *known == id).ok_or_else(
        || {
            AwsError::not_found("IDENTITY_STORE not found.")
                .with("ResourceType", "IDENTITY_STORE")
                .with("ResourceId", id)
        },
    )
}

fn user<'a>(state: &'a State, input: Input<'_>) -> Result<&'a User, AwsError> {
    let id = bare(input.text("UserId"));
    state.store.users.get(id).ok_or_else(|| missing("USER", id))
}

fn group<'a>(state: &'a State, input: Input<'_>) -> Result<&'a Group, AwsError> {
    let id = bare(input.text("GroupId"));
    state.store.groups.get(id).ok_or_else(|| missing("GROUP", id))
}

// The newest model takes ARNs wherever it takes ids.
fn bare(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

// Wording: moto. A look-up by name has no id to report.
fn missing(kind: &str, id: &str) -> AwsError {
    let error = AwsError::not_found(format!("{kind} not found.")).with("ResourceType", kind);
    if id.is_empty() { error } else { error.with("ResourceId", id) }
}

fn duplicate(kind: &str, message: &str) -> AwsError {
    AwsError::conflict(message).with("Reason", "UNIQUENESS_CONSTRAINT_VIOLATION").with("ResourceType", kind)
}

// Source: CreateUser and CreateGroup, API reference.
fn not_reserved(input: Input<'_>, member: &str, name: &str) -> Result<(), AwsError> {
    if matches!(name, "Administrator" | "AWSAdministrators") {
        return Err(input.refused(member, "Member must not be a reserved name"));
    }
    Ok(())
}

/// Path and value, or nothing when an external id was given instead.
fn unique_attribute<'a>(input: Input<'a>) -> Result<Option<(&'a str, &'a str)>, AwsError> {
    let Some(attribute) = input.inside("AlternateIdentifier").and_then(|it| it.inside("UniqueAttribute")) else {
        return Ok(None);
    };
    // The value is a free document in the model, but every attribute that may stand here is a string.
    let value = attribute.value("AttributeValue").and_then(Value::as_str);
    let value = value.ok_or_else(|| {
        input.refused("alternateIdentifier.uniqueAttribute.attributeValue", "Member must be a string")
    })?;
    Ok(Some((attribute.text("AttributePath"), value)))
}

fn bad_path(input: Input<'_>, path: &str) -> AwsError {
    let rule = format!("Member must be the path of a unique attribute, not {path}");
    input.refused("alternateIdentifier.uniqueAttribute.attributePath", &rule)
}

// Deprecated but still served in most Regions [ListUsers, API reference].
fn filter<'a>(input: Input<'a>, path: &str) -> Result<Option<&'a str>, AwsError> {
    match input.structures("Filters").next() {
        None => Ok(None),
        Some(filter) if filter.text("AttributePath") == path => Ok(Some(filter.text("AttributeValue"))),
        Some(_) => Err(input.refused("filters.1.member.attributePath", "Member must be supported")),
    }
}

fn user_body(store: &str, user: &User) -> Value {
    let mut body = Map::new();
    body.insert("IdentityStoreId".to_owned(), json!(store));
    body.insert("UserId".to_owned(), json!(user.id));
    body.insert("UserArn".to_owned(), json!(user_arn(&user.id)));
    body.insert("UserName".to_owned(), json!(user.user_name));
    body.insert("DisplayName".to_owned(), json!(user.display_name));
    let mut name = Map::new();
    if let Some(given) = &user.given_name {
        name.insert("GivenName".to_owned(), json!(given));
    }
    if let Some(family) = &user.family_name {
        name.insert("FamilyName".to_owned(), json!(family));
    }
    if !name.is_empty() {
        body.insert("Name".to_owned(), Value::Object(name));
    }
    if let Some(email) = &user.email {
        let emails = json!([{"Value": email, "Type": "work", "Primary": true}]);
        body.insert("Emails".to_owned(), emails);
    }
    body.insert("UserStatus".to_owned(), json!(user.status));
    Value::Object(body)
}

fn group_body(store: &str, group: &Group) -> Value {
    let mut body = Map::new();
    body.insert("IdentityStoreId".to_owned(), json!(store));
    body.insert("GroupId".to_owned(), json!(group.id));
    body.insert("GroupArn".to_owned(), json!(group_arn(&group.id)));
    body.insert("DisplayName".to_owned(), json!(group.display_name));
    if let Some(description) = &group.description {
        body.insert("Description".to_owned(), json!(description));
    }
    Value::Object(body)
}

fn user_arn(id: &str) -> String {
    format!("arn:aws:identitystore:::user/{id}")
}

fn group_arn(id: &str) -> String {
    format!("arn:aws:identitystore:::group/{id}")
}
