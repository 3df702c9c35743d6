//! `permset drift`: looks for differences without ever writing to AWS.

use std::path::Path;

use crate::aws::{Access, Aws, AwsError};
use crate::cli::args::{DriftArgs, DriftFormat, Global};
use crate::cli::commands::{pretty, rendered};
use crate::cli::error::Failure;
use crate::cli::exit::Exit;
use crate::cli::files;
use crate::cli::output::Output;
use crate::cli::session::Session;
use crate::cli::snapshots::{self, Offline};
use crate::desired::baseline::{self, Baseline};
use crate::model::{Accepted, Shown};
use crate::plan::{self, Drift, Plan};
use crate::report::json::DriftJson;
use crate::report::plan::Options;
use crate::report::{annotations, count, drift, style};

/// Observes, compares, prints by kind.
pub(in crate::cli) async fn run(global: &Global, args: &DriftArgs, output: &Output) -> Result<Exit, Failure> {
    let accepted = args.baseline.as_deref().map(|path| read(path, output)).transpose()?;
    let unmanaged = args.shown.show_unmanaged;
    let (sources, reading, mut found) = match &args.looking.observed {
        Some(path) => {
            let Offline { sources, desired, observed, plan, .. } =
                snapshots::plan(global, path, (unmanaged, false), output)?;
            let found = plan::drift(&plan, &desired, &observed);
            (sources, observed.reading, found)
        }
        None => {
            let reading = (unmanaged, args.looking.reading);
            let session = Session::open(global, output, Access::ReadOnly, reading, None).await?;
            let (observed, plan) = session.plan().await?;
            let mut found = plan::drift(&plan, &session.desired, &observed);
            if !args.no_trail {
                attribute(&session.aws, &plan, &mut found, output).await?;
            }
            (session.sources, observed.reading, found)
        }
    };
    if let Some(path) = &args.write_baseline {
        return write(path, &mut found, args, output);
    }
    for line in accepted.iter().flat_map(|accepted| found.accept(accepted)) {
        output.notice(&format!(
            "{}: the baseline accepts what is no more: {}",
            style::warning("notice"),
            Shown(&line.difference)
        ));
    }
    for line in accepted.iter().flatten().filter(|line| line.has_expired()) {
        let when = line.expires.as_ref().map(|expiry| expiry.written.as_str()).unwrap_or_default();
        output.notice(&format!(
            "{}: accepted until {}, counts again: {}",
            style::warning("notice"),
            Shown(when),
            Shown(&line.difference)
        ));
    }
    let file = global.shown_file();
    let options = Options {
        file: &file,
        reading: &reading,
        full: args.shown.full,
        unmanaged: args.shown.show_unmanaged,
        allowed: &[],
        people: None,
    };
    output.result(&match args.format {
        DriftFormat::Text => rendered(|out| drift::write_text(out, &found, &options)),
        DriftFormat::Json => pretty(&DriftJson::new(&found, &reading))?,
        DriftFormat::Markdown => rendered(|out| drift::write_markdown(out, &found, &options)),
        DriftFormat::Github => rendered(|out| annotations::write_github(out, &found, &sources)),
        DriftFormat::Sarif => pretty(&annotations::sarif(&found, &sources))?,
    });
    Ok(if found.entries.is_empty() { Exit::Ok } else { Exit::Differences })
}

/// How many pages of CloudTrail are read, of fifty events each: at two calls a second, ten seconds.
const PAGES: usize = 20;

/// Adds who made the differences. That it cannot be said is no trouble.
async fn attribute(aws: &Aws, plan: &Plan, found: &mut Drift, output: &Output) -> Result<(), AwsError> {
    if found.entries.is_empty() {
        return Ok(());
    }
    let enough = |events: &[crate::model::TrailEvent]| plan::is_attributed(&found.entries, &plan.arns, events);
    match aws.changes(PAGES, enough).await {
        Ok(Some(events)) => plan::attribute(&mut found.entries, &plan.arns, &events),
        Ok(None) => output.notice("CloudTrail may not be read, so this does not say who made the differences"),
        Err(error) => output.notice(&format!("CloudTrail does not say who made the differences: {error}")),
    }
    Ok(())
}

fn read(path: &Path, output: &Output) -> Result<Vec<Accepted>, Failure> {
    let Baseline { sources, findings, accepted } = baseline::read(path)?;
    output.findings(&findings, &sources);
    accepted.ok_or_else(|| Failure::new("the baseline has errors, nothing was asked of AWS").exit(Exit::Invalid))
}

/// Writes what differs now into a baseline.
fn write(path: &Path, found: &mut Drift, args: &DriftArgs, output: &Output) -> Result<Exit, Failure> {
    let before = if path.exists() { read(path, output)? } else { Vec::new() };
    let gone = found.accept(&before);
    let kept: Vec<Accepted> =
        before.iter().filter(|line| !line.has_expired() && !gone.contains(line)).cloned().collect();
    let (reason, expires) = (args.reason.as_deref().unwrap_or_default(), args.expires.as_deref().unwrap_or_default());
    let text = crate::report::baseline::write(&kept, &found.entries, reason, expires);
    // What was written must be read again tomorrow: a reason without words, or a date that is none, is refused here.
    let tried = baseline::parse(path, &text);
    output.findings(&tried.findings, &tried.sources);
    if tried.accepted.is_none() {
        return Err(Failure::new("no baseline was written").exit(Exit::Usage));
    }
    if tried.accepted.iter().flatten().any(Accepted::has_expired) {
        return Err(Failure::new("the date has passed already, so nothing would be accepted").exit(Exit::Usage));
    }
    files::save(path, &text, "baseline", |there| baseline::parse(path, there).accepted.is_some())?;
    let shown = Shown(&path.display().to_string()).to_string();
    let (new, kept) = (count(found.entries.len(), "difference"), kept.len());
    output.result(&format!("wrote {shown}: {new} accepted, {kept} kept, {} dropped\n", before.len() - kept));
    Ok(Exit::Ok)
}
