//! The words that the whole crate speaks: ids, permission sets, policies, account assignments, the two states, findings.
//!
//! Values only. Nothing here does I/O, reads a clock or the environment, knows YAML or the AWS SDK, or prints;
//! every other layer may import this one and this one imports nothing.

mod accepted;
mod account;
mod assignment;
mod caller;
mod checkup;
mod desired;
mod duration;
mod facts;
mod finding;
mod guards;
mod ids;
mod ignore;
mod observed;

mod people;
mod permission_set;
pub mod policy;
mod progress;
mod reading;
pub mod sealed;
mod shown;
mod trail;

pub use accepted::Accepted;
pub use account::{Account, AccountRef, AccountState};
pub use assignment::{Assignment, Grant, Principal, PrincipalKind, PrincipalRef};
pub use caller::{Caller, CallerUser, WayIn};
pub use checkup::{Check, CheckVerdict};
pub use desired::{AccountSelector, DesiredDefinition, DesiredSet, DesiredState, Expiry, Rule, Scope, ScopeSets};
pub use duration::{DurationError, SessionDuration};
pub use facts::{Facts, Moved};
pub use finding::{Finding, Located, Place, Position, Severity, Sources, similar_name};
pub use guards::{Guards, MaxDeletions, RequiredGrant};
pub use ids::{
    AccountId, AccountName, GroupName, IdError, IdentityStoreId, InstanceArn, PermissionSetArn, PermissionSetName,
    PrincipalId, UserName,
};
pub use ignore::{Ignore, Pattern};
pub use observed::{
    AccountsByName, Directory, Instance, Lookup, ObservedSet, ObservedState, PrincipalState, Provisioning,
};
pub use people::{People, PeopleOf};
pub use permission_set::{
    Attributes, AwsManagedPolicy, Boundary, CONTROL_TOWER_SETS, CustomerManagedPolicy, Definition, OWNER_TAG,
    POLICIES_PER_SET,
};
pub use policy::Policy;
pub use progress::Progress;
pub use reading::{NextBest, Reading, Strategy};
pub use shown::Shown;
pub use trail::{ChangedBy, TrailEvent};
