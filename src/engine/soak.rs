//! The watch after the move, with the way back open.

use super::{
    draft::{Draft, WaitsFor},
    event::Event,
    group, readiness,
    reason::Reason,
    record::{ServiceState, Stage},
    route::{self, RouteView},
    step::Step,
};
use crate::plan::{Service, ServiceName};

/// Watched until the soak is over, and as long as something it needs still soaks: what it needs may yet go back. A person may
/// declare the soak over before its time; the guards must be quiet all the same.
pub fn advance(draft: &mut Draft, name: &ServiceName, service: &Service, state: &ServiceState) {
    let Some(moved_at) = state.moved_at else { return };
    let over = draft.wake_in(moved_at, service.soak.length);
    if let Some(hold) = &state.hold {
        return draft.wait(Step::Soak, name, hold.reason.clone(), WaitsFor::Person);
    }
    let view = draft.route(name, state);
    if let (Some(order), false) = (state.order, matches!(view, RouteView::Effective(_))) {
        let reason = route::wait(&view, &order, draft.now);
        let on = route::waits_for(&reason);
        return draft.wait(Step::Soak, name, reason, on);
    }
    if over > draft.now && !draft.seen.orders.declared.contains(name) {
        return draft.wait(Step::Soak, name, Reason::Soak { until: over }, WaitsFor::World);
    }
    if let Some(need) = group::needs_outside(draft.plan, name, service).find(|need| !draft.stage(need).is_past_soak()) {
        return draft.wait(Step::Soak, name, Reason::Need { service: need.clone() }, WaitsFor::Step);
    }
    let open = readiness::gates_pass(draft, name, service, moved_at);
    if !open.is_empty() {
        return draft.waits_all(&Step::Soak, name, open);
    }
    draft.change(name, |s| s.stage = Stage::Soaked);
    draft.event(Event::Soaked { service: name.clone() });
}
