//! What can be typed. Doc comments are the help texts.

mod everyday;
mod sandbox;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::cli::exit;
use crate::plan::CONSENTS;

pub(super) use everyday::{
    DoctorArgs, DriftArgs, DriftFormat, Expected, IamPolicyArgs, IamPolicyFor, ImportArgs, ProfilesArgs, WhoCanArgs,
    WhoCanFormat, WhyArgs, WhyFormat,
};
pub(super) use sandbox::{
    DropWhen, FaultAddArgs, FaultCommand, LogArgs, SandboxArgs, SandboxCommand, SandboxFormat, ServeArgs, ShowArgs,
    WorldArgs,
};

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
    /// The access file, or a folder: all `*.yaml` in it are read as one
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
    /// Returns the access file's name as the user gave it, safe to print.
    pub(super) fn shown_file(&self) -> String {
        crate::model::Shown(&self.file.display().to_string()).to_string()
    }

    /// Returns what to type for another command on the same file and the same AWS: a hint that leaves out `--sandbox`
    /// would send somebody to the real one.
    pub(super) fn again(&self, command: &str) -> String {
        self.again_for(&self.file, command)
    }

    /// Returns the same for another access file.
    pub(super) fn again_for(&self, file: &std::path::Path, command: &str) -> String {
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
        if file != std::path::Path::new(DEFAULT_FILE) {
            words.extend(["-f".to_owned(), quoted(&file.display().to_string())]);
        }
        words.push(command.to_owned());
        words.join(" ")
    }
}

/// Returns a word as a shell takes it.
pub(super) fn quoted(text: &str) -> String {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./:=@+,".contains(&b));
    if plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// The access file unless told otherwise.
pub(super) const DEFAULT_FILE: &str = "access.yaml";
/// Where journals are kept unless told otherwise.
const JOURNALS: &str = ".permset";
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
    #[command(after_help = "Example:  permset -f new.yaml init")]
    Init,
    /// Check the access file offline; every finding at once
    #[command(after_help = "Example:  permset -f access.yaml validate")]
    Validate,
    /// Show what apply would change; changes nothing
    Plan(PlanArgs),
    /// Print a saved plan, or the journal of an apply; asks nothing of AWS
    Show(ShowPlanArgs),
    /// Save everything that AWS holds in a file, for `plan --observed` and `drift --observed`; changes nothing
    Observe(ObserveArgs),
    /// Bring AWS to what the access file declares
    Apply(ApplyArgs),
    /// Write an access file for what exists already; `plan` right after it finds nothing to do
    Import(ImportArgs),
    /// Look for differences, on a schedule; changes nothing, exit code 2 if there are any
    Drift(DriftArgs),
    /// Say whether somebody gets into an account, through what, and which link is missing if not
    Why(WhyArgs),
    /// List who holds what, people and groups, for access reviews
    WhoCan(WhoCanArgs),
    /// Print the profiles of the AWS config file for what is declared, or for what somebody has
    Profiles(ProfilesArgs),
    /// Say on a person's own machine why their profile gets in, or does not
    Doctor(DoctorArgs),
    /// Print the least IAM policy that a command needs for this access file
    IamPolicy(IamPolicyArgs),
    /// An Identity Center in a file, to try permset on
    #[command(long_about = sandbox::SANDBOX)]
    Sandbox(SandboxArgs),
    /// Print a JSON Schema
    Schema(SchemaArgs),
    /// Print completions for a shell
    Completions(CompletionsArgs),
    /// Print the man page, or write one for each command
    Man(ManArgs),
}

/// Options of `plan`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:  permset -f access.yaml plan --out plan.permset --format markdown
           permset plan --observed observed.permset")]
pub(super) struct PlanArgs {
    /// Save the plan, for `permset apply FILE`
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Where apply keeps its journals: one that was cut short is mentioned
    #[arg(long, value_name = "DIR", default_value = JOURNALS)]
    pub(super) journal: PathBuf,
    /// Form of the result
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
    /// Exit with 2 if there are changes, like Terraform
    #[arg(long)]
    pub(super) detailed_exitcode: bool,
    /// Do not read who is in which group: the plan then says nothing of the people behind it
    #[arg(long)]
    pub(super) no_people: bool,
    #[command(flatten)]
    pub(super) shown: Shown,
    #[command(flatten)]
    pub(super) looking: Looking,
}

