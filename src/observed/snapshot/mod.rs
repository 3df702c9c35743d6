//! The observed state of a whole instance, kept in a file: for plans without AWS, and to look at later.

mod file;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::aws::{Aws, AwsError, Listed};
use crate::model::{
    Account, AccountId, Caller, DesiredState, Directory, Facts, Grant, Instance, InstanceArn, Lookup, ObservedSet,
    ObservedState, PermissionSetName, PrincipalId, PrincipalKind, PrincipalRef, PrincipalState, Reading, Strategy,
};
use crate::observed::assignments::{self, Pair};
use crate::observed::directory::{self, Lists};
use crate::observed::sets::{self, Wanted};
use crate::observed::{OnProgress, accounts, choose, with_user};

/// Everything that can be observed in an instance, whatever any access file says of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "file::Table", try_from = "file::Table")]
pub struct Snapshot {
    /// When it was taken, in RFC 3339.
    pub taken: String,
    /// Where.
    pub instance: Instance,
    /// By whom.
    pub caller: Caller,
    /// All accounts of the organization.
    pub accounts: BTreeMap<AccountId, Account>,
    /// All permission sets with everything in them.
    pub permission_sets: BTreeMap<PermissionSetName, ObservedSet>,
    /// All assignments.
    pub assignments: BTreeSet<Grant>,
    /// All groups.
    pub groups: Vec<Listed>,
    /// All users.
    pub users: Vec<Listed>,
    /// What the reading took.
    pub reading: Reading,
}

impl Snapshot {
    /// Reads everything of `wanted`, or of the only instance there is. `taken` is the time. Every pair is asked, whatever it
    /// takes: what the deleted left behind counts as well, whichever file this is held against.
    ///
    /// # Errors
    /// The first read that fails, or that the instance cannot be determined.
    pub async fn take(
        aws: &Aws,
        wanted: Option<&InstanceArn>,
        taken: String,
        on_progress: OnProgress<'_>,
    ) -> Result<Self, AwsError> {
        let (before, begun) = (aws.calls(), Instant::now());
        let instance = choose(aws.instances().await?, wanted, aws.region())?;
        let at = aws.at(&instance);
        let lists = Lists::new(at);
        let all = |kind| lists.up_to(kind, usize::MAX);
        let (permission_sets, caller, accounts, groups, users) = tokio::try_join!(
            sets::read_all(at, on_progress),
            aws.caller(),
            accounts::all(aws),
            all(PrincipalKind::Group),
            all(PrincipalKind::User),
        )?;
        let pairs = permission_sets.iter().flat_map(|(name, set)| {
            let accounts = set.provisioned.iter().flat_map(BTreeMap::keys);
            accounts.map(|account| Pair { name, arn: &set.arn, account, wholly: false })
        });
        let pairs: Vec<Pair<'_>> = pairs.collect();
        let assignments = assignments::ask_pairs(at, &pairs, on_progress).await?;
        let caller = with_user(at, caller, |_, _| true).await?;
        let listed = |listed: Option<std::sync::Arc<Vec<Listed>>>| {
            let mut listed = listed.map(|listed| listed.to_vec()).unwrap_or_default();
            listed.sort_by(|a, b| a.id.cmp(&b.id));
            listed
        };
        let reading = Reading {
            calls: aws.calls() - before,
            seconds: begun.elapsed().as_secs(),
            strategy: Strategy::ByPermissionSet,
            next_best: None,
        };
        let (groups, users) = (listed(groups), listed(users));
        Ok(Self { taken, caller, accounts, permission_sets, assignments, groups, users, reading, instance })
    }

    /// Makes one of a reading of a part.
    pub fn of(observed: ObservedState, taken: String) -> Self {
        let listed = |wanted| {
            let of_kind = observed.directory.by_id.iter().filter(move |(principal, _)| principal.kind == wanted);
            let known = of_kind.filter_map(|(principal, state)| match state {
                PrincipalState::Known { name, disabled } => {
                    let (name, emails, id) = (name.clone(), Vec::new(), principal.id.clone());
                    Some(Listed { name, emails, disabled: *disabled, id })
                }
                PrincipalState::Deleted => None,
            });
            known.collect()
        };
        Self {
            groups: listed(PrincipalKind::Group),
            users: listed(PrincipalKind::User),
            taken,
            instance: observed.instance,
            caller: observed.caller,
            accounts: observed.accounts,
            permission_sets: observed.permission_sets,
            assignments: observed.assignments,
            reading: observed.reading,
        }
    }

    /// Returns everything, as it was.
    pub fn whole(&self) -> ObservedState {
        let everybody = |kind, listed: &[Listed]| {
            let state = |one: &Listed| PrincipalState::Known { name: one.name.clone(), disabled: one.disabled };
            let principals = listed.iter().map(|one| (PrincipalRef { kind, id: one.id.clone() }, state(one)));
            principals.collect::<BTreeMap<_, _>>()
        };
        let mut by_id = everybody(PrincipalKind::Group, &self.groups);
        by_id.extend(everybody(PrincipalKind::User, &self.users));
        for principal in self.assignments.iter().map(|row| &row.principal) {
            if !by_id.contains_key(principal) {
                by_id.insert(principal.clone(), PrincipalState::Deleted);
            }
        }
        ObservedState {
            accounts: self.accounts.clone(),
            whole_organization: true,
            permission_sets: self.permission_sets.clone(),
            assignments: self.assignments.clone(),
            directory: Directory { by_name: BTreeMap::new(), by_id },
            reading: self.reading.clone(),
            ..ObservedState::empty(self.instance.clone(), self.caller.clone())
        }
    }

