//! One run in the ideal world, from moment to moment.

use jiff::Timestamp;

use crate::{
    engine::{self, Decision, Intent, Record, RunId, Wait},
    plan::{Revision, Span},
    world::ideal::Ideal,
};

/// What a preview assumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// When the run starts.
    pub start: Timestamp,
    /// How long people take to answer a question.
    pub people: Span,
}

/// Looks in a row at one moment after which something is wrong: each look at the same moment answers an effect of the last.
const STILL: u32 = 1_000;

/// A run in the ideal world.
#[derive(Debug)]
pub struct Course<'p> {
    revision: &'p Revision,
    world: Ideal<'p>,
    /// The record as it was last committed.
    pub record: Record,
    /// Why each step that could be next was not, at the last look.
    pub waits: Vec<Wait>,
    next: Option<Timestamp>,
    still: u32,
    /// How often was looked.
    pub looks: u64,
}

impl<'p> Course<'p> {
    /// A run that has not done anything yet.
    pub fn new(revision: &'p Revision, options: Options) -> Self {
        let record = Record::new(RunId("preview0run".to_owned()), revision, options.start);
        let world = Ideal::new(revision, &record, options.start, options.people);
        Self { revision, world, record, waits: Vec::new(), next: Some(options.start), still: 0, looks: 0 }
    }

    /// When it looks next; `None`: nothing will change any more.
    pub fn next(&self) -> Option<Timestamp> {
        self.next
    }

    /// People order something; it is seen at `at`, or at the next look if that is earlier.
    pub fn order(&mut self, intent: Intent, at: Timestamp) {
        self.world.order(intent);
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }

    /// Jumps to the next moment, looks, and does what is decided. `each` is told the record before, the decision and when.
    /// Says how it goes on: `None` when nothing will change any more.
    pub fn step(&mut self, each: impl FnOnce(&Record, &Decision, Timestamp)) -> Option<()> {
        let now = self.next?;
        self.looks += 1;
        self.world.advance(now);
        let seen = self.world.show(&self.record, now);
        let decision = engine::judge(self.revision, &self.record, seen, now);
        each(&self.record, &decision, now);
        self.world.take(&decision, now);
        let over = decision.record.ended.is_some() && decision.effects.is_empty();
        let next = if over { None } else { self.world.next(&decision, now) };
        self.still = if next == Some(now) { self.still + 1 } else { 0 };
        self.next = next.filter(|_| self.still < STILL);
        self.record = decision.record;
        self.waits = decision.waits;
        Some(())
    }
}
