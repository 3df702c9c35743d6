//! The sandbox: AWS IAM Identity Center in memory, answering the wire form of its requests.
//!
//! It plays three services of one organization: `sso-admin`, `identitystore` and `organizations`. A [`World`] goes in, requests
//! change it, and it can be looked at and edited from outside as somebody in the console would. It is strict where AWS is strict;
//! what is unknown about AWS is a switch in [`world::Settings`].
//!
//! It is a witness: it must not use anything of the rest of this crate, and it keeps no time, no randomness and no network of its
//! own beyond what is said in its modules.

mod clock;
mod connector;
mod consistency;
mod identity_store;
mod ids;
mod jobs;
mod operation;
mod organizations;
mod pages;
mod patterns;
mod policy_document;
mod sso_admin;
pub mod starter;
mod state;
mod store;
mod validate;
mod wire;
pub mod world;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::operation::Operation;
use self::state::State;
use self::store::Store;
use self::wire::{AwsError, Reply, Service};

pub use self::store::StoreError;
pub use self::wire::Answer;
pub use self::world::World;

/// An emulated Identity Center. Clones share one world.
#[derive(Clone)]
pub struct Sandbox {
    held: Arc<Mutex<Held>>,
}

struct Held {
    state: State,
    store: Option<Store>,
    calls: BTreeMap<String, u64>,
}

impl Sandbox {
    /// Makes an emulator in memory only. A world that contradicts itself is repaired: the later of two equal ids stays, and
    /// assignments of unknown permission sets are dropped.
    #[must_use]
    pub fn new(world: World) -> Self {
        Self::holding(world, None)
    }

    /// Makes an emulator whose world is kept in a file, which stays locked as long as the value or a clone of it lives.
    ///
    /// The file is made with `make` when it is not there, and replaced after every request that changed the world.
    ///
    /// # Errors
    ///
    /// When the file is locked, unreadable, malformed, of another version or inconsistent, or cannot be made.
    pub fn open(path: &Path, make: impl FnOnce() -> World) -> Result<Self, StoreError> {
        let (store, world) = Store::open(path, make)?;
        Ok(Self::holding(world, Some(store)))
    }

    /// Writes a world file, in the place of whatever world is there; a file that is no world is left alone.
    ///
    /// # Errors
    ///
    /// When the file is locked, is something else than a world, or cannot be written.
    pub fn make(path: &Path, world: World) -> Result<(), StoreError> {
        Store::make(path, world)
    }

    fn holding(world: World, store: Option<Store>) -> Self {
        let held = Held { state: State::from_world(world), store, calls: BTreeMap::new() };
        Self { held: Arc::new(Mutex::new(held)) }
    }

    /// Answers one awsJson1_1 request; `target` is the value of `X-Amz-Target`.
    ///
    /// When the world file cannot be replaced the answer is an InternalServerException that says so, whatever the request came
    /// to; the change stands in memory and the next request tries again to write it.
    #[must_use]
    pub fn handle(&self, target: &str, body: &[u8]) -> Answer {
        let mut held = self.lock();
        let request_id = held.state.ids.call();
        jobs::settle(&mut held.state);
        let route = Service::route(target);
        let reply = held.call(route, body);
        let reply = match held.save() {
            Ok(()) => reply,
            Err(error) => Err(AwsError::internal(with_source(&error))),
        };
        wire::answer(route.map(|(service, _)| service), request_id, reply)
    }

    /// Counts the calls answered so far by `service.Operation`, refused ones included. Calls of operations that the sandbox does
    /// not know are counted together as `unknown`.
    #[must_use]
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.lock().calls.clone()
    }

    /// The world as it is now, with every job settled that is due.
    #[must_use]
    pub fn world(&self) -> World {
        let mut held = self.lock();
        jobs::settle(&mut held.state);
        // A failure is not lost: the state stays marked as changed, and the next request reports it.
        let _ = held.save();
        held.state.to_world()
    }

    /// Edits the world out of band, as somebody in the console would. Edits of a permission set that should leave its accounts
    /// stale must raise its `version`; contradictions are repaired as in [`Sandbox::new`].
    pub fn edit(&self, change: impl FnOnce(&mut World)) {
        let mut held = self.lock();
        jobs::settle(&mut held.state);
        let mut world = held.state.to_world();
        change(&mut world);
        held.state.replace(world);
        let _ = held.save();
    }

    // A panic of a caller's closure in `edit` leaves the state as it was, so a poisoned lock is as good as any.
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").finish_non_exhaustive()
    }
}

impl Held {
    fn call(&mut self, route: Option<(Service, &str)>, body: &[u8]) -> Reply {
        let known = route.and_then(|(service, name)| find(service, name).map(|it| (service, it)));
        let Some((service, operation)) = known else {
            self.count("unknown".to_owned());
            return Err(wire::unknown_operation());
        };
        self.count(format!("{}.{}", service.name(), operation.name));
        let members = wire::parse(body)?;
        operation.call(service, &mut self.state, &members)
    }

    fn count(&mut self, call: String) {
        let count = self.calls.entry(call).or_default();
        *count = count.saturating_add(1);
    }

    fn save(&mut self) -> Result<(), StoreError> {
        if let (true, Some(store)) = (self.state.changed, &self.store) {
            store.write(&self.state.to_world())?;
        }
        self.state.changed = false;
        Ok(())
    }
}

fn find(service: Service, name: &str) -> Option<&'static Operation> {
    let tables: &[&'static [Operation]] = match service {
        Service::SsoAdmin => sso_admin::TABLES,
        Service::IdentityStore => &[identity_store::OPERATIONS],
        Service::Organizations => &[organizations::OPERATIONS],
    };
    tables.iter().flat_map(|table| table.iter()).find(|operation| operation.name == name)
}

fn with_source(error: &StoreError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
