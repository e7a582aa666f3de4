//! What happened, step by step: when each began and ended, and what kept it back before.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{course::Moment, motion::Motion};
use crate::{
    engine::{Decision, Event, Reason, Record, Stage, Step, StepId, Subject, TaskKey, TaskWay, agenda::named},
    plan::{
        PhaseName, Plan, ServiceName,
        schedule::{Calendar, Purpose},
    },
};

/// A step as it went.
#[derive(Debug, Clone)]
pub struct Shot {
    /// Which.
    pub id: StepId,
    /// When it began.
    pub start: Timestamp,
    /// When it ended; `None`: it never did.
    pub end: Option<Timestamp>,
    /// What kept it back last, for longer than a moment, before it began.
    pub after: Option<Reason>,
    /// Whether somebody had to say yes to it first.
    pub approved: Approved,
    /// Until when what was in motion when it began could still be undone in its window.
    pub latest_rollback: Option<Timestamp>,
}

/// Whether a yes stands before a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approved {
    /// No.
    Not,
    /// It was given right before the step began.
    Before,
}

/// What keeps a service, a phase or a bridge back.
#[derive(Debug, Clone)]
struct Kept {
    reason: Reason,
    since: Timestamp,
    /// What kept it back before, for longer than a moment.
    lasted: Option<Reason>,
}

/// All steps of a run, in the order in which they began.
#[derive(Debug)]
pub struct Film<'p> {
    plan: &'p Plan,
    calendar: Calendar<'p>,
    /// What happened.
    pub shots: Vec<Shot>,
    /// Steps that have begun: their places, and since when.
    open: BTreeMap<StepId, (usize, Timestamp)>,
    /// The place of each service's preparation, which may pause.
    prepared: BTreeMap<Subject, usize>,
    /// Steps that are known by what waits for them.
    waited: BTreeSet<StepId>,
    kept: BTreeMap<Subject, Kept>,
    /// Services whose end was approved, and that have not begun it.
    approved: BTreeSet<ServiceName>,
    /// When the last weight of a service was done, the tasks after it not counted.
    carried: BTreeMap<ServiceName, Timestamp>,
    /// When the last task after it was done.
    tasked: BTreeMap<ServiceName, Timestamp>,
    motion: Motion<'p>,
}

/// Whether this keeps a step back that could begin otherwise. What a phase waits for is told of the phase, not of each service.
fn keeps_back(step: &Step, reason: &Reason) -> bool {
    match reason {
        Reason::Need { .. }
        | Reason::InMotion { .. }
        | Reason::TierInMotion { .. }
        | Reason::Group { .. }
        | Reason::WindowClosed { .. }
        | Reason::WindowTooShort { .. }
        | Reason::Frozen { .. }
        | Reason::Bridge { .. }
        | Reason::BridgeNeeded { .. }
        | Reason::NeedEnds { .. }
        | Reason::SharedSystem { .. }
        | Reason::Dependent { .. } => true,
        Reason::Approval { .. } | Reason::Stable { .. } => *step != Step::Prepare,
        _ => false,
    }
}

/// The step that a wait is part of, if it is part of one: a phase that becomes stable, a yes, a preparation, the rest by name.
fn waits_in(step: &Step, reason: &Reason) -> Option<Step> {
    match (step, reason) {
        (Step::Begin, Reason::Approval { .. } | Reason::Refused { .. }) => Some(Step::Begin),
        (Step::Begin, Reason::Phase { .. }) => None,
        (Step::Begin, _) => Some(Step::Stable),
        (
            Step::Prepare,
            Reason::SideUnknown { .. }
            | Reason::SideAbsent { .. }
            | Reason::SideShort { .. }
            | Reason::RouteUnknown { .. }
            | Reason::Backend { .. }
            | Reason::Waiting { .. }
            | Reason::TaskSettling { .. }
            | Reason::GateSamples { .. }
            | Reason::GateUnknown { .. },
        ) => Some(Step::Prepare),
        (Step::CatchUp | Step::ScreamTest | Step::Drain, _) => Some(step.clone()),
        _ => None,
    }
}

