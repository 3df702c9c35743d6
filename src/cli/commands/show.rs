//! `permset show`: prints a saved plan, or the journal of an apply.

use crate::cli::args::{Format, ShowPlanArgs};
use crate::cli::commands::{pretty, rendered};
use crate::cli::error::Failure;
use crate::cli::exit::Exit;
use crate::cli::journals;
use crate::cli::output::Output;
use crate::cli::saved;
use crate::report::journal;
use crate::report::json::PlanJson;
use crate::report::plan::{self, Options};
use crate::report::saved::head;

/// Reads and prints, offline.
pub(in crate::cli) fn run(args: &ShowPlanArgs, output: &Output) -> Result<Exit, Failure> {
    if let Some((begin, lines)) = journals::read(&args.file)? {
        output.result(&match args.format {
            Format::Markdown => {
                return Err(Failure::new("a journal is shown as text or as JSON, not as Markdown").exit(Exit::Usage));
            }
            Format::Text => rendered(|out| journal::write_text(out, &begin, &lines)),
            Format::Json => pretty(&lines)?,
        });
        return Ok(Exit::Ok);
    }
    let saved = saved::read(&args.file)?;
    let options = Options {
        file: &saved.file,
        reading: &saved.reading,
        full: args.full,
        unmanaged: true,
        allowed: &[],
        people: saved.people.as_ref(),
    };
    let head = head(&saved, saved::age(&saved));
    output.result(&match args.format {
        Format::Text => format!("{head}\n\n{}", rendered(|out| plan::write_text(out, &saved.plan, &options))),
        Format::Json => pretty(&PlanJson::new(&saved.plan, &saved.reading, saved.people.as_ref()))?,
        Format::Markdown => rendered(|out| plan::write_markdown(out, &saved.plan, &options)),
    });
    Ok(Exit::Ok)
}
