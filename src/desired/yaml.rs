//! YAML text as a tree in which every key and value knows its place.
//!
//! The one door to the YAML library. serde-saphyr stands here under the name of the archived serde_yaml, because it
//! alone tells the place of every value, refuses duplicate keys everywhere, and bounds hostile input.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_yaml::{Error, Location, Spanned};

use crate::model::{Finding, Place, Shown};

/// How deep mappings and lists may be nested.
const DEEPEST: usize = 64;

/// A value with its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) kind: Kind,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Null,
    /// True or false as it is spelled.
    Bool(String),
    /// A number as it is spelled: `0o17` and `1e3` stay what the author wrote.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) place: Place,
    pub(super) text: String,
    /// Whether it was read as a number, whose spelling the library does not keep.
    is_number: bool,
}

impl Node {
    /// Returns what the value is, in words.
    pub(super) fn what(&self) -> &'static str {
        match self.kind {
            Kind::Null => "nothing",
            Kind::Bool(_) => "true or false",
            Kind::Number(_) => "a number",
            Kind::Text(_) => "a text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a mapping",
        }
    }
}

thread_local! {
    // serde hands no context to `deserialize`; the file index is all that is needed, and parsing never yields.
    static FILE: Cell<usize> = const { Cell::new(0) };
}

/// Parses the text of one of the files.
///
/// # Errors
/// The finding of the first thing that is not YAML, or more than this program will read.
pub(super) fn parse(text: &str, file: usize) -> Result<Node, Vec<Finding>> {
    // Positions would be off by the three bytes that nobody sees.
    let hidden = text.len() - text.trim_start_matches('\u{feff}').len();
    let visible = text.get(hidden..).unwrap_or_default();
    let options = serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_depth: DEEPEST,
            flow_nesting_limit: DEEPEST,
            max_documents: 1,
            max_nodes: 1_000_000,
            max_events: 4_000_000,
            max_recorded_anchor_events: 100_000,
        },
        with_snippet: false,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        strict_booleans: true,
        reject_unsupported_tags: true,
    };
    FILE.set(file);
    match serde_yaml::from_str_with_options::<Node>(visible, options) {
        Ok(mut node) => {
            restore_spelling(&mut node, visible, hidden);
            Ok(node)
        }
        Err(error) => Err(vec![finding(&error, file, visible, hidden)]),
    }
}

fn place_of(location: &Location) -> Place {
    let span = location.span();
    let start = usize::try_from(span.byte_offset().unwrap_or_default()).unwrap_or_default();
    let length = usize::try_from(span.byte_len().unwrap_or_default()).unwrap_or_default();
    Place { file: FILE.get(), start, end: start + length }
}

/// Puts the author's spelling of numbers in the place of the library's, and moves places behind a byte order mark.
fn restore_spelling(node: &mut Node, text: &str, hidden: usize) {
    match &mut node.kind {
        Kind::Number(spelling) => spell(spelling, node.place, text),
        Kind::Bool(spelling) => {
            if let Some(written) = text.get(node.place.start..node.place.end).map(str::trim)
                && written.eq_ignore_ascii_case(spelling)
            {
                written.clone_into(spelling);
            }
        }
        Kind::List(items) => items.iter_mut().for_each(|item| restore_spelling(item, text, hidden)),
        Kind::Map(entries) => {
            for (key, value) in entries {
                if key.is_number {
                    spell(&mut key.text, key.place, text);
                }
                shift(&mut key.place, hidden);
                restore_spelling(value, text, hidden);
            }
        }
        Kind::Null | Kind::Text(_) => {}
    }
    shift(&mut node.place, hidden);
}

fn spell(number: &mut String, place: Place, text: &str) {
    if let Some(written) = text.get(place.start..place.end).map(str::trim)
        && written.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
    {
        written.clone_into(number);
    }
}

fn shift(place: &mut Place, hidden: usize) {
    place.start += hidden;
    place.end += hidden;
}

fn finding(error: &Error, file: usize, text: &str, hidden: usize) -> Finding {
    let mut place = error.location().map_or(Place::default(), |location| place_in(&location, text));
    place.file = file;
    let (message, hint) = words(error);
    shift(&mut place, hidden);
    let finding = Finding::error(place, message);
    match hint {
        Some(hint) => finding.hint(hint),
        None => finding,
    }
}

