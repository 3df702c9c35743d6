//! The command line: wiring, streams, exit codes. One file a command; nothing here decides about changes.

mod args;
mod commands;
mod error;
mod exit;
mod files;
mod journals;
mod logging;
mod output;
mod progress;
mod saved;
mod session;
mod signal;
mod snapshots;

use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use clap::Parser as _;

pub use exit::Exit;

use args::{Arguments, Command};
use error::Failure;
use output::Output;

/// Runs the program with the arguments and streams of the process.
pub fn main() -> ExitCode {
    run(std::env::args_os()).into()
}

/// Runs the program and returns its exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments = match Arguments::try_parse_from(args) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Printing help cannot fail in a way that anybody could be told of.
            let _ = error.print();
            // clap's own code for a misunderstood command line is 2, which here means "there are differences".
            return if error.use_stderr() { Exit::Usage } else { Exit::Ok };
        }
    };
    let output = Output::new(&arguments.global);
    logging::init(&arguments.global);
    guarded(&output, || dispatch(&arguments, &output))
}

fn dispatch(arguments: &Arguments, output: &Output) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    let global = &arguments.global;
    match &arguments.command {
        Command::Init => commands::init::run(global, output),
        Command::Validate => commands::validate::run(global, output),
        Command::Plan(args) => runtime.block_on(commands::plan::run(global, args, output)),
        Command::Show(args) => commands::show::run(args, output),
        Command::Observe(args) => runtime.block_on(commands::observe::run(global, args, output)),
        Command::Apply(args) => runtime.block_on(commands::apply::run(global, args, output)),
        Command::Import(args) => runtime.block_on(commands::import::run(global, args, output)),
        Command::Drift(args) => runtime.block_on(commands::drift::run(global, args, output)),
        Command::Why(args) => runtime.block_on(commands::why::run(global, args, output)),
        Command::WhoCan(args) => runtime.block_on(commands::who_can::run(global, args, output)),
        Command::Sandbox(args) => runtime.block_on(commands::sandbox::run(global, args, output)),
        Command::Profiles(args) => runtime.block_on(commands::profiles::run(global, args, output)),
        Command::Doctor(args) => runtime.block_on(commands::doctor::run(global, args, output)),
        Command::IamPolicy(args) => commands::iam_policy::run(global, args, output),
        Command::Completions(args) => Ok(commands::completions::run(args, output)),
        Command::Man(args) => commands::completions::man(args, output),
        Command::Schema(args) => commands::schema::run(args, output),
    }
}

/// Runs a command and turns its failure, or a bug, into words and a code.
fn guarded(output: &Output, command: impl FnOnce() -> Result<Exit, Failure>) -> Exit {
    panic::set_hook(Box::new(|_| {}));
    let exit = match panic::catch_unwind(AssertUnwindSafe(command)) {
        Ok(Ok(exit)) => exit,
        Ok(Err(failure)) => {
            output.failure(&failure);
            failure.exit
        }
        Err(panic) => {
            let words =
                panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
            output.failure(&error::bug(words.unwrap_or("no message")));
            Exit::Bug
        }
    };
    output.finish(exit)
}

#[cfg(test)]
mod tests {
    use super::args::Arguments;
    use super::output::Output;
    use super::{Exit, guarded};
    use clap::{CommandFactory as _, Parser as _};

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    /// Returns the commands below one, with their words.
    fn leaves(command: &clap::Command, words: &str, found: &mut Vec<(String, String)>) {
        let below: Vec<_> = command.get_subcommands().filter(|it| it.get_name() != "help").collect();
        for sub in &below {
            leaves(sub, &format!("{words} {}", sub.get_name()), found);
        }
        if below.is_empty() {
            found.push((words.to_owned(), command.get_after_help().map(ToString::to_string).unwrap_or_default()));
        }
    }

    /// As a shell would take it; quotes hold a word together.
    fn words(line: &str) -> Vec<String> {
        let mut words = Vec::new();
        for (number, part) in line.split('\'').enumerate() {
            if number % 2 == 1 {
                words.push(part.to_owned());
            } else {
                words.extend(part.split_whitespace().map(str::to_owned));
            }
        }
        words
    }

    #[test]
    fn every_command_has_an_example_that_is_understood() {
        let mut found = Vec::new();
        leaves(&Arguments::command(), "permset", &mut found);
        assert!(found.len() > 20, "{found:?}");
        for (command, help) in found {
            let lines = help.lines().filter_map(|line| line.find("permset ").and_then(|at| line.get(at..)));
            let examples: Vec<&str> = lines.collect();
            assert!(!examples.is_empty(), "`{command} --help` has no example");
            for example in examples {
                let parsed = Arguments::try_parse_from(words(example));
                assert!(
                    parsed.is_ok(),
                    "{example}: {}",
                    parsed.err().map(|error| error.to_string()).unwrap_or_default()
                );
            }
        }
    }

    #[test]
    #[expect(clippy::panic, clippy::unwrap_used, reason = "a bug is what is tested")]
    fn a_bug_has_its_own_exit_code() {
        let arguments = Arguments::try_parse_from(["permset", "-q", "validate"]).unwrap();
        let output = Output::new(&arguments.global);
        assert_eq!(guarded(&output, || panic!("broken invariant")), Exit::Bug);
    }
}
