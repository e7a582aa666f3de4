//! What does not change while a world goes on: the plan's names and numbers, as indices and small integers.

mod delays;
mod gate;
mod service;

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    clock::Moment,
    connections::{self, ConnectionsModel},
    people::{self, Named, Question},
    replication::{self, ReplicationModel},
    task::{self, TaskModel},
};
use crate::{
    engine::{Owner, RunId, Subject, agenda},
    plan::{
        BridgeName, OnFailure, Plan, Revision, ServiceName, Span, TaskName,
        schedule::{Expected, undo_time},
    },
};

pub(super) use self::service::numbers;
pub use self::{
    delays::Delays,
    gate::{GateModel, Proof},
    service::{Cached, ServiceModel, SideNumbers, Writer, drain},
};
use self::{
    gate::{gate_model, other_gates},
    service::{cached, company, longest, service_model, tenants},
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
    replications: Vec<ReplicationModel>,
    connections: Vec<ConnectionsModel>,
    horizon: i64,
    /// How long answers of gates that are looked at by themselves are kept, in milliseconds, where that is longest.
    longest_kept: i64,
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
            let number = |other: &ServiceName| index.get(other).copied().filter(|other| *other != ix);
            model.tenants = tenants(plan, service).filter_map(number).collect();
            model.company = company(plan, name, service).filter_map(number).collect();
            let bridges: Vec<&BridgeName> = plan.bridges.keys().collect();
            let counted = agenda::bridges_of(plan, service).filter_map(|name| bridges.iter().position(|b| *b == name));
            model.bridges = counted.filter_map(|at| u16::try_from(at).ok()).collect();
            let across = (0..).zip(&bridges).flat_map(|(at, bridge)| service.across(bridge).map(move |need| (at, need)));
            model.across = across.filter_map(|(at, need)| Some((at, index.get(need).copied()?))).collect();
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
        let kept = gates.iter().filter(|gate: &&GateModel| gate.other.is_some()).map(|gate| i64::from(gate.keep) * gate.every);
        let (epoch, longest_kept) = (epoch.as_millisecond(), kept.max().unwrap_or_default());
        let (tasks, questions) = (task::all(plan), people::questions(plan, &Named::new()));
        for ((name, service), model) in plan.services.iter().zip(&mut services) {
            model.dns = cached(name, service, &tasks);
        }
        let (replications, connections) = (replication::all(plan), connections::all(plan));
        for (place, replication) in (0..).zip(&replications) {
            services.get_mut(usize::from(replication.service)).into_iter().for_each(|s| s.writer = Writer::Single(place));
        }
        for (place, kept) in (0..).zip(&connections) {
            services.get_mut(usize::from(kept.service)).into_iter().for_each(|s| s.connections = Some(place));
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
            replications,
            connections,
            horizon,
            longest_kept,
            overruns_from: overruns_from(plan),
            revision: Arc::clone(&revision),
        }
    }

    /// The same with people known by name: they answer the plan's questions before those that are made up.
    pub fn with_people(mut self, named: &Named) -> Self {
        self.questions = people::questions(self.revision.plan(), named);
        self
    }

    /// The same beside another run of this name, which may drive the same routes and count on the same bridges.
    pub fn beside(mut self, other: Owner) -> Self {
        let [_, theirs] = &mut self.owners;
        *theirs = other;
        self
    }

    /// The same with its moment 0 so many milliseconds later.
    pub fn begun_later(&self, by: i64) -> Self {
        Self { epoch: self.epoch.saturating_add(by), ..self.clone() }
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
    /// Its single-writer services.
    pub fn replications(&self) -> &[ReplicationModel] {
        &self.replications
    }
    /// Its services whose connections live for a while.
    pub fn connections(&self) -> &[ConnectionsModel] {
        &self.connections
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
    /// How long answers of gates that are looked at by themselves are kept, in milliseconds, where that is longest.
    pub(crate) fn longest_kept(&self) -> i64 {
        self.longest_kept
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

/// A length in milliseconds.
pub(crate) fn ms(span: Span) -> i64 {
    i64::try_from(span.get().as_millis()).unwrap_or(i64::MAX)
}
