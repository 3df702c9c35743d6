//! The constraints of inputs and the names of errors, from AWS's own service models.
//!
//! The tables beside this file are drawn from botocore by `tests/peers/model.py`, which CI holds against them. They are data:
//! what a value means is not known here.

use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};

use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::duration;
use super::wire::Service;

/// The operations and input shapes of one service.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Table {
    operations: BTreeMap<String, Option<String>>,
    errors: BTreeMap<String, Vec<String>>,
    shapes: BTreeMap<String, Shape>,
}

/// One shape.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Shape {
    String(Text),
    Integer(Bounds),
    Boolean,
    Timestamp,
    /// Any JSON.
    Document,
    List {
        of: String,
        #[serde(flatten)]
        bounds: Bounds,
    },
    Map {
        key: String,
        of: String,
        #[serde(flatten)]
        bounds: Bounds,
    },
    Structure(Structure),
}

/// The constraints of a text.
#[derive(Debug, Deserialize)]
pub(super) struct Text {
    #[serde(flatten)]
    pub(super) bounds: Bounds,
    pattern: Option<Pattern>,
    #[serde(rename = "enum")]
    pub(super) choices: Option<Vec<String>>,
}

/// How long, how many or how much, both ends included.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Bounds {
    pub(super) min: Option<i64>,
    pub(super) max: Option<i64>,
}

/// Members by name, in the order of the model.
#[derive(Debug, Deserialize)]
pub(super) struct Structure {
    members: Map<String, Value>,
    #[serde(default)]
    required: Vec<String>,
    /// Exactly one of the members.
    #[serde(default)]
    pub(super) union: bool,
}

#[derive(Debug, Deserialize)]
#[serde(from = "String")]
struct Pattern {
    source: String,
    compiled: OnceLock<Option<Regex>>,
}

impl From<String> for Pattern {
    fn from(source: String) -> Self {
        Self { source, compiled: OnceLock::new() }
    }
}

/// The table of a service.
pub(super) fn table(service: Service) -> &'static Table {
    macro_rules! table {
        ($file:literal) => {{
            // A table that cannot be read would refuse every operation; a test reads them all.
            static TABLE: LazyLock<Table> =
                LazyLock::new(|| serde_json::from_str(include_str!($file)).unwrap_or_default());
            &*TABLE
        }};
    }
    match service {
        Service::SsoAdmin => table!("sso-admin.json"),
        Service::IdentityStore => table!("identitystore.json"),
        Service::Organizations => table!("organizations.json"),
    }
}

/// Whether a text satisfies a string shape of a service.
pub(super) fn holds(service: Service, shape: &str, text: &str) -> bool {
    let Some(Shape::String(constraints)) = table(service).shapes.get(shape) else {
        return false;
    };
    let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    constraints.bounds.contain(length) && constraints.matches(text)
}

/// Whether an operation of that name only looks.
pub(super) fn is_read(operation: &str) -> bool {
    ["List", "Describe", "Get", "IsMember"].iter().any(|verb| operation.starts_with(verb))
}

/// Whether it begins an asynchronous request of Identity Center.
pub(super) fn is_job(operation: &str) -> bool {
    matches!(operation, "CreateAccountAssignment" | "DeleteAccountAssignment" | "ProvisionPermissionSet")
}

impl Table {
    /// The input of an operation of the model: `None` if the model has no such operation.
    pub(super) fn input(&self, operation: &str) -> Option<Option<&Structure>> {
        let name = self.operations.get(operation)?;
        Some(match name.as_ref().and_then(|name| self.shapes.get(name)) {
            Some(Shape::Structure(structure)) => Some(structure),
            _ => None,
        })
    }

    /// The name of an operation of the model, as the model has it.
    pub(super) fn operation(&self, name: &str) -> Option<&str> {
        self.operations.get_key_value(name).map(|(name, _)| name.as_str())
    }

