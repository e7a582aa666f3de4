//! The engine as the explorer asks it. `decide` is pure, so each question is asked once: records, and what was decided on
//! them, are kept in the [`Library`] and known by their fingerprints, so that what one worker has learnt the others find there.
//! Each has a [`Brain`] of its own, for what is asked for at every step.
//!
//! Times in records are relative here: the clock stands at 0 in every state, and a record that waits grows older instead.
//! That is sound because the engine compares moments only with each other and with now. What only people read (since when
//! something holds, and why) is taken out.

use std::{
    hash::{Hash, Hasher},
    sync::{Arc, Mutex},
};

use super::{
    Reductions,
    forget::{self, InForce, Needs},
    older,
    print::Print,
    reach::Reach,
    table::{Places, Sharded, alone},
};
use crate::{
    engine::{self, About, Decision, Direction, Outcome, Record, Rules, ServiceState, Stage, safety},
    world::{
        Facts, Ix, Model, Moment,
        facts::Shown,
        flight::Flight,
        judge::Breach,
        model::{Delays, ServiceModel},
        people::{self, People},
    },
};

/// A record in the library.
#[derive(Debug, Clone, Copy)]
pub struct RecordIx {
    /// Its place, which depends on who came first.
    place: u32,
    /// Its fingerprint, which depends on nothing but its content.
    print: u64,
}
impl PartialEq for RecordIx {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}
impl Eq for RecordIx {}
impl Hash for RecordIx {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.print);
    }
}

/// What was decided.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The next record.
    pub record: RecordIx,
    /// What is to be done, in order.
    pub flights: Box<[Flight]>,
    /// When something is due though nothing changes.
    pub due: Moment,
    /// Questions that people are asked, each with its attempt.
    pub asked: Box<[(u16, u16)]>,
    /// How the run stands.
    pub outcome: Option<Outcome>,
    /// What the engine's own check objects to.
    pub violation: Option<Breach>,
}

/// What all workers of one search know.
#[derive(Debug)]
pub struct Library<'a> {
    model: &'a Model,
    rules: Rules,
    reach: Reach,
    records: Mutex<Shelf<Book>>,
    answers: Sharded<Shelf<Answer>>,
}

/// A record, and what is worth knowing of it.
#[derive(Debug)]
pub struct Book {
    /// The record.
    pub record: Record,
    /// Whose gates decide nothing any more: it goes back, is back, or is past its soak. The engine does not ask for them either
    /// ([`engine::queries`]).
    pub still: Services,
    /// Whose sides decide nothing any more: it is back, or its legacy side is being switched off. The engine does not ask for them
    /// either.
    pub unasked: Services,
    /// Of each service, what can still be asked about since when its weight is in force.
    pub in_force: Box<[InForce]>,
    /// Of each gate, what of its rounds may still count.
    pub gates: Box<[Needs]>,
}

/// Some of the first 64 services of a model.
#[derive(Debug, Clone, Copy, Default)]
pub struct Services(u64);

impl Services {
    fn bit(ix: Ix) -> u64 {
        1u64.checked_shl(u32::from(ix)).unwrap_or(0)
    }
    /// Whether this one is among them.
    pub fn has(self, ix: Ix) -> bool {
        self.0 & Self::bit(ix) != 0
    }
}

/// Things known by their fingerprints.
#[derive(Debug)]
struct Shelf<T> {
    known: Places<u128, u32>,
    all: Vec<Arc<T>>,
}

impl<T> Shelf<T> {
    fn new() -> Self {
        Self { known: Places::new(), all: Vec::new() }
    }
    /// What has this fingerprint.
    fn find(&self, print: u128) -> Option<Arc<T>> {
        self.known.get(print).and_then(|place| self.all.get(place as usize).cloned())
    }
    /// The place of what has this fingerprint; a new one is made and gets the next.
    fn place(&mut self, print: u128, make: impl FnOnce() -> Arc<T>) -> u32 {
        if let Some(known) = self.known.get(print) {
            return known;
        }
        let place = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        self.all.push(make());
        self.known.set(print, place);
        place
    }
}

