//! Users and groups: ids behind the names of the file, names behind the ids of assignments.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tokio::sync::Mutex;

use crate::aws::{At, AwsError, ErrorKind, Listed};
use crate::model::{
    DesiredState, Directory, Grant, GroupName, Lookup, PrincipalId, PrincipalKind, PrincipalRef, PrincipalState,
    UserName, similar_name,
};
use crate::observed::{OnProgress, each};

/// The lists of all groups and of all users, each read at most once, and only as far as it is worth it.
pub(super) struct Lists<'a> {
    at: At<'a>,
    groups: Mutex<Known>,
    users: Mutex<Known>,
}

/// What is known of a list.
#[derive(Clone, Default)]
enum Known {
    #[default]
    Nothing,
    /// There are more than so many.
    More(usize),
    All(std::sync::Arc<Vec<Listed>>),
}

/// Looking somebody up takes a call, a page of a list has a hundred. Fewer than this are looked up at once.
const WORTH_LISTING: usize = 20;
/// A list is read as long as it takes at most the fourth part of the calls that looking up would.
const FOR_EACH_CALL: usize = 25;

impl<'a> Lists<'a> {
    pub(super) fn new(at: At<'a>) -> Self {
        Self { at, groups: Mutex::default(), users: Mutex::default() }
    }

    /// Returns all of a kind; `None` if there are more than `most`.
    pub(super) async fn up_to(
        &self,
        kind: PrincipalKind,
        most: usize,
    ) -> Result<Option<std::sync::Arc<Vec<Listed>>>, AwsError> {
        let mut known = match kind {
            PrincipalKind::Group => self.groups.lock().await,
            PrincipalKind::User => self.users.lock().await,
        };
        match &*known {
            Known::All(listed) => return Ok((listed.len() <= most).then(|| listed.clone())),
            Known::More(than) if *than >= most => return Ok(None),
            Known::Nothing | Known::More(_) => {}
        }
        let listed = self.at.principals_up_to(most, kind).await?.map(std::sync::Arc::new);
        *known = listed.as_ref().map_or(Known::More(most), |listed| Known::All(listed.clone()));
        Ok(listed)
    }

    /// Returns all of a kind if they are known already, or are listed with fewer calls than `lookups`.
    async fn instead_of(&self, kind: PrincipalKind, lookups: usize) -> Option<std::sync::Arc<Vec<Listed>>> {
        let known = match kind {
            PrincipalKind::Group => self.groups.lock().await.clone(),
            PrincipalKind::User => self.users.lock().await.clone(),
        };
        match known {
            Known::All(listed) => Some(listed),
            _ if lookups < WORTH_LISTING => None,
            // Who may look up may not be allowed to list; looking up will say what is wrong, if something is.
            _ => self.up_to(kind, lookups * FOR_EACH_CALL).await.ok().flatten(),
        }
    }
}

const KINDS: [PrincipalKind; 2] = [PrincipalKind::Group, PrincipalKind::User];

type ByName = BTreeMap<(PrincipalKind, String), Lookup>;

/// Reads every principal that the file names.
pub(super) async fn names(
    at: At<'_>,
    desired: &DesiredState,
    lists: &Lists<'_>,
    on_progress: OnProgress<'_>,
) -> Result<ByName, AwsError> {
    let mut names: BTreeSet<(PrincipalKind, String)> =
        desired.principals().map(|(kind, name, _)| (kind, name.to_owned())).collect();
    let mut by_name = ByName::new();
    for kind in KINDS {
        let wanted = names.iter().filter(|(it, _)| *it == kind).count();
        let Some(listed) = (if wanted > 0 { lists.instead_of(kind, wanted).await } else { None }) else { continue };
        // What is not in the list is asked for by name all the same: AWS decides what a name means.
        for (name, lookup) in find_in(&listed, kind, &names, Emails::Ask) {
            names.remove(&name);
            by_name.insert(name, lookup);
        }
    }
    by_name.extend(look_up(at, names, lists, on_progress).await?);
    suggest(lists, &mut by_name).await;
    Ok(by_name)
}

/// Adds who everybody is whom the file or an assignment names.
pub(super) async fn read(
    at: At<'_>,
    by_name: ByName,
    assignments: &BTreeSet<Grant>,
    lists: &Lists<'_>,
    on_progress: OnProgress<'_>,
) -> Result<Directory, AwsError> {
    let mut by_id = known_groups(&by_name);
    let found = by_name.iter().filter_map(|((kind, _), lookup)| match lookup {
        // A user's record also tells whether the user is disabled, and the user name where the file has an address.
        Lookup::Found(id) if *kind == PrincipalKind::User => Some(PrincipalRef { kind: *kind, id: id.clone() }),
        Lookup::Found(_) | Lookup::Missing { .. } => None,
    });
    let assigned = assignments.iter().map(|assignment| assignment.principal.clone());
    let unknown: BTreeSet<_> = found.chain(assigned).filter(|principal| !by_id.contains_key(principal)).collect();
    by_id.extend(who(at, unknown, lists, on_progress).await?);
    Ok(Directory { by_name, by_id })
}

