//! Drift for people and for issues.

use std::fmt::{self, Write};

use crate::model::{Assignment, ChangedBy, Shown};
use crate::plan::{Drift, DriftEntry, DriftKind, DriftSubject};
use crate::report::markdown::{self, Budget};
use crate::report::plan::{Options, Widths, assignment_row, write_assignment, write_left_alone};
use crate::report::words::{self, Detail};
use crate::report::{count, style};

/// Returns the heading of a kind: what it means, in words.
pub(super) fn heading(kind: DriftKind) -> &'static str {
    match kind {
        DriftKind::Changed => "changed: declared, but live is different",
        DriftKind::Missing => "missing: declared, but not there",
        DriftKind::Undeclared => "undeclared: live in scope, but not in the file",
        DriftKind::Stale => "stale: edited and never provisioned, accounts run an older version",
        DriftKind::Orphaned => "orphaned: of somebody who no longer exists or cannot sign in",
        DriftKind::Expired => "expired: of a line of the file whose date has passed",
    }
}

/// Writes drift for a terminal.
///
/// # Errors
/// Only if `out` fails.
pub fn write_text(out: &mut impl Write, drift: &Drift, options: &Options<'_>) -> fmt::Result {
    let place = format!("instance {} ({})", drift.instance.arn.short(), crate::model::Shown(&drift.instance.region));
    if drift.entries.is_empty() && !drift.accepted.is_empty() {
        let accepted = count(drift.accepted.len(), "difference");
        writeln!(
            out,
            "{} {accepted} between {} and {place} accepted",
            style::success("drift: nothing new,"),
            options.file
        )?;
    } else if drift.entries.is_empty() {
        writeln!(out, "{} {} is what is live, {place}", style::success("drift: none,"), options.file)?;
    } else {
        let heading = format!("drift: {}", count(drift.entries.len(), "difference"));
        writeln!(out, "{} from {}, {place}", style::heading(heading), options.file)?;
    }
    let widths = Widths::of_assignments(drift.entries.iter().filter_map(assignment));
    for kind in DriftKind::ALL {
        let entries: Vec<_> = drift.entries.iter().filter(|entry| entry.kind == kind).collect();
        if !entries.is_empty() {
            writeln!(out, "\n{}", style::heading(heading(kind)))?;
        }
        for entry in entries {
            write_entry(out, entry, &widths, options.full)?;
        }
    }
    write_accepted(out, drift)?;
    writeln!(out)?;
    write_left_alone(out, &drift.left_alone, options.unmanaged)?;
    writeln!(out, "summary: {}; read with {}", summary(drift), options.reading,)
}

/// Tells what a baseline lets be: it does not count, and is not hidden either.
fn write_accepted(out: &mut impl Write, drift: &Drift) -> fmt::Result {
    if drift.accepted.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", style::heading("accepted: in the baseline, not counted"))?;
    for (entry, accepted) in &drift.accepted {
        let until = accepted.expires.as_ref().map(|expiry| format!(", until {}", Shown(&expiry.written)));
        let why = format!("   {}{}", Shown(&accepted.reason), until.unwrap_or_default());
        writeln!(out, "    {}: {}{}", entry.kind.word(), one_line(entry), style::faint(why))?;
    }
    Ok(())
}

/// Says in one line what differs.
pub fn one_line(entry: &DriftEntry) -> String {
    let assignment = |it: &Assignment| {
        let principal = it.principal.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        format!("{principal} with {} in {}", it.permission_set, it.account)
    };
    let words = match &entry.subject {
        DriftSubject::MissingSet { name } => format!("permission set {name} is not there"),
        DriftSubject::LeftSet { name } => format!("permission set {name} left the file"),
        DriftSubject::ChangedSet { name, live, declared } => {
            let labels: Vec<&str> = words::edits(live, declared, false).iter().map(|detail| detail.label).collect();
            let mut labels = labels;
            labels.dedup();
            format!("permission set {name} is different: {}", labels.join(", "))
        }
        DriftSubject::StaleAccounts { name, accounts } => {
            format!("permission set {name} is out of date in {}", count(accounts.len(), "account"))
        }
        DriftSubject::Assignment(it) => assignment(it),
        DriftSubject::Expired { assignment: it, expires } => {
            format!("{}, expired on {}", assignment(it), Shown(expires))
        }
        DriftSubject::DisabledUser(it) => format!("{}, who is disabled", assignment(it)),
    };
    match &entry.changed_by {
        Some(by) => format!("{words} (by {})", by_whom(by)),
        None => words,
    }
}

/// Whoever changed something is known by the last part of the ARN, which is the name of a user or a session.
fn by_whom(by: &ChangedBy) -> String {
    let name = by.who.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or(&by.who);
    format!("{}, {}, {}", Shown(name), Shown(&by.when), Shown(&by.operation))
}

fn summary(drift: &Drift) -> String {
    let of_kind = |kind| drift.entries.iter().filter(|entry| entry.kind == kind).count();
    let counts = DriftKind::ALL.into_iter().map(|kind| (of_kind(kind), kind)).filter(|(n, _)| *n > 0);
    let mut parts: Vec<String> = counts.map(|(n, kind)| format!("{n} {}", kind.word())).collect();
    if !drift.accepted.is_empty() {
        parts.push(format!("{} accepted", drift.accepted.len()));
    }
    if parts.is_empty() { "no drift".to_owned() } else { parts.join(", ") }
}

