//! How two policies differ, statement by statement.

use super::meaning::canonical_statement;
use super::{Document, Effect, Policy, Selection, Statement};
use crate::model::Shown;

/// Says what changes from one policy to another, a line each, in the spelling of the documents; empty if one of them
/// is no policy document.
pub fn lines(before: &Policy, after: &Policy) -> Vec<String> {
    let (Some(old), Some(new)) = (before.document(), after.document()) else { return Vec::new() };
    if before == after {
        return Vec::new();
    }
    let mut lines = Vec::new();
    if old.version != new.version {
        lines.push(format!("version {} -> {}", Shown(&old.version), Shown(&new.version)));
    }
    if old.id != new.id {
        lines.push("the id of the document changes".to_owned());
    }
    // With a second statement beside it, what one gains or loses need not change what the whole allows.
    let alone = old.statements.len() == 1 && new.statements.len() == 1;
    let stays = |document: &Document, statement: &Statement| {
        let wanted = canonical_statement(statement);
        document.statements.iter().any(|other| canonical_statement(other) == wanted)
    };
    let mut moved = old.statements.len() == new.statements.len();
    for (index, statement) in new.statements.iter().enumerate().filter(|(_, statement)| !stays(old, statement)) {
        moved = false;
        match partner(old, statement, index).filter(|partner| !stays(new, partner)) {
            Some(partner) => lines.push(format!("~ {}: {}", statement.label(index), edits(partner, statement, alone))),
            None => lines.push(format!("+ {}: {statement}", statement.label(index))),
        }
    }
    for (index, statement) in old.statements.iter().enumerate().filter(|(_, statement)| !stays(new, statement)) {
        moved = false;
        if partner(new, statement, index).is_none_or(|partner| stays(old, partner)) {
            lines.push(format!("- {}: {statement}", statement.label(index)));
        }
    }
    if moved && lines.is_empty() {
        lines.push("the same statements in another order".to_owned());
    }
    lines
}

/// Finds the statement of the same Sid, or, among those without, the one at the same position.
fn partner<'a>(document: &'a Document, statement: &Statement, index: usize) -> Option<&'a Statement> {
    match &statement.sid {
        Some(sid) => document.statements.iter().find(|other| other.sid.as_ref() == Some(sid)),
        None => document.statements.get(index).filter(|other| other.sid.is_none()),
    }
}

fn edits(before: &Statement, after: &Statement, alone: bool) -> String {
    let mut parts = Vec::new();
    if before.effect != after.effect {
        parts.push(format!("effect {} -> {}", before.effect.word(), after.effect.word()));
    }
    parts.extend(selection_edits("actions", &before.actions, &after.actions, str::eq_ignore_ascii_case));
    parts.extend(selection_edits("resources", &before.resources, &after.resources, |a, b| a == b));
    let (before, after) = (canonical_statement(before), canonical_statement(after));
    let texts = |statement: &Statement| -> Vec<String> {
        let text =
            |(operator, key, values): &(String, String, Vec<String>)| format!("{operator} {key} {}", values.join(", "));
        statement.conditions.iter().map(text).collect()
    };
    let (old, new) = (texts(&before), texts(&after));
    let gone = old.iter().filter(|text| !new.contains(text)).map(|text| format!("condition - {}", Shown(text)));
    let come = new.iter().filter(|text| !old.contains(text)).map(|text| format!("condition + {}", Shown(text)));
    parts.extend(gone.chain(come));
    match direction(&before, &after).filter(|_| alone) {
        Some(direction) => format!("{} ({direction})", parts.join("; ")),
        None => parts.join("; "),
    }
}

fn selection_edits(what: &str, before: &Selection, after: &Selection, same: fn(&str, &str) -> bool) -> Option<String> {
    if std::mem::discriminant(before) != std::mem::discriminant(after) {
        let word = if matches!(after, Selection::Only(_)) { "only" } else { "all but" };
        return Some(format!("{what} now {word} {}", list(after.patterns().iter())));
    }
    let missing_in = |others: &Selection, pattern: &str| !others.patterns().iter().any(|other| same(other, pattern));
    let added = list(after.patterns().iter().filter(|pattern| missing_in(before, pattern)));
    let removed = list(before.patterns().iter().filter(|pattern| missing_in(after, pattern)));
    let signed = [('+', added), ('-', removed)].into_iter().filter(|(_, text)| !text.is_empty());
    let changes: Vec<String> = signed.map(|(sign, text)| format!("{sign} {text}")).collect();
    (!changes.is_empty()).then(|| format!("{what} {}", changes.join(" ")))
}

fn list<'a>(patterns: impl Iterator<Item = &'a String>) -> String {
    patterns.map(|pattern| Shown(pattern).to_string()).collect::<Vec<_>>().join(", ")
}

