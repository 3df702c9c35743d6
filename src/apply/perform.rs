//! One step: its calls in order, and what their answers mean.

use futures_util::future::BoxFuture;

use crate::apply::requests::is_unanswered;
use crate::apply::{AwsError, ErrorKind, Failure, Outcome, Run};
use crate::aws::{Receipt, Request, Settled};
use crate::model::{AccountId, Assignment, Definition, PermissionSetArn, PermissionSetName};
use crate::plan::{Change, Edit, Targets};

impl Run<'_> {
    /// Carries out one change.
    pub(super) async fn perform(&self, index: usize, change: &Change) -> Outcome {
        let step = Step { run: self, index };
        let result = match change {
            Change::CreateSet { name, definition, edits } => step.create(name, definition, edits).await,
            Change::EditSet { name, edits, .. } => match self.arn(name) {
                Ok(arn) => step.edit(name, &arn, edits, 0).await,
                Err(failure) => Err(failure),
            },
            Change::Provision { name, targets, accounts, stale: _ } => {
                let ids: Vec<_> = match targets {
                    Targets::AllProvisioned => vec![None],
                    Targets::Each => accounts.iter().map(|account| Some(&account.id)).collect(),
                };
                step.provision(name, &ids).await
            }
            Change::Assign(assignment) => step.assign(assignment).await,
            Change::Revoke { assignment, .. } => step.revoke(assignment).await,
            Change::DeleteSet { name, .. } => step.delete(name).await,
        };
        match result {
            Ok(outcome) => outcome,
            Err(failure) if is_unknown(&failure) => Outcome::Unknown(failure),
            Err(failure) => Outcome::Failed(failure),
        }
    }
}

/// A change on its way.
struct Step<'r, 'a> {
    run: &'r Run<'a>,
    index: usize,
}

impl Step<'_, '_> {
    async fn create(
        &self,
        name: &PermissionSetName,
        definition: &Definition,
        edits: &[Edit],
    ) -> Result<Outcome, Failure> {
        let total = edits.len() + 1;
        let failed = |error| Failure::Call { done: 0, total, error: Box::new(error) };
        let attributes = definition.attributes();
        let create = self.run.at.create_permission_set(name, &attributes, &definition.tags);
        let (created, _) = self.run.requests.send(self.index, "CreatePermissionSet", name.to_string(), create).await?;
        let arn = match created {
            // The plan saw no such name: either the answer to our own first attempt was lost and the SDK's second one met
            // the first, or somebody else was quicker. Ours has what was asked for and nothing attached yet; whatever
            // somebody else attached must not be assigned to anybody.
            Err(error) if error.is_already() => {
                let bare = Definition {
                    description: definition.description.clone(),
                    session_duration: definition.session_duration,
                    relay_state: definition.relay_state.clone(),
                    tags: definition.tags.clone(),
                    ..Definition::default()
                };
                let twin = Box::pin(self.run.at.find_permission_set(name)).await.map_err(failed)?;
                let ours = twin.filter(|(_, live)| *live == bare);
                ours.map(|(arn, _)| arn).ok_or_else(|| failed(error))?
            }
            created => created.map_err(failed)?.0,
        };
        self.run.learn(name, arn.clone());
        self.edit(name, &arn, edits, 1).await
    }

    /// Makes edits one after another: AWS refuses two at once on one permission set (terraform-provider-aws#19215).
    /// The first that fails ends it, so that an old policy is not detached when its successor could not be attached.
    async fn edit(
        &self,
        name: &PermissionSetName,
        arn: &PermissionSetArn,
        edits: &[Edit],
        before: usize,
    ) -> Result<Outcome, Failure> {
        let total = before + edits.len();
        for (index, edit) in edits.iter().enumerate() {
            let done = before + index;
            let (operation, send) = self.edit_call(arn, edit);
            match self.run.requests.send(self.index, operation, name.to_string(), send).await?.0 {
                Ok(_) => {}
                Err(error) if claims_in_place(edit, &error) && self.is_in_place(arn, edit).await => {}
                Err(error) => return Err(Failure::Call { done, total, error: Box::new(error) }),
            }
        }
        Ok(Outcome::Applied)
    }

