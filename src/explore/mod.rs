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
//! *What it does not*: see [`LIMITS`].

pub mod brain;
pub mod moves;
pub mod piece;
mod print;
pub mod report;
pub mod search;
pub mod state;
pub mod step;
pub mod story;

use self::{budget::Budget, piece::Piece, report::ShapeReport, search::Search};
use crate::engine::{Invariant, Rules};
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
}

impl Options {
    /// Production's rules, or all but one.
    pub fn new(without: Option<Invariant>, budget: Budget, most: u64) -> Self {
        let rules = without.map_or(Rules::ALL, Rules::without);
        Self { rules, without, budget, most }
    }
}

/// Searches one piece to its end. `tell` is called now and then with the number of states so far. The same piece and options
/// give the same report. With a rule left out, ways with fewer faults are searched first: most gaps need none or one.
pub fn explore(piece: &Piece, options: &Options, mut tell: impl FnMut(u64)) -> ShapeReport {
    let total = options.budget.total();
    let first = if options.without.is_some() { 0 } else { total };
    for faults in first..total {
        let fewer = Options { budget: options.budget.up_to(faults), ..*options };
        let seen = Search::new(&piece.model, &piece.parts, &fewer).run(&mut tell);
        if let search::Verdict::Wrong { .. } = seen.verdict {
            return ShapeReport::new(piece, &fewer, &seen);
        }
    }
    let seen = Search::new(&piece.model, &piece.parts, options).run(tell);
    ShapeReport::new(piece, options, &seen)
}

/// What an exploration that holds does not prove.
pub const LIMITS: [&str; 4] = [
    "More faults on one way than the budget allows, and faults of other kinds.",
    "Durations: things happen before, at or after each moment that matters to a decision, not at every millisecond between.",
    "More than a service and its neighbours at a time: the rest of the plan is taken to allow or refuse progress at any time.",
    "Two different states with one 64-bit fingerprint would hide one of them: about n²/2^65 for n states.",
];
