//! What an apply may not do without consent, as the access file says it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::{AccountSelector, Located, PermissionSetName, Place, PrincipalKind};

/// The guards of an access file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guards {
    /// How much one apply may take away.
    pub max_deletions: MaxDeletions,
    /// Permission sets that are left alone, whatever the scope.
    pub protect: BTreeSet<PermissionSetName>,
    /// What must be there afterwards.
    pub required: Vec<RequiredGrant>,
}

/// The limits of what one apply may take away; beyond either it asks for consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaxDeletions {
    /// So many assignments.
    pub count: usize,
    /// This share, in percent, of the assignments that the file decides about.
    pub percent: usize,
}

impl Default for MaxDeletions {
    fn default() -> Self {
        Self { count: 10, percent: 30 }
    }
}

/// A grant that must be there after every apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredGrant {
    /// Where it stands.
    pub place: Place,
    /// Group or user.
    pub kind: PrincipalKind,
    /// Whose.
    pub principal: Located<String>,
    /// What.
    pub permission_set: Located<PermissionSetName>,
    /// Where: one account, never all.
    pub account: Located<AccountSelector>,
}
