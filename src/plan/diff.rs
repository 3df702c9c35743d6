//! The way from one definition to another, one call a step.

use std::collections::BTreeSet;

use crate::model::{Definition, POLICIES_PER_SET};
use crate::plan::Edit;

/// Returns the edits that turn `before` into `after`; none if they mean the same.
///
/// Tags come first: a caller whose rights depend on the owner's tag needs it before anything else. New policies are
/// attached before old ones are detached, unless that would pass the limit of 20. Accounts see none of it until the
/// permission set is provisioned.
pub(super) fn edits(before: &Definition, after: &Definition) -> Vec<Edit> {
    // A new field must be compared before this compiles again.
    let Definition {
        description: _,
        session_duration: _,
        relay_state: _,
        tags,
        aws_managed_policies,
        customer_managed_policies,
        inline_policy,
        permissions_boundary,
    } = after;
    let mut edits = Vec::new();
    let set: std::collections::BTreeMap<_, _> = tags
        .iter()
        .filter(|(key, value)| before.tags.get(*key) != Some(*value))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    if !set.is_empty() {
        edits.push(Edit::Tag(set));
    }
    let removed: BTreeSet<String> = before.tags.keys().filter(|key| !tags.contains_key(*key)).cloned().collect();
    if !removed.is_empty() {
        edits.push(Edit::Untag(removed));
    }
    if before.attributes() != after.attributes() {
        edits.push(Edit::Attributes(after.attributes()));
    }
    let attach_aws = aws_managed_policies.difference(&before.aws_managed_policies).cloned().map(Edit::AttachAws);
    let attach_customer =
        customer_managed_policies.difference(&before.customer_managed_policies).cloned().map(Edit::AttachCustomer);
    let attach: Vec<Edit> = attach_aws.chain(attach_customer).collect();
    let detach_aws = before.aws_managed_policies.difference(aws_managed_policies).cloned().map(Edit::DetachAws);
    let detach_customer =
        before.customer_managed_policies.difference(customer_managed_policies).cloned().map(Edit::DetachCustomer);
    let detach: Vec<Edit> = detach_aws.chain(detach_customer).collect();
    let held = before.aws_managed_policies.len() + before.customer_managed_policies.len();
    if held + attach.len() > POLICIES_PER_SET {
        edits.extend(detach.into_iter().chain(attach));
    } else {
        edits.extend(attach.into_iter().chain(detach));
    }
    match (&before.inline_policy, inline_policy) {
        (old, Some(new)) if old.as_ref() != Some(new) => edits.push(Edit::PutInline(new.clone())),
        (Some(_), None) => edits.push(Edit::DeleteInline),
        _ => {}
    }
    match (&before.permissions_boundary, permissions_boundary) {
        (old, Some(new)) if old.as_ref() != Some(new) => edits.push(Edit::PutBoundary(new.clone())),
        (Some(_), None) => edits.push(Edit::DeleteBoundary),
        _ => {}
    }
    edits
}

/// Returns the edits that follow CreatePermissionSet, which takes attributes and tags itself.
pub(super) fn edits_after_creation(definition: &Definition) -> Vec<Edit> {
    let created = Definition {
        description: definition.description.clone(),
        session_duration: definition.session_duration,
        relay_state: definition.relay_state.clone(),
        tags: definition.tags.clone(),
        ..Definition::default()
    };
    edits(&created, definition)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Edit, edits};
    use crate::model::{AwsManagedPolicy, Definition, SessionDuration};

    fn with_policies(names: impl IntoIterator<Item = String>) -> Definition {
        let policies: BTreeSet<_> = names.into_iter().filter_map(|name| AwsManagedPolicy::parse(&name)).collect();
        Definition { aws_managed_policies: policies, ..Definition::default() }
    }

    #[test]
    fn equal_definitions_need_nothing() {
        let definition = with_policies(["A".to_owned()]);
        assert_eq!(edits(&definition, &definition), []);
    }

    #[test]
    fn new_policies_come_before_old_ones_go_unless_the_set_is_full() {
        let kinds = |edits: Vec<Edit>| edits.iter().map(|edit| matches!(edit, Edit::AttachAws(_))).collect::<Vec<_>>();
        let swap = edits(&with_policies(["Old".to_owned()]), &with_policies(["New".to_owned()]));
        assert_eq!(kinds(swap), [true, false]);
        let full = with_policies((0..20).map(|n| format!("P{n}")));
        let swapped = with_policies((1..21).map(|n| format!("P{n}")));
        assert_eq!(kinds(edits(&full, &swapped)), [false, true]);
    }

    #[test]
    fn attributes_travel_together() {
        let before = Definition { relay_state: Some("https://example.com".to_owned()), ..Definition::default() };
        let after = Definition {
            session_duration: SessionDuration::parse("4h").unwrap_or(SessionDuration::DEFAULT),
            ..before.clone()
        };
        assert_eq!(edits(&before, &after), [Edit::Attributes(after.attributes())]);
    }
}
