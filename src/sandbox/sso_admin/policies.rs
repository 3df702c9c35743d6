//! The policies of a permission set: AWS managed, customer managed references, the inline policy and the permissions boundary.
//!
//! All are synchronous and raise the set's version when they change something. Whether a customer managed policy exists in an
//! account is not looked at here but when the set is provisioned there.

use serde_json::{Value, json};

use super::super::operation::{Input, Operation, read, write};
use super::super::pages::page;
use super::super::policy_document;
use super::super::state::State;
use super::super::wire::{AwsError, Reply};
use super::super::world::{CustomerManagedPolicy, Echo, Missing, PermissionSet, PermissionsBoundary};
use super::{set, set_mut};

/// Both kinds together [quotas page of the user guide].
const MAX_POLICIES: usize = 20;

pub(super) const OPERATIONS: &[Operation] = &[
    write("AttachManagedPolicyToPermissionSet", attach),
    write("DetachManagedPolicyFromPermissionSet", detach),
    read("ListManagedPoliciesInPermissionSet", list),
    write("AttachCustomerManagedPolicyReferenceToPermissionSet", attach_customer),
    write("DetachCustomerManagedPolicyReferenceFromPermissionSet", detach_customer),
    read("ListCustomerManagedPolicyReferencesInPermissionSet", list_customer),
    write("PutInlinePolicyToPermissionSet", put_inline),
    read("GetInlinePolicyForPermissionSet", get_inline),
    write("DeleteInlinePolicyFromPermissionSet", delete_inline),
    write("PutPermissionsBoundaryToPermissionSet", put_boundary),
    read("GetPermissionsBoundaryForPermissionSet", get_boundary),
    write("DeletePermissionsBoundaryFromPermissionSet", delete_boundary),
];

// Wordings of attach and detach: moto, whose contributors copy AWS's.

fn attach(state: &mut State, input: Input<'_>) -> Reply {
    let arn = input.text("ManagedPolicyArn");
    let set = set(state, input)?;
    exists(state, arn)?;
    if set.aws_managed_policies.iter().any(|it| it == arn) {
        return Err(AwsError::conflict(format!(
            "Permission set with id {} already has a typed link attachment to a manged policy with {arn}",
            set.id
        )));
    }
    room(set)?;
    let set = set_mut(state, input)?;
    set.aws_managed_policies.push(arn.to_owned());
    changed(set)
}

fn detach(state: &mut State, input: Input<'_>) -> Reply {
    let arn = input.text("ManagedPolicyArn");
    let set = set_mut(state, input)?;
    let before = set.aws_managed_policies.len();
    set.aws_managed_policies.retain(|it| it != arn);
    if set.aws_managed_policies.len() == before {
        return Err(AwsError::not_found(format!("Could not find ManagedPolicy with arn {arn}")));
    }
    changed(set)
}

fn list(state: &State, input: Input<'_>) -> Reply {
    let set = set(state, input)?;
    page(state, input, "AttachedManagedPolicies", &set.aws_managed_policies, |arn| {
        // The name is the last part of the ARN (aws-cloudformation provider for AWS::SSO).
        let name = arn.rsplit('/').next().unwrap_or_default();
        json!({"Name": name, "Arn": arn})
    })
}

fn attach_customer(state: &mut State, input: Input<'_>) -> Reply {
    let policy = reference(input);
    let set = set_mut(state, input)?;
    if set.customer_managed_policies.contains(&policy) {
        return Err(AwsError::conflict(format!(
            "Given customer managed policy with name: {}  and path {} already attached",
            policy.name, policy.path
        )));
    }
    room(set)?;
    set.customer_managed_policies.push(policy);
    changed(set)
}

fn detach_customer(state: &mut State, input: Input<'_>) -> Reply {
    let policy = reference(input);
    let set = set_mut(state, input)?;
    let before = set.customer_managed_policies.len();
    set.customer_managed_policies.retain(|it| *it != policy);
    if set.customer_managed_policies.len() == before {
        return Err(AwsError::not_found(format!(
            "Given managed policy with name: {}  and path {} does not exist on PermissionSet",
            policy.name, policy.path
        )));
    }
    changed(set)
}

fn list_customer(state: &State, input: Input<'_>) -> Reply {
    let set = set(state, input)?;
    let policies = &set.customer_managed_policies;
    page(state, input, "CustomerManagedPolicyReferences", policies, reference_body)
}

fn put_inline(state: &mut State, input: Input<'_>) -> Reply {
    let text = input.text("InlinePolicy");
    let set = set_mut(state, input)?;
    policy_document::check(text)?;
    set.inline_policy = Some(text.to_owned());
    changed(set)
}

