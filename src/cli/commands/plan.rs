//! `permset plan`: shows what apply would change.

use std::path::Path;

use crate::aws::Access;
use crate::cli::args::{Format, Global, PlanArgs, quoted};
use crate::cli::commands::{pretty, rendered};
use crate::cli::error::Failure;
use crate::cli::exit::Exit;
use crate::cli::journals;
use crate::cli::output::Output;
use crate::cli::saved;
use crate::cli::session::Session;
use crate::cli::snapshots::{self, Offline};
use crate::model::{Facts, ObservedState, People};
use crate::plan::{Plan, SavedPlan};
use crate::report::json::PlanJson;
use crate::report::plan::{self, Options};

/// Observes, plans, prints.
pub(in crate::cli) async fn run(global: &Global, args: &PlanArgs, output: &Output) -> Result<Exit, Failure> {
    let (observed, plan, people, saved) = match &args.looking.observed {
        Some(path) => from_snapshot(global, args, path, output)?,
        None => from_aws(global, args, output).await?,
    };
    let file = global.shown_file();
    let options = Options {
        file: &file,
        reading: &observed.reading,
        full: args.shown.full,
        unmanaged: args.shown.show_unmanaged,
        allowed: &[],
        people: people.as_ref(),
    };
    output.result(&match args.format {
        Format::Text => rendered(|out| plan::write_text(out, &plan, &options)),
        Format::Json => pretty(&PlanJson::new(&plan, &observed.reading, people.as_ref()))?,
        Format::Markdown => rendered(|out| plan::write_markdown(out, &plan, &options)),
    });
    if let (Some(path), Some((made, file_digest, facts))) = (&args.out, saved) {
        let differs = args.detailed_exitcode && !plan.is_empty();
        let saved = SavedPlan { made, file, file_digest, reading: observed.reading, plan, facts, people };
        saved::write(path, &saved)?;
        let command = global.again(&format!("apply {}", quoted(&path.display().to_string())));
        output.notice(&format!("saved; `{command}` applies exactly this"));
        return Ok(if differs { Exit::Differences } else { Exit::Ok });
    }
    Ok(if args.detailed_exitcode && !plan.is_empty() { Exit::Differences } else { Exit::Ok })
}

/// A plan, what it was made from, what it means to people, and if it is to be saved: when, the digest of the access file, and what it rests on.
type Made = (ObservedState, Plan, Option<People>, Option<(String, String, Facts)>);

async fn from_aws(global: &Global, args: &PlanArgs, output: &Output) -> Result<Made, Failure> {
    let reading = (args.shown.show_unmanaged, args.looking.reading);
    let session = Session::open(global, output, Access::ReadOnly, reading, None).await?;
    let (mut observed, plan) = session.plan().await?;
    let people = session.people(&plan, &mut observed, !args.no_people).await;
    journals::mention(&session, &args.journal, &plan.instance, output)?;
    let saved = if args.out.is_some() {
        let facts = crate::plan::facts(&plan, &session.desired, &observed);
        let facts = crate::observed::complete(&session.aws, &plan.instance, facts).await?;
        Some((crate::apply::journal::now(), session.file_digest.clone(), facts))
    } else {
        None
    };
    Ok((observed, plan, people, saved))
}

/// A snapshot does not tell who is in which group.
fn from_snapshot(global: &Global, args: &PlanArgs, path: &Path, output: &Output) -> Result<Made, Failure> {
    let keep = (args.shown.show_unmanaged, args.out.is_some());
    let Offline { desired, file_digest, observed, plan, parts, taken, sources: _ } =
        snapshots::plan(global, path, keep, output)?;
    let facts = parts.map(|parts| parts.complete(crate::plan::facts(&plan, &desired, &observed)));
    let saved = facts.map(|facts| (taken, file_digest, facts));
    Ok((observed, plan, None, saved))
}
