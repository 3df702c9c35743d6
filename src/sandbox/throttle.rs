//! Limits by rate: a bucket of calls for Identity Center, one for the identity store, and one an operation of Organizations.
//!
//! Identity Center's is documented, twenty calls a second together [quotas page of the user guide]. That the identity store has
//! one of its own, and what Organizations allows, is not; ListRoots was seen at one a second.

use std::collections::BTreeMap;

use super::wire::{AwsError, Service};
use super::world::Settings;

/// All buckets.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    buckets: BTreeMap<(Service, &'static str), Bucket>,
}

#[derive(Debug)]
struct Bucket {
    left: f64,
    filled: f64,
}

impl Throttle {
    /// Takes one call at the time `now`, or refuses it.
    pub(super) fn admit(
        &mut self,
        settings: &Settings,
        service: Service,
        operation: &'static str,
        now: f64,
    ) -> Result<(), AwsError> {
        let (name, rate, size) = match (service, operation) {
            (Service::SsoAdmin | Service::IdentityStore, _) => {
                ("", settings.calls_per_second, settings.calls_per_second.max(1.0))
            }
            (Service::Organizations, "ListRoots") => (operation, 1.0, 2.0),
            (Service::Organizations, _) => {
                let rate = settings.organizations_calls_per_second;
                (operation, rate, rate.max(1.0))
            }
        };
        let shared = settings.identitystore_shares_rate && service == Service::IdentityStore;
        let payer = if shared { Service::SsoAdmin } else { service };
        let bucket = self.buckets.entry((payer, name)).or_insert(Bucket { left: size, filled: now });
        bucket.left = (bucket.left + (now - bucket.filled).max(0.0) * rate).min(size);
        bucket.filled = now;
        // Times are whole milliseconds, whose sums miss by less than this.
        if bucket.left >= 1.0 - 1e-6 {
            bucket.left -= 1.0;
            return Ok(());
        }
        Err(refusal(service))
    }
}

/// What a service says to too many calls.
pub(super) fn refusal(service: Service) -> AwsError {
    match service {
        // tf#25552
        Service::SsoAdmin => AwsError::new("ThrottlingException", "Rate exceeded"),
        Service::IdentityStore => AwsError::new("ThrottlingException", "Rate exceeded").with("RetryAfterSeconds", 1),
        // aws/aws-sdk-js#2135
        Service::Organizations => AwsError::new(
            "TooManyRequestsException",
            "You have sent too many requests in too short a period of time. Try again later.",
        ),
    }
}
