//! Live assignments that an access file leaves alone, though they are where it decides.

use std::collections::BTreeSet;

use crate::model::{AccountId, AccountSelector, Located, PermissionSetName, Place, PrincipalId};

/// One line under `ignore`: what matches everything that it names is left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// Where it begins.
    pub place: Place,
    /// Groups by their names.
    pub groups: Vec<Pattern>,
    /// Users by their names.
    pub users: Vec<Pattern>,
    /// Groups and users by id: the only way to name one that no longer exists.
    pub principal_ids: BTreeSet<PrincipalId>,
    /// Permission sets by their names; none means all.
    pub permission_sets: Vec<Pattern>,
    /// Accounts; none means all.
    pub accounts: Vec<Located<AccountSelector>>,
}

impl Ignore {
    /// Returns whether a permission set in an account is meant; `accounts` are those that the line's selectors mean.
    pub fn covers(&self, set: &PermissionSetName, account: &AccountId, accounts: &BTreeSet<AccountId>) -> bool {
        (self.permission_sets.is_empty() || self.permission_sets.iter().any(|it| it.matches(set.as_str())))
            && (self.accounts.is_empty() || accounts.contains(account))
    }

    /// Returns whether it says anything of groups and users.
    pub fn names_principals(&self) -> bool {
        !self.groups.is_empty() || !self.users.is_empty() || !self.principal_ids.is_empty()
    }
}

/// A name in which `*` stands for any characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern(String);

impl Pattern {
    /// Takes a pattern as it is written.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns it as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether a whole name fits.
    pub fn matches(&self, name: &str) -> bool {
        let Some((start, rest)) = self.0.split_once('*') else { return self.0 == name };
        let Some(mut name) = name.strip_prefix(start) else { return false };
        let mut parts: Vec<&str> = rest.split('*').collect();
        let end = parts.pop().unwrap_or_default();
        for part in parts {
            // The first place that fits leaves the most to the others.
            let Some(at) = name.find(part) else { return false };
            name = name.get(at + part.len()..).unwrap_or_default();
        }
        name.len() >= end.len() && name.ends_with(end)
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn a_star_stands_for_any_characters() {
        let fits = |pattern: &str, name: &str| Pattern::new(pattern).matches(name);
        for (pattern, name) in
            [("*", ""), ("a", "a"), ("a*", "a"), ("*a", "ba"), ("a*c*e", "abcde"), ("a**b", "ab"), ("*é*", "né")]
        {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("a", "A"), ("a", "ab"), ("a*a", "a"), ("a*b*c", "acb"), ("", "a"), ("ab*ba", "aba")] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }
}
