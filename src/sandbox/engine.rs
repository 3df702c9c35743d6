//! One call from the wire to its answer: route, caller, rate, faults, constraints, rights, effect, journal, log.
//!
//! The order is AWS's as far as it shows: a throttled call is not read, a malformed one is not authorized. What an operation does
//! is not known here.

use std::time::Duration;

use super::caller::Caller;
use super::calls::{Call, Calls};
use super::faults::{self, Target};
use super::history::History;
use super::model::{is_job, is_read};
use super::operation::{Input, Operation, Run};
use super::state::{JobFate, State};
use super::store::{Entry, Store, StoreError};
use super::throttle::Throttle;
use super::wire::{self, Answer, AwsError, Delivery, Reply, Request, Service};
use super::world::{Effect, Fault, OutOfBand, World};
use super::{authorize, find, iam, jobs, model, oidc, portal, settle, sts, trail, validate};

/// How long a job takes when other programs are served and the world does not say.
const SERVED_JOB_SECONDS: f64 = 3.0;
/// The same for a write of a permission set.
const SERVED_WRITE_SECONDS: f64 = 0.05;

#[derive(Debug)]
pub(super) struct Engine {
    pub(super) state: State,
    pub(super) calls: Calls,
    history: History,
    throttle: Throttle,
    store: Option<Store>,
    // Something the journal does not hold differs from the world file.
    unsaved: bool,
    /// Whether other programs are served: then calls are limited unless the world says otherwise.
    pub(super) serving: bool,
    /// Whether calls are limited, whatever the world says.
    pub(super) limited: Option<bool>,
    /// How long asynchronous requests take, whatever the world says.
    pub(super) job_seconds: Option<f64>,
}

/// What befell a call besides its reply.
#[derive(Debug, Default)]
struct Fate {
    delay: Duration,
    delivery: Delivery,
    job: JobFate,
    fault: Option<&'static str>,
}

impl Engine {
    pub(super) fn new(world: World, store: Option<Store>) -> Self {
        Self {
            state: State::from_world(world),
            calls: Calls::default(),
            history: History::default(),
            throttle: Throttle::default(),
            store,
            unsaved: false,
            serving: false,
            limited: None,
            job_seconds: None,
        }
    }

    /// Takes a world and the journal of what happened since it was written.
    pub(super) fn open(store: Store, world: World, journal: Vec<Entry>) -> Result<Self, StoreError> {
        let mut engine = Self::new(world, None);
        for entry in journal {
            engine.replay(entry).map_err(|what| store.foreign(&what))?;
        }
        engine.store = Some(store);
        Ok(engine)
    }

    fn replay(&mut self, entry: Entry) -> Result<(), String> {
        match entry {
            Entry::Faults(faults) => self.state.faults = faults,
            Entry::Call { at, call, fate, caller } => {
                let found = call.operation.split_once('.').and_then(|(service, name)| {
                    let service = Service::named(service)?;
                    find(service, name).map(|operation| (service, operation))
                });
                let Some((service, Operation { name, run: Run::Write(run) })) = found else {
                    return Err(call.operation);
                };
                self.state.now = at;
                self.state.clock.resume(at);
                settle::settle(&mut self.state);
                self.state.fate = fate;
                let caller =
                    caller.map_or_else(|| Caller::console(&self.state), |(account, arn)| Caller::known(account, arn));
                let input = Input { operation: name, service, caller: &caller, members: &call.input };
                let reply = run(&mut self.state, input);
                self.keep(input);
                self.state.fate = JobFate::default();
                if reply.is_err() {
                    return Err(call.operation);
                }
            }
        }
        Ok(())
    }

    /// Lets time pass until now.
    pub(super) fn tick(&mut self) {
        self.state.now = self.state.clock.now();
        if settle::any_due(&self.state) {
            self.history.remember(&self.state);
            settle::settle(&mut self.state);
        }
    }

