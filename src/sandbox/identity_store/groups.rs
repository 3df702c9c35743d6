//! Groups: create, describe, find, list, update and delete them.
//!
//! Deleting a group leaves its account assignments alone, as with users; its memberships go.

use serde_json::{Map, Value, json};

use super::super::operation::{Input, Operation, read, write};
use super::super::pages::page;
use super::super::state::State;
use super::super::validate;
use super::super::wire::{AwsError, Reply};
use super::super::world::{Group, Record};
use super::{
    bad_path, duplicate, filter, group, missing, not_reserved, patched, recorded, room, store, unique_attribute,
    unmoved,
};

pub(super) const OPERATIONS: &[Operation] = &[
    read("ListGroups", list),
    read("DescribeGroup", describe),
    read("GetGroupId", get_id),
    write("CreateGroup", create),
    write("UpdateGroup", update),
    write("DeleteGroup", delete),
];

fn list(state: &State, input: Input<'_>) -> Reply {
    let store = store(state, input)?;
    let groups = &state.store.groups;
    match filter(state, input, "DisplayName")? {
        None => page(state, input, "Groups", groups.values(), |group| body(store, group)),
        Some(name) => {
            let found = state.store.group_names.get(name).and_then(|id| groups.get(id));
            page(state, input, "Groups", found, |group| body(store, group))
        }
    }
}

fn describe(state: &State, input: Input<'_>) -> Reply {
    let store = store(state, input)?;
    group(state, input).map(|group| body(store, group))
}

fn get_id(state: &State, input: Input<'_>) -> Reply {
    let store = store(state, input)?;
    let id = match unique_attribute(input)? {
        Some((path, value)) => match path.as_str() {
            "displayname" => state.store.group_names.get(value),
            _ => return Err(bad_path(input, &path)),
        },
        None => None,
    };
    let id = id.ok_or_else(|| missing("GROUP", ""))?;
    Ok(json!({"IdentityStoreId": store, "GroupId": id, "GroupArn": arn(id)}))
}

fn create(state: &mut State, input: Input<'_>) -> Reply {
    let store = store(state, input)?.to_owned();
    let display_name = input.owned("DisplayName");
    let mut group = named(state, input, display_name, input.owned("Description"))?;
    room(state.store.groups.len())?;
    group.id = state.new_principal_id();
    group.record = Record::made(state.now);
    let answer = handle(&store, &group);
    state.store.insert_group(group);
    Ok(answer)
}

fn update(state: &mut State, input: Input<'_>) -> Reply {
    let store = store(state, input)?.to_owned();
    let before = group(state, input)?.clone();
    unmoved(input, &before.record)?;
    let mut document = Map::from_iter([("DisplayName".to_owned(), json!(before.display_name))]);
    super::put(&mut document, "Description".to_owned(), before.description.as_ref().map(|it| json!(it)));
    let document = patched(input, document, &["DisplayName", "Description"])?;
    let mut whole = document.clone();
    whole.insert("IdentityStoreId".to_owned(), json!(store));
    validate::check(input.service, "CreateGroup", &whole)?;
    let text = |member| document.get(member).and_then(Value::as_str).map(str::to_owned);
    let taken = state.store.take_group(&before.id);
    let group = named(state, input, text("DisplayName"), text("Description"));
    taken.into_iter().for_each(|before| state.store.insert_group(before));
    let mut group = Group { id: before.id.clone(), record: before.record.clone(), ..group? };
    group.record.change(state.now);
    let answer = handle(&store, &group);
    state.store.take_group(&before.id);
    state.store.insert_group(group);
    Ok(answer)
}

// Terraform handles ResourceNotFoundException here, so a second deletion is one.
fn delete(state: &mut State, input: Input<'_>) -> Reply {
    store(state, input)?;
    let group = group(state, input)?;
    unmoved(input, &group.record)?;
    let id = group.id.clone();
    state.store.remove_group(&id);
    Ok(json!({}))
}

/// A group that may have this name.
fn named(
    state: &State,
    input: Input<'_>,
    display_name: Option<String>,
    description: Option<String>,
) -> Result<Group, AwsError> {
    let display_name = display_name.ok_or_else(|| input.refused("displayName", "Member must not be null"))?;
    not_reserved(input, "displayName", &display_name)?;
    if state.store.group_names.contains_key(&display_name) {
        return Err(duplicate("Duplicate GroupDisplayName"));
    }
    Ok(Group { id: String::new(), display_name, description, record: Record::default() })
}

/// The answer of a create or an update.
fn handle(store: &str, group: &Group) -> Value {
    json!({
        "GroupId": group.id,
        "IdentityStoreId": store,
        "GroupArn": arn(&group.id),
        "Revision": group.record.revision.to_string(),
    })
}

fn body(store: &str, group: &Group) -> Value {
    let Group { id, display_name, description, record } = group;
    let mut body = Map::new();
    body.insert("IdentityStoreId".to_owned(), json!(store));
    body.insert("GroupId".to_owned(), json!(id));
    body.insert("GroupArn".to_owned(), json!(arn(id)));
    body.insert("Revision".to_owned(), json!(record.revision.to_string()));
    body.insert("DisplayName".to_owned(), json!(display_name));
    if let Some(description) = description {
        body.insert("Description".to_owned(), json!(description));
    }
    recorded(&mut body, record);
    Value::Object(body)
}

fn arn(id: &str) -> String {
    format!("arn:aws:identitystore:::group/{id}")
}
