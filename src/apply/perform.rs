//! One step: its calls in order, and what their answers mean.

use crate::apply::{AwsError, ErrorKind, Failure, Outcome, Run};
use crate::aws::{Request, Settled};
use crate::model::{AccountId, Assignment, Definition, PermissionSetArn, PermissionSetName};
use crate::plan::{Change, Edit, Targets};

impl Run<'_> {
    /// Carries out one change.
    pub(super) async fn perform(&self, change: &Change) -> Outcome {
        let result = match change {
            Change::CreateSet { name, definition, edits } => self.create(name, definition, edits).await,
            Change::EditSet { name, edits, .. } => match self.arn(name) {
                Ok(arn) => self.edit(&arn, edits, 0, edits.len()).await,
                Err(failure) => Err(failure),
            },
            Change::Provision { name, targets, accounts, stale: _ } => {
                let ids: Vec<_> = match targets {
                    Targets::AllProvisioned => vec![None],
                    Targets::Each => accounts.iter().map(|account| Some(&account.id)).collect(),
                };
                self.provision(name, &ids).await
            }
            Change::Assign(assignment) => self.assign(assignment).await,
            Change::Revoke { assignment, .. } => self.revoke(assignment).await,
            Change::DeleteSet { name, definition: _ } => self.delete(name).await,
        };
        match result {
            Ok(outcome) => outcome,
            Err(failure) if is_unknown(&failure) => Outcome::Unknown(failure),
            Err(failure) => Outcome::Failed(failure),
        }
    }

    async fn create(
        &self,
        name: &PermissionSetName,
        definition: &Definition,
        edits: &[Edit],
    ) -> Result<Outcome, Failure> {
        let total = edits.len() + 1;
        let failed = |error| Failure::Call { done: 0, total, error: Box::new(error) };
        let created = self.at.create_permission_set(name, &definition.attributes(), &definition.tags).await;
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
                let twin = self.at.find_permission_set(name).await.map_err(failed)?;
                let ours = twin.filter(|(_, live)| *live == bare);
                ours.map(|(arn, _)| arn).ok_or_else(|| failed(error))?
            }
            created => created.map_err(failed)?,
        };
        self.learn(name, arn.clone());
        self.edit(&arn, edits, 1, total).await
    }

    /// Makes edits one after another: AWS refuses two at once on one permission set (terraform-provider-aws#19215).
    /// The first that fails ends it, so that an old policy is not detached when its successor could not be attached.
    async fn edit(
        &self,
        arn: &PermissionSetArn,
        edits: &[Edit],
        before: usize,
        total: usize,
    ) -> Result<Outcome, Failure> {
        for (index, edit) in edits.iter().enumerate() {
            let done = before + index;
            match self.send(arn, edit).await {
                Ok(()) => {}
                Err(error) if is_in_place(edit, &error) => {}
                Err(error) => return Err(Failure::Call { done, total, error: Box::new(error) }),
            }
        }
        Ok(Outcome::Applied)
    }

    async fn send(&self, arn: &PermissionSetArn, edit: &Edit) -> Result<(), AwsError> {
        match edit {
            Edit::Tag(tags) => self.at.tag(arn, tags).await,
            Edit::Untag(keys) => self.at.untag(arn, keys).await,
            Edit::Attributes(attributes) => self.at.update_attributes(arn, attributes).await,
            Edit::AttachAws(policy) => self.at.attach_aws(arn, policy).await,
            Edit::DetachAws(policy) => self.at.detach_aws(arn, policy).await,
            Edit::AttachCustomer(policy) => self.at.attach_customer(arn, policy).await,
            Edit::DetachCustomer(policy) => self.at.detach_customer(arn, policy).await,
            Edit::PutInline(policy) => self.at.put_inline_policy(arn, policy).await,
            Edit::DeleteInline => self.at.delete_inline_policy(arn).await,
            Edit::PutBoundary(boundary) => self.at.put_boundary(arn, boundary).await,
            Edit::DeleteBoundary => self.at.delete_boundary(arn).await,
        }
    }

    /// Provisions account by account, or all in one request. Every account is tried, whatever became of the others.
    async fn provision(&self, name: &PermissionSetName, ids: &[Option<&AccountId>]) -> Result<Outcome, Failure> {
        let arn = self.arn(name)?;
        let mut failures = Vec::new();
        for id in ids {
            let _slot = self.outstanding.acquire().await;
            let request = self.at.start_provision(&arn, *id).await;
            failures.extend(self.follow(request).await.err());
        }
        match <[Failure; 1]>::try_from(failures) {
            Ok([failure]) => Err(failure),
            Err(none) if none.is_empty() => Ok(Outcome::Applied),
            Err(several) => Err(Failure::Several(several)),
        }
    }

    async fn assign(&self, assignment: &Assignment) -> Result<Outcome, Failure> {
        let arn = self.arn(&assignment.permission_set)?;
        let _slot = self.outstanding.acquire().await;
        let principal = assignment.principal.to_ref();
        let request = self.at.start_create_assignment(&arn, &assignment.account.id, &principal).await;
        self.follow(request).await
    }

    async fn revoke(&self, assignment: &Assignment) -> Result<Outcome, Failure> {
        let arn = self.arn(&assignment.permission_set)?;
        let _slot = self.outstanding.acquire().await;
        let principal = assignment.principal.to_ref();
        match self.at.start_delete_assignment(&arn, &assignment.account.id, &principal).await {
            // Whatever AWS answers to revoking what is not there, it is not there.
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Outcome::AlreadyInPlace),
            request => match self.follow(request).await {
                // The same answer, given later (terraform-provider-aws#35158).
                Err(Failure::Requests(reasons)) if reasons.iter().all(|reason| says_not_there(reason)) => {
                    Ok(Outcome::AlreadyInPlace)
                }
                outcome => outcome,
            },
        }
    }

    async fn delete(&self, name: &PermissionSetName) -> Result<Outcome, Failure> {
        let arn = self.arn(name)?;
        match self.at.delete_permission_set(&arn).await {
            Ok(()) => Ok(Outcome::Applied),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Outcome::AlreadyInPlace),
            Err(error) => Err(Failure::Call { done: 0, total: 1, error: Box::new(error) }),
        }
    }

    async fn follow(&self, request: Result<Request, AwsError>) -> Result<Outcome, Failure> {
        let request = request.map_err(|error| Failure::Call { done: 0, total: 1, error: Box::new(error) })?;
        // AWS accepted the request: that its status cannot be read says nothing about how it ended.
        match self.at.wait(&request).await.map_err(|error| Failure::Lost(Box::new(error)))? {
            Settled::Succeeded => Ok(Outcome::Applied),
            Settled::Failed(reason) => Err(Failure::Requests(vec![reason])),
        }
    }
}

fn says_not_there(reason: &str) -> bool {
    ["Assignment not found", "EntitlementItem doesn't exist"].iter().any(|text| reason.contains(text))
}

fn is_unknown(failure: &Failure) -> bool {
    match failure {
        Failure::Lost(_) => true,
        Failure::Call { error, .. } => error.kind == ErrorKind::NotReached,
        Failure::Several(failures) => failures.iter().any(is_unknown),
        Failure::Requests(_) | Failure::NoArn(_) => false,
    }
}

/// Attaching what is attached and removing what is not there leave things as they should be. Whether they really are is
/// not believed, but seen when everything is observed again at the end.
fn is_in_place(edit: &Edit, error: &AwsError) -> bool {
    match edit {
        Edit::AttachAws(_) | Edit::AttachCustomer(_) => error.is_already(),
        Edit::DetachAws(_) | Edit::DetachCustomer(_) | Edit::DeleteInline | Edit::DeleteBoundary => {
            error.kind == ErrorKind::NotFound
        }
        Edit::Tag(_) | Edit::Untag(_) | Edit::Attributes(_) | Edit::PutInline(_) | Edit::PutBoundary(_) => false,
    }
}
