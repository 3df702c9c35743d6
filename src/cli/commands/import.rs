//! `permset import`: writes an access file for what exists already, and proves that a plan made from it is empty.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::Path;

use crate::aws::{Access, Aws};
use crate::cli::args::{Global, ImportArgs};
use crate::cli::commands::{account_selector, permission_set_name};
use crate::cli::error::{Failure, bug};
use crate::cli::exit::Exit;
use crate::cli::files;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::session::{connection, instance};
use crate::cli::snapshots;
use crate::desired;
use crate::model::{
    AccountId, AccountSelector, OWNER_TAG, ObservedSet, ObservedState, PermissionSetName, Severity, Shown,
};
use crate::observed::{Look, Snapshot, accounts_meant, look, permission_set_owners, read_everybody, unknown};
use crate::plan::{self, Change, Edit};
use crate::report::access_file::{Document, Options, document, quoted};
use crate::report::{self, count, style};

/// Reads, plans with what is about to be written, and writes.
pub(in crate::cli) async fn run(global: &Global, args: &ImportArgs, output: &Output) -> Result<Exit, Failure> {
    let (accounts, sets) = wanted(args)?;
    check_owner(args.owner.as_deref())?;
    let narrowed = accounts.is_some() || sets.is_some();
    let Read { mut observed, taken, owners } = match &args.observed {
        Some(path) => from_snapshot(global, path, sets.as_ref())?,
        None => from_aws(global, (accounts.clone(), sets.clone()), args, output).await?,
    };
    let scope = accounts.map(|accounts| accounts_meant(&observed.accounts, &accounts)).transpose()?;
    narrow(&mut observed, scope.as_ref(), sets.as_ref());
    let mut options = Options {
        taken: taken.clone(),
        owner: args.owner.clone(),
        scope,
        narrowed,
        external: args.external,
        star: args.star,
        cannot: BTreeMap::new(),
    };
    options.cannot = inexpressible(&observed, &options);
    let document = document(&observed, &options, args.split.is_none());
    refuse_left(&document, &owners)?;
    let files = match &args.split {
        Some(_) => document.split(),
        None => vec![("access.yaml".to_owned(), document.whole())],
    };
    let tagged = check(&files, observed, taken)?;
    write(args, &files, output)?;
    tell(&document, tagged, args, global, output);
    Ok(Exit::Ok)
}

/// What was read.
struct Read {
    observed: ObservedState,
    /// When.
    taken: String,
    /// Whose tag each permission set of the instance carries, as far as it matters.
    owners: BTreeMap<PermissionSetName, String>,
}

fn check_owner(owner: Option<&str>) -> Result<(), Failure> {
    let Some(owner) = owner else { return Ok(()) };
    let text = format!("version: 1\nowner: {}\nscope: {{ accounts: [\"*\"] }}\n", quoted(owner));
    let file = desired::parse(&[(Path::new("access.yaml"), &text)]);
    match file.findings.iter().find(|finding| finding.severity == Severity::Error) {
        Some(finding) => Err(Failure::new(format!("--owner: {}", finding.message)).exit(Exit::Usage)),
        None => Ok(()),
    }
}

/// What carries the tag of the file's owner and is not declared in it, an apply would delete.
fn refuse_left(document: &Document, owners: &BTreeMap<PermissionSetName, String>) -> Result<(), Failure> {
    let Some(owner) = &document.owner else { return Ok(()) };
    let declared: BTreeSet<&PermissionSetName> = document.declared().collect();
    let left = owners.iter().filter(|(name, theirs)| *theirs == owner && !declared.contains(name));
    let left: Vec<&str> = left.map(|(name, _)| name.as_str()).collect();
    if left.is_empty() {
        return Ok(());
    }
    let message = format!(
        "`{}` owns permission sets that this file would not declare, so an apply would delete them: {}",
        Shown(owner),
        left.join(", ")
    );
    Err(Failure::new(message).hint("import everything, or leave the owner out").exit(Exit::Refused))
}

type Wanted = (Option<Vec<AccountSelector>>, Option<BTreeSet<PermissionSetName>>);

fn wanted(args: &ImportArgs) -> Result<Wanted, Failure> {
    let accounts = (!args.accounts.is_empty()).then(|| args.accounts.iter().map(|it| account_selector(it)).collect());
    let sets = args.sets.iter().map(|it| permission_set_name(it)).collect::<Result<BTreeSet<_>, _>>()?;
    Ok((accounts, (!args.sets.is_empty()).then_some(sets)))
}

async fn from_aws(
    global: &Global,
    (accounts, permission_sets): Wanted,
    args: &ImportArgs,
    output: &Output,
) -> Result<Read, Failure> {
    let aws = Aws::connect(&connection(global, None, output)?, Access::ReadOnly).await?;
    let progress = Progress::start(output, &aws, global.verbose > 0);
    let narrowed = accounts.is_some() || permission_sets.is_some();
    let wanted =
        Look { instance: instance(global)?, accounts, permission_sets, definitions: true, may_be_unknown: false };
    let mut observed = look(&aws, &wanted, &|step| progress.reading(&step)).await?;
    // A name in the file must mean one of all that exist, not of those that have something.
    read_everybody(&aws, &mut observed).await?;
    let owners = if narrowed && args.owner.is_some() {
        permission_set_owners(&aws, &observed.instance).await?
    } else {
        owners_in(&observed)
    };
    Ok(Read { observed, taken: crate::apply::journal::now(), owners })
}

