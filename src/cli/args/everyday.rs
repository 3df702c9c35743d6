//! What can be typed between two applies: drift, import, why, who-can.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Looking, Shown};

/// Form of drift.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum DriftFormat {
    /// For people
    #[default]
    Text,
    /// For machines
    Json,
    /// For an issue or a comment
    Markdown,
    /// Annotations of a GitHub workflow, at the lines of the access file
    Github,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

/// Options of `why`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:  permset why --user erik@example.com --account jitsi-hosting
           permset why --group jitsi-admins --account 215665149509 --expect access
           permset why --account jitsi-hosting")]
pub(in crate::cli) struct WhyArgs {
    /// The person, by user name or e-mail address
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) user: Option<String>,
    /// The group, by display name
    #[arg(long, value_name = "NAME", conflicts_with = "user")]
    pub(in crate::cli) group: Option<String>,
    /// The account, by name or id; without a user or group, all permission sets that reach it are told
    #[arg(long, value_name = "ACCOUNT")]
    pub(in crate::cli) account: String,
    /// The permission set; without it any
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) permission_set: Option<String>,
    /// Write a message to the administrators instead
    #[arg(long)]
    pub(in crate::cli) request: bool,
    /// The justification, for the message and the line to add
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) reason: Option<String>,
    /// Exit with 2 if the answer is another one, for tests
    #[arg(long, value_enum)]
    pub(in crate::cli) expect: Option<Expected>,
    /// Form of the result
    #[arg(long, value_enum, default_value_t)]
    pub(in crate::cli) format: WhyFormat,
}

/// What a test expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Expected {
    /// They get in
    Access,
    /// They do not
    NoAccess,
}

/// Form of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum WhyFormat {
    /// For people
    #[default]
    Text,
    /// For machines
    Json,
}

/// Options of `who-can`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:  permset who-can --account jitsi-hosting
           permset who-can --action ecs:UpdateService --format csv")]
pub(in crate::cli) struct WhoCanArgs {
    /// Only in these accounts, by name or id; without it and the next two, who holds nothing is told as well
    #[arg(long = "account", value_name = "ACCOUNT", value_delimiter = ',')]
    pub(in crate::cli) accounts: Vec<String>,
    /// Only these permission sets
    #[arg(long = "set", value_name = "NAME", value_delimiter = ',')]
    pub(in crate::cli) sets: Vec<String>,
    /// Only what allows this action, or may: inline policies are read, of managed ones only a few are known
    #[arg(long, value_name = "ACTION")]
    pub(in crate::cli) action: Option<String>,
    /// Form of the result
    #[arg(long, value_enum, default_value_t)]
    pub(in crate::cli) format: WhoCanFormat,
}

/// Form of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum WhoCanFormat {
    /// For people
    #[default]
    Text,
    /// For spreadsheets
    Csv,
    /// For machines
    Json,
}

/// Options of `import`.
#[derive(Debug, Args)]
#[command(after_help = "Example:  permset import --out imported.yaml")]
pub(in crate::cli) struct ImportArgs {
    /// Where to write it (never overwrites); without it to stdout
    #[arg(long, value_name = "FILE", conflicts_with = "split")]
    pub(in crate::cli) out: Option<PathBuf>,
    /// Write a file for each permission set into a new folder, for `-f DIR`
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) split: Option<PathBuf>,
    /// Only these accounts, by name or id
    #[arg(long, value_name = "ACCOUNT", value_delimiter = ',')]
    pub(in crate::cli) accounts: Vec<String>,
    /// Only these permission sets
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(in crate::cli) sets: Vec<String>,
    /// Who shall own the permission sets; the first apply writes that as their tag
    #[arg(long, value_name = "OWNER")]
    pub(in crate::cli) owner: Option<String>,
    /// Only assign: somebody else decides what each permission set consists of
    #[arg(long)]
    pub(in crate::cli) external: bool,
    /// Write `"*"` where somebody has something in every active account, which gives it them in accounts to come as well
    #[arg(long)]
    pub(in crate::cli) star: bool,
    /// Ask nothing of AWS: take what `observe --out` saved
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) observed: Option<PathBuf>,
}

