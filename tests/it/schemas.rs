//! The published schemas in `schema/` are what the program prints, and say what the program does.

use permset::{desired, report};
use serde_json::Value;

use crate::support::{assert_golden, tests_dir};

#[test]
fn the_published_schemas_are_those_of_the_program() {
    for (name, schema) in [
        ("access", desired::schema()),
        ("plan", report::json::plan_schema()),
        ("drift", report::json::drift_schema()),
        ("apply", report::json::apply_schema()),
        ("why", report::json::why_schema()),
        ("who-can", report::json::who_can_schema()),
        ("doctor", report::json::doctor_schema()),
    ] {
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        assert_golden(&text, &tests_dir(&format!("../schema/{name}.schema.json")));
    }
}

/// Every field that the access file can have, by walking its schema.
pub fn fields(schema: &Value) -> Vec<String> {
    let mut fields = Vec::new();
    walk(schema, &mut fields);
    fields.sort();
    fields.dedup();
    fields
}

fn walk(value: &Value, fields: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::Object(properties)) = map.get("properties") {
                fields.extend(properties.keys().cloned());
            }
            map.values().for_each(|value| walk(value, fields));
        }
        Value::Array(items) => items.iter().for_each(|value| walk(value, fields)),
        _ => {}
    }
}

#[test]
fn everything_that_people_can_write_is_explained() {
    let schema = desired::schema();
    assert_eq!(schema["additionalProperties"], Value::Bool(false));
    let mut unexplained = Vec::new();
    let definitions = schema["$defs"].as_object().unwrap().values().chain([&schema]);
    for definition in definitions {
        for (name, property) in definition["properties"].as_object().unwrap() {
            if property.get("description").is_none() {
                unexplained.push(name.clone());
            }
        }
    }
    assert!(unexplained.is_empty(), "{unexplained:?}");
}
