//! The only door to AWS: nobody else names an AWS SDK crate.
//!
//! One concrete client. Below it lies either the network or the sandbox's connector; everything above the connector
//! (signing, pages, retries, pacing, errors) is the same for both. `read`, `whereabouts` and `write` speak the words of `model`,
//! `wait` follows asynchronous requests, `pace` owns the rate, `error` is what can go wrong.

mod call;
mod caller;
mod connect;
mod convert;
mod error;
mod pace;
mod portal;
mod read;
mod read_only;
mod trail;
mod wait;
mod whereabouts;
mod write;

pub use call::Receipt;
pub use connect::{Access, Connection, Transport};
pub use error::{AwsError, ErrorKind};
pub use portal::{Identity, Portal, is_no_access};
pub use read::Listed;
pub use wait::{Request, RequestKind, Settled, Waiter};
pub use whereabouts::Held;

use crate::model::Instance;
use pace::Meter;

/// A connection to Identity Center, its identity store, AWS Organizations, and to who tells who we are.
#[derive(Clone, Debug)]
pub struct Aws {
    sso: aws_sdk_ssoadmin::Client,
    identity_store: aws_sdk_identitystore::Client,
    organizations: aws_sdk_organizations::Client,
    sts: aws_sdk_sts::Client,
    trail: aws_sdk_cloudtrail::Client,
    meter: Meter,
    region: String,
    endpoint_url: Option<String>,
}

impl Aws {
    /// Returns how many requests were sent so far, repeats included.
    pub fn calls(&self) -> u64 {
        self.meter.calls()
    }

    /// Returns whether AWS throttles, and requests go out more slowly than they could.
    pub fn is_slowed(&self) -> bool {
        self.meter.is_slowed()
    }

    /// Returns the Region that is asked.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Returns the one endpoint that is asked instead of AWS's own, if there is one.
    pub fn endpoint_url(&self) -> Option<&str> {
        self.endpoint_url.as_deref()
    }

    /// Returns the same connection as bound to one instance.
    pub fn at<'a>(&'a self, instance: &'a Instance) -> At<'a> {
        At { aws: self, instance }
    }
}

/// A connection together with the instance that all calls are about.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    aws: &'a Aws,
    instance: &'a Instance,
}

impl At<'_> {
    /// Returns how many requests were sent so far, repeats included.
    pub fn calls(self) -> u64 {
        self.aws.calls()
    }
}
