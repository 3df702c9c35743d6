//! A reading of a part of an instance, or of all of it, whatever any access file says.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::aws::{At, Aws, AwsError, ErrorKind};
use crate::model::{
    Account, AccountId, AccountSelector, AccountsByName, DesiredState, Grant, Instance, InstanceArn, OWNER_TAG,
    ObservedSet, ObservedState, PermissionSetArn, PermissionSetName, PrincipalId, PrincipalKind, PrincipalRef,
    PrincipalState, Reading, Shown, Strategy, similar_name,
};
use crate::observed::assignments::{self, Pair};
use crate::observed::directory::{self, Lists};
use crate::observed::{OnProgress, accounts, choose, each, sets};

/// What to look at.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// The instance, if several are there.
    pub instance: Option<InstanceArn>,
    /// In which accounts; `None` is all of the organization.
    pub accounts: Option<Vec<AccountSelector>>,
    /// At which permission sets; `None` is all.
    pub permission_sets: Option<BTreeSet<PermissionSetName>>,
    /// Whether to read also what permission sets consist of.
    pub definitions: bool,
    /// Whether a permission set that does not exist is an answer, not an error.
    pub may_be_unknown: bool,
}

/// Reads permission sets, where they are, who has them there, and who that is. Every pair is asked: what the deleted left behind
/// counts as well.
///
/// # Errors
/// The first read that fails, or an account or permission set that does not exist.
pub async fn look(aws: &Aws, look: &Look, on_progress: OnProgress<'_>) -> Result<ObservedState, AwsError> {
    let (before, begun) = (aws.calls(), Instant::now());
    let instance = choose(aws.instances().await?, look.instance.as_ref(), aws.region())?;
    let at = aws.at(&instance);
    let (arns, caller) = tokio::try_join!(at.permission_set_arns(), aws.caller())?;
    let mut observed = ObservedState::empty(instance.clone(), caller);
    let wanted = read_accounts(aws, look, &mut observed).await?;
    let arns = match &wanted {
        Some(accounts) => narrowed(at, arns, accounts, on_progress).await?,
        None => arns,
    };
    observed.permission_sets = read_sets(at, arns, look, on_progress).await?;
    check_sets(aws, look, &observed).await?;
    if wanted.is_none() && !observed.whole_organization {
        let provisioned = observed.permission_sets.values().flat_map(|set| &set.provisioned).flat_map(BTreeMap::keys);
        (observed.accounts, observed.whole_organization) = accounts::by_id(aws, provisioned.collect()).await?;
    }
    let pairs = observed.permission_sets.iter().flat_map(|(name, set)| {
        let accounts = set.provisioned.iter().flat_map(BTreeMap::keys);
        let accounts = accounts.filter(|account| wanted.as_ref().is_none_or(|wanted| wanted.contains(*account)));
        accounts.map(|account| Pair { name, arn: &set.arn, account, wholly: false })
    });
    let pairs: Vec<Pair<'_>> = pairs.collect();
    observed.assignments = assignments::ask_pairs(at, &pairs, on_progress).await?;
    let lists = Lists::new(at);
    observed.directory = directory::read(at, BTreeMap::new(), &observed.assignments, &lists, on_progress).await?;
    observed.reading = Reading {
        calls: aws.calls() - before,
        seconds: begun.elapsed().as_secs(),
        strategy: if wanted.is_some() { Strategy::ByAccount } else { Strategy::ByPermissionSet },
        next_best: None,
    };
    Ok(observed)
}

/// Reads the accounts, and returns the ids of those that are meant; `None` if all are.
async fn read_accounts(
    aws: &Aws,
    look: &Look,
    observed: &mut ObservedState,
) -> Result<Option<BTreeSet<AccountId>>, AwsError> {
    let Some(selectors) = &look.accounts else {
        if look.permission_sets.is_none() {
            (observed.accounts, observed.whole_organization) = (accounts::all(aws).await?, true);
        }
        return Ok(None);
    };
    let ids = selectors.iter().map(|selector| match selector {
        AccountSelector::Id(id) => Some(id),
        AccountSelector::All | AccountSelector::Name(_) => None,
    });
    (observed.accounts, observed.whole_organization) = match ids.collect::<Option<BTreeSet<_>>>() {
        Some(ids) => accounts::by_id(aws, ids).await?,
        None => (accounts::all(aws).await?, true),
    };
    Ok(Some(accounts_meant(&observed.accounts, selectors)?))
}

