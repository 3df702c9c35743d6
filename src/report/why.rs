//! Why somebody gets in, or does not, for people.

use std::fmt::{self, Write};

use crate::effective::why::{Answer, Missing, Question, Role, Route, SetThere, Verdict};
use crate::model::{AccountRef, AccountState, Principal, PrincipalKind, Shown};
use crate::report::style;

/// What the text needs to know beyond the answer.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    /// The access file; `None` if there is none.
    pub file: Option<&'a str>,
    /// For each line of the file that gives access: where it stands, as in `access.yaml:41`.
    pub places: Vec<String>,
    /// What to add to the file under `assignments`.
    pub lines: Option<String>,
    /// The same as a patch, where the file can be patched.
    pub patch: Option<String>,
    /// What to type next.
    pub next: Option<String>,
}

fn name(principal: &Principal) -> String {
    let text = principal.name.as_deref().unwrap_or(principal.id.as_str());
    format!("{} {}", principal.kind.word(), Shown(text))
}

/// Writes the chain of evidence, the verdict, and the way out.
///
/// # Errors
/// Only if `out` fails.
pub fn write_text(out: &mut impl Write, question: &Question, answer: &Answer, lines: &Lines<'_>) -> fmt::Result {
    writeln!(out, "{}\n", style::heading(format!("why: {}", question_words(question, answer))))?;
    for (mark, label, text) in evidence(question, answer, lines) {
        let mark = match mark {
            Mark::Ok => style::added("ok").to_string(),
            Mark::Missing => style::removed("--").to_string(),
            Mark::Note => style::changed(" !").to_string(),
            Mark::Plain => "  ".to_owned(),
        };
        writeln!(out, "  {mark}  {label:<16} {text}")?;
    }
    let verdict = verdict(question, answer);
    let styled = if answer.verdict == Verdict::Access { style::success(verdict) } else { style::error(verdict) };
    writeln!(out, "\n{styled}")?;
    if let Some(patch) = &lines.patch {
        writeln!(out, "\nthis patch to the access file would give it:\n\n{}", harmless(patch))?;
    } else if let Some(added) = &lines.lines {
        writeln!(out, "\nthese lines under `assignments` of the access file would give it:\n\n{}", harmless(added))?;
    }
    if let Some(next) = &lines.next {
        writeln!(out, "\n{}: {}", style::hint("next"), Shown(next))?;
    }
    Ok(())
}

fn question_words(question: &Question, answer: &Answer) -> String {
    let what = match &question.permission_set {
        Some(set) => format!("{set} in "),
        None => String::new(),
    };
    format!("{} {} -> {what}{}", question.kind.word(), Shown(&question.name), answer.account)
}

/// How a link of the chain is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It holds.
    Ok,
    /// It is missing.
    Missing,
    /// It holds, and somebody should look.
    Note,
    /// It is only told.
    Plain,
}

