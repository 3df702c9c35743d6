//! The policies of a permission set: AWS managed, customer managed references, the inline policy and the permissions boundary.
//!
//! All are synchronous and raise the set's version when they change something. Whether a customer managed policy exists in an
//! account is not looked at here but when the set is provisioned there.

use serde_json::{Value, json};

use super::super::operation::{Input, Operation, read, write};
use super::super::pages::page;
use super::super::patterns;
use super::super::policy_document;
use super::super::state::State;
use super::super::validate::{Member, Shape, optional, required};
use super::super::wire::{AwsError, Reply};
use super::super::world::{CustomerManagedPolicy, PermissionSet, PermissionsBoundary};
use super::{INSTANCE, MAX_RESULTS, NEXT_TOKEN, SET, set, set_mut};

/// Both kinds together [quotas page of the user guide].
const MAX_POLICIES: usize = 20;

const MANAGED: Member = required("ManagedPolicyArn", Shape::Text(&patterns::MANAGED_POLICY_ARN));
const REFERENCE: Shape = Shape::Structure(
    const { &[required("Name", Shape::Text(&patterns::POLICY_NAME)), optional("Path", Shape::Text(&patterns::POLICY_PATH))] },
);
const CUSTOMER: Member = required("CustomerManagedPolicyReference", REFERENCE);
const BOUNDARY: Member = required(
    "PermissionsBoundary",
    Shape::Union(
        const {
            &[
                optional("CustomerManagedPolicyReference", REFERENCE),
                optional("ManagedPolicyArn", Shape::Text(&patterns::MANAGED_POLICY_ARN)),
            ]
        },
    ),
);
const INLINE: Member = required("InlinePolicy", Shape::Text(&patterns::INLINE_POLICY));
const ONE_SET: &[Member] = &[INSTANCE, SET];
const PAGE_OF_SET: &[Member] = &[INSTANCE, SET, MAX_RESULTS, NEXT_TOKEN];

pub(super) const OPERATIONS: &[Operation] = &[
    write("AttachManagedPolicyToPermissionSet", &[INSTANCE, SET, MANAGED], attach),
    write("DetachManagedPolicyFromPermissionSet", &[INSTANCE, SET, MANAGED], detach),
    read("ListManagedPoliciesInPermissionSet", PAGE_OF_SET, list),
    write("AttachCustomerManagedPolicyReferenceToPermissionSet", &[INSTANCE, SET, CUSTOMER], attach_customer),
    write("DetachCustomerManagedPolicyReferenceFromPermissionSet", &[INSTANCE, SET, CUSTOMER], detach_customer),
    read("ListCustomerManagedPolicyReferencesInPermissionSet", PAGE_OF_SET, list_customer),
    write("PutInlinePolicyToPermissionSet", &[INSTANCE, SET, INLINE], put_inline),
    read("GetInlinePolicyForPermissionSet", ONE_SET, get_inline),
    write("DeleteInlinePolicyFromPermissionSet", ONE_SET, delete_inline),
    write("PutPermissionsBoundaryToPermissionSet", &[INSTANCE, SET, BOUNDARY], put_boundary),
    read("GetPermissionsBoundaryForPermissionSet", ONE_SET, get_boundary),
    write("DeletePermissionsBoundaryFromPermissionSet", ONE_SET, delete_boundary),
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
    policy_document::check(text)?;
    let set = set_mut(state, input)?;
    set.inline_policy = Some(text.to_owned());
    changed(set)
}

// The text as it was put; absent when there is none [GetInlinePolicyForPermissionSet, API reference].
fn get_inline(state: &State, input: Input<'_>) -> Reply {
    let set = set(state, input)?;
    Ok(set.inline_policy.as_ref().map_or_else(|| json!({}), |text| json!({"InlinePolicy": text})))
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
    let boundary = match (managed, boundary) {
        (Some(arn), _) => {
            exists(state, arn)?;
            PermissionsBoundary::ManagedPolicyArn(arn.to_owned())
        }
        (None, Some(it)) => PermissionsBoundary::CustomerManagedPolicyReference(reference(it)),
        (None, None) => {
            return Err(input.refused("permissionsBoundary", "Member must not be null"));
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
    let set = set_mut(state, input)?;
    match set.permissions_boundary.take() {
        Some(_) => changed(set),
        None => Err(no_boundary(set)),
    }
}

fn changed(set: &mut PermissionSet) -> Reply {
    set.version = set.version.saturating_add(1);
    Ok(json!({}))
}

fn exists(state: &State, arn: &str) -> Result<(), AwsError> {
    match &state.aws_managed_policies {
        Some(known) if !known.contains(arn) => {
            Err(AwsError::not_found(format!("Policy does not exist with ARN: {arn}")))
        }
        _ => Ok(()),
    }
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
