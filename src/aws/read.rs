//! Everything that is read from AWS, in the words of `model`.
//!
//! Lists are complete or an error. A list that AWS leaves out is empty (seen for `PermissionSets`, aws-sso-util).

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_identitystore::types::{AlternateIdentifier, UniqueAttribute, UserStatus};
use aws_sdk_ssoadmin::config::retry::RetryConfig;
use aws_smithy_types::Document;

use crate::aws::call::{call, pages, pages_up_to};
use crate::aws::error::{AwsError, ErrorKind};
use crate::aws::{At, Aws, convert};
use crate::model::{
    Account, AccountId, Boundary, CustomerManagedPolicy, Definition, GroupName, IdentityStoreId, Instance, InstanceArn,
    PermissionSetArn, PermissionSetName, Policy, PrincipalId, PrincipalKind, PrincipalRef, PrincipalState,
    SessionDuration, Shown, UserName,
};

/// Assignments and lists of sso-admin and the identity store come in pages of at most 100.
const PAGE: i32 = 100;
/// AWS Organizations' pages are smaller.
const ORGANIZATIONS_PAGE: i32 = 20;

/// A group or user of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// A user's e-mail addresses.
    pub emails: Vec<String>,
    /// Whether a user cannot sign in.
    pub disabled: bool,
    /// Its id.
    pub id: PrincipalId,
}

/// What DescribePermissionSet tells.
#[derive(Clone, Debug)]
pub(crate) struct Described {
    pub(crate) name: PermissionSetName,
    description: Option<String>,
    session_duration: Option<String>,
    relay_state: Option<String>,
}

impl Aws {
    /// Lists the instances of the Region.
    ///
    /// # Errors
    /// If AWS refuses, or answers with an instance that has no ARN or identity store.
    pub async fn instances(&self) -> Result<Vec<Instance>, AwsError> {
        const OP: &str = "ListInstances";
        let found = pages(OP, &self.region, |token| async move {
            // The first call of every run: who has no network should not wait for all the attempts of a later one.
            let few = aws_sdk_ssoadmin::Config::builder().retry_config(RetryConfig::standard().with_max_attempts(3));
            let request = self.sso.list_instances().set_next_token(token).customize().config_override(few);
            let output = call(OP, &self.region, request.send()).await?;
            Ok((output.instances.unwrap_or_default(), output.next_token))
        });
        let instance = |metadata: aws_sdk_ssoadmin::types::InstanceMetadata| {
            let arn = metadata.instance_arn.unwrap_or_default();
            let arn = InstanceArn::parse(&arn)
                .map_err(|error| AwsError::unreadable(OP, &self.region, format!("`{arn}`: {error}")))?;
            let identity_store = IdentityStoreId::new(metadata.identity_store_id.unwrap_or_default());
            let owner = metadata.owner_account_id.and_then(|id| AccountId::parse(&id).ok());
            Ok(Instance { arn, identity_store, region: self.region.clone(), owner })
        };
        found.await?.into_iter().map(instance).collect()
    }

    /// Lists all accounts of the organization.
    ///
    /// # Errors
    /// If AWS refuses, or an account has no id or state.
    pub async fn accounts(&self) -> Result<Vec<Account>, AwsError> {
        const OP: &str = "ListAccounts";
        let found = pages(OP, "the organization", |token| async move {
            let request = self.organizations.list_accounts().max_results(ORGANIZATIONS_PAGE).set_next_token(token);
            let output = call(OP, "the organization", request.send()).await?;
            Ok((output.accounts.unwrap_or_default(), output.next_token))
        });
        found.await?.into_iter().map(|account| convert::account(OP, account)).collect()
    }

    /// Reads one account; `None` if the organization has no such account.
    ///
    /// # Errors
    /// If AWS refuses.
    pub async fn account(&self, id: &AccountId) -> Result<Option<Account>, AwsError> {
        const OP: &str = "DescribeAccount";
        let request = self.organizations.describe_account().account_id(id.as_str());
        match absent_if_not_found(call(OP, id, request.send()).await)? {
            Some(output) => output.account.map(|account| convert::account(OP, account)).transpose(),
            None => Ok(None),
        }
    }
}

