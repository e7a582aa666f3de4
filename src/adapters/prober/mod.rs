//! Sends the synthetic transactions of services to every endpoint of both sides, and asks the HTTP checks of gates.
//!
//! *Flow*: [`Prober::watch`] starts a *lane* for each probe and side that somebody wants to know about, and ends the others.
//! A lane sends one *round*, a request to each endpoint, at each tick of `every`; answers go into the table that
//! [`Prober::fill`] copies from, and fire the [`Wake`].
//! *Guarantees*: constant rate, however slow the answers are; a fresh connection for each request; ticks are spread over time,
//! so that many services do not fire in one instant. The first failing answer of a round makes it bad at once, whatever the
//! other endpoints still do. A good round counts when it and all rounds before it are complete. A lane that is not wanted
//! any more leaves no task, no socket and no memory behind.
//! *Assumptions*: runs inside a tokio runtime; moments come from [`crate::adapters::clock`].
//! *Caveats*: a tick is left out while 64 rounds of its lane are without answer. After a pause of the whole process ticks
//! are not made up for. A gate of a probe gets every round of the probe.

mod lane;
mod shot;
mod table;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    task::{JoinHandle, JoinSet},
    time::{Instant, MissedTickBehavior, interval_at},
};

use self::{
    shot::Script,
    table::{Aim, Table, source},
};
use super::{clock, wake::Wake};
use crate::{
    engine::{Observed, Query, Unknown},
    plan::{Check, GateName, Place, Plan, ProbeName, Revision, Service, ServiceName, Side},
};

/// How often a side without probes is knocked at.
const KNOCK_EVERY: Duration = Duration::from_secs(1);
/// How long a knock may take.
const KNOCK_TIMEOUT: Duration = Duration::from_secs(1);
/// First ticks are spread over so much time, or over one period if that is shorter.
const SPREAD: Duration = Duration::from_secs(1);

/// Where the endpoints of a side are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Targets {
    /// There.
    Known(BTreeSet<SocketAddr>),
    /// Nobody knows.
    Unknown(Unknown),
}

/// The identity of a lane within its service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum LaneId {
    /// A probe towards a side.
    Probe(Side, ProbeName),
    /// Connections to a side that has no probes.
    Knock(Side),
    /// An HTTP check.
    Check(GateName),
}
impl LaneId {
    fn side(&self) -> Option<Side> {
        match self {
            Self::Probe(side, _) | Self::Knock(side) => Some(*side),
            Self::Check(_) => None,
        }
    }
}

/// Probes the services of one revision.
#[derive(Debug)]
pub struct Prober {
    revision: Arc<Revision>,
    shared: Arc<Shared>,
    lanes: BTreeMap<(ServiceName, LaneId), Running>,
    /// How many lanes were ever started: spreads their ticks.
    started: u32,
}

#[derive(Debug)]
struct Shared {
    table: Mutex<Table>,
    wake: Wake,
}
impl Shared {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Running(JoinHandle<()>);
impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort(); // and with it every request that is under way
    }
}

impl Prober {
    /// A prober that does nothing until [`Self::watch`]. It knows the plain hosts of the plan; other sides are unknown until
    /// [`Self::set_targets`].
    pub fn new(revision: Arc<Revision>, wake: Wake) -> Self {
        let mut table = Table::default();
        for (name, service) in &revision.plan().services {
            for side in Side::BOTH {
                table.aim(name, side, place(&service.side(side).at));
            }
        }
        let shared = Arc::new(Shared { table: Mutex::new(table), wake });
        Self { revision, shared, lanes: BTreeMap::new(), started: 0 }
    }

    /// The endpoints of a side are these from now on; rounds under way finish with those they began with.
    pub fn set_targets(&self, service: &ServiceName, side: Side, targets: Targets) {
        if self.shared.table().aim(service, side, targets) {
            self.shared.wake.fire();
        }
    }

    /// From now on probe what these ask for, and nothing else. Has to be called inside the runtime.
    pub fn watch(&mut self, queries: &BTreeSet<Query>) {
        let revision = Arc::clone(&self.revision);
        let wanted = wanted(revision.plan(), queries);
        self.lanes.retain(|id, _| wanted.contains(id));
        self.shared.table().watch(revision.plan(), queries, &wanted, clock::now());
        for (service, id) in wanted {
            if self.lanes.contains_key(&(service.clone(), id.clone())) {
                continue;
            }
            let Some((script, every)) = revision.plan().services.get(&service).and_then(|s| script(s, &id)) else { continue };
            let first = offset(self.started, every);
            self.started = self.started.wrapping_add(1);
            let lane = LaneTask { shared: Arc::clone(&self.shared), service: service.clone(), id: id.clone(), script };
            self.lanes.insert((service, id), Running(tokio::spawn(Arc::new(lane).run(first, every))));
        }
    }

