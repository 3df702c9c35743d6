//! Reads the access file and the policy files that it names: the only I/O of this layer.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use thiserror::Error;

use crate::model::Sources;

/// The largest access file that is read, in bytes.
pub const LARGEST: u64 = 16 * 1024 * 1024;

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
    /// The folder has no access file in it.
    #[error("there is no `*.yaml` or `*.yml` file in the folder `{path}`")]
    Empty {
        /// The folder.
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
    /// How many of the sources are access files; they come first.
    access_files: usize,
    /// Files that were read already: a hundred permission sets may name the same one.
    seen: BTreeMap<PathBuf, usize>,
}

impl Reader {
    /// Reads the access file, which becomes file 0, or those of a folder in the order of their names.
    pub(super) fn open(path: &Path) -> Result<Self, SourceError> {
        if !path.is_dir() {
            let text = read_text(path)?;
            return Ok(Self::of(&[(path, &text)]));
        }
        let paths = access_files(path)?;
        let texts = paths.iter().map(|path| read_text(path)).collect::<Result<Vec<_>, _>>()?;
        let files: Vec<(&Path, &str)> =
            paths.iter().map(PathBuf::as_path).zip(texts.iter().map(String::as_str)).collect();
        Ok(Self::of(&files))
    }

    /// Takes texts that were read, or made, already.
    pub(super) fn of(files: &[(&Path, &str)]) -> Self {
        let mut sources = Sources::default();
        for (path, text) in files {
            sources.add(path.display().to_string(), *text);
        }
        let folder = files.first().and_then(|(path, _)| path.parent()).map(Path::to_path_buf).unwrap_or_default();
        Self { folder, sources, access_files: files.len(), seen: BTreeMap::new() }
    }

    /// Returns how many access files there are.
    pub(super) fn access_files(&self) -> usize {
        self.access_files
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
            SourceError::TooLarge { .. } | SourceError::NotText { .. } | SourceError::Empty { .. } => error.to_string(),
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

/// Returns the access files of a folder; hidden files and folders below are none.
fn access_files(folder: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let shown = || folder.display().to_string();
    let io = |source| SourceError::Io { path: shown(), source };
    let mut paths = Vec::new();
    for entry in folder.read_dir().map_err(io)? {
        let path = entry.map_err(io)?.path();
        let ending =
            path.extension().is_some_and(|it| it.eq_ignore_ascii_case("yaml") || it.eq_ignore_ascii_case("yml"));
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !ending || hidden || path.is_dir() {
            continue;
        }
        // A pipe would be waited for, perhaps for ever.
        if !path.is_file() {
            let path = path.display().to_string();
            return Err(SourceError::Io { path, source: io::Error::other("it is not a regular file") });
        }
        paths.push(path);
    }
    paths.sort();
    if paths.is_empty() { Err(SourceError::Empty { path: shown() }) } else { Ok(paths) }
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
