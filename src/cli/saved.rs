//! Saved plans: kept, read, and held against what AWS holds by then.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use crate::cli::args::quoted;
use crate::cli::error::{Failure, bug};
use crate::cli::exit::Exit;
use crate::cli::files;
use crate::cli::output::Output;
use crate::cli::session::Session;
use crate::model::sealed::SealError;
use crate::model::{Caller, Reading, Shown};
use crate::plan::{Plan, SavedPlan};
use crate::report::{count, saved as report};

/// Saves a plan.
///
/// # Errors
/// If the file is there and is something else, or cannot be written.
pub(super) fn write(path: &Path, saved: &SavedPlan) -> Result<(), Failure> {
    let text = saved.to_text().map_err(|error| bug(&format!("a plan that cannot be saved: {error}")))?;
    files::save(path, &text, "saved plan", SavedPlan::is_one)
}

/// Reads a saved plan.
///
/// # Errors
/// If it cannot be read, or is not whole and of this version.
pub(super) fn read(path: &Path) -> Result<SavedPlan, Failure> {
    let text = files::read(path)?;
    SavedPlan::parse(&text).map_err(|error| unusable(path, error, "plan --out FILE"))
}

/// Says why a file cannot be used, and what makes another one.
pub(super) fn unusable(path: &Path, error: SealError, make: &str) -> Failure {
    let shown = Shown(&path.display().to_string()).to_string();
    let failure = Failure::new(format!("`{shown}` cannot be used: {error}")).exit(Exit::Refused);
    match error {
        SealError::NotOne(_) => failure.hint(format!("`permset {make}` saves one")),
        SealError::Version { .. } | SealError::Damaged => failure.hint(format!("make a new one: `permset {make}`")),
    }
}

/// Returns how old a plan is; `None` if its clock and ours disagree.
pub(super) fn age(saved: &SavedPlan) -> Option<Duration> {
    age_of(&saved.made)
}

/// Returns how long ago that was; `None` if it is to come.
pub(super) fn age_of(time: &str) -> Option<Duration> {
    let time: Timestamp = time.parse().ok()?;
    Duration::try_from(Timestamp::now().duration_since(time)).ok()
}

/// Reads again what a plan rests on, and fails if anything has moved. Returns the plan as the caller may apply it, and who that
/// is.
///
/// # Errors
/// If a read fails, the plan is of another file or instance, or a fact is no longer what it was; each is printed.
pub(super) async fn check(
    session: &Session<'_>,
    saved: SavedPlan,
    again: &str,
    output: &Output,
) -> Result<(Plan, Reading, Caller), Failure> {
    let refused = |message: String| {
        Failure::new(format!("{message}, nothing was changed"))
            .hint(format!("make a new plan: `{again}`"))
            .exit(Exit::Refused)
    };
    if session.file_digest != saved.file_digest {
        let (file, planned) = (session.file(), Shown(&saved.file).to_string());
        if file == planned {
            return Err(refused(format!("{file} has changed since the plan was made, or a line of it has expired")));
        }
        let failure = Failure::new(format!("the plan was made from {planned}, not from {file}, nothing was changed"));
        return Err(failure.hint(format!("name that file: `-f {}`", quoted(&planned))).exit(Exit::Refused));
    }
    let (now, caller) = session.facts_again(&saved, refused).await?;
    let moved = saved.facts.moved(&now);
    if moved.is_empty() && saved.plan.is_empty() {
        // That nothing is to be done rests on everything.
        let (observed, fresh) = session.plan().await?;
        if fresh.is_empty() {
            return Ok((fresh, observed.reading, caller));
        }
        let changes = count(fresh.steps.len(), "change");
        return Err(refused(format!(
            "nothing was to be done when the plan was made, now there is something: {changes}"
        )));
    }
    if moved.is_empty() {
        return Ok((saved.plan.for_caller(&caller, &saved.facts), saved.reading, caller));
    }
    for one in &moved {
        output.talk(&format!("moved: {}\n", report::moved(one, &now)));
    }
    let age = age(&saved).map(|age| format!(", {} ago", report::age(age))).unwrap_or_default();
    let facts = count(moved.len(), "fact");
    let have = if moved.len() == 1 { "has" } else { "have" };
    Err(refused(format!("{facts} that the plan rests on {have} moved since it was made{age}")))
}
