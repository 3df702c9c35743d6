//! Identity-based IAM policies, compared by what they mean.
//!
//! `parse` reads a document and finds everything that IAM would refuse; `meaning` decides when two documents are one;
//! [`diff`] says in which statements they differ, and [`risk`] what deserves a second look.

pub mod diff;
mod meaning;
mod parse;
pub mod risk;

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use diff::covers;
pub use parse::{Fault, Step};

use crate::model::Shown;

/// What AWS takes for an inline policy without white space, in characters (Identity Center user guide, quotas).
pub const NON_WHITE_SPACE_LIMIT: usize = 10_240;
/// What AWS takes for an inline policy in all, in bytes (API model: InlinePolicy).
pub const TOTAL_LIMIT: usize = 32_768;

/// An identity-based policy. Two are equal if they mean the same: order of actions, scalar or list, order of keys and
/// the way a number is written do not count; the order of statements does, to be on the safe side.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub struct Policy {
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    Document(Document),
    /// A live text that is no policy by our reading: equal to itself only, and always printed as it is.
    Unreadable(String),
}

/// A policy document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// `2012-10-17`, or the older language that an absent version means.
    pub version: String,
    /// The optional id.
    pub id: Option<String>,
    /// The statements, in order.
    pub statements: Vec<Statement>,
}

/// One statement of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its optional name, unique in the document.
    pub sid: Option<String>,
    /// Whether it allows or denies.
    pub effect: Effect,
    /// `Action` or `NotAction`.
    pub actions: Selection,
    /// `Resource` or `NotResource`.
    pub resources: Selection,
    /// Conditions in the order written: operator, key, values.
    pub conditions: Vec<(String, String, Vec<String>)>,
}

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It allows.
    Allow,
    /// It denies, whatever else allows.
    Deny,
}

/// The things a statement is about, or everything but them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// These (`Action`, `Resource`).
    Only(Vec<String>),
    /// All but these (`NotAction`, `NotResource`).
    AllBut(Vec<String>),
}

impl Selection {
    /// Returns the patterns as written.
    pub fn patterns(&self) -> &[String] {
        match self {
            Self::Only(patterns) | Self::AllBut(patterns) => patterns,
        }
    }
}

impl Policy {
    /// Reads a policy of the access file.
    ///
    /// # Errors
    /// Everything that IAM would refuse, each with the path to it.
    pub fn parse(value: &Value) -> Result<Self, Vec<Fault>> {
        parse::document(value).map(|document| Self { body: Body::Document(document) })
    }

    /// Reads a policy that AWS answered, which need not be one that we would accept.
    pub fn from_live(text: &str) -> Self {
        let document = serde_json::from_str(text).ok().and_then(|value| parse::document(&value).ok());
        Self { body: document.map_or_else(|| Body::Unreadable(text.to_owned()), Body::Document) }
    }

    /// Returns the document, unless it is a live text that is none.
    pub fn document(&self) -> Option<&Document> {
        match &self.body {
            Body::Document(document) => Some(document),
            Body::Unreadable(_) => None,
        }
    }

    /// Returns the text to send: indented for whoever opens the console, compact if that would be too long.
    pub fn to_text(&self) -> String {
        match &self.body {
            Body::Document(document) => {
                let value = document.to_value();
                let pretty = format!("{value:#}");
                if pretty.len() <= TOTAL_LIMIT { pretty } else { value.to_string() }
            }
            Body::Unreadable(text) => text.clone(),
        }
    }

    /// Returns a text with all lists in order, in the author's spelling, for showing differences by line.
    pub fn to_tidy_text(&self) -> String {
        match &self.body {
            Body::Document(document) => format!("{:#}", meaning::tidy(document).to_value()),
            Body::Unreadable(text) => text.clone(),
        }
    }
}

impl From<Policy> for String {
    fn from(policy: Policy) -> Self {
        policy.to_text()
    }
}

impl From<String> for Policy {
    fn from(text: String) -> Self {
        Self::from_live(&text)
    }
}

impl Document {
    fn to_value(&self) -> Value {
        let mut map = Map::new();
        map.insert("Version".to_owned(), Value::from(self.version.clone()));
        if let Some(id) = &self.id {
            map.insert("Id".to_owned(), Value::from(id.clone()));
        }
        map.insert("Statement".to_owned(), self.statements.iter().map(Statement::to_value).collect());
        Value::Object(map)
    }
}

impl Statement {
    fn to_value(&self) -> Value {
        let Self { sid, effect, actions, resources, conditions } = self;
        let mut map = Map::new();
        if let Some(sid) = sid {
            map.insert("Sid".to_owned(), Value::from(sid.clone()));
        }
        map.insert("Effect".to_owned(), Value::from(effect.word()));
        for (selection, only, all_but) in [(actions, "Action", "NotAction"), (resources, "Resource", "NotResource")] {
            let key = if matches!(selection, Selection::Only(_)) { only } else { all_but };
            map.insert(key.to_owned(), one_or_many(selection.patterns()));
        }
        if !conditions.is_empty() {
            let mut operators = Map::new();
            for (operator, key, values) in conditions {
                let block = operators.entry(operator.clone()).or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(keys) = block {
                    keys.insert(key.clone(), one_or_many(values));
                }
            }
            map.insert("Condition".to_owned(), Value::Object(operators));
        }
        Value::Object(map)
    }

    /// Returns the name by which people find it: its Sid, or its number counted from one.
    pub fn label(&self, index: usize) -> String {
        match &self.sid {
            Some(sid) => format!("statement `{}`", Shown(sid)),
            None => format!("statement {}", index + 1),
        }
    }
}

fn one_or_many(values: &[String]) -> Value {
    match values {
        [one] => Value::from(one.clone()),
        many => Value::from(many.to_vec()),
    }
}

impl Effect {
    fn word(self) -> &'static str {
        match self {
            Self::Allow => "Allow",
            Self::Deny => "Deny",
        }
    }
}

/// One line about the whole policy: `1 statement: allow ecs:*, ec2:*, … (9 actions) on *`.
impl Display for Policy {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(document) = self.document() else {
            return f.write_str("a text that is not a policy");
        };
        let count = document.statements.len();
        write!(f, "{count} statement{}", if count == 1 { "" } else { "s" })?;
        for (index, statement) in document.statements.iter().take(2).enumerate() {
            write!(f, "{} {statement}", if index == 0 { ":" } else { ";" })?;
        }
        if count > 2 {
            f.write_str("; …")?;
        }
        Ok(())
    }
}

impl Display for Statement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(if self.effect == Effect::Allow { "allow " } else { "deny " })?;
        write_selection(f, &self.actions, "action")?;
        f.write_str(" on ")?;
        write_selection(f, &self.resources, "resource")?;
        if !self.conditions.is_empty() {
            f.write_str(" under conditions")?;
        }
        Ok(())
    }
}

/// How many patterns a one-line summary shows before it only counts.
const SHOWN_PATTERNS: usize = 3;

fn write_selection(f: &mut Formatter<'_>, selection: &Selection, noun: &str) -> fmt::Result {
    if matches!(selection, Selection::AllBut(_)) {
        f.write_str("all but ")?;
    }
    let patterns = selection.patterns();
    let fold = patterns.len() > SHOWN_PATTERNS + 1;
    let shown = if fold { SHOWN_PATTERNS } else { patterns.len() };
    for (index, pattern) in patterns.iter().take(shown).enumerate() {
        write!(f, "{}{}", if index == 0 { "" } else { ", " }, Shown(pattern))?;
    }
    if fold {
        write!(f, ", … ({} {noun}s)", patterns.len())?;
    }
    Ok(())
}
