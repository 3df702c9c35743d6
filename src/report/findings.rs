//! Findings in code frames: the line, the place underlined, and ways out.

use std::fmt::{self, Write};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::model::{Finding, Severity, Shown, Sources};
use crate::report::count;
use crate::report::style;

/// How many characters of a line a frame shows; an access file in one line would fill screens.
const LONGEST_LINE: usize = 400;

/// How many findings are shown in full.
const MOST: usize = 500;

/// Writes all findings, and a last line that counts them.
///
/// # Errors
/// Only if `out` fails.
pub fn write(out: &mut impl Write, findings: &[Finding], sources: &Sources, width: usize) -> fmt::Result {
    // Errors first where there are too many to show: nobody mends five hundred places from one run.
    let mut shown: Vec<&Finding> = findings.iter().collect();
    if shown.len() > MOST {
        shown.sort_by_key(|finding| finding.severity);
    }
    for finding in shown.iter().take(MOST) {
        write_one(out, finding, sources, width)?;
        writeln!(out)?;
    }
    if let Some(more) = findings.len().checked_sub(MOST).filter(|more| *more > 0) {
        writeln!(out, "… and {} more like these\n", count(more, "finding"))?;
    }
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let warnings = findings.len() - errors;
    match (errors, warnings) {
        (0, _) => Ok(()),
        (errors, 0) => writeln!(out, "{}", count(errors, "error")),
        (errors, warnings) => writeln!(out, "{}, {}", count(errors, "error"), count(warnings, "warning")),
    }
}

fn write_one(out: &mut impl Write, finding: &Finding, sources: &Sources, width: usize) -> fmt::Result {
    let Finding { severity, message, place, label, hints } = finding;
    let level = match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let message = Shown(message).to_string();
    let title = level.primary_title(message);
    let renderer = Renderer::styled().term_width(width);
    let frame = place.and_then(|place| sources.position(place));
    match &frame {
        Some(at) if at.text.len() <= LONGEST_LINE => {
            let path = Shown(at.path).to_string();
            let part = |range: std::ops::Range<usize>| safe(at.text.get(range).unwrap_or_default());
            let (before, marked, after) = (part(0..at.start), part(at.start..at.end), part(at.end..at.text.len()));
            let span = before.len()..before.len() + marked.len();
            let annotation = AnnotationKind::Primary.span(span);
            let annotation = if label.is_empty() { annotation } else { annotation.label(Shown(label).to_string()) };
            let text = format!("{before}{marked}{after}");
            let snippet = Snippet::source(text).line_start(at.line).path(path).annotation(annotation);
            writeln!(out, "{}", renderer.render(&[title.element(snippet)]))?;
        }
        Some(at) => {
            writeln!(out, "{}", renderer.render(&[Group::with_title(title)]))?;
            writeln!(out, "  --> {}:{}:{}", Shown(at.path), at.line, at.column)?;
        }
        None => writeln!(out, "{}", renderer.render(&[Group::with_title(title)]))?,
    }
    for hint in hints {
        writeln!(out, "{}: {}", style::hint("hint"), Shown(hint))?;
    }
    Ok(())
}

/// A line of a file as it may be shown: tabs as blanks, and nothing that a terminal would obey.
fn safe(text: &str) -> String {
    Shown(&text.replace('\t', "    ")).to_string()
}
