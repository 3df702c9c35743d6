//! JSON for machines: a versioned interface with a published schema (`permset schema plan`, `drift`, `apply`).
//!
//! The structures below are the interface; they are filled from values and never read back. Text is exact here, not
//! made safe for a terminal: JSON escapes control characters itself.

mod access;
mod doctor;
mod drift;
mod parts;
mod people;

pub use access::{AccountSetsJson, WhoCanJson, WhyJson};
pub use doctor::DoctorJson;
pub use drift::DriftJson;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::Serialize;
use serde_json::Value;

use crate::apply::{ApplyReport, Counts, CutShort, Outcome, SkipReason};
use crate::model::{People, Reading};
use crate::plan::{Change, Plan, Targets};
use crate::report::json::parts::{
    AccountJson, AssignmentJson, DefinitionJson, InstanceJson, LeftAloneJson, ReadingJson, accounts, assignment,
    definition, instance, left_alone,
};
use crate::report::json::people::PeopleJson;
use crate::report::words;

/// The version of all three formats.
const FORMAT_VERSION: u32 = 1;

/// A plan of permset, version 1.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "permset plan, version 1")]
pub struct PlanJson {
    /// The version of this format. Members may be added within a version; none is removed or changed.
    format_version: u32,
    instance: InstanceJson,
    /// The owner that the access file names.
    owner: Option<String>,
    /// Whether there is nothing to do.
    converged: bool,
    /// The changes, in the order in which they would be applied.
    changes: Vec<ChangeJson>,
    /// What keeps the plan from being applied without consent.
    refusals: Vec<RefusalJson>,
    left_alone: LeftAloneJson,
    /// Whom the changes give or take something; `null` if that was not read.
    people: Option<PeopleJson>,
    summary: SummaryJson,
    reading: ReadingJson,
}

/// One change.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
enum ChangeJson {
    /// A permission set is created.
    CreatePermissionSet { permission_set: String, definition: Box<DefinitionJson> },
    /// A permission set is edited.
    UpdatePermissionSet { permission_set: String, before: Box<DefinitionJson>, after: Box<DefinitionJson> },
    /// The newest version of a permission set is brought into accounts that have an older one.
    ProvisionPermissionSet {
        permission_set: String,
        /// All accounts that get it.
        accounts: Vec<AccountJson>,
        /// Those among them that were out of date before this plan.
        stale: Vec<AccountJson>,
        /// Whether one request does it for all accounts, instead of one for each.
        all_provisioned: bool,
    },
    /// A permission set that left the file is deleted.
    DeletePermissionSet {
        permission_set: String,
        definition: Box<DefinitionJson>,
        /// What it is called now; `null` if it was not renamed.
        successor: Option<String>,
    },
    /// A principal gets a permission set in an account.
    CreateAssignment { assignment: AssignmentJson },
    /// A principal loses a permission set in an account.
    DeleteAssignment {
        assignment: AssignmentJson,
        /// How long sessions that run already can go on (ISO 8601), if known.
        sessions_last: Option<String>,
        /// Whether nobody has the permission set in the account afterwards, so that its role goes.
        role_goes: bool,
    },
}

/// A reason not to apply.
#[derive(Debug, Serialize, JsonSchema)]
struct RefusalJson {
    /// The consent that lifts it: `--allow NAME`.
    consent: String,
    message: String,
}

/// How many changes of each kind there are.
#[derive(Debug, Serialize, JsonSchema)]
struct SummaryJson {
    create: usize,
    change: usize,
    provision: usize,
    delete: usize,
    /// Requests that applying takes, without asking how asynchronous ones are doing.
    requests: usize,
}

/// One line of what `permset apply --format json` prints, version 1.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "permset apply event, version 1")]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ApplyEventJson {
    /// First: what will be done.
    Plan {
        /// The plan.
        plan: Box<PlanJson>,
    },
    /// A change begins.
    Started {
        /// Its position in the plan, from 0.
        index: usize,
        /// The same in words.
        what: String,
    },
    /// A change ended.
    Finished {
        /// Its position in the plan, from 0.
        index: usize,
        /// The same in words.
        what: String,
        /// What became of it.
        outcome: OutcomeJson,
        /// What went wrong or why it was skipped.
        reason: Option<String>,
    },
    /// Last: what became of the plan.
    Summary {
        /// The version of this format.
        format_version: u32,
        /// Changes that are in place.
        applied: usize,
        /// Changes that AWS refused.
        failed: usize,
        /// Changes that were sent and whose end is not known.
        unknown: usize,
        /// Changes that were not attempted.
        skipped: usize,
        /// Whether somebody stopped it.
        stopped: bool,
        /// What made it end early; `null` if nothing did.
        cut_short: Option<CutShortJson>,
        /// How many changes were left when everything was observed again; `null` if it was not.
        remaining: Option<usize>,
    },
}

/// What made an apply end early.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CutShortJson {
    /// Somebody stopped it.
    Stopped,
    /// Its time was over (`--timeout`).
    OutOfTime,
    /// The journal could not be written.
    Journal,
}

impl CutShortJson {
    fn new(cut_short: &CutShort) -> Self {
        match cut_short {
            CutShort::Stopped => Self::Stopped,
            CutShort::OutOfTime => Self::OutOfTime,
            CutShort::Journal(_) => Self::Journal,
        }
    }
}

