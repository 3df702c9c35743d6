//! Everything that is written to AWS, one function a call.
//!
//! A write waits while AWS is busy with an earlier one: that ConflictException is not retried by any SDK. It never
//! waits when the conflict means that a name is taken; telling the two apart saves the hour that Terraform hangs on a
//! duplicate name (terraform-provider-aws#38544).

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;

use aws_sdk_ssoadmin::types::{ProvisionTargetType, Tag, TargetType};
use tokio::time::{Instant, sleep};
use tracing::info;

use crate::aws::call::{Receipt, call};
use crate::aws::error::{AwsError, ErrorKind};
use crate::aws::wait::{Request, RequestKind, Settled};
use crate::aws::{At, convert};
use crate::model::{
    AccountId, Attributes, AwsManagedPolicy, Boundary, CustomerManagedPolicy, PermissionSetArn, PermissionSetName,
    Policy, PrincipalRef,
};

/// How long a write waits for an operation in progress before it gives up.
const PATIENCE: Duration = Duration::from_secs(300);

impl At<'_> {
    /// Creates a permission set and returns its ARN.
    ///
    /// # Errors
    /// If AWS refuses; [`ErrorKind::Conflict`] if the name is taken.
    pub async fn create_permission_set(
        self,
        name: &PermissionSetName,
        attributes: &Attributes,
        tags: &BTreeMap<String, String>,
    ) -> Result<(PermissionSetArn, Receipt), AwsError> {
        const OP: &str = "CreatePermissionSet";
        let tags = if tags.is_empty() { None } else { Some(to_tags(tags)?) };
        let output = patiently(|| {
            let request = self.aws.sso.create_permission_set().instance_arn(self.instance.arn.as_str());
            let request = request
                .name(name.as_str())
                .set_description(attributes.description.clone())
                .session_duration(attributes.session_duration.to_iso())
                .set_relay_state(attributes.relay_state.clone())
                .set_tags(tags.clone());
            call(OP, name, request.send())
        })
        .await?;
        let receipt = Receipt::of(&output);
        let arn = output.permission_set.and_then(|set| set.permission_set_arn);
        let arn = arn.map(PermissionSetArn::new);
        arn.map(|arn| (arn, receipt)).ok_or_else(|| AwsError::unreadable(OP, name, "the answer has no ARN"))
    }

    /// Replaces description, session duration and relay state.
    ///
    /// # Errors
    /// If AWS refuses.
    pub async fn update_attributes(self, arn: &PermissionSetArn, attributes: &Attributes) -> Result<Receipt, AwsError> {
        patiently(|| {
            let request = self.aws.sso.update_permission_set().instance_arn(self.instance.arn.as_str());
            let request = request
                .permission_set_arn(arn.as_str())
                .set_description(attributes.description.clone())
                .session_duration(attributes.session_duration.to_iso())
                .set_relay_state(attributes.relay_state.clone());
            call("UpdatePermissionSet", arn, request.send())
        })
        .await
        .map(|output| Receipt::of(&output))
    }

    /// Deletes a permission set. That it still counts as in use for minutes after its last assignment went is waited out
    /// (terraform-provider-aws#26757).
    ///
    /// # Errors
    /// If AWS refuses.
    pub async fn delete_permission_set(self, arn: &PermissionSetArn) -> Result<Receipt, AwsError> {
        patiently(|| {
            let request = self.aws.sso.delete_permission_set().instance_arn(self.instance.arn.as_str());
            call("DeletePermissionSet", arn, request.permission_set_arn(arn.as_str()).send())
        })
        .await
        .map(|output| Receipt::of(&output))
    }

    /// Sets tags.
    ///
    /// # Errors
    /// If AWS refuses.
    pub async fn tag(self, arn: &PermissionSetArn, tags: &BTreeMap<String, String>) -> Result<Receipt, AwsError> {
        let tags = to_tags(tags)?;
        patiently(|| {
            let request = self.aws.sso.tag_resource().instance_arn(self.instance.arn.as_str());
            call("TagResource", arn, request.resource_arn(arn.as_str()).set_tags(Some(tags.clone())).send())
        })
        .await
        .map(|output| Receipt::of(&output))
    }

    /// Removes tags.
    ///
    /// # Errors
    /// If AWS refuses.
    pub async fn untag(self, arn: &PermissionSetArn, keys: &BTreeSet<String>) -> Result<Receipt, AwsError> {
        patiently(|| {
            let request = self.aws.sso.untag_resource().instance_arn(self.instance.arn.as_str());
            let request = request.resource_arn(arn.as_str()).set_tag_keys(Some(keys.iter().cloned().collect()));
            call("UntagResource", arn, request.send())
        })
        .await
        .map(|output| Receipt::of(&output))
    }

    /// Attaches an AWS managed policy.
    ///
    /// # Errors
    /// If AWS refuses; [`ErrorKind::Conflict`] if it is attached already.
    pub async fn attach_aws(self, arn: &PermissionSetArn, policy: &AwsManagedPolicy) -> Result<Receipt, AwsError> {
        patiently(|| {
            let request =
                self.aws.sso.attach_managed_policy_to_permission_set().instance_arn(self.instance.arn.as_str());
            let policy_arn = policy.arn(self.instance.arn.partition());
            let request = request.permission_set_arn(arn.as_str()).managed_policy_arn(policy_arn);
            call("AttachManagedPolicyToPermissionSet", format!("{policy} to {arn}"), request.send())
        })
        .await
        .map(|output| Receipt::of(&output))
    }

    /// Detaches an AWS managed policy.
    ///
    /// # Errors
    /// If AWS refuses; [`ErrorKind::NotFound`] if it is not attached.
    pub async fn detach_aws(self, arn: &PermissionSetArn, policy: &AwsManagedPolicy) -> Result<Receipt, AwsError> {
        patiently(|| {
            let request =
                self.aws.sso.detach_managed_policy_from_permission_set().instance_arn(self.instance.arn.as_str());
            let policy_arn = policy.arn(self.instance.arn.partition());
            let request = request.permission_set_arn(arn.as_str()).managed_policy_arn(policy_arn);
            call("DetachManagedPolicyFromPermissionSet", format!("{policy} from {arn}"), request.send())
        })
        .await
        .map(|output| Receipt::of(&output))
    }

    /// Attaches a customer managed policy.
    ///
    /// # Errors
    /// If AWS refuses; [`ErrorKind::Conflict`] if it is attached already.
    pub async fn attach_customer(
        self,
        arn: &PermissionSetArn,
        policy: &CustomerManagedPolicy,
    ) -> Result<Receipt, AwsError> {
        let reference = convert::customer_reference(policy)?;
        patiently(|| {
            let request = self.aws.sso.attach_customer_managed_policy_reference_to_permission_set();
            let request = request.instance_arn(self.instance.arn.as_str()).permission_set_arn(arn.as_str());
            let request = request.customer_managed_policy_reference(reference.clone());
            call("AttachCustomerManagedPolicyReferenceToPermissionSet", format!("{policy} to {arn}"), request.send())
        })
        .await
        .map(|output| Receipt::of(&output))
    }

    /// Detaches a customer managed policy.
    ///
    /// # Errors
    /// If AWS refuses; [`ErrorKind::NotFound`] if it is not attached.
    pub async fn detach_customer(
        self,
        arn: &PermissionSetArn,
        policy: &CustomerManagedPolicy,
    ) -> Result<Receipt, AwsError> {
        let reference = convert::customer_reference(policy)?;
        patiently(|| {
            let request = self.aws.sso.detach_customer_managed_policy_reference_from_permission_set();
            let request = request.instance_arn(self.instance.arn.as_str()).permission_set_arn(arn.as_str());
            let request = request.customer_managed_policy_reference(reference.clone());
            call(
                "DetachCustomerManagedPolicyReferenceFromPermissionSet",
                format!("{policy} from {arn}"),
                request.send(),
            )
        })
        .await
        .map(|output| Receipt::of(&output))
    }

    /// Sets the inline policy.
    ///
    /// # Errors
    /// If AWS refuses.
    pub async fn put_inline_policy(self, arn: &PermissionSetArn, policy: &Policy) -> Result<Receipt, AwsError> {
        let text = policy.to_text();
        patiently(|| {
            let request = self.aws.sso.put_inline_policy_to_permission_set().instance_arn(self.instance.arn.as_str());
            let request = request.permission_set_arn(arn.as_str()).inline_policy(&text);
            call("PutInlinePolicyToPermissionSet", arn, request.send())
        })
        .await
        .map(|output| Receipt::of(&output))
    }

    /// Removes the inline policy.
    ///
    /// # Errors
    /// If AWS refuses.
    pub async fn delete_inline_policy(self, arn: &PermissionSetArn) -> Result<Receipt, AwsError> {
        patiently(|| {
            let request =
                self.aws.sso.delete_inline_policy_from_permission_set().instance_arn(self.instance.arn.as_str());
            call("DeleteInlinePolicyFromPermissionSet", arn, request.permission_set_arn(arn.as_str()).send())
        })
        .await
        .map(|output| Receipt::of(&output))
    }

    /// Sets the permissions boundary.
    ///
    /// # Errors
    /// If AWS refuses.
    pub async fn put_boundary(self, arn: &PermissionSetArn, boundary: &Boundary) -> Result<Receipt, AwsError> {
        let value = convert::permissions_boundary(boundary, self.instance.arn.partition())?;
        patiently(|| {
            let request = self.aws.sso.put_permissions_boundary_to_permission_set();
            let request = request.instance_arn(self.instance.arn.as_str()).permission_set_arn(arn.as_str());
            call("PutPermissionsBoundaryToPermissionSet", arn, request.permissions_boundary(value.clone()).send())
        })
        .await
        .map(|output| Receipt::of(&output))
    }

    /// Removes the permissions boundary.
    ///
    /// # Errors
    /// If AWS refuses; [`ErrorKind::NotFound`] if there is none.
    pub async fn delete_boundary(self, arn: &PermissionSetArn) -> Result<Receipt, AwsError> {
        patiently(|| {
            let request = self.aws.sso.delete_permissions_boundary_from_permission_set();
            let request = request.instance_arn(self.instance.arn.as_str()).permission_set_arn(arn.as_str());
            call("DeletePermissionsBoundaryFromPermissionSet", arn, request.send())
        })
        .await
        .map(|output| Receipt::of(&output))
    }

    /// Starts to provision a permission set: into one account, or with `None` wherever it is provisioned.
    ///
    /// # Errors
    /// If AWS refuses to start.
    pub async fn start_provision(
        self,
        arn: &PermissionSetArn,
        account: Option<&AccountId>,
    ) -> Result<Request, AwsError> {
        const OP: &str = "ProvisionPermissionSet";
        let subject = account.map_or_else(|| arn.to_string(), |account| format!("{arn} into {account}"));
        let output = patiently(|| {
            let request = self.aws.sso.provision_permission_set().instance_arn(self.instance.arn.as_str());
            let target = if account.is_some() {
                ProvisionTargetType::AwsAccount
            } else {
                ProvisionTargetType::AllProvisionedAccounts
            };
            let request = request.permission_set_arn(arn.as_str()).target_type(target);
            let request = request.set_target_id(account.map(|account| account.as_str().to_owned()));
            call(OP, &subject, request.send())
        })
        .await?;
        let receipt = Receipt::of(&output);
        let status = output.permission_set_provisioning_status;
        Request::started(OP, RequestKind::Provision, subject, status.map(Settled::of_provisioning), receipt)
    }

    /// Starts to assign.
    ///
    /// # Errors
    /// If AWS refuses to start.
    pub async fn start_create_assignment(
        self,
        arn: &PermissionSetArn,
        account: &AccountId,
        principal: &PrincipalRef,
    ) -> Result<Request, AwsError> {
        const OP: &str = "CreateAccountAssignment";
        let subject = assignment_subject(arn, account, principal);
        let output = patiently(|| {
            let request = self.aws.sso.create_account_assignment().instance_arn(self.instance.arn.as_str());
            let request = request
                .permission_set_arn(arn.as_str())
                .target_id(account.as_str())
                .target_type(TargetType::AwsAccount);
            let kind = convert::principal_type(principal.kind);
            call(OP, &subject, request.principal_type(kind).principal_id(principal.id.as_str()).send())
        })
        .await?;
        let receipt = Receipt::of(&output);
        let status = output.account_assignment_creation_status;
        Request::started(OP, RequestKind::CreateAssignment, subject, status.map(Settled::of_assignment), receipt)
    }

    /// Starts to revoke.
    ///
    /// # Errors
    /// If AWS refuses to start; [`ErrorKind::NotFound`] if there is nothing to revoke.
    pub async fn start_delete_assignment(
        self,
        arn: &PermissionSetArn,
        account: &AccountId,
        principal: &PrincipalRef,
    ) -> Result<Request, AwsError> {
        const OP: &str = "DeleteAccountAssignment";
        let subject = assignment_subject(arn, account, principal);
        let output = patiently(|| {
            let request = self.aws.sso.delete_account_assignment().instance_arn(self.instance.arn.as_str());
            let request = request
                .permission_set_arn(arn.as_str())
                .target_id(account.as_str())
                .target_type(TargetType::AwsAccount);
            let kind = convert::principal_type(principal.kind);
            call(OP, &subject, request.principal_type(kind).principal_id(principal.id.as_str()).send())
        })
        .await?;
        let receipt = Receipt::of(&output);
        let status = output.account_assignment_deletion_status;
        Request::started(OP, RequestKind::DeleteAssignment, subject, status.map(Settled::of_assignment), receipt)
    }
}

