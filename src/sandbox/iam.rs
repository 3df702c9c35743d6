//! Policies of callers, where a world gives an access key some: what is not allowed is refused as IAM refuses it.
//!
//! A small part of IAM: identity policies with actions and resources, `*` and `?`, Allow and Deny. A condition is taken for true
//! if it is `aws:ResourceTag` or `aws:RequestTag` of a permission set with `StringEquals`, and else makes its statement count for
//! nothing. Which ARNs an action is checked against is what the Service Authorization Reference lists as required.

use serde_json::{Map, Value};

use super::operation::Input;
use super::state::State;
use super::wire::{AwsError, Service};

/// Refuses a call that none of the caller's policies allows.
pub(super) fn check(state: &State, input: Input<'_>) -> Result<(), AwsError> {
    let Some(policy) = &input.caller.policy else { return Ok(()) };
    let prefix = match input.service {
        Service::SsoAdmin => "sso",
        Service::IdentityStore => "identitystore",
        Service::Organizations => "organizations",
    };
    let action = format!("{prefix}:{}", input.operation);
    let tags = Tags { resource: resource_tags(state, input), request: request_tags(input) };
    for resource in resources(state, input) {
        if !allows(policy, &action, &resource, &tags) {
            return Err(refusal(&input.caller.arn, &action, &resource));
        }
    }
    Ok(())
}

/// The same for a service without resources.
pub(super) fn check_action(policy: Option<&Value>, arn: &str, action: &str) -> Result<(), AwsError> {
    let tags = Tags { resource: Map::new(), request: Map::new() };
    match policy {
        Some(policy) if !allows(policy, action, "*", &tags) => Err(refusal(arn, action, "*")),
        _ => Ok(()),
    }
}

fn refusal(arn: &str, action: &str, resource: &str) -> AwsError {
    AwsError::denied(format!(
        "User: {arn} is not authorized to perform: {action} on resource: {resource} because no identity-based policy allows \
         the {action} action"
    ))
}

/// What an action is checked against: each of these must be allowed.
fn resources(state: &State, input: Input<'_>) -> Vec<String> {
    let partition = "aws";
    match input.service {
        Service::SsoAdmin => sso(input),
        Service::IdentityStore => {
            let store = input.text("IdentityStoreId");
            let owner = state.instance.as_ref().map(|it| it.owner_account_id.as_str()).unwrap_or_default();
            let mut all = vec![format!("arn:{partition}:identitystore::{owner}:identitystore/{store}")];
            let member = input.inside("MemberId").and_then(|it| it.maybe("UserId"));
            let things: &[(&str, &str)] = match input.operation {
                "ListUsers" | "GetUserId" => &[("user", "*")],
                "ListGroups" | "GetGroupId" => &[("group", "*")],
                "ListGroupMemberships" | "ListGroupMembershipsForMember" => &[("membership", "*")],
                _ => &[],
            };
            all.extend(things.iter().map(|(kind, id)| format!("arn:{partition}:identitystore:::{kind}/{id}")));
            let users = input.maybe("UserId").or(member);
            all.extend(users.map(|id| format!("arn:{partition}:identitystore:::user/{id}")));
            all.extend(input.maybe("GroupId").map(|id| format!("arn:{partition}:identitystore:::group/{id}")));
            all
        }
        Service::Organizations => match input.maybe("AccountId") {
            Some(id) => {
                let management = &state.organization.management_account_id;
                vec![format!("arn:{partition}:organizations::{management}:account/{}/{id}", state.organization.id)]
            }
            None => vec!["*".to_owned()],
        },
    }
}

fn sso(input: Input<'_>) -> Vec<String> {
    if input.operation == "ListInstances" {
        return vec!["*".to_owned()];
    }
    if let Some(resource) = input.maybe("ResourceArn") {
        return vec![resource.to_owned()];
    }
    let mut all: Vec<String> = input.owned("InstanceArn").into_iter().collect();
    let account = input.maybe("TargetId").or(input.maybe("AccountId"));
    all.extend(account.map(|id| format!("arn:aws:sso:::account/{id}")));
    match input.maybe("PermissionSetArn") {
        Some(set) => all.push(set.to_owned()),
        // A new one has an id that nobody knows before.
        None if input.operation == "CreatePermissionSet" => {
            let instance = input.text("InstanceArn").rsplit('/').next().unwrap_or_default();
            all.push(format!("arn:aws:sso:::permissionSet/{instance}/ps-0000000000000000"));
        }
        None => {}
    }
    all
}

