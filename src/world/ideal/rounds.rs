//! The rounds of a gate in the ideal world: one every period, all good.

use jiff::{SignedDuration, Timestamp};

use super::after;
use crate::{
    engine::{Answer, GateSeen, Round, Subject, gate as gates, writer_gates},
    plan::{Gate, GateName, Plan, Service, Span, schedule::window},
};

/// A gate that has answered well for as long as anybody asks.
pub fn settled(gate: &Gate) -> GateSeen {
    let mut shown = GateSeen::default();
    settle(gate, &mut shown);
    shown
}

/// Shows that, if it is not shown already.
pub fn settle(gate: &Gate, shown: &mut GateSeen) {
    if shown.rounds.first().is_some_and(|oldest| oldest.sent_at == Timestamp::MAX) {
        return;
    }
    shown.watched_since = Some(Timestamp::MIN);
    shown.rounds.clear();
    shown.rounds.resize(keep(gate), Round { sent_at: Timestamp::MAX, done_at: Timestamp::MAX, answer: Answer::Good });
}

fn keep(gate: &Gate) -> usize {
    usize::try_from(gates::window(gate).1.max(gate.failures).max(gates::ROUNDS_MIN)).unwrap_or(usize::MAX)
}

/// From a change until a gate has all the rounds that speak for it.
pub fn takes(gate: &Gate) -> Span {
    window(gate).plus(gate.every.times(gate.successes.saturating_add(1)))
}

/// Milliseconds from the start of the run to `now`.
fn elapsed(start: Timestamp, now: Timestamp) -> i64 {
    now.as_millisecond().saturating_sub(start.as_millisecond())
}

fn every(gate: &Gate) -> i64 {
    i64::try_from(gate.every.get().as_millis()).unwrap_or(i64::MAX).max(1)
}

/// The first round of a gate that is sent after `now`.
pub fn following(gate: &Gate, start: Timestamp, now: Timestamp) -> Timestamp {
    let every = every(gate);
    let count = elapsed(start, now).div_euclid(every) + 1;
    start.saturating_add(SignedDuration::from_millis(count.saturating_mul(every))).unwrap_or(Timestamp::MAX)
}

pub fn before_by_one(at: Timestamp) -> Timestamp {
    at.saturating_sub(SignedDuration::from_millis(1)).unwrap_or(Timestamp::MIN)
}

/// The newest rounds of a gate, one every period. Those whose window began before the newest change speak for neither state
/// and are left out.
pub fn fill(gate: &Gate, start: Timestamp, since: Timestamp, now: Timestamp, shown: &mut GateSeen) {
    let period = SignedDuration::from_millis(every(gate));
    let mixed = since..after(since, window(gate));
    let mut at = following(gate, start, now).saturating_sub(period).unwrap_or(Timestamp::MIN);
    shown.watched_since = Some(Timestamp::MIN);
    shown.rounds.clear();
    for _ in 0..keep(gate) {
        if mixed.contains(&at) {
            at = at.min(since).saturating_sub(period).unwrap_or(Timestamp::MIN);
        }
        shown.rounds.push(Round { sent_at: at, done_at: at, answer: Answer::Good });
        at = at.saturating_sub(period).unwrap_or(Timestamp::MIN);
    }
    shown.rounds.reverse();
}

/// The gates of a service that are looked at by themselves: those of its writer, and those that compare both sides.
pub fn others_of(service: &Service) -> impl Iterator<Item = (GateName, &Gate)> {
    let data = service.data.as_deref();
    let writer = data.into_iter().flat_map(writer_gates);
    writer.chain(data.into_iter().flat_map(|data| &data.reconcile).map(|(name, gate)| (name.clone(), gate)))
}

pub fn others_of_subject<'p>(plan: &'p Plan, of: &Subject) -> Box<dyn Iterator<Item = (GateName, &'p Gate)> + 'p> {
    let named = |(name, gate): (&GateName, &'p Gate)| (name.clone(), gate);
    match of {
        Subject::Service(name) => Box::new(plan.services.get(name).into_iter().flat_map(others_of)),
        Subject::Phase(name) => {
            let phase = plan.phases.get(name).into_iter();
            Box::new(phase.flat_map(|p| p.after.values()).flat_map(|after| &after.gates).map(named))
        }
        Subject::Bridge(name) => Box::new(plan.bridges.get(name).into_iter().flat_map(|b| &b.gates).map(named)),
    }
}
