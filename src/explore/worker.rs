//! One worker of a search: takes all steps from some of the states of a level.

use std::sync::Arc;

use super::{
    Reductions,
    brain::{Answer, Brain, Library},
    budget::Budget,
    ends::Ends,
    moves::{self, Known, Part, moves},
    print::Print,
    search::Wrong,
    state::{Eyes, Left, Move, State, StatePrint},
    step::{Judged, Stepper},
    table::{Adding, Places, Sharded, Shards},
};
use crate::{
    engine::Invariant,
    world::{Model, judge::Breach},
};

/// A state whose steps are to be taken.
#[derive(Debug)]
pub struct Entry {
    /// Its number.
    pub place: u32,
    /// The fingerprint of all that a sensor can see in it.
    pub facts: u128,
    /// What the loop decides in it, if it was asked already.
    pub answer: Option<Arc<Answer>>,
    /// The state.
    pub state: Box<State>,
}

/// A state that was not seen before this level.
#[derive(Debug)]
pub struct Candidate {
    /// Its fingerprint.
    pub print: u64,
    /// Those of states that need not be looked at any more: the same without a past, and before a look that changed nothing.
    pub others: [Option<u64>; 2],
    /// The state from which a step led here.
    pub before: u32,
    /// That step.
    pub step: Move,
    /// Itself, without a number yet.
    pub entry: Entry,
}

/// What came of some of the states of a level.
#[derive(Debug, Default)]
pub struct Found {
    /// New states, in the order in which they were found.
    pub next: Vec<Candidate>,
    /// The first thing that is wrong: the state, and the step that broke something; `None`: the state itself is wrong.
    pub wrong: Option<(u32, Option<Move>, Wrong)>,
    /// Steps that were taken.
    pub steps: u64,
    /// What was judged.
    pub judged: Judged,
    /// How runs ended.
    pub ends: Ends,
}

impl Found {
    /// Leaves out what was found earlier in the level, and notes the others as seen. `chunk` is the piece of the level.
    pub fn settle(&mut self, chunk: usize, firsts: &Firsts, seen: &Adding<'_>) {
        let mut places = 0..;
        self.next.retain(|candidate| places.next().is_some_and(|place| firsts.is_first(candidate.print, ordinal(chunk, place))));
        for candidate in &self.next {
            seen.insert(candidate.print);
            candidate.others.into_iter().flatten().for_each(|other| seen.insert(other));
        }
    }
}

/// What the search asks of every worker.
#[derive(Debug)]
pub struct Task<'s> {
    /// States that were seen in the levels before.
    pub seen: &'s Shards,
    /// States that were found in this level.
    pub firsts: &'s Firsts,
    /// The budgets that may be left, the largest first, each with what it makes of a fingerprint.
    pub ladder: &'s [(Budget, Left)],
    /// The one invariant that is asked about; `None`: all, and that every run ends.
    pub sought: Option<Invariant>,
    /// Whether what can make no difference is left out.
    pub reductions: Reductions,
    /// Whether looks that change nothing are steps.
    pub idle_looks: IdleLooks,
}

/// Whether a look that changes nothing is a step of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdleLooks {
    /// It is: ways are told step by step, and the shortest is the one with the fewest.
    Steps,
    /// It is part of the step before, so that there are fewer states. What can happen before it can happen after it as well.
    Joined,
}

/// Who found a state first, in the order of the level: whichever worker is faster, the same one counts.
#[derive(Debug)]
pub struct Firsts(Sharded<Places<u64, u64>>);

impl Firsts {
    /// Nobody found anything.
    pub fn new() -> Self {
        Self(Sharded::new(Places::new))
    }
    /// Notes that a state was found at this place of the level; whether it is the first as far as is known.
    pub fn claim(&self, print: u64, at: u64) -> bool {
        let Some(mut shard) = self.0.of(print) else { return true };
        let first = shard.get(print).is_none_or(|known| at < known);
        if first {
            shard.set(print, at);
        }
        first
    }
    /// Whether a state was found first at this place, once all of the level was gone through.
    pub fn is_first(&self, print: u64, at: u64) -> bool {
        self.0.of(print).is_none_or(|shard| shard.get(print) == Some(at))
    }
    /// For the next level.
    pub fn clear(&mut self) {
        self.0.all().for_each(|mut shard| shard.clear());
    }
}

/// A worker, with a memory of its own.
#[derive(Debug)]
pub struct Worker<'a> {
    stepper: Stepper<'a>,
    parts: &'a [Part],
    moves: Vec<Move>,
    /// The state that a step is taken in.
    draft: State,
    /// States that are over, whose memory is used again.
    #[expect(clippy::vec_box, reason = "they come from a level and go into the next as they are")]
    spare: Vec<Box<State>>,
}

/// Where a state stands in its level: in which of its pieces, and where there.
pub fn ordinal(chunk: usize, place: usize) -> u64 {
    (chunk as u64) << 32 | place as u64
}

