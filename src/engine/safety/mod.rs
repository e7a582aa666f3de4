//! Every decision is checked again before it is committed, by other means than it was made: from the record before, the
//! record after, the effects and what was seen, without asking why. Runs in release builds; a violation never panics.

mod ends;
mod tasks;

use std::{cell::OnceCell, collections::BTreeMap};

use jiff::Timestamp;

use super::{
    Decision,
    effect::{Action, Effect},
    invariant::Invariant,
    observed::{Accepted, Answer, Effective, Observed, RouteSeen},
    reason::{Reason, SideRank},
    record::{Direction, Overtaken, Record, ServiceState, Stage},
    route::STALE,
    side,
    walk::Walk,
};
use crate::plan::{Gate, GateName, OnFailure, PhaseName, Plan, Revision, Service, ServiceName, Side, Weight};

/// A decision that must not be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which invariant.
    pub invariant: Invariant,
    /// At which service.
    pub service: ServiceName,
    /// What would have happened.
    pub detail: String,
}

/// All invariants that this decision would break.
pub fn check(revision: &Revision, before: &Record, seen: &Observed, now: Timestamp, decision: &Decision) -> Vec<Violation> {
    let plan = revision.plan();
    let judge = Judge { plan, before, after: &decision.record, seen, now, found: Vec::new(), late: OnceCell::new() };
    judge.run(&decision.effects)
}

struct Judge<'a> {
    plan: &'a Plan,
    before: &'a Record,
    after: &'a Record,
    seen: &'a Observed,
    now: Timestamp,
    found: Vec<Violation>,
    late: OnceCell<BTreeMap<&'a PhaseName, &'a ServiceName>>,
}

impl<'a> Judge<'a> {
    fn run(mut self, effects: &[Effect]) -> Vec<Violation> {
        for effect in effects {
            self.effect(effect);
        }
        let (before, after) = (self.before, self.after);
        for (name, was, is) in before.services.differences(&after.services) {
            let Some(service) = self.plan.services.get(name) else { continue };
            self.order(name, service, was, is);
            self.confirmation(name, service, was, is);
            self.cause(name, service, was, is);
            self.undo(name, was, is);
            self.no_return(name, service, was, is);
        }
        self.end();
        self.found
    }

    /// For each phase, the first of its services that is not on target or leaves it; looked for once.
    fn late(&self) -> &BTreeMap<&'a PhaseName, &'a ServiceName> {
        self.late.get_or_init(|| {
            let mut late: BTreeMap<&PhaseName, &ServiceName> = BTreeMap::new();
            let (mut after, mut last) = (Walk::of(self.after), None);
            for (name, service) in &self.plan.services {
                let there =
                    |s: &ServiceState| (s.stage == Stage::Soaking || s.stage.is_past_soak()) && s.direction == Direction::Forward;
                if !after.state(name).is_some_and(|state| there(state)) && last != Some(&service.phase) {
                    late.entry(&service.phase).or_insert(name);
                    last = Some(&service.phase); // most stand beside others of their phase
                }
            }
            late
        })
    }

    fn found(&mut self, invariant: Invariant, service: &ServiceName, detail: String) {
        self.found.push(Violation { invariant, service: service.clone(), detail });
    }

    fn route(&self, name: &ServiceName) -> Option<&RouteSeen> {
        let fresh = |taken_at| self.now.duration_since(taken_at) <= STALE.signed();
        self.seen.routes.get(name).filter(|sample| fresh(sample.taken_at)).and_then(|sample| sample.value.as_ref().ok())
    }

    fn rank(&self, name: &ServiceName, service: &Service, side: Side, weight: Weight) -> SideRank {
        side::look(self.seen, name, service, side, weight, self.now).rank
    }

    /// `one-owner`, `no-clobber` and what a weight may do.
    fn effect(&mut self, effect: &Effect) {
        let Some(name) = effect.key.step.service() else { return };
        let foreign = self.route(name).and_then(|r| r.owner.clone()).filter(|o| o.run != self.before.run);
        if let Some(owner) = foreign {
            self.found(Invariant::OneOwner, name, format!("its route is driven by run {owner}"));
        }
        if let Action::Task { task, deed } = &effect.action {
            self.task(task, deed);
        }
        let Action::SetWeight { weight, from, .. } = effect.action else { return };
        self.clobber(name, effect, from);
        if let Some(service) = self.plan.services.get(name) {
            self.writes(name, service, weight);
            match effect.key.direction {
                Direction::Forward => self.served(name, service, weight),
                // A dead legacy is left, also where an order that was late has put all on target meanwhile.
                Direction::Backward if weight > from || weight == Weight::FULL => self.served(name, service, weight),
                Direction::Backward => self.no_worse(name, service, weight),
            }
        }
    }

