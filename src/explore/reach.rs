//! How far back each moment of a record matters. What is older than anything it is compared with is equal to what is just as
//! old: without that, two ways on which a weight was ordered some seconds earlier or later would stay different for as long as
//! the longest soak.
//!
//! Each reach is the largest span that the engine compares the moment with, and a second: where, is said beside it.

use std::collections::BTreeMap;

use super::Reductions;
use crate::{
    engine::{
        CLAIM_VALID, ServiceState, Stage, Subject,
        agenda::{self, Back, Item, named},
        gate,
        route::{EFFECTIVE_WITHIN, SETTLE},
        task::Deed,
        writer_gates,
    },
    plan::{Act, Gate, GateName, PhaseName, Plan, Service, ServiceName, TaskName, Undo},
    world::{
        Model,
        model::{drain, ms},
    },
};

/// How far back moments matter, in milliseconds.
#[derive(Debug)]
pub struct Reach {
    /// Beyond this nothing does.
    longest: i64,
    pub reductions: Reductions,
    /// From which answers of gates are counted: [`gate::judge`].
    answers: i64,
    services: BTreeMap<ServiceName, OfService>,
    /// For how long a phase has to be stable, at most.
    stable: BTreeMap<PhaseName, i64>,
    tasks: BTreeMap<(Subject, TaskName), i64>,
}

/// The spans of one service.
#[derive(Debug)]
struct OfService {
    soak: i64,
    /// Drain, if there is no scream test.
    drain: i64,
    /// The pause budget.
    pause: i64,
    troubles: BTreeMap<GateName, i64>,
}

/// What rounding and a clock of whole milliseconds may add.
const MARGIN: i64 = 1_000;

impl Reach {
    /// Of all moments in the records of a run of this model.
    pub fn of(model: &Model, reductions: Reductions) -> Self {
        let plan = model.revision().plan();
        let kept = model.gates().iter().map(|gate| i64::from(gate.keep).saturating_mul(gate.every));
        let stale = gates(plan).map(|gate| ms(gate::stale_after(gate)));
        let after = plan.phases.values().flat_map(|phase| &phase.after);
        let mut stable: BTreeMap<PhaseName, i64> = BTreeMap::new();
        for (before, after) in after {
            let own = stable.entry(before.clone()).or_default();
            *own = (*own).max(after.stable_for.map_or(0, ms));
        }
        let mut reach = Self {
            longest: model.horizon(),
            reductions,
            answers: kept.chain(stale).max().unwrap_or_default().max(ms(EFFECTIVE_WITHIN)),
            services: plan.services.iter().map(|(name, service)| (name.clone(), OfService::of(service))).collect(),
            stable,
            tasks: BTreeMap::new(),
        };
        reach.learn_tasks(plan);
        reach
    }

    fn learn_tasks(&mut self, plan: &Plan) {
        for (name, service) in &plan.services {
            for item in agenda::of_service(service) {
                let own = of_item(item).max(self.of_mechanism(service, &item.name));
                self.tasks.insert((Subject::from(name), item.name.clone()), own);
            }
        }
        for (name, phase) in &plan.phases {
            for (task, rule) in &phase.tasks {
                let wait = if let Act::Wait(span) = rule.act { ms(span) } else { 0 };
                let deadline = match &rule.undo {
                    Undo::Do { act, deadline, .. } => {
                        let wait = if let Act::Wait(span) = act { ms(*span) } else { 0 };
                        deadline.map_or(0, ms).max(wait)
                    }
                    _ => 0,
                };
                self.tasks.insert((Subject::Phase(name.clone()), task.clone()), wait.max(deadline).max(ms(SETTLE)));
            }
        }
        for (name, bridge) in &plan.bridges {
            let Some(managed) = &bridge.managed else { continue };
            let (up, down) = agenda::of_bridge(managed);
            for item in [up, down] {
                let own = of_item(&item);
                self.tasks.insert((Subject::Bridge(name.clone()), item.name), own);
            }
        }
    }

    /// Spans that the steps of a service count from its own tasks.
    fn of_mechanism(&self, service: &Service, task: &TaskName) -> i64 {
        if *task == named::mirror() {
            return service.mirror.map_or(0, |mirror| ms(mirror.length));
        }
        if *task == named::scream_test() {
            let scream = service.decommission.as_ref().and_then(|end| end.scream_test).map_or(0, ms);
            return scream.max(drain(service));
        }
        // Proofs of who writes count from these.
        if service.data.is_some() { self.answers } else { 0 }
    }