impl At<'_> {
    /// Lists the ARNs of all permission sets.
    ///
    /// # Errors
    /// If AWS refuses.
    pub async fn permission_set_arns(self) -> Result<Vec<PermissionSetArn>, AwsError> {
        const OP: &str = "ListPermissionSets";
        let arns = pages(OP, &self.instance.arn, |token| async move {
            let request = self.aws.sso.list_permission_sets().instance_arn(self.instance.arn.as_str());
            let output = call(OP, &self.instance.arn, request.max_results(PAGE).set_next_token(token).send()).await?;
            Ok((output.permission_sets.unwrap_or_default(), output.next_token))
        });
        Ok(arns.await?.into_iter().map(PermissionSetArn::new).collect())
    }

    /// Reads name and attributes of a permission set; `None` if it is gone.
    ///
    /// # Errors
    /// If AWS refuses, or answers what cannot be.
    pub(crate) async fn describe(self, arn: &PermissionSetArn) -> Result<Option<Described>, AwsError> {
        const OP: &str = "DescribePermissionSet";
        let request = self.aws.sso.describe_permission_set().instance_arn(self.instance.arn.as_str());
        let answer = call(OP, arn, request.permission_set_arn(arn.as_str()).send()).await;
        let Some(output) = absent_if_not_found(answer)? else { return Ok(None) };
        let set =
            output.permission_set.ok_or_else(|| AwsError::unreadable(OP, arn, "the answer has no permission set"))?;
        let name = set.name.unwrap_or_default();
        Ok(Some(Described {
            name: PermissionSetName::parse(&name).map_err(|error| AwsError::unreadable(OP, arn, error.to_string()))?,
            description: set.description.filter(|text| !text.is_empty()),
            session_duration: set.session_duration.filter(|text| !text.is_empty()),
            relay_state: set.relay_state.filter(|text| !text.is_empty()),
        }))
    }

    /// Reads the other parts of a permission set and puts all of them together: five calls.
    ///
    /// # Errors
    /// If any of them fails.
    pub(crate) async fn definition(self, arn: &PermissionSetArn, described: Described) -> Result<Definition, AwsError> {
        let Described { name: _, description, session_duration, relay_state } = described;
        let session_duration = session_duration.map_or(Ok(SessionDuration::DEFAULT), |text| {
            let what = |error| format!("session duration `{}`: {error}", Shown(&text));
            SessionDuration::parse_any(&text)
                .map_err(|error| AwsError::unreadable("DescribePermissionSet", arn, what(error)))
        })?;
        let (aws, customer, inline, boundary, tags) = tokio::try_join!(
            self.aws_managed_policies(arn),
            self.customer_managed_policies(arn),
            self.inline_policy(arn),
            self.permissions_boundary(arn),
            self.tags(arn),
        )?;
        Ok(Definition {
            description,
            session_duration,
            relay_state,
            tags,
            aws_managed_policies: convert::aws_policies("ListManagedPoliciesInPermissionSet", aws)?,
            customer_managed_policies: customer,
            inline_policy: inline,
            permissions_boundary: boundary,
        })
    }

    /// Reads what a permission set consists of; `None` if it is gone. Six calls.
    ///
    /// # Errors
    /// If any of them fails.
    pub async fn live_definition(self, arn: &PermissionSetArn) -> Result<Option<Definition>, AwsError> {
        match self.describe(arn).await? {
            Some(described) => self.definition(arn, described).await.map(Some),
            None => Ok(None),
        }
    }

    /// Finds a permission set by its name: one call for each that exists, for there is no other way.
    ///
    /// # Errors
    /// If AWS refuses.
    pub async fn find_permission_set(
        self,
        name: &PermissionSetName,
    ) -> Result<Option<(PermissionSetArn, Definition)>, AwsError> {
        for arn in self.permission_set_arns().await? {
            if let Some(described) = self.describe(&arn).await?.filter(|described| described.name == *name) {
                let definition = self.definition(&arn, described).await?;
                return Ok(Some((arn, definition)));
            }
        }
        Ok(None)
    }

    async fn aws_managed_policies(self, arn: &PermissionSetArn) -> Result<Vec<String>, AwsError> {
        const OP: &str = "ListManagedPoliciesInPermissionSet";
        let policies = pages(OP, arn, |token| async move {
            let request =
                self.aws.sso.list_managed_policies_in_permission_set().instance_arn(self.instance.arn.as_str());
            let request = request.permission_set_arn(arn.as_str()).max_results(PAGE).set_next_token(token);
            let output = call(OP, arn, request.send()).await?;
            Ok((output.attached_managed_policies.unwrap_or_default(), output.next_token))
        });
        Ok(policies.await?.into_iter().filter_map(|policy| policy.arn).collect())
    }

    async fn customer_managed_policies(
        self,
        arn: &PermissionSetArn,
    ) -> Result<BTreeSet<CustomerManagedPolicy>, AwsError> {
        const OP: &str = "ListCustomerManagedPolicyReferencesInPermissionSet";
        let references = pages(OP, arn, |token| async move {
            let request = self.aws.sso.list_customer_managed_policy_references_in_permission_set();
            let request = request.instance_arn(self.instance.arn.as_str()).permission_set_arn(arn.as_str());
            let output = call(OP, arn, request.max_results(PAGE).set_next_token(token).send()).await?;
            Ok((output.customer_managed_policy_references.unwrap_or_default(), output.next_token))
        });
        Ok(references.await?.into_iter().map(convert::customer_policy).collect())
    }

    async fn inline_policy(self, arn: &PermissionSetArn) -> Result<Option<Policy>, AwsError> {
        let request = self.aws.sso.get_inline_policy_for_permission_set().instance_arn(self.instance.arn.as_str());
        let request = request.permission_set_arn(arn.as_str());
        // A set without one answers with an empty text or none (API reference).
        let output = call("GetInlinePolicyForPermissionSet", arn, request.send()).await?;
        Ok(output.inline_policy.filter(|text| !text.is_empty()).map(|text| Policy::from_live(&text)))
    }

    async fn permissions_boundary(self, arn: &PermissionSetArn) -> Result<Option<Boundary>, AwsError> {
        const OP: &str = "GetPermissionsBoundaryForPermissionSet";
        let request =
            self.aws.sso.get_permissions_boundary_for_permission_set().instance_arn(self.instance.arn.as_str());
        // A set without one answers "not found" (seen in the sources of Terraform's provider).
        let output = absent_if_not_found(call(OP, arn, request.permission_set_arn(arn.as_str()).send()).await)?;
        match output.and_then(|output| output.permissions_boundary) {
            Some(boundary) => convert::boundary(OP, boundary),
            None => Ok(None),
        }
    }

    /// Reads the tags of a permission set, without AWS's own.
    ///
    /// # Errors
    /// If AWS refuses.
    pub async fn tags(self, arn: &PermissionSetArn) -> Result<BTreeMap<String, String>, AwsError> {
        const OP: &str = "ListTagsForResource";
        let tags = pages(OP, arn, |token| async move {
            let request = self.aws.sso.list_tags_for_resource().instance_arn(self.instance.arn.as_str());
            let output = call(OP, arn, request.resource_arn(arn.as_str()).set_next_token(token).send()).await?;
            Ok((output.tags.unwrap_or_default(), output.next_token))
        });
        // Tags of AWS itself can be neither set nor removed.
        let ours = tags.await?.into_iter().filter(|tag| !tag.key.to_lowercase().starts_with("aws:"));
        Ok(ours.map(|tag| (tag.key, tag.value)).collect())
    }

    /// Finds a group by its display name.
    ///
    /// # Errors
    /// If AWS refuses.
    pub async fn group_id(self, name: &GroupName) -> Result<Option<PrincipalId>, AwsError> {
        let identifier = unique("displayName", name.as_str())?;
        let request = self.aws.identity_store.get_group_id().identity_store_id(self.instance.identity_store.as_str());
        let answer = call("GetGroupId", format!("group {name}"), request.alternate_identifier(identifier).send()).await;
        Ok(absent_if_not_found(answer)?.map(|output| PrincipalId::new(output.group_id)))
    }

    /// Finds a user by user name, and if there is none, by e-mail address.
    ///
    /// # Errors
    /// If AWS refuses.
    pub async fn user_id(self, name: &UserName) -> Result<Option<PrincipalId>, AwsError> {
        let attributes: &[&str] =
            if name.as_str().contains('@') { &["userName", "emails.value"] } else { &["userName"] };
        for attribute in attributes {
            let identifier = unique(attribute, name.as_str())?;
            let request =
                self.aws.identity_store.get_user_id().identity_store_id(self.instance.identity_store.as_str());
            let answer =
                call("GetUserId", format!("user {name}"), request.alternate_identifier(identifier).send()).await;
            if let Some(output) = absent_if_not_found(answer)? {
                return Ok(Some(PrincipalId::new(output.user_id)));
            }
        }
        Ok(None)
    }

    /// Reads who an id is.
    ///
    /// # Errors
    /// If AWS refuses.
    pub async fn principal(self, principal: &PrincipalRef) -> Result<PrincipalState, AwsError> {
        let (store, id) = (self.instance.identity_store.as_str(), principal.id.as_str());
        let found = match principal.kind {
            PrincipalKind::Group => {
                let request = self.aws.identity_store.describe_group().identity_store_id(store).group_id(id);
                let answer = call("DescribeGroup", format!("group {}", principal.id), request.send()).await;
                absent_if_not_found(answer)?.map(|group| (group.display_name, false))
            }
            PrincipalKind::User => {
                let request = self.aws.identity_store.describe_user().identity_store_id(store).user_id(id);
                let answer = call("DescribeUser", format!("user {}", principal.id), request.send()).await;
                absent_if_not_found(answer)?
                    .map(|user| (user.user_name, user.user_status == Some(UserStatus::Disabled)))
            }
        };
        Ok(match found {
            Some((name, disabled)) => PrincipalState::Known { name: name.unwrap_or_else(|| id.to_owned()), disabled },
            None => PrincipalState::Deleted,
        })
    }

    /// Reads the e-mail addresses of a user.
    ///
    /// # Errors
    /// If AWS refuses.
    pub async fn emails(self, user: &PrincipalId) -> Result<Vec<String>, AwsError> {
        let store = self.instance.identity_store.as_str();
        let request = self.aws.identity_store.describe_user().identity_store_id(store).user_id(user.as_str());
        let found = absent_if_not_found(call("DescribeUser", format!("user {user}"), request.send()).await)?;
        let emails = found.and_then(|user| user.emails).unwrap_or_default();
        Ok(emails.into_iter().filter_map(|email| email.value).collect())
    }

    /// Lists names and ids of all groups or of all users.
    ///
    /// # Errors
    /// If AWS refuses.
    pub async fn principals(self, kind: PrincipalKind) -> Result<Vec<Listed>, AwsError> {
        self.principals_up_to(usize::MAX, kind).await.map(Option::unwrap_or_default)
    }

    /// Lists names and ids of all groups or of all users; `None` if there are more than `most`.
    ///
    /// # Errors
    /// If AWS refuses.
    pub async fn principals_up_to(self, most: usize, kind: PrincipalKind) -> Result<Option<Vec<Listed>>, AwsError> {
        let store = self.instance.identity_store.as_str();
        match kind {
            PrincipalKind::Group => {
                let groups = pages_up_to(most, "ListGroups", store, |token| async move {
                    let request = self.aws.identity_store.list_groups().identity_store_id(store);
                    let output =
                        call("ListGroups", store, request.max_results(PAGE).set_next_token(token).send()).await?;
                    Ok((output.groups, output.next_token))
                });
                let listed = |group: aws_sdk_identitystore::types::Group| {
                    let id = PrincipalId::new(group.group_id);
                    Listed { name: named(group.display_name, &id), emails: Vec::new(), disabled: false, id }
                };
                Ok(groups.await?.map(|groups| groups.into_iter().map(listed).collect()))
            }
            PrincipalKind::User => {
                let users = pages_up_to(most, "ListUsers", store, |token| async move {
                    let request = self.aws.identity_store.list_users().identity_store_id(store);
                    let output =
                        call("ListUsers", store, request.max_results(PAGE).set_next_token(token).send()).await?;
                    Ok((output.users, output.next_token))
                });
                let listed = |user: aws_sdk_identitystore::types::User| {
                    let emails = user.emails.unwrap_or_default().into_iter().filter_map(|email| email.value).collect();
                    let (id, disabled) =
                        (PrincipalId::new(user.user_id), user.user_status == Some(UserStatus::Disabled));
                    Listed { name: named(user.user_name, &id), emails, disabled, id }
                };
                Ok(users.await?.map(|users| users.into_iter().map(listed).collect()))
            }
        }
    }
}

/// Somebody whom the identity store gives no name is known by the id.
fn named(name: Option<String>, id: &PrincipalId) -> String {
    name.unwrap_or_else(|| id.as_str().to_owned())
}

/// For an identity store, "which user has this name".
fn unique(attribute: &str, value: &str) -> Result<AlternateIdentifier, AwsError> {
    let built = UniqueAttribute::builder().attribute_path(attribute).attribute_value(Document::from(value)).build();
    built
        .map(AlternateIdentifier::UniqueAttribute)
        .map_err(|error| AwsError::unreadable("UniqueAttribute", attribute, error.to_string()))
}

fn absent_if_not_found<T>(answer: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    match answer {
        Ok(output) => Ok(Some(output)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
