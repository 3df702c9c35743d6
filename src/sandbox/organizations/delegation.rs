//! Which services may work in the organization, and which accounts administer them.
//!
//! Identity Center has one delegated administrator at most [delegated administration, IAM Identity Center user guide].

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::authorize::IDENTITY_CENTER;
use super::super::operation::{Input, Operation, read, write};
use super::super::pages::page;
use super::super::state::State;
use super::super::wire::{AwsError, Reply};
use super::super::world::AccountState;
use super::{account, account_body, constraint};

pub(super) const OPERATIONS: &[Operation] = &[
    read("ListAWSServiceAccessForOrganization", services),
    write("EnableAWSServiceAccess", enable),
    write("DisableAWSServiceAccess", disable),
    read("ListDelegatedAdministrators", administrators),
    read("ListDelegatedServicesForAccount", delegated_services),
    write("RegisterDelegatedAdministrator", register),
    write("DeregisterDelegatedAdministrator", deregister),
];

fn trusted(state: &State) -> BTreeMap<String, f64> {
    match &state.organization.trusted_services {
        Some(services) => services.clone(),
        // Identity Center switches its own access on when it is enabled for an organization.
        None => state.instance.iter().map(|_| (IDENTITY_CENTER.to_owned(), 0.0)).collect(),
    }
}

fn services(state: &State, input: Input<'_>) -> Reply {
    page(
        state,
        input,
        "EnabledServicePrincipals",
        trusted(state),
        |(principal, since)| json!({"ServicePrincipal": principal, "DateEnabled": since}),
    )
}

fn enable(state: &mut State, input: Input<'_>) -> Reply {
    let mut services = trusted(state);
    services.entry(input.text("ServicePrincipal").to_owned()).or_insert(state.now);
    state.organization.trusted_services = Some(services);
    Ok(json!({}))
}

fn disable(state: &mut State, input: Input<'_>) -> Reply {
    let mut services = trusted(state);
    services.remove(input.text("ServicePrincipal"));
    state.organization.trusted_services = Some(services);
    Ok(json!({}))
}

fn administrators(state: &State, input: Input<'_>) -> Reply {
    let wanted = input.maybe("ServicePrincipal");
    let found = state.organization.delegated_administrators.iter().filter_map(|(id, services)| {
        let since = match wanted {
            Some(service) => services.get(service).copied(),
            None => services.values().copied().min_by(f64::total_cmp),
        };
        Some((state.accounts.get(id)?, since?))
    });
    page(state, input, "DelegatedAdministrators", found, |(account, since)| {
        let mut body = account_body(state, account);
        body.shift_remove("Paths");
        body.insert("DelegationEnabledDate".to_owned(), json!(since));
        Value::Object(body)
    })
}

fn delegated_services(state: &State, input: Input<'_>) -> Reply {
    let id = &account(state, input.text("AccountId"))?.id;
    let services = state.organization.delegated_administrators.get(id).ok_or_else(not_registered)?;
    page(
        state,
        input,
        "DelegatedServices",
        services,
        |(principal, since)| json!({"ServicePrincipal": principal, "DelegationEnabledDate": since}),
    )
}

fn register(state: &mut State, input: Input<'_>) -> Reply {
    let service = input.text("ServicePrincipal");
    let account = account(state, input.text("AccountId"))?;
    let organization = &state.organization;
    let registered =
        |id: &String| organization.delegated_administrators.get(id).is_some_and(|it| it.contains_key(service));
    if account.id == organization.management_account_id {
        return Err(constraint(
            "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR",
            "You cannot register master account as delegated administrator for your organization.",
        ));
    }
    if registered(&account.id) {
        return Err(AwsError::new(
            "AccountAlreadyRegisteredException",
            "The specified account is already a delegated administrator for this AWS service.",
        ));
    }
    if account.state != AccountState::Active {
        return Err(constraint(
            "CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR",
            "You cannot register a suspended account as delegated administrator for your organization.",
        ));
    }
    if !trusted(state).contains_key(service) {
        return Err(constraint(
            "SERVICE_ACCESS_NOT_ENABLED",
            "You must enable service access before you register a delegated administrator.",
        ));
    }
    if service == IDENTITY_CENTER && organization.delegated_administrators.keys().any(registered) {
        return Err(constraint(
            "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED",
            "You have exceeded the allowed number of delegated administrators for the delegated service.",
        ));
    }
    let (id, since) = (account.id.clone(), state.now);
    state.organization.delegated_administrators.entry(id).or_default().insert(service.to_owned(), since);
    Ok(json!({}))
}

fn deregister(state: &mut State, input: Input<'_>) -> Reply {
    let id = account(state, input.text("AccountId"))?.id.clone();
    let administrators = &mut state.organization.delegated_administrators;
    let services = administrators.get_mut(&id).ok_or_else(not_registered)?;
    services.remove(input.text("ServicePrincipal")).ok_or_else(not_registered)?;
    if services.is_empty() {
        administrators.remove(&id);
    }
    Ok(json!({}))
}

fn not_registered() -> AwsError {
    AwsError::new(
        "AccountNotRegisteredException",
        "The specified account is not a delegated administrator for this AWS service.",
    )
}
