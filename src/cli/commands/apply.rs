//! `permset apply`: plans, asks, applies, observes again and expects nothing.

use std::cell::Cell;
use std::io::{self, BufRead as _, IsTerminal as _};
use std::time::Duration;

use tokio::sync::watch;

use crate::apply::{self, ApplyReport, Event};
use crate::aws::Access;
use crate::cli::args::{ApplyArgs, ApplyFormat, Global, Shown, quoted};
use crate::cli::commands::{line, rendered};
use crate::cli::error::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::saved;
use crate::cli::session::Session;
use crate::cli::signal;
use crate::plan::Plan;
use crate::report::json::{ApplyEventJson, PlanJson};
use crate::report::plan::{Options, write_text};
use crate::report::saved::head;
use crate::report::{apply as report, count};

/// Runs the whole way.
pub(in crate::cli) async fn run(global: &Global, args: &ApplyArgs, output: &Output) -> Result<Exit, Failure> {
    let shown = Shown { full: args.full, show_unmanaged: false };
    let saved = args.plan.as_deref().map(saved::read).transpose()?;
    let session = Session::open(global, output, Access::ReadWrite, shown, saved.as_ref()).await?;
    let (plan, reading) = match (saved, &args.plan) {
        (Some(saved), Some(path)) => {
            output.notice(&head(&saved, saved::age(&saved)));
            let again = global.again(&format!("plan --out {}", quoted(&path.display().to_string())));
            let caller = saved::check(&session, &saved, &again, output).await?;
            (saved.plan.for_caller(&caller, &saved.facts), saved.reading)
        }
        _ => {
            let (observed, plan) = session.plan().await?;
            (plan, observed.reading)
        }
    };
    let file = session.file();
    let options = Options { file: &file, reading: &reading, full: args.full, unmanaged: false, allowed: &args.allow };
    let text = rendered(|out| write_text(out, &plan, &options));
    output.result(&match args.format {
        ApplyFormat::Text => text.clone(),
        ApplyFormat::Json => line(&ApplyEventJson::Plan { plan: Box::new(PlanJson::new(&plan, &reading)) })?,
    });
    // What could not be shown is not applied.
    output.check()?;
    let command = args
        .plan
        .as_ref()
        .map_or_else(|| "apply".to_owned(), |path| format!("apply {}", quoted(&path.display().to_string())));
    refuse(&plan, &global.again(&command), &args.allow)?;
    if plan.is_empty() {
        let report = ApplyReport { outcomes: Vec::new(), stopped: false };
        return finish(output, global, args.format, &report, Some(0));
    }
    // A plan that was saved was looked at when it was made: that is what it is saved for.
    consent(&plan, &text, global, args.auto_approve || args.plan.is_some(), output)?;
    let mut stop = signal::listen().map_err(|error| Failure::new(format!("cannot listen for Ctrl-C: {error}")))?;
    output.changes_begin();
    let report = carry_out(&session, &plan, stop.clone(), args.format, output).await;
    if report.stopped {
        finish(output, global, args.format, &report, None)?;
        let failure = Failure::new("stopped; what was under way has ended, see above");
        return Err(failure.hint(what_next(global)).exit(Exit::Interrupted));
    }
    let observed_again = tokio::select! {
        left = remaining(&session, &report) => left,
        _ = stop.wait_for(|stopped| *stopped) => {
            finish(output, global, args.format, &report, None)?;
            let failure = Failure::new("applied, and stopped before all was observed again");
            return Err(failure.hint(what_next(global)).exit(Exit::Interrupted));
        }
    };
    match observed_again {
        Ok(left) => finish(output, global, args.format, &report, Some(left)),
        Err(failure) => {
            finish(output, global, args.format, &report, None)?;
            let message = format!("applied, but the result could not be observed: {}", failure.message);
            Err(Failure { message, ..failure }.hint(what_next(global)).exit(Exit::Incomplete))
        }
    }
}

fn what_next(global: &Global) -> String {
    format!("`{}` shows what is left, `{}` goes on", global.again("plan"), global.again("apply"))
}

/// Observes and plans again, and says how many changes are left. Lists may lag behind requests that succeeded
/// (Identity Center is eventually consistent), so a difference counts only if it lasts.
async fn remaining(session: &Session<'_>, report: &ApplyReport) -> Result<usize, Failure> {
    let all_done = report.outcomes.iter().all(apply::Outcome::succeeded);
    for pause in GRACE {
        let left = session.plan_quietly().await?.steps.len();
        if left == 0 || !all_done {
            return Ok(left);
        }
        tokio::time::sleep(pause).await;
    }
    Ok(session.plan_quietly().await?.steps.len())
}

