//! What a step makes of a state, and what it breaks.

use std::sync::Arc;

use super::{
    brain::{Answer, Brain},
    budget::Kind,
    forget::forget,
    moves::Part,
    print::Print,
    state::{Eyes, How, Move, Past, Rival, SNAPSHOTS, State},
};
use crate::{
    engine::Outcome,
    world::{
        Arrival, Facts, Happening, Ix, Model, Moment, Occurrence, Tone,
        connections::Client,
        facts::{Plane, Reach},
        flight::{Act, Flight},
        judge::{self, Breach, Memory},
        replication::{Data, Pace},
        task::Luck,
    },
};

/// How often the judge looked at what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Judged {
    /// Effects that give target more.
    pub raised: u64,
    /// Effects that give target less.
    pub lowered: u64,
    /// Effects that were done.
    pub written: u64,
    /// Changes of a record.
    pub claims: u64,
}

/// Takes steps.
#[derive(Debug)]
pub struct Stepper<'a> {
    /// The model.
    pub model: &'a Model,
    /// What each of its services is.
    pub parts: &'a [Part],
    /// The engine.
    pub brain: Brain<'a>,
    /// What was judged.
    pub judged: Judged,
    /// What the judge would remember after a look.
    memory: Memory,
}

impl Judged {
    /// With what another one looked at.
    pub fn add(&mut self, other: Self) {
        self.raised += other.raised;
        self.lowered += other.lowered;
        self.written += other.written;
        self.claims += other.claims;
    }
}

impl<'a> Stepper<'a> {
    /// One that takes steps in this model, whose services are these, and asks this engine.
    pub fn new(model: &'a Model, parts: &'a [Part], brain: Brain<'a>) -> Self {
        Self { model, parts, brain, judged: Judged::default(), memory: Memory::new(model) }
    }

    /// Makes a state the one after this step, and gives what that breaks. `answer` is what the loop decides in the state.
    pub fn take(&mut self, next: &mut State, step: Move, answer: &Answer) -> Option<Breach> {
        let breach = match step {
            Move::Happens(occurrence) => self.happens(next, occurrence),
            Move::Looks(how) => self.looks(next, how, answer),
            Move::Waits => {
                let to = self.stop(next);
                to.into_iter().for_each(|to| self.wait_until(next, to));
                None
            }
            Move::Strikes(kind, what) => {
                next.left.spend(kind);
                self.befalls(next, what);
                None
            }
            Move::Outside(what) => {
                self.befalls(next, what);
                None
            }
            Move::Loses(place) => {
                next.left.spend(Kind::EffectLost);
                next.world.flights.remove(usize::from(place).min(next.world.flights.len().saturating_sub(1)));
                next.eyes = Eyes::Due;
                None
            }
            Move::Delays(place) => {
                next.left.spend(Kind::EffectLate);
                next.world.flights.get_mut(usize::from(place)).into_iter().for_each(|flight| flight.due = Moment::NEVER);
                next.world.flights.sort_unstable();
                None
            }
            Move::RivalDecides => self.rival_decides(next, answer),
            Move::RivalActs => self.rival_acts(next),
        };
        let reductions = self.brain.reductions();
        forget(self.model, self.brain.book(next.record), reductions, next);
        breach
    }

    /// Lets the loop look, which it has to, if that changes nothing: neither record nor world, nor what the judge remembers. `facts` is the
    /// fingerprint of what it sees. Whatever could happen before that look can happen after it, and comes to the same; only a stale read
    /// has to come before. Gives what it decides, looking or not, if it was asked; or what the look breaks.
    pub fn look_idly(&mut self, next: &mut State, facts: u128) -> Result<Option<Arc<Answer>>, Breach> {
        if next.left.allows(Kind::StaleRead) {
            return Ok(None);
        }
        let Some(answer) = self.brain.ask(next.record, &next.world.facts, facts) else { return Ok(None) };
        if answer.record != next.record || !answer.flights.is_empty() {
            return Ok(Some(answer));
        }
        self.memory.clone_from(&next.world.memory);
        self.memory.watch(self.model, &next.world.facts);
        if self.memory != next.world.memory {
            return Ok(Some(answer));
        }
        match self.take(next, Move::Looks(How::Well), &answer) {
            Some(breach) => Err(breach),
            None => Ok(Some(answer)),
        }
    }

    fn happens(&mut self, next: &mut State, occurrence: Occurrence) -> Option<Breach> {
        next.eyes = Eyes::Due;
        if let Occurrence::Arrives(_) = occurrence {
            self.judged.written += 1;
        }
        let arrival = next.world.happen(self.model, occurrence);
        if let Occurrence::Programmed(ix) = occurrence {
            // One step for both facts: what lies between them changes nothing that is decided.
            next.world.happen(self.model, Occurrence::Effective(ix));
        }
        if let Occurrence::Programmed(ix) | Occurrence::Effective(ix) = occurrence {
            let now = next.world.now();
            for (place, gate) in self.model.gates_of(ix) {
                next.world.facts.gates.get_mut(place).into_iter().for_each(|rounds| rounds.ask_at_once(gate, now));
            }
        }
        match arrival {
            Arrival::Breaks(breach) => Some(breach),
            Arrival::Done | Arrival::Refused => None,
        }
    }

