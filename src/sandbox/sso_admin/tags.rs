//! TagResource, UntagResource and ListTagsForResource, for permission sets and the instance.
//!
//! Tags are no part of a definition: they never make a provisioned account stale.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::operation::{Input, Operation, read, write};
use super::super::pages::page;
use super::super::patterns;
use super::super::state::State;
use super::super::validate::{Member, Shape, optional, required};
use super::super::wire::{AwsError, Reply};
use super::{NEXT_TOKEN, instance, set_arn};

/// `TagList` of the model.
pub(super) const TAGS: Shape = Shape::List {
    min: 0,
    max: MAX_TAGS,
    item: &Shape::Structure(
        const { &[required("Key", Shape::Text(&patterns::TAG_KEY)), required("Value", Shape::Text(&patterns::TAG_VALUE))] },
    ),
};
const TAG_KEYS: Shape = Shape::List { min: 1, max: MAX_TAGS, item: &Shape::Text(&patterns::TAG_KEY) };
/// The longest list of the model, taken for the limit of a resource too.
const MAX_TAGS: usize = 75;

// Optional in the newest model; permission sets needed it before.
const MAYBE_INSTANCE: Member = optional("InstanceArn", Shape::Text(&patterns::INSTANCE_ARN));
const RESOURCE: Member = required("ResourceArn", Shape::Text(&patterns::TAGGABLE_ARN));

pub(super) const OPERATIONS: &[Operation] = &[
    write("TagResource", const { &[MAYBE_INSTANCE, RESOURCE, required("Tags", TAGS)] }, tag),
    write("UntagResource", const { &[MAYBE_INSTANCE, RESOURCE, required("TagKeys", TAG_KEYS)] }, untag),
    read("ListTagsForResource", &[MAYBE_INSTANCE, RESOURCE, NEXT_TOKEN], list),
];

fn tag(state: &mut State, input: Input<'_>) -> Reply {
    let place = place(state, input)?;
    let tags = tags_of(input, at(state, &place)?)?;
    *at_mut(state, &place)? = tags;
    Ok(json!({}))
}

// A key that is not there does no harm.
fn untag(state: &mut State, input: Input<'_>) -> Reply {
    let place = place(state, input)?;
    let tags = at_mut(state, &place)?;
    for key in input.items("TagKeys").filter_map(Value::as_str) {
        tags.remove(key);
    }
    Ok(json!({}))
}

fn list(state: &State, input: Input<'_>) -> Reply {
    let tags = at(state, &place(state, input)?)?;
    page(state, input, "Tags", tags, |(key, value)| json!({"Key": key, "Value": value}))
}

/// The tags that a resource with the tags `before` has after those of the input: new values win, other keys stay.
pub(super) fn tags_of(
    input: Input<'_>,
    before: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, AwsError> {
    let mut tags = before.clone();
    for tag in input.structures("Tags") {
        let key = tag.text("Key");
        // Reserved [tagging, user guide].
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(input.refused("tags", "Keys must not start with aws:"));
        }
        tags.insert(key.to_owned(), tag.text("Value").to_owned());
    }
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

fn at<'a>(state: &'a State, place: &Place) -> Result<&'a BTreeMap<String, String>, AwsError> {
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

fn at_mut<'a>(state: &'a mut State, place: &Place) -> Result<&'a mut BTreeMap<String, String>, AwsError> {
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
