//! What all lines so far tell of what was seen: enough to decide again.
//!
//! *Guarantees*: whoever writes a line and whoever reads it come to the same; what a line told can be taken back, for its
//! commit may fail.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::news::{Age, GateHeard, Heard, News, Steady};
use crate::{
    engine::{
        Answer, GateSeen, Observed, Round, Sample, SideSeen, Subject, TaskKey,
        gate::{self, window},
    },
    plan::{BridgeName, Gate, GateName, Plan, ServiceName, Side},
};

/// What the lines tell.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// As the engine takes it, at the moment of the newest line: what is fresh was taken just then.
    seen: Observed,
    stale: Stale,
    /// Gates that are told without their rounds.
    steady: BTreeMap<ServiceName, BTreeMap<GateName, Steady>>,
    other_steady: BTreeMap<(Subject, GateName), Steady>,
}

/// Answers that are too old to count.
#[derive(Debug, Clone, Default)]
struct Stale {
    routes: BTreeSet<ServiceName>,
    sides: BTreeSet<(ServiceName, Side)>,
    tasks: BTreeSet<TaskKey>,
    claims: BTreeSet<BridgeName>,
}

impl Told {
    /// What was seen, as far as it makes a difference, at the moment of the newest line.
    pub fn seen(&self) -> &Observed {
        &self.seen
    }

    /// Takes in what a line of this moment tells. Gives what takes it back.
    pub fn hear(&mut self, plan: &Plan, news: News, at: Timestamp) -> News {
        let Self { seen, stale, .. } = self;
        let mut before = News {
            routes: all(news.routes, |name, heard| set(&mut seen.routes, &mut stale.routes, name, heard)),
            tasks: all(news.tasks, |key, heard| set(&mut seen.tasks, &mut stale.tasks, key, heard)),
            claims: all(news.claims, |name, heard| set(&mut seen.claims, &mut stale.claims, name, heard)),
            durations: news.durations.map(|durations| std::mem::replace(&mut seen.durations, durations)),
            orders: news.orders.map(|orders| std::mem::replace(&mut seen.orders, orders)),
            approvals: news.approvals.map(|approvals| std::mem::replace(&mut seen.approvals, approvals)),
            ..News::default()
        };
        for (name, sides) in news.sides {
            let was = all(sides, |side, heard| self.side(&name, *side, heard));
            before.sides.insert(name, was);
        }
        for (name, gates) in news.gates {
            let was = all(gates, |gate, heard| self.gate(plan, &name, gate, heard));
            before.gates.insert(name, was);
        }
        before.other_gates = all(news.other_gates, |(of, gate), heard| self.other_gate(plan, of, gate, heard));
        self.stamp(at);
        before
    }

    fn side(&mut self, name: &ServiceName, side: Side, heard: Option<Heard<SideSeen>>) -> Option<Heard<SideSeen>> {
        let was_stale = self.stale.sides.remove(&(name.clone(), side));
        let sides = self.seen.sides.entry(name.clone()).or_default();
        let place = match side {
            Side::Legacy => &mut sides.legacy,
            Side::Target => &mut sides.target,
        };
        let was = place.take().map(|sample| again(sample, was_stale));
        if let Some(Heard { value, taken_at, age }) = heard {
            *place = Some(Sample { value, taken_at });
            if age == Age::Stale {
                self.stale.sides.insert((name.clone(), side));
            }
        }
        if sides.legacy.is_none() && sides.target.is_none() {
            self.seen.sides.remove(name);
        }
        was
    }

    fn gate(&mut self, plan: &Plan, name: &ServiceName, gate: &GateName, heard: Option<GateHeard>) -> Option<GateHeard> {
        let gates = self.seen.gates.entry(name.clone()).or_default();
        let steady = self.steady.entry(name.clone()).or_default();
        let was = gates.remove(gate).map(|rounds| match steady.remove(gate) {
            Some(steady) => GateHeard::Steady { steady },
            None => GateHeard::Rounds(rounds),
        });
        let rule = plan.services.get(name).and_then(|service| service.gates.get(gate));
        match heard {
            Some(GateHeard::Rounds(rounds)) => drop(gates.insert(gate.clone(), rounds)),
            Some(GateHeard::Steady { steady: how }) => {
                gates.insert(gate.clone(), rounds_of(rule, &how));
                steady.insert(gate.clone(), how);
            }
            None => {}
        }
        if gates.is_empty() {
            self.seen.gates.remove(name);
        }
        if steady.is_empty() {
            self.steady.remove(name);
        }
        was
    }

    fn other_gate(&mut self, plan: &Plan, of: &Subject, gate: &GateName, heard: Option<GateHeard>) -> Option<GateHeard> {
        let key = (of.clone(), gate.clone());
        let was_steady = self.other_steady.remove(&key);
        let was = self.seen.other_gates.remove(&key).map(|rounds| match was_steady {
            Some(steady) => GateHeard::Steady { steady },
            None => GateHeard::Rounds(rounds),
        });
        match heard {
            Some(GateHeard::Rounds(rounds)) => drop(self.seen.other_gates.insert(key, rounds)),
            Some(GateHeard::Steady { steady }) => {
                self.seen.other_gates.insert(key.clone(), rounds_of(gate::of(plan, of, gate), &steady));
                self.other_steady.insert(key, steady);
            }
            None => {}
        }
        was
    }

