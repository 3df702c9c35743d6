//! The reads of `organizations` (botocore model 2016-11-28) that name accounts.
//!
//! Accounts are made in the world file; nothing here changes them. Organizational units are not played yet.

use serde_json::{Map, Value, json};

use super::operation::{Input, Operation, read};
use super::pages::page;
use super::patterns;
use super::state::State;
use super::validate::{Shape, optional, required};
use super::wire::{AwsError, Reply};
use super::world::{Account, AccountState};

pub(super) const OPERATIONS: &[Operation] = &[
    read("DescribeOrganization", &[], describe_organization),
    read(
        "ListAccounts",
        const {
            &[
                optional("MaxResults", Shape::Integer { min: 1, max: 20 }),
                optional("NextToken", Shape::Text(&patterns::ORGANIZATIONS_TOKEN)),
            ]
        },
        list_accounts,
    ),
    read("DescribeAccount", const { &[required("AccountId", Shape::Text(&patterns::ACCOUNT_ID))] }, describe_account),
];

fn describe_organization(state: &State, _: Input<'_>) -> Reply {
    let organization = &state.organization;
    let (id, management) = (&organization.id, &organization.management_account_id);
    let email = state.accounts.get(management).map_or("", |account| &account.email);
    Ok(json!({"Organization": {
        "Id": id,
        "Arn": format!("arn:aws:organizations::{management}:organization/{id}"),
        "FeatureSet": "ALL",
        "MasterAccountArn": arn(state, management),
        "MasterAccountId": management,
        "MasterAccountEmail": email,
        "AvailablePolicyTypes": [],
    }}))
}

fn list_accounts(state: &State, input: Input<'_>) -> Reply {
    page(state, input, "Accounts", state.accounts.values(), |account| body(state, account))
}

fn describe_account(state: &State, input: Input<'_>) -> Reply {
    match state.accounts.get(input.text("AccountId")) {
        Some(account) => Ok(json!({"Account": body(state, account)})),
        None => Err(AwsError::new("AccountNotFoundException", "You specified an account that doesn't exist.")),
    }
}

fn body(state: &State, account: &Account) -> Value {
    let mut body = Map::new();
    body.insert("Id".to_owned(), json!(account.id));
    body.insert("Arn".to_owned(), json!(arn(state, &account.id)));
    body.insert("Email".to_owned(), json!(account.email));
    body.insert("Name".to_owned(), json!(account.name));
    if let Some(status) = status(account.state) {
        body.insert("Status".to_owned(), json!(status));
    }
    body.insert("State".to_owned(), json!(account.state));
    let management = state.organization.management_account_id == account.id;
    let joined = if management { "INVITED" } else { "CREATED" };
    body.insert("JoinedMethod".to_owned(), json!(joined));
    body.insert("JoinedTimestamp".to_owned(), json!(account.joined));
    Value::Object(body)
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

fn arn(state: &State, account: &str) -> String {
    let organization = &state.organization;
    format!("arn:aws:organizations::{}:account/{}/{account}", organization.management_account_id, organization.id)
}
