//! Services in numbers: their sides, needs, caches.

use std::ops::Range;

use super::{GateModel, Ix, ms};
use crate::{
    engine::{Subject, agenda, side, task::Deed},
    plan::{Act, Place, Plan, Router, Service, ServiceName, Side, SideModel, TaskName},
    world::task::TaskModel,
};

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

/// Whether only one side of a service may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// Both may.
    Any,
    /// Only one may: a place in [`super::Model::replications`].
    Single(u16),
}

/// A name in DNS: resolvers keep an answer for as long as it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cached {
    /// The task that lowers the time to live.
    pub lower: u16,
    /// The task that gives the old one back, if there is one.
    pub restore: Option<u16>,
    /// The lowered time to live, in milliseconds.
    pub during: i64,
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
    /// Others on its legacy system: none of them may have traffic there when it ends.
    pub tenants: Vec<Ix>,
    /// Its group and what it needs: they must have been carried through their soak before its legacy side ends.
    pub company: Vec<Ix>,
    /// Bridges that it counts on.
    pub bridges: Vec<u16>,
    /// What it needs across a bridge, each with the bridge.
    pub across: Vec<(u16, Ix)>,
    /// Whether only one side may write.
    pub writer: Writer,
    /// A place in [`super::Model::connections`], if its connections live for a while.
    pub connections: Option<u16>,
    /// Its name in DNS, if that is its route.
    pub dns: Option<Cached>,
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
    /// Ages in the facts of this service beyond which nothing changes any more while it shifts, in milliseconds.
    pub proven: i64,
    /// The same at any time: legacy is given its time to drain from the moment on in which it got no traffic.
    pub horizon: i64,
}

impl ServiceModel {
    /// After so many milliseconds without a healthy endpoint a side is dead, and how long it has been so nobody asks.
    pub fn dies_within(&self) -> i64 {
        i64::from(self.failures) * self.every
    }
    /// Whether only one side may write.
    pub fn is_single_writer(&self) -> bool {
        self.writer != Writer::Any
    }
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

pub(super) fn service_model(
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
    let proven = watched.max(bake) + 1_000;
    let drains = if service.decommission.is_some() { drain(service) + 1_000 } else { 0 };
    ServiceModel {
        name: name.clone(),
        needs,
        dependents: Vec::new(),
        tenants: Vec::new(),
        company: Vec::new(),
        across: Vec::new(),
        bridges: Vec::new(),
        writer: Writer::Any,
        connections: None,
        dns: None,
        phase,
        load,
        peak,
        sides: [numbers(&service.legacy, service, load), numbers(&service.target, service, load)],
        gates: places,
        every,
        failures: service.failures(),
        bake,
        stale: ms(side::stale_after(service)),
        proven,
        horizon: proven.max(drains),
    }
}

/// Plain hosts are counted; a Kubernetes Service is taken to have as many pods as its peak needs, and one to spare.
pub(in crate::world) fn numbers(side: &SideModel, service: &Service, load: u64) -> SideNumbers {
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

/// How a service's name is cached, if it is routed by one.
pub(super) fn cached(name: &ServiceName, service: &Service, tasks: &[TaskModel]) -> Option<Cached> {
    let Router::Dns(route) = &service.router else { return None };
    let of = Subject::from(name);
    let place = |task: TaskName| tasks.iter().position(|t| t.of == of && t.name == task).and_then(|at| u16::try_from(at).ok());
    let (lower, restore) = (place(agenda::named::lower_ttl())?, place(agenda::named::restore_ttl()));
    Some(Cached { lower, restore, during: ms(route.ttl_during) })
}

/// For how long the end of a legacy side may wait for its connections, from the moment on from which it gets no new ones, in
/// milliseconds: for the deadline, or for the age that they reach.
pub fn drain(service: &Service) -> i64 {
    [service.drain_deadline, service.max_connection_age].into_iter().flatten().map(ms).max().unwrap_or_default()
}

/// The longest stretch of time that a decision about a service compares with.
pub(super) fn longest(service: &Service) -> i64 {
    let limits = service.gates.values().map(|gate| ms(gate.unknown_limit));
    let tasks = agenda::of_service(service).iter().flat_map(|item| {
        let wait = match &item.deed {
            Deed::Act(Act::Wait(span)) => ms(*span),
            _ => 0,
        };
        let deadline = match &item.back {
            agenda::Back::By { deadline: Some(deadline), .. } => ms(*deadline),
            _ => 0,
        };
        [wait, deadline]
    });
    let scream = service.decommission.as_ref().and_then(|end| end.scream_test).map_or(0, ms);
    let pause = service.data.as_ref().map_or(0, |data| ms(data.pause_budget));
    let own = [ms(service.bake), ms(service.soak.length), ms(service.soak.guard_for), scream, pause, drain(service)];
    limits.chain(own).chain(tasks).max().unwrap_or_default()
}

/// Who lives on the same legacy system.
pub(super) fn tenants<'a>(plan: &'a Plan, service: &'a Service) -> impl Iterator<Item = &'a ServiceName> {
    let system = service.legacy.system.as_ref();
    let tenants = plan.services.iter().filter(move |(_, s)| system.is_some() && s.legacy.system.as_ref() == system);
    tenants.map(|(other, _)| other)
}

/// Whom a service would follow on a way back: its group, and what it needs.
pub(super) fn company<'a>(plan: &'a Plan, name: &ServiceName, service: &'a Service) -> impl Iterator<Item = &'a ServiceName> {
    let group = plan.group_of(name).into_iter().flat_map(|(_, group)| &group.services);
    group.chain(service.before())
}
