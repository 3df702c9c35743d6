//! The world as a file holds it: plain lists that people write by hand and tests compare.
//!
//! Everything with a sensible default may be left out on input. What the lists mean together (references, uniqueness) is judged
//! by `consistency`, and requests are answered from the indexed form; neither belongs here.

mod access;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::access::{
    Assignment, CustomerManagedPolicy, Job, JobStatus, PermissionSet, PermissionsBoundary, PrincipalType, Provisioned,
    Work,
};

/// The version of the file format that this code reads and writes.
pub const FORMAT_VERSION: u64 = 1;

/// A whole world: an organization, an identity store and an Identity Center instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct World {
    /// The version of this format; [`FORMAT_VERSION`].
    pub format_version: u64,
    /// With `counter` the source of every id that the sandbox makes up.
    pub seed: u64,
    /// How many ids were made up so far.
    pub counter: u64,
    /// The instance that holds permission sets; `null` is a Region without Identity Center.
    pub instance: Option<Instance>,
    /// Further instances that ListInstances shows; they hold nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra_instances: Vec<Instance>,
    /// The organization around the accounts.
    pub organization: Organization,
    /// How the sandbox behaves where AWS leaves room or is unknown.
    pub settings: Settings,
    /// The accounts of the organization, the management account among them.
    pub accounts: Vec<Account>,
    /// The users of the identity store.
    pub users: Vec<User>,
    /// The groups of the identity store.
    pub groups: Vec<Group>,
    /// Who is in which group.
    pub memberships: Vec<Membership>,
    /// The AWS managed policies that exist; `null` takes every well-formed ARN for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aws_managed_policies: Option<Vec<String>>,
    /// The permission sets of the instance, with the accounts each is provisioned in.
    pub permission_sets: Vec<PermissionSet>,
    /// The account assignments. A principal that does not exist makes an orphan.
    pub assignments: Vec<Assignment>,
    /// Asynchronous requests in the order they came, finished ones included.
    pub jobs: Vec<Job>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            format_version: FORMAT_VERSION,
            seed: 1,
            counter: 0,
            instance: Some(Instance::default()),
            extra_instances: Vec::new(),
            organization: Organization::default(),
            settings: Settings::default(),
            accounts: Vec::new(),
            users: Vec::new(),
            groups: Vec::new(),
            memberships: Vec::new(),
            aws_managed_policies: None,
            permission_sets: Vec::new(),
            assignments: Vec::new(),
            jobs: Vec::new(),
        }
    }
}

/// An Identity Center instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Instance {
    /// `arn:aws:sso:::instance/ssoins-` and 16 characters.
    pub arn: String,
    /// `d-` and 10 hexadecimal digits.
    pub identity_store_id: String,
    /// The account that owns the instance; for an organization instance the management account.
    pub owner_account_id: String,
    /// The home Region.
    pub region: String,
    /// The tags of the instance.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

impl Default for Instance {
    fn default() -> Self {
        Self {
            arn: "arn:aws:sso:::instance/ssoins-00aa11bb22cc33dd".to_owned(),
            identity_store_id: "d-00aa11bb22".to_owned(),
            owner_account_id: "111111111111".to_owned(),
            region: "eu-central-1".to_owned(),
            tags: BTreeMap::new(),
        }
    }
}

/// The organization; what is empty is filled in from the rest of the world.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Organization {
    /// `o-` and 10 to 32 lower-case letters or digits.
    pub id: String,
    /// The management account; left out, the owner of the instance.
    pub management_account_id: String,
}

/// The switches of the sandbox. Where AWS's behaviour is not documented, the default is the likelier one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long an asynchronous job stays IN_PROGRESS.
    pub job_seconds: f64,
    /// Default and cap of a page of sso-admin and identitystore, 1 to 100. AWS documents no default.
    pub page_size: usize,
    /// The same for organizations, 1 to 20.
    pub organizations_page_size: usize,
    /// The epoch second at which the clock starts; `null` takes the machine's time.
    pub epoch: Option<f64>,
    /// Unknown: whether ListAccountAssignmentsForPrincipal of a user shows the rows of the user's groups.
    pub group_rows_for_users: bool,
    /// Unknown: whether CreateAccountAssignment brings a stale permission set up to date in the account.
    pub create_refreshes_stale: bool,
    /// Unknown: what DeleteAccountAssignment answers when there is no such assignment.
    pub delete_missing_assignment: DeleteMissing,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            job_seconds: 1.0,
            page_size: 100,
            organizations_page_size: 20,
            epoch: None,
            group_rows_for_users: true,
            create_refreshes_stale: true,
            delete_missing_assignment: DeleteMissing::NotFound,
        }
    }
}

/// What deleting an assignment that is not there comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeleteMissing {
    /// ResourceNotFoundException at once.
    NotFound,
    /// A job that succeeds.
    Succeeds,
}

/// An AWS account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// Need not be unique; left out, the id.
    #[serde(default)]
    pub name: String,
    /// Left out, an invented address.
    #[serde(default)]
    pub email: String,
    /// Left out, ACTIVE.
    #[serde(default)]
    pub state: AccountState,
    /// Epoch seconds.
    #[serde(default)]
    pub joined: f64,
    /// The customer managed policies of the account, each as path and name; left out, every policy is taken to exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_managed_policies: Option<Vec<String>>,
}

/// `Account.State` of organizations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "AWS's own words")]
pub enum AccountState {
    PendingActivation,
    #[default]
    Active,
    Suspended,
    PendingClosure,
    Closed,
}

/// A user of the identity store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Left out, made from the name.
    #[serde(default)]
    pub id: String,
    /// Unique in the store.
    pub user_name: String,
    /// Left out, the user name.
    #[serde(default)]
    pub display_name: String,
    /// `Name.GivenName`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// `Name.FamilyName`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// Unique in the store where present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Left out, ENABLED.
    #[serde(default)]
    pub status: UserStatus,
}

/// `UserStatus` of identitystore.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "AWS's own words")]
pub enum UserStatus {
    #[default]
    Enabled,
    Disabled,
}

/// A group of the identity store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Left out, made from the name.
    #[serde(default)]
    pub id: String,
    /// Unique in the store.
    pub display_name: String,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// That a user is in a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// Left out, made from the other two.
    #[serde(default)]
    pub id: String,
    /// The group.
    pub group_id: String,
    /// The user.
    pub user_id: String,
}
