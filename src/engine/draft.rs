//! A decision in the making: what the passes of [`super::decide`] read and write.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    Decision, Wait,
    effect::{Action, Effect, EffectKey, Precondition},
    event::Event,
    invariant::Invariant,
    observed::Observed,
    reason::{Reason, SideRank},
    record::{Direction, Hold, Order, Record, ServiceState, Stage},
    route::{self, RouteView},
    rules::Rules,
    side::{self, SideView},
    step::Step,
};
use crate::plan::{PhaseName, Plan, Service, ServiceName, Side, Span, Weight};

/// How long after a decision its effects may still be done. What was suspended for longer decides anew.
const EFFECT_VALID: Span = Span::from_secs(10);

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

/// A decision in the making.
pub struct Draft<'a> {
    pub plan: &'a Plan,
    pub seen: &'a Observed,
    pub now: Timestamp,
    pub rules: Rules,
    /// The next record.
    pub next: Record,
    pub effects: Vec<Effect>,
    pub events: Vec<Event>,
    pub waits: Vec<(Wait, WaitsFor)>,
    pub wake_at: Option<Timestamp>,
    pub due_at: Option<Timestamp>,
    /// For each phase that may not begin yet: a service of an earlier phase that is not on target.
    late: BTreeMap<&'a PhaseName, (&'a PhaseName, &'a ServiceName)>,
}

impl<'a> Draft<'a> {
    pub fn new(plan: &'a Plan, record: &Record, seen: &'a Observed, now: Timestamp, rules: Rules) -> Self {
        let next = record.clone();
        Self {
            plan,
            seen,
            now,
            rules,
            next,
            effects: Vec::new(),
            events: Vec::new(),
            waits: Vec::new(),
            wake_at: None,
            due_at: None,
            late: BTreeMap::new(),
        }
    }

    /// The decision as it stands. Of several orders for one service only the newest is carried out, and once.
    pub fn finish(self, outcome: Option<super::Outcome>) -> Decision {
        let Self { next: record, mut effects, events, waits, wake_at, due_at, .. } = self;
        let newest = |name: &ServiceName| record.services.get(name).and_then(|s| s.order).map_or(0, |o| o.number);
        effects.retain(|e| e.key.number == 0 || e.key.number == newest(&e.key.step.service));
        let mut keys = std::collections::BTreeSet::new();
        effects.retain(|e| keys.insert((e.key.to_string(), format!("{:?}", e.action))));
        let waits = waits.into_iter().map(|(wait, _)| wait).collect();
        Decision { record, effects, events, waits, wake_at, due_at, outcome }
    }

