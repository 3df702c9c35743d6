//! Accounts of the organization.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use crate::model::{AccountId, AccountName};

/// Whether an account can be worked with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountState {
    /// Alive: the only state in which Identity Center can write into an account.
    Active,
    /// Suspended, closing, closed, or not yet there; the text is what AWS Organizations says.
    Inactive(String),
}

/// An account as AWS Organizations describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its name.
    pub name: AccountName,
    /// Whether it is active.
    pub state: AccountState,
}

/// An account as people read it: the id, and its name where known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccountRef {
    /// Its id.
    pub id: AccountId,
    /// Its name in AWS Organizations, if it could be read.
    pub name: Option<AccountName>,
}

impl Display for AccountRef {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => f.pad(&format!("{} ({name})", self.id)),
            None => self.id.fmt(f),
        }
    }
}
