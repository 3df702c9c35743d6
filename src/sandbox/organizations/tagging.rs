//! The tags of accounts, organizational units and the root.

use serde_json::json;

use super::super::operation::{Input, Operation, read, write};
use super::super::pages::page;
use super::super::state::State;
use super::super::tags::{Tags, without};
use super::super::wire::{AwsError, Reply};
use super::tagged;

pub(super) const OPERATIONS: &[Operation] =
    &[read("ListTagsForResource", list), write("TagResource", tag), write("UntagResource", untag)];

fn list(state: &State, input: Input<'_>) -> Reply {
    page(state, input, "Tags", at(state, input)?, |(key, value)| json!({"Key": key, "Value": value}))
}

fn tag(state: &mut State, input: Input<'_>) -> Reply {
    let tags = tagged(input, at(state, input)?)?;
    put(state, input, tags);
    Ok(json!({}))
}

// A key that is not there does no harm.
fn untag(state: &mut State, input: Input<'_>) -> Reply {
    let tags = without(input, at(state, input)?);
    put(state, input, tags);
    Ok(json!({}))
}

fn at<'a>(state: &'a State, input: Input<'_>) -> Result<&'a Tags, AwsError> {
    let id = input.text("ResourceId");
    let root = (id == state.organization.root_id).then_some(&state.organization.root_tags);
    let unit = || state.units.get(id).map(|unit| &unit.tags);
    let account = || state.accounts.get(id).map(|account| &account.tags);
    root.or_else(unit).or_else(account).ok_or_else(|| {
        AwsError::new(
            "TargetNotFoundException",
            "We can't find a root, OU, account, or policy with the TargetId that you specified.",
        )
    })
}

fn put(state: &mut State, input: Input<'_>, tags: Tags) {
    let id = input.text("ResourceId");
    if id == state.organization.root_id {
        state.organization.root_tags = tags;
    } else if let Some(unit) = state.units.get_mut(id) {
        unit.tags = tags;
    } else if let Some(account) = state.accounts.get_mut(id) {
        account.tags = tags;
    }
}
