//! One complete reading of AWS for one desired state.
//!
//! Complete or an error: a failed or throttled read is never "absent", and nobody gets half a picture. Only what the
//! desired state touches is read in detail, with the fewest calls that the API permits: `assignments` counts which way
//! to find assignments is the cheapest, `directory` whether to look principals up or to list them. Calls of different
//! services go out side by side, for each service has its own allowance. Nothing here decides what to change.

mod accounts;
mod again;
mod assignments;
mod directory;
mod look;
mod person;
mod sets;
mod snapshot;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Instant;

pub use again::{again, caller, complete, instance};
pub use look::{
    Look, accounts_meant, groups_in, look, permission_set_names, permission_set_owners, read_everybody, read_instance,
    read_members, read_organization, unknown,
};
pub use person::{held, read_person};
pub use snapshot::{Parts, Snapshot};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::aws::{At, Aws, AwsError, ErrorKind};
use crate::model::{
    AccountId, Caller, DesiredState, Instance, InstanceArn, ObservedState, PermissionSetArn, PermissionSetName,
    PrincipalId, Progress, Reading, Strategy,
};
use assignments::Pair;
use sets::Wanted;

/// How many calls are under way at once. AWS's rate is the limit, this only hides the time an answer takes.
const CONCURRENCY: usize = 16;

/// What to read.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The instance, if several are there.
    pub instance: Option<InstanceArn>,
    /// Whether to read also what the access file leaves alone.
    pub unmanaged: bool,
    /// The one way to find assignments; `None` takes the cheapest.
    pub only: Option<Strategy>,
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
    let (before, begun) = (aws.calls(), Instant::now());
    let wanted = request.instance.as_ref().or(desired.instance.as_ref().map(|arn| &arn.value));
    let instance = choose(aws.instances().await?, wanted, aws.region())?;
    let at = aws.at(&instance);
    let wanted = Wanted::new(desired, request.unmanaged);
    let (arns, caller) = tokio::try_join!(at.permission_set_arns(), aws.caller())?;
    // Only the management account may ask by principal.
    let by_principal = instance.owner.as_ref().is_none_or(|owner| *owner == caller.account);
    let lists = directory::Lists::new(at);
    let whole_organization = accounts::needs_all(desired, request.unmanaged);
    let all_accounts = async { if whole_organization { accounts::all(aws).await.map(Some) } else { Ok(None) } };
    let found = sets::Found::new(at, wanted.expected(arns.len()));
    let count = async {
        if by_principal && request.only.is_none() { found.count_principals(&lists, arns.len()).await } else { Ok(()) }
    };
    let permission_sets = sets::read(at, arns.clone(), &wanted, (&found, on_progress));
    let (permission_sets, (), all_accounts) =
        tokio::try_join!(Box::pin(permission_sets), Box::pin(count), Box::pin(all_accounts))?;
    let (accounts, whole_organization) = match all_accounts {
        Some(accounts) => (accounts, true),
        None => accounts::by_id(aws, accounts::named(desired, &permission_sets)).await?,
    };
    let mut observed = ObservedState {
        accounts,
        whole_organization,
        permission_sets,
        ..ObservedState::empty(instance.clone(), caller)
    };
    let scope = observed.active_accounts(desired.scope.accounts.iter().map(|account| &account.value));
    let by_account = read_rest_of_scope(at, &wanted, &mut observed, &scope, request, on_progress).await?;
    let pairs = pairs(&wanted, &observed, &scope, by_account.as_deref());
    // Of few accounts there are few pairs: each is asked, so that what was found is what the strategy promises.
    let only = if by_account.is_some() { Some(Strategy::ByAccount) } else { request.only };
    let found = Box::pin(assignments::read(at, &pairs, &lists, by_principal, only, on_progress));
    let names = Box::pin(directory::names(at, desired, &lists, on_progress));
    let (found, names) = tokio::try_join!(found, names)?;
    let directory = directory::read(at, names, &found.assignments, &lists, on_progress).await?;
    observed.assignments = found.assignments;
    observed.directory = directory;
    let asked = |set: &PermissionSetName, account: &AccountId| {
        observed.assignments.iter().any(|row| row.permission_set == *set && row.account == *account)
    };
    observed.caller = with_user(at, observed.caller.clone(), asked).await?;
    let calls = aws.calls() - before;
    observed.reading = Reading {
        calls,
        seconds: begun.elapsed().as_secs(),
        strategy: if by_account.is_some() { Strategy::ByAccount } else { found.strategy },
        next_best: found.other.map(|other| other.next_best(calls)),
    };
    Ok(observed)
}

