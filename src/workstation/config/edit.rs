//! Wanted sections merged into a file: what is there stays byte for byte, and is never overwritten unasked.

use std::collections::BTreeSet;

use super::{COMMENT, Config, Key, Section, SectionKind, indentation, uncommented};

/// A section as it is wanted.
#[derive(Clone, Debug)]
pub struct Block {
    /// What it is about.
    pub kind: SectionKind,
    /// Its name, without quotes.
    pub name: String,
    /// What has to be there.
    pub keys: Vec<(String, String)>,
    /// What is written if the key is not there, and else left to the user's taste.
    pub optional: Vec<(String, String)>,
}

impl Block {
    /// Refuses what the AWS CLI or the SDKs would not read back as it is; values are not quoted in the reason.
    pub fn check(&self) -> Result<(), String> {
        let hostile = |c: char| c.is_control() || "[]\"'\\#;".contains(c) || (c.is_whitespace() && c != ' ');
        if self.kind == SectionKind::Other {
            return Err("only profiles, SSO sessions and services are written".to_owned());
        }
        if self.name.is_empty() || self.name.trim() != self.name || self.name.contains(hostile) {
            return Err(format!("the name `{}` does not fit into a section header", self.name.escape_debug()));
        }
        let mut seen = BTreeSet::new();
        for (key, value) in self.all() {
            let (shown, line) = (key.escape_debug(), assignment(key, value));
            if key.is_empty() || !key.chars().all(|c| c.is_ascii_alphanumeric() || "_-./%@+".contains(c)) {
                return Err(format!("the key `{shown}` is not one that can be written"));
            }
            if !seen.insert(key.to_ascii_lowercase()) {
                return Err(format!("the key `{shown}` is wanted twice"));
            }
            if value.contains(char::is_control) || value.trim() != value || uncommented(&line) != line {
                return Err(format!("the value of `{shown}` would be read back differently"));
            }
        }
        Ok(())
    }

    fn all(&self) -> impl Iterator<Item = &(String, String)> {
        self.keys.iter().chain(&self.optional)
    }

    pub(super) fn header(&self, credentials: bool) -> String {
        let name = &self.name;
        let word = match self.kind {
            SectionKind::Profile if credentials || name == "default" => return format!("[{name}]"),
            SectionKind::Profile => "profile",
            SectionKind::SsoSession => "sso-session",
            SectionKind::Services => "services",
            SectionKind::Other => return format!("[{name}]"),
        };
        if name.contains(' ') { format!("[{word} \"{name}\"]") } else { format!("[{word} {name}]") }
    }
}

fn assignment(key: &str, value: &str) -> String {
    format!("{key} = {value}").trim_end_matches(' ').to_owned()
}

/// What happens to a key that is there with another value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnConflict {
    /// Its section is left as it is.
    Keep,
    /// Its value is replaced, unless it goes on over further lines.
    Replace,
}

/// A key that is there with another value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The header of the section.
    pub section: String,
    /// The key.
    pub key: String,
    /// Its line, counted from one.
    pub line: usize,
    /// Its value, as the file has it: not safe to print.
    pub there: String,
    /// The value that is wanted.
    pub wanted: String,
}

/// What a merge comes to. Sections are named by their headers, as in `[profile name]`.
#[derive(Default)]
pub struct Merge {
    /// The whole text.
    pub text: String,
    /// Sections that were not there.
    pub added: Vec<String>,
    /// Sections that were there, and the keys that were added to them or replaced.
    pub updated: Vec<(String, Vec<String>)>,
    /// Sections in which nothing had to be done.
    pub unchanged: Vec<String>,
    /// What stands in the way; these sections are left as they are.
    pub conflicts: Vec<Conflict>,
    /// Sections that cannot be written, and why.
    pub refused: Vec<(String, String)>,
}

impl Config {
    /// Works out the text in which every block is there, each either completely or, if it is in conflict, not at all.
    pub fn merge(&self, blocks: &[Block], on_conflict: OnConflict) -> Merge {
        let mut editor = Editor::new(&self.text, on_conflict);
        let mut seen = BTreeSet::new();
        for block in blocks {
            let header = block.header(self.credentials);
            let again = !seen.insert((block.kind, &block.name));
            let fault = if again { Err("it is wanted twice".to_owned()) } else { self.admit(block) };
            match (fault, self.find(block.kind, &block.name)) {
                (Err(fault), _) => editor.merge.refused.push((header.escape_debug().to_string(), fault)),
                (Ok(()), Some(section)) => editor.weave(section, block, header),
                (Ok(()), None) => editor.append(block, header),
            }
        }
        editor.finish()
    }

