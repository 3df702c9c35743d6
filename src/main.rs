//! The `permset` program: parses, calls, returns the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    permset::cli::main()
}
