//! Who is calling: from an access key to an account and a name.
//!
//! Signatures are not verified, everybody may sign with any secret; the key decides, and the Region that the signature is for.

use serde_json::Value;

use super::ids::digest;
use super::sign_in::Session;
use super::state::State;
use super::wire::AwsError;
use super::world::UnknownKeys;

/// Whoever signed a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) account: String,
    pub(super) arn: String,
    pub(super) user_id: String,
    /// The Region that the request is signed for; without a signature, any.
    pub(super) region: Option<String>,
    /// The caller's IAM policy, if the world says what it is.
    pub(super) policy: Option<Value>,
}

impl Caller {
    /// The management account itself, when nobody signed: somebody in the console.
    pub(super) fn console(state: &State) -> Self {
        Self::user(state, &state.organization.management_account_id, "console")
    }

    /// Reads `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …`.
    pub(super) fn signed(state: &State, authorization: Option<&str>) -> Result<Self, AwsError> {
        let Some(authorization) = authorization else {
            return Err(AwsError::new("MissingAuthenticationTokenException", "Missing Authentication Token"));
        };
        let scope = authorization
            .split_once("Credential=")
            .map(|(_, rest)| rest.split([',', ' ']).next().unwrap_or_default())
            .filter(|_| authorization.starts_with("AWS4-"));
        let mut parts = scope.unwrap_or_default().split('/');
        let (Some(key), Some(_), Some(region), Some(_)) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(AwsError::new(
                "IncompleteSignatureException",
                "Authorization header requires 'Credential' parameter.",
            ));
        };
        let caller = Self::with_key(state, key)?;
        Ok(Self { region: Some(region.to_owned()), ..caller })
    }

    fn with_key(state: &State, key: &str) -> Result<Self, AwsError> {
        if let Some(session) = state.sessions.get(key) {
            if session.expires <= state.now {
                return Err(AwsError::new(
                    "ExpiredTokenException",
                    "The security token included in the request is expired",
                ));
            }
            return Ok(Self::assumed(state, session));
        }
        if let Some(known) = state.access_keys.iter().find(|known| known.id == key) {
            let policy = known.policy.clone();
            let user = known.user.as_deref().unwrap_or("sandbox");
            let set = known.permission_set.as_ref().and_then(|name| state.sets.get(state.set_names.get(name)?));
            let caller = match set {
                Some(set) => {
                    let (account, user) = (known.account_id.clone(), user.to_owned());
                    let suffix = set.provisioned.get(&account).map_or("", |it| &it.role_suffix);
                    let role = format!("AWSReservedSSO_{}_{suffix}", set.name);
                    Self::assumed(state, &Session { account, role, user, expires: f64::INFINITY })
                }
                None => Self::user(state, &known.account_id, user),
            };
            return Ok(Self { policy, ..caller });
        }
        // As in other emulators, the id of an account is a key of that account.
        if state.accounts.contains_key(key) {
            return Ok(Self::user(state, key, "sandbox"));
        }
        // Keys of roles are only ever made here: one that is not known has outlived the sandbox that made it.
        let refused = state.settings.unknown_keys == UnknownKeys::Refused || key.starts_with("ASIA");
        if refused {
            return Err(AwsError::new(
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
            ));
        }
        Ok(Self::user(state, &state.organization.management_account_id, "sandbox"))
    }

    /// Somebody of whom only the account and the ARN are known.
    pub(super) fn known(account: String, arn: String) -> Self {
        Self { account, arn, user_id: String::new(), region: None, policy: None }
    }

    fn user(state: &State, account: &str, name: &str) -> Self {
        Self {
            account: account.to_owned(),
            arn: format!("arn:aws:iam::{account}:user/{name}"),
            user_id: format!("AIDA{}", letters(digest(state.ids.seed, &["user", account, name]), 17)),
            region: None,
            policy: None,
        }
    }

    // The form that the guide's last step shows [sts GetCallerIdentity].
    fn assumed(state: &State, session: &Session) -> Self {
        let Session { account, role, user, .. } = session;
        let id = letters(digest(state.ids.seed, &["role", account, role]), 17);
        Self {
            account: account.clone(),
            arn: format!("arn:aws:sts::{account}:assumed-role/{role}/{user}"),
            user_id: format!("AROA{id}:{user}"),
            region: None,
            policy: None,
        }
    }
}

/// Capital letters and digits as ids of IAM have them: sixteen in access keys, seventeen in ids of users and roles, after the four
/// letters of their kind.
pub(super) fn letters(number: u64, count: u32) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let wide = (u128::from(number) << 64) | u128::from(super::ids::mix(number));
    (0..count)
        .map(|place| ALPHABET.get(((wide >> (place * 5)) & 31) as usize).map_or('A', |byte| char::from(*byte)))
        .collect()
}