impl<'a> Library<'a> {
    /// A library without books, and the record with which a run begins.
    pub fn new(model: &'a Model, rules: Rules, reductions: Reductions) -> (Self, RecordIx) {
        let reach = Reach::of(model, reductions);
        let library = Self { model, rules, reach, records: Mutex::new(Shelf::new()), answers: Sharded::new(Shelf::new) };
        let first = library.keep(Record::new(model.run().clone(), model.revision(), model.timestamp(Moment(0))));
        (library, first)
    }

    /// Different questions that were answered.
    pub fn decisions(&self) -> u64 {
        self.answers.all().map(|shelf| shelf.all.len() as u64).sum()
    }

    fn book(&self, ix: RecordIx) -> Option<Arc<Book>> {
        alone(&self.records).all.get(ix.place as usize).cloned()
    }

    /// The services of which this is so, if anything is left out.
    fn those(&self, record: &Record, holds: impl Fn(&ServiceModel, &ServiceState) -> bool) -> Services {
        if self.reach.reductions == Reductions::None {
            return Services::default();
        }
        let holds = |service: &ServiceModel| record.services.get(&service.name).is_some_and(|state| holds(service, state));
        let those = (0..).zip(self.model.services()).filter(|(_, service)| holds(service));
        Services(those.fold(0, |bits, (ix, _)| bits | Services::bit(ix)))
    }

    fn book_of(&self, record: Record) -> Book {
        let still = self.those(&record, |_, state| {
            let over = state.stage.is_past_soak() || matches!(state.stage, Stage::Returning | Stage::Returned);
            over || state.direction == Direction::Backward
        });
        // What is to be copied to a side follows who writes there, and so whether it is well.
        let unasked = self.those(&record, |service, state| {
            !service.is_single_writer() && (state.stage.is_final() || state.stage == Stage::Returned)
        });
        let in_force = InForce::all(self.model, &record);
        let gates = Needs::all(self.model, &record, still);
        Book { record, still, unasked, in_force, gates }
    }

    /// The number of a record, the same for equal ones. By which number a hold is called makes no difference: whoever resumes clears
    /// all of them here.
    fn keep(&self, mut record: Record) -> RecordIx {
        if self.reach.reductions == Reductions::Sound {
            forget::reasons(&mut record);
        }
        let start = self.model.timestamp(Moment(0));
        let id = record.resumed.unwrap_or_default().saturating_add(1);
        let services = record.services.values_mut().filter(|s| s.hold.is_some()).filter_map(|service| service.hold.as_mut());
        let beside = record.latch.iter_mut().filter_map(|latch| latch.hold.as_mut());
        services.chain(beside).for_each(|hold| (hold.id, hold.since) = (id, start));
        record.latch.iter_mut().for_each(|latch| (latch.id, latch.since) = (id, start));
        record.ended.iter_mut().for_each(|ended| ended.at = start);
        record.started_at = start;
        let print = Print::of(&record);
        let place = alone(&self.records).place(print, || Arc::new(self.book_of(record)));
        RecordIx { place, print: print as u64 }
    }
}

/// The engine with its memory.
#[derive(Debug)]
pub struct Brain<'a> {
    library: &'a Library<'a>,
    /// Records by their places, as far as they were asked for here.
    records: Vec<Option<Arc<Book>>>,
    aged: Places<u128, u32>,
    ages: Vec<RecordIx>,
    shown: Shown,
}

impl<'a> Brain<'a> {
    /// A brain that knows what the library does.
    pub fn new(library: &'a Library<'a>) -> Self {
        Self { library, records: Vec::new(), aged: Places::new(), ages: Vec::new(), shown: Shown::default() }
    }

    /// What is left out because it can make no difference.
    pub fn reductions(&self) -> Reductions {
        self.library.reach.reductions
    }

    /// A record. Workers that count how often each is held wait for each other: most only look at it.
    pub fn book(&mut self, ix: RecordIx) -> Option<&Book> {
        self.shelf(ix)?.as_deref()
    }
    /// The same, for as long as it is wanted.
    pub fn keep(&mut self, ix: RecordIx) -> Option<Arc<Book>> {
        self.shelf(ix)?.clone()
    }
    fn shelf(&mut self, ix: RecordIx) -> Option<&mut Option<Arc<Book>>> {
        let place = ix.place as usize;
        if self.records.len() <= place {
            self.records.resize(place + 1, None);
        }
        let shelf = self.records.get_mut(place)?;
        if shelf.is_none() {
            *shelf = self.library.book(ix);
        }
        Some(shelf)
    }

