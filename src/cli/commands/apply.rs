//! `permset apply`: plans, asks, applies, observes again and expects nothing.

use std::cell::Cell;
use std::io::{self, BufRead as _, IsTerminal as _};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::apply::{self, ApplyReport, CutShort, Event, Terms};
use crate::aws::Access;
use crate::cli::args::{ApplyArgs, ApplyFormat, Global, quoted};
use crate::cli::commands::{line, rendered};
use crate::cli::error::Failure;
use crate::cli::exit::Exit;
use crate::cli::journals;
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
    let begun = Instant::now();
    let saved = args.plan.as_deref().map(saved::read).transpose()?;
    let session = Session::open(global, output, Access::ReadWrite, (false, args.reading), saved.as_ref()).await?;
    let until = args.timeout.and_then(|timeout| begun.checked_add(timeout));
    let taken_up = journals::take_up(&session, &args.journal, output);
    match until {
        None => taken_up.await?,
        Some(until) => timeout_at(until, taken_up).await.map_err(|_| {
            Failure::new(
                "the time given with --timeout is over, nothing was changed: what an earlier apply began still goes on",
            )
        })??,
    }
    let (plan, plan_digest, reading, caller, people) = match (saved, &args.plan) {
        (Some(saved), Some(path)) => {
            output.notice(&head(&saved, saved::age(&saved)));
            let again = global.again(&format!("plan --out {}", quoted(&path.display().to_string())));
            let (digest, people) = (saved.digest(), saved.people.clone());
            let (plan, reading, caller) = saved::check(&session, saved, &again, output).await?;
            (plan, digest, reading, caller, people)
        }
        _ => {
            let (mut observed, plan) = session.plan().await?;
            let digest = plan.digest();
            let people = session.people(&plan, &mut observed, !args.no_people).await;
            (plan, digest, observed.reading, observed.caller, people)
        }
    };
    let file = session.file();
    let options = Options {
        file: &file,
        reading: &reading,
        full: args.full,
        unmanaged: false,
        allowed: &args.allow,
        people: people.as_ref(),
    };
    let text = rendered(|out| write_text(out, &plan, &options));
    output.result(&match args.format {
        ApplyFormat::Text => text.clone(),
        ApplyFormat::Json => {
            line(&ApplyEventJson::Plan { plan: Box::new(PlanJson::new(&plan, &reading, people.as_ref())) })?
        }
    });
    // What could not be shown is not applied.
    output.check()?;
    refuse(&plan, args, global)?;
    if plan.is_empty() {
        let report = ApplyReport { outcomes: Vec::new(), cut_short: None };
        return finish(output, global, args, &report, Some(0));
    }
    consent(&plan, &text, args, global, output)?;
    unchanged(&session, global)?;
    if until.is_some_and(|until| Instant::now() >= until) {
        return Err(Failure::new("the time given with --timeout is over, nothing was changed"));
    }
    let journal = journals::begin(&session, &args.journal, (&plan, plan_digest), &caller, &args.allow)?;
    let shown = crate::model::Shown(&journal.path().display().to_string()).to_string();
    let left = format!(
        "stopped at once: AWS goes on with the requests in flight, which stand in {shown}; `{}` asks what became of them",
        args.again(global, &[])
    );
    let stop = signal::listen(left).map_err(|error| Failure::new(format!("cannot listen for Ctrl-C: {error}")))?;
    output.changes_begin();
    let terms = Terms { journal: Some(&journal), until };
    let report = carry_out(&session, &plan, &terms, stop.clone(), args.format, output).await;
    let ended = conclude(&session, args, global, &report, stop).await;
    let remaining = ended.as_ref().ok().copied();
    journals::end(&journal, &report, remaining);
    let exit = finish(output, global, args, &report, remaining)?;
    ended.map(|_| exit)
}

/// Observes again, unless the apply was cut short, and returns how many changes are left.
async fn conclude(
    session: &Session<'_>,
    args: &ApplyArgs,
    global: &Global,
    report: &ApplyReport,
    mut stop: watch::Receiver<bool>,
) -> Result<usize, Failure> {
    let (message, exit) = match &report.cut_short {
        Some(CutShort::Stopped) => ("stopped; what was under way has ended, see above".to_owned(), Exit::Interrupted),
        Some(CutShort::OutOfTime) => {
            ("the time given with --timeout is over; what is still in flight stands above".to_owned(), Exit::Incomplete)
        }
        Some(CutShort::Journal(trouble)) => {
            let message = format!("the journal cannot be written, so nothing more was started: {trouble}");
            let failure = Failure::new(message).hint("make room, or name another folder with `--journal DIR`");
            return Err(failure.hint(what_next(args, global)).exit(Exit::Incomplete));
        }
        None => {
            let observed_again = tokio::select! {
                left = remaining(session, report) => left,
                _ = stop.wait_for(|stopped| *stopped) => {
                    let failure = Failure::new("applied, and stopped before all was observed again");
                    return Err(failure.hint(what_next(args, global)).exit(Exit::Interrupted));
                }
            };
            return observed_again.map_err(|failure| {
                let message = format!("applied, but the result could not be observed: {}", failure.message);
                Failure { message, ..failure }.hint(what_next(args, global)).exit(Exit::Incomplete)
            });
        }
    };
    Err(Failure::new(message).hint(what_next(args, global)).exit(exit))
}

