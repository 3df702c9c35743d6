//! Permission sets of the access file.

use std::collections::{BTreeMap, BTreeSet};

use crate::desired::decode::Named;
use crate::desired::form::{BoundaryForm, CustomerManagedForm, PermissionSetForm};
use crate::desired::source::Reader;
use crate::desired::{policies, text};
use crate::model::{
    AwsManagedPolicy, Boundary, CustomerManagedPolicy, Definition, DesiredDefinition, DesiredSet, Finding, Located,
    OWNER_TAG, POLICIES_PER_SET, PermissionSetName, Place, Policy, SessionDuration, Shown,
};

/// Declared names, with their value if it could be read.
pub(super) type Declared = BTreeMap<PermissionSetName, Option<DesiredSet>>;

/// How many managed policies IAM attaches to a role without a raised quota (IAM user guide, quotas).
const POLICIES_PER_ROLE: usize = 10;
/// How many tags a permission set takes (CloudFormation, AWS::SSO::PermissionSet).
const TAGS: usize = 50;

/// Lowers all permission sets.
pub(super) fn lower(
    forms: Option<Named<PermissionSetForm>>,
    owner: Option<&str>,
    reader: &mut Reader,
    findings: &mut Vec<Finding>,
) -> Declared {
    let mut declared = Declared::new();
    let mut folded: BTreeMap<String, String> = BTreeMap::new();
    for (name, form) in forms.map(|named| named.0).unwrap_or_default() {
        let parsed = match PermissionSetName::parse(&name.value) {
            Ok(parsed) => parsed,
            Err(error) => {
                findings.push(Finding::error(name.place, error.to_string()));
                continue;
            }
        };
        // IAM role names know no case, so the second of the two could never be provisioned beside the first.
        if let Some(twin) = folded.insert(name.value.to_lowercase(), name.value.clone()) {
            let message =
                format!("`{parsed}` and `{}` differ by case only: in IAM they would be one role name", Shown(&twin));
            findings.push(Finding::error(name.place, message));
        }
        let set = form.map(|mut form| {
            let former = form.previously.take().unwrap_or_default();
            let definition = lower_set(&name, form, owner, reader, findings);
            let previously = lower_previously(&definition, former, findings);
            DesiredSet { place: name.place, definition, previously }
        });
        declared.insert(parsed, set);
    }
    check_previously(&declared, findings);
    declared
}

fn lower_previously(
    definition: &DesiredDefinition,
    names: Vec<Located<String>>,
    findings: &mut Vec<Finding>,
) -> Vec<Located<PermissionSetName>> {
    if let (DesiredDefinition::External, [first, ..]) = (definition, names.as_slice()) {
        let message =
            "`previously` cannot stand beside `definition: external`: only who owns a permission set renames it";
        findings.push(Finding::error(first.place, message));
    }
    let parse = |name: Located<String>| match PermissionSetName::parse(&name.value) {
        Ok(parsed) => Some(Located::new(parsed, name.place)),
        Err(error) => {
            findings.push(Finding::error(name.place, error.to_string()));
            None
        }
    };
    names.into_iter().filter_map(parse).collect()
}

/// A former name is nobody's present name, and only one permission set's former one: else it would be made and deleted in turns.
fn check_previously(declared: &Declared, findings: &mut Vec<Finding>) {
    let mut successors: BTreeMap<&PermissionSetName, &PermissionSetName> = BTreeMap::new();
    for (name, set) in declared {
        for old in set.iter().flat_map(|set| &set.previously) {
            if declared.contains_key(&old.value) {
                let message = format!("`{}` is declared under `permission_sets` itself", old.value);
                let hint = "a permission set that was renamed is declared by its new name only";
                findings.push(Finding::error(old.place, message).hint(hint));
            }
            if let Some(other) = successors.insert(&old.value, name) {
                let message = format!("`{}` is the former name of `{other}` already", old.value);
                findings.push(Finding::error(old.place, message));
            }
        }
    }
}

