//! Who has what: every assignment of the pairs that matter, found in the way that takes the fewest calls.
//!
//! Identity Center has no list of all assignments. It tells who has a permission set in an account, one call a pair, and
//! what a principal has, one call a principal. An assignment stands only on a provisioned pair, so asking each of them is
//! complete. Asking each group and each user is as well, but for what the deleted left behind: whatever pair nobody
//! explains is asked, too. Which is cheaper is counted, not guessed: the pairs are known by then, and principals are
//! listed only until there are too many of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::{At, AwsError, ErrorKind, Listed};
use crate::model::{
    AccountId, Grant, NextBest, PermissionSetArn, PermissionSetName, PrincipalKind, PrincipalRef, Strategy,
};
use crate::observed::directory::Lists;
use crate::observed::{OnProgress, each};

/// A permission set in an account.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair<'a> {
    pub(super) name: &'a PermissionSetName,
    pub(super) arn: &'a PermissionSetArn,
    pub(super) account: &'a AccountId,
    /// Whether everybody who has it must be known, the deleted too: the permission set can only be deleted then.
    pub(super) wholly: bool,
}

/// What was found, and how.
pub(super) struct Found {
    pub(super) assignments: BTreeSet<Grant>,
    pub(super) strategy: Strategy,
    /// How many calls the other way would have taken in place of those that were made.
    pub(super) other: Option<Other>,
}

/// The way that was not taken.
pub(super) struct Other {
    strategy: Strategy,
    /// How many calls it takes, for assignments only.
    calls: usize,
    /// How many the way that was taken needed, for the same.
    instead_of: usize,
    at_least: bool,
}

impl Other {
    /// Returns what the whole reading would have taken.
    pub(super) fn next_best(&self, calls: u64) -> NextBest {
        let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let calls = (calls + number(self.calls)).saturating_sub(number(self.instead_of));
        NextBest { strategy: self.strategy, calls, at_least: self.at_least }
    }
}

/// Fewer pairs than this are asked without counting what else could be done.
const FEW: usize = 20;

/// A page of groups, users or rows.
const PAGE: usize = 100;