    /// Answers a request of any service.
    pub(super) fn answer(&mut self, request: &Request<'_>) -> Answer {
        self.tick();
        let request_id = self.state.ids.call();
        if request.target.is_some() {
            return self.json(request, Caller::signed(&self.state, request.authorization), request_id);
        }
        let other = sts::answer(&self.state, request, &request_id)
            .or_else(|| portal::answer(&mut self.state, request, &request_id))
            .or_else(|| oidc::answer(&mut self.state, request, &request_id));
        let (operation, caller, answer) =
            other.unwrap_or_else(|| ("unknown", String::new(), wire::not_understood(request_id)));
        let outcome = answer.error.clone().unwrap_or_else(|| "ok".to_owned());
        self.record(operation.to_owned(), caller, outcome, None, &answer.request_id);
        answer
    }

    /// Answers a request of a JSON service without asking who signed it: the console did.
    pub(super) fn unsigned(&mut self, request: &Request<'_>) -> Answer {
        self.tick();
        let request_id = self.state.ids.call();
        let caller = Caller::console(&self.state);
        self.json(request, Ok(caller), request_id)
    }

    fn json(&mut self, request: &Request<'_>, caller: Result<Caller, AwsError>, request_id: String) -> Answer {
        let is_json = request.content_type.is_none_or(|it| wire::is_media(it, wire::JSON_1_1));
        if request.method != "POST" || !is_json {
            self.record("unknown".to_owned(), String::new(), "UnknownOperationException".to_owned(), None, &request_id);
            return wire::not_understood(request_id);
        }
        if request.target.is_some_and(|target| target.ends_with(trail::TARGET)) {
            return self.lookup(request, caller, request_id);
        }
        let route = Service::route(request.target.unwrap_or_default());
        let known = route.and_then(|(service, name)| {
            model::table(service).operation(name).map(|name| (service, name, find(service, name)))
        });
        let mut fate = Fate::default();
        let arn = caller.as_ref().map(|caller| caller.arn.clone()).unwrap_or_default();
        let (operation, reply) = match known {
            None => ("unknown".to_owned(), Err(wire::unknown_operation())),
            Some((service, name, operation)) => {
                let reply =
                    caller.and_then(|caller| self.call(service, name, operation, &caller, request.body, &mut fate));
                (format!("{}.{name}", service.name()), reply)
            }
        };
        let outcome = reply.as_ref().map_or_else(|error| error.code.clone().into_owned(), |_| "ok".to_owned());
        self.record(operation, arn, outcome, fate.fault, &request_id);
        let mut answer = wire::answer(
            route.map(|(service, _)| service),
            request_id,
            reply,
            self.state.settings.internal_error_status.clamp(400, 599),
        );
        answer.delay = fate.delay;
        answer.delivery = fate.delivery;
        answer
    }

    /// CloudTrail's one operation.
    fn lookup(&mut self, request: &Request<'_>, caller: Result<Caller, AwsError>, request_id: String) -> Answer {
        let arn = caller.as_ref().map(|caller| caller.arn.clone()).unwrap_or_default();
        let reply = caller.and_then(|caller| {
            iam::check_action(caller.policy.as_ref(), &caller.arn, "cloudtrail:LookupEvents")?;
            trail::lookup(&self.state, &caller, &wire::parse(request.body)?)
        });
        let outcome = reply.as_ref().map_or_else(|error| error.code.clone().into_owned(), |_| "ok".to_owned());
        self.record("cloudtrail.LookupEvents".to_owned(), arn, outcome, None, &request_id);
        wire::answer(None, request_id, reply, self.state.settings.internal_error_status.clamp(400, 599))
    }

    fn record(
        &mut self,
        operation: String,
        caller: String,
        outcome: String,
        fault: Option<&'static str>,
        request_id: &str,
    ) {
        self.calls.record(Call {
            number: 0,
            at: self.state.now,
            operation,
            caller,
            outcome,
            fault: fault.map(str::to_owned),
            request_id: request_id.to_owned(),
        });
    }

