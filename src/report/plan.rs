//! A plan for people and for pull requests.

use std::fmt::{self, Write};

use crate::model::{AccountRef, Assignment, People};
use crate::plan::{Change, LeftAlone, Plan};
use crate::report::markdown::{self, Budget};
use crate::report::words::{self, Detail, Sign};
use crate::report::{count, fold, people, style};

/// What a plan's text needs to know beyond the plan.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// The access file, as the user named it.
    pub file: &'a str,
    /// How many requests the reading took, and how it read.
    pub reading: &'a crate::model::Reading,
    /// Whether to show the text of inline policies.
    pub full: bool,
    /// Whether to list what is left alone.
    pub unmanaged: bool,
    /// The consents that were given.
    pub allowed: &'a [String],
    /// What the plan means to people, if it was asked.
    pub people: Option<&'a People>,
}

/// Writes a plan for a terminal.
///
/// # Errors
/// Only if `out` fails.
pub fn write_text(out: &mut impl Write, plan: &Plan, options: &Options<'_>) -> fmt::Result {
    let Options { file, reading, full, unmanaged, allowed, people } = *options;
    let owner = plan.owner.as_ref().map(|owner| format!(", owner {}", crate::model::Shown(owner))).unwrap_or_default();
    let place =
        format!("instance {} ({}){owner}", plan.instance.arn.short(), crate::model::Shown(&plan.instance.region));
    if plan.is_empty() {
        writeln!(out, "{} {file} is in place, {place}", style::success("plan: nothing to do,"))?;
    } else {
        let changes = count(plan.steps.len(), "change");
        writeln!(out, "{} to reach {file}, {place}\n", style::heading(format!("plan: {changes}")))?;
        write_changes(out, plan, full, people)?;
    }
    writeln!(out)?;
    write_left_alone(out, &plan.left_alone, unmanaged)?;
    if let Some(words) = people.and_then(people::summary) {
        writeln!(out, "people: {words}")?;
    }
    let requests = words::Counts::of(plan).requests;
    let cost = if requests > 0 { format!("; about {}", count(requests, "request")) } else { String::new() };
    writeln!(out, "summary: {}{cost}; read with {reading}", words::summary(plan),)?;
    for refusal in &plan.refusals {
        let consent = refusal.consent();
        if plan.is_empty() && !refusal.stands_alone() {
            writeln!(out, "\n{}: {}", style::warning("notice"), words::refusal(refusal))?;
        } else if allowed.iter().any(|given| given == consent) {
            writeln!(
                out,
                "\n{}: {} (`--allow {consent}` was given)",
                style::warning("consent"),
                words::refusal(refusal)
            )?;
        } else {
            writeln!(out, "\n{}: {}", style::error("refused"), words::refusal(refusal))?;
            writeln!(out, "{}: if that is meant, apply with `--allow {consent}`", style::hint("hint"))?;
        }
    }
    Ok(())
}

fn write_changes(out: &mut impl Write, plan: &Plan, full: bool, people: Option<&People>) -> fmt::Result {
    let rows = fold::rows(plan, full);
    let widths = Widths::of(&rows);
    for row in &rows {
        let change = row.change;
        let mark = mark(Sign::of(change));
        match change {
            Change::CreateSet { name, definition, edits: _ } => {
                writeln!(out, "  {mark} permission set  {}", style::heading(name))?;
                write_details(out, &words::definition(definition))?;
            }
            Change::EditSet { name, before, after, edits: _ } => {
                writeln!(out, "  {mark} permission set  {}", style::heading(name))?;
                write_details(out, &words::edits(before, after, full))?;
            }
            Change::Provision { name, accounts, stale, targets: _ } => {
                let into = words::account_list(accounts, full);
                let why = match stale.len() {
                    0 => String::new(),
                    n if n == accounts.len() => "   edited before and never provisioned".to_owned(),
                    n => format!("   {n} of them out of date already"),
                };
                writeln!(out, "  {mark} provision       {name}   into {into}{}", style::faint(why))?;
            }
            Change::DeleteSet { name, definition: _, successor } => {
                let why = successor.as_ref().map_or("   left the file".to_owned(), |new| format!("   is {new} now"));
                let why = style::faint(why);
                writeln!(out, "  {mark} permission set  {}{why}", style::heading(name))?;
            }
            Change::Assign(assignment) => {
                write!(out, "  {mark} assignment      ")?;
                write_row(out, assignment, row, &widths, "")?;
                write_people(out, assignment, row, people, full)?;
            }
            Change::Revoke { assignment, sessions_last, role_goes } => {
                write!(out, "  {mark} assignment      ")?;
                let note =
                    sessions_last.map(|last| format!("   running sessions last up to {last}")).unwrap_or_default();
                let note = if *role_goes { format!("{note}   nobody has it there then: the role goes") } else { note };
                write_row(out, assignment, row, &widths, &note)?;
                write_people(out, assignment, row, people, full)?;
            }
        }
    }
    match folded(&rows) {
        Some(words) => writeln!(out, "\n  {}", style::faint(words)),
        None => Ok(()),
    }
}

