//! The end of a service after its soak: tasks, the end of its legacy side. Until that side is being switched off the way
//! back stays open.

use super::{
    agenda::{self, Item, Moment},
    approval::{About, Question, Standing, standing},
    backward,
    draft::{Draft, WaitsFor},
    event::Event,
    invariant::Invariant,
    observed::Accepted,
    readiness::Obstacle,
    reason::{Fact, Reason},
    record::{Direction, ServiceState, Stage},
    route,
    step::{Step, Subject},
    task::TaskStage,
    tasks::{self, Progress},
    timing,
};
use crate::plan::{Decommission, Service, ServiceName, Span, UndoWhen, Weight};

/// Takes a service that is past its soak as far to its end as it may go now.
pub fn advance(draft: &mut Draft, name: &ServiceName, service: &Service, state: &ServiceState) {
    let items = agenda::of_service(service);
    if at(draft, name, service, items, Moment::AfterSoak) == Progress::Waits {
        return;
    }
    let Some(end) = &service.decommission else { return };
    match state.stage {
        Stage::Soaked => begin(draft, name, service, end),
        Stage::Ending => end_legacy(draft, name, service, end, items),
        Stage::Decommissioning => switch_off(draft, name, service, items),
        _ => {}
    }
}

fn of_moment(items: &[Item], moment: Moment) -> impl Iterator<Item = &Item> {
    items.iter().filter(move |item| item.moment == moment)
}

/// Runs the tasks of one moment. One that fails here holds: traffic has long been where it is to stay.
fn at(draft: &mut Draft, name: &ServiceName, _service: &Service, items: &[Item], moment: Moment) -> Progress {
    let held = draft.held(&draft.state(name));
    tasks::run(draft, &Subject::from(name), of_moment(items, moment), held.as_ref(), |draft, reason| {
        draft.hold_for(&Subject::from(name), reason);
    })
}

/// **`legacy-stays`**: what keeps the legacy side of a service from its end, and which service that is. All that lives on its
/// system, all that it needs and its group are past their soak, and none of them is to go back.
fn still_counted_on(draft: &Draft, name: &ServiceName, service: &Service) -> Option<(ServiceName, Reason)> {
    let past =
        |other: &ServiceName| draft.own(other).is_some_and(|s| s.stage.is_past_soak() && s.direction == Direction::Forward);
    counted_on_by(draft, name, service, |other| !past(other))
}

/// The first such service of those for whose sake legacy stays.
fn counted_on_by(
    draft: &Draft,
    name: &ServiceName,
    service: &Service,
    such: impl Fn(&ServiceName) -> bool,
) -> Option<(ServiceName, Reason)> {
    if !draft.rules.keep(Invariant::LegacyStays) {
        return None;
    }
    let plan = draft.plan;
    if let Some(system) = &service.legacy.system
        && let Some(other) = plan.tenants(system).iter().find(|other| such(other))
    {
        return Some((other.clone(), Reason::SharedSystem { system: system.clone(), service: other.clone() }));
    }
    let group = plan.group_of(name).into_iter().flat_map(|(_, group)| &group.services);
    let other = service.before().chain(group).find(|other| such(other))?;
    Some((other.clone(), Reason::NeedEnds { service: other.clone() }))
}

/// The same as a wait: for a step, or for people, as a service that went back only comes again if they say so.
fn still_needed(draft: &Draft, name: &ServiceName, service: &Service) -> Option<Obstacle> {
    let (other, reason) = still_counted_on(draft, name, service)?;
    let on = if draft.stage(&other) == Stage::Returned { WaitsFor::Person } else { WaitsFor::Step };
    Some((reason, on))
}

/// **`legacy-stays`**: the traffic of the service, and of all that live on its system, is *seen* to be on target, freshly: the
/// record knows what was ordered, and not what a hand or another run has done to a route since.
fn still_has_traffic(draft: &Draft, name: &ServiceName, service: &Service) -> Option<Obstacle> {
    if !draft.rules.keep(Invariant::LegacyStays) {
        return None;
    }
    let tenants = service.legacy.system.iter().flat_map(|system| draft.plan.tenants(system));
    std::iter::once(name).chain(tenants).find_map(|other| away_from_target(draft, other))
}

