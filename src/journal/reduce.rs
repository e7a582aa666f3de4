//! What of all that was seen a line has to tell.
//!
//! *Flow*: whoever changes with the line is told in full: these are the facts that the decision rested on. Of all others only
//! what is another one than the lines before tell, and of that only what a decision can tell apart: not when an answer was
//! taken but whether it is fresh, not the rounds of a gate that passes but that it does.
//! *Guarantees*: the engine comes to the same decision over what is told ([`super::Scribe`] tries that before a line is
//! written, and tells everything if it does not).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{
    changes::Changes,
    news::{Age, GateHeard, Heard, News, Steady},
    told::{Told, View},
};
use crate::{
    engine::{
        Answer, Direction, GateSeen, Observed, Record, RouteSeen, Sample, ServiceState, SideSeen, SidesSeen, Stage, Subject,
        TroubleKind,
        gate::{self, Verdict, stale_after, window},
        route,
        side::stale_after as side_stale_after,
    },
    plan::{Gate, GateName, Plan, Service, ServiceName, Side},
};

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// What is new, and all of whoever changes.
    News,
    /// Everything as it was seen.
    Everything,
}

/// What a decision rested on.
#[derive(Clone, Copy)]
pub struct Basis<'a> {
    pub plan: &'a Plan,
    pub before: &'a Record,
    pub changes: &'a Changes,
    pub seen: &'a Observed,
    pub at: Timestamp,
    pub depth: Depth,
}

/// What a line has to tell after what was told.
pub fn news(told: &Told, basis: Basis<'_>) -> News {
    let (known, seen) = (told.seen(), basis.seen);
    let mut news = News {
        orders: Some(seen.orders.clone()),
        durations: (known.durations != seen.durations).then(|| seen.durations.clone()),
        approvals: (known.approvals != seen.approvals).then(|| seen.approvals.clone()),
        ..News::default()
    };
    basis.routes(told, &mut news);
    basis.sides(told, &mut news);
    basis.gates(told, &mut news);
    basis.other_gates(told, &mut news);
    for (key, sample) in &seen.tasks {
        let heard = Heard::of(sample, route::STALE, basis.at);
        if basis.is_told_in_full(&key.of) || !is_same(known.tasks.get(key), told.age_of_task(key), &heard) {
            news.tasks.insert(key.clone(), Some(heard));
        }
    }
    for (name, sample) in &seen.claims {
        let heard = Heard::of(sample, route::STALE, basis.at);
        let in_full = basis.is_told_in_full(&Subject::Bridge(name.clone()));
        if in_full || !is_same(known.claims.get(name), told.age_of_claims(name), &heard) {
            news.claims.insert(name.clone(), Some(heard));
        }
    }
    gone(&mut news, known, seen);
    news
}

/// Whether this was told.
fn is_same<T: PartialEq>(known: Option<&Sample<T>>, age: Age, heard: &Heard<T>) -> bool {
    known.is_some_and(|known| {
        age == heard.age && known.value == heard.value && (age == Age::Fresh || known.taken_at == heard.taken_at)
    })
}

/// What has no answer any more.
fn gone(news: &mut News, known: &Observed, seen: &Observed) {
    fn keys<'a, K: Ord, V>(known: &'a BTreeMap<K, V>, seen: &'a BTreeMap<K, V>) -> impl Iterator<Item = &'a K> {
        known.keys().filter(|key| !seen.contains_key(*key))
    }
    news.routes.extend(keys(&known.routes, &seen.routes).map(|name| (name.clone(), None)));
    news.tasks.extend(keys(&known.tasks, &seen.tasks).map(|key| (key.clone(), None)));
    news.claims.extend(keys(&known.claims, &seen.claims).map(|name| (name.clone(), None)));
    news.other_gates.extend(keys(&known.other_gates, &seen.other_gates).map(|key| (key.clone(), None)));
    for (name, sides) in &known.sides {
        let now = seen.sides.get(name);
        let is_gone = |side: &Side| sides.get(*side).is_some() && now.is_none_or(|now| now.get(*side).is_none());
        for side in Side::BOTH.into_iter().filter(is_gone) {
            news.sides.entry(name.clone()).or_default().insert(side, None);
        }
    }
    for (name, gates) in &known.gates {
        let now = seen.gates.get(name);
        for gate in gates.keys().filter(|gate| now.is_none_or(|now| !now.contains_key(*gate))) {
            news.gates.entry(name.clone()).or_default().insert(gate.clone(), None);
        }
    }
}

