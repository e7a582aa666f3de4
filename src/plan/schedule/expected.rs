//! How long each piece of work takes: as the plan says, or as it was measured.

use super::{durations::Durations, work::Work};
use crate::plan::{
    model::{Act, Check, Gate, Plan, Reverse, Router, Service, ServiceTask, Switch, Undo},
    names::{BridgeName, PhaseName, ServiceName, Span},
    spec::{PhaseMoment, ServiceMoment, UndoWhen},
};

/// From an order to the first answer that shows it, where nothing was measured: a route's controller, its data plane and
/// a round of probes.
const TAKES_EFFECT: Span = Span::from_secs(10);
/// Sides found and ready, route read.
const PREPARE: Span = Span::from_secs(10);
/// One call to an API, and its effect seen.
const CALL: Span = Span::from_secs(5);
/// The time to live that a record set is taken to have before the plan lowers it. The plan does not know it; an hour is
/// what zone files commonly say (RFC 1912 section 2.2 recommends more, and nobody waits for less).
pub(crate) const OLD_TTL: Span = Span::from_secs(3_600);

/// Expected durations of one plan. Cheap to make.
#[derive(Debug, Clone)]
pub struct Expected<'a> {
    plan: &'a Plan,
    measured: Durations,
}

impl<'a> Expected<'a> {
    /// As the plan says.
    pub fn of(plan: &'a Plan) -> Self {
        Self::measured(plan, &Durations::default())
    }
    /// As was measured, where it was; else as the plan says.
    pub fn measured(plan: &'a Plan, measured: &Durations) -> Self {
        Self { plan, measured: measured.clone() }
    }
    /// The plan.
    pub fn plan(&self) -> &'a Plan {
        self.plan
    }

    fn takes(&self, work: Work<'_>, planned: Span) -> Span {
        self.measured.of(work).unwrap_or(planned)
    }

    /// What comes before the first weight and is governed by no window: tasks, prepare, TTL, mirror, warming.
    pub fn preparation(&self, name: &ServiceName, service: &Service) -> Span {
        let ttl = match &service.router {
            Router::Dns(_) => self.takes(Work::OldTtl(name), OLD_TTL),
            _ => Span::ZERO,
        };
        let mirror = service.mirror.map_or(Span::ZERO, |mirror| mirror.length);
        let warm = service.warm.as_ref().map_or(Span::ZERO, |act| self.takes(Work::Warm(name), act_time(act)));
        let tasks = self.tasks(name, service, ServiceMoment::BeforePrepare);
        [tasks, self.takes(Work::Prepare(name), PREPARE), ttl, warm, mirror].into_iter().sum()
    }

    /// What comes right before the first weight: tasks, and batch jobs that are suspended.
    pub fn before_shift(&self, name: &ServiceName, service: &Service) -> Span {
        self.tasks(name, service, ServiceMoment::BeforeShift).plus(self.cron(name, service))
    }

    /// What comes right after the last weight: tasks, and batch jobs that are resumed.
    pub fn after_shift(&self, name: &ServiceName, service: &Service) -> Span {
        self.tasks(name, service, ServiceMoment::AfterShift).plus(self.cron(name, service))
    }

    /// The tasks of a service at one moment, one after the other.
    pub fn tasks(&self, name: &ServiceName, service: &Service, at: ServiceMoment) -> Span {
        let of_moment = service.tasks.iter().filter(|(_, task)| task.at == at);
        of_moment.map(|(task_name, task)| self.takes(Work::Task(name, task_name), task.expect)).sum()
    }

    /// The tasks of a phase at one moment, one after the other.
    pub fn phase_tasks(&self, name: &PhaseName, at: PhaseMoment) -> Span {
        let tasks = self.plan.phases.get(name).into_iter().flat_map(|phase| &phase.tasks);
        tasks.filter(|(_, task)| task.at == at).map(|(task, t)| self.takes(Work::PhaseTask(name, task), t.expect)).sum()
    }

    fn cron(&self, name: &ServiceName, service: &Service) -> Span {
        service.cron.iter().map(|job| self.takes(Work::Cron(name, job), CALL)).sum()
    }

    /// Until a weight is in force.
    pub fn effective(&self, name: &ServiceName, service: &Service) -> Span {
        let planned = match &service.router {
            Router::Dns(dns) => TAKES_EFFECT.plus(dns.ttl_during), // resolvers keep the old answer for as long
            _ => TAKES_EFFECT,
        };
        self.takes(Work::Effective(name), planned)
    }

    /// One weight, from its order until the next may be ordered: effective, then bake and gates side by side. `bake` is the
    /// service's, or its group's.
    pub fn weight(&self, name: &ServiceName, service: &Service, bake: Span) -> Span {
        let gates = service.gates.values().map(gate_time).max().unwrap_or_default();
        self.effective(name, service).plus(bake.max(gates))
    }

    /// From the start of the fence to the promoted target: nobody can write. `None` without a single writer.
    pub fn switch(&self, name: &ServiceName, service: &Service) -> Option<Span> {
        let data = service.data.as_deref()?;
        Some(self.switch_of(&data.fence, Work::Fence(name), &data.lag, &data.promote, Work::Promote(name)))
    }

    /// The same on the way back. `None` without a single writer, and where it has no way back.
    pub fn switch_back(&self, name: &ServiceName, service: &Service) -> Option<Span> {
        match &service.data.as_deref()?.reverse {
            Reverse::None(_) => None,
            Reverse::By { lag, fence, promote } => {
                Some(self.switch_of(fence, Work::FenceBack(name), lag, promote, Work::PromoteBack(name)))
            }
        }
    }

    /// From the start of the fence to a legacy that may write again, where the lag does not get to nothing in time. `None` without a
    /// single writer, and where nothing takes its fence back.
    pub fn switch_given_up(&self, name: &ServiceName, service: &Service) -> Option<Span> {
        let data = service.data.as_deref()?;
        Some(self.switch_of(&data.fence, Work::Fence(name), &data.lag, data.unfencing()?, Work::PromoteBack(name)))
    }

    /// The pause of a single writer: the switch, and the traffic that follows it. `None` without a single writer.
    pub fn pause(&self, name: &ServiceName, service: &Service) -> Option<Span> {
        Some(self.switch(name, service)?.plus(self.effective(name, service)))
    }

    fn switch_of(&self, fence: &Switch, fencing: Work<'_>, lag: &Gate, promote: &Switch, promoting: Work<'_>) -> Span {
        let fence = self.takes(fencing, fence.expect);
        let promote = self.takes(promoting, promote.expect);
        // A value that was read before the fence proves nothing: one look after it, and the stretch it speaks for.
        fence.plus(lag.every).plus(window(lag)).plus(promote)
    }

    /// The pieces of a move that start whole or not at all, each with its bake: the tasks before it with the first weight; a
    /// single writer's switch with the weight that follows it.
    pub fn pieces(&self, name: &ServiceName, service: &Service) -> Vec<Span> {
        let (weights, bake) = match self.plan.group_of(name) {
            Some((_, group)) => (group.steps.len(), group.bake),
            None => (service.steps.len(), service.bake),
        };
        let before = self.before_shift(name, service).plus(self.switch(name, service).unwrap_or_default());
        let weight = self.weight(name, service, bake);
        (0..weights).map(|index| if index == 0 { before.plus(weight) } else { weight }).collect()
    }

    /// What these services take to move in lock step: each piece as long as its slowest member. One service: a set of one.
    pub fn moving<'n>(&self, members: impl IntoIterator<Item = &'n ServiceName>) -> Span {
        let mut longest: Vec<Span> = Vec::new();
        for name in members {
            let Some(service) = self.plan.services.get(name) else { continue };
            for (index, piece) in self.pieces(name, service).into_iter().enumerate() {
                match longest.get_mut(index) {
                    Some(longest) => *longest = piece.max(*longest),
                    None => longest.push(piece),
                }
            }
        }
        longest.into_iter().sum()
    }

    /// What a service's traffic takes to go back: what stands before it, the writer, and each weight of the way back.
    pub fn traffic_back(&self, name: &ServiceName, service: &Service) -> Span {
        let weights = u32::try_from(service.rollback_steps.len().max(1)).unwrap_or(u32::MAX);
        let writer = self.switch_back(name, service).unwrap_or_default();
        let tasks = self.undos(name, service, UndoWhen::BeforeTraffic);
        tasks.plus(writer).plus(self.effective(name, service).times(weights))
    }

    /// What remains to be taken back of a service once its traffic is back.
    pub fn rest_back(&self, name: &ServiceName, service: &Service) -> Span {
        self.undos(name, service, UndoWhen::AfterTraffic).plus(self.cron(name, service))
    }

    fn undos(&self, name: &ServiceName, service: &Service, when: UndoWhen) -> Span {
        let in_motion = |task: &ServiceTask| {
            // Tasks after the soak are done when the service is in motion no more.
            matches!(task.at, ServiceMoment::BeforePrepare | ServiceMoment::BeforeShift | ServiceMoment::AfterShift)
        };
        let of_service = service.tasks.iter().filter(|(_, task)| in_motion(task));
        of_service.map(|(task_name, task)| self.undo(&task.undo, when, Work::TaskUndo(name, task_name))).sum()
    }

    /// What taking back the tasks of a phase takes.
    pub(super) fn phase_undo(&self, name: &PhaseName, when: UndoWhen) -> Span {
        let tasks = self.plan.phases.get(name).into_iter().flat_map(|phase| &phase.tasks);
        tasks.map(|(task_name, task)| self.undo(&task.undo, when, Work::PhaseTaskUndo(name, task_name))).sum()
    }

    fn undo(&self, undo: &Undo, wanted: UndoWhen, work: Work<'_>) -> Span {
        match undo {
            Undo::Do { when, deadline, expect, .. } if *when == wanted => {
                let takes = self.takes(work, *expect);
                match (wanted, deadline) {
                    // After its deadline the traffic moves anyway.
                    (UndoWhen::BeforeTraffic, Some(deadline)) => takes.min(*deadline),
                    _ => takes,
                }
            }
            _ => Span::ZERO,
        }
    }

    /// The pieces of a service's end after its soak: scream test; then tasks, drain and what is switched off. None if legacy
    /// stays.
    pub fn end_pieces(&self, name: &ServiceName, service: &Service) -> Vec<Span> {
        let Some(end) = &service.decommission else { return Vec::new() };
        let drain = service.drain_deadline.or(service.max_connection_age).unwrap_or_default();
        let tasks = self.tasks(name, service, ServiceMoment::BeforeDecommission);
        let last = tasks.plus(self.takes(Work::Drain(name), drain)).plus(CALL);
        end.scream_test.into_iter().chain([last]).collect()
    }

    /// Until a bridge stands.
    pub fn bridge_up(&self, name: &BridgeName) -> Span {
        let managed = self.plan.bridges.get(name).and_then(|bridge| bridge.managed.as_ref());
        managed.map_or(Span::ZERO, |managed| self.takes(Work::BridgeUp(name), managed.up_expect))
    }
}

/// What a machine's act takes where the plan does not say.
fn act_time(act: &Act) -> Span {
    match act {
        Act::Wait(span) => *span,
        Act::Manual { .. } | Act::Job(_) | Act::Http { .. } | Act::Silence { .. } | Act::Notify { .. } | Act::QuiesceCron(_) => {
            CALL
        }
    }
}

/// The stretch of time that one value of a gate speaks for: it lies wholly after what is judged.
pub(crate) fn window(gate: &Gate) -> Span {
    match &gate.check {
        Check::Prometheus { window, .. } => *window,
        Check::Probe(_) | Check::Http(_) => Span::ZERO,
    }
}

/// What a gate needs after a weight became effective: its window, then so many looks.
pub(crate) fn gate_time(gate: &Gate) -> Span {
    window(gate).plus(gate.every.times(gate.successes)).plus(gate.timeout)
}
