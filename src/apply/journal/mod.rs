//! The journal of an apply: what is about to be asked of AWS, and what came of it, each safely on disk before the next step.
//!
//! Lines of JSON, only ever appended. It says which requests are in flight when a run is cut short, and it stays as the
//! record of who changed what, when, and how it ended. `write` appends, `interrupted` finds those whose runs were cut short.

mod interrupted;
mod write;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use interrupted::{Found, InFlight, Interrupted, Purpose, interrupted};
pub use write::Journal;

use crate::aws::RequestKind;

/// The version of the journal; another one is not taken up.
pub const JOURNAL_VERSION: u64 = 1;

/// A line of a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// When, in RFC 3339.
    pub time: String,
    /// What.
    #[serde(flatten)]
    pub entry: Entry,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Entry {
    /// A run begins.
    Begin(Box<Begin>),
    /// A request is about to be sent.
    Request {
        /// Its number in this journal, from 1.
        number: u64,
        /// The position of its change, from 0.
        change: usize,
        /// The operation.
        operation: String,
        /// What it is about.
        subject: String,
    },
    /// A request was answered.
    Answer {
        /// Its number.
        number: u64,
        /// Whether there was an answer at all; if not, AWS may have done it or not.
        answered: bool,
        /// AWS's request id, if there was one.
        request_id: Option<String>,
        /// What is now being worked on, if the request is asynchronous.
        follow: Option<Followed>,
        /// Why it was refused, or why there is no answer.
        error: Option<String>,
    },
    /// What a request began has ended.
    Settled {
        /// Its number.
        number: u64,
        /// How.
        end: End,
        /// AWS's reason, or why it is not known.
        reason: Option<String>,
    },
    /// A change ended.
    Outcome {
        /// Its position, from 0.
        change: usize,
        /// How: `applied`, `already_in_place`, `skipped`, `failed` or `unknown`.
        outcome: String,
        /// What went wrong, or why it was skipped.
        reason: Option<String>,
    },
    /// The run ended before its time, and something may still be in flight.
    CutShort {
        /// Why.
        reason: String,
    },
    /// A later run took this journal up; what follows is what it found out.
    TakenUp {
        /// Who.
        caller: String,
    },
    /// A later run has found out what became of everything that was in flight; these are numbers of requests.
    Closed {
        /// How many AWS has done.
        succeeded: usize,
        /// How many AWS gave up.
        failed: usize,
        /// Of how many it cannot be known.
        unknown: usize,
    },
    /// The run is over, and nothing of it is in flight.
    End {
        /// How many changes are in place.
        applied: usize,
        /// How many AWS refused.
        failed: usize,
        /// Of how many it is not known how they ended.
        unknown: usize,
        /// How many were not attempted.
        skipped: usize,
        /// How many changes were left when all was observed again; `null` if that was not done.
        remaining: Option<usize>,
    },
}

/// How something asynchronous ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Done.
    Succeeded,
    /// AWS gave up.
    Failed,
    /// It cannot be known.
    Unknown,
}

/// Something that AWS works on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Followed {
    /// What it does.
    pub kind: RequestKind,
    /// By which AWS knows it.
    pub id: String,
}

/// Who does what, where, from which file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Begin {
    /// The version of the journal.
    pub format_version: u64,
    /// The version of permset.
    pub permset: String,
    /// The ARN of the caller.
    pub caller: String,
    /// The ARN of the instance.
    pub instance: String,
    /// Its Region.
    pub region: String,
    /// What was asked instead of AWS, if it was something else.
    pub endpoint: Option<String>,
    /// The access file.
    pub file: String,
    /// Its digest, policy files included.
    pub file_digest: String,
    /// The digest of the plan.
    pub plan_digest: String,
    /// The consents that were given.
    pub consents: Vec<String>,
    /// The changes, in order.
    pub changes: Vec<JournalChange>,
}

/// A change, in words and in full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JournalChange {
    /// In words.
    pub what: String,
    /// As in `plan --format json`.
    pub change: Value,
}

/// The present moment as journals and saved plans have it.
pub fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Returns whether a text begins as a journal does, of whatever version.
pub fn is_one(text: &str) -> bool {
    let first = text.lines().next().and_then(|line| serde_json::from_str::<Value>(line).ok());
    first.is_some_and(|line| line.get("event") == Some(&Value::from("begin")))
}

/// Reads the lines of a journal; the last one may be torn, and is then left out.
///
/// # Errors
/// If the text is not a journal of this version.
pub fn read(text: &str) -> Result<(Begin, Vec<Line>), String> {
    let mut lines = Vec::new();
    let mut texts = text.lines().peekable();
    while let Some(line) = texts.next() {
        match serde_json::from_str::<Line>(line) {
            Ok(line) => lines.push(line),
            Err(_) if texts.peek().is_none() && !lines.is_empty() => break,
            Err(_) if lines.is_empty() => return Err("it is not a journal".to_owned()),
            Err(error) => return Err(format!("line {} cannot be read: {error}", lines.len() + 1)),
        }
    }
    match lines.first().map(|line| &line.entry) {
        Some(Entry::Begin(begin)) if begin.format_version == JOURNAL_VERSION => Ok(((**begin).clone(), lines)),
        Some(Entry::Begin(begin)) => Err(format!("it is of version {} of the format", begin.format_version)),
        _ => Err("it is not a journal".to_owned()),
    }
}
