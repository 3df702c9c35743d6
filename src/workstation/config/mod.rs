//! The AWS CLI's shared files, `~/.aws/config` and `~/.aws/credentials`: read, and edited without loss.
//!
//! It is text to text, and must do no I/O; every byte that an edit is not about stays as it is. Two parsers read these
//! files and disagree: the AWS CLI's (Python's configparser) and the SDKs'. Sections and keys are found by the CLI's
//! rules, which see more, so that nothing is written twice in its eyes; values end where the SDKs end them, before ` #`
//! or ` ;`. Where the two differ or refuse the file, a [`Problem`] says so.

mod edit;

use std::collections::BTreeSet;
use std::ops::Range;

pub use edit::{Block, Conflict, Merge, OnConflict};

const BOM: char = '\u{feff}';
const COMMENT: [char; 2] = ['#', ';'];

/// What a section is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SectionKind {
    /// `[default]`, `[profile name]`, and every section of a credentials file.
    Profile,
    /// `[sso-session name]`.
    SsoSession,
    /// `[services name]`.
    Services,
    /// Anything else, which is kept and never written.
    Other,
}

/// Something that the AWS CLI or the SDKs refuse, or that they read differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whether the AWS CLI reads nothing of the file any more.
    pub fatal: bool,
    /// The line, counted from one.
    pub line: usize,
    /// What is wrong: a lower-case fragment, safe to print.
    pub message: String,
}

struct Key {
    name: String,
    value: String,
    line: usize,
    /// The value's bytes within its line.
    span: Range<usize>,
    continued: bool,
}

/// A section of a [`Config`]; sections of the same name count as one, as the SDKs see it.
pub struct Section {
    kind: SectionKind,
    name: String,
    /// Whether it is `[default]`, which yields to `[profile default]`.
    plain: bool,
    line: usize,
    /// The last line that is neither blank nor an ordinary comment: what is added goes behind it.
    last: usize,
    keys: Vec<Key>,
}

impl Section {
    /// Returns the value of a key, sub-properties and continuations as further lines in it.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.key(key).map(|key| key.value.as_str())
    }

    /// Returns the line of the (first) header, counted from one.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Returns the line of a key, counted from one.
    pub fn key_line(&self, key: &str) -> Option<usize> {
        self.key(key).map(|key| key.line)
    }

    /// Finds the last one of that name, which is the one that the SDKs take.
    fn key(&self, name: &str) -> Option<&Key> {
        self.keys.iter().rev().find(|key| key.name.eq_ignore_ascii_case(name))
    }
}

/// A file that was read. It is not `Debug`, since a credentials file holds secrets.
pub struct Config {
    text: String,
    credentials: bool,
    sections: Vec<Section>,
    problems: Vec<Problem>,
}

struct Reader {
    config: Config,
    line: usize,
    current: Option<usize>,
    /// How far the key is indented that deeper lines continue.
    open: Option<usize>,
}

impl Reader {
    fn problem(&mut self, message: impl Into<String>) {
        self.config.problems.push(Problem { fatal: false, line: self.line, message: message.into() });
    }

    fn fatal(&mut self, message: impl Into<String>) {
        self.config.problems.push(Problem { fatal: true, line: self.line, message: message.into() });
    }

    fn section(&mut self) -> Option<&mut Section> {
        self.config.sections.get_mut(self.current?)
    }

    fn read(&mut self, body: &str) {
        let text = body.trim();
        let indent = indentation(body);
        let comment = text.starts_with(COMMENT);
        if body.contains('\r') {
            self.problem("a carriage return within the line: the AWS CLI ends the line there");
        }
        if text.is_empty() || (comment && indent == 0) {
            return;
        }
        if comment {
            self.problem("an indented comment: the SDKs take it for a part of the value above, or refuse the file");
        } else if self.open.is_some_and(|open| indent > open) {
            self.continuation(text);
        } else {
            if indent > 0 {
                self.problem("an indented section or key: the SDKs do not take it for one, or refuse the file");
            }
            match text.strip_prefix('[') {
                Some(rest) => self.header(rest),
                None => self.key(body, indent),
            }
        }
        let line = self.line;
        if let Some(section) = self.section() {
            section.last = line;
        }
    }

    fn continuation(&mut self, text: &str) {
        let Some(key) = self.section().and_then(|section| section.keys.last_mut()) else { return };
        let nested = key.value.is_empty() || key.value.starts_with('\n');
        key.value.push('\n');
        key.value.push_str(text);
        key.continued = true;
        if nested && !text.contains('=') {
            self.fatal("a sub-property without `=`: the AWS CLI and the SDKs refuse the file");
        }
    }

    fn header(&mut self, rest: &str) {
        let (inside, behind) = rest.split_once(']').unwrap_or((rest, ""));
        let (kind, name, plain) = classify(inside.trim(), self.config.credentials);
        if !rest.contains(']') || name.is_empty() {
            self.problem("a section without `]` or without a name: the AWS CLI and the SDKs refuse or ignore it");
        }
        let behind = behind.trim();
        if inside.contains(COMMENT) || behind.contains(']') || !(behind.is_empty() || behind.starts_with(COMMENT)) {
            self.problem("a `#` or `;` in the name, or more behind `]`: the AWS CLI and the SDKs read it differently");
        }
        if kind == SectionKind::Other && inside.split_whitespace().nth(2).is_some() {
            self.problem("a name with spaces and without quotes: the AWS CLI and the SDKs ignore the section");
        }
        let same = |section: &Section| section.kind == kind && section.name == name;
        let found = self.config.sections.iter().position(|section| same(section) && section.plain == plain);
        if found.is_some() {
            self.fatal("a section for the second time: the AWS CLI refuses it or forgets the first, the SDKs merge");
        } else if self.config.sections.iter().any(same) {
            self.problem("`[default]` and `[profile default]`: the AWS CLI takes the later, the SDKs the longer");
        }
        (self.current, self.open) = (found.or(Some(self.config.sections.len())), None);
        if found.is_none() {
            let line = self.line;
            self.config.sections.push(Section { kind, name, plain, line, last: line, keys: Vec::new() });
        }
    }