/// Returns the accounts that are meant, each of which must be one.
///
/// # Errors
/// If there is no such account, or a name is that of several.
pub fn accounts_meant(
    accounts: &BTreeMap<AccountId, Account>,
    selectors: &[AccountSelector],
) -> Result<BTreeSet<AccountId>, AwsError> {
    let by_name = AccountsByName::new(accounts);
    let mut meant = BTreeSet::new();
    for selector in selectors {
        let found = by_name.meant_by(selector);
        match (selector, found.as_slice()) {
            (AccountSelector::Id(id), []) => return Err(unknown("account", id.as_str(), [])),
            (AccountSelector::Name(name), []) => {
                let names = accounts.values().map(|account| account.name.as_str());
                return Err(unknown("account", name.as_str(), names));
            }
            (AccountSelector::Name(name), [_, _, ..]) => {
                let ids: Vec<String> = found.iter().map(|account| account.id.to_string()).collect();
                let message = format!("several accounts are called `{name}`: {}; name one by its id", ids.join(", "));
                return Err(AwsError::local(ErrorKind::NotFound, message));
            }
            _ => meant.extend(found.into_iter().map(|account| account.id.clone())),
        }
    }
    Ok(meant)
}

/// The error of a name that AWS does not know.
pub fn unknown<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> AwsError {
    let similar = similar_name(name, known).map(|it| format!("; did you mean `{}`?", Shown(it))).unwrap_or_default();
    AwsError::local(ErrorKind::NotFound, format!("there is no {what} `{}`{similar}", Shown(name)))
}

/// Returns the permission sets that any of the accounts has, where that may be asked and takes fewer calls.
async fn narrowed(
    at: At<'_>,
    arns: Vec<PermissionSetArn>,
    accounts: &BTreeSet<AccountId>,
    on_progress: OnProgress<'_>,
) -> Result<Vec<PermissionSetArn>, AwsError> {
    if accounts.len() >= arns.len().saturating_mul(3) {
        return Ok(arns);
    }
    match sets::provisioned_in(at, accounts, on_progress).await {
        Ok(found) => {
            let there: BTreeSet<PermissionSetArn> = found.into_iter().map(|(_, arn)| arn).collect();
            Ok(arns.into_iter().filter(|arn| there.contains(arn)).collect())
        }
        Err(error) if error.kind == ErrorKind::AccessDenied => Ok(arns),
        Err(error) => Err(error),
    }
}

