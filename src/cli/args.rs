//! What can be typed. Doc comments are the help texts.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::cli::exit;
use crate::plan::CONSENTS;

/// Who may do what, where, as code: AWS IAM Identity Center from a file.
#[derive(Debug, Parser)]
#[command(name = "permset", version, after_help = exit::HELP, arg_required_else_help = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(super) struct Global {
    /// The access file
    #[arg(short, long, global = true, value_name = "FILE", default_value = DEFAULT_FILE)]
    pub(super) file: PathBuf,
    /// Profile of the AWS configuration
    #[arg(long, global = true, value_name = "NAME", help_heading = "Connection")]
    pub(super) profile: Option<String>,
    /// Home Region of Identity Center
    #[arg(long, global = true, value_name = "REGION", help_heading = "Connection")]
    pub(super) region: Option<String>,
    /// Instance, if the Region has several
    #[arg(long, global = true, value_name = "ARN", help_heading = "Connection")]
    pub(super) instance: Option<String>,
    /// One endpoint for all services (AWS_ENDPOINT_URL and its variants work too)
    #[arg(long, global = true, value_name = "URL", help_heading = "Connection")]
    pub(super) endpoint_url: Option<String>,
    /// Talk to the built-in sandbox instead of AWS; its world is kept in a file
    #[arg(
        long,
        global = true,
        value_name = "WORLD",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = DEFAULT_WORLD,
        conflicts_with_all = ["profile", "endpoint_url"],
        help_heading = "Connection"
    )]
    pub(super) sandbox: Option<PathBuf>,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t, help_heading = "Output")]
    pub(super) color: Color,
    /// Only results and errors: no progress, no warnings
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Output")]
    pub(super) quiet: bool,
    /// Log each call with its request id (-vv: the AWS SDK too)
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Output")]
    pub(super) verbose: u8,
    /// Form of the log
    #[arg(long, global = true, value_enum, default_value_t, help_heading = "Output")]
    pub(super) log_format: LogFormat,
}

impl Global {
    /// Returns what to type for another command on the same file and the same AWS: a hint that leaves out `--sandbox`
    /// would send somebody to the real one.
    pub(super) fn again(&self, command: &str) -> String {
        let mut words = vec!["permset".to_owned()];
        if let Some(world) = &self.sandbox {
            let world = world.display().to_string();
            words.push(if world == DEFAULT_WORLD {
                "--sandbox".to_owned()
            } else {
                format!("--sandbox={}", quoted(&world))
            });
        }
        let options = [
            ("--profile", &self.profile),
            ("--region", &self.region),
            ("--instance", &self.instance),
            ("--endpoint-url", &self.endpoint_url),
        ];
        for (flag, value) in options {
            words.extend(value.iter().flat_map(|value| [flag.to_owned(), quoted(value)]));
        }
        if self.file != std::path::Path::new(DEFAULT_FILE) {
            words.extend(["-f".to_owned(), quoted(&self.file.display().to_string())]);
        }
        words.push(command.to_owned());
        words.join(" ")
    }
}

/// Returns a word as a shell takes it.
pub(super) fn quoted(text: &str) -> String {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./:=".contains(&b));
    if plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// The access file unless told otherwise.
const DEFAULT_FILE: &str = "access.yaml";
/// Where the sandbox keeps its world unless told otherwise.
pub(super) const DEFAULT_WORLD: &str = ".permset/sandbox.json";

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// For people
    #[default]
    Text,
    /// For machines, one object a line
    Json,
}

/// Form of a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    #[default]
    Text,
    /// For machines
    Json,
    /// For a comment in a pull request
    Markdown,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write a commented starter access file (never overwrites)
    Init,
    /// Check the access file offline; every finding at once
    Validate,
    /// Show what apply would change; changes nothing
    Plan(PlanArgs),
    /// Print a saved plan; asks nothing of AWS
    Show(ShowPlanArgs),
    /// Bring AWS to what the access file declares
    Apply(ApplyArgs),
    /// Look for differences, on a schedule; changes nothing, exit code 2 if there are any
    Drift(DriftArgs),
    /// An Identity Center in a file, to try permset on
    #[command(long_about = SANDBOX)]
    Sandbox(SandboxArgs),
    /// Print a JSON Schema
    Schema(SchemaArgs),
}

/// Options of `plan`.
#[derive(Debug, Args)]
#[command(after_help = "Example:  permset -f access.yaml plan --out plan.permset --format markdown")]
pub(super) struct PlanArgs {
    /// Save the plan, for `permset apply FILE`
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Form of the result
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
    /// Exit with 2 if there are changes, like Terraform
    #[arg(long)]
    pub(super) detailed_exitcode: bool,
    #[command(flatten)]
    pub(super) shown: Shown,
}

