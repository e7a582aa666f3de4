//! Bridges: connectivity between the estates. Up before the first step that counts on it, down when nothing can need it.

use super::{
    agenda,
    draft::{Draft, EFFECT_VALID, WaitsFor},
    effect::Action,
    event::Event,
    gate,
    observed::ClaimsSeen,
    outcome,
    reason::Reason,
    step::{Step, Subject},
    task::TaskStage,
    tasks::{self, Progress},
};
use crate::plan::{Bridge, BridgeName, ManagedBridge, Service, ServiceName, Side, Span};

/// For so long after a claim was recorded as asked for one may still arrive: it is asked for at each look for as long as an effect is
/// valid, and each of these stays valid for as long again.
pub const CLAIM_VALID: Span = Span::from_secs(20);

fn of(name: &BridgeName) -> Subject {
    Subject::Bridge(name.clone())
}

/// **First in.** Why a service has to wait for a bridge that it counts on; puts up what is not up yet.
pub fn missing(draft: &mut Draft, service: &Service) -> Option<(Reason, WaitsFor)> {
    let plan = draft.plan;
    let names: Vec<&BridgeName> = agenda::bridges_of(plan, service).collect();
    names.into_iter().find_map(|name| plan.bridges.get(name).and_then(|bridge| stands(draft, name, bridge)))
}

/// Why a bridge does not stand, if it does not.
fn stands(draft: &mut Draft, name: &BridgeName, bridge: &Bridge) -> Option<(Reason, WaitsFor)> {
    if let Some(managed) = &bridge.managed
        && raise(draft, name, managed) == Progress::Waits
    {
        return Some((Reason::Bridge { bridge: name.clone() }, WaitsFor::Step));
    }
    for (gate_name, gate) in &bridge.gates {
        let up = draft.next.bridges.get(name).and_then(|b| b.up_since).map_or(jiff::Timestamp::MIN, |at| draft.since(at));
        let seen = draft.seen.other_gates.get(&(of(name), gate_name.clone()));
        let verdict = gate::judge(gate, seen, up, draft.now);
        draft.wake_if_silent(gate::stale_after(gate));
        if let Some(reason) = gate::wait(gate_name, verdict) {
            return Some((reason, WaitsFor::World));
        }
    }
    None
}

/// Puts a bridge up, once for all that count on it. The run claims it first, so that no other takes it down. Not for a service
/// that never starts, as things are: nobody would keep it up, and it would go up and down without end.
fn raise(draft: &mut Draft, name: &BridgeName, managed: &ManagedBridge) -> Progress {
    if user(draft, name).is_none() {
        return Progress::Waits;
    }
    if !matches!(claims(draft, name), Ok(ClaimsSeen { ours: true, .. })) {
        claim(draft, name);
        return Progress::Waits;
    }
    if draft.task(&of(name), &agenda::named::down()).map(|t| t.stage) == Some(TaskStage::Ordered)
        && may_be_going_down(draft, name)
    {
        return Progress::Waits; // it is put up again once it is down
    }
    // That it was taken down at an earlier time is over once it is put up anew.
    if draft.task(&of(name), &agenda::named::down()).map(|t| t.stage) == Some(TaskStage::Done) {
        draft.undone(&of(name), &agenda::named::down());
    }
    let (up, _) = agenda::of_bridge(managed);
    let held = draft.run_held();
    let progress = tasks::run(draft, &of(name), [&up], held.as_ref(), |draft, reason| draft.hold_run(reason));
    let now = draft.stamp;
    if progress == Progress::Done && draft.next.bridges.get(name).is_none_or(|b| b.up_since.is_none()) {
        draft.next.bridges.entry(name.clone()).or_default().up_since = Some(now);
        draft.event(Event::BridgeUp { bridge: name.clone() });
    }
    progress
}