async fn read_sets(
    at: At<'_>,
    arns: Vec<PermissionSetArn>,
    look: &Look,
    on_progress: OnProgress<'_>,
) -> Result<BTreeMap<PermissionSetName, ObservedSet>, AwsError> {
    let sets = each("permission sets", arns, on_progress, |arn| async move {
        let Some(described) = at.describe(&arn).await? else { return Ok(None) };
        let name = described.name.clone();
        if look.permission_sets.as_ref().is_some_and(|wanted| !wanted.contains(&name)) {
            return Ok(None);
        }
        let definition =
            async { if look.definitions { at.definition(&arn, described).await.map(Some) } else { Ok(None) } };
        match tokio::try_join!(definition, at.provisioned(&arn)) {
            Ok((definition, provisioned)) => {
                Ok(Some((name, ObservedSet { arn, definition, provisioned: Some(provisioned) })))
            }
            // Deleted meanwhile.
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    });
    Ok(sets.await?.into_iter().flatten().collect())
}

/// A permission set that is in none of the accounts is no mistake; one of which nobody has heard is.
async fn check_sets(aws: &Aws, look: &Look, observed: &ObservedState) -> Result<(), AwsError> {
    let wanted = look.permission_sets.iter().flatten();
    let unseen: Vec<&PermissionSetName> = wanted.filter(|name| !observed.permission_sets.contains_key(*name)).collect();
    if unseen.is_empty() || look.may_be_unknown {
        return Ok(());
    }
    let names = permission_set_names(aws, &observed.instance).await?;
    match unseen.into_iter().find(|name| !names.contains(*name)) {
        Some(name) => Err(unknown("permission set", name.as_str(), names.iter().map(PermissionSetName::as_str))),
        None => Ok(()),
    }
}

/// Adds the users in groups, and who they are.
///
/// # Errors
/// The first read that fails.
pub async fn read_members(
    aws: &Aws,
    observed: &mut ObservedState,
    groups: BTreeSet<PrincipalId>,
    on_progress: OnProgress<'_>,
) -> Result<(), AwsError> {
    let before = aws.calls();
    let instance = observed.instance.clone();
    let at = aws.at(&instance);
    let unread = groups.into_iter().filter(|group| !observed.members_of.contains_key(group)).collect();
    let read = each("members of groups", unread, on_progress, |group| async move {
        let members = at.members(&group).await?;
        Ok((group, members.into_iter().collect::<BTreeSet<_>>()))
    });
    observed.members_of.extend(read.await?);
    let users = observed.members_of.values().flatten();
    let users = users.map(|id| PrincipalRef { kind: PrincipalKind::User, id: id.clone() });
    let known = &observed.directory.by_id;
    let unknown: BTreeSet<PrincipalRef> = users.filter(|user| !known.contains_key(user)).collect();
    let names = directory::who(at, unknown, &Lists::new(at), on_progress).await?;
    observed.directory.by_id.extend(names);
    observed.reading.calls += aws.calls() - before;
    Ok(())
}

/// Adds everybody there is, with what they have or without.
///
/// # Errors
/// If a list cannot be read.
pub async fn read_everybody(aws: &Aws, observed: &mut ObservedState) -> Result<(), AwsError> {
    let before = aws.calls();
    let instance = observed.instance.clone();
    let at = aws.at(&instance);
    for kind in [PrincipalKind::Group, PrincipalKind::User] {
        for one in at.principals(kind).await? {
            let state = PrincipalState::Known { name: one.name, disabled: one.disabled };
            observed.directory.by_id.insert(PrincipalRef { kind, id: one.id }, state);
        }
    }
    observed.reading.calls += aws.calls() - before;
    Ok(())
}

/// Returns the groups that any of the assignments is for, and that exist.
pub fn groups_in<'a>(
    observed: &'a ObservedState,
    grants: impl IntoIterator<Item = &'a Grant>,
) -> BTreeSet<PrincipalId> {
    let exists = |it: &PrincipalRef| !matches!(observed.directory.by_id.get(it), Some(PrincipalState::Deleted));
    let groups = grants.into_iter().map(|grant| &grant.principal);
    groups.filter(|it| it.kind == PrincipalKind::Group && exists(it)).map(|it| it.id.clone()).collect()
}

/// Lists the names of all permission sets, one call each.
///
/// # Errors
/// The first read that fails.
pub async fn permission_set_names(aws: &Aws, instance: &Instance) -> Result<BTreeSet<PermissionSetName>, AwsError> {
    let at = aws.at(instance);
    let arns = at.permission_set_arns().await?;
    let named = each("permission sets", arns, &|_| (), |arn| async move {
        Ok(at.describe(&arn).await?.map(|described| described.name))
    });
    Ok(named.await?.into_iter().flatten().collect())
}

/// Reads whose tag each permission set carries, two calls each.
///
/// # Errors
/// The first read that fails.
pub async fn permission_set_owners(
    aws: &Aws,
    instance: &Instance,
) -> Result<BTreeMap<PermissionSetName, String>, AwsError> {
    let at = aws.at(instance);
    let arns = at.permission_set_arns().await?;
    let owned = each("permission sets", arns, &|_| (), |arn| async move {
        let (described, mut tags) = tokio::try_join!(at.describe(&arn), at.tags(&arn))?;
        Ok(described.and_then(|described| Some((described.name, tags.remove(OWNER_TAG)?))))
    });
    Ok(owned.await?.into_iter().flatten().collect())
}

/// Reads which instance it is, and nothing in it.
///
/// # Errors
/// If it cannot be determined.
pub async fn read_instance(aws: &Aws, wanted: Option<&InstanceArn>) -> Result<ObservedState, AwsError> {
    let instance = choose(aws.instances().await?, wanted, aws.region())?;
    let caller = aws.caller().await?;
    Ok(ObservedState::empty(instance, caller))
}

/// Adds the accounts that an access file names.
///
/// # Errors
/// If a read fails.
pub async fn read_organization(
    aws: &Aws,
    observed: &mut ObservedState,
    desired: &DesiredState,
) -> Result<(), AwsError> {
    (observed.accounts, observed.whole_organization) = if accounts::needs_all(desired, false) {
        (accounts::all(aws).await?, true)
    } else {
        accounts::by_id(aws, accounts::named(desired, &observed.permission_sets)).await?
    };
    Ok(())
}
