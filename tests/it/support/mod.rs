//! What the tests share: a hermetic command line, an in-process run in virtual time, and a tap on the wire.

pub mod cli;
pub mod invariants;
pub mod run;
pub mod tap;
pub mod universe;

use std::path::{Path, PathBuf};

/// A path below `tests/`.
pub fn tests_dir(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(below)
}

/// The folders below a folder of `tests/`, in order.
pub fn folders(below: &str) -> Vec<PathBuf> {
    entries(below, |path| path.is_dir())
}

/// The files with an ending below a folder of `tests/`, in order.
pub fn files(below: &str, ending: &str) -> Vec<PathBuf> {
    entries(below, |path| path.is_file() && path.to_string_lossy().ends_with(ending))
}

fn entries(below: &str, wanted: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let dir = tests_dir(below);
    let mut found: Vec<PathBuf> = std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| wanted(path));
    found.sort();
    assert!(!found.is_empty(), "nothing in {}", dir.display());
    found
}

/// Compares with a golden file; `SNAPSHOTS=overwrite cargo test` writes it anew.
pub fn assert_golden(actual: &str, path: &Path) {
    let expected = snapbox::Data::read_from(path, None).raw();
    snapbox::Assert::new().action_env("SNAPSHOTS").eq(snapbox::Data::text(actual).raw(), expected);
}
