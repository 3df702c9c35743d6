//! Who changed what: events as AWS CloudTrail tells them.

use serde::{Deserialize, Serialize};

use crate::model::{AccountId, PermissionSetArn, PrincipalId};

/// A change of a permission set or an assignment that somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailEvent {
    /// Who and when.
    pub by: ChangedBy,
    /// The permission set.
    pub permission_set: Option<PermissionSetArn>,
    /// The account.
    pub account: Option<AccountId>,
    /// The user or group.
    pub principal: Option<PrincipalId>,
}

/// Who changed something, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedBy {
    /// The ARN of the caller.
    pub who: String,
    /// When, in RFC 3339.
    pub when: String,
    /// The operation, as in `DeleteAccountAssignment`.
    pub operation: String,
}