    /// Looks whether an edit is made: what accounts are about to get must not be half of it.
    async fn is_in_place(&self, arn: &PermissionSetArn, edit: &Edit) -> bool {
        // Rare, and large: it would make room for itself in every step.
        let live = Box::pin(self.run.at.live_definition(arn)).await;
        live.is_ok_and(|live| live.is_some_and(|live| is_made(edit, &live)))
    }

    fn edit_call<'c>(
        &'c self,
        arn: &'c PermissionSetArn,
        edit: &'c Edit,
    ) -> (&'static str, BoxFuture<'c, Result<Receipt, AwsError>>) {
        let at = self.run.at;
        match edit {
            Edit::Tag(tags) => ("TagResource", Box::pin(at.tag(arn, tags))),
            Edit::Untag(keys) => ("UntagResource", Box::pin(at.untag(arn, keys))),
            Edit::Attributes(attributes) => ("UpdatePermissionSet", Box::pin(at.update_attributes(arn, attributes))),
            Edit::AttachAws(policy) => ("AttachManagedPolicyToPermissionSet", Box::pin(at.attach_aws(arn, policy))),
            Edit::DetachAws(policy) => ("DetachManagedPolicyFromPermissionSet", Box::pin(at.detach_aws(arn, policy))),
            Edit::AttachCustomer(policy) => {
                ("AttachCustomerManagedPolicyReferenceToPermissionSet", Box::pin(at.attach_customer(arn, policy)))
            }
            Edit::DetachCustomer(policy) => {
                ("DetachCustomerManagedPolicyReferenceFromPermissionSet", Box::pin(at.detach_customer(arn, policy)))
            }
            Edit::PutInline(policy) => ("PutInlinePolicyToPermissionSet", Box::pin(at.put_inline_policy(arn, policy))),
            Edit::DeleteInline => ("DeleteInlinePolicyFromPermissionSet", Box::pin(at.delete_inline_policy(arn))),
            Edit::PutBoundary(boundary) => {
                ("PutPermissionsBoundaryToPermissionSet", Box::pin(at.put_boundary(arn, boundary)))
            }
            Edit::DeleteBoundary => ("DeletePermissionsBoundaryFromPermissionSet", Box::pin(at.delete_boundary(arn))),
        }
    }

    /// Provisions account by account, or all in one request. Every account is tried, whatever became of the others.
    async fn provision(&self, name: &PermissionSetName, ids: &[Option<&AccountId>]) -> Result<Outcome, Failure> {
        let arn = self.run.arn(name)?;
        let mut failures = Vec::new();
        for id in ids {
            let into = id.map_or_else(|| "all its accounts".to_owned(), ToString::to_string);
            let send = self.run.at.start_provision(&arn, *id);
            let ended = self.follow("ProvisionPermissionSet", format!("{name} into {into}"), send).await;
            failures.extend(ended.err());
        }
        match <[Failure; 1]>::try_from(failures) {
            Ok([failure]) => Err(failure),
            Err(none) if none.is_empty() => Ok(Outcome::Applied),
            Err(several) => Err(Failure::Several(several)),
        }
    }

    async fn assign(&self, assignment: &Assignment) -> Result<Outcome, Failure> {
        let arn = self.run.arn(&assignment.permission_set)?;
        let principal = assignment.principal.to_ref();
        let send = self.run.at.start_create_assignment(&arn, &assignment.account.id, &principal);
        self.follow("CreateAccountAssignment", subject(assignment), send).await
    }

    async fn revoke(&self, assignment: &Assignment) -> Result<Outcome, Failure> {
        let arn = self.run.arn(&assignment.permission_set)?;
        let principal = assignment.principal.to_ref();
        let send = self.run.at.start_delete_assignment(&arn, &assignment.account.id, &principal);
        match self.follow("DeleteAccountAssignment", subject(assignment), send).await {
            // Whatever AWS answers to revoking what is not there, it is not there.
            Err(Failure::Call { error, .. }) if error.kind == ErrorKind::NotFound => Ok(Outcome::AlreadyInPlace),
            // The same answer, given later (terraform-provider-aws#35158).
            Err(Failure::Requests(reasons)) if reasons.iter().all(|reason| says_not_there(reason)) => {
                Ok(Outcome::AlreadyInPlace)
            }
            outcome => outcome,
        }
    }

    async fn delete(&self, name: &PermissionSetName) -> Result<Outcome, Failure> {
        let arn = self.run.arn(name)?;
        let send = self.run.at.delete_permission_set(&arn);
        match self.run.requests.send(self.index, "DeletePermissionSet", name.to_string(), send).await?.0 {
            Ok(_) => Ok(Outcome::Applied),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Outcome::AlreadyInPlace),
            Err(error) => Err(Failure::Call { done: 0, total: 1, error: Box::new(error) }),
        }
    }

    /// Sends an asynchronous request when there is room for one more, and follows it to its end.
    async fn follow(
        &self,
        operation: &'static str,
        subject: String,
        send: impl Future<Output = Result<Request, AwsError>>,
    ) -> Result<Outcome, Failure> {
        let _slot = self.run.outstanding.acquire().await;
        let (request, sent) = self.run.requests.send(self.index, operation, subject, send).await?;
        let request = request.map_err(|error| Failure::Call { done: 0, total: 1, error: Box::new(error) })?;
        // AWS accepted the request: that its status cannot be read says nothing about how it ended.
        match sent.settle(&self.run.waiter, &request).await.map_err(|error| Failure::Lost(Box::new(error)))? {
            Settled::Succeeded => Ok(Outcome::Applied),
            Settled::Failed(reason) => Err(Failure::Requests(vec![reason])),
        }
    }
}

