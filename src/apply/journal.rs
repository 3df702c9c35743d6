//! The journal of an apply: what is about to be asked of AWS, and what came of it, each safely on disk before the next step.
//!
//! Lines of JSON, only ever appended. It says which requests are in flight when a run is cut short, and it stays as the
//! record of who changed what, when, and how it ended. A journal is locked while its run lives.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

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

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    /// Why nothing more can be written.
    trouble: Mutex<Option<String>>,
}

impl Journal {
    /// Starts a journal in a folder, which is made if it is not there.
    ///
    /// # Errors
    /// If the folder or the file cannot be made, or its first line cannot be written.
    pub fn create(folder: &Path, begin: Begin) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let stamp = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        for attempt in 0_u32..1000 {
            let more = if attempt == 0 { String::new() } else { format!("-{attempt}") };
            let path = folder.join(format!("journal-{stamp}-{}{more}.jsonl", std::process::id()));
            match private().create_new(true).open(&path) {
                Ok(file) => {
                    // Somebody who looks for journals may hold it for a moment.
                    file.lock()?;
                    // Its name has to outlive a power cut as well as its lines.
                    #[cfg(unix)]
                    File::open(folder)?.sync_all()?;
                    let journal = Self { file, path, trouble: Mutex::default() };
                    journal.write(Entry::Begin(Box::new(begin)));
                    return match journal.trouble() {
                        None => Ok(journal),
                        Some(trouble) => Err(io::Error::other(trouble)),
                    };
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::from(io::ErrorKind::AlreadyExists))
    }

    /// Writes to a file that is open already.
    pub fn on(file: File, path: impl Into<PathBuf>) -> Self {
        Self { file, path: path.into(), trouble: Mutex::default() }
    }

    /// Returns where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns why nothing more could be written, if that is so.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Appends a line and waits until it is on disk. After the first failure nothing more is written: a line after a
    /// torn one could not be read.
    pub fn write(&self, entry: Entry) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble.is_none() {
            *trouble = self.append(entry).err().map(|error| error.to_string());
        }
    }

    fn append(&self, entry: Entry) -> io::Result<()> {
        let mut text = serde_json::to_string(&Line { time: now(), entry })?;
        text.push('\n');
        (&self.file).write_all(text.as_bytes())?;
        self.file.sync_data()
    }
}

/// Whoever may read it learns who has what: it is for its owner only.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
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

/// A journal whose run was cut short.
#[derive(Debug)]
pub struct Interrupted {
    /// Where it is, still open for what is found out.
    pub journal: Journal,
    /// When it began.
    pub time: String,
    /// How it began.
    pub begin: Begin,
    /// What may still be going on.
    pub in_flight: Vec<InFlight>,
    /// How many bytes of it are whole lines.
    whole: u64,
}

impl Interrupted {
    /// Goes on with the journal: a line that was torn is taken out, so that the next one can be read.
    pub(super) fn take_up(&self, caller: &str) {
        let mut trouble = self.journal.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        *trouble = self.journal.file.set_len(self.whole).err().map(|error| error.to_string());
        drop(trouble);
        self.journal.write(Entry::TakenUp { caller: caller.to_owned() });
    }
}

/// A request of which the journal does not say how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InFlight {
    /// Its number in the journal.
    pub number: u64,
    /// The operation.
    pub operation: String,
    /// The position of its change.
    pub change: usize,
    /// What it is about.
    pub subject: String,
    /// By what AWS knows it; `None` if no answer was written down.
    pub follow: Option<Followed>,
    /// When AWS accepted it, in RFC 3339.
    pub since: String,
}

/// The journals of a folder, as far as somebody should know of them.
#[derive(Debug, Default)]
pub struct Found {
    /// Those whose runs ended without a word.
    pub interrupted: Vec<Interrupted>,
    /// Those that cannot be read, and why.
    pub unreadable: Vec<(PathBuf, String)>,
}

/// What somebody who looks for journals is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Look.
    Mention,
    /// Go on with them.
    TakeUp,
}

/// Finds the journals in a folder whose runs ended without a word. One that is locked belongs to a run that lives.
///
/// # Errors
/// If the folder cannot be read. That there is none is no error.
pub fn interrupted(folder: &Path, purpose: Purpose) -> io::Result<Found> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::default()),
        entries => entries?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with("journal-") && name.ends_with(".jsonl") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut found = Found::default();
    for path in paths {
        match look(&path, purpose) {
            Ok(interrupted) => found.interrupted.extend(interrupted),
            Err(why) => found.unreadable.push((path, why)),
        }
    }
    Ok(found)
}

/// Looks at one journal; `None` if its run has ended, or lives.
fn look(path: &Path, purpose: Purpose) -> Result<Option<Interrupted>, String> {
    let words = |error: io::Error| error.to_string();
    let file = match purpose {
        Purpose::Mention => File::open(path),
        Purpose::TakeUp => private().open(path),
    };
    let file = file.map_err(words)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(words(error)),
    }
    // Read when it is ours: its run may just have come to its end.
    let bytes = fs::read(path).map_err(words)?;
    let text = String::from_utf8_lossy(&bytes);
    // What does not begin as a journal is none: another program's, or one whose first line was torn before anything was asked.
    if !is_one(&text) {
        return Ok(None);
    }
    let (begin, lines) = read(&text)?;
    if lines.iter().any(|line| matches!(line.entry, Entry::End { .. } | Entry::Closed { .. })) {
        return Ok(None);
    }
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let whole = u64::try_from(whole).unwrap_or(u64::MAX);
    let time = lines.first().map(|line| line.time.clone()).unwrap_or_default();
    Ok(Some(Interrupted { journal: Journal::on(file, path), time, begin, in_flight: in_flight(&lines), whole }))
}

fn in_flight(lines: &[Line]) -> Vec<InFlight> {
    let mut open: Vec<InFlight> = Vec::new();
    for Line { time, entry } in lines {
        match entry {
            Entry::Request { number, operation, subject, change } => open.push(InFlight {
                number: *number,
                operation: operation.clone(),
                change: *change,
                subject: subject.clone(),
                follow: None,
                since: time.clone(),
            }),
            Entry::Answer { number, follow: Some(follow), .. } => {
                for request in open.iter_mut().filter(|request| request.number == *number) {
                    request.follow = Some(follow.clone());
                    request.since.clone_from(time);
                }
            }
            // What was not answered stays open until something is said of its change.
            Entry::Answer { answered: false, .. } => {}
            Entry::Answer { number, .. } | Entry::Settled { number, .. } => {
                open.retain(|request| request.number != *number);
            }
            Entry::Outcome { change, .. } => {
                open.retain(|request| request.change != *change || request.follow.is_some());
            }
            Entry::Begin(_) | Entry::TakenUp { .. } | Entry::Closed { .. } | Entry::End { .. } => {}
        }
    }
    open
}
