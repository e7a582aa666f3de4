//! Guards: gates that are watched all the time, and the legacy side while it carries traffic.

use jiff::Timestamp;

use super::{
    draft::Draft,
    event::Event,
    gate::{self, Silence, Verdict},
    invariant::Invariant,
    reason::{Reason, SideRank},
    record::{Direction, ServiceState, Stage, Trouble, TroubleKind, millis::whole},
    route::RouteView,
    step::Step,
};
use crate::plan::{Gate, GateName, OnFailure, Service, ServiceName, Side, Watch, Weight};

/// It is on its way to target, or soaks there.
pub fn concerns(state: &ServiceState) -> bool {
    matches!(state.stage, Stage::Shifting(_) | Stage::Soaking) && state.direction == Direction::Forward
}

/// Looks at the guards of one service that is in motion or soaks, and acts where one has failed for long enough.
pub fn watch(draft: &mut Draft, name: &ServiceName, service: &Service) {
    let state = draft.state(name);
    let Some(order) = state.order.filter(|_| concerns(&state)) else { return };
    // A moved service is judged by what came after the move, one in motion by what came after its newest order.
    let since = draft.since(state.moved_at.unwrap_or(order.at));
    for (gate_name, gate) in &service.gates {
        if draft.state(name).direction == Direction::Backward {
            return;
        }
        if state.moved_at.is_some() && gate.watch == Watch::Confirmation {
            continue;
        }
        let verdict = gate::judge(gate, gate::answers(draft.seen, name, gate_name), since, draft.now);
        draft.wake_if_silent(gate::stale_after(gate));
        match verdict {
            Verdict::Fail { rounds, since, why } => {
                fails(draft, name, service, (gate_name, gate), (rounds, since, why));
            }
            Verdict::Silent(silence) => silent(draft, name, (gate_name, gate), silence),
            // Only an answer ends a silence, and only a good one a row of failures: a restart ends neither.
            Verdict::TooFew { good: 0, bad: None, .. } => {}
            Verdict::TooFew { good: 0, .. } if troubled(draft, name, gate_name) == Some(TroubleKind::Failing) => {}
            Verdict::TooFew { bad: Some(why), .. } if troubled(draft, name, gate_name) == Some(TroubleKind::Unknown) => {
                answers_badly(draft, name, gate_name, why);
            }
            Verdict::TooFew { .. } | Verdict::Pass => recovers(draft, name, gate_name),
        }
    }
    if draft.state(name).direction == Direction::Forward {
        target(draft, name, service, &state);
    }
    if draft.state(name).direction == Direction::Forward {
        legacy(draft, name, service, &state);
    }
}

/// Target died under the traffic it carries, and legacy could take all of it: nothing is gained by watching that for
/// `guardFor`, which is there for guards that flicker. The plan says whether it goes back or holds.
fn target(draft: &mut Draft, name: &ServiceName, service: &Service, state: &ServiceState) {
    let target = draft.side(name, service, Side::Target, state.weight());
    let died = target.rank == SideRank::Dead && target.dead_rounds >= service.failures();
    if !died || state.weight() == Weight::ZERO || draft.rank(name, service, Side::Legacy, Weight::ZERO) != SideRank::Enough {
        return;
    }
    let action = if state.moved_at.is_some() { service.soak.on_failure } else { service.on_failure };
    draft.act(name, action, Reason::TargetDied { rounds: target.dead_rounds });
}

/// What takes a service back: before the soak a gate that fails, in the soak one that has failed for `guardFor`.
fn fails(draft: &mut Draft, name: &ServiceName, service: &Service, gate: (&GateName, &Gate), fail: (u32, Timestamp, String)) {
    let (gate_name, (rounds, since, why)) = (gate.0, fail);
    let state = draft.state(name);
    let since = match state.troubles.get(gate_name) {
        Some(Trouble { kind: TroubleKind::Failing, since }) => *since,
        _ => since,
    };
    let (act_at, action, reason) = if state.moved_at.is_some() {
        let act_at = since.saturating_add(service.soak.guard_for.signed()).unwrap_or(Timestamp::MAX);
        (act_at, service.soak.on_failure, Reason::GuardFailed { gate: gate_name.clone(), since, why: why.clone() })
    } else {
        let reason = Reason::GateFailed { gate: gate_name.clone(), weight: state.weight(), why: why.clone() };
        (draft.now, service.on_failure, reason)
    };
    if act_at <= draft.now {
        return draft.act(name, action, reason);
    }
    draft.wake(act_at);
    let reason = Reason::GateFailing { gate: gate_name.clone(), rounds, why };
    trouble(draft, name, gate_name, Trouble { kind: TroubleKind::Failing, since }, reason);
}

