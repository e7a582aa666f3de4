//! The watch after the move, with the way back open.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{
    draft::{Draft, WaitsFor},
    event::Event,
    group, readiness,
    reason::Reason,
    record::{Outcome, Record, ServiceState, Stage},
    route::{self, RouteView},
    step::Step,
};
use crate::plan::{Plan, Service, ServiceName};

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
    if over > draft.now && draft.seen.orders.declared.get(name) != Some(&state.attempt) {
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

/// Why the soak of a service cannot be declared over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoDeclaration {
    /// The run is over.
    Ended(Outcome),
    /// The plan has no such service.
    NoService(ServiceName),
    /// It does not soak now.
    NotSoaking(ServiceName),
}

impl fmt::Display for NoDeclaration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(outcome) => write!(f, "the run has ended ({outcome}): nothing soaks any more"),
            Self::NoService(name) => write!(f, "the run has no service {name}"),
            Self::NotSoaking(name) => write!(f, "{name} does not soak now: there is nothing to be declared"),
        }
    }
}

/// The attempts whose soak is over by a person's word, for services that soak now.
///
/// # Errors
/// All that speaks against it.
pub fn declared(
    plan: &Plan,
    record: &Record,
    names: &BTreeSet<ServiceName>,
) -> Result<BTreeMap<ServiceName, u32>, Vec<NoDeclaration>> {
    if let Some(ended) = &record.ended {
        return Err(vec![NoDeclaration::Ended(ended.outcome)]);
    }
    let (mut attempts, mut refused) = (BTreeMap::new(), Vec::new());
    for name in names {
        match record.services.get(name) {
            _ if !plan.services.contains_key(name) => refused.push(NoDeclaration::NoService(name.clone())),
            Some(state) if state.stage == Stage::Soaking => drop(attempts.insert(name.clone(), state.attempt)),
            _ => refused.push(NoDeclaration::NotSoaking(name.clone())),
        }
    }
    if refused.is_empty() { Ok(attempts) } else { Err(refused) }
}
