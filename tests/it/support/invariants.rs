//! What may never happen on the way from one state to another, whoever is killed and whatever fails.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use permset::model::{DesiredState, OWNER_TAG, ScopeSets};
use permset::sandbox::world::{Assignment, JobStatus, PermissionSet};
use permset::sandbox::{Sandbox, World};
use serde_json::Value;

/// Permission set, account, principal.
pub type Row = (String, String, String);

/// Who has what where, in names and ids.
pub fn grants(world: &World) -> BTreeSet<Row> {
    world.assignments.iter().map(|row| named(world, row)).collect()
}

fn named(world: &World, row: &Assignment) -> Row {
    let set = world.permission_sets.iter().find(|set| set.id == row.permission_set_id);
    (set.map(|set| set.name.clone()).unwrap_or_default(), row.account_id.clone(), row.principal_id.clone())
}

/// What accounts get of a permission set.
fn content(set: &PermissionSet) -> Value {
    let mut value = serde_json::to_value(set).unwrap();
    for bookkeeping in ["id", "created", "version", "released", "provisioned", "tags"] {
        value.as_object_mut().unwrap().remove(bookkeeping);
    }
    value
}

/// How far a run may go.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Who had what before, and has what in the end.
    pub before: BTreeSet<Row>,
    pub after: BTreeSet<Row>,
    /// How many changes are left when nobody interrupts.
    pub left: usize,
    /// The ids of the accounts in scope.
    pub scope: Vec<String>,
    /// The permission sets that the file declares and defines.
    pub declared: BTreeSet<String>,
    /// Those whose assignments in scope it decides about.
    owned: BTreeSet<String>,
    /// What accounts may have of each permission set.
    contents: BTreeMap<String, Vec<Value>>,
    /// What was and will be there, and is required.
    required: BTreeSet<Row>,
    /// The names of the roles that somebody has before and after: they stay, for policies name them.
    roles: BTreeMap<(String, String), String>,
    /// The permission sets that are none of the file's business, whole.
    others: BTreeMap<String, Value>,
    /// Whether somebody else makes changes too, which then are not ours to answer for.
    pub disturbed: bool,
    seen: Arc<Mutex<BTreeSet<String>>>,
}

impl Bounds {
    pub fn new(desired: &DesiredState, before: &World, after: &World, left: usize) -> Self {
        let in_scope = |account: &permset::sandbox::world::Account| {
            let name = permset::model::AccountName::new(account.name.as_str());
            desired.scope.accounts.iter().any(|selector| match &selector.value {
                permset::model::AccountSelector::All => true,
                permset::model::AccountSelector::Id(id) => id.as_str() == account.id,
                permset::model::AccountSelector::Name(wanted) => *wanted == name,
            })
        };
        let scope: Vec<String> =
            before.accounts.iter().filter(|account| in_scope(account)).map(|account| account.id.clone()).collect();
        let all: BTreeSet<String> =
            before.permission_sets.iter().chain(&after.permission_sets).map(|set| set.name.clone()).collect();
        let declared: BTreeSet<String> = desired
            .permission_sets
            .iter()
            .filter(|(_, set)| matches!(set.definition, permset::model::DesiredDefinition::Managed(_)))
            .map(|(name, _)| name.as_str().to_owned())
            .collect();
        let successors: BTreeSet<String> = desired.successors().keys().map(|name| name.as_str().to_owned()).collect();
        let left_the_file = |set: &&PermissionSet| {
            let tag = set.tags.get(OWNER_TAG);
            (tag.is_some() && tag == desired.owner.as_ref()) || successors.contains(&set.name)
        };
        let leaving = before.permission_sets.iter().filter(left_the_file).map(|set| set.name.clone());
        let leaving: BTreeSet<String> = leaving.collect();
        let named = desired.permission_sets.keys().map(|name| name.as_str().to_owned());
        let owned: BTreeSet<String> = if desired.scope.permission_sets == ScopeSets::All {
            all.clone()
        } else {
            named.chain(leaving.iter().cloned()).collect()
        };
        let protected = |name: &String| desired.guards.protect.iter().any(|set| set.as_str() == name);
        let owned: BTreeSet<String> = owned.into_iter().filter(|name| !protected(name)).collect();
        let mut contents: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for set in before.permission_sets.iter().chain(&after.permission_sets) {
            contents.entry(set.name.clone()).or_default().push(content(set));
        }
        let touched = |name: &String| declared.contains(name) || (leaving.contains(name) && !protected(name));
        let others = before.permission_sets.iter().filter(|set| !touched(&set.name));
        let others = others.map(|set| (set.name.clone(), content(set))).collect();
        let (before_rows, after_rows) = (grants(before), grants(after));
        let pairs = |rows: &BTreeSet<Row>| -> BTreeSet<(String, String)> {
            rows.iter().map(|(set, account, _)| (set.clone(), account.clone())).collect()
        };
        let stay: BTreeSet<_> = pairs(&before_rows).intersection(&pairs(&after_rows)).cloned().collect();
        let roles = before.permission_sets.iter().flat_map(|set| {
            let role = |(account, provisioned): (&String, &permset::sandbox::world::Provisioned)| {
                ((set.name.clone(), account.clone()), provisioned.role_suffix.clone())
            };
            set.provisioned.iter().map(role).collect::<Vec<_>>()
        });
        let roles = roles.filter(|(pair, suffix)| stay.contains(pair) && !suffix.is_empty()).collect();
        let required_sets: BTreeSet<&str> =
            desired.guards.required.iter().map(|required| required.permission_set.value.as_str()).collect();
        let required = before_rows
            .intersection(&after_rows)
            .filter(|(set, account, _)| required_sets.contains(set.as_str()) && scope.contains(account))
            .cloned()
            .collect();
        Self {
            before: before_rows,
            after: after_rows,
            left,
            scope,
            declared,
            owned,
            contents,
            required,
            roles,
            others,
            disturbed: false,
            seen: Arc::default(),
        }
    }