    fn befalls(&mut self, next: &mut State, what: Happening) {
        next.eyes = Eyes::Due;
        next.world.befall(self.model, what);
        if let Happening::Resume(_) = what {
            next.resumes = next.resumes.saturating_add(1);
        }
        let now = next.world.now();
        for (gate, rounds) in self.model.gates().iter().zip(&mut next.world.facts.gates) {
            rounds.begin_at(gate, now);
        }
    }

    /// Where a wait in this state ends.
    pub fn stop(&mut self, state: &State) -> Option<Moment> {
        let still = self.brain.book(state.record).map(|book| book.still).unwrap_or_default();
        state.next(self.model, still)
    }

    /// Lets time pass up to this moment.
    pub fn wait_until(&mut self, next: &mut State, to: Moment) {
        next.world.facts.now = to;
        let by = next.world.rebase(self.model);
        next.record = self.brain.age(next.record, by);
        self.brain.settle(next.record, &mut next.world.facts.people);
        next.eyes = Eyes::Due;
        if next.due != Moment::NEVER {
            next.due = next.due.plus(-by).max(Moment(0));
        }
        next.past.iter_mut().for_each(|past| past.change(|facts| facts.rebase(self.model, by)));
        next.past.retain(|past| past.facts().now.0 > -STALE_READ);
        if let Some(rival) = &mut next.rival {
            rival.record = rival.record.map(|record| self.brain.age(record, by));
            rival.flights.iter_mut().for_each(|flight| flight.rebase(by));
        }
    }

    fn looks(&mut self, next: &mut State, how: How, answer: &Answer) -> Option<Breach> {
        let looked = match how {
            How::Well | How::EndsAfter(_) => None,
            How::Stale(place) => next.past.get(usize::from(place)).map(|past| past.facts().clone()),
            How::StaleRoutes(place) => next.past.get(usize::from(place)).map(|past| routes_of(past.facts(), &next.world.facts)),
        };
        match how {
            How::EndsAfter(_) => next.left.spend(Kind::Crash),
            How::Stale(_) | How::StaleRoutes(_) => next.left.spend(Kind::StaleRead),
            How::Well => {}
        }
        next.world.memory.watch(self.model, &next.world.facts);
        if let Some(facts) = &looked {
            next.world.memory.blind(self.model, next.world.now().since(facts.now));
        }
        let Some(facts) = &looked else {
            next.eyes = Eyes::Done;
            next.due = answer.due;
            remember(next);
            let breach = self.acts(
                next,
                answer,
                None,
                match how {
                    How::EndsAfter(sent) => usize::from(sent),
                    _ => usize::MAX,
                },
            );
            if let How::EndsAfter(_) = how {
                next.world.restart();
                (next.eyes, next.due) = (Eyes::Due, Moment::NEVER);
            }
            return breach;
        };
        let answer = self.brain.ask(next.record, facts, Print::of(facts))?;
        // What follows for the rest of the plan makes another look due.
        next.eyes = Eyes::Due;
        self.acts(next, &answer, looked.as_ref(), usize::MAX)
    }

    /// Commits and performs an answer, and judges it. Gives the first thing it breaks.
    fn acts(&mut self, next: &mut State, answer: &Answer, looked: Option<&Facts>, sent: usize) -> Option<Breach> {
        let mut breach = answer.violation.clone();
        if answer.record != next.record {
            self.judged.claims += 1;
            let (before, after) = (self.brain.keep(next.record)?, self.brain.keep(answer.record)?);
            let facts = looked.unwrap_or(&next.world.facts);
            breach = breach.or_else(|| judge::claims(self.model, &next.world, facts, &before.record, &after.record));
            next.record = answer.record;
            next.world.decided(self.model);
            next.rival = next.rival.take().filter(|rival| rival.record.is_none());
        }
        for (place, flight) in answer.flights.iter().enumerate() {
            let facts = looked.unwrap_or(&next.world.facts);
            self.count(facts, flight);
            breach = breach.or_else(|| judge::sent(self.model, &next.world, facts, flight));
            if place < sent {
                next.world.send(*flight);
            }
        }
        // What a process that ends here did not send was decided by what was seen now: the next one gives it again.
        if let Some(book) = self.brain.book(next.record) {
            next.world.given(self.model, &book.record);
        }
        if let Some(book) = self.brain.book(answer.record) {
            breach = breach.or_else(|| judge::pauses(self.model, &next.world, &book.record));
        }
        breach.or_else(|| self.rest_follows(next))
    }

