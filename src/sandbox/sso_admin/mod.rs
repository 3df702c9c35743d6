//! The operations of `sso-admin` (botocore model 2020-07-20) that touch instances, permission sets and account assignments.
//!
//! What they share is here: members that come back in many inputs, and finding what an input names. Applications and trusted
//! token issuers are not played.

mod assignments;
mod attributes;
mod instances;
mod permission_sets;
mod policies;
mod provisioning;
mod tags;

use serde_json::{Map, Value, json};

use super::operation::{Input, Operation};
use super::state::State;
use super::wire::{AwsError, Reply};
use super::world::{AccountState, Instance, Job, JobStatus, PermissionSet, UnknownInstance, Work};

/// All tables of the service.
pub(super) const TABLES: &[&[Operation]] = &[
    instances::OPERATIONS,
    permission_sets::OPERATIONS,
    policies::OPERATIONS,
    tags::OPERATIONS,
    assignments::OPERATIONS,
    provisioning::OPERATIONS,
    attributes::OPERATIONS,
];

/// The instances that there are in the Region that the call is signed for [Regions, user guide].
fn instances<'a>(state: &'a State, input: Input<'a>) -> impl Iterator<Item = &'a Instance> {
    let here = |instance: &&Instance| input.caller.region.as_ref().is_none_or(|region| *region == instance.region);
    // Shared with the working accounts of the organization; others have none.
    let account = state.accounts.get(&input.caller.account);
    let shared = account.is_some_and(|account| account.state == AccountState::Active);
    state.instance.iter().chain(&state.extra_instances).filter(move |_| shared).filter(here)
}

/// The instance that the input names. Which error AWS gives here is a switch; the model has only one for DescribeInstance.
fn instance<'a>(state: &'a State, input: Input<'a>) -> Result<&'a Instance, AwsError> {
    let arn = input.text("InstanceArn");
    let denied = state.settings.unknown_instance == UnknownInstance::Denied || input.operation == "DescribeInstance";
    instances(state, input).find(|instance| instance.arn == arn).ok_or_else(|| {
        if denied {
            return AwsError::denied(format!(
                "User: {} is not authorized to perform: sso:{} on resource: {arn}",
                input.caller.arn, input.operation
            ));
        }
        AwsError::not_found(format!("Could not find Instance with ARN {arn}"))
    })
}

/// Whether the input names the instance that holds everything; the further ones hold nothing.
fn is_home(state: &State, input: Input<'_>) -> Result<bool, AwsError> {
    let instance = instance(state, input)?;
    Ok(state.instance.as_ref() == Some(instance))
}

/// The id of the permission set that the input names, in the instance that it names.
fn set_id<'a>(state: &State, input: Input<'a>) -> Result<&'a str, AwsError> {
    let home = is_home(state, input)?;
    let arn = input.text("PermissionSetArn");
    let id = arn.splitn(3, '/').nth(2).unwrap_or_default();
    if home && state.sets.contains_key(id) && set_arn(state, id) == arn {
        return Ok(id);
    }
    Err(set_missing(id))
}

fn set<'a>(state: &'a State, input: Input<'a>) -> Result<&'a PermissionSet, AwsError> {
    let id = set_id(state, input)?;
    state.sets.get(id).ok_or_else(|| set_missing(id))
}

fn set_mut<'a>(state: &'a mut State, input: Input<'_>) -> Result<&'a mut PermissionSet, AwsError> {
    let id = set_id(state, input)?;
    state.sets.get_mut(id).ok_or_else(|| set_missing(id))
}

// Wording: moto, whose contributors copy AWS's.
fn set_missing(id: &str) -> AwsError {
    AwsError::not_found(format!("Could not find PermissionSet with id {id}"))
}

fn set_arn(state: &State, id: &str) -> String {
    let arn = state.instance.as_ref().map_or("", |instance| &instance.arn);
    format!("{}/{id}", arn.replacen(":instance/", ":permissionSet/", 1))
}

fn status(status: JobStatus) -> &'static str {
    match status {
        JobStatus::InProgress => "IN_PROGRESS",
        JobStatus::Succeeded => "SUCCEEDED",
        JobStatus::Failed => "FAILED",
    }
}

/// A job's status structure; `created` is left out of first answers, as AWS seems to.
fn job_body(state: &State, job: &Job, created: bool) -> Value {
    let mut body = Map::new();
    body.insert("Status".to_owned(), json!(status(job.status)));
    body.insert("RequestId".to_owned(), json!(job.request_id));
    if let Some(reason) = &job.failure_reason {
        body.insert("FailureReason".to_owned(), json!(reason));
    }
    match &job.work {
        Work::CreateAssignment(it) | Work::DeleteAssignment(it) => {
            body.insert("TargetId".to_owned(), json!(it.account_id));
            body.insert("TargetType".to_owned(), json!("AWS_ACCOUNT"));
            let arn = set_arn(state, &it.permission_set_id);
            body.insert("PermissionSetArn".to_owned(), json!(arn));
            body.insert("PrincipalType".to_owned(), json!(it.principal_type));
            body.insert("PrincipalId".to_owned(), json!(it.principal_id));
        }
        Work::Provision { permission_set_id, account_id } => {
            if let Some(account) = account_id {
                body.insert("AccountId".to_owned(), json!(account));
            }
            let arn = set_arn(state, permission_set_id);
            body.insert("PermissionSetArn".to_owned(), json!(arn));
        }
    }
    if created {
        body.insert("CreatedDate".to_owned(), json!(job.created));
    }
    Value::Object(body)
}

/// Answers a Describe…Status: the job whose id stands under `member`, if it is of the kind asked for.
fn describe_job(state: &State, input: Input<'_>, member: &str, key: &str, kind: fn(&Work) -> bool) -> Reply {
    let home = is_home(state, input)?;
    let id = input.text(member);
    match state.jobs.get(id).filter(|job| home && kind(&job.work)) {
        Some(job) => Ok(json!({ key: job_body(state, job, true) })),
        None => Err(AwsError::not_found(format!("Could not find request with id {id}"))),
    }
}

/// Answers a List…Status. Rows have three members only; the rest needs a Describe each [botocore model].
fn list_jobs(state: &State, input: Input<'_>, key: &str, kind: fn(&Work) -> bool) -> Reply {
    let home = is_home(state, input)?;
    let wanted = input.inside("Filter").and_then(|filter| filter.maybe("Status"));
    let jobs = state
        .jobs
        .all()
        .filter(|job| home && kind(&job.work))
        .filter(|job| wanted.is_none_or(|wanted| wanted == status(job.status)));
    super::pages::page(
        state,
        input,
        key,
        jobs,
        |job| json!({"Status": status(job.status), "RequestId": job.request_id, "CreatedDate": job.created}),
    )
}