    /// What is fresh was taken at this moment, and so were the rounds of gates that are as they were.
    fn stamp(&mut self, at: Timestamp) {
        let Self { seen, stale, steady, other_steady } = self;
        freshen(&mut seen.routes, &stale.routes, at);
        freshen(&mut seen.tasks, &stale.tasks, at);
        freshen(&mut seen.claims, &stale.claims, at);
        for (name, sides) in &mut seen.sides {
            for (side, sample) in [(Side::Legacy, &mut sides.legacy), (Side::Target, &mut sides.target)] {
                let is_stale = !stale.sides.is_empty() && stale.sides.contains(&(name.clone(), side));
                if let Some(sample) = sample.as_mut().filter(|_| !is_stale) {
                    sample.taken_at = at;
                }
            }
        }
        for (name, gates) in steady {
            let rounds = seen.gates.get_mut(name);
            for (_, rounds) in rounds.into_iter().flatten().filter(|(gate, _)| gates.contains_key(*gate)) {
                at_once(rounds, at);
            }
        }
        for key in other_steady.keys() {
            if let Some(rounds) = seen.other_gates.get_mut(key) {
                at_once(rounds, at);
            }
        }
    }

    /// What was told of a gate.
    pub(super) fn of_gate(&self, name: &ServiceName, gate: &GateName) -> Option<View<'_>> {
        let rounds = self.seen.gates.get(name)?.get(gate)?;
        Some(View::of(self.steady.get(name).and_then(|gates| gates.get(gate)), rounds))
    }
    /// What was told of a gate that is no service's own.
    pub(super) fn of_other_gate(&self, key: &(Subject, GateName)) -> Option<View<'_>> {
        let rounds = self.seen.other_gates.get(key)?;
        Some(View::of(self.other_steady.get(key), rounds))
    }
    /// Whether this answer was told to be too old, or to count.
    pub(super) fn age_of_route(&self, name: &ServiceName) -> Age {
        age(!self.stale.routes.is_empty() && self.stale.routes.contains(name))
    }
    /// The same of a side.
    pub(super) fn age_of_side(&self, name: &ServiceName, side: Side) -> Age {
        age(!self.stale.sides.is_empty() && self.stale.sides.contains(&(name.clone(), side)))
    }
    /// The same of a task.
    pub(super) fn age_of_task(&self, key: &TaskKey) -> Age {
        age(self.stale.tasks.contains(key))
    }
    /// The same of a bridge's claims.
    pub(super) fn age_of_claims(&self, name: &BridgeName) -> Age {
        age(self.stale.claims.contains(name))
    }
}

/// What was told of a gate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum View<'a> {
    Steady(&'a Steady),
    Rounds(&'a GateSeen),
}
impl<'a> View<'a> {
    fn of(steady: Option<&'a Steady>, rounds: &'a GateSeen) -> Self {
        steady.map_or(Self::Rounds(rounds), Self::Steady)
    }
}

fn age(is_stale: bool) -> Age {
    if is_stale { Age::Stale } else { Age::Fresh }
}

fn again<T>(Sample { value, taken_at }: Sample<T>, was_stale: bool) -> Heard<T> {
    Heard { value, taken_at, age: age(was_stale) }
}

fn all<K: Ord + Clone, V>(news: BTreeMap<K, V>, mut set: impl FnMut(&K, V) -> V) -> BTreeMap<K, V> {
    news.into_iter()
        .map(|(key, value)| {
            let was = set(&key, value);
            (key, was)
        })
        .collect()
}

/// Sets an answer, or takes it away. Gives what was there.
fn set<K: Ord + Clone, T>(
    samples: &mut BTreeMap<K, Sample<T>>,
    stale: &mut BTreeSet<K>,
    key: &K,
    heard: Option<Heard<T>>,
) -> Option<Heard<T>> {
    let was_stale = stale.remove(key);
    let was = match heard {
        Some(Heard { value, taken_at, age }) => {
            if age == Age::Stale {
                stale.insert(key.clone());
            }
            samples.insert(key.clone(), Sample { value, taken_at })
        }
        None => samples.remove(key),
    };
    was.map(|sample| again(sample, was_stale))
}

fn freshen<K: Ord, T>(samples: &mut BTreeMap<K, Sample<T>>, stale: &BTreeSet<K>, at: Timestamp) {
    let is_fresh = |key: &K| stale.is_empty() || !stale.contains(key);
    samples.iter_mut().filter(|(key, _)| is_fresh(key)).for_each(|(_, sample)| sample.taken_at = at);
}

fn at_once(gate: &mut GateSeen, at: Timestamp) {
    for round in &mut gate.rounds {
        (round.sent_at, round.done_at) = (at, at);
    }
}

/// Rounds that say of a gate what it is: as many as it takes.
fn rounds_of(rule: Option<&Gate>, steady: &Steady) -> GateSeen {
    let (answer, count) = match steady {
        Steady::Good => (Answer::Good, rule.map_or(1, |rule| window(rule).1)),
        Steady::Failing(why) => (Answer::Bad(why.clone()), rule.map_or(1, |rule| rule.failures)),
        Steady::Silent(why) => (Answer::Unknown(why.clone()), 1),
    };
    let round = Round { sent_at: Timestamp::MIN, done_at: Timestamp::MIN, answer };
    GateSeen { watched_since: None, rounds: std::iter::repeat_n(round, usize::try_from(count).unwrap_or(0)).collect() }
}