    /// Returns what reading for an access file would have found then: no more, so that its plan is the same.
    pub fn state_for(self, desired: &DesiredState, unmanaged: bool) -> ObservedState {
        let Self { taken: _, instance, caller, accounts, permission_sets, assignments, groups, users, reading } = self;
        let wanted = Wanted::new(desired, unmanaged);
        let mut observed = ObservedState {
            accounts,
            whole_organization: true,
            permission_sets,
            assignments,
            reading,
            ..ObservedState::empty(instance, caller)
        };
        let scope = observed.active_accounts(desired.scope.accounts.iter().map(|account| &account.value));
        let mut leaving = BTreeSet::new();
        for (name, set) in &mut observed.permission_sets {
            let left = wanted.has_left(name, set.definition.as_ref().map(|definition| &definition.tags));
            if left {
                leaving.insert(name.clone());
            }
            if !wanted.definition(name, left) {
                set.definition = None;
            }
            if !wanted.everywhere(name, left) && !wanted.in_scope() {
                set.provisioned = None;
            }
        }
        let sets = &observed.permission_sets;
        // The answer for a pair holds for everybody who has it, and they stand one after the other.
        let mut last: Option<(PermissionSetName, AccountId, bool)> = None;
        observed.assignments.retain(|row| {
            if let Some((name, account, asked)) = &last
                && *account == row.account
                && *name == row.permission_set
            {
                return *asked;
            }
            let set = sets.get(&row.permission_set);
            let left = leaving.contains(&row.permission_set);
            let asked =
                set.is_some_and(|set| set.provisioned.is_some()) && wanted.asks(left, scope.contains(&row.account));
            last = Some((row.permission_set.clone(), row.account.clone(), asked));
            asked
        });
        observed.directory = directory_for(desired, &observed.assignments, &groups, &users);
        observed
    }

    /// Returns what saving a plan needs beyond what planning does.
    pub fn parts(&self) -> Parts {
        Parts(self.permission_sets.clone())
    }

    /// Returns the text to save.
    ///
    /// # Errors
    /// If it has no JSON form, which would be a bug.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        file::FORMAT.seal(self)
    }

    /// Reads a saved text.
    ///
    /// # Errors
    /// Unless it is whole and of the version that this program writes.
    pub fn parse(text: &str) -> Result<Self, crate::model::sealed::SealError> {
        file::FORMAT.open(text)
    }

    /// Returns whether a text calls itself a snapshot, of whatever version and in whatever state.
    pub fn is_one(text: &str) -> bool {
        file::FORMAT.is_one(text)
    }
}

/// What the permission sets of a snapshot consist of and where they are, those of others too.
#[derive(Clone, Debug)]
pub struct Parts(BTreeMap<PermissionSetName, ObservedSet>);

impl Parts {
    /// Adds what planning did not need and applying later rests on, as [`complete`](crate::observed::complete) does.
    pub fn complete(&self, mut facts: Facts) -> Facts {
        for (name, set) in &mut facts.permission_sets {
            if let (Some(set), Some(known)) = (set, self.0.get(name)) {
                set.definition = set.definition.take().or_else(|| known.definition.clone());
                set.provisioned = set.provisioned.take().or_else(|| known.provisioned.clone());
            }
        }
        facts
    }
}

/// Returns whom the file or an assignment names.
fn directory_for(
    desired: &DesiredState,
    assignments: &BTreeSet<Grant>,
    groups: &[Listed],
    users: &[Listed],
) -> Directory {
    let names: BTreeSet<(PrincipalKind, String)> =
        desired.principals().map(|(kind, name, _)| (kind, name.to_owned())).collect();
    let missing = |name: &(PrincipalKind, String)| (name.clone(), Lookup::Missing { similar: None });
    let mut by_name: BTreeMap<_, _> = names.iter().map(missing).collect();
    let mut states: HashMap<(PrincipalKind, &PrincipalId), &Listed> = HashMap::new();
    for (kind, listed) in [(PrincipalKind::Group, groups), (PrincipalKind::User, users)] {
        by_name.extend(directory::find_in(listed, kind, &names, directory::Emails::Take));
        directory::suggest_from(listed, kind, &mut by_name);
        states.extend(listed.iter().map(|one| ((kind, &one.id), one)));
    }
    let found = by_name.iter().filter_map(|((kind, _), lookup)| match lookup {
        Lookup::Found(id) => Some(PrincipalRef { kind: *kind, id: id.clone() }),
        Lookup::Missing { .. } => None,
    });
    // Each of them once: a million rows name the same few.
    let assigned: HashSet<&PrincipalRef> = assignments.iter().map(|row| &row.principal).collect();
    let named: BTreeSet<PrincipalRef> = found.chain(assigned.into_iter().cloned()).collect();
    let state = |principal: PrincipalRef| {
        let known = |one: &&Listed| PrincipalState::Known { name: one.name.clone(), disabled: one.disabled };
        let state = states.get(&(principal.kind, &principal.id)).map(known);
        (principal, state.unwrap_or(PrincipalState::Deleted))
    };
    Directory { by_name, by_id: named.into_iter().map(state).collect() }
}
