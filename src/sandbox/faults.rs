//! Plays the faults of the world: which of them a call meets, and in what order.
//!
//! Everything is decided by counting and by the world's seed, so that a run can be repeated. What a fault does to an answer is the
//! engine's affair.

use serde_json::{Map, Value};

use super::fault_terms::is_on;
use super::ids::{digest, mix};
use super::model::is_job;
use super::state::State;
use super::wire::{AwsError, Service};
use super::world::{Effect, Fault};

/// A call as faults see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) service: Service,
    pub(super) operation: &'a str,
    pub(super) members: &'a Map<String, Value>,
}

/// The effects that hit this call, in the order of the faults up to the first that ends it; the counters of the faults move on.
pub(super) fn strike(state: &mut State, target: Target<'_>) -> Vec<Effect> {
    let about: Vec<bool> = state.faults.iter().map(|fault| is_about(state, fault, target)).collect();
    let seed = state.ids.seed;
    let mut effects: Vec<Effect> = Vec::new();
    for (place, (fault, about)) in state.faults.iter_mut().zip(about).enumerate() {
        // A call that has ended meets no further faults.
        let ended = effects.last().is_some_and(|effect| ends(effect, target.service));
        if about && !ended && hits(fault, seed, place) {
            effects.push(fault.effect.clone());
        }
    }
    effects
}

fn ends(effect: &Effect, service: Service) -> bool {
    *effect == Effect::DropBefore || refusal(effect, service).is_some()
}

fn hits(fault: &mut Fault, seed: u64, place: usize) -> bool {
    if fault.times.is_some_and(|times| fault.played >= times) {
        return false;
    }
    fault.seen = fault.seen.saturating_add(1);
    let turn = fault.seen.checked_sub(fault.nth.max(1)).is_some_and(|past| past % fault.every.max(1) == 0);
    // The upper 53 bits make an exact fraction from 0 to 1.
    let draw = || mix(digest(seed, &["fault", &place.to_string()]) ^ fault.seen) >> 11;
    let lucky = fault.chance.is_none_or(|chance| (draw() as f64) < chance * 9_007_199_254_740_992.0);
    if turn && lucky {
        fault.played = fault.played.saturating_add(1);
    }
    turn && lucky
}

fn is_about(state: &State, fault: &Fault, target: Target<'_>) -> bool {
    let account = |wanted: &String| {
        let named = |given: &str| given == wanted;
        mentions(target.members, &["TargetId", "AccountId", "ResourceId", "ChildId"], &named)
    };
    let set = |wanted: &String| {
        let id = state.set_names.get(wanted).unwrap_or(wanted);
        let ends = |given: &str| given.rsplit('/').next() == Some(id);
        let creates =
            target.operation == "CreatePermissionSet" && mentions(target.members, &["Name"], &|it| it == wanted);
        creates || mentions(target.members, &["PermissionSetArn", "ResourceArn"], &ends)
    };
    let principal = |wanted: &String| {
        let store = &state.store;
        let id = store.group_names.get(wanted).or_else(|| store.user_names.get(wanted)).unwrap_or(wanted);
        mentions(target.members, &["PrincipalId", "UserId", "GroupId"], &|given| given == id)
    };
    // What becomes of a job is nobody's fault but a job's.
    let on_job = !matches!(fault.effect, Effect::JobFails { .. } | Effect::JobTakes { .. }) || is_job(target.operation);
    is_on(&fault.on, target.service, target.operation)
        && on_job
        && fault.account.as_ref().is_none_or(account)
        && fault.permission_set.as_ref().is_none_or(set)
        && fault.principal.as_ref().is_none_or(principal)
}

/// Whether a member of one of these names, however deep, has a text that fits.
fn mentions(members: &Map<String, Value>, names: &[&str], fits: &dyn Fn(&str) -> bool) -> bool {
    members.iter().any(|(name, value)| match value {
        Value::String(text) => names.contains(&name.as_str()) && fits(text),
        Value::Object(inner) => mentions(inner, names, fits),
        _ => false,
    })
}

/// What a refusing effect answers; `None` if the call goes on.
pub(super) fn refusal(effect: &Effect, service: Service) -> Option<AwsError> {
    match effect {
        Effect::Throttle => Some(super::throttle::refusal(service)),
        Effect::Conflict => Some(match service {
            Service::SsoAdmin => super::jobs::conflict(),
            Service::IdentityStore => AwsError::conflict("The resource was modified by another request.")
                .with("Reason", "CONCURRENT_MODIFICATION"),
            Service::Organizations => AwsError::new(
                "ConcurrentModificationException",
                "AWS Organizations can't complete your request because it conflicts with another attempt to modify the same \
                 entity. Try again later.",
            ),
        }),
        Effect::Error { code, message, members } => {
            let message = message.clone().unwrap_or_else(|| "A fault of the sandbox refused this call.".to_owned());
            let error = AwsError::new(code.clone(), message);
            Some(members.iter().fold(error, |error, (member, value)| error.with(member.clone(), value.clone())))
        }
        Effect::JobFails { .. }
        | Effect::JobTakes { .. }
        | Effect::Delay { .. }
        | Effect::DropBefore
        | Effect::DropAfter
        | Effect::Truncate { .. }
        | Effect::Edit { .. } => None,
    }
}

/// An effect in a word, for the log.
pub(super) fn word(effect: &Effect) -> &'static str {
    match effect {
        Effect::Throttle => "throttle",
        Effect::Conflict => "conflict",
        Effect::Error { .. } => "error",
        Effect::JobFails { .. } => "job_fails",
        Effect::JobTakes { .. } => "job_takes",
        Effect::Delay { .. } => "delay",
        Effect::DropBefore => "drop_before",
        Effect::DropAfter => "drop_after",
        Effect::Truncate { .. } => "truncate",
        Effect::Edit { .. } => "edit",
    }
}
