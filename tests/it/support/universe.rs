//! Small random universes: a live world, an access file, and what an obvious second implementation expects of both.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use permset::sandbox::World;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

pub const ACCOUNTS: [&str; 3] = ["100000000001", "200000000002", "300000000003"];
pub const SETS: [&str; 3] = ["Alpha", "Beta", "Gamma"];
/// Two groups, a user, and a user who no longer exists; only the first three can be declared.
pub const PRINCIPALS: [(&str, &str, &str); 4] = [
    ("GROUP", "90670c51-d200-7c4b-9f0e-5a6b7c8d9e00", "ops"),
    ("GROUP", "90670c51-d201-7c4b-9f0e-5a6b7c8d9e01", "dev"),
    ("USER", "93670c51-d102-7c4b-9f0e-5a6b7c8d9e02", "ann@example.com"),
    ("USER", "93670c51-d103-7c4b-9f0e-5a6b7c8d9e03", "(gone)"),
];

/// A definition in YAML and as the world has it; two of the same `content` mean the same to accounts.
pub struct Variant {
    pub yaml: &'static str,
    pub content: usize,
    pub tags: usize,
    live: fn() -> Value,
}

pub const VARIANTS: [Variant; 6] = [
    Variant {
        yaml: "{ aws_managed_policies: [ReadOnlyAccess] }",
        content: 0,
        tags: 0,
        live: || json!({"aws_managed_policies": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}),
    },
    Variant {
        yaml: "{ aws_managed_policies: [ReadOnlyAccess], tags: { team: a } }",
        content: 0,
        tags: 1,
        live: || json!({"aws_managed_policies": ["arn:aws:iam::aws:policy/ReadOnlyAccess"], "tags": {"team": "a"}}),
    },
    Variant {
        yaml: "{ session_duration: 120m, inline_policy: { Version: 2012-10-17, Statement: { Effect: Allow, Resource: '*', Action: ['s3:*', 'ecs:*'] } } }",
        content: 1,
        tags: 0,
        live: || {
            let policy = r#"{"Statement":[{"Action":["ECS:*","s3:*"],"Effect":"Allow","Resource":["*"]}],"Version":"2012-10-17"}"#;
            json!({"session_duration": "PT2H", "inline_policy": policy})
        },
    },
    Variant {
        yaml: "{ session_duration: PT2H, inline_policy: '{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"ecs:*\",\"s3:*\"],\"Resource\":\"*\"}]}' }",
        content: 1,
        tags: 0,
        live: || {
            let policy =
                r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:*","ecs:*"],"Resource":"*"}}"#;
            json!({"session_duration": "PT120M", "inline_policy": policy})
        },
    },
    Variant {
        yaml: "{ customer_managed_policies: [{ name: Base, path: /t/ }], permissions_boundary: { aws_managed: PowerUserAccess } }",
        content: 2,
        tags: 0,
        live: || {
            json!({"customer_managed_policies": [{"name": "Base", "path": "/t/"}],
                   "permissions_boundary": {"managed_policy_arn": "arn:aws:iam::aws:policy/PowerUserAccess"}})
        },
    },
    Variant {
        yaml: "{ description: Now and then, relay_state: 'https://example.com/', aws_managed_policies: [PowerUserAccess] }",
        content: 3,
        tags: 0,
        live: || {
            json!({"description": "Now and then", "relay_state": "https://example.com/",
                   "aws_managed_policies": ["arn:aws:iam::aws:policy/PowerUserAccess"]})
        },
    },
];

/// How a permission set is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Declared {
    Not,
    External,
    As(usize),
}

/// A live permission set.
#[derive(Clone, Copy, Debug)]
pub struct LiveSet {
    pub variant: usize,
    /// Where it is provisioned although nobody is assigned.
    pub leftover: [bool; 3],
    /// Where it is out of date, if it is provisioned there.
    pub stale: [bool; 3],
}

type Cube<const P: usize> = [[[bool; P]; 3]; 3];

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    pub live: [Option<LiveSet>; 3],
    pub live_assignments: Cube<4>,
    pub declared: [Declared; 3],
    pub declared_assignments: Cube<3>,
    pub scope: [bool; 3],
    pub scope_all_sets: bool,
    /// Whether the file has an owner, and which of the live sets carry that owner's tag.
    pub owner: bool,
    pub tagged: [bool; 3],
    pub shuffle: u64,
}