/// Why the traffic of a service is not known to be on target. Its route may be given up already.
fn away_from_target(draft: &Draft, name: &ServiceName) -> Option<Obstacle> {
    let route = match route::fresh(draft.seen, name, draft.now) {
        Ok(route) => route,
        Err(why) => return Some((Reason::RouteUnknown { why }, WaitsFor::World)),
    };
    if let Some(owner) = route.owner.as_ref().filter(|owner| owner.run != draft.next.run) {
        return Some((Reason::OneOwner { owner: owner.clone() }, WaitsFor::Person));
    }
    let (accepted, expected) = (&route.accepted, Weight::FULL);
    match accepted {
        Accepted::Split(Weight::FULL) if route.effective.is_some_and(|e| e.weight == Weight::FULL) => None,
        Accepted::Split(Weight::FULL) => {
            Some((Reason::TakingEffect { weight: expected, fact: Fact::Effective }, WaitsFor::World))
        }
        Accepted::Split(found) => Some((Reason::Drift { found: format!("{found} on target"), expected }, WaitsFor::Person)),
        Accepted::Other(found) => Some((Reason::Drift { found: found.clone(), expected }, WaitsFor::Person)),
    }
}

/// Nobody counts on legacy any more, its end is approved, and a window for it is open: then it begins.
fn begin(draft: &mut Draft, name: &ServiceName, service: &Service, end: &Decommission) {
    if let Some((reason, on)) = still_needed(draft, name, service) {
        return draft.wait(Step::Decommission, name, reason, on);
    }
    if let Some(reason) = draft.held(&draft.state(name)) {
        return draft.wait(Step::Decommission, name, reason, WaitsFor::Person);
    }
    if let Some((reason, on)) = still_has_traffic(draft, name, service) {
        return draft.wait(Step::Decommission, name, reason, on);
    }
    let takes = timing::of_end(draft, name, service);
    if let Some(reason) = timing::end_window(draft, takes) {
        let on = timing::waits_for(&reason);
        return draft.wait(Step::Decommission, name, reason, on);
    }
    if approved(draft, name, end) {
        draft.change(name, |s| s.stage = Stage::Ending);
    }
}

/// **Its end is approved**, once, for this attempt.
fn approved(draft: &mut Draft, name: &ServiceName, end: &Decommission) -> bool {
    let Some(approval) = &end.approval else { return true };
    let about = About::Decommission(name.clone());
    let attempt = draft.state(name).attempt;
    let question = Question { record: &draft.next, about: &about, attempt, approval };
    let asks = approval.asks.clone();
    let reason = match standing(draft.plan, question, &draft.seen.approvals, draft.now) {
        Standing::Enough { ids, by } => {
            draft.next.approvals_used.extend(ids);
            draft.event(Event::EndApproved { service: name.clone(), by });
            let now = draft.stamp;
            draft.change(name, |s| s.end_approved_at = Some(now));
            return true;
        }
        Standing::Refused(by) => Reason::Refused { by, asks },
        Standing::Missing(missing) => Reason::Approval { asks, missing },
    };
    draft.wait(Step::Decommission, name, reason, WaitsFor::Person);
    false
}

/// Scream test, drain, tasks: all of them can still be taken back. Then legacy is switched off.
fn end_legacy(draft: &mut Draft, name: &ServiceName, service: &Service, end: &Decommission, items: &[Item]) {
    if is_off(draft, name, service, items) {
        return take_back(draft, name, items);
    }
    // Somebody may have come back meanwhile.
    if let Some((reason, on)) = still_needed(draft, name, service).or_else(|| still_has_traffic(draft, name, service)) {
        return draft.wait(Step::Decommission, name, reason, on);
    }
    if at(draft, name, service, items, Moment::ScreamTest) == Progress::Waits {
        return;
    }
    if let Some(length) = end.scream_test {
        let denied = draft.state(name).tasks.get(&agenda::named::scream_test()).map_or(draft.now, |t| t.at);
        let until = draft.wake_in(denied, length);
        if until > draft.now {
            return draft.wait(Step::ScreamTest, name, Reason::ScreamTest { until }, WaitsFor::World);
        }
    }
    if drains(draft, name, service) || at(draft, name, service, items, Moment::BeforeDecommission) == Progress::Waits {
        return;
    }
    if let Some(reason) = draft.held(&draft.state(name)) {
        return draft.wait(Step::Decommission, name, reason, WaitsFor::Person);
    }
    if let Some(reason) = timing::end_window(draft, Span::ZERO) {
        let on = timing::waits_for(&reason);
        return draft.wait(Step::Decommission, name, reason, on);
    }
    draft.change(name, |s| s.stage = Stage::Decommissioning);
}

/// The tasks of an end that has begun. All of them can still be taken back.
fn begun(items: &[Item]) -> &[Item] {
    let from = items.partition_point(|item| item.moment < Moment::ScreamTest);
    let upto = items.partition_point(|item| item.moment < Moment::Decommission);
    items.get(from..upto).unwrap_or_default()
}