/// Says whether the new statement lets more or less through, where that can be told from the lists alone.
fn direction(before: &Statement, after: &Statement) -> Option<&'static str> {
    if before.effect != after.effect || before.conditions != after.conditions {
        return None;
    }
    let growth = match (growth(&before.actions, &after.actions)?, growth(&before.resources, &after.resources)?) {
        (0, change) | (change, 0) => change,
        (a, b) if a == b => a,
        _ => return None,
    };
    let growth = if after.effect == Effect::Deny { -growth } else { growth };
    match growth {
        1 => Some("widens"),
        -1 => Some("narrows"),
        _ => None,
    }
}

/// Returns 1 if the selection only grew, -1 if it only shrank, 0 if it is the same, `None` if it did both.
fn growth(before: &Selection, after: &Selection) -> Option<i8> {
    if std::mem::discriminant(before) != std::mem::discriminant(after) {
        return None;
    }
    let outside = |pattern: &String, others: &Selection| !others.patterns().iter().any(|other| covers(other, pattern));
    let grew = after.patterns().iter().any(|pattern| outside(pattern, before));
    let shrank = before.patterns().iter().any(|pattern| outside(pattern, after));
    let sign = if matches!(after, Selection::Only(_)) { 1 } else { -1 };
    match (grew, shrank) {
        (true, true) => None,
        (true, false) => Some(sign),
        (false, true) => Some(-sign),
        (false, false) => Some(0),
    }
}

/// Returns whether everything that `text` matches is matched by `pattern`: sound, for a wildcard of `text` is only
/// covered by one of `pattern`; not complete.
pub fn covers(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t, mut star) = (0, 0, None);
    while let Some(c) = text.get(t) {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(q) if q == c || (*q == '?' && *c != '*') => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, from)) => {
                    (p, t) = (at + 1, from + 1);
                    star = Some((at, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|c| *c == '*'))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::lines;
    use crate::model::Policy;

    fn policy(statements: &Value) -> Policy {
        Policy::from_live(&json!({"Version": "2012-10-17", "Statement": statements}).to_string())
    }

    #[test]
    fn says_what_each_statement_gains_and_loses() {
        let before = policy(&json!([
            {"Effect": "Allow", "Action": ["ecs:*", "s3:*"], "Resource": "*"},
            {"Sid": "Stop", "Effect": "Deny", "Action": ["iam:*", "sts:*"], "Resource": "*"},
            {"Sid": "Gone", "Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]));
        let after = policy(&json!([
            {"Effect": "Allow", "Action": ["ecs:*", "s3:*", "ec2:*"], "Resource": "*"},
            {"Sid": "Stop", "Effect": "Deny", "Action": ["iam:*"], "Resource": "*"},
            {"Sid": "New", "Effect": "Allow", "Action": "sns:*", "Resource": "*"}]));
        assert_eq!(
            lines(&before, &after),
            [
                "~ statement 1: actions + ec2:*",
                "~ statement `Stop`: actions - sts:*",
                "+ statement `New`: allow sns:* on *",
                "- statement `Gone`: allow sqs:* on *"
            ]
        );
        assert!(lines(&before, &before).is_empty());
    }

    fn alone(effect: &str, actions: &Value, condition: &Value) -> Policy {
        policy(&json!({"Effect": effect, "Action": actions, "Resource": "*", "Condition": condition}))
    }

    #[test]
    fn a_direction_is_named_only_where_it_is_certain() {
        let none = json!({});
        let change =
            |effect, before: Value, after: Value| lines(&alone(effect, &before, &none), &alone(effect, &after, &none));
        assert_eq!(
            change("Allow", json!("s3:Get*"), json!(["s3:Get*", "S3:put*"])),
            ["~ statement 1: actions + S3:put* (widens)"]
        );
        assert_eq!(
            change("Deny", json!("s3:Get*"), json!(["s3:Get*", "s3:Put*"])),
            ["~ statement 1: actions + s3:Put* (narrows)"]
        );
        assert_eq!(change("Allow", json!(["s3:*", "s3:a"]), json!("s3:*")), ["~ statement 1: actions - s3:a"]);
        assert_eq!(change("Allow", json!("s3:?"), json!("s3:*")), ["~ statement 1: actions + s3:* - s3:? (widens)"]);
        assert_eq!(change("Allow", json!("a:b"), json!("c:d")), ["~ statement 1: actions + c:d - a:b"]);
    }

    #[test]
    fn conditions_and_order_are_told() {
        let bool = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
        let (with, without) = (alone("Allow", &json!("a:*"), &bool), alone("Allow", &json!("a:*"), &json!({})));
        assert_eq!(lines(&with, &without), ["~ statement 1: condition - bool aws:multifactorauthpresent true"]);
        let (one, two) = (
            json!({"Effect": "Allow", "Action": "a:*", "Resource": "*"}),
            json!({"Effect": "Deny", "Action": "b:*", "Resource": "*"}),
        );
        assert_eq!(
            lines(&policy(&json!([one, two])), &policy(&json!([two, one]))),
            ["the same statements in another order"]
        );
    }
}
