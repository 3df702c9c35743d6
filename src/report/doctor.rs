//! What a look at a person's machine found.

use std::fmt::{self, Write};

use crate::model::{Check, CheckVerdict, Shown};
use crate::report::style;

/// Writes the checks, then the first thing to do.
///
/// # Errors
/// Only if `out` fails.
pub fn write_text(out: &mut impl Write, profile: &str, checks: &[Check]) -> fmt::Result {
    writeln!(out, "{}\n", style::heading(format!("doctor: profile {}", Shown(profile))))?;
    for Check { name, verdict, evidence, next } in checks {
        let mark = match verdict {
            CheckVerdict::Ok => style::added("ok").to_string(),
            CheckVerdict::Broken => style::removed("--").to_string(),
            CheckVerdict::Warning => style::changed(" !").to_string(),
            CheckVerdict::Skipped => "  ".to_owned(),
        };
        writeln!(out, "  {mark}  {name:<12} {}", Shown(evidence))?;
        if let Some(next) = next {
            writeln!(out, "      {:<12} {}", "", style::faint(format!("-> {}", Shown(next))))?;
        }
    }
    match checks.iter().find(|check| check.verdict == CheckVerdict::Broken) {
        None => writeln!(out, "\n{}", style::success("you get in")),
        Some(check) => {
            writeln!(out, "\n{}", style::error(format!("you do not get in: {}", Shown(&check.evidence))))?;
            match &check.next {
                Some(next) => writeln!(out, "\n{}: {}", style::hint("next"), Shown(next)),
                None => Ok(()),
            }
        }
    }
}
