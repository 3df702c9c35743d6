//! What is live, as an access file: for `permset import`.
//!
//! The file says what is live and nothing more, so that a plan made from it is empty. What it cannot say, or what somebody should
//! decide, stands in comments.

mod decide;
mod lines;
mod sections;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{AccountId, Grant, ObservedState, PermissionSetName, PrincipalRef};
use crate::report::access_file::decide::{Decisions, Verdict};
use crate::report::access_file::sections::Names;

pub use yaml::{list, quoted, scalar};

/// What to write beyond what is live.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// When it was read, in RFC 3339.
    pub taken: String,
    /// Who shall own the permission sets; without it whoever owns all of them already.
    pub owner: Option<String>,
    /// The accounts that the file decides about; `None` is all.
    pub scope: Option<BTreeSet<AccountId>>,
    /// Whether only a part was read: then others may have what nobody has here.
    pub narrowed: bool,
    /// Whether only to assign: somebody else decides what every permission set consists of.
    pub external: bool,
    /// Whether to write `"*"` where somebody has something in every active account.
    pub star: bool,
    /// Permission sets whose definition an access file cannot hold, and why.
    pub cannot: BTreeMap<PermissionSetName, String>,
}

/// An access file in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    head: String,
    /// Each with its definition and, in a file of its own, its assignments.
    sets: Vec<(PermissionSetName, String)>,
    /// What was decided for somebody, in words.
    pub decisions: Vec<String>,
    /// The owner that the file names.
    pub owner: Option<String>,
    assignments: Vec<(BTreeSet<PermissionSetName>, String)>,
    tail: String,
}

/// Writes what is live; `together` folds assignments over permission sets.
pub fn document(observed: &ObservedState, options: &Options, together: bool) -> Document {
    let decisions = Decisions::new(observed, options);
    let in_scope = |grant: &&Grant| {
        observed.is_active(&grant.account)
            && options.scope.as_ref().is_none_or(|scope| scope.contains(&grant.account))
            && decisions.verdict(&grant.permission_set) != Some(&Verdict::LeftOut)
    };
    let (told, nameless): (Vec<&Grant>, Vec<&Grant>) =
        observed.assignments.iter().filter(in_scope).partition(|grant| decisions.is_nameable(&grant.principal));
    let told: BTreeSet<Grant> = told.into_iter().cloned().collect();
    let nameless: BTreeSet<&PrincipalRef> = nameless.into_iter().map(|grant| &grant.principal).collect();
    let names = Names::new(observed, options);
    let folded: Vec<lines::Line> = if together {
        lines::fold(&told)
    } else {
        lines::by_permission_set(&told).into_values().flat_map(lines::fold).collect()
    };
    let assignments = folded
        .iter()
        .map(|line| (line.permission_sets.iter().cloned().collect(), sections::assignment(line, &names, observed)));
    Document {
        head: sections::head(observed, options, &decisions, &names),
        sets: decisions.sets().map(|(name, verdict)| (name.clone(), sections::set(name, verdict))).collect(),
        decisions: decisions.words(observed, &nameless, &told),
        owner: decisions.owner.clone(),
        assignments: assignments.collect(),
        tail: sections::tail(&nameless),
    }
}

impl Document {
    /// Returns the permission sets that the file declares.
    pub fn declared(&self) -> impl Iterator<Item = &PermissionSetName> {
        self.sets.iter().map(|(name, _)| name)
    }

    /// Returns everything as one file.
    pub fn whole(&self) -> String {
        let mut text = format!("{}{}", self.notes(), self.head);
        if !self.sets.is_empty() {
            text.push_str("\npermission_sets:\n");
            text.push_str(&self.sets.iter().map(|(_, set)| set.as_str()).collect::<Vec<_>>().join("\n"));
        }
        if !self.assignments.is_empty() {
            text.push_str("\nassignments:\n");
            text.extend(self.assignments.iter().map(|(_, line)| line.as_str()));
        }
        text.push_str(&self.tail);
        text
    }

    /// Returns the same as files of one folder: what belongs to none of the permission sets, and one for each of them.
    pub fn split(&self) -> Vec<(String, String)> {
        let mut files = vec![("00-permset.yaml".to_owned(), format!("{}{}{}", self.notes(), self.head, self.tail))];
        let mut taken: BTreeSet<String> = BTreeSet::new();
        for (name, set) in &self.sets {
            let mut text = format!("permission_sets:\n{set}");
            let lines = self.assignments.iter().filter(|(sets, _)| sets.contains(name));
            let lines: String = lines.map(|(_, line)| line.as_str()).collect();
            if !lines.is_empty() {
                text.push_str(&format!("\nassignments:\n{lines}"));
            }
            // A name of a file is hidden with a dot, and the same in any case to some file systems.
            let mut file = format!("set-{name}.yaml");
            while !taken.insert(file.to_lowercase()) {
                file = format!("set-{}-{name}.yaml", taken.len());
            }
            files.push((file, text));
        }
        files
    }

    fn notes(&self) -> String {
        let note = |words: &String| format!("#   - {words}\n");
        let notes: String = self.decisions.iter().map(note).collect();
        if notes.is_empty() { notes } else { format!("# To decide:\n{notes}#\n") }
    }
}
