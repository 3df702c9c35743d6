//! Attributes for access control: create, update, describe and delete their configuration on the instance.
//!
//! Whether Describe fails while they are off is a switch; Create fails while they are on.

use serde_json::{Value, json};

use super::super::operation::{Input, Operation, read, write};
use super::super::state::State;
use super::super::wire::{AwsError, Reply};
use super::super::world::{Instance, Missing};
use super::instance;

pub(super) const OPERATIONS: &[Operation] = &[
    write("CreateInstanceAccessControlAttributeConfiguration", create),
    write("UpdateInstanceAccessControlAttributeConfiguration", update),
    read("DescribeInstanceAccessControlAttributeConfiguration", describe),
    write("DeleteInstanceAccessControlAttributeConfiguration", delete),
];

fn create(state: &mut State, input: Input<'_>) -> Reply {
    if instance(state, input)?.access_control_attributes.is_some() {
        return Err(AwsError::conflict("InstanceAccessControlAttributeConfiguration already exists."));
    }
    put(state, input)
}

// Replaces the whole list [UpdateInstanceAccessControlAttributeConfiguration, API reference].
fn update(state: &mut State, input: Input<'_>) -> Reply {
    configured(state, input)?;
    put(state, input)
}

fn put(state: &mut State, input: Input<'_>) -> Reply {
    let configuration = input.inside("InstanceAccessControlAttributeConfiguration");
    let attributes: Vec<(String, String)> = configuration
        .into_iter()
        .flat_map(|it| it.structures("AccessControlAttributes"))
        .map(|attribute| {
            let source = attribute.inside("Value").and_then(|value| value.items("Source").next());
            (attribute.text("Key").to_owned(), source.and_then(Value::as_str).unwrap_or_default().to_owned())
        })
        .collect();
    let mut keys: Vec<&String> = attributes.iter().map(|(key, _)| key).collect();
    keys.sort();
    if keys.windows(2).any(|two| two.first() == two.last()) {
        return Err(input.refused("accessControlAttributes", "Member must not have a key twice"));
    }
    *slot(state, input)? = Some(attributes);
    Ok(json!({}))
}

fn describe(state: &State, input: Input<'_>) -> Reply {
    let off = instance(state, input)?.access_control_attributes.is_none();
    if off && state.settings.describe_missing_attributes == Missing::Succeeds {
        return Ok(json!({}));
    }
    let attributes: Vec<Value> = configured(state, input)?
        .iter()
        .map(|(key, source)| json!({"Key": key, "Value": {"Source": [source]}}))
        .collect();
    Ok(json!({
        "Status": "ENABLED",
        "InstanceAccessControlAttributeConfiguration": {"AccessControlAttributes": attributes},
    }))
}

fn delete(state: &mut State, input: Input<'_>) -> Reply {
    configured(state, input)?;
    *slot(state, input)? = None;
    Ok(json!({}))
}

fn configured<'a>(state: &'a State, input: Input<'a>) -> Result<&'a Vec<(String, String)>, AwsError> {
    let missing = || AwsError::not_found("InstanceAccessControlAttributeConfiguration not found.");
    instance(state, input)?.access_control_attributes.as_ref().ok_or_else(missing)
}

fn slot<'a>(state: &'a mut State, input: Input<'_>) -> Result<&'a mut Option<Vec<(String, String)>>, AwsError> {
    let arn = instance(state, input)?.arn.clone();
    let all = state.instance.iter_mut().chain(&mut state.extra_instances);
    let mut attributes =
        all.filter(|instance: &&mut Instance| instance.arn == arn).map(|it| &mut it.access_control_attributes);
    attributes.next().ok_or_else(|| AwsError::not_found(format!("Could not find Instance with ARN {arn}")))
}