fn assignment(entry: &DriftEntry) -> Option<&Assignment> {
    match &entry.subject {
        DriftSubject::Assignment(assignment)
        | DriftSubject::DisabledUser(assignment)
        | DriftSubject::Expired { assignment, .. } => Some(assignment),
        DriftSubject::MissingSet { .. }
        | DriftSubject::ChangedSet { .. }
        | DriftSubject::StaleAccounts { .. }
        | DriftSubject::LeftSet { .. } => None,
    }
}

fn write_entry(out: &mut impl Write, entry: &DriftEntry, widths: &Widths, full: bool) -> fmt::Result {
    match &entry.subject {
        DriftSubject::MissingSet { name } => writeln!(out, "    permission set  {name}"),
        DriftSubject::LeftSet { name } => writeln!(out, "    permission set  {name}   left the file"),
        DriftSubject::ChangedSet { name, live, declared } => {
            writeln!(out, "    permission set  {name}   (live -> declared)")?;
            for Detail { label, text } in words::edits(live, declared, full) {
                writeln!(out, "        {label:<18} {text}")?;
            }
            Ok(())
        }
        DriftSubject::StaleAccounts { name, accounts } => {
            let list: Vec<String> = accounts.iter().take(5).map(ToString::to_string).collect();
            let more = if accounts.len() > 5 { format!(" and {} more", accounts.len() - 5) } else { String::new() };
            writeln!(out, "    permission set  {name}   in {}{more}", list.join(", "))
        }
        DriftSubject::Assignment(assignment) => {
            write!(out, "    assignment      ")?;
            write_assignment(out, assignment, widths, "")
        }
        DriftSubject::DisabledUser(assignment) => {
            write!(out, "    assignment      ")?;
            write_assignment(out, assignment, widths, "   declared, but the user is disabled")
        }
        DriftSubject::Expired { assignment, expires } => {
            write!(out, "    assignment      ")?;
            write_assignment(out, assignment, widths, &format!("   expired on {}", Shown(expires)))
        }
    }?;
    match &entry.changed_by {
        Some(by) => writeln!(out, "        {}", style::faint(format!("{:<18} {}", "changed by", by_whom(by)))),
        None => Ok(()),
    }
}

/// Writes drift as the text of an issue or a comment.
///
/// # Errors
/// Only if `out` fails.
pub fn write_markdown(out: &mut impl Write, drift: &Drift, options: &Options<'_>) -> fmt::Result {
    let title = if drift.entries.is_empty() { "none".to_owned() } else { count(drift.entries.len(), "difference") };
    writeln!(out, "### permset drift: {title}\n")?;
    let (file, instance) = (markdown::code(options.file), markdown::code(drift.instance.arn.short()));
    writeln!(
        out,
        "**{}** between {file} and {instance} ({})",
        summary(drift),
        markdown::escape(&drift.instance.region)
    )?;
    let mut budget = Budget::default();
    for kind in DriftKind::ALL {
        let rows: Vec<String> =
            drift.entries.iter().filter(|entry| entry.kind == kind).map(|entry| row(entry, options.full)).collect();
        if !rows.is_empty() {
            writeln!(
                out,
                "\n**{}**\n\n| | what | permission set | account | who |\n|---|---|---|---|---|",
                heading(kind)
            )?;
            budget.write_rows(out, rows.into_iter().map(|row| (1, row)), 80, "difference")?;
        }
    }
    if !drift.accepted.is_empty() {
        writeln!(out, "\n<details><summary>{} accepted by the baseline</summary>\n", drift.accepted.len())?;
        let accepted = drift.accepted.iter().map(|(entry, accepted)| {
            let until = accepted.expires.as_ref().map(|it| format!(", until {}", it.written)).unwrap_or_default();
            let words = format!("{}: {} ({}{until})", entry.kind.word(), one_line(entry), accepted.reason);
            (1, format!("- {}", markdown::escape(&words)))
        });
        budget.write_rows(out, accepted, 95, "difference")?;
        writeln!(out, "\n</details>")?;
    }
    writeln!(out, "\n<sub>read with {}</sub>", options.reading)
}

fn row(entry: &DriftEntry, full: bool) -> String {
    let by = entry.changed_by.as_ref().map(|by| format!("<br>by {}", markdown::escape(&by_whom(by))));
    let by = by.unwrap_or_default();
    match &entry.subject {
        DriftSubject::MissingSet { name } => {
            format!("| `+` | permission set | {} | | |", markdown::code(name.as_str()))
        }
        DriftSubject::LeftSet { name } => {
            format!("| `-` | permission set | {} | | |", markdown::code(name.as_str()))
        }
        DriftSubject::ChangedSet { name, live, declared } => {
            let details = words::edits(live, declared, full);
            let details: Vec<String> =
                details.iter().map(|d| format!("{}: {}", d.label, markdown::code(&d.text))).collect();
            format!("| `~` | {}{by} | {} | | |", details.join("<br>"), markdown::code(name.as_str()))
        }
        DriftSubject::StaleAccounts { name, accounts } => {
            format!("| `>` | stale{by} | {} | {} | |", markdown::code(name.as_str()), count(accounts.len(), "account"))
        }
        DriftSubject::Assignment(assignment) => {
            let mark = if entry.kind == DriftKind::Missing { '+' } else { '-' };
            assignment_row(mark, "assignment", assignment, &[], &by)
        }
        DriftSubject::Expired { assignment, expires } => {
            assignment_row('-', &format!("expired on {}", markdown::escape(expires)), assignment, &[], &by)
        }
        DriftSubject::DisabledUser(assignment) => assignment_row('!', "disabled user", assignment, &[], &by),
    }
}