impl<'p> Film<'p> {
    /// Nothing happened yet.
    pub fn new(plan: &'p Plan) -> Self {
        Self {
            plan,
            calendar: Calendar::of(plan),
            shots: Vec::new(),
            open: BTreeMap::new(),
            prepared: BTreeMap::new(),
            waited: BTreeSet::new(),
            kept: BTreeMap::new(),
            approved: BTreeSet::new(),
            carried: BTreeMap::new(),
            tasked: BTreeMap::new(),
            motion: Motion::new(plan),
        }
    }

    /// Notes one look.
    pub fn note(&mut self, moment: &Moment<'_>) {
        let Moment { now, before, decision, .. } = *moment;
        self.waits(moment);
        let governed = !(self.plan.windows.is_empty() && self.plan.freezes.is_empty());
        self.motion.note(before, &decision.record);
        let orders = decision.events.iter().any(|event| matches!(event, Event::Ordered { .. } | Event::TaskOrdered { .. }));
        let undo = if orders && governed { self.motion.undo() } else { None };
        let first = self.shots.len();
        for event in &decision.events {
            self.event(before, event, now);
        }
        let Some(undo) = undo else { return };
        let (plan, calendar) = (self.plan, &self.calendar);
        let mut known: BTreeMap<&PhaseName, Option<Timestamp>> = BTreeMap::new();
        for shot in self.shots.iter_mut().skip(first).filter(|shot| is_of_shift(&shot.id.step)) {
            let Some(service) = shot.id.service().and_then(|name| plan.services.get(name)) else { continue };
            let latest = || Some(calendar.latest_rollback(Purpose::Shift(&service.phase), Some(undo), now)?.1);
            shot.latest_rollback = *known.entry(&service.phase).or_insert_with(latest);
        }
    }

    /// The most services that were in motion at once.
    pub fn at_once(&self) -> usize {
        self.motion.most
    }

    fn waits(&mut self, moment: &Moment<'_>) {
        let Moment { now, decision, visited, .. } = *moment;
        let mut waited: BTreeSet<StepId> = BTreeSet::new();
        for wait in &decision.waits {
            if keeps_back(&wait.step.step, &wait.reason) {
                self.keep(&wait.step.of, &wait.reason, now);
            }
            let of_it = |name: &ServiceName| is_of(decision, name, &wait.step.step);
            if let Some(step) = waits_in(&wait.step.step, &wait.reason)
                && wait.step.service().is_none_or(of_it)
            {
                waited.insert(step.of(wait.step.of.clone()));
            }
        }
        let looked_at = |id: &&StepId| match (visited, id.service()) {
            (Some(visited), Some(name)) => visited.contains(name),
            _ => true,
        };
        let over: Vec<StepId> = self.waited.iter().filter(looked_at).filter(|id| !waited.contains(*id)).cloned().collect();
        for id in &over {
            self.waited.remove(id);
            self.end(id, now);
        }
        for id in waited {
            if !self.waited.contains(&id) {
                self.begin(&id, now);
                self.waited.insert(id);
            }
        }
    }

    fn keep(&mut self, of: &Subject, reason: &Reason, now: Timestamp) {
        match self.kept.get_mut(of) {
            Some(kept) if kept.reason == *reason => {}
            Some(kept) => {
                let lasted = if kept.since < now { Some(kept.reason.clone()) } else { kept.lasted.take() };
                *kept = Kept { reason: reason.clone(), since: now, lasted };
            }
            None => drop(self.kept.insert(of.clone(), Kept { reason: reason.clone(), since: now, lasted: None })),
        }
    }

