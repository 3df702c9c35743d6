//! A reading of one person or group: who they are, which groups they are in, what they may enter.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::{Aws, AwsError};
use crate::model::{
    AccountId, AccountRef, Lookup, ObservedState, PermissionSetArn, PermissionSetName, PrincipalKind, PrincipalRef,
};
use crate::observed::directory::{self, Lists};
use crate::observed::{accounts, each};

/// Adds somebody by name: whether they exist, who they are, and in which groups. Nobody is no error. Returns the e-mail addresses
/// of a user, by which an access file may call them as well.
///
/// # Errors
/// The first read that fails.
pub async fn read_person(
    aws: &Aws,
    observed: &mut ObservedState,
    kind: PrincipalKind,
    name: &str,
) -> Result<Vec<String>, AwsError> {
    let mut emails = Vec::new();
    let before = aws.calls();
    let instance = observed.instance.clone();
    let at = aws.at(&instance);
    let lists = Lists::new(at);
    let names = BTreeSet::from([(kind, name.to_owned())]);
    let found = directory::look_up(at, names, &lists, &|_| ()).await?;
    for (key, lookup) in found {
        if let Lookup::Found(id) = &lookup {
            let principal = PrincipalRef { kind, id: id.clone() };
            observed.directory.by_id.insert(principal.clone(), at.principal(&principal).await?);
            if kind == PrincipalKind::User {
                emails = at.emails(id).await?;
            }
            if kind == PrincipalKind::User
                && let Some(groups) = at.groups_of(id).await?
            {
                let unknown = groups.iter().map(|id| PrincipalRef { kind: PrincipalKind::Group, id: id.clone() });
                let unknown = unknown.filter(|it| !observed.directory.by_id.contains_key(it)).collect();
                observed.directory.by_id.extend(directory::who(at, unknown, &lists, &|_| ()).await?);
                observed.groups_of.insert(id.clone(), groups.into_iter().collect());
            }
        }
        observed.directory.by_name.insert(key, lookup);
    }
    directory::suggest(&lists, &mut observed.directory.by_name).await;
    observed.reading.calls += aws.calls() - before;
    Ok(emails)
}

/// Reads what somebody may enter, directly and through groups; `None` if there is nobody of this name.
///
/// # Errors
/// If a read fails, as it does for everybody but the management account.
pub async fn held(
    aws: &Aws,
    observed: &mut ObservedState,
    kind: PrincipalKind,
    name: &str,
) -> Result<Option<BTreeSet<(AccountRef, PermissionSetName)>>, AwsError> {
    read_person(aws, observed, kind, name).await?;
    let Some(Lookup::Found(id)) = observed.directory.by_name.get(&(kind, name.to_owned())).cloned() else {
        return Ok(None);
    };
    let instance = observed.instance.clone();
    let at = aws.at(&instance);
    let groups = observed.groups_of.get(&id).into_iter().flatten();
    let groups = groups.map(|id| PrincipalRef { kind: PrincipalKind::Group, id: id.clone() });
    let theirs: BTreeSet<PrincipalRef> = groups.chain([PrincipalRef { kind, id }]).collect();
    let rows =
        each("what they have", theirs.iter().cloned().collect(), &|_| (), |it| async move { at.held_by(&it).await });
    // A user's list may show rows of groups as well.
    let rows: BTreeSet<(PermissionSetArn, AccountId)> = rows
        .await?
        .into_iter()
        .flatten()
        .filter(|(_, _, principal)| theirs.contains(principal))
        .map(|(arn, account, _)| (arn, account))
        .collect();
    let ids: BTreeSet<&AccountId> = rows.iter().map(|(_, account)| account).collect();
    (observed.accounts, observed.whole_organization) = accounts::by_id(aws, ids).await?;
    let arns: BTreeSet<PermissionSetArn> = rows.iter().map(|(arn, _)| arn.clone()).collect();
    let named = each("permission sets", arns.into_iter().collect(), &|_| (), |arn| async move {
        Ok(at.describe(&arn).await?.map(|described| (arn, described.name)))
    });
    let named: BTreeMap<PermissionSetArn, PermissionSetName> = named.await?.into_iter().flatten().collect();
    let pair = |(arn, account): (PermissionSetArn, AccountId)| {
        let name = named.get(&arn)?.clone();
        observed.is_active(&account).then(|| (observed.account_ref(&account), name))
    };
    Ok(Some(rows.into_iter().filter_map(pair).collect()))
}