    fn call(
        &mut self,
        service: Service,
        name: &'static str,
        operation: Option<&'static Operation>,
        caller: &Caller,
        body: &[u8],
        fate: &mut Fate,
    ) -> Reply {
        if self.limited.or(self.state.settings.throttle).unwrap_or(self.serving) {
            self.throttle.admit(&self.state.settings, service, name, self.state.now)?;
        }
        let mut members = wire::parse(body)?;
        // Members that the model does not have are ignored, here and in the journal.
        let shape = model::table(service).input(name).flatten();
        members.retain(|member, _| shape.is_some_and(|shape| shape.has(member)));
        self.strike(Target { service, operation: name, members: &members }, fate)?;
        let input = Input { operation: name, service, caller, members: &members };
        self.admit(input)?;
        let set = written_set(input).map(str::to_owned);
        if set.as_ref().is_some_and(|set| self.state.writing.get(set).is_some_and(|until| self.state.now < *until)) {
            return Err(jobs::conflict());
        }
        let reply = self.perform(operation, input, &fate.job);
        let seconds = self.write_seconds();
        if let (Some(set), true) = (set, reply.is_ok() && seconds > 0.0) {
            let now = self.state.now;
            self.state.writing.retain(|_, until| *until > now);
            self.state.writing.insert(set, now + seconds);
            fate.delay += Duration::try_from_secs_f64(seconds).unwrap_or_default();
        }
        reply
    }

    /// How long a write of a permission set takes: two at once are in conflict, as with AWS (tf#19215, tf#26138).
    fn write_seconds(&self) -> f64 {
        let default = if self.serving { SERVED_WRITE_SECONDS } else { 0.0 };
        self.state.settings.write_seconds.unwrap_or(default)
    }

    /// Lets the faults of the world hit a call: an error if it goes no further.
    fn strike(&mut self, target: Target<'_>, fate: &mut Fate) -> Result<(), AwsError> {
        if self.state.faults.is_empty() {
            return Ok(());
        }
        let seen = |state: &State| state.faults.iter().map(|fault| fault.seen).sum::<u64>();
        let before = seen(&self.state);
        let effects = faults::strike(&mut self.state, target);
        if seen(&self.state) != before {
            self.write(Entry::Faults(self.state.faults.clone())).map_err(|error| unwritten(target.service, &error))?;
        }
        for effect in effects {
            fate.fault = Some(faults::word(&effect));
            if let Some(refusal) = faults::refusal(&effect, target.service) {
                return Err(refusal);
            }
            match effect {
                Effect::JobFails { reason } => fate.job.fails = Some(reason),
                Effect::JobTakes { seconds } => fate.job.seconds = Some(seconds),
                Effect::Delay { seconds } => fate.delay = Duration::try_from_secs_f64(seconds).unwrap_or_default(),
                Effect::DropAfter => fate.delivery = Delivery::Dropped,
                Effect::Truncate { bytes } => fate.delivery = Delivery::Truncated(bytes),
                Effect::DropBefore => {
                    fate.delivery = Delivery::Dropped;
                    return Err(AwsError::internal(target.service, "A fault of the sandbox dropped this call."));
                }
                Effect::Edit { calls } => self.edit(calls),
                Effect::Throttle | Effect::Conflict | Effect::Error { .. } => {}
            }
        }
        Ok(())
    }

    /// Makes calls as somebody in the console would; one that is refused changes nothing, as there.
    fn edit(&mut self, calls: Vec<OutOfBand>) {
        let caller = Caller::console(&self.state);
        for call in calls {
            let named = call.operation.split_once('.').and_then(|(service, name)| {
                let service = Service::named(service)?;
                model::table(service).operation(name).map(|name| (service, name))
            });
            let outcome = match named {
                Some((service, name)) => {
                    let input = Input { operation: name, service, caller: &caller, members: &call.input };
                    let reply =
                        self.admit(input).and_then(|()| self.perform(find(service, name), input, &JobFate::default()));
                    reply.err().map(|error| error.code.into_owned())
                }
                None => Some("UnknownOperationException".to_owned()),
            };
            let id = self.state.ids.call();
            let outcome = outcome.unwrap_or_else(|| "ok".to_owned());
            self.record(call.operation, caller.arn.clone(), outcome, Some("edit"), &id);
        }
    }

    /// Whether a call is one that may be made.
    fn admit(&self, input: Input<'_>) -> Result<(), AwsError> {
        validate::check(input.service, input.operation, input.members)?;
        iam::check(&self.state, input)?;
        authorize::check(&self.state, input)
    }

