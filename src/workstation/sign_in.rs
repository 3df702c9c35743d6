//! What the AWS CLI keeps of a sign-in: a token in a file that is named after its session.
//!
//! Source: botocore, `tokens.py` and `utils.py` (SSOTokenLoader): `~/.aws/sso/cache/<sha1 of the session's name, or of the start URL for a
//! profile without one>.json`.

use std::fmt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::Value;
use sha1::{Digest as _, Sha1};

/// A token, and until when it is good.
#[derive(Clone)]
pub struct SignIn {
    /// Where the person signed in, if the file says so.
    pub start_url: Option<String>,
    /// The Region of the portal, if the file says so.
    pub region: Option<String>,
    /// Until when it is good; `None` if that cannot be read.
    pub expires: Option<Timestamp>,
    /// Whether the AWS CLI can renew it by itself.
    pub renews: bool,
    /// The token itself, for the portal only.
    pub token: String,
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the token.
        f.debug_struct("SignIn")
            .field("start_url", &self.start_url)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// Returns the file of a session, or of a start URL.
pub fn file(folder: &Path, key: &str) -> PathBuf {
    let digest: String = Sha1::digest(key).iter().map(|byte| format!("{byte:02x}")).collect();
    folder.join(format!("{digest}.json"))
}

/// Reads a file of the cache; `None` if it holds no token: registrations of clients stand beside them.
pub fn parse(text: &str) -> Option<SignIn> {
    let value: Value = serde_json::from_str(text).ok()?;
    let field = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(SignIn {
        token: field("accessToken")?,
        start_url: field("startUrl"),
        region: field("region"),
        expires: field("expiresAt").and_then(|text| time(&text)),
        renews: field("refreshToken").is_some(),
    })
}

/// Older CLIs wrote `2021-12-07T01:19:12UTC`.
fn time(text: &str) -> Option<Timestamp> {
    text.strip_suffix("UTC").map_or_else(|| text.to_owned(), |text| format!("{text}Z")).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{file, parse};

    #[test]
    fn the_file_is_named_as_the_cli_names_it() {
        // `python3 -c 'import hashlib; print(hashlib.sha1(b"my-sso").hexdigest())'`
        let path = file("cache".as_ref(), "my-sso");
        assert_eq!(path.to_str(), Some("cache/0ad374308c5a4e22f723adf10145eafad7c4031c.json"));
    }

    #[test]
    fn tokens_are_read_in_every_form_that_was_written() {
        for date in ["2027-01-01T00:00:00Z", "2027-01-01T00:00:00UTC", "2027-01-01T00:00:00+00:00"] {
            let text = format!(r#"{{"startUrl": "u", "region": "r", "accessToken": "SECRET", "expiresAt": "{date}"}}"#);
            let found = parse(&text);
            assert_eq!(
                found.as_ref().and_then(|it| it.expires).map(|it| it.to_string()).as_deref(),
                Some("2027-01-01T00:00:00Z")
            );
            assert!(!format!("{found:?}").contains("SECRET"));
        }
        assert!(parse(r#"{"clientId": "c", "clientSecret": "s", "expiresAt": "2027-01-01T00:00:00Z"}"#).is_none());
        assert!(parse("{").is_none());
    }
}
