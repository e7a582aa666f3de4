//! The way back: dependents first, never to a side that is not better, and undone even if it may never have begun.

use super::{
    draft::{Draft, WaitsFor},
    event::Event,
    invariant::Invariant,
    observed::Backend,
    reason::{Reason, SideRank},
    record::{Direction, ServiceState, Stage},
    route::{self, RouteView, SETTLE},
    step::Step,
};
use crate::plan::{Service, ServiceName, Side, Weight};

/// Takes a service as far back as it may go now.
pub fn retreat(draft: &mut Draft, name: &ServiceName, service: &Service) {
    let state = draft.state(name);
    if state.direction == Direction::Forward {
        return;
    }
    match state.stage {
        Stage::Waiting => returned(draft, name),
        Stage::Shifting(_) | Stage::Soaking => begin(draft, name, service, &state),
        Stage::Returning => finish(draft, name, service, &state),
        Stage::Soaked | Stage::Returned => {}
    }
}

fn returned(draft: &mut Draft, name: &ServiceName) {
    draft.change(name, |s| {
        s.stage = Stage::Returned;
        s.troubles.clear();
        s.hold = None;
    });
    draft.event(Event::Returned { service: name.clone() });
}

/// `order`, backwards: whoever needs this service is back first.
fn dependent_in_the_way(draft: &Draft, name: &ServiceName) -> Option<ServiceName> {
    if !draft.rules.keep(Invariant::Order) {
        return None;
    }
    let back = |other: &ServiceName| matches!(draft.stage(other), Stage::Waiting | Stage::Returned);
    draft.plan.dependents(name).find(|other| !back(other)).cloned()
}

/// Orders all traffic back. An order that may not have arrived is undone like one that did (`undo-on-start`): the new order
/// bears a new mark and a new version, so that the late one is refused.
fn begin(draft: &mut Draft, name: &ServiceName, service: &Service, state: &ServiceState) {
    if let Some(service) = dependent_in_the_way(draft, name) {
        return draft.wait(Step::Return, name, Reason::Dependent { service }, WaitsFor::Step);
    }
    let view = draft.route(name, state);
    if !draft.rules.keep(Invariant::UndoOnStart) && matches!(view, RouteView::Before { .. }) {
        return returned(draft, name);
    }
    let Some((version, shown)) = writable(draft, name, state, &view) else {
        let Some(order) = state.order else { return returned(draft, name) };
        let reason = route::wait(&view, &order, draft.now);
        let on = route::waits_for(&reason);
        return draft.wait(Step::Return, name, reason, on);
    };
    if refused_as_no_better(draft, name, service, state) {
        return leave_dead_legacy(draft, name, service, state, &view, (version, shown));
    }
    draft.order(name, Step::Return, Weight::ZERO, Stage::Returning, version, shown);
}

/// The route's version and weight, if it is ours to write.
fn writable(draft: &Draft, name: &ServiceName, state: &ServiceState, view: &RouteView) -> Option<(String, Weight)> {
    match view {
        RouteView::Before { version, weight } => Some((version.clone(), *weight)),
        RouteView::Pending(..) | RouteView::Effective(_) => {
            route::fresh(draft.seen, name, draft.now).ok().map(|r| (r.version.clone(), state.weight()))
        }
        RouteView::Unknown(_) | RouteView::Foreign(_) | RouteView::Drift(_) => None,
    }
}

/// `no-worse`: legacy is enough, or strictly better than the target as it is loaded now. Else the service holds and says so;
/// the hold ends by itself when legacy can take the traffic, for the way back stays ordered.
fn refused_as_no_better(draft: &mut Draft, name: &ServiceName, service: &Service, state: &ServiceState) -> bool {
    if !draft.rules.keep(Invariant::NoWorse) {
        return false;
    }
    let legacy = draft.side(name, service, Side::Legacy, Weight::ZERO);
    if legacy.backend == Backend::Missing {
        return true; // it is being made, and then there is a side to judge
    }
    let (legacy, target) = (legacy.rank, draft.rank(name, service, Side::Target, state.weight()));
    if legacy == SideRank::Enough || legacy > target {
        draft.change(name, |s| s.hold = None);
        return false;
    }
    let reason = Reason::NoWorse { legacy, target };
    let refused_already = state.hold.as_ref().is_some_and(|h| matches!(h.reason, Reason::NoWorse { .. }));
    if !refused_already {
        draft.hold(name, reason.clone());
    }
    draft.wait(Step::Return, name, reason, WaitsFor::Person);
    true
}

/// What may not go back does not stay on a dead legacy either: if the target is enough for all of it, that is where it goes.
/// The way back stays ordered, for when legacy lives.
fn leave_dead_legacy(
    draft: &mut Draft,
    name: &ServiceName,
    service: &Service,
    state: &ServiceState,
    view: &RouteView,
    (version, shown): (String, Weight),
) {
    let legacy = draft.side(name, service, Side::Legacy, Weight::ZERO);
    let dead = legacy.rank == SideRank::Dead && legacy.dead_rounds >= service.failures();
    let Some(order) = state.order.filter(|_| dead) else { return };
    if draft.rank(name, service, Side::Target, Weight::FULL) != SideRank::Enough {
        return;
    }
    let step = Step::Shift(Weight::FULL);
    if order.weight < Weight::FULL {
        let reason = Reason::LegacyDied { rounds: legacy.dead_rounds };
        draft.event(Event::Evacuated { service: name.clone(), reason });
        draft.order(name, step, Weight::FULL, state.stage, version, shown);
    } else if matches!(view, RouteView::Before { .. }) {
        if route::is_settled(&order, draft.now) {
            draft.set_weight(name, step, &order, version, shown);
        }
        draft.wake_in(order.at, SETTLE);
    }
}

/// All traffic was ordered back: back when real answers show it.
fn finish(draft: &mut Draft, name: &ServiceName, service: &Service, state: &ServiceState) {
    let Some(order) = state.order else { return returned(draft, name) };
    let view = draft.route(name, state);
    if matches!(view, RouteView::Effective(_)) {
        return returned(draft, name);
    }
    if let RouteView::Before { version, weight } = &view
        && route::is_settled(&order, draft.now)
    {
        if refused_as_no_better(draft, name, service, state) {
            return;
        }
        draft.set_weight(name, Step::Return, &order, version.clone(), *weight);
    }
    draft.wake_in(order.at, SETTLE);
    draft.wake_in(order.at, route::EFFECTIVE_WITHIN);
    let reason = route::wait(&view, &order, draft.now);
    let on = route::waits_for(&reason);
    draft.wait(Step::Return, name, reason, on);
}
