//! `permset profiles`: the sections of the AWS config file for what the access file declares, or for what somebody has.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::aws::{Access, Aws};
use crate::cli::args::{Global, ProfilesArgs};
use crate::cli::error::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::session::{connection, instance, load};
use crate::model::{
    AccountRef, AccountState, AccountsByName, DesiredState, ObservedState, PermissionSetName, PrincipalKind, Shown,
};
use crate::observed::{held, read_instance, read_organization, unknown};
use crate::report::{count, patch, style};
use crate::workstation::config::{Block, Config, Merge, OnConflict};
use crate::workstation::files;
use crate::workstation::profiles::{Template, blocks};

/// Reads, and prints or writes.
pub(in crate::cli) async fn run(global: &Global, args: &ProfilesArgs, output: &Output) -> Result<Exit, Failure> {
    let desired = match &args.user {
        Some(_) => None,
        None => Some(load(&global.file, output)?.2),
    };
    let region = desired.as_ref().and_then(|desired| desired.region.clone());
    let aws = Aws::connect(&connection(global, region, output)?, Access::ReadOnly).await?;
    let named = desired.as_ref().and_then(|desired| desired.instance.as_ref().map(|arn| arn.value.clone()));
    let mut observed = read_instance(&aws, instance(global)?.or(named).as_ref()).await?;
    let pairs = match (&args.user, &desired) {
        (Some(user), _) => {
            let found = held(&aws, &mut observed, PrincipalKind::User, user).await?;
            found.ok_or_else(|| Failure::from(unknown("user", user, [])))?
        }
        (None, Some(desired)) => {
            read_organization(&aws, &mut observed, desired).await?;
            declared(desired, &observed)
        }
        (None, None) => BTreeSet::new(),
    };
    if pairs.is_empty() {
        return Err(Failure::new("there is nothing to enter, so there are no profiles to make"));
    }
    let instance = &observed.instance;
    let template = Template {
        name: args.name.clone(),
        session: args.session.clone(),
        start_url: args
            .start_url
            .clone()
            .unwrap_or_else(|| format!("https://{}.awsapps.com/start", instance.identity_store.as_str())),
        sso_region: instance.region.clone(),
        region: args.default_region.clone().unwrap_or_else(|| instance.region.clone()),
        output: "json".to_owned(),
    };
    let pairs: Vec<(AccountRef, PermissionSetName)> = pairs.into_iter().collect();
    let blocks = blocks(&pairs, &template).map_err(|why| Failure::new(why).exit(Exit::Usage))?;
    if !args.write {
        output.result(&Config::parse("").merge(&blocks, OnConflict::Keep).text);
        return Ok(Exit::Ok);
    }
    let path = args.config.clone().or_else(files::config);
    let path =
        path.ok_or_else(|| Failure::new("there is no home folder to write into").hint("name a file with `--config`"))?;
    write(&path, &blocks, args, output)
}

/// Everything that the file gives to anybody.
fn declared(desired: &DesiredState, observed: &ObservedState) -> BTreeSet<(AccountRef, PermissionSetName)> {
    let by_name = AccountsByName::new(&observed.accounts);
    let mut pairs = BTreeSet::new();
    for rule in desired.rules.iter().filter(|rule| !rule.has_expired()) {
        let excepted: BTreeSet<_> =
            rule.except_accounts.iter().flat_map(|it| by_name.meant_by(&it.value)).map(|account| &account.id).collect();
        let accounts = rule.accounts.iter().flat_map(|it| by_name.meant_by(&it.value));
        for account in accounts.filter(|it| it.state == AccountState::Active && !excepted.contains(&it.id)) {
            // As the file calls it, where it gives it a name of its own.
            let name = desired.short_names.get(&account.id).unwrap_or(&account.name).clone();
            let account = AccountRef { id: account.id.clone(), name: Some(name) };
            pairs.extend(rule.permission_sets.iter().map(|set| (account.clone(), set.value.clone())));
        }
    }
    pairs
}

fn write(path: &Path, blocks: &[Block], args: &ProfilesArgs, output: &Output) -> Result<Exit, Failure> {
    let shown = Shown(&path.display().to_string()).to_string();
    let trouble = |error: &std::io::Error| Failure::new(format!("cannot write `{shown}`: {error}"));
    let before = files::read(path).map_err(|error| trouble(&error))?;
    let config = Config::parse(&before);
    for problem in config.problems() {
        output.notice(&format!("{}: {shown}:{}: {}", style::warning("notice"), problem.line, Shown(&problem.message)));
    }
    let on_conflict = if args.replace { OnConflict::Replace } else { OnConflict::Keep };
    let Merge { text, added, updated, unchanged, conflicts, refused } = config.merge(blocks, on_conflict);
    if let Some((section, why)) = refused.first() {
        return Err(Failure::new(format!("{}: {}", Shown(section), Shown(why))).exit(Exit::Usage));
    }
    if !conflicts.is_empty() {
        for conflict in &conflicts {
            let (section, key) = (Shown(&conflict.section), &conflict.key);
            let (there, wanted) = (Shown(&conflict.there), Shown(&conflict.wanted));
            output.talk(&format!(
                "conflict: {shown}:{}: {section} has `{key} = {there}`, wanted is `{wanted}`\n",
                conflict.line
            ));
        }
        let failure = Failure::new(format!(
            "{} of `{shown}` would be overwritten, nothing was changed",
            count(conflicts.len(), "line")
        ));
        let failure =
            failure.hint("give the new ones other names: `--name 'sso-{account}-{permission_set}' --session NAME`");
        return Err(failure.hint("if the lines above are to go: `--replace`").exit(Exit::Refused));
    }
    let kept = unchanged.len();
    if text == before {
        output.result(&format!("{shown} has all {kept} sections already\n"));
        return Ok(Exit::Ok);
    }
    // Without what stands around: there may be keys.
    let diff = patch::unified(&shown, &before, &text, 0);
    output.result(&diff.lines().map(|line| format!("{}\n", Shown(line))).collect::<String>());
    let stamp = crate::apply::journal::now().replace([':', '-'], "");
    let backup: Option<PathBuf> = files::replace(path, &before, &text, &stamp).map_err(|error| trouble(&error))?;
    let backup = backup.map(|path| format!("; what was there is in {}", Shown(&path.display().to_string())));
    output.result(&format!(
        "wrote {shown}: {} added, {} completed, {kept} there already{}\n",
        count(added.len(), "section"),
        updated.len(),
        backup.unwrap_or_default()
    ));
    Ok(Exit::Ok)
}