fn assignment_subject(arn: &PermissionSetArn, account: &AccountId, principal: &PrincipalRef) -> String {
    format!("{} {} on {arn} in {account}", principal.kind.word(), principal.id)
}

fn to_tags(tags: &BTreeMap<String, String>) -> Result<Vec<Tag>, AwsError> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    tags.iter()
        .map(tag)
        .collect::<Result<_, _>>()
        .map_err(|error| AwsError::unreadable("Tag", "tags", error.to_string()))
}

/// Sends a write, and again while AWS is busy with another one on the same subject.
async fn patiently<T, F: Future<Output = Result<T, AwsError>>>(mut send: impl FnMut() -> F) -> Result<T, AwsError> {
    let started = Instant::now();
    let mut pause = Duration::from_millis(500);
    loop {
        match send().await {
            Err(error) if is_busy(&error) && started.elapsed() + pause < PATIENCE => {
                info!(
                    operation = error.operation,
                    subject = error.subject,
                    seconds = pause.as_secs_f64(),
                    "AWS is busy, waiting"
                );
                sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(20));
            }
            answer => return answer,
        }
    }
}

/// "There is a conflicting operation in process." is worth waiting for, as are "too many requests processing": the SDK
/// repeats those by itself, but jobs take longer than its patience.
fn is_busy(error: &AwsError) -> bool {
    match error.kind {
        ErrorKind::Conflict => !error.is_already(),
        ErrorKind::Throttled => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{AwsError, ErrorKind, is_busy, patiently};

    fn conflict(message: &str) -> AwsError {
        AwsError::local(ErrorKind::Conflict, message)
    }

    #[test]
    fn a_taken_name_is_not_waited_for() {
        assert!(is_busy(&conflict("There is a conflicting operation in process.")));
        assert!(!is_busy(&conflict("PermissionSet with name X already exists.")));
        assert!(!is_busy(&conflict(
            "Permission set with id ps-1 already has a typed link attachment to a manged policy"
        )));
        assert!(!is_busy(&AwsError::local(ErrorKind::AccessDenied, "no")));
    }

    #[tokio::test(start_paused = true)]
    async fn patience_ends() {
        let mut tries = 0;
        let answer: Result<(), _> = patiently(|| {
            tries += 1;
            async { Err(conflict("There is a conflicting operation in process.")) }
        })
        .await;
        assert_eq!(answer.map_err(|error| error.kind), Err(ErrorKind::Conflict));
        assert!((10..40).contains(&tries), "{tries}");
    }
}
