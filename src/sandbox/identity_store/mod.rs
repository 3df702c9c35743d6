//! The operations of `identitystore` (botocore model 2020-06-15): users, groups and memberships.
//!
//! What they share is here. Names are matched exactly; whether AWS ignores case is not documented. Nobody has an external id.

mod groups;
mod memberships;
mod users;

use serde_json::{Map, Value, json};

use super::operation::{Input, Operation, read};
use super::pages::page;
use super::state::State;
use super::wire::{AwsError, Reply};
use super::world::{Group, Record, User};

/// All tables of the service.
pub(super) const TABLES: &[&[Operation]] = &[users::OPERATIONS, groups::OPERATIONS, memberships::OPERATIONS, STORES];

const STORES: &[Operation] = &[read("DescribeIdentityStore", describe), read("ListIdentityStores", list)];

fn describe(state: &State, input: Input<'_>) -> Reply {
    store(state, input).map(|id| store_body(state, id))
}

fn list(state: &State, input: Input<'_>) -> Reply {
    let stores = state.instance.iter().map(|instance| instance.identity_store_id.as_str());
    page(state, input, "IdentityStores", stores, |id| store_body(state, id))
}

fn store_body(state: &State, id: &str) -> Value {
    let owner = state.instance.as_ref().map_or("", |instance| &instance.owner_account_id);
    json!({
        "IdentityStoreId": id,
        "IdentityStoreArn": format!("arn:aws:identitystore::{owner}:identitystore/{id}"),
    })
}

/// The bare id of the store that the input names, be it by id or by ARN.
fn store<'a>(state: &'a State, input: Input<'_>) -> Result<&'a str, AwsError> {
    let id = bare(input.text("IdentityStoreId"));
    let here = |region: &str| input.caller.region.as_ref().is_none_or(|signed| signed == region);
    let stores = state.instance.iter().filter(|it| here(&it.region)).map(|it| it.identity_store_id.as_str());
    stores.into_iter().find(|known| *known == id).ok_or_else(|| {
        // Its id has not the form that the model gives to ResourceId.
        AwsError::not_found("IDENTITY_STORE not found.").with("ResourceType", "IDENTITY_STORE")
    })
}

/// The user whose id stands under `member`.
fn user<'a>(state: &'a State, input: Input<'_>, member: &str) -> Result<&'a User, AwsError> {
    let id = bare(input.text(member));
    state.store.users.get(id).ok_or_else(|| missing("USER", id))
}

fn group<'a>(state: &'a State, input: Input<'_>) -> Result<&'a Group, AwsError> {
    let id = bare(input.text("GroupId"));
    state.store.groups.get(id).ok_or_else(|| missing("GROUP", id))
}

// The newest model takes ARNs wherever it takes ids.
fn bare(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

// Wording: moto. A look-up by name has no id to report.
fn missing(kind: &str, id: &str) -> AwsError {
    let error = AwsError::not_found(format!("{kind} not found.")).with("ResourceType", kind);
    if id.is_empty() { error } else { error.with("ResourceId", id) }
}

fn duplicate(message: &str) -> AwsError {
    AwsError::conflict(message).with("Reason", "UNIQUENESS_CONSTRAINT_VIOLATION")
}

/// Users and groups that a store holds of each [quotas page of the user guide].
const MOST: usize = 100_000;

fn room(held: usize) -> Result<(), AwsError> {
    if held < MOST {
        return Ok(());
    }
    Err(AwsError::quota(format!("The identity store cannot hold more than {MOST} of these.")))
}

// Source: CreateUser and CreateGroup, API reference.
fn not_reserved(input: Input<'_>, member: &str, name: &str) -> Result<(), AwsError> {
    if matches!(name, "Administrator" | "AWSAdministrators") {
        return Err(input.refused(member, "Member must not be a reserved name"));
    }
    Ok(())
}

/// Refuses a change of something that has changed since the caller saw it [botocore model, ConflictExceptionReason].
fn unmoved(input: Input<'_>, record: &Record) -> Result<(), AwsError> {
    match input.maybe("Revision") {
        Some(revision) if revision != record.revision.to_string() => {
            Err(AwsError::conflict("The resource has been modified since the given revision.")
                .with("Reason", "CONCURRENT_MODIFICATION"))
        }
        _ => Ok(()),
    }
}

/// Path and value, or nothing when an external id was given instead. Terraform's data sources spell paths as `UserName`.
fn unique_attribute<'a>(input: Input<'a>) -> Result<Option<(String, &'a str)>, AwsError> {
    let Some(attribute) = input.inside("AlternateIdentifier").and_then(|it| it.inside("UniqueAttribute")) else {
        return Ok(None);
    };
    // The value is a free document in the model, but every attribute that may stand here is a string.
    let value = attribute.value("AttributeValue").and_then(Value::as_str);
    let value = value.ok_or_else(|| {
        input.refused("alternateIdentifier.uniqueAttribute.attributeValue", "Member must be a string")
    })?;
    Ok(Some((attribute.text("AttributePath").to_ascii_lowercase(), value)))
}

