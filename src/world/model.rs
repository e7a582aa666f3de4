//! What does not change while a world goes on: the plan's names and numbers, as indices and small integers.

use std::{ops::Range, sync::Arc};

use jiff::Timestamp;

use super::clock::Moment;
use crate::{
    engine::{Owner, RunId, gate as gates, side},
    plan::{Check, GateName, OnFailure, Place, Revision, Router, Service, ServiceName, Side, SideModel, Span, Watch},
};

/// The number of a service in its model: its place in the order of names.
pub type Ix = u16;

/// A run that may drive a route: 0 is the run of the model, 1 somebody else's.
pub type RunIx = u8;
/// The run that is looked at.
pub const OURS: RunIx = 0;
/// Some other run.
pub const THEIRS: RunIx = 1;

/// How long things take in a world, in milliseconds. [`super::Sim`] takes these for every effect unless it is told others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Delays {
    /// From performing an effect until it reaches what it changes.
    pub wire: i64,
    /// From there until the data plane has taken it over.
    pub programmed: i64,
    /// From there until real answers show it.
    pub effective: i64,
}

impl Delays {
    /// Nothing takes any time.
    pub const NONE: Self = Self { wire: 0, programmed: 0, effective: 0 };
    /// What the test cluster shows on a quiet day: a write in 20 ms, a data plane in 200 ms, answers 300 ms later.
    pub const USUAL: Self = Self { wire: 20, programmed: 200, effective: 300 };
}

/// A gate in numbers.
#[derive(Debug, Clone)]
pub struct GateModel {
    /// Its service.
    pub service: Ix,
    /// Its name.
    pub name: GateName,
    /// Between two rounds, in milliseconds; at least 1.
    pub every: i64,
    /// Good rounds that it wants.
    pub wanted: u32,
    /// Of so many.
    pub of: u32,
    /// Bad rounds in a row that are a failure.
    pub failures: u32,
    /// Milliseconds without an answer after which the plan says what happens.
    pub unknown_limit: i64,
    /// What happens then.
    pub on_unknown: OnFailure,
    /// When it is looked at.
    pub watch: Watch,
    /// Whether it speaks of the target's endpoints, and so fails when none answers.
    pub of_target: bool,
    /// Rounds that a sensor keeps.
    pub keep: u32,
}

/// One side of a service in numbers.
#[derive(Debug, Clone, Copy)]
pub struct SideNumbers {
    /// Endpoints it has when all is well.
    pub endpoints: u32,
    /// Requests a second that one carries; `None`: one is enough for everything.
    pub per_endpoint: Option<u64>,
    /// Whether the router knows it from the beginning.
    pub known: bool,
}

/// A service in numbers.
#[derive(Debug, Clone)]
pub struct ServiceModel {
    /// Its name.
    pub name: ServiceName,
    /// Services that are on target before it starts, and go back after it.
    pub needs: Vec<Ix>,
    /// Services that need it so.
    pub dependents: Vec<Ix>,
    /// The number of its phase.
    pub phase: u16,
    /// Highest rate × (100 + headroom); 0 if nobody said.
    pub load: u64,
    /// Highest rate in requests a second; 0 if nobody said.
    pub peak: u64,
    /// Legacy and target.
    pub sides: [SideNumbers; 2],
    /// Its gates, as places in [`Model::gates`].
    pub gates: Range<usize>,
    /// Between two rounds over its sides, in milliseconds.
    pub every: i64,
    /// Rounds without a healthy endpoint that make a side dead.
    pub failures: u32,
    /// How long a weight is watched, in milliseconds.
    pub bake: i64,
    /// How old the newest look at a side may be, in milliseconds.
    pub stale: i64,
    /// Ages in the facts of this service beyond which nothing changes any more, in milliseconds.
    pub horizon: i64,
}