/// Options of `drift`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:  permset -f access.yaml drift --deep --format json
           permset drift --write-baseline baseline.yaml --reason 'known since the migration, OPS-1432' --expires 2027-01-31
           permset drift --baseline baseline.yaml --format github")]
pub(in crate::cli) struct DriftArgs {
    /// Form of the result
    #[arg(long, value_enum, default_value_t)]
    pub(in crate::cli) format: DriftFormat,
    /// Differences that are let be, each with a reason: they are told and do not count
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) baseline: Option<PathBuf>,
    /// Write what differs now into a baseline, and keep what still holds of one that is there
    #[arg(long, value_name = "FILE", requires = "reason", requires = "expires", conflicts_with = "baseline")]
    pub(in crate::cli) write_baseline: Option<PathBuf>,
    /// Why what differs now is let be
    #[arg(long, value_name = "TEXT", requires = "write_baseline")]
    pub(in crate::cli) reason: Option<String>,
    /// Until when: a day as in `2027-01-31`
    #[arg(long, value_name = "DATE", requires = "write_baseline")]
    pub(in crate::cli) expires: Option<String>,
    /// Do not ask CloudTrail who made the differences
    #[arg(long)]
    pub(in crate::cli) no_trail: bool,
    #[command(flatten)]
    pub(in crate::cli) shown: Shown,
    #[command(flatten)]
    pub(in crate::cli) looking: Looking,
}

/// Options of `iam-policy`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:  permset iam-policy plan --optional
           permset -f access.yaml iam-policy apply --narrow")]
pub(in crate::cli) struct IamPolicyArgs {
    /// For which command; apply plans as well
    #[arg(value_enum)]
    pub(in crate::cli) command: IamPolicyFor,
    /// Only for the accounts in scope and the permission sets that carry the owner's tag
    #[arg(long)]
    pub(in crate::cli) narrow: bool,
    /// Also what a run can do without: fewer calls, the people behind groups, who made a difference
    #[arg(long)]
    pub(in crate::cli) optional: bool,
}

/// What a policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum IamPolicyFor {
    /// `plan` and `drift`
    Plan,
    /// `apply`
    Apply,
}

/// Options of `profiles`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:  permset profiles --name {account}-{permission_set}
           permset profiles --user alice@example.com --write")]
pub(in crate::cli) struct ProfilesArgs {
    /// For what this person has, directly and through groups; without it for everything that the access file declares
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) user: Option<String>,
    /// Merge them into the AWS config file: what is there stays, a backup is kept, the difference is shown
    #[arg(long)]
    pub(in crate::cli) write: bool,
    /// With `--write`: replace lines that say something else, instead of refusing
    #[arg(long, requires = "write")]
    pub(in crate::cli) replace: bool,
    /// With `--write`: another file than AWS_CONFIG_FILE or ~/.aws/config
    #[arg(long, value_name = "FILE", requires = "write")]
    pub(in crate::cli) config: Option<PathBuf>,
    /// How profiles are called: `{account}`, `{account_id}` and `{permission_set}` are replaced
    #[arg(long, value_name = "TEMPLATE", default_value = "{account}-{permission_set}")]
    pub(in crate::cli) name: String,
    /// How the session that they share is called
    #[arg(long, value_name = "NAME", default_value = "identity-center")]
    pub(in crate::cli) session: String,
    /// Where people sign in, if the portal has a name of its own
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) start_url: Option<String>,
    /// The Region of profiles that have none; without it the home Region of Identity Center
    #[arg(long, value_name = "REGION")]
    pub(in crate::cli) default_region: Option<String>,
}

/// Options of `doctor`.
#[derive(Debug, Args)]
#[command(after_help = "Example:  permset doctor --profile jitsi")]
pub(in crate::cli) struct DoctorArgs {
    /// Form of the result
    #[arg(long, value_enum, default_value_t)]
    pub(in crate::cli) format: WhyFormat,
}
