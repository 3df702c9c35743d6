//! What applying did, step by step and in the end.

use std::fmt::{self, Write};

use crate::apply::{ApplyReport, Counts, Failure, Outcome, SkipReason};
use crate::model::Shown;
use crate::plan::{Change, Plan};
use crate::report::{count, hints, style, words};

/// Says what begins.
pub fn started(change: &Change) -> String {
    words::one_line(change)
}

/// Writes one outcome: a line, and below it what went wrong and what to do.
///
/// # Errors
/// Only if `out` fails.
pub fn write_outcome(out: &mut impl Write, plan: &Plan, index: usize, outcome: &Outcome) -> fmt::Result {
    let Some(change) = plan.steps.get(index).map(|step| &step.change) else { return Ok(()) };
    let line = words::one_line(change);
    match outcome {
        Outcome::Applied => writeln!(out, "  {} {line}", style::added("done   ")),
        Outcome::AlreadyInPlace => writeln!(out, "  {} {line} (was so already)", style::added("done   ")),
        Outcome::Skipped(reason) => {
            writeln!(out, "  {} {line}: {}", style::changed("skipped"), skip_reason(plan, *reason))
        }
        Outcome::Failed(failure) => {
            writeln!(out, "  {} {line}", style::error("failed "))?;
            write_failure(out, failure)
        }
        Outcome::Unknown(failure) => {
            writeln!(out, "  {} {line}: it was sent, how it ended is not known", style::error("unknown"))?;
            write_failure(out, failure)
        }
    }
}

fn skip_reason(plan: &Plan, reason: SkipReason) -> String {
    match reason {
        SkipReason::Needs(index) => match plan.steps.get(index) {
            Some(step) => format!("needs what did not succeed: {}", words::one_line(&step.change)),
            None => "needs what did not succeed".to_owned(),
        },
        SkipReason::Stopped | SkipReason::OutOfTime | SkipReason::Journal => reason.to_string(),
    }
}

fn write_failure(out: &mut impl Write, failure: &Failure) -> fmt::Result {
    match failure {
        Failure::Call { done, total, error } => {
            writeln!(out, "          {error}")?;
            if *total > 1 {
                writeln!(
                    out,
                    "          {done} of {total} edits had been made; accounts see none before it is provisioned"
                )?;
            }
            write_hint(out, hints::of_error(error).as_deref())
        }
        Failure::Requests(reasons) => {
            for reason in reasons {
                writeln!(out, "          AWS says: {}", Shown(reason))?;
            }
            write_hint(out, reasons.iter().find_map(|reason| hints::of_reason(reason)))
        }
        Failure::Lost(error) => {
            writeln!(out, "          AWS accepted it, but does not say how it ended: {error}")?;
            write_hint(out, Some("run again: permset looks first, so nothing is done twice"))
        }
        Failure::Journal(trouble) => {
            writeln!(out, "          not sent, for the journal cannot be written: {}", Shown(trouble))
        }
        Failure::OutOfTime(requests) => {
            let listed = if requests.is_empty() { "nothing that was answered".to_owned() } else { requests.join(", ") };
            writeln!(out, "          no time was left, still in flight: {}", Shown(&listed))
        }
        Failure::Several(failures) => failures.iter().try_for_each(|failure| write_failure(out, failure)),
        Failure::NoArn(name) => {
            writeln!(out, "          permission set {name} has no ARN: please report this as a bug")
        }
    }
}

fn write_hint(out: &mut impl Write, hint: Option<&str>) -> fmt::Result {
    match hint {
        Some(hint) => writeln!(out, "          {}: {hint}", style::hint("hint")),
        None => Ok(()),
    }
}

/// Writes the last lines: what was done, and what to do next.
///
/// # Errors
/// Only if `out` fails.
pub fn write_summary(out: &mut impl Write, report: &ApplyReport, remaining: Option<usize>, next: &str) -> fmt::Result {
    let Counts { applied, failed, unknown, skipped } = report.counts();
    let parts = [(applied, "applied"), (failed, "failed"), (unknown, "unknown"), (skipped, "skipped")];
    let parts: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    writeln!(out, "\nsummary: {}", parts.join(", "))?;
    match remaining {
        Some(0) => writeln!(out, "{} observed again: nothing is left to do", style::success("converged:")),
        Some(left) => {
            writeln!(out, "{} observed again: {} left", style::error("incomplete:"), count(left, "change"))?;
            writeln!(out, "{}: {next}", style::hint("hint"))
        }
        None => Ok(()),
    }
}
