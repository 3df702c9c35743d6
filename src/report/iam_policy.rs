//! The IAM policy that a run with an access file needs: no more than that, and on request only for its accounts and owner.
//!
//! Resources and condition keys of the actions after the Service Authorization Reference ("AWS IAM Identity Center", "Identity
//! Store", "AWS Organizations"); every resource that an action lists as required must be allowed, and accounts carry no tags, so
//! what is narrowed by a tag stands in statements of its own.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::model::{AccountSelector, Boundary, DesiredDefinition, DesiredState, OWNER_TAG, PrincipalKind};

/// For which command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// `plan` and `drift`.
    Plan,
    /// `apply`, which plans as well.
    Apply,
}

/// How narrow, and how comfortable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// For which command.
    pub command: For,
    /// Only for the accounts in scope and the permission sets of the owner.
    pub narrow: bool,
    /// Also what a run can do without: fewer calls, the people behind groups, who made a difference.
    pub optional: bool,
}

/// Returns the policy document.
pub fn policy(desired: &DesiredState, options: Options) -> Value {
    let mut statements = vec![allow("Read", &reads(desired), json!("*"))];
    if options.optional {
        statements.push(allow("ReadWithFewerCallsAndMoreToTell", &optional(options.command), json!("*")));
    }
    if options.command == For::Apply {
        let sets = set_writes(desired);
        if options.narrow {
            statements.extend(narrowed(desired, &sets));
        } else {
            let mut writes = sets;
            writes.extend(["CreateAccountAssignment", "DeleteAccountAssignment"]);
            statements.push(allow("Write", &sso(&writes), json!("*")));
        }
        statements.push(allow("Follow", &sso(&follows(desired)), json!("*")));
    }
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn allow(sid: &str, actions: &BTreeSet<String>, resources: Value) -> Value {
    json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources})
}

fn sso(operations: &BTreeSet<&str>) -> BTreeSet<String> {
    operations.iter().map(|operation| format!("sso:{operation}")).collect()
}

/// What reading needs, whatever the world.
fn reads(desired: &DesiredState) -> BTreeSet<String> {
    let mut operations = BTreeSet::from([
        "DescribePermissionSet",
        "ListAccountAssignments",
        "ListAccountsForProvisionedPermissionSet",
        "ListInstances",
        "ListPermissionSets",
    ]);
    if has_managed(desired) {
        operations.extend([
            "GetInlinePolicyForPermissionSet",
            "GetPermissionsBoundaryForPermissionSet",
            "ListCustomerManagedPolicyReferencesInPermissionSet",
            "ListManagedPoliciesInPermissionSet",
            "ListTagsForResource",
        ]);
    }
    if desired.owner.is_some() {
        operations.insert("ListTagsForResource");
    }
    let mut actions = sso(&operations);
    // Whoever is assigned is asked for, by name or not.
    actions.extend(["identitystore:DescribeGroup", "identitystore:DescribeUser"].map(str::to_owned));
    for (kind, _, _) in desired.principals() {
        let action = match kind {
            PrincipalKind::Group => "identitystore:GetGroupId",
            PrincipalKind::User => "identitystore:GetUserId",
        };
        actions.insert(action.to_owned());
    }
    // More than a few accounts, and names, are looked up in the list.
    actions.insert("organizations:ListAccounts".to_owned());
    if desired.account_selectors().all(|selector| matches!(selector.value, AccountSelector::Id(_))) {
        actions.insert("organizations:DescribeAccount".to_owned());
    }
    actions
}

/// What makes reading cheaper or its answer fuller.
fn optional(command: For) -> BTreeSet<String> {
    let mut actions = BTreeSet::from([
        "identitystore:ListGroupMemberships",
        "identitystore:ListGroupMembershipsForMember",
        "identitystore:ListGroups",
        "identitystore:ListUsers",
        "sso:ListAccountAssignmentsForPrincipal",
        "sso:ListPermissionSetsProvisionedToAccount",
    ]);
    match command {
        For::Plan => drop(actions.insert("cloudtrail:LookupEvents")),
        // Many requests are followed with one call.
        For::Apply => actions.extend([
            "sso:ListAccountAssignmentCreationStatus",
            "sso:ListAccountAssignmentDeletionStatus",
            "sso:ListPermissionSetProvisioningStatus",
        ]),
    }
    actions.into_iter().map(str::to_owned).collect()
}

fn has_managed(desired: &DesiredState) -> bool {
    desired.permission_sets.values().any(|set| matches!(set.definition, DesiredDefinition::Managed(_)))
}

