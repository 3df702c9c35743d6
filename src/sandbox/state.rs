//! The world in indexed form: what requests are answered from.
//!
//! Every way of asking that the services offer has its index, so that no request scans all assignments. Indexes are changed only
//! by the methods here and in `jobs`; the services see maps.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::clock::{Clock, round};
use super::consistency;
use super::ids::{Ids, derived_hex};
use super::job_list::Jobs;
use super::schedule::{Due, Schedule};
use super::sign_in::{Session, SignIn};
use super::world::{
    AccessKey, Account, Assignment, Creation, Fault, Group, Instance, JobStatus, Membership, Organization,
    PermissionSet, PrincipalType, Provisioned, Settings, TrailEvent, Unit, User, World,
};

/// The end of the year 9999: no client can print a later time.
const LAST: f64 = 253_402_300_799.0;

/// A kind and an id.
pub(super) type Principal = (PrincipalType, String);

/// An account id and a permission set id.
pub(super) type Pair = (String, String);

#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) ids: Ids,
    pub(super) clock: Clock,
    /// The time of the present call, in epoch seconds: a call happens at one moment.
    pub(super) now: f64,
    pub(super) settings: Settings,
    pub(super) instance: Option<Instance>,
    pub(super) extra_instances: Vec<Instance>,
    pub(super) organization: Organization,
    pub(super) accounts: BTreeMap<String, Account>,
    pub(super) units: BTreeMap<String, Unit>,
    pub(super) store: Store,
    pub(super) aws_managed_policies: Option<BTreeSet<String>>,
    pub(super) sets: BTreeMap<String, PermissionSet>,
    pub(super) set_names: BTreeMap<String, String>,
    pub(super) sets_in_account: BTreeMap<String, BTreeSet<String>>,
    pub(super) assignments: BTreeMap<Pair, BTreeSet<Principal>>,
    pub(super) pairs_of: BTreeMap<Principal, BTreeSet<Pair>>,
    pub(super) jobs: Jobs,
    pub(super) schedule: Schedule,
    /// By permission set, until when a write of it takes.
    pub(super) writing: BTreeMap<String, f64>,
    /// What faults decided about the job that the present call begins.
    pub(super) fate: JobFate,
    pub(super) faults: Vec<Fault>,
    pub(super) trail: VecDeque<TrailEvent>,
    pub(super) access_keys: Vec<AccessKey>,
    /// By access key, the credentials of roles that were given out. They die with the process.
    pub(super) sessions: BTreeMap<String, Session>,
    pub(super) sign_in: SignIn,
}

/// What faults decide about a job before it begins.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct JobFate {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fails: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) seconds: Option<f64>,
}

/// The identity store.
#[derive(Debug, Clone, Default)]
pub(super) struct Store {
    pub(super) users: BTreeMap<String, User>,
    pub(super) groups: BTreeMap<String, Group>,
    pub(super) user_names: BTreeMap<String, String>,
    pub(super) emails: BTreeMap<String, String>,
    pub(super) group_names: BTreeMap<String, String>,
    pub(super) memberships: BTreeMap<String, Membership>,
    /// By user, the groups and the id of each membership.
    pub(super) groups_of: BTreeMap<String, BTreeMap<String, String>>,
    /// By group, the users and the id of each membership.
    pub(super) members_of: BTreeMap<String, BTreeMap<String, String>>,
}

