//! Markdown as GitHub renders it: foreign text stays text, and a comment stays within its limit.

use std::fmt::{self, Write};

use crate::model::Shown;
use crate::report::count;

/// GitHub refuses a comment of more than 65,536 characters; the rest is for what follows.
const LONGEST: usize = 60_000;

/// Returns text as a code span that nothing inside can leave, also in a table.
pub(super) fn code(text: &str) -> String {
    let text = Shown(text).to_string().replace('|', "\\|");
    let longest_run = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest_run + 1);
    let pad = if longest_run > 0 { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Returns lines as a code block that nothing inside can leave.
pub(super) fn block(language: &str, text: &str) -> String {
    let longest_run = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest_run.max(2) + 1);
    format!("{fence}{language}\n{text}\n{fence}")
}

/// Returns text for the inside of an HTML element.
pub(super) fn html(text: &str) -> String {
    Shown(text).to_string().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('@', "&#64;")
}

/// Returns a sentence of ours in which foreign names may stand.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in html(text).chars() {
        if "*_[]()|~\\".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// What is left of a comment's length.
#[derive(Debug, Default)]
pub(super) struct Budget {
    used: usize,
    left_out: usize,
}

impl Budget {
    /// Writes a block, or leaves it out if it does not fit.
    pub(super) fn write(&mut self, out: &mut impl Write, block: &str) -> fmt::Result {
        if self.used + block.len() > LONGEST {
            self.left_out += 1;
            return Ok(());
        }
        self.used += block.len();
        out.write_str(block)
    }

    /// Writes rows as far as they fit into so many percent of all space, and says how many did not: each row stands for
    /// so many things.
    pub(super) fn write_rows(
        &mut self,
        out: &mut impl Write,
        rows: impl IntoIterator<Item = (usize, String)>,
        percent: usize,
        noun: &str,
    ) -> fmt::Result {
        let mut left_out = 0;
        for (things, row) in rows {
            if left_out > 0 || self.used + row.len() > LONGEST * percent / 100 {
                left_out += things;
                continue;
            }
            self.used += row.len() + 1;
            writeln!(out, "{row}")?;
        }
        match left_out {
            0 => Ok(()),
            n => writeln!(out, "\n… and {} more, too many for one comment", count(n, noun)),
        }
    }

    /// Says how many blocks were left out.
    pub(super) fn finish(&self, out: &mut impl Write) -> fmt::Result {
        match self.left_out {
            0 => Ok(()),
            n => writeln!(out, "\n… details of {} left out, too long for one comment", count(n, "permission set")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{code, escape, html};

    #[test]
    fn nothing_foreign_gets_out_of_its_place() {
        assert_eq!(code("plain"), "`plain`");
        assert_eq!(code("a|b"), "`a\\|b`");
        assert_eq!(code("`rm`` x"), "``` `rm`` x ```");
        assert_eq!(code("a\nb"), "`a\\nb`");
        assert_eq!(html("</details>@all"), "&lt;/details&gt;&#64;all");
        assert_eq!(escape("[x](http://a)"), "\\[x\\]\\(http://a\\)");
    }
}
