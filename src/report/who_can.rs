//! Who holds what, for access reviews: text, CSV.

use std::fmt::{self, Write};

use crate::effective::action::Allowed;
use crate::effective::reach::{Holding, Reach};
use crate::model::{Principal, PrincipalKind, Shown};
use crate::report::{count, style};

/// Returns the word for it.
pub(super) fn allowed(allowed: Allowed) -> &'static str {
    match allowed {
        Allowed::Yes => "yes",
        Allowed::Partly => "partly",
        Allowed::Unknown => "unknown",
        Allowed::No => "no",
    }
}

/// How a principal is called: its name, or its id if it has none any more.
fn name(principal: &Principal) -> String {
    Shown(principal.name.as_deref().unwrap_or(principal.id.as_str())).to_string()
}

/// What is remarkable about a holding.
fn notes(holding: &Holding) -> Vec<&'static str> {
    let mut notes = Vec::new();
    match (holding.who.kind, &holding.who.name, &holding.through) {
        (_, None, _) => notes.push("deleted"),
        (PrincipalKind::Group, _, _) => notes.push("no members"),
        _ => {}
    }
    if holding.disabled {
        notes.push("disabled, cannot sign in");
    }
    if !holding.active {
        notes.push("the account is not active");
    }
    if holding.stale {
        notes.push("the account runs an older version");
    }
    notes
}

/// Writes who holds what for a terminal.
///
/// # Errors
/// Only if `out` fails.
pub fn write_text(out: &mut impl Write, reach: &Reach, action: Option<&str>, everybody: bool) -> fmt::Result {
    let people: std::collections::BTreeSet<_> = reach.holdings.iter().map(|it| it.who.to_ref()).collect();
    let what = action.map(|action| format!(" that may allow {}", Shown(action))).unwrap_or_default();
    let heading =
        format!("who-can: {} of {}{what}", count(reach.holdings.len(), "holding"), count(people.len(), "principal"));
    writeln!(out, "{}", style::heading(heading))?;
    let width = |text: fn(&Holding) -> String| {
        reach.holdings.iter().map(|it| text(it).chars().count()).max().unwrap_or_default().min(64)
    };
    let (who_width, set_width) = (width(|it| name(&it.who)), width(|it| it.permission_set.to_string()));
    let mut account = None;
    for holding in &reach.holdings {
        if account != Some(&holding.account) {
            writeln!(out, "\n{}", style::heading(&holding.account))?;
            account = Some(&holding.account);
        }
        let through = match &holding.through {
            Some(group) => format!("through group {}", name(group)),
            None => "directly".to_owned(),
        };
        let verdict = match holding.allowed {
            Some(Allowed::Partly) => "   on some resources or under conditions",
            Some(Allowed::Unknown) => "   unknown: a policy whose text cannot be read decides",
            Some(Allowed::Yes | Allowed::No) | None => "",
        };
        let notes: String = notes(holding).into_iter().map(|note| format!("   {note}")).collect();
        let (set, who) = (&holding.permission_set, name(&holding.who));
        writeln!(
            out,
            "    {set:<set_width$}   {who:<who_width$}   {through}{}",
            style::faint(format!("{verdict}{notes}"))
        )?;
    }
    if everybody {
        write_list(out, "users without anything", &reach.without)?;
        write_list(out, "groups without members", &reach.empty_groups)?;
    }
    Ok(())
}

fn write_list(out: &mut impl Write, heading: &str, list: &[Principal]) -> fmt::Result {
    if list.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", style::heading(format!("{heading}: {}", list.len())))?;
    list.iter().try_for_each(|one| writeln!(out, "    {}", name(one)))
}

/// Writes the same as CSV (RFC 4180), a row for each holding, and one with empty cells for each user without any.
///
/// # Errors
/// Only if `out` fails.
pub fn write_csv(out: &mut impl Write, reach: &Reach, everybody: bool) -> fmt::Result {
    write!(out, "account_id,account_name,permission_set,user,group,kind,notes,allowed\r\n")?;
    for holding in &reach.holdings {
        let Holding { account, permission_set, who, through, disabled: _, stale: _, active: _, allowed } = holding;
        let kind = if through.is_some() { "through group" } else { "direct" };
        let is_group = who.kind == PrincipalKind::Group;
        let (user, group) = match through {
            Some(group) => (name(who), name(group)),
            None if is_group => (String::new(), name(who)),
            None => (name(who), String::new()),
        };
        let account_name = account.name.as_ref().map(|it| Shown(it.as_str()).to_string()).unwrap_or_default();
        let cells = [
            account.id.to_string(),
            account_name,
            permission_set.to_string(),
            user,
            group,
            kind.to_owned(),
            notes(holding).join("; "),
            allowed.map(self::allowed).unwrap_or_default().to_owned(),
        ];
        write_row(out, &cells)?;
    }
    if everybody {
        for user in &reach.without {
            let cells = ["", "", "", &name(user), "", "", "holds nothing", ""];
            write_row(out, &cells.map(str::to_owned))?;
        }
        for group in &reach.empty_groups {
            let cells = ["", "", "", "", &name(group), "", "no members", ""];
            write_row(out, &cells.map(str::to_owned))?;
        }
    }
    Ok(())
}

fn write_row(out: &mut impl Write, cells: &[String; 8]) -> fmt::Result {
    let cells: Vec<String> = cells.iter().map(|cell| csv_cell(cell)).collect();
    write!(out, "{}\r\n", cells.join(","))
}

/// Quotes a cell where it must be. What a spreadsheet would take for a formula is made a text: names come from everybody who can
/// make a group (OWASP, "CSV Injection").
fn csv_cell(text: &str) -> String {
    let text = if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::csv_cell;

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        for (text, cell) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=cmd()", "'=cmd()"),
            ("@x", "'@x"),
        ] {
            assert_eq!(csv_cell(text), cell);
        }
    }
}