/// Asks for the claim of this run. The record knows of it first, so that it is given up also when it comes late ([`give_up`]).
fn claim(draft: &mut Draft, name: &BridgeName) {
    let asked = draft.next.bridges.get(name).and_then(|bridge| bridge.claimed_at);
    let until = asked.map(|at| draft.wake_in(at, EFFECT_VALID));
    if until.is_none_or(|until| until <= draft.now) {
        draft.next.bridges.entry(name.clone()).or_default().claimed_at = Some(draft.stamp);
    }
    draft.effect_of(Step::Raise.of(of(name)), 0, Action::Claim { bridge: name.clone() }, None);
}

/// Gives the claim of this run up if nobody needs it any more. There is none once that is seen, and none that was asked for can
/// come any more.
fn give_up(draft: &mut Draft, name: &BridgeName) {
    let Some(asked) = draft.next.bridges.get(name).and_then(|bridge| bridge.claimed_at) else { return };
    if user(draft, name).is_some() {
        return;
    }
    match claims(draft, name) {
        Ok(ClaimsSeen { ours: false, .. }) => {
            if draft.wake_in(asked, CLAIM_VALID) <= draft.now {
                draft.next.bridges.entry(name.clone()).or_default().claimed_at = None;
            }
        }
        _ => draft.effect_of(Step::Lower.of(of(name)), 0, Action::Unclaim { bridge: name.clone() }, None),
    }
}

/// Who counts on a bridge, freshly; or why nobody can tell.
fn claims(draft: &Draft, name: &BridgeName) -> Result<ClaimsSeen, String> {
    let sample = draft.seen.claims.get(name).ok_or_else(|| "there is no answer yet".to_owned())?;
    if draft.now.duration_since(sample.taken_at) > super::route::STALE.signed() {
        return Err("the newest answer is too old".to_owned());
    }
    sample.value.clone().map_err(|why| why.to_string())
}

/// Whether a service can still move or come back, so that it may need its bridges.
fn may_need(draft: &Draft, name: &ServiceName) -> bool {
    !(draft.at_end(name) || outcome::never_starts(draft, name))
}

/// **Last out.** Takes bridges down that no service of this run can need any more and no other run claims.
pub fn lower(draft: &mut Draft) {
    let plan = draft.plan;
    for (name, bridge) in &plan.bridges {
        let Some(managed) = &bridge.managed else { continue };
        let raised = draft.task(&of(name), &agenda::named::up()).is_some_and(|t| t.stage.has_begun());
        let down = draft.task(&of(name), &agenda::named::down()).map(|t| t.stage);
        if !raised || down == Some(TaskStage::Done) {
            give_up(draft, name);
            continue;
        }
        if down == Some(TaskStage::Ordered) && may_be_going_down(draft, name) {
            take_down(draft, name, managed);
            continue;
        }
        if let Some(service) = user(draft, name) {
            let reason = Reason::BridgeNeeded { bridge: name.clone(), service };
            draft.wait(Step::Lower, of(name), reason, WaitsFor::Step);
            continue;
        }
        let by = match claims(draft, name) {
            Ok(seen) => match seen.others.first().cloned() {
                None => {
                    take_down(draft, name, managed);
                    continue;
                }
                Some(_) if leave(draft, name, &seen) == Progress::Done => continue,
                Some(other) => other,
            },
            Err(why) => format!("that is not known ({why})"),
        };
        draft.wait(Step::Lower, of(name), Reason::BridgeClaimed { bridge: name.clone(), by }, WaitsFor::World);
    }
}

/// A service of this run that can still need a bridge, or that lies across it.
fn user(draft: &Draft, name: &BridgeName) -> Option<ServiceName> {
    let plan = draft.plan;
    let users = plan.services.iter().filter(|(_, service)| agenda::bridges_of(plan, service).any(|bridge| bridge == name));
    let moving = users.map(|(service, _)| service).find(|service| may_need(draft, service)).cloned();
    moving.or_else(|| across(draft, name).map(|(service, _)| service.clone()))
}

/// Where a service has its traffic for good, as far as this run goes; `None`: it is on its way, or may still set out.
fn rests(draft: &Draft, name: &ServiceName) -> Option<Side> {
    let side = if draft.stage(name).is_past_soak() { Side::Target } else { Side::Legacy };
    (!may_need(draft, name)).then_some(side)
}

