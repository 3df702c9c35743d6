//! The world as a file holds it: plain lists that people write by hand and tests compare.
//!
//! Everything with a sensible default may be left out on input. What the lists mean together (references, uniqueness) is judged
//! by `consistency`, and requests are answered from the indexed form; neither belongs here.

mod access;
mod defaults;
mod directory;
mod faults;
mod organization;
mod settings;
mod trail;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::defaults::is_default;

pub use self::access::{
    Assignment, CustomerManagedPolicy, Job, JobStatus, PermissionSet, PermissionsBoundary, PrincipalType, Provisioned,
    Work,
};
pub use self::directory::{Group, Membership, Record, User, UserStatus};
pub use self::faults::{Effect, Fault, OutOfBand};
pub use self::organization::{Account, AccountState, Creation, CreationOutcome, Organization, Unit};
pub use self::settings::{Conflicts, Echo, Missing, Settings, UnknownAssignee, UnknownInstance, UnknownKeys};
pub use self::trail::TrailEvent;

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
    /// How often the file was written; tells the journal beside it whether it still belongs to it.
    #[serde(skip_serializing_if = "is_default")]
    pub generation: u64,
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
    /// Access keys and whose they are; a key that is the id of an account is that account's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_keys: Vec<AccessKey>,
    /// What shall go wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// Who changed permission sets and assignments, oldest first: what CloudTrail tells.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trail: Vec<TrailEvent>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            format_version: FORMAT_VERSION,
            seed: 1,
            counter: 0,
            generation: 0,
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
            access_keys: Vec::new(),
            faults: Vec::new(),
            trail: Vec::new(),
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
    /// The attributes for access control, key and source; left out, they are off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_control_attributes: Option<Vec<(String, String)>>,
}

impl Default for Instance {
    fn default() -> Self {
        Self {
            arn: "arn:aws:sso:::instance/ssoins-00aa11bb22cc33dd".to_owned(),
            identity_store_id: "d-00aa11bb22".to_owned(),
            owner_account_id: "111111111111".to_owned(),
            region: "eu-central-1".to_owned(),
            tags: BTreeMap::new(),
            access_control_attributes: None,
        }
    }
}

/// An access key and who signs with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessKey {
    /// As it stands in a signature.
    pub id: String,
    /// The account of the caller.
    pub account_id: String,
    /// The name of the IAM user, or of the user who signed in; left out, `sandbox`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The permission set whose role the key is for; left out, it is an IAM user's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission_set: Option<String>,
    /// The IAM policy of whoever signs with it; left out, nothing is refused for want of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<serde_json::Value>,
}
