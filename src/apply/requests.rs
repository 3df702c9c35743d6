//! The requests of a run: written down before they are sent and after they are answered, and known while they are in flight.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::apply::journal::{End, Entry, Followed, Journal};
use crate::apply::{ErrorKind, Failure, Outcome, SkipReason};
use crate::aws::{AwsError, Receipt, Request, Settled, Waiter};

/// All requests of a run.
pub(super) struct Requests<'a> {
    journal: Option<&'a Journal>,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    last: u64,
    /// By number: whose change, and in words.
    requests: BTreeMap<u64, (usize, String)>,
    /// The changes of which something was sent.
    begun: BTreeSet<usize>,
}

/// What an answer has in it for the journal.
pub(super) trait Answered {
    fn receipt(&self) -> &Receipt;
    fn follow(&self) -> Option<Followed> {
        None
    }
}

impl Answered for Receipt {
    fn receipt(&self) -> &Receipt {
        self
    }
}

impl<T> Answered for (T, Receipt) {
    fn receipt(&self) -> &Receipt {
        &self.1
    }
}

impl Answered for Request {
    fn receipt(&self) -> &Receipt {
        &self.receipt
    }
    fn follow(&self) -> Option<Followed> {
        Some(Followed { kind: self.kind, id: self.id.clone() })
    }
}

/// A request of one change that was sent.
pub(super) struct Sent<'r, 'a> {
    requests: &'r Requests<'a>,
    number: u64,
}

impl<'a> Requests<'a> {
    pub(super) fn new(journal: Option<&'a Journal>) -> Self {
        Self { journal, open: Mutex::default() }
    }

    /// Returns why nothing more may be sent, if that is so.
    pub(super) fn halted(&self) -> Option<String> {
        self.journal.and_then(Journal::trouble)
    }

    /// Returns what is to be said of a change that is not waited for any longer.
    pub(super) fn given_up(&self, change: usize) -> Outcome {
        let open = self.open();
        if !open.begun.contains(&change) {
            return Outcome::Skipped(SkipReason::OutOfTime);
        }
        let in_flight = open.requests.values().filter(|(of, _)| *of == change);
        Outcome::Unknown(Failure::OutOfTime(in_flight.map(|(_, words)| words.clone()).collect()))
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, entry: Entry) {
        if let Some(journal) = self.journal {
            journal.write(entry);
        }
    }

    /// Sends a request, unless it cannot be written down before.
    pub(super) async fn send<T: Answered>(
        &self,
        change: usize,
        operation: &'static str,
        subject: String,
        send: impl Future<Output = Result<T, AwsError>>,
    ) -> Result<(Result<T, AwsError>, Sent<'_, 'a>), Failure> {
        let number = {
            let mut open = self.open();
            open.last += 1;
            open.last
        };
        let words = format!("{operation} for {subject}");
        self.note(Entry::Request { number, change, operation: operation.to_owned(), subject });
        if let Some(trouble) = self.halted() {
            return Err(Failure::Journal(trouble));
        }
        {
            let mut open = self.open();
            open.requests.insert(number, (change, words));
            open.begun.insert(change);
        }
        let answer = send.await;
        let (request_id, follow, error) = match &answer {
            Ok(answer) => (answer.receipt().request_id.clone(), answer.follow(), None),
            Err(error) => (error.request_id.as_deref().map(str::to_owned), None, Some(error.to_string())),
        };
        match &follow {
            Some(followed) => {
                let words = format!("{operation}, request {}", followed.id);
                self.open().requests.insert(number, (change, words));
            }
            None => drop(self.open().requests.remove(&number)),
        }
        let answered = answer.as_ref().err().is_none_or(|error| !is_unanswered(error));
        self.note(Entry::Answer { number, answered, request_id, follow, error });
        Ok((answer, Sent { requests: self, number }))
    }
}

/// What is sent and not answered, or not so that it can be understood, may have been done.
pub(super) fn is_unanswered(error: &AwsError) -> bool {
    matches!(error.kind, ErrorKind::NotReached | ErrorKind::Unreadable)
}

impl Sent<'_, '_> {
    /// Waits for the end of what the request began.
    pub(super) async fn settle(self, waiter: &Waiter<'_>, request: &Request) -> Result<Settled, AwsError> {
        let end = waiter.settle(request).await;
        let (how, reason) = match &end {
            Ok(Settled::Succeeded) => (End::Succeeded, None),
            Ok(Settled::Failed(reason)) => (End::Failed, Some(reason.clone())),
            Err(error) => (End::Unknown, Some(error.to_string())),
        };
        self.requests.open().requests.remove(&self.number);
        self.requests.note(Entry::Settled { number: self.number, end: how, reason });
        end
    }
}