    fn admit(&self, block: &Block) -> Result<(), String> {
        // configparser hands the keys of a section `[DEFAULT]` down to all others.
        if self.credentials && (block.kind != SectionKind::Profile || block.name == "DEFAULT") {
            return Err("it has no place in a credentials file".to_owned());
        }
        block.check()
    }
}

struct Editor {
    /// The lines of the file, each with its end and with whatever is added behind it.
    lines: Vec<String>,
    tail: Vec<String>,
    end: &'static str,
    on_conflict: OnConflict,
    merge: Merge,
}

impl Editor {
    fn new(text: &str, on_conflict: OnConflict) -> Self {
        let lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
        let end = if lines.first().is_some_and(|line| line.ends_with("\r\n")) { "\r\n" } else { "\n" };
        Self { lines, tail: Vec::new(), end, on_conflict, merge: Merge::default() }
    }

    fn append(&mut self, block: &Block, header: String) {
        let keys = block.all().map(|(key, value)| assignment(key, value));
        self.tail.push(std::iter::once(header.clone()).chain(keys).map(|line| line + self.end).collect());
        self.merge.added.push(header);
    }

    fn finish(mut self) -> Merge {
        for section in self.tail {
            if let Some(last) = self.lines.last_mut() {
                end_line(last, self.end);
                let blank = last.trim().is_empty();
                last.push_str(if blank { "" } else { self.end });
            }
            self.lines.push(section);
        }
        Merge { text: self.lines.concat(), ..self.merge }
    }

    fn weave(&mut self, section: &Section, block: &Block, header: String) {
        let (mut values, mut missing, mut conflicts) = (Vec::new(), Vec::new(), Vec::new());
        // An old-style profile: with a session beside a start URL of its own, the AWS CLI refuses both.
        let joins = section.key("sso_session").is_none() && block.keys.iter().any(|(key, _)| key == "sso_session");
        for old in ["sso_start_url", "sso_region"] {
            if let Some(there) = section.key(old).filter(|_| joins) {
                conflicts.push(Conflict {
                    section: header.clone(),
                    key: old.to_owned(),
                    line: there.line,
                    there: there.value.clone(),
                    wanted: "no such line, beside `sso_session`".to_owned(),
                });
            }
        }
        for (key, wanted) in &block.keys {
            match section.key(key) {
                None => missing.push((key, wanted)),
                Some(there) if there.value == *wanted => {}
                // The further lines would have to go, and they may be sub-properties that nobody else remembers.
                Some(there) if self.on_conflict == OnConflict::Replace && !there.continued => {
                    values.push((key, there, wanted));
                }
                Some(Key { line, value: there, .. }) => {
                    let (section, key, there, wanted) = (header.clone(), key.clone(), there.clone(), wanted.clone());
                    conflicts.push(Conflict { section, key, line: *line, there, wanted });
                }
            }
        }
        let optional = block.optional.iter().filter(|(key, _)| section.key(key).is_none());
        missing.extend(optional.map(|(key, value)| (key, value)));
        if !conflicts.is_empty() {
            self.merge.conflicts.extend(conflicts);
        } else if values.is_empty() && missing.is_empty() {
            self.merge.unchanged.push(header);
        } else {
            let keys = values.iter().map(|(key, ..)| *key).chain(missing.iter().map(|(key, _)| *key)).cloned();
            self.merge.updated.push((header, keys.collect()));
            self.write(section.last, values, missing);
        }
    }

    fn write(&mut self, last: usize, values: Vec<(&String, &Key, &String)>, missing: Vec<(&String, &String)>) {
        for (_, Key { line, span, .. }, wanted) in values {
            if let Some(text) = self.lines.get_mut(line.saturating_sub(1)) {
                text.replace_range(span.clone(), wanted);
            }
        }
        // An indented header, which only the AWS CLI takes for one, would continue a key that is less indented.
        let header = |line: &&String| !line.trim().is_empty() && !line.starts_with(COMMENT);
        let margin = " ".repeat(self.lines.iter().skip(last).find(header).map_or(0, |line| indentation(line)));
        if let Some(text) = self.lines.get_mut(last.saturating_sub(1)).filter(|_| !missing.is_empty()) {
            end_line(text, self.end);
            let lines = missing.into_iter().map(|(key, value)| margin.clone() + &assignment(key, value) + self.end);
            text.extend(lines);
        }
    }
}

fn end_line(line: &mut String, end: &str) {
    if !line.ends_with('\n') {
        // Half a line end is completed, since a bare carriage return before another would become part of the value.
        line.push_str(if line.ends_with('\r') { "\n" } else { end });
    }
}
