//! One complete reading of AWS for one desired state.
//!
//! Complete or an error: a failed or throttled read is never "absent", and nobody gets half a picture. Only what the
//! desired state touches is read in detail. Nothing here decides what to change.

mod accounts;
mod again;
mod directory;
mod sets;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

pub use again::{again, caller, complete, instance};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::aws::{Aws, AwsError, ErrorKind};
use crate::model::{
    AccountId, Caller, DesiredState, Instance, InstanceArn, ObservedAssignment, ObservedState, PermissionSetName,
    PrincipalId, Reading, Strategy,
};

/// How many calls are under way at once. AWS's rate is the limit, this only hides the time an answer takes.
const CONCURRENCY: usize = 16;

/// What to read.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The instance, if several are there.
    pub instance: Option<InstanceArn>,
    /// Whether to read also what the access file leaves alone.
    pub unmanaged: bool,
}

/// How far the reading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being read.
    pub what: &'static str,
    /// How many are done.
    pub done: usize,
    /// Of how many.
    pub total: usize,
}

/// Where progress is reported to.
pub type OnProgress<'a> = &'a dyn Fn(Progress);

/// Reads everything that planning `desired` needs.
///
/// # Errors
/// The first read that fails, or that the instance cannot be determined.
pub async fn observe(
    aws: &Aws,
    desired: &DesiredState,
    request: &Request,
    on_progress: OnProgress<'_>,
) -> Result<ObservedState, AwsError> {
    let before = aws.calls();
    let wanted = request.instance.as_ref().or(desired.instance.as_ref().map(|arn| &arn.value));
    let instance = choose(aws.instances().await?, wanted, aws.region())?;
    let at = aws.at(&instance);
    let (permission_sets, caller) = tokio::join!(sets::read(at, desired, request.unmanaged, on_progress), aws.caller());
    let permission_sets = permission_sets?;
    let (accounts, whole_organization) = accounts::read(aws, desired, request.unmanaged, &permission_sets).await?;
    let mut observed = ObservedState {
        instance: instance.clone(),
        accounts,
        whole_organization,
        permission_sets,
        assignments: BTreeSet::new(),
        directory: crate::model::Directory::default(),
        groups_of: BTreeMap::new(),
        caller: caller?,
        reading: Reading::default(),
    };
    observed.assignments = read_assignments(at, desired, &observed, request.unmanaged, on_progress).await?;
    let asked = |set: &PermissionSetName, account: &AccountId| {
        observed.assignments.iter().any(|row| row.permission_set == *set && row.account == *account)
    };
    observed.caller = with_user(at, observed.caller.clone(), asked).await?;
    observed.directory = directory::read(at, desired, &observed.assignments, on_progress).await?;
    observed.reading = Reading { calls: aws.calls() - before, strategy: Strategy::ByPermissionSet };
    Ok(observed)
}

/// Adds the groups of users to what was read. Where they may not be read, nothing is added.
///
/// # Errors
/// If a read fails for another reason than a missing permission.
pub async fn read_groups(
    aws: &Aws,
    observed: &mut ObservedState,
    users: BTreeSet<PrincipalId>,
) -> Result<(), AwsError> {
    let before = aws.calls();
    let instance = observed.instance.clone();
    let at = aws.at(&instance);
    let read = each("memberships", users.into_iter().collect(), &|_| (), |user| async move {
        let groups = at.groups_of(&user).await?;
        Ok((user, groups))
    });
    let known = read.await?.into_iter().filter_map(|(user, groups)| Some((user, groups?.into_iter().collect())));
    observed.groups_of.extend(known);
    observed.reading.calls += aws.calls() - before;
    Ok(())
}

/// Adds the user behind the session and its groups, if what it came in through is `asked` about at all.
async fn with_user(
    at: crate::aws::At<'_>,
    caller: Caller,
    asked: impl Fn(&PermissionSetName, &AccountId) -> bool,
) -> Result<Caller, AwsError> {
    let user = match caller.way_in().filter(|way| asked(&way.permission_set, &way.account)) {
        Some(way) => at.caller_user(&way.user).await?,
        None => None,
    };
    Ok(Caller { user, ..caller })
}

