//! What plan, apply and drift do alike: read the file, connect, observe, plan.

use std::path::Path;

use crate::aws::{Access, Aws, Connection, Transport};
use crate::cli::args::{Global, Shown};
use crate::cli::error::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::desired::{self, AccessFile};
use crate::model::{Caller, DesiredState, Facts, InstanceArn, ObservedState, Sources};
use crate::observed::{self, Request};
use crate::plan::{self, Plan, SavedPlan};
use crate::report::style;
use crate::sandbox::{Sandbox, starter};

/// An access file that is in order, and a connection to what it is about.
pub(super) struct Session<'a> {
    global: &'a Global,
    output: &'a Output,
    sources: Sources,
    pub(super) desired: DesiredState,
    /// The digest of what `desired` was read from.
    pub(super) file_digest: String,
    pub(super) aws: Aws,
    request: Request,
}

/// Reads and checks the access file; findings are printed.
///
/// # Errors
/// If it cannot be read, or has errors, which are printed before.
pub(super) fn load(path: &Path, output: &Output) -> Result<(Sources, String, DesiredState), Failure> {
    let AccessFile { sources, findings, digest, desired } = desired::load(path)?;
    output.findings(&findings, &sources);
    match desired {
        Some(desired) => Ok((sources, digest, desired)),
        None => Err(Failure::new("the access file has errors, nothing was asked of AWS").exit(Exit::Invalid)),
    }
}

impl<'a> Session<'a> {
    /// Reads the access file and connects.
    ///
    /// # Errors
    /// If the file has errors, or there is no way to AWS.
    pub(super) async fn open(
        global: &'a Global,
        output: &'a Output,
        access: Access,
        shown: Shown,
        saved: Option<&SavedPlan>,
    ) -> Result<Self, Failure> {
        let (sources, file_digest, desired) = load(&global.file, output)?;
        let instance = match &global.instance {
            Some(arn) => Some(
                InstanceArn::parse(arn)
                    .map_err(|error| Failure::new(format!("--instance {arn}: {error}")).exit(Exit::Usage))?,
            ),
            None => None,
        };
        let connection = connection(global, &desired, saved, output)?;
        let aws = Aws::connect(&connection, access).await?;
        let request = Request { instance, unmanaged: shown.show_unmanaged };
        Ok(Self { global, output, sources, desired, file_digest, aws, request })
    }

    /// Observes and plans.
    ///
    /// # Errors
    /// If a read fails, or AWS proves the access file wrong; those findings are printed before.
    pub(super) async fn plan(&self) -> Result<(ObservedState, Plan), Failure> {
        let mut observed = self.observe().await?;
        match plan::plan(&self.desired, &observed) {
            Ok((plan, findings)) => {
                self.output.findings(&findings, &self.sources);
                let users = plan.users_in_doubt();
                if users.is_empty() {
                    return Ok((observed, plan));
                }
                observed::read_groups(&self.aws, &mut observed, users).await?;
                let plan = plan::plan(&self.desired, &observed).map_or(plan, |(plan, _)| plan);
                Ok((observed, plan))
            }
            Err(findings) => {
                self.output.findings(&findings, &self.sources);
                Err(Failure::new("the access file does not fit what AWS has, nothing was changed").exit(Exit::Invalid))
            }
        }
    }

    /// Reads again what a saved plan rests on.
    ///
    /// # Errors
    /// If a read fails, or the plan is for another instance, which is `refused`.
    pub(super) async fn facts_again(
        &self,
        saved: &SavedPlan,
        refused: impl Fn(String) -> Failure,
    ) -> Result<(Facts, Caller), Failure> {
        let planned = &saved.plan.instance;
        let wanted = self.request.instance.as_ref().or(self.desired.instance.as_ref().map(|arn| &arn.value));
        if let Some(wanted) = wanted.filter(|wanted| **wanted != planned.arn) {
            return Err(refused(format!(
                "the plan is for instance {}, not for {}",
                planned.arn.short(),
                wanted.short()
            )));
        }
        let found = match observed::instance(&self.aws, &planned.arn).await {
            Err(error) if error.kind == crate::aws::ErrorKind::NoInstance => {
                return Err(refused(format!("the plan is for another instance: {}", error.message)));
            }
            found => found?,
        };
        if found.identity_store != planned.identity_store {
            let stores = format!("{} behind it, not {}", found.identity_store, planned.identity_store);
            return Err(refused(format!("instance {} has identity store {stores}", planned.arn.short())));
        }
        let progress = self.progress();
        let on_progress = self.reading(&progress);
        let facts = observed::again(&self.aws, planned, &saved.facts, &saved.plan.arns, &on_progress).await?;
        let caller = observed::caller(&self.aws, planned, &saved.facts).await?;
        Ok((facts, caller))
    }

