//! What does not change while a world goes on: the plan's names and numbers, as indices and small integers.

use std::{ops::Range, sync::Arc};

use jiff::Timestamp;

use super::{
    clock::Moment,
    people::{self, Named, Question},
    task::{self, Access, TaskModel},
};
use crate::{
    engine::{Owner, RunId, Subject, agenda, gate as gates, side, task::Deed, writer_gates},
    plan::{
        Act, BridgeName, Check, Gate, GateName, OnFailure, Place, Plan, Revision, Router, Service, ServiceName, Side, SideModel,
        Span, TaskName, Watch,
        schedule::{Expected, undo_time},
    },
};

/// The number of a service in its model: its place in the order of names.
pub type Ix = u16;

/// No service.
pub const NOBODY: Ix = Ix::MAX;

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
    /// How long a task takes; `None`: as long as its plan expects.
    pub task: Option<i64>,
}

impl Delays {
    /// Nothing takes any time.
    pub const NONE: Self = Self { wire: 0, programmed: 0, effective: 0, task: None };
    /// What the test cluster shows on a quiet day: a write in 20 ms, a data plane in 200 ms, answers 300 ms later.
    pub const USUAL: Self = Self { wire: 20, programmed: 200, effective: 300, task: None };
}

/// A gate in numbers.
#[derive(Debug, Clone)]
pub struct GateModel {
    /// Its service; [`NOBODY`]: it is a phase's or a bridge's.
    pub service: Ix,
    /// Whose it is, if it is looked at by itself and not as one of a service's own gates.
    pub other: Option<Subject>,
    /// The access that it proves, if it does.
    pub proves: Option<(Side, Access)>,
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

/// Whether only one side of a service may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// Both may.
    Any,
    /// Only one may.
    Single,
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
    /// Services that must be past their soak before its legacy side ends: those on its system, its group, what it needs.
    pub tenants: Vec<Ix>,
    /// Bridges that it counts on.
    pub bridges: Vec<u16>,
    /// Whether only one side may write.
    pub writer: Writer,
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
    tasks: Vec<TaskModel>,
    questions: Vec<Question>,
    bridges: Vec<BridgeName>,
    horizon: i64,
    /// The earliest latest rollback of a window that takes back what is in motion then.
    overruns_from: Option<i64>,
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
            let mut model = service_model(name, service, phase, needs, (first..gates.len(), own));
            model.bake = ms(agenda::bake(plan, name, service));
            model.tenants =
                tenants(plan, name, service).filter_map(|other| index.get(other).copied()).filter(|o| *o != ix).collect();
            let bridges: Vec<&BridgeName> = plan.bridges.keys().collect();
            let counted = agenda::bridges_of(plan, service).filter_map(|name| bridges.iter().position(|b| *b == name));
            model.bridges = counted.filter_map(|at| u16::try_from(at).ok()).collect();
            services.push(model);
        }
        gates.extend(other_gates(plan));
        let needs: Vec<Vec<Ix>> = services.iter().map(|s: &ServiceModel| s.needs.clone()).collect();
        for (ix, needs) in (0..).zip(needs) {
            for need in needs {
                services.get_mut(usize::from(need)).into_iter().for_each(|s: &mut ServiceModel| s.dependents.push(ix));
            }
        }
        let before = plan.phases.keys().map(|p| plan.phases_before(p).iter().filter_map(phase).collect()).collect();
        let owner = |run: RunId, name: &str| Owner { run, name: name.to_owned() };
        let owners = [owner(run.clone(), plan.name.as_str()), owner(RunId("00000000-other".to_owned()), "another-plan")];
        let stable = plan.phases.values().flat_map(|p| p.after.values()).filter_map(|after| after.stable_for).map(ms);
        let horizon = plan.services.values().map(longest).chain(stable).max().unwrap_or_default() + 120_000;
        let epoch = epoch.as_millisecond();
        let (tasks, questions) = (task::all(plan), people::questions(plan, &Named::new()));
        for ((name, service), model) in plan.services.iter().zip(&mut services) {
            model.dns = cached(name, service, &tasks);
        }
        let bridges = plan.bridges.keys().cloned().collect();
        Self {
            run,
            epoch,
            services,
            gates,
            before,
            owners,
            tasks,
            questions,
            bridges,
            horizon,
            overruns_from: overruns_from(plan),
            revision: Arc::clone(&revision),
        }
    }

    /// The same with people known by name: they answer the plan's questions before those that are made up.
    pub fn with_people(mut self, named: &Named) -> Self {
        self.questions = people::questions(self.revision.plan(), named);
        self
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
    /// The gates of all services, service by service, and then those that are looked at by themselves.
    pub fn gates(&self) -> &[GateModel] {
        &self.gates
    }
    /// Its tasks, by whose they are and name.
    pub fn tasks(&self) -> &[TaskModel] {
        &self.tasks
    }
    /// The number of a task.
    pub fn task(&self, of: &Subject, name: &TaskName) -> Option<u16> {
        let found = self.tasks.binary_search_by(|task| (&task.of, &task.name).cmp(&(of, name)));
        found.ok().and_then(|at| u16::try_from(at).ok())
    }
    /// What its plan asks people.
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }
    /// Its bridges, in the order of their names.
    pub fn bridges(&self) -> &[BridgeName] {
        &self.bridges
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
    /// Whether a latest rollback may have come by which a window takes back what is in motion.
    pub fn may_overrun(&self, moment: Moment) -> bool {
        self.overruns_from.is_some_and(|from| self.timestamp(moment).as_millisecond() >= from)
    }
    /// Ages beyond which nothing in a record changes any more, in milliseconds.
    pub fn horizon(&self) -> i64 {
        self.horizon
    }
}

