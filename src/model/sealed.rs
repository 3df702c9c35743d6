//! Values that are kept in files between two runs.
//!
//! Two lines of JSON: what it is, and the value. The first carries the digest of the second, so that a file that was cut
//! off or edited is refused. The digest is no signature: whoever can write the file can write another value.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// A kind of file, and the version of it that this program writes and reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// What it calls itself.
    pub title: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// Its version; another one is refused.
    pub version: u64,
}

/// Why a text is no value that can be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SealError {
    /// Something else altogether.
    #[error("it is not a {0}")]
    NotOne(&'static str),
    /// Of a version that this program does not read.
    #[error("it is of version {found} of the format, this permset reads version {read}")]
    Version {
        /// The version of the file.
        found: u64,
        /// The version that can be read.
        read: u64,
    },
    /// Cut off, or edited.
    #[error("it is damaged: it was cut off or edited after it was saved")]
    Damaged,
}

#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    version: u64,
    sha256: String,
}

impl Format {
    /// Returns the text to save.
    ///
    /// # Errors
    /// If the value has no JSON form, which would be a bug.
    pub fn seal(self, value: &impl Serialize) -> Result<String, serde_json::Error> {
        let body = serde_json::to_string(value)?;
        let head = Head { format: self.title.to_owned(), version: self.version, sha256: digest(&body) };
        Ok(format!("{}\n{body}\n", serde_json::to_string(&head)?))
    }

    /// Reads a saved text.
    ///
    /// # Errors
    /// Unless it is whole and of this kind and version.
    pub fn open<T: DeserializeOwned>(self, text: &str) -> Result<T, SealError> {
        let (head, body) = text.split_once('\n').unwrap_or((text, ""));
        let head: Head = serde_json::from_str(head).map_err(|_| SealError::NotOne(self.name))?;
        if head.format != self.title {
            return Err(SealError::NotOne(self.name));
        }
        if head.version != self.version {
            return Err(SealError::Version { found: head.version, read: self.version });
        }
        let body = body.strip_suffix('\n').ok_or(SealError::Damaged)?;
        if digest(body) != head.sha256 {
            return Err(SealError::Damaged);
        }
        serde_json::from_str(body).map_err(|_| SealError::Damaged)
    }

    /// Returns whether a text calls itself one of these, of whatever version and in whatever state.
    pub fn is_one(self, text: &str) -> bool {
        let head = text.split_once('\n').map_or(text, |(head, _)| head);
        serde_json::from_str(head).is_ok_and(|head: Head| head.format == self.title)
    }
}

/// Returns the digest of a text, in hexadecimal digits.
pub fn digest(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
