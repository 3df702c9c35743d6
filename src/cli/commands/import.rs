//! `permset import`: writes an access file for what exists already, and proves that a plan made from it is empty.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::aws::{Access, Aws};
use crate::cli::args::{Global, ImportArgs};
use crate::cli::commands::{account_selector, permission_set_name};
use crate::cli::error::{Failure, bug};
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::session::{connection, instance};
use crate::cli::snapshots;
use crate::desired;
use crate::model::{AccountSelector, AccountsByName, ObservedSet, ObservedState, PermissionSetName, Severity, Shown};
use crate::observed::{Look, Snapshot, look, unknown};
use crate::plan::{self, Change, Edit};
use crate::report::access_file::{Document, Options, document};
use crate::report::{self, count, style};

/// Reads, writes, and plans with what was written.
pub(in crate::cli) async fn run(global: &Global, args: &ImportArgs, output: &Output) -> Result<Exit, Failure> {
    let (accounts, sets) = wanted(args)?;
    let (observed, taken) = match &args.observed {
        Some(path) => from_snapshot(global, path, &accounts, &sets)?,
        None => (from_aws(global, accounts.clone(), sets.clone(), output).await?, crate::apply::journal::now()),
    };
    let scope = accounts.map(|accounts| {
        let by_name = AccountsByName::new(&observed.accounts);
        accounts.iter().flat_map(|it| by_name.meant_by(it)).map(|account| account.id.clone()).collect()
    });
    let mut options = Options {
        taken: taken.clone(),
        owner: args.owner.clone(),
        scope,
        external: args.external,
        star: args.star,
        cannot: BTreeMap::new(),
    };
    options.cannot = inexpressible(&observed, &options);
    let document = document(&observed, &options, args.split.is_none());
    let files = match &args.split {
        Some(folder) => document.split().into_iter().map(|(name, text)| (folder.join(name), text)).collect(),
        None => vec![(args.out.clone().unwrap_or_else(|| PathBuf::from("access.yaml")), document.whole())],
    };
    let left = check(&files, observed, taken)?;
    write(args, &files, output)?;
    tell(&document, &left, args, global, output);
    Ok(Exit::Ok)
}

type Wanted = (Option<Vec<AccountSelector>>, Option<BTreeSet<PermissionSetName>>);

fn wanted(args: &ImportArgs) -> Result<Wanted, Failure> {
    let accounts = (!args.accounts.is_empty()).then(|| args.accounts.iter().map(|it| account_selector(it)).collect());
    let sets = args.sets.iter().map(|it| permission_set_name(it)).collect::<Result<BTreeSet<_>, _>>()?;
    Ok((accounts, (!args.sets.is_empty()).then_some(sets)))
}

async fn from_aws(
    global: &Global,
    accounts: Option<Vec<AccountSelector>>,
    permission_sets: Option<BTreeSet<PermissionSetName>>,
    output: &Output,
) -> Result<ObservedState, Failure> {
    let aws = Aws::connect(&connection(global, None, output)?, Access::ReadOnly).await?;
    let progress = Progress::start(output, &aws, global.verbose > 0);
    let wanted = Look { instance: instance(global)?, accounts, permission_sets, definitions: true };
    let mut observed = look(&aws, &wanted, &|step| progress.reading(&step)).await?;
    // A name in the file must mean one of all that exist, not of those that have something.
    crate::observed::read_everybody(&aws, &mut observed).await?;
    Ok(observed)
}

fn from_snapshot(
    global: &Global,
    path: &Path,
    accounts: &Option<Vec<AccountSelector>>,
    sets: &Option<BTreeSet<PermissionSetName>>,
) -> Result<(ObservedState, String), Failure> {
    snapshots::refuse_connection(global)?;
    let snapshot = snapshots::read(path)?;
    let mut observed = snapshot.whole();
    let by_name = AccountsByName::new(&observed.accounts);
    let mut scope = BTreeSet::new();
    for selector in accounts.iter().flatten() {
        let found = by_name.meant_by(selector);
        if found.is_empty() {
            let names = observed.accounts.values().map(|account| account.name.as_str());
            let name = match selector {
                AccountSelector::Name(name) => name.as_str(),
                AccountSelector::Id(id) => id.as_str(),
                AccountSelector::All => "*",
            };
            return Err(unknown("account", name, names).into());
        }
        scope.extend(found.into_iter().map(|account| account.id.clone()));
    }
    if let Some(name) = sets.iter().flatten().find(|name| !observed.permission_sets.contains_key(*name)) {
        let names = observed.permission_sets.keys().map(PermissionSetName::as_str);
        return Err(unknown("permission set", name.as_str(), names).into());
    }
    observed.assignments.retain(|grant| {
        (accounts.is_none() || scope.contains(&grant.account))
            && sets.as_ref().is_none_or(|sets| sets.contains(&grant.permission_set))
    });
    let there: BTreeSet<PermissionSetName> =
        observed.assignments.iter().map(|grant| grant.permission_set.clone()).collect();
    observed.permission_sets.retain(|name, _| {
        sets.as_ref().is_none_or(|sets| sets.contains(name)) && (accounts.is_none() || there.contains(name))
    });
    Ok((observed, snapshot.taken))
}

