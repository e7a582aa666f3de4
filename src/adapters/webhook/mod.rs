//! Routers behind the webhook contract (`docs/design/webhook.md`).
//!
//! *Flow*: one [`Webhook`] for each route. While it is watched, one task reads the state (long poll, or every 200 ms; every
//! 5 ms while something takes effect), another sends real requests through the route's address and compares the mark of
//! their answers with the state's. [`Webhook::perform`] does effects, and what it learns from the router's answer is seen at
//! once.
//! *Guarantees*: a change is conditional on the version that the decision rested on, and bears the effect's key, so that it is
//! done at most once; *effective* needs three answers in a row, each on a connection of its own, sent after the state was
//! read; no answer is *unknown*; nothing is decided here.
//! *Assumptions*: the router keeps the contract's promises, above all that a mark belongs to the configuration that routed
//! the request.
//! *Caveats*: answers are not signed, there is no TLS in this version. The route's address gets up to 200 requests a second
//! for up to two seconds after a change, and one a second otherwise.

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

pub use self::cell::STREAK;
use self::{
    cell::{Cell, Errand, Look, patience},
    client::Client,
    contract::MARK_HEADER,
    signature::Key,
};
use super::{
    clock,
    http::{self, Address, Fault, Kept},
    wake::Wake,
};
use crate::engine::{Owner, RouteSeen, Sample};

/// How long one look at real answers may take.
const LOOK_WITHIN: Duration = Duration::from_secs(2);

/// One route. Cheap to clone; all clones are the same route.
#[derive(Debug, Clone)]
pub struct Webhook(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    client: Client,
    /// The run that we drive routes for.
    by: Owner,
    wake: Wake,
    cell: Mutex<Cell>,
    /// Rings when the state should be read at once.
    reader: Notify,
    /// Rings when there may be something else to look for in real answers.
    looker: Notify,
    /// The connection on which changes are sent.
    writing: tokio::sync::Mutex<Kept>,
}

/// While it lives, the route is looked at.
#[derive(Debug)]
#[must_use = "dropped, it stops looking"]
pub struct Watching([JoinHandle<()>; 2]);
impl Drop for Watching {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

impl Webhook {
    /// The route at this address, driven for this run. Nothing is sent yet.
    pub fn new(address: Address, key: Option<Key>, by: Owner, wake: Wake) -> Self {
        let writing = tokio::sync::Mutex::new(Kept::new(address.clone()));
        let (reader, looker) = (Notify::new(), Notify::new());
        Self(Arc::new(Inner { client: Client { address, key }, by, wake, cell: Mutex::default(), reader, looker, writing }))
    }

    /// Looks at the route, from now on and until the guard is dropped. Has to be called inside the runtime.
    pub fn watch(&self) -> Watching {
        let (reads, looks) = (Arc::clone(&self.0), Arc::clone(&self.0));
        Watching([
            tokio::spawn(async move { reads.read_forever().await }),
            tokio::spawn(async move { looks.look_forever().await }),
        ])
    }

    /// The newest answer.
    pub fn seen(&self) -> Sample<RouteSeen> {
        self.0.cell().seen()
    }
}

impl Inner {
    fn cell(&self) -> MutexGuard<'_, Cell> {
        self.cell.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what a look at the state showed.
    fn learn(&self, look: Result<contract::State, crate::engine::Unknown>, taken_at: Timestamp) {
        let (tell, errand, before) = {
            let mut cell = self.cell();
            let before = cell.errand();
            let tell = cell.learn(look, taken_at, clock::now());
            (tell, cell.errand(), before)
        };
        if errand != before {
            self.looker.notify_one();
        }
        if tell {
            self.wake.fire();
        }
    }

    async fn read_forever(&self) {
        let mut connection = Kept::new(self.client.address.clone());
        let mut began = clock::now();
        let mut reading = cell::Reading { after: SignedDuration::ZERO, wait: None };
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
                self.learn(look, began);
                let (asked, now) = (reading.wait.take(), clock::now());
                reading = self.cell().reading(now);
                if asked.is_some() && asked == reading.wait && now.duration_since(began) < SignedDuration::from_secs(1) {
                    reading.after = cell::SLOW; // a router that says it waits, and does not
                }
            } else {
                reading = cell::Reading { after: SignedDuration::ZERO, wait: None };
            }
        }
    }

    async fn look_forever(&self) {
        loop {
            let errand = self.cell().errand();
            let Some(errand) = errand else {
                self.looker.notified().await;
                continue;
            };
            let began = clock::now();
            let look = look(&errand).await;
            let (tell, pause) = {
                let (mut cell, now) = (self.cell(), clock::now());
                (cell.looked(&errand, look, now), cell.looking(now))
            };
            if tell {
                self.reader.notify_one(); // settled or unsettled: it is read in another way now
                self.wake.fire();
            }
            tokio::select! {
                () = until(began, pause) => {}
                () = self.looker.notified() => {}
            }
        }
    }
}

/// Returns when `pause` has passed since `began`.
async fn until(began: Timestamp, pause: SignedDuration) {
    let left = pause - clock::now().duration_since(began);
    tokio::time::sleep(Duration::try_from(left).unwrap_or_default()).await;
}

/// One real request through the route, on a connection of its own.
async fn look(errand: &Errand) -> Look {
    let Ok(address) = errand.address.parse::<Address>() else { return Look::Unmarked };
    let Ok(request) = Client::look(&address) else { return Look::Unmarked };
    match http::exchange_at(&address, request, LOOK_WITHIN).await {
        Ok(answer) => {
            let mut marks = answer.headers.get_all(MARK_HEADER).iter();
            let same = marks.next().is_some_and(|mark| mark.as_bytes() == errand.mark.as_bytes());
            if same && marks.next().is_none() { Look::Marked } else { Look::Unmarked }
        }
        Err(error) => match error.fault() {
            Fault::Ours => Look::Unsent,
            Fault::Theirs => Look::Unmarked,
        },
    }
}