fn owners_in(observed: &ObservedState) -> BTreeMap<PermissionSetName, String> {
    let owner = |(name, set): (&PermissionSetName, &ObservedSet)| {
        Some((name.clone(), set.definition.as_ref()?.tags.get(OWNER_TAG)?.clone()))
    };
    observed.permission_sets.iter().filter_map(owner).collect()
}

fn from_snapshot(global: &Global, path: &Path, sets: Option<&BTreeSet<PermissionSetName>>) -> Result<Read, Failure> {
    snapshots::refuse_connection(global)?;
    let snapshot = snapshots::read(path)?;
    let observed = snapshot.whole();
    if let Some(name) = sets.into_iter().flatten().find(|name| !observed.permission_sets.contains_key(*name)) {
        let names = observed.permission_sets.keys().map(PermissionSetName::as_str);
        return Err(unknown("permission set", name.as_str(), names).into());
    }
    let owners = owners_in(&observed);
    Ok(Read { observed, taken: snapshot.taken, owners })
}

/// Leaves what is in the accounts, of the permission sets. A reading has more where that took fewer calls.
fn narrow(
    observed: &mut ObservedState,
    accounts: Option<&BTreeSet<AccountId>>,
    sets: Option<&BTreeSet<PermissionSetName>>,
) {
    let is_wanted = |name: &PermissionSetName| sets.is_none_or(|sets| sets.contains(name));
    let is_meant = |account: &AccountId| accounts.is_none_or(|accounts| accounts.contains(account));
    observed.assignments.retain(|grant| is_meant(&grant.account) && is_wanted(&grant.permission_set));
    observed.permission_sets.retain(|name, set| {
        let is_there = || set.provisioned.iter().flat_map(BTreeMap::keys).any(is_meant);
        is_wanted(name) && (accounts.is_none() || is_there())
    });
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
        whole_organization: true,
        permission_sets: BTreeMap::from([(name.clone(), set.clone())]),
        ..ObservedState::empty(observed.instance.clone(), observed.caller.clone())
    }
}

/// Plans with what is about to be written: nothing but the tag of the owner may be left to do. Returns on how many sets.
fn check(files: &[(String, String)], observed: ObservedState, taken: String) -> Result<usize, Failure> {
    if let Some((name, text)) = files.iter().find(|(_, text)| text.len() as u64 > desired::LARGEST) {
        let mebibytes = text.len() >> 20;
        let failure = Failure::new(format!("`{name}` would have {mebibytes} MiB, more than is read again"));
        return Err(failure.hint("write a folder with `--split DIR`, or a part with `--accounts` or `--sets`"));
    }
    let files: Vec<(&Path, &str)> = files.iter().map(|(name, text)| (Path::new(name), text.as_str())).collect();
    let file = desired::parse(&files);
    let Some(desired) = file.desired else {
        let words: Vec<String> = file.findings.iter().map(|finding| finding.message.clone()).collect();
        return Err(bug(&format!("import writes a file that is refused: {}", words.join("; "))));
    };
    let observed = Snapshot::of(observed, taken).state_for(&desired, false);
    let plan = plan::plan(&desired, &observed).map_err(|findings| {
        let words: Vec<String> = findings.iter().map(|finding| finding.message.clone()).collect();
        bug(&format!("import writes a file that does not fit: {}", words.join("; ")))
    })?;
    let tags = |change: &&Change| matches!(change, Change::EditSet { edits, .. } if edits.iter().all(|edit| matches!(edit, Edit::Tag(_))));
    let left: Vec<String> = plan.0.changes().filter(|change| !tags(change)).take(5).map(report::one_line).collect();
    if !left.is_empty() {
        return Err(bug(&format!("a plan with the imported file would not be empty: {}", left.join("; "))));
    }
    Ok(plan.0.changes().count())
}

/// Writes all of it or nothing: what is half there, the next apply would take for all that is wanted.
fn write(args: &ImportArgs, files: &[(String, String)], output: &Output) -> Result<(), Failure> {
    let (path, another, made) = match (&args.split, &args.out) {
        // Of files from somewhere else it would become one document.
        (Some(folder), _) => (folder, "name another folder", files::make_folder(folder, files)),
        (None, Some(path)) => {
            let made = files.iter().try_for_each(|(_, text)| files::make(path, text));
            (path, "name another file with `--out FILE`", made)
        }
        (None, None) => {
            files.iter().for_each(|(_, text)| output.result(text));
            return Ok(());
        }
    };
    let shown = Shown(&path.display().to_string()).to_string();
    made.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Failure::new(format!("`{shown}` exists, and import never overwrites")).hint(another)
        }
        _ => Failure::new(format!("cannot write `{shown}`: {error}")),
    })
}

/// Says what was written, and what is to be decided.
fn tell(document: &Document, tagged: usize, args: &ImportArgs, global: &Global, output: &Output) {
    for words in &document.decisions {
        output.notice(&format!("{}: {}", style::warning("to decide"), Shown(words)));
    }
    if tagged > 0 {
        let sets = count(tagged, "permission set");
        output.notice(&format!("the first apply writes the tag of the owner on {sets}"));
    }
    if let Some(path) = args.out.as_ref().or(args.split.as_ref()) {
        let next = global.again_for(path, "plan");
        output.result(&format!("wrote {}; next: {}\n", Shown(&path.display().to_string()), Shown(&next)));
    }
}
