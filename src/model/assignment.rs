//! Account assignments: who gets which permission set in which account.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use crate::model::{AccountRef, PermissionSetName, PrincipalId, Shown};

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

/// One principal with one permission set in one account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Assignment {
    /// The permission set.
    pub permission_set: PermissionSetName,
    /// The account.
    pub account: AccountRef,
    /// Who gets it.
    pub principal: Principal,
}
