//! What can be typed behind `permset sandbox`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// What is emulated and what is not.
pub(super) const SANDBOX: &str = "An Identity Center in a file, to try permset on.

`permset --sandbox …` talks to it instead of AWS, over the same AWS SDK; `permset sandbox serve` lets the AWS CLI, boto3, \
Terraform and every other client talk to it over HTTP.

Emulated: of sso-admin instances, permission sets with all their parts, tags, account assignments, provisioning with its \
asynchronous requests and out-of-date accounts, attributes for access control; of identitystore users, groups and memberships; \
of organizations accounts, organizational units, tags, delegated administrators; sts GetCallerIdentity; the portal and the \
sign-in behind `aws sso login`. With AWS's validation, conflicts, quotas, rates, rules for delegated administrators, and faults \
on demand.

Not emulated: applications and trusted token issuers, policies and handshakes of Organizations, IAM itself (what a role may do \
is not judged, nor are signatures), encryption, further Regions. Such operations are refused, never half-played.

Faults hit the three JSON services; sts, the portal and the sign-in have none.

Where AWS's behaviour is unknown there is a switch under `settings` in the world file; the README explains them: \
any_session_duration, calls_per_second, conflicts, create_refreshes_stale, delegated_lists_by_principal, \
delete_missing_assignment, delete_missing_boundary, deletion_lingers_seconds, deletions_are_open_jobs, \
describe_missing_attributes, description_makes_stale, echo, empty_pages, epoch, filters, finished_jobs, \
group_rows_for_users, identitystore_shares_rate, internal_error_status, job_seconds, names_differ_by_case, \
omit_empty_inline_policy, omit_empty_lists, organizations_calls_per_second, organizations_page_size, \
orphans_can_be_revoked, page_size, paths, provisions_partially, read_lag_seconds, rows_of_deleted_principals, \
short_pages, sign_in_as, throttle, trail_delay_seconds, trail_events, unknown_assignee, unknown_instance, unknown_keys, update_clears_description, \
write_seconds.";

/// Options of `sandbox`.
#[derive(Debug, Args)]
pub(in crate::cli) struct SandboxArgs {
    #[command(subcommand)]
    pub(in crate::cli) command: SandboxCommand,
}

/// What to do with the sandbox.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SandboxCommand {
    /// Make a world: the starter world, or the accounts, groups and users that an access file names
    #[command(after_help = "Example:  permset sandbox init --world world.json --from access.yaml")]
    Init(WorldArgs),
    /// Show what is in the world
    #[command(after_help = "Example:  permset sandbox show --world world.json")]
    Show(ShowArgs),
    /// Make the world anew, whatever is in it
    #[command(after_help = "Example:  permset sandbox reset --world world.json")]
    Reset(WorldArgs),
    /// Serve the world over HTTP on this machine, for any AWS client
    Serve(ServeArgs),
    /// Make something go wrong, on purpose
    Fault(FaultArgs),
    /// Show what was called in a world that is being served
    #[command(after_help = "Example:  permset sandbox log --world world.json")]
    Log(LogArgs),
}

/// How to serve.
#[derive(Debug, Args)]
#[command(after_help = "Example:  permset sandbox serve --world world.json --listen 127.0.0.1:8080
Then, in another terminal, with the exports that it prints:  aws sso-admin list-instances")]
pub(in crate::cli) struct ServeArgs {
    /// Where to listen, on loopback only; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = address)]
    pub(in crate::cli) listen: std::net::SocketAddr,
    /// The file of the world, made if it is not there [default: that of --sandbox, or .permset/sandbox.json]
    #[arg(long, value_name = "WORLD")]
    pub(in crate::cli) world: Option<PathBuf>,
    /// Do not limit calls by rate, as AWS does
    #[arg(long)]
    pub(in crate::cli) no_throttle: bool,
    /// How long asynchronous requests take, instead of what the world says, or the 3 where it says nothing
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(in crate::cli) job_seconds: Option<f64>,
}

fn address(text: &str) -> Result<std::net::SocketAddr, String> {
    let number = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    let address = number.as_deref().unwrap_or(text).parse();
    address.map_err(|_| "it is an address and a port, such as 127.0.0.1:8080".to_owned())
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("a number of seconds from 0 to 86400 is wanted".to_owned()),
    }
}

/// Which world to make go wrong, and how.
#[derive(Debug, Args)]
pub(in crate::cli) struct FaultArgs {
    #[command(subcommand)]
    pub(in crate::cli) command: FaultCommand,
    /// The file of the world [default: that of --sandbox, or .permset/sandbox.json]
    #[arg(long, value_name = "WORLD", global = true)]
    pub(in crate::cli) world: Option<PathBuf>,
}

/// What to do with faults.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum FaultCommand {
    /// Add a fault, also to a world that is being served
    Add(Box<FaultAddArgs>),
    /// List the faults and how often each has hit
    #[command(after_help = "Example:  permset sandbox fault list --world world.json")]
    List,
    /// Remove all faults
    #[command(after_help = "Example:  permset sandbox fault clear --world world.json")]
    Clear,
}

/// A fault to add.
#[derive(Debug, Args)]
#[command(after_help = "Examples:  permset sandbox fault add --on CreateAccountAssignment --job-fails 'no such role'
           permset sandbox fault add --on reads --every 5 --forever --throttle")]
