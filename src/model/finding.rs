//! What a check found, and where: the one form in which mistakes travel to the reader.

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, and somebody should look.
    Warning,
}

/// A stretch of text in one of the files that were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The index of the file among those read, the access file being 0.
    pub file: usize,
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// A value with the place that it was written at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

impl<T> Located<T> {
    /// Puts a value and its place together.
    pub fn new(value: T, place: Place) -> Self {
        Self { value, place }
    }

    /// Applies `f` to the value and keeps the place.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Located<U> {
        Located { value: f(self.value), place: self.place }
    }
}

/// The files that places point into, the access file first.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
}

#[derive(Clone, Debug)]
struct Source {
    path: String,
    text: String,
    /// Where each line begins, so that a thousand findings do not read the file a thousand times.
    lines: Vec<usize>,
}

/// A place as people count: from one, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position<'a> {
    /// The path of the file as the user gave it.
    pub path: &'a str,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
    /// The text of the line.
    pub text: &'a str,
    /// The first byte of the place within that line.
    pub start: usize,
    /// The byte after its last within that line.
    pub end: usize,
}

impl Sources {
    /// Adds a file and returns its index for [`Place::file`].
    pub fn add(&mut self, path: impl Into<String>, text: impl Into<String>) -> usize {
        let text = text.into();
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        self.files.push(Source { path: path.into(), text, lines });
        self.files.len() - 1
    }

    /// Returns the text of a file.
    pub fn text(&self, file: usize) -> &str {
        self.files.get(file).map_or("", |source| source.text.as_str())
    }

    /// Returns path and text of all files.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|source| (source.path.as_str(), source.text.as_str()))
    }

    /// Returns where a place is, or `None` if it points outside of what was read.
    pub fn position(&self, place: Place) -> Option<Position<'_>> {
        let Source { path, text, lines } = self.files.get(place.file)?;
        let line = lines.partition_point(|start| *start <= place.start);
        let line_start = *lines.get(line.checked_sub(1)?)?;
        let line_text = text.get(line_start..)?.split('\n').next().unwrap_or_default().trim_end_matches('\r');
        let start = (place.start - line_start).min(line_text.len());
        Some(Position {
            path,
            line,
            column: text.get(line_start..place.start)?.chars().count() + 1,
            text: line_text,
            start,
            end: place.end.saturating_sub(line_start).clamp(start, line_text.len()),
        })
    }
}

/// One thing that a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong: a lower-case fragment, what the user wrote in backticks.
    pub message: String,
    /// Where, if it has a place.
    pub place: Option<Place>,
    /// A few words to stand under the place.
    pub label: String,
    /// Ways out, each a sentence fragment of its own.
    pub hints: Vec<String>,
}

impl Finding {
    /// Makes an error at a place.
    pub fn error(place: Place, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            message: message.into(),
            place: Some(place),
            label: String::new(),
            hints: Vec::new(),
        }
    }

    /// Makes a warning at a place.
    pub fn warning(place: Place, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(place, message) }
    }

    /// Adds the words under the place.
    #[must_use]
    pub fn label(self, label: impl Into<String>) -> Self {
        Self { label: label.into(), ..self }
    }

    /// Adds a way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// How many names are compared: a suggestion is not worth more time.
const CANDIDATES: usize = 500;

/// Returns the candidate that was most probably meant by `wrong`, if any is close enough to be worth naming.
pub fn similar_name<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = wrong.to_lowercase();
    let limit = (wrong.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        // A hostile file could make the quadratic distance expensive.
        .filter(|candidate| candidate.len() <= 200 && wrong.len() <= 200)
        .take(CANDIDATES)
        .map(|candidate| (edit_distance(&folded, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Counts insertions, deletions and replacements (Levenshtein).
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        let mut left = i + 1;
        next.push(left);
        for (to, pair) in b.iter().zip(row.windows(2)) {
            let &[diagonal, above] = pair else { continue };
            left = (left + 1).min(above + 1).min(diagonal + usize::from(from != *to));
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{edit_distance, similar_name};

    #[test]
    fn the_nearest_name_is_offered_and_a_far_one_is_not() {
        let names = ["jitsi-operators", "jitsi-admins", "auditors"];
        assert_eq!(similar_name("jitsi-operatos", names), Some("jitsi-operators"));
        assert_eq!(similar_name("JITSI-ADMINS", names), Some("jitsi-admins"));
        assert_eq!(similar_name("billing", names), None);
        assert_eq!((edit_distance("kitten", "sitting"), edit_distance("", "abc")), (3, 3));
    }
}