impl State {
    /// Indexes a world. What is left out is completed; of two things that claim the same id the later one stays, and assignments
    /// of permission sets that do not exist are dropped.
    pub(super) fn from_world(mut world: World) -> Self {
        consistency::complete(&mut world);
        let clock = Clock::start(world.settings.epoch, latest(&world));
        let units = by_key(std::mem::take(&mut world.organization.units), |it| &it.id);
        let mut state = Self {
            ids: Ids::new(world.seed, world.counter),
            now: clock.now(),
            clock,
            settings: world.settings,
            instance: world.instance,
            extra_instances: world.extra_instances,
            organization: world.organization,
            accounts: by_key(world.accounts, |it| &it.id),
            units,
            store: Store::default(),
            aws_managed_policies: world.aws_managed_policies.map(BTreeSet::from_iter),
            sets: BTreeMap::new(),
            set_names: BTreeMap::new(),
            sets_in_account: BTreeMap::new(),
            assignments: BTreeMap::new(),
            pairs_of: BTreeMap::new(),
            jobs: Jobs::default(),
            schedule: Schedule::default(),
            writing: BTreeMap::new(),
            fate: JobFate::default(),
            faults: world.faults,
            trail: world.trail.into(),
            access_keys: world.access_keys,
            sessions: BTreeMap::new(),
            sign_in: SignIn::default(),
        };
        for job in world.jobs {
            let (open, due) = (job.status == JobStatus::InProgress, job.due);
            let number = state.jobs.push(job);
            if open {
                state.schedule.add(due, Due::Job(number));
            }
        }
        for creation in state.organization.creations.iter().filter(|it| it.outcome.is_none()) {
            state.schedule.add(creation.due, Due::Creation(creation.id.clone()));
        }
        for account in state.accounts.values() {
            if let Some(due) = account.closing {
                state.schedule.add(due, Due::Closing(account.id.clone()));
            }
        }
        for user in world.users {
            state.store.insert_user(user);
        }
        for group in world.groups {
            state.store.insert_group(group);
        }
        for membership in world.memberships {
            state.store.insert_membership(membership);
        }
        for set in world.permission_sets {
            state.insert_set(set);
        }
        for assignment in world.assignments {
            if state.sets.contains_key(&assignment.permission_set_id) {
                state.insert_assignment(&assignment);
            }
        }
        state
    }

    /// Puts an edited world in place of the present one; time and the sequence of calls go on.
    pub(super) fn replace(&mut self, world: World) {
        let before = std::mem::replace(self, Self::from_world(world));
        self.clock = before.clock;
        self.now = before.now;
        self.ids.follow(&before.ids);
        self.sessions = before.sessions;
        self.sign_in = before.sign_in;
        self.writing = before.writing;
    }

    /// The file form of the present state.
    pub(super) fn to_world(&self) -> World {
        World {
            format_version: super::world::FORMAT_VERSION,
            seed: self.ids.seed,
            counter: self.ids.counter,
            generation: 0,
            instance: self.instance.clone(),
            extra_instances: self.extra_instances.clone(),
            organization: Organization { units: self.units.values().cloned().collect(), ..self.organization.clone() },
            settings: self.settings.clone(),
            accounts: self.accounts.values().cloned().collect(),
            users: self.store.users.values().cloned().collect(),
            groups: self.store.groups.values().cloned().collect(),
            memberships: self.store.memberships.values().cloned().collect(),
            aws_managed_policies: self.aws_managed_policies.as_ref().map(|known| known.iter().cloned().collect()),
            permission_sets: self.sets.values().cloned().collect(),
            assignments: self.rows().collect(),
            jobs: self.jobs.all().cloned().collect(),
            access_keys: self.access_keys.clone(),
            faults: self.faults.clone(),
            trail: self.trail.iter().cloned().collect(),
        }
    }

    fn rows(&self) -> impl Iterator<Item = Assignment> {
        self.assignments.iter().flat_map(|((account, set), principals)| {
            principals.iter().map(|(kind, id)| Assignment {
                account_id: account.clone(),
                permission_set_id: set.clone(),
                principal_type: *kind,
                principal_id: id.clone(),
            })
        })
    }

    pub(super) fn insert_set(&mut self, set: PermissionSet) {
        self.set_names.insert(set.name.clone(), set.id.clone());
        for account in set.provisioned.keys() {
            let sets = self.sets_in_account.entry(account.clone()).or_default();
            sets.insert(set.id.clone());
        }
        self.sets.insert(set.id.clone(), set);
    }

