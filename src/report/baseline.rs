//! A baseline as `drift --write-baseline` writes it.

use crate::model::Accepted;
use crate::plan::DriftEntry;
use crate::report::access_file::{quoted, scalar};
use crate::report::drift::one_line;

/// Writes what stays accepted, and what is accepted from now on.
pub fn write(kept: &[Accepted], new: &[DriftEntry], reason: &str, expires: &str) -> String {
    let mut text = String::from(
        "# Differences that `permset drift --baseline` lets be. Each has a reason, and counts again when its date has passed or it grows.\n\
         version: 1\naccepted:",
    );
    if kept.is_empty() && new.is_empty() {
        text.push_str(" []");
    }
    text.push('\n');
    let mut line = |difference: &str, fingerprint: &str, reason: &str, expires: Option<&str>| {
        text.push_str(&format!(
            "  - difference: {}\n    fingerprint: {}\n    reason: {}\n",
            scalar(difference),
            quoted(fingerprint),
            scalar(reason)
        ));
        text.extend(expires.map(|expires| format!("    expires: {}\n", scalar_date(expires))));
    };
    for Accepted { fingerprint, difference, reason, expires, place: _ } in kept {
        line(difference, fingerprint, reason, expires.as_ref().map(|expiry| expiry.written.as_str()));
    }
    for entry in new {
        let difference = format!("{}: {}", entry.kind.word(), one_line(entry));
        line(&difference, &entry.fingerprint(), reason, Some(expires));
    }
    text
}

/// A day needs no quotes to be read as what it is.
fn scalar_date(text: &str) -> String {
    let is_day = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    if is_day { text.to_owned() } else { quoted(text) }
}
