//! `permset init`: writes a starter access file.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};

use crate::cli::args::Global;
use crate::cli::error::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::model::Shown;

/// The starter is the example: it explains every field, and it is the file that tests run.
const STARTER: &str = include_str!("../../../access.yaml.example");

/// Writes the file, unless something has its name.
pub(in crate::cli) fn run(global: &Global, output: &Output) -> Result<Exit, Failure> {
    let shown = Shown(&global.file.display().to_string()).to_string();
    // `create_new` leaves no moment in which somebody else's file could be overwritten.
    let file = OpenOptions::new().write(true).create_new(true).open(&global.file);
    let written = file.and_then(|mut file| file.write_all(STARTER.as_bytes()));
    match written {
        Ok(()) => {
            output.result(&format!("wrote {shown}; edit it, then: permset -f {shown} validate\n"));
            Ok(Exit::Ok)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(Failure::new(format!("`{shown}` exists, and init never overwrites"))
                .hint("name another file with `-f FILE`"))
        }
        Err(error) => Err(Failure::new(format!("cannot write `{shown}`: {error}"))),
    }
}