/// A gate without an answer neither passes nor fails; after its limit the plan says what happens.
pub fn silent(draft: &mut Draft, name: &ServiceName, (gate_name, gate): (&GateName, &Gate), silence: Silence) {
    let Silence { since, answered, why } = silence;
    if !draft.rules.keep(Invariant::UnknownHolds) {
        return draft.act(name, OnFailure::Rollback, Reason::GateFailed { gate: gate_name.clone(), weight: Weight::ZERO, why });
    }
    // What is recorded counts as long as no answer is known that came after it, between two looks or unseen by an old one.
    let holds = |known: &Trouble| known.kind == TroubleKind::Unknown && answered.is_none_or(|at| whole(at) <= known.since);
    let since = draft.state(name).troubles.get(gate_name).copied().filter(holds).map_or(since, |known| known.since);
    let act_at = draft.wake_in(since, gate.unknown_limit);
    if act_at <= draft.now {
        let reason = Reason::GateUnknownTooLong { gate: gate_name.clone(), limit: gate.unknown_limit, why };
        return draft.act(name, gate.on_unknown, reason);
    }
    let settled = draft.wake_in(since, gate::silent_after(gate));
    if settled > draft.now {
        return; // one lost answer is not worth a write
    }
    let reason = Reason::GateUnknown { gate: gate_name.clone(), why };
    trouble(draft, name, gate_name, Trouble { kind: TroubleKind::Unknown, since }, reason);
}

/// Records a trouble that is new, or one that began later than is recorded.
fn trouble(draft: &mut Draft, name: &ServiceName, gate: &GateName, trouble: Trouble, reason: Reason) {
    let trouble = Trouble { since: whole(trouble.since), ..trouble };
    let known = draft.state(name).troubles.get(gate).copied();
    if known == Some(trouble) {
        return;
    }
    draft.change(name, |s| {
        s.troubles.insert(gate.clone(), trouble);
    });
    if known.is_none_or(|known| known.kind != trouble.kind) {
        draft.event(Event::GateTrouble { service: name.clone(), reason });
    }
}

fn troubled(draft: &Draft, name: &ServiceName, gate: &GateName) -> Option<TroubleKind> {
    draft.state(name).troubles.get(gate).map(|trouble| trouble.kind)
}

/// Any answer ends a silence, so that the next one counts from its own beginning; but a bad one is no recovery.
fn answers_badly(draft: &mut Draft, name: &ServiceName, gate: &GateName, why: String) {
    draft.change(name, |s| {
        s.troubles.remove(gate);
    });
    let reason = Reason::GateAnswersBadly { gate: gate.clone(), why };
    draft.event(Event::GateTrouble { service: name.clone(), reason });
}

/// An answer that is neither silence nor failure ends a trouble.
pub fn recovers(draft: &mut Draft, name: &ServiceName, gate: &GateName) {
    if draft.state(name).troubles.contains_key(gate) {
        draft.change(name, |s| {
            s.troubles.remove(gate);
        });
        draft.event(Event::GateRecovered { service: name.clone(), gate: gate.clone() });
    }
}

/// Legacy died under the traffic it still carries. If the target is enough for all of it, that is where it goes, at once;
/// and the service holds there, for there is no way back. If not, moving it would help nobody: hold.
fn legacy(draft: &mut Draft, name: &ServiceName, service: &Service, state: &ServiceState) {
    let legacy = draft.side(name, service, Side::Legacy, Weight::ZERO);
    let carries = state.weight() < Weight::FULL;
    if !carries || legacy.rank != SideRank::Dead || legacy.dead_rounds < service.failures() {
        return;
    }
    let died = Reason::LegacyDied { rounds: legacy.dead_rounds };
    let target = draft.side(name, service, Side::Target, Weight::FULL);
    let shown = match draft.route(name, state) {
        RouteView::Before { version, weight } => Some((version, weight)),
        RouteView::Pending(..) | RouteView::Effective(_) => {
            super::route::fresh(draft.seen, name, draft.now).ok().map(|r| (r.version.clone(), state.weight()))
        }
        _ => None,
    };
    match shown {
        Some((version, weight)) if target.rank == SideRank::Enough => {
            draft.event(Event::Evacuated { service: name.clone(), reason: died });
            let last = u8::try_from(service.steps.len().saturating_sub(1)).unwrap_or(u8::MAX);
            draft.order(name, Step::Shift(Weight::FULL), Weight::FULL, Stage::Shifting(last), version, weight);
            draft.hold(name, Reason::NoWayBack { why: "its legacy side does not answer".to_owned() });
        }
        _ if state.hold.is_none() => draft.hold(name, died),
        _ => {}
    }
}
