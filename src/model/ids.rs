//! Names and ids as types of their own, so that one can never be passed for another.
//!
//! `Display` is safe to print (see [`Shown`](crate::model::Shown)); `as_str` is the exact text that AWS knows. A million
//! assignments name the same few thousand ids again and again, so a clone shares the text, and is equal at a glance.

use std::cmp::Ordering;
use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

use crate::model::Shown;

/// Why a text is no id or name of the wanted kind.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum IdError {
    /// An account id is exactly 12 decimal digits.
    #[error("an account id has exactly 12 digits")]
    AccountId,
    /// A permission set name is too long or empty.
    #[error("a permission set name has 1 to 32 characters, this one has {0}")]
    PermissionSetNameLength(usize),
    /// A permission set name has a character outside `[A-Za-z0-9_+=,.@-]`.
    #[error("a permission set name consists of letters, digits and `_+=,.@-`, not {0:?}")]
    PermissionSetNameCharacter(char),
    /// An instance ARN does not have AWS's form.
    #[error("an instance ARN looks like `arn:aws:sso:::instance/ssoins-` and 16 characters")]
    InstanceArn,
    /// A name is empty.
    #[error("a name must not be empty")]
    Empty,
}

macro_rules! text_types {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(Arc<str>);

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                if Arc::ptr_eq(&self.0, &other.0) { Ordering::Equal } else { self.0.cmp(&other.0) }
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl $name {
            /// Returns the exact text, which may hold anything that AWS allows: print the value itself instead.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl Display for $name {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                f.pad(&Shown(&self.0).to_string())
            }
        }
    )+};
}

macro_rules! taken_as_is {
    ($($name:ident),+ $(,)?) => {$(
        impl $name {
            /// Takes the text as AWS or the access file gave it.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }
    )+};
}

macro_rules! parsed {
    ($($name:ident),+ $(,)?) => {$(
        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(&text)
            }
        }
    )+};
}

text_types! {
    /// The 12 digits of an AWS account: text, never a number, for leading zeros count.
    AccountId,
    /// The name of an account in AWS Organizations, or a short name of the access file. Not unique in AWS.
    AccountName,
    /// The name of a permission set: unique in an instance, and never changed by AWS.
    PermissionSetName,
    /// The ARN of a permission set.
    PermissionSetArn,
    /// The ARN of an Identity Center instance.
    InstanceArn,
    /// The id of the identity store behind an instance, `d-` and ten hexadecimal digits.
    IdentityStoreId,
    /// The id of a user or group. Two forms occur, neither a valid RFC UUID: it is never parsed.
    PrincipalId,
    /// The display name of a group.
    GroupName,
    /// The user name of a user.
    UserName,
}

parsed!(AccountId, PermissionSetName, InstanceArn);
taken_as_is!(AccountName, PermissionSetArn, IdentityStoreId, PrincipalId, GroupName, UserName);

impl AccountId {
    /// Reads an account id.
    ///
    /// # Errors
    /// [`IdError::AccountId`] if the text is not exactly 12 ASCII digits (botocore model: `\d{12}`).
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let digits = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
        if digits { Ok(Self(text.into())) } else { Err(IdError::AccountId) }
    }

    /// Returns the first of all ids, in order.
    pub(super) fn lowest() -> Self {
        Self("000000000000".into())
    }
}

impl PermissionSetName {
    /// Reads a permission set name by the rule of the API model, `[\w+=,.@-]{1,32}`.
    ///
    /// # Errors
    /// The length, or the first character that AWS would refuse.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let length = text.chars().count();
        if !(1..=32).contains(&length) {
            return Err(IdError::PermissionSetNameLength(length));
        }
        match text.chars().find(|c| !c.is_ascii_alphanumeric() && !"_+=,.@-".contains(*c)) {
            Some(c) => Err(IdError::PermissionSetNameCharacter(c)),
            None => Ok(Self(text.into())),
        }
    }
}

impl InstanceArn {
    /// Reads an instance ARN.
    ///
    /// # Errors
    /// [`IdError::InstanceArn`] if the text is not of the form in the API model,
    /// `arn:<partition>:sso:::instance/(sso)?ins-[a-zA-Z0-9-.]{16}`.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let id = text
            .strip_prefix("arn:aws")
            .and_then(|rest| rest.split_once(":sso:::instance/"))
            .filter(|(partition, _)| partition.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'))
            .and_then(|(_, id)| id.strip_prefix("ssoins-").or_else(|| id.strip_prefix("ins-")));
        match id {
            Some(id) if id.len() == 16 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b)) => {
                Ok(Self(text.into()))
            }
            _ => Err(IdError::InstanceArn),
        }
    }

    /// Returns the partition, such as `aws` or `aws-us-gov`.
    pub fn partition(&self) -> &str {
        self.0.split(':').nth(1).unwrap_or("aws")
    }

    /// Returns the last part, such as `ssoins-00aa11bb22cc33dd`, by which people know an instance.
    pub fn short(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{AccountId, IdError, InstanceArn, PermissionSetName};

    #[test]
    fn account_ids_are_text() {
        assert_eq!(AccountId::parse("012345678901").map(|id| id.to_string()), Ok("012345678901".to_owned()));
        for wrong in ["", "12345678901", "1234567890123", "12345678901a", "１２３４５６７８９０１２"] {
            assert_eq!(AccountId::parse(wrong), Err(IdError::AccountId), "{wrong}");
        }
    }

    #[test]
    fn permission_set_names_follow_the_model() {
        assert!(PermissionSetName::parse("a_+=,.@-Z9").is_ok());
        assert_eq!(PermissionSetName::parse(&"x".repeat(33)), Err(IdError::PermissionSetNameLength(33)));
        assert_eq!(PermissionSetName::parse("naïve"), Err(IdError::PermissionSetNameCharacter('ï')));
        assert_eq!(PermissionSetName::parse(""), Err(IdError::PermissionSetNameLength(0)));
    }

    #[test]
    fn instance_arns_know_partition_and_short_form() -> Result<(), IdError> {
        let arn = InstanceArn::parse("arn:aws-us-gov:sso:::instance/ssoins-00aa11bb22cc33dd")?;
        assert_eq!((arn.partition(), arn.short()), ("aws-us-gov", "ssoins-00aa11bb22cc33dd"));
        assert!(InstanceArn::parse("arn:aws:sso:::permissionSet/ssoins-00aa11bb22cc33dd").is_err());
        assert!(InstanceArn::parse("arn:aws:sso:::instance/ssoins-short").is_err());
        Ok(())
    }
}
