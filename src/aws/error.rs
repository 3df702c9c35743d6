//! What can go wrong between us and AWS.

use std::fmt::{self, Display, Formatter};

use thiserror::Error;

use crate::model::Shown;

/// A request that AWS refused, or that did not reach it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub struct AwsError {
    /// What kind of trouble it is.
    pub kind: ErrorKind,
    /// The operation, such as `DescribePermissionSet`; empty if none was sent.
    pub operation: &'static str,
    /// What the operation was about.
    pub subject: String,
    /// AWS's error code, if AWS answered.
    pub code: Option<Box<str>>,
    /// What AWS or the connection says.
    pub message: String,
    /// What lies behind it, where AWS gives a reason of its own: trouble with the key that encrypts the instance.
    pub reason: Option<Box<str>>,
    /// By which AWS's support finds the request.
    pub request_id: Option<Box<str>>,
}

/// Kinds of trouble, as far as anybody decides by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// No Region is configured.
    NoRegion,
    /// No credentials were found, or they cannot be used.
    NoCredentials,
    /// No Identity Center where we looked, or not the one that was asked for.
    NoInstance,
    /// AWS refused: the caller may not do this.
    AccessDenied,
    /// The subject does not exist.
    NotFound,
    /// Something is in the way: a name that is taken, or an operation in progress.
    Conflict,
    /// Too many requests, in spite of all patience.
    Throttled,
    /// A quota is exhausted.
    Quota,
    /// AWS did not accept the input.
    Invalid,
    /// The request did not reach AWS, or no answer came back: what it did is unknown.
    NotReached,
    /// The answer makes no sense.
    Unreadable,
    /// Anything else that AWS answered.
    Other,
}

impl AwsError {
    /// Makes an error of something found on this side.
    pub fn local(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            operation: "",
            subject: String::new(),
            code: None,
            message: message.into(),
            reason: None,
            request_id: None,
        }
    }

    /// Returns whether AWS says that things are already as the request wanted them, or that a name is taken, rather
    /// than that it is busy: "… already exists", "… already attached" (aws-iam-identity-center-extensions#111,
    /// avlcloudtechnologies/terraform-aws-sso#6 for the two wordings).
    pub fn is_already(&self) -> bool {
        self.kind == ErrorKind::Conflict && self.message.to_lowercase().contains("already")
    }

    /// Makes an error of an answer that lacks what it must have.
    pub(super) fn unreadable(operation: &'static str, subject: impl Display, what: impl Into<String>) -> Self {
        Self { operation, subject: subject.to_string(), ..Self::local(ErrorKind::Unreadable, what) }
    }
}

impl ErrorKind {
    /// Reads AWS's error code (API references of the three services, "Common Error Types").
    pub(super) fn of_code(code: &str) -> Self {
        match code {
            "AccessDeniedException" | "AccessDenied" | "UnauthorizedException" => Self::AccessDenied,
            "UnrecognizedClientException"
            | "InvalidSignatureException"
            | "ExpiredTokenException"
            | "ExpiredToken"
            | "MissingAuthenticationTokenException"
            | "InvalidClientTokenId" => Self::NoCredentials,
            "ConflictException" => Self::Conflict,
            "ThrottlingException" | "TooManyRequestsException" => Self::Throttled,
            "ServiceQuotaExceededException" => Self::Quota,
            "ValidationException" | "InvalidInputException" | "SerializationException" => Self::Invalid,
            code if code.ends_with("NotFoundException") => Self::NotFound,
            _ => Self::Other,
        }
    }
}

impl Display for AwsError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { kind: _, operation, subject, code, message, reason, request_id } = self;
        if !operation.is_empty() {
            write!(f, "{operation} failed")?;
            if !subject.is_empty() {
                write!(f, " for {}", Shown(subject))?;
            }
            f.write_str(": ")?;
        }
        if let Some(code) = code {
            write!(f, "{}: ", Shown(code))?;
        }
        write!(f, "{}", Shown(message))?;
        if let Some(reason) = reason {
            write!(f, " ({})", Shown(reason))?;
        }
        if let Some(id) = request_id {
            write!(f, " (request id {})", Shown(id))?;
        }
        Ok(())
    }
}