/// Returns the permission sets that an access file refuses as they are, each tried by itself.
fn inexpressible(observed: &ObservedState, options: &Options) -> BTreeMap<PermissionSetName, String> {
    let mut cannot = BTreeMap::new();
    for (name, set) in &observed.permission_sets {
        let alone = alone(observed, name, set);
        let text = document(&alone, options, true).whole();
        let file = desired::parse(&[(Path::new("access.yaml"), &text)]);
        if let Some(error) = file.findings.iter().find(|finding| finding.severity == Severity::Error) {
            cannot.insert(name.clone(), format!("an access file cannot say what it is: {}", Shown(&error.message)));
        }
    }
    cannot
}

/// The same place, with one permission set in it that nobody has.
fn alone(observed: &ObservedState, name: &PermissionSetName, set: &ObservedSet) -> ObservedState {
    ObservedState {
        instance: observed.instance.clone(),
        accounts: BTreeMap::new(),
        whole_organization: true,
        permission_sets: BTreeMap::from([(name.clone(), set.clone())]),
        assignments: BTreeSet::new(),
        directory: crate::model::Directory::default(),
        groups_of: BTreeMap::new(),
        members_of: BTreeMap::new(),
        caller: observed.caller.clone(),
        reading: observed.reading.clone(),
    }
}

/// Plans with what is about to be written, and returns what the plan would do all the same.
fn check(files: &[(PathBuf, String)], observed: ObservedState, taken: String) -> Result<Vec<Change>, Failure> {
    let files: Vec<(&Path, &str)> = files.iter().map(|(path, text)| (path.as_path(), text.as_str())).collect();
    let file = desired::parse(&files);
    let Some(desired) = file.desired else {
        let words: Vec<String> = file.findings.iter().map(|finding| finding.message.clone()).collect();
        return Err(bug(&format!("import writes a file that is refused: {}", words.join("; "))));
    };
    let observed = Snapshot::of(observed, taken).state_for(&desired, false);
    match plan::plan(&desired, &observed) {
        Ok((plan, _)) => Ok(plan.changes().cloned().collect()),
        Err(findings) => {
            let words: Vec<String> = findings.iter().map(|finding| finding.message.clone()).collect();
            Err(bug(&format!("import writes a file that does not fit: {}", words.join("; "))))
        }
    }
}

fn write(args: &ImportArgs, files: &[(PathBuf, String)], output: &Output) -> Result<(), Failure> {
    if args.out.is_none() && args.split.is_none() {
        files.iter().for_each(|(_, text)| output.result(text));
        return Ok(());
    }
    let shown = |path: &Path| Shown(&path.display().to_string()).to_string();
    if let Some(folder) = &args.split {
        // Of files from somewhere else it would become one document.
        let made = fs::create_dir(folder);
        made.map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => {
                Failure::new(format!("`{}` exists, and import never overwrites", shown(folder)))
                    .hint("name another folder")
            }
            _ => Failure::new(format!("cannot make the folder `{}`: {error}", shown(folder))),
        })?;
    }
    for (path, text) in files {
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
        written.map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => Failure::new(format!("`{}` exists, and import never overwrites", shown(path)))
                .hint("name another file with `--out FILE`"),
            _ => Failure::new(format!("cannot write `{}`: {error}", shown(path))),
        })?;
    }
    Ok(())
}

/// Says what was written, and what is to be decided.
fn tell(document: &Document, left: &[Change], args: &ImportArgs, global: &Global, output: &Output) {
    for words in &document.decisions {
        output.notice(&format!("{}: {}", style::warning("to decide"), Shown(words)));
    }
    let tags = |change: &&Change| matches!(change, Change::EditSet { edits, .. } if edits.iter().all(|edit| matches!(edit, Edit::Tag(_))));
    let tagged = left.iter().filter(tags).count();
    if tagged > 0 {
        let sets = count(tagged, "permission set");
        output.notice(&format!("the first apply writes the tag of the owner on {sets}"));
    }
    for change in left.iter().filter(|change| !tags(change)) {
        let words = report::one_line(change);
        output.talk(&format!("{}: a plan would still do this: {words}\n", style::warning("warning")));
    }
    if let Some(path) = args.out.as_ref().or(args.split.as_ref()) {
        let next = global.again_for(path, "plan");
        output.result(&format!("wrote {}; next: {next}\n", Shown(&path.display().to_string())));
    }
}
