//! `permset validate`: checks the access file offline.

use crate::cli::args::Global;
use crate::cli::error::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::desired;
use crate::model::Shown;
use crate::report::count;

/// Prints every finding; warnings alone are no failure.
pub(in crate::cli) fn run(global: &Global, output: &Output) -> Result<Exit, Failure> {
    let file = desired::load(&global.file)?;
    output.findings(&file.findings, &file.sources);
    let Some(desired) = file.desired else { return Ok(Exit::Invalid) };
    let sets = count(desired.permission_sets.len(), "permission set");
    let rules = count(desired.rules.len(), "assignment");
    let warnings = match file.findings.len() {
        0 => String::new(),
        n => format!(", {}", count(n, "warning")),
    };
    let path = global.file.display().to_string();
    output.result(&format!("valid: {} declares {sets} and {rules}{warnings}\n", Shown(&path)));
    Ok(Exit::Ok)
}
