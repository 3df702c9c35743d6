//! Parts that the formats share.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::model::{AccountRef, Assignment, Definition, NextBest, Policy, Principal, PrincipalKind, Reading};
use crate::plan::LeftAlone;

/// The Identity Center instance.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct InstanceJson {
    arn: String,
    region: String,
    identity_store_id: String,
}

/// Everything that a permission set consists of.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct DefinitionJson {
    description: Option<String>,
    /// ISO 8601, such as `PT4H`.
    session_duration: String,
    relay_state: Option<String>,
    tags: BTreeMap<String, String>,
    /// Path and name, such as `job-function/ViewOnlyAccess`.
    aws_managed_policies: Vec<String>,
    customer_managed_policies: Vec<CustomerPolicyJson>,
    /// The policy document; a text if it is not one.
    inline_policy: Option<Value>,
    permissions_boundary: Option<String>,
}

/// A policy that each account keeps itself.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct CustomerPolicyJson {
    name: String,
    path: String,
}

/// An account.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct AccountJson {
    id: String,
    /// Its name in AWS Organizations, if it was read.
    name: Option<String>,
}

/// Who has what where.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct AssignmentJson {
    permission_set: String,
    account: AccountJson,
    principal: PrincipalJson,
}

/// A group or a user.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct PrincipalJson {
    r#type: PrincipalTypeJson,
    id: String,
    /// Its name; `null` if it no longer exists.
    name: Option<String>,
}

/// As the API spells it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum PrincipalTypeJson {
    Group,
    User,
}

/// What was seen and is not touched.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct LeftAloneJson {
    /// Permission sets that the file does not declare.
    permission_sets: Vec<String>,
    /// Accounts outside the scope in which declared permission sets are provisioned.
    accounts: Vec<AccountJson>,
    /// Accounts that the file means and that are not active.
    inactive_accounts: Vec<InactiveAccountJson>,
    /// Assignments outside of ownership; read only with `--show-unmanaged`.
    assignments: Vec<AssignmentJson>,
    /// How many assignments the file ignores where it would decide.
    ignored: usize,
}

/// An account that is not active.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct InactiveAccountJson {
    account: AccountJson,
    state: String,
}

/// What the reading took.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ReadingJson {
    calls: u64,
    /// Whole seconds.
    seconds: u64,
    strategy: String,
    /// Another way to read that was counted.
    next_best: Option<NextBestJson>,
}

/// A way to read that was not taken.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct NextBestJson {
    strategy: String,
    calls: u64,
    /// Whether counting stopped there.
    at_least: bool,
}

pub(super) fn instance(instance: &crate::model::Instance) -> InstanceJson {
    InstanceJson {
        arn: instance.arn.as_str().to_owned(),
        region: instance.region.clone(),
        identity_store_id: instance.identity_store.as_str().to_owned(),
    }
}

pub(super) fn account(account: &AccountRef) -> AccountJson {
    AccountJson { id: account.id.as_str().to_owned(), name: account.name.as_ref().map(|name| name.as_str().to_owned()) }
}

pub(super) fn accounts(refs: &[AccountRef]) -> Vec<AccountJson> {
    refs.iter().map(account).collect()
}

pub(super) fn assignment(value: &Assignment) -> AssignmentJson {
    let Assignment { permission_set, account: in_account, principal } = value;
    AssignmentJson {
        permission_set: permission_set.as_str().to_owned(),
        account: account(in_account),
        principal: self::principal(principal),
    }
}

pub(super) fn principal(value: &Principal) -> PrincipalJson {
    let r#type = match value.kind {
        PrincipalKind::Group => PrincipalTypeJson::Group,
        PrincipalKind::User => PrincipalTypeJson::User,
    };
    PrincipalJson { r#type, id: value.id.as_str().to_owned(), name: value.name.clone() }
}

pub(super) fn definition(value: &Definition) -> DefinitionJson {
    let Definition {
        description,
        session_duration,
        relay_state,
        tags,
        aws_managed_policies,
        customer_managed_policies,
        inline_policy,
        permissions_boundary,
    } = value;
    let customer = |policy: &crate::model::CustomerManagedPolicy| CustomerPolicyJson {
        name: policy.name.clone(),
        path: policy.path.clone(),
    };
    DefinitionJson {
        description: description.clone(),
        session_duration: session_duration.to_iso(),
        relay_state: relay_state.clone(),
        tags: tags.clone(),
        aws_managed_policies: aws_managed_policies.iter().map(|policy| policy.as_str().to_owned()).collect(),
        customer_managed_policies: customer_managed_policies.iter().map(customer).collect(),
        inline_policy: inline_policy.as_ref().map(policy),
        permissions_boundary: permissions_boundary.as_ref().map(ToString::to_string),
    }
}

pub(super) fn policy(policy: &Policy) -> Value {
    let text = policy.to_tidy_text();
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

pub(super) fn left_alone(value: &LeftAlone) -> LeftAloneJson {
    let LeftAlone { permission_sets, accounts: outside, inactive, assignments, ignored } = value;
    LeftAloneJson {
        permission_sets: permission_sets.iter().map(|name| name.as_str().to_owned()).collect(),
        accounts: accounts(outside),
        inactive_accounts: inactive
            .iter()
            .map(|(id, state)| InactiveAccountJson { account: account(id), state: state.clone() })
            .collect(),
        assignments: assignments.iter().map(assignment).collect(),
        ignored: *ignored,
    }
}

pub(super) fn reading(reading: &Reading) -> ReadingJson {
    let next_best = reading.next_best.map(|NextBest { strategy, calls, at_least }| NextBestJson {
        strategy: strategy.to_string(),
        calls,
        at_least,
    });
    ReadingJson { calls: reading.calls, seconds: reading.seconds, strategy: reading.strategy.to_string(), next_best }
}