/// What conditions may ask for.
struct Tags {
    resource: Map<String, Value>,
    request: Map<String, Value>,
}

fn resource_tags(state: &State, input: Input<'_>) -> Map<String, Value> {
    let arn = input.maybe("PermissionSetArn").or(input.maybe("ResourceArn")).unwrap_or_default();
    let set = arn.rsplit('/').next().and_then(|id| state.sets.get(id));
    set.into_iter().flat_map(|set| &set.tags).map(|(key, value)| (key.clone(), Value::from(value.clone()))).collect()
}

fn request_tags(input: Input<'_>) -> Map<String, Value> {
    input.structures("Tags").map(|tag| (tag.text("Key").to_owned(), Value::from(tag.text("Value")))).collect()
}

fn allows(policy: &Value, action: &str, resource: &str, tags: &Tags) -> bool {
    let mut allowed = false;
    for statement in many(policy.get("Statement")) {
        let about = |name: &str, text: &str, fold: bool| {
            many(statement.get(name)).any(|pattern| {
                let pattern = pattern.as_str().unwrap_or_default();
                if fold { fits(&pattern.to_lowercase(), &text.to_lowercase()) } else { fits(pattern, text) }
            })
        };
        if !about("Action", action, true) || !about("Resource", resource, false) || !holds(statement, resource, tags) {
            continue;
        }
        if statement.get("Effect").and_then(Value::as_str) == Some("Deny") {
            return false;
        }
        allowed = true;
    }
    allowed
}

fn many(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    let list = value.and_then(Value::as_array);
    let one = value.filter(|value| !value.is_array());
    list.into_iter().flatten().chain(one)
}

/// Tags are those of a permission set: instances carry none here, and accounts have none at all.
fn holds(statement: &Value, resource: &str, tags: &Tags) -> bool {
    let Some(conditions) = statement.get("Condition").and_then(Value::as_object) else { return true };
    conditions.iter().all(|(operator, keys)| {
        operator == "StringEquals"
            && keys.as_object().is_some_and(|keys| {
                keys.iter().all(|(key, wanted)| {
                    let found = match key.split_once('/') {
                        Some(("aws:ResourceTag", tag)) if resource.contains(":permissionSet/") => {
                            tags.resource.get(tag)
                        }
                        Some(("aws:RequestTag", tag)) => tags.request.get(tag),
                        _ => None,
                    };
                    found.is_some_and(|found| many(Some(wanted)).any(|wanted| wanted == found))
                })
            })
    })
}

/// Whether a whole text fits a pattern, in which `*` stands for any characters and `?` for one.
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let mut reach = vec![false; text.len() + 1];
    reach.first_mut().into_iter().for_each(|first| *first = true);
    for c in pattern {
        let mut next = vec![false; text.len() + 1];
        let mut before = false;
        for (at, (here, to)) in reach.iter().zip(next.iter_mut()).enumerate() {
            let diagonal = at.checked_sub(1).and_then(|at| Some((*reach.get(at)?, *text.get(at)?)));
            *to = match c {
                '*' => *here || before,
                '?' => diagonal.is_some_and(|(reached, _)| reached),
                c => diagonal.is_some_and(|(reached, it)| reached && it == c),
            };
            before = *to;
        }
        reach = next;
    }
    reach.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn patterns_fit_whole_texts() {
        for (pattern, text) in
            [("*", ""), ("a*", "abc"), ("a?c", "abc"), ("*b*", "abc"), ("arn:*:x/*", "arn:aws:x/y/z"), ("", "")]
        {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a", "ab"), ("?", ""), ("a*b", "abc"), ("", "a")] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }
}
