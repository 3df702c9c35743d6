//! The portal behind `aws sso login`: what a person who has signed in may enter. Nobody signs here; the token of the sign-in does.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_sso::types::RoleCredentials;
use aws_sdk_sts::config::Credentials;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::Format;

use crate::aws::call::{call, pages};
use crate::aws::pace::{self, Meter};
use crate::aws::{AwsError, ErrorKind, convert};
use crate::model::{AccountId, AccountName, AccountRef};

/// A connection to the portal with somebody's token.
pub struct Portal {
    sso: aws_sdk_sso::Client,
    sts: aws_sdk_sts::Config,
    token: String,
    skew: Arc<AtomicI64>,
}

impl fmt::Debug for Portal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the token.
        f.debug_struct("Portal").finish_non_exhaustive()
    }
}

/// Who the credentials of a role are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The id of role and session.
    pub user_id: String,
    /// The account.
    pub account: String,
    /// The ARN of the session.
    pub arn: String,
}

/// How long the portal may take to answer.
const ANSWER: Duration = Duration::from_secs(20);

/// No clock was compared yet.
const UNKNOWN: i64 = i64::MAX;

impl Portal {
    /// Connects as a profile says; `portal` and `sts` are the Regions of the two.
    pub async fn connect(
        profile: &str,
        (portal, sts): (&str, &str),
        endpoint_url: Option<&str>,
        token: String,
    ) -> Self {
        let client = pace::network_client(Meter::unlimited());
        let timeouts = TimeoutConfig::builder().read_timeout(ANSWER).build();
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(client)
            .timeout_config(timeouts)
            .no_credentials()
            // Endpoints may stand in it.
            .profile_name(profile);
        loader = loader.region(Region::new(portal.to_owned()));
        if let Some(url) = endpoint_url {
            loader = loader.endpoint_url(url);
        }
        let config = loader.load().await;
        let skew = Arc::new(AtomicI64::new(UNKNOWN));
        let sso = aws_sdk_sso::config::Builder::from(&config).interceptor(Clock(skew.clone())).build();
        let sts = aws_sdk_sts::config::Builder::from(&config).region(Region::new(sts.to_owned())).build();
        Self { sso: aws_sdk_sso::Client::from_conf(sso), sts, token, skew }
    }

    /// Returns by how many seconds this machine's clock is ahead of the portal's, once something was asked.
    pub fn clock_ahead(&self) -> Option<i64> {
        Some(self.skew.load(Ordering::Relaxed)).filter(|skew| *skew != UNKNOWN)
    }

    /// Lists the accounts that the person may enter.
    ///
    /// # Errors
    /// If the portal refuses; a token that is no longer good is [`ErrorKind::AccessDenied`].
    pub async fn accounts(&self) -> Result<Vec<AccountRef>, AwsError> {
        const OP: &str = "ListAccounts";
        let found = pages(OP, "the portal", |next| async move {
            let request = self.sso.list_accounts().access_token(&self.token).set_next_token(next);
            let output = call(OP, "the portal", request.send()).await?;
            Ok((output.account_list.unwrap_or_default(), output.next_token))
        });
        let account = |info: aws_sdk_sso::types::AccountInfo| {
            let id = convert::account_id(OP, info.account_id.as_deref().unwrap_or_default())?;
            Ok(AccountRef { id, name: info.account_name.map(AccountName::new) })
        };
        found.await?.into_iter().map(account).collect()
    }

    /// Lists the roles, which are called as their permission sets, in an account.
    ///
    /// # Errors
    /// If the portal refuses.
    pub async fn roles(&self, account: &AccountId) -> Result<Vec<String>, AwsError> {
        const OP: &str = "ListAccountRoles";
        let found = pages(OP, account, |next| async move {
            let request = self.sso.list_account_roles().access_token(&self.token).account_id(account.as_str());
            let output = call(OP, account, request.set_next_token(next).send()).await?;
            Ok((output.role_list.unwrap_or_default(), output.next_token))
        });
        match found.await {
            Ok(roles) => Ok(roles.into_iter().filter_map(|role| role.role_name).collect()),
            // Who has nothing in the account is told "No access", or that there is no such.
            Err(error) if is_no_access(&error) || error.kind == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Gets credentials of a role and asks who they are. They are used for nothing else.
    ///
    /// # Errors
    /// If the portal or STS refuses; "No access" is told by [`is_no_access`].
    pub async fn identity(&self, account: &AccountId, role: &str) -> Result<Identity, AwsError> {
        const OP: &str = "GetRoleCredentials";
        let subject = format!("{role} in {account}");
        let request = self.sso.get_role_credentials().access_token(&self.token);
        let request = request.account_id(account.as_str()).role_name(role);
        let output = call(OP, &subject, request.send()).await?;
        let credentials = output.role_credentials.and_then(credentials);
        let credentials =
            credentials.ok_or_else(|| AwsError::local(ErrorKind::Unreadable, "the answer has no credentials"))?;
        let sts = aws_sdk_sts::Client::from_conf(self.sts.to_builder().credentials_provider(credentials).build());
        let output = call("GetCallerIdentity", &subject, sts.get_caller_identity().send()).await?;
        Ok(Identity {
            user_id: output.user_id.unwrap_or_default(),
            account: output.account.unwrap_or_default(),
            arn: output.arn.unwrap_or_default(),
        })
    }
}

fn credentials(role: RoleCredentials) -> Option<Credentials> {
    Some(Credentials::new(role.access_key_id?, role.secret_access_key?, role.session_token, None, "portal"))
}

/// Returns whether the portal says that somebody has not got what they asked for: 403 ForbiddenException "No access", which is in
/// no model (seen by aws-sam-cli#2129 and many others).
pub fn is_no_access(error: &AwsError) -> bool {
    error.code.as_deref() == Some("ForbiddenException")
}

/// Compares the clocks, with the date that every answer has.
#[derive(Debug)]
struct Clock(Arc<AtomicI64>);

#[dyn_dispatch_hint]
impl Intercept for Clock {
    fn name(&self) -> &'static str {
        "Clock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        if let Some(theirs) = date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok()) {
            let ours = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            let ours = i64::try_from(ours.as_secs()).unwrap_or_default();
            self.0.store(ours - theirs.secs(), Ordering::Relaxed);
        }
        Ok(())
    }
}
