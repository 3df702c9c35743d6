//! From the tree to the form: types, required and unknown fields, everything found in one go.
//!
//! A value of the wrong type is reported and left out; what surrounds it is still read, so that the next mistake is
//! found too and no unknown name is reported only because its definition had a typing error.

use crate::desired::yaml::{Key, Kind, Node};
use crate::model::{Finding, Located, Place, Shown, similar_name};

/// A part of the form that can be read from a node.
pub(super) trait Decode: Sized {
    /// Reads the value; `None` after reporting why not.
    fn decode(node: &Node, findings: &mut Vec<Finding>) -> Option<Self>;

    /// The value where the field is not written; `None` if it must be.
    fn when_absent() -> Option<Self> {
        None
    }

    /// The value to go on with after a mistake inside.
    fn when_broken() -> Option<Self> {
        None
    }
}

/// Reads the whole form.
pub(super) fn decode<T: Decode>(root: &Node, findings: &mut Vec<Finding>) -> Option<T> {
    T::decode(root, findings)
}

fn wrong_type(node: &Node, wanted: &str) -> Finding {
    Finding::error(node.place, format!("expected {wanted}, found {}", node.what()))
}

impl<T: Decode> Decode for Option<T> {
    fn decode(node: &Node, findings: &mut Vec<Finding>) -> Option<Self> {
        T::decode(node, findings).map(Some)
    }

    fn when_absent() -> Option<Self> {
        Some(None)
    }

    fn when_broken() -> Option<Self> {
        Some(None)
    }
}

/// A required field whose mistakes do not keep the rest from being read.
#[derive(Debug)]
pub(super) struct Kept<T>(pub(super) Option<T>);

impl<T: Decode> Decode for Kept<T> {
    fn decode(node: &Node, findings: &mut Vec<Finding>) -> Option<Self> {
        Some(Self(T::decode(node, findings)))
    }

    fn when_broken() -> Option<Self> {
        Some(Self(None))
    }
}

/// Any scalar, as it is spelled: an account id or a tag value is text, with or without quotes.
impl Decode for Located<String> {
    fn decode(node: &Node, findings: &mut Vec<Finding>) -> Option<Self> {
        let text = match &node.kind {
            Kind::Text(text) | Kind::Number(text) | Kind::Bool(text) => text.clone(),
            Kind::Null => {
                findings.push(wrong_type(node, "a text").hint("give it a value or remove the field"));
                return None;
            }
            Kind::List(_) | Kind::Map(_) => {
                findings.push(wrong_type(node, "a text"));
                return None;
            }
        };
        Some(Self::new(text, node.place))
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(node: &Node, findings: &mut Vec<Finding>) -> Option<Self> {
        match &node.kind {
            Kind::List(items) => Some(items.iter().filter_map(|item| T::decode(item, findings)).collect()),
            Kind::Text(text) | Kind::Number(text) => {
                let quoted = if text == "*" { "\"*\"" } else { text.as_str() };
                findings.push(wrong_type(node, "a list").hint(format!("write `[{}]`", Shown(quoted))));
                None
            }
            Kind::Null => {
                findings.push(wrong_type(node, "a list").hint("add items or remove the field"));
                None
            }
            Kind::Bool(_) | Kind::Map(_) => {
                findings.push(wrong_type(node, "a list"));
                None
            }
        }
    }
}

/// A mapping from names to values, in the order of the file; a value that could not be read keeps its name.
#[derive(Debug)]
pub(super) struct Named<T>(pub(super) Vec<(Located<String>, Option<T>)>);

impl<T: Decode> Decode for Named<T> {
    fn decode(node: &Node, findings: &mut Vec<Finding>) -> Option<Self> {
        let Kind::Map(entries) = &node.kind else {
            let finding = wrong_type(node, "a mapping of names");
            findings.push(if matches!(node.kind, Kind::Null) {
                finding.hint("add entries or remove the field")
            } else {
                finding
            });
            return None;
        };
        let read = |(key, value): &(Key, Node)| (Located::new(key.text.clone(), key.place), T::decode(value, findings));
        Some(Self(entries.iter().map(read).collect()))
    }
}

/// Anything at all, looked at later.
impl Decode for Node {
    fn decode(node: &Node, _: &mut Vec<Finding>) -> Option<Self> {
        Some(node.clone())
    }
}

/// The fields of one mapping while they are taken out one by one.
pub(super) struct Fields<'a> {
    what: &'static str,
    place: Place,
    entries: &'a [(Key, Node)],
}

impl<'a> Fields<'a> {
    /// Opens a mapping and reports fields that it cannot have.
    pub(super) fn open(
        node: &'a Node,
        what: &'static str,
        known: &[&str],
        findings: &mut Vec<Finding>,
    ) -> Option<Self> {
        let entries = match &node.kind {
            Kind::Map(entries) => entries.as_slice(),
            _ => {
                findings.push(wrong_type(node, &format!("{what} (a mapping)")));
                return None;
            }
        };
        for (key, _) in entries.iter().filter(|(key, _)| !known.contains(&key.text.as_str())) {
            let finding = Finding::error(key.place, format!("unknown field `{}` in {what}", Shown(&key.text)));
            let candidates = if findings.len() < 100 { known } else { &[] };
            findings.push(match similar_name(&key.text, candidates.iter().copied()) {
                Some(name) => finding.hint(format!("did you mean `{name}`?")),
                None => finding.hint(format!("known are {}", known.join(", "))),
            });
        }
        Some(Self { what, place: first_key(node, entries), entries })
    }

    /// Takes a field.
    pub(super) fn take<T: Decode>(&self, name: &str, findings: &mut Vec<Finding>) -> Option<T> {
        match self.entries.iter().find(|(key, _)| key.text == name) {
            Some((_, node)) => T::decode(node, findings).or_else(T::when_broken),
            None => T::when_absent().or_else(|| {
                findings.push(Finding::error(self.place, format!("{} has no `{name}`", self.what)));
                T::when_broken()
            }),
        }
    }

    /// Returns where the mapping begins: its first key, which is one line, not the whole block.
    pub(super) fn place(&self) -> Place {
        self.place
    }
}

fn first_key(node: &Node, entries: &[(Key, Node)]) -> Place {
    entries.first().map_or(node.place, |(key, _)| key.place)
}

/// Declares a part of the form once, `at place` if somebody wants to know where it stands: the struct, its JSON Schema and how it is read cannot fall apart.
macro_rules! form {
    ($($(#[$meta:meta])* $name:ident $(at $place:ident)? = $what:literal {
        $($(#[$field_meta:meta])* $field:ident: $type:ty),+ $(,)?
    })+) => {$(
        $(#[$meta])*
        #[derive(Debug, schemars::JsonSchema)]
        #[schemars(deny_unknown_fields)]
        pub(super) struct $name {
            $($(#[$field_meta])* pub(super) $field: $type,)+
            $(
                #[schemars(skip)]
                pub(super) $place: crate::model::Place,
            )?
        }

        impl crate::desired::decode::Decode for $name {
            fn decode(
                node: &crate::desired::yaml::Node,
                findings: &mut Vec<crate::model::Finding>,
            ) -> Option<Self> {
                let fields =
                    crate::desired::decode::Fields::open(node, $what, &[$(stringify!($field)),+], findings)?;
                $(let $field = fields.take(stringify!($field), findings);)+
                Some(Self { $($field: $field?,)+ $($place: fields.place(),)? })
            }
        }
    )+};
}
pub(super) use form;
