//! The words of a fault: which calls it is on, and what in it cannot be.

use std::collections::BTreeSet;

use super::model::{self, is_job, is_read};
use super::wire::Service;
use super::world::{Effect, Fault};

/// What any operation may answer whatever its model says (API reference, "Common Error Types").
const COMMON: &[&str] = &[
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InternalFailure",
    "InvalidSignatureException",
    "MalformedHttpRequestException",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "OptInRequired",
    "RequestAbortedException",
    "RequestEntityTooLargeException",
    "RequestExpired",
    "RequestTimeoutException",
    "SerializationException",
    "ServiceUnavailable",
    "ThrottlingException",
    "UnrecognizedClientException",
    "UnknownOperationException",
    "ValidationError",
];

/// What in a fault cannot be.
pub(super) fn problem(fault: &Fault) -> Option<String> {
    let seconds = match &fault.effect {
        Effect::JobTakes { seconds } | Effect::Delay { seconds } => *seconds,
        _ => 0.0,
    };
    if !(0.0..=86_400.0).contains(&seconds) {
        return Some(format!("a fault of {seconds} seconds: from 0 to 86400 are possible"));
    }
    if fault.chance.is_some_and(|chance| !(0.0..=1.0).contains(&chance)) {
        return Some("the chance of a fault must be between 0 and 1".to_owned());
    }
    if operations(&fault.on).next().is_none() {
        return Some(format!(
            "a fault on `{}`: no operation of sso-admin, identitystore or organizations has that name (others have no faults)",
            fault.on
        ));
    }
    match &fault.effect {
        Effect::Error { code, .. } => strange_error(&fault.on, code),
        Effect::Edit { calls } => {
            let known = |it: &str| it.contains('.') && operations(it).next().is_some();
            let strange = calls.iter().find(|call| !known(&call.operation));
            strange.map(|call| format!("a fault that calls `{}`: there is no such operation", call.operation))
        }
        _ => None,
    }
}

/// Clients learn nothing from an error that AWS does not have; mostly it is a typing error.
fn strange_error(on: &str, code: &str) -> Option<String> {
    let documented: BTreeSet<&str> = operations(on)
        .flat_map(|(service, operation)| model::table(service).errors(operation))
        .map(String::as_str)
        .chain(COMMON.iter().copied())
        .collect();
    let strange = !documented.contains(code);
    strange.then(|| {
        let documented: Vec<_> = documented.into_iter().collect();
        format!("a fault with the error `{code}` on `{on}`: AWS documents {}", documented.join(", "))
    })
}

/// The operations that a fault is on.
fn operations(on: &str) -> impl Iterator<Item = (Service, &'static str)> {
    let services = [Service::SsoAdmin, Service::IdentityStore, Service::Organizations];
    let all = services.into_iter().flat_map(|it| model::table(it).names().map(move |name| (it, name)));
    all.filter(move |(service, name)| is_on(on, *service, name))
}

/// Whether a call is one of those that a fault is on.
pub(super) fn is_on(on: &str, service: Service, operation: &str) -> bool {
    match on {
        "reads" => is_read(operation),
        "writes" => !is_read(operation),
        "jobs" => is_job(operation),
        _ => matches(on, operation) || matches(on, &format!("{}.{operation}", service.name())),
    }
}

/// Whether a pattern with `*` matches a whole text.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_pattern_matches_the_whole_text() {
        for (pattern, text, expected) in [
            ("ListUsers", "ListUsers", true),
            ("ListUser", "ListUsers", false),
            ("*", "", true),
            ("List*", "ListUsers", true),
            ("*Users", "ListUsers", true),
            ("*U*rs", "ListUsers", true),
            ("List*List", "List", false),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "acb", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