/// Finds the assignments of all pairs. `by_principal` is whether the caller may ask that way at all; `only` is the one way
/// to go, whatever it takes.
pub(super) async fn read(
    at: At<'_>,
    pairs: &[Pair<'_>],
    lists: &Lists<'_>,
    by_principal: bool,
    only: Option<Strategy>,
    on_progress: OnProgress<'_>,
) -> Result<Found, AwsError> {
    let pairs_take = pairs.len();
    let counts = by_principal && pairs_take > FEW && only.is_none();
    let most = if only == Some(Strategy::ByPrincipal) { usize::MAX } else { pairs_take };
    let mut other = None;
    if counts || only == Some(Strategy::ByPrincipal) {
        match principals(lists, most).await? {
            Counted::Few(principals) => {
                // Everybody has a page, and each hundred rows one more; how many rows there are is not known before.
                let estimate = principals.len() + pages(principals.len()) + pairs_take / PAGE;
                if estimate < most {
                    let seen = spent(at);
                    if let Some(assignments) = ask_principals(at, pairs, principals, on_progress).await? {
                        let other = Other {
                            strategy: Strategy::ByPermissionSet,
                            calls: pairs_take,
                            instead_of: seen(),
                            at_least: false,
                        };
                        return Ok(Found { assignments, strategy: Strategy::ByPrincipal, other: Some(other) });
                    }
                } else {
                    other = Some((estimate, false));
                }
            }
            Counted::TooMany(at_least) => other = Some((at_least, true)),
            Counted::Denied => {}
        }
    }
    let assignments = ask_pairs(at, pairs, on_progress).await?;
    let other = other.map(|(calls, at_least)| Other {
        strategy: Strategy::ByPrincipal,
        calls,
        instead_of: pairs_take,
        at_least,
    });
    Ok(Found { assignments, strategy: Strategy::ByPermissionSet, other })
}

/// Counts the calls from here on.
fn spent(at: At<'_>) -> impl Fn() -> usize {
    let before = at.calls();
    move || usize::try_from(at.calls() - before).unwrap_or(usize::MAX)
}

fn pages(items: usize) -> usize {
    items.div_ceil(PAGE)
}

/// Everybody who could have something.
pub(super) enum Counted {
    Few(Vec<PrincipalRef>),
    /// So many there are at least.
    TooMany(usize),
    /// They cannot be listed: without the permission, or with Active Directory behind (aws-sdk#629).
    Denied,
}

/// Lists all groups and users, unless there are more than `most`.
pub(super) async fn principals(lists: &Lists<'_>, most: usize) -> Result<Counted, AwsError> {
    let mut found = Vec::new();
    for kind in [PrincipalKind::Group, PrincipalKind::User] {
        let left = most - found.len();
        match lists.up_to(kind, left).await {
            Ok(Some(listed)) => {
                found.extend(listed.iter().map(|Listed { id, .. }| PrincipalRef { kind, id: id.clone() }))
            }
            Ok(None) => return Ok(Counted::TooMany(most)),
            Err(error) if matches!(error.kind, ErrorKind::Throttled | ErrorKind::NotReached) => return Err(error),
            Err(_) => return Ok(Counted::Denied),
        }
    }
    Ok(Counted::Few(found))
}

/// Asks who has each of the pairs.
pub(super) async fn ask_pairs(
    at: At<'_>,
    pairs: &[Pair<'_>],
    on_progress: OnProgress<'_>,
) -> Result<BTreeSet<Grant>, AwsError> {
    let rows = each("assignments", pairs.to_vec(), on_progress, |Pair { name, arn, account, .. }| async move {
        let principals = at.assignments(arn, account).await?;
        let row = |principal| Grant { permission_set: name.clone(), account: account.clone(), principal };
        Ok(principals.into_iter().map(row).collect::<Vec<_>>())
    });
    Ok(rows.await?.into_iter().flatten().collect())
}

/// Asks what everybody has, and about each pair that this does not explain. `None` if the caller may not ask that.
async fn ask_principals(
    at: At<'_>,
    pairs: &[Pair<'_>],
    mut principals: Vec<PrincipalRef>,
    on_progress: OnProgress<'_>,
) -> Result<Option<BTreeSet<Grant>>, AwsError> {
    // The first alone: one refusal is enough to know.
    let first = match principals.pop() {
        Some(principal) => match at.held_by(&principal).await {
            // Denied, or not to be had from here at all: the other way is open still.
            Err(error) if !matches!(error.kind, ErrorKind::Throttled | ErrorKind::NotReached) => return Ok(None),
            held => held?,
        },
        None => Vec::new(),
    };
    let held = each("what users and groups have", principals, on_progress, |it| async move { at.held_by(&it).await });
    let wanted: BTreeMap<(PermissionSetArn, AccountId), Pair<'_>> =
        pairs.iter().map(|pair| ((pair.arn.clone(), pair.account.clone()), *pair)).collect();
    let mut rows: BTreeMap<(&PermissionSetName, &AccountId), BTreeSet<PrincipalRef>> = BTreeMap::new();
    for (arn, account, principal) in held.await?.into_iter().flatten().chain(first) {
        if let Some(Pair { name, account, .. }) = wanted.get(&(arn, account)) {
            rows.entry((*name, *account)).or_default().insert(principal);
        }
    }
    // A row of a user may be that of a group of theirs once more: AWS does not say that it never is.
    let doubtful = |held: &BTreeSet<PrincipalRef>| held.iter().any(|principal| principal.kind == PrincipalKind::User);
    let unexplained = |pair: &&Pair<'_>| pair.wholly || rows.get(&(pair.name, pair.account)).is_none_or(doubtful);
    let asked: Vec<Pair<'_>> = pairs.iter().filter(unexplained).copied().collect();
    asked.iter().for_each(|pair| drop(rows.remove(&(pair.name, pair.account))));
    let mut found = ask_pairs(at, &asked, on_progress).await?;
    for ((name, account), held) in rows {
        found.extend(held.into_iter().map(|principal| Grant {
            permission_set: name.clone(),
            account: account.clone(),
            principal,
        }));
    }
    Ok(Some(found))
}

/// Asks about some pairs, whoever has them, and returns the rest of what was known together with the answers.
pub(super) async fn ask_again(
    at: At<'_>,
    known: &BTreeSet<Grant>,
    pairs: &[Pair<'_>],
) -> Result<BTreeSet<Grant>, AwsError> {
    let asked: BTreeSet<(&PermissionSetName, &AccountId)> =
        pairs.iter().map(|pair| (pair.name, pair.account)).collect();
    let mut found = ask_pairs(at, pairs, &|_| ()).await?;
    let others = known.iter().filter(|grant| !asked.contains(&(&grant.permission_set, &grant.account)));
    found.extend(others.cloned());
    Ok(found)
}
