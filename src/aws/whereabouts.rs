//! Where permission sets are, and who has them there.

use std::collections::BTreeMap;

use aws_sdk_ssoadmin::types::ProvisioningStatus;

use crate::aws::call::{call, pages};
use crate::aws::error::{AwsError, ErrorKind};
use crate::aws::{At, convert};
use crate::model::{AccountId, PermissionSetArn, PrincipalId, PrincipalRef, Provisioning};

/// These lists come in pages of at most 100.
const PAGE: i32 = 100;

/// What a principal has, as AWS tells it: a user's list also has rows of groups.
pub type Held = (PermissionSetArn, AccountId, PrincipalRef);

impl At<'_> {
    /// Reads where a permission set is provisioned, and whether each account has its newest version.
    ///
    /// # Errors
    /// If AWS refuses.
    pub async fn provisioned(self, arn: &PermissionSetArn) -> Result<BTreeMap<AccountId, Provisioning>, AwsError> {
        let stale = ProvisioningStatus::LatestPermissionSetNotProvisioned;
        // Not the two filters together: an account that somebody else's provisioning moves from one to the other between
        // the two calls would be in neither, and everybody assigned there invisible. The whole list says where to look.
        let (all, stale) = tokio::try_join!(self.provisioned_with(arn, None), self.provisioned_with(arn, Some(stale)))?;
        let latest = all.into_iter().map(|account| (account, Provisioning::Latest));
        Ok(latest.chain(stale.into_iter().map(|account| (account, Provisioning::Stale))).collect())
    }

    async fn provisioned_with(
        self,
        arn: &PermissionSetArn,
        status: Option<ProvisioningStatus>,
    ) -> Result<Vec<AccountId>, AwsError> {
        const OP: &str = "ListAccountsForProvisionedPermissionSet";
        let ids = pages(OP, arn, |token| {
            let status = status.clone();
            async move {
                let request = self.aws.sso.list_accounts_for_provisioned_permission_set();
                let request = request.instance_arn(self.instance.arn.as_str()).permission_set_arn(arn.as_str());
                let request = request.set_provisioning_status(status).max_results(PAGE).set_next_token(token);
                let output = call(OP, arn, request.send()).await?;
                Ok((output.account_ids.unwrap_or_default(), output.next_token))
            }
        });
        ids.await?.iter().map(|id| convert::account_id(OP, id)).collect()
    }

    /// Lists who has a permission set in an account.
    ///
    /// # Errors
    /// If AWS refuses, or a row has no principal.
    pub async fn assignments(self, arn: &PermissionSetArn, account: &AccountId) -> Result<Vec<PrincipalRef>, AwsError> {
        const OP: &str = "ListAccountAssignments";
        let subject = format!("{arn} in {account}");
        let rows = pages(OP, &subject, |token| {
            let subject = &subject;
            async move {
                let request = self.aws.sso.list_account_assignments().instance_arn(self.instance.arn.as_str());
                let request = request.permission_set_arn(arn.as_str()).account_id(account.as_str());
                let output = call(OP, subject, request.max_results(PAGE).set_next_token(token).send()).await?;
                Ok((output.account_assignments.unwrap_or_default(), output.next_token))
            }
        });
        let principal = |row: aws_sdk_ssoadmin::types::AccountAssignment| {
            let kind = row.principal_type.as_ref().and_then(convert::principal_kind);
            match (kind, row.principal_id) {
                (Some(kind), Some(id)) => Ok(PrincipalRef { kind, id: PrincipalId::new(id) }),
                _ => Err(AwsError::unreadable(OP, &subject, "a row names no user or group")),
            }
        };
        rows.await?.into_iter().map(principal).collect()
    }

    /// Lists the permission sets that an account has.
    ///
    /// # Errors
    /// If AWS refuses.
    pub async fn permission_sets_in(self, account: &AccountId) -> Result<Vec<PermissionSetArn>, AwsError> {
        const OP: &str = "ListPermissionSetsProvisionedToAccount";
        let arns = pages(OP, account, |token| async move {
            let request = self.aws.sso.list_permission_sets_provisioned_to_account();
            let request = request.instance_arn(self.instance.arn.as_str()).account_id(account.as_str());
            let output = call(OP, account, request.max_results(PAGE).set_next_token(token).send()).await?;
            Ok((output.permission_sets.unwrap_or_default(), output.next_token))
        });
        match arns.await {
            Ok(arns) => Ok(arns.into_iter().map(PermissionSetArn::new).collect()),
            // An account that has left the organization since it was listed has none.
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Lists what a user or group has, everywhere; nothing if there is no such one any more.
    ///
    /// # Errors
    /// If AWS refuses, as it does to everybody but the management account (API reference of
    /// ListAccountAssignmentsForPrincipal), or a row makes no sense.
    pub async fn held_by(self, principal: &PrincipalRef) -> Result<Vec<Held>, AwsError> {
        const OP: &str = "ListAccountAssignmentsForPrincipal";
        let subject = format!("{} {}", principal.kind.word(), principal.id);
        let rows = pages(OP, &subject, |token| {
            let subject = &subject;
            async move {
                let request = self.aws.sso.list_account_assignments_for_principal();
                let request = request.instance_arn(self.instance.arn.as_str()).principal_id(principal.id.as_str());
                let request = request.principal_type(convert::principal_type(principal.kind));
                let output = call(OP, subject, request.max_results(PAGE).set_next_token(token).send()).await?;
                Ok((output.account_assignments.unwrap_or_default(), output.next_token))
            }
        });
        let rows = match rows.await {
            Ok(rows) => rows,
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let held = |row: aws_sdk_ssoadmin::types::AccountAssignmentForPrincipal| {
            let kind = row.principal_type.as_ref().and_then(convert::principal_kind);
            match (row.permission_set_arn, row.account_id, kind, row.principal_id) {
                (Some(arn), Some(account), Some(kind), Some(id)) => {
                    let account = convert::account_id(OP, &account)?;
                    Ok((PermissionSetArn::new(arn), account, PrincipalRef { kind, id: PrincipalId::new(id) }))
                }
                _ => Err(AwsError::unreadable(OP, &subject, "a row is not whole")),
            }
        };
        rows.into_iter().map(held).collect()
    }
}
