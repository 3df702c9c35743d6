//! Users: create, describe, find, list, update and delete them.
//!
//! Deleting a user leaves its account assignments alone: that is how orphans come about.

use serde_json::{Map, Value, json};

use super::super::operation::{Input, Operation, read, write};
use super::super::pages::page;
use super::super::state::State;
use super::super::validate;
use super::super::wire::{AwsError, Reply};
use super::super::world::{Record, User, UserStatus};
use super::{
    bad_path, duplicate, filter, missing, not_reserved, patched, recorded, room, store, unique_attribute, unmoved, user,
};

pub(super) const OPERATIONS: &[Operation] = &[
    read("ListUsers", list),
    read("DescribeUser", describe),
    read("GetUserId", get_id),
    write("CreateUser", create),
    write("UpdateUser", update),
    write("DeleteUser", delete),
];

/// What a user can be given, in the order of the model.
const ATTRIBUTES: &[&str] = &[
    "UserName",
    "Name",
    "DisplayName",
    "NickName",
    "ProfileUrl",
    "Emails",
    "Addresses",
    "PhoneNumbers",
    "UserType",
    "Title",
    "PreferredLanguage",
    "Locale",
    "Timezone",
    "Photos",
    "Website",
    "Birthdate",
    "Roles",
    "Extensions",
];

fn list(state: &State, input: Input<'_>) -> Reply {
    let store = store(state, input)?;
    let users = &state.store.users;
    match filter(state, input, "UserName")? {
        None => page(state, input, "Users", users.values(), |user| body(store, user, input)),
        Some(name) => {
            let found = state.store.user_names.get(name).and_then(|id| users.get(id));
            page(state, input, "Users", found, |user| body(store, user, input))
        }
    }
}

fn describe(state: &State, input: Input<'_>) -> Reply {
    let store = store(state, input)?;
    user(state, input, "UserId").map(|user| body(store, user, input))
}

fn get_id(state: &State, input: Input<'_>) -> Reply {
    let store = store(state, input)?;
    let id = match unique_attribute(input)? {
        Some((path, value)) => match path.as_str() {
            "username" => state.store.user_names.get(value),
            "emails.value" => state.store.emails.get(value),
            _ => return Err(bad_path(input, &path)),
        },
        None => None,
    };
    let id = id.ok_or_else(|| missing("USER", ""))?;
    Ok(json!({"IdentityStoreId": store, "UserId": id, "UserArn": arn(id)}))
}

fn create(state: &mut State, input: Input<'_>) -> Reply {
    let store = store(state, input)?.to_owned();
    let given = ATTRIBUTES.iter().filter_map(|name| Some(((*name).to_owned(), input.value(name)?.clone())));
    let mut user = read_in(input, given.collect())?;
    admissible(state, &user)?;
    room(state.store.users.len())?;
    let id = state.new_principal_id();
    user.id.clone_from(&id);
    user.record = Record::made(state.now);
    let answer = handle(&store, &user);
    state.store.insert_user(user);
    Ok(answer)
}

fn update(state: &mut State, input: Input<'_>) -> Reply {
    let store = store(state, input)?.to_owned();
    let before = user(state, input, "UserId")?.clone();
    unmoved(input, &before.record)?;
    let document = patched(input, attributes(&before), ATTRIBUTES)?;
    // A patched user must be one that could be created.
    let mut whole = document.clone();
    whole.insert("IdentityStoreId".to_owned(), json!(store));
    validate::check(input.service, "CreateUser", &whole)?;
    let mut user = User {
        id: before.id.clone(),
        status: before.status,
        record: before.record.clone(),
        ..read_in(input, document)?
    };
    user.record.change(state.now);
    // A user's own names are no duplicates.
    let taken = state.store.take_user(&before.id);
    if let Err(error) = admissible(state, &user) {
        taken.into_iter().for_each(|before| state.store.insert_user(before));
        return Err(error);
    }
    let answer = handle(&store, &user);
    state.store.insert_user(user);
    Ok(answer)
}

// Terraform handles ResourceNotFoundException here, so a second deletion is one.
fn delete(state: &mut State, input: Input<'_>) -> Reply {
    store(state, input)?;
    let user = user(state, input, "UserId")?;
    unmoved(input, &user.record)?;
    let id = user.id.clone();
    state.store.remove_user(&id);
    Ok(json!({}))
}

