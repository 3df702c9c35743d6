//! Permission sets: names of all, details of the declared.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::{At, AwsError, ErrorKind};
use crate::model::{
    AccountId, Definition, DesiredDefinition, DesiredState, OWNER_TAG, ObservedSet, PermissionSetArn,
    PermissionSetName, ScopeSets,
};
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
/// the file has an owner one for the tags of each other: those that left the file are known by nothing else. A name that is
/// known already, for it never changes, is not asked for.
pub(super) async fn read(
    at: At<'_>,
    wanted: &Wanted<'_>,
    names: &BTreeMap<PermissionSetArn, PermissionSetName>,
    on_progress: OnProgress<'_>,
) -> Result<BTreeMap<PermissionSetName, ObservedSet>, AwsError> {
    let arns = at.permission_set_arns().await?;
    let sets = each("permission sets", arns, on_progress, |arn| async move {
        let is_other = |name: &&PermissionSetName| !wanted.is_declared(name) && !wanted.successors.contains_key(*name);
        if let Some(name) = names.get(&arn).filter(is_other)
            && !wanted.may_have_left(name)
            && !wanted.everywhere(name, false)
        {
            return Ok(Some((name.clone(), ObservedSet { arn, definition: None, provisioned: None })));
        }
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
        Ok(Some((name, ObservedSet { arn, definition, provisioned })))
    });
    Ok(sets.await?.into_iter().flatten().collect())
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
    let sets = each("permission sets", arns, on_progress, |arn| async move {
        let Some(described) = at.describe(&arn).await? else { return Ok(None) };
        let name = described.name.clone();
        let whole: Result<(Definition, _), AwsError> =
            tokio::try_join!(at.definition(&arn, described), at.provisioned(&arn));
        match whole {
            Ok((definition, provisioned)) => {
                Ok(Some((name, ObservedSet { arn, definition: Some(definition), provisioned: Some(provisioned) })))
            }
            // Deleted meanwhile.
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    });
    Ok(sets.await?.into_iter().flatten().collect())
}
