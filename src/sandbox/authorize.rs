//! What the caller's account may do: the management account everything, a delegated administrator not the management account's
//! own access, members nothing but look whether there is an instance.
//!
//! IAM policies of callers are not played. Source: delegated administration, IAM Identity Center user guide.

use super::model::{is_job, is_read};
use super::operation::Input;
use super::state::State;
use super::wire::{AwsError, Service};

/// The service principal of Identity Center.
pub(super) const IDENTITY_CENTER: &str = "sso.amazonaws.com";

/// Admits a call, or says what AWS says to those who may not make it.
pub(super) fn check(state: &State, input: Input<'_>) -> Result<(), AwsError> {
    let caller = &input.caller.account;
    if *caller == state.organization.management_account_id {
        return Ok(());
    }
    match input.service {
        Service::Organizations => organizations(state, input),
        Service::IdentityStore if administers(state, caller) => Ok(()),
        Service::IdentityStore => Err(denied(input, "identitystore", &store_arn(state))),
        // A member sees the instance of its organization in the list (cloud-copilot/iam-collect#54), and nothing in it.
        Service::SsoAdmin if input.operation == "ListInstances" => Ok(()),
        Service::SsoAdmin if administers(state, caller) => delegated(state, input),
        Service::SsoAdmin => {
            let instance = input.maybe("InstanceArn").unwrap_or("*");
            Err(denied(input, "sso", instance))
        }
    }
}

fn administers(state: &State, account: &str) -> bool {
    let services = state.organization.delegated_administrators.get(account);
    services.is_some_and(|services| services.contains_key(IDENTITY_CENTER))
}

// iam-identity-center-team#59, terraform-aws-sso-elevator#83, #101, landing-zone-accelerator-on-aws#215, #274, #293
fn delegated(state: &State, input: Input<'_>) -> Result<(), AwsError> {
    let management = &state.organization.management_account_id;
    let arn = input.maybe("PermissionSetArn").or_else(|| input.maybe("ResourceArn")).unwrap_or_default();
    let set = arn.rsplit('/').next().and_then(|id| state.sets.get(id));
    let reaches = set.is_some_and(|set| set.provisioned.contains_key(management));
    let into_management = is_job(input.operation) && input.maybe("TargetId") == Some(management);
    let by_principal = input.operation == "ListAccountAssignmentsForPrincipal";
    if (!is_read(input.operation) && reaches && !is_tagging(input.operation))
        || into_management
        || (by_principal && !state.settings.delegated_lists_by_principal)
    {
        let resource = if arn.is_empty() { input.text("InstanceArn") } else { arn };
        return Err(denied(input, "sso", resource));
    }
    Ok(())
}

fn is_tagging(operation: &str) -> bool {
    matches!(operation, "TagResource" | "UntagResource")
}

// Reads need the management account or a delegated administrator of any service, DescribeOrganization only membership; writes the
// management account [organizations API reference].
fn organizations(state: &State, input: Input<'_>) -> Result<(), AwsError> {
    let caller = &input.caller.account;
    if !state.accounts.contains_key(caller) {
        return Err(AwsError::new(
            "AWSOrganizationsNotInUseException",
            "Your account is not a member of an organization.",
        ));
    }
    let reads = is_read(input.operation) && state.organization.delegated_administrators.contains_key(caller);
    if input.operation == "DescribeOrganization" || reads {
        return Ok(());
    }
    Err(AwsError::denied("You don't have permissions to access this resource."))
}

fn denied(input: Input<'_>, prefix: &str, resource: &str) -> AwsError {
    AwsError::denied(format!(
        "User: {} is not authorized to perform: {prefix}:{} on resource: {resource}",
        input.caller.arn, input.operation
    ))
}

fn store_arn(state: &State) -> String {
    let instance = state.instance.as_ref();
    let (account, id) = instance.map_or(("", ""), |it| (&it.owner_account_id, &it.identity_store_id));
    format!("arn:aws:identitystore::{account}:identitystore/{id}")
}
