//! Account assignments: requests to create and delete them, their status, and lists.
//!
//! Nothing is assigned or removed here; the requests only queue jobs.

use serde_json::{Value, json};

use super::super::jobs;
use super::super::operation::{Input, Operation, read, status, write};
use super::super::pages::page;
use super::super::state::{Pair, Principal, State};
use super::super::wire::{AwsError, Reply};
use super::super::world::{Assignment, Missing, PrincipalType, UnknownAssignee, Work};
use super::{describe_job, is_home, job_body, list_jobs, set_arn, set_id};

const CREATION_ID: &str = "AccountAssignmentCreationRequestId";
const DELETION_ID: &str = "AccountAssignmentDeletionRequestId";

/// [quotas page of the user guide], the newest text.
const MAX_SETS_IN_ACCOUNT: usize = 500;

pub(super) const OPERATIONS: &[Operation] = &[
    write("CreateAccountAssignment", create),
    write("DeleteAccountAssignment", delete),
    status("DescribeAccountAssignmentCreationStatus", |state, input| {
        describe_job(state, input, CREATION_ID, "AccountAssignmentCreationStatus", is_creation)
    }),
    status("DescribeAccountAssignmentDeletionStatus", |state, input| {
        describe_job(state, input, DELETION_ID, "AccountAssignmentDeletionStatus", is_deletion)
    }),
    status("ListAccountAssignmentCreationStatus", |state, input| {
        list_jobs(state, input, "AccountAssignmentsCreationStatus", is_creation)
    }),
    status("ListAccountAssignmentDeletionStatus", |state, input| {
        list_jobs(state, input, "AccountAssignmentsDeletionStatus", is_deletion)
    }),
    read("ListAccountAssignments", list),
    read("ListAccountAssignmentsForPrincipal", list_for_principal),
];

// An assignment that is there is no error: the job ends SUCCEEDED and there is still one (Terraform's account_assignment
// resource lists first for that reason). Principals and accounts are judged by the job; AWS documents no check at call time.
fn create(state: &mut State, input: Input<'_>) -> Reply {
    let assignment = admitted(state, input)?;
    if state.settings.unknown_assignee == UnknownAssignee::Refused {
        let (kind, id) = (assignment.principal_type, &assignment.principal_id);
        if !state.store.has(kind, id) || !state.accounts.contains_key(&assignment.account_id) {
            return Err(AwsError::not_found(format!("Could not find {id} or account {}", assignment.account_id)));
        }
    }
    let there = state.sets_in_account.get(&assignment.account_id);
    if there.is_some_and(|sets| sets.len() >= MAX_SETS_IN_ACCOUNT && !sets.contains(&assignment.permission_set_id)) {
        return Err(AwsError::quota(format!(
            "You have exceeded AWS SSO limits. Cannot provision more than {MAX_SETS_IN_ACCOUNT} PermissionSets in account {}",
            assignment.account_id
        )));
    }
    let job = jobs::begin(state, Work::CreateAssignment(assignment));
    Ok(json!({"AccountAssignmentCreationStatus": job_body(state, &job, false)}))
}

fn delete(state: &mut State, input: Input<'_>) -> Reply {
    let assignment = admitted(state, input)?;
    let strict = state.settings.delete_missing_assignment == Missing::NotFound;
    if strict && !state.has_assignment(&assignment) {
        return Err(AwsError::not_found(format!(
            "Could not find AccountAssignment of {} in account {}",
            assignment.principal_id, assignment.account_id
        )));
    }
    let job = jobs::begin(state, Work::DeleteAssignment(assignment));
    Ok(json!({"AccountAssignmentDeletionStatus": job_body(state, &job, false)}))
}

fn admitted(state: &State, input: Input<'_>) -> Result<Assignment, AwsError> {
    let set = set_id(state, input)?;
    let account = input.text("TargetId");
    jobs::admit_assignment(state)?;
    jobs::admit_pair(state, set, Some(account))?;
    let (principal_type, principal_id) = principal(input);
    Ok(Assignment { account_id: account.to_owned(), permission_set_id: set.to_owned(), principal_type, principal_id })
}

// An account where the set is not provisioned, or that nobody knows, gives an empty list: Terraform relies on that after deletes.
fn list(state: &State, input: Input<'_>) -> Reply {
    let pair: Pair = (input.text("AccountId").to_owned(), set_id(state, input)?.to_owned());
    let principals = state.assignments.get(&pair).into_iter().flatten();
    page(state, input, "AccountAssignments", principals, |principal| row(state, &pair, principal))
}

// A principal that does not exist has whatever rows it left behind.
fn list_for_principal(state: &State, input: Input<'_>) -> Reply {
    // Account instances reject it [user guide, organization and account instances].
    if !is_home(state, input)? {
        return Err(AwsError::validation("The operation is not supported for this Identity Center instance"));
    }
    let principal = principal(input);
    let gone = !state.settings.rows_of_deleted_principals && !state.store.has(principal.0, &principal.1);
    let mut principals = if gone { Vec::new() } else { vec![principal.clone()] };
    if state.settings.group_rows_for_users && principal.0 == PrincipalType::User {
        let groups = state.store.groups_of.get(&principal.1).into_iter().flatten();
        principals.extend(groups.map(|(group, _)| (PrincipalType::Group, group.clone())));
    }
    let account = input.inside("Filter").and_then(|filter| filter.maybe("AccountId"));
    let rows = principals
        .iter()
        .flat_map(|principal| {
            let pairs = state.pairs_of.get(principal).into_iter().flatten();
            pairs.map(move |pair| (pair, principal))
        })
        .filter(|((id, _), _)| account.is_none_or(|account| id == account));
    page(state, input, "AccountAssignments", rows, |(pair, principal)| row(state, pair, principal))
}

fn principal(input: Input<'_>) -> Principal {
    let kind = match input.text("PrincipalType") {
        "USER" => PrincipalType::User,
        _ => PrincipalType::Group,
    };
    (kind, input.text("PrincipalId").to_owned())
}

fn row(state: &State, (account, set): &Pair, (kind, id): &Principal) -> Value {
    json!({
        "AccountId": account,
        "PermissionSetArn": set_arn(state, set),
        "PrincipalType": kind,
        "PrincipalId": id,
    })
}

fn is_creation(work: &Work) -> bool {
    matches!(work, Work::CreateAssignment(_))
}

fn is_deletion(work: &Work) -> bool {
    matches!(work, Work::DeleteAssignment(_))
}
