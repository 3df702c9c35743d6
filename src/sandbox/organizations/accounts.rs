//! The organization itself and its accounts: describe, list, create, move, close and remove them.
//!
//! Creating and closing take time, like the jobs of Identity Center.

use serde_json::{Map, Value, json};

use super::super::operation::{Input, Operation, read, status, write};
use super::super::pages::page;
use super::super::schedule::Due;
use super::super::state::State;
use super::super::tags::Tags;
use super::super::wire::{AwsError, Reply};
use super::super::world::{Account, AccountState, Creation, CreationOutcome};
use super::{account, account_body, arn, constraint, is_parent, parent, tagged};

pub(super) const OPERATIONS: &[Operation] = &[
    read("DescribeOrganization", describe_organization),
    read("ListAccounts", list),
    read("ListAccountsForParent", list_for_parent),
    read("DescribeAccount", describe),
    write("CreateAccount", create),
    status("DescribeCreateAccountStatus", describe_creation),
    status("ListCreateAccountStatus", list_creations),
    write("MoveAccount", relocate),
    write("CloseAccount", close),
    write("RemoveAccountFromOrganization", remove),
];

/// Adjustable with AWS, where ten is the default [quotas, Organizations user guide]; here the upper end.
const MAX_ACCOUNTS: usize = 50_000;

fn describe_organization(state: &State, _: Input<'_>) -> Reply {
    let organization = &state.organization;
    let (id, management) = (&organization.id, &organization.management_account_id);
    let email = state.accounts.get(management).map_or("", |account| &account.email);
    Ok(json!({"Organization": {
        "Id": id,
        "Arn": format!("arn:aws:organizations::{management}:organization/{id}"),
        "FeatureSet": "ALL",
        "MasterAccountArn": arn(state, "account", management),
        "MasterAccountId": management,
        "MasterAccountEmail": email,
        "AvailablePolicyTypes": [],
    }}))
}

fn list(state: &State, input: Input<'_>) -> Reply {
    page(state, input, "Accounts", state.accounts.values(), |account| account_body(state, account).into())
}

fn list_for_parent(state: &State, input: Input<'_>) -> Reply {
    let parent = parent(state, input)?;
    let here = state.accounts.values().filter(|account| account.parent == parent);
    page(state, input, "Accounts", here, |account| account_body(state, account).into())
}

fn describe(state: &State, input: Input<'_>) -> Reply {
    let account = account(state, input.text("AccountId"))?;
    Ok(json!({"Account": account_body(state, account)}))
}

fn create(state: &mut State, input: Input<'_>) -> Reply {
    let tags = tagged(input, &Tags::new())?;
    if state.accounts.len() >= MAX_ACCOUNTS {
        return Err(constraint(
            "ACCOUNT_NUMBER_LIMIT_EXCEEDED",
            "You have exceeded the allowed number of AWS accounts.",
        ));
    }
    let creation = Creation {
        id: format!("car-{}", state.ids.hex()),
        name: input.text("AccountName").to_owned(),
        email: input.text("Email").to_owned(),
        tags,
        requested: state.now,
        due: state.due(),
        account_id: state.new_account_id(),
        outcome: None,
    };
    state.schedule.add(creation.due, Due::Creation(creation.id.clone()));
    let body = creation_body(&creation);
    state.organization.creations.push(creation);
    Ok(json!({ "CreateAccountStatus": body }))
}

fn describe_creation(state: &State, input: Input<'_>) -> Reply {
    let id = input.text("CreateAccountRequestId");
    match state.organization.creations.iter().find(|creation| creation.id == id) {
        Some(creation) => Ok(json!({"CreateAccountStatus": creation_body(creation)})),
        None => Err(AwsError::new(
            "CreateAccountStatusNotFoundException",
            "You specified a create account request that doesn't exist.",
        )),
    }
}

fn list_creations(state: &State, input: Input<'_>) -> Reply {
    let wanted: Vec<&str> = input.items("States").filter_map(Value::as_str).collect();
    let creations = &state.organization.creations;
    let found = creations.iter().filter(|it| wanted.is_empty() || wanted.contains(&creation_state(it)));
    page(state, input, "CreateAccountStatuses", found, creation_body)
}

fn creation_state(creation: &Creation) -> &'static str {
    match creation.outcome {
        None => "IN_PROGRESS",
        Some(CreationOutcome::Created) => "SUCCEEDED",
        Some(CreationOutcome::Failed(_)) => "FAILED",
    }
}