/// Reads who ids are, by listing or by looking up, whichever takes fewer calls.
pub(super) async fn who(
    at: At<'_>,
    mut unknown: BTreeSet<PrincipalRef>,
    lists: &Lists<'_>,
    on_progress: OnProgress<'_>,
) -> Result<BTreeMap<PrincipalRef, PrincipalState>, AwsError> {
    let mut by_id = BTreeMap::new();
    for kind in KINDS {
        let wanted = unknown.iter().filter(|principal| principal.kind == kind).count();
        let Some(listed) = (if wanted > 0 { lists.instead_of(kind, wanted).await } else { None }) else { continue };
        let listed: HashMap<&PrincipalId, &Listed> = listed.iter().map(|one| (&one.id, one)).collect();
        // Nobody is taken for deleted because a list has not got them: that only asking for them tells.
        unknown.retain(|principal| match listed.get(&principal.id) {
            Some(one) if principal.kind == kind => {
                let state = PrincipalState::Known { name: one.name.clone(), disabled: one.disabled };
                by_id.insert(principal.clone(), state);
                false
            }
            _ => true,
        });
    }
    let states = each("principals", unknown.into_iter().collect(), on_progress, |principal| async move {
        let state = at.principal(&principal).await?;
        Ok((principal, state))
    });
    by_id.extend(states.await?);
    Ok(by_id)
}

pub(super) async fn look_up(
    at: At<'_>,
    names: BTreeSet<(PrincipalKind, String)>,
    lists: &Lists<'_>,
    on_progress: OnProgress<'_>,
) -> Result<ByName, AwsError> {
    let asked = each("names", names.iter().cloned().collect(), on_progress, |(kind, name)| async move {
        let id = match kind {
            PrincipalKind::Group => at.group_id(&GroupName::new(name.as_str())).await?,
            PrincipalKind::User => at.user_id(&UserName::new(name.as_str())).await?,
        };
        Ok(((kind, name), id.map_or(Lookup::Missing { similar: None }, Lookup::Found)))
    });
    match asked.await {
        Ok(answers) => Ok(answers.into_iter().collect()),
        // AWSSSODirectoryReadOnly allows to list, but not to ask by name (texts of AWS's managed policies).
        Err(error) if error.kind == ErrorKind::AccessDenied => match look_up_in_lists(names, lists).await {
            // The right to look up is the lesser one to ask for.
            Err(other) if other.kind == ErrorKind::AccessDenied => Err(error),
            found => found,
        },
        Err(error) => Err(error),
    }
}

async fn look_up_in_lists(names: BTreeSet<(PrincipalKind, String)>, lists: &Lists<'_>) -> Result<ByName, AwsError> {
    let missing = |name: &(PrincipalKind, String)| (name.clone(), Lookup::Missing { similar: None });
    let mut by_name: ByName = names.iter().map(missing).collect();
    for kind in KINDS {
        if names.iter().any(|(wanted, _)| *wanted == kind) {
            let listed = lists.up_to(kind, usize::MAX).await?.unwrap_or_default();
            by_name.extend(find_in(&listed, kind, &names, Emails::Take));
        }
    }
    Ok(by_name)
}

/// What to do about a name that is no user name of the list, and somebody's e-mail address.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Emails {
    /// AWS decides what it means.
    Ask,
    /// It means that somebody, if nobody else has it, be it as a name in another case.
    Take,
}

/// Returns those of the names that a list has: by name, or for users by e-mail address.
pub(super) fn find_in(
    listed: &[Listed],
    kind: PrincipalKind,
    names: &BTreeSet<(PrincipalKind, String)>,
    emails: Emails,
) -> ByName {
    let by_name: HashMap<&str, &Listed> = listed.iter().rev().map(|one| (one.name.as_str(), one)).collect();
    let mut by_email: HashMap<String, Option<&Listed>> = HashMap::new();
    if emails == Emails::Take {
        for one in listed {
            let texts = one.emails.iter().chain([&one.name]).map(|text| text.to_lowercase());
            for text in texts.collect::<BTreeSet<_>>() {
                by_email.entry(text).and_modify(|other| *other = None).or_insert(Some(one));
            }
        }
    }
    let of_kind = names.iter().filter(|(it, _)| *it == kind);
    let found = of_kind.filter_map(|key| {
        let name = key.1.as_str();
        let has = |one: &&&Listed| one.emails.iter().any(|email| email == name);
        let by_address = || by_email.get(&name.to_lowercase()).and_then(Option::as_ref).filter(has).copied();
        let one = by_name.get(name).copied().or_else(by_address)?;
        Some((key.clone(), Lookup::Found(one.id.clone())))
    });
    found.collect()
}

/// For names that do not exist, looks for what was probably meant. Only a mistake costs these calls.
pub(super) async fn suggest(lists: &Lists<'_>, by_name: &mut ByName) {
    for kind in KINDS {
        if missing(by_name, kind).next().is_none() {
            continue;
        }
        // A hint is not worth an error: with Active Directory behind it, for example, the list cannot be had (aws-sdk#629).
        let Ok(Some(listed)) = lists.up_to(kind, usize::MAX).await else { continue };
        suggest_from(&listed, kind, by_name);
    }
}

/// Adds similar names of a list to those that do not exist.
pub(super) fn suggest_from(listed: &[Listed], kind: PrincipalKind, by_name: &mut ByName) {
    for (name, similar) in missing(by_name, kind) {
        *similar = similar_name(name, listed.iter().map(|one| one.name.as_str())).map(str::to_owned);
    }
}

fn missing(by_name: &mut ByName, kind: PrincipalKind) -> impl Iterator<Item = (&String, &mut Option<String>)> {
    by_name.iter_mut().filter_map(move |((it, name), lookup)| match lookup {
        Lookup::Missing { similar } if *it == kind => Some((name, similar)),
        Lookup::Missing { .. } | Lookup::Found(_) => None,
    })
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
