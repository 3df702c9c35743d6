//! The `sso` portal: what a person who has signed in may enter, and the credentials of a role (botocore model 2019-06-10).
//!
//! Nobody signs here; the token of the sign-in stands in a header. A role that one does not hold is "No access", which is where
//! the people begin who write to their administrators.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::caller::letters;
use super::ids::digest;
use super::oidc;
use super::pages;
use super::sign_in::Session;
use super::state::State;
use super::wire::{Answer, Request, pairs};
use super::world::{AccountState, PrincipalType};

/// Answers a request of the portal; `None` if it is none.
pub(super) fn answer(
    state: &mut State,
    request: &Request<'_>,
    request_id: &str,
) -> Option<(&'static str, String, Answer)> {
    let (name, run): (_, Run) = match (request.method, request.path) {
        ("GET", "/assignment/accounts") => ("sso.ListAccounts", accounts),
        ("GET", "/assignment/roles") => ("sso.ListAccountRoles", roles),
        ("GET", "/federation/credentials") => ("sso.GetRoleCredentials", credentials),
        ("POST", "/logout") => ("sso.Logout", logout),
        _ => return None,
    };
    let user = request.bearer.and_then(|token| state.sign_in.user_of(token, state.now).map(str::to_owned));
    let user = user.filter(|user| oidc::is_enabled(state, user));
    let caller = user.as_ref().and_then(|id| state.store.users.get(id)).map(|user| user.user_name.clone());
    let reply = match user {
        Some(user) => run(state, request, &user),
        // botocore, sso: UnauthorizedException is what the AWS CLI explains with "the SSO session has expired".
        None => Err(Refusal(401, "UnauthorizedException", "Session token not found or invalid")),
    };
    Some((
        name,
        caller.unwrap_or_default(),
        match reply {
            Ok(Value::Null) => Answer::new(200, request_id.to_owned(), "application/json", ""),
            Ok(body) => Answer::new(200, request_id.to_owned(), "application/json", body.to_string()),
            Err(Refusal(status, code, message)) => Answer::new(
                status,
                request_id.to_owned(),
                "application/json",
                json!({"message": message, "__type": code}).to_string(),
            )
            .refused(code),
        },
    ))
}

type Run = fn(&mut State, &Request<'_>, &str) -> Result<Value, Refusal>;

#[derive(Debug)]
struct Refusal(u16, &'static str, &'static str);

fn accounts(state: &mut State, request: &Request<'_>, user: &str) -> Result<Value, Refusal> {
    let held = held(state, user);
    let ids: BTreeSet<&String> = held.iter().map(|(account, _)| account).collect();
    let rows = ids
        .into_iter()
        .filter_map(|id| state.accounts.get(id))
        .map(|account| json!({"accountId": account.id, "accountName": account.name, "emailAddress": account.email}));
    listed(state, request, user, "accountList", rows.collect())
}

fn roles(state: &mut State, request: &Request<'_>, user: &str) -> Result<Value, Refusal> {
    let account = wanted(request, "account_id")?;
    let held = held(state, user);
    let names: BTreeSet<&str> = held
        .iter()
        .filter(|(id, _)| *id == account)
        .filter_map(|(_, set)| state.sets.get(set).map(|set| set.name.as_str()))
        .collect();
    // Somebody with nothing in the account is told so, as with GetRoleCredentials.
    if names.is_empty() {
        return Err(NO_ACCESS);
    }
    let rows = names.into_iter().map(|name| json!({"roleName": name, "accountId": account}));
    listed(state, request, user, "roleList", rows.collect())
}

/// Unmodelled, but so seen: aws/aws-sam-cli#2129, ministryofjustice/aws-root-account#579.
const NO_ACCESS: Refusal = Refusal(403, "ForbiddenException", "No access");

fn credentials(state: &mut State, request: &Request<'_>, user: &str) -> Result<Value, Refusal> {
    let (account, role) = (wanted(request, "account_id")?, wanted(request, "role_name")?);
    let set = state.set_names.get(&role).cloned().unwrap_or_default();
    if !held(state, user).contains(&(account.clone(), set.clone())) {
        return Err(NO_ACCESS);
    }
    let Some(set) = state.sets.get(&set) else {
        return Err(NO_ACCESS);
    };
    let suffix = set.provisioned.get(&account).map_or("", |it| &it.role_suffix);
    let role = format!("AWSReservedSSO_{}_{suffix}", set.name);
    let seconds = super::duration::seconds(&set.session_duration).unwrap_or(3600.0);
    let expires = state.now + seconds;
    let user = state.store.users.get(user).map(|user| user.user_name.clone()).unwrap_or_default();
    let word = state.ids.word(state.now);
    let key = format!("ASIA{}", letters(digest(state.ids.seed, &[&word]), 16));
    let (secret, token) = (state.ids.word(state.now), format!("{word}{}", state.ids.word(state.now)));
    state.sessions.retain(|_, session| session.expires > state.now);
    state.sessions.insert(key.clone(), Session { account, role, user, expires });
    Ok(json!({"roleCredentials": {
        "accessKeyId": key,
        "secretAccessKey": secret,
        "sessionToken": token,
        // Milliseconds, as nowhere else [botocore model, sso].
        "expiration": (expires * 1000.0) as u64,
    }}))
}

fn logout(state: &mut State, request: &Request<'_>, _: &str) -> Result<Value, Refusal> {
    if let Some(token) = request.bearer {
        state.sign_in.end(token);
    }
    Ok(Value::Null)
}

/// The (account, set) pairs that a user can enter, directly or through groups: those of working accounts.
fn held(state: &State, user: &str) -> BTreeSet<(String, String)> {
    let groups =
        state.store.groups_of.get(user).into_iter().flatten().map(|(group, _)| (PrincipalType::Group, group.clone()));
    let principals = std::iter::once((PrincipalType::User, user.to_owned())).chain(groups);
    let works = |account: &str| state.accounts.get(account).is_some_and(|it| it.state == AccountState::Active);
    principals
        .filter_map(|principal| state.pairs_of.get(&principal))
        .flatten()
        .filter(|(account, _)| works(account))
        .cloned()
        .collect()
}

fn wanted(request: &Request<'_>, name: &str) -> Result<String, Refusal> {
    let value = pairs(request.query).find(|(key, _)| key == name).map(|(_, value)| value);
    value.filter(|value| !value.is_empty()).ok_or(Refusal(
        400,
        "InvalidRequestException",
        "Missing or invalid parameter",
    ))
}

fn listed(state: &State, request: &Request<'_>, user: &str, key: &str, rows: Vec<Value>) -> Result<Value, Refusal> {
    let invalid = Refusal(400, "InvalidRequestException", "Missing or invalid parameter");
    let parameter = |name: &str| pairs(request.query).find(|(key, _)| key == name).map(|(_, value)| value);
    let size = match parameter("max_result").map(|size| size.parse::<usize>()) {
        None => state.settings.page_size.clamp(1, 100),
        Some(Ok(size)) if (1..=100).contains(&size) => size.min(state.settings.page_size.clamp(1, 100)),
        Some(_) => return Err(invalid),
    };
    let bound = digest(state.ids.seed, &[request.path, user, &parameter("account_id").unwrap_or_default()]);
    let token = parameter("next_token").filter(|token| !token.is_empty());
    let (rows, next) = pages::cut(bound, token.as_deref(), size, rows).ok_or(invalid)?;
    let mut body = json!({ key: rows });
    if let (Some(next), Some(members)) = (next, body.as_object_mut()) {
        members.insert("nextToken".to_owned(), json!(next));
    }
    Ok(body)
}