    pub fn state(&self, name: &ServiceName) -> ServiceState {
        self.next.services.get(name).cloned().unwrap_or_default()
    }
    pub fn stage(&self, name: &ServiceName) -> Stage {
        self.next.services.get(name).map_or(Stage::Waiting, |s| s.stage)
    }
    pub fn change(&mut self, name: &ServiceName, change: impl FnOnce(&mut ServiceState)) {
        change(self.next.services.entry(name.clone()).or_default());
    }
    /// Looks once for all services which phases may not begin yet; as of now, for one pass.
    pub fn survey(&mut self) {
        self.late = self.ahead(|draft, name| !draft.on_target(name));
    }
    /// What the phase of `service` waits for.
    pub fn late_phase(&self, service: &Service) -> Option<(&'a PhaseName, &'a ServiceName)> {
        self.late.get(&service.phase).copied()
    }
    /// For each phase: a service of an earlier phase of which this holds, if there is one.
    pub fn ahead(
        &self,
        holds: impl Fn(&Self, &ServiceName) -> bool,
    ) -> BTreeMap<&'a PhaseName, (&'a PhaseName, &'a ServiceName)> {
        let plan = self.plan;
        let mut own: BTreeMap<&PhaseName, &ServiceName> = BTreeMap::new();
        for (name, service) in &plan.services {
            if !own.contains_key(&service.phase) && holds(self, name) {
                own.insert(&service.phase, name);
            }
        }
        let first = |phase| plan.phases_before(phase).into_iter().find_map(|before| Some((before, *own.get(before)?)));
        plan.phases.keys().filter_map(|phase| Some((phase, first(phase)?))).collect()
    }
    /// All of the service's traffic is confirmed on target, and it is not on its way back.
    pub fn on_target(&self, name: &ServiceName) -> bool {
        let state = self.next.services.get(name);
        state.is_some_and(|s| matches!(s.stage, Stage::Soaking | Stage::Soaked) && s.direction == Direction::Forward)
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
    pub fn wait(&mut self, step: Step, service: &ServiceName, reason: Reason, on: WaitsFor) {
        let since = self.next.services.get(service).and_then(|s| s.hold.as_ref().map(|h| h.since).or(s.order.map(|o| o.at)));
        self.waits.push((Wait { step: step.of(service), reason, since }, on));
    }
    /// Look again at this moment, if it lies ahead.
    pub fn wake(&mut self, at: Timestamp) {
        if at > self.now {
            self.wake_at = Some(self.wake_at.map_or(at, |earlier| earlier.min(at)));
            self.due_at = Some(self.due_at.map_or(at, |earlier| earlier.min(at)));
        }
    }
    /// Look again after so long without an answer: silence is no news.
    pub fn wake_if_silent(&mut self, span: Span) {
        let at = self.now.saturating_add(span.signed()).unwrap_or(Timestamp::MAX);
        self.wake_at = Some(self.wake_at.map_or(at, |earlier| earlier.min(at)));
    }
    pub fn wake_in(&mut self, from: Timestamp, span: Span) -> Timestamp {
        let at = from.saturating_add(span.signed()).unwrap_or(Timestamp::MAX);
        self.wake(at);
        at
    }

    /// Orders a weight and gives the effect that carries it out.
    pub fn order(&mut self, name: &ServiceName, step: Step, weight: Weight, stage: Stage, version: String, shown: Weight) {
        let state = self.state(name);
        let order =
            Order { from: state.weight(), weight, number: state.order.map_or(1, |o| o.number.saturating_add(1)), at: self.now };
        self.change(name, |s| {
            s.stage = stage;
            s.order = Some(order);
        });
        self.event(Event::Ordered { step: step.of(name), from: order.from, weight });
        self.set_weight(name, step, &order, version, shown);
    }

    /// The effect that carries out the newest order.
    pub fn set_weight(&mut self, name: &ServiceName, step: Step, order: &Order, version: String, shown: Weight) {
        let action = Action::SetWeight { service: name.clone(), weight: order.weight, from: shown };
        self.effect(name, step, order.number, action, Some(version));
        self.wake_in(order.at, route::SETTLE);
        self.wake_in(order.at, route::EFFECTIVE_WITHIN);
    }

    pub fn effect(&mut self, name: &ServiceName, step: Step, number: u32, action: Action, version: Option<String>) {
        let direction = self.next.services.get(name).map_or(Direction::Forward, |s| s.direction);
        let key = EffectKey { run: self.next.run.clone(), step: step.of(name), number, direction };
        let deadline = self.now.saturating_add(EFFECT_VALID.signed()).unwrap_or(Timestamp::MAX);
        self.effects.push(Effect { key, action, precondition: Precondition { version, deadline } });
    }

    /// Holds one service until a person resumes it.
    pub fn hold(&mut self, name: &ServiceName, reason: Reason) {
        let (id, since) = (self.next.next_latch(), self.now);
        self.change(name, |s| s.hold = Some(Hold { id, since, reason: reason.clone() }));
        self.event(Event::Held { service: Some(name.clone()), reason });
    }

    /// Sends a service back with all that must go with it.
    pub fn send_back(&mut self, name: &ServiceName, reason: &Reason) {
        for member in self.plan.rollback_closure(name) {
            let state = self.state(&member);
            if state.direction == Direction::Backward || state.stage == Stage::Soaked {
                continue;
            }
            let why = if member == *name { reason.clone() } else { Reason::WithService { service: name.clone() } };
            self.turn(&member, why);
        }
    }

    /// Turns one service round. A hold of its way forward does not bind its way back.
    pub fn turn(&mut self, name: &ServiceName, why: Reason) {
        self.change(name, |s| {
            s.direction = Direction::Backward;
            s.cause = Some(why.clone());
            s.hold = None;
        });
        self.event(Event::GoesBack { service: name.clone(), reason: why });
    }
}