    /// What the engine decides on this record when it sees these facts, whose fingerprint is known, now, at moment 0.
    pub fn ask(&mut self, record: RecordIx, facts: &Facts, print: u128) -> Option<Arc<Answer>> {
        let question = Print::of(&(record, print));
        let answers = &self.library.answers;
        if let Some(known) = answers.of(question as u64)?.find(question) {
            return Some(known);
        }
        let answer = Arc::new(self.decide(record, facts)?);
        answers.of(question as u64)?.place(question, || Arc::clone(&answer));
        Some(answer)
    }

    /// The whole decision, for people, as if the clock had gone on to this moment since the beginning. Not remembered.
    pub fn tell(&mut self, record: RecordIx, facts: &Facts, clock: Moment) -> Option<Decision> {
        let (model, mut record) = (self.library.model.begun_later(clock.0), self.book(record)?.record.clone());
        older::moments(&mut record, &self.library.reach, &|at, _| model.timestamp(self.library.model.moment(at)));
        let now = model.timestamp(Moment(0));
        Some(engine::decide_by(self.library.rules, model.revision(), &record, &facts.observe(&model, &record), now))
    }

    fn decide(&mut self, ix: RecordIx, facts: &Facts) -> Option<Answer> {
        let book = self.keep(ix)?;
        let (record, Library { model, rules, .. }) = (&book.record, self.library);
        let now = model.timestamp(Moment(0));
        facts.show(model, record, &mut self.shown);
        let revision = model.revision();
        let decision = engine::decide_by(*rules, revision, record, self.shown.seen(), now);
        let violation = match *rules {
            Rules::ALL => safety::check(revision, record, self.shown.seen(), now, &decision).into_iter().next(),
            _ => None, // with a rule left out the judge of the world is to find what follows
        };
        let violation = violation.map(|found| Breach {
            invariant: found.invariant,
            service: model.index(&found.service).unwrap_or_default(),
            detail: format!("the engine's own check objects: {}", found.detail),
        });
        let flights = decision.effects.iter().filter_map(|effect| Flight::of(model, effect, Moment(0), Delays::NONE)).collect();
        let due = decision.due_at.map_or(Moment::NEVER, |at| model.moment(at).max(Moment(1)));
        let asked = decision.waits.iter().filter_map(|wait| people::asked(model, &decision.record, wait)).collect();
        let next = if decision.record == *record { ix } else { self.library.keep(decision.record) };
        Some(Answer { record: next, flights, due, asked, outcome: decision.outcome, violation })
    }

    /// When a question was answered that the record knows the answer to is as good as long ago.
    pub fn settle(&mut self, ix: RecordIx, people: &mut People) {
        if people.said.is_empty() {
            return;
        }
        let Library { model, reach, .. } = self.library;
        let Some(Book { record, .. }) = self.book(ix) else { return };
        for said in &mut people.said {
            let Some(question) = model.questions().get(usize::from(said.question)) else { continue };
            let known = match &question.about {
                About::Phase(phase) => record.phases.get(phase).is_some_and(|phase| phase.approved_at.is_some()),
                About::Decommission(name) => record.services.get(name).is_some_and(|s| s.end_approved_at.is_some()),
            };
            if known && reach.reductions == Reductions::Sound {
                said.at = Moment(-question.valid_for.saturating_add(1_000));
            }
        }
    }

    /// The same record so many milliseconds later.
    pub fn age(&mut self, ix: RecordIx, by: i64) -> RecordIx {
        if by == 0 {
            return ix;
        }
        let question = Print::of(&(ix, by));
        if let Some(known) = self.aged.get(question) {
            return self.ages.get(known as usize).copied().unwrap_or(ix);
        }
        let Some(book) = self.book(ix) else { return ix };
        let (mut record, model) = (book.record.clone(), self.library.model);
        older::moments(&mut record, &self.library.reach, &|at, reach| {
            model.timestamp(Moment(model.moment(at).0.saturating_sub(by).max(-reach)))
        });
        let aged = self.library.keep(record);
        let place = u32::try_from(self.ages.len()).unwrap_or(u32::MAX);
        self.ages.push(aged);
        self.aged.set(question, place);
        aged
    }
}
