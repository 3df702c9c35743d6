//! Checks a request against the constraints of its operation before anything else happens.
//!
//! Operations declare their members in tables; this reads them. Members that no table names are ignored, as AWS ignores them. A
//! wrong JSON type is a SerializationException, a broken constraint a ValidationException in the wording of the service. What
//! the values mean is not known here.

use serde_json::{Map, Value};

use super::patterns::Text;
use super::wire::{AwsError, Service};

/// One member of an input structure.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: &'static str,
    required: bool,
    shape: Shape,
}

/// The shape of a member.
#[derive(Debug)]
pub(super) enum Shape {
    Text(&'static Text),
    OneOf(&'static [&'static str]),
    Integer {
        min: i64,
        max: i64,
    },
    List {
        min: usize,
        max: usize,
        item: &'static Shape,
    },
    Structure(&'static [Member]),
    /// Exactly one of the members.
    Union(&'static [Member]),
    /// Any JSON.
    Document,
}

pub(super) const fn required(name: &'static str, shape: Shape) -> Member {
    Member { name, required: true, shape }
}

pub(super) const fn optional(name: &'static str, shape: Shape) -> Member {
    Member { name, required: false, shape }
}

#[derive(Debug, Clone, Copy)]
enum Rule {
    Required,
    Pattern(&'static str),
    Enumeration(&'static [&'static str]),
    MinLength(usize),
    MaxLength(usize),
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

/// Checks `input` against the table of its operation.
pub(super) fn check(service: Service, members: &[Member], input: &Map<String, Value>) -> Result<(), AwsError> {
    let mut violations = Vec::new();
    structure(members, input, "", &mut violations)?;
    match violations.first() {
        None => Ok(()),
        Some(first) => Err(refusal(service, first, &violations)),
    }
}

fn structure(
    members: &[Member],
    input: &Map<String, Value>,
    path: &str,
    found: &mut Vec<Violation>,
) -> Result<(), AwsError> {
    for member in members {
        let path = join(path, member.name);
        match input.get(member.name) {
            // A null member is an absent one for every AWS JSON protocol.
            None | Some(Value::Null) => {
                if member.required {
                    found.push(violation(path, &Value::Null, Rule::Required));
                }
            }
            Some(value) => shape(&member.shape, value, path, found)?,
        }
    }
    Ok(())
}

fn shape(shape_of: &Shape, value: &Value, path: String, found: &mut Vec<Violation>) -> Result<(), AwsError> {
    match (shape_of, value) {
        (Shape::Text(text), Value::String(given)) => {
            check_text(text, given, value, path, found);
        }
        (Shape::OneOf(choices), Value::String(given)) => {
            if !choices.contains(&given.as_str()) {
                found.push(violation(path, value, Rule::Enumeration(choices)));
            }
        }
        (Shape::Integer { min, max }, Value::Number(number)) => match number.as_i64() {
            Some(given) if given < *min => {
                found.push(violation(path, value, Rule::MinValue(*min)));
            }
            Some(given) if given > *max => {
                found.push(violation(path, value, Rule::MaxValue(*max)));
            }
            Some(_) => {}
            None => return Err(mistyped(value, "an Integer")),
        },
        (Shape::List { min, max, item }, Value::Array(items)) => {
            if items.len() < *min {
                found.push(violation(path, value, Rule::MinLength(*min)));
            } else if items.len() > *max {
                found.push(violation(path, value, Rule::MaxLength(*max)));
            } else {
                for (number, given) in items.iter().enumerate() {
                    let path = format!("{path}.{}.member", number + 1);
                    shape(item, given, path, found)?;
                }
            }
        }
        (Shape::Structure(members), Value::Object(given)) => {
            structure(members, given, &path, found)?;
        }
        (Shape::Union(members), Value::Object(given)) => {
            structure(members, given, &path, found)?;
            let filled = |member: &&Member| given.get(member.name).is_some_and(|it| !it.is_null());
            if members.iter().filter(filled).count() != 1 {
                found.push(violation(path, value, Rule::ExactlyOne));
            }
        }
        (Shape::Document, _) => {}
        (Shape::Text(_) | Shape::OneOf(_), _) => return Err(mistyped(value, "a String")),
        (Shape::Integer { .. }, _) => return Err(mistyped(value, "an Integer")),
        (Shape::List { .. }, _) => return Err(mistyped(value, "a List")),
        (Shape::Structure(_) | Shape::Union(_), _) => {
            return Err(mistyped(value, "a Structure"));
        }
    }
    Ok(())
}

fn check_text(text: &Text, given: &str, value: &Value, path: String, found: &mut Vec<Violation>) {
    let length = given.chars().count();
    let rule = if length < text.min {
        Rule::MinLength(text.min)
    } else if length > text.max {
        Rule::MaxLength(text.max)
    } else if !(text.accepts)(given) {
        Rule::Pattern(text.pattern)
    } else {
        return;
    };
    found.push(violation(path, value, rule));
}

fn violation(path: String, value: &Value, rule: Rule) -> Violation {
    let value = match value {
        Value::String(text) => text.chars().take(256).collect(),
        Value::Null | Value::Number(_) | Value::Bool(_) => value.to_string(),
        Value::Array(_) => "[...]".to_owned(),
        Value::Object(_) => "{...}".to_owned(),
    };
    Violation { path, value, rule }
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
