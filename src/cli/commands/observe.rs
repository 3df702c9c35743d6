//! `permset observe`: saves everything that AWS holds, for plans without AWS.

use crate::aws::{Access, Aws};
use crate::cli::args::{Global, ObserveArgs, Reading};
use crate::cli::error::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::session::{connection, request};
use crate::cli::snapshots;
use crate::observed::Snapshot;

/// Reads everything and saves it.
pub(in crate::cli) async fn run(global: &Global, args: &ObserveArgs, output: &Output) -> Result<Exit, Failure> {
    let request = request(global, Reading { deep: true })?;
    let aws = Aws::connect(&connection(global, None, output)?, Access::ReadOnly).await?;
    let snapshot = {
        let progress = Progress::start(output, &aws, global.verbose > 0);
        let taken = crate::apply::journal::now();
        Snapshot::take(&aws, &request, taken, &|step| progress.reading(&step)).await?
    };
    output.result(&snapshots::save(&args.out, &snapshot)?);
    Ok(Exit::Ok)
}
