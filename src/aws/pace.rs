//! How fast requests go out, and how many did.
//!
//! Identity Center allows 20 calls a second for all its APIs together (Identity Center user guide, quotas); the
//! identity store is another endpoint and gets a bucket of its own; AWS Organizations throttles earlier. The limiter
//! sits in the HTTP client, below the SDK's retries, so that repeats are paced and counted too. When AWS throttles, for
//! somebody else uses the allowance as well, all callers slow down together, and come back to speed bit by bit.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use tokio::time::Instant;

/// The header that names service and operation in AWS's JSON protocols.
const TARGET: &str = "x-amz-target";

/// Counts requests and spaces them out.
#[derive(Clone)]
pub(super) struct Meter(Arc<Inner>);

struct Inner {
    calls: AtomicU64,
    buckets: Option<[(&'static str, Bucket); 4]>,
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
            // Two a second (API reference of LookupEvents).
            ("CloudTrail_20131101", Bucket::new(2.0, 2)),
        ];
        Self(Arc::new(Inner { calls: AtomicU64::new(0), buckets: Some(buckets) }))
    }

    /// Takes note that AWS has throttled a service.
    fn throttled(&self, service: &str) {
        let bucket = self.0.buckets.iter().flatten().find(|(prefix, _)| *prefix == service);
        if let Some((_, bucket)) = bucket {
            bucket.slow_down();
        }
    }

    /// Returns whether AWS has slowed us down, and we are not back to speed yet.
    pub(super) fn is_slowed(&self) -> bool {
        self.0.buckets.iter().flatten().any(|(_, bucket)| bucket.is_slowed())
    }

    /// Makes a meter that only counts.
    pub(super) fn unlimited() -> Self {
        Self(Arc::new(Inner { calls: AtomicU64::new(0), buckets: None }))
    }

    pub(super) fn calls(&self) -> u64 {
        self.0.calls.load(Ordering::Relaxed)
    }

