//! A run in virtual time: look, judge, commit, perform, and jump to the next moment at which anything can change.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;

use super::{
    clock::Moment,
    facts::{Facts, Shown},
    fault::Happening,
    flight::Flight,
    history::History,
    judge::{self, Breach},
    model::{Delays, Model},
    people::{self, Yes},
    state::World,
};
use crate::{
    engine::{self, Decision, Effect, Record, Rules, RunId},
    plan::Revision,
};

/// A run in virtual time.
#[derive(Debug, Clone)]
pub struct Sim {
    /// What does not change.
    pub model: Arc<Model>,
    /// The world.
    pub world: World,
    /// The record as it was last committed.
    pub record: Record,
    /// Where the traffic went.
    pub history: History,
    /// How long every effect takes, unless [`Sim::step_with`] is told otherwise.
    pub delays: Delays,
    /// How long people take to say yes to what the plan asks them, in milliseconds; `None`: nobody ever does.
    pub yes_after: Option<i64>,
    asked: BTreeSet<(u16, u16)>,
    rules: Rules,
    shown: Shown,
    script: BTreeMap<(Moment, u32), Happening>,
    scheduled: u32,
    rest: Rest,
    /// The oldest that was shown since what was shown last was so at the time.
    blind_since: Option<Moment>,
    keep: Keep,
}

/// A process that was suspended, or does not know that another one leads, between its decision and its commit.
#[derive(Debug, Clone)]
pub struct Rival {
    before: Record,
    after: Record,
    flights: Vec<Flight>,
}

/// Whether a run keeps where the traffic went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// It keeps all of it.
    History,
    /// It keeps nothing: for many runs of which only the end counts.
    Nothing,
}

/// Whether there is anything to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    Until(Moment),
    ForGood,
}

/// One look and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// When.
    pub at: Timestamp,
    /// The same in the world's time.
    pub moment: Moment,
    /// What was decided, and checked: a violated invariant is withheld as in the product.
    pub decision: Decision,
    /// Whether the decision changed the record.
    pub edge: Edge,
    /// What the judge of the world objects to, in the time up to this look and in it.
    pub breaches: Vec<Breach>,
}

/// Whether a decision changed the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// It did.
    Changed,
    /// It did not.
    Same,
}

impl Sim {
    /// A run of this revision that starts at `start` in a world where everything works and takes its usual time.
    pub fn ideal(revision: &Revision, start: Timestamp) -> Self {
        let run = RunId("5e1f0000model".to_owned());
        Self::new(Arc::new(Model::new(Arc::new(revision.clone()), run, start)))
    }

    /// A run in a model's ideal world. Several runs may share one model.
    pub fn new(model: Arc<Model>) -> Self {
        let record = Record::new(model.run().clone(), model.revision(), model.timestamp(Moment(0)));
        Self {
            world: World::new(&model),
            record,
            history: History::default(),
            delays: Delays::USUAL,
            yes_after: Some(60_000),
            asked: BTreeSet::new(),
            rules: Rules::ALL,
            shown: Shown::default(),
            script: BTreeMap::new(),
            scheduled: 0,
            rest: Rest::Until(Moment(0)),
            blind_since: None,
            keep: Keep::History,
            model,
        }
    }

    /// The same with other rules, to show what one is for; what they violate is not withheld then.
    pub fn with_rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// The same with or without a history of its traffic.
    pub fn keeping(mut self, keep: Keep) -> Self {
        self.keep = keep;
        self
    }

    /// When it will look next; `None`: never by itself.
    pub fn next_look(&self) -> Option<Moment> {
        match self.rest {
            Rest::Until(moment) => Some(moment),
            Rest::ForGood => None,
        }
    }

    /// Something changed that this run should look at then; one that has ended looks no more.
    pub(super) fn wake(&mut self, at: Moment) {
        self.rest = match self.rest {
            Rest::Until(next) => Rest::Until(next.min(at)),
            Rest::ForGood if self.record.ended.is_some() => Rest::ForGood,
            Rest::ForGood => Rest::Until(at),
        };
    }

