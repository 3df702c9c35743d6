//! `sso-oidc` (botocore model 2019-06-10): how a command line signs somebody in, by device code or by a browser that comes back
//! with a code; and the browser's side of it, which the sandbox approves by itself.
//!
//! There are no passwords: whoever opens the page is the user it names with `user=`, or the one of the settings.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::ids::{derived_hex, mix};
use super::sign_in::{Code, Device, TOKEN_SECONDS};
use super::state::State;
use super::wire::{Answer, Request, escaped, is_loopback, pairs};
use super::world::{User, UserStatus};

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// How long a client waits between two questions.
const INTERVAL: f64 = 1.0;

type Run = fn(&mut State, &Request<'_>) -> Result<Value, Refusal>;

/// An error of the service: status, code, OAuth's word, description.
#[derive(Debug)]
struct Refusal(u16, &'static str, &'static str, &'static str);

/// Answers a request of the service or of its browser; `None` if it is none.
pub(super) fn answer(
    state: &mut State,
    request: &Request<'_>,
    request_id: &str,
) -> Option<(&'static str, String, Answer)> {
    let (name, run): (_, Run) = match (request.method, request.path) {
        ("POST", "/client/register") => ("sso-oidc.RegisterClient", register),
        ("POST", "/device_authorization") => ("sso-oidc.StartDeviceAuthorization", start_device),
        ("POST", "/token") => ("sso-oidc.CreateToken", token),
        ("GET", "/authorize") => {
            return Some(("browser.authorize", String::new(), authorize(state, request, request_id)));
        }
        ("GET", "/device") => return Some(("browser.device", String::new(), approve(state, request, request_id))),
        _ => return None,
    };
    let answer = match run(state, request) {
        Ok(body) => Answer::new(200, request_id.to_owned(), "application/json", body.to_string()),
        Err(Refusal(status, code, error, description)) => {
            let body = json!({"error": error, "error_description": description});
            Answer::new(status, request_id.to_owned(), "application/json", body.to_string()).refused(code)
        }
    };
    Some((name, String::new(), answer))
}

const INVALID_REQUEST: Refusal =
    Refusal(400, "InvalidRequestException", "invalid_request", "A parameter is missing or malformed.");
const INVALID_CLIENT: Refusal = Refusal(401, "InvalidClientException", "invalid_client", "The client is unknown.");
const INVALID_GRANT: Refusal =
    Refusal(400, "InvalidGrantException", "invalid_grant", "The code or token is unknown, used, or of somebody else.");
const EXPIRED: Refusal = Refusal(400, "ExpiredTokenException", "expired_token", "The token is expired.");

fn members(request: &Request<'_>) -> Result<Map<String, Value>, Refusal> {
    match serde_json::from_slice(request.body) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(INVALID_REQUEST),
    }
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refusal> {
    members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).ok_or(INVALID_REQUEST)
}

fn register(state: &mut State, request: &Request<'_>) -> Result<Value, Refusal> {
    let members = members(request)?;
    text(&members, "clientName")?;
    if text(&members, "clientType")? != "public" {
        return Err(Refusal(
            400,
            "InvalidClientMetadataException",
            "invalid_client_metadata",
            "The client type must be public.",
        ));
    }
    if let Ok(issuer) = text(&members, "issuerUrl") {
        ours(state, issuer)?;
    }
    let id = word(state);
    // Ninety days, as with AWS.
    let expires = state.now + 90.0 * 86_400.0;
    let base = base(request);
    Ok(json!({
        "clientId": id,
        "clientSecret": secret(state, &id),
        "clientIdIssuedAt": state.now as u64,
        "clientSecretExpiresAt": expires as u64,
        "authorizationEndpoint": format!("{base}/authorize"),
        "tokenEndpoint": format!("{base}/token"),
    }))
}

/// Words are of this moment: another process of the same world must not give them out again to somebody else.
fn word(state: &mut State) -> String {
    state.ids.word(state.now)
}

/// Whether there is such a user, by id, and it may sign in.
pub(super) fn is_enabled(state: &State, id: &str) -> bool {
    state.store.users.get(id).is_some_and(|user| user.status == UserStatus::Enabled)
}

fn secret(state: &State, client: &str) -> String {
    derived_hex(state.ids.seed, &["client", client])
}

/// A start URL of another directory is nobody's here; any other may be an alias.
fn ours(state: &State, url: &str) -> Result<(), Refusal> {
    let host = url.split("://").nth(1).and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    let first = host.split('.').next().unwrap_or_default();
    let store = state.instance.as_ref().map_or("", |instance| &instance.identity_store_id);
    let directory = super::model::holds(super::wire::Service::IdentityStore, "IdentityStoreId", first);
    if host.is_empty() || state.instance.is_none() || (directory && first != store) {
        return Err(Refusal(
            400,
            "InvalidRequestException",
            "invalid_request",
            "The start URL is of no instance here.",
        ));
    }
    Ok(())
}

fn client(state: &State, members: &Map<String, Value>) -> Result<String, Refusal> {
    let id = text(members, "clientId")?;
    let known = text(members, "clientSecret")? == secret(state, id);
    known.then(|| id.to_owned()).ok_or(INVALID_CLIENT)
}

fn start_device(state: &mut State, request: &Request<'_>) -> Result<Value, Refusal> {
    let members = members(request)?;
    let client = client(state, &members)?;
    ours(state, text(&members, "startUrl")?)?;
    let device_code = word(state);
    let letters = super::caller::letters(
        mix(u64::from_str_radix(device_code.get(..16).unwrap_or_default(), 16).unwrap_or_default()),
        8,
    );
    let user_code = format!("{}-{}", letters.get(..4).unwrap_or_default(), letters.get(4..8).unwrap_or_default());
    state.sign_in.forget(state.now);
    let device =
        Device { client, user_code: user_code.clone(), user: None, expires: state.now + 600.0, asked: (0.0, 0) };
    state.sign_in.devices.insert(device_code.clone(), device);
    let page = format!("{}/device", base(request));
    Ok(json!({
        "deviceCode": device_code,
        "userCode": user_code,
        "verificationUri": page,
        "verificationUriComplete": format!("{page}?user_code={user_code}"),
        "expiresIn": 600,
        "interval": INTERVAL as u64,
    }))
}

fn token(state: &mut State, request: &Request<'_>) -> Result<Value, Refusal> {
    let members = members(request)?;
    let client = client(state, &members)?;
    let user = match text(&members, "grantType")? {
        DEVICE_GRANT => device_grant(state, &client, text(&members, "deviceCode")?)?,
        "authorization_code" => code_grant(state, &client, &members)?,
        "refresh_token" => {
            let now = state.now;
            state.sign_in.refresh(text(&members, "refreshToken")?, &client, now).ok_or(INVALID_GRANT)?
        }
        _ => {
            return Err(Refusal(
                400,
                "UnsupportedGrantTypeException",
                "unsupported_grant_type",
                "The grant type is not supported.",
            ));
        }
    };
    // Whoever was deleted or disabled meanwhile has nothing to come back to.
    if !is_enabled(state, &user) {
        return Err(INVALID_GRANT);
    }
    let (access, refresh) = (format!("aoa{}", word(state)), format!("aor{}", word(state)));
    state.sign_in.issue(&access, &refresh, &client, &user, state.now);
    Ok(json!({
        "accessToken": access,
        "tokenType": "Bearer",
        "expiresIn": TOKEN_SECONDS as u64,
        "refreshToken": refresh,
    }))
}

fn device_grant(state: &mut State, client: &str, code: &str) -> Result<String, Refusal> {
    let now = state.now;
    let device = state.sign_in.devices.get_mut(code).filter(|device| device.client == client).ok_or(INVALID_GRANT)?;
    if device.expires <= now {
        return Err(EXPIRED);
    }
    // The AWS CLI asks twice at once before it begins to wait.
    let (last, times) = device.asked;
    let hurried = times > 1 && now < last + INTERVAL / 2.0;
    device.asked = (now, times.saturating_add(1));
    match device.user.clone() {
        Some(user) => {
            state.sign_in.devices.remove(code);
            Ok(user)
        }
        None if hurried => Err(Refusal(400, "SlowDownException", "slow_down", "The client asks too often.")),
        None => {
            Err(Refusal(400, "AuthorizationPendingException", "authorization_pending", "Nobody has signed in yet."))
        }
    }
}

fn code_grant(state: &mut State, client: &str, members: &Map<String, Value>) -> Result<String, Refusal> {
    let code = state.sign_in.codes.remove(text(members, "code")?).ok_or(INVALID_GRANT)?;
    let shown = Sha256::digest(text(members, "codeVerifier")?.as_bytes());
    let shown = aws_smithy_types::base64::encode(shown).replace('+', "-").replace('/', "_");
    let good = code.client == client
        && code.redirect == text(members, "redirectUri")?
        && code.challenge == shown.trim_end_matches('=');
    match (good, code.expires > state.now) {
        (true, true) => Ok(code.user),
        (true, false) => Err(EXPIRED),
        (false, _) => Err(INVALID_GRANT),
    }
}

/// The browser of the authorization code flow: signs in and goes back to where the client listens.
fn authorize(state: &mut State, request: &Request<'_>, request_id: &str) -> Answer {
    let parameter =
        |name: &str| pairs(request.query).find(|(key, _)| key == name).map(|(_, value)| value).unwrap_or_default();
    let (client, redirect, challenge) =
        (parameter("client_id"), parameter("redirect_uri"), parameter("code_challenge"));
    if client.len() != 32 || parameter("response_type") != "code" || challenge.is_empty() {
        return page(400, "This is not a sign-in of a client that is known here.", request_id);
    }
    // A code goes to nobody but a program of this machine.
    let authority = redirect.strip_prefix("http://").and_then(|rest| rest.split(['/', '?']).next()).unwrap_or_default();
    if !is_loopback(authority) || redirect.contains(['#', '\\']) {
        return page(400, "The redirect URI must be on this machine.", request_id);
    }
    let Some(user) = chosen(state, &parameter("user")).map(|user| user.id.clone()) else {
        return page(403, "There is no such user, or it is disabled.", request_id);
    };
    let code = word(state);
    let back = format!("{redirect}{}", if redirect.contains('?') { "&" } else { "?" });
    let location = form_urlencoded::Serializer::for_suffix(back.clone(), back.len())
        .append_pair("code", &code)
        .append_pair("state", &parameter("state"))
        .finish();
    let expires = state.now + 600.0;
    state.sign_in.forget(state.now);
    state.sign_in.codes.insert(code, Code { client, user, redirect, challenge, expires });
    let mut answer = page(302, "Signed in.", request_id);
    answer.location = Some(location);
    answer
}

/// The browser of the device flow: signs in whoever waits with this code.
fn approve(state: &mut State, request: &Request<'_>, request_id: &str) -> Answer {
    let parameter =
        |name: &str| pairs(request.query).find(|(key, _)| key == name).map(|(_, value)| value).unwrap_or_default();
    let code = parameter("user_code");
    let Some(user) = chosen(state, &parameter("user")) else {
        return page(403, "There is no such user, or it is disabled.", request_id);
    };
    let (id, name) = (user.id.clone(), user.user_name.clone());
    let now = state.now;
    let waiting = state.sign_in.devices.values_mut().find(|device| device.user_code == code && device.expires > now);
    let Some(device) = waiting else {
        return page(404, "No device waits with this code.", request_id);
    };
    device.user = Some(id);
    page(200, &format!("Signed in as {name}. You can close this window and go back to your terminal."), request_id)
}

/// The user of that name, or the one that signs in here unless told otherwise: the first that is enabled.
fn chosen<'a>(state: &'a State, name: &str) -> Option<&'a User> {
    let name = if name.is_empty() { state.settings.sign_in_as.as_deref().unwrap_or_default() } else { name };
    let enabled = |id: &String| state.store.users.get(id).filter(|user| user.status == UserStatus::Enabled);
    if name.is_empty() {
        return state.store.user_names.values().find_map(enabled);
    }
    state.store.user_names.get(name).and_then(enabled)
}

fn page(status: u16, what: &str, request_id: &str) -> Answer {
    let body = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>permset sandbox</title></head>\n\
         <body style=\"font: 1.2em sans-serif; margin: 4em auto; max-width: 32em\"><h1>permset sandbox</h1><p>{}</p></body></html>\n",
        escaped(what)
    );
    Answer::new(status, request_id.to_owned(), "text/html; charset=utf-8", body)
}

/// Where the client reached us.
fn base(request: &Request<'_>) -> String {
    format!("http://{}", request.host.unwrap_or("127.0.0.1"))
}
