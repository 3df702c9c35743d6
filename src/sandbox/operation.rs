//! What an operation is: a name, a table of its input's constraints, and a function that reads or writes the state.
//!
//! A read cannot change the world: its function only borrows the state. The operations themselves live with their topics.

use serde_json::{Map, Value};

use super::state::State;
use super::validate::{self, Member};
use super::wire::{AwsError, Reply, Service};

/// One operation of a service.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) name: &'static str,
    members: &'static [Member],
    run: Run,
}

#[derive(Debug)]
enum Run {
    Read(fn(&State, Input<'_>) -> Reply),
    Write(fn(&mut State, Input<'_>) -> Reply),
}

pub(super) const fn read(
    name: &'static str,
    members: &'static [Member],
    run: fn(&State, Input<'_>) -> Reply,
) -> Operation {
    Operation { name, members, run: Run::Read(run) }
}

/// A write answers an error only when it changed nothing.
pub(super) const fn write(
    name: &'static str,
    members: &'static [Member],
    run: fn(&mut State, Input<'_>) -> Reply,
) -> Operation {
    Operation { name, members, run: Run::Write(run) }
}

impl Operation {
    /// Validates the input, then runs.
    pub(super) fn call(&self, service: Service, state: &mut State, members: &Map<String, Value>) -> Reply {
        validate::check(service, self.members, members)?;
        let input = Input { operation: self.name, service, members };
        match self.run {
            Run::Read(run) => run(state, input),
            Run::Write(run) => {
                let reply = run(state, input)?;
                state.changed = true;
                Ok(reply)
            }
        }
    }
}

/// A validated input, or a structure within one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input<'a> {
    pub(super) operation: &'static str,
    pub(super) service: Service,
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
