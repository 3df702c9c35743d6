//! The commands, one file each.

pub(super) mod apply;
pub(super) mod completions;
pub(super) mod doctor;
pub(super) mod drift;
pub(super) mod iam_policy;
pub(super) mod import;
pub(super) mod init;
pub(super) mod observe;
pub(super) mod plan;
pub(super) mod profiles;
pub(super) mod sandbox;
pub(super) mod schema;
pub(super) mod show;
pub(super) mod validate;
pub(super) mod who_can;
pub(super) mod why;

use serde::Serialize;

use crate::cli::error::{Failure, bug};
use crate::cli::exit::Exit;
use crate::model::{AccountId, AccountName, AccountSelector, PermissionSetName, Shown};

/// An account as it is typed: its id or its name.
fn account_selector(text: &str) -> AccountSelector {
    match AccountId::parse(text) {
        Ok(id) => AccountSelector::Id(id),
        Err(_) => AccountSelector::Name(AccountName::new(text)),
    }
}

/// A permission set as it is typed.
fn permission_set_name(text: &str) -> Result<PermissionSetName, Failure> {
    let refused = |error| Failure::new(format!("`{}`: {error}", Shown(text))).exit(Exit::Usage);
    PermissionSetName::parse(text).map_err(refused)
}

/// Returns a value as JSON for people to read and for programs to parse.
fn pretty(value: &impl Serialize) -> Result<String, Failure> {
    match serde_json::to_string_pretty(value) {
        Ok(text) => Ok(harmless(&text)),
        Err(error) => Err(bug(&format!("a result that is no JSON: {error}"))),
    }
}

/// Returns a value as JSON in one line.
fn line(value: &impl Serialize) -> Result<String, Failure> {
    match serde_json::to_string(value) {
        Ok(text) => Ok(harmless(&text)),
        Err(error) => Err(bug(&format!("a result that is no JSON: {error}"))),
    }
}

/// JSON escapes only the oldest control characters by itself; the others would steer a terminal as well. All of them
/// stand inside of strings, where an escape means the same.
fn harmless(json: &str) -> String {
    let mut text = String::with_capacity(json.len() + 1);
    for c in json.chars() {
        match u32::from(c) {
            code if c != '\n' && crate::model::Shown::is_treacherous(c) => text.push_str(&format!("\\u{code:04x}")),
            _ => text.push(c),
        }
    }
    text.push('\n');
    text
}

/// Returns what a report writes; writing into a String cannot fail.
fn rendered(write: impl FnOnce(&mut String) -> std::fmt::Result) -> String {
    let mut text = String::new();
    let _ = write(&mut text);
    text
}
