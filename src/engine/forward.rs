//! The way to the target: prepare, shift by shift, confirm, soak.

use jiff::Timestamp;

use super::{
    draft::{Draft, WaitsFor},
    effect::Action,
    event::Event,
    gate::{self, Verdict},
    invariant::Invariant,
    observed::Backend,
    reason::{Reason, SideRank},
    record::{Direction, LatchKind, Order, ServiceState, Stage},
    route::{self, EFFECTIVE_WITHIN, RouteView, SETTLE},
    step::Step,
};
use crate::plan::{Service, ServiceName, Side, Weight};

/// Takes a service as far towards its target as it may go now.
pub fn advance(draft: &mut Draft, name: &ServiceName, service: &Service) {
    let state = draft.state(name);
    if state.direction == Direction::Backward {
        return;
    }
    match state.stage {
        Stage::Waiting => start(draft, name, service, &state),
        Stage::Shifting(index) => shift(draft, name, service, &state, index),
        Stage::Soaking => soak(draft, name, service, &state),
        Stage::Soaked | Stage::Returning | Stage::Returned => {}
    }
}

/// Why nothing of this service may *start*: a hold of its own, or one of the whole run.
fn held(draft: &Draft, state: &ServiceState) -> Option<Reason> {
    let own = state.hold.as_ref().map(|h| h.reason.clone());
    own.or_else(|| draft.next.latch.as_ref().filter(|l| l.kind == LatchKind::Hold).map(|l| l.reason.clone()))
}

/// `order`: the phases before its own and the services it needs are on target.
fn waits_for_others(draft: &Draft, service: &Service) -> Option<Reason> {
    if !draft.rules.keep(Invariant::Order) {
        return None;
    }
    if let Some((phase, other)) = draft.late_phase(service) {
        return Some(Reason::Phase { phase: phase.clone(), service: other.clone() });
    }
    let need = service.before().find(|need| !draft.on_target(need));
    need.map(|need| Reason::Need { service: need.clone() })
}

/// The first step: everything is in place, and then the first weight is ordered.
fn start(draft: &mut Draft, name: &ServiceName, service: &Service, state: &ServiceState) {
    if let Some(reason) = waits_for_others(draft, service) {
        return draft.wait(Step::Prepare, name, reason, WaitsFor::Step);
    }
    if let Some(reason) = held(draft, state) {
        return draft.wait(Step::Prepare, name, reason, WaitsFor::Person);
    }
    let Some(first) = service.steps.first().copied() else { return };
    let (version, shown) = match draft.route(name, state) {
        RouteView::Before { version, weight } => (version, weight),
        RouteView::Unknown(why) => return draft.wait(Step::Prepare, name, Reason::RouteUnknown { why }, WaitsFor::World),
        RouteView::Foreign(owner) => return draft.wait(Step::Prepare, name, Reason::OneOwner { owner }, WaitsFor::Person),
        RouteView::Drift(found) => {
            return draft.wait(Step::Prepare, name, Reason::Drift { found, expected: Weight::ZERO }, WaitsFor::Person);
        }
        RouteView::Pending(..) | RouteView::Effective(_) => return,
    };
    if backends_missing(draft, name, service, Step::Prepare) || not_ready(draft, name, service, Step::Prepare, first) {
        return;
    }
    if gates_quiet(draft, name, service) == Quiet::No {
        return;
    }
    draft.event(Event::Prepared { step: Step::Prepare.of(name) });
    draft.order(name, Step::Shift(first), first, Stage::Shifting(0), version, shown);
}

/// Both sides stand where the route can name them; what is missing is made.
fn backends_missing(draft: &mut Draft, name: &ServiceName, service: &Service, step: Step) -> bool {
    let missing = Side::BOTH.map(|side| (side, draft.side(name, service, side, Weight::ZERO).backend));
    let missing = missing.into_iter().filter(|(_, backend)| *backend == Backend::Missing).map(|(side, _)| side);
    let missing: Vec<Side> = missing.collect();
    for side in &missing {
        draft.effect(name, Step::Prepare, 0, Action::EnsureBackend { service: name.clone(), side: *side }, None);
        draft.wait(step, name, Reason::Backend { side: *side }, WaitsFor::World);
    }
    !missing.is_empty()
}

