//! The sections of an access file, from the values behind them.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    AccountId, Boundary, CustomerManagedPolicy, Definition, OWNER_TAG, ObservedState, PermissionSetName, PrincipalKind,
    PrincipalRef, PrincipalState, SessionDuration, Shown,
};
use crate::report::access_file::Options;
use crate::report::access_file::decide::{Decisions, Verdict};
use crate::report::access_file::lines::Line;
use crate::report::access_file::yaml::{block, list, quoted, scalar};

/// How the file calls accounts.
pub(super) struct Names<'a> {
    names: BTreeMap<&'a AccountId, &'a str>,
    /// Whether the file has to say what the names mean: not all accounts are known, and another may have the same name.
    short: bool,
    active: Vec<AccountId>,
    star: bool,
}

impl<'a> Names<'a> {
    pub(super) fn new(observed: &'a ObservedState, options: &Options) -> Self {
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for account in observed.accounts.values() {
            *times.entry(account.name.as_str()).or_default() += 1;
        }
        let fits = |name: &str| {
            times.get(name) == Some(&1)
                && !name.trim().is_empty()
                && !name.contains(['*', '?', '['])
                && !name.bytes().all(|b| b.is_ascii_digit())
        };
        let in_scope = |id: &AccountId| options.scope.as_ref().is_none_or(|scope| scope.contains(id));
        let accounts = observed.accounts.iter().filter(|(id, account)| in_scope(id) && fits(account.name.as_str()));
        Self {
            names: accounts.map(|(id, account)| (id, account.name.as_str())).collect(),
            short: !observed.whole_organization,
            active: observed.accounts.keys().filter(|id| observed.is_active(id)).cloned().collect(),
            star: options.star && options.scope.is_none(),
        }
    }

    fn of(&self, id: &AccountId) -> String {
        self.names.get(id).map_or_else(|| quoted(id.as_str()), |name| scalar(name))
    }

    /// Names accounts, in the order of their names.
    fn list(&self, accounts: &[AccountId], indent: usize) -> String {
        if self.is_all(accounts) && self.star {
            return "[\"*\"]".to_owned();
        }
        let mut named: Vec<(Option<&&str>, &AccountId)> = accounts.iter().map(|id| (self.names.get(id), id)).collect();
        named.sort();
        let scalars: Vec<String> = named.into_iter().map(|(_, id)| self.of(id)).collect();
        list(&scalars, indent)
    }

    fn is_all(&self, accounts: &[AccountId]) -> bool {
        accounts.len() > 1 && accounts == self.active
    }
}

/// Version, owner, instance, scope and short names.
pub(super) fn head(observed: &ObservedState, options: &Options, decisions: &Decisions, names: &Names<'_>) -> String {
    let instance = &observed.instance;
    let mut text = format!(
        "# Written by `permset import` from instance {} ({}) as it was at {}.\n# `permset plan` finds nothing to do, until one of the two changes.\n\nversion: 1\n",
        instance.arn.short(),
        Shown(&instance.region),
        Shown(&options.taken)
    );
    if let Some(owner) = &decisions.owner {
        text.push_str(&format!("owner: {}\n", scalar(owner)));
    }
    text.push_str(&format!(
        "\ninstance:\n  arn: {}\n  region: {}\n",
        quoted(instance.arn.as_str()),
        scalar(&instance.region)
    ));
    let scope = options
        .scope
        .as_ref()
        .map_or("[\"*\"]".to_owned(), |scope| names.list(&scope.iter().cloned().collect::<Vec<_>>(), 2));
    text.push_str(&format!(
        "\n# Assignments of the permission sets below in these accounts that are not listed here are revoked.\nscope:\n  accounts: {scope}\n"
    ));
    if names.short && !names.names.is_empty() {
        text.push_str("\naccounts:\n");
        let entry = |(id, name): (&&AccountId, &&str)| format!("  {}: {}\n", scalar(name), quoted(id.as_str()));
        text.extend(names.names.iter().map(entry));
    }
    text
}

/// One permission set.
pub(super) fn set(name: &PermissionSetName, verdict: &Verdict) -> String {
    let key = scalar(name.as_str());
    match verdict {
        Verdict::Managed(definition) => {
            let fields = self::definition(definition);
            if fields.is_empty() { format!("  {key}: {{}}\n") } else { format!("  {key}:\n{fields}") }
        }
        Verdict::External { why, definition } => {
            let mut text = format!("  {key}:\n    definition: external  # {why}\n");
            if let Some(definition) = definition {
                text.push_str("    # To own it, and to provision it: this in place of `definition`.\n");
                let fields = self::definition(definition);
                text.extend(
                    fields.lines().map(|line| format!("    # {}\n", line.strip_prefix("    ").unwrap_or(line))),
                );
            }
            text
        }
        Verdict::LeftOut => String::new(),
    }
}

