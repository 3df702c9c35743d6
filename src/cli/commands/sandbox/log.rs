//! Shows what was called in a world that is being served.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;

use crate::cli::args::{LogArgs, SandboxFormat};
use crate::cli::commands::pretty;
use crate::cli::error::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::model::Shown;
use crate::sandbox::Remote;

pub(super) async fn run(path: &Path, args: &LogArgs, output: &Output) -> Result<Exit, Failure> {
    let shown = Shown(&path.display().to_string()).to_string();
    let Some(remote) = Remote::serving(path) else {
        return Err(Failure::new(format!("`{shown}` is not being served"))
            .hint("calls are remembered while `permset sandbox serve` runs; `-v` logs those of permset itself"));
    };
    let mut calls = remote.calls().await?;
    let skipped = calls.calls.len().saturating_sub(args.last);
    calls.calls.drain(..skipped);
    let text = match args.format {
        SandboxFormat::Json => pretty(&json!({"format_version": 1, "counts": calls.counts, "calls": calls.calls}))?,
        SandboxFormat::Text => {
            let mut out = String::new();
            for call in &calls.calls {
                let fault = call.fault.as_ref().map(|fault| format!(" (fault: {fault})")).unwrap_or_default();
                let (outcome, caller) = (&call.outcome, &call.caller);
                let line = format!("{:>7}  {:<58} {outcome}{fault}  {caller}", call.number, call.operation);
                // Writing into a String cannot fail.
                let _ = writeln!(out, "{}", Shown(line.trim_end()));
            }
            let _ = writeln!(out, "\ncalls by operation");
            for (operation, count) in &calls.counts {
                let _ = writeln!(out, "{count:>7}  {}", Shown(operation));
            }
            out
        }
    };
    output.result(&text);
    Ok(Exit::Ok)
}
