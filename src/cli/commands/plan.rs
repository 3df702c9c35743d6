//! `permset plan`: shows what apply would change.

use crate::aws::Access;
use crate::cli::args::{Format, Global, PlanArgs, quoted};
use crate::cli::commands::{pretty, rendered};
use crate::cli::error::Failure;
use crate::cli::exit::Exit;
use crate::cli::journals;
use crate::cli::output::Output;
use crate::cli::saved;
use crate::cli::session::Session;
use crate::plan::SavedPlan;
use crate::report::json::PlanJson;
use crate::report::plan::{self, Options};

/// Observes, plans, prints.
pub(in crate::cli) async fn run(global: &Global, args: &PlanArgs, output: &Output) -> Result<Exit, Failure> {
    let session = Session::open(global, output, Access::ReadOnly, args.shown, None).await?;
    let (observed, plan) = session.plan().await?;
    journals::mention(&session, &args.journal, &plan.instance, output)?;
    let file = session.file();
    let options = Options {
        file: &file,
        reading: &observed.reading,
        full: args.shown.full,
        unmanaged: args.shown.show_unmanaged,
        allowed: &[],
    };
    output.result(&match args.format {
        Format::Text => rendered(|out| plan::write_text(out, &plan, &options)),
        Format::Json => pretty(&PlanJson::new(&plan, &observed.reading))?,
        Format::Markdown => rendered(|out| plan::write_markdown(out, &plan, &options)),
    });
    if let Some(path) = &args.out {
        let facts = crate::plan::facts(&plan, &session.desired, &observed);
        let facts = crate::observed::complete(&session.aws, &plan.instance, facts).await?;
        let made = crate::apply::journal::now();
        let file_digest = session.file_digest.clone();
        let saved = SavedPlan { made, file, file_digest, reading: observed.reading, plan: plan.clone(), facts };
        saved::write(path, &saved)?;
        let command = global.again(&format!("apply {}", quoted(&path.display().to_string())));
        output.notice(&format!("saved; `{command}` applies exactly this"));
    }
    Ok(if args.detailed_exitcode && !plan.is_empty() { Exit::Differences } else { Exit::Ok })
}
