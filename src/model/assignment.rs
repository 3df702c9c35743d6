//! Account assignments: who gets which permission set in which account.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use crate::model::{AccountId, AccountRef, PermissionSetName, PrincipalId, Shown};

/// The two kinds of principal that can be assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PrincipalKind {
    /// A group of the identity store.
    Group,
    /// A user of the identity store.
    User,
}

impl PrincipalKind {
    /// Returns the word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::User => "user",
        }
    }
}

/// A principal as AWS knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PrincipalRef {
    /// Group or user.
    pub kind: PrincipalKind,
    /// Its id in the identity store.
    pub id: PrincipalId,
}

/// One principal with one permission set in one account, in ids: what AWS tells, and what the file means.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Grant {
    /// The permission set.
    pub permission_set: PermissionSetName,
    /// The account.
    pub account: AccountId,
    /// Who.
    pub principal: PrincipalRef,
}

impl Grant {
    /// Returns what comes before every grant of a permission set in an account, in order.
    pub(super) fn first_of(permission_set: &PermissionSetName, account: &AccountId) -> Self {
        let principal = PrincipalRef { kind: PrincipalKind::Group, id: PrincipalId::new("") };
        Self { permission_set: permission_set.clone(), account: account.clone(), principal }
    }
}

/// A principal as people know it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Principal {
    /// Group or user.
    pub kind: PrincipalKind,
    /// Its name; `None` if the identity store no longer has it.
    pub name: Option<String>,
    /// Its id in the identity store.
    pub id: PrincipalId,
}

impl Principal {
    /// Returns the part by which AWS knows it.
    pub fn to_ref(&self) -> PrincipalRef {
        PrincipalRef { kind: self.kind, id: self.id.clone() }
    }
}

impl Display for Principal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let word = self.kind.word();
        let text = match &self.name {
            Some(name) => format!("{word:<5} {}", Shown(name)),
            None => format!("{word:<5} {} (deleted)", self.id),
        };
        f.pad(&text)
    }
}

/// A grant as people know it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Assignment {
    /// The permission set.
    pub permission_set: PermissionSetName,
    /// The account.
    pub account: AccountRef,
    /// Who gets it.
    pub principal: Principal,
}

impl Assignment {
    /// Returns the same in ids.
    pub fn to_grant(&self) -> Grant {
        Grant {
            permission_set: self.permission_set.clone(),
            account: self.account.id.clone(),
            principal: self.principal.to_ref(),
        }
    }
}
