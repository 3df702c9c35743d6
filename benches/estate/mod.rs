//! Large worlds for benches: a snapshot, the access file that declares it, and the same with one line changed or nothing live.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use permset::aws::Listed;
use permset::model::{
    Account, AccountId, AccountName, AccountState, Caller, Definition, Grant, IdentityStoreId, Instance, InstanceArn,
    ObservedSet, PermissionSetArn, PermissionSetName, PrincipalId, PrincipalKind, PrincipalRef, Provisioning, Reading,
};
use permset::observed::Snapshot;

/// How large a world is; each permission set is in a hundred accounts, and five have it there.
pub struct Size {
    pub sets: usize,
    pub accounts: usize,
    pub users: usize,
}

pub const IN_ACCOUNTS: usize = 100;
pub const HELD_BY: usize = 5;

impl Size {
    fn groups(&self) -> usize {
        self.users / 20
    }
}

/// 10,000, 100,000 and 1,000,000 assignments.
pub const SIZES: [Size; 3] = [
    Size { sets: 20, accounts: 200, users: 1_000 },
    Size { sets: 200, accounts: 1_000, users: 10_000 },
    Size { sets: 2_000, accounts: 10_000, users: 100_000 },
];

fn account(number: usize) -> String {
    format!("{:012}", 100_000_000_000 + number)
}

fn principal(kind: usize, number: usize) -> PrincipalId {
    PrincipalId::new(format!("{kind:08x}-0000-7000-8000-{number:012x}"))
}

fn accounts_of(size: &Size, set: usize) -> impl Iterator<Item = usize> + use<'_> {
    (0..IN_ACCOUNTS).map(move |it| (set * 37 + it * 7) % size.accounts)
}

/// Three groups and two users.
fn holders_of(size: &Size, set: usize) -> impl Iterator<Item = (PrincipalKind, usize)> + use<'_> {
    (0..HELD_BY).map(move |it| match it {
        0..3 => (PrincipalKind::Group, (set * 3 + it) % size.groups()),
        _ => (PrincipalKind::User, (set * 50 + it) % size.users),
    })
}

/// Writes the world as it is, the world without anything, the file that declares it, and the file with one line changed.
pub fn make(folder: &Path, size: &Size) {
    let text = file(size);
    let duration = text.find("session_duration: 2h").unwrap();
    let mut one = text.clone();
    one.replace_range(duration..duration + 20, "session_duration: 4h");
    std::fs::write(folder.join("access.yaml"), text).unwrap();
    std::fs::write(folder.join("one.yaml"), one).unwrap();
    let mut snapshot = snapshot(folder, size);
    std::fs::write(folder.join("observed.permset"), snapshot.to_text().unwrap()).unwrap();
    snapshot.permission_sets.clear();
    snapshot.assignments.clear();
    std::fs::write(folder.join("empty.permset"), snapshot.to_text().unwrap()).unwrap();
}

fn file(size: &Size) -> String {
    let mut text = "version: 1\nowner: us\nscope: { accounts: ['*'] }\npermission_sets:\n".to_owned();
    for set in 0..size.sets {
        writeln!(
            text,
            "  Set{set}:\n    description: Permission set number {set}\n    session_duration: 2h\n    tags: {{ team: t{set} }}\n    \
             aws_managed_policies:\n      - ReadOnlyAccess\n      - AmazonS3FullAccess\n    inline_policy:\n      \
             Version: 2012-10-17\n      Statement:\n        - Effect: Allow\n          Action:\n            - ecs:*\n            \
             - ec2:Describe*\n          Resource: '*'"
        )
        .unwrap();
    }
    text.push_str("assignments:\n");
    for set in 0..size.sets {
        let accounts: Vec<String> = accounts_of(size, set).map(|it| format!("'{}'", account(it))).collect();
        let names = |wanted| {
            let of_kind = holders_of(size, set).filter(move |(kind, _)| *kind == wanted);
            of_kind.map(|(_, it)| format!("      - {}\n", name(wanted, it))).collect::<String>()
        };
        writeln!(text, "  - permission_sets: [Set{set}]\n    accounts: [{}]", accounts.join(", ")).unwrap();
        write!(text, "    groups:\n{}    users:\n{}", names(PrincipalKind::Group), names(PrincipalKind::User)).unwrap();
    }
    text
}

fn name(kind: PrincipalKind, number: usize) -> String {
    match kind {
        PrincipalKind::Group => format!("group-{number}"),
        PrincipalKind::User => format!("user{number}@example.com"),
    }
}

fn snapshot(folder: &Path, size: &Size) -> Snapshot {
    let arn = "arn:aws:sso:::instance/ssoins-00aa11bb22cc33dd";
    let id = |number| AccountId::parse(&account(number)).unwrap();
    let listed = |kind, count: usize| {
        let one = move |it| Listed {
            name: name(kind, it),
            emails: Vec::new(),
            disabled: false,
            id: principal(if kind == PrincipalKind::Group { 1 } else { 2 }, it),
        };
        (0..count).map(one).collect::<Vec<_>>()
    };
    let (groups, users) = (listed(PrincipalKind::Group, size.groups()), listed(PrincipalKind::User, size.users));
    let definitions = definitions(folder);
    let mut permission_sets = BTreeMap::new();
    let mut assignments = BTreeSet::new();
    for set in 0..size.sets {
        let name = PermissionSetName::parse(&format!("Set{set}")).unwrap();
        let provisioned: BTreeMap<_, _> = accounts_of(size, set).map(|it| (id(it), Provisioning::Latest)).collect();
        for account in provisioned.keys() {
            assignments.extend(holders_of(size, set).map(|(kind, it)| Grant {
                permission_set: name.clone(),
                account: account.clone(),
                principal: PrincipalRef {
                    kind,
                    id: if kind == PrincipalKind::Group { groups[it].id.clone() } else { users[it].id.clone() },
                },
            }));
        }
        let observed = ObservedSet {
            arn: PermissionSetArn::new(format!("arn:aws:sso:::permissionSet/ssoins-00aa11bb22cc33dd/ps-{set:016x}")),
            definition: Some(definitions[&name].clone()),
            provisioned: Some(provisioned),
        };
        permission_sets.insert(name, observed);
    }
    let accounts = (0..size.accounts).map(|it| {
        let name = AccountName::new(format!("account-{it}"));
        (id(it), Account { id: id(it), name, state: AccountState::Active })
    });
    Snapshot {
        taken: "2026-11-28T10:00:00Z".to_owned(),
        instance: Instance {
            arn: InstanceArn::parse(arn).unwrap(),
            identity_store: IdentityStoreId::new("d-00aa11bb22"),
            region: "eu-central-1".to_owned(),
            owner: Some(id(0)),
        },
        caller: Caller { account: id(0), arn: "arn:aws:iam::100000000000:user/ci".to_owned(), user: None },
        accounts: accounts.collect(),
        permission_sets,
        assignments,
        groups,
        users,
        reading: Reading::default(),
    }
}

/// What the file declares is what is live, so that nothing is to be done.
fn definitions(folder: &Path) -> BTreeMap<PermissionSetName, Definition> {
    let desired = permset::desired::load(&folder.join("access.yaml")).unwrap().desired.unwrap();
    let definition = |(name, set): (PermissionSetName, permset::model::DesiredSet)| match set.definition {
        permset::model::DesiredDefinition::Managed(definition) => Some((name, *definition)),
        permset::model::DesiredDefinition::External => None,
    };
    desired.permission_sets.into_iter().filter_map(definition).collect()
}
