//! `permset schema`: prints a JSON Schema.

use crate::cli::args::{SchemaArgs, SchemaOf};
use crate::cli::commands::pretty;
use crate::cli::error::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::desired;
use crate::report::json;

/// Prints the schema.
pub(in crate::cli) fn run(args: &SchemaArgs, output: &Output) -> Result<Exit, Failure> {
    let schema = match args.of {
        SchemaOf::Access => desired::schema(),
        SchemaOf::Plan => json::plan_schema(),
        SchemaOf::Drift => json::drift_schema(),
        SchemaOf::Apply => json::apply_schema(),
        SchemaOf::Why => json::why_schema(),
        SchemaOf::Doctor => json::doctor_schema(),
        SchemaOf::WhoCan => json::who_can_schema(),
    };
    output.result(&pretty(&schema)?);
    Ok(Exit::Ok)
}
