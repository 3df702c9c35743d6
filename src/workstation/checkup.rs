//! Follows the chain from a profile to a role, link by link, and says where it breaks.
//!
//! What is on the machine comes first ([`local`]), then what the portal says ([`remote`]). Nothing is changed, nothing secret is told.

use std::path::Path;

use jiff::Timestamp;

use crate::aws::{AwsError, ErrorKind, Identity, Portal, is_no_access};
use crate::model::{AccountId, Check, Shown, similar_name};
use crate::workstation::config::{Config, Problem, Section};
use crate::workstation::sign_in::{self, SignIn};

/// What is on the machine.
#[derive(Debug)]
pub struct Machine<'a> {
    /// The profile that is asked about.
    pub profile: &'a str,
    /// Whether it was named, or follows from the environment.
    pub named: bool,
    /// Whether it was named with `--profile`: only that goes before keys in the environment.
    pub by_option: bool,
    /// Where the config file is, for people.
    pub config_path: &'a str,
    /// Its text.
    pub config: &'a str,
    /// The text of the file of static keys.
    pub credentials: &'a str,
    /// Where sign-ins are kept.
    pub sign_ins: &'a Path,
    /// The variables that are set, by name; only those that are not secret have their value.
    pub environment: &'a [(&'static str, Option<String>)],
    /// The time.
    pub now: Timestamp,
}

/// What it takes to ask the portal.
#[derive(Debug)]
pub struct Ready {
    /// The account of the profile.
    pub account: AccountId,
    /// The role.
    pub role: String,
    /// The home Region of Identity Center.
    pub sso_region: String,
    /// The Region of the profile.
    pub region: String,
    /// The token.
    pub sign_in: SignIn,
}

/// Variables that decide in the place of a profile, and whether their values may be told.
pub const VARIABLES: [(&str, bool); 15] = [
    ("AWS_ACCESS_KEY_ID", false),
    ("AWS_SECRET_ACCESS_KEY", false),
    ("AWS_SESSION_TOKEN", false),
    ("AWS_PROFILE", true),
    ("AWS_DEFAULT_PROFILE", true),
    ("AWS_REGION", true),
    ("AWS_DEFAULT_REGION", true),
    ("AWS_CONFIG_FILE", true),
    ("AWS_SHARED_CREDENTIALS_FILE", true),
    ("AWS_ENDPOINT_URL", true),
    ("AWS_ENDPOINT_URL_SSO", true),
    ("AWS_ENDPOINT_URL_SSO_OIDC", true),
    ("AWS_ENDPOINT_URL_STS", true),
    ("AWS_ROLE_ARN", true),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", true),
];

/// Looks at what is on the machine; returns what it takes to go on, if the chain holds so far.
pub fn local(machine: &Machine<'_>) -> (Vec<Check>, Option<Ready>) {
    let mut checks = vec![environment(machine)];
    let config = Config::parse(machine.config);
    checks.push(file(machine, &config));
    let Some(profile) = find_profile(machine, &config, &mut checks) else { return (checks, None) };
    let Some((account, role, region)) = complete(machine, &config, profile, &mut checks) else { return (checks, None) };
    let Some(session) = session(machine, &config, profile, &mut checks) else { return (checks, None) };
    let sign_in = signed_in(machine, &session, &mut checks);
    let ready = sign_in.map(|sign_in| Ready { account, role, region, sso_region: session.region, sign_in });
    (checks, ready)
}

fn environment(machine: &Machine<'_>) -> Check {
    const NAME: &str = "environment";
    let set: Vec<String> = machine
        .environment
        .iter()
        .map(|(name, value)| {
            value.as_ref().map_or_else(|| (*name).to_owned(), |value| format!("{name}={}", Shown(value)))
        })
        .collect();
    let has = |wanted: &str| machine.environment.iter().any(|(name, _)| *name == wanted);
    if has("AWS_ACCESS_KEY_ID") {
        const NEXT: &str = "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN";
        let evidence = format!(
            "{} set: keys in the environment go before every profile but one named with --profile",
            set.join(", ")
        );
        return if machine.by_option {
            Check::warning(NAME, evidence, NEXT)
        } else {
            Check::broken(NAME, evidence, NEXT)
        };
    }
    if machine.environment.iter().any(|(name, _)| name.starts_with("AWS_ENDPOINT_URL")) {
        let evidence = format!("{} set: this asks something else than AWS", set.join(", "));
        return Check::warning(NAME, evidence, "unset AWS_ENDPOINT_URL, unless you mean it");
    }
    let evidence =
        if set.is_empty() { "no variable of AWS is set".to_owned() } else { format!("{} set", set.join(", ")) };
    Check::ok(NAME, evidence)
}

