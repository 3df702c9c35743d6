//! `permset iam-policy`: prints the IAM policy that a command needs for this access file.

use crate::cli::args::{Global, IamPolicyArgs, IamPolicyFor};
use crate::cli::commands::pretty;
use crate::cli::error::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::session::load;
use crate::report::iam_policy::{For, Options, policy};

/// Reads the file and prints; asks nothing of AWS.
pub(in crate::cli) fn run(global: &Global, args: &IamPolicyArgs, output: &Output) -> Result<Exit, Failure> {
    let (_, _, desired) = load(&global.file, output)?;
    let command = match args.command {
        IamPolicyFor::Plan => For::Plan,
        IamPolicyFor::Apply => For::Apply,
    };
    let options = Options { command, narrow: args.narrow, optional: args.optional };
    output.result(&pretty(&policy(&desired, options))?);
    if command == For::Apply {
        output.notice(
            "in the management account itself, Identity Center works with the caller's own IAM rights on the roles of permission \
             sets; the README lists them",
        );
    }
    if args.narrow && desired.owner.is_none() {
        output.notice("without `owner:` in the file the permission sets that it may write are not narrowed");
    }
    Ok(Exit::Ok)
}
