//! The world file: locked while it is in use, read once, replaced as a whole; and beside it a journal of the changes since.
//!
//! The first change replaces the file, each further one costs a line in the journal, however large the world. What the journal
//! holds is in the world file again when the sandbox closes; when it is killed instead, the next one to open the world reads the
//! journal. A journal belongs to the one file that it says the digest of: beside any other it is put aside. Only files are
//! handled here; when to write is the engine's affair.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::consistency;
use super::state::JobFate;
use super::world::{FORMAT_VERSION, Fault, OutOfBand, World};

/// The journal is folded into the world file when it is this long.
const FULL: u64 = 16 * 1024 * 1024;

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
    /// The journal beside it does not fit it.
    #[error("the journal `{}` does not fit its world: {what}", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// The call that cannot be made again.
        what: String,
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

/// One change in the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Entry {
    /// A call that changed the world.
    Call {
        /// Epoch seconds.
        at: f64,
        /// Which, with its input.
        call: OutOfBand,
        /// What faults decided about the job that it began.
        #[serde(default)]
        fate: JobFate,
        /// The account and the ARN of whoever made it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caller: Option<(String, String)>,
    },
    /// The faults as they stand now.
    Faults(Vec<Fault>),
}

/// The first line of a journal.
#[derive(Debug, Serialize, Deserialize)]
struct Heading {
    /// Of the world file that the journal goes on from.
    digest: u64,
}

/// A world file in use.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    // Held for its lock, which the system releases with it, also when the process is killed.
    lock: File,
    generation: u64,
    /// Of the world file as it is, once this process has written it.
    digest: Option<u64>,
    journal: Option<Journal>,
    /// Of the world file as it was read or written last.
    seen: Option<u64>,
    /// What somebody should know who did not ask.
    notices: Vec<String>,
}

#[derive(Debug)]
struct Journal {
    file: File,
    length: u64,
}

impl Store {
    /// Locks the file and reads it, or makes it.
    pub(super) fn open(path: &Path, make: impl FnOnce() -> World) -> Result<(Self, World, Vec<Entry>), StoreError> {
        let mut store = Self::locked(path)?;
        match fs::read(path) {
            Ok(text) => {
                let world = parse(path, &text)?;
                store.generation = world.generation;
                let digest = digest(&text);
                store.seen = Some(digest);
                let entries = store.read_journal(digest)?;
                Ok((store, world, entries))
            }
            Err(source) if source.kind() == io::ErrorKind::NotFound => {
                let mut world = make();
                consistency::complete(&mut world);
                store.read_journal(0)?;
                store.write(world.clone())?;
                Ok((store, world, Vec::new()))
            }
            Err(source) => Err(StoreError::Read { path: path.to_owned(), source }),
        }
    }

    /// Locks the file and writes a world into it, in the place of another world but of nothing else.
    pub(super) fn make(path: &Path, mut world: World) -> Result<(), StoreError> {
        let mut store = Self::locked(path)?;
        if fs::read(path).is_ok_and(|text| !is_world(&text)) {
            return Err(StoreError::NotAWorld { path: path.to_owned() });
        }
        consistency::complete(&mut world);
        store.write(world)
    }

    fn locked(path: &Path) -> Result<Self, StoreError> {
        let path = resolved(path);
        let lock = lock(&path)?;
        // Whoever announced itself before is gone.
        lock.set_len(0).map_err(|source| StoreError::Write { path: path.clone(), source })?;
        Ok(Self { path, lock, generation: 0, digest: None, journal: None, seen: None, notices: Vec::new() })
    }

    /// Replaces the file and ends the journal. No fsync: this guards against a killed process, not against a power cut, and every
    /// write would wait.
    pub(super) fn write(&mut self, mut world: World) -> Result<(), StoreError> {
        world.generation = self.generation.saturating_add(1);
        let digest = self.replace(&world).map_err(|source| StoreError::Write { path: self.path.clone(), source })?;
        self.generation = world.generation;
        self.digest = Some(digest);
        self.seen = Some(digest);
        self.journal = None;
        // It is of another file now; if it cannot be removed it will be put aside.
        let _ = fs::remove_file(beside(&self.path, ".journal"));
        Ok(())
    }

