//! Rehearsals: many runs of a plan, each with faults and durations drawn by its seed, decided by production's
//! [`crate::engine::judge`] and judged by the world.
//!
//! *Flow*: a [`Rehearsal`] is made once of a revision; it goes once through the run without faults to learn when anything is
//! decided. [`Rehearsal::run`] makes the run of one seed and gives its [`End`]; [`RehearseReport`] puts ends together. Runs
//! know nothing of each other, so they may be made on any number of threads in any order.
//! *What is drawn*: how long each piece of work takes ([`duration`]), when people answer, and up to [`Options::budget`] faults:
//! their kinds, when they strike, whom, and whether and when they pass ([`fault`]).
//! *Guarantees*: the same revision, options and seed give the same run, to the byte, on every machine.
//! *Assumptions*: durations are lognormal with the plan's `expect` as 95th percentile; people say yes to what they are asked
//! and resume what holds once its fault has passed. Each is said where it is drawn.
//! *Caveats*: a percentile over rehearsals is one over these assumptions; it is no measurement of the estate.

pub mod chance;
pub mod duration;
pub mod end;
pub mod fault;
mod held;
pub mod measured;
pub mod percentile;
pub mod report;
mod run;
pub mod trace;
mod works;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

pub use self::{
    end::{End, Struck, WindowEnd},
    measured::Measured,
    report::RehearseReport,
    trace::Line,
};
use self::{run::Run, works::Works};
use crate::{
    engine::{Rules, RunId},
    plan::{Revision, Span},
    world::{
        Model,
        budget::{Budget, Kind},
    },
};

/// The kinds of faults that a rehearsal knows: those that strike a single loop which sees the world as it is. `explore` knows
/// the others as well.
pub const KINDS: [Kind; 20] = [
    Kind::GateFails,
    Kind::GateSilent,
    Kind::SideDies,
    Kind::SideShrinks,
    Kind::RouterSilent,
    Kind::PlaneStuck,
    Kind::EffectLost,
    Kind::EffectLate,
    Kind::Crash,
    Kind::Drift,
    Kind::Seized,
    Kind::TaskFails,
    Kind::TaskHangs,
    Kind::Refused,
    Kind::Hold,
    Kind::Rollback,
    Kind::ReplicationSlow,
    Kind::ReplicationStops,
    Kind::StrayWrite,
    Kind::ClientStays,
];

/// What a rehearsal assumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Up to so many faults in one run, of these kinds.
    pub budget: Budget,
    /// People answer within this time in 95 of 100 cases.
    pub people: Span,
    /// When a run begins; `None`: an hour before the first window opens, or on 5 January 2026 at 09:00 UTC if the plan has none.
    pub start: Option<Timestamp>,
}

impl Options {
    /// Up to two faults of any kind; people answer within a quarter of an hour.
    pub fn usual() -> Self {
        Self { budget: Budget::of(2, &KINDS), people: Span::from_secs(900), start: None }
    }
}

/// A plan that is to be rehearsed.
#[derive(Debug, Clone)]
pub struct Rehearsal {
    model: Arc<Model>,
    works: Works,
    options: Options,
    rules: Rules,
    /// Milliseconds between the changes of the record in a run without faults.
    gaps: Vec<i64>,
}

impl Rehearsal {
    /// Rehearsals of this revision. Where `measured` knows how long something took, that counts instead of the plan's word.
    pub fn new(revision: &Revision, options: Options, measured: &Measured) -> Self {
        let opens = revision.plan().windows.values().map(|window| window.opens).min();
        let before = opens.and_then(|opens| opens.checked_sub(SignedDuration::from_hours(1)).ok());
        // 2026-01-05T09:00:00Z: a Monday morning like any other.
        let start = options.start.or(before).unwrap_or_else(|| Timestamp::from_second(1_767_603_600).unwrap_or_default());
        let model = Arc::new(Model::new(Arc::new(revision.clone()), RunId("5e1f0000model".to_owned()), start));
        let works = Works::of(&model, measured);
        let options = Options { budget: options.budget.of_plan(revision.plan()), ..options };
        let mut rehearsal = Self { model, works, options, rules: Rules::ALL, gaps: Vec::new() };
        let calm = Self { options: Options { budget: Budget::of(0, &[]), ..options }, ..rehearsal.clone() };
        let edges = Run::new(&calm, 0).edges();
        rehearsal.gaps =
            edges.windows(2).map(|pair| pair.iter().rev().copied().reduce(|to, from| to - from).unwrap_or(0)).collect();
        rehearsal
    }

    /// The same with other rules, to show that a rehearsal finds what follows. What they violate is not withheld then.
    pub fn with_rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// The run of one seed.
    pub fn run(&self, seed: u64) -> End {
        Run::new(self, seed).end(None)
    }

    /// The same run, told from moment to moment.
    pub fn trace(&self, seed: u64) -> (End, Vec<Line>) {
        let mut lines = Vec::new();
        let end = Run::new(self, seed).end(Some(&mut lines));
        (end, lines)
    }

    /// The revision.
    pub fn revision(&self) -> &Revision {
        self.model.revision()
    }
    /// What is assumed.
    pub fn options(&self) -> &Options {
        &self.options
    }
    /// When every run begins.
    pub fn start(&self) -> Timestamp {
        self.model.timestamp(crate::world::Moment(0))
    }
}
