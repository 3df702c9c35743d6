//! TagResource, UntagResource and ListTagsForResource, for permission sets and the instance.
//!
//! Tags are no part of a definition: they never make a provisioned account stale.

use serde_json::json;

use super::super::operation::{Input, Operation, read, write};
use super::super::pages::page;
use super::super::state::State;
use super::super::tags::{self, Tags};
use super::super::wire::{AwsError, Reply};
use super::{instance, set_arn};

/// The longest list of the model, taken for the limit of a resource too.
const MAX_TAGS: usize = 75;

pub(super) const OPERATIONS: &[Operation] =
    &[write("TagResource", tag), write("UntagResource", untag), read("ListTagsForResource", list)];

fn tag(state: &mut State, input: Input<'_>) -> Reply {
    let place = place(state, input)?;
    let tags = tags_of(input, at(state, &place)?)?;
    *at_mut(state, &place)? = tags;
    Ok(json!({}))
}

fn untag(state: &mut State, input: Input<'_>) -> Reply {
    let place = place(state, input)?;
    let tags = tags::without(input, at(state, &place)?);
    *at_mut(state, &place)? = tags;
    Ok(json!({}))
}

fn list(state: &State, input: Input<'_>) -> Reply {
    let tags = at(state, &place(state, input)?)?;
    page(state, input, "Tags", tags, |(key, value)| json!({"Key": key, "Value": value}))
}

/// The tags that a resource with the tags `before` has after those of the input.
pub(super) fn tags_of(input: Input<'_>, before: &Tags) -> Result<Tags, AwsError> {
    let reserved = || input.refused("tags", "Keys must not start with aws:");
    let tags = tags::merged(input, before).ok_or_else(reserved)?;
    if tags.len() > MAX_TAGS {
        return Err(AwsError::quota(format!(
            "You have exceeded AWS SSO limits. Cannot create Tag more than {MAX_TAGS}"
        )));
    }
    Ok(tags)
}

enum Place {
    Set(String),
    Instance(String),
}

fn place(state: &State, input: Input<'_>) -> Result<Place, AwsError> {
    if input.maybe("InstanceArn").is_some() {
        instance(state, input)?;
    }
    let arn = input.text("ResourceArn");
    let id = arn.splitn(3, '/').nth(2).unwrap_or_default();
    if state.sets.contains_key(id) && set_arn(state, id) == arn {
        return Ok(Place::Set(id.to_owned()));
    }
    let place = Place::Instance(arn.to_owned());
    at(state, &place).map(|_| ())?;
    Ok(place)
}

fn at<'a>(state: &'a State, place: &Place) -> Result<&'a Tags, AwsError> {
    let tags = match place {
        Place::Set(id) => state.sets.get(id).map(|set| &set.tags),
        Place::Instance(arn) => state
            .instance
            .iter()
            .chain(&state.extra_instances)
            .find(|instance| instance.arn == *arn)
            .map(|instance| &instance.tags),
    };
    tags.ok_or_else(|| missing(place))
}

fn at_mut<'a>(state: &'a mut State, place: &Place) -> Result<&'a mut Tags, AwsError> {
    let tags = match place {
        Place::Set(id) => state.sets.get_mut(id).map(|set| &mut set.tags),
        Place::Instance(arn) => state
            .instance
            .iter_mut()
            .chain(&mut state.extra_instances)
            .find(|instance| instance.arn == *arn)
            .map(|instance| &mut instance.tags),
    };
    tags.ok_or_else(|| missing(place))
}

fn missing(place: &Place) -> AwsError {
    let (Place::Set(name) | Place::Instance(name)) = place;
    AwsError::not_found(format!("Could not find resource {name}"))
}
