//! Snapshots in place of AWS.

use std::path::Path;

use crate::cli::args::Global;
use crate::cli::error::Failure;
use crate::cli::exit::Exit;
use crate::cli::files;
use crate::cli::output::Output;
use crate::cli::saved::{age_of, unusable};
use crate::cli::session::{instance, load, planned};
use crate::model::{DesiredState, ObservedState, Shown, Sources};
use crate::observed::{Parts, Snapshot};
use crate::plan::Plan;
use crate::report::{count, saved as report};

/// A plan that was made without AWS.
pub(super) struct Offline {
    pub(super) sources: Sources,
    pub(super) desired: DesiredState,
    pub(super) file_digest: String,
    pub(super) observed: ObservedState,
    pub(super) plan: Plan,
    /// What saving the plan needs beyond what planning did.
    pub(super) parts: Option<Parts>,
    /// When the snapshot was taken: so old is what the plan rests on.
    pub(super) taken: String,
}

/// Reads the access file and a snapshot, and plans. With `keep`, what it takes to save the plan is kept.
///
/// # Errors
/// If one of the two cannot be used, or they do not fit each other; findings are printed before.
pub(super) fn plan(
    global: &Global,
    path: &Path,
    (unmanaged, keep): (bool, bool),
    output: &Output,
) -> Result<Offline, Failure> {
    refuse_connection(global)?;
    let (sources, file_digest, desired) = load(&global.file, output)?;
    let snapshot = read(path)?;
    let shown = Shown(&path.display().to_string()).to_string();
    let wanted = instance(global)?;
    let wanted = wanted.as_ref().or(desired.instance.as_ref().map(|arn| &arn.value));
    let there = &snapshot.instance;
    let other = |what: String| Failure::new(format!("`{shown}` is a snapshot of {what}")).exit(Exit::Refused);
    if let Some(wanted) = wanted.filter(|wanted| **wanted != there.arn) {
        return Err(other(format!("instance {}, not of {}", there.arn.short(), wanted.short())));
    }
    let region = global.region.as_ref().or(desired.region.as_ref());
    if let Some(region) = region.filter(|region| **region != there.region) {
        return Err(other(format!("Region {}, not of {}", Shown(&there.region), Shown(region))));
    }
    let age = age_of(&snapshot.taken).map(|age| format!(", {} ago", report::age(age))).unwrap_or_default();
    output.notice(&format!("observed: {shown}, taken {}{age}", Shown(&snapshot.taken)));
    let (parts, taken) = (keep.then(|| snapshot.parts()), snapshot.taken.clone());
    let observed = snapshot.state_for(&desired, unmanaged);
    let plan = planned(&desired, &observed, &sources, output)?;
    Ok(Offline { sources, desired, file_digest, observed, plan, parts, taken })
}

/// A snapshot in place of AWS leaves no AWS to choose.
///
/// # Errors
/// If the command line chooses one.
pub(super) fn refuse_connection(global: &Global) -> Result<(), Failure> {
    // Declared as a conflict it would not be seen where the other option stands before the command.
    if global.sandbox.is_some() || global.profile.is_some() || global.endpoint_url.is_some() {
        let failure =
            Failure::new("--observed asks nothing of AWS: --sandbox, --profile and --endpoint-url do not go with it");
        return Err(failure.exit(Exit::Usage));
    }
    Ok(())
}

/// Reads a snapshot.
///
/// # Errors
/// If it cannot be read, or is none.
pub(super) fn read(path: &Path) -> Result<Snapshot, Failure> {
    Snapshot::parse(&files::read(path)?).map_err(|error| unusable(path, error, "observe --out FILE"))
}

/// Saves a snapshot, and says what is in it.
///
/// # Errors
/// If the file is there and is something else, or cannot be written.
pub(super) fn save(path: &Path, snapshot: &Snapshot) -> Result<String, Failure> {
    let text = snapshot
        .to_text()
        .map_err(|error| crate::cli::error::bug(&format!("a snapshot that cannot be saved: {error}")))?;
    files::save(path, &text, "snapshot", Snapshot::is_one)?;
    let parts = [
        (snapshot.accounts.len(), "account"),
        (snapshot.permission_sets.len(), "permission set"),
        (snapshot.assignments.len(), "assignment"),
        (snapshot.groups.len(), "group"),
        (snapshot.users.len(), "user"),
    ];
    let held: Vec<String> = parts.into_iter().map(|(number, what)| count(number, what)).collect();
    let (kibibytes, shown) = (text.len().div_ceil(1024), Shown(&path.display().to_string()).to_string());
    Ok(format!("observed: {}; read with {}\nsaved in {shown} ({kibibytes} KiB)\n", held.join(", "), snapshot.reading))
}
