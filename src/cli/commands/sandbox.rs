//! `permset sandbox`: makes a world, shows it, makes it anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::cli::args::{ApplyFormat, DEFAULT_WORLD, Global, SandboxArgs, SandboxCommand, ShowArgs, WorldArgs};
use crate::cli::commands::pretty;
use crate::cli::error::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::session;
use crate::model::{AccountSelector, DesiredDefinition, DesiredState, Shown};
use crate::report::count;
use crate::sandbox::starter::{self, Names};
use crate::sandbox::world::{PermissionSet, PrincipalType};
use crate::sandbox::{Sandbox, World};

/// Runs one of the sandbox's commands.
pub(in crate::cli) fn run(global: &Global, args: &SandboxArgs, output: &Output) -> Result<Exit, Failure> {
    let path = |world: &Option<PathBuf>| {
        world.clone().or_else(|| global.sandbox.clone()).unwrap_or_else(|| PathBuf::from(DEFAULT_WORLD))
    };
    match &args.command {
        SandboxCommand::Init(args) => {
            let path = path(&args.world);
            if path.exists() {
                let failure =
                    Failure::new(format!("there is a world in `{}` already", Shown(&path.display().to_string())));
                return Err(failure.hint("`permset sandbox reset` makes it anew"));
            }
            make(&path, args, output)
        }
        SandboxCommand::Reset(args) => make(&path(&args.world), args, output),
        SandboxCommand::Show(args) => show(&path(&args.world), args, output),
    }
}

fn make(path: &Path, args: &WorldArgs, output: &Output) -> Result<Exit, Failure> {
    let (world, what) = match &args.from {
        None => (starter::starter(), "the starter world".to_owned()),
        Some(file) => {
            let (_, desired) = session::load(file, output)?;
            let mut world = starter::world_for(&names(&desired));
            world.permission_sets = external_sets(&desired);
            (world, format!("a world for {}", Shown(&file.display().to_string())))
        }
    };
    Sandbox::make(path, world)?;
    output.result(&format!("made {what} in {}\n", Shown(&path.display().to_string())));
    Ok(Exit::Ok)
}

/// Permission sets that somebody else defines have to be there before a file can assign them.
fn external_sets(desired: &DesiredState) -> Vec<PermissionSet> {
    let external = desired.permission_sets.iter().filter(|(_, set)| set.definition == DesiredDefinition::External);
    external.map(|(name, _)| PermissionSet::named(name.as_str())).collect()
}

/// Collects what a world needs for the file to find its names. Accounts known by name only get an id.
fn names(desired: &DesiredState) -> Names {
    let mut accounts: BTreeMap<String, String> = BTreeMap::new();
    let mut named: BTreeSet<&str> = BTreeSet::new();
    for selector in desired.account_selectors() {
        match &selector.value {
            AccountSelector::All => {}
            AccountSelector::Id(id) => {
                accounts.insert(id.as_str().to_owned(), format!("account-{id}"));
            }
            AccountSelector::Name(name) => {
                named.insert(name.as_str());
            }
        }
    }
    for (id, name) in &desired.short_names {
        accounts.insert(id.as_str().to_owned(), name.as_str().to_owned());
    }
    let free = (500_000_000_001_u64..).map(|id| id.to_string());
    let made: Vec<(String, String)> =
        free.filter(|id| !accounts.contains_key(id)).zip(named).map(|(id, name)| (id, name.to_owned())).collect();
    Names {
        accounts: accounts.into_iter().chain(made).collect(),
        groups: desired
            .rules
            .iter()
            .flat_map(|rule| &rule.groups)
            .map(|group| group.value.as_str().to_owned())
            .collect(),
        users: desired.rules.iter().flat_map(|rule| &rule.users).map(|user| user.value.as_str().to_owned()).collect(),
    }
}

fn show(path: &Path, args: &ShowArgs, output: &Output) -> Result<Exit, Failure> {
    if !path.exists() {
        let failure = Failure::new(format!("there is no world in `{}`", Shown(&path.display().to_string())));
        return Err(failure.hint("`permset sandbox init` makes one, as does the first `permset --sandbox plan`"));
    }
    let world = Sandbox::open(path, World::default)?.world();
    output.result(&match args.format {
        ApplyFormat::Json => pretty(&world)?,
        ApplyFormat::Text => text(&world),
    });
    Ok(Exit::Ok)
}

fn text(world: &World) -> String {
    let mut out = String::new();
    let instance =
        world.instance.as_ref().map_or_else(|| "no instance".to_owned(), |i| format!("{} in {}", i.arn, i.region));
    // Writing into a String cannot fail.
    let _ = writeln!(out, "sandbox: {}", Shown(&instance));
    let _ = writeln!(out, "\n{}", count(world.accounts.len(), "account"));
    for account in &world.accounts {
        let _ =
            writeln!(out, "    {}  {:<24} {:?}", Shown(&account.id), Shown(&account.name).to_string(), account.state);
    }
    let _ = writeln!(out, "\n{}", count(world.groups.len(), "group"));
    for group in &world.groups {
        let members = world.memberships.iter().filter(|membership| membership.group_id == group.id).count();
        let _ = writeln!(out, "    {:<24} {}", Shown(&group.display_name).to_string(), count(members, "member"));
    }
    let _ = writeln!(out, "\n{}", count(world.users.len(), "user"));
    for user in &world.users {
        let _ = writeln!(out, "    {:<24} {:?}", Shown(&user.user_name).to_string(), user.status);
    }
    let _ = writeln!(out, "\n{}", count(world.permission_sets.len(), "permission set"));
    for set in &world.permission_sets {
        let stale = set.provisioned.values().filter(|provisioned| provisioned.version != set.version).count();
        let stale = if stale > 0 { format!(", {stale} of them out of date") } else { String::new() };
        let provisioned = count(set.provisioned.len(), "account");
        let _ = writeln!(out, "    {:<24} provisioned in {provisioned}{stale}", Shown(&set.name).to_string());
    }
    let _ = writeln!(out, "\n{}", count(world.assignments.len(), "assignment"));
    for assignment in &world.assignments {
        let set = world.permission_sets.iter().find(|set| set.id == assignment.permission_set_id);
        let set = set.map_or(assignment.permission_set_id.as_str(), |set| set.name.as_str());
        let (word, name) = principal(world, assignment.principal_type, &assignment.principal_id);
        let _ = writeln!(
            out,
            "    {}  {:<24} {word} {}",
            Shown(&assignment.account_id),
            Shown(set).to_string(),
            Shown(&name)
        );
    }
    out
}

fn principal(world: &World, kind: PrincipalType, id: &str) -> (&'static str, String) {
    let gone = || format!("{id} (deleted)");
    match kind {
        PrincipalType::Group => {
            let group = world.groups.iter().find(|group| group.id == id);
            ("group", group.map_or_else(gone, |group| group.display_name.clone()))
        }
        PrincipalType::User => {
            let user = world.users.iter().find(|user| user.id == id);
            ("user ", user.map_or_else(gone, |user| user.user_name.clone()))
        }
    }
}
