//! Who is calling, and through which groups.

use aws_sdk_identitystore::types::MemberId;

use crate::aws::call::{call, pages};
use crate::aws::error::{AwsError, ErrorKind};
use crate::aws::{At, Aws};
use crate::model::{AccountId, Caller, CallerUser, PrincipalId, UserName};

/// Memberships come in pages of at most 100.
const PAGE: i32 = 100;

impl Aws {
    /// Asks who is calling. Needs no permission.
    ///
    /// # Errors
    /// If the credentials are not accepted, or the answer makes no sense.
    pub async fn caller(&self) -> Result<Caller, AwsError> {
        const OP: &str = "GetCallerIdentity";
        const SUBJECT: &str = "these credentials";
        let output = call(OP, SUBJECT, self.sts.get_caller_identity().send()).await?;
        let account = output.account.unwrap_or_default();
        let account = AccountId::parse(&account)
            .map_err(|error| AwsError::unreadable(OP, SUBJECT, format!("account `{account}`: {error}")))?;
        Ok(Caller { account, arn: output.arn.unwrap_or_default(), user: None })
    }
}

impl At<'_> {
    /// Finds the user behind a session and the groups of that user; `None` if there is no such user, or it may not be asked.
    ///
    /// # Errors
    /// If a call fails for another reason than a missing permission.
    pub async fn caller_user(self, name: &UserName) -> Result<Option<CallerUser>, AwsError> {
        let Some(id) = unless_denied(self.user_id(name).await)?.flatten() else { return Ok(None) };
        let groups = self.groups_of(&id).await?;
        Ok(Some(CallerUser { id, groups: groups.map(|groups| groups.into_iter().collect()) }))
    }

    /// Lists the groups of a user; `None` if they may not be read.
    ///
    /// # Errors
    /// If a call fails for another reason.
    pub async fn groups_of(self, user: &PrincipalId) -> Result<Option<Vec<PrincipalId>>, AwsError> {
        const OP: &str = "ListGroupMembershipsForMember";
        let found = pages(OP, user, |token| async move {
            let request = self.aws.identity_store.list_group_memberships_for_member();
            let request = request.identity_store_id(self.instance.identity_store.as_str());
            let request = request.member_id(MemberId::UserId(user.as_str().to_owned()));
            let output = call(OP, user, request.set_next_token(token).send()).await?;
            Ok((output.group_memberships, output.next_token))
        });
        let ids = |found: Vec<aws_sdk_identitystore::types::GroupMembership>| {
            found.into_iter().filter_map(|membership| membership.group_id).map(PrincipalId::new).collect()
        };
        Ok(unless_denied(found.await)?.map(ids))
    }
}

impl At<'_> {
    /// Lists the users in a group; nobody if there is no such group any more.
    ///
    /// # Errors
    /// If AWS refuses.
    pub async fn members(self, group: &PrincipalId) -> Result<Vec<PrincipalId>, AwsError> {
        const OP: &str = "ListGroupMemberships";
        let found = pages(OP, group, |token| async move {
            let request = self.aws.identity_store.list_group_memberships();
            let request = request.identity_store_id(self.instance.identity_store.as_str()).group_id(group.as_str());
            let output = call(OP, group, request.max_results(PAGE).set_next_token(token).send()).await?;
            Ok((output.group_memberships, output.next_token))
        });
        let user = |membership: aws_sdk_identitystore::types::GroupMembership| match membership.member_id {
            Some(MemberId::UserId(id)) => Some(PrincipalId::new(id)),
            _ => None,
        };
        match found.await {
            Ok(found) => Ok(found.into_iter().filter_map(user).collect()),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

fn unless_denied<T>(answer: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.kind == ErrorKind::AccessDenied => Ok(None),
        Err(error) => Err(error),
    }
}