    /// The next moment at which something happens by itself, or befalls it.
    pub(super) fn next_event(&self) -> Option<Moment> {
        let scripted = self.script.first_key_value().map(|((at, _), _)| *at);
        scripted.into_iter().chain(self.world.pending().map(|(at, _)| at)).filter(|at| *at != Moment::NEVER).min()
    }

    /// Lets time pass without a look, at most to the next one. Gives what was broken.
    pub fn wait_until(&mut self, at: Moment) -> Vec<Breach> {
        self.pass(self.next_look().map_or(at, |next| next.min(at)))
    }

    /// Lets something befall the world at a moment ahead.
    pub fn schedule(&mut self, at: Moment, what: Happening) {
        self.scheduled = self.scheduled.saturating_add(1);
        self.script.insert((at, self.scheduled), what);
        self.rest = Rest::Until(match self.rest {
            Rest::Until(next) => next.min(at),
            Rest::ForGood => at,
        });
    }

    /// Lets something befall the world now.
    pub fn befall(&mut self, what: Happening) {
        self.world.befall(&self.model, what);
        self.note();
        self.rest = Rest::Until(self.world.now());
    }

    fn note(&mut self) {
        if self.keep == Keep::History {
            self.history.note(&self.model, &self.world.facts);
        }
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.model.timestamp(self.world.now())
    }

    /// What would be decided now if the record were given to another revision: a plan edited in the middle. Nothing is done.
    pub fn offer(&self, other: &Revision) -> Decision {
        engine::judge(other, &self.record, &self.world.facts.observe(&self.model, &self.record), self.now())
    }

    /// Jumps to the next moment at which anything can change and looks once. `None`: the run has ended, or nothing will ever
    /// happen by itself any more.
    pub fn step(&mut self) -> Option<Look> {
        let delays = self.delays;
        self.step_with(|_| delays)
    }

    /// The same, with the time that each effect takes.
    pub fn step_with(&mut self, delays: impl FnMut(&Effect) -> Delays) -> Option<Look> {
        self.step_shown(None, delays)
    }

    /// The same, but the loop is shown what was so at an earlier look: a cache that is behind, a watch that stands still.
    pub fn step_shown(&mut self, past: Option<&Facts>, delays: impl FnMut(&Effect) -> Delays) -> Option<Look> {
        let Rest::Until(moment) = self.rest else { return None };
        let breaches = self.pass(moment);
        Some(self.look(breaches, past, delays))
    }

    /// What another process decides that takes itself for the leader, and has not carried out yet. Nothing is done.
    pub fn rival(&mut self) -> (Rival, Vec<Breach>) {
        self.world.memory.watch(&self.model, &self.world.facts);
        let (model, now) = (Arc::clone(&self.model), self.world.now());
        let decision = engine::judge(model.revision(), &self.record, &self.world.facts.observe(&model, &self.record), self.now());
        let flights: Vec<Flight> = decision.effects.iter().filter_map(|e| Flight::of(&model, e, now, self.delays)).collect();
        let breaches = flights.iter().filter_map(|flight| judge::sent(&model, &self.world, &self.world.facts, flight));
        let breaches = breaches.collect();
        (Rival { before: self.record.clone(), after: decision.record, flights }, breaches)
    }

    /// That process commits, if nobody else did meanwhile, and performs what its deadlines still allow.
    pub fn rival_acts(&mut self, rival: Rival) {
        if rival.after != rival.before {
            if self.record != rival.before {
                return;
            }
            self.record = rival.after;
            self.world.decided(&self.model);
        }
        let now = self.world.now();
        for flight in rival.flights.into_iter().filter(|flight| flight.deadline > now) {
            self.world.send(Flight { due: now, ..flight });
        }
        self.rest = Rest::Until(now);
    }