/// The scanner of the library counts lines and columns only.
fn place_in(location: &Location, text: &str) -> Place {
    let place = place_of(location);
    if location.span().byte_offset().is_some_and(|offset| offset > 0) || location.line() <= 1 && location.column() <= 1
    {
        return place;
    }
    let line = usize::try_from(location.line()).unwrap_or(1).saturating_sub(1);
    let column = usize::try_from(location.column()).unwrap_or(1).saturating_sub(1);
    let line_start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let within: usize = text.get(line_start..).unwrap_or_default().chars().take(column).map(char::len_utf8).sum();
    let start = line_start + within;
    let length = text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    Place { start, end: start + length, ..place }
}

/// Says in our words what the library means, and what to do.
fn words(error: &Error) -> (String, Option<&'static str>) {
    match error {
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().map(|key| format!(" `{}`", Shown(key))).unwrap_or_default();
            (format!("duplicate key{key}"), Some(TWO_KEYS))
        }
        Error::MultipleDocuments { .. } => (TWO_DOCUMENTS.to_owned(), None),
        Error::Budget { breach, .. } => too_much(&format!("{breach:?}")),
        other => {
            let message = first_line(&other.render());
            if message.starts_with("duplicate key") {
                return (message, Some(TWO_KEYS));
            }
            if let Some(limit) = message.strip_prefix("budget breached: ") {
                return too_much(limit);
            }
            if message.contains("recursion limit") {
                return too_much("Depth");
            }
            let hint = if message.contains("tabs") {
                Some("indent with blanks, YAML allows no tabs there")
            } else if ["bracket", "quoted", "indicator", "flow", "end of"].iter().any(|word| message.contains(word)) {
                Some("look for a bracket or a quote that is not closed, here or above")
            } else if message.contains("weak recursion") {
                return ("an alias stands inside of what it refers to".to_owned(), None);
            } else {
                None
            };
            (format!("this is not YAML: {}", Shown(&message)), hint)
        }
    }
}

const TWO_KEYS: &str = "keep one of the two: the second would silently replace the first";
const TWO_DOCUMENTS: &str = "more than one YAML document in the file";

/// The library names its limits by variants of a type that it does not export.
fn too_much(limit: &str) -> (String, Option<&'static str>) {
    let message = match limit.split([' ', '{']).next().unwrap_or_default() {
        "Depth" => format!("nested deeper than {DEEPEST} levels"),
        "Documents" => TWO_DOCUMENTS.to_owned(),
        "Aliases" | "Anchors" | "AliasAnchorRatio" | "RecordedAnchorEvents" | "RecordedAnchorBytes" | "MergeKeys" => {
            "aliases expand to more than an access file can hold".to_owned()
        }
        _ => "more than an access file can hold".to_owned(),
    };
    (message, None)
}

/// The library adds position and context to its message; both are drawn here in our own way.
fn first_line(rendered: &str) -> String {
    let line = rendered.lines().next().unwrap_or_default();
    let line = line.strip_prefix("error: ").unwrap_or(line);
    let line = match line.strip_prefix("line ").and_then(|rest| rest.split_once(": ")) {
        Some((_, message)) => message,
        None => line.split(" at line ").next().unwrap_or(line),
    };
    // Names of the library's own options are of no use to somebody who writes YAML.
    line.split(", set ").next().unwrap_or(line).to_owned()
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Bare>::deserialize(deserializer)?;
        // An alias is shown where its text was written: that is the line to mend.
        Ok(Self { place: place_of(&spanned.defined), kind: spanned.value.0 })
    }
}

struct Bare(Kind);

impl<'de> Deserialize<'de> for Bare {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BareVisitor).map(Bare)
    }
}

struct BareVisitor;

impl<'de> Visitor<'de> for BareVisitor {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_none<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::Bool(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Kind, E> {
        Ok(Kind::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Kind, E> {
        Ok(Kind::Number(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Kind, E> {
        Ok(Kind::Number(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Kind, E> {
        Ok(Kind::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Kind, E> {
        Ok(Kind::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Kind, E> {
        Ok(Kind::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Kind, E> {
        Ok(Kind::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Kind, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Kind::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Kind, A::Error> {
        let mut entries = Vec::new();
        let mut texts = BTreeSet::new();
        while let Some((key, value)) = map.next_entry::<Node, Node>()? {
            let is_number = matches!(key.kind, Kind::Number(_));
            let text = match key.kind {
                Kind::Text(text) | Kind::Number(text) | Kind::Bool(text) => text,
                Kind::Null | Kind::List(_) | Kind::Map(_) => return Err(A::Error::custom("a key must be a text")),
            };
            // The library tells `1` and `"1"` apart; what reads the file does not.
            if !texts.insert(text.clone()) {
                return Err(A::Error::custom(format!("duplicate key `{text}`")));
            }
            entries.push((Key { place: key.place, text, is_number }, value));
        }
        Ok(Kind::Map(entries))
    }
}
