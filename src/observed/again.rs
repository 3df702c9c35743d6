//! The facts of a saved plan, read again: these and no others.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::{Aws, AwsError};
use crate::model::{
    AccountId, Caller, Facts, Grant, Instance, InstanceArn, ObservedSet, PermissionSetArn, PermissionSetName,
};
use crate::observed::{OnProgress, accounts, choose, each, with_user};

/// Finds the instance of a saved plan.
///
/// # Errors
/// If AWS refuses, or has no such instance here.
pub async fn instance(aws: &Aws, wanted: &InstanceArn) -> Result<Instance, AwsError> {
    choose(aws.instances().await?, Some(wanted), aws.region())
}

/// Adds what planning did not need and applying later rests on: what permission sets consist of that somebody else defines.
///
/// # Errors
/// The first read that fails.
pub async fn complete(aws: &Aws, instance: &Instance, mut facts: Facts) -> Result<Facts, AwsError> {
    let at = aws.at(instance);
    for set in facts.permission_sets.values_mut().flatten() {
        if set.definition.is_none() {
            set.definition = at.live_definition(&set.arn).await?;
        }
        if set.provisioned.is_none() {
            set.provisioned = Some(at.provisioned(&set.arn).await?);
        }
    }
    Ok(facts)
}

/// Asks who is calling, and through which groups, if the facts are about what the caller came in through.
///
/// # Errors
/// The first read that fails.
pub async fn caller(aws: &Aws, instance: &Instance, facts: &Facts) -> Result<Caller, AwsError> {
    let asked = |set: &PermissionSetName, account: &AccountId| facts.pairs.contains(&(set.clone(), account.clone()));
    with_user(aws.at(instance), aws.caller().await?, asked).await
}

/// Reads the same facts once more. `known` are the permission sets that there were: a name that was free can only have
/// been taken by one that is not among them.
///
/// # Errors
/// The first read that fails.
pub async fn again(
    aws: &Aws,
    instance: &Instance,
    facts: &Facts,
    known: &BTreeMap<PermissionSetName, PermissionSetArn>,
    on_progress: OnProgress<'_>,
) -> Result<Facts, AwsError> {
    let at = aws.at(instance);
    let known: BTreeMap<&PermissionSetArn, &PermissionSetName> = known.iter().map(|(name, arn)| (arn, name)).collect();
    let asked = |arn: &PermissionSetArn| known.get(arn).is_none_or(|name| facts.permission_sets.contains_key(*name));
    let arns = at.permission_set_arns().await?.into_iter().filter(asked).collect();
    let sets = each("permission sets", arns, on_progress, |arn| async move {
        let Some(described) = at.describe(&arn).await? else { return Ok(None) };
        let name = described.name.clone();
        let Some(was) = facts.permission_sets.get(&name) else { return Ok(None) };
        let was = was.as_ref();
        let (definition, provisioned) = tokio::try_join!(
            async {
                let wanted = was.is_some_and(|was| was.definition.is_some());
                if wanted { at.definition(&arn, described).await.map(Some) } else { Ok(None) }
            },
            async {
                let wanted = was.is_some_and(|was| was.provisioned.is_some());
                if wanted { at.provisioned(&arn).await.map(Some) } else { Ok(None) }
            }
        )?;
        Ok(Some((name, Some(ObservedSet { arn, definition, provisioned }))))
    });
    let found: BTreeMap<PermissionSetName, Option<ObservedSet>> = sets.await?.into_iter().flatten().collect();
    let arn = |name: &PermissionSetName| Some(found.get(name)?.as_ref()?.arn.clone());
    let pairs = facts.pairs.iter().filter_map(|(name, account)| Some((name, account, arn(name)?))).collect();
    let rows = each("assignments", pairs, on_progress, |(name, account, arn)| async move {
        let row = |principal| Grant { permission_set: name.clone(), account: account.clone(), principal };
        Ok(at.assignments(&arn, account).await?.into_iter().map(row).collect::<Vec<_>>())
    });
    let assignments: BTreeSet<Grant> = rows.await?.into_iter().flatten().collect();
    let ids = facts.accounts.keys().collect();
    let (accounts, _) = accounts::by_id(aws, ids).await?;
    let principals = facts.principals.iter().map(|(principal, _)| principal.clone()).collect();
    let principals = each("principals", principals, on_progress, |principal| async move {
        let state = at.principal(&principal).await?;
        Ok((principal, state))
    });
    Ok(Facts {
        permission_sets: facts
            .permission_sets
            .keys()
            .map(|name| (name.clone(), found.get(name).cloned().flatten()))
            .collect(),
        pairs: facts.pairs.clone(),
        assignments,
        accounts: facts.accounts.keys().map(|id| (id.clone(), accounts.get(id).cloned())).collect(),
        principals: principals.await?,
    })
}