// The text as it was put; when there is none an empty one "is possible" [botocore model, documentation of the output], though the
// shape admits none.
fn get_inline(state: &State, input: Input<'_>) -> Reply {
    let set = set(state, input)?;
    match &set.inline_policy {
        Some(text) if state.settings.echo == Echo::Normalized => {
            let policy = serde_json::from_str::<Value>(text).map(|policy| policy.to_string());
            Ok(json!({"InlinePolicy": policy.unwrap_or_else(|_| text.clone())}))
        }
        Some(text) => Ok(json!({"InlinePolicy": text})),
        None if state.settings.omit_empty_inline_policy => Ok(json!({})),
        None => Ok(json!({"InlinePolicy": ""})),
    }
}

// Succeeds with none, which is no change: CloudFormation's provider calls it without looking first.
fn delete_inline(state: &mut State, input: Input<'_>) -> Reply {
    let set = set_mut(state, input)?;
    match set.inline_policy.take() {
        Some(_) => changed(set),
        None => Ok(json!({})),
    }
}

fn put_boundary(state: &mut State, input: Input<'_>) -> Reply {
    let boundary = input.inside("PermissionsBoundary");
    let managed = boundary.and_then(|it| it.maybe("ManagedPolicyArn"));
    set(state, input)?;
    let customer = boundary.filter(|it| it.value("CustomerManagedPolicyReference").is_some());
    // Either or [PermissionsBoundary, API reference], though the model has no union here.
    let boundary = match (managed, customer) {
        (Some(arn), None) => {
            exists(state, arn)?;
            PermissionsBoundary::ManagedPolicyArn(arn.to_owned())
        }
        (None, Some(it)) => PermissionsBoundary::CustomerManagedPolicyReference(reference(it)),
        (Some(_), Some(_)) | (None, None) => {
            return Err(input.refused("permissionsBoundary", "Member must have exactly one of its members set"));
        }
    };
    let set = set_mut(state, input)?;
    set.permissions_boundary = Some(boundary);
    changed(set)
}

fn get_boundary(state: &State, input: Input<'_>) -> Reply {
    let set = set(state, input)?;
    let boundary = match &set.permissions_boundary {
        Some(PermissionsBoundary::ManagedPolicyArn(arn)) => json!({"ManagedPolicyArn": arn}),
        Some(PermissionsBoundary::CustomerManagedPolicyReference(policy)) => {
            json!({"CustomerManagedPolicyReference": reference_body(policy)})
        }
        None => return Err(no_boundary(set)),
    };
    Ok(json!({"PermissionsBoundary": boundary}))
}

// With none the answer is not documented; the error of the Get is the likelier one.
fn delete_boundary(state: &mut State, input: Input<'_>) -> Reply {
    let missing = state.settings.delete_missing_boundary;
    let set = set_mut(state, input)?;
    match (set.permissions_boundary.take(), missing) {
        (Some(_), _) => changed(set),
        (None, Missing::Succeeds) => Ok(json!({})),
        (None, Missing::NotFound) => Err(no_boundary(set)),
    }
}

fn changed(set: &mut PermissionSet) -> Reply {
    set.version = set.version.saturating_add(1);
    Ok(json!({}))
}

fn exists(state: &State, arn: &str) -> Result<(), AwsError> {
    // Those of another partition do not exist in this one.
    let partition = |arn: &str| arn.split(':').nth(1).unwrap_or_default().to_owned();
    let foreign = state.instance.as_ref().is_some_and(|instance| partition(&instance.arn) != partition(arn));
    let unknown = state.aws_managed_policies.as_ref().is_some_and(|known| !known.contains(arn));
    if foreign || unknown {
        return Err(AwsError::not_found(format!("Policy does not exist with ARN: {arn}")));
    }
    Ok(())
}

fn room(set: &PermissionSet) -> Result<(), AwsError> {
    if set.aws_managed_policies.len() + set.customer_managed_policies.len() < MAX_POLICIES {
        return Ok(());
    }
    Err(AwsError::quota(format!(
        "You have exceeded AWS SSO limits. Cannot create ManagedPolicy more than {MAX_POLICIES} for id {}",
        set.id
    )))
}

fn no_boundary(set: &PermissionSet) -> AwsError {
    AwsError::not_found(format!("Could not find PermissionsBoundary for PermissionSet with id {}", set.id))
}

// The path is part of the identity and defaults to the root [botocore model].
fn reference(input: Input<'_>) -> CustomerManagedPolicy {
    let policy = input.inside("CustomerManagedPolicyReference");
    let member = |name| policy.and_then(|it| it.owned(name));
    CustomerManagedPolicy {
        name: member("Name").unwrap_or_default(),
        path: member("Path").unwrap_or_else(|| "/".to_owned()),
    }
}

fn reference_body(policy: &CustomerManagedPolicy) -> Value {
    json!({"Name": policy.name, "Path": policy.path})
}
