//! `permset why`: does this person get in, through what, and if not, which link is missing.

use std::path::Path;

use crate::aws::{Access, Aws};
use crate::cli::args::{DEFAULT_FILE, Expected, Global, WhyArgs, WhyFormat, quoted};
use crate::cli::commands::{account_selector, permission_set_name, pretty, rendered};
use crate::cli::error::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::session::{connection, instance};
use crate::desired::{self, AccessFile};
use crate::effective::why::{Answer, Missing, Question, Verdict, in_account, why};
use crate::model::{
    AccountName, AccountSelector, AccountsByName, DesiredState, Finding, ObservedState, Place, PrincipalKind, Severity,
    Shown, Sources,
};
use crate::observed::{Look, look, permission_set_names, read_person, unknown};
use crate::report::access_file::{list, scalar};
use crate::report::json::WhyJson;
use crate::report::patch::{self, Addition};
use crate::report::why::{self as report, Lines};

/// Reads what the question is about, and answers it.
pub(in crate::cli) async fn run(global: &Global, args: &WhyArgs, output: &Output) -> Result<Exit, Failure> {
    let file = access_file(global, output)?;
    let desired = file.as_ref().map(|(_, desired)| desired);
    let set = args.permission_set.as_deref().map(permission_set_name).transpose()?;
    let (selector, region) = (selector(&args.account, desired), desired.and_then(|desired| desired.region.clone()));
    let aws = Aws::connect(&connection(global, region, output)?, Access::ReadOnly).await?;
    let named = desired.and_then(|desired| desired.instance.as_ref().map(|arn| arn.value.clone()));
    let wanted = Look {
        instance: instance(global)?.or(named),
        accounts: Some(vec![selector.clone()]),
        permission_sets: set.clone().map(|set| [set].into()),
        definitions: false,
    };
    let progress = Progress::start(output, &aws, global.verbose > 0);
    let mut observed = look(&aws, &wanted, &|step| progress.reading(&step)).await?;
    let account = AccountsByName::new(&observed.accounts).meant_by(&selector).first().map(|account| account.id.clone());
    let account = account.ok_or_else(|| Failure::from(unknown("account", &args.account, [])))?;
    let (kind, name) = match (&args.user, &args.group) {
        (Some(user), _) => (PrincipalKind::User, user.clone()),
        (None, Some(group)) => (PrincipalKind::Group, group.clone()),
        (None, None) => {
            drop(progress);
            return whole_account(&observed, file.as_ref(), args, output, &account);
        }
    };
    read_person(&aws, &mut observed, kind, &name).await?;
    let mut exists = true;
    if let Some(set) = set.as_ref().filter(|set| !observed.permission_sets.contains_key(*set)) {
        let names = permission_set_names(&aws, &observed.instance).await?;
        exists = names.contains(set);
    }
    drop(progress);
    let question = Question { kind, name, account, permission_set: set };
    let answer = why(&question, &observed, desired, exists);
    let lines = lines(&question, &answer, file.as_ref(), &observed, global, args);
    output.result(&match args.format {
        WhyFormat::Json => pretty(&WhyJson::new(&question, &answer, &lines))?,
        WhyFormat::Text if args.request => {
            let reason = args.reason.as_deref();
            rendered(|out| report::write_request(out, &question, &answer, &lines, reason))
        }
        WhyFormat::Text => rendered(|out| report::write_text(out, &question, &answer, &lines)),
    });
    let as_expected = match args.expect {
        None => true,
        Some(Expected::Access) => answer.verdict == Verdict::Access,
        Some(Expected::NoAccess) => matches!(answer.verdict, Verdict::NoAccess(_)),
    };
    Ok(if as_expected { Exit::Ok } else { Exit::Differences })
}

type File = (Sources, DesiredState);

/// The access file, if there is one: the question can be asked without.
fn access_file(global: &Global, output: &Output) -> Result<Option<File>, Failure> {
    if global.file == Path::new(DEFAULT_FILE) && !global.file.exists() {
        return Ok(None);
    }
    let AccessFile { sources, findings, digest: _, desired } = desired::load(&global.file)?;
    // What deserves a look in the file is not what was asked.
    let errors: Vec<Finding> = findings.into_iter().filter(|it| it.severity == Severity::Error).collect();
    output.findings(&errors, &sources);
    match desired {
        Some(desired) => Ok(Some((sources, desired))),
        None => Err(Failure::new("the access file has errors, nothing was asked of AWS").exit(Exit::Invalid)),
    }
}

/// An account by a short name of the file, by its name, or by its id.
fn selector(text: &str, desired: Option<&DesiredState>) -> AccountSelector {
    let short = desired.and_then(|desired| {
        let named = desired.short_names.iter().find(|(_, name)| name.as_str() == text);
        named.map(|(id, _)| AccountSelector::Id(id.clone()))
    });
    short.unwrap_or_else(|| account_selector(text))
}