#[command(group = clap::ArgGroup::new("effect").required(true))]
pub(in crate::cli) struct FaultAddArgs {
    /// On which calls: an operation, a pattern such as `identitystore.*`, or `reads`, `writes`, `jobs`
    #[arg(long, value_name = "OPERATION")]
    pub(in crate::cli) on: String,
    /// Only calls about this account id
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) account: Option<String>,
    /// Only calls about this permission set
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) permission_set: Option<String>,
    /// Only calls about this user or group
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) principal: Option<String>,
    /// The first of these calls that it hits
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub(in crate::cli) nth: u64,
    /// It hits each so-manieth from there
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub(in crate::cli) every: u64,
    /// How often it hits at most
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "forever", value_parser = clap::value_parser!(u64).range(1..))]
    pub(in crate::cli) times: u64,
    /// It hits without end
    #[arg(long)]
    pub(in crate::cli) forever: bool,
    /// The chance that it does hit when it could, 0 to 1; the draws come from the world's seed
    #[arg(long, value_name = "CHANCE", value_parser = chance)]
    pub(in crate::cli) chance: Option<f64>,
    /// Refuse by rate
    #[arg(long, group = "effect", help_heading = "What goes wrong (one of)")]
    pub(in crate::cli) throttle: bool,
    /// Refuse because another write is under way
    #[arg(long, group = "effect", help_heading = "What goes wrong (one of)")]
    pub(in crate::cli) conflict: bool,
    /// Refuse with this error, one that AWS documents, such as AccessDeniedException
    #[arg(long, value_name = "CODE", group = "effect", help_heading = "What goes wrong (one of)")]
    pub(in crate::cli) error: Option<String>,
    /// The message of --error
    #[arg(long, value_name = "TEXT", requires = "error", help_heading = "What goes wrong (one of)")]
    pub(in crate::cli) message: Option<String>,
    /// The asynchronous request begins well and ends FAILED with this reason
    #[arg(long, value_name = "REASON", group = "effect", help_heading = "What goes wrong (one of)")]
    pub(in crate::cli) job_fails: Option<String>,
    /// The asynchronous request takes so long
    #[arg(long, value_name = "SECONDS", group = "effect", value_parser = seconds, help_heading = "What goes wrong (one of)")]
    pub(in crate::cli) job_takes: Option<f64>,
    /// The answer comes so much later
    #[arg(long, value_name = "SECONDS", group = "effect", value_parser = seconds, help_heading = "What goes wrong (one of)")]
    pub(in crate::cli) delay: Option<f64>,
    /// The connection breaks, before or after the call had its effect
    #[arg(long, value_enum, value_name = "WHEN", group = "effect", help_heading = "What goes wrong (one of)")]
    pub(in crate::cli) drop: Option<DropWhen>,
    /// The answer breaks off after so many bytes
    #[arg(long, value_name = "BYTES", group = "effect", help_heading = "What goes wrong (one of)")]
    pub(in crate::cli) truncate: Option<usize>,
    /// Somebody else makes the calls in this JSON file just before: `[{"operation": "sso-admin.…", "input": {…}}]`
    #[arg(long, value_name = "FILE", group = "effect", help_heading = "What goes wrong (one of)")]
    pub(in crate::cli) edit: Option<PathBuf>,
}

/// When a connection breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum DropWhen {
    /// Nothing has happened
    Before,
    /// It has happened, and nobody hears of it
    After,
}

fn chance(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(chance) if (0.0..=1.0).contains(&chance) => Ok(chance),
        _ => Err("a number from 0 to 1 is wanted".to_owned()),
    }
}

/// Which log to show, and how.
#[derive(Debug, Args)]
pub(in crate::cli) struct LogArgs {
    /// The file of the world [default: that of --sandbox, or .permset/sandbox.json]
    #[arg(long, value_name = "WORLD")]
    pub(in crate::cli) world: Option<PathBuf>,
    /// How many of the latest calls
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(in crate::cli) last: usize,
    /// Form of the result
    #[arg(long, value_enum, default_value_t)]
    pub(in crate::cli) format: SandboxFormat,
}

/// Form of what the sandbox prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum SandboxFormat {
    /// For people
    #[default]
    Text,
    /// For machines
    Json,
}

/// Which world, and what to make of it.
#[derive(Debug, Args)]
pub(in crate::cli) struct WorldArgs {
    /// Make the accounts, groups, users and external permission sets that this access file names
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) from: Option<PathBuf>,
    /// The file of the world [default: that of --sandbox, or .permset/sandbox.json]
    #[arg(long, value_name = "WORLD")]
    pub(in crate::cli) world: Option<PathBuf>,
}

/// Which world to show, and how.
#[derive(Debug, Args)]
pub(in crate::cli) struct ShowArgs {
    /// The file of the world [default: that of --sandbox, or .permset/sandbox.json]
    #[arg(long, value_name = "WORLD")]
    pub(in crate::cli) world: Option<PathBuf>,
    /// Form of the result; `json` is the world file itself
    #[arg(long, value_enum, default_value_t)]
    pub(in crate::cli) format: SandboxFormat,
}
