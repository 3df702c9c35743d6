//! What a look at a person's machine found, link by link.

/// One link of the chain from a profile to a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How it is.
    pub verdict: CheckVerdict,
    /// What was seen; never a secret.
    pub evidence: String,
    /// What to do, as something to type where that is possible.
    pub next: Option<String>,
}

/// How a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckVerdict {
    /// It holds.
    Ok,
    /// It could not be looked at, since an earlier one is broken.
    Skipped,
    /// It holds, and somebody should know.
    Warning,
    /// It is broken.
    Broken,
}

impl Check {
    /// Makes a link that holds.
    pub fn ok(name: &'static str, evidence: impl Into<String>) -> Self {
        Self { name, verdict: CheckVerdict::Ok, evidence: evidence.into(), next: None }
    }

    /// Makes one that could not be looked at.
    pub fn skipped(name: &'static str, evidence: impl Into<String>) -> Self {
        Self { verdict: CheckVerdict::Skipped, ..Self::ok(name, evidence) }
    }

    /// Makes one that somebody should know of.
    pub fn warning(name: &'static str, evidence: impl Into<String>, next: impl Into<String>) -> Self {
        Self { verdict: CheckVerdict::Warning, next: Some(next.into()), ..Self::ok(name, evidence) }
    }

    /// Makes a broken one.
    pub fn broken(name: &'static str, evidence: impl Into<String>, next: impl Into<String>) -> Self {
        Self { verdict: CheckVerdict::Broken, next: Some(next.into()), ..Self::ok(name, evidence) }
    }
}
