//! Reads the access file and the policy files that it names: the only I/O of this layer.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use thiserror::Error;

use crate::model::Sources;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 16 * 1024 * 1024;

/// Why a file could not be read as text.
#[derive(Debug, Error)]
pub enum SourceError {
    /// The file cannot be opened or read.
    #[error("cannot read `{path}`")]
    Io {
        /// The file.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// The file is larger than an access file can sensibly be.
    #[error("`{path}` is larger than 16 MiB")]
    TooLarge {
        /// The file.
        path: String,
    },
    /// The file is not UTF-8.
    #[error("`{path}` is not UTF-8 text: {why}")]
    NotText {
        /// The file.
        path: String,
        /// What it seems to be instead.
        why: String,
    },
}

/// Reads files relative to the access file and keeps their texts.
pub(super) struct Reader {
    folder: PathBuf,
    sources: Sources,
    /// Files that were read already: a hundred permission sets may name the same one.
    seen: BTreeMap<PathBuf, usize>,
}

impl Reader {
    /// Reads the access file, which becomes file 0.
    pub(super) fn open(path: &Path) -> Result<Self, SourceError> {
        let mut sources = Sources::default();
        sources.add(path.display().to_string(), read_text(path)?);
        Ok(Self { folder: path.parent().map(Path::to_path_buf).unwrap_or_default(), sources, seen: BTreeMap::new() })
    }

    /// Reads a file named inside the access file and returns its index.
    ///
    /// # Errors
    /// A message if the path leaves the folder of the access file, or the file cannot be read.
    pub(super) fn read_beside(&mut self, name: &str) -> Result<usize, String> {
        let relative = Path::new(name);
        let stays = relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if !stays || name.is_empty() {
            return Err("a policy file stands in the folder of the access file or below it".to_owned());
        }
        let path = self.folder.join(relative);
        if let Some(file) = self.seen.get(&path) {
            return Ok(*file);
        }
        self.refuse_link_outside(&path)?;
        // A pipe would be waited for, perhaps for ever.
        if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
            return Err(format!("`{name}` is not a regular file"));
        }
        let text = read_text(&path).map_err(|error| match &error {
            SourceError::Io { source, .. } => format!("{error}: {source}"),
            SourceError::TooLarge { .. } | SourceError::NotText { .. } => error.to_string(),
        })?;
        let file = self.sources.add(path.display().to_string(), text);
        self.seen.insert(path, file);
        Ok(file)
    }

    /// A link could lead out of the folder although the path does not.
    fn refuse_link_outside(&self, path: &Path) -> Result<(), String> {
        let folder = if self.folder.as_os_str().is_empty() { Path::new(".") } else { &self.folder };
        match (folder.canonicalize(), path.canonicalize()) {
            (Ok(folder), Ok(file)) if !file.starts_with(&folder) => Err(
                "a policy file stands in the folder of the access file or below it, and this is a link that leaves it"
                    .to_owned(),
            ),
            _ => Ok(()),
        }
    }

    pub(super) fn sources(&self) -> &Sources {
        &self.sources
    }

    pub(super) fn into_sources(self) -> Sources {
        self.sources
    }
}

fn read_text(path: &Path) -> Result<String, SourceError> {
    let shown = path.display().to_string();
    let io = |source| SourceError::Io { path: shown.clone(), source };
    let mut bytes = Vec::new();
    // One byte more than allowed tells a large file from an endless one (`/dev/zero`) without reading all of it.
    File::open(path).map_err(io)?.take(LARGEST + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > LARGEST {
        return Err(SourceError::TooLarge { path: shown });
    }
    String::from_utf8(bytes).map_err(|error| SourceError::NotText { path: shown, why: guess(&error) })
}

fn guess(error: &std::string::FromUtf8Error) -> String {
    match error.as_bytes() {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "it looks like UTF-16; save it as UTF-8".to_owned(),
        bytes if bytes.contains(&0) => "it looks like a binary file".to_owned(),
        _ => format!("byte {} cannot be", error.utf8_error().valid_up_to() + 1),
    }
}