fn bad_path(input: Input<'_>, path: &str) -> AwsError {
    let rule = format!("Member must be the path of a unique attribute, not {path}");
    input.refused("alternateIdentifier.uniqueAttribute.attributePath", &rule)
}

// Deprecated, and refused in newer Regions (landing-zone-accelerator-on-aws#667).
fn filter<'a>(state: &State, input: Input<'a>, path: &str) -> Result<Option<&'a str>, AwsError> {
    match input.structures("Filters").next() {
        None => Ok(None),
        Some(_) if !state.settings.filters => {
            Err(AwsError::validation("Filter is deprecated, please remove filter from request."))
        }
        Some(filter) if filter.text("AttributePath") == path => Ok(Some(filter.text("AttributeValue"))),
        Some(_) => Err(input.refused("filters.1.member.attributePath", "Member must be supported")),
    }
}

/// The members of an update as a patch: each operation sets an attribute, or removes it where it gives no value [UpdateUser, API
/// reference]. Paths are those of the wire form, in lower camel case.
fn patched(input: Input<'_>, mut document: Map<String, Value>, known: &[&str]) -> Result<Map<String, Value>, AwsError> {
    for (number, operation) in input.structures("Operations").enumerate() {
        let path = operation.text("AttributePath");
        let unknown = || {
            let member = format!("operations.{}.member.attributePath", number + 1);
            input.refused(&member, "Member must be the path of an attribute that can be updated")
        };
        let mut parts = path.split('.').map(upper_camel);
        let first = parts.next().filter(|first| known.contains(&first.as_str())).ok_or_else(unknown)?;
        let value = operation.value("AttributeValue").map(upper_camel_members);
        match (parts.next(), parts.next()) {
            (None, _) => put(&mut document, first, value),
            (Some(second), None) if first == "Name" => {
                let mut name = document.remove("Name").and_then(|it| it.as_object().cloned()).unwrap_or_default();
                put(&mut name, second, value);
                put(&mut document, first, (!name.is_empty()).then_some(Value::Object(name)));
            }
            (Some(_), _) => return Err(unknown()),
        }
    }
    Ok(document)
}

fn put(map: &mut Map<String, Value>, key: String, value: Option<Value>) {
    match value {
        Some(value) => drop(map.insert(key, value)),
        None => drop(map.shift_remove(&key)),
    }
}

fn upper_camel(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

// Terraform sends `[{"value": …}]` where the model says Value.
fn upper_camel_members(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(upper_camel_members).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (upper_camel(name), upper_camel_members(value))).collect()
        }
        other => other.clone(),
    }
}

/// Adds what the record of a thing says, where it says anything.
fn recorded(body: &mut Map<String, Value>, record: &Record) {
    if record.created > 0.0 {
        body.insert("CreatedAt".to_owned(), json!(record.created));
        body.insert("UpdatedAt".to_owned(), json!(record.updated));
    }
}
