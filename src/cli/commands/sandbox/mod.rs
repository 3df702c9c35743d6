//! `permset sandbox`: makes a world, shows it, makes it anew, serves it, makes it go wrong.

mod fault;
mod log;
mod serve;
mod show;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::cli::args::{DEFAULT_WORLD, Global, SandboxArgs, SandboxCommand, WorldArgs};
use crate::cli::error::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::session;
use crate::model::{AccountSelector, DesiredDefinition, DesiredState, PrincipalKind, Shown};
use crate::sandbox::Sandbox;
use crate::sandbox::starter::{self, Names};
use crate::sandbox::world::PermissionSet;

/// Runs one of the sandbox's commands.
pub(in crate::cli) async fn run(global: &Global, args: &SandboxArgs, output: &Output) -> Result<Exit, Failure> {
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
        SandboxCommand::Show(args) => show::run(&path(&args.world), args, output).await,
        SandboxCommand::Serve(args) => serve::run(&path(&args.world), args, output).await,
        SandboxCommand::Fault(args) => fault::run(&path(&args.world), &args.command, output).await,
        SandboxCommand::Log(args) => log::run(&path(&args.world), args, output).await,
    }
}

fn make(path: &Path, args: &WorldArgs, output: &Output) -> Result<Exit, Failure> {
    let (world, what) = match &args.from {
        None => (starter::starter(), "the starter world".to_owned()),
        Some(file) => {
            let (_, _, desired) = session::load(file, output)?;
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
    let of = |wanted: PrincipalKind| {
        let named = desired.principals().filter(|(kind, _, _)| *kind == wanted);
        named.map(|(_, name, _)| name.to_owned()).collect()
    };
    Names {
        accounts: accounts.into_iter().chain(made).collect(),
        groups: of(PrincipalKind::Group),
        users: of(PrincipalKind::User),
    }
}

/// The failure of a command that needs a world where there is none.
fn no_world(path: &Path) -> Failure {
    Failure::new(format!("there is no world in `{}`", Shown(&path.display().to_string())))
        .hint("`permset sandbox init` makes one, as does the first `permset --sandbox plan`")
}
