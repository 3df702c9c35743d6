//! Exit codes: a published, versioned interface, in one place.

use std::process::ExitCode;

/// How the program ends. Scripts may rely on the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done; no differences, or not asked to signal them.
    Ok = 0,
    /// AWS, network or file trouble. Nothing was changed.
    Failure = 1,
    /// `plan --detailed-exitcode`, `drift`: there are differences (Terraform's number); `why --expect`: another answer; `doctor`: a
    /// broken link. Nothing was changed.
    Differences = 2,
    /// The access file has errors, all printed. Nothing was changed.
    Invalid = 3,
    /// A guard said no, consent is missing, or a saved plan is stale; the message names the way to consent. Nothing was changed.
    Refused = 4,
    /// Apply did something but not all of it, or did not converge; the message says what and what to run next.
    Incomplete = 5,
    /// The command line was not understood (sysexits' EX_USAGE). Nothing was changed.
    Usage = 64,
    /// A broken invariant: please report it (sysexits' EX_SOFTWARE).
    Bug = 70,
    /// Stopped by the user; the message says what was changed.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The table at the end of `permset --help`.
pub(super) const HELP: &str = "\
Exit codes:
    0  OK           done; no differences, or not asked to signal them
    1  FAILURE      AWS, network or file trouble; nothing was changed
    2  DIFFERENCES  plan --detailed-exitcode, drift: there are differences; why --expect: another answer; doctor: a broken link
    3  INVALID      the access file has errors, all printed
    4  REFUSED      a guard said no, consent is missing, or a saved plan is stale
    5  INCOMPLETE   apply did something but not all of it
   64  USAGE        the command line was not understood
   70  BUG          please report it
  130  INTERRUPTED  stopped by the user

Try it without AWS:  permset --sandbox -f access.yaml.example plan";

#[cfg(test)]
mod tests {
    use super::{Exit, HELP};

    #[test]
    fn the_help_lists_every_code() {
        let codes = [
            Exit::Ok,
            Exit::Failure,
            Exit::Differences,
            Exit::Invalid,
            Exit::Refused,
            Exit::Incomplete,
            Exit::Usage,
            Exit::Bug,
            Exit::Interrupted,
        ];
        for code in codes {
            let line = format!("{:>5}  {}", code as u8, format!("{code:?}").to_uppercase());
            assert!(HELP.contains(&line), "{line}");
        }
    }
}