type Evidence = (Mark, &'static str, String);

/// Tells the chain link by link.
pub fn evidence(question: &Question, answer: &Answer, lines: &Lines<'_>) -> Vec<Evidence> {
    let mut evidence = vec![principal(question, answer)];
    if question.kind == PrincipalKind::User && answer.who.is_some() {
        evidence.push(match &answer.groups {
            None => (Mark::Note, "groups", "may not be read".to_owned()),
            Some(groups) if groups.is_empty() => (Mark::Plain, "groups", "none".to_owned()),
            Some(groups) => {
                let names: Vec<String> =
                    groups.iter().map(|it| Shown(it.name.as_deref().unwrap_or(it.id.as_str())).to_string()).collect();
                (Mark::Plain, "groups", names.join(", "))
            }
        });
    }
    evidence.push(match &answer.account_state {
        AccountState::Active => (Mark::Ok, "account", format!("{} is active", answer.account)),
        AccountState::Inactive(state) => (Mark::Missing, "account", format!("{} is {}", answer.account, Shown(state))),
    });
    if let Some(set) = question.permission_set.as_ref().filter(|_| !answer.set_exists) {
        evidence.push((Mark::Missing, "permission set", format!("there is no {set} yet")));
    }
    evidence.extend(declared(answer, lines));
    for route in &answer.routes {
        evidence.extend(self::route(route));
    }
    if answer.routes.is_empty() && answer.who.is_some() {
        let what = question.permission_set.as_ref().map_or("anything".to_owned(), |set| set.to_string());
        let who = match question.kind {
            PrincipalKind::User => "neither they nor a group of theirs has",
            PrincipalKind::Group => "it does not have",
        };
        evidence.push((Mark::Missing, "live assignment", format!("{who} {what} there")));
    }
    if !answer.others.is_empty() && answer.verdict != Verdict::Access {
        let shown: Vec<String> = answer.others.iter().take(5).map(name).collect();
        let more = answer.others.len().saturating_sub(5);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        evidence.push((Mark::Plain, "who has it", format!("{}{more}", shown.join(", "))));
    }
    evidence
}

fn principal(question: &Question, answer: &Answer) -> Evidence {
    let word = question.kind.word();
    match (&answer.who, &answer.similar) {
        (Some(who), _) if who.disabled => {
            (Mark::Missing, word, format!("{} exists and is disabled", name(&who.principal)))
        }
        (Some(who), _) => {
            let state = if question.kind == PrincipalKind::User { "exists and is enabled" } else { "exists" };
            (Mark::Ok, word, format!("{} {state} ({})", name(&who.principal), who.principal.id))
        }
        (None, Some(similar)) => (
            Mark::Missing,
            word,
            format!("nobody is called {}; did you mean {}?", Shown(&question.name), Shown(similar)),
        ),
        (None, None) => (Mark::Missing, word, format!("nobody is called {}", Shown(&question.name))),
    }
}

fn declared(answer: &Answer, lines: &Lines<'_>) -> Vec<Evidence> {
    let (Some(declared), Some(file)) = (&answer.declared, lines.file) else { return Vec::new() };
    if declared.lines.is_empty() {
        let why = match (declared.declares_set, declared.in_scope) {
            (false, _) => "does not declare the permission set",
            (_, false) => "does not decide about this account",
            (true, true) => "has no line that gives it",
        };
        return vec![(Mark::Plain, "access file", format!("{} {why}", Shown(file)))];
    }
    let line = |(line, place): (&crate::effective::why::DeclaredLine, &String)| {
        let sets: Vec<&str> = line.permission_sets.iter().map(|set| set.as_str()).collect();
        let through = Shown(&line.through);
        if line.expired {
            (Mark::Note, "access file", format!("{place} gave {} to {through}, and has expired", sets.join(", ")))
        } else {
            (Mark::Ok, "access file", format!("{place} gives {} to {through}", sets.join(", ")))
        }
    };
    declared.lines.iter().zip(&lines.places).map(line).collect()
}

fn route(route: &Route) -> Vec<Evidence> {
    let how = if route.direct { "directly".to_owned() } else { format!("through {}", name(&route.through)) };
    let set = &route.permission_set;
    let role = match route.role {
        Some(Role::UpToDate) => (Mark::Ok, "role", format!("AWSReservedSSO_{set}_… is in the account, up to date")),
        Some(Role::Stale) => (
            Mark::Note,
            "role",
            format!("AWSReservedSSO_{set}_… runs an older version: {set} was edited and not provisioned since"),
        ),
        None => (Mark::Missing, "role", format!("{set} is not provisioned in the account")),
    };
    vec![(Mark::Ok, "live assignment", format!("{set}, {how}")), role]
}

/// Says the conclusion in one sentence.
pub fn verdict(question: &Question, answer: &Answer) -> String {
    let account = &answer.account;
    let missing = match answer.verdict {
        Verdict::Access => {
            let mut sets: Vec<&str> = answer.routes.iter().map(|route| route.permission_set.as_str()).collect();
            sets.dedup();
            return format!("access: {} in {account}", sets.join(", "));
        }
        Verdict::Unknown => {
            return "unknown: not directly, and the groups may not be read by this caller".to_owned();
        }
        Verdict::NoAccess(missing) => missing,
    };
    let why = match missing {
        Missing::Principal => format!("there is no {} of this name", question.kind.word()),
        Missing::SignIn => "the user is disabled and cannot sign in".to_owned(),
        Missing::ActiveAccount => format!("{account} is not active"),
        Missing::PermissionSet => "there is no such permission set".to_owned(),
        Missing::Apply => "the access file gives it, and it was not applied".to_owned(),
        Missing::Assignment => "the assignment is missing".to_owned(),
        Missing::Provisioning => "the assignment is there, and the role is not in the account".to_owned(),
    };
    format!("no access: {why}")
}

/// A patch also shows lines of the file that it is about. Tabs and the line ends of Windows are part of them.
fn harmless(patch: &str) -> String {
    let line = |line: &str| {
        let (line, end) = line.strip_suffix('\r').map_or((line, ""), |line| (line, "\r"));
        let parts: Vec<String> = line.split('\t').map(|part| Shown(part).to_string()).collect();
        format!("{}{end}", parts.join("\t"))
    };
    patch.trim_end_matches('\n').split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Writes a message to whoever can mend it: who, where, what, and why.
///
/// # Errors
/// Only if `out` fails.
pub fn write_request(
    out: &mut impl Write,
    question: &Question,
    answer: &Answer,
    lines: &Lines<'_>,
    reason: Option<&str>,
) -> fmt::Result {
    let set = question.permission_set.as_ref().map_or("<permission set>", |set| set.as_str());
    let user = answer.who.as_ref().and_then(|who| who.principal.name.as_deref()).unwrap_or(&question.name);
    let (kind, user) = (question.kind.word(), Shown(user));
    writeln!(out, "Subject: Access to {set} in AWS account {}\n", answer.account.id)?;
    writeln!(out, "Please assign my {kind} to the permission set {set} in the account {}.\n", answer.account)?;
    writeln!(out, "  {kind:<15} {user}")?;
    writeln!(out, "  {:<15} {}", "account", answer.account)?;
    writeln!(out, "  {:<15} {set}", "permission set")?;
    writeln!(
        out,
        "  {:<15} {}",
        "justification",
        reason.map_or("<why you need it>".to_owned(), |it| Shown(it).to_string())
    )?;
    writeln!(out, "  {:<15} {}", "what is missing", verdict(question, answer))?;
    if !answer.others.is_empty() {
        let names: Vec<String> = answer.others.iter().take(5).map(name).collect();
        writeln!(out, "  {:<15} {}", "who has it", names.join(", "))?;
    }
    if let Some(patch) = &lines.patch {
        writeln!(out, "\nThe change to {}:\n\n{}", Shown(lines.file.unwrap_or("access.yaml")), harmless(patch))?;
    }
    Ok(())
}

/// Writes which permission sets reach an account; `place` tells where a rule stands.
///
/// # Errors
/// Only if `out` fails.
pub fn write_account(
    out: &mut impl Write,
    account: &AccountRef,
    sets: &[SetThere],
    place: &dyn Fn(usize) -> Option<String>,
) -> fmt::Result {
    let heading = format!("why: {} in {account}", crate::report::count(sets.len(), "permission set"));
    writeln!(out, "{}", style::heading(heading))?;
    for SetThere { permission_set, declared, rules, holders, role } in sets {
        writeln!(out, "\n  {}", style::heading(permission_set))?;
        let places: Vec<String> = rules.iter().filter_map(|rule| place(*rule)).collect();
        let file = match (declared, places.as_slice()) {
            (None, _) => None,
            (Some(false), _) => Some("does not declare it".to_owned()),
            (Some(true), []) => Some("declares it and gives it to nobody there".to_owned()),
            (Some(true), places) => Some(places.join(", ")),
        };
        if let Some(file) = file {
            writeln!(out, "      {:<16} {file}", "access file")?;
        }
        let told = |it: &Principal| {
            let gone = if it.name.is_none() { " (deleted)" } else { "" };
            format!("{}{gone}", name(it))
        };
        let held: Vec<String> = holders.iter().map(told).collect();
        let held = if held.is_empty() { "nobody".to_owned() } else { held.join(", ") };
        writeln!(out, "      {:<16} {held}", "who has it")?;
        let role = match role {
            Some(Role::UpToDate) => "up to date",
            Some(Role::Stale) => "an older version: it was edited and not provisioned since",
            None => "not in the account",
        };
        writeln!(out, "      {:<16} {role}", "role")?;
    }
    Ok(())
}
