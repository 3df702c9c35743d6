//! Two independent YAML parsers agree on what our access files say: one opinion is not enough where a document decides
//! who may do what.

use serde_json::Value;

use crate::support::{files, folders};

/// A document in which every scalar is its text, as permset reads it.
fn texts(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(texts).collect(),
        Value::Object(map) => Value::Object(map.iter().map(|(key, value)| (key.clone(), texts(value))).collect()),
        Value::Number(number) => Value::String(number.to_string()),
        Value::Bool(flag) => Value::String(flag.to_string()),
        other => other.clone(),
    }
}

fn ours(text: &str) -> Value {
    let options = serde_yaml::options! {
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        strict_booleans: true,
    };
    texts(&serde_yaml::from_str_with_options(text, options).unwrap())
}

/// Merge keys are YAML 1.1; the second parser leaves them to its caller.
fn theirs(text: &str) -> Value {
    let mut value: yaml_serde::Value = yaml_serde::from_str(text).unwrap();
    value.apply_merge().unwrap();
    texts(&serde_json::to_value(value).unwrap())
}

#[test]
fn both_parsers_read_the_same() {
    let scenarios = folders("scenarios").into_iter().map(|folder| folder.join("access.yaml"));
    for path in files("access/valid", ".yaml").into_iter().chain(scenarios) {
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(ours(&text), theirs(text.trim_start_matches('\u{feff}')), "{}", path.display());
    }
}
