//! Shows what is in a world, served or not.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::cli::args::{SandboxFormat, ShowArgs};
use crate::cli::commands::pretty;
use crate::cli::error::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::session;
use crate::model::Shown;
use crate::report::count;
use crate::sandbox::world::PrincipalType;
use crate::sandbox::{Remote, Sandbox, World};

use super::no_world;

pub(super) async fn run(path: &Path, args: &ShowArgs, output: &Output) -> Result<Exit, Failure> {
    if !path.exists() {
        return Err(no_world(path));
    }
    let world = match Remote::serving(path) {
        Some(remote) => remote.world().await?,
        None => {
            let sandbox = Sandbox::open(path, World::default)?;
            session::notices(&sandbox, output);
            sandbox.world()
        }
    };
    output.result(&match args.format {
        SandboxFormat::Json => pretty(&world)?,
        SandboxFormat::Text => text(&world),
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
    let sets: BTreeMap<&str, &str> =
        world.permission_sets.iter().map(|set| (set.id.as_str(), set.name.as_str())).collect();
    let groups: BTreeMap<&str, &str> =
        world.groups.iter().map(|group| (group.id.as_str(), group.display_name.as_str())).collect();
    let users: BTreeMap<&str, &str> =
        world.users.iter().map(|user| (user.id.as_str(), user.user_name.as_str())).collect();
    for assignment in &world.assignments {
        let set = sets.get(assignment.permission_set_id.as_str()).copied().unwrap_or(&assignment.permission_set_id);
        let (word, names) = match assignment.principal_type {
            PrincipalType::Group => ("group", &groups),
            PrincipalType::User => ("user ", &users),
        };
        let id = &assignment.principal_id;
        let name = names.get(id.as_str()).map_or_else(|| format!("{id} (deleted)"), |name| (*name).to_owned());
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
