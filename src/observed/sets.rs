//! Permission sets: names of all, details of the declared.

use std::collections::BTreeMap;

use crate::aws::{At, AwsError};
use crate::model::{DesiredDefinition, DesiredState, OWNER_TAG, ObservedSet, PermissionSetName, ScopeSets};
use crate::observed::{OnProgress, each};

/// Reads all permission sets: one call each for the name, seven more for those that the file declares or renames, and where the file has
/// an owner one for the tags of each other: those that left the file are known by nothing else.
pub(super) async fn read(
    at: At<'_>,
    desired: &DesiredState,
    unmanaged: bool,
    on_progress: OnProgress<'_>,
) -> Result<BTreeMap<PermissionSetName, ObservedSet>, AwsError> {
    let arns = at.permission_set_arns().await?;
    let successors = desired.successors();
    let successors = &successors;
    let sets = each("permission sets", arns, on_progress, |arn| async move {
        // A set that was deleted since it was listed is simply not there.
        let Some(described) = at.describe(&arn).await? else { return Ok(None) };
        let name = described.name.clone();
        let declared = desired.permission_sets.get(&name);
        let left = match &desired.owner {
            _ if successors.contains_key(&name) => true,
            Some(owner) if declared.is_none() => at.tags(&arn).await?.get(OWNER_TAG) == Some(owner),
            Some(_) | None => false,
        };
        let owned = left || declared.is_some_and(|set| matches!(set.definition, DesiredDefinition::Managed(_)));
        let asked = left || declared.is_some() || unmanaged || desired.scope.permission_sets == ScopeSets::All;
        let definition = async { if owned { at.definition(&arn, described).await.map(Some) } else { Ok(None) } };
        let provisioned = async { if asked { at.provisioned(&arn).await.map(Some) } else { Ok(None) } };
        let (definition, provisioned) = tokio::try_join!(definition, provisioned)?;
        Ok(Some((name, ObservedSet { arn, definition, provisioned })))
    });
    Ok(sets.await?.into_iter().flatten().collect())
}