    fn clobber(&mut self, name: &ServiceName, effect: &Effect, from: Weight) {
        let number = effect.key.number;
        let Some(route) = self.route(name) else {
            return self.found(Invariant::NoClobber, name, "its route would be written unseen".to_owned());
        };
        if effect.precondition.version.as_ref() != Some(&route.version) {
            return self.found(
                Invariant::NoClobber,
                name,
                "its route would be written at another version than was seen".to_owned(),
            );
        }
        let by_us = (1..=number).any(|n| route.bears(&self.before.run, name, n));
        let untouched = route.owner.is_none() && route.accepted == Accepted::Split(Weight::ZERO);
        if route.accepted != Accepted::Split(from) || !(by_us || untouched) {
            self.found(Invariant::NoClobber, name, format!("{:?} on its route is nobody's order of this run", route.accepted));
        } else if by_us && !self.ordered_before(name, from, route) {
            self.found(Invariant::NoClobber, name, format!("{from} on its route was changed by hand"));
        }
    }

    /// Whether the mark on the route is that of an order which the record knows, and this is its weight.
    fn ordered_before(&self, name: &ServiceName, shown: Weight, route: &RouteSeen) -> bool {
        let states = [self.before, self.after].into_iter().filter_map(|record| record.services.get(name));
        let mut known = states.flat_map(|state| {
            let orders = state.order.map(|o| [Overtaken { number: o.number, weight: o.weight }, o.before()]);
            orders.into_iter().flatten().chain(state.overtaken.iter().copied())
        });
        known.any(|Overtaken { number, weight }| weight == shown && route.bears(&self.before.run, name, number))
    }

    /// `served` and `way-back`: target is enough for the weight; legacy could take everything back, unless it is dead, and
    /// then all traffic leaves it at once.
    fn served(&mut self, name: &ServiceName, service: &Service, weight: Weight) {
        let target = self.rank(name, service, Side::Target, weight);
        if target != SideRank::Enough {
            self.found(Invariant::Served, name, format!("{weight} would go to a target that is {target}"));
        }
        let ordered_now = self.before.services.get(name).map(|s| s.order) != self.after.services.get(name).map(|s| s.order);
        let legacy = self.rank(name, service, Side::Legacy, Weight::ZERO);
        let evacuates = (legacy == SideRank::Dead || self.is_promoted(name, service)) && weight == Weight::FULL;
        if ordered_now && legacy != SideRank::Enough && !evacuates {
            self.found(Invariant::WayBack, name, format!("{weight} would be ordered while legacy is {legacy}"));
        }
    }

    fn no_worse(&mut self, name: &ServiceName, service: &Service, weight: Weight) {
        let now_at = self.before.services.get(name).map_or(Weight::ZERO, |state| state.weight());
        let (legacy, target) = (self.rank(name, service, Side::Legacy, weight), self.rank(name, service, Side::Target, now_at));
        if legacy != SideRank::Enough && legacy <= target {
            self.found(
                Invariant::NoWorse,
                name,
                format!("traffic would go back to a legacy that is {legacy} from a target that is {target}"),
            );
        }
    }

    /// `order`: a first shift after all that comes before, a return after all that depends on it. Traffic follows a writer that was
    /// promoted whatever becomes of earlier phases, for until then nobody can write.
    fn order(&mut self, name: &ServiceName, service: &Service, was: &ServiceState, is: &ServiceState) {
        let group = self.plan.group_of(name).map(|(_, group)| group);
        let outside = |other: &ServiceName| group.is_none_or(|g| !g.services.contains(other));
        let stage = |other: &ServiceName| self.after.services.get(other).map_or(Stage::Waiting, |s| s.stage);
        let goes_back = |other: &ServiceName| self.after.services.get(other).is_some_and(|s| s.direction == Direction::Backward);
        // An order that the same look takes back is not carried out.
        if was.order.is_none() && is.order.is_some() && is.stage != Stage::Returning {
            let before = self.plan.phases_before(&service.phase).iter().filter(|_| !self.is_promoted(name, service));
            let phases = before.filter_map(|phase| self.late().get(phase).copied());
            let on_target = |o: &ServiceName| stage(o) == Stage::Soaking || stage(o).is_past_soak();
            let needs = service.before().filter(|o| outside(o) && (!on_target(o) || goes_back(o)));
            if let Some(other) = phases.chain(needs).min().cloned() {
                self.found(Invariant::Order, name, format!("it would start before {other} is on target"));
            }
        }
        if was.stage != Stage::Returning && is.stage == Stage::Returning {
            let dependents = self.plan.services.iter().filter(|(_, s)| s.is_after(name)).map(|(other, _)| other);
            let ahead =
                dependents.filter(|o| outside(o)).find(|o| !matches!(stage(o), Stage::Waiting | Stage::Returned)).cloned();
            if let Some(other) = ahead {
                self.found(Invariant::Order, name, format!("it would go back before {other}, which needs it"));
            }
        }
    }