/// The fields of a definition, four in.
fn definition(definition: &Definition) -> String {
    let Definition {
        description,
        session_duration,
        relay_state,
        tags,
        aws_managed_policies,
        customer_managed_policies,
        inline_policy,
        permissions_boundary,
    } = definition;
    let mut text = String::new();
    let mut field = |name: &str, value: String| text.push_str(&format!("    {name}: {value}\n"));
    if let Some(description) = description {
        field("description", scalar(description));
    }
    if *session_duration != SessionDuration::DEFAULT {
        field("session_duration", session_duration.to_string());
    }
    if let Some(relay_state) = relay_state {
        field("relay_state", scalar(relay_state));
    }
    let tags: Vec<String> = tags
        .iter()
        .filter(|(key, _)| *key != OWNER_TAG)
        .map(|(key, value)| format!("\n      {}: {}", scalar(key), scalar(value)))
        .collect();
    if !tags.is_empty() {
        text.push_str(&format!("    tags:{}\n", tags.concat()));
    }
    if !aws_managed_policies.is_empty() {
        let names: Vec<String> = aws_managed_policies.iter().map(|policy| scalar(policy.as_str())).collect();
        text.push_str(&format!("    aws_managed_policies: {}\n", list(&names, 4)));
    }
    if !customer_managed_policies.is_empty() {
        let policies: Vec<String> = customer_managed_policies.iter().map(customer).collect();
        text.push_str(&format!("    customer_managed_policies: {}\n", list(&policies, 4)));
    }
    if let Some(policy) = inline_policy {
        let value = serde_json::from_str(&policy.to_text()).unwrap_or_default();
        text.push_str(&format!("    inline_policy:{}\n", block(&value, 6)));
    }
    if let Some(boundary) = permissions_boundary {
        let boundary = match boundary {
            Boundary::Aws(policy) => format!("{{ aws_managed: {} }}", scalar(policy.as_str())),
            Boundary::Customer(policy) => format!("{{ customer_managed: {} }}", customer(policy)),
        };
        text.push_str(&format!("    permissions_boundary: {boundary}\n"));
    }
    text
}

fn customer(CustomerManagedPolicy { name, path }: &CustomerManagedPolicy) -> String {
    if path == "/" {
        format!("{{ name: {} }}", scalar(name))
    } else {
        format!("{{ name: {}, path: {} }}", scalar(name), scalar(path))
    }
}

/// One line under `assignments`.
pub(super) fn assignment(line: &Line, names: &Names<'_>, observed: &ObservedState) -> String {
    let sets: Vec<String> = line.permission_sets.iter().map(|set| scalar(set.as_str())).collect();
    let mut text = format!("  - permission_sets: {}\n", list(&sets, 4));
    if names.is_all(&line.accounts) && !names.star {
        text.push_str(&format!(
            "    # These are all {} active accounts: `[\"*\"]` would mean those to come as well.\n",
            line.accounts.len()
        ));
    }
    text.push_str(&format!("    accounts: {}\n", names.list(&line.accounts, 4)));
    for (kind, key) in [(PrincipalKind::Group, "groups"), (PrincipalKind::User, "users")] {
        let of_kind = line.principals.iter().filter(|principal| principal.kind == kind);
        let mut who: Vec<&str> = of_kind
            .filter_map(|principal| match observed.directory.by_id.get(principal) {
                Some(PrincipalState::Known { name, .. }) => Some(name.as_str()),
                Some(PrincipalState::Deleted) | None => None,
            })
            .collect();
        who.sort_unstable();
        if !who.is_empty() {
            let who: Vec<String> = who.into_iter().map(scalar).collect();
            text.push_str(&format!("    {key}: {}\n", list(&who, 4)));
        }
    }
    text
}

/// What is left alone, since no name means it.
pub(super) fn tail(nameless: &BTreeSet<&PrincipalRef>) -> String {
    if nameless.is_empty() {
        return String::new();
    }
    let ids: BTreeSet<&str> = nameless.iter().map(|principal| principal.id.as_str()).collect();
    let ids: Vec<String> = ids.into_iter().map(quoted).collect();
    format!(
        "\n# Users and groups that no longer exist, or whose name means somebody else as well: their assignments are left alone\n# until they are removed here, then revoked.\nignore:\n  - principal_ids: {}\n",
        list(&ids, 4)
    )
}
