//! Who is calling AWS.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::{AccountId, PermissionSetName, PrincipalId, UserName};

/// Whoever the credentials belong to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The account.
    pub account: AccountId,
    /// The ARN of the user or the session.
    pub arn: String,
    /// The user of the identity store behind the session; `None` if it was not asked for, or there is none.
    pub user: Option<CallerUser>,
}

/// The user behind a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerUser {
    /// Its id.
    pub id: PrincipalId,
    /// Its groups; `None` if they may not be read.
    pub groups: Option<BTreeSet<PrincipalId>>,
}

/// The permission set and the account through which somebody came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WayIn {
    /// The permission set.
    pub permission_set: PermissionSetName,
    /// The account.
    pub account: AccountId,
    /// The user's name, which is that of the session.
    pub user: UserName,
}

impl Caller {
    /// Returns how the caller came in, if that was through Identity Center: the role of a permission set is called
    /// `AWSReservedSSO_<name>_<16 hexadecimal digits>` (Identity Center user guide, "Referencing permission sets in
    /// resource policies"), and the session has the name of the user.
    pub fn way_in(&self) -> Option<WayIn> {
        let (_, role) = self.arn.split_once(":assumed-role/AWSReservedSSO_")?;
        let (role, user) = role.split_once('/')?;
        let (name, _) = role.rsplit_once('_')?;
        Some(WayIn {
            permission_set: PermissionSetName::parse(name).ok()?,
            account: self.account.clone(),
            user: UserName::new(user),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{AccountId, Caller, WayIn};
    use crate::model::{IdError, PermissionSetName, UserName};

    #[test]
    fn a_session_of_identity_center_is_known_by_its_role() -> Result<(), IdError> {
        let account = AccountId::parse("215665149509")?;
        let caller = |arn: &str| Caller { account: account.clone(), arn: arn.to_owned(), user: None };
        let arn = "arn:aws:sts::215665149509:assumed-role/AWSReservedSSO_My_Set_0123456789abcdef/dana@example.com";
        let expected = WayIn {
            permission_set: PermissionSetName::parse("My_Set")?,
            account: account.clone(),
            user: UserName::new("dana@example.com"),
        };
        assert_eq!(caller(arn).way_in(), Some(expected));
        for other in [
            "arn:aws:iam::215665149509:user/dana",
            "arn:aws:sts::215665149509:assumed-role/deploy/ci",
            "arn:aws:sts::215665149509:assumed-role/AWSReservedSSO_x",
            "",
        ] {
            assert_eq!(caller(other).way_in(), None, "{other}");
        }
        Ok(())
    }
}