/// **Across.** A service that needs another one across a bridge, and that one, while they are not both at rest on one side.
fn across<'a>(draft: &Draft<'a, '_>, name: &BridgeName) -> Option<(&'a ServiceName, &'a ServiceName)> {
    let mut needs = draft.plan.services.iter().flat_map(|(service, own)| own.across(name).map(move |need| (service, need)));
    needs.find(|(service, need)| {
        let (one, other) = (rests(draft, service), rests(draft, need));
        one.is_none() || one != other
    })
}

/// **Kept.** Bridges that stay up when the run ends, each with a service on target and what it needs on legacy: this run moves
/// neither any more, and its claim stays, so that no other run takes the bridge from under them.
pub fn kept<'a>(draft: &Draft<'a, '_>) -> Vec<(&'a BridgeName, &'a ServiceName, &'a ServiceName)> {
    let managed = draft.plan.bridges.iter().filter(|(_, bridge)| bridge.managed.is_some());
    let kept = managed.filter_map(|(name, _)| across(draft, name).map(|(service, need)| (name, service, need)));
    kept.filter(|(_, service, need)| rests(draft, service).is_some() && rests(draft, need).is_some()).collect()
}

/// **Left to others.** A bridge that this run does not need any more and others claim is theirs to take down: the run gives up
/// its claim, else each of two runs would wait for the other for ever. The one whose plan's name is the last stays, so that two
/// that are done at one moment do not both go. `Done`: it is left.
fn leave(draft: &mut Draft, name: &BridgeName, seen: &ClaimsSeen) -> Progress {
    let plan = draft.plan;
    if !seen.others.iter().any(|other| other.as_str() > plan.name.as_str()) || may_be_going_down(draft, name) {
        return Progress::Waits;
    }
    if seen.ours {
        draft.effect_of(Step::Lower.of(of(name)), 0, Action::Unclaim { bridge: name.clone() }, None);
        return Progress::Waits;
    }
    draft.next.bridges.entry(name.clone()).or_default().up_since = None;
    for task in [agenda::named::up(), agenda::named::down()] {
        draft.undone(&of(name), &task);
    }
    draft.event(Event::BridgeLeft { bridge: name.clone(), to: seen.others.iter().cloned().collect() });
    Progress::Done
}

/// Whether taking a bridge down was ordered and is not known to have been refused: what others claim is not taken down.
fn may_be_going_down(draft: &Draft, name: &BridgeName) -> bool {
    tasks::may_have_begun(draft, &of(name), &agenda::named::down())
}

fn take_down(draft: &mut Draft, name: &BridgeName, managed: &ManagedBridge) {
    let (up, down) = agenda::of_bridge(managed);
    let held = draft.run_held();
    let progress = tasks::run(draft, &of(name), [&down], held.as_ref(), |draft, reason| draft.hold_run(reason));
    if progress == Progress::Done {
        draft.next.bridges.entry(name.clone()).or_default().up_since = None;
        draft.event(Event::BridgeDown { bridge: name.clone() });
        draft.undone(&of(name), &up.name);
    }
}

/// Whether a bridge still has to be taken down or given up before the run can end.
pub fn is_open(draft: &Draft) -> bool {
    let plan = draft.plan;
    let mut managed = plan.bridges.iter().filter(|(_, bridge)| bridge.managed.is_some()).map(|(name, _)| name);
    let stage = |name: &BridgeName, task| draft.task(&of(name), &task).map(|t| t.stage);
    let kept: Vec<&BridgeName> = kept(draft).into_iter().map(|(name, ..)| name).collect();
    managed.any(|name| {
        if kept.contains(&name) {
            return false;
        }
        let claimed = draft.next.bridges.get(name).is_some_and(|bridge| bridge.claimed_at.is_some());
        let up = stage(name, agenda::named::up()).is_some_and(TaskStage::has_begun);
        claimed || up || stage(name, agenda::named::down()) == Some(TaskStage::Ordered)
    })
}