/// When the first window that takes back what is in motion could do so at the earliest: with everything in motion.
fn overruns_from(plan: &Plan) -> Option<i64> {
    let undo = undo_time(&Expected::of(plan), plan.services.keys()).unwrap_or_default();
    let windows = plan.windows.values().filter(|window| window.overrun == OnFailure::Rollback);
    let earliest = windows.map(|window| {
        let inside = plan.freezes.values().map(|freeze| freeze.from).filter(|from| *from > window.opens);
        let ends = inside.chain([window.closes]).min().unwrap_or(window.closes);
        ends.as_millisecond().saturating_sub(ms(window.reserve)).saturating_sub(ms(undo))
    });
    earliest.min()
}

/// How a service's name is cached, if it is routed by one.
fn cached(name: &ServiceName, service: &Service, tasks: &[TaskModel]) -> Option<Cached> {
    let Router::Dns(route) = &service.router else { return None };
    let of = Subject::from(name);
    let place = |task: TaskName| tasks.iter().position(|t| t.of == of && t.name == task).and_then(|at| u16::try_from(at).ok());
    let (lower, restore) = (place(agenda::named::lower_ttl())?, place(agenda::named::restore_ttl()));
    Some(Cached { lower, restore, during: ms(route.ttl_during) })
}

/// A length in milliseconds.
pub(crate) fn ms(span: Span) -> i64 {
    i64::try_from(span.get().as_millis()).unwrap_or(i64::MAX)
}

/// The longest stretch of time that a decision about a service compares with.
fn longest(service: &Service) -> i64 {
    let limits = service.gates.values().map(|gate| ms(gate.unknown_limit));
    let tasks = agenda::of_service(service).into_iter().flat_map(|item| {
        let wait = match item.deed {
            Deed::Act(Act::Wait(span)) => ms(span),
            _ => 0,
        };
        let deadline = match item.back {
            agenda::Back::By { deadline: Some(deadline), .. } => ms(deadline),
            _ => 0,
        };
        [wait, deadline]
    });
    let scream = service.decommission.as_ref().and_then(|end| end.scream_test).map_or(0, ms);
    let pause = service.data.as_ref().map_or(0, |data| ms(data.pause_budget));
    let drain = service.drain_deadline.map_or(0, ms);
    let own = [ms(service.bake), ms(service.soak.length), ms(service.soak.guard_for), scream, pause, drain];
    limits.chain(own).chain(tasks).max().unwrap_or_default()
}

/// Whose end has to wait for whom.
fn tenants<'a>(plan: &'a Plan, name: &ServiceName, service: &'a Service) -> impl Iterator<Item = &'a ServiceName> {
    let system = service.legacy.system.as_ref();
    let tenants = plan.services.iter().filter(move |(_, s)| system.is_some() && s.legacy.system.as_ref() == system);
    let group = plan.group_of(name).into_iter().flat_map(|(_, group)| &group.services);
    tenants.map(|(other, _)| other).chain(group).chain(service.before())
}

/// The gates of phases, bridges and single writers.
fn other_gates(plan: &Plan) -> Vec<GateModel> {
    let mut all = Vec::new();
    let mut add = |service: Ix, of: Subject, name: &GateName, gate: &Gate, proves| {
        let model = GateModel { other: Some(of), proves, of_target: false, ..gate_model(service, name, gate) };
        all.push(model);
    };
    for (ix, (name, service)) in (0..).zip(&plan.services) {
        let Some(data) = &service.data else { continue };
        for (gate_name, gate) in writer_gates(data) {
            let proves = match gate_name.as_str() {
                "fence-proof" => Some((Side::Legacy, Access::Closed)),
                "promote-proof" => Some((Side::Target, Access::Open)),
                "unfence-proof" | "reverse-promote-proof" => Some((Side::Legacy, Access::Open)),
                "reverse-fence-proof" => Some((Side::Target, Access::Closed)),
                _ => None,
            };
            add(ix, Subject::from(name), &gate_name, gate, proves);
        }
        data.reconcile.iter().for_each(|(gate_name, gate)| add(ix, Subject::from(name), gate_name, gate, None));
    }
    for (name, phase) in &plan.phases {
        for (gate_name, gate) in phase.after.values().flat_map(|after| &after.gates) {
            add(NOBODY, Subject::Phase(name.clone()), gate_name, gate, None);
        }
    }
    for (name, bridge) in &plan.bridges {
        bridge.gates.iter().for_each(|(gate_name, gate)| add(NOBODY, Subject::Bridge(name.clone()), gate_name, gate, None));
    }
    all
}

fn gate_model(service: Ix, name: &GateName, gate: &Gate) -> GateModel {
    let (wanted, of) = gates::window(gate);
    GateModel {
        service,
        other: None,
        proves: None,
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
        tenants: Vec::new(),
        bridges: Vec::new(),
        writer: if service.data.is_some() { Writer::Single } else { Writer::Any },
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
        horizon: watched.max(bake) + 61_000,
    }
}

/// Plain hosts are counted; a Kubernetes Service is taken to have as many pods as its peak needs, and one to spare.
pub(super) fn numbers(side: &SideModel, service: &Service, load: u64) -> SideNumbers {
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
