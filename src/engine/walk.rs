//! The states of a record beside the services of its plan: both are in order, so that one walk finds what else were a search
//! for each name.

use std::{collections::btree_map::Iter, iter::Peekable};

use super::{
    record::{Record, ServiceState},
    shared::Shared,
};
use crate::plan::ServiceName;

/// A walk through the states of a record.
pub struct Walk<'r>(Peekable<Iter<'r, ServiceName, Shared<ServiceState>>>);

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