    /// The names of all operations of the model.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.operations.keys().map(String::as_str)
    }

    /// The codes of the errors that the model documents for an operation.
    pub(super) fn errors(&self, operation: &str) -> &[String] {
        self.errors.get(operation).map_or(&[], Vec::as_slice)
    }

    pub(super) fn shape(&self, name: &str) -> Option<&Shape> {
        self.shapes.get(name)
    }
}

impl Structure {
    pub(super) fn has(&self, member: &str) -> bool {
        self.members.contains_key(member)
    }

    /// Each member with the name of its shape and whether it is required.
    pub(super) fn members(&self) -> impl Iterator<Item = (&str, &str, bool)> {
        self.members.iter().map(|(name, shape)| {
            (name.as_str(), shape.as_str().unwrap_or_default(), self.required.iter().any(|it| it == name))
        })
    }
}

impl Bounds {
    pub(super) fn contain(self, amount: i64) -> bool {
        self.min.is_none_or(|min| amount >= min) && self.max.is_none_or(|max| amount <= max)
    }
}

impl Text {
    pub(super) fn pattern(&self) -> &str {
        self.pattern.as_ref().map_or("", |pattern| &pattern.source)
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.pattern.as_ref().is_none_or(|pattern| pattern.matches(text))
    }
}

impl Pattern {
    // The one pattern with a look-ahead is that of durations, which the regex crate cannot have and `duration` reads.
    fn matches(&self, text: &str) -> bool {
        if self.source.contains("(?=") {
            return duration::seconds(text).is_some();
        }
        let regex = self.compiled.get_or_init(|| Regex::new(&whole(&self.source)).ok());
        regex.as_ref().is_some_and(|regex| regex.is_match(text))
    }
}

/// The pattern as the models mean it: Java's, ASCII only in its classes, for the whole text.
fn whole(pattern: &str) -> String {
    let ascii = pattern.replace(r"\d", "[0-9]").replace(r"\w", "[A-Za-z0-9_]").replace(r"\b", r"(?-u:\b)");
    format!("^(?:{ascii})$")
}

#[cfg(test)]
#[expect(clippy::panic, reason = "a table that cannot be read is what is tested")]
mod tests {
    use super::{Service, Shape, Table, holds, table, whole};

    const SERVICES: [Service; 3] = [Service::SsoAdmin, Service::IdentityStore, Service::Organizations];

    #[test]
    fn every_table_is_whole_and_every_pattern_compiles() {
        for service in SERVICES {
            let Table { operations, errors, shapes } = table(service);
            assert!(operations.len() > 20, "{service:?}");
            assert!(errors.keys().eq(operations.keys()), "{service:?}");
            let known = |name: &str| assert!(shapes.contains_key(name), "{service:?}: {name}");
            operations.values().flatten().for_each(|name| known(name));
            for (name, shape) in shapes {
                match shape {
                    Shape::String(text) if !text.pattern().contains("(?=") => {
                        if let Err(error) = regex::Regex::new(&whole(text.pattern())) {
                            panic!("{service:?}: {name}: {error}");
                        }
                    }
                    Shape::List { of, .. } => known(of),
                    Shape::Map { key, of, .. } => [key, of].into_iter().for_each(|name| known(name)),
                    Shape::Structure(structure) => structure.members().for_each(|(_, shape, _)| known(shape)),
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn patterns_hold_for_the_whole_text_and_in_ascii() {
        assert!(holds(Service::SsoAdmin, "PermissionSetName", "Jitsi_Platform+Access=1"));
        for name in ["", "a b", "a\n", "ä", "x".repeat(33).as_str()] {
            assert!(!holds(Service::SsoAdmin, "PermissionSetName", name), "{name:?}");
        }
        assert!(!holds(Service::SsoAdmin, "AccountId", "٠١٢٣٤٥٦٧٨٩٠١"));
        assert!(holds(Service::IdentityStore, "UserName", "ærø@example.com"));
        assert!(!holds(Service::IdentityStore, "UserName", "two words"));
    }
}