pub fn cases() -> impl Strategy<Value = Case> {
    let live_set = (0..VARIANTS.len(), any::<[bool; 3]>(), any::<[bool; 3]>())
        .prop_map(|(variant, leftover, stale)| LiveSet { variant, leftover, stale });
    let live = prop::array::uniform3(prop::option::of(live_set));
    let mut ways = vec![Declared::Not, Declared::External];
    ways.extend((0..VARIANTS.len()).map(Declared::As));
    let declared = prop::array::uniform3(select(ways));
    let scope = any::<[bool; 3]>().prop_filter("a scope has an account", |scope| scope.contains(&true));
    let cube4 = any::<Cube<4>>();
    let cube3 = any::<Cube<3>>();
    let owner = (any::<bool>(), any::<[bool; 3]>());
    (live, cube4, declared, cube3, scope, any::<bool>(), owner, any::<u64>()).prop_map(
        |(
            live,
            live_assignments,
            mut declared,
            declared_assignments,
            scope,
            scope_all_sets,
            (owner, tagged),
            shuffle,
        )| {
            for (set, way) in declared.iter_mut().enumerate() {
                // Somebody else's permission set that does not exist is an error of the file, tested elsewhere.
                if *way == Declared::External && live[set].is_none() {
                    *way = Declared::Not;
                }
            }
            Case {
                live,
                live_assignments,
                declared,
                declared_assignments,
                scope,
                scope_all_sets,
                owner,
                tagged,
                shuffle,
            }
        },
    )
}

impl Case {
    pub fn has(&self, set: usize, account: usize, principal: usize) -> bool {
        self.live[set].is_some() && self.live_assignments[set][account][principal]
    }

    pub fn wants(&self, set: usize, account: usize, principal: usize) -> bool {
        principal < 3
            && self.declared[set] != Declared::Not
            && self.scope[account]
            && self.declared_assignments[set][account][principal]
    }

    pub fn owns(&self, set: usize, account: usize) -> bool {
        self.scope[account] && (self.scope_all_sets || self.declared[set] != Declared::Not || self.left(set))
    }

    /// Whether a set carries the owner's tag and is in the file no more.
    pub fn left(&self, set: usize) -> bool {
        self.owner && self.tagged[set] && self.live[set].is_some() && self.declared[set] == Declared::Not
    }

    /// Whether a set that left the file can be deleted: each account that has it is rid of it afterwards.
    fn goes(&self, set: usize) -> bool {
        let rid = |account: usize| !self.provisioned(set, account) || self.loses_its_last(set, account);
        self.left(set) && (0..3).all(rid)
    }

    fn provisioned(&self, set: usize, account: usize) -> bool {
        self.live[set].is_some_and(|live| live.leftover[account]) || (0..4).any(|p| self.has(set, account, p))
    }

    /// The live side.
    pub fn world(&self) -> World {
        let mut sets = Vec::new();
        let mut assignments = Vec::new();
        for (index, live) in self.live.iter().enumerate() {
            let Some(live) = live else { continue };
            let mut set = (VARIANTS[live.variant].live)();
            let id = format!("ps-000000000000000{index}");
            set["id"] = json!(id);
            set["name"] = json!(SETS[index]);
            set["version"] = json!(2);
            if self.tagged[index] {
                set["tags"]["permset:owner"] = json!("team");
            }
            for (a, account) in ACCOUNTS.iter().enumerate() {
                if self.provisioned(index, a) {
                    set["provisioned"][account] = json!({"version": if live.stale[a] { 1 } else { 2 }});
                }
                for (p, (kind, principal, _)) in PRINCIPALS.iter().enumerate() {
                    if self.has(index, a, p) {
                        assignments.push(json!({"account_id": account, "permission_set_id": id,
                            "principal_type": kind, "principal_id": principal}));
                    }
                }
            }
            sets.push(set);
        }
        let named = |kind: &str| PRINCIPALS.iter().take(3).filter(move |(k, _, _)| *k == kind).collect::<Vec<_>>();
        let users: Vec<Value> =
            named("USER").iter().map(|(_, id, name)| json!({"id": id, "user_name": name})).collect();
        let groups: Vec<Value> =
            named("GROUP").iter().map(|(_, id, name)| json!({"id": id, "display_name": name})).collect();
        let accounts: Vec<Value> = ACCOUNTS.iter().map(|id| json!({"id": id, "name": format!("name-{id}")})).collect();
        let world = json!({"settings": {"epoch": 1.7e9, "job_seconds": 3.0, "page_size": 2, "organizations_page_size": 2},
            "accounts": accounts, "users": users, "groups": groups, "permission_sets": sets, "assignments": assignments});
        serde_json::from_value(world).unwrap()
    }

