//! Permission sets: names of all, details of the declared.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use crate::aws::{At, AwsError, ErrorKind};
use crate::model::{
    AccountId, Definition, DesiredDefinition, DesiredState, OWNER_TAG, ObservedSet, PermissionSetArn,
    PermissionSetName, Progress, Provisioning, ScopeSets,
};
use crate::observed::assignments::{Counted, principals};
use crate::observed::directory::Lists;
use crate::observed::{OnProgress, each};

/// What an access file needs to know of permission sets.
pub(super) struct Wanted<'a> {
    desired: &'a DesiredState,
    successors: BTreeMap<&'a PermissionSetName, &'a PermissionSetName>,
    unmanaged: bool,
}

impl<'a> Wanted<'a> {
    pub(super) fn new(desired: &'a DesiredState, unmanaged: bool) -> Self {
        Self { desired, successors: desired.successors(), unmanaged }
    }

    /// Returns what reading so many permission sets takes, if all that are declared exist.
    pub(super) fn expected(&self, sets: usize) -> Expected {
        let declared = self.desired.permission_sets.len().min(sets);
        let managed = self.desired.permission_sets.keys().filter(|name| self.definition(name, false)).count();
        let tags = if self.desired.owner.is_some() { sets - declared } else { 0 };
        let located = if self.unmanaged { sets } else { declared };
        Expected { calls: sets + tags + managed.min(sets) * DETAILS + located * WHEREABOUTS, located }
    }

    fn is_declared(&self, name: &PermissionSetName) -> bool {
        self.desired.permission_sets.contains_key(name)
    }

    /// Whether only its tags tell if a permission set was this file's once.
    fn may_have_left(&self, name: &PermissionSetName) -> bool {
        self.desired.owner.is_some() && !self.is_declared(name)
    }

    /// Whether a permission set was this file's once, and is declared no more.
    pub(super) fn has_left(&self, name: &PermissionSetName, tags: Option<&BTreeMap<String, String>>) -> bool {
        let ours = tags.is_some_and(|tags| tags.get(OWNER_TAG) == self.desired.owner.as_ref());
        self.successors.contains_key(name) || self.may_have_left(name) && ours
    }

    /// Whether the file decides what a permission set consists of.
    pub(super) fn definition(&self, name: &PermissionSetName, left: bool) -> bool {
        let declared = self.desired.permission_sets.get(name);
        left || declared.is_some_and(|set| matches!(set.definition, DesiredDefinition::Managed(_)))
    }

    /// Whether it matters where a permission set is, everywhere.
    pub(super) fn everywhere(&self, name: &PermissionSetName, left: bool) -> bool {
        left || self.is_declared(name) || self.unmanaged
    }

    /// Whether it matters who has a permission set in an account where it is provisioned.
    pub(super) fn asks(&self, left: bool, in_scope: bool) -> bool {
        self.unmanaged || left || in_scope
    }

    /// Whether it matters who has a permission set in accounts of the scope, be it declared or not.
    pub(super) fn in_scope(&self) -> bool {
        self.desired.scope.permission_sets == ScopeSets::All
    }
}

/// Reads all permission sets: one call each for the name, seven more for those that the file declares or renames, and where
/// the file has an owner one for the tags of each other: those that left the file are known by nothing else.
pub(super) async fn read(
    at: At<'_>,
    arns: Vec<PermissionSetArn>,
    wanted: &Wanted<'_>,
    (found, on_progress): (&Found<'_>, OnProgress<'_>),
) -> Result<BTreeMap<PermissionSetName, ObservedSet>, AwsError> {
    let on_progress: OnProgress<'_> = &|step| on_progress(Progress { calls_left: found.calls_left(), ..step });
    let sets = each("permission sets", arns, on_progress, |arn| async move {
        // A set that was deleted since it was listed is simply not there.
        let Some(described) = at.describe(&arn).await? else { return Ok(None) };
        let name = described.name.clone();
        let tags = if wanted.may_have_left(&name) { Some(at.tags(&arn).await?) } else { None };
        let left = wanted.has_left(&name, tags.as_ref());
        let definition = async {
            if wanted.definition(&name, left) { at.definition(&arn, described).await.map(Some) } else { Ok(None) }
        };
        let provisioned =
            async { if wanted.everywhere(&name, left) { at.provisioned(&arn).await.map(Some) } else { Ok(None) } };
        let (definition, provisioned) = tokio::try_join!(definition, provisioned)?;
        provisioned.iter().for_each(|provisioned| found.locate(provisioned));
        Ok(Some((name, ObservedSet { arn, definition, provisioned })))
    });
    Ok(sets.await?.into_iter().flatten().collect())
}

