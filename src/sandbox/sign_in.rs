//! Who has signed in: sign-ins under way, tokens.
//!
//! All of it dies with the process, as a browser's session would; people sign in again. Clients keep their registration for months,
//! so those are not kept here: a client proves itself with a secret that follows from its id. Nothing here knows HTTP.

use std::collections::BTreeMap;

/// Sign-ins of all clients.
#[derive(Debug, Clone, Default)]
pub(super) struct SignIn {
    pub(super) devices: BTreeMap<String, Device>,
    pub(super) codes: BTreeMap<String, Code>,
    tokens: BTreeMap<String, Token>,
    refreshes: BTreeMap<String, Refresh>,
}

/// A device that waits for somebody to sign in with a browser.
#[derive(Debug, Clone)]
pub(super) struct Device {
    pub(super) client: String,
    pub(super) user_code: String,
    pub(super) user: Option<String>,
    pub(super) expires: f64,
    /// When it asked last, and how often.
    pub(super) asked: (f64, u32),
}

/// A code that a browser brought back.
#[derive(Debug, Clone)]
pub(super) struct Code {
    pub(super) client: String,
    pub(super) user: String,
    pub(super) redirect: String,
    /// The SHA-256 of what the client will show, in base64url.
    pub(super) challenge: String,
    pub(super) expires: f64,
}

#[derive(Debug, Clone)]
struct Token {
    user: String,
    expires: f64,
}

#[derive(Debug, Clone)]
struct Refresh {
    client: String,
    user: String,
    expires: f64,
}

/// What a role's credentials stand for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Session {
    pub(super) account: String,
    /// `AWSReservedSSO_<permission set>_<suffix>`.
    pub(super) role: String,
    /// The name of the session, which is that of the user.
    pub(super) user: String,
    /// Epoch seconds.
    pub(super) expires: f64,
}

/// How long an access token is good for, and how long it can be renewed [user guide, session duration of the portal].
pub(super) const TOKEN_SECONDS: f64 = 3600.0;
const SESSION_SECONDS: f64 = 8.0 * 3600.0;

impl SignIn {
    /// The id of the user whose token this is.
    pub(super) fn user_of(&self, token: &str, now: f64) -> Option<&str> {
        self.tokens.get(token).filter(|token| token.expires > now).map(|token| token.user.as_str())
    }

    pub(super) fn issue(&mut self, access: &str, refresh: &str, client: &str, user: &str, now: f64) {
        self.forget(now);
        let user = user.to_owned();
        self.tokens.insert(access.to_owned(), Token { user: user.clone(), expires: now + TOKEN_SECONDS });
        let refreshed = Refresh { client: client.to_owned(), user, expires: now + SESSION_SECONDS };
        self.refreshes.insert(refresh.to_owned(), refreshed);
    }

    /// Takes a refresh token of a client, and gives back whose it is.
    pub(super) fn refresh(&mut self, token: &str, client: &str, now: f64) -> Option<String> {
        let good = self.refreshes.get(token).is_some_and(|it| it.client == client && it.expires > now);
        good.then(|| self.refreshes.remove(token)).flatten().map(|it| it.user)
    }

    /// Ends the session of a token, and what could renew it.
    pub(super) fn end(&mut self, token: &str) {
        if let Some(token) = self.tokens.remove(token) {
            self.refreshes.retain(|_, it| it.user != token.user);
        }
    }

    /// Drops what has expired.
    pub(super) fn forget(&mut self, now: f64) {
        self.devices.retain(|_, it| it.expires > now);
        self.codes.retain(|_, it| it.expires > now);
        self.tokens.retain(|_, it| it.expires > now);
        self.refreshes.retain(|_, it| it.expires > now);
    }
}
