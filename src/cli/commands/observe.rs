//! `permset observe`: saves everything that AWS holds, for plans without AWS.

use crate::aws::{Access, Aws};
use crate::cli::args::{Global, ObserveArgs};
use crate::cli::error::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::session::{connection, instance};
use crate::cli::snapshots;
use crate::observed::Snapshot;

/// Reads everything and saves it.
pub(in crate::cli) async fn run(global: &Global, args: &ObserveArgs, output: &Output) -> Result<Exit, Failure> {
    let wanted = instance(global)?;
    let aws = Aws::connect(&connection(global, None, output)?, Access::ReadOnly).await?;
    let snapshot = {
        let progress = Progress::start(output, &aws, global.verbose > 0);
        let taken = crate::apply::journal::now();
        Snapshot::take(&aws, wanted.as_ref(), taken, &|step| progress.reading(&step)).await?
    };
    output.result(&snapshots::save(&args.out, &snapshot)?);
    Ok(Exit::Ok)
}