    /// Removes a set that is provisioned nowhere.
    pub(super) fn remove_set(&mut self, id: &str) {
        if let Some(set) = self.sets.remove(id) {
            self.set_names.remove(&set.name);
        }
    }

    pub(super) fn insert_assignment(&mut self, it: &Assignment) {
        let pair = (it.account_id.clone(), it.permission_set_id.clone());
        let principal = (it.principal_type, it.principal_id.clone());
        let pairs = self.pairs_of.entry(principal.clone()).or_default();
        pairs.insert(pair.clone());
        self.assignments.entry(pair).or_default().insert(principal);
    }

    pub(super) fn has_assignment(&self, it: &Assignment) -> bool {
        let pair = (it.account_id.clone(), it.permission_set_id.clone());
        let principal = (it.principal_type, it.principal_id.clone());
        self.assignments.get(&pair).is_some_and(|principals| principals.contains(&principal))
    }

    /// Removes an assignment; with the last one of a pair the role goes too [DeleteAccountAssignment, API reference].
    pub(super) fn remove_assignment(&mut self, it: &Assignment) {
        let pair = (it.account_id.clone(), it.permission_set_id.clone());
        let principal = (it.principal_type, it.principal_id.clone());
        remove_from(&mut self.pairs_of, &principal, &pair);
        remove_from(&mut self.assignments, &pair, &principal);
        if self.assignments.contains_key(&pair) {
            return;
        }
        if let Some(set) = self.sets.get_mut(&it.permission_set_id) {
            set.provisioned.remove(&it.account_id);
            if self.settings.deletion_lingers_seconds > 0.0 {
                set.released = self.now;
            }
        }
        remove_from(&mut self.sets_in_account, &pair.0, &pair.1);
    }

    /// Brings an account to the set's present version; a role that is there keeps its name, a new one has a name of its own for
    /// each request.
    pub(super) fn provision(&mut self, set_id: &str, account: &str, request_id: &str) {
        let Some(set) = self.sets.get_mut(set_id) else {
            return;
        };
        let version = set.version;
        let role_suffix = || derived_hex(self.ids.seed, &["role", set_id, account, request_id]);
        set.provisioned
            .entry(account.to_owned())
            .and_modify(|it| it.version = version)
            .or_insert_with(|| Provisioned { version, role_suffix: role_suffix() });
        let sets = self.sets_in_account.entry(account.to_owned()).or_default();
        sets.insert(set_id.to_owned());
    }

    /// When something that begins now is done.
    pub(super) fn due(&self) -> f64 {
        let seconds = self.fate.seconds.or(self.settings.job_seconds).unwrap_or(1.0);
        round((self.now + seconds.max(0.0)).min(LAST))
    }

    /// An id that nothing has yet: a world file written by hand may hold what the counter would give.
    pub(super) fn new_set_id(&mut self) -> String {
        loop {
            let id = format!("ps-{}", self.ids.hex());
            if !self.sets.contains_key(&id) {
                return id;
            }
        }
    }

    /// The same for users, groups and memberships, whose ids share one space.
    pub(super) fn new_principal_id(&mut self) -> String {
        loop {
            let (id, store) = (self.ids.principal(), &self.store);
            if !store.users.contains_key(&id) && !store.groups.contains_key(&id) && !store.memberships.contains_key(&id)
            {
                return id;
            }
        }
    }

    /// The same for accounts, those that are being made included.
    pub(super) fn new_account_id(&mut self) -> String {
        loop {
            let id = self.ids.account();
            let promised = |it: &Creation| it.account_id == id;
            if !self.accounts.contains_key(&id) && !self.organization.creations.iter().any(promised) {
                return id;
            }
        }
    }
}

impl Store {
    pub(super) fn insert_user(&mut self, user: User) {
        self.user_names.insert(user.user_name.clone(), user.id.clone());
        if let Some(email) = &user.email {
            self.emails.insert(email.clone(), user.id.clone());
        }
        self.users.insert(user.id.clone(), user);
    }

