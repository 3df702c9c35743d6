//! How far long work is: a line that moves on a terminal, a plain line now and then elsewhere.

use std::cell::{Cell, RefCell};
use std::io::{self, IsTerminal as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

use crate::aws::Aws;
use crate::cli::output::Output;

/// How often a plain line is written where nothing can move.
const INTERVAL: Duration = Duration::from_secs(10);

/// Says how many calls were made, and whether AWS slows them down.
pub(super) fn pace(aws: &Aws) -> String {
    let slowed = if aws.is_slowed() { ", slowed down by AWS" } else { "" };
    format!("{} calls{slowed}", aws.calls())
}

/// Shows how far something is.
pub(super) struct Progress<'a> {
    bar: Option<ProgressBar>,
    output: &'a Output,
    last: Cell<Instant>,
    running: RefCell<Vec<String>>,
}

impl<'a> Progress<'a> {
    /// Starts to show progress, unless the run is quiet or its log would tear the moving line apart.
    pub(super) fn start(output: &'a Output, verbose: bool) -> Self {
        let moving = io::stderr().is_terminal() && !output.is_quiet() && !verbose;
        let bar = moving.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {pos}/{len} {elapsed} (eta {eta}) {wide_msg}") {
                bar.set_style(style);
            }
            // A line that is wider than the terminal is cut, not wrapped: the terminal cannot take wrapped ones back.
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self { bar, output, last: Cell::new(Instant::now()), running: RefCell::default() }
    }

    /// Says how far it is.
    pub(super) fn step(&self, what: &str, done: usize, total: usize, calls: &str) {
        match &self.bar {
            Some(bar) => {
                bar.set_length(u64::try_from(total).unwrap_or(u64::MAX));
                bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
                bar.set_message(format!("{calls}, {what}"));
            }
            None if self.last.get().elapsed() >= INTERVAL => {
                self.last.set(Instant::now());
                self.output.notice(&format!("{what}: {done} of {total}, {calls}"));
            }
            None => {}
        }
    }

    /// Says that something began; the newest of what runs is shown.
    pub(super) fn began(&self, what: String, done: usize, total: usize, calls: &str) {
        self.running.borrow_mut().push(what);
        self.show_running(done, total, calls);
    }

    /// Says that something ended.
    pub(super) fn ended(&self, what: &str, done: usize, total: usize, calls: &str) {
        self.running.borrow_mut().retain(|running| running != what);
        self.show_running(done, total, calls);
    }

    fn show_running(&self, done: usize, total: usize, calls: &str) {
        let what = self.running.borrow().last().map(|what| format!("applying: {what}"));
        self.step(what.as_deref().unwrap_or("applied"), done, total, calls);
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