impl<'a> Worker<'a> {
    /// A worker that asks this library.
    pub fn new(library: &'a Library<'a>, model: &'a Model, parts: &'a [Part], first: &State) -> Self {
        let stepper = Stepper::new(model, parts, Brain::new(library));
        Self { stepper, parts, moves: Vec::new(), draft: first.clone(), spare: Vec::new() }
    }

    /// Takes all steps from these states, up to the first thing that is wrong.
    pub fn expand(&mut self, task: &Task<'_>, chunk: usize, entries: Vec<Entry>) -> Found {
        let mut found = Found::default();
        for entry in entries {
            if found.wrong.is_none() {
                found.wrong = self.steps_from(task, chunk, &entry, &mut found);
            }
            self.spare.push(entry.state);
        }
        found.judged = std::mem::take(&mut self.stepper.judged);
        found
    }

    fn steps_from(
        &mut self,
        task: &Task<'_>,
        chunk: usize,
        Entry { place, facts, answer, state }: &Entry,
        found: &mut Found,
    ) -> Option<(u32, Option<Move>, Wrong)> {
        let book = self.stepper.brain.keep(state.record)?;
        let asked;
        let answer: &Answer = match answer {
            Some(answer) => answer,
            None => {
                asked = self.stepper.brain.ask(state.record, &state.world.facts, *facts)?;
                &asked
            }
        };
        book.record.ended.iter().for_each(|ended| found.ends.add(ended.outcome));
        let mut steps = std::mem::take(&mut self.moves);
        steps.clear();
        let known = Known { book: &book, answer, reductions: task.reductions };
        moves(self.stepper.model, self.parts, known, state, &mut steps);
        let stuck = task.sought.is_none() && !moves::goes_on(&steps) && !self.stepper.rests(state, answer.outcome);
        let mut wrong = stuck.then_some((*place, None, Wrong::Stuck));
        for step in steps.iter().copied().take_while(|_| !stuck) {
            found.steps += 1;
            self.draft.clone_from(state);
            let breach = self.stepper.take(&mut self.draft, step, answer);
            if let Some(breach) = breach.filter(|breach| task.sought.is_none_or(|sought| breach.invariant == sought)) {
                wrong = Some((*place, Some(step), Wrong::Breach(breach)));
                break;
            }
            match self.found_state(task, ordinal(chunk, found.next.len())) {
                Ok(None) => {}
                Ok(Some(New { print, bare, due, facts, answer })) => {
                    let mut state = self.spare.pop().unwrap_or_else(|| Box::new(self.draft.clone()));
                    (*state).clone_from(&self.draft);
                    let entry = Entry { place: 0, facts, answer, state };
                    found.next.push(Candidate { print, others: [bare, due], before: *place, step, entry });
                }
                Err(breach) => {
                    wrong = Some((*place, Some(step), Wrong::Breach(breach)));
                    break;
                }
            }
        }
        self.moves = steps;
        wrong
    }

    /// The fingerprints of the state that a step led to, if none like it was seen; or what a look that is joined to that step breaks.
    fn found_state(&mut self, task: &Task<'_>, at: u64) -> Result<Option<New>, Breach> {
        let facts = Print::of(&self.draft.world.facts);
        let (mut own, mut due, mut answer) = (task.prints(&self.draft, facts), None, None);
        if task.knows(&self.draft, &own) {
            return Ok(None);
        }
        if task.idle_looks == IdleLooks::Joined && self.draft.eyes == Eyes::Due {
            answer = self.stepper.look_idly(&mut self.draft, facts)?;
            if self.draft.eyes == Eyes::Done {
                due = Some(own.print);
                own = task.prints(&self.draft, facts);
                if task.knows(&self.draft, &own) {
                    return Ok(None);
                }
            }
        }
        let is_first = task.firsts.claim(own.print, at);
        Ok(is_first.then(|| New { print: own.print, bare: own.of.bare(own.left), due, facts, answer }))
    }
}

/// A state that was not seen before.
struct New {
    print: u64,
    bare: Option<u64>,
    /// Before the look that was joined to the step that led to it.
    due: Option<u64>,
    facts: u128,
    answer: Option<Arc<Answer>>,
}

/// The fingerprints of a state.
struct Own {
    of: StatePrint,
    left: Left,
    print: u64,
}

impl Task<'_> {
    fn prints(&self, state: &State, facts: u128) -> Own {
        let known = self.ladder.iter().find(|(budget, _)| *budget == state.left);
        let (of, left) = (state.print(facts), known.map_or_else(|| Left::other(&state.left), |(_, left)| *left));
        Own { of, left, print: of.with(left) }
    }

    /// Whether one like it was seen, or one from which all that may follow from it could follow as well.
    fn knows(&self, state: &State, own: &Own) -> bool {
        self.seen.has(own.print) || self.reductions == Reductions::Sound && self.is_covered(state, own.of)
    }

    /// The same with more faults left was seen: whatever can happen here can happen there, as early.
    fn is_covered(&self, state: &State, of: StatePrint) -> bool {
        let more = self.ladder.iter().take_while(|(budget, _)| budget.total() > state.left.total());
        more.filter(|(budget, _)| budget.covers(&state.left)).any(|(_, left)| self.seen.has(of.with(*left)))
    }
}