/// How much to show.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Shown {
    /// Show how the text of an inline policy changes
    #[arg(long)]
    pub(super) full: bool,
    /// Read and list also what this file leaves alone
    #[arg(long)]
    pub(super) show_unmanaged: bool,
}

/// What to show.
#[derive(Debug, Args)]
#[command(after_help = "Example:  permset show plan.permset --format markdown")]
pub(super) struct ShowPlanArgs {
    /// What `plan --out` saved
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Form of the result
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
    /// Show how the text of an inline policy changes
    #[arg(long)]
    pub(super) full: bool,
}

/// Options of `apply`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:  permset --sandbox -f access.yaml.example apply --auto-approve
           permset apply plan.permset")]
pub(super) struct ApplyArgs {
    /// What `plan --out` saved: exactly this is applied, if what it rests on has not moved
    #[arg(value_name = "PLAN")]
    pub(super) plan: Option<PathBuf>,
    /// Do not ask
    #[arg(long)]
    pub(super) auto_approve: bool,
    /// Consent to what a guard refuses
    #[arg(long, value_name = "CONSENT", value_parser = CONSENTS)]
    pub(super) allow: Vec<String>,
    /// Form of the result; `json` is a stream of events, one a line
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: ApplyFormat,
    /// Show how the text of an inline policy changes
    #[arg(long)]
    pub(super) full: bool,
}

/// Form of what apply prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ApplyFormat {
    /// For people
    #[default]
    Text,
    /// For machines, one event a line
    Json,
}

/// Options of `drift`.
#[derive(Debug, Args)]
#[command(after_help = "Example:  permset -f access.yaml drift --format json")]
pub(super) struct DriftArgs {
    /// Form of the result
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
    #[command(flatten)]
    pub(super) shown: Shown,
}

const SANDBOX: &str = "An Identity Center in a file, to try permset on.

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
short_pages, sign_in_as, throttle, unknown_assignee, unknown_instance, unknown_keys, update_clears_description, \
write_seconds.";

/// Options of `sandbox`.
#[derive(Debug, Args)]
pub(super) struct SandboxArgs {
    #[command(subcommand)]
    pub(super) command: SandboxCommand,
}

/// What to do with the sandbox.
#[derive(Debug, Subcommand)]
pub(super) enum SandboxCommand {
    /// Make a world: the starter world, or the accounts, groups and users that an access file names
    Init(WorldArgs),
    /// Show what is in the world
    Show(ShowArgs),
    /// Make the world anew, whatever is in it
    Reset(WorldArgs),
    /// Serve the world over HTTP on this machine, for any AWS client
    Serve(ServeArgs),
    /// Make something go wrong, on purpose
    Fault(FaultArgs),
    /// Show what was called in a world that is being served
    Log(LogArgs),
}

