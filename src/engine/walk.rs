//! The states of a record beside the services of its plan: both are in order, so that one walk finds what else were a search
//! for each name.

use std::{iter::Peekable, sync::LazyLock};

use super::{
    record::{Record, ServiceState},
    roster::Iter,
    shared::Shared,
};
use crate::plan::{Plan, Service, ServiceName};

/// What a service is that the record does not name.
static NOT_BEGUN: LazyLock<ServiceState> = LazyLock::new(ServiceState::default);

/// A walk through the states of a record.
pub struct Walk<'r>(Peekable<Iter<'r>>);

impl<'r> Walk<'r> {
    pub fn of(record: &'r Record) -> Self {
        Self(record.services.iter().peekable())
    }
    /// The state of a service, if the record names it. Each name asked for comes after the one before.
    pub fn state(&mut self, name: &ServiceName) -> Option<&'r Shared<ServiceState>> {
        loop {
            let (other, state) = self.0.peek()?;
            if *other == name {
                return Some(state);
            }
            if *other > name {
                return None;
            }
            self.0.next();
        }
    }
}

/// The services whose state is such, in the plan's order. One that the record does not name has not begun.
pub fn select<'p>(
    plan: &'p Plan,
    record: &Record,
    such: impl Fn(&Service, &ServiceState) -> bool,
) -> Vec<(&'p ServiceName, &'p Service)> {
    let mut states = Walk::of(record);
    let mut is_such = |name, service| such(service, states.state(name).map_or(&NOT_BEGUN, |state| state));
    plan.services.iter().filter(|(name, service)| is_such(*name, *service)).collect()
}
