//! The state of one route: what is accepted, what the traffic is under, and the one transaction that changes it.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::watch;

use super::wheel::Wheel;
use crate::{
    adapters::webhook::contract::{Act, Active, Change, Programming, State, Weights},
    engine::Owner,
    plan::{Side, Weight},
};

/// A change of weights that reached the traffic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// From when on requests were routed by it.
    pub at: Timestamp,
    /// The share of target.
    pub weight: Weight,
    /// Its mark.
    pub mark: String,
}

/// How a route stands, for whoever watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteView {
    /// The weight that was accepted last.
    pub accepted: Weight,
    /// The weight that requests are routed by.
    pub effective: Weight,
    /// The run that drives it.
    pub owner: Option<Owner>,
    /// Requests under way on legacy.
    pub legacy_active: u64,
    /// Requests under way on target.
    pub target_active: u64,
}

/// One route.
#[derive(Debug)]
pub(super) struct Table {
    inner: Mutex<Inner>,
    active: Arc<[AtomicU64; 2]>,
    versions: watch::Sender<String>,
    weights: watch::Sender<u8>,
    propagation: Duration,
}

/// What is changed in one step.
#[derive(Debug)]
struct Inner {
    prefix: u64,
    changes: u64,
    owner: Option<Owner>,
    weight: Weight,
    mark: Option<String>,
    key: Option<String>,
    /// Counts the weights that were accepted, so that one which was replaced while it propagated is not put in force.
    settings: u64,
    in_force: InForce,
    history: Vec<Switch>,
}

/// What requests are routed by.
#[derive(Debug)]
struct InForce {
    settings: u64,
    wheel: Wheel,
    mark: Option<String>,
}

/// Why a change was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    /// It is not a change that this contract knows.
    Senseless(&'static str),
    /// It names no version.
    NoVersion,
    /// The route is not as it should be for it.
    Otherwise,
}

/// A request under way on one side; counted until it is dropped.
#[derive(Debug)]
pub(super) struct Underway {
    pub(super) side: Side,
    active: Arc<[AtomicU64; 2]>,
}

fn count(active: &[AtomicU64; 2], side: Side) -> &AtomicU64 {
    let [legacy, target] = active;
    match side {
        Side::Legacy => legacy,
        Side::Target => target,
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        count(&self.active, self.side).fetch_sub(1, Ordering::Relaxed);
    }
}

impl Table {
    /// All traffic on legacy, owned by nobody. Versions have a prefix that no other start has.
    pub(super) fn new(propagation: Duration) -> Self {
        use std::hash::{BuildHasher as _, Hasher as _, RandomState};
        let in_force = InForce { settings: 0, wheel: Wheel::new(Weight::ZERO), mark: None };
        let inner = Inner {
            prefix: RandomState::new().build_hasher().finish(), // the standard library's only source of randomness
            changes: 0,
            owner: None,
            weight: Weight::ZERO,
            mark: None,
            key: None,
            settings: 0,
            in_force,
            history: Vec::new(),
        };
        let versions = watch::Sender::new(inner.version());
        Self { inner: Mutex::new(inner), active: Arc::default(), versions, weights: watch::Sender::new(0), propagation }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Chooses the side of a request, and the mark that its answer is to bear: both of one configuration.
    pub(super) fn next(&self) -> (Underway, Option<String>) {
        let mut inner = self.inner();
        let side = inner.in_force.wheel.next();
        // Counted under the lock: whoever sees the new weights sees this request as well.
        count(&self.active, side).fetch_add(1, Ordering::Relaxed);
        (Underway { side, active: self.active.clone() }, inner.in_force.mark.clone())
    }

    /// The state as the contract shows it.
    pub(super) fn state(&self, address: String) -> State {
        let inner = self.inner();
        State {
            version: inner.version(),
            owner: inner.owner.clone(),
            weights: Weights::of(inner.weight),
            mark: inner.mark.clone(),
            programmed: Some(Programming::Has(inner.in_force.settings == inner.settings)),
            address,
            active: Some(Active { legacy: count(&self.active, Side::Legacy).load(Ordering::Relaxed) }),
            waits: true,
        }
    }

    /// Returns when the version is another one than this.
    pub(super) async fn moved_on(&self, version: &str) {
        let _ = self.versions.subscribe().wait_for(|now| now != version).await; // the sender lives as long as we do
    }

    /// Returns when requests are routed by this share of target.
    pub(super) async fn reached(&self, percent: u8) {
        let _ = self.weights.subscribe().wait_for(|now| *now == percent).await; // the sender lives as long as we do
    }

    /// Steps 1b to 6 of the contract's `PUT`, in one step.
    pub(super) fn change(self: &Arc<Self>, change: &Change, if_match: Option<&str>) -> Result<(), Refused> {
        let mut inner = self.inner();
        let wanted = match &change.act {
            Act::Release {} => None,
            Act::SetWeights { from, weights, mark } => {
                let weight = weights.split().ok_or(Refused::Senseless("the weights do not sum to 100"))?;
                let mark_fits = !mark.is_empty() && mark.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
                if !mark_fits {
                    return Err(Refused::Senseless("the mark is not of letters, digits and dashes"));
                }
                Some((*from, weight, mark))
            }
        };
        if inner.key.as_deref() == Some(change.key.as_str()) {
            return Ok(()); // it was made; its answer was lost
        }
        let version = if_match.ok_or(Refused::NoVersion)?;
        let foreign = inner.owner.as_ref().is_some_and(|owner| owner.run != change.by.run);
        if version != format!("\"{}\"", inner.version()) || foreign {
            return Err(Refused::Otherwise);
        }
        match wanted {
            None => inner.owner = None,
            Some((from, _, _)) if from != Weights::of(inner.weight) => return Err(Refused::Otherwise),
            Some((_, weight, mark)) => {
                (inner.weight, inner.mark) = (weight, Some(mark.clone()));
                inner.owner = Some(change.by.clone());
                inner.settings += 1;
                tokio::spawn(self.clone().propagate(inner.settings));
            }
        }
        inner.changes += 1;
        inner.key = Some(change.key.clone());
        self.versions.send_replace(inner.version());
        Ok(())
    }

    /// Puts the accepted weights in force, a little later, if they have not been replaced by then.
    async fn propagate(self: Arc<Self>, settings: u64) {
        tokio::time::sleep(self.propagation).await;
        let mut inner = self.inner();
        if inner.settings == settings {
            let (weight, mark) = (inner.weight, inner.mark.clone());
            inner.history.push(Switch { at: Timestamp::now(), weight, mark: mark.clone().unwrap_or_default() });
            inner.in_force = InForce { settings, wheel: Wheel::new(weight), mark };
            self.weights.send_replace(weight.percent());
        }
    }

    pub(super) fn view(&self) -> RouteView {
        let inner = self.inner();
        RouteView {
            accepted: inner.weight,
            effective: inner.in_force.wheel.weight(),
            owner: inner.owner.clone(),
            legacy_active: count(&self.active, Side::Legacy).load(Ordering::Relaxed),
            target_active: count(&self.active, Side::Target).load(Ordering::Relaxed),
        }
    }

    pub(super) fn history(&self) -> Vec<Switch> {
        self.inner().history.clone()
    }
}

impl Inner {
    fn version(&self) -> String {
        format!("{:016x}-{}", self.prefix, self.changes)
    }
}
