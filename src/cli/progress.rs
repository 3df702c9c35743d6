//! How far long work is: a line that moves on a terminal, a plain line now and then elsewhere.

use std::cell::{Cell, RefCell};
use std::io::{self, IsTerminal as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

use crate::aws::Aws;
use crate::cli::output::Output;
use crate::model::Progress as Step;

/// How often a plain line is written where nothing can move.
const INTERVAL: Duration = Duration::from_secs(10);

/// Says how long something is, no more exactly than it is known.
fn in_words(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..100 => format!("{seconds} s"),
        seconds @ 100..6_000 => format!("{} min", (seconds + 30) / 60),
        seconds => format!("{} h", (seconds + 1_800) / 3_600),
    }
}

/// Says how many calls were made, and whether AWS slows them down.
fn pace(aws: &Aws) -> String {
    let slowed = if aws.is_slowed() { ", slowed down by AWS" } else { "" };
    format!("{} calls{slowed}", aws.calls())
}

/// Shows how far something is.
pub(super) struct Progress<'a> {
    bar: Option<ProgressBar>,
    output: &'a Output,
    aws: &'a Aws,
    /// How many calls had been made before.
    before: u64,
    begun: Instant,
    last: Cell<Instant>,
    running: RefCell<Vec<String>>,
}

impl<'a> Progress<'a> {
    /// Starts to show progress, unless the run is quiet or its log would tear the moving line apart.
    pub(super) fn start(output: &'a Output, aws: &'a Aws, verbose: bool) -> Self {
        let moving = io::stderr().is_terminal() && !output.is_quiet() && !verbose;
        let bar = moving.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {pos}/{len} {elapsed} {wide_msg}") {
                bar.set_style(style);
            }
            // A line that is wider than the terminal is cut, not wrapped: the terminal cannot take wrapped ones back.
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        let begun = Instant::now();
        Self { bar, output, aws, before: aws.calls(), begun, last: Cell::new(begun), running: RefCell::default() }
    }

    /// Says how far a reading is.
    pub(super) fn reading(&self, step: &Step) {
        self.show(&format!("reading {}", step.what), step);
    }

    fn show(&self, what: &str, step: &Step) {
        let left = step.left(self.calls(), self.begun.elapsed());
        let left = left.map(|left| format!(", about {} left", in_words(left))).unwrap_or_default();
        let pace = pace(self.aws);
        match &self.bar {
            Some(bar) => {
                bar.set_length(u64::try_from(step.total).unwrap_or(u64::MAX));
                bar.set_position(u64::try_from(step.done).unwrap_or(u64::MAX));
                bar.set_message(format!("{pace}{left}, {what}"));
            }
            None if self.last.get().elapsed() >= INTERVAL => {
                self.last.set(Instant::now());
                self.output.notice(&format!("{what}: {} of {}, {pace}{left}", step.done, step.total));
            }
            None => {}
        }
    }

    /// Says that something began; the newest of what runs is shown.
    pub(super) fn began(&self, what: String, done: usize, total: usize) {
        self.running.borrow_mut().push(what);
        self.show_running(done, total);
    }

    /// Says that something ended.
    pub(super) fn ended(&self, what: &str, done: usize, total: usize) {
        self.running.borrow_mut().retain(|running| running != what);
        self.show_running(done, total);
    }

    fn show_running(&self, done: usize, total: usize) {
        let running = self.running.borrow();
        let what = running.last().map(|what| format!("applying: {what}"));
        // What is under way is half done, on average, and what is not begun will take as many calls as the others.
        let halves = (done * 2 + running.len()).clamp(1, total.max(1) * 2);
        let calls = usize::try_from(self.calls()).unwrap_or(usize::MAX);
        let calls_left = calls.saturating_mul(total * 2 - halves.min(total * 2)) / halves;
        self.show(what.as_deref().unwrap_or("applied"), &Step { what: "changes", done, total, calls_left });
    }

    fn calls(&self) -> u64 {
        self.aws.calls() - self.before
    }

    /// Does something that writes, with the moving line out of the way.
    pub(super) fn aside(&self, write: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
