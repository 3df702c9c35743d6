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
    AccountName, AccountSelector, AccountsByName, DesiredState, Finding, ObservedState, Place, PrincipalKind, Rule,
    Severity, Shown, Sources,
};
use crate::observed::{Look, look, permission_set_names, read_person, unknown};
use crate::report::access_file::{list, scalar};
use crate::report::json::WhyJson;
use crate::report::patch::{self, Addition};
use crate::report::why::{self as report, Lines};

/// Reads what the question is about, and answers it.
pub(in crate::cli) async fn run(global: &Global, args: &WhyArgs, output: &Output) -> Result<Exit, Failure> {
    let file = access_file(global, output)?;
    let desired = file.as_ref().map(|file| &file.desired);
    let set = args.permission_set.as_deref().map(permission_set_name).transpose()?;
    let (selector, region) = (selector(&args.account, desired), desired.and_then(|desired| desired.region.clone()));
    let aws = Aws::connect(&connection(global, region, output)?, Access::ReadOnly).await?;
    let named = desired.and_then(|desired| desired.instance.as_ref().map(|arn| arn.value.clone()));
    let wanted = Look {
        instance: instance(global)?.or(named),
        accounts: Some(vec![selector.clone()]),
        permission_sets: set.clone().map(|set| [set].into()),
        definitions: false,
        may_be_unknown: true,
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
    let aliases = read_person(&aws, &mut observed, kind, &name).await?;
    let mut exists = true;
    if let Some(set) = set.as_ref().filter(|set| !observed.permission_sets.contains_key(*set)) {
        let names = permission_set_names(&aws, &observed.instance).await?;
        exists = names.contains(set);
    }
    drop(progress);
    let question = Question { kind, name, aliases, account, permission_set: set };
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
        // Of a name that nobody has, nothing is proved.
        Some(Expected::NoAccess) => match answer.verdict {
            Verdict::NoAccess(missing) => !matches!(missing, Missing::Principal | Missing::PermissionSet),
            Verdict::Access | Verdict::Unknown => false,
        },
    };
    Ok(if as_expected { Exit::Ok } else { Exit::Differences })
}

struct File {
    sources: Sources,
    /// How many of the sources are access files; they come first.
    access_files: usize,
    desired: DesiredState,
}

/// The access file, if there is one: the question can be asked without.
fn access_file(global: &Global, output: &Output) -> Result<Option<File>, Failure> {
    if global.file == Path::new(DEFAULT_FILE) && !global.file.exists() {
        return Ok(None);
    }
    let AccessFile { sources, access_files, findings, digest: _, desired } = desired::load(&global.file)?;
    // What deserves a look in the file is not what was asked.
    let errors: Vec<Finding> = findings.into_iter().filter(|it| it.severity == Severity::Error).collect();
    output.findings(&errors, &sources);
    match desired {
        Some(desired) => Ok(Some(File { sources, access_files, desired })),
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
    let sets = in_account(observed, account, file.map(|file| &file.desired));
    let place = |rule: usize| file.and_then(|file| Some(place(&file.sources, file.desired.rules.get(rule)?.place)));
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
    let places = file.zip(answer.declared.as_ref()).map(|(file, declared)| {
        let rules = declared.lines.iter().filter_map(|line| file.desired.rules.get(line.rule));
        rules.map(|rule| place(&file.sources, rule.place)).collect()
    });
    let name = file.and_then(|file| file.sources.files().next().map(|(path, _)| path));
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
    let lines = file.and_then(|file| to_add(question, answer, file, observed, args.reason.as_deref()));
    let patch = file.zip(lines.as_ref()).and_then(|(file, lines)| patched(question, answer, file, lines));
    Lines { file: name, places: places.unwrap_or_default(), lines, patch, next }
}

/// Returns the lines to add, if that is what is missing and the file may say so.
fn to_add(
    question: &Question,
    answer: &Answer,
    File { desired, .. }: &File,
    observed: &ObservedState,
    reason: Option<&str>,
) -> Option<String> {
    let set = question.permission_set.as_ref()?;
    answer.declared.as_ref().filter(|declared| declared.in_scope)?;
    if !matches!(answer.verdict, Verdict::NoAccess(Missing::Assignment))
        || is_ignored(question, answer, desired, observed)
    {
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
    Some(lines)
}

/// What is ignored cannot be declared as well.
fn is_ignored(question: &Question, answer: &Answer, desired: &DesiredState, observed: &ObservedState) -> bool {
    let by_name = AccountsByName::new(&observed.accounts);
    let name = answer.who.as_ref().and_then(|who| who.principal.name.as_deref()).unwrap_or_default();
    let matches = |ignore: &crate::model::Ignore| {
        let accounts = ignore.accounts.iter().flat_map(|account| by_name.meant_by(&account.value));
        let accounts = accounts.map(|account| account.id.clone()).collect();
        let patterns = if question.kind == PrincipalKind::User { &ignore.users } else { &ignore.groups };
        let set = question.permission_set.as_ref();
        set.is_some_and(|set| ignore.covers(set, &question.account, &accounts))
            && (!ignore.names_principals() || patterns.iter().any(|pattern| pattern.matches(name)))
    };
    desired.ignore.iter().any(matches)
}

/// Returns the same as a patch, after trying it: the file must be in order with it, say one line more, and else say the same.
fn patched(question: &Question, answer: &Answer, file: &File, lines: &str) -> Option<String> {
    let File { sources, access_files, desired } = file;
    let set = question.permission_set.as_ref()?;
    let mut additions = vec![Addition { section: "assignments", lines: lines.to_owned() }];
    if answer.declared.as_ref().is_some_and(|declared| !declared.declares_set) {
        let lines = format!("  {}:\n    definition: external\n", scalar(set.as_str()));
        additions.insert(0, Addition { section: "permission_sets", lines });
    }
    // Where the last line stands, or in the first file.
    let number = desired.rules.last().map_or(0, |rule| rule.place.file);
    let files: Vec<(&str, &str)> = sources.files().take(*access_files).collect();
    let (path, text) = *files.get(number)?;
    let patched = patch::add(text, &additions)?;
    let tried: Vec<(&Path, &str)> = files
        .iter()
        .enumerate()
        .map(|(index, (path, text))| (Path::new(*path), if index == number { patched.as_str() } else { *text }))
        .collect();
    let with = desired::parse(&tried).desired?;
    let same = with.rules.len() == desired.rules.len() + 1
        && desired.rules.iter().zip(&with.rules).all(|(before, after)| said(before) == said(after));
    same.then(|| patch::unified(path, text, &patched, 2))
}

/// What a line says, wherever it stands.
fn said(rule: &Rule) -> impl PartialEq + use<> {
    let Rule { place: _, permission_sets, accounts, except_accounts, groups, users, expires, reason } = rule;
    let values = |accounts: &[crate::model::Located<AccountSelector>]| {
        accounts.iter().map(|account| account.value.clone()).collect::<Vec<_>>()
    };
    let sets: Vec<_> = permission_sets.iter().map(|set| set.value.clone()).collect();
    let groups: Vec<String> = groups.iter().map(|group| group.value.as_str().to_owned()).collect();
    let users: Vec<String> = users.iter().map(|user| user.value.as_str().to_owned()).collect();
    let expires = expires.as_ref().map(|expiry| expiry.written.clone());
    (sets, values(accounts), values(except_accounts), groups, users, expires, reason.clone())
}
