//! A tap between the SDK and the sandbox: sees every request, and may keep it or its answer back.

use std::fmt;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use permset::sandbox::Sandbox;

/// What to do with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    /// It never reaches the sandbox.
    LoseRequest,
    /// As `LoseRequest`, and the process hangs: whoever waits for it is dropped by the test.
    HangBefore,
    /// The sandbox does it, nobody hears of it, and the process hangs.
    HangAfter,
}

type Judge = Arc<dyn Fn(&str) -> Verdict + Send + Sync>;

/// Returns a client for the SDK on which `judge` decides about every operation.
pub fn tapped(sandbox: &Sandbox, judge: impl Fn(&str) -> Verdict + Send + Sync + 'static) -> SharedHttpClient {
    watched(sandbox, judge, || {})
}

/// As [`tapped`], and `after` is called when the sandbox has done what a request asks for: after each write, and each look at
/// how a request is doing, for time has passed until then.
pub fn watched(
    sandbox: &Sandbox,
    judge: impl Fn(&str) -> Verdict + Send + Sync + 'static,
    after: impl Fn() + Send + Sync + 'static,
) -> SharedHttpClient {
    SharedHttpClient::new(Tap { inner: sandbox.connector(), judge: Arc::new(judge), after: Arc::new(after) })
}

/// Whether an operation changes anything.
pub fn is_write(operation: &str) -> bool {
    !["List", "Describe", "Get"].iter().any(|verb| operation.starts_with(verb))
}

#[derive(Clone)]
struct Tap {
    inner: SharedHttpClient,
    judge: Judge,
    after: Arc<dyn Fn() + Send + Sync>,
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tap")
    }
}

impl HttpClient for Tap {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(TapConnector { inner, judge: self.judge.clone(), after: self.after.clone() })
    }
}

struct TapConnector {
    inner: SharedHttpConnector,
    judge: Judge,
    after: Arc<dyn Fn() + Send + Sync>,
}

impl fmt::Debug for TapConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TapConnector")
    }
}

impl HttpConnector for TapConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        // The Query protocol of sts has no target; one operation of it is called.
        let operation = target.rsplit('.').next().filter(|name| !name.is_empty()).unwrap_or("GetCallerIdentity");
        let operation = operation.to_owned();
        let verdict = (self.judge)(&operation);
        // In process the effect is there as soon as the call is made, whenever the answer comes.
        let call = |request| {
            let answer = self.inner.call(request);
            if is_write(&operation) || operation.ends_with("Status") {
                (self.after)();
            }
            answer
        };
        let lost = || ConnectorError::io("connection reset by peer".into());
        match verdict {
            Verdict::Pass => call(request),
            Verdict::LoseRequest => HttpConnectorFuture::ready(Err(lost())),
            Verdict::HangBefore => HttpConnectorFuture::new(std::future::pending()),
            Verdict::HangAfter => {
                let answer = call(request);
                HttpConnectorFuture::new(async move {
                    drop(answer.await);
                    std::future::pending().await
                })
            }
        }
    }
}
