//! Pages of lists and their tokens.
//!
//! A token is opaque and belongs to one operation with one input: it is refused with another. It carries a position, so that it
//! outlives the process; a list that changes between two pages may repeat or skip an item, as with AWS.

use serde_json::{Map, Value};

use super::ids::{digest, mix};
use super::operation::Input;
use super::state::State;
use super::wire::{AwsError, Reply, Service};

/// Answers one page of `items` as the member `key`; `row` is asked only for the items of the page.
pub(super) fn page<T>(
    state: &State,
    input: Input<'_>,
    key: &str,
    items: impl IntoIterator<Item = T>,
    row: impl Fn(T) -> Value,
) -> Reply {
    let bound = binding(state, input);
    let start = match input.maybe("NextToken") {
        None | Some("") => 0,
        Some(token) => position(bound, token).ok_or_else(|| bad_token(input))?,
    };
    let size = size(state, input);
    let mut items = items.into_iter().skip(start);
    let rows: Vec<Value> = items.by_ref().take(size).map(row).collect();
    let mut answer = Map::new();
    answer.insert(key.to_owned(), Value::Array(rows));
    // Absent at the end, never null and never empty: clients differ in what they take those for.
    if items.next().is_some() {
        let token = token(bound, start.saturating_add(size));
        answer.insert("NextToken".to_owned(), Value::String(token));
    }
    Ok(Value::Object(answer))
}

// The page size is the default and the cap at once: AWS may always send fewer than MaxResults, and small pages test clients.
fn size(state: &State, input: Input<'_>) -> usize {
    let settings = &state.settings;
    let cap = match input.service {
        Service::Organizations => settings.organizations_page_size.clamp(1, 20),
        Service::SsoAdmin | Service::IdentityStore => settings.page_size.clamp(1, 100),
    };
    input.number("MaxResults").unwrap_or(cap).min(cap)
}

fn binding(state: &State, input: Input<'_>) -> u64 {
    let mut parts = vec![input.service.name().to_owned(), input.operation.to_owned()];
    let mut members: Vec<_> = input
        .members
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "NextToken" | "MaxResults"))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    members.sort();
    parts.append(&mut members);
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    digest(state.ids.seed, &parts)
}

fn token(bound: u64, start: usize) -> String {
    let start = start as u64;
    format!("{:016x}{:016x}", start ^ mix(bound), mix(bound ^ mix(start)))
}

fn position(bound: u64, token: &str) -> Option<usize> {
    let (masked, _) = token.split_at_checked(16)?;
    let start = usize::try_from(u64::from_str_radix(masked, 16).ok()? ^ mix(bound)).ok()?;
    (self::token(bound, start) == token).then_some(start)
}

fn bad_token(input: Input<'_>) -> AwsError {
    match input.service {
        Service::Organizations => {
            AwsError::new("InvalidInputException", "You provided a pagination token that is not valid.")
                .with("Reason", "INVALID_NEXT_TOKEN")
        }
        Service::SsoAdmin | Service::IdentityStore => {
            input.refused("nextToken", "Member must be a token of the same request")
        }
    }
}
