//! Every way that a run can take within a budget of faults, through production's `decide` and its own check, judged by what
//! the world goes through.
//!
//! *Flow*: a plan is cut into pieces ([`piece`]): each different service with its neighbours. Of each piece all states are
//! searched, breadth first ([`search`]). A state is a world, a record and what of the loop outlives a moment ([`state`]); a
//! step is something that happens, a look of the loop, time that passes, or a fault ([`moves`], [`step`]). `decide` is asked
//! once for each different record and view ([`brain`]). What is wrong is told as the shortest story that leads there
//! ([`story`]).
//!
//! *What it proves*: within the budget no order of events, looks, crashes and faults breaks an invariant of the piece, by
//! the engine's own check and by the judge of the world, and none ends where nothing goes on and nobody is asked.
//!
//! *What it does not*: see [`limits`].

pub mod brain;
pub mod ends;
mod forget;
pub mod moves;
mod older;
pub mod piece;
mod print;
mod reach;
pub mod report;
pub mod search;
pub mod state;
pub mod step;
pub mod story;
mod table;
mod worker;

use schemars::JsonSchema;
use serde::Serialize;

use self::{budget::Budget, piece::Piece, report::ShapeReport, search::search};
use crate::engine::{Invariant, Rules};
pub use crate::plan::{Alone, Crew};
pub use crate::world::budget;

/// How a plan is explored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The rules of the engine; production's are all of them.
    pub rules: Rules,
    /// The rule that is left out, if one is.
    pub without: Option<Invariant>,
    /// The faults of one way.
    pub budget: Budget,
    /// Stop a piece after so many states.
    pub most: u64,
    /// What is left out because it can make no difference.
    pub reductions: Reductions,
    /// What is explored around each service or group.
    pub around: Around,
}

/// What is explored around each service or group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Around {
    /// Neighbours that stand for the rest of the plan.
    Neighbours,
    /// Nothing: each by itself, as if the plan had nothing else. So few states that all of them can be seen within more faults.
    Nothing,
}

/// What is left out because it can make no difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reductions {
    /// What follows from a state that was seen, as early, with more faults left or with more that a stale read may show; what
    /// happens once a run has ended and nothing of it is under way; how old a moment is that is older than anything it is
    /// compared with; what of a state no decision reaches any more: answers of gates behind those that count, sides of a
    /// service that is back or without its legacy, versions, who answered first, when a look is due while one has to come first; and,
    /// where all is to hold, looks that change nothing.
    Sound,
    /// Nothing: to show that the others find the same.
    None,
}

/// The most states of a search: each is known by a number of 32 bits.
pub const STATES_MAX: u64 = (u32::MAX / 2) as u64;

impl Options {
    /// Production's rules, or all but one.
    pub fn new(without: Option<Invariant>, budget: Budget, most: u64) -> Self {
        let rules = without.map_or(Rules::ALL, Rules::without);
        Self { rules, without, budget, most: most.min(STATES_MAX), reductions: Reductions::Sound, around: Around::Neighbours }
    }
    /// The same of each service or group by itself.
    pub fn alone(self) -> Self {
        Self { around: Around::Nothing, ..self }
    }
    /// The same with everything that may happen.
    pub fn unreduced(self) -> Self {
        Self { reductions: Reductions::None, ..self }
    }
}

/// Searches one piece to its end. `tell` is called now and then, by any worker, with the number of states so far. The same
/// piece and options give the same report, whoever does the work. With a rule left out, ways with fewer faults are searched
/// first: most gaps need none or one.
pub fn explore(piece: &Piece, options: &Options, crew: &dyn Crew, tell: &(dyn Fn(u64) + Sync)) -> ShapeReport {
    let total = options.budget.total();
    let first = if options.without.is_some() { 0 } else { total };
    for faults in first..total {
        let fewer = Options { budget: options.budget.up_to(faults), ..*options };
        let seen = search(&piece.model, &piece.parts, &fewer, crew, tell);
        if let search::Verdict::Wrong { .. } = seen.verdict {
            return ShapeReport::new(piece, &fewer, &seen);
        }
    }
    let seen = search(&piece.model, &piece.parts, options, crew, tell);
    ShapeReport::new(piece, options, &seen)
}

/// What an exploration that holds does not prove.
pub fn limits(around: Around) -> [&'static str; 4] {
    let between = match around {
        Around::Neighbours => {
            "More than a service and its neighbours at a time: the rest of the plan is taken to allow or refuse progress at any time."
        }
        Around::Nothing => {
            "Anything between services: each was explored as if it needed nobody, nobody needed it, and no phase came before its own."
        }
    };
    [
        "More faults on one way than the budget allows, and faults of other kinds.",
        "Durations: things happen before, at or after each moment that matters to a decision, not at every millisecond between.",
        between,
        "Two different states with one 64-bit fingerprint would hide one of them: about n²/2^65 for n states.",
    ]
}