    fn event(&mut self, before: &Record, event: &Event, now: Timestamp) {
        match event {
            Event::TaskOrdered { task } => {
                if let (Some(name), TaskWay::Do) = (task.of.service(), task.way)
                    && before.services.get(name).is_some_and(|state| state.order.is_some())
                {
                    self.carried.entry(name.clone()).or_insert(now);
                }
                self.begin(&step_of(task), now);
            }
            Event::TaskDone { task } | Event::TaskFailed { task, .. } => {
                if let Some(name) = task.of.service().filter(|name| self.carried.contains_key(*name)) {
                    self.tasked.insert(name.clone(), now);
                }
                if task.way == TaskWay::Undo || !is_wait_of_its_own(task) {
                    self.end(&step_of(task), now);
                }
            }
            Event::Prepared { step } if !self.prepared.contains_key(&step.of) => {
                self.begin(step, now);
                self.end(step, now);
            }
            Event::EndApproved { service, .. } => drop(self.approved.insert(service.clone())),
            Event::Ordered { step, .. } => {
                if let Some(name) = step.service() {
                    self.carried.remove(name);
                    self.tasked.remove(name);
                }
                self.begin(step, now);
            }
            Event::Confirmed { step, .. } => {
                let end = step.service().and_then(|name| self.carried.get(name).copied()).unwrap_or(now);
                self.end(step, end);
            }
            Event::Moved { service } => {
                let from = self.tasked.get(service).or(self.carried.get(service)).copied().unwrap_or(now);
                self.begin(&Step::Confirm.of(service), from);
                self.end(&Step::Confirm.of(service), now);
                self.begin(&Step::Soak.of(service), now);
            }
            Event::Soaked { service } => self.end(&Step::Soak.of(service), now),
            Event::Returned { service } => self.end(&Step::Return.of(service), now),
            Event::Decommissioned { service } => self.end(&Step::Decommission.of(service), now),
            _ => {}
        }
    }

    fn begin(&mut self, id: &StepId, now: Timestamp) {
        if self.open.contains_key(id) {
            return;
        }
        let place = match self.prepared.get(&id.of) {
            Some(place) if id.step == Step::Prepare => *place,
            _ => self.shoot(id, now),
        };
        self.open.insert(id.clone(), (place, now));
    }

    fn shoot(&mut self, id: &StepId, now: Timestamp) -> usize {
        let place = self.shots.len();
        if id.step == Step::Prepare {
            self.prepared.insert(id.of.clone(), place);
        }
        let kept = if is_start(&id.step) { self.kept.remove(&id.of) } else { None };
        let after = kept.and_then(|kept| if kept.since < now { Some(kept.reason) } else { kept.lasted });
        let asked = id.service().is_some_and(|name| self.approved.remove(name)) || id.step == Step::Begin;
        let approved = if asked { Approved::Before } else { Approved::Not };
        self.shots.push(Shot { id: id.clone(), start: now, end: None, after, approved, latest_rollback: None });
        place
    }

    /// A step that was taken up again for no more than a moment ended when it ended before.
    fn end(&mut self, id: &StepId, now: Timestamp) {
        let Some((place, since)) = self.open.remove(id) else { return };
        if let Some(shot) = self.shots.get_mut(place) {
            shot.end = shot.end.filter(|_| since == now).or(Some(now));
        }
    }

    /// The steps in the order in which they began.
    pub fn cut(mut self) -> Vec<Shot> {
        self.shots.sort_by_key(|shot| shot.start);
        self.shots
    }
}

/// The step that a task is known by: switching legacy off and denying its address are steps of their own.
fn step_of(task: &TaskKey) -> StepId {
    match task.way {
        TaskWay::Do if task.task == named::switch_off() => Step::Decommission.of(task.of.clone()),
        TaskWay::Do if task.task == named::scream_test() => Step::ScreamTest.of(task.of.clone()),
        _ => task.step(),
    }
}

/// The old address is denied for a while: the task that denies it is over before that while is.
fn is_wait_of_its_own(task: &TaskKey) -> bool {
    task.task == named::scream_test()
}

/// Steps that may have been kept back.
fn is_start(step: &Step) -> bool {
    !matches!(step, Step::Prepare | Step::Confirm | Step::Soak | Step::Begin | Step::Stable | Step::CatchUp)
}

/// Steps that a window governs, and so has a latest rollback.
pub fn is_of_shift(step: &Step) -> bool {
    match step {
        Step::Shift(_) => true,
        Step::Task(name) => *name == named::fence() || *name == named::promote(),
        _ => false,
    }
}

/// Whether a wait tells of the step itself: a service that goes back or is moved waits for other things by this name.
fn is_of(decision: &Decision, name: &ServiceName, step: &Step) -> bool {
    let Some(state) = decision.record.services.get(name) else { return false };
    match step {
        Step::Prepare | Step::CatchUp => state.stage == Stage::Waiting,
        _ => true,
    }
}
