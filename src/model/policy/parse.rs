//! Reads a policy document and finds all that IAM would refuse in it.
//!
//! Source: IAM user guide, "Grammar of the IAM JSON policy language", as it applies to identity-based policies.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Document, Effect, Selection, Statement};
use crate::model::{Shown, similar_name};

/// One step from the document down to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into the value of a key.
    Key(String),
    /// Into an element of a list.
    Index(usize),
}

/// Something in a policy that IAM would refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The way to the value.
    pub path: Vec<Step>,
    /// Whether the key itself is meant, not its value.
    pub at_key: bool,
    /// What is wrong.
    pub message: String,
    /// A way out, if there is an obvious one.
    pub hint: Option<String>,
}

const TOP: [&str; 3] = ["Version", "Id", "Statement"];
const ELEMENTS: [&str; 7] = ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];
/// IAM user guide, "IAM JSON policy elements: Condition operators".
const OPERATORS: [&str; 27] = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
    "Null",
];
const OLD_VERSION: &str = "2008-10-17";

/// Reads a document.
///
/// # Errors
/// Every fault found, in the order of the document.
pub(super) fn document(value: &Value) -> Result<Document, Vec<Fault>> {
    let mut reader = Reader { path: Vec::new(), faults: Vec::new() };
    let document = reader.document(value);
    match document {
        Some(document) if reader.faults.is_empty() => Ok(document),
        _ => Err(reader.faults),
    }
}

struct Reader {
    path: Vec<Step>,
    faults: Vec<Fault>,
}

impl Reader {
    fn fault(&mut self, message: impl Into<String>) {
        self.faults.push(Fault { path: self.path.clone(), at_key: false, message: message.into(), hint: None });
    }