/// The writes of permission sets. What is attached now may have to be detached, so both are there.
fn set_writes(desired: &DesiredState) -> BTreeSet<&'static str> {
    if !has_managed(desired) {
        return BTreeSet::new();
    }
    let mut writes = BTreeSet::from([
        "AttachCustomerManagedPolicyReferenceToPermissionSet",
        "AttachManagedPolicyToPermissionSet",
        "CreatePermissionSet",
        "DeleteInlinePolicyFromPermissionSet",
        "DeletePermissionsBoundaryFromPermissionSet",
        "DetachCustomerManagedPolicyReferenceFromPermissionSet",
        "DetachManagedPolicyFromPermissionSet",
        "ProvisionPermissionSet",
        "PutInlinePolicyToPermissionSet",
        "PutPermissionsBoundaryToPermissionSet",
        "TagResource",
        "UntagResource",
        "UpdatePermissionSet",
    ]);
    let managed = || {
        desired.permission_sets.values().filter_map(|set| match &set.definition {
            DesiredDefinition::Managed(definition) => Some(definition),
            DesiredDefinition::External => None,
        })
    };
    if managed().all(|definition| definition.customer_managed_policies.is_empty()) {
        writes.remove("AttachCustomerManagedPolicyReferenceToPermissionSet");
    }
    if managed().all(|definition| definition.aws_managed_policies.is_empty()) {
        writes.remove("AttachManagedPolicyToPermissionSet");
    }
    if managed().all(|definition| definition.inline_policy.is_none()) {
        writes.remove("PutInlinePolicyToPermissionSet");
    }
    let bounded = |boundary: &Option<Boundary>| boundary.is_some();
    if !managed().any(|definition| bounded(&definition.permissions_boundary)) {
        writes.remove("PutPermissionsBoundaryToPermissionSet");
    }
    if managed().all(|definition| definition.tags.is_empty()) {
        writes.remove("TagResource");
    }
    if desired.owner.is_some() || desired.permission_sets.values().any(|set| !set.previously.is_empty()) {
        writes.insert("DeletePermissionSet");
    }
    writes
}

/// What it takes to see how requests end.
fn follows(desired: &DesiredState) -> BTreeSet<&'static str> {
    let mut reads =
        BTreeSet::from(["DescribeAccountAssignmentCreationStatus", "DescribeAccountAssignmentDeletionStatus"]);
    if has_managed(desired) {
        reads.insert("DescribePermissionSetProvisioningStatus");
    }
    reads
}

/// The writes, for the accounts in scope and the permission sets that carry the owner's tag.
fn narrowed(desired: &DesiredState, sets: &BTreeSet<&str>) -> Vec<Value> {
    let instance = desired.instance.as_ref().map(|arn| arn.value.as_str());
    let partition = desired.instance.as_ref().map_or("aws", |arn| arn.value.partition());
    let short = desired.instance.as_ref().map_or("*", |arn| arn.value.short());
    let instance = json!(instance.map_or_else(|| format!("arn:{partition}:sso:::instance/*"), str::to_owned));
    let any_set = json!(format!("arn:{partition}:sso:::permissionSet/{short}/*"));
    let any_account = json!(format!("arn:{partition}:sso:::account/*"));
    let mut statements = Vec::new();
    let account = |selector: &AccountSelector| match selector {
        AccountSelector::Id(id) => json!(format!("arn:{partition}:sso:::account/{id}")),
        // A policy knows no names of accounts.
        AccountSelector::All | AccountSelector::Name(_) => any_account.clone(),
    };
    let mut resources = vec![instance.clone(), any_set.clone()];
    for selector in &desired.scope.accounts {
        let account = account(&selector.value);
        if !resources.contains(&account) {
            resources.push(account);
        }
    }
    let assigns = BTreeSet::from(["CreateAccountAssignment", "DeleteAccountAssignment"]);
    statements.push(allow("AssignInScope", &sso(&assigns), Value::Array(resources)));
    if sets.is_empty() {
        return statements;
    }
    // A permission set reaches wherever it is provisioned, in scope or not.
    statements.push(allow("WriteInThisInstance", &sso(sets), json!([instance, any_account])));
    let Some(owner) = &desired.owner else {
        statements.push(allow("WritePermissionSets", &sso(sets), any_set));
        return statements;
    };
    let mut own = sets.clone();
    let claims: BTreeSet<&str> =
        ["CreatePermissionSet", "TagResource"].into_iter().filter(|it| sets.contains(it)).collect();
    own.remove("CreatePermissionSet");
    let with = |sid: &str, actions: &BTreeSet<&str>, key: &str| {
        let mut statement = allow(sid, &sso(actions), any_set.clone());
        if let Value::Object(map) = &mut statement {
            let key = format!("{key}/{OWNER_TAG}");
            map.insert("Condition".to_owned(), json!({"StringEquals": {key: owner}}));
        }
        statement
    };
    statements.push(with("ClaimPermissionSets", &claims, "aws:RequestTag"));
    statements.push(with("WriteOwnPermissionSets", &own, "aws:ResourceTag"));
    statements
}
