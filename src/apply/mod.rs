//! Carries out a plan: walks its steps, decides nothing about them, and says truthfully what became of each.
//!
//! Steps run side by side where the plan does not order them. A failure stops only what needs the failed step.
//! Nothing here knows the access file, and nothing is printed: progress goes out as events.

mod board;
pub mod journal;
mod perform;
pub mod recover;
mod requests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};
use std::sync::{Mutex, PoisonError};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep_until};

// What a call says is part of what an outcome says.
pub use crate::aws::{AwsError, ErrorKind};

use crate::aws::{At, Aws, Waiter};
use crate::model::{PermissionSetArn, PermissionSetName};
use crate::plan::Plan;
use board::{Board, Verdict};
use journal::{Entry, Journal};
use requests::Requests;

/// How many assignment and provisioning requests AWS works on at once (Identity Center user guide, quotas).
const OUTSTANDING: usize = 10;
/// How many steps are under way at once; a step is one request at a time.
const CONCURRENCY: usize = 16;

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Applied,
    /// It was so already: somebody else, or an earlier run, did it.
    AlreadyInPlace,
    /// Not attempted.
    Skipped(SkipReason),
    /// AWS refused, or gave up.
    Failed(Failure),
    /// It was sent, and how it ended is not known. The next run finds out, for it looks first.
    Unknown(Failure),
}

/// Why a step was not attempted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// It needs this step, which did not succeed.
    Needs(usize),
    /// The run was stopped before.
    Stopped,
    /// There was no time left.
    OutOfTime,
    /// The journal could not be written any more.
    Journal,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A call failed.
    Call {
        /// How many calls of the step succeeded before.
        done: usize,
        /// Of how many.
        total: usize,
        /// What AWS says.
        error: Box<AwsError>,
    },
    /// An asynchronous request failed; these are AWS's reasons, one a request.
    Requests(Vec<String>),
    /// AWS accepted a request, and its status could not be read to the end.
    Lost(Box<AwsError>),
    /// Several things went wrong in one step.
    Several(Vec<Failure>),
    /// It could not be written down what was about to be asked, so it was not asked.
    Journal(String),
    /// There was no time left to wait for these.
    OutOfTime(Vec<String>),
    /// The plan refers to a permission set that does not exist: a broken promise of the planner.
    NoArn(PermissionSetName),
}

/// What happens while a plan is applied.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A step begins.
    Started(usize),
    /// A step ended.
    Finished(usize, &'a Outcome),
}

/// What became of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplyReport {
    /// One outcome a step, in the order of the plan.
    pub outcomes: Vec<Outcome>,
    /// What made it end early, if something did.
    pub cut_short: Option<CutShort>,
}

/// What makes an apply end early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CutShort {
    /// Somebody stopped it; what was under way has ended.
    Stopped,
    /// Its time was over; what was under way goes on without it.
    OutOfTime,
    /// The journal could not be written: this is why.
    Journal(String),
}

/// How a plan is applied.
#[derive(Debug, Default)]
pub struct Terms<'a> {
    /// Where everything is written down.
    pub journal: Option<&'a Journal>,
    /// When to give up waiting.
    pub until: Option<Instant>,
}

/// How many changes ended in which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// In place.
    pub applied: usize,
    /// AWS refused.
    pub failed: usize,
    /// Sent, and it is not known how they ended.
    pub unknown: usize,
    /// Not attempted.
    pub skipped: usize,
}

impl ApplyReport {
    /// Counts the outcomes.
    pub fn counts(&self) -> Counts {
        let of = |test: fn(&Outcome) -> bool| self.outcomes.iter().filter(|outcome| test(outcome)).count();
        Counts {
            applied: of(Outcome::succeeded),
            failed: of(|outcome| matches!(outcome, Outcome::Failed(_))),
            unknown: of(|outcome| matches!(outcome, Outcome::Unknown(_))),
            skipped: of(|outcome| matches!(outcome, Outcome::Skipped(_))),
        }
    }

    /// Returns whether AWS may still work on something whose end nobody has seen.
    pub fn leaves_in_flight(&self) -> bool {
        let in_flight = |outcome: &Outcome| matches!(outcome, Outcome::Unknown(failure) if failure.leaves_in_flight());
        self.outcomes.iter().any(in_flight)
    }
}

impl Failure {
    fn leaves_in_flight(&self) -> bool {
        match self {
            Self::Lost(_) => true,
            Self::OutOfTime(requests) => !requests.is_empty(),
            Self::Several(failures) => failures.iter().any(Self::leaves_in_flight),
            Self::Call { .. } | Self::Requests(_) | Self::Journal(_) | Self::NoArn(_) => false,
        }
    }
}

impl CutShort {
    /// Returns why steps are not attempted any more.
    pub fn reason(&self) -> SkipReason {
        match self {
            Self::Stopped => SkipReason::Stopped,
            Self::OutOfTime => SkipReason::OutOfTime,
            Self::Journal(_) => SkipReason::Journal,
        }
    }
}