/// How long to wait before looking again, each time.
const GRACE: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(8)];

/// Checks every refusal against the consents given.
fn refuse(plan: &Plan, command: &str, allowed: &[String]) -> Result<(), Failure> {
    let missing = plan
        .refusals
        .iter()
        .filter(|refusal| !plan.is_empty() || refusal.stands_alone())
        .map(crate::plan::Refusal::consent)
        .filter(|consent| !allowed.iter().any(|given| given == consent));
    let mut missing: Vec<&str> = missing.collect();
    missing.sort_unstable();
    missing.dedup();
    if missing.is_empty() {
        return Ok(());
    }
    let flags: Vec<String> = missing.iter().map(|consent| format!("--allow {consent}")).collect();
    let failure = Failure::new("the plan above needs consent, nothing was changed");
    Err(failure.hint(format!("if it is meant: `{command} {}`", flags.join(" "))).exit(Exit::Refused))
}

/// Asks, where somebody is there to answer.
fn consent(plan: &Plan, text: &str, global: &Global, auto_approve: bool, output: &Output) -> Result<(), Failure> {
    if auto_approve {
        return Ok(());
    }
    let changes = count(plan.steps.len(), "change");
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        let failure = Failure::new(format!("nobody is there to approve the {changes} above, nothing was changed"));
        let command = global.again("apply --auto-approve");
        return Err(failure.hint(format!("if it is meant: `{command}`")).exit(Exit::Refused));
    }
    if !io::stdout().is_terminal() {
        // Whoever is asked has not seen what went into a file.
        output.talk(text);
    }
    let these = if plan.steps.len() == 1 { "this" } else { "these" };
    output.talk(&format!("\nApply {these} {changes}? [y/N] "));
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    match (read, answer.trim().to_lowercase().as_str()) {
        (Ok(_), "y" | "yes") => Ok(()),
        (Ok(0) | Err(_), _) => {
            output.talk("\n");
            Err(Failure::new("not approved, nothing was changed").exit(Exit::Refused))
        }
        _ => Err(Failure::new("not approved, nothing was changed").exit(Exit::Refused)),
    }
}

async fn carry_out(
    session: &Session<'_>,
    plan: &Plan,
    stop: watch::Receiver<bool>,
    format: ApplyFormat,
    output: &Output,
) -> ApplyReport {
    let progress = session.progress();
    let (done, total) = (Cell::new(0), plan.steps.len());
    if format == ApplyFormat::Text {
        progress.aside(|| output.result("\n"));
    }
    apply::apply(&session.aws, plan, stop, |event| {
        match event {
            Event::Started(index) => {
                let what = plan.steps.get(index).map(|step| report::started(&step.change)).unwrap_or_default();
                progress.began(what, done.get(), total, session.aws.calls());
            }
            Event::Finished(index, _) => {
                done.set(done.get() + 1);
                let what = plan.steps.get(index).map(|step| report::started(&step.change)).unwrap_or_default();
                progress.ended(&what, done.get(), total, session.aws.calls());
            }
        }
        if let Some(text) = event_text(plan, format, event) {
            progress.aside(|| output.result(&text));
        }
    })
    .await
}

fn event_text(plan: &Plan, format: ApplyFormat, event: Event<'_>) -> Option<String> {
    match (format, event) {
        (ApplyFormat::Text, Event::Started(_)) => None,
        (ApplyFormat::Text, Event::Finished(index, outcome)) => {
            Some(rendered(|out| report::write_outcome(out, plan, index, outcome)))
        }
        (ApplyFormat::Json, Event::Started(index)) => line(&ApplyEventJson::started(plan, index)).ok(),
        (ApplyFormat::Json, Event::Finished(index, outcome)) => {
            line(&ApplyEventJson::finished(plan, index, outcome)).ok()
        }
    }
}

/// Prints the last words and says how it ended.
fn finish(
    output: &Output,
    global: &Global,
    format: ApplyFormat,
    report: &ApplyReport,
    remaining: Option<usize>,
) -> Result<Exit, Failure> {
    match format {
        ApplyFormat::Json => output.result(&line(&ApplyEventJson::summary(report, remaining))?),
        // An empty plan said already that nothing is to be done.
        ApplyFormat::Text if report.outcomes.is_empty() => {}
        ApplyFormat::Text => {
            output.result(&rendered(|out| report::write_summary(out, report, remaining, &what_next(global))))
        }
    }
    Ok(if remaining == Some(0) { Exit::Ok } else { Exit::Incomplete })
}