    /// Observes and plans once more; what deserves a look was shown the first time.
    ///
    /// # Errors
    /// As [`Session::plan`].
    pub(super) async fn plan_quietly(&self) -> Result<Plan, Failure> {
        let observed = self.observe().await?;
        match plan::plan(&self.desired, &observed) {
            Ok((plan, _)) => Ok(plan),
            Err(findings) => {
                self.output.findings(&findings, &self.sources);
                Err(Failure::new("the access file no longer fits what AWS has").exit(Exit::Incomplete))
            }
        }
    }

    async fn observe(&self) -> Result<ObservedState, Failure> {
        let progress = self.progress();
        let on_progress = self.reading(&progress);
        Ok(observed::observe(&self.aws, &self.desired, &self.request, &on_progress).await?)
    }

    /// Says how many calls were made, and whether AWS slows them down.
    pub(super) fn pace(&self) -> String {
        let slowed = if self.aws.is_slowed() { ", slowed down by AWS" } else { "" };
        format!("{} calls{slowed}", self.aws.calls())
    }

    fn reading<'p>(&'p self, progress: &'p Progress<'_>) -> impl Fn(observed::Progress) + 'p {
        |step| progress.step(&format!("reading {}", step.what), step.done, step.total, &self.pace())
    }

    /// Returns what is asked instead of AWS, if it is something else.
    pub(super) fn endpoint(&self) -> Option<String> {
        let sandbox = self.global.sandbox.as_ref().map(|world| format!("sandbox {}", world.display()));
        sandbox.or_else(|| self.aws.endpoint_url().map(str::to_owned))
    }

    /// Starts to show progress, if this run shows any.
    pub(super) fn progress(&self) -> Progress<'a> {
        Progress::start(self.output, self.global.verbose > 0)
    }

    /// Returns the access file's name as the user gave it.
    pub(super) fn file(&self) -> String {
        crate::model::Shown(&self.global.file.display().to_string()).to_string()
    }
}

fn connection(
    global: &Global,
    desired: &DesiredState,
    saved: Option<&SavedPlan>,
    output: &Output,
) -> Result<Connection, Failure> {
    let region = global.region.clone().or_else(|| desired.region.clone());
    let region = region.or_else(|| saved.map(|saved| saved.plan.instance.region.clone()));
    let (transport, region) = match &global.sandbox {
        None => (Transport::Network, region),
        Some(path) => {
            let sandbox = open_sandbox(path, output)?;
            let home = sandbox.world().instance.map(|instance| instance.region);
            (Transport::InProcess(sandbox.connector()), region.or(home))
        }
    };
    Ok(Connection { profile: global.profile.clone(), region, endpoint_url: global.endpoint_url.clone(), transport })
}

fn open_sandbox(path: &Path, output: &Output) -> Result<Sandbox, Failure> {
    let sandbox = Sandbox::open(path, || {
        let shown = crate::model::Shown(&path.display().to_string()).to_string();
        output.notice(&format!(
            "sandbox: made a starter world in {shown} (`permset sandbox show` shows it, `reset` makes it anew)"
        ));
        starter::starter()
    })?;
    notices(&sandbox, output);
    Ok(sandbox)
}

/// Prints what happened to a world file that somebody should know.
pub(super) fn notices(sandbox: &Sandbox, output: &Output) {
    for notice in sandbox.notices() {
        output.talk(&format!("{}: {}\n", style::warning("notice"), crate::model::Shown(&notice)));
    }
}
