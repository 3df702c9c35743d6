//! The awsJson1_1 wire: which service a target names, how an answer and an error look.
//!
//! Status codes and bodies are decided here and nowhere else; what an operation means is not known here.

use serde_json::{Map, Value, json};

/// One answer, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status: 200, 400 for every client error, 500 for a fault of the sandbox.
    pub status: u16,
    /// The error code (`ConflictException`), for the header `x-amzn-ErrorType`.
    pub error: Option<String>,
    /// For the header `x-amzn-RequestId`: a lower-case UUID.
    pub request_id: String,
    /// The JSON body.
    pub body: Vec<u8>,
}

/// What an operation gives back.
pub(super) type Reply = Result<Value, AwsError>;

/// An error as AWS words it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct AwsError {
    code: &'static str,
    message: String,
    details: Vec<(&'static str, Value)>,
}

impl AwsError {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Vec::new() }
    }

    /// Adds a further member of the error's shape, such as `Reason`.
    #[must_use]
    pub(super) fn with(mut self, member: &'static str, value: impl Into<Value>) -> Self {
        self.details.push((member, value.into()));
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

    pub(super) fn serialization(message: impl Into<String>) -> Self {
        Self::new("SerializationException", message)
    }

    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self::new("InternalServerException", message)
    }

    // AWS answers 400 to every client error of these services, conflicts and throttling included (aws/aws-sdk-js-v3#3822,
    // aws-iam-identity-center-extensions#87); SDKs retry internal errors only when the status says 5xx.
    fn status(&self) -> u16 {
        if self.code == "InternalServerException" { 500 } else { 400 }
    }
}

/// A service of the awsJson1_1 family that the sandbox plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

    /// The name under which calls are counted.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::SsoAdmin => "sso-admin",
            Self::IdentityStore => "identitystore",
            Self::Organizations => "organizations",
        }
    }
}

/// Reads a request body: a JSON object, or nothing at all for `{}`.
pub(super) fn parse(body: &[u8]) -> Result<Map<String, Value>, AwsError> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(AwsError::serialization("Start of structure or map not found where expected")),
        Err(_) => Err(AwsError::serialization("The request body is not JSON")),
    }
}

/// The answer for a call whose target nobody serves.
pub(super) fn unknown_operation() -> AwsError {
    AwsError::new("UnknownOperationException", "The requested operation is not recognized by the service.")
}

pub(super) fn answer(service: Option<Service>, request_id: String, reply: Reply) -> Answer {
    let (status, error, body) = match reply {
        Ok(body) => (200, None, body),
        Err(error) => {
            let mut body = json!({"__type": error.code, "Message": error.message});
            if let Some(members) = body.as_object_mut() {
                // Source: botocore identitystore model; every error shape there has RequestId.
                if service == Some(Service::IdentityStore) {
                    members.insert("RequestId".to_owned(), json!(request_id));
                }
                for (member, value) in &error.details {
                    members.insert((*member).to_owned(), value.clone());
                }
            }
            (error.status(), Some(error.code.to_owned()), body)
        }
    };
    Answer { status, error, request_id, body: body.to_string().into_bytes() }
}