    fn key(&mut self, body: &str, indent: usize) {
        let (line, said) = (self.line, uncommented(body).trim_end());
        let (name, value) = said.split_once(['=', ':']).unwrap_or_default();
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        let Some(section) = self.section() else {
            return self.fatal("a line before the first section: the AWS CLI and the SDKs refuse the file");
        };
        if name.is_empty() {
            return self.fatal("neither a section nor `key = value`: the AWS CLI and the SDKs refuse the file");
        }
        let twice = section.key(&name).map(|key| (name.escape_debug().to_string(), key.line));
        let span = said.len() - value.len()..said.len();
        section.keys.push(Key { name, value: value.to_owned(), line, span, continued: false });
        self.open = Some(indent);
        if let Some((name, first)) = twice {
            self.fatal(format!("`{name}` as in line {first}: the AWS CLI refuses the file, the SDKs take this"));
        }
        if said.len() < body.trim_end().len() {
            self.problem("a comment behind a value: the SDKs cut it off, the AWS CLI takes it for a part of the value");
        }
        if said.split('=').next().is_some_and(|before| before.contains(':')) {
            self.problem("a `:` before `=`, or for it: the AWS CLI ends the key there, the SDKs do not");
        }
    }
}

/// Says what a header is: kind, name, and whether it is the plain `[default]`.
fn classify(inside: &str, credentials: bool) -> (SectionKind, String, bool) {
    if credentials || inside == "default" {
        return (SectionKind::Profile, inside.to_owned(), !credentials);
    }
    let (word, name) = inside.split_once(char::is_whitespace).unwrap_or_default();
    let kind = match word {
        "profile" => SectionKind::Profile,
        "sso-session" => SectionKind::SsoSession,
        "services" => SectionKind::Services,
        _ => SectionKind::Other,
    };
    let other = (SectionKind::Other, inside);
    let (kind, name) = unquoted(name.trim()).filter(|_| kind != other.0).map_or(other, |name| (kind, name));
    (kind, name.to_owned(), false)
}

fn indentation(line: &str) -> usize {
    line.chars().take_while(|c| c.is_whitespace()).count()
}

fn unquoted(name: &str) -> Option<&str> {
    let within = |quote: char| name.strip_prefix(quote)?.strip_suffix(quote).filter(|name| !name.contains(quote));
    within('"').or_else(|| within('\'')).or_else(|| (!name.contains(char::is_whitespace)).then_some(name))
}

/// Cuts a comment off as the SDKs do: it begins behind white space.
fn uncommented(line: &str) -> &str {
    let begins = |(before, (_, c)): &(char, (usize, char))| before.is_whitespace() && COMMENT.contains(c);
    let comment = line.chars().zip(line.char_indices().skip(1)).find(begins);
    comment.and_then(|(_, (at, _))| line.get(..at)).unwrap_or(line)
}

impl Config {
    /// Reads `~/.aws/config`.
    pub fn parse(text: &str) -> Self {
        Self::read(text, false)
    }

    /// Reads `~/.aws/credentials`, whose sections are `[name]`.
    pub fn parse_credentials(text: &str) -> Self {
        Self::read(text, true)
    }

    fn read(text: &str, credentials: bool) -> Self {
        let config = Self { text: text.to_owned(), credentials, sections: Vec::new(), problems: Vec::new() };
        let mut reader = Reader { config, line: 1, current: None, open: None };
        if text.starts_with(BOM) {
            reader.fatal("a byte order mark: the AWS CLI and the SDKs refuse the file");
        }
        for (number, line) in (1..).zip(text.trim_start_matches(BOM).split_inclusive('\n')) {
            reader.line = number;
            reader.read(line.trim_end_matches(['\r', '\n']));
        }
        reader.config
    }

    /// Returns what is wrong with the file, in the order of its lines.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Finds a profile; `default` is `[profile default]` if there is one, else `[default]`.
    pub fn profile(&self, name: &str) -> Option<&Section> {
        self.find(SectionKind::Profile, name)
    }

    /// Finds an SSO session.
    pub fn sso_session(&self, name: &str) -> Option<&Section> {
        self.find(SectionKind::SsoSession, name)
    }

    /// Returns the names of the profiles in the order of the file, each once.
    pub fn profiles(&self) -> Vec<&str> {
        let mut seen = BTreeSet::new();
        let profiles = self.sections.iter().filter(|section| section.kind == SectionKind::Profile);
        profiles.map(|section| section.name.as_str()).filter(|name| seen.insert(*name)).collect()
    }

    fn find(&self, kind: SectionKind, name: &str) -> Option<&Section> {
        self.sections
            .iter()
            .filter(|section| section.kind == kind && section.name == name)
            .min_by_key(|section| section.plain)
    }
}

#[cfg(test)]
mod tests;
