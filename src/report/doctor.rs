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
    let broken: Vec<&Check> = checks.iter().filter(|check| check.verdict == CheckVerdict::Broken).collect();
    let open = checks.iter().any(|check| check.verdict == CheckVerdict::Skipped);
    match (broken.first(), broken.last()) {
        (Some(first), Some(last)) => {
            writeln!(out, "\n{}", style::error(format!("you do not get in: {}", Shown(&last.evidence))))?;
            let Some(next) = &first.next else { return Ok(()) };
            writeln!(out, "\n{}: {}", style::hint("next"), Shown(next))?;
            if next.starts_with("permset why") {
                writeln!(
                    out,
                    "      (for an administrator, with your user name in the place of YOU: it writes the request)"
                )?;
            }
            Ok(())
        }
        _ if open => writeln!(out, "\n{}", style::warning("not known yet: see the line above that is marked with !")),
        _ => writeln!(out, "\n{}", style::success("you get in")),
    }
}