/// How to serve.
#[derive(Debug, Args)]
#[command(after_help = "Example:  permset sandbox serve --world world.json --listen 127.0.0.1:8080
Then, in another terminal, with the exports that it prints:  aws sso-admin list-instances")]
pub(super) struct ServeArgs {
    /// Where to listen, on loopback only; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = address)]
    pub(super) listen: std::net::SocketAddr,
    /// The file of the world, made if it is not there [default: that of --sandbox, or .permset/sandbox.json]
    #[arg(long, value_name = "WORLD")]
    pub(super) world: Option<PathBuf>,
    /// Do not limit calls by rate, as AWS does
    #[arg(long)]
    pub(super) no_throttle: bool,
    /// How long asynchronous requests take, instead of what the world says, or the 3 where it says nothing
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(super) job_seconds: Option<f64>,
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
pub(super) struct FaultArgs {
    #[command(subcommand)]
    pub(super) command: FaultCommand,
    /// The file of the world [default: that of --sandbox, or .permset/sandbox.json]
    #[arg(long, value_name = "WORLD", global = true)]
    pub(super) world: Option<PathBuf>,
}

/// What to do with faults.
#[derive(Debug, Subcommand)]
pub(super) enum FaultCommand {
    /// Add a fault, also to a world that is being served
    Add(Box<FaultAddArgs>),
    /// List the faults and how often each has hit
    List,
    /// Remove all faults
    Clear,
}

/// A fault to add.
#[derive(Debug, Args)]
#[command(after_help = "Examples:  permset sandbox fault add --on CreateAccountAssignment --job-fails 'no such role'
           permset sandbox fault add --on reads --every 5 --forever --throttle")]
#[command(group = clap::ArgGroup::new("effect").required(true))]
pub(super) struct FaultAddArgs {
    /// On which calls: an operation, a pattern such as `identitystore.*`, or `reads`, `writes`, `jobs`
    #[arg(long, value_name = "OPERATION")]
    pub(super) on: String,
    /// Only calls about this account id
    #[arg(long, value_name = "ID")]
    pub(super) account: Option<String>,
    /// Only calls about this permission set
    #[arg(long, value_name = "NAME")]
    pub(super) permission_set: Option<String>,
    /// Only calls about this user or group
    #[arg(long, value_name = "NAME")]
    pub(super) principal: Option<String>,
    /// The first of these calls that it hits
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) nth: u64,
    /// It hits each so-manieth from there
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) every: u64,
    /// How often it hits at most
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "forever", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) times: u64,
    /// It hits without end
    #[arg(long)]
    pub(super) forever: bool,
    /// The chance that it does hit when it could, 0 to 1; the draws come from the world's seed
    #[arg(long, value_name = "CHANCE", value_parser = chance)]
    pub(super) chance: Option<f64>,
    /// Refuse by rate
    #[arg(long, group = "effect", help_heading = "What goes wrong (one of)")]
    pub(super) throttle: bool,
    /// Refuse because another write is under way
    #[arg(long, group = "effect", help_heading = "What goes wrong (one of)")]
    pub(super) conflict: bool,
    /// Refuse with this error, one that AWS documents, such as AccessDeniedException
    #[arg(long, value_name = "CODE", group = "effect", help_heading = "What goes wrong (one of)")]
    pub(super) error: Option<String>,
    /// The message of --error
    #[arg(long, value_name = "TEXT", requires = "error", help_heading = "What goes wrong (one of)")]
    pub(super) message: Option<String>,
    /// The asynchronous request begins well and ends FAILED with this reason
    #[arg(long, value_name = "REASON", group = "effect", help_heading = "What goes wrong (one of)")]
    pub(super) job_fails: Option<String>,
    /// The asynchronous request takes so long
    #[arg(long, value_name = "SECONDS", group = "effect", value_parser = seconds, help_heading = "What goes wrong (one of)")]
    pub(super) job_takes: Option<f64>,
    /// The answer comes so much later
    #[arg(long, value_name = "SECONDS", group = "effect", value_parser = seconds, help_heading = "What goes wrong (one of)")]
    pub(super) delay: Option<f64>,
    /// The connection breaks, before or after the call had its effect
    #[arg(long, value_enum, value_name = "WHEN", group = "effect", help_heading = "What goes wrong (one of)")]
    pub(super) drop: Option<DropWhen>,
    /// The answer breaks off after so many bytes
    #[arg(long, value_name = "BYTES", group = "effect", help_heading = "What goes wrong (one of)")]
    pub(super) truncate: Option<usize>,
    /// Somebody else makes the calls in this JSON file just before: `[{"operation": "sso-admin.…", "input": {…}}]`
    #[arg(long, value_name = "FILE", group = "effect", help_heading = "What goes wrong (one of)")]
    pub(super) edit: Option<PathBuf>,
}

/// When a connection breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum DropWhen {
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
pub(super) struct LogArgs {
    /// The file of the world [default: that of --sandbox, or .permset/sandbox.json]
    #[arg(long, value_name = "WORLD")]
    pub(super) world: Option<PathBuf>,
    /// How many of the latest calls
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(super) last: usize,
    /// Form of the result
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: SandboxFormat,
}

/// Form of what the sandbox prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum SandboxFormat {
    /// For people
    #[default]
    Text,
    /// For machines
    Json,
}

/// Which world, and what to make of it.
#[derive(Debug, Args)]
pub(super) struct WorldArgs {
    /// Make the accounts, groups, users and external permission sets that this access file names
    #[arg(long, value_name = "FILE")]
    pub(super) from: Option<PathBuf>,
    /// The file of the world [default: that of --sandbox, or .permset/sandbox.json]
    #[arg(long, value_name = "WORLD")]
    pub(super) world: Option<PathBuf>,
}

/// Which world to show, and how.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The file of the world [default: that of --sandbox, or .permset/sandbox.json]
    #[arg(long, value_name = "WORLD")]
    pub(super) world: Option<PathBuf>,
    /// Form of the result; `json` is the world file itself
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: SandboxFormat,
}

/// Options of `schema`.
#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// Of what
    #[arg(value_enum, default_value_t)]
    pub(super) of: SchemaOf,
}

/// What a schema is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaOf {
    /// The access file
    #[default]
    Access,
    /// `plan --format json`
    Plan,
    /// `drift --format json`
    Drift,
    /// One line of `apply --format json`
    Apply,
}