impl ServiceModel {
    /// Whether `healthy` endpoints of a side carry `percent` of the traffic with the headroom that the plan asks for.
    pub fn carries(&self, side: Side, healthy: u32, percent: u8) -> bool {
        let Some(numbers) = self.sides.get(side as usize) else { return false };
        match numbers.per_endpoint {
            _ if percent == 0 => true,
            _ if healthy == 0 => false,
            Some(each) if self.load > 0 => u64::from(healthy) * each >= (self.load * u64::from(percent)).div_ceil(10_000),
            _ => true,
        }
    }
}

/// What does not change while a world goes on.
#[derive(Debug, Clone)]
pub struct Model {
    revision: Arc<Revision>,
    run: RunId,
    /// Moment 0, in milliseconds since 1970.
    epoch: i64,
    services: Vec<ServiceModel>,
    gates: Vec<GateModel>,
    /// For each phase, the phases that come before it.
    before: Vec<Vec<u16>>,
    owners: [Owner; 2],
    horizon: i64,
}

impl Model {
    /// The model of a revision, driven by `run`, in which moment 0 is `epoch`.
    pub fn new(revision: Arc<Revision>, run: RunId, epoch: Timestamp) -> Self {
        let plan = revision.plan();
        let phase = |name| plan.phases.keys().position(|p| p == name).and_then(|p| u16::try_from(p).ok());
        let index: std::collections::BTreeMap<&ServiceName, Ix> = plan.services.keys().zip(0..).collect();
        let (mut services, mut gates) = (Vec::new(), Vec::new());
        for (ix, (name, service)) in (0..).zip(&plan.services) {
            let first = gates.len();
            gates.extend(service.gates.iter().map(|(gate, rule)| gate_model(ix, gate, rule)));
            let needs = service.before().filter_map(|need| index.get(need).copied()).collect();
            let own = gates.get(first..).unwrap_or_default();
            let phase = phase(&service.phase).unwrap_or_default();
            services.push(service_model(name, service, phase, needs, (first..gates.len(), own)));
        }
        let needs: Vec<Vec<Ix>> = services.iter().map(|s: &ServiceModel| s.needs.clone()).collect();
        for (ix, needs) in (0..).zip(needs) {
            for need in needs {
                services.get_mut(usize::from(need)).into_iter().for_each(|s: &mut ServiceModel| s.dependents.push(ix));
            }
        }
        let before = plan.phases.keys().map(|p| plan.phases_before(p).iter().filter_map(phase).collect()).collect();
        let owner = |run: RunId, name: &str| Owner { run, name: name.to_owned() };
        let owners = [owner(run.clone(), plan.name.as_str()), owner(RunId("00000000-other".to_owned()), "another-plan")];
        let horizon = plan.services.values().map(longest).max().unwrap_or_default() + 120_000;
        let epoch = epoch.as_millisecond();
        Self { run, epoch, services, gates, before, owners, horizon, revision: Arc::clone(&revision) }
    }

    /// The revision.
    pub fn revision(&self) -> &Revision {
        &self.revision
    }
    /// The run that is looked at.
    pub fn run(&self) -> &RunId {
        &self.run
    }
    /// Its services, in the order of their names.
    pub fn services(&self) -> &[ServiceModel] {
        &self.services
    }
    /// The gates of all services, service by service.
    pub fn gates(&self) -> &[GateModel] {
        &self.gates
    }
    /// The gates of one service with their places.
    pub fn gates_of(&self, ix: Ix) -> impl Iterator<Item = (usize, &GateModel)> {
        let range = self.service(ix).map(|s| s.gates.clone()).unwrap_or_default();
        range.filter_map(|place| Some((place, self.gates.get(place)?)))
    }
    /// One of its services.
    pub fn service(&self, ix: Ix) -> Option<&ServiceModel> {
        self.services.get(usize::from(ix))
    }
    /// The number of a service.
    pub fn index(&self, name: &ServiceName) -> Option<Ix> {
        self.services.binary_search_by(|s| s.name.cmp(name)).ok().and_then(|at| Ix::try_from(at).ok())
    }
    /// The phases before the one of a service.
    pub fn phases_before(&self, ix: Ix) -> &[u16] {
        let phase = self.service(ix).map_or(0, |s| usize::from(s.phase));
        self.before.get(phase).map_or(&[], Vec::as_slice)
    }
    /// What a route says of its owner.
    pub fn owner(&self, run: RunIx) -> Option<&Owner> {
        self.owners.get(usize::from(run))
    }
    /// A moment as the engine knows it.
    pub fn timestamp(&self, moment: Moment) -> Timestamp {
        Timestamp::from_millisecond(self.epoch.saturating_add(moment.0)).unwrap_or(Timestamp::MAX)
    }
    /// A moment of the engine in the world.
    pub fn moment(&self, timestamp: Timestamp) -> Moment {
        Moment(timestamp.as_millisecond().saturating_sub(self.epoch))
    }
    /// Ages beyond which nothing in a record changes any more, in milliseconds.
    pub fn horizon(&self) -> i64 {
        self.horizon
    }
}

