//! ListInstances and DescribeInstance.
//!
//! Instances are made in the world file; nothing here changes them.

use serde_json::{Value, json};

use super::super::operation::{Input, Operation, read};
use super::super::pages::page;
use super::super::state::State;
use super::super::validate::{Shape, optional};
use super::super::wire::Reply;
use super::super::world::Instance;
use super::{INSTANCE, MAX_RESULTS, NEXT_TOKEN, instance};

pub(super) const OPERATIONS: &[Operation] = &[
    read(
        "ListInstances",
        const { &[MAX_RESULTS, NEXT_TOKEN, optional("RegionScope", Shape::OneOf(&["CURRENT_REGION", "ALL_REGIONS"]))] },
        list,
    ),
    read("DescribeInstance", &[INSTANCE], describe),
];

// A Region without Identity Center gives an empty list, no error [ListInstances, API reference].
fn list(state: &State, input: Input<'_>) -> Reply {
    let instances = state.instance.iter().chain(&state.extra_instances);
    page(state, input, "Instances", instances, body)
}

fn describe(state: &State, input: Input<'_>) -> Reply {
    instance(state, input).map(body)
}

fn body(instance: &Instance) -> Value {
    json!({
        "InstanceArn": instance.arn,
        "IdentityStoreId": instance.identity_store_id,
        "OwnerAccountId": instance.owner_account_id,
        "Status": "ACTIVE",
        "PrimaryRegion": instance.region,
    })
}
