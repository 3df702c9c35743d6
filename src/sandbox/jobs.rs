//! Asynchronous requests of Identity Center: their locks, their quota, and what happens when one comes due.
//!
//! A job takes effect as a whole. It judges the world as it is at that time, so that principals, accounts and policies that vanish
//! in between make it fail as with AWS. When that is, `schedule` knows.

use super::job_list::target;
use super::schedule::Due;
use super::state::State;
use super::wire::AwsError;
use super::world::{
    AccountState, Assignment, Conflicts, CustomerManagedPolicy, Job, JobStatus, Missing, PermissionSet,
    PermissionsBoundary, PrincipalType, Work,
};

/// Open assignment requests that AWS admits at a time [quotas page of the user guide].
const OPEN_ASSIGNMENT_JOBS: usize = 10;

/// Lets a job take effect.
pub(super) fn end(state: &mut State, number: u64) {
    let Some(job) = state.jobs.numbered(number).cloned() else {
        return;
    };
    let outcome = match (job.fated, &job.work) {
        (Some(reason), _) => Err(reason),
        (None, Work::CreateAssignment(assignment)) => create(state, assignment, &job.request_id),
        (None, Work::DeleteAssignment(assignment)) => delete(state, assignment),
        (None, Work::Provision { permission_set_id, account_id }) => {
            provision(state, permission_set_id, account_id.as_deref(), &job.request_id)
        }
    };
    state.jobs.finish(number, outcome);
    state.jobs.forget(state.settings.finished_jobs);
}

/// Queues a job and gives back how it stands: IN_PROGRESS, as the first answer always says here.
pub(super) fn begin(state: &mut State, work: Work) -> Job {
    let request_id = loop {
        let id = state.ids.request();
        if state.jobs.get(&id).is_none() {
            break id;
        }
    };
    let job = Job {
        request_id,
        work,
        status: JobStatus::InProgress,
        failure_reason: None,
        created: state.now,
        due: state.due(),
        fated: state.fate.fails.clone(),
    };
    let number = state.jobs.push(job.clone());
    state.schedule.add(job.due, Due::Job(number));
    job
}

/// Refuses an assignment request beyond the quota. Whether deletions count is a switch.
pub(super) fn admit_assignment(state: &State) -> Result<(), AwsError> {
    let open = state.jobs.open_assignments(state.settings.deletions_are_open_jobs);
    if open < OPEN_ASSIGNMENT_JOBS {
        return Ok(());
    }
    // aws-iam-identity-center-extensions#87, #111
    Err(AwsError::new("ThrottlingException", "There are too many requests processing. Please try again later."))
}

/// Refuses a request on (account, set) while another is open there; `None` stands for every account the set is provisioned in.
pub(super) fn admit_pair(state: &State, set_id: &str, account: Option<&str>) -> Result<(), AwsError> {
    let mine = (set_id, account);
    let clash = match state.settings.conflicts {
        Conflicts::Pair => state.jobs.open_on(set_id).any(|job| meet(state, mine, target(&job.work))),
        Conflicts::Account => state.jobs.open().any(|job| meet(state, mine, target(&job.work))),
        Conflicts::Set => state.jobs.touch(set_id),
    };
    if clash { Err(conflict()) } else { Ok(()) }
}

/// Whether two requests work in one account.
fn meet(state: &State, mine: (&str, Option<&str>), theirs: (&str, Option<&str>)) -> bool {
    let provisioned = |set: &str| state.sets.get(set).map(|set| &set.provisioned);
    match (mine, theirs) {
        ((_, Some(mine)), (_, Some(theirs))) => mine == theirs,
        ((_, Some(one)), (set, None)) | ((set, None), (_, Some(one))) => {
            provisioned(set).is_some_and(|it| it.contains_key(one))
        }
        ((mine, None), (theirs, None)) => {
            let both = provisioned(mine).zip(provisioned(theirs));
            mine == theirs || both.is_some_and(|(mine, theirs)| mine.keys().any(|it| theirs.contains_key(it)))
        }
    }
}

/// What AWS says while another write is under way (aws-iam-identity-center-extensions#111, iam-identity-center-team#513).
pub(super) fn conflict() -> AwsError {
    AwsError::conflict("There is a conflicting operation in process.")
}

/// Whether any open job works on the set.
pub(super) fn touches_set(state: &State, set_id: &str) -> bool {
    state.jobs.touch(set_id)
}

fn create(state: &mut State, it: &Assignment, request_id: &str) -> Result<(), String> {
    let set = set_of(state, it)?;
    account_works(state, &it.account_id)?;
    if !state.store.has(it.principal_type, &it.principal_id) {
        return Err(assignee_missing(state, it));
    }
    policies_exist(state, set, &it.account_id)?;
    let there = set.provisioned.contains_key(&it.account_id);
    state.insert_assignment(it);
    if !there || state.settings.create_refreshes_stale {
        state.provision(&it.permission_set_id, &it.account_id, request_id);
    }
    Ok(())
}

