//! Tags, which Identity Center and Organizations set and unset in the same way.

use std::collections::BTreeMap;

use serde_json::Value;

use super::operation::Input;

pub(super) type Tags = BTreeMap<String, String>;

/// The tags `before` with those of the input: new values win, other keys stay. `None` if a key is one of AWS's own [tagging, user
/// guide].
pub(super) fn merged(input: Input<'_>, before: &Tags) -> Option<Tags> {
    let mut tags = before.clone();
    for tag in input.structures("Tags") {
        let key = tag.text("Key");
        if key.to_ascii_lowercase().starts_with("aws:") {
            return None;
        }
        tags.insert(key.to_owned(), tag.text("Value").to_owned());
    }
    Some(tags)
}

/// The tags `before` without the keys of the input. A key that is not there does no harm.
pub(super) fn without(input: Input<'_>, before: &Tags) -> Tags {
    let mut tags = before.clone();
    for key in input.items("TagKeys").filter_map(Value::as_str) {
        tags.remove(key);
    }
    tags
}