    /// What is ordered for the rest of the plan is in force at once: nothing is under test there.
    fn rest_follows(&mut self, next: &mut State) -> Option<Breach> {
        let now = next.world.now();
        let rest = |ix: Ix| self.parts.get(usize::from(ix)) == Some(&Part::Rest);
        loop {
            let flights = &next.world.flights;
            let due = next.world.pending().filter(|(at, _)| *at <= now).map(|(_, occurrence)| occurrence).find(|occurrence| {
                match occurrence {
                    Occurrence::Arrives(place) => flights.get(usize::from(*place)).is_some_and(|flight| rest(flight.service)),
                    Occurrence::Programmed(ix) | Occurrence::Effective(ix) => rest(*ix),
                    Occurrence::Ends(_) | Occurrence::Copied(_) | Occurrence::Closes(_) => false,
                }
            })?;
            let breach = self.happens(next, due);
            if breach.is_some() {
                return breach;
            }
        }
    }

    fn count(&mut self, facts: &Facts, flight: &Flight) {
        let accepted = facts.service(flight.service).map_or(0, |service| service.route.accepted);
        if let Act::SetWeight { weight, .. } = flight.act {
            let judged = if weight > accepted { &mut self.judged.raised } else { &mut self.judged.lowered };
            *judged += 1;
        }
    }

    fn rival_decides(&mut self, next: &mut State, answer: &Answer) -> Option<Breach> {
        next.left.spend(Kind::TwoLeaders);
        next.world.memory.watch(self.model, &next.world.facts);
        let record = Some(answer.record).filter(|record| *record != next.record);
        next.rival = Some(Rival { record, flights: answer.flights.to_vec() });
        let mut sent = answer.flights.iter();
        answer
            .violation
            .clone()
            .or_else(|| sent.find_map(|flight| judge::sent(self.model, &next.world, &next.world.facts, flight)))
    }

    fn rival_acts(&mut self, next: &mut State) -> Option<Breach> {
        let rival = next.rival.take()?;
        let now = next.world.now();
        next.eyes = Eyes::Due;
        if let Some(ix) = rival.record {
            next.record = ix;
            let book = self.brain.book(ix)?;
            next.world.decided(self.model);
            next.world.given(self.model, &book.record);
        }
        for flight in rival.flights.into_iter().filter(|flight| flight.deadline > now) {
            next.world.send(Flight { due: now, ..flight });
        }
        None
    }

    /// Whether a state in which nothing can happen any more is one in which a run may rest: it ended, people are asked, or a
    /// fault lasts.
    pub fn rests(&self, state: &State, outcome: Option<Outcome>) -> bool {
        outcome.is_some() || !is_sound(self.model, state)
    }
}

/// A stale read is a few seconds old, as caches and slow watches are; what is older counts as silence.
const STALE_READ: i64 = 60_000;

/// These facts with the routes of those, and with the connections of then: who tells of the one tells of the other, or nobody does and
/// they follow from it.
pub(super) fn routes_of(past: &Facts, now: &Facts) -> Facts {
    let mut facts = now.clone();
    facts.connections.clone_from(&past.connections);
    for (own, old) in facts.services.iter_mut().zip(&past.services) {
        own.route = old.route;
    }
    facts
}

fn remember(next: &mut State) {
    if !next.left.allows(Kind::StaleRead) {
        return;
    }
    let facts = &next.world.facts;
    let same = |past: &Past| past.facts().services == facts.services && past.facts().gates == facts.gates;
    if !next.past.last().is_some_and(same) {
        next.past.push(Past::new(facts.clone()));
        let surplus = next.past.len().saturating_sub(SNAPSHOTS);
        next.past.drain(..surplus);
    }
}

/// Whether no fault lasts.
fn is_sound(model: &Model, state: &State) -> bool {
    let facts = &state.world.facts;
    let services = (0..).zip(model.services()).zip(&facts.services).all(|((ix, service), own)| {
        let whole = own.sides.iter().zip(service.sides).all(|(side, numbers)| side.healthy == numbers.endpoints);
        whole && own.route.reach == Reach::Answers && own.route.plane == Plane::Takes && !state.world.memory.is_by_hand(ix)
    });
    let tasks = facts.tasks.iter().all(|task| task.luck == Luck::Works);
    let replications = facts.replications.iter().all(|own| own.pace == Pace::KeepsUp && own.data == Data::Same);
    let connections = facts.connections.iter().all(|own| own.client == Client::Closes);
    services
        && tasks
        && replications
        && connections
        && model.gates().iter().zip(&facts.gates).all(|(gate, rounds)| gate.proves.is_some() || rounds.tone == Tone::Good)
}
