//! Users and groups: ids behind the names of the file, names behind the ids of assignments.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::{At, AwsError, ErrorKind, Listed};
use crate::model::{
    DesiredState, Directory, GroupName, Lookup, ObservedAssignment, PrincipalKind, PrincipalRef, PrincipalState,
    UserName, similar_name,
};
use crate::observed::{OnProgress, each};

/// Reads every principal that the file or an assignment names.
pub(super) async fn read(
    at: At<'_>,
    desired: &DesiredState,
    assignments: &BTreeSet<ObservedAssignment>,
    on_progress: OnProgress<'_>,
) -> Result<Directory, AwsError> {
    let mut by_name = look_up(at, desired, on_progress).await?;
    suggest(at, &mut by_name).await;
    let mut by_id = known_groups(&by_name);
    let found = by_name.iter().filter_map(|((kind, _), lookup)| match lookup {
        // A user's record also tells whether the user is disabled, and the user name where the file has an address.
        Lookup::Found(id) if *kind == PrincipalKind::User => Some(PrincipalRef { kind: *kind, id: id.clone() }),
        Lookup::Found(_) | Lookup::Missing { .. } => None,
    });
    let assigned = assignments.iter().map(|assignment| assignment.principal.clone());
    let unknown: BTreeSet<_> = found.chain(assigned).filter(|principal| !by_id.contains_key(principal)).collect();
    let states = each("principals", unknown.into_iter().collect(), on_progress, |principal| async move {
        let state = at.principal(&principal).await?;
        Ok((principal, state))
    });
    by_id.extend(states.await?);
    Ok(Directory { by_name, by_id })
}

type ByName = BTreeMap<(PrincipalKind, String), Lookup>;

async fn look_up(at: At<'_>, desired: &DesiredState, on_progress: OnProgress<'_>) -> Result<ByName, AwsError> {
    let names: BTreeSet<(PrincipalKind, String)> =
        desired.principals().map(|(kind, name, _)| (kind, name.to_owned())).collect();
    let asked = each("names", names.iter().cloned().collect(), on_progress, |(kind, name)| async move {
        let id = match kind {
            PrincipalKind::Group => at.group_id(&GroupName::new(&name)).await?,
            PrincipalKind::User => at.user_id(&UserName::new(&name)).await?,
        };
        Ok(((kind, name), id.map_or(Lookup::Missing { similar: None }, Lookup::Found)))
    });
    match asked.await {
        Ok(answers) => Ok(answers.into_iter().collect()),
        // AWSSSODirectoryReadOnly allows to list, but not to ask by name (texts of AWS's managed policies).
        Err(error) if error.kind == ErrorKind::AccessDenied => look_up_in_lists(at, names).await,
        Err(error) => Err(error),
    }
}

async fn look_up_in_lists(at: At<'_>, names: BTreeSet<(PrincipalKind, String)>) -> Result<ByName, AwsError> {
    let mut lists: BTreeMap<PrincipalKind, Vec<Listed>> = BTreeMap::new();
    for kind in [PrincipalKind::Group, PrincipalKind::User] {
        if names.iter().any(|(wanted, _)| *wanted == kind) {
            lists.insert(kind, at.principals(kind).await?);
        }
    }
    let find = |(kind, name): (PrincipalKind, String)| {
        let listed = || lists.get(&kind).into_iter().flatten();
        let by_name = listed().find(|one| one.name == name);
        let found = by_name.or_else(|| listed().find(|one| one.emails.contains(&name)));
        let lookup = found.map_or(Lookup::Missing { similar: None }, |one| Lookup::Found(one.id.clone()));
        ((kind, name), lookup)
    };
    Ok(names.into_iter().map(find).collect())
}

/// For names that do not exist, looks for what was probably meant. Only a mistake costs these calls.
async fn suggest(at: At<'_>, by_name: &mut ByName) {
    for kind in [PrincipalKind::Group, PrincipalKind::User] {
        let missing = |((k, _), lookup): (&(PrincipalKind, String), &Lookup)| {
            *k == kind && matches!(lookup, Lookup::Missing { .. })
        };
        if !by_name.iter().any(missing) {
            continue;
        }
        // A hint is not worth an error: with Active Directory behind it, for example, the list cannot be had (aws-sdk#629).
        let Ok(listed) = at.principals(kind).await else { continue };
        for ((k, name), lookup) in by_name.iter_mut() {
            if let (true, Lookup::Missing { similar }) = (*k == kind, lookup) {
                *similar = similar_name(name, listed.iter().map(|one| one.name.as_str())).map(str::to_owned);
            }
        }
    }
}

/// A group that was found by name needs no second call to learn its name.
fn known_groups(by_name: &ByName) -> BTreeMap<PrincipalRef, PrincipalState> {
    let known = by_name.iter().filter_map(|((kind, name), lookup)| match (kind, lookup) {
        (PrincipalKind::Group, Lookup::Found(id)) => {
            let state = PrincipalState::Known { name: name.clone(), disabled: false };
            Some((PrincipalRef { kind: *kind, id: id.clone() }, state))
        }
        _ => None,
    });
    known.collect()
}
