//! What became of a run that was cut short: the requests that its journal leaves open are followed to their end.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;

use crate::apply::journal::{End, Entry, InFlight, Interrupted};
use crate::aws::{Aws, AwsError, ErrorKind, Request, Settled};
use crate::model::Instance;

/// A request that an earlier run left in flight, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The request.
    pub request: InFlight,
    /// What became of it.
    pub end: Ending,
}

/// What became of a request that was left in flight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It ended.
    Settled(Settled),
    /// AWS does not know it any more, or does not say.
    Unknown(Box<AwsError>),
    /// No answer to it was written down, so AWS may have got it or not; whoever looks at what is live sees it.
    NoAnswer,
}

/// Follows everything that a journal leaves open, and writes into it what came of that. The journal is closed when nothing
/// is open any more.
pub async fn recover(aws: &Aws, instance: &Instance, interrupted: &Interrupted, caller: &str) -> Vec<Recovered> {
    let Interrupted { journal, in_flight, .. } = interrupted;
    interrupted.take_up(caller);
    let waiter = aws.at(instance).waiter();
    let ends = join_all(in_flight.iter().map(async |open| {
        let end = match &open.follow {
            None => Ending::NoAnswer,
            Some(follow) => {
                let request = Request::known(follow.kind, &follow.id, &open.subject, age(&open.since));
                match waiter.settle(&request).await {
                    Ok(settled) => Ending::Settled(settled),
                    Err(error) => Ending::Unknown(Box::new(error)),
                }
            }
        };
        Recovered { request: open.clone(), end }
    }));
    let recovered = tokio::select! {
        ends = ends => ends,
        () = waiter.watch() => Vec::new(),
    };
    let mut open = BTreeSet::new();
    for Recovered { request, end } in &recovered {
        let (how, reason) = match end {
            Ending::Settled(Settled::Succeeded) => (End::Succeeded, None),
            Ending::Settled(Settled::Failed(reason)) => (End::Failed, Some(reason.clone())),
            Ending::Unknown(error) => (End::Unknown, Some(error.to_string())),
            Ending::NoAnswer => (End::Unknown, Some("no answer was written down".to_owned())),
        };
        // What could not be asked is asked again by the next run.
        if matches!(end, Ending::Unknown(error) if error.kind != ErrorKind::NotFound) {
            open.insert(request.number);
        } else {
            journal.write(Entry::Settled { number: request.number, end: how, reason });
        }
    }
    if open.is_empty() {
        let of = |test: fn(&Ending) -> bool| recovered.iter().filter(|one| test(&one.end)).count();
        journal.write(Entry::Closed {
            succeeded: of(|end| matches!(end, Ending::Settled(Settled::Succeeded))),
            failed: of(|end| matches!(end, Ending::Settled(Settled::Failed(_)))),
            unknown: of(|end| matches!(end, Ending::Unknown(_) | Ending::NoAnswer)),
        });
    }
    recovered
}

/// How long ago something was written down; no time at all if the clocks disagree.
fn age(since: &str) -> Duration {
    let age = since.parse::<Timestamp>().ok().map(|since| Timestamp::now().duration_since(since));
    age.and_then(|age| Duration::try_from(age).ok()).unwrap_or_default()
}
