//! The world in indexed form: what requests are answered from.
//!
//! Every way of asking that the services offer has its index, so that no request scans all assignments. Indexes are changed only
//! by the methods here and in `jobs`; the services see maps.

use std::collections::{BTreeMap, BTreeSet};

use super::clock::Clock;
use super::consistency;
use super::ids::Ids;
use super::jobs::Jobs;
use super::world::{
    Account, Assignment, Group, Instance, Membership, Organization, PermissionSet, PrincipalType, Provisioned,
    Settings, User, World,
};

/// A kind and an id.
pub(super) type Principal = (PrincipalType, String);

/// An account id and a permission set id.
pub(super) type Pair = (String, String);

#[derive(Debug)]
pub(super) struct State {
    pub(super) ids: Ids,
    pub(super) clock: Clock,
    pub(super) settings: Settings,
    pub(super) instance: Option<Instance>,
    pub(super) extra_instances: Vec<Instance>,
    pub(super) organization: Organization,
    pub(super) accounts: BTreeMap<String, Account>,
    pub(super) store: Store,
    pub(super) aws_managed_policies: Option<BTreeSet<String>>,
    pub(super) sets: BTreeMap<String, PermissionSet>,
    pub(super) set_names: BTreeMap<String, String>,
    pub(super) sets_in_account: BTreeMap<String, BTreeSet<String>>,
    pub(super) assignments: BTreeMap<Pair, BTreeSet<Principal>>,
    pub(super) pairs_of: BTreeMap<Principal, BTreeSet<Pair>>,
    pub(super) jobs: Jobs,
    /// Whether the world differs from its file.
    pub(super) changed: bool,
}

/// The identity store.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) users: BTreeMap<String, User>,
    pub(super) groups: BTreeMap<String, Group>,
    pub(super) user_names: BTreeMap<String, String>,
    pub(super) emails: BTreeMap<String, String>,
    pub(super) group_names: BTreeMap<String, String>,
    pub(super) memberships: BTreeMap<String, Membership>,
    pub(super) groups_of: BTreeMap<String, BTreeSet<String>>,
}

impl State {
    /// Indexes a world. What is left out is completed; of two things that claim the same id the later one stays, and assignments
    /// of permission sets that do not exist are dropped.
    pub(super) fn from_world(mut world: World) -> Self {
        consistency::complete(&mut world);
        let latest = world.jobs.iter().map(|job| job.created).fold(0.0, f64::max);
        let mut state = Self {
            ids: Ids::new(world.seed, world.counter),
            clock: Clock::start(world.settings.epoch, latest),
            settings: world.settings,
            instance: world.instance,
            extra_instances: world.extra_instances,
            organization: world.organization,
            accounts: by_key(world.accounts, |it| &it.id),
            store: Store::default(),
            aws_managed_policies: world.aws_managed_policies.map(BTreeSet::from_iter),
            sets: BTreeMap::new(),
            set_names: BTreeMap::new(),
            sets_in_account: BTreeMap::new(),
            assignments: BTreeMap::new(),
            pairs_of: BTreeMap::new(),
            jobs: Jobs::from(world.jobs),
            changed: false,
        };
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
        let mut next = Self::from_world(world);
        next.clock = self.clock.clone();
        next.ids.follow(&self.ids);
        next.changed = true;
        *self = next;
    }

    /// The file form of the present state.
    pub(super) fn to_world(&self) -> World {
        World {
            format_version: super::world::FORMAT_VERSION,
            seed: self.ids.seed,
            counter: self.ids.counter,
            instance: self.instance.clone(),
            extra_instances: self.extra_instances.clone(),
            organization: self.organization.clone(),
            settings: self.settings.clone(),
            accounts: self.accounts.values().cloned().collect(),
            users: self.store.users.values().cloned().collect(),
            groups: self.store.groups.values().cloned().collect(),
            memberships: self.store.memberships.values().cloned().collect(),
            aws_managed_policies: self.aws_managed_policies.as_ref().map(|known| known.iter().cloned().collect()),
            permission_sets: self.sets.values().cloned().collect(),
            assignments: self.rows().collect(),
            jobs: self.jobs.all().cloned().collect(),
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
        }
        remove_from(&mut self.sets_in_account, &pair.0, &pair.1);
    }

    /// Brings an account to the set's present version; a role that is there keeps its name.
    pub(super) fn provision(&mut self, set_id: &str, account: &str) {
        let Some(set) = self.sets.get_mut(set_id) else {
            return;
        };
        let version = set.version;
        let ids = &mut self.ids;
        set.provisioned
            .entry(account.to_owned())
            .and_modify(|it| it.version = version)
            .or_insert_with(|| Provisioned { version, role_suffix: ids.hex() });
        let sets = self.sets_in_account.entry(account.to_owned()).or_default();
        sets.insert(set_id.to_owned());
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

    /// The same for users and groups, whose ids share one space.
    pub(super) fn new_principal_id(&mut self) -> String {
        loop {
            let id = self.ids.principal();
            if !self.store.users.contains_key(&id) && !self.store.groups.contains_key(&id) {
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

    fn insert_membership(&mut self, it: Membership) {
        let groups = self.groups_of.entry(it.user_id.clone()).or_default();
        groups.insert(it.group_id.clone());
        self.memberships.insert(it.id.clone(), it);
    }

    /// Removes a user and its memberships; assignments stay behind as orphans (aws-sso-util#93).
    pub(super) fn remove_user(&mut self, id: &str) {
        if let Some(user) = self.users.remove(id) {
            self.user_names.remove(&user.user_name);
            if let Some(email) = &user.email {
                self.emails.remove(email);
            }
        }
        self.groups_of.remove(id);
        self.memberships.retain(|_, it| it.user_id != id);
    }

    /// The same for a group [DeleteGroup, API reference].
    pub(super) fn remove_group(&mut self, id: &str) {
        if let Some(group) = self.groups.remove(id) {
            self.group_names.remove(&group.display_name);
        }
        self.groups_of.retain(|_, groups| {
            groups.remove(id);
            !groups.is_empty()
        });
        self.memberships.retain(|_, it| it.group_id != id);
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

fn by_key<T>(items: Vec<T>, key: impl Fn(&T) -> &String) -> BTreeMap<String, T> {
    items.into_iter().map(|it| (key(&it).clone(), it)).collect()
}
