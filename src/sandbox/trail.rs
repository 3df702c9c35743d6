//! `cloudtrail`, as far as it tells who changed permission sets and assignments: LookupEvents.
//!
//! Source: botocore model 2013-11-01; the spelling of events after published samples (CreateAccountAssignment, 2023): names in
//! lower camel case, `requestParameters` as they were sent. Only sso-admin's writes that were accepted are kept.

use serde_json::{Map, Value, json};

use super::caller::Caller;
use super::ids::derived_principal;
use super::state::State;
use super::wire::{AwsError, Reply};
use super::world::TrailEvent;

/// The end of the target of the one operation that is played: botocore has the name of a Java package before it, the Rust SDK not.
pub(super) const TARGET: &str = "CloudTrail_20131101.LookupEvents";
/// The most events of a page, and the default [LookupEvents].
const PAGE: u64 = 50;
const SOURCE: &str = "sso.amazonaws.com";

/// Keeps an event; the oldest goes when there are too many.
pub(super) fn keep(state: &mut State, name: &str, caller: &Caller, request: &Map<String, Value>) {
    let most = state.settings.trail_events;
    while state.trail.len() >= most.max(1) {
        state.trail.pop_front();
    }
    if most > 0 {
        state.trail.push_back(TrailEvent {
            at: state.now,
            name: name.to_owned(),
            account_id: caller.account.clone(),
            arn: caller.arn.clone(),
            request: request.clone(),
        });
    }
}

/// Answers LookupEvents: newest first, of the caller's account only, those that have been delivered.
pub(super) fn lookup(state: &State, caller: &Caller, input: &Map<String, Value>) -> Reply {
    let page = match input.get("MaxResults").and_then(Value::as_u64) {
        Some(0) => return Err(AwsError::new("InvalidMaxResultsException", "")),
        Some(number) if number > PAGE => return Err(AwsError::new("InvalidMaxResultsException", "")),
        Some(number) => usize::try_from(number).unwrap_or(usize::MAX),
        None => usize::try_from(PAGE).unwrap_or(usize::MAX),
    };
    let attributes = input.get("LookupAttributes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if attributes.len() > 1 {
        return Err(AwsError::new("InvalidLookupAttributesException", ""));
    }
    let wanted = |event: &TrailEvent| {
        attributes.iter().all(|attribute| {
            let value = attribute.get("AttributeValue").and_then(Value::as_str).unwrap_or_default();
            match attribute.get("AttributeKey").and_then(Value::as_str) {
                Some("EventSource") => value == SOURCE,
                Some("EventName") => value == event.name,
                Some("ReadOnly") => value == "false",
                Some("Username") => value == user_name(event),
                _ => false,
            }
        })
    };
    let time = |name: &str, default| input.get(name).and_then(Value::as_f64).unwrap_or(default);
    let (from, to) = (time("StartTime", f64::MIN), time("EndTime", f64::MAX));
    let delivered = state.now - state.settings.trail_delay_seconds;
    let skip = match input.get("NextToken").and_then(Value::as_str).map(str::parse::<usize>) {
        None => 0,
        Some(Ok(skip)) => skip,
        Some(Err(_)) => return Err(AwsError::new("InvalidNextTokenException", "")),
    };
    let mut found = state.trail.iter().enumerate().rev().filter(|(_, event)| {
        event.account_id == caller.account && (from..=to).contains(&event.at) && event.at <= delivered && wanted(event)
    });
    let events: Vec<Value> =
        found.by_ref().skip(skip).take(page).map(|(number, event)| told(state, number, event)).collect();
    Ok(match found.next() {
        Some(_) => json!({"Events": events, "NextToken": (skip + page).to_string()}),
        None => json!({"Events": events}),
    })
}

fn user_name(event: &TrailEvent) -> &str {
    event.arn.rsplit('/').next().unwrap_or_default()
}

fn told(state: &State, number: usize, event: &TrailEvent) -> Value {
    let region = state.instance.as_ref().map(|instance| instance.region.as_str()).unwrap_or_default();
    let id = derived_principal(state.ids.seed, &["trail", &number.to_string(), &event.at.to_string()]);
    let kind = if event.arn.contains(":assumed-role/") { "AssumedRole" } else { "IAMUser" };
    let time = utc(event.at);
    let request: Map<String, Value> =
        event.request.iter().map(|(name, value)| (lower_camel(name), value.clone())).collect();
    let whole = json!({
        "eventVersion": "1.08",
        "userIdentity": {"type": kind, "arn": event.arn, "accountId": event.account_id},
        "eventTime": time,
        "eventSource": SOURCE,
        "eventName": event.name,
        "awsRegion": region,
        "requestParameters": request,
        "eventID": id,
        "readOnly": false,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": event.account_id,
        "eventCategory": "Management",
    });
    json!({
        "EventId": id, "EventName": event.name, "ReadOnly": "false", "EventTime": event.at, "EventSource": SOURCE,
        "Username": user_name(event), "Resources": [], "CloudTrailEvent": whole.to_string(),
    })
}

fn lower_camel(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|first| first.to_ascii_lowercase().to_string() + chars.as_str()).unwrap_or_default()
}

/// RFC 3339 in whole seconds.
#[expect(clippy::cast_possible_truncation, reason = "whole seconds, of a clock that ends in the year 9999")]
fn utc(at: f64) -> String {
    jiff::Timestamp::from_second(at as i64).map(|it| it.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default()
}
