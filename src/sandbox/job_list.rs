//! The jobs themselves: all in the order they came, the open ones by permission set.

use std::collections::{BTreeMap, BTreeSet};

use super::world::{Job, JobStatus, Work};

/// All jobs in the order they came.
#[derive(Debug, Clone, Default)]
pub(super) struct Jobs {
    list: BTreeMap<u64, Job>,
    numbers: BTreeMap<String, u64>,
    /// By permission set, the open ones.
    open: BTreeMap<String, BTreeSet<u64>>,
    finished: BTreeSet<u64>,
    creations: usize,
    deletions: usize,
    next: u64,
}

impl Jobs {
    pub(super) fn all(&self) -> impl Iterator<Item = &Job> {
        self.list.values()
    }

    pub(super) fn get(&self, request_id: &str) -> Option<&Job> {
        self.numbers.get(request_id).and_then(|number| self.list.get(number))
    }

    pub(super) fn open_on(&self, set_id: &str) -> impl Iterator<Item = &Job> {
        self.open.get(set_id).into_iter().flatten().filter_map(|number| self.list.get(number))
    }

    /// Adds a job and gives back its number.
    pub(super) fn push(&mut self, job: Job) -> u64 {
        let number = self.next;
        self.next = number.saturating_add(1);
        if job.status == JobStatus::InProgress {
            self.open.entry(target(&job.work).0.to_owned()).or_default().insert(number);
            self.count(&job.work, 1);
        } else {
            self.finished.insert(number);
        }
        self.numbers.insert(job.request_id.clone(), number);
        self.list.insert(number, job);
        number
    }

    pub(super) fn numbered(&self, number: u64) -> Option<&Job> {
        self.list.get(&number)
    }

    /// How many assignment requests are open, with or without deletions.
    pub(super) fn open_assignments(&self, deletions: bool) -> usize {
        self.creations + if deletions { self.deletions } else { 0 }
    }

    pub(super) fn open(&self) -> impl Iterator<Item = &Job> {
        self.open.values().flatten().filter_map(|number| self.list.get(number))
    }

    /// Whether any open job works on the set.
    pub(super) fn touch(&self, set_id: &str) -> bool {
        self.open.contains_key(set_id)
    }

    fn count(&mut self, work: &Work, by: isize) {
        let counter = match work {
            Work::CreateAssignment(_) => &mut self.creations,
            Work::DeleteAssignment(_) => &mut self.deletions,
            Work::Provision { .. } => return,
        };
        *counter = counter.saturating_add_signed(by);
    }

    pub(super) fn finish(&mut self, number: u64, outcome: Result<(), String>) {
        let Some(job) = self.list.get_mut(&number) else {
            return;
        };
        match outcome {
            Ok(()) => job.status = JobStatus::Succeeded,
            Err(reason) => {
                job.status = JobStatus::Failed;
                job.failure_reason = Some(reason);
            }
        }
        let work = job.work.clone();
        self.count(&work, -1);
        let set = target(&work).0;
        if let Some(open) = self.open.get_mut(set) {
            open.remove(&number);
            if open.is_empty() {
                self.open.remove(set);
            }
        }
        self.finished.insert(number);
    }

    /// Forgets the oldest finished jobs beyond so many.
    pub(super) fn forget(&mut self, kept: usize) {
        while self.finished.len() > kept {
            let job = self.finished.pop_first().and_then(|number| self.list.remove(&number));
            if let Some(job) = job {
                self.numbers.remove(&job.request_id);
            }
        }
    }
}

/// The permission set and, if it is one, the account that a job works on.
pub(super) fn target(work: &Work) -> (&str, Option<&str>) {
    match work {
        Work::CreateAssignment(it) | Work::DeleteAssignment(it) => (&it.permission_set_id, Some(&it.account_id)),
        Work::Provision { permission_set_id, account_id } => (permission_set_id, account_id.as_deref()),
    }
}