    /// Steps until the run ends, only people could help, or the clock would pass `limit`. Gives the last look.
    pub fn run_until(&mut self, limit: Moment, mut each: impl FnMut(&Self, &Look)) -> Option<Look> {
        let mut last = None;
        while let Rest::Until(moment) = self.rest {
            if moment > limit {
                self.pass(limit);
                break;
            }
            let Some(look) = self.step() else { break };
            each(self, &look);
            last = Some(look);
        }
        last
    }

    /// Time passes, with all that happens in it.
    fn pass(&mut self, to: Moment) -> Vec<Breach> {
        let mut breaches = Vec::new();
        loop {
            let scripted = self.script.first_key_value().map(|((at, _), _)| *at).filter(|at| *at <= to);
            let happens = self.world.pending().map(|(at, _)| at).min().filter(|at| *at <= to);
            let Some(next) = scripted.into_iter().chain(happens).min() else { break };
            breaches.append(&mut self.world.advance(&self.model, next.max(self.world.now())));
            while let Some(entry) = self.script.first_entry().filter(|entry| entry.key().0 <= next) {
                self.world.befall(&self.model, entry.remove());
            }
            self.note();
        }
        breaches.append(&mut self.world.advance(&self.model, to));
        self.note();
        breaches
    }

    fn look(&mut self, mut breaches: Vec<Breach>, past: Option<&Facts>, mut delays: impl FnMut(&Effect) -> Delays) -> Look {
        let (model, moment) = (Arc::clone(&self.model), self.world.now());
        let at = model.timestamp(moment);
        past.unwrap_or(&self.world.facts).show(&model, &self.record, &mut self.shown);
        self.world.memory.watch(&model, &self.world.facts);
        self.blind_since = past.map(|past| past.now).map(|from| self.blind_since.map_or(from, |since| since.min(from)));
        if let Some(since) = self.blind_since {
            self.world.memory.blind(&model, moment.since(since));
        }
        let revision = model.revision();
        let decision = match self.rules {
            Rules::ALL => engine::judge(revision, &self.record, self.shown.seen(), at),
            rules => engine::decide_by(rules, revision, &self.record, self.shown.seen(), at),
        };
        let looked = past.unwrap_or(&self.world.facts);
        breaches.extend(judge::claims(&model, &self.world, looked, &self.record, &decision.record));
        breaches.extend(judge::pauses(&model, &self.world, &decision.record));
        for effect in &decision.effects {
            if let Some(flight) = Flight::of(&model, effect, moment, delays(effect)) {
                breaches.extend(judge::sent(&model, &self.world, past.unwrap_or(&self.world.facts), &flight));
                self.world.send(flight);
            }
        }
        let edge = if decision.record == self.record { Edge::Same } else { Edge::Changed };
        if edge == Edge::Changed {
            self.record.clone_from(&decision.record);
            self.world.decided(&model);
        }
        self.ask(&decision);
        self.rest = self.next(&decision);
        Look { at, moment, decision, edge, breaches }
    }

    /// People hear what the plan asks them, and answer in their time.
    fn ask(&mut self, decision: &Decision) {
        let asked = decision.waits.iter().filter_map(|wait| people::asked(&self.model, &decision.record, wait));
        let asked: BTreeSet<(u16, u16)> = asked.collect();
        if let Some(after) = self.yes_after {
            for (question, attempt) in asked.difference(&self.asked).copied().collect::<Vec<_>>() {
                self.schedule(self.world.now().plus(after.max(1)), Happening::Answer(question, attempt, Yes::Yes));
            }
        }
        self.asked = asked;
    }

    fn next(&self, decision: &Decision) -> Rest {
        if decision.record.ended.is_some() && decision.effects.is_empty() && self.world.flights.is_empty() {
            return Rest::ForGood;
        }
        let due = decision.due_at.map(|at| self.model.moment(at));
        let scripted = self.script.first_key_value().map(|((at, _), _)| *at);
        let happens = self.world.next(&self.model);
        // A moment between two milliseconds is rounded down; to look there again would not be later.
        let soonest = due.map(|at| at.max(self.world.now().plus(1)));
        soonest.into_iter().chain(scripted).chain(happens).min().map_or(Rest::ForGood, Rest::Until)
    }
}