/// A length in milliseconds.
pub(crate) fn ms(span: Span) -> i64 {
    i64::try_from(span.get().as_millis()).unwrap_or(i64::MAX)
}

/// The longest stretch of time that a decision about a service compares with.
fn longest(service: &Service) -> i64 {
    let limits = service.gates.values().map(|gate| ms(gate.unknown_limit));
    limits.chain([ms(service.bake), ms(service.soak.length), ms(service.soak.guard_for)]).max().unwrap_or_default()
}

fn gate_model(service: Ix, name: &GateName, gate: &crate::plan::Gate) -> GateModel {
    let (wanted, of) = gates::window(gate);
    GateModel {
        service,
        name: name.clone(),
        every: ms(gate.every).max(1),
        wanted,
        of,
        failures: gate.failures,
        unknown_limit: ms(gate.unknown_limit),
        on_unknown: gate.on_unknown,
        watch: gate.watch,
        of_target: matches!(gate.check, Check::Probe(_)),
        keep: of.max(gate.failures).max(gates::ROUNDS_MIN),
    }
}

fn service_model(
    name: &ServiceName,
    service: &Service,
    phase: u16,
    needs: Vec<Ix>,
    (places, own): (Range<usize>, &[GateModel]),
) -> ServiceModel {
    let peak = service.load.map_or(0, |l| u64::from(l.peak.per_second()));
    let load = service.load.map_or(0, |l| peak * (100 + u64::from(l.headroom_percent)));
    let every = service.probes.values().map(|p| ms(p.every)).min().unwrap_or(1000).max(1);
    let watched = own.iter().map(|g| i64::from(g.keep) * g.every).max().unwrap_or_default();
    let bake = ms(service.bake);
    ServiceModel {
        name: name.clone(),
        needs,
        dependents: Vec::new(),
        phase,
        load,
        peak,
        sides: [numbers(&service.legacy, service, load), numbers(&service.target, service, load)],
        gates: places,
        every,
        failures: service.failures(),
        bake,
        stale: ms(side::stale_after(service)),
        horizon: watched.max(bake) + 61_000,
    }
}

/// Plain hosts are counted; a Kubernetes Service is taken to have as many pods as its peak needs, and one to spare.
fn numbers(side: &SideModel, service: &Service, load: u64) -> SideNumbers {
    let per_endpoint = side.per_endpoint.map(|rate| u64::from(rate.per_second()));
    let endpoints = match &side.at {
        Place::Endpoints(list) => u32::try_from(list.len()).unwrap_or(u32::MAX),
        Place::Service(_) => match per_endpoint {
            Some(each) if load > 0 => u32::try_from(load.div_ceil(each.max(1) * 100) + 1).unwrap_or(u32::MAX),
            _ => 2,
        },
    };
    let gateway =
        matches!(service.router, Router::HttpRoute { .. } | Router::GrpcRoute(_) | Router::TlsRoute(_) | Router::TcpRoute(_));
    SideNumbers { endpoints, per_endpoint, known: !(gateway && matches!(side.at, Place::Endpoints(_))) }
}