/// **Off.** An end that has begun is off once a service that counts on legacy goes back: that one needs it, and it may be denied to
/// it by now. What is being taken back comes to its end first.
fn is_off(draft: &Draft, name: &ServiceName, service: &Service, items: &[Item]) -> bool {
    let half = |item: &Item| draft.task(&Subject::from(name), &item.name).is_some_and(|t| t.stage == TaskStage::UndoOrdered);
    let goes_back =
        |other: &ServiceName| draft.own(other).is_some_and(|s| s.direction == Direction::Backward) || draft.gone.contains(other);
    begun(items).iter().any(half) || counted_on_by(draft, name, service, goes_back).is_some()
}

/// Legacy is let in again. The next end, if there is one, is asked about anew.
fn take_back(draft: &mut Draft, name: &ServiceName, items: &[Item]) {
    for when in [UndoWhen::BeforeTraffic, UndoWhen::AfterTraffic] {
        if tasks::undo(draft, &Subject::from(name), begun(items), when) == Progress::Waits {
            return;
        }
    }
    draft.change(name, |s| (s.stage, s.end_approved_at) = (Stage::Soaked, None));
    draft.event(Event::EndTakenBack { service: name.clone() });
}

/// **Drain.** Open connections of legacy are waited for, up to the plan's deadline, and for the age that they reach: from the
/// moment on from which legacy gets no new ones. That is seen at the route: a hand may have put traffic back there meanwhile.
fn drains(draft: &mut Draft, name: &ServiceName, service: &Service) -> bool {
    let route = route::fresh(draft.seen, name, draft.now);
    let (active, known, effective) = match &route {
        Ok(route) => (route.legacy_active.unwrap_or(0), route.legacy_active.is_some(), route.effective.map(|e| e.since)),
        Err(why) => {
            let reason = Reason::RouteUnknown { why: why.clone() };
            draft.wait(Step::Drain, name, reason, WaitsFor::World);
            return true;
        }
    };
    let denied = draft.state(name).tasks.get(&agenda::named::scream_test()).map(|t| t.at);
    let since = denied.or(draft.state(name).moved_at).max(effective).unwrap_or(draft.now);
    let drains = if active == 0 && (known || service.drain_deadline.is_none()) {
        let aged = service.max_connection_age.filter(|_| !known).map(|age| draft.wake_in(since, age));
        aged.is_some_and(|at| at > draft.now)
    } else {
        let deadline = service.drain_deadline.map(|deadline| draft.wake_in(since, deadline));
        deadline.is_none_or(|at| at > draft.now)
    };
    if drains {
        draft.wait(Step::Drain, name, Reason::Draining { connections: active }, WaitsFor::World);
    }
    drains
}

/// Legacy is switched off. From the order on there is no way back; but one that nobody has taken is not given again before it
/// is asked once more what carries traffic and connections (found by the explorer: a late order and a hand's weight).
fn switch_off(draft: &mut Draft, name: &ServiceName, service: &Service, items: &[Item]) {
    if !tasks::may_have_begun(draft, &Subject::from(name), &agenda::named::switch_off()) {
        if let Some((reason, on)) = still_has_traffic(draft, name, service) {
            return draft.wait(Step::Decommission, name, reason, on);
        }
        if drains(draft, name, service) {
            return;
        }
    }
    if at(draft, name, service, items, Moment::Decommission) == Progress::Waits {
        return;
    }
    draft.change(name, |s| s.stage = Stage::Decommissioned);
    draft.event(Event::Decommissioned { service: name.clone() });
}

/// Whether a service that is past its soak is at its end: nothing more is to be done for it. A legacy side that is counted on
/// by a service which went back stays, in this run for ever. One that is to go back itself is at its end when it is back.
pub fn is_end(draft: &Draft, name: &ServiceName, service: &Service) -> bool {
    if backward::concerns(&draft.state(name)) {
        return false;
    }
    let items = agenda::of_service(service);
    let done = |item: &Item| draft.state(name).tasks.get(&item.name).is_some_and(|t| t.stage == TaskStage::Done);
    let tidy = || draft.stage(name) == Stage::Soaked && of_moment(items, Moment::AfterSoak).all(done);
    if service.decommission.is_some() {
        let stays = || still_counted_on(draft, name, service).is_some_and(|(other, _)| draft.gone.contains(&other));
        return draft.stage(name) == Stage::Decommissioned || (tidy() && stays());
    }
    tidy()
}