    fn within<T>(&mut self, step: Step, read: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step);
        let result = read(self);
        self.path.pop();
        result
    }

    fn document(&mut self, value: &Value) -> Option<Document> {
        let Value::Object(map) = value else {
            self.fault("a policy is a mapping with `Version` and `Statement`");
            return None;
        };
        self.refuse_unknown_keys(map, &TOP, "a policy document");
        let version = self.optional_text(map, "Version").unwrap_or_else(|| OLD_VERSION.to_owned());
        if version != "2012-10-17" && version != OLD_VERSION {
            self.within(Step::Key("Version".to_owned()), |r| {
                r.fault("the policy version is `2012-10-17` (or the old `2008-10-17`)");
            });
        }
        let id = self.optional_text(map, "Id");
        let Some(statement) = map.get("Statement") else {
            self.fault("the policy has no `Statement`");
            return None;
        };
        let statements = self.within(Step::Key("Statement".to_owned()), |r| r.statements(statement));
        self.refuse_duplicate_sids(&statements, statement.is_array());
        Some(Document { version, id, statements })
    }

    fn statements(&mut self, value: &Value) -> Vec<Statement> {
        match value {
            Value::Array(list) if list.is_empty() => {
                self.fault("the policy has no statement");
                Vec::new()
            }
            Value::Array(list) => {
                let read = |(index, value)| self.within(Step::Index(index), |r| r.statement(value));
                list.iter().enumerate().filter_map(read).collect()
            }
            one => self.statement(one).into_iter().collect(),
        }
    }

    fn statement(&mut self, value: &Value) -> Option<Statement> {
        let Value::Object(map) = value else {
            self.fault("a statement is a mapping with `Effect`, `Action` and `Resource`");
            return None;
        };
        self.refuse_unknown_keys(map, &ELEMENTS, "a statement");
        let sid = self.optional_text(map, "Sid");
        if sid.as_ref().is_some_and(|sid| !sid.bytes().all(|b| b.is_ascii_alphanumeric())) {
            self.within(Step::Key("Sid".to_owned()), |r| r.fault("a Sid consists of letters and digits"));
        }
        let effect = self.effect(map);
        let actions = self.selection(map, ["Action", "NotAction"]);
        if let Some(actions) = &actions {
            let key = if matches!(actions, Selection::Only(_)) { "Action" } else { "NotAction" };
            self.within(Step::Key(key.to_owned()), |r| r.action_names(actions));
        }
        let resources = self.selection(map, ["Resource", "NotResource"]);
        if let Some(resources) = &resources {
            let key = if matches!(resources, Selection::Only(_)) { "Resource" } else { "NotResource" };
            self.within(Step::Key(key.to_owned()), |r| r.resource_names(resources));
        }
        let conditions = self.conditions(map);
        Some(Statement { sid, effect: effect?, actions: actions?, resources: resources?, conditions })
    }

    fn effect(&mut self, map: &Map<String, Value>) -> Option<Effect> {
        match map.get("Effect") {
            Some(Value::String(text)) if text == "Allow" => Some(Effect::Allow),
            Some(Value::String(text)) if text == "Deny" => Some(Effect::Deny),
            Some(_) => {
                self.within(Step::Key("Effect".to_owned()), |r| r.fault("the effect is `Allow` or `Deny`"));
                None
            }
            None => {
                self.fault("the statement has no `Effect`");
                None
            }
        }
    }

    fn selection(&mut self, map: &Map<String, Value>, [only, all_but]: [&str; 2]) -> Option<Selection> {
        let (key, make): (_, fn(Vec<String>) -> Selection) = match (map.contains_key(only), map.contains_key(all_but)) {
            (true, false) => (only, Selection::Only),
            (false, true) => (all_but, Selection::AllBut),
            (true, true) => {
                self.fault(format!("the statement has both `{only}` and `{all_but}`"));
                return None;
            }
            (false, false) => {
                self.fault(format!("the statement has no `{only}`"));
                return None;
            }
        };
        let value = map.get(key)?;
        let patterns = self.within(Step::Key(key.to_owned()), |r| r.texts(value));
        (!patterns.is_empty()).then(|| make(patterns))
    }

    fn action_names(&mut self, actions: &Selection) {
        for action in actions.patterns() {
            let well_formed = action == "*"
                || action == "*:*"
                || action.split_once(':').is_some_and(|(service, name)| {
                    !service.is_empty()
                        && !name.is_empty()
                        && service.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"*?-_".contains(&b))
                });
            if !well_formed {
                self.fault(format!("`{}` is not an action: it looks like `service:Action` or `*`", Shown(action)));
            }
        }
    }

    /// IAM: "Resource foo must be in ARN format or \"*\"." What has wildcards before the name is left to IAM.
    fn resource_names(&mut self, resources: &Selection) {
        for resource in resources.patterns() {
            let open = |text: &str| text.contains(['*', '?', '$']);
            let parts: Vec<&str> = resource.splitn(6, ':').collect();
            let is_arn = parts.first() == Some(&"arn") && (parts.len() == 6 || open(resource));
            if !is_arn && !resource.starts_with(['*', '?', '$']) {
                self.fault(format!("`{}` is not a resource: it is an ARN or `*`", Shown(resource)));
            }
        }
    }

    fn conditions(&mut self, map: &Map<String, Value>) -> Vec<(String, String, Vec<String>)> {
        let Some(value) = map.get("Condition") else { return Vec::new() };
        self.within(Step::Key("Condition".to_owned()), |r| {
            let mut conditions = Vec::new();
            let Value::Object(operators) = value else {
                r.fault("a condition is a mapping of operators such as `StringEquals`");
                return conditions;
            };
            for (operator, block) in operators {
                r.refuse_unknown_operator(operator);
                r.within(Step::Key(operator.clone()), |r| {
                    let Value::Object(keys) = block else {
                        r.fault("a condition operator holds a mapping of condition keys");
                        return;
                    };
                    for (key, values) in keys {
                        let values = r.within(Step::Key(key.clone()), |r| r.scalars(values));
                        conditions.push((operator.clone(), key.clone(), values));
                    }
                });
            }
            conditions
        })
    }

    fn refuse_unknown_operator(&mut self, operator: &str) {
        let folded = operator.to_ascii_lowercase();
        let base =
            folded.strip_prefix("foranyvalue:").or_else(|| folded.strip_prefix("forallvalues:")).unwrap_or(&folded);
        let base = base.strip_suffix("ifexists").filter(|base| *base != "null").unwrap_or(base);
        if OPERATORS.iter().any(|known| known.eq_ignore_ascii_case(base)) {
            return;
        }
        let mut path = self.path.clone();
        path.push(Step::Key(operator.to_owned()));
        let hint = similar_name(operator, OPERATORS).map(|name| format!("did you mean `{name}`?"));
        let message = format!("`{}` is not a condition operator", Shown(operator));
        self.faults.push(Fault { path, at_key: true, message, hint });
    }

    fn texts(&mut self, value: &Value) -> Vec<String> {
        let items = match value {
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        let texts: Vec<String> = items.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        if texts.is_empty() || texts.len() < items.len() || texts.iter().any(String::is_empty) {
            self.fault("expected a text or a list of texts");
            return Vec::new();
        }
        texts
    }

    fn scalars(&mut self, value: &Value) -> Vec<String> {
        let items = match value {
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        let texts: Vec<String> = items.iter().filter_map(scalar_text).collect();
        if texts.len() < items.len() {
            self.fault("expected a text, a number, true or false, or a list of these");
        }
        texts
    }

    fn optional_text(&mut self, map: &Map<String, Value>, key: &str) -> Option<String> {
        match map.get(key)? {
            Value::String(text) => Some(text.clone()),
            _ => {
                self.within(Step::Key(key.to_owned()), |r| r.fault(format!("`{key}` is a text")));
                None
            }
        }
    }

    fn refuse_unknown_keys(&mut self, map: &Map<String, Value>, known: &[&str], what: &str) {
        for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
            let mut path = self.path.clone();
            path.push(Step::Key(key.clone()));
            let (message, hint) = if key == "Principal" || key == "NotPrincipal" {
                let hint = "whoever is assigned the permission set is the principal: leave it out".to_owned();
                (format!("`{key}` is not allowed in the policy of a permission set"), Some(hint))
            } else {
                let hint = similar_name(key, known.iter().copied()).map(|name| format!("did you mean `{name}`?"));
                (format!("{what} has no element `{}`", Shown(key)), hint)
            };
            self.faults.push(Fault { path, at_key: true, message, hint });
        }
    }

    fn refuse_duplicate_sids(&mut self, statements: &[Statement], in_list: bool) {
        let mut seen = BTreeSet::new();
        for (index, statement) in statements.iter().enumerate() {
            let Some(sid) = &statement.sid else { continue };
            if !seen.insert(sid) && in_list {
                let path = vec![Step::Key("Statement".to_owned()), Step::Index(index), Step::Key("Sid".to_owned())];
                let message = format!("two statements have the Sid `{}`", Shown(sid));
                self.faults.push(Fault { path, at_key: false, message, hint: None });
            }
        }
    }
}

