//! What a plan means to people.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::Principal;

/// Whom a plan gives something, or takes something from, groups expanded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct People {
    /// By the number of the step, for assignments of those whose members are known.
    pub by_step: BTreeMap<usize, PeopleOf>,
    /// How many people get something that they had not, in all.
    pub gain: usize,
    /// How many people lose something for good, in all.
    pub lose: usize,
}

/// What one change means to people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeopleOf {
    /// Who gets what they had not.
    pub gain: Vec<Principal>,
    /// Who has it already, and through whom.
    pub have: Vec<(Principal, Principal)>,
    /// Who loses it.
    pub lose: Vec<Principal>,
    /// Who keeps it, and through whom.
    pub keep: Vec<(Principal, Principal)>,
}
