//! What is done about a violated invariant: the services at which it would happen stay as they were and hold with its name;
//! what was decided for all others stands, so that a mistake about one service never stands in the way of another's way back.
//!
//! *Flow*: check, take the offenders out, check what is left again, until nothing is found. An offender keeps the order to
//! go back (direction and cause), for that one names the people or the failed gate behind it and others rest on it; if it
//! offends even so, it loses that as well. Orders of people and latches always stand.
//! *Guarantees*: what comes out breaks no invariant, and looking again without news changes nothing.
//! *Caveats*: should an offender be found that has nothing left to lose, the whole run holds and nothing is done.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    Decision, Wait,
    event::Event,
    observed::Observed,
    reason::Reason,
    record::{Direction, Hold, Latch, LatchKind, Outcome, Record, ServiceState, millis::whole},
    safety::{self, Violation},
    step::Step,
};
use crate::plan::{Revision, ServiceName};

/// How much of a decision about one service is withheld.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Extent {
    /// What moves it. It still turns round, if it was to.
    Motion,
    /// All of it.
    Whole,
}

/// Why and how much of the decision about each offender is withheld.
type Offenders = BTreeMap<ServiceName, (Extent, Reason)>;

/// The decision without what would break an invariant.
pub fn lawful(revision: &Revision, before: &Record, seen: &Observed, now: Timestamp, decision: Decision) -> Decision {
    let mut offenders = Offenders::new();
    let mut violations = safety::check(revision, before, seen, now, &decision);
    if violations.is_empty() {
        return decision;
    }
    while widen(&mut offenders, &violations) {
        let rest = without(before, now, decision.clone(), &offenders);
        violations = safety::check(revision, before, seen, now, &rest);
        if violations.is_empty() {
            return rest;
        }
    }
    whole_run(before, now, decision, &violations)
}

fn reason(violation: &Violation) -> Reason {
    let Violation { invariant, service, detail } = violation;
    Reason::Invariant { invariant: *invariant, detail: format!("{service}: {detail}") }
}

/// Withholds more from each service that was found. Says whether there was more.
fn widen(offenders: &mut Offenders, violations: &[Violation]) -> bool {
    let known = offenders.clone();
    for violation in violations {
        let extent = match known.get(&violation.service) {
            None => Extent::Motion,
            Some(_) => Extent::Whole,
        };
        let why = offenders.get(&violation.service).map_or_else(|| reason(violation), |(_, first)| first.clone());
        offenders.insert(violation.service.clone(), (extent, why));
    }
    *offenders != known
}

/// The decision with the offenders left as they were.
fn without(before: &Record, now: Timestamp, mut decision: Decision, offenders: &Offenders) -> Decision {
    let ours = |service: &ServiceName| !offenders.contains_key(service);
    let turned = |service: &ServiceName| offenders.get(service).is_some_and(|(extent, _)| *extent == Extent::Motion);
    decision.effects.retain(|effect| effect.key.step.service().is_none_or(ours));
    decision.waits.retain(|wait| wait.step.service().is_none_or(ours));
    decision.events.retain(|event| match event {
        Event::GoesBack { service, .. } => ours(service) || turned(service),
        other => other.service().is_none_or(ours),
    });
    if before.ended.is_none() && decision.record.ended.take().is_some() {
        decision.events.retain(|event| !matches!(event, Event::Ended { .. }));
        decision.outcome = None;
    }
    for (name, (extent, _)) in offenders {
        let Some(was) = before.services.get(name) else { continue };
        let is = decision.record.services.get(name).filter(|_| *extent == Extent::Motion);
        let kept = is.map_or_else(|| was.clone(), |is| turned_only(was, is).into());
        decision.record.services.insert(name.clone(), kept);
    }
    for (name, (_, reason)) in offenders {
        hold(before, now, &mut decision, name, reason);
    }
    decision.outcome = decision.outcome.or_else(|| stands(&decision).then_some(Outcome::Held));
    decision
}

/// The state as it was, and what of the new one says that it goes back, and why.
fn turned_only(was: &ServiceState, is: &ServiceState) -> ServiceState {
    if was.direction == is.direction || is.direction == Direction::Forward {
        return was.clone();
    }
    ServiceState { direction: is.direction, cause: is.cause.clone(), hold: None, ..was.clone() }
}

/// The service holds with the invariant's name. One that holds already keeps its hold, so that nothing is written over and
/// over, unless a person cleared that just now.
fn hold(before: &Record, now: Timestamp, decision: &mut Decision, name: &ServiceName, reason: &Reason) {
    let id = decision.record.next_latch();
    let resumed = decision.record.resumed.filter(|upto| before.resumed != Some(*upto));
    let Some(state) = decision.record.services.get_mut(name) else { return };
    let step = Step::at(state).of(name);
    if state.hold.as_ref().is_none_or(|hold| resumed.is_some_and(|upto| hold.id <= upto)) {
        state.hold = Some(Hold { id, since: whole(now), reason: reason.clone() });
        decision.events.push(Event::Held { service: Some(name.clone()), reason: reason.clone() });
        decision.events.push(Event::Withheld { reason: reason.clone() });
    }
    let since = state.hold.as_ref().map(|hold| hold.since);
    decision.waits.push(Wait { step, reason: reason.clone(), since });
}

/// Nothing is done, and everything that waits does so for a person, or for what does.
fn stands(decision: &Decision) -> bool {
    let holds = |wait: &Wait| {
        let service = wait.step.service().and_then(|name| decision.record.services.get(name));
        service.and_then(|s| s.hold.as_ref()).is_some_and(|hold| hold.reason == wait.reason)
    };
    let person = |wait: &Wait| match wait.reason {
        Reason::Phase { .. } | Reason::Need { .. } | Reason::Dependent { .. } | Reason::Invariant { .. } => true,
        _ => holds(wait),
    };
    decision.effects.is_empty() && decision.waits.iter().all(person)
}

/// The last resort: the record stays as it was, nothing is performed, and the run holds with the invariant's name. A run
/// that holds for one already stays as it is.
fn whole_run(before: &Record, now: Timestamp, mut decision: Decision, violations: &[Violation]) -> Decision {
    let Some(reason) = violations.first().map(reason) else { return decision };
    decision.record = before.clone();
    decision.effects.clear();
    decision.events.clear();
    decision.outcome = Some(Outcome::Held);
    if before.latch.is_none() {
        let (id, kind) = (before.next_latch(), LatchKind::Hold);
        decision.record.latch = Some(Latch { id, kind, since: whole(now), reason: reason.clone(), hold: None });
        decision.events.push(Event::Held { service: None, reason: reason.clone() });
        decision.events.push(Event::Withheld { reason });
    }
    decision
}
