//! Carries out a plan: walks its steps, decides nothing about them, and says truthfully what became of each.
//!
//! Steps run side by side where the plan does not order them. A failure stops only what needs the failed step.
//! Nothing here knows the access file, and nothing is printed: progress goes out as events.

mod board;
mod perform;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Semaphore, watch};

// What a call says is part of what an outcome says.
pub use crate::aws::{AwsError, ErrorKind};

use crate::aws::{At, Aws};
use crate::model::{PermissionSetArn, PermissionSetName};
use crate::plan::Plan;
use board::{Board, Verdict};

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
    /// Whether somebody stopped it.
    pub stopped: bool,
}

impl Outcome {
    /// Returns whether the world is now as the step wanted it.
    pub fn succeeded(&self) -> bool {
        matches!(self, Self::Applied | Self::AlreadyInPlace)
    }
}

/// Applies a plan.
///
/// Once `stop` turns true, nothing new is started; what is under way is followed to its end.
pub async fn apply(
    aws: &Aws,
    plan: &Plan,
    mut stop: watch::Receiver<bool>,
    mut on_event: impl FnMut(Event<'_>),
) -> ApplyReport {
    let run = Run {
        at: aws.at(&plan.instance),
        arns: Mutex::new(plan.arns.clone()),
        outstanding: Semaphore::new(OUTSTANDING),
    };
    let mut board = Board::new(&plan.steps);
    let mut running = FuturesUnordered::new();
    let mut listening = true;
    loop {
        let stopped = *stop.borrow();
        while let Some((index, verdict)) = board.next(stopped, running.len() < CONCURRENCY) {
            match verdict {
                Verdict::Start(change) => {
                    on_event(Event::Started(index));
                    let run = &run;
                    running.push(async move { (index, run.perform(change).await) });
                }
                Verdict::Skip(reason) => {
                    let outcome = Outcome::Skipped(reason);
                    on_event(Event::Finished(index, &outcome));
                    board.end(index, outcome);
                }
            }
        }
        tokio::select! {
            ended = running.next() => match ended {
                Some((index, outcome)) => {
                    on_event(Event::Finished(index, &outcome));
                    board.end(index, outcome);
                }
                None => break,
            },
            // An error means that nobody is left who could stop us; the loop then only waits for its own steps.
            changed = stop.changed(), if listening && !stopped => listening = changed.is_ok(),
        }
    }
    let stopped = *stop.borrow();
    ApplyReport { outcomes: board.into_outcomes(), stopped }
}

/// What all steps share.
struct Run<'a> {
    at: At<'a>,
    /// The only thing that applying learns: the ARNs of the permission sets that it creates.
    arns: Mutex<BTreeMap<PermissionSetName, PermissionSetArn>>,
    outstanding: Semaphore,
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
