//! When a forward step may start: windows, freezes and limits. None of them ever binds a way back.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    agenda,
    draft::{Draft, WaitsFor},
    event::Event,
    reason::Reason,
    record::{Direction, Record, ServiceState, Stage},
    walk,
    way_back::WayBack,
};
use crate::plan::{
    OnFailure, PhaseName, Plan, Service, ServiceName, Span, Window, WindowName,
    schedule::{Calendar, Durations, Expected, Purpose, Start},
};

/// Whether traffic of the service may be on both sides, or on the way from one to the other: from the first task of its
/// shift to the confirmation of the last weight, and all the way back.
pub fn is_moving(service: &Service, state: &ServiceState) -> bool {
    match state.stage {
        Stage::Shifting(_) | Stage::Returning => true,
        Stage::Waiting => shift_has_begun(service, state),
        _ => state.direction == Direction::Backward && state.stage == Stage::Soaking,
    }
}

/// Whether a task that belongs to its shift was ordered.
pub fn shift_has_begun(service: &Service, state: &ServiceState) -> bool {
    if state.tasks.is_empty() {
        return false;
    }
    state.tasks.iter().any(|(name, task)| task.stage.has_begun() && agenda::is_of_shift(service, name))
}

/// How long things take: as was measured, where it was.
fn expected<'a>(draft: &Draft<'a, '_>) -> Expected<'a> {
    Expected::measured(draft.plan, &draft.seen.durations)
}

/// How long it takes to take back all that is in motion, and one more if it begins to move.
fn undo<'a>(draft: &mut Draft<'a, '_>, also: Option<&'a ServiceName>) -> Option<Span> {
    let Draft { way_back, plan, seen, moving, .. } = draft;
    way_back.takes(plan, &seen.durations, moving, also)
}

/// **Windows.** A shift, fence or promotion starts only inside a window of its phase, outside freezes, and if it ends with its
/// bake before the latest rollback that would hold then.
pub fn window(draft: &mut Draft, name: &ServiceName, service: &Service, takes: Span) -> Option<Reason> {
    let plan = draft.plan;
    if plan.windows.is_empty() && plan.freezes.is_empty() {
        return None;
    }
    let (own, _) = plan.services.get_key_value(name)?;
    let undo = undo(draft, Some(own)).unwrap_or_default();
    let start = Calendar::of(plan).may_start(Purpose::Shift(&service.phase), takes, undo, draft.now);
    let names = plan.phases.get(&service.phase).into_iter().flat_map(|phase| &phase.windows);
    let named = named(&names.filter_map(|name| plan.windows.get_key_value(name)).collect::<Vec<_>>(), &start);
    closed(draft, start, takes, named)
}

/// The window that a wait is told of: the one that is open when the step may start next; if none comes any more, the last.
fn named<'a>(windows: &[(&'a WindowName, &'a Window)], start: &Start<'_>) -> Option<&'a WindowName> {
    let next = start.next();
    let open = windows.iter().find(|(_, window)| next.is_some_and(|at| window.opens <= at && at < window.closes));
    open.or_else(|| windows.iter().max_by_key(|(_, window)| window.closes)).map(|(name, _)| *name)
}

/// **Windows** of the end: scream test, drain and decommission start only inside one of theirs, if there is any.
pub fn end_window(draft: &mut Draft, takes: Span) -> Option<Reason> {
    let plan = draft.plan;
    if plan.windows.is_empty() && plan.freezes.is_empty() {
        return None;
    }
    let calendar = Calendar::of(plan);
    let start = calendar.may_start(Purpose::Decommission, takes, Span::ZERO, draft.now);
    let named = named(&calendar.windows(Purpose::Decommission).collect::<Vec<_>>(), &start);
    closed(draft, start, takes, named)
}

/// Why a step does not start now, and when to ask again.
fn closed(draft: &mut Draft, start: Start<'_>, takes: Span, window: Option<&WindowName>) -> Option<Reason> {
    let next = start.next();
    if let Some(next) = next {
        draft.wake(next);
    }
    let ends = draft.now.saturating_add(takes.signed()).unwrap_or(Timestamp::MAX);
    match start {
        Start::Now { .. } => None,
        Start::Frozen { freeze, until, .. } => {
            let why = draft.plan.freezes.get(freeze).map_or_else(String::new, |f| f.reason.clone());
            Some(Reason::Frozen { freeze: freeze.clone(), until, why })
        }
        Start::Closed { next } => Some(Reason::WindowClosed { window: window?.clone(), opens: next }),
        // Too little is left of the last one: only a person can help.
        Start::TooLate { window: Some(window), .. } if next.is_none() => {
            Some(Reason::WindowClosed { window: window.clone(), opens: None })
        }
        Start::TooLate { window: Some(window), latest_rollback, .. } => {
            Some(Reason::WindowTooShort { window: window.clone(), ends, latest: latest_rollback })
        }
        Start::TooLate { window: None, latest_rollback, .. } => {
            let next = draft.plan.freezes.iter().filter(|(_, f)| f.from >= draft.now).min_by_key(|(_, f)| f.from)?;
            let why = format!("it begins before the step could be undone, by {latest_rollback:.0}: {}", next.1.reason);
            Some(Reason::Frozen { freeze: next.0.clone(), until: next.1.until, why })
        }
    }
}

