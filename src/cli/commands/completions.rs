//! `permset completions` and `permset man`: both from the same definitions as `--help`.

use std::fs;

use clap::CommandFactory as _;

use crate::cli::args::{Arguments, CompletionsArgs, ManArgs};
use crate::cli::error::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::model::Shown;

/// Prints what a shell reads.
pub(in crate::cli) fn run(args: &CompletionsArgs, output: &Output) -> Exit {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Arguments::command(), "permset", &mut text);
    output.result(&String::from_utf8_lossy(&text));
    Exit::Ok
}

/// Prints the page of permset, or writes one for each command into a folder.
pub(in crate::cli) fn man(args: &ManArgs, output: &Output) -> Result<Exit, Failure> {
    let command = Arguments::command();
    let Some(folder) = &args.out else {
        let mut text = Vec::new();
        let rendered = clap_mangen::Man::new(command).render(&mut text);
        rendered.map_err(|error| Failure::new(format!("cannot make the page: {error}")))?;
        output.result(&String::from_utf8_lossy(&text));
        return Ok(Exit::Ok);
    };
    let shown = Shown(&folder.display().to_string()).to_string();
    let written = fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(command, folder));
    written.map_err(|error| Failure::new(format!("cannot write the pages into `{shown}`: {error}")))?;
    output.result(&format!("wrote the pages into {shown}\n"));
    Ok(Exit::Ok)
}