    pub(super) fn insert_group(&mut self, group: Group) {
        self.group_names.insert(group.display_name.clone(), group.id.clone());
        self.groups.insert(group.id.clone(), group);
    }

    pub(super) fn insert_membership(&mut self, it: Membership) {
        let groups = self.groups_of.entry(it.user_id.clone()).or_default();
        groups.insert(it.group_id.clone(), it.id.clone());
        let members = self.members_of.entry(it.group_id.clone()).or_default();
        members.insert(it.user_id.clone(), it.id.clone());
        self.memberships.insert(it.id.clone(), it);
    }

    pub(super) fn remove_membership(&mut self, id: &str) {
        if let Some(it) = self.memberships.remove(id) {
            remove_pair(&mut self.groups_of, &it.user_id, &it.group_id);
            remove_pair(&mut self.members_of, &it.group_id, &it.user_id);
        }
    }

    /// Takes a user out to be changed or deleted: its names are free; its memberships stay.
    pub(super) fn take_user(&mut self, id: &str) -> Option<User> {
        let user = self.users.remove(id)?;
        self.user_names.remove(&user.user_name);
        if let Some(email) = &user.email {
            self.emails.remove(email);
        }
        Some(user)
    }

    /// The same for a group.
    pub(super) fn take_group(&mut self, id: &str) -> Option<Group> {
        let group = self.groups.remove(id)?;
        self.group_names.remove(&group.display_name);
        Some(group)
    }

    /// Removes a user and its memberships; assignments stay behind as orphans (aws-sso-util#93).
    pub(super) fn remove_user(&mut self, id: &str) {
        self.take_user(id);
        for membership in self.groups_of.get(id).cloned().unwrap_or_default().values() {
            self.remove_membership(membership);
        }
    }

    /// The same for a group [DeleteGroup, API reference].
    pub(super) fn remove_group(&mut self, id: &str) {
        self.take_group(id);
        for membership in self.members_of.get(id).cloned().unwrap_or_default().values() {
            self.remove_membership(membership);
        }
    }

    pub(super) fn has(&self, kind: PrincipalType, id: &str) -> bool {
        match kind {
            PrincipalType::User => self.users.contains_key(id),
            PrincipalType::Group => self.groups.contains_key(id),
        }
    }
}

fn remove_from<K: Ord, V: Ord>(index: &mut BTreeMap<K, BTreeSet<V>>, key: &K, value: &V) {
    if let Some(values) = index.get_mut(key) {
        values.remove(value);
        if values.is_empty() {
            index.remove(key);
        }
    }
}

fn remove_pair(index: &mut BTreeMap<String, BTreeMap<String, String>>, key: &str, inner: &str) {
    if let Some(values) = index.get_mut(key) {
        values.remove(inner);
        if values.is_empty() {
            index.remove(key);
        }
    }
}

/// The latest moment that the world has seen: its clock must not go back behind it.
fn latest(world: &World) -> f64 {
    let jobs = world.jobs.iter().map(|it| it.created);
    let creations = world.organization.creations.iter().map(|it| it.requested);
    let delegated =
        world.organization.delegated_administrators.values().flat_map(|services| services.values().copied());
    let trusted = world.organization.trusted_services.iter().flat_map(|services| services.values().copied());
    let sets = world.permission_sets.iter().map(|it| it.created.max(it.released));
    let users = world.users.iter().map(|it| it.record.updated);
    let groups = world.groups.iter().map(|it| it.record.updated);
    let memberships = world.memberships.iter().map(|it| it.record.updated);
    let all = jobs.chain(creations).chain(delegated).chain(trusted).chain(sets).chain(users).chain(groups);
    all.chain(memberships).fold(0.0, f64::max)
}

fn by_key<T>(items: Vec<T>, key: impl Fn(&T) -> &String) -> BTreeMap<String, T> {
    items.into_iter().map(|it| (key(&it).clone(), it)).collect()
}
