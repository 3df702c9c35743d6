//! The part of the world file that says who may do what where: permission sets, account assignments, and the asynchronous
//! requests on both.
//!
//! Shapes only, as in the rest of the file form.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::defaults::{is_default, one, one_hour, root_path};

/// A permission set and where it is provisioned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PermissionSet {
    /// `ps-` and 16 characters; left out, made from the name.
    #[serde(default)]
    pub id: String,
    /// Unique in the instance, by case.
    pub name: String,
    /// What the set is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// As sent; left out, `PT1H`.
    #[serde(default = "one_hour")]
    pub session_duration: String,
    /// Where the console opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relay_state: Option<String>,
    /// The tags of the set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// ARNs of AWS managed policies in the order they were attached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aws_managed_policies: Vec<String>,
    /// References to policies that every target account must have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub customer_managed_policies: Vec<CustomerManagedPolicy>,
    /// The text as it was put.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inline_policy: Option<String>,
    /// The boundary of the role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions_boundary: Option<PermissionsBoundary>,
    /// Epoch seconds.
    #[serde(default)]
    pub created: f64,
    /// Grows with every change of the definition; left out, 1.
    #[serde(default = "one")]
    pub version: u64,
    /// The epoch second at which its last assignment went; it may count as in use for a while.
    #[serde(default, skip_serializing_if = "is_default")]
    pub released: f64,
    /// By account, what is provisioned there. A version below the set's own is stale.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub provisioned: BTreeMap<String, Provisioned>,
}

impl PermissionSet {
    /// Makes a permission set of which only the name is given; its id is made from it when the world is read.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            id: String::new(),
            name: name.to_owned(),
            description: None,
            session_duration: one_hour(),
            relay_state: None,
            tags: BTreeMap::new(),
            aws_managed_policies: Vec::new(),
            customer_managed_policies: Vec::new(),
            inline_policy: None,
            permissions_boundary: None,
            created: 0.0,
            version: one(),
            released: 0.0,
            provisioned: BTreeMap::new(),
        }
    }
}

/// A reference by name and path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomerManagedPolicy {
    /// Case-sensitive.
    pub name: String,
    /// Left out, `/`.
    #[serde(default = "root_path")]
    pub path: String,
}

/// A permissions boundary: one policy of either kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PermissionsBoundary {
    /// The ARN of an AWS managed policy.
    ManagedPolicyArn(String),
    /// A policy of the target account.
    CustomerManagedPolicyReference(CustomerManagedPolicy),
}

/// The role of a permission set in one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provisioned {
    /// The version of the set when it was last provisioned; left out, 1.
    #[serde(default = "one")]
    pub version: u64,
    /// The end of the role's name, `AWSReservedSSO_<name>_<suffix>`; another one after every new provisioning.
    #[serde(default)]
    pub role_suffix: String,
}

/// An account assignment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// The account.
    pub account_id: String,
    /// The permission set.
    pub permission_set_id: String,
    /// Which kind `principal_id` is of.
    pub principal_type: PrincipalType,
    /// Whose assignment it is.
    pub principal_id: String,
}

/// `PrincipalType` of sso-admin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "AWS's own words")]
pub enum PrincipalType {
    Group,
    User,
}

/// An asynchronous request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// The id to ask with.
    pub request_id: String,
    /// What it does.
    pub work: Work,
    /// How it stands.
    pub status: JobStatus,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<String>,
    /// Epoch seconds.
    pub created: f64,
    /// The epoch second at which it takes effect.
    pub due: f64,
    /// Left out, it is up to the world whether it fails; else it will, for this reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fated: Option<String>,
}

/// What a job does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Work {
    /// CreateAccountAssignment.
    CreateAssignment(Assignment),
    /// DeleteAccountAssignment.
    DeleteAssignment(Assignment),
    /// ProvisionPermissionSet.
    Provision {
        /// The set.
        permission_set_id: String,
        /// One account, or every account the set is provisioned in.
        account_id: Option<String>,
    },
}

/// `StatusValues` of sso-admin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "AWS's own words")]
pub enum JobStatus {
    InProgress,
    Succeeded,
    Failed,
}
