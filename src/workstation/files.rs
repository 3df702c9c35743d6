//! Where the AWS CLI keeps its files, and writing one of them: a backup first, then all of it or nothing.

use std::env;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Returns the shared config file, `AWS_CONFIG_FILE` or `~/.aws/config`; `None` without a home.
pub fn config() -> Option<PathBuf> {
    place("AWS_CONFIG_FILE", "config")
}

/// Returns the file of static keys, `AWS_SHARED_CREDENTIALS_FILE` or `~/.aws/credentials`.
pub fn credentials() -> Option<PathBuf> {
    place("AWS_SHARED_CREDENTIALS_FILE", "credentials")
}

/// Returns the folder in which `aws sso login` keeps its tokens.
pub fn sign_ins() -> Option<PathBuf> {
    Some(home()?.join(".aws").join("sso").join("cache"))
}

fn home() -> Option<PathBuf> {
    env::var_os("HOME").or_else(|| env::var_os("USERPROFILE")).filter(|home| !home.is_empty()).map(PathBuf::from)
}

fn place(variable: &str, name: &str) -> Option<PathBuf> {
    match env::var_os(variable).filter(|path| !path.is_empty()) {
        Some(path) => Some(match path.to_str().and_then(|text| text.strip_prefix("~/")) {
            Some(below) => home()?.join(below),
            None => PathBuf::from(path),
        }),
        None => Some(home()?.join(".aws").join(name)),
    }
}

/// Reads a text; one that is not there is empty.
///
/// # Errors
/// If it cannot be read, or is no text.
pub fn read(path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        text => text,
    }
}

/// Writes a text in the place of `before`, whole or not at all, through a link to where it leads, with the rights that the file had.
/// Returns where what was there is kept.
///
/// # Errors
/// If the file is no longer `before`, or cannot be written.
pub fn replace(path: &Path, before: &str, text: &str, stamp: &str) -> io::Result<Option<PathBuf>> {
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let folder = real.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    if read(&real)? != before {
        return Err(io::Error::other("somebody has changed the file meanwhile"));
    }
    let rights = fs::metadata(&real).ok().map(|metadata| metadata.permissions());
    let backup = match &rights {
        None => None,
        Some(_) => {
            let name = real.file_name().unwrap_or_default().to_string_lossy();
            Some(keep(written(folder, before, rights.as_ref())?, folder, &format!("{name}.{stamp}"))?)
        }
    };
    written(folder, text, rights.as_ref())?.persist(&real).map_err(|error| error.error)?;
    Ok(backup)
}

/// Writes a text aside, where only its owner may read it until it has its rights: there may be keys in it.
fn written(folder: &Path, text: &str, rights: Option<&fs::Permissions>) -> io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    if let Some(rights) = rights {
        file.as_file().set_permissions(rights.clone())?;
    }
    file.as_file().sync_all()?;
    Ok(file)
}

/// Gives a file a name that begins so, and that no older one has.
fn keep(mut file: NamedTempFile, folder: &Path, name: &str) -> io::Result<PathBuf> {
    let mut number = 1;
    loop {
        let more = if number > 1 { format!("-{number}") } else { String::new() };
        let path = folder.join(format!("{name}{more}.backup"));
        match file.persist_noclobber(&path) {
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists && number < 1_000 => {
                (file, number) = (error.file, number + 1);
            }
            kept => return kept.map(|_| path).map_err(|error| error.error),
        }
    }
}
