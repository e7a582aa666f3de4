//! A decision in the making: what the passes of [`super::decide`] read and write.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
};

use jiff::Timestamp;

use super::{
    Decision, Wait, backward,
    effect::{Action, Effect, EffectKey, Precondition},
    ending,
    event::Event,
    invariant::Invariant,
    observed::Observed,
    outcome, phase,
    readiness::Obstacle,
    reason::{Reason, SideRank},
    record::{Direction, Hold, Latch, LatchKind, Order, Record, ServiceState, Stage, millis::whole},
    roster::Place,
    route::{self, RouteView},
    rules::Rules,
    shared::Shared,
    side::{self, SideView},
    step::{Step, StepId, Subject},
    task::{TaskStage, TaskState},
    timing, walk,
    way_back::WayBack,
};
use crate::plan::{PhaseName, Plan, Service, ServiceName, Side, Span, TaskName, Weight};

/// How long after a decision its effects may still be done. What was suspended for longer decides anew.
pub const EFFECT_VALID: Span = Span::from_secs(10);

/// Who can end a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitsFor {
    /// Time or the world: it may pass by itself.
    World,
    /// Another step of this run.
    Step,
    /// A person.
    Person,
}

/// For each phase that may not begin yet: the earlier phase and a service of it that is not on target.
pub type Late<'a> = BTreeMap<&'a PhaseName, (&'a PhaseName, &'a ServiceName)>;

/// A decision in the making.
pub struct Draft<'a, 's> {
    pub plan: &'a Plan,
    pub seen: &'s Observed,
    pub now: Timestamp,
    /// The same as the record keeps it.
    pub stamp: Timestamp,
    pub rules: Rules,
    /// The next record.
    pub next: Record,
    pub effects: Vec<Effect>,
    pub events: Vec<Event>,
    pub waits: Vec<(Wait, WaitsFor)>,
    pub wake_at: Option<Timestamp>,
    pub due_at: Option<Timestamp>,
    /// When what was ordered is looked for, as it may have been lost.
    pub lost_at: Option<Timestamp>,
    /// For each phase that may not begin yet: a service of an earlier phase that is not on target.
    pub late: Late<'a>,
    /// Why phases may not begin that may not.
    pub closed: BTreeMap<&'a PhaseName, Obstacle>,
    /// The services in motion: as of the beginning of the pass, and those that started in it.
    pub moving: BTreeSet<&'a ServiceName>,
    /// How long those take to go back.
    pub way_back: WayBack<'a>,
    /// Services that went back, or that never start because one of those comes before them.
    pub gone: BTreeSet<&'a ServiceName>,
    /// Whether all that is left of the run are services that never start.
    pub idle: bool,
    /// Where the service stands in the record that was asked for last.
    last: Cell<Place>,
}

/// For each effect whether it is the first of its kind: under one key, one action is done once.
fn once(effects: &[Effect]) -> Vec<bool> {
    let mut known: BTreeMap<(&StepId, u32), Vec<&Effect>> = BTreeMap::new();
    let mut all = Vec::with_capacity(effects.len());
    for effect in effects {
        let same = known.entry((&effect.key.step, effect.key.number)).or_default();
        let is_first = !same.iter().any(|other| other.key == effect.key && other.action == effect.action);
        if is_first {
            same.push(effect);
        }
        all.push(is_first);
    }
    all
}

/// At this moment, if nothing is earlier.
fn sooner(known: &mut Option<Timestamp>, at: Timestamp) {
    *known = Some(known.map_or(at, |earlier| earlier.min(at)));
}

impl<'a, 's> Draft<'a, 's> {
    pub fn new(plan: &'a Plan, record: &Record, seen: &'s Observed, now: Timestamp, rules: Rules) -> Self {
        let next = record.clone();
        Self {
            plan,
            seen,
            now,
            stamp: whole(now),
            rules,
            next,
            effects: Vec::new(),
            events: Vec::new(),
            waits: Vec::new(),
            wake_at: None,
            due_at: None,
            lost_at: None,
            late: BTreeMap::new(),
            closed: BTreeMap::new(),
            moving: BTreeSet::new(),
            way_back: WayBack::default(),
            gone: BTreeSet::new(),
            idle: false,
            last: Cell::default(),
        }
    }

