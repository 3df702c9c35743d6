//! Adds, lists and clears the faults of a world, served or not.

use std::fmt::Write as _;
use std::path::Path;

use crate::cli::args::{DropWhen, FaultAddArgs, FaultCommand};
use crate::cli::error::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::session;
use crate::model::Shown;
use crate::sandbox::world::{Effect, Fault};
use crate::sandbox::{Remote, Sandbox, World};

use super::no_world;

pub(super) async fn run(path: &Path, command: &FaultCommand, output: &Output) -> Result<Exit, Failure> {
    if !path.exists() {
        return Err(no_world(path));
    }
    let faults = match Remote::serving(path) {
        Some(remote) => match command {
            FaultCommand::List => remote.faults().await?,
            FaultCommand::Add(args) => remote.add_fault(&fault(args)?).await?,
            FaultCommand::Clear => remote.clear_faults().await?,
        },
        None => {
            let sandbox = Sandbox::open(path, World::default)?;
            session::notices(&sandbox, output);
            match command {
                FaultCommand::List => {}
                FaultCommand::Add(args) => sandbox.add_fault(fault(args)?).map_err(Failure::new)?,
                FaultCommand::Clear => sandbox.clear_faults(),
            }
            sandbox.save()?;
            sandbox.faults()
        }
    };
    output.result(&list(&faults));
    Ok(Exit::Ok)
}

fn fault(args: &FaultAddArgs) -> Result<Fault, Failure> {
    Ok(Fault {
        on: args.on.clone(),
        account: args.account.clone(),
        permission_set: args.permission_set.clone(),
        principal: args.principal.clone(),
        nth: args.nth,
        every: args.every,
        times: (!args.forever).then_some(args.times),
        chance: args.chance,
        effect: effect(args)?,
        seen: 0,
        played: 0,
    })
}

fn effect(args: &FaultAddArgs) -> Result<Effect, Failure> {
    let FaultAddArgs {
        error, message, job_fails, job_takes, delay, drop, truncate, edit, throttle, conflict: _, ..
    } = args;
    Ok(if let Some(code) = error {
        Effect::Error { code: code.clone(), message: message.clone(), members: serde_json::Map::new() }
    } else if let Some(reason) = job_fails {
        Effect::JobFails { reason: reason.clone() }
    } else if let Some(seconds) = *job_takes {
        Effect::JobTakes { seconds }
    } else if let Some(seconds) = *delay {
        Effect::Delay { seconds }
    } else if let Some(when) = drop {
        match when {
            DropWhen::Before => Effect::DropBefore,
            DropWhen::After => Effect::DropAfter,
        }
    } else if let Some(bytes) = *truncate {
        Effect::Truncate { bytes }
    } else if let Some(file) = edit {
        let shown = Shown(&file.display().to_string()).to_string();
        let text = std::fs::read(file).map_err(|error| Failure::new(format!("cannot read `{shown}`: {error}")))?;
        let calls = serde_json::from_slice(&text).map_err(|error| {
            Failure::new(format!("`{shown}` is no list of calls: {error}"))
                .hint(r#"such as [{"operation": "sso-admin.DeletePermissionSet", "input": {"InstanceArn": "…", "PermissionSetArn": "…"}}]"#)
        })?;
        Effect::Edit { calls }
    } else if *throttle {
        Effect::Throttle
    } else {
        Effect::Conflict
    })
}

fn list(faults: &[Fault]) -> String {
    let mut out = String::new();
    for (number, fault) in faults.iter().enumerate() {
        // Writing into a String cannot fail.
        let _ = writeln!(out, "{:>3}  {}", number + 1, Shown(&sentence(fault)));
    }
    if out.is_empty() { "no faults\n".to_owned() } else { out }
}

fn sentence(fault: &Fault) -> String {
    let Fault { on, account, permission_set, principal, nth, every, times, chance, effect, seen, played } = fault;
    let mut text = match effect {
        Effect::Throttle => "refuse by rate".to_owned(),
        Effect::Conflict => "refuse as in conflict".to_owned(),
        Effect::Error { code, .. } => format!("refuse with {code}"),
        Effect::JobFails { reason } => format!("begin, and fail late with \"{reason}\""),
        Effect::JobTakes { seconds } => format!("take {seconds} s"),
        Effect::Delay { seconds } => format!("answer {seconds} s late"),
        Effect::DropBefore => "break the connection before the effect".to_owned(),
        Effect::DropAfter => "break the connection after the effect".to_owned(),
        Effect::Truncate { bytes } => format!("break off the answer after {bytes} bytes"),
        Effect::Edit { calls } => format!("make {} first", crate::report::count(calls.len(), "other call")),
    };
    let _ = write!(text, ", on {on}");
    for (word, value) in [("account", account), ("permission set", permission_set), ("principal", principal)] {
        if let Some(value) = value {
            let _ = write!(text, ", {word} {value}");
        }
    }
    if *every > 1 {
        let _ = write!(text, ", one call in {every}");
    }
    if (*nth, *every) != (1, 1) {
        let _ = write!(text, ", from call {nth}");
    }
    if let Some(chance) = chance {
        let _ = write!(text, ", with chance {chance}");
    }
    let most = times.map_or_else(|| "without end".to_owned(), |times| format!("{times} at most"));
    let _ = write!(text, "; hit {played} of {seen} calls, {most}");
    text
}
