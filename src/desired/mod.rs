//! From `access.yaml` to a [`DesiredState`]: read, decode, lower, check.
//!
//! `source` reads files and is the only part that does; `yaml` turns text into a tree that knows its places; `form` is
//! what the file may look like (and its JSON Schema); `lower` works out what it means. All mistakes are collected, each
//! with its place. Nothing here knows AWS.

mod assignments;
mod decode;
mod form;
mod guards;
mod lower;
mod permission_sets;
mod policies;
mod references;
mod source;
mod text;
mod yaml;

use std::path::Path;

use sha2::{Digest as _, Sha256};

pub use form::schema;
pub use source::SourceError;

use crate::model::{DesiredState, Finding, Severity, Sources};

/// An access file that was read, right or wrong.
#[derive(Clone, Debug)]
pub struct AccessFile {
    /// The texts that were read, for showing findings in place.
    pub sources: Sources,
    /// Everything found, in the order of the file.
    pub findings: Vec<Finding>,
    /// The digest of all texts: of the access file and of the policy files that it names.
    pub digest: String,
    /// What the file declares; `None` if a finding is an error.
    pub desired: Option<DesiredState>,
}

/// Reads an access file and the policy files that it names.
///
/// # Errors
/// Only if the access file itself cannot be read as text. Everything wrong inside is a [`Finding`].
pub fn load(path: &Path) -> Result<AccessFile, SourceError> {
    let mut reader = source::Reader::open(path)?;
    let mut findings = Vec::new();
    let form = yaml::parse(reader.sources().text(0), 0)
        .and_then(|root| decode::decode::<form::AccessForm>(&root, &mut findings).ok_or_else(Vec::new));
    let desired = match form {
        Ok(form) => Some(lower::lower(form, &mut reader, &mut findings)),
        Err(errors) => {
            findings.extend(errors);
            None
        }
    };
    findings.sort_by_key(|finding| finding.place);
    let usable = findings.iter().all(|finding| finding.severity != Severity::Error);
    let sources = reader.into_sources();
    let digest = digest(&sources);
    Ok(AccessFile { sources, findings, digest, desired: desired.flatten().filter(|_| usable) })
}

/// Digests the texts with their lengths, so that nothing can move from the end of one to the beginning of the next.
fn digest(sources: &Sources) -> String {
    let mut hash = Sha256::new();
    for (_, text) in sources.files() {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
