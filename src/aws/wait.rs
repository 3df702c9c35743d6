//! Follows asynchronous requests to their end, many at a time with few calls.
//!
//! A page of the list of open requests tells about a hundred of them at once. One that is no longer in it is asked for
//! by itself, which also tells why it failed. Where the list may not be read, or there is none, or it lags behind,
//! each is asked for by itself.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_ssoadmin::types::{
    AccountAssignmentOperationStatus, OperationStatusFilter, PermissionSetProvisioningStatus, StatusValues,
};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};
use tracing::debug;

use crate::aws::At;
use crate::aws::call::{Receipt, call, pages};
use crate::aws::error::{AwsError, ErrorKind};

/// The three kinds of asynchronous request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    /// CreateAccountAssignment.
    CreateAssignment,
    /// DeleteAccountAssignment.
    DeleteAssignment,
    /// ProvisionPermissionSet.
    Provision,
}

impl RequestKind {
    const ALL: [Self; 3] = [Self::CreateAssignment, Self::DeleteAssignment, Self::Provision];
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
    /// The answer that it began with.
    pub receipt: Receipt,
    /// How it ended, if the first answer said so already.
    settled: Option<Settled>,
    /// How long ago AWS accepted it, when this run took it up.
    age: Duration,
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
    /// Returns why it failed, if it did.
    pub fn failure(&self) -> Option<&str> {
        match self {
            Self::Succeeded => None,
            Self::Failed(reason) => Some(reason),
        }
    }

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
        receipt: Receipt,
    ) -> Result<Self, AwsError> {
        match status {
            Some(Status { id: Some(id), settled }) => {
                Ok(Self { kind, id, subject, receipt, settled, age: Duration::ZERO })
            }
            _ => Err(AwsError::unreadable(operation, subject, "the answer has no request id")),
        }
    }

    /// Takes up a request that AWS accepted so long ago.
    pub fn known(kind: RequestKind, id: impl Into<String>, subject: impl Into<String>, age: Duration) -> Self {
        Self { kind, id: id.into(), subject: subject.into(), receipt: Receipt::default(), settled: None, age }
    }
}

/// How long a request may take before it is reported as still in flight. AWS names no bound; provisioning hundreds of
/// accounts has been seen to pass Terraform's 10 minutes (terraform-provider-aws#30745).
const DEADLINE: Duration = Duration::from_secs(30 * 60);
/// How long AWS may not know a request that it has just accepted.
const UNKNOWN: Duration = Duration::from_secs(60);
/// What a request is taken to need until one has shown it.
const FIRST_GUESS: Duration = Duration::from_millis(500);
/// The shortest and the longest time between two looks at one request.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);
/// From so many requests on that are to be looked at, the list is asked first which of them are still open.
const MANY: usize = 5;
/// How often those that the list calls open are asked for by themselves all the same: lists lag.
const DISTRUST: u32 = 8;

/// Trouble with asking, not with what is asked about.
fn may_pass(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Throttled | ErrorKind::NotReached)
}

/// Follows all requests of one run. Somebody has to [`watch`](Waiter::watch) while others wait.
#[derive(Debug)]
pub struct Waiter<'a> {
    at: At<'a>,
    state: Mutex<State>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct State {
    pending: BTreeMap<String, Pending>,
    /// After how long a request is looked at first; provisioning hundreds of accounts takes longer than assigning in one.
    takes: BTreeMap<RequestKind, Takes>,
    /// Whether the lists of open requests cannot be had.
    no_lists: bool,
    looks: u32,
}

impl State {
    fn takes(&mut self, kind: RequestKind) -> &mut Takes {
        self.takes.entry(kind).or_default()
    }
}

#[derive(Debug)]
struct Pending {
    request: Request,
    since: Instant,
    /// When it is looked at next.
    look: Instant,
    /// How old it was when it was last looked at.
    looked_at: Duration,
    /// How old it was when it was last seen to be open.
    open_at: Option<Duration>,
    done: oneshot::Sender<Result<Settled, AwsError>>,
}

/// What the latest requests took, as far as looking at them now and then tells: the middle between the last look that found one open
/// and the one that found it ended, or a little less than a first look that found it ended already.
#[derive(Clone, Debug, Default)]
struct Takes(VecDeque<Duration>);

/// How many are remembered.
const LATEST: usize = 20;

impl Takes {
    fn learn(&mut self, open_at: Option<Duration>, ended_at: Duration) {
        let took = open_at.map_or(ended_at.mul_f64(0.96), |open| (open + ended_at) / 2);
        self.0.push_back(took);
        if self.0.len() > LATEST {
            self.0.pop_front();
        }
    }

