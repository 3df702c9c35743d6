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
    let place = match input.maybe("NextToken") {
        None | Some("") => Place { start: 0, emptied: false },
        Some(token) => position(bound, token).ok_or_else(|| bad_token(input))?,
    };
    let settings = &state.settings;
    let mut size = size(state, input);
    if settings.short_pages {
        size = 1 + (mix(bound ^ mix(place.start as u64)) as usize) % size;
    }
    let mut items = items.into_iter().skip(place.start).peekable();
    // Every second page comes only when asked for twice.
    if settings.empty_pages
        && !place.emptied
        && items.peek().is_some()
        && mix(bound ^ place.start as u64).is_multiple_of(2)
    {
        let next = Place { emptied: true, ..place };
        return Ok(answer(key, Vec::new(), Some(token(bound, next))));
    }
    let rows: Vec<Value> = items.by_ref().take(size).map(row).collect();
    let next = Place { start: place.start.saturating_add(size), emptied: false };
    let more = items.peek().is_some().then(|| token(bound, next));
    Ok(answer(key, rows, more))
}

/// One page of items and the token of the next; `None` if the token is of something else.
pub(super) fn cut<T>(bound: u64, token: Option<&str>, size: usize, items: Vec<T>) -> Option<(Vec<T>, Option<String>)> {
    let start = token.map_or(Some(0), |token| position(bound, token).map(|place| place.start))?;
    let end = start.saturating_add(size);
    let more = items.len() > end;
    let rows = items.into_iter().skip(start).take(size).collect();
    Some((rows, more.then(|| self::token(bound, Place { start: end, emptied: false }))))
}

// The token is absent at the end, never null and never empty: clients differ in what they take those for.
fn answer(key: &str, rows: Vec<Value>, token: Option<String>) -> Value {
    let mut answer = Map::new();
    answer.insert(key.to_owned(), Value::Array(rows));
    if let Some(token) = token {
        answer.insert("NextToken".to_owned(), Value::String(token));
    }
    Value::Object(answer)
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    start: usize,
    /// Whether the empty page before it was given already.
    emptied: bool,
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

fn token(bound: u64, place: Place) -> String {
    let place = (place.start as u64) << 1 | u64::from(place.emptied);
    format!("{:016x}{:016x}", place ^ mix(bound), mix(bound ^ mix(place)))
}

fn position(bound: u64, token: &str) -> Option<Place> {
    let (masked, _) = token.split_at_checked(16)?;
    let place = u64::from_str_radix(masked, 16).ok()? ^ mix(bound);
    let place = Place { start: usize::try_from(place >> 1).ok()?, emptied: place & 1 == 1 };
    (self::token(bound, place) == token).then_some(place)
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
