//! Turns values into text: for people, for pull requests, for machines.
//!
//! Everything is rendered from a value into a `fmt::Write` that is given; nothing here does I/O, asks the environment,
//! or decides. Text for people carries terminal styles, which the caller strips where they are not wanted. Whatever
//! comes from a file or from AWS passes through [`Shown`](crate::model::Shown).

pub mod access_file;
pub mod annotations;
pub mod apply;
pub mod baseline;
pub mod doctor;
pub mod drift;
pub mod findings;
mod fold;
pub mod hints;
pub mod iam_policy;
pub mod journal;
pub mod json;
mod markdown;
pub mod patch;
mod people;
pub mod plan;
pub mod saved;
pub mod style;
pub mod who_can;
pub mod why;
mod words;

pub use words::one_line;

/// Returns `1 change`, `2 changes`.
pub fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}