/// A user from the wire form of its attributes. The shape has the four of them optional that the service wants [CreateUser, API
/// reference].
fn read_in(input: Input<'_>, mut document: Map<String, Value>) -> Result<User, AwsError> {
    let wanted = |member| input.refused(member, "Member must not be null");
    let mut name = document.get("Name").and_then(Value::as_object).cloned().unwrap_or_default();
    let user_name = take(&mut document, "UserName").ok_or_else(|| wanted("userName"))?;
    let display_name = take(&mut document, "DisplayName").ok_or_else(|| wanted("displayName"))?;
    let given_name = take(&mut name, "GivenName").ok_or_else(|| wanted("name.givenName"))?;
    let family_name = take(&mut name, "FamilyName").ok_or_else(|| wanted("name.familyName"))?;
    not_reserved(input, "userName", &user_name)?;
    let first = document.get_mut("Emails").and_then(|emails| emails.get_mut(0)).and_then(Value::as_object_mut);
    let email = first.and_then(|email| take(email, "Value"));
    let plain = document.get("Emails").is_some_and(|emails| *emails == json!([{}]));
    if plain {
        document.shift_remove("Emails");
    }
    super::put(&mut document, "Name".to_owned(), (!name.is_empty()).then_some(Value::Object(name)));
    Ok(User {
        id: String::new(),
        user_name,
        display_name,
        given_name: Some(given_name),
        family_name: Some(family_name),
        email,
        status: UserStatus::Enabled,
        attributes: document,
        record: Record::default(),
    })
}

fn take(from: &mut Map<String, Value>, member: &str) -> Option<String> {
    match from.shift_remove(member)? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// The other way: the attributes of a user in their wire form.
fn attributes(user: &User) -> Map<String, Value> {
    let User { user_name, display_name, given_name, family_name, email, attributes, id: _, status: _, record: _ } =
        user;
    let mut document = attributes.clone();
    document.insert("UserName".to_owned(), json!(user_name));
    document.insert("DisplayName".to_owned(), json!(display_name));
    let mut name = document.get("Name").and_then(Value::as_object).cloned().unwrap_or_default();
    for (member, value) in [("GivenName", given_name), ("FamilyName", family_name)] {
        super::put(&mut name, member.to_owned(), value.as_ref().map(|value| json!(value)));
    }
    super::put(&mut document, "Name".to_owned(), (!name.is_empty()).then_some(Value::Object(name)));
    if let Some(email) = email {
        let emails = document.entry("Emails").or_insert_with(|| json!([{}]));
        if let Some(first) = emails.get_mut(0).and_then(Value::as_object_mut) {
            first.insert("Value".to_owned(), json!(email));
        }
    }
    document
}

fn admissible(state: &State, user: &User) -> Result<(), AwsError> {
    let store = &state.store;
    let twice = user.email.as_ref().is_some_and(|email| store.emails.contains_key(email));
    if twice || store.user_names.contains_key(&user.user_name) {
        return Err(duplicate("Duplicate UserName"));
    }
    Ok(())
}

/// The answer of a create or an update.
fn handle(store: &str, user: &User) -> Value {
    json!({
        "UserId": user.id,
        "IdentityStoreId": store,
        "UserArn": arn(&user.id),
        "Revision": user.record.revision.to_string(),
    })
}

fn body(store: &str, user: &User, input: Input<'_>) -> Value {
    let mut body = Map::new();
    body.insert("IdentityStoreId".to_owned(), json!(store));
    body.insert("UserId".to_owned(), json!(user.id));
    body.insert("UserArn".to_owned(), json!(arn(&user.id)));
    body.insert("Revision".to_owned(), json!(user.record.revision.to_string()));
    body.extend(attributes(user));
    // Extensions are shown to those who name them [DescribeUser, API reference].
    let extensions = body.shift_remove("Extensions").and_then(|it| it.as_object().cloned()).unwrap_or_default();
    let asked: Map<String, Value> = input
        .items("Extensions")
        .filter_map(Value::as_str)
        .filter_map(|name| Some((name.to_owned(), extensions.get(name)?.clone())))
        .collect();
    if !asked.is_empty() {
        body.insert("Extensions".to_owned(), Value::Object(asked));
    }
    body.insert("UserStatus".to_owned(), json!(user.status));
    recorded(&mut body, &user.record);
    Value::Object(body)
}

fn arn(id: &str) -> String {
    format!("arn:aws:identitystore:::user/{id}")
}
