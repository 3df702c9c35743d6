//! Policies of the access file: from YAML, from a text in JSON, or from a file, with every fault at its place.

use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use crate::desired::source::Reader;
use crate::desired::yaml::{self, Kind, Node};
use crate::model::policy::{Fault, NON_WHITE_SPACE_LIMIT, Step, TOTAL_LIMIT, risk};
use crate::model::{Finding, Located, Place, Policy, Shown};

/// Reads `inline_policy`.
pub(super) fn inline(node: &Node, findings: &mut Vec<Finding>) -> Option<Policy> {
    let Kind::Text(text) = &node.kind else { return from_tree(node, findings) };
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        let message = format!("the inline policy is a text that is not JSON: {}", Shown(&error.to_string()));
        findings.push(Finding::error(node.place, message).hint("write the policy as YAML, without quotes or `|`"));
        return None;
    }
    let mut inside = Vec::new();
    let policy = match yaml::parse(&without_tabs(text), 0) {
        Ok(tree) => from_tree(&tree, &mut inside),
        Err(errors) => {
            inside.extend(errors);
            None
        }
    };
    // Places inside of the text are not places of the file.
    findings.extend(inside.into_iter().map(|finding| Finding { place: Some(node.place), ..finding }));
    policy
}

/// Reads `inline_policy_file`.
pub(super) fn from_file(name: &Located<String>, reader: &mut Reader, findings: &mut Vec<Finding>) -> Option<Policy> {
    let file = match reader.read_beside(&name.value) {
        Ok(file) => file,
        Err(why) => {
            findings.push(Finding::error(name.place, Shown(&why).to_string()));
            return None;
        }
    };
    let text = reader.sources().text(file);
    let parsed = if text.trim_start().starts_with('{') && text.contains('\t') {
        yaml::parse(&without_tabs(text), file)
    } else {
        yaml::parse(text, file)
    };
    match parsed {
        Ok(node) => from_tree(&node, findings),
        Err(errors) => {
            findings.extend(errors);
            None
        }
    }
}

/// JSON allows tabs where YAML does not; a raw tab cannot stand inside of a JSON text, so a blank says the same.
fn without_tabs(json: &str) -> String {
    json.replace('\t', " ")
}

fn from_tree(node: &Node, findings: &mut Vec<Finding>) -> Option<Policy> {
    let value = to_json(node, findings)?;
    policy(&value, &|path, at_key| locate(node, path, at_key), findings)
}

fn policy(value: &Value, place: &dyn Fn(&[Step], bool) -> Place, findings: &mut Vec<Finding>) -> Option<Policy> {
    let policy = match Policy::parse(value) {
        Ok(policy) => policy,
        Err(faults) => {
            findings.extend(faults.into_iter().map(|fault| {
                let Fault { path, at_key, message, hint } = fault;
                Finding { hints: hint.into_iter().collect(), ..Finding::error(place(&path, at_key), message) }
            }));
            return None;
        }
    };
    let whole = place(&[], false);
    if let Some((message, hint)) = refused_text(&policy.to_text()) {
        findings.push(Finding::error(whole, message).hint(hint));
        return None;
    }
    for risk in policy.document().map(risk::risks).unwrap_or_default() {
        findings.push(Finding::warning(place(&risk.path, false), risk.message));
    }
    Some(policy)
}

/// Quotas of the Identity Center user guide, and the character set of the API model (InlinePolicy).
fn refused_text(text: &str) -> Option<(String, &'static str)> {
    let dense = text.chars().filter(|c| !c.is_whitespace()).count();
    if let Some(wrong) = text.chars().find(|c| !matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{ff}')) {
        let message = format!("a policy cannot hold the character `{}`", Shown(&wrong.to_string()));
        Some((message, "IAM takes Latin script only; `?` stands for any character"))
    } else if dense > NON_WHITE_SPACE_LIMIT {
        let message =
            format!("the inline policy has {dense} characters without white space, AWS takes {NON_WHITE_SPACE_LIMIT}");
        Some((message, "move part of it into a customer managed policy"))
    } else if text.len() > TOTAL_LIMIT {
        let message = format!("the inline policy has {} bytes, AWS takes {TOTAL_LIMIT}", text.len());
        Some((message, "move part of it into a customer managed policy"))
    } else {
        None
    }
}

fn to_json(node: &Node, findings: &mut Vec<Finding>) -> Option<Value> {
    Some(match &node.kind {
        Kind::Bool(spelling) => Value::Bool(spelling.eq_ignore_ascii_case("true")),
        // As it is spelled: to IAM every condition value is a text, and a number would lose digits on the way.
        Kind::Number(spelling) => Value::from(spelling.clone()),
        Kind::Text(text) => Value::from(text.clone()),
        Kind::Null => {
            findings.push(Finding::error(node.place, "expected a value, found nothing"));
            return None;
        }
        Kind::List(items) => Value::Array(items.iter().map(|item| to_json(item, findings)).collect::<Option<_>>()?),
        Kind::Map(entries) => {
            let pairs = entries.iter().map(|(key, value)| Some((key.text.clone(), to_json(value, findings)?)));
            Value::Object(pairs.collect::<Option<Map<_, _>>>()?)
        }
    })
}

/// Finds the place of a path, or of the nearest thing around it that has one.
fn locate(node: &Node, path: &[Step], at_key: bool) -> Place {
    let Some((step, rest)) = path.split_first() else { return first_line(node) };
    match (&node.kind, step) {
        (Kind::Map(entries), Step::Key(name)) => match entries.iter().find(|(key, _)| key.text == *name) {
            Some((key, _)) if at_key && rest.is_empty() => key.place,
            Some((_, value)) => locate(value, rest, at_key),
            None => first_line(node),
        },
        (Kind::List(items), Step::Index(index)) => {
            items.get(*index).map_or(node.place, |item| locate(item, rest, at_key))
        }
        // A single statement may stand without a list around it.
        (_, Step::Index(_)) => locate(node, rest, at_key),
        _ => first_line(node),
    }
}

/// A block mapping ends lines below; its first key is enough to point at.
fn first_line(node: &Node) -> Place {
    match &node.kind {
        Kind::Map(entries) => entries.first().map_or(node.place, |(key, _)| key.place),
        Kind::List(items) => items.first().map_or(node.place, first_line),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => node.place,
    }
}
