//! What a plan may not do without somebody's word for it.
//!
//! Refusals are shown in every plan and block only apply.

use crate::model::{DesiredState, OWNER_TAG, ObservedState, PermissionSetName};
use crate::plan::managed;

/// The consents that `--allow` takes.
pub const CONSENTS: [&str; 1] = ["take-over"];

/// A reason not to apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A permission set carries the tag of another owner.
    TakeOver {
        /// The permission set.
        permission_set: PermissionSetName,
        /// Whose tag it carries.
        theirs: String,
        /// Who this file says owns it.
        ours: Option<String>,
    },
}

impl Refusal {
    /// Returns the name of the consent that lifts it.
    pub fn consent(&self) -> &'static str {
        match self {
            Self::TakeOver { .. } => "take-over",
        }
    }
}

/// Finds all refusals.
pub(super) fn refusals(desired: &DesiredState, observed: &ObservedState) -> Vec<Refusal> {
    let declared = observed.permission_sets.iter().filter(|(name, _)| managed(desired, name).is_some());
    let owned = declared.filter_map(|(name, set)| Some((name, set.definition.as_ref()?.tags.get(OWNER_TAG)?)));
    let theirs = owned.filter(|(_, theirs)| desired.owner.as_ref() != Some(*theirs));
    let refusal = |(name, theirs): (&PermissionSetName, &String)| Refusal::TakeOver {
        permission_set: name.clone(),
        theirs: theirs.clone(),
        ours: desired.owner.clone(),
    };
    theirs.map(refusal).collect()
}