fn file(machine: &Machine<'_>, config: &Config) -> Check {
    const NAME: &str = "config file";
    let path = Shown(machine.config_path).to_string();
    if machine.config.trim().is_empty() {
        return Check::broken(
            NAME,
            format!("{path} is not there or empty"),
            "permset profiles --write, or: aws configure sso",
        );
    }
    let worst = config.problems().iter().max_by_key(|problem| (problem.fatal, std::cmp::Reverse(problem.line)));
    match worst {
        Some(problem) => {
            let evidence = format!("{path}:{}: {}", problem.line, Shown(&problem.message));
            let next = format!("mend line {} of {path}", problem.line);
            if problem.fatal { Check::broken(NAME, evidence, next) } else { Check::warning(NAME, evidence, next) }
        }
        None => Check::ok(NAME, path),
    }
}

fn find_profile<'c>(machine: &Machine<'_>, config: &'c Config, checks: &mut Vec<Check>) -> Option<&'c Section> {
    const NAME: &str = "profile";
    if let Some(profile) = config.profile(machine.profile) {
        return Some(profile);
    }
    let name = Shown(machine.profile);
    let why = if machine.named { "" } else { " (no profile was named)" };
    let keys = Config::parse_credentials(machine.credentials);
    if keys.profile(machine.profile).is_some() {
        let evidence = format!("`{name}` has static keys in the credentials file, it is no profile of Identity Center");
        checks.push(Check::broken(
            NAME,
            evidence,
            "name the profile of Identity Center: permset doctor --profile NAME",
        ));
        return None;
    }
    let next = match similar_name(machine.profile, config.profiles()) {
        Some(similar) => format!("permset doctor --profile {}   if that is meant", word(similar)),
        None if config.profiles().is_empty() => "permset profiles --write, or: aws configure sso".to_owned(),
        None => {
            let names: Vec<String> = config.profiles().into_iter().take(8).map(word).collect();
            format!("permset doctor --profile NAME   with one of: {}", names.join(", "))
        }
    };
    checks.push(Check::broken(NAME, format!("there is no profile `{name}`{why}"), next));
    None
}

fn complete(
    machine: &Machine<'_>,
    config: &Config,
    profile: &Section,
    checks: &mut Vec<Check>,
) -> Option<(AccountId, String, String)> {
    const NAME: &str = "profile";
    let name = Shown(machine.profile).to_string();
    let place = format!("{}:{}", Shown(machine.config_path), profile.line());
    let missing: Vec<&str> =
        ["sso_account_id", "sso_role_name"].into_iter().filter(|key| profile.get(key).is_none()).collect();
    if profile.get("sso_session").is_none() && profile.get("sso_start_url").is_none() {
        let evidence = format!("{place}: profile `{name}` has no `sso_session`, it is none of Identity Center");
        checks.push(Check::broken(
            NAME,
            evidence,
            format!("add `sso_session`, {} to [profile {name}], or: permset profiles --write", list(&missing)),
        ));
        return None;
    }
    if !missing.is_empty() {
        let evidence = format!("{place}: profile `{name}` lacks {}", list(&missing));
        checks.push(Check::broken(NAME, evidence, format!("add {} to [profile {name}]", list(&missing))));
        return None;
    }
    let account = profile.get("sso_account_id").unwrap_or_default();
    let Ok(account) = AccountId::parse(account) else {
        let evidence = format!("{place}: `sso_account_id = {}` is no account id: it has 12 digits", Shown(account));
        checks.push(Check::broken(NAME, evidence, format!("mend `sso_account_id` in [profile {name}]")));
        return None;
    };
    let role = profile.get("sso_role_name").unwrap_or_default().to_owned();
    let about = |problem: &&Problem| {
        ["sso_session", "sso_account_id", "sso_role_name"].iter().any(|key| profile.key_line(key) == Some(problem.line))
    };
    if let Some(problem) = config.problems().iter().find(about) {
        let path = Shown(machine.config_path);
        let evidence = format!("{path}:{}: {}", problem.line, Shown(&problem.message));
        checks.push(Check::broken(NAME, evidence, format!("mend line {} of {path}", problem.line)));
    } else if profile.get("role_arn").is_some() {
        let evidence =
            format!("{place}: profile `{name}` has a `role_arn`: the AWS CLI takes that role, not the permission set");
        let next =
            format!("remove `role_arn` from [profile {name}], or name the profile that it takes its credentials from");
        checks.push(Check::broken(NAME, evidence, next));
    } else if ["aws_access_key_id", "credential_process"].iter().any(|key| profile.get(key).is_some()) {
        let evidence = format!("{place}: profile `{name}` says more than one way to get credentials");
        let next = format!("keep only the lines of Identity Center in [profile {name}]");
        checks.push(Check::warning(NAME, evidence, next));
    } else {
        checks.push(Check::ok(NAME, format!("{place}: `{name}` is {} in {account}", Shown(&role))));
    }
    let region = profile.get("region").map(str::to_owned);
    if region.is_none() && !machine.environment.iter().any(|(name, _)| name.ends_with("_REGION")) {
        let evidence = format!("{place}: profile `{name}` has no `region`: most commands need one");
        checks.push(Check::warning("region", evidence, format!("add `region = …` to [profile {name}]")));
    }
    Some((account, role, region.unwrap_or_else(|| "us-east-1".to_owned())))
}

