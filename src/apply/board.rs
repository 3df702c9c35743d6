//! Which steps wait, which may start, and how they ended: bookkeeping in time linear in steps and dependencies.

use std::collections::BTreeSet;

use crate::apply::{Outcome, SkipReason};
use crate::plan::{Change, Step};

/// What is to be done about a step now.
pub(super) enum Verdict<'a> {
    /// Carry it out.
    Start(&'a Change),
    /// Do not.
    Skip(SkipReason),
}

/// The state of all steps.
pub(super) struct Board<'a> {
    steps: &'a [Step],
    outcomes: Vec<Option<Outcome>>,
    /// For each step, how many earlier ones it still waits for.
    waits_for: Vec<usize>,
    /// For each step, the later ones that wait for it.
    awaited_by: Vec<Vec<usize>>,
    /// Steps that wait for nothing any more and have not begun, in the order of the plan.
    ready: BTreeSet<usize>,
}

impl<'a> Board<'a> {
    pub(super) fn new(steps: &'a [Step]) -> Self {
        let mut awaited_by = vec![Vec::new(); steps.len()];
        let mut waits_for = Vec::with_capacity(steps.len());
        for (index, step) in steps.iter().enumerate() {
            let Step { change: _, needs, needs_any, after } = step;
            let earlier: BTreeSet<usize> = needs.iter().chain(needs_any).chain(after).copied().collect();
            for before in &earlier {
                if let Some(later) = awaited_by.get_mut(*before) {
                    later.push(index);
                }
            }
            waits_for.push(earlier.len());
        }
        let ready = waits_for.iter().enumerate().filter(|(_, count)| **count == 0).map(|(index, _)| index).collect();
        Self { steps, outcomes: vec![None; steps.len()], waits_for, awaited_by, ready }
    }

    /// Takes the next step about which something can be said, and says it.
    pub(super) fn next(&mut self, cut_short: Option<SkipReason>, room: bool) -> Option<(usize, Verdict<'a>)> {
        let index = *self.ready.first()?;
        let step = self.steps.get(index)?;
        let verdict = if let Some(reason) = cut_short {
            Verdict::Skip(reason)
        } else if let Some(need) = self.missing(step) {
            Verdict::Skip(SkipReason::Needs(need))
        } else if room {
            Verdict::Start(&step.change)
        } else {
            return None;
        };
        self.ready.remove(&index);
        Some((index, verdict))
    }

    /// Returns an earlier step that should have succeeded and did not.
    fn missing(&self, step: &Step) -> Option<usize> {
        let one = step.needs.iter().find(|need| !self.succeeded(**need));
        let any = || step.needs_any.first().filter(|_| !step.needs_any.iter().any(|need| self.succeeded(*need)));
        one.or_else(any).copied()
    }

    fn succeeded(&self, index: usize) -> bool {
        self.outcomes.get(index).and_then(Option::as_ref).is_some_and(Outcome::succeeded)
    }

    /// Notes how a step ended.
    pub(super) fn end(&mut self, index: usize, outcome: Outcome) {
        if let Some(slot) = self.outcomes.get_mut(index) {
            *slot = Some(outcome);
        }
        for later in self.awaited_by.get_mut(index).map(std::mem::take).unwrap_or_default() {
            if let Some(count) = self.waits_for.get_mut(later) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    self.ready.insert(later);
                }
            }
        }
    }

    /// Returns one outcome a step.
    pub(super) fn into_outcomes(self) -> Vec<Outcome> {
        // Every step ends, for each waits for earlier ones only; one that could not would at least not be called done.
        let never = Outcome::Skipped(SkipReason::Stopped);
        self.outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| never.clone())).collect()
    }
}
