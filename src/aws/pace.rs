//! How fast requests go out, and how many did.
//!
//! Identity Center allows 20 calls a second for all its APIs together (Identity Center user guide, quotas); the
//! identity store is another endpoint and gets a bucket of its own; AWS Organizations throttles earlier. The limiter
//! sits in the HTTP client, below the SDK's retries, so that repeats are paced and counted too.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use tokio::time::Instant;

/// The header that names service and operation in AWS's JSON protocols.
const TARGET: &str = "x-amz-target";

/// Counts requests and spaces them out.
#[derive(Clone)]
pub(super) struct Meter(Arc<Inner>);

struct Inner {
    calls: AtomicU64,
    buckets: Option<[(&'static str, Bucket); 3]>,
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter").field("calls", &self.calls()).finish_non_exhaustive()
    }
}

impl Meter {
    /// Makes a meter that keeps to AWS's limits, a little below them: somebody else uses the account too.
    pub(super) fn paced() -> Self {
        let buckets = [
            ("SWBExternalService", Bucket::new(19.0, 10)),
            ("AWSIdentityStore", Bucket::new(19.0, 10)),
            ("AWSOrganizations", Bucket::new(5.0, 5)),
        ];
        Self(Arc::new(Inner { calls: AtomicU64::new(0), buckets: Some(buckets) }))
    }

    /// Makes a meter that only counts.
    pub(super) fn unlimited() -> Self {
        Self(Arc::new(Inner { calls: AtomicU64::new(0), buckets: None }))
    }

    pub(super) fn calls(&self) -> u64 {
        self.0.calls.load(Ordering::Relaxed)
    }

    async fn admit(&self, target: &str) {
        // Requests without a target are not of the three services: the SDK fetching credentials, for example.
        let known = ["SWBExternalService", "AWSIdentityStore", "AWSOrganizations"];
        if known.iter().any(|prefix| target.starts_with(prefix)) {
            self.0.calls.fetch_add(1, Ordering::Relaxed);
        }
        let bucket = self.0.buckets.iter().flatten().find(|(prefix, _)| target.starts_with(prefix));
        if let Some((_, bucket)) = bucket {
            tokio::time::sleep_until(bucket.reserve()).await;
        }
    }
}

/// A token bucket in its virtual-scheduling form (GCRA): one instant is its whole state.
struct Bucket {
    interval: Duration,
    burst: Duration,
    next: Mutex<Option<Instant>>,
}

impl Bucket {
    fn new(per_second: f64, burst: u32) -> Self {
        let interval = Duration::from_secs_f64(1.0 / per_second);
        Self { interval, burst: interval * burst, next: Mutex::new(None) }
    }

    /// Takes the next free moment.
    fn reserve(&self) -> Instant {
        let now = Instant::now();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let planned = next.map_or(now, |planned| planned.max(now));
        *next = Some(planned + self.interval);
        // As long as the schedule is at most a burst ahead of the clock, nobody waits.
        planned.checked_sub(self.burst).map_or(now, |start| start.max(now))
    }
}

/// Returns a client for the network.
pub(super) fn network_client(meter: Meter) -> SharedHttpClient {
    SharedHttpClient::new(Network { meter, connector: Arc::default() })
}

/// Returns a client on top of another one.
pub(super) fn metered_client(inner: SharedHttpClient, meter: Meter) -> SharedHttpClient {
    SharedHttpClient::new(Metered { inner, meter })
}

/// One connector, so one pool of connections, for all services.
#[derive(Clone, Debug)]
struct Network {
    meter: Meter,
    connector: Arc<OnceLock<SharedHttpConnector>>,
}

impl HttpClient for Network {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let make = || {
            let mut builder = Connector::builder()
                .connector_settings(settings.clone())
                .proxy_config(ProxyConfig::from_env())
                .tls_provider(Provider::Rustls(CryptoMode::Ring));
            builder.set_sleep_impl(components.sleep_impl());
            let inner = SharedHttpConnector::new(builder.build());
            SharedHttpConnector::new(Paced { inner, meter: self.meter.clone() })
        };
        self.connector.get_or_init(make).clone()
    }
}

#[derive(Clone, Debug)]
struct Metered {
    inner: SharedHttpClient,
    meter: Meter,
}

impl HttpClient for Metered {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Paced { inner, meter: self.meter.clone() })
    }
}

#[derive(Clone, Debug)]
struct Paced {
    inner: SharedHttpConnector,
    meter: Meter,
}

impl HttpConnector for Paced {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self { inner, meter } = self.clone();
        HttpConnectorFuture::new(async move {
            let target = request.headers().get(TARGET).unwrap_or_default().to_owned();
            meter.admit(&target).await;
            inner.call(request).await
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{Bucket, Meter};

    #[tokio::test(start_paused = true)]
    async fn requests_keep_to_the_rate_after_a_burst() {
        let (bucket, start) = (Bucket::new(20.0, 10), Instant::now());
        for _ in 0..110 {
            tokio::time::sleep_until(bucket.reserve()).await;
        }
        let taken = start.elapsed();
        assert!((Duration::from_millis(4900)..Duration::from_millis(5100)).contains(&taken), "{taken:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn only_requests_of_the_three_services_are_counted() {
        let meter = Meter::paced();
        meter.admit("SWBExternalService.ListInstances").await;
        meter.admit("").await;
        assert_eq!(meter.calls(), 1);
    }
}
