//! Accounts: their names, and whether they are active.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::{Aws, AwsError};
use crate::model::{Account, AccountId, AccountSelector, DesiredState, ObservedSet, PermissionSetName};
use crate::observed::each;

/// Up to how many accounts are asked for one by one; a page of the whole list has 20.
const ONE_BY_ONE: usize = 20;

/// Returns whether the file names accounts in a way that only the whole list can answer.
pub(super) fn needs_all(desired: &DesiredState, unmanaged: bool) -> bool {
    let by_id = |selector: &AccountSelector| matches!(selector, AccountSelector::Id(_));
    unmanaged || !desired.account_selectors().all(|selector| by_id(&selector.value))
}

/// Returns the accounts that the file names by id, or that a permission set is provisioned in.
pub(super) fn named<'a>(
    desired: &'a DesiredState,
    sets: &'a BTreeMap<PermissionSetName, ObservedSet>,
) -> BTreeSet<&'a AccountId> {
    let provisioned = sets.values().flat_map(|set| &set.provisioned).flat_map(BTreeMap::keys);
    let selected = desired.account_selectors().filter_map(|selector| match &selector.value {
        AccountSelector::Id(id) => Some(id),
        AccountSelector::All | AccountSelector::Name(_) => None,
    });
    provisioned.chain(selected).collect()
}

/// Reads the whole organization.
pub(super) async fn all(aws: &Aws) -> Result<BTreeMap<AccountId, Account>, AwsError> {
    Ok(by_account(aws.accounts().await?))
}

/// Reads accounts by their ids, one by one if they are few. Returns also whether that is the whole organization.
pub(super) async fn by_id(
    aws: &Aws,
    ids: BTreeSet<&AccountId>,
) -> Result<(BTreeMap<AccountId, Account>, bool), AwsError> {
    if ids.len() > ONE_BY_ONE {
        return Ok((by_account(aws.accounts().await?), true));
    }
    let found = each("accounts", ids.into_iter().collect(), &|_| (), |id| aws.account(id)).await?;
    Ok((by_account(found.into_iter().flatten()), false))
}

fn by_account(found: impl IntoIterator<Item = Account>) -> BTreeMap<AccountId, Account> {
    found.into_iter().map(|account| (account.id.clone(), account)).collect()
}
