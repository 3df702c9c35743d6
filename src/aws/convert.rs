//! Between AWS's shapes and ours, both ways: the only place where the two meet.

use std::collections::BTreeSet;

use aws_sdk_organizations::types::{Account as AwsAccount, AccountState as AwsAccountState};
use aws_sdk_ssoadmin::types::{CustomerManagedPolicyReference, PermissionsBoundary, PrincipalType};

use crate::aws::error::AwsError;
use crate::model::{
    Account, AccountId, AccountName, AccountState, AwsManagedPolicy, Boundary, CustomerManagedPolicy, PrincipalKind,
};

pub(super) fn principal_type(kind: PrincipalKind) -> PrincipalType {
    match kind {
        PrincipalKind::Group => PrincipalType::Group,
        PrincipalKind::User => PrincipalType::User,
    }
}

pub(super) fn principal_kind(kind: &PrincipalType) -> Option<PrincipalKind> {
    match kind {
        PrincipalType::Group => Some(PrincipalKind::Group),
        PrincipalType::User => Some(PrincipalKind::User),
        _ => None,
    }
}

pub(super) fn account_id(operation: &'static str, text: &str) -> Result<AccountId, AwsError> {
    AccountId::parse(text)
        .map_err(|_| AwsError::unreadable(operation, "an account", format!("`{text}` is no account id")))
}

pub(super) fn account(operation: &'static str, account: AwsAccount) -> Result<Account, AwsError> {
    let id = account_id(operation, &account.id.unwrap_or_default())?;
    // `Status` was to retire on 2026-09-09 in favour of `State` (AWS Organizations API reference, Account).
    let state = match (&account.state, &account.status) {
        (Some(AwsAccountState::Active), _) => AccountState::Active,
        (Some(state), _) => AccountState::Inactive(state.as_str().to_owned()),
        (None, Some(status)) if status.as_str() == "ACTIVE" => AccountState::Active,
        (None, Some(status)) => AccountState::Inactive(status.as_str().to_owned()),
        (None, None) => return Err(AwsError::unreadable(operation, &id, "the account has neither state nor status")),
    };
    Ok(Account { id, name: AccountName::new(account.name.unwrap_or_default()), state })
}

pub(super) fn customer_policy(reference: CustomerManagedPolicyReference) -> CustomerManagedPolicy {
    CustomerManagedPolicy { path: reference.path.unwrap_or_else(|| "/".to_owned()), name: reference.name }
}

pub(super) fn customer_reference(policy: &CustomerManagedPolicy) -> Result<CustomerManagedPolicyReference, AwsError> {
    CustomerManagedPolicyReference::builder()
        .name(&policy.name)
        .path(&policy.path)
        .build()
        .map_err(|error| AwsError::unreadable("CustomerManagedPolicyReference", policy, error.to_string()))
}

pub(super) fn aws_policies(operation: &'static str, arns: Vec<String>) -> Result<BTreeSet<AwsManagedPolicy>, AwsError> {
    arns.iter().map(|arn| aws_policy(operation, arn)).collect()
}

fn aws_policy(operation: &'static str, arn: &str) -> Result<AwsManagedPolicy, AwsError> {
    AwsManagedPolicy::parse(arn)
        .ok_or_else(|| AwsError::unreadable(operation, "a managed policy", format!("`{arn}` is no AWS managed policy")))
}

pub(super) fn boundary(operation: &'static str, boundary: PermissionsBoundary) -> Result<Option<Boundary>, AwsError> {
    match (boundary.managed_policy_arn, boundary.customer_managed_policy_reference) {
        (Some(arn), _) => aws_policy(operation, &arn).map(|policy| Some(Boundary::Aws(policy))),
        (None, Some(reference)) => Ok(Some(Boundary::Customer(customer_policy(reference)))),
        (None, None) => Ok(None),
    }
}

pub(super) fn permissions_boundary(boundary: &Boundary, partition: &str) -> Result<PermissionsBoundary, AwsError> {
    let builder = PermissionsBoundary::builder();
    Ok(match boundary {
        Boundary::Aws(policy) => builder.managed_policy_arn(policy.arn(partition)).build(),
        Boundary::Customer(policy) => builder.customer_managed_policy_reference(customer_reference(policy)?).build(),
    })
}
