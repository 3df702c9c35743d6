//! The part of the world file that says who there is: users, groups and memberships of the identity store.
//!
//! Shapes only, as in the rest of the file form.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::defaults::{is_default, is_one, one};

/// A user of the identity store.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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
    /// The other attributes by their names on the wire (`Title`, `Addresses`, …); `Name` and `Emails` without what stands above.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub attributes: Map<String, Value>,
    /// How it came to be what it is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub record: Record,
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
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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
    /// How it came to be what it is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub record: Record,
}

/// That a user is in a group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// Left out, made from the other two.
    #[serde(default)]
    pub id: String,
    /// The group.
    pub group_id: String,
    /// The user.
    pub user_id: String,
    /// How it came to be.
    #[serde(default, skip_serializing_if = "is_default")]
    pub record: Record,
}

/// When something was made and changed last, and how often.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Grows with every change; left out, 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub revision: u64,
    /// Epoch seconds.
    #[serde(default, skip_serializing_if = "is_default")]
    pub created: f64,
    /// Epoch seconds.
    #[serde(default, skip_serializing_if = "is_default")]
    pub updated: f64,
}

impl Default for Record {
    fn default() -> Self {
        Self { revision: 1, created: 0.0, updated: 0.0 }
    }
}

impl Record {
    pub(in crate::sandbox) fn made(now: f64) -> Self {
        Self { revision: 1, created: now, updated: now }
    }

    pub(in crate::sandbox) fn change(&mut self, now: f64) {
        self.revision = self.revision.saturating_add(1);
        self.updated = now;
    }
}
