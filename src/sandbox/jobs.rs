//! Asynchronous requests: their queue, their locks, and what happens when one comes due.
//!
//! A job takes effect as a whole at its due time, in order of due times, whichever call comes next. It judges the world as it is
//! then, so that principals, accounts and policies that vanish in between make it fail as with AWS.

use std::collections::BTreeMap;

use super::clock::round;
use super::state::State;
use super::wire::AwsError;
use super::world::{
    AccountState, Assignment, CustomerManagedPolicy, DeleteMissing, Job, JobStatus, PermissionSet, PermissionsBoundary,
    PrincipalType, Work,
};

/// Open assignment requests that AWS admits at a time [quotas page of the user guide].
const OPEN_ASSIGNMENT_JOBS: usize = 10;

/// All jobs in the order they came.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    list: Vec<Job>,
    numbers: BTreeMap<String, usize>,
    open: Vec<usize>,
}

impl From<Vec<Job>> for Jobs {
    fn from(list: Vec<Job>) -> Self {
        let mut jobs = Self::default();
        for job in list {
            jobs.push(job);
        }
        jobs
    }
}

impl Jobs {
    pub(super) fn all(&self) -> impl Iterator<Item = &Job> {
        self.list.iter()
    }

    pub(super) fn get(&self, request_id: &str) -> Option<&Job> {
        self.numbers.get(request_id).and_then(|number| self.list.get(*number))
    }

    fn open(&self) -> impl Iterator<Item = &Job> {
        self.open.iter().filter_map(|number| self.list.get(*number))
    }

    fn push(&mut self, job: Job) {
        let number = self.list.len();
        if job.status == JobStatus::InProgress {
            self.open.push(number);
        }
        self.numbers.insert(job.request_id.clone(), number);
        self.list.push(job);
    }

    /// Takes the open job that comes due first, if any is due; of two due at once the one that came first.
    fn take_due(&mut self, now: f64) -> Option<(usize, Work)> {
        let (place, number, job) = self
            .open
            .iter()
            .enumerate()
            .filter_map(|(place, number)| self.list.get(*number).map(|job| (place, *number, job)))
            .filter(|(_, _, job)| job.due <= now)
            .min_by(|(_, _, a), (_, _, b)| a.due.total_cmp(&b.due))?;
        let work = job.work.clone();
        self.open.remove(place);
        Some((number, work))
    }

    fn finish(&mut self, number: usize, outcome: Result<(), String>) {
        if let Some(job) = self.list.get_mut(number) {
            match outcome {
                Ok(()) => job.status = JobStatus::Succeeded,
                Err(reason) => {
                    job.status = JobStatus::Failed;
                    job.failure_reason = Some(reason);
                }
            }
        }
    }
}

/// Lets every job that is due take effect.
pub(super) fn settle(state: &mut State) {
    let now = state.clock.now();
    while let Some((number, work)) = state.jobs.take_due(now) {
        let outcome = match &work {
            Work::CreateAssignment(assignment) => create(state, assignment),
            Work::DeleteAssignment(assignment) => delete(state, assignment),
            Work::Provision { permission_set_id, account_id } => {
                provision(state, permission_set_id, account_id.as_deref())
            }
        };
        state.jobs.finish(number, outcome);
        state.changed = true;
    }
}

/// Queues a job and gives back how it stands: IN_PROGRESS, as the first answer always says here.
pub(super) fn begin(state: &mut State, work: Work) -> Job {
    let request_id = loop {
        let id = state.ids.request();
        if state.jobs.get(&id).is_none() {
            break id;
        }
    };
    let created = state.clock.now();
    let job = Job {
        request_id,
        work,
        status: JobStatus::InProgress,
        failure_reason: None,
        created,
        due: round(created + state.settings.job_seconds.max(0.0)),
    };
    state.jobs.push(job.clone());
    job
}

/// Refuses an assignment request beyond the quota. Whether deletions count is not documented; they do here.
pub(super) fn admit_assignment(state: &State) -> Result<(), AwsError> {
    let open = state.jobs.open().filter(|job| !matches!(job.work, Work::Provision { .. })).count();
    if open < OPEN_ASSIGNMENT_JOBS {
        return Ok(());
    }
    // aws-iam-identity-center-extensions#87, #111
    Err(AwsError::new("ThrottlingException", "There are too many requests processing. Please try again later."))
}

/// Refuses a request on (account, set) while another is open there; `None` stands for every account the set is provisioned in.
pub(super) fn admit_pair(state: &State, set_id: &str, account: Option<&str>) -> Result<(), AwsError> {
    let covered = |id: &str| {
        let set = state.sets.get(set_id);
        set.is_some_and(|set| set.provisioned.contains_key(id))
    };
    let collides = |job: &Job| {
        let (set, other) = target(&job.work);
        set == set_id
            && match (account, other) {
                (Some(mine), Some(theirs)) => mine == theirs,
                (Some(one), None) | (None, Some(one)) => covered(one),
                (None, None) => true,
            }
    };
    if !state.jobs.open().any(collides) {
        return Ok(());
    }
    // aws-iam-identity-center-extensions#111, iam-identity-center-team#513
    Err(AwsError::conflict("There is a conflicting operation in process."))
}

/// Whether any open job works on the set.
pub(super) fn touches_set(state: &State, set_id: &str) -> bool {
    state.jobs.open().any(|job| target(&job.work).0 == set_id)
}

fn target(work: &Work) -> (&str, Option<&str>) {
    match work {
        Work::CreateAssignment(it) | Work::DeleteAssignment(it) => (&it.permission_set_id, Some(&it.account_id)),
        Work::Provision { permission_set_id, account_id } => (permission_set_id, account_id.as_deref()),
    }
}

fn create(state: &mut State, it: &Assignment) -> Result<(), String> {
    let set = set_of(state, it)?;
    account_works(state, &it.account_id)?;
    if !state.store.has(it.principal_type, &it.principal_id) {
        return Err(assignee_missing(state, it));
    }
    policies_exist(state, set, &it.account_id)?;
    let there = set.provisioned.contains_key(&it.account_id);
    state.insert_assignment(it);
    if !there || state.settings.create_refreshes_stale {
        state.provision(&it.permission_set_id, &it.account_id);
    }
    Ok(())
}

// The principal is not looked at: assignments of users deleted in the console can be cleaned up (tf#19341).
fn delete(state: &mut State, it: &Assignment) -> Result<(), String> {
    if !state.has_assignment(it) {
        return match state.settings.delete_missing_assignment {
            DeleteMissing::Succeeds => Ok(()),
            // cloudposse/terraform-aws-sso#66
            DeleteMissing::NotFound => Err("Received a 404 status error: Assignment not found.".to_owned()),
        };
    }
    // An account that left the organization has no role to remove; a suspended one has, and cannot be reached.
    if state.accounts.contains_key(&it.account_id) {
        account_works(state, &it.account_id)?;
    }
    state.remove_assignment(it);
    Ok(())
}

// Unknown on partial success; here the good accounts are updated and the request fails with the first reason.
fn provision(state: &mut State, set_id: &str, account: Option<&str>) -> Result<(), String> {
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
    let mut outcome = Ok(());
    for account in checked {
        match account {
            Ok(account) => state.provision(set_id, account),
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
