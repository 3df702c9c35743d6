//! Failures in words, with ways out. The chain of causes is put together here and nowhere else.

use std::error::Error;
use std::fmt::Write as _;

use crate::aws::{AwsError, ErrorKind};
use crate::cli::exit::Exit;
use crate::desired::SourceError;
use crate::report::hints;
use crate::sandbox::{RemoteError, ServeError, StoreError};

/// Why a command ended early.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) message: String,
    pub(super) hints: Vec<String>,
    pub(super) exit: Exit,
}

impl Failure {
    /// Makes a failure of trouble outside of the program.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hints: Vec::new(), exit: Exit::Failure }
    }

    /// Adds a way out.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Changes the exit code.
    pub(super) fn exit(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }
}

/// A broken invariant.
pub(super) fn bug(what: &str) -> Failure {
    Failure::new(format!("permset has a bug: {what}"))
        .hint("please report it with the command and its output; if this was `apply`, run `permset plan` to see what is left")
        .exit(Exit::Bug)
}

fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let _ = write!(text, ": {next}");
        cause = next.source();
    }
    text
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let failure = Self::new(chain(&error));
        match error {
            SourceError::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                failure.hint("name the access file with `-f FILE`, or write a starter with `permset init`")
            }
            SourceError::Empty { .. } => {
                failure.hint("name an access file, or a folder with access files in it, with `-f`")
            }
            SourceError::Io { .. } => failure,
            SourceError::TooLarge { .. } | SourceError::NotText { .. } => failure.exit(Exit::Invalid),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let failure = Self::new(chain(&error));
        match error {
            StoreError::Locked { .. } => {
                failure.hint("wait for the other permset to end, or give this one a world of its own: `--sandbox=FILE`")
            }
            StoreError::Journal { path, .. } => failure.hint(format!(
                "it is of another version of permset: remove `{}` to go on from the world without it",
                path.display()
            )),
            StoreError::Version { path, .. } | StoreError::Inconsistent { path, .. } => failure
                .hint(format!("mend the file, or make it anew: `permset sandbox reset --world {}`", path.display())),
            StoreError::Parse { .. } | StoreError::NotAWorld { .. } => {
                failure.hint("mend or remove the file: what is not a world is never overwritten")
            }
            StoreError::Read { .. } | StoreError::Write { .. } => failure,
        }
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        let words = chain(&error);
        match error {
            ServeError::Store(error) => error.into(),
            ServeError::NotLoopback(_) => Self::new(words)
                .hint("the sandbox knows no passwords, so it serves this machine only: `--listen 127.0.0.1:0`")
                .exit(Exit::Usage),
            ServeError::Listen { .. } => Self::new(words).hint("`--listen 127.0.0.1:0` takes a port that is free"),
        }
    }
}

impl From<RemoteError> for Failure {
    fn from(error: RemoteError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<AwsError> for Failure {
    fn from(error: AwsError) -> Self {
        let failure = Self::new(error.to_string());
        if error.reason.is_some() {
            return hints::of_error(&error).into_iter().fold(failure, Self::hint);
        }
        match error.kind {
            ErrorKind::NoCredentials => failure
                .hint("log in, for example `aws sso login --profile NAME`, and name the profile with `--profile NAME`")
                .hint("to try permset without AWS, add `--sandbox`"),
            ErrorKind::NoRegion => failure
                .hint("give the home Region of Identity Center: `--region eu-central-1`, AWS_REGION, or `instance: { region: … }` in the access file")
                .hint("to try permset without AWS, add `--sandbox`"),
            ErrorKind::NoInstance if error.message.contains("several") => {
                failure.hint("name one with `--instance ARN`, or `instance: { arn: … }` in the access file")
            }
            ErrorKind::NoInstance => failure
                .hint("Identity Center lives in one home Region: name it with `--region`")
                .hint("the caller must be in the organization's management account or the delegated administrator of Identity Center"),
            ErrorKind::AccessDenied => failure
                .hint("`permset iam-policy plan` and `iam-policy apply` print the permissions that an access file needs")
                .hint("the caller must be in the organization's management account or the delegated administrator of Identity Center"),
            ErrorKind::NotReached => failure.hint("check network, proxy, Region and `--endpoint-url`"),
            ErrorKind::Throttled => failure.hint("AWS allows 20 calls a second to everybody together; try again when it is quieter"),
            ErrorKind::NotFound
            | ErrorKind::Conflict
            | ErrorKind::Quota
            | ErrorKind::Invalid
            | ErrorKind::Unreadable
            | ErrorKind::Other => failure,
        }
    }
}