/// Reads where those permission sets are that the file does not declare, where its scope covers them all the same: by
/// permission set, or by account if that takes fewer calls. Returns what each account has in the second case.
async fn read_rest_of_scope(
    at: At<'_>,
    wanted: &Wanted<'_>,
    observed: &mut ObservedState,
    scope: &BTreeSet<AccountId>,
    request: &Request,
    on_progress: OnProgress<'_>,
) -> Result<Option<Vec<(AccountId, PermissionSetArn)>>, AwsError> {
    let rest = observed.permission_sets.values().filter(|set| set.provisioned.is_none()).count();
    if !wanted.in_scope() || rest == 0 {
        return Ok(None);
    }
    // A delegated administrator must know whether the management account has them.
    let is_owner = observed.instance.owner.as_ref().is_none_or(|owner| *owner == observed.caller.account);
    let cheaper = is_owner && scope.len() < 2 * rest;
    let by_account = request.only.map_or(cheaper, |only| only == Strategy::ByAccount && is_owner);
    if by_account {
        match sets::provisioned_in(at, scope, on_progress).await {
            Err(error) if error.kind == ErrorKind::AccessDenied => {}
            found => return found.map(Some),
        }
    }
    sets::provisioned_anywhere(at, &mut observed.permission_sets, on_progress).await?;
    Ok(None)
}

/// Returns the pairs whose assignments matter: every assignment stands on a provisioned pair.
fn pairs<'a>(
    wanted: &Wanted<'_>,
    observed: &'a ObservedState,
    scope: &BTreeSet<AccountId>,
    by_account: Option<&'a [(AccountId, PermissionSetArn)]>,
) -> Vec<Pair<'a>> {
    let mut pairs = Vec::new();
    for (name, set) in &observed.permission_sets {
        // A set that left the file can be deleted only when nobody has it anywhere.
        let left = wanted.has_left(name, set.definition.as_ref().map(|definition| &definition.tags));
        let accounts = set.provisioned.iter().flat_map(BTreeMap::keys);
        let asked = accounts.filter(|account| wanted.asks(left, scope.contains(*account)));
        pairs.extend(asked.map(|account| Pair { name, arn: &set.arn, account, wholly: left }));
    }
    let rest = observed.permission_sets.iter().filter(|(_, set)| set.provisioned.is_none());
    let rest: BTreeMap<&PermissionSetArn, &PermissionSetName> = rest.map(|(name, set)| (&set.arn, name)).collect();
    let in_accounts = by_account.into_iter().flatten();
    pairs.extend(in_accounts.filter_map(|(account, arn)| {
        let (arn, name) = rest.get_key_value(arn)?;
        Some(Pair { name, arn, account, wholly: false })
    }));
    pairs
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

/// Makes sure of everybody who has what is about to change: asked by principal, what the deleted left behind beside others is not
/// seen. Where another way was taken, it is.
///
/// # Errors
/// The first read that fails.
pub async fn read_pairs(
    aws: &Aws,
    desired: &DesiredState,
    observed: &mut ObservedState,
    pairs: BTreeSet<(PermissionSetName, AccountId)>,
) -> Result<(), AwsError> {
    if observed.reading.strategy != Strategy::ByPrincipal {
        return Ok(());
    }
    let before = aws.calls();
    let instance = observed.instance.clone();
    let at = aws.at(&instance);
    let wanted = Wanted::new(desired, false);
    let provisioned = pairs.iter().filter_map(|(name, account)| {
        let set = observed.permission_sets.get(name)?;
        // Who has a permission set that left the file is known already.
        if wanted.has_left(name, set.definition.as_ref().map(|definition| &definition.tags)) {
            return None;
        }
        let there = set.provisioned.as_ref()?.contains_key(account);
        there.then_some(Pair { name, arn: &set.arn, account, wholly: true })
    });
    let provisioned: Vec<Pair<'_>> = provisioned.collect();
    observed.assignments = assignments::ask_again(at, &observed.assignments, &provisioned).await?;
    let known = &observed.directory.by_id;
    let unknown: BTreeSet<_> = observed.assignments.iter().map(|grant| grant.principal.clone()).collect();
    let unknown = unknown.into_iter().filter(|principal| !known.contains_key(principal)).collect();
    let states = each("principals", unknown, &|_| (), |principal| async move {
        let state = at.principal(&principal).await?;
        Ok((principal, state))
    });
    observed.directory.by_id.extend(states.await?);
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
        let done = results.len();
        on_progress(Progress { what, done, total, calls_left: total - done });
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
