//! Accounts: their names, and whether they are active.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::{Aws, AwsError};
use crate::model::{Account, AccountId, AccountSelector, DesiredState, ObservedSet, PermissionSetName};
use crate::observed::each;

/// Up to how many accounts are asked for one by one; a page of the whole list has 20.
const ONE_BY_ONE: usize = 20;

/// Reads the accounts that the file names, or that a declared permission set is provisioned in. Returns also whether
/// that is the whole organization.
pub(super) async fn read(
    aws: &Aws,
    desired: &DesiredState,
    unmanaged: bool,
    sets: &BTreeMap<PermissionSetName, ObservedSet>,
) -> Result<(BTreeMap<AccountId, Account>, bool), AwsError> {
    let mut ids: BTreeSet<&AccountId> =
        sets.values().flat_map(|set| &set.provisioned).flat_map(BTreeMap::keys).collect();
    let mut only_ids = !unmanaged;
    for selector in desired.account_selectors() {
        match &selector.value {
            AccountSelector::Id(id) => {
                ids.insert(id);
            }
            AccountSelector::All | AccountSelector::Name(_) => only_ids = false,
        }
    }
    if only_ids {
        return by_id(aws, ids).await;
    }
    Ok((by_account(aws.accounts().await?), true))
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