    /// The declared side, its entries in an order that `shuffle` decides.
    pub fn access_file(&self, shuffle: u64) -> String {
        let mut order = Shuffle(shuffle);
        let owner = if self.owner { "owner: team\n" } else { "" };
        let mut text = format!("version: 1\n{owner}scope:\n");
        let scope: Vec<&str> = (0..3).filter(|a| self.scope[*a]).map(|a| ACCOUNTS[a]).collect();
        let quoted: Vec<String> = order.shuffled(scope).into_iter().map(|id| format!("'{id}'")).collect();
        writeln!(text, "  accounts: [{}]", quoted.join(", ")).unwrap();
        if self.scope_all_sets {
            text.push_str("  permission_sets: all\n");
        }
        let mut sets = Vec::new();
        let mut rules = Vec::new();
        for (index, way) in self.declared.iter().enumerate() {
            let name = SETS[index];
            match way {
                Declared::Not => continue,
                Declared::External => sets.push(format!("  {name}: {{ definition: external }}\n")),
                Declared::As(variant) => sets.push(format!("  {name}: {}\n", VARIANTS[*variant].yaml)),
            }
            for (p, (kind, _, principal)) in PRINCIPALS.iter().enumerate().take(3) {
                let accounts: Vec<&str> = (0..3).filter(|a| self.wants(index, *a, p)).map(|a| ACCOUNTS[a]).collect();
                if accounts.is_empty() {
                    continue;
                }
                let field = if *kind == "GROUP" { "groups" } else { "users" };
                let accounts: Vec<String> = order.shuffled(accounts).into_iter().map(|id| format!("'{id}'")).collect();
                rules.push(format!(
                    "  - {{ permission_sets: [{name}], accounts: [{}], {field}: [{principal}] }}\n",
                    accounts.join(", ")
                ));
            }
        }
        for (heading, entries) in [("permission_sets", sets), ("assignments", rules)] {
            if !entries.is_empty() {
                writeln!(text, "{heading}:\n{}", order.shuffled(entries).concat()).unwrap();
            }
        }
        text
    }

    /// What must change, found the slow and obvious way: one question for each thing that could change.
    pub fn expected(&self) -> BTreeSet<String> {
        let mut expected = BTreeSet::new();
        for (set, name) in SETS.iter().enumerate() {
            if let Declared::As(variant) = self.declared[set] {
                let want = &VARIANTS[variant];
                match self.live[set] {
                    None => drop(expected.insert(format!("create {name}"))),
                    Some(live) => {
                        let have = &VARIANTS[live.variant];
                        let content_differs = want.content != have.content;
                        if content_differs || want.tags != have.tags || self.owner != self.tagged[set] {
                            expected.insert(format!("edit {name}"));
                        }
                        for (account, id) in ACCOUNTS.iter().enumerate() {
                            let behind = content_differs || live.stale[account];
                            if self.provisioned(set, account) && behind && !self.loses_its_last(set, account) {
                                expected.insert(format!("provision {name} {id}"));
                            }
                        }
                    }
                }
            }
            if self.goes(set) {
                expected.insert(format!("delete {name}"));
            }
            for (account, account_id) in ACCOUNTS.iter().enumerate() {
                for (principal, (_, id, _)) in PRINCIPALS.iter().enumerate() {
                    let (has, wants) = (self.has(set, account, principal), self.wants(set, account, principal));
                    if wants && !has {
                        expected.insert(format!("assign {name} {account_id} {id}"));
                    }
                    if has && !wants && self.owns(set, account) {
                        expected.insert(format!("revoke {name} {account_id} {id}"));
                    }
                }
            }
        }
        expected
    }

    fn loses_its_last(&self, set: usize, account: usize) -> bool {
        self.owns(set, account)
            && (0..4).any(|p| self.has(set, account, p))
            && (0..4).all(|p| !self.wants(set, account, p))
    }
}

/// A deterministic shuffle, so that a failing case can be run again.
struct Shuffle(u64);

impl Shuffle {
    fn shuffled<T>(&mut self, mut items: Vec<T>) -> Vec<T> {
        for i in (1..items.len()).rev() {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            items.swap(i, (self.0 >> 33) as usize % (i + 1));
        }
        items
    }
}