    /// Puts the newest answers in. What was not asked for with [`Self::watch`] is left as it is. Backends count as present:
    /// whoever knows better says so afterwards.
    pub fn fill(&self, seen: &mut Observed) {
        self.shared.table().fill(seen, clock::now());
    }

    /// How many lanes run.
    pub fn lanes(&self) -> usize {
        self.lanes.len()
    }
}

fn place(place: &Place) -> Targets {
    match place {
        Place::Endpoints(endpoints) => {
            let mut found = BTreeSet::new();
            for endpoint in endpoints {
                match endpoint.address.parse() {
                    Ok(ip) => found.insert(SocketAddr::new(ip, endpoint.port)),
                    Err(_) => return Targets::Unknown(Unknown::Unreadable(format!("`{}` is no IP address", endpoint.address))),
                };
            }
            Targets::Known(found)
        }
        Place::Service(_) => Targets::Unknown(Unknown::NotYet),
    }
}

/// The lanes that these queries need.
fn wanted(plan: &Plan, queries: &BTreeSet<Query>) -> BTreeSet<(ServiceName, LaneId)> {
    let mut lanes = BTreeSet::new();
    for query in queries {
        match query {
            Query::Side(name, side) => {
                let Some(service) = plan.services.get(name) else { continue };
                let probes = service.probes.keys().map(|probe| LaneId::Probe(*side, probe.clone()));
                let knock = service.probes.is_empty().then_some(LaneId::Knock(*side));
                lanes.extend(probes.chain(knock).map(|id| (name.clone(), id)));
            }
            Query::Gate(name, gate_name) => {
                let gate = plan.services.get(name).and_then(|service| service.gates.get(gate_name));
                lanes.extend(gate.and_then(|gate| source(gate_name, gate)).map(|lane| (name.clone(), lane)));
            }
            _ => {} // others look at these
        }
    }
    lanes
}

/// What a lane sends, and how often.
fn script(service: &Service, id: &LaneId) -> Option<(Script, Duration)> {
    match id {
        LaneId::Knock(_) => Some((Script::Knock { timeout: KNOCK_TIMEOUT }, KNOCK_EVERY)),
        LaneId::Probe(_, name) => {
            let probe = service.probes.get(name)?;
            Some((Script::probe(&probe.send, probe.timeout.get()), probe.every.get()))
        }
        LaneId::Check(name) => {
            let gate = service.gates.get(name)?;
            let Check::Http(url) = &gate.check else { return None };
            Some((Script::check(url, gate.timeout.get()), gate.every.get()))
        }
    }
}

/// When the `n`-th lane ticks first: multiples of the golden section leave no two lanes close together, however many there
/// are (Knuth, The Art of Computer Programming, volume 3, section 6.4).
fn offset(n: u32, every: Duration) -> Duration {
    let part = n.wrapping_mul(2_654_435_769); // 2^32 divided by the golden ratio
    SPREAD.min(every).mul_f64(f64::from(part) / f64::from(u32::MAX))
}

/// What the task of a lane works with, and every request of it as well.
struct LaneTask {
    shared: Arc<Shared>,
    service: ServiceName,
    id: LaneId,
    script: Script,
}

impl LaneTask {
    async fn run(self: Arc<Self>, first: Duration, every: Duration) {
        let mut under_way = JoinSet::new();
        // A tick of zero would be endless work; a checked plan has none.
        let mut ticks = interval_at(Instant::now() + first, every.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip); // stays on its grid, so that nothing drifts
        loop {
            ticks.tick().await;
            while under_way.try_join_next().is_some() {}
            self.fire(&mut under_way);
        }
    }

    /// Sends one round.
    fn fire(self: &Arc<Self>, under_way: &mut JoinSet<()>) {
        let aim = self.shared.table().begin(&self.service, &self.id, clock::now());
        match aim {
            Aim::Nothing => {}
            Aim::News => self.shared.wake.fire(),
            Aim::Round(round, endpoints) => {
                for endpoint in endpoints.iter().copied() {
                    let lane = Arc::clone(self);
                    under_way.spawn(async move {
                        let Self { shared, service, id, script } = &*lane;
                        let shot = script.shoot(endpoint).await;
                        let news = shared.table().answer(service, id, round, endpoint, shot, clock::now());
                        if news {
                            shared.wake.fire();
                        }
                    });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_ticks_are_spread_evenly_over_a_second() {
        let mut offsets: Vec<Duration> = (0..240).map(|n| offset(n, Duration::from_secs(5))).collect();
        offsets.sort();
        let gaps = offsets.windows(2).map(|w| w[1] - w[0]);
        assert!(gaps.max().unwrap() < Duration::from_millis(12), "240 lanes in 1 s: 4 ms apart on average");
        assert!(offsets.iter().all(|o| *o <= SPREAD));
        assert!(offset(7, Duration::from_millis(20)) <= Duration::from_millis(20));
    }
}