fn choose(instances: Vec<Instance>, wanted: Option<&InstanceArn>, region: &str) -> Result<Instance, AwsError> {
    let list = |instances: &[Instance]| instances.iter().map(|i| i.arn.to_string()).collect::<Vec<_>>().join(", ");
    let no_instance = |message: String| Err(AwsError::local(ErrorKind::NoInstance, message));
    if let Some(wanted) = wanted {
        let others = list(&instances);
        return match instances.into_iter().find(|instance| instance.arn == *wanted) {
            Some(instance) => Ok(instance),
            None if others.is_empty() => {
                no_instance(format!("instance {wanted} is not in {region}: there is none in this Region"))
            }
            None => no_instance(format!("instance {wanted} is not in {region}, where there is: {others}")),
        };
    }
    match <[Instance; 1]>::try_from(instances) {
        Ok([instance]) => Ok(instance),
        Err(instances) if instances.is_empty() => {
            no_instance(format!("there is no Identity Center instance in {region}, as far as this caller can see"))
        }
        Err(instances) => {
            no_instance(format!("there are several Identity Center instances in {region}: {}", list(&instances)))
        }
    }
}

/// By permission set: every assignment stands on a provisioned pair, so asking those pairs finds them all.
async fn read_assignments(
    at: crate::aws::At<'_>,
    desired: &DesiredState,
    observed: &ObservedState,
    unmanaged: bool,
    on_progress: OnProgress<'_>,
) -> Result<BTreeSet<ObservedAssignment>, AwsError> {
    let scope = observed.active_accounts(desired.scope.accounts.iter().map(|account| &account.value));
    let mut pairs = Vec::new();
    for (name, set) in &observed.permission_sets {
        let accounts = set.provisioned.iter().flat_map(BTreeMap::keys);
        // A set that left the file can be deleted only when nobody has it anywhere.
        let left = set.definition.is_some() && !desired.permission_sets.contains_key(name);
        let asked = accounts.filter(|account| unmanaged || left || scope.contains(*account));
        pairs.extend(asked.map(|account| (name, &set.arn, account)));
    }
    let rows = each("assignments", pairs, on_progress, |(name, arn, account)| async move {
        let principals = at.assignments(arn, account).await?;
        let row = |principal| ObservedAssignment { permission_set: name.clone(), account: account.clone(), principal };
        Ok(principals.into_iter().map(row).collect::<Vec<_>>())
    });
    Ok(rows.await?.into_iter().flatten().collect())
}

/// Reads something for each item, several at a time, and reports how far it is.
async fn each<I, T, F>(
    what: &'static str,
    items: Vec<I>,
    on_progress: OnProgress<'_>,
    read: impl Fn(I) -> F,
) -> Result<Vec<T>, AwsError>
where
    F: Future<Output = Result<T, AwsError>>,
{
    let total = items.len();
    let mut results = Vec::with_capacity(total);
    let mut answers = stream::iter(items).map(read).buffered(CONCURRENCY);
    while let Some(answer) = answers.try_next().await? {
        results.push(answer);
        on_progress(Progress { what, done: results.len(), total });
    }
    Ok(results)
}

#[cfg(test)]
mod tests {
    use super::choose;
    use crate::model::{IdError, IdentityStoreId, Instance, InstanceArn};

    fn instance(last: char) -> Result<Instance, IdError> {
        let arn = InstanceArn::parse(&format!("arn:aws:sso:::instance/ssoins-000000000000000{last}"))?;
        Ok(Instance {
            arn,
            identity_store: IdentityStoreId::new("d-0000000000"),
            region: "eu-central-1".to_owned(),
            owner: None,
        })
    }

    #[test]
    fn the_only_instance_is_taken_and_several_are_an_error() -> Result<(), IdError> {
        let (a, b) = (instance('a')?, instance('b')?);
        assert_eq!(choose(vec![a.clone()], None, "r"), Ok(a.clone()));
        assert_eq!(choose(vec![a.clone(), b.clone()], Some(&b.arn), "r"), Ok(b.clone()));
        let message =
            |answer: Result<Instance, crate::aws::AwsError>| answer.map_err(|e| e.message).err().unwrap_or_default();
        assert!(message(choose(vec![], None, "eu-north-1")).contains("no Identity Center instance in eu-north-1"));
        assert!(message(choose(vec![a.clone(), b.clone()], None, "r")).contains("several"));
        assert!(message(choose(vec![a], Some(&b.arn), "r")).contains("where there is: arn:aws"));
        Ok(())
    }
}