    /// Returns the same for one run, of which nothing was seen yet.
    pub fn fresh(&self, disturbed: bool) -> Arc<Self> {
        Arc::new(Self { disturbed, seen: Arc::default(), ..self.clone() })
    }

    /// Returns whether the file grants a row, where it decides.
    pub fn declares(&self, world: &World, row: &Assignment) -> bool {
        let row = named(world, row);
        self.after.contains(&row) && self.ours(&row)
    }

    fn ours(&self, (set, account, _): &Row) -> bool {
        self.owned.contains(set) && self.scope.contains(account)
    }

    /// Returns what looks at a sandbox after each call.
    pub fn watch(self: Arc<Self>, sandbox: &Sandbox) -> impl Fn() + Send + Sync + Clone + 'static {
        let sandbox = sandbox.clone();
        move || self.look(&sandbox.world())
    }

    /// Fails unless a world is what it would be had nobody interrupted, and nothing was seen on the way that may not be.
    pub fn reached(&self, world: &World, left: usize, at: &str) {
        // Where something can never be done, what somebody else does may be out of reach as well.
        if self.left == 0 || !self.disturbed {
            assert_eq!(left, self.left, "{at}");
            assert_eq!(grants(world), self.after, "{at}");
        }
        let seen = self.seen.lock().unwrap();
        assert!(seen.is_empty(), "{at}: {seen:#?}");
    }

    fn look(&self, world: &World) {
        let mut found = Vec::new();
        let rows = grants(world);
        if !self.disturbed {
            let allowed = |row: &&Row| self.before.contains(*row) || self.after.contains(*row);
            found.extend(
                rows.iter().filter(|row| !allowed(row)).map(|row| format!("granted to nobody's wish: {row:?}")),
            );
            let missing = self.required.difference(&rows);
            found.extend(missing.map(|row| format!("a required grant is gone: {row:?}")));
        }
        let outside = self.before.iter().filter(|row| !self.ours(row));
        found.extend(outside.filter(|row| !rows.contains(*row)).map(|row| format!("revoked outside: {row:?}")));
        let new_outside = rows.iter().filter(|row| !self.ours(row) && !self.before.contains(*row));
        found.extend(new_outside.map(|row| format!("granted outside: {row:?}")));
        for set in &world.permission_sets {
            let now = content(set);
            if self.others.get(&set.name).is_some_and(|before| *before != now) {
                found.push(format!("{} is none of the file's business, and was edited", set.name));
            }
            for (account, provisioned) in &set.provisioned {
                let was = self.roles.get(&(set.name.clone(), account.clone()));
                if !self.disturbed && was.is_some_and(|was| *was != provisioned.role_suffix) {
                    found.push(format!("the role of {} in {account} went and came back by another name", set.name));
                }
            }
            // An account has the newest version, and that is neither what was nor what shall be: somebody holds half an edit.
            let current = set.provisioned.values().any(|provisioned| provisioned.version == set.version);
            let known = self.contents.get(&set.name).is_some_and(|contents| contents.contains(&now));
            if current && !known && !self.disturbed {
                found.push(format!("accounts have half an edit of {}", set.name));
            }
        }
        let gone = |name: &&String| !world.permission_sets.iter().any(|set| set.name == **name);
        found.extend(self.others.keys().filter(gone).map(|name| format!("{name} was deleted")));
        let open = world.jobs.iter().filter(|job| job.status == JobStatus::InProgress).count();
        if open > 10 {
            found.push(format!("{open} requests are open at once"));
        }
        self.seen.lock().unwrap().extend(found);
    }
}