fn subject(assignment: &Assignment) -> String {
    let Assignment { permission_set, account, principal } = assignment;
    format!("{permission_set} in {} for {} {}", account.id, principal.kind.word(), principal.id)
}

fn says_not_there(reason: &str) -> bool {
    ["Assignment not found", "EntitlementItem doesn't exist"].iter().any(|text| reason.contains(text))
}

fn is_unknown(failure: &Failure) -> bool {
    match failure {
        Failure::Lost(_) => true,
        Failure::Call { error, .. } => is_unanswered(error),
        Failure::Several(failures) => failures.iter().any(is_unknown),
        Failure::OutOfTime(_) => true,
        Failure::Requests(_) | Failure::NoArn(_) | Failure::Journal(_) => false,
    }
}

/// Attaching what is attached and removing what is not there leave things as they should be: so AWS says, in words that
/// also mean that it has lost sight of the permission set for a moment.
fn claims_in_place(edit: &Edit, error: &AwsError) -> bool {
    match edit {
        Edit::AttachAws(_) | Edit::AttachCustomer(_) => error.is_already(),
        Edit::DetachAws(_) | Edit::DetachCustomer(_) | Edit::DeleteInline | Edit::DeleteBoundary => {
            error.kind == ErrorKind::NotFound
        }
        Edit::Tag(_) | Edit::Untag(_) | Edit::Attributes(_) | Edit::PutInline(_) | Edit::PutBoundary(_) => false,
    }
}

fn is_made(edit: &Edit, live: &Definition) -> bool {
    match edit {
        Edit::Tag(tags) => tags.iter().all(|(key, value)| live.tags.get(key) == Some(value)),
        Edit::Untag(keys) => keys.iter().all(|key| !live.tags.contains_key(key)),
        Edit::Attributes(attributes) => live.attributes() == *attributes,
        Edit::AttachAws(policy) => live.aws_managed_policies.contains(policy),
        Edit::DetachAws(policy) => !live.aws_managed_policies.contains(policy),
        Edit::AttachCustomer(policy) => live.customer_managed_policies.contains(policy),
        Edit::DetachCustomer(policy) => !live.customer_managed_policies.contains(policy),
        Edit::PutInline(policy) => live.inline_policy.as_ref() == Some(policy),
        Edit::DeleteInline => live.inline_policy.is_none(),
        Edit::PutBoundary(boundary) => live.permissions_boundary.as_ref() == Some(boundary),
        Edit::DeleteBoundary => live.permissions_boundary.is_none(),
    }
}
