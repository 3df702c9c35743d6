//! A saved plan: where it comes from, how old it is, and what has moved since.

use std::time::Duration;

use crate::model::{AccountState, Facts, Grant, Moved, PrincipalState, Provisioning, Shown};
use crate::plan::SavedPlan;
use crate::report::{count, words};

/// Says where a plan comes from, in one line.
pub fn head(saved: &SavedPlan, age: Option<Duration>) -> String {
    let age = age.map_or_else(String::new, |age| format!(", {} ago", self::age(age)));
    let plan = saved.digest();
    let digest = saved.file_digest.get(..12).unwrap_or_default();
    format!(
        "saved plan, made {}{age}, from {} (sha256 {}…), plan sha256 {}…",
        Shown(&saved.made),
        Shown(&saved.file),
        Shown(digest),
        plan.get(..12).unwrap_or_default()
    )
}

/// Returns a time that went by, in the unit that matters.
pub fn age(age: Duration) -> String {
    let units = [("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1)];
    let in_units = |(noun, seconds): (&'static str, u64)| (age.as_secs() / seconds, noun);
    let found = units.into_iter().map(in_units).find(|(n, _)| *n > 0);
    found.map_or_else(
        || "less than a second".to_owned(),
        |(n, noun)| count(usize::try_from(n).unwrap_or(usize::MAX), noun),
    )
}

/// Says what is no longer what a plan takes it for.
pub fn moved(moved: &Moved, now: &Facts) -> String {
    match moved {
        Moved::SetAppeared(name) => format!("permission set {name} was to be created, and is there now"),
        Moved::SetGone(name) => format!("permission set {name} is gone"),
        Moved::SetReplaced(name) => format!("permission set {name} was deleted, and made anew by somebody else"),
        Moved::SetEdited { name, was, now } => {
            let edits =
                words::edits(was, now, false).into_iter().map(|detail| format!("{} {}", detail.label, detail.text));
            format!("permission set {name} was edited: {}", edits.collect::<Vec<_>>().join("; "))
        }
        Moved::Provisioned { name, account, was, now } => {
            format!("{account} had {}, and has {}", version(name, *was), version(name, *now))
        }
        Moved::AssignmentGone(row) => format!("revoked meanwhile: {}", assignment(row, now)),
        Moved::AssignmentAppeared(row) => format!("assigned meanwhile: {}", assignment(row, now)),
        Moved::Account { id, was, now } => format!("account {id} was {}, and is {}", account(was), account(now)),
        Moved::Principal { principal, was, now } => {
            let word = principal.kind.word();
            format!("{word} {} was {}, and is {}", principal.id, state(was), state(now))
        }
    }
}

fn version(name: &crate::model::PermissionSetName, provisioning: Option<Provisioning>) -> String {
    match provisioning {
        Some(Provisioning::Latest) => format!("the newest version of {name}"),
        Some(Provisioning::Stale) => format!("an older version of {name}"),
        None => format!("no {name}"),
    }
}

fn assignment(row: &Grant, now: &Facts) -> String {
    let Grant { permission_set, account, principal } = row;
    let known = now.principals.iter().find(|(other, _)| other == principal);
    let who = match known {
        Some((_, PrincipalState::Known { name, .. })) => Shown(name).to_string(),
        _ => principal.id.to_string(),
    };
    format!("{permission_set} in {account} for {} {who}", principal.kind.word())
}

fn account(account: &Option<crate::model::Account>) -> String {
    match account {
        None => "not in the organization".to_owned(),
        Some(account) => match &account.state {
            AccountState::Active => format!("`{}`, active", account.name),
            AccountState::Inactive(state) => format!("`{}`, {}", account.name, Shown(state)),
        },
    }
}

fn state(state: &PrincipalState) -> String {
    match state {
        PrincipalState::Known { name, disabled: false } => format!("`{}`", Shown(name)),
        PrincipalState::Known { name, disabled: true } => format!("`{}`, disabled", Shown(name)),
        PrincipalState::Deleted => "deleted".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::age;

    #[test]
    fn ages_are_told_in_the_unit_that_matters() {
        let told = [0, 1, 59, 60, 7_199, 7_200, 86_400 * 3].map(|seconds| age(Duration::from_secs(seconds)));
        let words = ["less than a second", "1 second", "59 seconds", "1 minute", "1 hour", "2 hours", "3 days"];
        assert_eq!(told, words);
    }
}
