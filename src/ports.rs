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
///
/// The loop gives up on a call that takes too long and drops its future; the store then counts as unavailable, and is
/// loaded anew before anything else. A call that was given up may still take effect.
pub trait Store: Send {
    /// The record as it is stored now.
    fn load(&mut self) -> impl Future<Output = Result<(Record, Version), StoreError>> + Send;
    /// Appends to the journal. A line beyond the record's head is legal; the next append may write over it.
    fn append(&mut self, line: &Line) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Replaces the record if it still has this version. `decision` is what else a store may publish with it.
    fn commit(
        &mut self,
        record: &Record,
        expected: &Version,
        decision: &Decision,
    ) -> impl Future<Output = Result<Version, StoreError>> + Send;
    /// Publishes reasons of a decision that did not change the record. Most stores have nothing to do. Called only when
    /// something that a person should know has come or gone, at most about once a second, and never while a decision that
    /// changes the record waits. Gives the version that the record has then, if it is another one.
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
///
/// Moments in its answers come from the clock that the loop has as well ([`Clock`]): the two are compared.
pub trait Sensor: Send {
    /// From now on look at these, and at nothing else.
    fn watch(&mut self, queries: &BTreeSet<Query>);
    /// The newest answers. Does not wait.
    fn seen(&mut self) -> Observed;
    /// Returns when something is new since the last `seen`: also what came between that and this call, so that nothing is
    /// missed. The loop drops this future and calls again as often as it likes; that must lose nothing either.
    fn changed(&mut self) -> impl Future<Output = ()> + Send;
}

/// How an effect went, as far as the one who did it can tell. Never taken as truth: the next observation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Performed {
    /// The other side says it is done.
    Done,
    /// Not done: a precondition did not hold. The text says which.
    Refused(String),
    /// Not done: whoever does it may not. It is tried again, but only a person can give the right. The text says who and what.
    Denied(String),
    /// Nobody knows: it may be done, or be done later.
    Unclear(String),
}

impl Performed {
    /// The answer of an actuator that has no part for such an effect. A plan that needs one is refused before it starts.
    pub fn no_part(effect: &Effect) -> Self {
        Self::Refused(format!("nothing here does {}", effect.key.step))
    }
}

/// Does effects.
pub trait Actuator: Send + Sync {
    /// Does one, if its precondition holds. Several are done at the same time, never two with the same key. The loop drops
    /// the future when the deadline has come.
    fn perform(&self, effect: &Effect) -> impl Future<Output = Performed> + Send;
}

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Returns at this moment or soon after; at once if it has passed.
    fn sleep_until(&self, moment: Timestamp) -> impl Future<Output = ()> + Send;
}

/// Is told what happens.
pub trait Reporter: Send {
    /// A decision was made, and committed if it changed the record. Called after every look, so mostly without events.
    fn decided(&mut self, now: Timestamp, decision: &Decision);
    /// An effect was done, or not.
    fn performed(&mut self, now: Timestamp, effect: &Effect, how: &Performed);
    /// The store could not be used, and the loop will try again. Told when that begins, and not at each try.
    fn trouble(&mut self, now: Timestamp, what: &str);
    /// The store can be used again, for the first time since this moment.
    fn back(&mut self, now: Timestamp, since: Timestamp);
}