fn creation_body(creation: &Creation) -> Value {
    let mut body = Map::new();
    body.insert("Id".to_owned(), json!(creation.id));
    body.insert("AccountName".to_owned(), json!(creation.name));
    body.insert("State".to_owned(), json!(creation_state(creation)));
    body.insert("RequestedTimestamp".to_owned(), json!(creation.requested));
    let (member, value) = match &creation.outcome {
        None => return Value::Object(body),
        Some(CreationOutcome::Created) => ("AccountId", &creation.account_id),
        Some(CreationOutcome::Failed(reason)) => ("FailureReason", reason),
    };
    body.insert("CompletedTimestamp".to_owned(), json!(creation.due));
    body.insert(member.to_owned(), json!(value));
    Value::Object(body)
}

fn relocate(state: &mut State, input: Input<'_>) -> Reply {
    let (from, to) = (input.text("SourceParentId"), input.text("DestinationParentId"));
    let moved = account(state, input.text("AccountId"))?;
    // Texts: botocore organizations model.
    if !is_parent(state, to) {
        return Err(AwsError::new(
            "DestinationParentNotFoundException",
            "We can't find the destination container (a root or OU) with the ParentId that you specified.",
        ));
    }
    if moved.parent == to {
        return Err(AwsError::new(
            "DuplicateAccountException",
            "That account is already present in the specified destination.",
        ));
    }
    if moved.parent != from {
        return Err(AwsError::new(
            "SourceParentNotFoundException",
            "We can't find a source root or OU with the ParentId that you specified.",
        ));
    }
    let id = moved.id.clone();
    if let Some(account) = state.accounts.get_mut(&id) {
        account.parent = to.to_owned();
    }
    Ok(json!({}))
}

// PENDING_CLOSURE first, then SUSPENDED [CloseAccount, API reference].
fn close(state: &mut State, input: Input<'_>) -> Reply {
    let closed = account(state, input.text("AccountId"))?;
    if closed.id == state.organization.management_account_id {
        return Err(constraint(
            "CANNOT_CLOSE_MANAGEMENT_ACCOUNT",
            "You can't close the management account of an organization.",
        ));
    }
    if closed.state != AccountState::Active {
        return Err(AwsError::new(
            "AccountAlreadyClosedException",
            "You attempted to close an account that is already closed.",
        ));
    }
    let id = closed.id.clone();
    let due = state.due();
    state.schedule.add(due, Due::Closing(id.clone()));
    if let Some(account) = state.accounts.get_mut(&id) {
        account.state = AccountState::PendingClosure;
        account.closing = Some(due);
    }
    Ok(json!({}))
}

// Assignments stay listed, as those of accounts that left do (aws-sso-util#80).
fn remove(state: &mut State, input: Input<'_>) -> Reply {
    let id = account(state, input.text("AccountId"))?.id.clone();
    if id == state.organization.management_account_id {
        return Err(AwsError::new(
            "MasterCannotLeaveOrganizationException",
            "You can't remove a management account from an organization.",
        ));
    }
    if state.organization.delegated_administrators.contains_key(&id) {
        return Err(constraint(
            "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG",
            "You can't remove an account that is a delegated administrator.",
        ));
    }
    state.accounts.remove(&id);
    Ok(json!({}))
}

/// Makes the account that a request was for, or says why not.
pub(in crate::sandbox) fn end_creation(state: &mut State, id: &str) {
    let Some(place) = state.organization.creations.iter().position(|it| it.id == id) else {
        return;
    };
    let Some(creation) = state.organization.creations.get(place).cloned() else {
        return;
    };
    let taken = state.accounts.values().any(|account| account.email == creation.email);
    let outcome = if taken {
        CreationOutcome::Failed("EMAIL_ALREADY_EXISTS".to_owned())
    } else {
        let account = Account {
            id: creation.account_id.clone(),
            name: creation.name,
            email: creation.email,
            joined: creation.due,
            // New accounts stand under the root [CreateAccount, API reference].
            parent: state.organization.root_id.clone(),
            tags: creation.tags,
            ..Account::default()
        };
        state.accounts.insert(account.id.clone(), account);
        CreationOutcome::Created
    };
    if let Some(creation) = state.organization.creations.get_mut(place) {
        creation.outcome = Some(outcome);
    }
}

/// Ends the closing of an account.
pub(in crate::sandbox) fn end_closing(state: &mut State, id: &str) {
    if let Some(account) = state.accounts.get_mut(id) {
        account.state = AccountState::Suspended;
        account.closing = None;
    }
}
