//! ProvisionPermissionSet, its status, and the two lists that say what is provisioned where and how current it is.
//!
//! The filter by status is the only signal of stale accounts that AWS gives; it compares versions, not roles.

use serde_json::json;

use super::super::jobs;
use super::super::operation::{Input, Operation, read, status, write};
use super::super::pages::page;
use super::super::state::State;
use super::super::wire::Reply;
use super::super::world::{PermissionSet, Work};
use super::{describe_job, is_home, job_body, list_jobs, set, set_arn, set_id};

const REQUEST_ID: &str = "ProvisionPermissionSetRequestId";
const PROVISIONED: &str = "LATEST_PERMISSION_SET_PROVISIONED";

pub(super) const OPERATIONS: &[Operation] = &[
    write("ProvisionPermissionSet", provision),
    status("DescribePermissionSetProvisioningStatus", |state, input| {
        describe_job(state, input, REQUEST_ID, "PermissionSetProvisioningStatus", is_provisioning)
    }),
    status("ListPermissionSetProvisioningStatus", |state, input| {
        list_jobs(state, input, "PermissionSetsProvisioningStatus", is_provisioning)
    }),
    read("ListAccountsForProvisionedPermissionSet", list_accounts),
    read("ListPermissionSetsProvisionedToAccount", list_sets),
];

// A set that is provisioned nowhere is accepted (Terraform's acceptance tests), and one account may be named that has no
// assignment, which leaves a role behind (tf#32006).
fn provision(state: &mut State, input: Input<'_>) -> Reply {
    let set = set_id(state, input)?;
    let account = match (input.text("TargetType"), input.maybe("TargetId")) {
        ("AWS_ACCOUNT", None) => {
            return Err(input.refused("targetId", "Member must not be null"));
        }
        ("AWS_ACCOUNT", account) => account,
        _ => None,
    };
    jobs::admit_pair(state, set, account)?;
    let work = Work::Provision { permission_set_id: set.to_owned(), account_id: account.map(str::to_owned) };
    let job = jobs::begin(state, work);
    Ok(json!({"PermissionSetProvisioningStatus": job_body(state, &job, false)}))
}

// Suspended accounts stay in the list (aws-sso-util#80).
fn list_accounts(state: &State, input: Input<'_>) -> Reply {
    let set = set(state, input)?;
    let accounts = set.provisioned.keys().filter(|account| wanted(input, set, account));
    page(state, input, "AccountIds", accounts, |account| json!(account))
}

fn list_sets(state: &State, input: Input<'_>) -> Reply {
    let home = is_home(state, input)?;
    let account = input.text("AccountId");
    let sets = state
        .sets_in_account
        .get(account)
        .into_iter()
        .flatten()
        .filter_map(|id| state.sets.get(id))
        .filter(|set| home && wanted(input, set, account));
    let mut answer = page(state, input, "PermissionSets", sets, |set| json!(set_arn(state, &set.id)))?;
    // benkehoe/aws-sso-util reads this list with a default, since it can be missing.
    if state.settings.omit_empty_lists
        && let Some(members) = answer.as_object_mut()
    {
        members.retain(|_, value| value.as_array().is_none_or(|items| !items.is_empty()));
    }
    Ok(answer)
}

fn wanted(input: Input<'_>, set: &PermissionSet, account: &str) -> bool {
    let current = set.provisioned.get(account).is_some_and(|there| there.version >= set.version);
    match input.maybe("ProvisioningStatus") {
        Some(PROVISIONED) => current,
        Some(_) => !current,
        None => true,
    }
}

fn is_provisioning(work: &Work) -> bool {
    matches!(work, Work::Provision { .. })
}
