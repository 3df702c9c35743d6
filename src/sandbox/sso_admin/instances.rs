//! ListInstances and DescribeInstance.
//!
//! Instances are made in the world file; nothing here changes them.

use serde_json::{Value, json};

use super::super::operation::{Input, Operation, read};
use super::super::pages::page;
use super::super::state::State;
use super::super::wire::Reply;
use super::super::world::Instance;
use super::instance;

pub(super) const OPERATIONS: &[Operation] = &[read("ListInstances", list), read("DescribeInstance", describe)];

// A Region without Identity Center gives an empty list, no error [ListInstances, API reference].
fn list(state: &State, input: Input<'_>) -> Reply {
    let instances = super::instances(state, input);
    page(state, input, "Instances", instances, body)
}

fn describe(state: &State, input: Input<'_>) -> Reply {
    instance(state, input).map(body)
}

fn body(instance: &Instance) -> Value {
    let store = &instance.identity_store_id;
    json!({
        "InstanceArn": instance.arn,
        "IdentityStoreId": store,
        "IdentityStoreArn": format!("arn:aws:identitystore::{}:identitystore/{store}", instance.owner_account_id),
        "OwnerAccountId": instance.owner_account_id,
        "Status": "ACTIVE",
        "PrimaryRegion": instance.region,
    })
}