/// Who can end such a wait: time, unless no window comes any more.
pub fn waits_for(reason: &Reason) -> WaitsFor {
    match reason {
        Reason::WindowClosed { opens: None, .. } => WaitsFor::Person,
        _ => WaitsFor::World,
    }
}

/// **Limits.** So many services may be in motion at once; a group counts as its members. `newcomers` are those that would
/// start now.
pub fn limits(draft: &Draft, newcomers: &BTreeSet<&ServiceName>) -> Option<Reason> {
    let limits = &draft.plan.limits;
    if limits.is_none() {
        return None;
    }
    let count = |of: &dyn Fn(&ServiceName) -> bool| {
        let all = draft.moving.union(newcomers).filter(|name| of(name)).count();
        u32::try_from(all).unwrap_or(u32::MAX)
    };
    let moving = |of: &dyn Fn(&ServiceName) -> bool| {
        u32::try_from(draft.moving.iter().filter(|name| of(name)).count()).unwrap_or(u32::MAX)
    };
    if let Some(max) = limits.in_motion.filter(|max| count(&|_| true) > *max) {
        return Some(Reason::InMotion { moving: moving(&|_| true), max });
    }
    limits.per_tier.iter().find_map(|(tier, max)| {
        let of_tier = |name: &ServiceName| draft.plan.services.get(name).is_some_and(|s| s.tier == Some(*tier));
        let touched = newcomers.iter().any(|name| of_tier(name));
        (touched && count(&of_tier) > *max).then(|| Reason::TierInMotion { tier: *tier, moving: moving(&of_tier), max: *max })
    })
}

/// **Overrun.** When the latest rollback of a window has come and something governed by it is in motion, the window says
/// what happens: everything in motion goes back, or holds.
pub fn overrun(draft: &mut Draft) {
    let plan = draft.plan;
    if plan.windows.is_empty() || draft.moving.is_empty() {
        return;
    }
    let mut phases: BTreeSet<&PhaseName> = BTreeSet::new();
    phases.extend(draft.moving.iter().filter_map(|name| plan.services.get(*name)).map(|service| &service.phase));
    let undo = undo(draft, None);
    let calendar = Calendar::of(plan);
    for phase in phases {
        let Some((Some(window), latest)) = calendar.latest_rollback(Purpose::Shift(phase), undo, draft.now) else { continue };
        if latest > draft.now {
            draft.wake(latest);
            continue;
        }
        if draft.next.overrun.contains_key(window) {
            continue;
        }
        let reason = Reason::Overrun { window: window.clone(), latest };
        draft.next.overrun.insert(window.clone(), draft.stamp);
        draft.event(Event::Overrun { window: window.clone(), reason: reason.clone() });
        let action = plan.windows.get(window).map_or(OnFailure::Hold, |w| w.overrun);
        for name in draft.moving.clone() {
            let governed =
                plan.services.get(name).and_then(|s| plan.phases.get(&s.phase)).is_some_and(|p| p.windows.contains(window));
            let state = draft.state(name);
            match action {
                _ if !governed || state.direction == Direction::Backward => {}
                OnFailure::Rollback => draft.send_back(name, &reason),
                OnFailure::Hold if state.hold.is_none() => draft.hold(name, reason.clone()),
                OnFailure::Hold => {}
            }
        }
    }
}

/// Until when all that is in motion can still be undone before the window or freeze that bounds it, and which window that is:
/// the earliest such moment. While nothing is in motion it is that of a single step of whatever is to move next.
pub fn latest_rollback<'p>(
    plan: &'p Plan,
    record: &Record,
    measured: &Durations,
    now: Timestamp,
) -> Option<(Option<&'p WindowName>, Timestamp)> {
    let in_motion = walk::select(plan, record, is_moving);
    let moving: BTreeSet<&ServiceName> = in_motion.iter().map(|(name, _)| *name).collect();
    let concerned = match in_motion.is_empty() {
        true => walk::select(plan, record, |_, state| state.stage == Stage::Waiting),
        false => in_motion,
    };
    let phases: BTreeSet<&PhaseName> = concerned.into_iter().map(|(_, service)| &service.phase).collect();
    let undo = WayBack::default().takes(plan, measured, &moving, None).unwrap_or_default();
    let calendar = Calendar::of(plan);
    let bounds = phases.into_iter().filter_map(|phase| calendar.latest_rollback(Purpose::Shift(phase), Some(undo), now));
    bounds.min_by_key(|(_, latest)| *latest)
}

/// What one weight of a service takes, from its order to the end of its bake.
pub fn of_weight(draft: &Draft, name: &ServiceName, service: &Service) -> Span {
    expected(draft).weight(name, service, agenda::bake(draft.plan, name, service))
}

/// What the first step of a service's shift takes: its tasks, for a single writer the whole switch, and the first weight.
pub fn of_start(draft: &Draft, name: &ServiceName, service: &Service) -> Span {
    let expected = expected(draft);
    let weight = of_weight(draft, name, service);
    [expected.before_shift(name, service), expected.switch(name, service).unwrap_or_default(), weight].into_iter().sum()
}

/// What the longest piece of the end of a service's legacy side takes that has to fit into a window as a whole.
pub fn of_end(draft: &Draft, name: &ServiceName, service: &Service) -> Span {
    expected(draft).end_pieces(name, service).into_iter().max().unwrap_or_default()
}