    /// After how long a request is looked at first: half of them take longer. A look is worth as much as a change, and ten requests
    /// hold up all others, so neither too early nor too late is free; and a few that take minutes do not matter here.
    fn first(&self) -> Duration {
        let mut sorted: Vec<Duration> = self.0.iter().copied().collect();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().unwrap_or(FIRST_GUESS).clamp(SHORTEST, LONGEST)
    }

    /// How long to wait before another look at a request that is so old and still open.
    fn again(&self, age: Duration) -> Duration {
        // It may end any moment, or take far longer than the others.
        let first = self.first();
        (first / 20).max(age.saturating_sub(first) / 4).clamp(SHORTEST, LONGEST)
    }
}

impl<'a> At<'a> {
    /// Returns something that follows requests.
    pub fn waiter(self) -> Waiter<'a> {
        Waiter { at: self, state: Mutex::default(), wake: Notify::new() }
    }
}

impl Waiter<'_> {
    /// Waits until a request ended.
    ///
    /// # Errors
    /// If its status cannot be read, or it has not ended after half an hour: what it did is then unknown.
    pub async fn settle(&self, request: &Request) -> Result<Settled, AwsError> {
        if let Some(settled) = &request.settled {
            return Ok(settled.clone());
        }
        let (done, end) = oneshot::channel();
        {
            let (mut state, since) = (self.state(), Instant::now());
            let look = since + state.takes(request.kind).first().saturating_sub(request.age);
            let request = request.clone();
            let pending = Pending { request, since, look, looked_at: Duration::ZERO, open_at: None, done };
            state.pending.insert(pending.request.id.clone(), pending);
        }
        self.wake.notify_one();
        let forgotten = || AwsError {
            subject: request.subject.clone(),
            ..AwsError::local(ErrorKind::NotReached, format!("request {} was given up", request.id))
        };
        end.await.unwrap_or_else(|_| Err(forgotten()))
    }

    /// Asks again and again how the requests are doing. Never ends by itself.
    pub async fn watch(&self) {
        // A look takes as long as an answer does; meanwhile the time of others comes.
        let mut looks = FuturesUnordered::new();
        loop {
            let next = self.next_look();
            tokio::select! {
                // Whoever is new may have to be looked at earlier.
                () = self.wake.notified() => {}
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => looks.push(self.look(self.due())),
                Some(()) = looks.next(), if !looks.is_empty() => self.end_the_overdue(),
            }
        }
    }

    fn next_look(&self) -> Option<Instant> {
        self.state().pending.values().map(|pending| pending.look).min()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes everything whose time has come, and what would be next within a moment. Until they are looked at, nobody else does.
    fn due(&self) -> Vec<Request> {
        let mut state = self.state();
        // Whoever waited and gave up is not asked for any more.
        state.pending.retain(|_, pending| !pending.done.is_closed());
        let now = Instant::now();
        let moments: BTreeMap<RequestKind, Duration> = RequestKind::ALL
            .map(|kind| (kind, (state.takes(kind).first() / 32).clamp(SHORTEST / 4, LONGEST / 8)))
            .into();
        let is_due = |pending: &&mut Pending| {
            pending.look <= now + moments.get(&pending.request.kind).copied().unwrap_or_default()
        };
        let due = state.pending.values_mut().filter(is_due);
        let taken = due.map(|pending| {
            pending.looked_at = now - pending.since;
            pending.look = now + DEADLINE;
            pending.request.clone()
        });
        taken.collect()
    }

    /// Looks how requests are doing.
    async fn look(&self, due: Vec<Request>) {
        let trusts_lists = {
            let mut state = self.state();
            state.looks = state.looks.wrapping_add(1);
            !state.looks.is_multiple_of(DISTRUST) && !state.no_lists
        };
        let asked = join_all(RequestKind::ALL.map(async |kind| {
            let of_kind: Vec<&Request> = due.iter().filter(|request| request.kind == kind).collect();
            // A few are asked for directly: the list would only say that it is worth asking.
            let open = if of_kind.len() >= MANY && trusts_lists { self.open(kind).await } else { Ok(BTreeSet::new()) };
            let is_open = |request: &Request| match &open {
                Ok(open) => open.contains(&request.id),
                Err(error) => may_pass(error.kind),
            };
            let (open_ones, ended): (Vec<&Request>, Vec<&Request>) = of_kind.into_iter().partition(|it| is_open(it));
            open_ones.into_iter().for_each(|request| self.still_open(&request.id));
            if let Err(error) = open
                && !may_pass(error.kind)
            {
                debug!(%error, "no list of open requests, asking for each");
                self.state().no_lists = true;
            }
            join_all(ended.into_iter().map(async |request| self.take(request, self.at.status(request).await))).await;
        }));
        asked.await;
    }

    /// Notes that a request has not ended.
    fn still_open(&self, id: &str) {
        let mut state = self.state();
        let Some(pending) = state.pending.get_mut(id) else { return };
        let (kind, age) = (pending.request.kind, pending.looked_at);
        pending.open_at = Some(age);
        let again = Instant::now() + state.takes(kind).again(age);
        if let Some(pending) = state.pending.get_mut(id) {
            pending.look = again;
        }
    }

    /// Takes in what was answered about one request.
    fn take(&self, request: &Request, status: Result<Option<Settled>, AwsError>) {
        let end = match status {
            Ok(None) => return self.still_open(&request.id),
            // The request goes on whether or not we can see it, and its status may lag behind at first.
            Err(error) if may_pass(error.kind) => return self.still_open(&request.id),
            Err(error) if error.kind == ErrorKind::NotFound && self.age(request) < UNKNOWN => {
                return self.still_open(&request.id);
            }
            Ok(Some(settled)) => Ok(settled),
            Err(error) => Err(error),
        };
        let mut state = self.state();
        if let Some(pending) = state.pending.remove(&request.id) {
            state.takes(request.kind).learn(pending.open_at, pending.looked_at);
            // Whoever waited may have stopped waiting.
            let _ = pending.done.send(end);
        }
    }

    fn age(&self, request: &Request) -> Duration {
        request.age + self.state().pending.get(&request.id).map(|it| it.since.elapsed()).unwrap_or_default()
    }

    fn end_the_overdue(&self) {
        let mut state = self.state();
        let is_overdue = |pending: &Pending| pending.since.elapsed() > DEADLINE;
        let overdue: Vec<String> =
            state.pending.iter().filter(|(_, pending)| is_overdue(pending)).map(|(id, _)| id.clone()).collect();
        for id in overdue {
            if let Some(Pending { request, done, .. }) = state.pending.remove(&id) {
                let message = format!("request {id} has not ended after {} minutes", DEADLINE.as_secs() / 60);
                let error = AwsError { subject: request.subject, ..AwsError::local(ErrorKind::NotReached, message) };
                let _ = done.send(Err(error));
            }
        }
    }

    /// Lists the ids of the open requests of a kind, ours and everybody else's.
    async fn open(&self, kind: RequestKind) -> Result<BTreeSet<String>, AwsError> {
        let (sso, instance) = (&self.at.aws.sso, self.at.instance.arn.as_str());
        let filter = OperationStatusFilter::builder().status(StatusValues::InProgress).build();
        let ids: Vec<Option<String>> = match kind {
            RequestKind::CreateAssignment => {
                const OP: &str = "ListAccountAssignmentCreationStatus";
                pages(OP, instance, |token| {
                    let list = sso.list_account_assignment_creation_status().instance_arn(instance);
                    let list = list.filter(filter.clone()).max_results(PAGE).set_next_token(token);
                    async move {
                        let output = call(OP, instance, list.send()).await?;
                        let rows = output.account_assignments_creation_status.unwrap_or_default();
                        Ok((rows.into_iter().map(|row| row.request_id).collect(), output.next_token))
                    }
                })
                .await?
            }
            RequestKind::DeleteAssignment => {
                const OP: &str = "ListAccountAssignmentDeletionStatus";
                pages(OP, instance, |token| {
                    let list = sso.list_account_assignment_deletion_status().instance_arn(instance);
                    let list = list.filter(filter.clone()).max_results(PAGE).set_next_token(token);
                    async move {
                        let output = call(OP, instance, list.send()).await?;
                        let rows = output.account_assignments_deletion_status.unwrap_or_default();
                        Ok((rows.into_iter().map(|row| row.request_id).collect(), output.next_token))
                    }
                })
                .await?
            }
            RequestKind::Provision => {
                const OP: &str = "ListPermissionSetProvisioningStatus";
                pages(OP, instance, |token| {
                    let list = sso.list_permission_set_provisioning_status().instance_arn(instance);
                    let list = list.filter(filter.clone()).max_results(PAGE).set_next_token(token);
                    async move {
                        let output = call(OP, instance, list.send()).await?;
                        let rows = output.permission_sets_provisioning_status.unwrap_or_default();
                        Ok((rows.into_iter().map(|row| row.request_id).collect(), output.next_token))
                    }
                })
                .await?
            }
        };
        Ok(ids.into_iter().flatten().collect())
    }
}

/// The lists come in pages of at most 100.
const PAGE: i32 = 100;

impl At<'_> {
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