/// Writes a condition value the one way IAM reads it: `1`, `1.0` and `"1"` are the same value.
fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e15 => format!("{float:.0}"),
            _ => number.to_string(),
        }),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::document;

    fn faults(value: &Value) -> Vec<String> {
        document(value).err().unwrap_or_default().into_iter().map(|fault| fault.message).collect()
    }

    #[test]
    fn everything_wrong_is_found_at_once() {
        let messages = faults(&json!({"Version": "2012", "Statements": 1, "Statement": [
            {"Effect": "allow", "Action": "s3", "Resource": "foo", "Condition": {"StringEqual": {"a": "b"}}},
            {"Effect": "Allow", "Action": "a:b", "NotAction": "a:c", "Resource": [], "Principal": "*", "Sid": "A B"},
        ]}));
        for part in [
            "no element `Statements`",
            "version is `2012-10-17`",
            "`Allow` or `Deny`",
            "`s3` is not an action",
            "`foo` is not a resource",
            "`StringEqual` is not a condition operator",
            "both `Action` and `NotAction`",
            "expected a text or a list",
            "`Principal` is not allowed",
            "a Sid consists of",
        ] {
            assert!(messages.iter().any(|message| message.contains(part)), "{part}: {messages:?}");
        }
    }

    #[test]
    fn sids_are_unique() {
        let statement = json!({"Sid": "A", "Effect": "Allow", "Action": "*", "Resource": "*"});
        assert_eq!(faults(&json!({"Statement": [statement, statement]})), ["two statements have the Sid `A`"]);
    }

    #[test]
    fn hostile_shapes_are_refused_without_a_panic() {
        for value in [
            json!(null),
            json!([]),
            json!("x"),
            json!({"Statement": {}}),
            json!({"Statement": [[1]]}),
            json!({"Statement": []}),
        ] {
            assert!(!faults(&value).is_empty(), "{value}");
        }
    }
}
