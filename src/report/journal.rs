//! A journal in words: what a run did, for whoever has to answer for it, and what became of one that was cut short.

use std::fmt::{self, Write};

use serde_json::Value;

use crate::apply::journal::{Begin, End, Entry, Interrupted, Line};
use crate::apply::recover::{Ending, Recovered};
use crate::model::Shown;
use crate::report::{count, style};

/// Says which run was cut short.
pub fn interrupted(interrupted: &Interrupted) -> String {
    let Interrupted { journal, time, begin, in_flight, .. } = interrupted;
    format!(
        "the apply of {} by {} was cut short with {} in flight (journal {})",
        Shown(time),
        Shown(&begin.caller),
        count(in_flight.len(), "request"),
        Shown(&journal.path().display().to_string())
    )
}

/// Says what became of a request that was left in flight.
pub fn recovered(recovered: &Recovered) -> String {
    let Recovered { request, end } = recovered;
    let what = format!("{} for {}", Shown(&request.operation), Shown(&request.subject));
    match end {
        Ending::Settled(settled) => match settled.failure() {
            None => format!("{} {what}", style::added("done   ")),
            Some(reason) => format!("{} {what}: {}", style::error("failed "), Shown(reason)),
        },
        Ending::Unknown(error) => format!("{} {what}: {error}", style::error("unknown")),
        Ending::NoAnswer => {
            format!("{} {what}: it may have arrived or not, what is live is looked at next", style::changed("unknown"))
        }
    }
}

/// Writes a journal as the record of a run.
///
/// # Errors
/// Only if `out` fails.
pub fn write_text(out: &mut impl Write, begin: &Begin, lines: &[Line]) -> fmt::Result {
    let Begin {
        format_version: _,
        permset,
        caller,
        instance,
        region,
        endpoint,
        file,
        file_digest,
        plan_digest,
        consents,
        changes,
    } = begin;
    let time = lines.first().map(|line| line.time.as_str()).unwrap_or_default();
    writeln!(out, "{} {} by {}\n", style::heading("apply of"), Shown(time), Shown(caller))?;
    let endpoint = endpoint.as_ref().map(|it| format!(", asked at {}", Shown(it))).unwrap_or_default();
    writeln!(out, "  instance   {} ({}){endpoint}", Shown(instance), Shown(region))?;
    let short = |digest: &str| digest.get(..12).unwrap_or(digest).to_owned();
    writeln!(out, "  file       {} (sha256 {}…)", Shown(file), Shown(&short(file_digest)))?;
    writeln!(out, "  plan       {}, sha256 {}…", count(changes.len(), "change"), Shown(&short(plan_digest)))?;
    if !consents.is_empty() {
        writeln!(out, "  consents   {}", Shown(&consents.join(", ")))?;
    }
    writeln!(out, "  permset    {}\n", Shown(permset))?;
    for change in changes {
        writeln!(out, "  {}", Shown(&change.what))?;
        for detail in details(&change.change) {
            writeln!(out, "        {}", Shown(&detail))?;
        }
    }
    writeln!(out)?;
    let mut ended = false;
    for Line { time, entry } in lines {
        ended |= write_entry(out, time, entry, begin)?;
    }
    if !ended {
        let open = "it has no end: the run was cut short, or is still going on; the next apply asks what became of it";
        writeln!(out, "\n{}: {open}", style::warning("notice"))?;
    }
    Ok(())
}

/// Says what a change does to a permission set: what it is made of, or which parts change from what to what.
fn details(change: &Value) -> Vec<String> {
    let members = |name: &str| change.get(name).and_then(Value::as_object);
    let is_nothing = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    };
    if let (Some(before), Some(after)) = (members("before"), members("after")) {
        let moved = after.iter().filter(|(name, value)| before.get(*name) != Some(value));
        return moved
            .map(|(name, value)| format!("{name}: {} -> {value}", before.get(name).unwrap_or(&Value::Null)))
            .collect();
    }
    let made = members("definition").into_iter().flatten().filter(|(_, value)| !is_nothing(value));
    made.map(|(name, value)| format!("{name}: {value}")).collect()
}

/// Writes a line, and returns whether it was the last.
fn write_entry(out: &mut impl Write, time: &str, entry: &Entry, begin: &Begin) -> Result<bool, fmt::Error> {
    let time = Shown(time);
    let reason = |reason: &Option<String>| reason.as_ref().map(|it| format!(": {}", Shown(it))).unwrap_or_default();
    match entry {
        Entry::Begin(_) => {}
        Entry::Request { number, change: _, operation, subject } => {
            writeln!(out, "  {time}  #{number} {} for {}", Shown(operation), Shown(subject))?;
        }
        Entry::Answer { number, answered: false, error, .. } => {
            writeln!(out, "  {time}  #{number} {}{}", style::changed("no answer"), reason(error))?;
        }
        Entry::Answer { number, answered: true, request_id, follow, error } => {
            let id = request_id.as_ref().map(|id| format!(", request id {}", Shown(id))).unwrap_or_default();
            let follow = follow.as_ref().map(|it| format!(", works on it as {}", Shown(&it.id))).unwrap_or_default();
            match error {
                None => writeln!(out, "  {time}  #{number} accepted{follow}{id}")?,
                Some(error) => writeln!(out, "  {time}  #{number} {}: {}", style::error("refused"), Shown(error))?,
            }
        }
        Entry::Settled { number, end, reason: why } => {
            let word = match end {
                End::Succeeded => "succeeded",
                End::Failed => "failed",
                End::Unknown => "unknown",
            };
            writeln!(out, "  {time}  #{number} {word}{}", reason(why))?;
        }
        Entry::Outcome { change, outcome, reason: why } => {
            let what = begin.changes.get(*change).map_or("a change that is not in it", |change| change.what.as_str());
            writeln!(out, "  {time}  {} {}{}", style::heading(Shown(outcome)), Shown(what), reason(why))?;
        }
        Entry::CutShort { reason } => writeln!(out, "  {time}  cut short: {}", Shown(reason))?,
        Entry::TakenUp { caller } => writeln!(out, "  {time}  taken up by {}", Shown(caller))?,
        Entry::Closed { succeeded, failed, unknown } => {
            let counts = format!("{succeeded} succeeded, {failed} failed, {unknown} unknown");
            writeln!(out, "  {time}  closed: of the requests that were in flight {counts}")?;
            return Ok(true);
        }
        Entry::End { applied, failed, unknown, skipped, remaining } => {
            let left =
                remaining.map_or("not observed again".to_owned(), |left| format!("{} left", count(left, "change")));
            writeln!(
                out,
                "  {time}  end: {applied} applied, {failed} failed, {unknown} unknown, {skipped} skipped; {left}"
            )?;
            return Ok(true);
        }
    }
    Ok(false)
}