impl Display for SkipReason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Needs(index) => write!(f, "needs change {index}, which did not succeed"),
            Self::Stopped => f.write_str("stopped before"),
            Self::OutOfTime => f.write_str("no time was left"),
            Self::Journal => f.write_str("the journal could not be written"),
        }
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call { done, total, error } => write!(f, "{error} (after {done} of {total} calls)"),
            Self::Requests(reasons) => f.write_str(&reasons.join("; ")),
            Self::Lost(error) => write!(f, "accepted, but it is not known how it ended: {error}"),
            Self::Several(failures) => {
                let all: Vec<String> = failures.iter().map(ToString::to_string).collect();
                f.write_str(&all.join("; "))
            }
            Self::NoArn(name) => write!(f, "permission set {name} has no ARN"),
            Self::Journal(trouble) => write!(f, "not sent, for the journal cannot be written: {trouble}"),
            Self::OutOfTime(requests) if requests.is_empty() => f.write_str("no time was left"),
            Self::OutOfTime(requests) => write!(f, "no time was left, still in flight: {}", requests.join(", ")),
        }
    }
}

impl Outcome {
    fn entry(&self, change: usize) -> Entry {
        let (word, reason) = match self {
            Self::Applied => ("applied", None),
            Self::AlreadyInPlace => ("already_in_place", None),
            Self::Skipped(reason) => ("skipped", Some(reason.to_string())),
            Self::Failed(failure) => ("failed", Some(failure.to_string())),
            Self::Unknown(failure) => ("unknown", Some(failure.to_string())),
        };
        Entry::Outcome { change, outcome: word.to_owned(), reason }
    }

    /// Returns whether the world is now as the step wanted it.
    pub fn succeeded(&self) -> bool {
        matches!(self, Self::Applied | Self::AlreadyInPlace)
    }
}

/// Applies a plan.
///
/// Once `stop` turns true, nothing new is started; what is under way is followed to its end. After `until` nothing is
/// waited for either.
pub async fn apply(
    aws: &Aws,
    plan: &Plan,
    terms: &Terms<'_>,
    mut stop: watch::Receiver<bool>,
    mut on_event: impl FnMut(Event<'_>),
) -> ApplyReport {
    let at = aws.at(&plan.instance);
    let run = Run {
        at,
        arns: Mutex::new(plan.arns.clone()),
        outstanding: Semaphore::new(OUTSTANDING),
        waiter: at.waiter(),
        requests: Requests::new(terms.journal),
    };
    let mut stage = Stage { board: Board::new(&plan.steps), journal: terms.journal, on_event: &mut on_event };
    let mut running = FuturesUnordered::new();
    let mut under_way = BTreeSet::new();
    let mut out_of_time = std::pin::pin!(out_of_time(terms.until));
    let mut watch = std::pin::pin!(run.waiter.watch());
    let (mut listening, mut late) = (true, false);
    let cut_short = loop {
        let stopped = *stop.borrow();
        late |= terms.until.is_some_and(|until| Instant::now() >= until);
        if late {
            running.clear();
            for index in std::mem::take(&mut under_way) {
                stage.end(index, run.requests.given_up(index));
            }
        }
        let halted = run.requests.halted().map(CutShort::Journal);
        let cut_short = halted.or(late.then_some(CutShort::OutOfTime)).or(stopped.then_some(CutShort::Stopped));
        let reason = cut_short.as_ref().map(CutShort::reason);
        while let Some((index, verdict)) = stage.board.next(reason, running.len() < CONCURRENCY) {
            match verdict {
                Verdict::Start(change) => {
                    (stage.on_event)(Event::Started(index));
                    under_way.insert(index);
                    let run = &run;
                    running.push(Box::pin(async move { (index, run.perform(index, change).await) }));
                }
                Verdict::Skip(reason) => stage.end(index, Outcome::Skipped(reason)),
            }
        }
        tokio::select! {
            next = running.next() => match next {
                Some((index, outcome)) => {
                    under_way.remove(&index);
                    stage.end(index, outcome);
                }
                None => break cut_short,
            },
            // An error means that nobody is left who could stop us; the loop then only waits for its own steps.
            changed = stop.changed(), if listening && !stopped => listening = changed.is_ok(),
            () = &mut out_of_time, if !late => late = true,
            () = &mut watch => {}
        }
    };
    ApplyReport { outcomes: stage.board.into_outcomes(), cut_short }
}

/// Where steps end: on the board, in the journal, and before whoever looks on.
struct Stage<'p> {
    board: Board<'p>,
    journal: Option<&'p Journal>,
    on_event: &'p mut dyn FnMut(Event<'_>),
}

impl Stage<'_> {
    fn end(&mut self, index: usize, outcome: Outcome) {
        (self.on_event)(Event::Finished(index, &outcome));
        if let Some(journal) = self.journal {
            journal.write(outcome.entry(index));
        }
        self.board.end(index, outcome);
    }
}

async fn out_of_time(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => std::future::pending().await,
    }
}

/// What all steps share.
struct Run<'a> {
    at: At<'a>,
    /// The only thing that applying learns: the ARNs of the permission sets that it creates.
    arns: Mutex<BTreeMap<PermissionSetName, PermissionSetArn>>,
    outstanding: Semaphore,
    waiter: Waiter<'a>,
    requests: Requests<'a>,
}

impl Run<'_> {
    fn arn(&self, name: &PermissionSetName) -> Result<PermissionSetArn, Failure> {
        let arns = self.arns.lock().unwrap_or_else(PoisonError::into_inner);
        arns.get(name).cloned().ok_or_else(|| Failure::NoArn(name.clone()))
    }

    fn learn(&self, name: &PermissionSetName, arn: PermissionSetArn) {
        self.arns.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), arn);
    }
}
