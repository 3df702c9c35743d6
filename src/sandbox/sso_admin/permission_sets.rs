//! Create, describe, update, delete and list permission sets.
//!
//! These are synchronous and change definitions only: accounts learn of an update when the set is provisioned again.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::duration;
use super::super::jobs;
use super::super::operation::{Input, Operation, read, write};
use super::super::pages::page;
use super::super::state::State;
use super::super::wire::{AwsError, Reply};
use super::super::world::{Echo, PermissionSet};
use super::tags::tags_of;
use super::{is_home, set, set_arn, set_id, set_mut};

/// [quotas page of the user guide], the newest text.
const MAX_SETS: usize = 3_500;

pub(super) const OPERATIONS: &[Operation] = &[
    write("CreatePermissionSet", create),
    read("DescribePermissionSet", describe),
    write("UpdatePermissionSet", update),
    write("DeletePermissionSet", delete),
    read("ListPermissionSets", list),
];

fn create(state: &mut State, input: Input<'_>) -> Reply {
    if !is_home(state, input)? {
        // Account instances hold no permission sets [user guide, organization and account instances].
        return Err(AwsError::validation("The operation is not supported for this Identity Center instance"));
    }
    let session_duration = session_duration(state, input)?;
    let tags = tags_of(input, &BTreeMap::new())?;
    let name = input.text("Name");
    let twin = |known: &String| !state.settings.names_differ_by_case && known.eq_ignore_ascii_case(name);
    if state.set_names.contains_key(name) || state.set_names.keys().any(twin) {
        // avlcloudtechnologies/terraform-aws-sso#6
        return Err(AwsError::conflict(format!("PermissionSet with name {name} already exists.")));
    }
    if state.sets.len() >= MAX_SETS {
        return Err(AwsError::quota(format!(
            "You have exceeded AWS SSO limits. Cannot create PermissionSet more than {MAX_SETS}"
        )));
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
        created: state.now,
        version: 1,
        released: 0.0,
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
    let session_duration = session_duration(state, input)?;
    let description_counts = state.settings.description_makes_stale;
    let clears = state.settings.update_clears_description;
    let set = set_mut(state, input)?;
    let relay_state = input.owned("RelayState");
    let same = set.session_duration == session_duration && set.relay_state == relay_state;
    if clears || input.value("Description").is_some() {
        set.description = input.owned("Description");
    }
    set.session_duration = session_duration;
    set.relay_state = relay_state;
    if description_counts || !same {
        set.version = set.version.saturating_add(1);
    }
    Ok(json!({}))
}

fn delete(state: &mut State, input: Input<'_>) -> Reply {
    let set = set(state, input)?;
    // An assignment implies a provisioned account, so this covers both.
    let lingers = set.released > 0.0 && state.now < set.released + state.settings.deletion_lingers_seconds;
    if !set.provisioned.is_empty() || lingers || jobs::touches_set(state, &set.id) {
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
fn session_duration(state: &State, input: Input<'_>) -> Result<String, AwsError> {
    let Some(text) = input.maybe("SessionDuration") else {
        return Ok("PT1H".to_owned());
    };
    match duration::seconds(text) {
        Some(_) if state.settings.any_session_duration => Ok(text.to_owned()),
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
    let duration = match state.settings.echo {
        Echo::Verbatim => set.session_duration.clone(),
        Echo::Normalized => normalized(&set.session_duration),
    };
    body.insert("SessionDuration".to_owned(), json!(duration));
    if let Some(relay_state) = &set.relay_state {
        body.insert("RelayState".to_owned(), json!(relay_state));
    }
    json!({"PermissionSet": body})
}

/// A duration in hours and minutes, those of AWS's own examples.
fn normalized(text: &str) -> String {
    let minutes = duration::seconds(text).map_or(60, |seconds| (seconds / 60.0).round() as u64);
    match (minutes / 60, minutes % 60) {
        (hours, 0) => format!("PT{hours}H"),
        (0, minutes) => format!("PT{minutes}M"),
        (hours, minutes) => format!("PT{hours}H{minutes}M"),
    }
}
