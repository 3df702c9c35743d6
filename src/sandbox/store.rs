//! The world file: locked while it is in use, read once, replaced as a whole.
//!
//! Only files are handled here; when to write is the front door's affair.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::consistency;
use super::world::{FORMAT_VERSION, World};

/// Why a world file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else has it open.
    #[error("the sandbox world `{}` is in use by another process", path.display())]
    Locked {
        /// The world file.
        path: PathBuf,
    },
    /// It is there but cannot be read, or its lock cannot be taken.
    #[error("cannot read the sandbox world `{}`", path.display())]
    Read {
        /// The world file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It cannot be replaced.
    #[error("cannot write the sandbox world `{}`", path.display())]
    Write {
        /// The world file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not JSON, or has fields that no world has.
    #[error("the sandbox world `{}` is malformed", path.display())]
    Parse {
        /// The world file.
        path: PathBuf,
        /// With line and column.
        source: serde_json::Error,
    },
    /// Something else has its name, which is not overwritten.
    #[error("`{}` is not a sandbox world", path.display())]
    NotAWorld {
        /// The file.
        path: PathBuf,
    },
    /// Another version of the format.
    #[error("the sandbox world `{}` has format version {found}, not {FORMAT_VERSION}", path.display())]
    Version {
        /// The world file.
        path: PathBuf,
        /// The version it says.
        found: u64,
    },
    /// It contradicts itself.
    #[error("the sandbox world `{}` is inconsistent: {what}", path.display())]
    Inconsistent {
        /// The world file.
        path: PathBuf,
        /// Every contradiction, parted by semicolons.
        what: String,
    },
}

/// A world file in use.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    // Held for its lock, which the system releases with it, also when the process is killed.
    _lock: File,
}

impl Store {
    /// Locks the file and reads it, or makes it.
    pub(super) fn open(path: &Path, make: impl FnOnce() -> World) -> Result<(Self, World), StoreError> {
        let lock = lock(path)?;
        let store = Self { path: path.to_owned(), _lock: lock };
        let world = match fs::read(path) {
            Ok(text) => parse(path, &text)?,
            Err(source) if source.kind() == io::ErrorKind::NotFound => {
                let mut world = make();
                consistency::complete(&mut world);
                store.write(&world)?;
                world
            }
            Err(source) => {
                return Err(StoreError::Read { path: path.to_owned(), source });
            }
        };
        Ok((store, world))
    }

    /// Locks the file and writes a world into it, in the place of another world but of nothing else.
    pub(super) fn make(path: &Path, mut world: World) -> Result<(), StoreError> {
        let lock = lock(path)?;
        match fs::read(path) {
            Ok(text) if !is_world(&text) => return Err(StoreError::NotAWorld { path: path.to_owned() }),
            _ => {}
        }
        consistency::complete(&mut world);
        let store = Self { path: path.to_owned(), _lock: lock };
        store.write(&world)
    }

    /// Replaces the file. No fsync: this guards against a killed process, not against a power cut, and every write would wait.
    pub(super) fn write(&self, world: &World) -> Result<(), StoreError> {
        self.replace(world).map_err(|source| StoreError::Write { path: self.path.clone(), source })
    }

    fn replace(&self, world: &World) -> io::Result<()> {
        // Through a link, so that the link stays and its target is replaced.
        let target = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let mut file = tempfile::NamedTempFile::new_in(folder(&target))?;
        let mut text = serde_json::to_vec_pretty(world)?;
        text.push(b'\n');
        file.write_all(&text)?;
        // A temporary file is private; the world keeps the permissions somebody gave it.
        if let Ok(before) = fs::metadata(&target) {
            file.as_file().set_permissions(before.permissions())?;
        }
        file.persist(&target)?;
        Ok(())
    }
}

/// The lock is a file of its own: the world is replaced by renaming, and a lock on it would stay with the old file.
fn lock(path: &Path) -> Result<File, StoreError> {
    let open = || {
        fs::create_dir_all(folder(path))?;
        let mut name = OsString::from(path);
        name.push(".lock");
        File::options().create(true).truncate(false).write(true).open(name)
    };
    let read = |source| StoreError::Read { path: path.to_owned(), source };
    let file = open().map_err(read)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(read(source)),
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Whether a file looks like a world, be it one that cannot be used.
fn is_world(text: &[u8]) -> bool {
    let value = serde_json::from_slice::<serde_json::Value>(text);
    value.is_ok_and(|value| value.get("format_version").is_some())
}

fn parse(path: &Path, text: &[u8]) -> Result<World, StoreError> {
    #[derive(Deserialize)]
    struct Head {
        format_version: Option<u64>,
    }
    let malformed = |source| StoreError::Parse { path: path.to_owned(), source };
    // First, since a file of another version has other fields.
    let head: Head = serde_json::from_slice(text).map_err(malformed)?;
    if let Some(found) = head.format_version.filter(|it| *it != FORMAT_VERSION) {
        return Err(StoreError::Version { path: path.to_owned(), found });
    }
    let mut world: World = serde_json::from_slice(text).map_err(malformed)?;
    consistency::complete(&mut world);
    let problems = consistency::problems(&world);
    if problems.is_empty() {
        return Ok(world);
    }
    Err(StoreError::Inconsistent { path: path.to_owned(), what: problems.join("; ") })
}
