//! The layer table of the crate's first page, executable: a folder may import only what its row allows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::support::tests_dir;

/// Folder, what it may import, and words that may not stand in it.
const LAYERS: [(&str, &[&str], &[&str]); 11] = [
    (
        "model",
        &["model"],
        &["std::fs", "std::env", "tokio", "aws_sdk", "aws_smithy", "serde_yaml", "SystemTime", "async fn"],
    ),
    ("desired", &["desired", "model"], &["tokio", "aws_sdk", "aws_smithy", "async fn", "std::env"]),
    ("aws", &["aws", "model"], &["std::fs"]),
    (
        "plan",
        &["plan", "model"],
        &["tokio", "async fn", "std::fs", "std::env", "std::io", "SystemTime", "aws_sdk", "anstyle"],
    ),
    (
        "effective",
        &["effective", "model", "plan"],
        &["tokio", "async fn", "std::fs", "std::env", "std::io", "SystemTime", "aws_sdk", "anstyle"],
    ),
    ("observed", &["observed", "model", "aws"], &["aws_sdk", "aws_smithy", "std::fs"]),
    ("apply", &["apply", "model", "plan", "aws"], &["aws_sdk", "aws_smithy", "std::fs", "anstyle"]),
    (
        "report",
        &["report", "model", "plan", "apply", "effective"],
        &["tokio", "async fn", "std::fs", "std::env", "std::io", "aws_sdk"],
    ),
    (
        "cli",
        &[
            "cli",
            "report",
            "apply",
            "effective",
            "observed",
            "plan",
            "aws",
            "desired",
            "model",
            "sandbox",
            "workstation",
        ],
        &["aws_sdk", "aws_smithy"],
    ),
    ("workstation", &["workstation", "model", "aws"], &["aws_sdk", "aws_smithy"]),
    // A witness, not an accomplice: it knows the wire and nothing of ours.
    ("sandbox", &["sandbox"], &["aws_sdk", "std::env"]),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

fn src() -> PathBuf {
    tests_dir("../src")
}

/// The code of a file without its tests and comments.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]").next().unwrap();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_import_goes_down() {
    let mut breaches = Vec::new();
    let mut seen = BTreeMap::new();
    for (folder, allowed, forbidden) in LAYERS {
        let mut files = Vec::new();
        sources(&src().join(folder), &mut files);
        seen.insert(folder, files.len());
        for file in files {
            let code = code(&file);
            for (at, _) in code.match_indices("crate::") {
                let rest = &code[at + "crate::".len()..];
                let module: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                if !allowed.contains(&module.as_str()) {
                    breaches.push(format!("{} imports {module}", file.display()));
                }
            }
            for word in forbidden {
                // Files are read in `source` and written in `journal` only.
                let does_files =
                    file.ends_with("desired/source.rs") || file.components().any(|part| part.as_os_str() == "journal");
                if code.contains(word) && !does_files {
                    breaches.push(format!("{} has {word}", file.display()));
                }
            }
        }
    }
    assert!(breaches.is_empty(), "{breaches:#?}");
    assert!(seen.values().all(|files| *files > 1), "a layer is missing: {seen:?}");
}

#[test]
fn every_folder_is_a_layer() {
    let folders = std::fs::read_dir(src()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    for folder in folders {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        assert!(LAYERS.iter().any(|(layer, _, _)| *layer == name), "{name} is in no row of the table");
    }
}

#[test]
fn only_aws_names_the_sdk() {
    let mut files = Vec::new();
    sources(&src(), &mut files);
    for file in files.iter().filter(|file| !file.starts_with(src().join("aws"))) {
        assert!(!code(file).contains("aws_sdk_"), "{}", file.display());
    }
}

#[test]
fn files_stay_readable() {
    let mut files = Vec::new();
    sources(&src(), &mut files);
    for file in files {
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= 500, "{} has {lines} lines: split it where a seam shows", file.display());
    }
}

#[test]
fn every_module_says_what_it_is_for() {
    let mut files = Vec::new();
    sources(&src(), &mut files);
    for file in files {
        assert!(std::fs::read_to_string(&file).unwrap().starts_with("//!"), "{}", file.display());
    }
}

#[test]
fn no_test_file_is_forgotten() {
    let main = std::fs::read_to_string(tests_dir("it/main.rs")).unwrap();
    for entry in std::fs::read_dir(tests_dir("it")).unwrap() {
        let name = entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
        assert!(name == "main" || main.contains(&format!("mod {name};")), "{name} is never run");
    }
}
