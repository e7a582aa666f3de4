//! How a run ends, and how it stands while only a person can help.

use std::collections::BTreeSet;

use super::{
    backward, bridge,
    draft::{Draft, WaitsFor},
    effect::Action,
    event::Event,
    observed::Unknown,
    phase,
    reason::Reason,
    record::{Direction, Ended, Outcome, Stage},
    route,
    step::Step,
    writer,
};
use crate::plan::{Service, ServiceName};

/// Gives up the routes of services that are at an end, and ends the run when nothing is in motion and nothing can start.
pub fn settle(draft: &mut Draft) -> Option<Outcome> {
    if let Some(ended) = &draft.next.ended {
        return Some(ended.outcome);
    }
    let plan = draft.plan;
    let gone = gone(draft);
    let waiting = draft.select(|_, state| state.stage == Stage::Waiting);
    // One that has not shifted may have much to take back all the same: a fence, a promotion, tasks.
    let is_open = |name: &ServiceName| !gone.contains(name) || draft.state(name).direction == Direction::Backward;
    let mut unfinished = waiting.iter().any(|(name, _)| is_open(name));
    let (mut open_routes, mut kept) = (false, Vec::new());
    for (name, service) in draft.select(|_, state| state.stage != Stage::Waiting) {
        match draft.at_end(name) {
            // It is at its end because another one went back. That one may be tried again, or all be ordered back.
            true if draft.stage(name) == Stage::Soaked && service.decommission.is_some() => kept.push(name),
            true => open_routes |= release(draft, name),
            false => unfinished = true,
        }
    }
    let open_phases = plan.phases.iter().any(|(name, phase)| phase::is_open(draft, name, phase));
    if unfinished || open_phases || bridge::is_open(draft) {
        return stuck(draft).then_some(Outcome::Held);
    }
    for name in kept {
        open_routes |= release(draft, name);
    }
    if open_routes {
        return None;
    }
    let all_soaked = plan.services.keys().all(|name| draft.stage(name).is_past_soak());
    let outcome = if all_soaked { Outcome::Completed } else { Outcome::RolledBack };
    draft.next.ended = Some(Ended { outcome, at: draft.stamp });
    draft.waits.clear();
    for (bridge, service, need) in bridge::kept(draft) {
        let (bridge, service, need) = (bridge.clone(), service.clone(), need.clone());
        draft.event(Event::BridgeKept { bridge, service, need });
    }
    draft.event(Event::Ended { outcome });
    Some(outcome)
}

/// Gives up the route of a service that is at an end, if it is seen to be ours. Says whether that is still open.
pub fn release(draft: &mut Draft, name: &ServiceName) -> bool {
    let state = draft.state(name);
    if state.order.is_none() {
        return false; // it was never ours
    }
    let step = if state.stage.is_past_soak() { Step::Soak } else { Step::Return };
    match route::fresh(draft.seen, name, draft.now) {
        Ok(route) if route.owner.as_ref().is_some_and(|o| o.run == draft.next.run) => {
            let version = route.version.clone();
            // Number 0: it is no order. With the number of the order that ended the way back it would bear that one's key,
            // and a router that has done that one would take this for its repetition.
            draft.effect(name, step, 0, Action::Release { service: name.clone() }, Some(version));
            true
        }
        Ok(_) => false,
        // Who deleted the route gave it up for us; waiting for it would never end.
        Err(_) if draft.seen.routes.get(name).is_some_and(|s| matches!(s.value, Err(Unknown::NotFound(_)))) => false,
        Err(why) => {
            draft.wait(step, name, Reason::RouteUnknown { why }, WaitsFor::World);
            true
        }
    }
}

/// The services that went back, and those that have not shifted and will not, because one that they wait for, or one of their
/// group, is among these. One whose writer is between two sides and can only go on waits for no phase.
pub fn gone<'a>(draft: &Draft<'a, '_>) -> BTreeSet<&'a ServiceName> {
    let plan = draft.plan;
    let returned = draft.select(|_, state| state.stage == Stage::Returned);
    let mut gone: BTreeSet<_> = returned.into_iter().map(|(name, _)| name).collect();
    let mut before = 0;
    while gone.len() > before {
        before = gone.len();
        let late = draft.ahead(|_, name| gone.contains(name));
        let stays = |name: &ServiceName, service: &Service| {
            let mut group = plan.group_of(name).into_iter().flat_map(|(_, group)| &group.services);
            let waits_for = |other: &ServiceName| gone.contains(other);
            let phase = late.contains_key(&service.phase) && !writer::must_go_on(draft, name);
            phase || service.before().any(waits_for) || group.any(waits_for)
        };
        let more = plan.services.iter().filter(|(name, service)| draft.stage(name) == Stage::Waiting && stays(name, service));
        let more: Vec<_> = more.map(|(name, _)| name).collect();
        gone.extend(more);
    }
    gone
}

/// Whether the service never starts, as things are: it waits for one that went back.
pub fn never_starts(draft: &Draft, name: &ServiceName) -> bool {
    let state = draft.state(name);
    state.stage == Stage::Waiting && state.direction == Direction::Forward && draft.gone.contains(name)
}

/// Whether every service is at its end or never starts.
pub fn is_idle(draft: &Draft) -> bool {
    draft.plan.services.keys().all(|name| never_starts(draft, name) || draft.at_end(name))
}

/// **Prepared for nothing**: what was done for a service that never starts is taken back when nothing else is left of the run.
/// Not before: as long as people may have the one that went back tried again it stays prepared.
pub fn take_back_prepared(draft: &mut Draft) {
    if !draft.idle {
        return;
    }
    for (name, service) in draft.select(|_, state| state.stage == Stage::Waiting && !state.tasks.is_empty()) {
        let is_left = never_starts(draft, name) && !backward::is_end(draft, name, service);
        if is_left && backward::no_return(service, &draft.state(name)).is_none() {
            let before = service.before().find(|need| draft.gone.contains(need));
            let earlier = draft.plan.phases_before(&service.phase).iter().flat_map(|phase| draft.plan.members(phase));
            let because = before.or_else(|| earlier.into_iter().find(|other| draft.gone.contains(other))).unwrap_or(name);
            draft.turn(name, Reason::NeverStarts { service: because.clone() });
            draft.idle = false; // what is its phase's and its bridges' comes after it
        }
    }
}

/// Every step waits for a person, or for a step that does.
fn stuck(draft: &Draft) -> bool {
    let mut on = draft.waits.iter().map(|(_, on)| *on);
    draft.effects.is_empty() && on.clone().any(|on| on == WaitsFor::Person) && on.all(|on| on != WaitsFor::World)
}
