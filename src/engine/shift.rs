//! From weight to weight: effective, baked, gates passed, then the next one. **A shift is confirmed here.**

use super::{
    agenda::{self, Moment},
    draft::{Draft, WaitsFor},
    event::Event,
    forward, group,
    invariant::Invariant,
    readiness::{self, Obstacle},
    reason::Reason,
    record::{Direction, Order, ServiceState, Stage},
    route::{self, RouteView},
    step::Step,
    tasks::Progress,
    timing, writer,
};
use crate::plan::{Service, ServiceName, Weight};

/// A weight was ordered: confirms it, and orders the next.
pub fn advance(draft: &mut Draft, name: &ServiceName, service: &Service, state: &ServiceState, index: u8) {
    let Some(order) = state.order else { return };
    let step = Step::Shift(order.weight);
    let open = unconfirmed(draft, name, service, state, &order);
    if open.is_empty() {
        return confirmed(draft, name, service, index, &order);
    }
    repeat(draft, name, service, state, &order);
    draft.waits_all(&step, name, open);
}

/// **What keeps the newest weight from being confirmed**: not effective, held, not baked, gates that have not passed since.
fn unconfirmed(draft: &mut Draft, name: &ServiceName, service: &Service, state: &ServiceState, order: &Order) -> Vec<Obstacle> {
    let view = draft.route(name, state);
    let RouteView::Effective(since) = view else {
        if !draft.rules.keep(Invariant::Fresh) {
            return Vec::new();
        }
        draft.look_for(order, &view);
        let reason = route::wait(&view, order, draft.now);
        let on = route::waits_for(&reason);
        return vec![(reason, on)];
    };
    if let Some(hold) = &state.hold {
        return vec![(hold.reason.clone(), WaitsFor::Person)];
    }
    let baked = draft.wake_in(since, agenda::bake(draft.plan, name, service));
    if baked > draft.now {
        return vec![(Reason::Baking { weight: order.weight, until: baked }, WaitsFor::World)];
    }
    readiness::gates_pass(draft, name, service, since)
}

/// Gives an order again that the route shows never to have arrived. What was true when it was given may not be true any more.
fn repeat(draft: &mut Draft, name: &ServiceName, service: &Service, state: &ServiceState, order: &Order) {
    let RouteView::Before { version, weight } = draft.route(name, state) else { return };
    if !route::is_settled(order, draft.now) || !may_repeat(state, order) {
        return;
    }
    let step = Step::Shift(order.weight);
    if let Some((reason, on)) = readiness::sides(draft, name, service, order.weight) {
        return draft.wait(step, name, reason, on);
    }
    // An evacuation, the only order that a held service repeats, waits for no gate.
    let loud = if state.hold.is_none() { readiness::gates_quiet(draft, name, service) } else { Vec::new() };
    if !loud.is_empty() {
        return draft.waits_all(&step, name, loud);
    }
    draft.set_weight(name, step, order, version, weight);
}

/// A fault holds at once, so an order is not given again then; but an evacuation, which the hold came with, is.
fn may_repeat(state: &ServiceState, order: &Order) -> bool {
    match &state.hold {
        None => true,
        Some(hold) => matches!(hold.reason, Reason::NoWayBack { .. }) && order.weight == Weight::FULL,
    }
}

/// A weight is confirmed in the same decision that orders the next, so that one weight is one write of the record.
fn confirmed(draft: &mut Draft, name: &ServiceName, service: &Service, index: u8, order: &Order) {
    let step = Step::Shift(order.weight);
    let Some(next) = agenda::weights(draft.plan, name, service).get(usize::from(index) + 1).copied() else {
        return arrive(draft, name, service, order);
    };
    if let Some((reason, on)) = not_yet(draft, name, service, index, next) {
        return draft.wait(step, name, reason, on);
    }
    let Ok(route) = route::fresh(draft.seen, name, draft.now) else { return };
    let version = route.version.clone();
    draft.event(Event::Confirmed { step: step.of(name), weight: order.weight });
    draft.order(name, Step::Shift(next), next, Stage::Shifting(index.saturating_add(1)), version, order.weight);
}

/// What keeps the next weight back though this one is good: a hold, its group, the sides, the window.
fn not_yet(draft: &mut Draft, name: &ServiceName, service: &Service, index: u8, next: Weight) -> Option<Obstacle> {
    if let Some(reason) = draft.held(&draft.state(name)) {
        return Some((reason, WaitsFor::Person));
    }
    let ready = |draft: &mut Draft, member: &ServiceName, s: &Service, state: &ServiceState| match state.order {
        Some(order) => {
            unconfirmed(draft, member, s, state, &order).is_empty() && readiness::sides(draft, member, s, next).is_none()
        }
        None => false,
    };
    if let Some(reason) = group::waits_for(draft, name, Some(index), ready) {
        return Some((reason, WaitsFor::Step));
    }
    if let Some(obstacle) = readiness::sides(draft, name, service, next) {
        return Some(obstacle);
    }
    let takes = timing::of_weight(draft, name, service);
    let reason = timing::window(draft, name, service, takes)?;
    let on = timing::waits_for(&reason);
    Some((reason, on))
}

/// All traffic is on target; legacy must be seen to carry none, tasks be done and data be the same before the soak begins.
fn arrive(draft: &mut Draft, name: &ServiceName, service: &Service, order: &Order) {
    let active = route::fresh(draft.seen, name, draft.now).ok().and_then(|r| r.legacy_active).unwrap_or(0);
    if active > 0 {
        return draft.wait(Step::Confirm, name, Reason::LegacyStillActive { requests: active }, WaitsFor::World);
    }
    let items = agenda::of_service(service);
    let held = draft.held(&draft.state(name));
    if forward::run(draft, name, service, items, Moment::AfterShift, held.as_ref()) == Progress::Waits
        || !writer::reconciled(draft, name, service)
        || draft.state(name).direction == Direction::Backward
    {
        return;
    }
    let now = draft.stamp;
    draft.change(name, |s| {
        s.stage = Stage::Soaking;
        s.moved_at = Some(now);
    });
    draft.event(Event::Confirmed { step: Step::Shift(order.weight).of(name), weight: order.weight });
    draft.event(Event::Moved { service: name.clone() });
}
