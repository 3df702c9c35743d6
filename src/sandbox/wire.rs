//! The wire: what a request and an answer are, which service a target names, how an error looks.
//!
//! Status codes and bodies of the awsJson1_1 services are decided here and nowhere else; what an operation means is not known here.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::{Map, Value, json};

/// One request, with the headers that decide anything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request<'a> {
    /// `POST` and so on.
    pub method: &'a str,
    /// Without the query.
    pub path: &'a str,
    /// What follows the question mark.
    pub query: &'a str,
    /// `Host`: how the client calls the server.
    pub host: Option<&'a str>,
    /// `X-Amz-Target`: service and operation.
    pub target: Option<&'a str>,
    /// `Content-Type`.
    pub content_type: Option<&'a str>,
    /// `Authorization`: who signed.
    pub authorization: Option<&'a str>,
    /// `X-Amz-Sso_bearer_token`: who signed in.
    pub bearer: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
}

/// One answer, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The error code (`ConflictException`), for the header `x-amzn-ErrorType`.
    pub error: Option<String>,
    /// For the header `x-amzn-RequestId`: a lower-case UUID.
    pub request_id: String,
    /// For the header `Content-Type`.
    pub content_type: &'static str,
    /// For the header `Location`: where a browser shall go.
    pub location: Option<String>,
    /// The body.
    pub body: Vec<u8>,
    /// How long to hold it back: a fault, or the time that a write takes.
    pub delay: Duration,
    /// What becomes of it on its way: a fault.
    pub delivery: Delivery,
}

/// What becomes of an answer on its way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Delivery {
    /// It arrives.
    #[default]
    Whole,
    /// Its body breaks off after so many bytes.
    Truncated(usize),
    /// The connection breaks instead.
    Dropped,
}

pub(super) const JSON_1_1: &str = "application/x-amz-json-1.1";

impl Answer {
    pub(super) fn new(status: u16, request_id: String, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            error: None,
            request_id,
            content_type,
            location: None,
            body: body.into(),
            delay: Duration::ZERO,
            delivery: Delivery::Whole,
        }
    }

    /// Names the error in the header, as the JSON services do.
    #[must_use]
    pub(super) fn refused(mut self, code: impl Into<String>) -> Self {
        self.error = Some(code.into());
        self
    }
}

/// What an operation gives back.
pub(super) type Reply = Result<Value, AwsError>;

/// An error as AWS words it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct AwsError {
    pub(super) code: Cow<'static, str>,
    pub(super) message: String,
    details: Vec<(Cow<'static, str>, Value)>,
}

impl AwsError {
    pub(super) fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), details: Vec::new() }
    }

    /// Adds a further member of the error's shape, such as `Reason`.
    #[must_use]
    pub(super) fn with(mut self, member: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        self.details.push((member.into(), value.into()));
        self
    }

    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new("ResourceNotFoundException", message)
    }

    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self::new("ConflictException", message)
    }

    pub(super) fn quota(message: impl Into<String>) -> Self {
        Self::new("ServiceQuotaExceededException", message)
    }

    pub(super) fn denied(message: impl Into<String>) -> Self {
        Self::new("AccessDeniedException", message)
    }

    pub(super) fn serialization(message: impl Into<String>) -> Self {
        Self::new("SerializationException", message)
    }

    pub(super) fn internal(service: Service, message: impl Into<String>) -> Self {
        let code = if service == Service::Organizations { "ServiceException" } else { "InternalServerException" };
        Self::new(code, message)
    }

    // AWS answers 400 to every client error of these services, conflicts and throttling included (aws/aws-sdk-js-v3#3822,
    // aws-iam-identity-center-extensions#87); SDKs retry internal errors only when the status says 5xx.
    fn status(&self, internal: u16) -> u16 {
        match &*self.code {
            "InternalServerException" | "ServiceException" => internal,
            // API reference, "Common Error Types".
            "InternalFailure" => 500,
            "ServiceUnavailable" => 503,
            _ => 400,
        }
    }
}

/// A service of the awsJson1_1 family that the sandbox plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Service {
    SsoAdmin,
    IdentityStore,
    Organizations,
}

impl Service {
    /// Splits `X-Amz-Target`. Source: `targetPrefix` of the botocore models.
    pub(super) fn route(target: &str) -> Option<(Self, &str)> {
        let (prefix, operation) = target.split_once('.')?;
        let service = match prefix {
            "SWBExternalService" => Self::SsoAdmin,
            "AWSIdentityStore" => Self::IdentityStore,
            "AWSOrganizationsV20161128" => Self::Organizations,
            _ => return None,
        };
        Some((service, operation))
    }