/// What stands for plain hosts is made anew when somebody removed it while the route is ours: their share is not answered
/// until then, whichever way the service goes.
pub fn keep_backends(draft: &mut Draft, name: &ServiceName, service: &Service) {
    let state = draft.state(name);
    if state.order.is_some() && !matches!(state.stage, Stage::Soaked | Stage::Returned) {
        backends_missing(draft, name, service, Step::at(&state));
    }
}

/// `served` and `way-back`: target is enough for the weight, legacy is enough to take everything back. Says why not.
fn not_ready(draft: &mut Draft, name: &ServiceName, service: &Service, step: Step, weight: Weight) -> bool {
    let target = draft.side(name, service, Side::Target, weight);
    if target.rank != SideRank::Enough && draft.rules.keep(Invariant::Served) {
        draft.wait(step, name, target.reason, WaitsFor::World);
        return true;
    }
    let legacy = draft.side(name, service, Side::Legacy, Weight::ZERO);
    let evacuates = legacy.rank == SideRank::Dead && draft.state(name).weight() == weight && weight == Weight::FULL;
    if legacy.rank != SideRank::Enough && !evacuates && draft.rules.keep(Invariant::WayBack) {
        draft.wait(step, name, legacy.reason, WaitsFor::World);
        return true;
    }
    false
}

#[derive(PartialEq)]
enum Quiet {
    Yes,
    No,
}

/// Before anything moves no gate may be failing or silent: a target that is bad already gets no traffic.
fn gates_quiet(draft: &mut Draft, name: &ServiceName, service: &Service) -> Quiet {
    let mut quiet = Quiet::Yes;
    for (gate_name, gate) in &service.gates {
        let reason = match gate::judge(gate, gate::answers(draft.seen, name, gate_name), Timestamp::MIN, draft.now) {
            Verdict::Pass => None,
            Verdict::TooFew { good, bad: None, .. } if good > 0 => None,
            Verdict::Silent { .. } if !draft.rules.keep(Invariant::UnknownHolds) => None,
            other => gate::wait(gate_name, other),
        };
        if let Some(reason) = reason {
            draft.wait(Step::Prepare, name, reason, WaitsFor::World);
            quiet = Quiet::No;
        }
    }
    quiet
}

/// A weight was ordered: effective, baked, gates passed, then the next one. **A shift is confirmed here.**
fn shift(draft: &mut Draft, name: &ServiceName, service: &Service, state: &ServiceState, index: u8) {
    let Some(order) = state.order else { return };
    let step = Step::Shift(order.weight);
    let view = draft.route(name, state);
    let RouteView::Effective(since) = view else {
        if draft.rules.keep(Invariant::Fresh) {
            return not_effective(draft, name, service, &order, &view);
        }
        return confirmed(draft, name, service, index, &order);
    };
    if let Some(hold) = &state.hold {
        return draft.wait(step, name, hold.reason.clone(), WaitsFor::Person);
    }
    let baked = draft.wake_in(since, service.bake);
    if baked > draft.now {
        return draft.wait(step, name, Reason::Baking { weight: order.weight, until: baked }, WaitsFor::World);
    }
    if !gates_pass(draft, name, service, step, since) {
        return;
    }
    confirmed(draft, name, service, index, &order);
}

/// The newest order is not in force: give it again if the route shows that it never arrived, and say what is missing.
fn not_effective(draft: &mut Draft, name: &ServiceName, service: &Service, order: &Order, view: &RouteView) {
    let step = Step::Shift(order.weight);
    if let RouteView::Before { version, weight } = view
        && route::is_settled(order, draft.now)
        && may_repeat(&draft.state(name), order)
    {
        // What was true when it was ordered may not be true any more.
        if not_ready(draft, name, service, step, order.weight) {
            return;
        }
        draft.set_weight(name, step, order, version.clone(), *weight);
    }
    draft.wake_in(order.at, SETTLE);
    draft.wake_in(order.at, EFFECTIVE_WITHIN);
    let reason = route::wait(view, order, draft.now);
    let on = route::waits_for(&reason);
    draft.wait(step, name, reason, on);
}

