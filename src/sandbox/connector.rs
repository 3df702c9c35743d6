//! The AWS SDK's HTTP client, answered by the emulator inside this process: no socket, no TLS, the same bytes.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

use super::Sandbox;
use super::wire::{Answer, Delivery, Request};

impl Sandbox {
    /// Returns an HTTP client for the AWS SDK that this sandbox answers.
    pub fn connector(&self) -> SharedHttpClient {
        SharedHttpClient::new(Connector(self.clone()))
    }
}

#[derive(Clone, Debug)]
struct Connector(Sandbox);

impl HttpClient for Connector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = self.answer(&request);
        let delay = answer.delay;
        let response = delivered(answer);
        if delay.is_zero() {
            return HttpConnectorFuture::ready(response);
        }
        HttpConnectorFuture::new(async move {
            tokio::time::sleep(delay).await;
            response
        })
    }
}

impl Connector {
    fn answer(&self, request: &HttpRequest) -> Answer {
        let uri = request.uri();
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let path =
            path.split_once("://").and_then(|(_, rest)| rest.find('/').and_then(|at| rest.get(at..))).unwrap_or(path);
        let headers = request.headers();
        self.0.answer(&Request {
            method: request.method(),
            path,
            query,
            host: headers.get("host"),
            target: headers.get("x-amz-target"),
            content_type: headers.get("content-type"),
            authorization: headers.get("authorization"),
            bearer: headers.get("x-amz-sso_bearer_token"),
            body: request.body().bytes().unwrap_or_default(),
        })
    }
}

fn delivered(answer: Answer) -> Result<HttpResponse, ConnectorError> {
    match answer.delivery {
        Delivery::Whole => {}
        Delivery::Truncated(_) | Delivery::Dropped => {
            return Err(ConnectorError::io("connection reset by peer".into()));
        }
    }
    let status = StatusCode::try_from(answer.status).map_err(|error| ConnectorError::other(error.into(), None))?;
    let mut response = HttpResponse::new(status, SdkBody::from(answer.body));
    let headers = response.headers_mut();
    headers.insert("content-type", answer.content_type);
    headers.insert("x-amzn-requestid", answer.request_id);
    if let Some(code) = answer.error {
        headers.insert("x-amzn-errortype", code);
    }
    Ok(response)
}