    /// Takes what somebody should know.
    pub(super) fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }

    /// Adds a line to the journal.
    pub(super) fn append(&mut self, entry: &Entry) -> Result<(), StoreError> {
        self.add(entry).map_err(|source| StoreError::Write { path: self.path.clone(), source })
    }

    fn add(&mut self, entry: &Entry) -> io::Result<()> {
        let mut text = Vec::new();
        if self.journal.is_none() {
            serde_json::to_writer(&mut text, &Heading { digest: self.digest.unwrap_or_default() })?;
            text.push(b'\n');
            let path = beside(&self.path, ".journal");
            let file = File::options().create(true).write(true).truncate(true).open(path)?;
            self.journal = Some(Journal { file, length: 0 });
        }
        serde_json::to_writer(&mut text, entry)?;
        text.push(b'\n');
        if let Some(journal) = &mut self.journal {
            if let Err(error) = journal.file.write_all(&text) {
                // Half a line may be there: it was not answered, and what comes next is the whole world.
                let _ = journal.file.set_len(journal.length);
                return Err(error);
            }
            journal.length = journal.length.saturating_add(text.len() as u64);
        }
        Ok(())
    }

    /// Whether there is something in the journal that the world file lacks.
    pub(super) fn has_entries(&self) -> bool {
        self.journal.is_some()
    }

    /// Whether the whole world is to be written next: a file of this process's own, for a journal to go on from, or the journal is
    /// long enough to be folded in.
    pub(super) fn wants_all(&self) -> bool {
        match &self.journal {
            Some(journal) => journal.length > FULL,
            None => self.digest.is_none(),
        }
    }

    /// A journal of another file is what was left when somebody edited this one or put it in the place of that one: it is put
    /// aside. A last line that is not whole is what was left in the middle of a write: its call was not answered.
    fn read_journal(&mut self, digest: u64) -> Result<Vec<Entry>, StoreError> {
        let path = beside(&self.path, ".journal");
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(StoreError::Read { path, source }),
        };
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut lines = text.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n').filter(|it| !it.is_empty());
        let Some(heading) = lines.next() else { return Ok(Vec::new()) };
        if serde_json::from_slice::<Heading>(heading).ok().is_none_or(|heading| heading.digest != digest) {
            self.put_journal_aside(lines.count())?;
            return Ok(Vec::new());
        }
        let entries = lines.map(serde_json::from_slice).collect::<Result<_, _>>();
        let entries = entries.map_err(|source| StoreError::Parse { path: path.clone(), source })?;
        // What follows is written after the last whole line.
        let reopen = || {
            let file = File::options().append(true).open(&path)?;
            file.set_len(whole as u64)?;
            Ok(Journal { file, length: whole as u64 })
        };
        self.digest = Some(digest);
        self.journal = Some(reopen().map_err(|source| StoreError::Write { path: path.clone(), source })?);
        Ok(entries)
    }

    /// Puts a journal aside that does not belong to the world file that is there now.
    fn put_journal_aside(&mut self, changes: usize) -> Result<(), StoreError> {
        let path = beside(&self.path, ".journal");
        let aside = free(&self.path, ".journal.old");
        match fs::rename(&path, &aside) {
            Ok(()) => self.notices.push(format!(
                "`{}` was edited, replaced or removed after a sandbox was killed: the last {changes} changes are in `{}` now",
                self.path.display(),
                aside.display()
            )),
            Err(source) if source.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(StoreError::Write { path, source }),
        }
        Ok(())
    }

    /// Writes into the lock where the world is served, for [`served_at`].
    pub(super) fn announce(&mut self, address: &str) -> Result<(), StoreError> {
        let written = self.lock.set_len(0).and_then(|()| self.lock.write_all(address.as_bytes()));
        written.map_err(|source| StoreError::Write { path: self.path.clone(), source })
    }

    /// A journal that does not fit its world.
    pub(super) fn foreign(&self, what: &str) -> StoreError {
        StoreError::Journal { path: beside(&self.path, ".journal"), what: what.to_owned() }
    }

    /// Replaces the file and gives back its digest. What somebody wrote into it while it was in use is kept beside it.
    fn replace(&mut self, world: &World) -> io::Result<u64> {
        let mut file = tempfile::NamedTempFile::new_in(folder(&self.path))?;
        let mut text = serde_json::to_vec_pretty(world)?;
        text.push(b'\n');
        file.write_all(&text)?;
        // A temporary file is private; the world keeps the permissions somebody gave it.
        if let Ok(before) = fs::metadata(&self.path) {
            file.as_file().set_permissions(before.permissions())?;
        }
        let edited = |seen| fs::read(&self.path).is_ok_and(|text| digest(&text) != seen);
        if self.seen.is_some_and(edited) {
            let aside = free(&self.path, ".edited");
            fs::copy(&self.path, &aside)?;
            self.notices.push(format!(
                "`{}` was edited while it was in use: what was written into it is in `{}` now",
                self.path.display(),
                aside.display()
            ));
        }
        file.persist(&self.path)?;
        Ok(digest(&text))
    }
}

/// Where another process serves the world right now, if one does.
pub(super) fn served_at(path: &Path) -> Option<String> {
    let lock = File::open(beside(&resolved(path), ".lock")).ok()?;
    let address = io::read_to_string(&lock).ok().filter(|address| !address.is_empty())?;
    // An address whose lock is free is of a process that was killed.
    matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)).then_some(address)
}

/// The file itself: its lock and its journal stand beside it, not beside a link to it.
fn resolved(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// A number that hardly any other file has. FNV-1a over words of eight bytes.
fn digest(text: &[u8]) -> u64 {
    let word = |bytes: &[u8]| bytes.iter().fold(0_u64, |word, byte| (word << 8) | u64::from(*byte));
    let start = 0xCBF2_9CE4_8422_2325 ^ text.len() as u64;
    text.chunks(8).fold(start, |sum, bytes| (sum ^ word(bytes)).wrapping_mul(0x0000_0100_0000_01B3).rotate_left(29))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}

/// A name beside a file that is not taken.
fn free(path: &Path, ending: &str) -> PathBuf {
    let numbered = (2_u32..).map(|number| beside(path, &format!("{ending}.{number}")));
    let mut names = std::iter::once(beside(path, ending)).chain(numbered);
    names.find(|name| !name.exists()).unwrap_or_else(|| beside(path, ending))
}

/// The lock is a file of its own: the world is replaced by renaming, and a lock on it would stay with the old file.
fn lock(path: &Path) -> Result<File, StoreError> {
    let open = || {
        fs::create_dir_all(folder(path))?;
        File::options().create(true).truncate(false).write(true).open(beside(path, ".lock"))
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
    let said = value.is_ok_and(|value| value.get("format_version").is_some());
    said || serde_json::from_slice::<World>(text).is_ok()
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