impl Basis<'_> {
    /// Whether all is told of what belongs to this subject.
    fn is_told_in_full(&self, of: &Subject) -> bool {
        self.depth == Depth::Everything
            || match of {
                Subject::Service(name) => self.changes.services.contains_key(name),
                Subject::Phase(name) => self.changes.phases.contains_key(name),
                Subject::Bridge(name) => self.changes.bridges.contains_key(name),
            }
    }
    fn service_in_full(&self, name: &ServiceName) -> bool {
        self.depth == Depth::Everything || self.changes.services.contains_key(name)
    }
    fn state(&self, name: &ServiceName) -> Option<&ServiceState> {
        self.before.services.get(name).map(|state| &**state)
    }

    fn routes(&self, told: &Told, news: &mut News) {
        for (name, sample) in &self.seen.routes {
            let in_full = self.service_in_full(name);
            let known = told.seen().routes.get(name);
            let age = Age::of(sample.taken_at, route::STALE, self.at);
            if !in_full
                && known.is_some_and(|known| known.value == sample.value)
                && age == Age::Fresh
                && told.age_of_route(name) == age
            {
                continue; // by far the most
            }
            let mut heard = Heard::of(sample, route::STALE, self.at);
            if let (Ok(route), false) = (&mut heard.value, in_full) {
                route.legacy_active = active(route, self.state(name));
            }
            if in_full || !is_same(known, told.age_of_route(name), &heard) {
                news.routes.insert(name.clone(), Some(heard));
            }
        }
    }

    fn sides(&self, told: &Told, news: &mut News) {
        for (name, sides) in &self.seen.sides {
            let Some(service) = self.plan.services.get(name) else { continue };
            let in_full = self.service_in_full(name);
            let known = told.seen().sides.get(name);
            for (side, heard) in self.both(name, service, sides, in_full) {
                let before = known.and_then(|known| known.get(side));
                if in_full || !is_same(before, told.age_of_side(name, side), &heard) {
                    news.sides.entry(name.clone()).or_default().insert(side, Some(heard));
                }
            }
        }
    }

    fn both(&self, name: &ServiceName, service: &Service, sides: &SidesSeen, in_full: bool) -> Vec<(Side, Heard<SideSeen>)> {
        let counts_for = side_stale_after(service);
        let mut both = Vec::new();
        for side in Side::BOTH {
            let Some(sample) = sides.get(side) else { continue };
            let mut heard = Heard::of(sample, counts_for, self.at);
            if let (Ok(value), false) = (&mut heard.value, in_full) {
                value.dead_rounds = dead(value.dead_rounds, service, self.state(name));
            }
            both.push((side, heard));
        }
        both
    }

    fn gates(&self, told: &Told, news: &mut News) {
        for (name, gates) in &self.seen.gates {
            let Some(service) = self.plan.services.get(name) else { continue };
            let in_full = self.service_in_full(name);
            let moment = if in_full { None } else { self.moment(name) };
            for (gate, rounds) in gates {
                let rule = service.gates.get(gate);
                let patience = self.state(name).map_or(Patience::Every, |state| Patience::of(state, gate));
                let steady = rule.zip(moment).and_then(|(rule, since)| steady(rule, rounds, since, patience, self.at));
                if in_full || told.of_gate(name, gate) != Some(view(steady.as_ref(), rounds)) {
                    news.gates.entry(name.clone()).or_default().insert(gate.clone(), Some(heard(steady, rounds)));
                }
            }
        }
    }

    fn other_gates(&self, told: &Told, news: &mut News) {
        for (key, rounds) in &self.seen.other_gates {
            let (of, gate) = key;
            let in_full = self.is_told_in_full(of);
            let moment = if in_full { None } else { self.moment_of(of) };
            let rule = gate::of(self.plan, of, gate);
            let steady = rule.zip(moment).and_then(|(rule, since)| steady(rule, rounds, since, Patience::Every, self.at));
            if in_full || told.of_other_gate(key) != Some(view(steady.as_ref(), rounds)) {
                news.other_gates.insert(key.clone(), Some(heard(steady, rounds)));
            }
        }
    }

    /// The newest moment after which answers about a service may have to lie; `None`: that cannot be said.
    fn moment(&self, name: &ServiceName) -> Option<Timestamp> {
        let effective = self.seen.routes.get(name).and_then(|sample| sample.value.as_ref().ok()?.effective).map(|e| e.since);
        if effective.is_some_and(|since| since > self.at) {
            return None;
        }
        let state = self.state(name)?;
        let tasks = state.tasks.values().map(|task| task.at);
        let recorded = tasks.chain(state.order.map(|order| order.at)).chain(state.moved_at);
        // One that lies ahead is taken for long ago: it was written by a clock that was ahead of ours.
        let recorded = recorded.filter(|moment| *moment <= self.at);
        Some(recorded.chain(effective).max().unwrap_or(Timestamp::MIN))
    }

    fn moment_of(&self, of: &Subject) -> Option<Timestamp> {
        let newest = |moments: &mut dyn Iterator<Item = Timestamp>| {
            moments.filter(|moment| *moment <= self.at).max().unwrap_or(Timestamp::MIN)
        };
        match of {
            Subject::Service(name) => self.moment(name),
            Subject::Bridge(name) => Some(newest(&mut self.before.bridges.get(name).and_then(|b| b.up_since).into_iter())),
            Subject::Phase(name) => {
                let before: BTreeSet<_> = self.plan.phases.get(name).into_iter().flat_map(|phase| phase.after.keys()).collect();
                let members = before.into_iter().flat_map(|phase| self.plan.members(phase));
                Some(newest(&mut members.filter_map(|member| self.state(member)?.moved_at)))
            }
        }
    }
}

