//! Follows asynchronous requests to their end.

use std::time::Duration;

use aws_sdk_ssoadmin::types::{AccountAssignmentOperationStatus, PermissionSetProvisioningStatus, StatusValues};
use tokio::time::{Instant, sleep};

use crate::aws::At;
use crate::aws::call::call;
use crate::aws::error::{AwsError, ErrorKind};

/// The three kinds of asynchronous request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    /// CreateAccountAssignment.
    CreateAssignment,
    /// DeleteAccountAssignment.
    DeleteAssignment,
    /// ProvisionPermissionSet.
    Provision,
}

/// A request that AWS accepted and works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What it does.
    pub kind: RequestKind,
    /// By which AWS knows it.
    pub id: String,
    /// What it is about, for messages.
    pub subject: String,
    /// How it ended, if the first answer said so already.
    settled: Option<Settled>,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Done.
    Succeeded,
    /// AWS gave up; the text is its FailureReason.
    Failed(String),
}

/// What a status says: the id, and the end if it has come.
pub(super) struct Status {
    id: Option<String>,
    settled: Option<Settled>,
}

impl Settled {
    pub(super) fn of_assignment(status: AccountAssignmentOperationStatus) -> Status {
        Status { id: status.request_id, settled: settled(status.status.as_ref(), status.failure_reason) }
    }

    pub(super) fn of_provisioning(status: PermissionSetProvisioningStatus) -> Status {
        Status { id: status.request_id, settled: settled(status.status.as_ref(), status.failure_reason) }
    }
}

fn settled(status: Option<&StatusValues>, reason: Option<String>) -> Option<Settled> {
    match status {
        Some(StatusValues::Succeeded) => Some(Settled::Succeeded),
        Some(StatusValues::Failed) => Some(Settled::Failed(reason.unwrap_or_else(|| "AWS gives no reason".to_owned()))),
        // A value that AWS adds later is not an end that we know.
        _ => None,
    }
}

impl Request {
    pub(super) fn started(
        operation: &'static str,
        kind: RequestKind,
        subject: String,
        status: Option<Status>,
    ) -> Result<Self, AwsError> {
        match status {
            Some(Status { id: Some(id), settled }) => Ok(Self { kind, id, subject, settled }),
            _ => Err(AwsError::unreadable(operation, subject, "the answer has no request id")),
        }
    }
}

/// How long a request may take before it is reported as still in flight. AWS names no bound; provisioning hundreds of
/// accounts has been seen to pass Terraform's 10 minutes (terraform-provider-aws#30745).
const DEADLINE: Duration = Duration::from_secs(30 * 60);
/// Trouble with asking, not with what is asked about.
fn may_pass(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Throttled | ErrorKind::NotReached | ErrorKind::NotFound)
}

const FIRST_POLL: Duration = Duration::from_millis(300);
const SLOWEST_POLL: Duration = Duration::from_secs(5);

impl At<'_> {
    /// Waits until a request ended.
    ///
    /// # Errors
    /// If its status cannot be read, or it has not ended after half an hour: what it did is then unknown.
    pub async fn wait(self, request: &Request) -> Result<Settled, AwsError> {
        let started = Instant::now();
        let mut pause = FIRST_POLL;
        let mut settled = request.settled.clone();
        loop {
            match settled {
                Some(settled) => return Ok(settled),
                None if started.elapsed() > DEADLINE => {
                    let message =
                        format!("request {} has not ended after {} minutes", request.id, DEADLINE.as_secs() / 60);
                    return Err(AwsError {
                        subject: request.subject.clone(),
                        ..AwsError::local(ErrorKind::NotReached, message)
                    });
                }
                None => {}
            }
            sleep(pause).await;
            pause = (pause * 3 / 2).min(SLOWEST_POLL);
            settled = match self.status(request).await {
                // The request goes on whether or not we can see it, and its status may lag behind at first.
                Err(error) if may_pass(error.kind) && started.elapsed() <= DEADLINE => None,
                status => status?,
            };
        }
    }

    async fn status(self, request: &Request) -> Result<Option<Settled>, AwsError> {
        let (sso, instance) = (&self.aws.sso, self.instance.arn.as_str());
        let status = match request.kind {
            RequestKind::CreateAssignment => {
                let status = sso.describe_account_assignment_creation_status().instance_arn(instance);
                let status = status.account_assignment_creation_request_id(&request.id).send();
                let output = call("DescribeAccountAssignmentCreationStatus", &request.subject, status).await?;
                output.account_assignment_creation_status.map(Settled::of_assignment)
            }
            RequestKind::DeleteAssignment => {
                let status = sso.describe_account_assignment_deletion_status().instance_arn(instance);
                let status = status.account_assignment_deletion_request_id(&request.id).send();
                let output = call("DescribeAccountAssignmentDeletionStatus", &request.subject, status).await?;
                output.account_assignment_deletion_status.map(Settled::of_assignment)
            }
            RequestKind::Provision => {
                let status = sso.describe_permission_set_provisioning_status().instance_arn(instance);
                let status = status.provision_permission_set_request_id(&request.id).send();
                let output = call("DescribePermissionSetProvisioningStatus", &request.subject, status).await?;
                output.permission_set_provisioning_status.map(Settled::of_provisioning)
            }
        };
        Ok(status.and_then(|status| status.settled))
    }
}
