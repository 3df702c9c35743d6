//! Drift for GitHub: annotations of a workflow, and SARIF for code scanning.

use std::fmt::{self, Write};

use serde_json::{Value, json};

use crate::model::{Place, Shown, Sources};
use crate::plan::{Drift, DriftEntry, DriftKind};
use crate::report::drift::{heading, one_line};

/// GitHub shows ten errors and ten warnings of a step, and drops the others without a word (workflow commands, limits).
const SHOWN: usize = 10;

/// Whether access is not what the file says, or only somebody should look.
fn is_error(kind: DriftKind) -> bool {
    match kind {
        DriftKind::Changed | DriftKind::Missing | DriftKind::Undeclared | DriftKind::Expired => true,
        DriftKind::Stale | DriftKind::Orphaned => false,
    }
}

/// Where a difference is shown: at its line, or at the first of the access file.
fn place(entry: &DriftEntry, sources: &Sources) -> (String, usize) {
    let position = entry.place.and_then(|place| sources.position(place));
    let position = position.or_else(|| sources.position(Place::default()));
    position.map_or_else(|| ("access.yaml".to_owned(), 1), |it| (it.path.to_owned(), it.line))
}

/// Writes commands that make annotations.
///
/// # Errors
/// Only if `out` fails.
pub fn write_github(out: &mut impl Write, drift: &Drift, sources: &Sources) -> fmt::Result {
    for (command, errors) in [("error", true), ("warning", false)] {
        let entries: Vec<&DriftEntry> = drift.entries.iter().filter(|entry| is_error(entry.kind) == errors).collect();
        // The last one of the ten counts the others.
        let shown = if entries.len() > SHOWN { SHOWN - 1 } else { entries.len() };
        for entry in entries.iter().take(shown) {
            let (file, line) = place(entry, sources);
            let title = property(&format!("permset drift: {}", entry.kind.word()));
            writeln!(
                out,
                "::{command} file={},line={line},title={title}::{}",
                property(&file),
                data(&one_line(entry))
            )?;
        }
        if shown < entries.len() {
            writeln!(out, "::{command} title=permset drift::and {} more, see the log", entries.len() - shown)?;
        }
    }
    Ok(())
}

/// What stands behind a command (docs.github.com, "workflow commands"; actions/toolkit, `command.ts`).
fn data(text: &str) -> String {
    Shown(text).to_string().replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Returns drift as a SARIF 2.1.0 log, for GitHub's code scanning and others.
pub fn sarif(drift: &Drift, sources: &Sources) -> Value {
    let rule = |kind: DriftKind| {
        json!({"id": kind.word(), "shortDescription": {"text": heading(kind)},
            "defaultConfiguration": {"level": if is_error(kind) { "error" } else { "warning" }}})
    };
    let result = |entry: &DriftEntry| {
        let (file, line) = place(entry, sources);
        json!({
            "ruleId": entry.kind.word(),
            "level": if is_error(entry.kind) { "error" } else { "warning" },
            "message": {"text": one_line(entry)},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri(&file)}, "region": {"startLine": line}}}],
            "partialFingerprints": {"permset/v1": entry.fingerprint()},
        })
    };
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "permset", "version": env!("CARGO_PKG_VERSION"), "rules": DriftKind::ALL.map(rule)}},
            "results": drift.entries.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

/// A path as a relative reference (RFC 3986).
fn uri(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    path.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}