fn lower_set(
    name: &Located<String>,
    form: PermissionSetForm,
    owner: Option<&str>,
    reader: &mut Reader,
    findings: &mut Vec<Finding>,
) -> DesiredDefinition {
    if let Some(word) = &form.definition {
        if word.value != "external" {
            findings.push(Finding::error(word.place, "the only value of `definition` is `external`"));
        }
        refuse_content(&form, word.place, findings);
        return DesiredDefinition::External;
    }
    let PermissionSetForm {
        definition: _,
        description,
        session_duration,
        relay_state,
        tags,
        aws_managed_policies,
        customer_managed_policies,
        inline_policy,
        inline_policy_file,
        permissions_boundary,
        previously: _,
    } = form;
    let inline_policy = match (inline_policy, inline_policy_file) {
        (Some(_), Some(file)) => {
            findings.push(Finding::error(file.place, "`inline_policy` and `inline_policy_file` cannot stand together"));
            None
        }
        (Some(node), None) => policies::inline(&node, findings),
        (None, Some(file)) => policies::from_file(&file, reader, findings),
        (None, None) => None,
    };
    let definition = Definition {
        description: description.filter(|text| text::description(text, findings)).map(|text| text.value),
        session_duration: duration(session_duration, findings),
        relay_state: relay_state.filter(|text| text::relay_state(text, findings)).map(|text| text.value),
        tags: lower_tags(tags, owner, findings),
        aws_managed_policies: aws_managed(aws_managed_policies.unwrap_or_default(), findings),
        customer_managed_policies: customer_managed(customer_managed_policies.unwrap_or_default(), findings),
        inline_policy,
        permissions_boundary: permissions_boundary.and_then(|form| boundary(form, findings)),
    };
    check_policies(name, &definition, findings);
    DesiredDefinition::Managed(Box::new(definition))
}

/// Every field but `definition` says what the permission set contains, which is somebody else's.
fn refuse_content(form: &PermissionSetForm, place: Place, findings: &mut Vec<Finding>) {
    let PermissionSetForm {
        definition: _,
        description,
        session_duration,
        relay_state,
        tags,
        aws_managed_policies,
        customer_managed_policies,
        inline_policy,
        inline_policy_file,
        permissions_boundary,
        previously: _,
    } = form;
    let written = [
        ("description", description.is_some()),
        ("session_duration", session_duration.is_some()),
        ("relay_state", relay_state.is_some()),
        ("tags", tags.is_some()),
        ("aws_managed_policies", aws_managed_policies.is_some()),
        ("customer_managed_policies", customer_managed_policies.is_some()),
        ("inline_policy", inline_policy.is_some()),
        ("inline_policy_file", inline_policy_file.is_some()),
        ("permissions_boundary", permissions_boundary.is_some()),
    ];
    let written: Vec<String> = written.iter().filter(|(_, is)| *is).map(|(field, _)| format!("`{field}`")).collect();
    if !written.is_empty() {
        let message = format!("{} cannot stand beside `definition: external`", written.join(", "));
        let finding = Finding::error(place, message);
        findings.push(finding.hint("either this file decides what the permission set contains, or somebody else does"));
    }
}

fn duration(written: Option<Located<String>>, findings: &mut Vec<Finding>) -> SessionDuration {
    let Some(text) = written else { return SessionDuration::DEFAULT };
    SessionDuration::parse(&text.value).unwrap_or_else(|error| {
        findings.push(Finding::error(text.place, error.to_string()));
        SessionDuration::DEFAULT
    })
}

fn lower_tags(
    written: Option<Named<Located<String>>>,
    owner: Option<&str>,
    findings: &mut Vec<Finding>,
) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    for (index, (key, value)) in written.map(|named| named.0).unwrap_or_default().into_iter().enumerate() {
        if index + usize::from(owner.is_some()) == TAGS {
            findings.push(Finding::error(
                key.place,
                format!("a permission set takes at most {TAGS} tags, that of the owner included"),
            ));
        }
        if key.value.to_lowercase().starts_with("aws:") {
            findings.push(Finding::error(key.place, "tags that start with `aws:` belong to AWS"));
        } else if key.value == OWNER_TAG {
            let finding = Finding::error(key.place, format!("the tag `{OWNER_TAG}` is written by permset itself"));
            findings.push(finding.hint("set `owner:` at the top of the file"));
        } else if let Some(value) = value
            && text::tag_key(&key, findings)
            && text::tag_value(&value, findings)
        {
            tags.insert(key.value, value.value);
        }
    }
    if let Some(owner) = owner {
        tags.insert(OWNER_TAG.to_owned(), owner.to_owned());
    }
    tags
}