fn write_people(
    out: &mut impl Write,
    assignment: &Assignment,
    row: &fold::Row<'_>,
    people: Option<&People>,
    full: bool,
) -> fmt::Result {
    let Some(people) = people else { return Ok(()) };
    for Detail { label, text } in people::details(people, &row.steps, &assignment.principal, full) {
        writeln!(out, "        {}", style::faint(format!("{label:<18} {text}")))?;
    }
    Ok(())
}

/// Says how to see what is told together.
fn folded(rows: &[fold::Row<'_>]) -> Option<String> {
    let folded = rows.iter().filter(|row| row.changes() > 1).map(fold::Row::changes).sum::<usize>();
    (folded > 0).then(|| format!("{folded} assignments are told by principal; --full lists each"))
}

/// Writes an assignment, or several that differ by the account only.
fn write_row(
    out: &mut impl Write,
    assignment: &Assignment,
    row: &fold::Row<'_>,
    widths: &Widths,
    note: &str,
) -> fmt::Result {
    if row.changes() == 1 {
        return write_assignment(out, assignment, widths, note);
    }
    let Assignment { permission_set, account: _, principal } = assignment;
    let Widths { principal: p, permission_set: s, .. } = *widths;
    let accounts = words::account_list(&row.accounts, false);
    writeln!(out, "{principal:<p$}   {permission_set:<s$}   {accounts}{}", style::faint(note))
}

fn mark(sign: Sign) -> String {
    let mark = sign.mark();
    match sign {
        Sign::Add => style::added(mark).to_string(),
        Sign::Change => style::changed(mark).to_string(),
        Sign::Provision => style::provisioned(mark).to_string(),
        Sign::Remove => style::removed(mark).to_string(),
    }
}

fn write_details(out: &mut impl Write, details: &[Detail]) -> fmt::Result {
    let mut last = "";
    for Detail { label, text } in details {
        let shown = if *label == last { "" } else { label };
        writeln!(out, "        {shown:<18} {}", signed(text))?;
        last = label;
    }
    Ok(())
}

/// Colours a line by the sign it begins with.
fn signed(text: &str) -> String {
    match text.chars().next() {
        Some('+') => style::added(text).to_string(),
        Some('-') => style::removed(text).to_string(),
        _ => text.to_owned(),
    }
}

/// Column widths, so that a hundred assignments can be read down a column.
pub(super) struct Widths {
    principal: usize,
    permission_set: usize,
    account: usize,
}

impl Widths {
    fn of(rows: &[fold::Row<'_>]) -> Self {
        let assignments = rows.iter().filter_map(|row| match row.change {
            Change::Assign(assignment) | Change::Revoke { assignment, .. } => Some(assignment),
            Change::CreateSet { .. } | Change::EditSet { .. } | Change::Provision { .. } | Change::DeleteSet { .. } => {
                None
            }
        });
        Self::of_assignments(assignments)
    }

    pub(super) fn of_assignments<'a>(assignments: impl Iterator<Item = &'a Assignment>) -> Self {
        let mut widths = Self { principal: 0, permission_set: 0, account: 0 };
        let width = |text: String| text.chars().count().min(64);
        for Assignment { permission_set, account, principal } in assignments {
            widths.principal = widths.principal.max(width(principal.to_string()));
            widths.permission_set = widths.permission_set.max(width(permission_set.to_string()));
            widths.account = widths.account.max(width(account.to_string()));
        }
        widths
    }
}

pub(super) fn write_assignment(
    out: &mut impl Write,
    assignment: &Assignment,
    widths: &Widths,
    note: &str,
) -> fmt::Result {
    let Assignment { permission_set, account, principal } = assignment;
    let Widths { principal: p, permission_set: s, account: a } = *widths;
    let row = format!("{principal:<p$}   {permission_set:<s$}   {account:<a$}");
    writeln!(out, "{}{}", row.trim_end(), style::faint(note))
}

/// Says what is not touched, so that nobody believes it was.
pub(super) fn write_left_alone(out: &mut impl Write, left: &LeftAlone, list: bool) -> fmt::Result {
    let LeftAlone { permission_sets, accounts, inactive, assignments, ignored } = left;
    for (account, state) in inactive {
        writeln!(
            out,
            "{}: {account} is {}: nothing is assigned or revoked there",
            style::warning("notice"),
            crate::model::Shown(state)
        )?;
    }
    let mut parts = Vec::new();
    if !permission_sets.is_empty() {
        parts.push(format!("{} that this file does not declare", count(permission_sets.len(), "permission set")));
    }
    if !accounts.is_empty() {
        parts.push(format!("assignments in {} outside its scope", count(accounts.len(), "account")));
    }
    if *ignored > 0 {
        parts.push(format!("{} under `ignore`", count(*ignored, "assignment")));
    }
    if list && !assignments.is_empty() {
        parts.push(count(assignments.len(), "assignment"));
    }
    if parts.is_empty() {
        return Ok(());
    }
    let how = if list { ":" } else { " (--show-unmanaged lists them)" };
    writeln!(out, "left alone: {}{how}", parts.join(", "))?;
    if list {
        permission_sets.iter().try_for_each(|name| writeln!(out, "    permission set  {name}"))?;
        accounts.iter().try_for_each(|account| writeln!(out, "    account         {account}"))?;
        let widths = Widths::of_assignments(assignments.iter());
        for assignment in assignments {
            write!(out, "    assignment      ")?;
            write_assignment(out, assignment, &widths, "")?;
        }
    }
    Ok(())
}

/// Writes a plan as the comment of a pull request: a summary, then a table, then details in folds.
///
/// # Errors
/// Only if `out` fails.
pub fn write_markdown(out: &mut impl Write, plan: &Plan, options: &Options<'_>) -> fmt::Result {
    let title = if plan.is_empty() { "nothing to do".to_owned() } else { count(plan.steps.len(), "change") };
    writeln!(out, "### permset plan: {title}\n")?;
    let file = markdown::code(options.file);
    let (instance, region) = (markdown::code(plan.instance.arn.short()), markdown::escape(&plan.instance.region));
    writeln!(out, "**{}** to reach {file} on {instance} ({region})", words::summary(plan))?;
    if let Some(words) = options.people.and_then(people::summary) {
        writeln!(out, "\nPeople: {words}")?;
    }
    let refusals = plan.refusals.iter().map(|refusal| {
        let consent = markdown::code(&format!("--allow {}", refusal.consent()));
        let words = markdown::escape(&words::refusal(refusal));
        (1, format!("\n> :no_entry: **refused:** {words}; consent with {consent}"))
    });
    let mut budget = Budget::default();
    budget.write_rows(out, refusals, 30, "refusal")?;
    let inactive = plan.left_alone.inactive.iter().map(|(account, state)| {
        let (account, state) = (markdown::code(&account.to_string()), markdown::escape(state));
        (1, format!("\n:warning: {account} is {state}: nothing is assigned or revoked there"))
    });
    let inactive: Vec<_> = inactive.collect();
    if !plan.is_empty() {
        writeln!(out, "\n| | what | permission set | account | who |\n|---|---|---|---|---|")?;
        let rows = fold::rows(plan, options.full);
        budget.write_rows(out, rows.iter().map(|it| (it.changes(), row(it, options))), 60, "change")?;
        if let Some(words) = folded(&rows) {
            writeln!(out, "\n<sub>{words}</sub>")?;
        }
    }
    for change in plan.changes() {
        if let Some((name, details)) = definition_details(change) {
            let mut fold = format!(
                "\n<details><summary>{} {}</summary>\n\n",
                Sign::of(change).mark(),
                markdown::html(name.as_str())
            );
            for Detail { label, text } in details {
                writeln!(fold, "- {label}: {}", markdown::code(&text))?;
            }
            if options.full
                && let Change::EditSet { before, after, .. } = change
                && let Some(diff) = words::policy_text_diff(before.inline_policy.as_ref(), after.inline_policy.as_ref())
            {
                writeln!(fold, "\n{}", markdown::block("diff", &diff))?;
            }
            fold.push_str("\n</details>\n");
            budget.write(out, &fold)?;
        }
    }
    budget.finish(out)?;
    budget.write_rows(out, inactive, 100, "account")?;
    writeln!(out, "\n<sub>read with {}</sub>", options.reading)
}

fn definition_details(change: &Change) -> Option<(&crate::model::PermissionSetName, Vec<Detail>)> {
    match change {
        Change::CreateSet { name, definition, edits: _ } => Some((name, words::definition(definition))),
        Change::EditSet { name, before, after, edits: _ } => Some((name, words::edits(before, after, false))),
        Change::DeleteSet { name, definition, successor: _ } => Some((name, words::definition(definition))),
        Change::Provision { .. } | Change::Assign(_) | Change::Revoke { .. } => None,
    }
}

fn row(row: &fold::Row<'_>, options: &Options<'_>) -> String {
    let (change, full) = (row.change, options.full);
    let mark = Sign::of(change).mark();
    let set = markdown::code(change.permission_set().as_str());
    match change {
        Change::CreateSet { .. } => format!("| `{mark}` | create | {set} | | |"),
        Change::EditSet { .. } => format!("| `{mark}` | change | {set} | | |"),
        Change::DeleteSet { .. } => format!("| `{mark}` | delete | {set} | | |"),
        Change::Provision { accounts, .. } => {
            format!("| `{mark}` | provision | {set} | {} | |", markdown::code(&words::account_list(accounts, full)))
        }
        Change::Assign(assignment) => {
            assignment_row(mark, "assign", assignment, &row.accounts, &behind(row, assignment, options))
        }
        Change::Revoke { assignment, .. } => {
            assignment_row(mark, "revoke", assignment, &row.accounts, &behind(row, assignment, options))
        }
    }
}

/// Returns who is behind a row, for its last cell.
fn behind(row: &fold::Row<'_>, assignment: &Assignment, options: &Options<'_>) -> String {
    let Some(people) = options.people else { return String::new() };
    let details = people::details(people, &row.steps, &assignment.principal, options.full);
    details.iter().map(|it| format!("<br>{}: {}", it.label, markdown::code(&it.text))).collect()
}

/// Returns a row of a table; `accounts` are all that it is about, where they are several.
pub(super) fn assignment_row(
    mark: char,
    what: &str,
    assignment: &Assignment,
    accounts: &[AccountRef],
    people: &str,
) -> String {
    let Assignment { permission_set, account, principal } = assignment;
    let account = if accounts.len() > 1 { words::account_list(accounts, false) } else { account.to_string() };
    let who = principal.name.clone().unwrap_or_else(|| format!("{} (deleted)", principal.id));
    let (set, account, who) = (markdown::code(permission_set.as_str()), markdown::code(&account), markdown::code(&who));
    format!("| `{mark}` | {what} | {set} | {account} | {} {who}{people} |", principal.kind.word())
}