    fn limit(&self, own: i64) -> i64 {
        match self.reductions {
            Reductions::Sound => own.saturating_add(MARGIN).min(self.longest),
            Reductions::None => self.longest,
        }
    }

    /// The newest order: settling, taking effect, and the answers of gates from then on (`route`, `shift`, `guard`).
    pub fn order(&self) -> i64 {
        self.limit(self.answers)
    }
    /// All traffic on target: the soak, the answers of its gates and of those between phases from then on, the drain.
    pub fn moved(&self, name: &ServiceName, state: &ServiceState) -> i64 {
        let Some(own) = self.services.get(name) else { return self.longest };
        let soak = if state.stage == Stage::Soaking { own.soak } else { 0 };
        self.limit(soak.max(own.drain).max(self.answers))
    }
    /// The beginning of a trouble: the limit without an answer, and how long a guard may fail (`guard`).
    pub fn trouble(&self, name: &ServiceName, gate: &GateName) -> i64 {
        let own = self.services.get(name).and_then(|own| own.troubles.get(gate));
        own.map_or(self.longest, |own| self.limit(*own))
    }
    /// The newest doing of a task: settling, deadlines, waits, and what its service counts from it (`tasks`, `writer`, `ending`).
    pub fn task(&self, of: &Subject, task: &TaskName) -> i64 {
        // The writer's tasks on the way back have the names of no item.
        let back = *task == named::reverse_fence() || *task == named::reverse_promote();
        let known = self.tasks.get(&(of.clone(), task.clone())).copied();
        known.or(back.then_some(self.answers)).map_or(self.longest, |own| self.limit(own))
    }
    /// The beginning of a pause: its budget (`writer::pause_is_over`).
    pub fn pause(&self, name: &ServiceName) -> i64 {
        self.services.get(name).map_or(self.longest, |own| self.limit(own.pause))
    }
    /// Since when a phase is stable (`phase::not_stable`).
    pub fn stable(&self, phase: &PhaseName) -> i64 {
        self.limit(self.stable.get(phase).copied().unwrap_or_default())
    }
    /// Since when a bridge stands: the answers of its gates from then on.
    pub fn up(&self) -> i64 {
        self.limit(self.answers)
    }
    /// When a claim was asked for: until it can come no more (`bridge::give_up`).
    pub fn claim(&self) -> i64 {
        self.limit(ms(CLAIM_VALID))
    }
    /// What is only asked for whether it is there, or only told to people.
    pub fn nothing(&self) -> i64 {
        self.limit(0)
    }
}

impl OfService {
    fn of(service: &Service) -> Self {
        let scream = service.decommission.as_ref().and_then(|end| end.scream_test);
        let trouble = |gate: &Gate| {
            let silent = ms(gate.unknown_limit).max(ms(gate::silent_after(gate)));
            silent.max(ms(service.soak.guard_for))
        };
        let proofs = service.data.as_ref().into_iter().flat_map(|data| writer_gates(data));
        let own = service.gates.iter().map(|(name, gate)| (name.clone(), gate)).chain(proofs);
        let mut troubles = BTreeMap::new();
        for (name, gate) in own {
            let longest: &mut i64 = troubles.entry(name).or_default();
            *longest = trouble(gate).max(*longest); // a gate may be called like a proof
        }
        Self {
            soak: ms(service.soak.length),
            drain: if scream.is_none() { drain(service) } else { 0 },
            pause: service.data.as_ref().map_or(0, |data| ms(data.pause_budget)),
            troubles,
        }
    }
}

/// What any task is compared with: settling, a wait, and a deadline on the way back.
fn of_item(item: &Item) -> i64 {
    let wait = |deed: &Deed| if let Deed::Act(Act::Wait(span)) = deed { ms(*span) } else { 0 };
    let back = match &item.back {
        Back::By { deed, deadline, .. } => deadline.map_or(0, ms).max(wait(deed)),
        Back::Nothing | Back::Impossible(_) => 0,
    };
    wait(&item.deed).max(back).max(ms(SETTLE))
}

/// Every gate of a plan.
fn gates(plan: &Plan) -> impl Iterator<Item = &Gate> {
    let of_services = plan.services.values().flat_map(|service| {
        let writer = service.data.as_ref().into_iter().flat_map(|data| {
            let own = writer_gates(data).into_iter().map(|(_, gate)| gate);
            own.chain(data.reconcile.values())
        });
        service.gates.values().chain(writer)
    });
    let of_phases = plan.phases.values().flat_map(|phase| phase.after.values()).flat_map(|after| after.gates.values());
    let of_bridges = plan.bridges.values().flat_map(|bridge| bridge.gates.values());
    of_services.chain(of_phases).chain(of_bridges)
}