    /// The service of a name as calls are counted.
    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::SsoAdmin, Self::IdentityStore, Self::Organizations].into_iter().find(|service| service.name() == name)
    }

    /// The name under which calls are counted.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::SsoAdmin => "sso-admin",
            Self::IdentityStore => "identitystore",
            Self::Organizations => "organizations",
        }
    }
}

/// How deep a body may nest: what is kept of it must be readable again below the levels of a world file.
const MAX_DEPTH: usize = 64;

fn is_shallow(value: &Value, depth: usize) -> bool {
    let Some(below) = depth.checked_sub(1) else {
        return false;
    };
    match value {
        Value::Array(items) => items.iter().all(|item| is_shallow(item, below)),
        Value::Object(members) => members.values().all(|member| is_shallow(member, below)),
        _ => true,
    }
}

/// Reads a request body: a JSON object, or nothing at all for `{}`.
pub(super) fn parse(body: &[u8]) -> Result<Map<String, Value>, AwsError> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) if members.values().all(|value| is_shallow(value, MAX_DEPTH)) => Ok(members),
        Ok(Value::Object(_)) => Err(AwsError::serialization("The request body is nested too deeply")),
        Ok(_) => Err(AwsError::serialization("Start of structure or map not found where expected")),
        Err(_) => Err(AwsError::serialization("The request body is not JSON")),
    }
}

/// The answer for a call whose target nobody serves.
pub(super) fn unknown_operation() -> AwsError {
    AwsError::new("UnknownOperationException", "The requested operation is not recognized by the service.")
}

/// The answer to a call of a JSON service; `internal` is the status of internal errors.
pub(super) fn answer(service: Option<Service>, request_id: String, reply: Reply, internal: u16) -> Answer {
    match reply {
        Ok(body) => Answer::new(200, request_id, JSON_1_1, body.to_string()),
        Err(error) => {
            let mut body = json!({"__type": error.code, "Message": error.message});
            if let Some(members) = body.as_object_mut() {
                // Source: botocore identitystore model; every error shape there has RequestId, those of the protocol do not.
                let shaped = !matches!(&*error.code, "SerializationException" | "UnknownOperationException");
                if service == Some(Service::IdentityStore) && shaped {
                    members.insert("RequestId".to_owned(), json!(request_id));
                }
                for (member, value) in &error.details {
                    members.entry(member.clone().into_owned()).or_insert_with(|| value.clone());
                }
            }
            Answer::new(error.status(internal), request_id, JSON_1_1, body.to_string()).refused(error.code)
        }
    }
}

/// The answer to what is no request of a JSON service at all: AWS's front end says so in XML, with nothing in it.
pub(super) fn not_understood(request_id: String) -> Answer {
    Answer::new(404, request_id, "text/xml", "<UnknownOperationException/>\n").refused("UnknownOperationException")
}

/// Whether a content type is of this media type, whatever its parameters and its case.
pub(super) fn is_media(content_type: &str, media: &str) -> bool {
    content_type.split(';').next().is_some_and(|it| it.trim().eq_ignore_ascii_case(media))
}

/// The names and values of a query or a form.
pub(super) fn pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    form_urlencoded::parse(text.as_bytes()).into_owned()
}

/// A text for XML or HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // Neither XML nor a terminal wants them.
            c if c.is_control() => safe.push('\u{FFFD}'),
            c => safe.push(c),
        }
    }
    safe
}

/// Whether an authority (`HOST` or `HOST:PORT`, nothing else) is this machine's own.
pub(super) fn is_loopback(authority: &str) -> bool {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, "")) => (host, None),
            Some((host, port)) => (host, Some(port.strip_prefix(':').unwrap_or("none"))),
            None => return false,
        },
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    let is_here = host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback() && ip.is_ipv6() == authority.starts_with('['));
    is_here && port.is_none_or(is_port)
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn an_authority_is_a_host_and_a_port_and_nothing_else() {
        for here in ["localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:4711", "127.9.9.9", "[::1]", "[::1]:80"] {
            assert!(is_loopback(here), "{here}");
        }
        for elsewhere in [
            "",
            "example.com",
            "10.0.0.1",
            "127.0.0.1.example.com",
            "127.0.0.1:80@evil.example",
            "localhost:80@evil.example",
            "user@127.0.0.1",
            "[::1]@evil.example",
            "[::1].evil.example",
            "[::1",
            "::1",
            "[127.0.0.1]",
            "127.0.0.1:",
            "localhost:x",
        ] {
            assert!(!is_loopback(elsewhere), "{elsewhere}");
        }
    }
}