fn what_next(args: &ApplyArgs, global: &Global) -> String {
    if let Some(path) = &args.plan {
        // A saved plan is good for once.
        let plan = global.again(&format!("plan --out {}", quoted(&path.display().to_string())));
        return format!("`{plan}` plans what is left, `{}` goes on", args.again(global, &[]));
    }
    format!("`{}` shows what is left, `{}` goes on", global.again("plan"), args.again(global, &[]))
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
fn refuse(plan: &Plan, args: &ApplyArgs, global: &Global) -> Result<(), Failure> {
    let missing = plan
        .refusals
        .iter()
        .filter(|refusal| !plan.is_empty() || refusal.stands_alone())
        .map(crate::plan::Refusal::consent)
        .filter(|consent| !args.allow.iter().any(|given| given == consent));
    let mut missing: Vec<&str> = missing.collect();
    missing.sort_unstable();
    missing.dedup();
    if missing.is_empty() {
        return Ok(());
    }
    let failure = Failure::new("the plan above needs consent, nothing was changed");
    Err(failure.hint(format!("if it is meant: `{}`", args.again(global, &missing))).exit(Exit::Refused))
}

/// Asks, where somebody is there to answer. A plan that was saved was looked at when it was made: that is what it is saved for.
fn consent(plan: &Plan, text: &str, args: &ApplyArgs, global: &Global, output: &Output) -> Result<(), Failure> {
    if args.auto_approve || args.plan.is_some() {
        return Ok(());
    }
    let changes = count(plan.steps.len(), "change");
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        let failure = Failure::new(format!("nobody is there to approve the {changes} above, nothing was changed"));
        let command = format!("{} --auto-approve", args.again(global, &[]));
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

/// While somebody is asked, lines of the file expire, and others edit it.
fn unchanged(session: &Session<'_>, global: &Global) -> Result<(), Failure> {
    // A pipe can be read once only.
    if !global.file.is_file() && !global.file.is_dir() {
        return Ok(());
    }
    if crate::desired::load(&global.file)?.digest == session.file_digest {
        return Ok(());
    }
    let message = format!(
        "{} has changed since the plan was made, or a line of it has expired, nothing was changed",
        session.file()
    );
    Err(Failure::new(message).hint(format!("look again: `{}`", global.again("plan"))).exit(Exit::Refused))
}

async fn carry_out(
    session: &Session<'_>,
    plan: &Plan,
    terms: &Terms<'_>,
    stop: watch::Receiver<bool>,
    format: ApplyFormat,
    output: &Output,
) -> ApplyReport {
    let progress = session.progress();
    let (done, total) = (Cell::new(0), plan.steps.len());
    if format == ApplyFormat::Text {
        progress.aside(|| output.result("\n"));
    }
    apply::apply(&session.aws, plan, terms, stop, |event| {
        match event {
            Event::Started(index) => {
                let what = plan.steps.get(index).map(|step| report::started(&step.change)).unwrap_or_default();
                progress.began(what, done.get(), total);
            }
            Event::Finished(index, _) => {
                done.set(done.get() + 1);
                let what = plan.steps.get(index).map(|step| report::started(&step.change)).unwrap_or_default();
                progress.ended(&what, done.get(), total);
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
    args: &ApplyArgs,
    report: &ApplyReport,
    remaining: Option<usize>,
) -> Result<Exit, Failure> {
    match args.format {
        ApplyFormat::Json => output.result(&line(&ApplyEventJson::summary(report, remaining))?),
        // An empty plan said already that nothing is to be done.
        ApplyFormat::Text if report.outcomes.is_empty() => {}
        ApplyFormat::Text => {
            output.result(&rendered(|out| report::write_summary(out, report, remaining, &what_next(args, global))))
        }
    }
    Ok(if remaining == Some(0) { Exit::Ok } else { Exit::Incomplete })
}
