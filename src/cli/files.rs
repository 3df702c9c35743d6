//! Files that a command leaves behind: written whole or not at all, and never over something else.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use crate::cli::error::Failure;
use crate::model::Shown;

/// Saves a text for its owner only. `what` it is, in words; `is_one` tells whether what is there already is an earlier one.
///
/// # Errors
/// If the file is there and is something else, or cannot be written.
pub(super) fn save(path: &Path, text: &str, what: &str, is_one: impl Fn(&str) -> bool) -> Result<(), Failure> {
    let shown = Shown(&path.display().to_string()).to_string();
    let trouble = |error: &io::Error| Failure::new(format!("cannot save the {what} in `{shown}`: {error}"));
    match fs::read_to_string(path) {
        Ok(there) if is_one(&there) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Ok(_) | Err(_) => {
            let failure = Failure::new(format!("`{shown}` is there and is no {what}: it is not overwritten"));
            return Err(failure.hint("name another file"));
        }
    }
    // It tells who has what; the file is made with mode 0600 and stays so.
    let mut file = tempfile::NamedTempFile::new_in(above(path)).map_err(|error| trouble(&error))?;
    file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(|error| trouble(&error))?;
    file.persist(path).map_err(|error| trouble(&error.error))?;
    Ok(())
}

/// Makes a file that everybody may read whom the umask lets.
///
/// # Errors
/// If something is there, or it cannot be written.
pub(super) fn make(path: &Path, text: &str) -> io::Result<()> {
    let mut file = builder(0o666).tempfile_in(above(path))?;
    file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all())?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    Ok(())
}

/// Makes a folder with files in it, by their names, all of them or none.
///
/// # Errors
/// If something is there, or it cannot be written.
pub(super) fn make_folder(path: &Path, files: &[(String, String)]) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let folder = builder(0o777).tempdir_in(above(path))?;
    for (name, text) in files {
        make(&folder.path().join(name), text)?;
    }
    fs::rename(folder.path(), path)?;
    // It has another name now.
    let _ = folder.keep();
    Ok(())
}

#[cfg_attr(not(unix), expect(unused_variables))]
fn builder(mode: u32) -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    builder.prefix(".permset-");
    builder
}

/// The folder that a path is in.
fn above(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Reads a text; what is no text is read as far as it is one, and refused by its digest later.
///
/// # Errors
/// If it cannot be read.
pub(super) fn read(path: &Path) -> Result<String, Failure> {
    let shown = Shown(&path.display().to_string()).to_string();
    let bytes = fs::read(path).map_err(|error| Failure::new(format!("cannot read `{shown}`: {error}")))?;
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}