    /// The decision as it stands. Of several orders for one service only the newest is carried out, and once.
    pub fn finish(self, outcome: Option<super::Outcome>) -> Decision {
        let Self { next: record, mut effects, events, waits, wake_at, due_at, lost_at, .. } = self;
        let due_at = [due_at, lost_at].into_iter().flatten().min();
        let newest = |name: &ServiceName| record.services.get(name).and_then(|s| s.order).map_or(0, |o| o.number);
        let is_old = |e: &Effect| match (&e.action, e.key.step.service()) {
            (Action::SetWeight { .. }, Some(service)) => e.key.number != newest(service),
            _ => false,
        };
        effects.retain(|e| !is_old(e));
        if effects.len() > 1 {
            let mut first = once(&effects).into_iter();
            effects.retain(|_| first.next().unwrap_or(true));
        }
        let waits = waits.into_iter().map(|(wait, _)| wait).collect();
        Decision { record, effects, events, waits, wake_at, due_at, outcome }
    }

    /// What the next record has of a service.
    pub fn own(&self, name: &ServiceName) -> Option<&Shared<ServiceState>> {
        self.next.services.get_again(name, &self.last)
    }
    pub fn state(&self, name: &ServiceName) -> Shared<ServiceState> {
        self.own(name).cloned().unwrap_or_default()
    }
    pub fn stage(&self, name: &ServiceName) -> Stage {
        self.own(name).map_or(Stage::Waiting, |s| s.stage)
    }
    pub fn change(&mut self, name: &ServiceName, change: impl FnOnce(&mut ServiceState)) {
        self.next.services.change(name, change);
    }
    /// The services whose state is such, in the plan's order.
    pub fn select(&self, such: impl Fn(&Service, &ServiceState) -> bool) -> Vec<(&'a ServiceName, &'a Service)> {
        walk::select(self.plan, &self.next, such)
    }
    /// Looks once for all services which phases may not begin yet; as of now, for one pass.
    pub fn survey(&mut self) {
        self.late = self.ahead(|draft, name| !draft.is_moved(name));
        self.moving = self.select(timing::is_moving).into_iter().map(|(name, _)| name).collect();
        self.gone = outcome::gone(self);
        self.idle = !self.gone.is_empty() && outcome::is_idle(self);
        outcome::take_back_prepared(self);
        self.closed = phase::survey(self);
    }
    /// A service of an earlier phase that is not on target yet, and that phase.
    pub fn late_phase(&self, phase: &PhaseName) -> Option<(&'a PhaseName, &'a ServiceName)> {
        self.late.get(phase).copied()
    }
    /// For each phase: a service of an earlier phase of which this holds, if there is one.
    pub fn ahead(
        &self,
        holds: impl Fn(&Self, &ServiceName) -> bool,
    ) -> BTreeMap<&'a PhaseName, (&'a PhaseName, &'a ServiceName)> {
        let plan = self.plan;
        let mut late = plan.phases.keys().filter(|phase| !plan.phases_before(phase).is_empty()).peekable();
        if late.peek().is_none() {
            return BTreeMap::new();
        }
        let member = |phase| Some((phase, plan.members(phase).iter().find(|name| holds(self, name))?));
        let own: BTreeMap<&PhaseName, &ServiceName> = plan.phases.keys().filter_map(member).collect();
        let first = |phase| plan.phases_before(phase).iter().find_map(|before| Some((before, *own.get(before)?)));
        late.filter_map(|phase| Some((phase, first(phase)?))).collect()
    }
    /// All of the service's traffic is confirmed on target, and it is not on its way back.
    pub fn is_moved(&self, name: &ServiceName) -> bool {
        let moved = |s: &ServiceState| s.stage == Stage::Soaking || s.stage.is_past_soak();
        self.own(name).is_some_and(|s| moved(s) && s.direction == Direction::Forward)
    }
    /// Nothing more is to be done for the service.
    pub fn at_end(&self, name: &ServiceName) -> bool {
        let Some(service) = self.plan.services.get(name) else { return true };
        match self.stage(name) {
            Stage::Returned => backward::is_end(self, name, service),
            stage if stage.is_past_soak() => ending::is_end(self, name, service),
            _ => false,
        }
    }
    /// **Why nothing of this service may start**: a hold of its own, or one of the whole run.
    pub fn held(&self, state: &ServiceState) -> Option<Reason> {
        state.hold.as_ref().map(|h| h.reason.clone()).or_else(|| self.run_held())
    }
    /// Why nothing of the run may start.
    pub fn run_held(&self) -> Option<Reason> {
        self.next.latch.as_ref().filter(|l| l.kind == LatchKind::Hold).map(|l| l.reason.clone())
    }
    /// Holds the whole run until a person resumes it. A rollback goes on beside it.
    pub fn hold_run(&mut self, reason: Reason) {
        if self.next.latch.as_ref().and_then(Latch::holds).is_some() {
            return;
        }
        let (id, since) = (self.next.next_latch(), self.stamp);
        match &mut self.next.latch {
            Some(latch) => latch.hold = Some(Hold { id, since, reason: reason.clone() }),
            None => self.next.latch = Some(Latch { id, kind: LatchKind::Hold, since, reason: reason.clone(), hold: None }),
        }
        self.event(Event::Held { service: None, reason });
    }
    /// Several waits of one step.
    pub fn waits_all(&mut self, step: &Step, name: &ServiceName, reasons: Vec<Obstacle>) {
        for (reason, on) in reasons {
            self.wait(step.clone(), name, reason, on);
        }
    }
    pub fn rank(&self, name: &ServiceName, service: &Service, side: Side, weight: Weight) -> SideRank {
        self.side(name, service, side, weight).rank
    }
    pub fn side(&self, name: &ServiceName, service: &Service, side: Side, weight: Weight) -> SideView {
        side::look(self.seen, name, service, side, weight, self.now)
    }
    pub fn route(&self, name: &ServiceName, state: &ServiceState) -> RouteView {
        let view = route::look(self.seen, name, state, &self.next.run, self.now);
        match view {
            RouteView::Foreign(_) if !self.rules.keep(Invariant::OneOwner) => self.unguarded(name),
            RouteView::Drift(_) if !self.rules.keep(Invariant::NoClobber) => self.unguarded(name),
            other => other,
        }
    }
    /// The route without the rules that protect what others wrote.
    fn unguarded(&self, name: &ServiceName) -> RouteView {
        match route::fresh(self.seen, name, self.now) {
            Ok(seen) => RouteView::Before { version: seen.version.clone(), weight: Weight::ZERO },
            Err(why) => RouteView::Unknown(why),
        }
    }

    /// A recorded moment from which samples count. One that lies ahead was written by a process whose clock was ahead of
    /// ours: whatever this process has seen came after it.
    pub fn since(&self, recorded: Timestamp) -> Timestamp {
        if recorded > self.now { Timestamp::MIN } else { recorded }
    }

    pub fn event(&mut self, event: Event) {
        self.events.push(event);
    }
    pub fn wait(&mut self, step: Step, of: impl Into<Subject>, reason: Reason, on: WaitsFor) {
        let step = step.of(of);
        let since = match (&step.step, &step.of) {
            (Step::Task(task) | Step::Undo(task), of) => self.task(of, task).map(|t| t.at),
            (_, Subject::Service(name)) => {
                self.own(name).and_then(|s| s.hold.as_ref().map(|h| h.since).or(s.order.map(|o| o.at)))
            }
            _ => None,
        };
        self.waits.push((Wait { step, reason, since }, on));
    }
    /// How far a task is; `None`: nothing was done for it.
    pub fn task(&self, of: &Subject, task: &TaskName) -> Option<TaskState> {
        match of {
            Subject::Service(name) => self.own(name)?.tasks.get(task).copied(),
            Subject::Phase(name) => self.next.phases.get(name)?.tasks.get(task).copied(),
            Subject::Bridge(name) => self.next.bridges.get(name)?.tasks.get(task).copied(),
        }
    }
    pub fn set_task(&mut self, of: &Subject, task: &TaskName, state: TaskState) {
        let tasks = match of {
            Subject::Service(name) => {
                return self.change(name, |s| {
                    s.tasks.insert(task.clone(), state);
                });
            }
            Subject::Phase(name) => &mut self.next.phases.entry(name.clone()).or_default().tasks,
            Subject::Bridge(name) => &mut self.next.bridges.entry(name.clone()).or_default().tasks,
        };
        tasks.insert(task.clone(), state);
    }
    /// A task that something was done for counts for nothing any more; its numbers go on.
    pub fn undone(&mut self, of: &Subject, task: &TaskName) {
        if let Some(state) = self.task(of, task) {
            self.set_task(of, task, TaskState { stage: TaskStage::Undone, ..state });
        }
    }
    /// Look again at this moment, if it lies ahead.
    pub fn wake(&mut self, at: Timestamp) {
        if at > self.now {
            sooner(&mut self.wake_at, at);
            sooner(&mut self.due_at, at);
        }
    }
    /// Look then for what was ordered: it may have been lost. Where all effects arrive at once nothing is due at such a moment.
    pub fn look_for_lost(&mut self, from: Timestamp, span: Span) -> Timestamp {
        let at = from.saturating_add(span.signed()).unwrap_or(Timestamp::MAX);
        if at > self.now {
            sooner(&mut self.wake_at, at);
            sooner(&mut self.lost_at, at);
        }
        at
    }
    /// Look again after so long without an answer: silence is no news.
    pub fn wake_if_silent(&mut self, span: Span) {
        let at = self.now.saturating_add(span.signed()).unwrap_or(Timestamp::MAX);
        sooner(&mut self.wake_at, at);
    }
    pub fn wake_in(&mut self, from: Timestamp, span: Span) -> Timestamp {
        let at = from.saturating_add(span.signed()).unwrap_or(Timestamp::MAX);
        self.wake(at);
        at
    }

    /// Orders a weight and gives the effect that carries it out.
    pub fn order(&mut self, name: &ServiceName, step: Step, weight: Weight, stage: Stage, version: String, shown: Weight) {
        let state = self.state(name);
        let order = Order {
            from: state.weight(),
            weight,
            number: state.order.map_or(state.numbered, |o| o.number).saturating_add(1),
            at: self.stamp,
        };
        let overtaken = route::overtaken(self.seen, name, &state, &self.next.run, self.now);
        self.change(name, |s| {
            s.stage = stage;
            s.order = Some(order);
            s.overtaken = overtaken;
        });
        self.event(Event::Ordered { step: step.clone().of(name), from: order.from, weight });
        self.set_weight(name, step, &order, version, shown);
    }

    /// The effect that carries out the newest order.
    pub fn set_weight(&mut self, name: &ServiceName, step: Step, order: &Order, version: String, shown: Weight) {
        let action = Action::SetWeight { service: name.clone(), weight: order.weight, from: shown };
        self.effect(name, step, order.number, action, Some(version));
        self.look_for_lost(order.at, route::SETTLE);
        if self.wake_in(order.at, route::EFFECTIVE_WITHIN) <= self.now {
            self.look_for_lost(self.now, EFFECT_VALID); // it was lost before, and may be again
        }
    }

    /// Look again for the newest order: for it to arrive, as long as the route does not show it, and for it to be in force.
    pub fn look_for(&mut self, order: &Order, view: &RouteView) {
        if matches!(view, RouteView::Before { .. }) {
            self.look_for_lost(order.at, route::SETTLE);
        }
        self.wake_in(order.at, route::EFFECTIVE_WITHIN);
    }

    pub fn effect(&mut self, name: &ServiceName, step: Step, number: u32, action: Action, version: Option<String>) {
        self.effect_of(step.of(name), number, action, version);
    }

    pub fn effect_of(&mut self, step: StepId, number: u32, action: Action, version: Option<String>) {
        let direction = step.service().and_then(|name| self.own(name)).map_or(Direction::Forward, |s| s.direction);
        let key = EffectKey { run: self.next.run.clone(), step, number, direction };
        let deadline = self.now.saturating_add(EFFECT_VALID.signed()).unwrap_or(Timestamp::MAX);
        self.effects.push(Effect { key, action, precondition: Precondition { version, deadline } });
        if number == 0 {
            self.look_for_lost(self.now, EFFECT_VALID); // what is no order is asked for at each look, and nothing else may ever happen
        }
    }

    /// Holds one service until a person resumes it.
    pub fn hold(&mut self, name: &ServiceName, reason: Reason) {
        let (id, since) = (self.next.next_latch(), self.stamp);
        self.change(name, |s| s.hold = Some(Hold { id, since, reason: reason.clone() }));
        self.event(Event::Held { service: Some(name.clone()), reason });
    }
    /// Holds whoever a step is of until a person resumes it, unless that holds already. What is no service's holds the whole run.
    pub fn hold_for(&mut self, of: &Subject, reason: Reason) {
        match of {
            Subject::Service(name) if self.state(name).hold.is_none() => self.hold(name, reason),
            Subject::Service(_) => {}
            Subject::Phase(_) | Subject::Bridge(_) => self.hold_run(reason),
        }
    }
}
