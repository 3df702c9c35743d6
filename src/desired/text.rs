//! Character sets and lengths of AWS's API model, for texts that have no type of their own.
//!
//! Source: botocore service model sso-admin 2020-07-20, shapes named at each function. Terraform's looser checks let a
//! description pass its plan that AWS then refuses in the middle of an apply.

use crate::model::{Finding, Located, Shown};

/// Reports a text that is too long, or has a character outside of `allowed`.
fn check(
    text: &Located<String>,
    what: &str,
    longest: usize,
    allowed: impl Fn(char) -> bool,
    findings: &mut Vec<Finding>,
) -> bool {
    let length = text.value.chars().count();
    let message = if text.value.is_empty() {
        format!("{what} must not be empty")
    } else if length > longest {
        format!("{what} has at most {longest} characters, this one has {length}")
    } else if let Some(wrong) = text.value.chars().find(|c| !allowed(*c)) {
        format!("{what} cannot hold the character `{}`", Shown(&wrong.to_string()))
    } else {
        return true;
    };
    findings.push(Finding::error(text.place, message));
    false
}

/// PermissionSetDescription: tab, line ends, U+0020..U+007E, U+00A1..U+00FF.
pub(super) fn description(text: &Located<String>, findings: &mut Vec<Finding>) -> bool {
    let allowed = |c| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{7e}' | '\u{a1}'..='\u{ff}');
    check(text, "a description", 700, allowed, findings)
}

/// RelayState.
pub(super) fn relay_state(text: &Located<String>, findings: &mut Vec<Finding>) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "&$@#\\/%?=~-_'\"|!:,.;*+[] (){}".contains(c);
    check(text, "a relay state", 240, allowed, findings)
}

/// TagKey and TagValue: letters, blanks and digits of any script, and `_.:/=+-@`.
fn tag_character(c: char) -> bool {
    c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c)
}

/// TagKey.
pub(super) fn tag_key(text: &Located<String>, findings: &mut Vec<Finding>) -> bool {
    check(text, "a tag key", 128, tag_character, findings)
}

/// TagValue, which may be empty.
pub(super) fn tag_value(text: &Located<String>, findings: &mut Vec<Finding>) -> bool {
    text.value.is_empty() || check(text, "a tag value", 256, tag_character, findings)
}

/// Owner: written as a tag value, so it takes what a tag value takes.
pub(super) fn owner(text: &Located<String>, findings: &mut Vec<Finding>) -> bool {
    check(text, "an owner", 256, tag_character, findings)
}

/// CustomerManagedPolicyReference.Name.
pub(super) fn policy_name(text: &Located<String>, findings: &mut Vec<Finding>) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    check(text, "a policy name", 128, allowed, findings)
}

/// CustomerManagedPolicyReference.Path: begins and ends with a slash.
pub(super) fn policy_path(text: &Located<String>, findings: &mut Vec<Finding>) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "/.,+@=_-".contains(c);
    if !check(text, "a policy path", 512, allowed, findings) {
        return false;
    }
    let path = &text.value;
    if !path.starts_with('/') || !path.ends_with('/') || path.contains("//") {
        findings.push(Finding::error(text.place, "a policy path begins and ends with `/`, as in `/team/`"));
        return false;
    }
    true
}
