//! From `access.yaml` to a [`DesiredState`]: read, decode, lower, check.
//!
//! `source` reads files and is the only part that does; `yaml` turns text into a tree that knows its places; `join` makes one of the
//! files of a folder; `form` is what the file may look like (and its JSON Schema); `lower` works out what it means. All mistakes are
//! collected, each with its place. Nothing here knows AWS.

mod assignments;
pub mod baseline;
mod decode;
mod expiry;
mod form;
mod guards;
mod ignored;
mod join;
mod lower;
mod permission_sets;
mod policies;
mod references;
mod source;
mod text;
mod yaml;

use std::path::Path;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

pub use form::schema;
pub use source::{LARGEST, SourceError};

use crate::model::{DesiredState, Finding, Rule, Severity, Sources};

/// An access file that was read, right or wrong.
#[derive(Clone, Debug)]
pub struct AccessFile {
    /// The texts that were read, for showing findings in place.
    pub sources: Sources,
    /// How many of the texts are access files; they come first.
    pub access_files: usize,
    /// Everything found, in the order of the file.
    pub findings: Vec<Finding>,
    /// The digest of all texts: of the access file and of the policy files that it names.
    pub digest: String,
    /// What the file declares; `None` if a finding is an error.
    pub desired: Option<DesiredState>,
}

/// Reads an access file, or all those of a folder as one, and the policy files that they name.
///
/// # Errors
/// Only if the access file itself cannot be read as text. Everything wrong inside is a [`Finding`].
pub fn load(path: &Path) -> Result<AccessFile, SourceError> {
    load_at(path, Timestamp::now())
}

/// Reads the same as it is at a time: some lines end with a date.
///
/// # Errors
/// As [`load`].
pub fn load_at(path: &Path, now: Timestamp) -> Result<AccessFile, SourceError> {
    Ok(read(source::Reader::open(path)?, now))
}

/// Reads access files that are not on disk yet, each with its path, as one; policy files are looked for beside the first.
pub fn parse(files: &[(&Path, &str)]) -> AccessFile {
    read(source::Reader::of(files), Timestamp::now())
}

fn read(mut reader: source::Reader, now: Timestamp) -> AccessFile {
    let mut findings = Vec::new();
    let desired = form(&reader, &mut findings).map(|form| lower::lower(form, &mut reader, now, &mut findings));
    findings.sort_by_key(|finding| finding.place);
    let usable = findings.iter().all(|finding| finding.severity != Severity::Error);
    let access_files = reader.access_files();
    let sources = reader.into_sources();
    let desired = desired.flatten().filter(|_| usable);
    let digest = digest(&sources, desired.iter().flat_map(|desired| &desired.rules));
    AccessFile { sources, access_files, findings, digest, desired }
}

/// Reads the form; `None` after reporting why not.
fn form(reader: &source::Reader, findings: &mut Vec<Finding>) -> Option<form::AccessForm> {
    let sources = reader.sources();
    let mut roots = Vec::new();
    for file in 0..reader.access_files() {
        match yaml::parse(sources.text(file), file) {
            Ok(root) => roots.push(root),
            Err(errors) => findings.extend(errors),
        }
    }
    if roots.len() < reader.access_files() {
        return None;
    }
    let root = if roots.len() == 1 { roots.pop()? } else { join::join(roots, sources, findings) };
    decode::decode::<form::AccessForm>(&root, findings)
}

/// Digests the texts with their lengths, so that nothing can move from the end of one to the beginning of the next; and which
/// lines have expired, for with them the file says something else.
fn digest<'a>(sources: &Sources, rules: impl Iterator<Item = &'a Rule>) -> String {
    let mut hash = Sha256::new();
    for (_, text) in sources.files() {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    for (number, _) in rules.enumerate().filter(|(_, rule)| rule.has_expired()) {
        hash.update((number as u64).to_be_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