/// Where to look, and how hard.
#[derive(Clone, Debug, Args)]
pub(super) struct Looking {
    /// Ask nothing of AWS: take what `observe --out` saved
    #[arg(long, value_name = "FILE")]
    pub(super) observed: Option<PathBuf>,
    #[command(flatten)]
    pub(super) reading: Reading,
}

/// How to read.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Reading {
    /// Ask about every permission set and account, whatever it takes: sees also what deleted users and groups left behind
    /// beside others
    #[arg(long)]
    pub(super) deep: bool,
}

/// Options of `observe`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:  permset observe --out observed.permset")]
pub(super) struct ObserveArgs {
    /// Where to save it; it tells who has what, so it is for its owner only
    #[arg(long, value_name = "FILE")]
    pub(super) out: PathBuf,
}

/// How much to show.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Shown {
    /// Show how the text of an inline policy changes, and each assignment and account of a large plan
    #[arg(long)]
    pub(super) full: bool,
    /// Read and list also what this file leaves alone
    #[arg(long)]
    pub(super) show_unmanaged: bool,
}

/// What to show.
#[derive(Debug, Args)]
#[command(after_help = "Examples:  permset show plan.permset --format markdown
           permset show .permset/journal-20261125T101500Z-4711.jsonl")]
pub(super) struct ShowPlanArgs {
    /// What `plan --out` saved, or a journal
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Form of the result
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
    /// Show how the text of an inline policy changes, and each assignment and account of a large plan
    #[arg(long)]
    pub(super) full: bool,
}

/// Options of `apply`.
#[derive(Clone, Debug, Args)]
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
    /// Where the journal is kept: what was asked, by whom, what came of it, and what is in flight
    #[arg(long, value_name = "DIR", default_value = JOURNALS)]
    pub(super) journal: PathBuf,
    /// When to give up: nothing new is started, what is in flight is named and left to the next run; such as `45m`
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(super) timeout: Option<Duration>,
    /// Form of the result; `json` is a stream of events, one a line
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: ApplyFormat,
    /// Show how the text of an inline policy changes, and each assignment and account of a large plan
    #[arg(long)]
    pub(super) full: bool,
    /// Do not read who is in which group: the plan then says nothing of the people behind it
    #[arg(long)]
    pub(super) no_people: bool,
    #[command(flatten)]
    pub(super) reading: Reading,
}

impl ApplyArgs {
    /// Returns what to type to do the same again, with these consents as well.
    pub(super) fn again(&self, global: &Global, more: &[&str]) -> String {
        let mut words = vec!["apply".to_owned()];
        words.extend(self.plan.as_ref().map(|path| quoted(&path.display().to_string())));
        if self.journal != std::path::Path::new(JOURNALS) {
            words.extend(["--journal".to_owned(), quoted(&self.journal.display().to_string())]);
        }
        let consents = self.allow.iter().map(String::as_str).chain(more.iter().copied());
        words.extend(consents.map(|consent| format!("--allow {consent}")));
        global.again(&words.join(" "))
    }
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

fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "a time such as 90s, 45m or 1h30m is wanted".to_owned();
    if !text.bytes().all(|b| b.is_ascii_digit() || b"hms".contains(&b)) {
        return Err(wrong());
    }
    let parsed: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(parsed).map_err(|_| wrong()).and_then(|it| if it.is_zero() { Err(wrong()) } else { Ok(it) })
}

/// Options of `completions`.
#[derive(Debug, Args)]
#[command(after_help = "Example:  permset completions bash")]
pub(super) struct CompletionsArgs {
    /// For which shell
    #[arg(value_enum)]
    pub(super) shell: clap_complete::Shell,
}

/// Options of `man`.
#[derive(Debug, Args)]
#[command(after_help = "Example:  permset man")]
pub(super) struct ManArgs {
    /// Write a page for each command into this folder
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
}

/// Options of `schema`.
#[derive(Debug, Args)]
#[command(after_help = "Example:  permset schema plan")]
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
    /// `why --format json`
    Why,
    /// `who-can --format json`
    WhoCan,
    /// `doctor --format json`
    Doctor,
}
