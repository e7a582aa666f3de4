//! Routers behind the webhook contract (`docs/design/webhook.md`).
//!
//! *Flow*: one [`Webhook`] for each route. While it is watched, one task reads the state (long poll, or every 200 ms; every
//! 5 ms while something takes effect), and an [`Echo`] sends real requests through the route's address and compares the mark
//! of their answers with the state's. [`Webhook::perform`] does effects, and what it learns from the router's answer is seen at
//! once.
//! *Guarantees*: a change is conditional on the version that the decision rested on, and bears the effect's key, so that it is
//! done at most once; *effective* needs three answers in a row, each on a connection of its own, sent after the state was
//! read; no answer is *unknown*; nothing is decided here.
//! *Assumptions*: the router keeps the contract's promises, above all that a mark belongs to the configuration that routed
//! the request.
//! *Caveats*: answers are not signed, there is no TLS in this version. The route's address gets up to 200 requests a second
//! for up to five seconds after a change, and one a second otherwise.

mod cell;
mod client;
pub mod contract;
mod perform;
pub mod signature;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::{sync::Notify, task::JoinHandle};

use self::{
    cell::{Cell, Reading, patience},
    client::Client,
    contract::State,
    signature::Key,
};
use super::{
    clock,
    effective::Echo,
    http::{Address, Kept},
    wake::Wake,
};
use crate::engine::{Effective, Owner, RouteSeen, Sample, Unknown};

/// One route. Cheap to clone; all clones are the same route.
#[derive(Debug, Clone)]
pub struct Webhook(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    client: Client,
    /// The run that we drive routes for.
    by: Owner,
    wake: Wake,
    known: Mutex<Known>,
    /// Rings when the state should be read at once.
    reader: Notify,
    /// The connection on which changes are sent.
    writing: tokio::sync::Mutex<Kept>,
}

/// Under one lock, so that what real answers showed is never taken for another state than the one it was asked for.
#[derive(Debug, Default)]
struct Known {
    cell: Cell,
    /// Only while the route is watched.
    echo: Option<Echo>,
}
impl Known {
    fn effective(&self) -> Option<Effective> {
        self.echo.as_ref().and_then(Echo::seen)
    }
}

/// While it lives, the route is looked at.
#[derive(Debug)]
#[must_use = "dropped, it stops looking"]
pub struct Watching {
    route: Arc<Inner>,
    reads: JoinHandle<()>,
}
impl Drop for Watching {
    fn drop(&mut self) {
        self.reads.abort();
        self.route.known().echo = None;
    }
}

impl Webhook {
    /// The route at this address, driven for this run. Nothing is sent yet.
    pub fn new(address: Address, key: Option<Key>, by: Owner, wake: Wake) -> Self {
        let writing = tokio::sync::Mutex::new(Kept::new(address.clone()));
        let client = Client { address, key };
        Self(Arc::new(Inner { client, by, wake, known: Mutex::default(), reader: Notify::new(), writing }))
    }

    /// Looks at the route, from now on and until the guard is dropped; one guard at a time. Has to be called inside the
    /// runtime.
    pub fn watch(&self) -> Watching {
        let (route, reading) = (Arc::clone(&self.0), Arc::clone(&self.0));
        let mut known = route.known();
        let echo = Echo::new(route.wake.clone());
        echo.ask(known.cell.wanted());
        known.echo = Some(echo);
        drop(known);
        Watching { route, reads: tokio::spawn(async move { reading.read_forever().await }) }
    }

    /// The newest answer.
    pub fn seen(&self) -> Sample<RouteSeen> {
        let known = self.0.known();
        known.cell.seen(known.effective())
    }
}

impl Inner {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what a look at the state showed, or a change that replaced a version.
    fn learn(&self, look: Result<State, Unknown>, replaces: Option<&str>, taken_at: Timestamp) {
        let mut known = self.known();
        let tell = known.cell.learn(look, replaces, taken_at, clock::now());
        if let Some(echo) = &known.echo {
            echo.ask(known.cell.wanted());
        }
        drop(known);
        if tell {
            self.wake.fire();
        }
    }

    fn next_reading(&self, now: Timestamp) -> Reading {
        let known = self.known();
        known.cell.reading(known.effective(), now)
    }

    async fn read_forever(&self) {
        let mut connection = Kept::new(self.client.address.clone());
        let mut began = clock::now();
        let mut reading = Reading { after: SignedDuration::ZERO, wait: None };
        loop {
            tokio::select! {
                () = until(began, reading.after) => {}
                () = self.reader.notified() => reading.wait = None,
            }
            began = clock::now();
            let look = tokio::select! {
                biased;
                look = self.client.read(&mut connection, reading.wait.as_deref(), patience(&reading)) => Some(look),
                () = self.reader.notified() => None, // something was done meanwhile: what is being waited for is old
            };
            if let Some(look) = look {
                self.learn(look, None, began);
                let (asked, now) = (reading.wait.take(), clock::now());
                reading = self.next_reading(now);
                if asked.is_some() && asked == reading.wait && now.duration_since(began) < SignedDuration::from_secs(1) {
                    reading.after = cell::SLOW; // a router that says it waits, and does not
                }
            } else {
                reading = Reading { after: SignedDuration::ZERO, wait: None };
            }
        }
    }
}

/// Returns when `pause` has passed since `began`.
async fn until(began: Timestamp, pause: SignedDuration) {
    let left = pause - clock::now().duration_since(began);
    tokio::time::sleep(Duration::try_from(left).unwrap_or_default()).await;
}