/// What became of a change.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeJson {
    /// Done.
    Applied,
    /// It was so already.
    AlreadyInPlace,
    /// Not attempted.
    Skipped,
    /// AWS refused or gave up.
    Failed,
    /// It was sent, and how it ended is not known.
    Unknown,
}

impl PlanJson {
    /// Makes the JSON form of a plan.
    pub fn new(plan: &Plan, reading: &Reading, people: Option<&People>) -> Self {
        let counts = words::Counts::of(plan);
        Self {
            format_version: FORMAT_VERSION,
            instance: instance(&plan.instance),
            owner: plan.owner.clone(),
            converged: plan.is_empty(),
            changes: plan.changes().map(change).collect(),
            refusals: plan
                .refusals
                .iter()
                .map(|refusal| RefusalJson { consent: refusal.consent().to_owned(), message: words::refusal(refusal) })
                .collect(),
            left_alone: left_alone(&plan.left_alone),
            people: people.map(PeopleJson::new),
            summary: SummaryJson {
                create: counts.create,
                change: counts.change,
                provision: counts.provision,
                delete: counts.delete,
                requests: counts.requests,
            },
            reading: parts::reading(reading),
        }
    }
}

impl ApplyEventJson {
    /// Makes the event of a change that begins.
    pub fn started(plan: &Plan, index: usize) -> Self {
        Self::Started { index, what: what(plan, index) }
    }

    /// Makes the event of a change that ended.
    pub fn finished(plan: &Plan, index: usize, outcome: &Outcome) -> Self {
        let (outcome, reason) = match outcome {
            Outcome::Applied => (OutcomeJson::Applied, None),
            Outcome::AlreadyInPlace => (OutcomeJson::AlreadyInPlace, None),
            Outcome::Skipped(SkipReason::Needs(need)) => {
                (OutcomeJson::Skipped, Some(format!("needs {}", what(plan, *need))))
            }
            Outcome::Skipped(reason) => (OutcomeJson::Skipped, Some(reason.to_string())),
            Outcome::Failed(failure) => (OutcomeJson::Failed, Some(failure.to_string())),
            Outcome::Unknown(failure) => (OutcomeJson::Unknown, Some(failure.to_string())),
        };
        Self::Finished { index, what: what(plan, index), outcome, reason }
    }

    /// Makes the last event.
    pub fn summary(report: &ApplyReport, remaining: Option<usize>) -> Self {
        let Counts { applied, failed, unknown, skipped } = report.counts();
        Self::Summary {
            format_version: FORMAT_VERSION,
            applied,
            failed,
            unknown,
            skipped,
            stopped: report.cut_short == Some(CutShort::Stopped),
            cut_short: report.cut_short.as_ref().map(CutShortJson::new),
            remaining,
        }
    }
}

fn what(plan: &Plan, index: usize) -> String {
    plan.steps.get(index).map(|step| words::one_line(&step.change)).unwrap_or_default()
}

/// Returns the JSON form of one change, as it stands in that of its plan.
///
/// # Errors
/// If it has none, which would be a bug.
pub fn change_json(value: &Change) -> serde_json::Result<Value> {
    serde_json::to_value(change(value))
}

fn change(change: &Change) -> ChangeJson {
    match change {
        Change::CreateSet { name, definition, edits: _ } => ChangeJson::CreatePermissionSet {
            permission_set: name.as_str().to_owned(),
            definition: Box::new(self::definition(definition)),
        },
        Change::EditSet { name, before, after, edits: _ } => ChangeJson::UpdatePermissionSet {
            permission_set: name.as_str().to_owned(),
            before: Box::new(definition(before)),
            after: Box::new(definition(after)),
        },
        Change::Provision { name, targets, accounts: into, stale } => ChangeJson::ProvisionPermissionSet {
            permission_set: name.as_str().to_owned(),
            accounts: accounts(into),
            stale: accounts(stale),
            all_provisioned: *targets == Targets::AllProvisioned,
        },
        Change::DeleteSet { name, definition, successor } => ChangeJson::DeletePermissionSet {
            permission_set: name.as_str().to_owned(),
            definition: Box::new(self::definition(definition)),
            successor: successor.as_ref().map(|new| new.as_str().to_owned()),
        },
        Change::Assign(value) => ChangeJson::CreateAssignment { assignment: assignment(value) },
        Change::Revoke { assignment: value, sessions_last, role_goes } => ChangeJson::DeleteAssignment {
            assignment: assignment(value),
            sessions_last: sessions_last.map(crate::model::SessionDuration::to_iso),
            role_goes: *role_goes,
        },
    }
}

/// Returns the JSON Schema (draft 2020-12) of one of the formats.
fn schema_of<T: JsonSchema>() -> Value {
    // What permset writes, not what it reads: an absent member and `null` are told apart.
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>().to_value()
}

/// Returns the schema of a plan.
pub fn plan_schema() -> Value {
    schema_of::<PlanJson>()
}

/// Returns the schema of an answer of `why`.
pub fn why_schema() -> Value {
    schema_of::<WhyJson>()
}

/// Returns the schema of `who-can`.
pub fn who_can_schema() -> Value {
    schema_of::<WhoCanJson>()
}

/// Returns the schema of `doctor`.
pub fn doctor_schema() -> Value {
    schema_of::<DoctorJson>()
}

/// Returns the schema of drift.
pub fn drift_schema() -> Value {
    schema_of::<DriftJson>()
}

/// Returns the schema of one event of an apply.
pub fn apply_schema() -> Value {
    schema_of::<ApplyEventJson>()
}