/// A fault holds at once, so an order is not given again then; but an evacuation, which the hold came with, is.
fn may_repeat(state: &ServiceState, order: &Order) -> bool {
    match &state.hold {
        None => true,
        Some(hold) => matches!(hold.reason, Reason::NoWayBack { .. }) && order.weight == Weight::FULL,
    }
}

/// Every gate passes with rounds that were sent after the weight was effective (`fresh`).
fn gates_pass(draft: &mut Draft, name: &ServiceName, service: &Service, step: Step, effective: Timestamp) -> bool {
    let since = if draft.rules.keep(Invariant::Fresh) { effective } else { Timestamp::MIN };
    let mut pass = true;
    for (gate_name, gate) in &service.gates {
        let verdict = gate::judge(gate, gate::answers(draft.seen, name, gate_name), since, draft.now);
        draft.wake_if_silent(gate::stale_after(gate));
        if matches!(verdict, Verdict::Silent { .. }) && !draft.rules.keep(Invariant::UnknownHolds) {
            continue;
        }
        if let Some(reason) = gate::wait(gate_name, verdict) {
            draft.wait(step, name, reason, WaitsFor::World);
            pass = false;
        }
    }
    pass
}

/// A weight is confirmed in the same decision that orders the next, so that one weight is one write of the record.
fn confirmed(draft: &mut Draft, name: &ServiceName, service: &Service, index: u8, order: &Order) {
    let step = Step::Shift(order.weight);
    let Some(next) = service.steps.get(usize::from(index) + 1).copied() else {
        return arrive(draft, name, order);
    };
    if let Some(reason) = held(draft, &draft.state(name)) {
        return draft.wait(step, name, reason, WaitsFor::Person);
    }
    if not_ready(draft, name, service, Step::Shift(next), next) {
        return;
    }
    let Ok(route) = route::fresh(draft.seen, name, draft.now) else { return };
    let version = route.version.clone();
    draft.event(Event::Confirmed { step: step.of(name), weight: order.weight });
    draft.order(name, Step::Shift(next), next, Stage::Shifting(index.saturating_add(1)), version, order.weight);
}

/// All traffic is on target; legacy must be seen to carry none before the soak begins.
fn arrive(draft: &mut Draft, name: &ServiceName, order: &Order) {
    let active = route::fresh(draft.seen, name, draft.now).ok().and_then(|r| r.legacy_active).unwrap_or(0);
    if active > 0 {
        return draft.wait(Step::Confirm, name, Reason::LegacyStillActive { requests: active }, WaitsFor::World);
    }
    let now = draft.now;
    draft.change(name, |s| {
        s.stage = Stage::Soaking;
        s.moved_at = Some(now);
    });
    draft.event(Event::Confirmed { step: Step::Shift(order.weight).of(name), weight: order.weight });
    draft.event(Event::Moved { service: name.clone() });
}

/// Watched until the soak is over, and as long as something it needs still soaks: what it needs may yet go back.
fn soak(draft: &mut Draft, name: &ServiceName, service: &Service, state: &ServiceState) {
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
    if over > draft.now {
        return draft.wait(Step::Soak, name, Reason::Soak { until: over }, WaitsFor::World);
    }
    if let Some(need) = service.before().find(|need| draft.stage(need) != Stage::Soaked) {
        return draft.wait(Step::Soak, name, Reason::Need { service: need.clone() }, WaitsFor::Step);
    }
    if !gates_pass(draft, name, service, Step::Soak, moved_at) {
        return;
    }
    draft.change(name, |s| s.stage = Stage::Soaked);
    draft.event(Event::Soaked { service: name.clone() });
}
