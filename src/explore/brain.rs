//! The engine as the explorer asks it. `decide` is pure, so each question is asked once: records, and what was decided on
//! them, are kept and known by small numbers.
//!
//! Times in records are relative here: the clock stands at 0 in every state, and a record that waits grows older instead.
//! That is sound because the engine compares moments only with each other and with now. What only people read (since when
//! something holds, and why) is taken out.

use super::print::{Places, Print};
use crate::{
    engine::{self, Decision, Outcome, Record, Rules, safety},
    world::{Facts, Model, Moment, flight::Flight, judge::Breach, model::Delays, people},
};

/// The number of a record.
pub type RecordIx = u32;

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

/// The engine with its memory.
#[derive(Debug)]
pub struct Brain<'a> {
    model: &'a Model,
    rules: Rules,
    records: Vec<Record>,
    known: Places,
    answers: Vec<Answer>,
    asked: Places,
    aged: Places,
    /// Decisions that were really made.
    pub decisions: u64,
}

impl<'a> Brain<'a> {
    /// A brain that has not been asked anything, and the number of the record with which a run begins.
    pub fn new(model: &'a Model, rules: Rules) -> (Self, RecordIx) {
        let mut brain = Self {
            model,
            rules,
            records: Vec::new(),
            known: Places::new(),
            answers: Vec::new(),
            asked: Places::new(),
            aged: Places::new(),
            decisions: 0,
        };
        let first = Record::new(model.run().clone(), model.revision(), model.timestamp(Moment(0)));
        let first = brain.keep(first);
        (brain, first)
    }

    /// A record by its number.
    pub fn record(&self, ix: RecordIx) -> Option<&Record> {
        self.records.get(ix as usize)
    }
    /// An answer by its number.
    pub fn answer(&self, ix: u32) -> Option<&Answer> {
        self.answers.get(ix as usize)
    }

    /// What the engine decides on this record when it sees these facts now, at moment 0. Gives the number of the answer.
    pub fn ask(&mut self, record: RecordIx, facts: &Facts) -> u32 {
        let question = Print::of(&(record, facts));
        if let Some(known) = self.asked.get(question) {
            return known;
        }
        let answer = self.decide(record, facts);
        let ix = place(self.answers.len());
        self.answers.push(answer);
        self.asked.insert(question, ix);
        ix
    }

    /// The whole decision, for people. Not remembered.
    pub fn tell(&self, record: RecordIx, facts: &Facts) -> Decision {
        let (model, now) = (self.model, self.model.timestamp(Moment(0)));
        let first = || Record::new(model.run().clone(), model.revision(), now);
        let record = self.records.get(record as usize).cloned().unwrap_or_else(first);
        engine::decide_by(self.rules, model.revision(), &record, &facts.observe(model), now)
    }

    fn decide(&mut self, ix: RecordIx, facts: &Facts) -> Answer {
        self.decisions += 1;
        let (model, now) = (self.model, self.model.timestamp(Moment(0)));
        let seen = facts.observe(model);
        let Some(record) = self.records.get(ix as usize) else { return Answer::nothing(ix) };
        let revision = model.revision();
        let decision = engine::decide_by(self.rules, revision, record, &seen, now);
        let violation = match self.rules {
            Rules::ALL => safety::check(revision, record, &seen, now, &decision).into_iter().next(),
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
        let unchanged = decision.record == *record;
        let next = if unchanged { ix } else { self.keep(decision.record) };
        Answer { record: next, flights, due, asked, outcome: decision.outcome, violation }
    }

    /// The same record so many milliseconds later.
    pub fn age(&mut self, ix: RecordIx, by: i64) -> RecordIx {
        if by == 0 {
            return ix;
        }
        let question = Print::of(&(ix, by));
        if let Some(known) = self.aged.get(question) {
            return known;
        }
        let older = self.records.get(ix as usize).cloned().map(|record| self.older(record, by));
        let aged = older.map_or(ix, |record| self.keep(record));
        self.aged.insert(question, aged);
        aged
    }

    fn older(&self, mut record: Record, by: i64) -> Record {
        let horizon = self.model.horizon();
        record.map_moments(&mut |at| {
            let age = self.model.moment(at).0.saturating_sub(by).max(-horizon);
            self.model.timestamp(Moment(age))
        });
        record
    }

    /// The number of a record, the same for equal ones.
    fn keep(&mut self, mut record: Record) -> RecordIx {
        let start = self.model.timestamp(Moment(0));
        for hold in record.services.values_mut().filter_map(|service| service.hold.as_mut()) {
            hold.since = start;
        }
        record.latch.iter_mut().for_each(|latch| latch.since = start);
        record.ended.iter_mut().for_each(|ended| ended.at = start);
        record.started_at = start;
        let print = Print::of(&serde_json::to_vec(&record).unwrap_or_default());
        if let Some(known) = self.known.get(print) {
            return known;
        }
        let ix = place(self.records.len());
        self.records.push(record);
        self.known.insert(print, ix);
        ix
    }
}

impl Answer {
    fn nothing(record: RecordIx) -> Self {
        Self { record, flights: Box::default(), due: Moment::NEVER, asked: Box::default(), outcome: None, violation: None }
    }
}

fn place(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