/// What requests legacy still has is asked only of who is about to leave it for good, and then whether there are any.
fn active(route: &RouteSeen, state: Option<&ServiceState>) -> Option<u64> {
    let asked = state.is_some_and(|state| matches!(state.stage, Stage::Shifting(_)) || state.stage.is_past_soak());
    route.legacy_active.filter(|_| asked).map(|active| active.min(1))
}

/// For how long a side has been dead is asked only of who has traffic there, and up to what makes it count as dead.
fn dead(rounds: u32, service: &Service, state: Option<&ServiceState>) -> u32 {
    if state.is_some_and(|state| state.order.is_some()) { rounds.min(service.failures()) } else { 0 }
}

fn view<'a>(steady: Option<&'a Steady>, rounds: &'a GateSeen) -> View<'a> {
    steady.map_or(View::Rounds(rounds), View::Steady)
}

fn heard(steady: Option<Steady>, rounds: &GateSeen) -> GateHeard {
    steady.map_or_else(|| GateHeard::Rounds(rounds.clone()), |steady| GateHeard::Steady { steady })
}

/// What a gate may go on being without any of its rounds making a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Patience {
    /// Good.
    Good,
    /// Silent as well: that is in the record.
    Silent,
    /// Failing as well: that is in the record.
    Failing,
    /// All of it: nothing is done about it, or all that can be is.
    Every,
}

impl Patience {
    fn of(state: &ServiceState, gate: &GateName) -> Self {
        let at_rest = state.order.is_none() || state.direction == Direction::Backward;
        if at_rest || state.stage.is_past_soak() || state.stage == Stage::Returned || state.hold.is_some() {
            return Self::Every;
        }
        match state.troubles.get(gate).map(|trouble| trouble.kind) {
            None => Self::Good,
            Some(TroubleKind::Unknown) => Self::Silent,
            Some(TroubleKind::Failing) => Self::Failing,
        }
    }
    fn with(self, other: Self) -> bool {
        self == Self::Every || self == other
    }
}

/// How a gate is, if none of its rounds makes a difference to whoever asks for answers after `since`, or after any moment
/// before that.
fn steady(rule: &Gate, seen: &GateSeen, since: Timestamp, patience: Patience, now: Timestamp) -> Option<Steady> {
    let newest = seen.rounds.last().filter(|newest| newest.sent_at >= since)?;
    if Age::of(newest.sent_at, stale_after(rule), now) == Age::Stale {
        return None;
    }
    match &newest.answer {
        Answer::Good => passes(rule, seen, since).then_some(Steady::Good),
        Answer::Unknown(why) => patience.with(Patience::Silent).then(|| Steady::Silent(why.clone())),
        Answer::Bad(_) if !patience.with(Patience::Failing) => None,
        Answer::Bad(_) => match gate::judge(rule, Some(seen), since, now) {
            Verdict::Fail { why, .. } => Some(Steady::Failing(why)),
            _ => None,
        },
    }
}

/// Enough good answers after `since`, and no other among those that a verdict looks at.
fn passes(rule: &Gate, seen: &GateSeen, since: Timestamp) -> bool {
    let (wanted, of) = window(rule);
    let (wanted, of) = (usize::try_from(wanted).unwrap_or(usize::MAX), usize::try_from(of).unwrap_or(usize::MAX));
    let newest = || seen.rounds.iter().rev().take(of);
    rule.failures > 0
        && newest().all(|round| round.answer == Answer::Good)
        && newest().take_while(|round| round.sent_at >= since).count() >= wanted
}
