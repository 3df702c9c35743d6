//! `permset drift`: looks for differences without ever writing.

use crate::aws::Access;
use crate::cli::args::{DriftArgs, Format, Global};
use crate::cli::commands::{pretty, rendered};
use crate::cli::error::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::session::Session;
use crate::cli::snapshots::{self, Offline};
use crate::plan;
use crate::report::drift;
use crate::report::json::DriftJson;
use crate::report::plan::Options;

/// Observes, compares, prints by kind.
pub(in crate::cli) async fn run(global: &Global, args: &DriftArgs, output: &Output) -> Result<Exit, Failure> {
    let unmanaged = args.shown.show_unmanaged;
    let (desired, observed, plan) = match &args.looking.observed {
        Some(path) => {
            let Offline { desired, observed, plan, .. } = snapshots::plan(global, path, (unmanaged, false), output)?;
            (desired, observed, plan)
        }
        None => {
            let reading = (unmanaged, args.looking.reading);
            let session = Session::open(global, output, Access::ReadOnly, reading, None).await?;
            let (observed, plan) = session.plan().await?;
            (session.desired, observed, plan)
        }
    };
    let found = plan::drift(&plan, &desired, &observed);
    let file = global.shown_file();
    let options = Options {
        file: &file,
        reading: &observed.reading,
        full: args.shown.full,
        unmanaged: args.shown.show_unmanaged,
        allowed: &[],
        people: None,
    };
    output.result(&match args.format {
        Format::Text => rendered(|out| drift::write_text(out, &found, &options)),
        Format::Json => pretty(&DriftJson::new(&found, &observed.reading))?,
        Format::Markdown => rendered(|out| drift::write_markdown(out, &found, &options)),
    });
    Ok(if found.entries.is_empty() { Exit::Ok } else { Exit::Differences })
}
