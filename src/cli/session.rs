//! What plan, apply and drift do alike: read the file, connect, observe, plan.

use std::path::Path;

use crate::aws::{Access, Aws, Connection, ErrorKind, Transport};
use crate::cli::args::{Global, Reading};
use crate::cli::error::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::desired::{self, AccessFile};
use crate::effective::people;
use crate::model::{Caller, DesiredState, Facts, InstanceArn, ObservedState, People, Sources, Strategy};
use crate::observed::{self, Request};
use crate::plan::{self, Plan, SavedPlan};
use crate::report::style;
use crate::sandbox::{Sandbox, starter};

/// An access file that is in order, and a connection to what it is about.
pub(super) struct Session<'a> {
    global: &'a Global,
    output: &'a Output,
    pub(super) sources: Sources,
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
    let AccessFile { sources, access_files: _, findings, digest, desired } = desired::load(path)?;
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
        (unmanaged, reading): (bool, Reading),
        saved: Option<&SavedPlan>,
    ) -> Result<Self, Failure> {
        let (sources, file_digest, desired) = load(&global.file, output)?;
        let only = reading.deep.then_some(Strategy::ByPermissionSet);
        let request = Request { instance: instance(global)?, unmanaged, only };
        let region = desired.region.clone().or_else(|| saved.map(|saved| saved.plan.instance.region.clone()));
        let aws = Aws::connect(&connection(global, region, output)?, access).await?;
        Ok(Self { global, output, sources, desired, file_digest, aws, request })
    }

    /// Observes and plans.
    ///
    /// # Errors
    /// If a read fails, or AWS proves the access file wrong; those findings are printed before.
    pub(super) async fn plan(&self) -> Result<(ObservedState, Plan), Failure> {
        let mut observed = self.observe().await?;
        let plan = planned(&self.desired, &observed, &self.sources, self.output)?;
        let (users, calls) = (plan.users_in_doubt(), self.aws.calls());
        observed::read_pairs(&self.aws, &self.desired, &mut observed, plan.pairs()).await?;
        if !users.is_empty() {
            observed::read_groups(&self.aws, &mut observed, users).await?;
        }
        if self.aws.calls() == calls {
            return Ok((observed, plan));
        }
        let plan = plan::plan(&self.desired, &observed).map_or(plan, |(plan, _)| plan);
        Ok((observed, plan))
    }

    /// Reads who is behind the groups that a plan is about, and says what it means to people. Nothing if it cannot be read, which is
    /// said and stops no plan, or if nobody wants to know.
    pub(super) async fn people(&self, plan: &Plan, observed: &mut ObservedState, wanted: bool) -> Option<People> {
        if !wanted || plan.pairs().is_empty() {
            return None;
        }
        let progress = self.progress();
        let groups = people::groups(plan, observed);
        match observed::read_members(&self.aws, observed, groups, &self.reading(&progress)).await {
            Ok(()) => Some(people::people(plan, observed)),
            Err(error) => {
                let why = match error.kind {
                    ErrorKind::AccessDenied => "the members of groups may not be read".to_owned(),
                    _ => format!("the members of groups cannot be read ({error})"),
                };
                let words = format!("{why}, so this does not say whom it concerns");
                self.output.notice(&format!("{}: {words}", style::warning("notice")));
                None
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

    fn reading<'p>(&'p self, progress: &'p Progress<'_>) -> impl Fn(crate::model::Progress) + 'p {
        |step| progress.reading(&step)
    }

    /// Returns what is asked instead of AWS, if it is something else.
    pub(super) fn endpoint(&self) -> Option<String> {
        let sandbox = self.global.sandbox.as_ref().map(|world| format!("sandbox {}", world.display()));
        sandbox.or_else(|| self.aws.endpoint_url().map(str::to_owned))
    }

    /// Starts to show progress, if this run shows any.
    pub(super) fn progress(&self) -> Progress<'_> {
        Progress::start(self.output, &self.aws, self.global.verbose > 0)
    }

    /// Returns the access file's name as the user gave it.
    pub(super) fn file(&self) -> String {
        self.global.shown_file()
    }
}

/// Plans; findings are printed.
///
/// # Errors
/// If AWS proves the access file wrong.
pub(super) fn planned(
    desired: &DesiredState,
    observed: &ObservedState,
    sources: &Sources,
    output: &Output,
) -> Result<Plan, Failure> {
    match plan::plan(desired, observed) {
        Ok((plan, findings)) => {
            output.findings(&findings, sources);
            Ok(plan)
        }
        Err(findings) => {
            output.findings(&findings, sources);
            Err(Failure::new("the access file does not fit what AWS has, nothing was changed").exit(Exit::Invalid))
        }
    }
}

/// Returns the instance that the command line names, if it does.
///
/// # Errors
/// If `--instance` is no ARN.
pub(super) fn instance(global: &Global) -> Result<Option<InstanceArn>, Failure> {
    let parse = |arn: &String| {
        InstanceArn::parse(arn).map_err(|error| Failure::new(format!("--instance {arn}: {error}")).exit(Exit::Usage))
    };
    global.instance.as_ref().map(parse).transpose()
}

/// Returns the way to AWS, or to what is asked in its place. `region` is what holds where the command line is silent.
///
/// # Errors
/// If the sandbox's world cannot be opened.
pub(super) fn connection(global: &Global, region: Option<String>, output: &Output) -> Result<Connection, Failure> {
    if global.sandbox.is_none() {
        refuse_empty_endpoint(global)?;
    }
    let region = global.region.clone().or(region);
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

/// An endpoint that is set to nothing is a mistake of some script; the SDK would not survive it.
///
/// # Errors
/// If there is one.
pub(super) fn refuse_empty_endpoint(global: &Global) -> Result<(), Failure> {
    let names = [
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_SSO",
        "AWS_ENDPOINT_URL_STS",
        "AWS_ENDPOINT_URL_SSO_ADMIN",
        "AWS_ENDPOINT_URL_IDENTITYSTORE",
        "AWS_ENDPOINT_URL_ORGANIZATIONS",
        "AWS_ENDPOINT_URL_CLOUDTRAIL",
    ];
    if global.endpoint_url.as_ref().is_some_and(String::is_empty) {
        return Err(Failure::new("--endpoint-url is empty").exit(Exit::Usage));
    }
    match names.into_iter().find(|name| std::env::var_os(name).is_some_and(|value| value.is_empty())) {
        Some(name) => Err(Failure::new(format!("{name} is set, and empty")).hint(format!("unset {name}"))),
        None => Ok(()),
    }
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