/// A word as a shell takes it.
fn word(text: &str) -> String {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./:=@+,".contains(&b));
    if plain { text.to_owned() } else { format!("'{}'", Shown(text).to_string().replace('\'', "'\\''")) }
}

fn list(keys: &[&str]) -> String {
    keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}

/// What a profile's session says.
struct Session {
    /// What the file of the token is named after.
    key: String,
    start_url: String,
    region: String,
}

fn session(machine: &Machine<'_>, config: &Config, profile: &Section, checks: &mut Vec<Check>) -> Option<Session> {
    const NAME: &str = "session";
    let get = |section: &Section, key: &str| section.get(key).map(str::to_owned);
    let Some(name) = profile.get("sso_session") else {
        let (start_url, region) = (get(profile, "sso_start_url")?, get(profile, "sso_region"));
        let Some(region) = region else {
            let evidence = format!("profile `{}` has no `sso_region`", Shown(machine.profile));
            checks.push(Check::broken(NAME, evidence, "add `sso_region`, the home Region of Identity Center"));
            return None;
        };
        let evidence =
            "an old-style profile, with `sso_start_url` in itself: its sign-in is not renewed, and not shared"
                .to_owned();
        checks.push(Check::warning(NAME, evidence, "permset profiles --write writes one with an `sso-session`"));
        return Some(Session { key: start_url.clone(), start_url, region });
    };
    let shown = Shown(name).to_string();
    let Some(section) = config.sso_session(name) else {
        let evidence = format!("there is no section [sso-session {shown}], which the profile names");
        checks.push(Check::broken(NAME, evidence, "permset profiles --write, or: aws configure sso-session"));
        return None;
    };
    let (Some(start_url), Some(region)) = (get(section, "sso_start_url"), get(section, "sso_region")) else {
        let missing: Vec<&str> =
            ["sso_start_url", "sso_region"].into_iter().filter(|key| section.get(key).is_none()).collect();
        let evidence = format!(
            "{}:{}: [sso-session {shown}] lacks {}",
            Shown(machine.config_path),
            section.line(),
            list(&missing)
        );
        checks.push(Check::broken(NAME, evidence, format!("add {} to [sso-session {shown}]", list(&missing))));
        return None;
    };
    for (key, shared) in [("sso_start_url", &start_url), ("sso_region", &region)] {
        if let Some(own) = profile.get(key).filter(|own| own != shared) {
            let evidence = format!(
                "the profile has a `{key}` of its own, {}, and [sso-session {shown}] another: the AWS CLI takes neither",
                Shown(own)
            );
            checks.push(Check::broken(
                NAME,
                evidence,
                format!("remove `{key}` from [profile {}]", Shown(machine.profile)),
            ));
            return None;
        }
    }
    if section.get("sso_registration_scopes").is_none() {
        let evidence = format!("[sso-session {shown}] has no `sso_registration_scopes`: the sign-in cannot be renewed");
        checks.push(Check::warning(
            NAME,
            evidence,
            format!("add `sso_registration_scopes = sso:account:access` to [sso-session {shown}]"),
        ));
    } else {
        checks.push(Check::ok(
            NAME,
            format!("[sso-session {shown}] signs in at {} ({})", Shown(&start_url), Shown(&region)),
        ));
    }
    Some(Session { key: name.to_owned(), start_url, region })
}

