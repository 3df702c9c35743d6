//! Memberships of users in groups: create, describe, find, list and delete them.
//!
//! There are no groups in groups [botocore model: a MemberId is a user].

use serde_json::{Map, Value, json};

use super::super::operation::{Input, Operation, read, write};
use super::super::pages::page;
use super::super::state::State;
use super::super::wire::{AwsError, Reply};
use super::super::world::{Membership, Record};
use super::{bare, duplicate, group, missing, recorded, store, user};

pub(super) const OPERATIONS: &[Operation] = &[
    write("CreateGroupMembership", create),
    write("DeleteGroupMembership", delete),
    read("DescribeGroupMembership", describe),
    read("GetGroupMembershipId", get_id),
    read("ListGroupMemberships", list),
    read("ListGroupMembershipsForMember", list_for_member),
    read("IsMemberInGroups", is_member),
];

fn create(state: &mut State, input: Input<'_>) -> Reply {
    let store = store(state, input)?.to_owned();
    let group_id = group(state, input)?.id.clone();
    let user_id = member(state, input)?;
    // [CreateGroupMembership, API reference]
    if find(state, &group_id, &user_id).is_some() {
        return Err(duplicate("Member and Group relationship already exists."));
    }
    let id = state.new_principal_id();
    let record = Record::made(state.now);
    state.store.insert_membership(Membership { id: id.clone(), group_id, user_id, record });
    Ok(handle(&store, &id))
}

fn delete(state: &mut State, input: Input<'_>) -> Reply {
    store(state, input)?;
    let id = membership(state, input)?.id.clone();
    state.store.remove_membership(&id);
    Ok(json!({}))
}

fn describe(state: &State, input: Input<'_>) -> Reply {
    let store = store(state, input)?;
    membership(state, input).map(|it| body(store, it))
}

fn get_id(state: &State, input: Input<'_>) -> Reply {
    let store = store(state, input)?;
    let group_id = group(state, input)?.id.clone();
    let id = find(state, &group_id, &member(state, input)?).ok_or_else(|| missing("GROUP_MEMBERSHIP", ""))?;
    Ok(handle(store, id))
}

fn list(state: &State, input: Input<'_>) -> Reply {
    let store = store(state, input)?;
    let id = &group(state, input)?.id;
    rows(state, input, store, state.store.members_of.get(id).into_iter().flatten().map(|(_, id)| id))
}

fn list_for_member(state: &State, input: Input<'_>) -> Reply {
    let store = store(state, input)?;
    let id = member(state, input)?;
    rows(state, input, store, state.store.groups_of.get(&id).into_iter().flatten().map(|(_, id)| id))
}

fn rows<'a>(state: &'a State, input: Input<'_>, store: &str, ids: impl Iterator<Item = &'a String>) -> Reply {
    let found = ids.filter_map(|id| state.store.memberships.get(id));
    page(state, input, "GroupMemberships", found, |it| body(store, it))
}

fn is_member(state: &State, input: Input<'_>) -> Reply {
    store(state, input)?;
    let user_id = member(state, input)?;
    let results: Vec<Value> = input
        .items("GroupIds")
        .filter_map(Value::as_str)
        .map(|group_id| {
            let exists = find(state, bare(group_id), &user_id).is_some();
            json!({"GroupId": group_id, "MemberId": {"UserId": user_id}, "MembershipExists": exists})
        })
        .collect();
    Ok(json!({ "Results": results }))
}

fn membership<'a>(state: &'a State, input: Input<'_>) -> Result<&'a Membership, AwsError> {
    let id = bare(input.text("MembershipId"));
    state.store.memberships.get(id).ok_or_else(|| missing("GROUP_MEMBERSHIP", id))
}

fn member(state: &State, input: Input<'_>) -> Result<String, AwsError> {
    match input.inside("MemberId") {
        Some(member) => user(state, member, "UserId").map(|user| user.id.clone()),
        None => Err(input.refused("memberId", "Member must not be null")),
    }
}

fn find<'a>(state: &'a State, group_id: &str, user_id: &str) -> Option<&'a String> {
    state.store.groups_of.get(user_id).and_then(|groups| groups.get(group_id))
}

fn handle(store: &str, id: &str) -> Value {
    json!({"MembershipId": id, "IdentityStoreId": store, "MembershipArn": arn(id)})
}

fn body(store: &str, membership: &Membership) -> Value {
    let Membership { id, group_id, user_id, record } = membership;
    let mut body = Map::new();
    body.insert("IdentityStoreId".to_owned(), json!(store));
    body.insert("MembershipId".to_owned(), json!(id));
    body.insert("MembershipArn".to_owned(), json!(arn(id)));
    body.insert("GroupId".to_owned(), json!(group_id));
    body.insert("MemberId".to_owned(), json!({"UserId": user_id}));
    recorded(&mut body, record);
    Value::Object(body)
}

fn arn(id: &str) -> String {
    format!("arn:aws:identitystore:::membership/{id}")
}
