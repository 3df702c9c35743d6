//! Who gets in, and why.

use schemars::JsonSchema;
use serde::Serialize;

use crate::effective::reach::{Holding, Reach};
use crate::effective::why::{Answer, Question, Role, SetThere, Verdict};
use crate::model::{AccountRef, Instance, Reading};
use crate::report::json::FORMAT_VERSION;
use crate::report::json::parts::{
    AccountJson, InstanceJson, PrincipalJson, ReadingJson, account, instance, principal, reading,
};
use crate::report::who_can;
use crate::report::why::{Lines, Mark, evidence, verdict};

/// Why somebody gets in or does not, version 1.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "permset why, version 1")]
pub struct WhyJson {
    /// The version of this format. Members may be added within a version; none is removed or changed.
    format_version: u32,
    verdict: VerdictJson,
    /// The verdict in words, with the link that is missing.
    message: String,
    /// Who it is; `null` if there is nobody of this name.
    principal: Option<PrincipalJson>,
    account: AccountJson,
    permission_set: Option<String>,
    /// The live assignments by which they get in.
    routes: Vec<RouteJson>,
    /// The chain, link by link.
    evidence: Vec<EvidenceJson>,
    /// What to add to the access file, as a unified diff.
    patch: Option<String>,
}

/// The conclusion.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum VerdictJson {
    Access,
    NoAccess,
    /// Their groups may not be read.
    Unknown,
}

/// A live assignment by which somebody gets in.
#[derive(Debug, Serialize, JsonSchema)]
struct RouteJson {
    permission_set: String,
    /// Their group, or they themselves.
    through: PrincipalJson,
    role: RoleJson,
}

/// The role of a permission set in an account.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum RoleJson {
    UpToDate,
    Stale,
    Missing,
}

/// One link of the chain.
#[derive(Debug, Serialize, JsonSchema)]
struct EvidenceJson {
    state: StateJson,
    link: String,
    text: String,
}

/// How a link is.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum StateJson {
    Ok,
    Missing,
    /// It holds, and somebody should look.
    Note,
    /// It is only told.
    Info,
}

fn role(role: Option<Role>) -> RoleJson {
    match role {
        Some(Role::UpToDate) => RoleJson::UpToDate,
        Some(Role::Stale) => RoleJson::Stale,
        None => RoleJson::Missing,
    }
}

impl WhyJson {
    /// Makes the JSON form of an answer.
    pub fn new(question: &Question, answer: &Answer, lines: &Lines<'_>) -> Self {
        let link = |(mark, link, text): (Mark, &str, String)| EvidenceJson {
            state: match mark {
                Mark::Ok => StateJson::Ok,
                Mark::Missing => StateJson::Missing,
                Mark::Note => StateJson::Note,
                Mark::Plain => StateJson::Info,
            },
            link: link.to_owned(),
            text,
        };
        let route = |route: &crate::effective::why::Route| RouteJson {
            permission_set: route.permission_set.as_str().to_owned(),
            through: principal(&route.through),
            role: role(route.role),
        };
        Self {
            format_version: FORMAT_VERSION,
            verdict: match answer.verdict {
                Verdict::Access => VerdictJson::Access,
                Verdict::NoAccess(_) => VerdictJson::NoAccess,
                Verdict::Unknown => VerdictJson::Unknown,
            },
            message: verdict(question, answer),
            principal: answer.who.as_ref().map(|who| principal(&who.principal)),
            account: account(&answer.account),
            permission_set: question.permission_set.as_ref().map(|set| set.as_str().to_owned()),
            routes: answer.routes.iter().map(route).collect(),
            evidence: evidence(question, answer, lines).into_iter().map(link).collect(),
            patch: lines.patch.clone(),
        }
    }
}

/// Which permission sets reach an account, version 1.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "permset why --account, version 1")]
pub struct AccountSetsJson {
    /// The version of this format. Members may be added within a version; none is removed or changed.
    format_version: u32,
    account: AccountJson,
    permission_sets: Vec<SetThereJson>,
}

/// A permission set in an account.
#[derive(Debug, Serialize, JsonSchema)]
struct SetThereJson {
    permission_set: String,
    /// Whether the access file declares it; `null` without a file.
    declared: Option<bool>,
    /// The lines of the access file that give it to somebody there, as in `access.yaml:41`.
    lines: Vec<String>,
    holders: Vec<PrincipalJson>,
    role: RoleJson,
}

impl AccountSetsJson {
    /// Makes the JSON form; `place` tells where a rule stands.
    pub fn new(of: &AccountRef, sets: &[SetThere], place: &dyn Fn(usize) -> Option<String>) -> Self {
        let set = |it: &SetThere| SetThereJson {
            permission_set: it.permission_set.as_str().to_owned(),
            declared: it.declared,
            lines: it.rules.iter().filter_map(|rule| place(*rule)).collect(),
            holders: it.holders.iter().map(principal).collect(),
            role: role(it.role),
        };
        Self { format_version: FORMAT_VERSION, account: account(of), permission_sets: sets.iter().map(set).collect() }
    }
}

/// Who holds what, version 1.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "permset who-can, version 1")]
pub struct WhoCanJson {
    /// The version of this format. Members may be added within a version; none is removed or changed.
    format_version: u32,
    instance: InstanceJson,
    holdings: Vec<HoldingJson>,
    /// Users who hold nothing; `null` if not everything was looked at.
    users_without: Option<Vec<PrincipalJson>>,
    /// Groups without members; `null` if not everything was looked at.
    empty_groups: Option<Vec<PrincipalJson>>,
    reading: ReadingJson,
}

/// What one person, or group without members, has.
#[derive(Debug, Serialize, JsonSchema)]
struct HoldingJson {
    account: AccountJson,
    permission_set: String,
    principal: PrincipalJson,
    /// Through which group; `null` if directly.
    through: Option<PrincipalJson>,
    /// Whether the user cannot sign in.
    disabled: bool,
    /// Whether the account runs an older version of the permission set.
    stale: bool,
    /// Whether the account is active.
    active: bool,
    /// Whether it allows the action that was asked for: `yes`, `partly` (on some resources or under conditions), `unknown`.
    allowed: Option<String>,
}

impl WhoCanJson {
    /// Makes the JSON form; `everybody` is whether everything was looked at.
    pub fn new(reach: &Reach, at: &Instance, everybody: bool, took: &Reading) -> Self {
        let holding = |it: &Holding| HoldingJson {
            account: account(&it.account),
            permission_set: it.permission_set.as_str().to_owned(),
            principal: principal(&it.who),
            through: it.through.as_ref().map(principal),
            disabled: it.disabled,
            stale: it.stale,
            active: it.active,
            allowed: it.allowed.map(|allowed| who_can::allowed(allowed).to_owned()),
        };
        let all = |list: &[crate::model::Principal]| everybody.then(|| list.iter().map(principal).collect());
        Self {
            format_version: FORMAT_VERSION,
            instance: instance(at),
            holdings: reach.holdings.iter().map(holding).collect(),
            users_without: all(&reach.without),
            empty_groups: all(&reach.empty_groups),
            reading: reading(took),
        }
    }
}
