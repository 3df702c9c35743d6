//! Serves a world over HTTP until somebody stops it.

use std::path::Path;

use crate::cli::args::ServeArgs;
use crate::cli::error::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::{session, signal};
use crate::model::Shown;
use crate::sandbox::{self, Sandbox, starter};

pub(super) async fn run(path: &Path, args: &ServeArgs, output: &Output) -> Result<Exit, Failure> {
    let shown = Shown(&path.display().to_string()).to_string();
    let sandbox = Sandbox::open(path, || {
        output.notice(&format!("sandbox: made a starter world in {shown}"));
        starter::starter()
    })?;
    session::notices(&sandbox, output);
    if let Some(seconds) = args.job_seconds {
        sandbox.take_seconds(seconds);
    }
    if args.no_throttle {
        sandbox.limit_rates(false);
    }
    let world = sandbox.world();
    let region = world.instance.map_or_else(|| "eu-central-1".to_owned(), |instance| instance.region);
    let account = world.organization.management_account_id;
    // Before anybody is told that it serves: a signal right after must find its handler.
    let stopped = signal::first().map_err(|error| Failure::new(format!("cannot listen for signals: {error}")))?;
    let ready = |address| {
        output.result(&format!(
            "export AWS_ENDPOINT_URL=http://{address}\nexport AWS_ACCESS_KEY_ID={account}\n\
             export AWS_SECRET_ACCESS_KEY=sandbox\nexport AWS_REGION={region}\nexport AWS_DEFAULT_REGION={region}\n"
        ));
        output.notice(&format!("sandbox: serves {shown} on http://{address}, to this machine only; Ctrl-C stops it"));
    };
    tokio::select! {
        served = sandbox::serve(sandbox.clone(), args.listen, ready) => match served {
            Err(error) => return Err(error.into()),
        },
        () = stopped => {}
    }
    sandbox.save()?;
    session::notices(&sandbox, output);
    let calls: u64 = sandbox.calls().values().sum();
    output.notice(&format!("sandbox: stopped after {calls} calls, the world is in {shown}"));
    Ok(Exit::Ok)
}
