//! Judges the text of an inline policy as PutInlinePolicyToPermissionSet does at call time: size, JSON, and the grammar of
//! identity-based policies.
//!
//! What actions and resources mean is not judged: such faults surface when a set is provisioned (tf#31456), if at all.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::wire::AwsError;

/// The limit of the quotas page, without white space.
const MAX_DENSE: usize = 10_240;
/// `InlinePolicy` of the botocore model.
const MAX_BYTES: usize = 32_768;

/// Accepts the text or says what AWS would say.
pub(super) fn check(text: &str) -> Result<(), AwsError> {
    if text.len() > MAX_BYTES {
        return Err(AwsError::validation(format!(
            "Value of input 'inlinePolicy' failed to satisfy constraint: Member must have length less than or equal to \
             {MAX_BYTES}"
        )));
    }
    let dense: usize = text.chars().filter(|c| !c.is_whitespace()).map(char::len_utf8).sum();
    if dense > MAX_DENSE {
        // LBHackney-IT/Data-Platform#2789
        return Err(AwsError::validation(format!(
            "Current size of the non-whitespace characters present in the InlinePolicy Document is {dense} bytes which has \
             exceeded the maximum limit of {MAX_DENSE} bytes"
        )));
    }
    // The first words are AWS's (aws-cloudformation/cloudformation-coverage-roadmap#1294), the rest says more than AWS does.
    grammar(text).map_err(|why| AwsError::validation(format!("Invalid PermissionsPolicy Document: {why}")))
}

// Source: grammar of the IAM JSON policy language, IAM user guide.
fn grammar(text: &str) -> Result<(), String> {
    let Strict(document) = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let document = document.as_object().ok_or("it is not an object")?;
    only(document, &["Version", "Id", "Statement"])?;
    match document.get("Version").map(Value::as_str) {
        None | Some(Some("2012-10-17" | "2008-10-17")) => {}
        Some(_) => return Err("Version must be 2012-10-17 or 2008-10-17".to_owned()),
    }
    match document.get("Statement") {
        Some(Value::Array(statements)) if statements.is_empty() => Err("Statement is empty".to_owned()),
        Some(Value::Array(statements)) => statements.iter().try_for_each(statement),
        Some(one @ Value::Object(_)) => statement(one),
        Some(_) => Err("Statement must be an object or a list of objects".to_owned()),
        None => Err("Statement is missing".to_owned()),
    }
}

fn statement(statement: &Value) -> Result<(), String> {
    let members = statement.as_object().ok_or("a statement is not an object")?;
    // Identity-based policies name no principal [IAM user guide]; Principal is thus as unknown here as any other word.
    only(members, &["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"])?;
    if !matches!(members.get("Sid"), None | Some(Value::String(_))) {
        return Err("Sid must be a string".to_owned());
    }
    if !matches!(members.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny")) {
        return Err("Effect must be Allow or Deny".to_owned());
    }
    one_of(members, "Action", "NotAction")?;
    one_of(members, "Resource", "NotResource")?;
    match members.get("Condition") {
        None => Ok(()),
        Some(Value::Object(operators)) if operators.values().all(Value::is_object) => Ok(()),
        Some(_) => Err("Condition must be an object of objects".to_owned()),
    }
}

fn only(members: &Map<String, Value>, known: &[&str]) -> Result<(), String> {
    match members.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(format!("element {key} is not allowed")),
        None => Ok(()),
    }
}

fn one_of(members: &Map<String, Value>, one: &str, other: &str) -> Result<(), String> {
    let value = match (members.get(one), members.get(other)) {
        (Some(value), None) | (None, Some(value)) => value,
        _ => return Err(format!("a statement must have either {one} or {other}")),
    };
    let texts = match value {
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty() && items.iter().all(Value::is_string),
        _ => false,
    };
    if texts {
        return Ok(());
    }
    Err(format!("{one} or {other} must be a string or a list of strings"))
}

/// JSON in which no object has a key twice: IAM refuses those, where serde_json takes the last.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut seen = BTreeSet::new();
        let mut map = Map::new();
        while let Some((key, Strict(value))) = entries.next_entry::<String, Strict>()? {
            if !seen.insert(key.clone()) {
                return Err(A::Error::custom(format!("{key} appears twice")));
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}
