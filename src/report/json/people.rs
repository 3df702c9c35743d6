//! The people behind a plan.

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::{People, PeopleOf, Principal};
use crate::report::json::parts::{PrincipalJson, principal};

/// What a plan means to people, groups expanded.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct PeopleJson {
    /// How many get something that they had not.
    gain: usize,
    /// How many lose something for good.
    lose: usize,
    /// What each change of an assignment means.
    changes: Vec<EffectJson>,
}

/// What one change means to people.
#[derive(Debug, Serialize, JsonSchema)]
struct EffectJson {
    /// The index of the change.
    index: usize,
    gain: Vec<PrincipalJson>,
    /// Who has it already, and through whom.
    have: Vec<ThroughJson>,
    lose: Vec<PrincipalJson>,
    /// Who keeps it, and through whom.
    keep: Vec<ThroughJson>,
}

/// A person, and the group through which they have something, or themselves.
#[derive(Debug, Serialize, JsonSchema)]
struct ThroughJson {
    user: PrincipalJson,
    through: PrincipalJson,
}

impl PeopleJson {
    pub(super) fn new(people: &People) -> Self {
        let through = |list: &[(Principal, Principal)]| {
            let one = |(user, through): &(Principal, Principal)| ThroughJson {
                user: principal(user),
                through: principal(through),
            };
            list.iter().map(one).collect()
        };
        let change = |(index, effect): (&usize, &PeopleOf)| EffectJson {
            index: *index,
            gain: effect.gain.iter().map(principal).collect(),
            have: through(&effect.have),
            lose: effect.lose.iter().map(principal).collect(),
            keep: through(&effect.keep),
        };
        Self { gain: people.gain, lose: people.lose, changes: people.by_step.iter().map(change).collect() }
    }
}
