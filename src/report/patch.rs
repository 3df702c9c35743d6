//! Lines added to an access file, as a patch that `git apply` and `patch` take.

use similar::TextDiff;

/// What to add below one of the file's sections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addition {
    /// The key of the section, at the left edge.
    pub section: &'static str,
    /// The lines, two in, each with its end.
    pub lines: String,
}

/// Returns the text with the additions at the end of their sections; `None` where a section is written in brackets.
pub fn add(text: &str, additions: &[Addition]) -> Option<String> {
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut text = text.to_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push_str(end);
    }
    for Addition { section, lines } in additions {
        text = add_one(&text, section, lines, end)?;
    }
    Some(text)
}

fn add_one(text: &str, section: &str, lines: &str, end: &str) -> Option<String> {
    let all: Vec<&str> = text.split_inclusive('\n').collect();
    let key = |line: &&str| line.strip_prefix(section).is_some_and(|rest| rest.starts_with(':'));
    let Some(start) = all.iter().position(key) else {
        let lines = lines.replace('\n', end);
        return Some(format!("{text}{end}{section}:{end}{lines}"));
    };
    let behind = all.get(start)?.strip_prefix(section)?.strip_prefix(':')?.trim();
    if !(behind.is_empty() || behind.starts_with('#')) {
        return None;
    }
    // The section ends before whatever stands at the left edge next; blank lines and comments there belong to that.
    let below = all.iter().skip(start + 1);
    let is_inside = |line: &&&str| {
        let line = line.trim_end();
        line.is_empty() || line.starts_with([' ', '#', '-'])
    };
    let inside = below.take_while(is_inside).collect::<Vec<_>>();
    let is_content = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let last = inside.iter().rposition(|line| is_content(line)).map_or(0, |at| at + 1);
    let indent = inside.iter().find(|line| is_content(line)).map_or(2, |line| line.len() - line.trim_start().len());
    let lines: String =
        lines.lines().map(|line| format!("{:indent$}{}{end}", "", line.strip_prefix("  ").unwrap_or(line))).collect();
    let (before, after) = all.split_at(start + 1 + last);
    Some(format!("{}{lines}{}", before.concat(), after.concat()))
}

/// Returns the difference as a patch, with so many lines around it.
pub fn unified(path: &str, before: &str, after: &str, context: usize) -> String {
    // Of a path that leads up or begins at the root `git apply` takes only the name, from within its folder.
    let path = path.strip_prefix("./").unwrap_or(path);
    let leaves = path.starts_with('/') || path.split('/').any(|part| part == "..");
    let path = if leaves { path.rsplit('/').next().unwrap_or(path) } else { path };
    TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(context)
        .header(&format!("a/{path}"), &format!("b/{path}"))
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::{Addition, add};

    fn added(text: &str) -> Option<String> {
        add(text, &[Addition { section: "assignments", lines: "  - x: [a]\n    y: b\n".to_owned() }])
    }

    #[test]
    fn lines_stand_at_the_end_of_their_section_as_the_others_do() {
        assert_eq!(
            added("assignments:\n  - x: [1]\n\n# about guards\nguards: {}\n").as_deref(),
            Some("assignments:\n  - x: [1]\n  - x: [a]\n    y: b\n\n# about guards\nguards: {}\n")
        );
        assert_eq!(
            added("assignments:   # who\n- x: [1]\n- x: [2]\n# the end").as_deref(),
            Some("assignments:   # who\n- x: [1]\n- x: [2]\n- x: [a]\n  y: b\n# the end\n")
        );
        assert_eq!(added("version: 1").as_deref(), Some("version: 1\n\nassignments:\n  - x: [a]\n    y: b\n"));
        assert_eq!(added("assignments: [{x: [1]}]\n"), None);
    }
}
