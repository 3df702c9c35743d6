//! Makes the connection: credentials, Region, endpoint, HTTP client, retries.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_ssoadmin::config::retry::{RetryConfig, RetryPartition, TokenBucket};
use aws_sdk_ssoadmin::config::{Credentials, ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::timeout::TimeoutConfig;
use aws_credential_types::provider::error::CredentialsError;
use tracing::debug;

use crate::aws::error::{AwsError, ErrorKind};
use crate::aws::pace::{GiveWay, Meter};
use crate::aws::read_only::ReadOnly;
use crate::aws::{Aws, pace};

/// How to reach AWS; what is not given comes from the AWS SDK's usual chain (environment, profile, …).
#[derive(Clone, Debug)]
pub struct Connection {
    /// A profile of `~/.aws/config`.
    pub profile: Option<String>,
    /// The Region of the instance.
    pub region: Option<String>,
    /// One endpoint for all services, instead of AWS's own.
    pub endpoint_url: Option<String>,
    /// What carries the requests.
    pub transport: Transport,
}

/// What carries the requests.
#[derive(Clone, Debug)]
pub enum Transport {
    /// The network, with TLS and the proxies of the environment.
    Network,
    /// A connector inside this process, which needs neither credentials nor a network, as fast as it answers.
    InProcess(SharedHttpClient),
    /// The same, at the pace that AWS allows.
    Paced(SharedHttpClient),
}

/// What a command may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// List, describe and get only: anything else is refused before it is sent.
    ReadOnly,
    /// Everything.
    ReadWrite,
}

/// How long a request may be without an answer before it is sent again.
const ANSWER: Duration = Duration::from_secs(20);

/// How often a request is sent at most while AWS says that it is throttled or out of order.
const ATTEMPTS: u32 = 8;

impl Aws {
    /// Connects.
    ///
    /// # Errors
    /// If there is no Region, or there are no credentials.
    pub async fn connect(connection: &Connection, access: Access) -> Result<Self, AwsError> {
        let meter = match &connection.transport {
            Transport::Network | Transport::Paced(_) => Meter::paced(),
            Transport::InProcess(_) => Meter::unlimited(),
        };
        let config = match &connection.transport {
            Transport::Network => network(connection, pace::network_client(meter.clone())).await?,
            Transport::InProcess(client) | Transport::Paced(client) => {
                in_process(connection, pace::metered_client(client.clone(), meter.clone()))
            }
        };
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        Ok(Self::with_config(&config, access, meter, region))
    }

    fn with_config(config: &SdkConfig, access: Access, meter: Meter, region: String) -> Self {
        macro_rules! client {
            ($sdk:ident, $service:literal) => {{
                // The default bucket runs dry on large organizations: "failed to get rate limit token, retry quota
                // exceeded" (terraform-provider-aws#35646). We pace ourselves, so repeats need no second limit.
                let partition = RetryPartition::custom(stringify!($sdk)).token_bucket(TokenBucket::unlimited()).build();
                let builder = $sdk::config::Builder::from(config)
                    .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
                    .retry_partition(partition)
                    .interceptor(GiveWay { meter: meter.clone(), service: $service });
                $sdk::Client::from_conf(match access {
                    Access::ReadOnly => builder.interceptor(ReadOnly).build(),
                    Access::ReadWrite => builder.build(),
                })
            }};
        }
        Self {
            sso: client!(aws_sdk_ssoadmin, "SWBExternalService"),
            identity_store: client!(aws_sdk_identitystore, "AWSIdentityStore"),
            organizations: client!(aws_sdk_organizations, "AWSOrganizations"),
            sts: client!(aws_sdk_sts, "sts"),
            trail: client!(aws_sdk_cloudtrail, "CloudTrail_20131101"),
            meter,
            region,
            endpoint_url: config.endpoint_url().map(str::to_owned),
        }
    }
}

async fn network(connection: &Connection, client: SharedHttpClient) -> Result<SdkConfig, AwsError> {
    // The SDK itself would wait for ever for an answer that never comes.
    let timeouts = TimeoutConfig::builder().read_timeout(ANSWER).build();
    let mut loader =
        aws_config::defaults(BehaviorVersion::v2026_01_12()).timeout_config(timeouts).http_client(client.clone());
    if let Some(profile) = &connection.profile {
        // Asked for by name, a profile goes before credentials in the environment, as in the AWS CLI: otherwise an
        // apply could write as somebody else.
        let provider_config = ProviderConfig::default().with_http_client(client);
        let credentials = ProfileFileCredentialsProvider::builder().configure(&provider_config).profile_name(profile);
        loader = loader.profile_name(profile).credentials_provider(credentials.build());
    }
    if let Some(region) = &connection.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(url) = &connection.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    let config = loader.load().await;
    let profile = connection.profile.as_ref().map(|name| format!(" (profile `{name}` has none, or is not there)"));
    match config.region() {
        None => {
            let message = format!("no AWS Region is set{}", profile.unwrap_or_default());
            return Err(AwsError::local(ErrorKind::NoRegion, message));
        }
        // It becomes part of a host name.
        Some(region) if !region.as_ref().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') => {
            return Err(AwsError::local(ErrorKind::NoRegion, format!("`{region}` is not a Region")));
        }
        Some(_) => {}
    }
    // Asked for here once, so that the answer is one clear sentence and not the failure of some first request.
    match config.credentials_provider() {
        Some(provider) => provider.provide_credentials().await.map_err(|error| no_credentials(connection, &error))?,
        None => return Err(AwsError::local(ErrorKind::NoCredentials, "there are no AWS credentials")),
    };
    Ok(config)
}

fn no_credentials(connection: &Connection, error: &CredentialsError) -> AwsError {
    let profile = connection.profile.as_ref().map(|name| format!(" for profile `{name}`")).unwrap_or_default();
    let message = match error {
        // What was tried, and why it did not work, takes a paragraph that few want to read.
        CredentialsError::CredentialsNotLoaded(_) => {
            debug!(cause = chain(error), "no credentials");
            format!(
                "no AWS credentials were found{profile}: not in the environment, the profile, or the machine's role"
            )
        }
        _ => format!("the AWS credentials{profile} cannot be used: {}", chain(error)),
    };
    AwsError::local(ErrorKind::NoCredentials, message)
}

/// Joins an error and its causes, leaving out those that only repeat the one before.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

fn in_process(connection: &Connection, client: SharedHttpClient) -> SdkConfig {
    let region = connection.region.clone().unwrap_or_else(|| "eu-central-1".to_owned());
    let credentials = Credentials::new("SANDBOX", "sandbox", None, None, "sandbox");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(client)
        .build()
}