    /// `fresh` and `unknown-holds`: what confirms a weight was sent after it was effective, and is an answer.
    fn confirmation(&mut self, name: &ServiceName, service: &Service, was: &ServiceState, is: &ServiceState) {
        let (Stage::Shifting(from), Some(order)) = (was.stage, was.order) else { return };
        let evacuated = || is.weight() == Weight::FULL && self.rank(name, service, Side::Legacy, Weight::ZERO) == SideRank::Dead;
        let confirmed = match is.stage {
            Stage::Shifting(to) => to > from && !evacuated(),
            stage => stage == Stage::Soaking || stage.is_past_soak(),
        };
        if !confirmed {
            return;
        }
        if order.weight != Weight::FULL && !matches!(is.stage, Stage::Shifting(_)) {
            self.found(Invariant::Order, name, format!("it would count as on target with {} there", order.weight));
        }
        let of_order = self.route(name).filter(|route| route.bears(&self.before.run, name, order.number));
        let effective: Option<Effective> = of_order.and_then(|route| route.effective);
        let Some(effective) = effective.filter(|e| e.weight == order.weight) else {
            return self.found(Invariant::Fresh, name, format!("{} would be confirmed and is not effective", order.weight));
        };
        for (gate_name, gate) in &service.gates {
            self.gate(name, gate_name, gate, effective.since);
        }
    }

    fn gate(&mut self, name: &ServiceName, gate_name: &GateName, gate: &Gate, since: Timestamp) {
        let rounds = self.seen.gates.get(name).and_then(|g| g.get(gate_name)).map_or(&[][..], |g| &g.rounds);
        if matches!(rounds.last().map(|r| &r.answer), None | Some(Answer::Unknown(_))) {
            return self.found(
                Invariant::UnknownHolds,
                name,
                format!("gate {gate_name} would count as passed without an answer"),
            );
        }
        let good = rounds.iter().filter(|r| r.sent_at >= since && r.answer == Answer::Good).count();
        if good < usize::try_from(gate.successes).unwrap_or(usize::MAX) {
            let wanted = gate.successes;
            self.found(
                Invariant::Fresh,
                name,
                format!("gate {gate_name} has {good} of {wanted} good answers since the weight is effective"),
            );
        }
    }

    /// `unknown-holds`: what goes back because a gate failed has bad answers to show; what goes back because a gate was
    /// silent does so because the plan says so.
    fn cause(&mut self, name: &ServiceName, service: &Service, was: &ServiceState, is: &ServiceState) {
        if was.direction == is.direction {
            return;
        }
        let gate = match &is.cause {
            Some(Reason::WithService { service: other }) => return self.company(name, other),
            Some(
                Reason::GateFailed { gate, .. } | Reason::GuardFailed { gate, .. } | Reason::GateUnknownTooLong { gate, .. },
            ) => gate,
            _ => return,
        };
        let Some(rule) = service.gates.get(gate) else { return };
        if matches!(is.cause, Some(Reason::GateUnknownTooLong { .. })) {
            if rule.on_unknown != OnFailure::Rollback {
                self.found(Invariant::UnknownHolds, name, format!("it would go back because gate {gate} is silent"));
            }
            return;
        }
        let rounds = self.seen.gates.get(name).and_then(|g| g.get(gate)).map_or(&[][..], |g| &g.rounds);
        let bad = rounds.iter().filter(|r| matches!(r.answer, Answer::Bad(_))).count();
        if bad < usize::try_from(rule.failures).unwrap_or(usize::MAX) {
            self.found(
                Invariant::UnknownHolds,
                name,
                format!("it would go back because of gate {gate}, which has {bad} bad answers"),
            );
        }
    }

    /// `order`: what goes back because another one does, does not go alone. One that is tried again by now did go back.
    fn company(&mut self, name: &ServiceName, other: &ServiceName) {
        let retried = |is: &ServiceState| self.before.services.get(other).is_some_and(|was| is.attempt > was.attempt);
        if !self.after.services.get(other).is_some_and(|is| is.direction == Direction::Backward || retried(is)) {
            self.found(Invariant::Order, name, format!("it would go back with {other}, which does not go back"));
        }
    }

    /// `undo-on-start`: what was ordered is back only when real answers show the order that took it back.
    fn undo(&mut self, name: &ServiceName, was: &ServiceState, is: &ServiceState) {
        if was.stage == Stage::Returned || is.stage != Stage::Returned {
            return;
        }
        let Some(order) = was.order else { return };
        let of_order = self.route(name).filter(|route| route.bears(&self.before.run, name, order.number));
        let shown = of_order.and_then(|route| route.effective);
        if order.weight != Weight::ZERO || shown.is_none_or(|e| e.weight != Weight::ZERO) {
            self.found(
                Invariant::UndoOnStart,
                name,
                "it would count as back though its last order may still come true".to_owned(),
            );
        }
    }
}
