//! What an operation is: a name, and a function that reads or writes the state.
//!
//! A read cannot change the world: its function only borrows the state. The operations themselves live with their topics; what
//! constrains their inputs stands in the model.

use serde_json::{Map, Value};

use super::caller::Caller;
use super::state::State;
use super::wire::{AwsError, Reply, Service};

/// One operation of a service.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) name: &'static str,
    pub(super) run: Run,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Run {
    Read(fn(&State, Input<'_>) -> Reply),
    /// A read of what is so at this moment, also where readers lag behind.
    Status(fn(&State, Input<'_>) -> Reply),
    Write(fn(&mut State, Input<'_>) -> Reply),
}

pub(super) const fn read(name: &'static str, run: fn(&State, Input<'_>) -> Reply) -> Operation {
    Operation { name, run: Run::Read(run) }
}

pub(super) const fn status(name: &'static str, run: fn(&State, Input<'_>) -> Reply) -> Operation {
    Operation { name, run: Run::Status(run) }
}

/// A write answers an error only when it changed nothing.
pub(super) const fn write(name: &'static str, run: fn(&mut State, Input<'_>) -> Reply) -> Operation {
    Operation { name, run: Run::Write(run) }
}

/// A validated input, or a structure within one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input<'a> {
    pub(super) operation: &'static str,
    pub(super) service: Service,
    pub(super) caller: &'a Caller,
    pub(super) members: &'a Map<String, Value>,
}

impl<'a> Input<'a> {
    /// A required text; validation has seen to it that it is there.
    pub(super) fn text(self, name: &str) -> &'a str {
        self.maybe(name).unwrap_or_default()
    }

    pub(super) fn maybe(self, name: &str) -> Option<&'a str> {
        self.members.get(name).and_then(Value::as_str)
    }

    pub(super) fn owned(self, name: &str) -> Option<String> {
        self.maybe(name).map(str::to_owned)
    }

    pub(super) fn value(self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn number(self, name: &str) -> Option<usize> {
        let number = self.members.get(name).and_then(Value::as_u64)?;
        usize::try_from(number).ok()
    }

    /// The structure under `name`.
    pub(super) fn inside(self, name: &str) -> Option<Self> {
        let members = self.members.get(name)?.as_object()?;
        Some(Self { members, ..self })
    }

    /// The structures of the list under `name`.
    pub(super) fn structures(self, name: &str) -> impl Iterator<Item = Self> {
        self.items(name).filter_map(move |item| item.as_object().map(|members| Self { members, ..self }))
    }

    pub(super) fn items(self, name: &str) -> impl Iterator<Item = &'a Value> {
        let list = self.members.get(name).and_then(Value::as_array);
        list.into_iter().flatten()
    }

    /// The refusal of a value that no table can judge, worded as the tables word theirs.
    pub(super) fn refused(self, member: &str, rule: &str) -> AwsError {
        match self.service {
            Service::SsoAdmin => {
                AwsError::validation(format!("Value of input '{member}' failed to satisfy constraint: {rule}"))
            }
            Service::IdentityStore => AwsError::validation(format!(
                "1 validation error detected: Value at '{member}' failed to satisfy constraint: {rule}"
            )),
            Service::Organizations => AwsError::new("InvalidInputException", "You provided a value that is not valid."),
        }
    }
}