    /// Makes a call that was admitted.
    fn perform(&mut self, operation: Option<&'static Operation>, input: Input<'_>, job: &JobFate) -> Reply {
        let Some(operation) = operation else {
            return Err(AwsError::denied(format!("The sandbox does not play {}.", input.operation)));
        };
        match operation.run {
            Run::Status(run) => run(&self.state, input),
            Run::Read(run) => run(self.history.visible(&self.state), input),
            Run::Write(run) => {
                self.history.remember(&self.state);
                let default = (self.serving && self.state.settings.job_seconds.is_none()).then_some(SERVED_JOB_SECONDS);
                let seconds = job.seconds.or(self.job_seconds).or(default);
                let fate = JobFate { seconds, fails: job.fails.clone() };
                self.state.fate = fate.clone();
                let reply = run(&mut self.state, input);
                self.state.fate = JobFate::default();
                let reply = reply?;
                self.keep(input);
                let call = OutOfBand {
                    operation: format!("{}.{}", input.service.name(), input.operation),
                    input: input.members.clone(),
                };
                let caller = Some((input.caller.account.clone(), input.caller.arn.clone()));
                self.write(Entry::Call { at: self.state.now, call, fate, caller })
                    .map_err(|error| unwritten(input.service, &error))?;
                Ok(reply)
            }
        }
    }

    /// Remembers a change for CloudTrail.
    fn keep(&mut self, input: Input<'_>) {
        if input.service == Service::SsoAdmin {
            trail::keep(&mut self.state, input.operation, input.caller, input.members);
        }
    }

    /// Adds to the journal. What cannot be written stands in memory all the same, and is tried again with the next change: what was
    /// answered before it must not go with it, and an internal error leaves open whether something happened, as with AWS.
    fn write(&mut self, entry: Entry) -> Result<(), StoreError> {
        let Some(store) = &mut self.store else {
            return Ok(());
        };
        let written =
            if self.unsaved || store.wants_all() { store.write(self.state.to_world()) } else { store.append(&entry) };
        self.unsaved = written.is_err();
        written
    }

    /// Changes the world from outside, and writes it as a whole.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut World)) {
        self.tick();
        self.history.remember(&self.state);
        let mut world = self.state.to_world();
        change(&mut world);
        self.state.replace(world);
        self.unsaved = true;
        // A failure is not lost: the next change tries again and reports it.
        let _ = self.save();
    }

    /// Changes the faults.
    pub(super) fn edit_faults(&mut self, change: impl FnOnce(&mut Vec<Fault>)) {
        change(&mut self.state.faults);
        let faults = Entry::Faults(self.state.faults.clone());
        // Tried again with the next change.
        let _ = self.write(faults);
    }

    /// Writes the world as a whole if its file is not all there is.
    pub(super) fn save(&mut self) -> Result<(), StoreError> {
        if let Some(store) = &mut self.store
            && (self.unsaved || store.has_entries())
        {
            store.write(self.state.to_world())?;
            self.unsaved = false;
        }
        Ok(())
    }

    pub(super) fn notices(&mut self) -> Vec<String> {
        self.store.as_mut().map(Store::take_notices).unwrap_or_default()
    }

    /// Tells other processes where this world is served.
    pub(super) fn announce(&mut self, address: &str) -> Result<(), StoreError> {
        self.serving = true;
        self.store.as_mut().map_or(Ok(()), |store| store.announce(address))
    }
}

fn unwritten(service: Service, error: &StoreError) -> AwsError {
    AwsError::internal(service, super::with_source(error))
}

/// The permission set that a call writes, itself and at once.
fn written_set(input: Input<'_>) -> Option<&str> {
    let writes = input.service == Service::SsoAdmin && !is_read(input.operation) && !is_job(input.operation);
    let arn = input.maybe("PermissionSetArn").filter(|_| writes)?;
    arn.rsplit('/').next()
}

impl Drop for Engine {
    fn drop(&mut self) {
        // The journal is there if this fails, and the next one who opens the world reads it.
        let _ = self.save();
    }
}
