//! The operations of `organizations` (botocore model 2016-11-28): accounts, organizational units, tags, delegated administration.
//!
//! What they share is here: finding and naming things in the tree. Policies, handshakes and responsibility transfers are not
//! played.

mod accounts;
mod delegation;
mod tagging;
mod units;

use serde_json::{Map, Value, json};

use super::operation::{Input, Operation};
use super::state::State;
use super::tags::{self, Tags};
use super::wire::AwsError;
use super::world::{Account, AccountState};

pub(super) use self::accounts::{end_closing, end_creation};

/// All tables of the service.
pub(super) const TABLES: &[&[Operation]] =
    &[accounts::OPERATIONS, units::OPERATIONS, tagging::OPERATIONS, delegation::OPERATIONS];

fn arn(state: &State, kind: &str, id: &str) -> String {
    let organization = &state.organization;
    format!("arn:aws:organizations::{}:{kind}/{}/{id}", organization.management_account_id, organization.id)
}

/// Whether the tree has such a root or unit.
fn is_parent(state: &State, id: &str) -> bool {
    id == state.organization.root_id || state.units.contains_key(id)
}

/// The root or unit that the input names.
fn parent<'a>(state: &State, input: Input<'a>) -> Result<&'a str, AwsError> {
    let id = input.text("ParentId");
    if is_parent(state, id) {
        return Ok(id);
    }
    Err(AwsError::new("ParentNotFoundException", "We can't find a root or OU with the ParentId that you specified."))
}

/// The units from the root down to `id`, `id` last; empty for the root.
fn line<'a>(state: &'a State, id: &str) -> Vec<&'a str> {
    let mut line = Vec::new();
    let mut unit = state.units.get(id);
    // A tree is no deeper than it has units, whatever a world file says.
    while let Some(it) = unit.filter(|_| line.len() <= state.units.len()) {
        line.push(it.id.as_str());
        unit = state.units.get(&it.parent);
    }
    line.reverse();
    line
}

/// `o-…/r-…/ou-…/…/`, with what the path is of at its end.
fn path(state: &State, parent: &str, id: &str) -> String {
    let organization = &state.organization;
    let mut path = format!("{}/{}/", organization.id, organization.root_id);
    for unit in line(state, parent) {
        path.push_str(unit);
        path.push('/');
    }
    path.push_str(id);
    path.push('/');
    path
}

fn account<'a>(state: &'a State, id: &str) -> Result<&'a Account, AwsError> {
    let missing = || AwsError::new("AccountNotFoundException", "You specified an account that doesn't exist.");
    state.accounts.get(id).ok_or_else(missing)
}

fn account_body(state: &State, account: &Account) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("Id".to_owned(), json!(account.id));
    body.insert("Arn".to_owned(), json!(arn(state, "account", &account.id)));
    body.insert("Email".to_owned(), json!(account.email));
    body.insert("Name".to_owned(), json!(account.name));
    if let Some(status) = status(account.state) {
        body.insert("Status".to_owned(), json!(status));
    }
    body.insert("State".to_owned(), json!(account.state));
    if state.settings.paths {
        body.insert("Paths".to_owned(), json!([path(state, &account.parent, &account.id)]));
    }
    let management = state.organization.management_account_id == account.id;
    let joined = if management { "INVITED" } else { "CREATED" };
    body.insert("JoinedMethod".to_owned(), json!(joined));
    body.insert("JoinedTimestamp".to_owned(), json!(account.joined));
    body
}

// The older member knows three of the five states; a closed account counted as suspended, one being activated was not listed.
fn status(state: AccountState) -> Option<&'static str> {
    match state {
        AccountState::PendingActivation => None,
        AccountState::Active => Some("ACTIVE"),
        AccountState::Suspended | AccountState::Closed => Some("SUSPENDED"),
        AccountState::PendingClosure => Some("PENDING_CLOSURE"),
    }
}

/// A limit or rule of Organizations that the call would break, with its `ConstraintViolationExceptionReason`.
fn constraint(reason: &'static str, message: &str) -> AwsError {
    AwsError::new("ConstraintViolationException", message).with("Reason", reason)
}

fn invalid(reason: &'static str, message: &str) -> AwsError {
    AwsError::new("InvalidInputException", message).with("Reason", reason)
}

/// The tags that a thing with the tags `before` has after those of the input.
fn tagged(input: Input<'_>, before: &Tags) -> Result<Tags, AwsError> {
    let reserved = || invalid("INVALID_SYSTEM_TAGS_PARAMETER", "Tag keys must not start with aws:.");
    let tags = tags::merged(input, before).ok_or_else(reserved)?;
    // [quotas, Organizations user guide]
    if tags.len() > 50 {
        return Err(constraint(
            "MAX_TAG_LIMIT_EXCEEDED",
            "You have exceeded the number of tags allowed on this resource.",
        ));
    }
    Ok(tags)
}
