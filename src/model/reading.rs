//! What a reading of AWS took, and what another way would have.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

/// What a reading took.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Requests sent, repeats included.
    pub calls: u64,
    /// Whole seconds from the first to the last.
    #[serde(default)]
    pub seconds: u64,
    /// The way assignments were found.
    pub strategy: Strategy,
    /// The next best way, if another one was counted.
    #[serde(default)]
    pub next_best: Option<NextBest>,
}

/// A way to find all assignments.
///
/// All find every assignment of everybody who exists. By principal, an assignment of a deleted user or group is not seen on a
/// pair of permission set and account that a group has too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Strategy {
    /// Where each permission set is provisioned, and who has it there: a call for each pair.
    #[default]
    ByPermissionSet,
    /// Which permission sets each account in scope has, and who has them there: where a scope of few accounts covers all
    /// permission sets.
    ByAccount,
    /// What each group and user has, and who has what then remains unexplained: a call for each principal.
    ByPrincipal,
}

/// A way that was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextBest {
    /// Which.
    pub strategy: Strategy,
    /// How many requests the whole reading would have taken with it.
    pub calls: u64,
    /// Whether counting stopped there, since it was more than the way taken already.
    pub at_least: bool,
}

impl Display for Strategy {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ByPermissionSet => "by permission set",
            Self::ByAccount => "by account",
            Self::ByPrincipal => "by principal",
        })
    }
}

impl Display for Reading {
    /// Writes `153 calls in 8 s (by principal; by permission set: about 445)`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { calls, seconds, strategy, next_best } = self;
        write!(f, "{calls} call{}", if *calls == 1 { "" } else { "s" })?;
        if *seconds > 0 {
            write!(f, " in {seconds} s")?;
        }
        write!(f, " ({strategy}")?;
        if let Some(NextBest { strategy, calls, at_least }) = next_best {
            let about = if *at_least { "more than" } else { "about" };
            write!(f, "; {strategy}: {about} {calls}")?;
        }
        f.write_str(")")
    }
}
