//! Breadth first through all states within a budget: what is found first is shortest.

use super::{
    Options,
    brain::Brain,
    moves::{Part, moves},
    print::{Print, Prints},
    state::{Move, State},
    step::{Judged, Stepper},
};
use crate::{
    engine::Invariant,
    world::{Model, judge::Breach},
};

/// Something that must never happen and did, or a run that rests where it may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// An invariant is broken.
    Breach(Breach),
    /// Nothing can happen any more though nothing is wrong in the world, and the run neither ended nor asks anybody.
    Stuck,
}

/// How a search ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every state within the budget was seen, and nothing is wrong with any.
    Holds,
    /// As many states as were allowed were seen, and nothing is wrong with any; there are more.
    Unfinished,
    /// The shortest way to something wrong.
    Wrong {
        /// The steps from the beginning.
        steps: Vec<Move>,
        /// What is wrong after the last.
        wrong: Wrong,
    },
}

/// What a search saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// How it ended.
    pub verdict: Verdict,
    /// Different states.
    pub states: u64,
    /// Steps between them.
    pub steps: u64,
    /// Steps of the longest of all shortest ways.
    pub depth: u32,
    /// Decisions that were really made; all others were remembered.
    pub decisions: u64,
    /// What was judged.
    pub judged: Judged,
}

/// A search over one model.
#[derive(Debug)]
pub struct Search<'a> {
    parts: &'a [Part],
    stepper: Stepper<'a>,
    seen: Prints,
    /// For each state, the one before it and the step from there.
    ways: Vec<(u32, Move)>,
    level: Vec<(u32, State)>,
    next: Vec<(u32, State)>,
    most: u64,
    steps: u64,
    depth: u32,
    /// The one invariant that is asked about; `None`: all, and that every run ends.
    sought: Option<Invariant>,
}

impl<'a> Search<'a> {
    /// A search from the beginning of a run of this model. If a rule is left out, only what that rule keeps is asked about.
    pub fn new(model: &'a Model, parts: &'a [Part], options: &Options) -> Self {
        let Options { rules, without: sought, budget, most } = *options;
        let (brain, record) = Brain::new(model, rules);
        let first = State::new(model, record, budget);
        let mut seen = Prints::new();
        seen.insert(Print::of(&first));
        let stepper = Stepper { model, parts, brain, judged: Judged::default() };
        let ways = vec![(0, Move::Waits)]; // of the first state nobody asks the way
        Self { parts, stepper, seen, ways, level: vec![(0, first)], next: Vec::new(), most, steps: 0, depth: 0, sought }
    }

    /// Searches to the end. `tell` is called now and then with the number of states so far.
    pub fn run(mut self, mut tell: impl FnMut(u64)) -> Seen {
        while !self.level.is_empty() {
            for (place, state) in std::mem::take(&mut self.level) {
                if let Some((steps, wrong)) = self.expand(place, &state) {
                    return self.end(Verdict::Wrong { steps, wrong });
                }
                if self.ways.len() as u64 > self.most {
                    return self.end(Verdict::Unfinished);
                }
                if place % 8192 == 0 {
                    tell(self.ways.len() as u64);
                }
            }
            self.level = std::mem::take(&mut self.next);
            self.depth += u32::from(!self.level.is_empty());
        }
        self.end(Verdict::Holds)
    }

    fn expand(&mut self, place: u32, state: &State) -> Option<(Vec<Move>, Wrong)> {
        let moves = moves(self.stepper.model, self.parts, &mut self.stepper.brain, state);
        let goes_on = moves.iter().any(|step| !matches!(step, Move::Strikes(..) | Move::Outside(_)));
        if !goes_on && self.sought.is_none() && !self.stepper.rests(state) {
            return Some((self.way(place, None), Wrong::Stuck));
        }
        for step in moves {
            self.steps += 1;
            let (next, breach) = self.stepper.take(state, step);
            if let Some(breach) = breach.filter(|breach| self.sought.is_none_or(|sought| breach.invariant == sought)) {
                return Some((self.way(place, Some(step)), Wrong::Breach(breach)));
            }
            if self.seen.insert(Print::of(&next)) {
                let ix = u32::try_from(self.ways.len()).unwrap_or(u32::MAX);
                self.ways.push((place, step));
                self.next.push((ix, next));
            }
        }
        None
    }

    /// The steps to a state, and one more.
    fn way(&self, mut place: u32, last: Option<Move>) -> Vec<Move> {
        let mut steps: Vec<Move> = last.into_iter().collect();
        while place != 0 {
            let Some((before, step)) = self.ways.get(place as usize) else { break };
            steps.push(*step);
            place = *before;
        }
        steps.reverse();
        steps
    }

    fn end(self, verdict: Verdict) -> Seen {
        Seen {
            verdict,
            states: self.ways.len() as u64,
            steps: self.steps,
            depth: self.depth,
            decisions: self.stepper.brain.decisions,
            judged: self.stepper.judged,
        }
    }
}