// Whether the principal is looked at is a switch: of users deleted in the console assignments can be cleaned up, of others they
// could not in 2021 (tf#19341).
fn delete(state: &mut State, it: &Assignment) -> Result<(), String> {
    if !state.has_assignment(it) {
        return match state.settings.delete_missing_assignment {
            Missing::Succeeds => Ok(()),
            // cloudposse/terraform-aws-sso#66
            Missing::NotFound => Err("Received a 404 status error: Assignment not found.".to_owned()),
        };
    }
    if !state.settings.orphans_can_be_revoked && !state.store.has(it.principal_type, &it.principal_id) {
        return Err(assignee_missing(state, it));
    }
    // An account that left the organization has no role to remove; a suspended one has, and cannot be reached.
    if state.accounts.contains_key(&it.account_id) {
        account_works(state, &it.account_id)?;
    }
    state.remove_assignment(it);
    Ok(())
}

// On partial success the request fails with the first reason; whether the other accounts are updated is a switch.
fn provision(state: &mut State, set_id: &str, account: Option<&str>, request_id: &str) -> Result<(), String> {
    let Some(set) = state.sets.get(set_id) else {
        return Err("Received a 404 status error: Permission set not found.".to_owned());
    };
    let accounts: Vec<String> = match account {
        Some(account) => vec![account.to_owned()],
        None => set.provisioned.keys().cloned().collect(),
    };
    let checked: Vec<Result<&String, String>> = accounts
        .iter()
        .map(|account| {
            account_works(state, account).and_then(|()| policies_exist(state, set, account)).map(|()| account)
        })
        .collect();
    let all = state.settings.provisions_partially || checked.iter().all(Result::is_ok);
    let mut outcome = Ok(());
    for account in checked {
        match account {
            Ok(account) if all => state.provision(set_id, account, request_id),
            Ok(_) => {}
            Err(reason) => outcome = outcome.and(Err(reason)),
        }
    }
    outcome
}

// tf#33337: the wording for a set that went away under the job.
fn set_of<'a>(state: &'a State, it: &Assignment) -> Result<&'a PermissionSet, String> {
    state.sets.get(&it.permission_set_id).ok_or_else(|| {
        format!("Received a 404 status error: Permission set provision not found in AWS account {}.", it.account_id)
    })
}

fn account_works(state: &State, id: &str) -> Result<(), String> {
    match state.accounts.get(id).map(|account| account.state) {
        Some(AccountState::Active) => Ok(()),
        // aws-sso-util#80, aws-identitycenter-codepipeline-auto-assignment#31
        Some(_) => Err(format!(
            "AWS SSO is unable to complete your request at this time. Obtaining permissions to manage your AWS account '{id}' \
             is taking longer than usual. This is usually a temporary issue. Please try again in a few minutes."
        )),
        // Not seen against AWS; worded like the other 404s.
        None => Err(format!("Received a 404 status error: AWS account {id} was not found in the organization.")),
    }
}

// tf#19341
fn assignee_missing(state: &State, it: &Assignment) -> String {
    let kind = match it.principal_type {
        PrincipalType::User => "USER",
        PrincipalType::Group => "GROUP",
    };
    let instance = state.instance.as_ref();
    let directory = instance.map_or("", |instance| &instance.identity_store_id);
    format!(
        "Received a 404 status error: the {kind} assignee {} was not found in directory {directory}",
        it.principal_id
    )
}

// References must name a policy of every target account [customer managed policies, user guide]; IAM's words for one that is
// missing (tf#27889).
fn policies_exist(state: &State, set: &PermissionSet, account: &str) -> Result<(), String> {
    let Some(there) = state.accounts.get(account).and_then(|account| account.customer_managed_policies.as_ref()) else {
        return Ok(());
    };
    let boundary = match &set.permissions_boundary {
        Some(PermissionsBoundary::CustomerManagedPolicyReference(policy)) => Some(policy),
        Some(PermissionsBoundary::ManagedPolicyArn(_)) | None => None,
    };
    let full_name = |policy: &CustomerManagedPolicy| format!("{}{}", policy.path, policy.name);
    set.customer_managed_policies
        .iter()
        .chain(boundary)
        .map(full_name)
        .find(|policy| !there.contains(policy))
        .map_or(Ok(()), |policy| {
            Err(format!(
                "Received a 404 status error: Policy arn:aws:iam::{account}:policy{policy} does not exist or is not attachable."
            ))
        })
}