/// Which permission sets reach an account at all, by the file and live.
fn whole_account(
    observed: &ObservedState,
    file: Option<&File>,
    args: &WhyArgs,
    output: &Output,
    account: &crate::model::AccountId,
) -> Result<Exit, Failure> {
    if args.request || args.expect.is_some() {
        let failure = Failure::new("--request and --expect are about somebody");
        return Err(failure.hint("add `--user NAME` or `--group NAME`").exit(Exit::Usage));
    }
    let sets = in_account(observed, account, file.map(|(_, desired)| desired));
    let place = |rule: usize| file.and_then(|(sources, desired)| Some(place(sources, desired.rules.get(rule)?.place)));
    output.result(&match args.format {
        WhyFormat::Text => rendered(|out| report::write_account(out, &observed.account_ref(account), &sets, &place)),
        WhyFormat::Json => {
            pretty(&crate::report::json::AccountSetsJson::new(&observed.account_ref(account), &sets, &place))?
        }
    });
    Ok(Exit::Ok)
}

fn place(sources: &Sources, place: Place) -> String {
    sources.position(place).map(|it| format!("{}:{}", Shown(it.path), it.line)).unwrap_or_default()
}

fn lines<'a>(
    question: &Question,
    answer: &Answer,
    file: Option<&'a File>,
    observed: &ObservedState,
    global: &Global,
    args: &WhyArgs,
) -> Lines<'a> {
    let places = file.zip(answer.declared.as_ref()).map(|((sources, desired), declared)| {
        let rules = declared.lines.iter().filter_map(|line| desired.rules.get(line.rule));
        rules.map(|rule| place(sources, rule.place)).collect()
    });
    let name = file.and_then(|(sources, _)| sources.files().next().map(|(path, _)| path));
    let next = match answer.verdict {
        Verdict::NoAccess(Missing::Apply | Missing::Provisioning) => Some(format!("`{}`", global.again("plan"))),
        Verdict::NoAccess(Missing::Assignment) if question.permission_set.is_none() => {
            Some("ask again with `--permission-set NAME` for the lines to add".to_owned())
        }
        Verdict::NoAccess(Missing::Assignment) if !args.request => {
            let kind = question.kind.word();
            let set = question.permission_set.as_ref().map(|set| set.to_string()).unwrap_or_default();
            let words =
                ["why", &format!("--{kind}"), &quoted(&question.name), "--account", &quoted(&args.account)].join(" ");
            let request = global.again(&format!("{words} --permission-set {} --request --reason '…'", quoted(&set)));
            Some(format!("`{request}` writes a message to the administrators"))
        }
        _ => None,
    };
    let patch = file.and_then(|file| addition(question, answer, file, observed, args.reason.as_deref()));
    Lines { file: name, places: places.unwrap_or_default(), patch, next }
}

/// Returns the lines to add as a patch, after trying them: the file must be in order with them, and grant one line more.
fn addition(
    question: &Question,
    answer: &Answer,
    (sources, desired): &File,
    observed: &ObservedState,
    reason: Option<&str>,
) -> Option<String> {
    let set = question.permission_set.as_ref()?;
    let declared = answer.declared.as_ref().filter(|declared| declared.in_scope)?;
    if !matches!(answer.verdict, Verdict::NoAccess(Missing::Assignment)) {
        return None;
    }
    let who = answer.who.as_ref()?.principal.name.as_deref()?;
    let account = desired.short_names.get(&question.account).or_else(|| {
        let name = observed.accounts.get(&question.account).map(|account| &account.name);
        name.filter(|name| !name.as_str().contains(['*', '?', '[']) && observed.whole_organization)
    });
    let account =
        account.map_or_else(|| format!("\"{}\"", question.account), |name: &AccountName| scalar(name.as_str()));
    let key = if question.kind == PrincipalKind::User { "users" } else { "groups" };
    let mut lines = format!(
        "  - permission_sets: {}\n    accounts: [{account}]\n    {key}: {}\n",
        list(&[scalar(set.as_str())], 4),
        list(&[scalar(who)], 4)
    );
    if let Some(reason) = reason {
        lines.push_str(&format!("    reason: {}\n", scalar(reason)));
    }
    let mut additions = vec![Addition { section: "assignments", lines }];
    if !declared.declares_set {
        let lines = format!("  {}:\n    definition: external\n", scalar(set.as_str()));
        additions.insert(0, Addition { section: "permission_sets", lines });
    }
    // Where the last line stands, or in the only file.
    let number = desired.rules.last().map_or(0, |rule| rule.place.file);
    let files: Vec<(&str, &str)> = sources.files().collect();
    let (path, text) = *files.get(number)?;
    let patched = patch::add(text, &additions)?;
    let access_files = files.iter().enumerate().filter(|(index, _)| is_access_file(*index, desired, files.len()));
    let tried: Vec<(&Path, &str)> = access_files
        .map(|(index, (path, text))| (Path::new(*path), if index == number { patched.as_str() } else { *text }))
        .collect();
    let file = desired::parse(&tried);
    let in_order = file.findings.iter().all(|finding| finding.severity != Severity::Error);
    let more = file.desired.is_some_and(|with| with.rules.len() == desired.rules.len() + 1);
    (in_order && more).then(|| patch::unified(path, text, &patched))
}

/// Policy files come after the access files; where one is named, only a file by itself can be tried.
fn is_access_file(index: usize, desired: &DesiredState, files: usize) -> bool {
    let last = desired.rules.iter().map(|rule| rule.place.file);
    let last = last.chain(desired.permission_sets.values().map(|set| set.place.file)).max().unwrap_or_default();
    index <= last && index < files
}