fn signed_in(machine: &Machine<'_>, session: &Session, checks: &mut Vec<Check>) -> Option<SignIn> {
    const NAME: &str = "sign-in";
    let login = format!("aws sso login --profile {}", word(machine.profile));
    let path = sign_in::file(machine.sign_ins, &session.key);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let Some(found) = sign_in::parse(&text) else {
        checks.push(Check::broken(NAME, "nobody has signed in for this session on this machine", login));
        return None;
    };
    let trimmed = |url: &str| url.trim_end_matches(['/', '#']).to_owned();
    if let Some(url) = found.start_url.as_ref().filter(|url| trimmed(url) != trimmed(&session.start_url)) {
        // It may be another name of the same portal: that only the portal can say.
        let evidence = format!("signed in at {}, and the profile is for {}", Shown(url), Shown(&session.start_url));
        checks.push(Check::warning(NAME, evidence, login.clone()));
    }
    match found.expires {
        Some(expires) if expires <= machine.now && found.renews => {
            let evidence = format!("the sign-in ended at {expires}, and the AWS CLI renews it while the session lasts");
            let next = format!("aws sts get-caller-identity --profile {}   and ask again", word(machine.profile));
            checks.push(Check::warning(NAME, evidence, next));
            None
        }
        Some(expires) if expires <= machine.now => {
            checks.push(Check::broken(NAME, format!("the sign-in ended at {expires}"), login));
            None
        }
        Some(expires) => {
            checks.push(Check::ok(NAME, format!("good until {expires}")));
            Some(found)
        }
        None => {
            checks.push(Check::broken(NAME, "the sign-in has no end that can be read", login));
            None
        }
    }
}

/// By how much clocks may differ before signatures are refused: five minutes (IAM user guide, "signature does not match").
const SKEW: i64 = 240;

/// Asks the portal, and who the role's credentials are.
pub async fn remote(ready: &Ready, portal: &Portal, profile: &str) -> Vec<Check> {
    let login = format!("aws sso login --profile {}", word(profile));
    let mut checks = Vec::new();
    let accounts = match portal.accounts().await {
        Ok(accounts) => accounts,
        Err(error) => {
            checks.push(refused("portal", &error, &login));
            checks.extend(clock(portal));
            return checks;
        }
    };
    checks.extend(clock(portal));
    let why =
        format!("permset why --user YOU --account {} --permission-set {} --request", ready.account, word(&ready.role));
    match accounts.iter().find(|account| account.id == ready.account) {
        Some(account) => {
            checks.push(Check::ok(
                "account",
                format!("{account} is among the accounts that you may enter ({})", accounts.len()),
            ));
        }
        None => {
            let evidence =
                format!("{} is not among the accounts that you may enter ({})", ready.account, accounts.len());
            checks.push(Check::broken("account", format!("{evidence}: nothing is assigned to you there"), why.clone()));
        }
    }
    match portal.roles(&ready.account).await {
        Ok(roles) if roles.contains(&ready.role) => {
            checks.push(Check::ok("role", format!("{} is assigned to you", Shown(&ready.role))));
        }
        Ok(roles) => checks.push(no_role(ready, &roles, &why)),
        Err(error) => checks.push(refused("role", &error, &login)),
    }
    checks.push(match portal.identity(&ready.account, &ready.role).await {
        Ok(identity) => entered(&identity),
        Err(error) if is_no_access(&error) => Check::broken(
            "credentials",
            "ForbiddenException: No access. Signing in worked, and the assignment is missing: no setting of this machine mends that",
            why,
        ),
        Err(error) => refused("credentials", &error, &login),
    });
    checks
}

fn no_role(ready: &Ready, roles: &[String], why: &str) -> Check {
    let role = Shown(&ready.role).to_string();
    let others: Vec<String> = roles.iter().map(|role| Shown(role).to_string()).collect();
    if others.is_empty() {
        return Check::broken("role", format!("{role} is not assigned to you, nor is anything else there"), why);
    }
    let evidence = format!("{role} is not assigned to you there; these are: {}", others.join(", "));
    match similar_name(&ready.role, roles.iter().map(String::as_str)) {
        Some(similar) => Check::broken(
            "role",
            evidence,
            format!("if it is meant: `sso_role_name = {}` in the profile", Shown(similar)),
        ),
        None => Check::broken("role", evidence, why),
    }
}

fn entered(identity: &Identity) -> Check {
    let Identity { user_id, account, arn } = identity;
    Check::ok("credentials", format!("UserId {}, Account {}, Arn {}", Shown(user_id), Shown(account), Shown(arn)))
}

fn clock(portal: &Portal) -> Option<Check> {
    let ahead = portal.clock_ahead()?;
    let how = if ahead < 0 { "behind" } else { "ahead" };
    let seconds = ahead.unsigned_abs();
    if ahead.abs() > SKEW {
        let evidence = format!("this machine is {seconds} s {how}: AWS refuses what it signs");
        return Some(Check::broken("clock", evidence, "set the clock, or turn on its synchronisation"));
    }
    Some(Check::ok("clock", format!("{seconds} s {how} of AWS's")))
}

fn refused(name: &'static str, error: &AwsError, login: &str) -> Check {
    match error.kind {
        ErrorKind::AccessDenied => {
            Check::broken(name, "the portal does not know the sign-in any more: it was ended elsewhere", login)
        }
        ErrorKind::NotReached => Check::broken(name, error.to_string(), "check network, proxy, and `sso_region`"),
        _ => Check::broken(name, error.to_string(), login),
    }
}