    async fn admit(&self, target: &str) {
        let bucket = self.0.buckets.iter().flatten().find(|(prefix, _)| target.starts_with(prefix));
        if let Some((_, bucket)) = bucket {
            tokio::time::sleep_until(bucket.reserve()).await;
        }
        // Requests without a target are not of these services: the SDK fetching credentials, for example.
        let known = ["SWBExternalService", "AWSIdentityStore", "AWSOrganizations", "CloudTrail_20131101"];
        if known.iter().any(|prefix| target.starts_with(prefix)) {
            self.0.calls.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A token bucket in its virtual-scheduling form (GCRA), with a rate that gives way.
struct Bucket {
    /// Requests a second when nobody else is there.
    full: f64,
    /// How far ahead of the clock the schedule may be before anybody waits.
    burst: Duration,
    state: Mutex<Schedule>,
}

#[derive(Clone, Copy, Default)]
struct Schedule {
    next: Option<Instant>,
    /// When AWS throttled last, and the rate that was left then.
    cut: Option<(Instant, f64)>,
}

/// What is left of the rate after AWS throttled.
const CUT: f64 = 0.6;
/// The slowest that we become, in requests a second.
const SLOWEST: f64 = 2.0;
/// How much the rate comes back each second, in requests a second.
const RECOVERY: f64 = 1.0;
/// Nobody asks at all for so long after AWS throttled; refusals that come within are of the same moment.
const PAUSE: Duration = Duration::from_millis(500);

impl Bucket {
    fn new(per_second: f64, burst: u32) -> Self {
        let burst = Duration::from_secs_f64(f64::from(burst) / per_second);
        Self { full: per_second, burst, state: Mutex::default() }
    }

    fn schedule(&self) -> MutexGuard<'_, Schedule> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rate(&self, cut: Option<(Instant, f64)>) -> f64 {
        cut.map_or(self.full, |(at, left)| (left + RECOVERY * at.elapsed().as_secs_f64()).min(self.full))
    }

    /// Takes the next free moment.
    fn reserve(&self) -> Instant {
        let now = Instant::now();
        let mut schedule = self.schedule();
        let planned = schedule.next.map_or(now, |planned| planned.max(now));
        schedule.next = Some(planned + Duration::from_secs_f64(1.0 / self.rate(schedule.cut)));
        // As long as the schedule is at most a burst ahead of the clock, nobody waits.
        planned.checked_sub(self.burst).map_or(now, |start| start.max(now))
    }

    fn slow_down(&self) {
        let now = Instant::now();
        let mut schedule = self.schedule();
        if schedule.cut.is_some_and(|(at, _)| at.elapsed() < PAUSE) {
            return;
        }
        let left = (self.rate(schedule.cut) * CUT).max(SLOWEST);
        let resume = now + self.burst + PAUSE;
        *schedule = Schedule { next: schedule.next.max(Some(resume)), cut: Some((now, left)) };
    }

    fn is_slowed(&self) -> bool {
        self.rate(self.schedule().cut) < self.full * 0.95
    }
}

/// Sees every answer, those that the SDK repeats by itself included, and slows all callers down when AWS throttles.
#[derive(Debug)]
pub(super) struct GiveWay {
    pub(super) meter: Meter,
    /// The service, as its targets begin.
    pub(super) service: &'static str,
}

#[dyn_dispatch_hint]
impl Intercept for GiveWay {
    fn name(&self) -> &'static str {
        "GiveWay"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let says = |text: &[u8]| {
            [&b"ThrottlingException"[..], b"TooManyRequestsException"]
                .iter()
                .any(|code| text.windows(code.len()).any(|part| part == *code))
        };
        let named = response.headers().get("x-amzn-errortype").is_some_and(|code| says(code.as_bytes()));
        if !response.status().is_success() && (named || response.body().bytes().is_some_and(says)) {
            self.meter.throttled(self.service);
        }
        Ok(())
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

    /// AWS's side: a bucket of 20 a second that somebody else draws on as well.
    struct Allowance {
        tokens: f64,
        seen: Instant,
        others: f64,
    }

    impl Allowance {
        fn admits(&mut self) -> bool {
            let passed = self.seen.elapsed().as_secs_f64();
            self.seen = Instant::now();
            self.tokens = (self.tokens + passed * (20.0 - self.others)).min(20.0);
            let admits = self.tokens >= 1.0;
            self.tokens -= if admits { 1.0 } else { 0.0 };
            admits
        }
    }

    // Somebody uses half of the allowance for a while, then goes.
    #[tokio::test(start_paused = true)]
    async fn all_slow_down_when_aws_throttles_and_come_back() {
        let (bucket, start) = (Bucket::new(19.0, 10), Instant::now());
        let mut allowance = Allowance { tokens: 20.0, seen: start, others: 10.0 };
        let (mut admitted, mut refused) = (0_u32, 0_u32);
        while start.elapsed() < Duration::from_secs(60) {
            tokio::time::sleep_until(bucket.reserve()).await;
            if allowance.admits() {
                admitted += 1;
            } else {
                refused += 1;
                bucket.slow_down();
            }
        }
        // Of the 10 a second that are left, most are used, and few are asked for in vain.
        assert!((450..=620).contains(&admitted), "{admitted}");
        assert!(refused * 20 < admitted, "{refused} refused of {admitted}");
        tokio::time::sleep(Duration::from_secs(20)).await;
        assert!(!bucket.is_slowed());
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_of_one_moment_slow_down_once() {
        let bucket = Bucket::new(20.0, 10);
        (0..10).for_each(|_| bucket.slow_down());
        assert!(bucket.is_slowed());
        assert!((bucket.rate(bucket.schedule().cut) - 12.0).abs() < 0.1);
        let start = Instant::now();
        tokio::time::sleep_until(bucket.reserve()).await;
        assert!(start.elapsed() >= Duration::from_millis(499), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn only_requests_of_the_three_services_are_counted() {
        let meter = Meter::paced();
        meter.admit("SWBExternalService.ListInstances").await;
        meter.admit("").await;
        assert_eq!(meter.calls(), 1);
    }
}