fn aws_managed(written: Vec<Located<String>>, findings: &mut Vec<Finding>) -> BTreeSet<AwsManagedPolicy> {
    let mut policies = BTreeSet::new();
    for text in written {
        match aws_policy(&text, findings) {
            Some(policy) if !policies.insert(policy.clone()) => {
                findings.push(Finding::warning(text.place, format!("`{policy}` is listed twice")));
            }
            _ => {}
        }
    }
    policies
}

fn aws_policy(text: &Located<String>, findings: &mut Vec<Finding>) -> Option<AwsManagedPolicy> {
    let policy = AwsManagedPolicy::parse(&text.value);
    if policy.is_none() {
        let finding = Finding::error(text.place, format!("`{}` is not an AWS managed policy", Shown(&text.value)));
        findings.push(if text.value.starts_with("arn:") {
            finding.hint("policies of your own accounts go under `customer_managed_policies`, by name and path")
        } else {
            finding.hint("write its name as in `AdministratorAccess` or `job-function/ViewOnlyAccess`, or its ARN")
        });
    }
    policy
}

fn customer_managed(forms: Vec<CustomerManagedForm>, findings: &mut Vec<Finding>) -> BTreeSet<CustomerManagedPolicy> {
    let mut policies = BTreeSet::new();
    for form in forms {
        let place = form.name.place;
        match customer_policy(form, findings) {
            Some(policy) if !policies.insert(policy.clone()) => {
                findings.push(Finding::warning(place, format!("`{policy}` is listed twice")));
            }
            _ => {}
        }
    }
    policies
}

fn customer_policy(form: CustomerManagedForm, findings: &mut Vec<Finding>) -> Option<CustomerManagedPolicy> {
    let CustomerManagedForm { name, path } = form;
    let name_fits = text::policy_name(&name, findings);
    let path_fits = path.as_ref().is_none_or(|path| text::policy_path(path, findings));
    let path = path.map_or_else(|| "/".to_owned(), |path| path.value);
    (name_fits && path_fits).then_some(CustomerManagedPolicy { path, name: name.value })
}

fn boundary(form: BoundaryForm, findings: &mut Vec<Finding>) -> Option<Boundary> {
    let BoundaryForm { aws_managed, customer_managed, place } = form;
    match (aws_managed, customer_managed) {
        (Some(text), None) => aws_policy(&text, findings).map(Boundary::Aws),
        (None, Some(form)) => customer_policy(form, findings).map(Boundary::Customer),
        _ => {
            findings.push(Finding::error(
                place,
                "a permissions boundary has exactly one of `aws_managed` and `customer_managed`",
            ));
            None
        }
    }
}

fn check_policies(name: &Located<String>, definition: &Definition, findings: &mut Vec<Finding>) {
    let count = definition.aws_managed_policies.len() + definition.customer_managed_policies.len();
    let nothing =
        count == 0 && definition.inline_policy.as_ref().is_none_or(|policy: &Policy| policy.document().is_none());
    let failed = findings.iter().any(|finding| finding.severity == crate::model::Severity::Error);
    if count > POLICIES_PER_SET {
        let message =
            format!("a permission set holds at most {POLICIES_PER_SET} managed policies, this one has {count}");
        findings.push(Finding::error(name.place, message));
    } else if count > POLICIES_PER_ROLE {
        let message = format!(
            "{count} managed policies: IAM attaches {POLICIES_PER_ROLE} to a role unless the quota of the account was raised"
        );
        findings.push(Finding::warning(name.place, message));
    } else if nothing && !failed {
        findings
            .push(Finding::warning(name.place, "this permission set has no policy: whoever gets it can do nothing"));
    }
}
