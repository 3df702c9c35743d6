//! The two streams: results go to stdout, everything else to stderr.

use std::cell::{Cell, RefCell};
use std::io::{self, Write};

use anstream::{AutoStream, ColorChoice};

use crate::cli::args::{Color, Global};
use crate::cli::error::Failure;
use crate::cli::exit::Exit;
use crate::model::{Finding, Severity, Shown, Sources};
use crate::report::{findings, style};

/// How wide code frames are; nothing else is folded.
const FRAME_WIDTH: usize = 120;

/// Where everything that people or programs read goes out.
#[derive(Debug)]
pub(super) struct Output {
    color: ColorChoice,
    quiet: bool,
    /// The first trouble with stdout, told at the end: an apply must not stop half-way because a pipe did.
    trouble: RefCell<Option<io::Error>>,
    changing: Cell<bool>,
}

impl Output {
    pub(super) fn new(global: &Global) -> Self {
        let color = match global.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        // clap and annotate-snippets style by the same choice.
        color.write_global();
        Self { color, quiet: global.quiet, trouble: RefCell::new(None), changing: Cell::new(false) }
    }

    /// Returns whether only results and errors are wanted.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Prints a result.
    pub(super) fn result(&self, text: &str) {
        let mut stdout = AutoStream::new(io::stdout().lock(), self.color);
        if let Err(error) = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            self.trouble.borrow_mut().get_or_insert(error);
        }
    }

    /// Prints something beside the result, whatever becomes of it: with stderr gone there is nobody to tell.
    pub(super) fn talk(&self, text: &str) {
        let mut stderr = AutoStream::new(io::stderr().lock(), self.color);
        let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
    }

    /// Prints a line that a quiet run leaves out.
    pub(super) fn notice(&self, text: &str) {
        if !self.quiet {
            self.talk(&format!("{text}\n"));
        }
    }

    /// Prints findings in code frames; a quiet run leaves out warnings.
    pub(super) fn findings(&self, found: &[Finding], sources: &Sources) {
        let shown: Vec<Finding> =
            found.iter().filter(|finding| !self.quiet || finding.severity == Severity::Error).cloned().collect();
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = findings::write(&mut text, &shown, sources, FRAME_WIDTH);
        self.talk(&text);
    }

    /// Prints why a command ended early.
    pub(super) fn failure(&self, failure: &Failure) {
        let word = if failure.exit == Exit::Refused { "refused" } else { "error" };
        let mut text = format!("{}: {}\n", style::error(word), Shown(&failure.message));
        for hint in &failure.hints {
            text.push_str(&format!("{}: {}\n", style::hint("hint"), Shown(hint)));
        }
        self.talk(&text);
    }

    /// Fails if a result could not be shown. Before anything is changed, that is a reason not to.
    pub(super) fn check(&self) -> Result<(), Failure> {
        match self.trouble.take() {
            Some(error) => Err(Failure::new(format!("the plan could not be shown, nothing was changed: {error}"))),
            None => Ok(()),
        }
    }

    /// Turns trouble with stdout into a failure at last. A reader that stopped reading is no trouble.
    pub(super) fn finish(&self, exit: Exit) -> Exit {
        match self.trouble.take() {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                self.failure(&Failure::new(format!("cannot write the result: {error}")));
                match exit {
                    Exit::Ok if self.changing.get() => Exit::Incomplete,
                    Exit::Ok | Exit::Differences => Exit::Failure,
                    other => other,
                }
            }
            _ => exit,
        }
    }

    /// From now on AWS is being changed, so trouble with stdout is no longer "nothing was changed".
    pub(super) fn changes_begin(&self) {
        self.changing.set(true);
    }
}
