//! Journals around an apply: what earlier runs left open is taken up first, then this one gets its own.

use std::path::Path;

use crate::apply::ApplyReport;
use crate::apply::journal::{self, Begin, Entry, Interrupted, JOURNAL_VERSION, Journal, JournalChange, Line, Purpose};
use crate::apply::recover;
use crate::aws::ErrorKind;
use crate::cli::error::{Failure, bug};
use crate::cli::output::Output;
use crate::cli::session::Session;
use crate::model::{Caller, Instance, InstanceArn, Shown};
use crate::observed;
use crate::plan::Plan;
use crate::report::json::change_json;
use crate::report::{apply as report, journal as words, style};

/// Finds runs that were cut short, follows what they left in flight to its end, and says what became of it.
///
/// # Errors
/// If AWS cannot be asked.
pub(super) async fn take_up(session: &Session<'_>, folder: &Path, output: &Output) -> Result<(), Failure> {
    for interrupted in find(folder, Purpose::TakeUp, output)? {
        let begin = &interrupted.begin;
        let Ok(arn) = InstanceArn::parse(&begin.instance) else { continue };
        if !is_here(begin, session) {
            continue;
        }
        let instance = match observed::instance(&session.aws, &arn).await {
            Err(error) if error.kind == ErrorKind::NoInstance => continue,
            instance => instance?,
        };
        let caller = session.aws.caller().await?;
        notice(output, &format!("{}; asking what became of it", words::interrupted(&interrupted)));
        for one in recover::recover(&session.aws, &instance, &interrupted, &caller.arn).await {
            output.talk(&format!("  {}\n", words::recovered(&one)));
        }
    }
    Ok(())
}

/// Says that runs on an instance were cut short, where nothing is done about it.
///
/// # Errors
/// If the folder cannot be read.
pub(super) fn mention(
    session: &Session<'_>,
    folder: &Path,
    instance: &Instance,
    output: &Output,
) -> Result<(), Failure> {
    for interrupted in find(folder, Purpose::Mention, output)? {
        if is_here(&interrupted.begin, session) && interrupted.begin.instance == instance.arn.as_str() {
            let text = words::interrupted(&interrupted);
            notice(output, &format!("{text}; the next apply asks what became of it"));
        }
    }
    Ok(())
}

fn is_here(begin: &Begin, session: &Session<'_>) -> bool {
    begin.endpoint == session.endpoint() && begin.region == session.aws.region()
}

fn find(folder: &Path, purpose: Purpose, output: &Output) -> Result<Vec<Interrupted>, Failure> {
    let shown = |path: &Path| Shown(&path.display().to_string()).to_string();
    let found = journal::interrupted(folder, purpose)
        .map_err(|error| Failure::new(format!("cannot look for journals in `{}`: {error}", shown(folder))))?;
    for (path, why) in &found.unreadable {
        let why = Shown(why);
        notice(
            output,
            &format!("the journal {} cannot be read, so nobody asks what it left in flight: {why}", shown(path)),
        );
    }
    Ok(found.interrupted)
}

/// Reads a file as a journal; `None` if it is none.
///
/// # Errors
/// If it cannot be read, or is a journal that this version does not understand.
pub(super) fn read(path: &Path) -> Result<Option<(Begin, Vec<Line>)>, Failure> {
    let shown = Shown(&path.display().to_string()).to_string();
    let bytes = std::fs::read(path).map_err(|error| Failure::new(format!("cannot read `{shown}`: {error}")))?;
    let text = String::from_utf8_lossy(&bytes);
    if !journal::is_one(&text) {
        return Ok(None);
    }
    journal::read(&text).map(Some).map_err(|why| Failure::new(format!("`{shown}` cannot be shown: {why}")))
}

fn notice(output: &Output, text: &str) {
    output.talk(&format!("{}: {text}\n", style::warning("notice")));
}

/// Starts the journal of an apply.
///
/// # Errors
/// If it cannot be written: nothing is changed without.
pub(super) fn begin(
    session: &Session<'_>,
    folder: &Path,
    (plan, plan_digest): (&Plan, String),
    caller: &Caller,
    consents: &[String],
) -> Result<Journal, Failure> {
    let change = |change: &crate::plan::Change| {
        let in_full = change_json(change);
        let in_full = in_full.map_err(|error| bug(&format!("a change that is no JSON: {error}")))?;
        Ok(JournalChange { what: report::started(change), change: in_full })
    };
    let begin = Begin {
        format_version: JOURNAL_VERSION,
        permset: env!("CARGO_PKG_VERSION").to_owned(),
        caller: caller.arn.clone(),
        instance: plan.instance.arn.as_str().to_owned(),
        region: plan.instance.region.clone(),
        endpoint: session.endpoint(),
        file: session.file(),
        file_digest: session.file_digest.clone(),
        plan_digest,
        consents: consents.to_vec(),
        changes: plan.changes().map(change).collect::<Result<_, Failure>>()?,
    };
    Journal::create(folder, begin).map_err(|error| {
        let shown = Shown(&folder.display().to_string()).to_string();
        Failure::new(format!("cannot write the journal in `{shown}`, nothing was changed: {error}"))
            .hint("name a folder that can be written to: `--journal DIR`")
    })
}

/// Closes a journal, unless something is still in flight that the next run should ask about.
pub(super) fn end(journal: &Journal, report: &ApplyReport, remaining: Option<usize>) {
    if report.leaves_in_flight() {
        let reason = report.cut_short.as_ref().map(|why| why.reason().to_string());
        let reason = reason.unwrap_or_else(|| "it is not known how everything ended".to_owned());
        journal.write(Entry::CutShort { reason });
        return;
    }
    let counts = report.counts();
    journal.write(Entry::End {
        applied: counts.applied,
        failed: counts.failed,
        unknown: counts.unknown,
        skipped: counts.skipped,
        remaining,
    });
}