/// What reading permission sets takes, as far as that is known before.
#[derive(Clone, Copy)]
pub(super) struct Expected {
    calls: usize,
    /// Of how many it is asked where they are.
    located: usize,
}

/// What is found on the way that tells how long the rest takes: each pair may be asked about, or each principal.
pub(super) struct Found<'a> {
    at: At<'a>,
    /// How many calls there were before.
    before: u64,
    expected: Expected,
    /// Of how many permission sets it is known where they are, and how many places that is.
    located: Cell<usize>,
    pairs: Cell<usize>,
    principals: Cell<Option<usize>>,
}

/// Calls for what a permission set consists of, and for where it is.
const DETAILS: usize = 5;
const WHEREABOUTS: usize = 2;

/// With fewer permission sets than this a reading is over before anybody asks how long it takes.
const WORTH_TELLING: usize = 20;

impl<'a> Found<'a> {
    pub(super) fn new(at: At<'a>, expected: Expected) -> Self {
        let (located, pairs, principals) = (Cell::new(0), Cell::new(0), Cell::new(None));
        Self { at, before: at.calls(), expected, located, pairs, principals }
    }

    fn locate(&self, provisioned: &BTreeMap<AccountId, Provisioning>) {
        self.located.set(self.located.get() + 1);
        self.pairs.set(self.pairs.get() + provisioned.len());
    }

    /// Counts groups and users, if they may turn out to be fewer than pairs: up to ten for each permission set.
    pub(super) async fn count_principals(&self, lists: &Lists<'_>, sets: usize) -> Result<(), AwsError> {
        if sets >= WORTH_TELLING
            && let Counted::Few(principals) = principals(lists, sets * 10).await?
        {
            self.principals.set(Some(principals.len()));
        }
        Ok(())
    }

    /// Returns how many calls are still to come, if the permission sets that are not read yet are like the others.
    fn calls_left(&self) -> usize {
        let made = usize::try_from(self.at.calls() - self.before).unwrap_or(usize::MAX);
        let average = self.pairs.get() / self.located.get().max(1);
        let pairs = average * self.expected.located;
        let then = self.principals.get().map_or(pairs, |principals| principals.min(pairs));
        // A hundred accounts are a page.
        let further_pages = self.expected.located * (average / 100);
        (self.expected.calls + further_pages).saturating_sub(made) + then
    }
}

/// Reads where those permission sets are that matter in accounts of the scope only, by permission set.
pub(super) async fn provisioned_anywhere(
    at: At<'_>,
    sets: &mut BTreeMap<PermissionSetName, ObservedSet>,
    on_progress: OnProgress<'_>,
) -> Result<(), AwsError> {
    let unknown: Vec<_> = sets.values_mut().filter(|set| set.provisioned.is_none()).collect();
    let read = each("permission sets", unknown, on_progress, |set| async move {
        set.provisioned = Some(at.provisioned(&set.arn).await?);
        Ok(())
    });
    read.await.map(|_| ())
}

/// Reads the same account by account: which of those permission sets each account has.
pub(super) async fn provisioned_in(
    at: At<'_>,
    accounts: &BTreeSet<AccountId>,
    on_progress: OnProgress<'_>,
) -> Result<Vec<(AccountId, PermissionSetArn)>, AwsError> {
    let found = each("accounts", accounts.iter().collect(), on_progress, |account| async move {
        let arns = at.permission_sets_in(account).await?;
        Ok(arns.into_iter().map(|arn| (account.clone(), arn)).collect::<Vec<_>>())
    });
    Ok(found.await?.into_iter().flatten().collect())
}

/// Reads everything about all permission sets.
pub(super) async fn read_all(
    at: At<'_>,
    on_progress: OnProgress<'_>,
) -> Result<BTreeMap<PermissionSetName, ObservedSet>, AwsError> {
    let arns = at.permission_set_arns().await?;
    let found = &Found::new(at, Expected { calls: arns.len() * (1 + DETAILS + WHEREABOUTS), located: arns.len() });
    let on_progress: OnProgress<'_> = &|step| on_progress(Progress { calls_left: found.calls_left(), ..step });
    let sets = each("permission sets", arns, on_progress, |arn| async move {
        let Some(described) = at.describe(&arn).await? else { return Ok(None) };
        let name = described.name.clone();
        let whole: Result<(Definition, _), AwsError> =
            tokio::try_join!(at.definition(&arn, described), at.provisioned(&arn));
        match whole {
            Ok((definition, provisioned)) => {
                found.locate(&provisioned);
                Ok(Some((name, ObservedSet { arn, definition: Some(definition), provisioned: Some(provisioned) })))
            }
            // Deleted meanwhile.
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    });
    Ok(sets.await?.into_iter().flatten().collect())
}
