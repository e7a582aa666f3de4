//! What the loop needs of the outside: five traits. Everything that touches a file, a socket, a clock or a cluster
//! implements one of them and decides nothing.

use std::{collections::BTreeSet, future::Future};

use jiff::Timestamp;

use crate::{
    engine::{Decision, Effect, Observed, Query, Record},
    journal::Line,
};

/// A version of the stored record, opaque to the loop; a commit names the one it replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(pub String);

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else wrote the record meanwhile: load it and decide anew.
    #[error("the record was changed meanwhile by somebody else")]
    Conflict,
    /// The store could not be reached or refused; it may or may not have taken the write.
    #[error("{0}")]
    Unavailable(String),
    /// What is stored cannot be used, and a person has to look: it is damaged, or gone.
    #[error("{0}")]
    Broken(String),
}

/// Keeps the record and the journal. The journal line of an edge is written before the record that rests on it.
pub trait Store: Send {
    /// The record as it is stored now.
    fn load(&mut self) -> impl Future<Output = Result<(Record, Version), StoreError>> + Send;
    /// Appends to the journal. A line beyond the record's head is legal and is overwritten by the next append.
    fn append(&mut self, line: &Line) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Replaces the record if it still has this version. `decision` is what else a store may publish with it.
    fn commit(
        &mut self,
        record: &Record,
        expected: &Version,
        decision: &Decision,
    ) -> impl Future<Output = Result<Version, StoreError>> + Send;
    /// Publishes reasons of a decision that did not change the record. Most stores have nothing to do.
    fn publish(
        &mut self,
        _record: &Record,
        _expected: &Version,
        _decision: &Decision,
    ) -> impl Future<Output = Result<Option<Version>, StoreError>> + Send {
        std::future::ready(Ok(None))
    }
}

/// Looks at the world, all the time and by itself; the loop only takes what is there.
pub trait Sensor: Send {
    /// From now on look at these, and at nothing else.
    fn watch(&mut self, queries: &BTreeSet<Query>);
    /// The newest answers. Does not wait.
    fn seen(&mut self) -> Observed;
    /// Returns when something is new since the last `seen`.
    fn changed(&mut self) -> impl Future<Output = ()> + Send;
}

/// How an effect went, as far as the one who did it can tell. Never taken as truth: the next observation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Performed {
    /// The other side says it is done.
    Done,
    /// Not done: a precondition did not hold. The text says which.
    Refused(String),
    /// Nobody knows: it may be done, or be done later.
    Unclear(String),
}

/// Does effects.
pub trait Actuator: Send + Sync {
    /// Does one, if its precondition holds.
    fn perform(&self, effect: &Effect) -> impl Future<Output = Performed> + Send;
}

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Returns at this moment or soon after.
    fn sleep_until(&self, moment: Timestamp) -> impl Future<Output = ()> + Send;
}

/// Is told what happens.
pub trait Reporter: Send {
    /// A decision was made, and committed if it changed the record.
    fn decided(&mut self, now: Timestamp, decision: &Decision);
    /// An effect was done, or not.
    fn performed(&mut self, now: Timestamp, effect: &Effect, how: &Performed);
    /// The loop could not go round and will try again.
    fn trouble(&mut self, now: Timestamp, what: &str);
}
