//! `permset doctor`: on a person's own machine, why their profile gets in or does not.

use std::env;
use std::path::Path;

use jiff::Timestamp;

use crate::aws::Portal;
use crate::cli::args::{DoctorArgs, Global, WhyFormat};
use crate::cli::commands::{pretty, rendered};
use crate::cli::error::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::session::refuse_empty_endpoint;
use crate::model::{Check, CheckVerdict, Shown};
use crate::report::{doctor, json::DoctorJson};
use crate::workstation::checkup::{Machine, VARIABLES, local, remote};
use crate::workstation::files;

/// Looks, asks, tells.
pub(in crate::cli) async fn run(global: &Global, args: &DoctorArgs, output: &Output) -> Result<Exit, Failure> {
    if global.sandbox.is_some() {
        let failure = Failure::new("doctor looks at this machine, and a sandbox inside the program is not on it");
        return Err(failure.hint("serve one: `permset sandbox serve`, and set what it prints").exit(Exit::Usage));
    }
    refuse_empty_endpoint(global)?;
    let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let named = global.profile.clone().or_else(|| set("AWS_PROFILE")).or_else(|| set("AWS_DEFAULT_PROFILE"));
    let profile = named.clone().unwrap_or_else(|| "default".to_owned());
    let variables: Vec<(&'static str, Option<String>)> = VARIABLES
        .into_iter()
        .filter_map(|(name, public)| {
            set(name).map(|value| (name, public.then_some(value).filter(|value| !value.contains('@'))))
        })
        .collect();
    let config_path = files::config().ok_or_else(|| Failure::new("there is no home folder to look into"))?;
    let config = read(&config_path)?;
    let credentials = files::credentials().map(|path| read(&path)).transpose()?.unwrap_or_default();
    let sign_ins = files::sign_ins().unwrap_or_default();
    let shown = config_path.display().to_string();
    let machine = Machine {
        profile: &profile,
        named: named.is_some(),
        by_option: global.profile.is_some(),
        config_path: &shown,
        config: &config,
        credentials: &credentials,
        sign_ins: &sign_ins,
        environment: &variables,
        now: Timestamp::now(),
    };
    let (mut checks, ready) = local(&machine);
    match ready {
        Some(ready) => {
            let endpoint = global.endpoint_url.as_deref();
            let token = ready.sign_in.token.clone();
            let portal = Portal::connect(&profile, (&ready.sso_region, &ready.region), endpoint, token).await;
            checks.extend(remote(&ready, &portal, &profile).await);
        }
        None => checks.push(Check::skipped("portal", "not asked: the chain is broken before it")),
    }
    output.result(&match args.format {
        WhyFormat::Text => rendered(|out| doctor::write_text(out, &profile, &checks)),
        WhyFormat::Json => pretty(&DoctorJson::new(&profile, &checks))?,
    });
    let broken = checks.iter().any(|check| check.verdict == CheckVerdict::Broken);
    Ok(if broken { Exit::Differences } else { Exit::Ok })
}

fn read(path: &Path) -> Result<String, Failure> {
    let shown = Shown(&path.display().to_string()).to_string();
    files::read(path).map_err(|error| Failure::new(format!("cannot read `{shown}`: {error}")))
}
