//! When two policies mean the same.
//!
//! The rules are those of the IAM policy grammar (IAM user guide, "Grammar of the IAM JSON policy language" and
//! "IAM JSON policy elements"): one value and a list of one are the same, lists are sets, action names, condition
//! operators and condition keys know no case, condition values are strings however they are written.

use super::{Body, Document, Policy, Selection, Statement};

impl PartialEq for Policy {
    fn eq(&self, other: &Self) -> bool {
        match (&self.body, &other.body) {
            (Body::Document(a), Body::Document(b)) => a == b || canonical(a) == canonical(b),
            (Body::Unreadable(a), Body::Unreadable(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Policy {}

/// Returns the one spelling that all documents of the same meaning share.
pub(super) fn canonical(document: &Document) -> Document {
    let Document { version, id, statements } = document;
    Document {
        version: version.clone(),
        id: id.clone(),
        statements: statements.iter().map(canonical_statement).collect(),
    }
}

pub(super) fn canonical_statement(statement: &Statement) -> Statement {
    let Statement { sid, effect, actions, resources, conditions } = statement;
    // Not merged by key: `StringEquals` and `stringequals` are two blocks, and both must hold.
    let mut folded: Vec<(String, String, Vec<String>)> = Vec::with_capacity(conditions.len());
    for (operator, key, values) in conditions {
        let operator = operator.to_ascii_lowercase();
        let numeric = operator.contains("numeric");
        let values = values.iter().map(|value| if numeric { same_number(value) } else { value.clone() });
        folded.push((operator, key.to_ascii_lowercase(), as_set(values.collect())));
    }
    folded.sort();
    Statement {
        sid: sid.clone(),
        effect: *effect,
        actions: canonical_selection(actions, |action| action.to_ascii_lowercase()),
        resources: canonical_selection(resources, str::to_owned),
        conditions: folded,
    }
}

/// Writes equal numbers equally, as long as they have no more digits than a float keeps apart.
fn same_number(text: &str) -> String {
    match text.trim().parse::<f64>() {
        Ok(number) if text.bytes().filter(u8::is_ascii_digit).count() <= 15 && number.is_finite() => number.to_string(),
        _ => text.to_owned(),
    }
}

fn canonical_selection(selection: &Selection, fold: impl Fn(&str) -> String) -> Selection {
    let patterns = as_set(selection.patterns().iter().map(|pattern| fold(pattern)).collect());
    match selection {
        Selection::Only(_) => Selection::Only(patterns),
        Selection::AllBut(_) => Selection::AllBut(patterns),
    }
}

fn as_set(mut values: Vec<String>) -> Vec<String> {
    values.sort();
    values.dedup();
    values
}

/// Returns the document with its lists in order, in the spelling of its author: for reading, not for comparing.
pub(super) fn tidy(document: &Document) -> Document {
    let tidy_list = |patterns: &[String]| {
        let mut patterns = patterns.to_vec();
        patterns.sort_by_key(|pattern| pattern.to_ascii_lowercase());
        patterns.dedup();
        patterns
    };
    let tidy_selection = |selection: &Selection| match selection {
        Selection::Only(patterns) => Selection::Only(tidy_list(patterns)),
        Selection::AllBut(patterns) => Selection::AllBut(tidy_list(patterns)),
    };
    let tidy_statement = |statement: &Statement| {
        let mut conditions = statement.conditions.clone();
        conditions.iter_mut().for_each(|(_, _, values)| *values = tidy_list(values));
        conditions.sort();
        let (actions, resources) = (tidy_selection(&statement.actions), tidy_selection(&statement.resources));
        Statement { sid: statement.sid.clone(), effect: statement.effect, actions, resources, conditions }
    };
    let statements = document.statements.iter().map(tidy_statement).collect();
    Document { version: document.version.clone(), id: document.id.clone(), statements }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::model::Policy;

    fn live(value: &Value) -> Policy {
        Policy::from_live(&value.to_string())
    }

    fn statement(statement: &Value) -> Policy {
        live(&json!({"Version": "2012-10-17", "Statement": statement}))
    }

    #[test]
    fn spelling_does_not_count() {
        let one = statement(&json!({"Effect": "Allow", "Action": ["s3:Get*", "ec2:Run*"], "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": true}, "NumericLessThan": {"s3:max-keys": 10}}}));
        let other =
            statement(&json!([{"Resource": ["*"], "Action": ["EC2:run*", "s3:Get*", "s3:get*"], "Effect": "Allow",
            "Condition": {"NumericLessThan": {"s3:Max-Keys": [10.0]}, "bool": {"AWS:SecureTransport": ["true"]}}}]));
        assert_eq!(one, other);
        let text = r#"{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"StringEquals":{"k":"1.10"}}}"#;
        let wrap = |statement: &str| Policy::from_live(&format!(r#"{{"Statement":{statement}}}"#));
        // Only numbers are compared as numbers, and only as far as a float can tell them apart.
        assert_ne!(wrap(text), wrap(&text.replace("1.10", "1.1")));
        let numeric = text.replace("StringEquals", "NumericEquals");
        assert_eq!(wrap(&numeric), wrap(&numeric.replace("1.10", "1.1")));
        let long = numeric.replace("1.10", "123456789012345678901");
        assert_ne!(wrap(&long), wrap(&long.replace("8901", "8902")));
    }

    #[test]
    fn meaning_counts() {
        let base = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::a"});
        for (key, value) in [
            ("Effect", json!("Deny")),
            ("Action", json!(["s3:*", "ec2:*"])),
            ("Resource", json!("arn:aws:s3:::A")),
            ("Sid", json!("Name")),
            ("Condition", json!({"Bool": {"aws:SecureTransport": "true"}})),
        ] {
            let mut changed = base.clone();
            if let Value::Object(map) = &mut changed {
                map.insert(key.to_owned(), value);
            }
            assert_ne!(statement(&base), statement(&changed), "{key}");
        }
        let not_action = json!({"Effect": "Allow", "NotAction": "s3:*", "Resource": "arn:aws:s3:::a"});
        assert_ne!(statement(&base), statement(&not_action));
    }

    #[test]
    fn the_order_of_statements_and_the_version_count() {
        let (a, b) = (
            json!({"Effect": "Allow", "Action": "a:*", "Resource": "*"}),
            json!({"Effect": "Allow", "Action": "b:*", "Resource": "*"}),
        );
        assert_ne!(statement(&json!([a, b])), statement(&json!([b, a])));
        let old = live(&json!({"Statement": a}));
        assert_eq!(old, live(&json!({"Version": "2008-10-17", "Statement": [a]})));
        assert_ne!(old, statement(&a));
    }

    #[test]
    fn two_blocks_of_conditions_are_not_one() {
        let both = json!({"StringEquals": {"a": "b"}, "stringequals": {"a": "c"}});
        let either = json!({"StringEquals": {"a": ["b", "c"]}});
        let with = |condition: &Value| {
            statement(&json!({"Effect": "Allow", "Action": "a:b", "Resource": "*", "Condition": condition}))
        };
        assert_ne!(with(&both), with(&either));
    }

    #[test]
    fn a_text_that_is_no_policy_equals_only_itself() {
        assert_eq!(Policy::from_live("{"), Policy::from_live("{"));
        assert_ne!(Policy::from_live("{"), Policy::from_live("{ "));
        assert_eq!(Policy::from_live("{").to_text(), "{");
    }
}
