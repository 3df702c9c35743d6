//! The part of the world file that says what the organization is: accounts, organizational units, tags, delegation.
//!
//! Shapes only, as in the rest of the file form.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::defaults::is_default;

/// The organization; what is empty is filled in from the rest of the world.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Organization {
    /// `o-` and 10 to 32 lower-case letters or digits.
    pub id: String,
    /// The management account; left out, the owner of the instance.
    pub management_account_id: String,
    /// `r-` and 4 to 32 lower-case letters or digits.
    pub root_id: String,
    /// The tags of the root.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub root_tags: BTreeMap<String, String>,
    /// The organizational units, in any order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<Unit>,
    /// By service principal, since when (epoch seconds) it may work in the organization; left out, Identity Center alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted_services: Option<BTreeMap<String, f64>>,
    /// By account and service principal, since when (epoch seconds) the account administers the service.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub delegated_administrators: BTreeMap<String, BTreeMap<String, f64>>,
    /// Requests for new accounts in the order they came, finished ones included.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub creations: Vec<Creation>,
}

/// An organizational unit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// `ou-`, the end of the root's id, `-` and 8 to 32 characters; left out, made from name and parent.
    #[serde(default)]
    pub id: String,
    /// Unique under the parent.
    pub name: String,
    /// The id of the unit above, or a path such as `/Workloads`; left out, the root.
    #[serde(default)]
    pub parent: String,
    /// The tags of the unit.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// A CreateAccount and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Creation {
    /// `car-` and 8 to 32 lower-case letters or digits.
    pub id: String,
    /// The name of the account to be.
    pub name: String,
    /// Its address, unique among the accounts of AWS.
    pub email: String,
    /// The tags it will have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Epoch seconds.
    pub requested: f64,
    /// The epoch second at which it is done.
    pub due: f64,
    /// The id that the account has or will have.
    pub account_id: String,
    /// What it came to; left out while it is in progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<CreationOutcome>,
}

/// What a CreateAccount came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreationOutcome {
    /// The account is there.
    Created,
    /// It is not: a `CreateAccountFailureReason`.
    Failed(String),
}

/// An AWS account.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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
    /// The id of the organizational unit, or a path such as `/Workloads/Video`; left out, the root.
    #[serde(default)]
    pub parent: String,
    /// The tags of the account.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// The epoch second at which a CloseAccount ends in SUSPENDED.
    #[serde(default, skip_serializing_if = "is_default")]
    pub closing: Option<f64>,
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
