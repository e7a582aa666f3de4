//! One run in the ideal world, from moment to moment.

use jiff::Timestamp;

use crate::{
    engine::{
        self, Decision, Intent, Record, RunId, Wait,
        follow::{Follow, Names},
    },
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

/// How much of a run is visited at each moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looks {
    /// The services at which something can have changed.
    Following,
    /// All services, as a live run does it. The same comes of it, later.
    Whole,
}

/// One look at a run.
#[derive(Debug)]
pub struct Moment<'m> {
    /// When.
    pub now: Timestamp,
    /// The record before.
    pub before: &'m Record,
    /// What was decided.
    pub decision: &'m Decision,
    /// Whom the decision is about; `None`: all.
    pub visited: Option<&'m Names<'m>>,
}

/// A run in the ideal world.
#[derive(Debug)]
pub struct Course<'p> {
    revision: &'p Revision,
    world: Ideal<'p>,
    /// `None`: each look is at the whole.
    follow: Option<Follow<'p>>,
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
        Self::with(revision, options, Looks::Following)
    }
    /// The same, looked at like this.
    pub fn with(revision: &'p Revision, options: Options, looks: Looks) -> Self {
        let record = Record::new(RunId("preview0run".to_owned()), revision, options.start);
        let world = Ideal::new(revision, &record, options.start, options.people);
        let follow = (looks == Looks::Following).then(|| Follow::new(revision));
        Self { revision, world, follow, record, waits: Vec::new(), next: Some(options.start), still: 0, looks: 0 }
    }

    /// When it looks next; `None`: nothing will change any more.
    pub fn next(&self) -> Option<Timestamp> {
        self.next
    }

    /// People order something; it is seen at `at`, or at the next look if that is earlier.
    pub fn order(&mut self, intent: Intent, at: Timestamp) {
        self.follow = None;
        self.world.order(intent);
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }

    /// Jumps to the next moment, looks, and does what is decided. `each` is told what came of the look. Says how it goes on:
    /// `None` when nothing will change any more.
    pub fn step(&mut self, each: impl FnOnce(&Moment<'_>)) -> Option<()> {
        let now = self.next?;
        self.looks += 1;
        self.world.advance(now);
        let (decision, visited) = match self.near(now) {
            Some((decision, visited)) => (decision, Some(visited)),
            None => (self.whole(now), None),
        };
        each(&Moment { now, before: &self.record, decision: &decision, visited: visited.as_ref() });
        self.world.take(&decision, now, visited.as_ref());
        let over = decision.record.ended.is_some() && decision.effects.is_empty();
        let next = if over { None } else { self.world.next(&decision, now) };
        self.still = if next == Some(now) { self.still + 1 } else { 0 };
        self.next = next.filter(|_| self.still < STILL);
        if self.next.is_none() && self.follow.take().is_some() {
            self.next = Some(now); // whether really nothing will change is seen by a look at the whole
        }
        self.record = decision.record;
        self.waits = decision.waits;
        Some(())
    }

    /// Looks where something can have changed; `None`: this has to be looked at as a whole, and all that comes after it.
    fn near(&mut self, now: Timestamp) -> Option<(Decision, Names<'p>)> {
        let mut follow = self.follow.take()?;
        let whom = follow.whom(now, self.world.told());
        let seen = self.world.show(&self.record, now, Some(&whom));
        let looked = follow.look(&self.record, seen, now, whom)?;
        self.follow = Some(follow);
        Some((looked.decision, looked.visited))
    }

    fn whole(&mut self, now: Timestamp) -> Decision {
        let seen = self.world.show(&self.record, now, None);
        engine::judge(self.revision, &self.record, seen, now)
    }
}
