//! Create, describe, update, delete and list permission sets.
//!
//! These are synchronous and change definitions only: accounts learn of an update when the set is provisioned again.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::jobs;
use super::super::operation::{Input, Operation, read, write};
use super::super::pages::page;
use super::super::patterns;
use super::super::state::State;
use super::super::validate::{Member, Shape, optional, required};
use super::super::wire::{AwsError, Reply};
use super::super::world::PermissionSet;
use super::tags::{TAGS, tags_of};
use super::{INSTANCE, MAX_RESULTS, NEXT_TOKEN, SET, is_home, set, set_arn, set_id, set_mut};

const DESCRIPTION: Member = optional("Description", Shape::Text(&patterns::DESCRIPTION));
const DURATION: Member = optional("SessionDuration", Shape::Text(&patterns::SESSION_DURATION));
const RELAY_STATE: Member = optional("RelayState", Shape::Text(&patterns::RELAY_STATE));

pub(super) const OPERATIONS: &[Operation] = &[
    write(
        "CreatePermissionSet",
        const {
            &[
                INSTANCE,
                required("Name", Shape::Text(&patterns::PERMISSION_SET_NAME)),
                DESCRIPTION,
                DURATION,
                RELAY_STATE,
                optional("Tags", TAGS),
            ]
        },
        create,
    ),
    read("DescribePermissionSet", &[INSTANCE, SET], describe),
    write("UpdatePermissionSet", &[INSTANCE, SET, DESCRIPTION, DURATION, RELAY_STATE], update),
    write("DeletePermissionSet", &[INSTANCE, SET], delete),
    read("ListPermissionSets", &[INSTANCE, MAX_RESULTS, NEXT_TOKEN], list),
];

fn create(state: &mut State, input: Input<'_>) -> Reply {
    if !is_home(state, input)? {
        // Account instances hold no permission sets [user guide, organization and account instances].
        return Err(AwsError::validation("The operation is not supported for this Identity Center instance"));
    }
    let session_duration = duration(input)?;
    let tags = tags_of(input, &BTreeMap::new())?;
    let name = input.text("Name");
    // Whether AWS compares names by case is not documented; here it does.
    if state.set_names.contains_key(name) {
        // avlcloudtechnologies/terraform-aws-sso#6
        return Err(AwsError::conflict(format!("PermissionSet with name {name} already exists.")));
    }
    let set = PermissionSet {
        id: state.new_set_id(),
        name: name.to_owned(),
        description: input.owned("Description"),
        session_duration,
        relay_state: input.owned("RelayState"),
        tags,
        aws_managed_policies: Vec::new(),
        customer_managed_policies: Vec::new(),
        inline_policy: None,
        permissions_boundary: None,
        created: state.clock.now(),
        version: 1,
        provisioned: BTreeMap::new(),
    };
    let body = body(state, &set);
    state.insert_set(set);
    Ok(body)
}

fn describe(state: &State, input: Input<'_>) -> Reply {
    set(state, input).map(|set| body(state, set))
}

// A replacement, not a patch: what is not sent is cleared (tf#17411 for RelayState), the duration goes back to an hour. Every
// update counts as a change, also one that sends what is there: the stricter of two possibilities for whoever has to provision.
fn update(state: &mut State, input: Input<'_>) -> Reply {
    set_id(state, input)?;
    let session_duration = duration(input)?;
    let set = set_mut(state, input)?;
    set.description = input.owned("Description");
    set.session_duration = session_duration;
    set.relay_state = input.owned("RelayState");
    set.version = set.version.saturating_add(1);
    Ok(json!({}))
}

fn delete(state: &mut State, input: Input<'_>) -> Reply {
    let set = set(state, input)?;
    // An assignment implies a provisioned account, so this covers both.
    if !set.provisioned.is_empty() || jobs::touches_set(state, &set.id) {
        // tf#26757
        return Err(AwsError::conflict(
            "Could not delete because PermissionSet has ApplicationProfile associated with it",
        ));
    }
    let id = set.id.clone();
    state.remove_set(&id);
    Ok(json!({}))
}

fn list(state: &State, input: Input<'_>) -> Reply {
    let home = is_home(state, input)?;
    let sets = state.sets.keys().filter(|_| home);
    page(state, input, "PermissionSets", sets, |id| json!(set_arn(state, id)))
}

// One to twelve hours [user guide, session duration]; kept as it was sent.
fn duration(input: Input<'_>) -> Result<String, AwsError> {
    let Some(text) = input.maybe("SessionDuration") else {
        return Ok("PT1H".to_owned());
    };
    match patterns::duration_seconds(text) {
        Some(seconds) if (3600.0..=43_200.0).contains(&seconds) => Ok(text.to_owned()),
        _ => Err(input.refused("sessionDuration", "Member must be between 1 hour and 12 hours")),
    }
}

fn body(state: &State, set: &PermissionSet) -> Value {
    let mut body = Map::new();
    body.insert("Name".to_owned(), json!(set.name));
    body.insert("PermissionSetArn".to_owned(), json!(set_arn(state, &set.id)));
    if let Some(description) = &set.description {
        body.insert("Description".to_owned(), json!(description));
    }
    body.insert("CreatedDate".to_owned(), json!(set.created));
    body.insert("SessionDuration".to_owned(), json!(set.session_duration));
    if let Some(relay_state) = &set.relay_state {
        body.insert("RelayState".to_owned(), json!(relay_state));
    }
    json!({"PermissionSet": body})
}
