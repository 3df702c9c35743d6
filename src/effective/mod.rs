//! Who really reaches what: groups as the people in them.
//!
//! Pure, like `plan`: it tells from what was observed whom a change gives or takes what ([`people`]), who holds what and through
//! which group ([`reach`]), which of it allows an action ([`action`]), and why somebody gets in or does not ([`why`]). No I/O, no
//! text for users.

pub mod action;
pub mod people;
pub mod reach;
pub mod why;

use std::collections::BTreeSet;

use crate::model::{ObservedState, PrincipalId, PrincipalKind, PrincipalRef};

/// Returns the users behind a principal; `None` for a group whose members were not read.
fn users(observed: &ObservedState, principal: &PrincipalRef) -> Option<BTreeSet<PrincipalId>> {
    match principal.kind {
        PrincipalKind::User => Some(BTreeSet::from([principal.id.clone()])),
        PrincipalKind::Group => observed.members_of.get(&principal.id).cloned(),
    }
}
