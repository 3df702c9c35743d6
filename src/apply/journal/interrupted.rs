//! Finding the journals of runs that were cut short, and what they left in flight.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::apply::journal::write::private;
use crate::apply::journal::{Begin, Entry, Followed, Journal, Line, is_one, read};

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
    pub(in crate::apply) fn take_up(&self, caller: &str) {
        self.journal.cut(self.whole);
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
            Entry::Begin(_)
            | Entry::CutShort { .. }
            | Entry::TakenUp { .. }
            | Entry::Closed { .. }
            | Entry::End { .. } => {}
        }
    }
    open
}
