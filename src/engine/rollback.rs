//! What takes a service back, and who goes with it. How each of them goes is [`super::backward`].

use std::collections::{BTreeMap, BTreeSet};

use super::{
    backward,
    draft::{Draft, WaitsFor},
    event::Event,
    invariant::Invariant,
    reason::Reason,
    record::{Direction, ServiceState, Stage},
};
use crate::plan::{OnFailure, Service, ServiceName};

impl Draft<'_, '_> {
    /// What the plan says is to happen when something of this service failed.
    pub fn act(&mut self, name: &ServiceName, action: OnFailure, reason: Reason) {
        match action {
            OnFailure::Rollback => self.send_back(name, &reason),
            OnFailure::Hold if self.state(name).hold.is_none() => self.hold(name, reason),
            OnFailure::Hold => {}
        }
    }

    /// **What takes a group back**, and whoever needs a service: that it goes back itself. All that must go with it does, by the
    /// rollback closure ([`crate::plan::Plan::rollback_closure`]: its scope, what needs it, its group). What has no way back any
    /// more stays, and all that it needs stays with it: it holds, and says why.
    pub fn send_back(&mut self, name: &ServiceName, reason: &Reason) {
        let closure = self.plan.rollback_closure(name);
        let bound = self.bound(&closure);
        if let Some(why) = bound.get(name) {
            if self.state(name).hold.is_none() {
                self.hold(name, why.clone());
            }
            return; // whoever goes back with it would go back alone
        }
        for member in &closure {
            let state = self.state(member);
            if state.direction == Direction::Backward || state.stage == Stage::Returned || self.rests(member, &state) {
                continue;
            }
            if !bound.contains_key(member) {
                let with = || Reason::WithService { service: name.clone() };
                self.turn(member, if member == name { reason.clone() } else { with() });
            }
        }
    }

    /// At an end that nothing but a new run takes back.
    pub fn rests(&self, name: &ServiceName, state: &ServiceState) -> bool {
        let stays = self.plan.services.get(name).is_none_or(|s| s.decommission.is_none());
        state.stage == Stage::Soaked && stays
    }

    /// **`way-back`**: the members that may not go back, each with the reason: past their point of no return, at their end on
    /// target for good, or needed by one of those.
    pub fn bound(&self, members: &BTreeSet<ServiceName>) -> BTreeMap<ServiceName, Reason> {
        let plan = self.plan;
        let mut bound = BTreeMap::new();
        let mut todo: Vec<(&ServiceName, Reason)> = Vec::new();
        for member in members {
            if let Some((name, service)) = plan.services.get_key_value(member)
                && let Some(reason) = self.stays(name, service)
            {
                todo.push((name, reason));
            }
        }
        while let Some((name, reason)) = todo.pop() {
            if bound.insert(name.clone(), reason.clone()).is_none() {
                let needs = plan.services.get(name).into_iter().flat_map(Service::before);
                let group = plan.group_of(name).into_iter().flat_map(|(_, group)| &group.services);
                let also = needs.chain(group).filter(|other| members.contains(*other) && !bound.contains_key(*other));
                todo.extend(also.map(|other| (other, Reason::NoWayBack { why: format!("{name} counts on it: {reason}") })));
            }
        }
        bound
    }

    /// Why a service stays where it is whatever happens to the others.
    fn stays(&self, name: &ServiceName, service: &Service) -> Option<Reason> {
        let state = self.state(name);
        let rests = || self.rests(name, &state).then(|| Reason::NoWayBack { why: "it is past its soak".to_owned() });
        backward::no_return(service, &state).or_else(rests)
    }

    /// Turns one service round. A hold of its way forward does not bind its way back.
    pub fn turn(&mut self, name: &ServiceName, why: Reason) {
        self.change(name, |s| {
            s.direction = Direction::Backward;
            s.cause = Some(why.clone());
            s.hold = None;
            s.troubles.clear(); // no gate is watched on the way back
        });
        self.close_phases_behind(name);
        self.event(Event::GoesBack { service: name.clone(), reason: why });
    }

    /// **`order`**, from the moment on at which a service turns round: what may begin was found at the beginning of the look, and a
    /// service of a later phase may come after this one in it.
    fn close_phases_behind(&mut self, name: &ServiceName) {
        let plan = self.plan;
        let Some((name, service)) = plan.services.get_key_value(name).filter(|_| self.rules.keep(Invariant::Order)) else {
            return;
        };
        for (phase, _) in plan.phases.iter().filter(|(phase, _)| plan.phases_before(phase).contains(&service.phase)) {
            let reason = Reason::Phase { phase: service.phase.clone(), service: name.clone() };
            self.late.entry(phase).or_insert((&service.phase, name));
            self.closed.entry(phase).or_insert((reason, WaitsFor::Step));
        }
    }
}
