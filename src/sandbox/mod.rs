//! The sandbox: AWS IAM Identity Center in memory, answering the wire form of its requests.
//!
//! It plays one organization: `sso-admin`, `identitystore` and `organizations`, and beside them what people meet when they sign in
//! (`sts`, the `sso` portal, `sso-oidc`). A [`World`] goes in, requests change it, and it can be looked at and edited from outside
//! as somebody in the console would. It answers the AWS SDK inside this process ([`Sandbox::connector`]) or every client over HTTP
//! ([`serve`]). It is strict where AWS is strict; what is unknown about AWS is a switch in [`world::Settings`].
//!
//! It is a witness: it must not use anything of the rest of this crate, and it keeps no time, no randomness and no network of its
//! own beyond what is said in its modules.

mod authorize;
mod caller;
mod calls;
mod clock;
mod connector;
mod consistency;
mod duration;
mod engine;
mod fault_terms;
mod faults;
mod history;
mod iam;
mod identity_store;
mod ids;
mod job_list;
mod jobs;
mod model;
mod oidc;
mod operation;
mod organizations;
mod pages;
mod policy_document;
mod portal;
mod remote;
mod schedule;
mod server;
mod settle;
mod sign_in;
mod sso_admin;
pub mod starter;
mod state;
mod store;
mod sts;
mod tags;
mod throttle;
mod trail;
mod validate;
mod wire;
pub mod world;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::engine::Engine;
use self::operation::Operation;
use self::store::Store;
use self::wire::Service;
use self::world::Fault;

pub use self::calls::Call;
pub use self::remote::{Remote, RemoteError};
pub use self::server::{ServeError, serve};
pub use self::store::StoreError;
pub use self::wire::{Answer, Delivery, Request};
pub use self::world::World;

/// An emulated Identity Center. Clones share one world.
#[derive(Clone)]
pub struct Sandbox {
    engine: Arc<Mutex<Engine>>,
}

impl Sandbox {
    /// Makes an emulator in memory only. A world that contradicts itself is repaired: the later of two equal ids stays, and
    /// assignments of unknown permission sets are dropped.
    #[must_use]
    pub fn new(world: World) -> Self {
        Self::holding(Engine::new(world, None))
    }

    /// Makes an emulator whose world is kept in a file, which stays locked as long as the value or a clone of it lives.
    ///
    /// The file is made with `make` when it is not there. Every change is in a journal beside it before its request is answered,
    /// and the file is replaced when the last clone goes.
    ///
    /// # Errors
    ///
    /// When the file is locked, unreadable, malformed, of another version or inconsistent, does not fit its journal, or cannot be
    /// made.
    pub fn open(path: &Path, make: impl FnOnce() -> World) -> Result<Self, StoreError> {
        let (store, world, journal) = Store::open(path, make)?;
        Ok(Self::holding(Engine::open(store, world, journal)?))
    }

    /// Writes a world file, in the place of whatever world is there; a file that is no world is left alone.
    ///
    /// # Errors
    ///
    /// When the file is locked, is something else than a world, or cannot be written.
    pub fn make(path: &Path, world: World) -> Result<(), StoreError> {
        Store::make(path, world)
    }

    fn holding(engine: Engine) -> Self {
        Self { engine: Arc::new(Mutex::new(engine)) }
    }

    /// Answers one request of any service.
    ///
    /// When the journal cannot be written the answer is an internal error that says so, whatever the request came to; the change
    /// stands in memory and the next one tries again to write it.
    #[must_use]
    pub fn answer(&self, request: &Request<'_>) -> Answer {
        self.lock().answer(request)
    }

    /// Answers one awsJson1_1 request as if somebody in the console of the management account had sent it; `target` is the value
    /// of `X-Amz-Target`.
    #[must_use]
    pub fn handle(&self, target: &str, body: &[u8]) -> Answer {
        let request = Request { method: "POST", path: "/", target: Some(target), body, ..Request::default() };
        self.lock().unsigned(&request)
    }

    /// Counts the calls answered so far by `service.Operation`, refused ones included. Calls of operations that the sandbox does
    /// not know are counted together as `unknown`.
    #[must_use]
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.lock().calls.counts().clone()
    }

    /// The latest calls, oldest first, ten thousand at most.
    #[must_use]
    pub fn log(&self) -> Vec<Call> {
        self.lock().calls.log().cloned().collect()
    }

    /// The faults as they stand, with how often each hit.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        self.lock().state.faults.clone()
    }

    /// Adds a fault.
    ///
    /// # Errors
    ///
    /// Says what in it cannot be: calls that there are not, a chance above 1, and so on.
    pub fn add_fault(&self, fault: Fault) -> Result<(), String> {
        if let Some(problem) = fault_terms::problem(&fault) {
            return Err(problem);
        }
        self.lock().edit_faults(|faults| faults.push(fault));
        Ok(())
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.lock().edit_faults(Vec::clear);
    }

    /// The world as it is now, with every job settled that is due.
    #[must_use]
    pub fn world(&self) -> World {
        let mut engine = self.lock();
        engine.tick();
        engine.state.to_world()
    }

    /// Edits the world out of band, as somebody in the console would. Edits of a permission set that should leave its accounts
    /// stale must raise its `version`; contradictions are repaired as in [`Sandbox::new`].
    pub fn edit(&self, change: impl FnOnce(&mut World)) {
        self.lock().change(change);
    }

    /// Lets asynchronous requests take so long, whatever the world says, as long as this sandbox lives.
    pub fn take_seconds(&self, seconds: f64) {
        self.lock().job_seconds = Some(seconds);
    }

    /// What happened to the world file that somebody should know who did not ask, each thing once.
    #[must_use]
    pub fn notices(&self) -> Vec<String> {
        self.lock().notices()
    }

    /// Limits calls by rate or does not, whatever the world says, as long as this sandbox lives.
    pub fn limit_rates(&self, limited: bool) {
        self.lock().limited = Some(limited);
    }

    /// Brings the world file up to date.
    ///
    /// # Errors
    ///
    /// When it cannot be replaced; the journal beside it holds what it lacks.
    pub fn save(&self) -> Result<(), StoreError> {
        let mut engine = self.lock();
        engine.tick();
        engine.save()
    }

    // A panic of a caller's closure in `edit` leaves the state as it was, so a poisoned lock is as good as any.
    fn lock(&self) -> MutexGuard<'_, Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").finish_non_exhaustive()
    }
}

fn find(service: Service, name: &str) -> Option<&'static Operation> {
    let tables: &[&'static [Operation]] = match service {
        Service::SsoAdmin => sso_admin::TABLES,
        Service::IdentityStore => identity_store::TABLES,
        Service::Organizations => organizations::TABLES,
    };
    tables.iter().flat_map(|table| table.iter()).find(|operation| operation.name == name)
}

fn with_source(error: &StoreError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
