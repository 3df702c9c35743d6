//! Large plans, so that somebody reads them: what one principal gets or loses of one permission set in many accounts is one row.

use std::collections::HashMap;

use crate::model::{AccountRef, PermissionSetName, PrincipalRef, SessionDuration};
use crate::plan::{Change, Plan};

/// With up to so many assignments each has a row of its own.
const FEW: usize = 100;

/// One change, or several that differ by the account only.
pub(super) struct Row<'a> {
    /// The first, or the only one.
    pub(super) change: &'a Change,
    /// The numbers of the steps that it stands for.
    pub(super) steps: Vec<usize>,
    /// The accounts of all, if they are several.
    pub(super) accounts: Vec<AccountRef>,
}

impl Row<'_> {
    /// How many changes it stands for.
    pub(super) fn changes(&self) -> usize {
        self.accounts.len().max(1)
    }
}

/// What several changes must have in common to be told as one.
type Common<'a> = (&'a PermissionSetName, PrincipalRef, Option<(Option<SessionDuration>, bool)>);

fn common(change: &Change) -> Option<(Common<'_>, &AccountRef)> {
    match change {
        Change::Assign(it) => Some(((&it.permission_set, it.principal.to_ref(), None), &it.account)),
        Change::Revoke { assignment: it, sessions_last, role_goes } => {
            Some(((&it.permission_set, it.principal.to_ref(), Some((*sessions_last, *role_goes))), &it.account))
        }
        Change::CreateSet { .. } | Change::EditSet { .. } | Change::Provision { .. } | Change::DeleteSet { .. } => None,
    }
}

/// Returns the rows of a plan, in its order. With `full`, or where there are only a few, each change has its own.
pub(super) fn rows(plan: &Plan, full: bool) -> Vec<Row<'_>> {
    let assignments = plan.changes().filter(|change| common(change).is_some()).count();
    let folds = !full && assignments > FEW;
    let mut rows: Vec<Row<'_>> = Vec::new();
    let mut known: HashMap<Common<'_>, usize> = HashMap::new();
    for (step, change) in plan.changes().enumerate() {
        if let Some((key, account)) = common(change).filter(|_| folds) {
            let index = *known.entry(key).or_insert(rows.len());
            if let Some(row) = rows.get_mut(index) {
                row.accounts.push(account.clone());
                row.steps.push(step);
                continue;
            }
            rows.push(Row { change, steps: vec![step], accounts: vec![account.clone()] });
        } else {
            rows.push(Row { change, steps: vec![step], accounts: Vec::new() });
        }
    }
    rows
}
