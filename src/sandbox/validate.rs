//! Checks a request against the constraints of its operation before anything else happens.
//!
//! The constraints are the model's; this walks them. Members that the model does not have are ignored, as AWS ignores them. A
//! wrong JSON type is a SerializationException, a broken constraint a ValidationException in the wording of the service. What
//! the values mean is not known here.

use serde_json::{Map, Value};

use super::model::{self, Bounds, Shape, Structure, Table, Text};
use super::wire::{AwsError, Service};

#[derive(Debug, Clone, Copy)]
enum Rule {
    Required,
    Pattern(&'static str),
    Enumeration(&'static [String]),
    MinLength(i64),
    MaxLength(i64),
    MinValue(i64),
    MaxValue(i64),
    ExactlyOne,
}

#[derive(Debug)]
struct Violation {
    path: String,
    value: String,
    rule: Rule,
}

/// Checks `input` against the input shape of its operation.
pub(super) fn check(service: Service, operation: &str, input: &Map<String, Value>) -> Result<(), AwsError> {
    let table = model::table(service);
    let Some(Some(shape)) = table.input(operation) else {
        return Ok(());
    };
    let mut walk = Walk { table, found: Vec::new() };
    walk.structure(shape, input, "")?;
    match walk.found.first() {
        None => Ok(()),
        Some(first) => Err(refusal(service, first, &walk.found)),
    }
}

struct Walk {
    table: &'static Table,
    found: Vec<Violation>,
}

impl Walk {
    fn structure(&mut self, shape: &'static Structure, input: &Map<String, Value>, path: &str) -> Result<(), AwsError> {
        for (name, shape, required) in shape.members() {
            match input.get(name) {
                // A null member is an absent one for every AWS JSON protocol.
                None | Some(Value::Null) if required => self.broken(join(path, name), &Value::Null, Rule::Required),
                None | Some(Value::Null) => {}
                Some(value) => self.value(shape, value, join(path, name))?,
            }
        }
        Ok(())
    }

    fn value(&mut self, shape: &str, value: &Value, path: String) -> Result<(), AwsError> {
        let Some(shape) = self.table.shape(shape) else {
            return Ok(());
        };
        match (shape, value) {
            (Shape::String(text), Value::String(given)) => self.text(text, given, value, path),
            (Shape::Integer(bounds), Value::Number(number)) => match number.as_i64() {
                Some(given) => self.bounded(*bounds, given, value, path, Rule::MinValue, Rule::MaxValue),
                None => return Err(mistyped(value, "an Integer")),
            },
            (Shape::List { of, bounds }, Value::Array(items)) => {
                if self.long_enough(*bounds, items.len(), value, &path) {
                    for (number, given) in items.iter().enumerate() {
                        self.value(of, given, format!("{path}.{}.member", number + 1))?;
                    }
                }
            }
            (Shape::Map { key, of, bounds }, Value::Object(entries)) => {
                if self.long_enough(*bounds, entries.len(), value, &path) {
                    for (name, given) in entries {
                        self.value(key, &Value::String(name.clone()), format!("{path}.key"))?;
                        self.value(of, given, format!("{path}.{name}.member"))?;
                    }
                }
            }
            (Shape::Structure(structure), Value::Object(given)) => {
                self.structure(structure, given, &path)?;
                let filled = given.values().filter(|it| !it.is_null()).count();
                if structure.union && filled != 1 {
                    self.broken(path, value, Rule::ExactlyOne);
                }
            }
            (Shape::Boolean, Value::Bool(_)) | (Shape::Timestamp, Value::Number(_)) | (Shape::Document, _) => {}
            (Shape::String(_), _) => return Err(mistyped(value, "a String")),
            (Shape::Integer(_), _) => return Err(mistyped(value, "an Integer")),
            (Shape::Boolean, _) => return Err(mistyped(value, "a Boolean")),
            (Shape::Timestamp, _) => return Err(mistyped(value, "a Timestamp")),
            (Shape::List { .. }, _) => return Err(mistyped(value, "a List")),
            (Shape::Map { .. }, _) => return Err(mistyped(value, "a Map")),
            (Shape::Structure(_), _) => return Err(mistyped(value, "a Structure")),
        }
        Ok(())
    }

    fn text(&mut self, text: &'static Text, given: &str, value: &Value, path: String) {
        if let Some(choices) = &text.choices {
            if !choices.iter().any(|choice| choice == given) {
                self.broken(path, value, Rule::Enumeration(choices));
            }
        } else if self.long_enough(text.bounds, given.chars().count(), value, &path) && !text.matches(given) {
            self.broken(path, value, Rule::Pattern(text.pattern()));
        }
    }

    fn long_enough(&mut self, bounds: Bounds, length: usize, value: &Value, path: &str) -> bool {
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        self.bounded(bounds, length, value, path.to_owned(), Rule::MinLength, Rule::MaxLength);
        bounds.contain(length)
    }

    fn bounded(
        &mut self,
        bounds: Bounds,
        amount: i64,
        value: &Value,
        path: String,
        below: fn(i64) -> Rule,
        above: fn(i64) -> Rule,
    ) {
        match bounds {
            Bounds { min: Some(min), .. } if amount < min => self.broken(path, value, below(min)),
            Bounds { max: Some(max), .. } if amount > max => self.broken(path, value, above(max)),
            Bounds { .. } => {}
        }
    }

    fn broken(&mut self, path: String, value: &Value, rule: Rule) {
        let value = match value {
            Value::String(text) => text.chars().take(256).collect(),
            Value::Null | Value::Number(_) | Value::Bool(_) => value.to_string(),
            Value::Array(_) => "[...]".to_owned(),
            Value::Object(_) => "{...}".to_owned(),
        };
        self.found.push(Violation { path, value, rule });
    }
}
// Members are named in lowerCamel in messages (tf#32010).
fn join(path: &str, name: &str) -> String {
    let mut letters = name.chars();
    let lower = letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters);
    if path.is_empty() { lower.collect() } else { path.chars().chain(['.']).chain(lower).collect() }
}

fn mistyped(value: &Value, wanted: &str) -> AwsError {
    let given = match value {
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    };
    AwsError::serialization(format!("{given} can not be converted to {wanted}"))
}

fn sentence(rule: Rule) -> String {
    match rule {
        Rule::Required => "Member must not be null".to_owned(),
        Rule::Pattern(pattern) => {
            format!("Member must satisfy regular expression pattern: {pattern}")
        }
        Rule::Enumeration(choices) => {
            format!("Member must satisfy enum value set: [{}]", choices.join(", "))
        }
        Rule::MinLength(min) => {
            format!("Member must have length greater than or equal to {min}")
        }
        Rule::MaxLength(max) => format!("Member must have length less than or equal to {max}"),
        Rule::MinValue(min) => {
            format!("Member must have value greater than or equal to {min}")
        }
        Rule::MaxValue(max) => format!("Member must have value less than or equal to {max}"),
        Rule::ExactlyOne => "Member must have exactly one of its members set".to_owned(),
    }
}

fn refusal(service: Service, first: &Violation, all: &[Violation]) -> AwsError {
    match service {
        // tf#32010, aws-samples/aws-iam-identity-center-automation#4
        Service::SsoAdmin => AwsError::validation(format!(
            "Value of input '{}' failed to satisfy constraint: {}",
            first.path,
            sentence(first.rule)
        )),
        // aws-amplify/amplify-backend#2702
        Service::IdentityStore => {
            let noun = if all.len() == 1 { "error" } else { "errors" };
            let each: Vec<String> = all
                .iter()
                .map(|it| {
                    let rule = sentence(it.rule);
                    let (value, path) = (&it.value, &it.path);
                    format!("Value '{value}' at '{path}' failed to satisfy constraint: {rule}")
                })
                .collect();
            AwsError::validation(format!("{} validation {noun} detected: {}", all.len(), each.join("; ")))
        }
        Service::Organizations => invalid_input(first.rule),
    }
}

// Organizations has a code of its own with a Reason. Source: botocore organizations model (InvalidInputExceptionReason); the
// message for patterns is quoted in aws-ia/terraform-aws-control_tower_account_factory#287, the others are worded like it.
fn invalid_input(rule: Rule) -> AwsError {
    let (reason, message) = match rule {
        Rule::Required | Rule::ExactlyOne => {
            ("INPUT_REQUIRED", "You must provide a value for every required parameter.")
        }
        Rule::Pattern(_) => ("INVALID_PATTERN", "You provided a value that does not match the required pattern."),
        Rule::Enumeration(_) => ("INVALID_ENUM", "You provided a value that is not one of the allowed values."),
        Rule::MinLength(_) => ("MIN_LENGTH_EXCEEDED", "You provided a value that is shorter than the minimum length."),
        Rule::MaxLength(_) => ("MAX_LENGTH_EXCEEDED", "You provided a value that is longer than the maximum length."),
        Rule::MinValue(_) => ("MIN_VALUE_EXCEEDED", "You provided a value that is below the minimum."),
        Rule::MaxValue(_) => ("MAX_VALUE_EXCEEDED", "You provided a value that is above the maximum."),
    };
    AwsError::new("InvalidInputException", message).with("Reason", reason)
}
