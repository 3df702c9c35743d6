//! Writing a journal: a line is on disk before anything else happens. It is locked while its run lives.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::apply::journal::{Begin, Entry, Line, now};

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    /// Why nothing more can be written.
    trouble: Mutex<Option<String>>,
}

impl Journal {
    /// Starts a journal in a folder, which is made if it is not there.
    ///
    /// # Errors
    /// If the folder or the file cannot be made, or its first line cannot be written.
    pub fn create(folder: &Path, begin: Begin) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let stamp = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        for attempt in 0_u32..1000 {
            let more = if attempt == 0 { String::new() } else { format!("-{attempt}") };
            let path = folder.join(format!("journal-{stamp}-{}{more}.jsonl", std::process::id()));
            match private().create_new(true).open(&path) {
                Ok(file) => {
                    // Somebody who looks for journals may hold it for a moment.
                    file.lock()?;
                    // Its name has to outlive a power cut as well as its lines.
                    #[cfg(unix)]
                    File::open(folder)?.sync_all()?;
                    let journal = Self { file, path, trouble: Mutex::default() };
                    journal.write(Entry::Begin(Box::new(begin)));
                    return match journal.trouble() {
                        None => Ok(journal),
                        Some(trouble) => Err(io::Error::other(trouble)),
                    };
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::from(io::ErrorKind::AlreadyExists))
    }

    /// Writes to a file that is open already.
    pub fn on(file: File, path: impl Into<PathBuf>) -> Self {
        Self { file, path: path.into(), trouble: Mutex::default() }
    }

    /// Returns where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns why nothing more could be written, if that is so.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Appends a line and waits until it is on disk. After the first failure nothing more is written: a line after a
    /// torn one could not be read.
    pub fn write(&self, entry: Entry) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble.is_none() {
            *trouble = self.append(entry).err().map(|error| error.to_string());
        }
    }

    /// Cuts off what comes after so many bytes: a line that was torn.
    pub(super) fn cut(&self, length: u64) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        *trouble = self.file.set_len(length).err().map(|error| error.to_string());
    }

    fn append(&self, entry: Entry) -> io::Result<()> {
        let mut text = serde_json::to_string(&Line { time: now(), entry })?;
        text.push('\n');
        (&self.file).write_all(text.as_bytes())?;
        self.file.sync_data()
    }
}

/// Whoever may read it learns who has what: it is for its owner only.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
