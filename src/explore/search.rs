//! Breadth first through all states within a budget: what is found first is shortest.
//!
//! All states that are so many steps from the beginning are a level. A level is cut into pieces of a fixed size; workers take
//! piece after piece, and what they found is put together in the order of the pieces. So the result is the same to the byte
//! with any number of workers.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use super::{
    Options, Reductions, STATES_MAX,
    brain::Library,
    budget::Budget,
    ends::Ends,
    moves::Part,
    print::Print,
    state::{Left, Move, State},
    step::Judged,
    table::Shards,
    worker::{Entry, Firsts, Found, IdleLooks, Task, Worker},
};
use crate::{
    engine::Invariant,
    plan::{Alone, Crew, crew::each},
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
    /// Different questions that the engine was asked, up to the last level that was gone through whole.
    pub decisions: u64,
    /// What was judged.
    pub judged: Judged,
    /// How runs ended.
    pub ends: Ends,
}

/// How many states of a level a worker takes at a time.
const CHUNK: usize = 64;

/// A piece of a level.
type Chunk = Mutex<(Vec<Entry>, Option<Found>)>;

/// A search over one model.
#[derive(Debug)]
pub struct Search<'a> {
    parts: &'a [Part],
    model: &'a Model,
    library: &'a Library<'a>,
    seen: Shards,
    firsts: Firsts,
    ladder: Vec<(Budget, Left)>,
    /// For each state, the one before it and the step from there.
    ways: Vec<(u32, Move)>,
    /// The states whose steps come next, in pieces.
    level: Vec<Vec<Entry>>,
    most: u64,
    steps: u64,
    depth: u32,
    judged: Judged,
    ends: Ends,
    decisions: u64,
    /// The one invariant that is asked about; `None`: all, and that every run ends.
    sought: Option<Invariant>,
    reductions: Reductions,
    idle_looks: IdleLooks,
}

/// Searches from the beginning of a run of this model. If a rule is left out, only what that rule keeps is asked about. `tell`
/// is called now and then with the number of states so far.
///
/// Where all is to hold looks that change nothing are joined to the steps before them. If something does not, it is looked for once more
/// step by step, so that the way to it is the shortest and can be told.
pub fn search(model: &Model, parts: &[Part], options: &Options, crew: &dyn Crew, tell: &(dyn Fn(u64) + Sync)) -> Seen {
    let by = |idle_looks, most| search_by(idle_looks, model, parts, &Options { most, ..*options }, crew, tell);
    if options.without.is_some() || options.reductions == Reductions::None {
        return by(IdleLooks::Steps, options.most);
    }
    let seen = by(IdleLooks::Joined, options.most);
    match seen.verdict {
        Verdict::Wrong { .. } => by(IdleLooks::Steps, STATES_MAX),
        Verdict::Holds | Verdict::Unfinished => seen,
    }
}

fn search_by(
    idle_looks: IdleLooks,
    model: &Model,
    parts: &[Part],
    options: &Options,
    crew: &dyn Crew,
    tell: &(dyn Fn(u64) + Sync),
) -> Seen {
    let Options { rules, without: sought, budget, most, reductions, around: _ } = *options;
    let (library, record) = Library::new(model, rules, reductions);
    let first = State::new(model, record, budget);
    let ladder = (0..=budget.total()).rev().map(|total| budget.up_to(total));
    let ladder = Left::all(ladder);
    let facts = Print::of(&first.world.facts);
    let print = first.print(facts);
    let mut seen = Shards::new();
    ladder.first().into_iter().for_each(|(_, left)| seen.adding().insert(print.with(*left)));
    let search = Search {
        parts,
        model,
        library: &library,
        seen,
        firsts: Firsts::new(),
        ladder,
        ways: vec![(0, Move::Waits)], // of the first state nobody asks the way
        level: vec![vec![Entry { place: 0, facts, answer: None, state: Box::new(first) }]],
        most,
        steps: 0,
        depth: 0,
        judged: Judged::default(),
        ends: Ends::default(),
        decisions: 0,
        sought,
        reductions,
        idle_looks,
    };
    search.run(crew, tell)
}

impl Search<'_> {
    fn run(mut self, crew: &dyn Crew, tell: &(dyn Fn(u64) + Sync)) -> Seen {
        let Some(first) = self.level.first().and_then(|piece| piece.first()).map(|entry| entry.state.clone()) else {
            return self.end(Verdict::Holds);
        };
        let (library, model, parts) = (self.library, self.model, self.parts);
        let workers = (0..crew.size()).map(|_| Mutex::new(Worker::new(library, model, parts, &first)));
        let workers: Vec<_> = workers.collect();
        while !self.level.is_empty() {
            let chunks: Vec<Chunk> = std::mem::take(&mut self.level).into_iter().map(|piece| Mutex::new((piece, None))).collect();
            let crew: &dyn Crew = if chunks.len() < 2 { &Alone } else { crew }; // a single piece is one worker's
            self.expand(&chunks, &workers, crew, tell);
            self.settle(&chunks, crew);
            if let Some(verdict) = self.gather(chunks) {
                return self.end(verdict);
            }
            self.decisions = self.library.decisions();
            self.depth += u32::from(!self.level.is_empty());
        }
        self.end(Verdict::Holds)
    }

    /// Lets the workers take all steps from the states of a level. What comes after something wrong nobody needs.
    fn expand(&self, chunks: &[Chunk], workers: &[Mutex<Worker<'_>>], crew: &dyn Crew, tell: &(dyn Fn(u64) + Sync)) {
        let task = Task {
            seen: &self.seen,
            firsts: &self.firsts,
            ladder: &self.ladder,
            sought: self.sought,
            reductions: self.reductions,
            idle_looks: self.idle_looks,
        };
        let (next, wrong_at) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
        let states = AtomicU64::new(self.ways.len() as u64);
        let work = |number: usize| {
            let Some(worker) = workers.get(number) else { return };
            let mut worker = worker.lock().unwrap_or_else(PoisonError::into_inner);
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(chunk) = chunks.get(at).filter(|_| at < wrong_at.load(Ordering::Relaxed)) else { return };
                let mut chunk = chunk.lock().unwrap_or_else(PoisonError::into_inner);
                let entries = std::mem::take(&mut chunk.0);
                let found = worker.expand(&task, at, entries);
                if found.wrong.is_some() {
                    wrong_at.fetch_min(at, Ordering::Relaxed);
                }
                let new = found.next.len() as u64;
                chunk.1 = Some(found);
                tell(states.fetch_add(new, Ordering::Relaxed) + new);
            }
        };
        crew.work(&work);
    }

    /// Lets the workers leave out what was found twice, and note the rest as seen. What comes after something wrong is noted as
    /// well: the search is over then.
    fn settle(&mut self, chunks: &[Chunk], crew: &dyn Crew) {
        let (firsts, seen) = (&self.firsts, self.seen.adding());
        each(crew, chunks.len(), |at| {
            let chunk = chunks.get(at).map(|chunk| chunk.lock().unwrap_or_else(PoisonError::into_inner));
            chunk.and_then(|mut chunk| chunk.1.as_mut().map(|found| found.settle(at, firsts, &seen)))
        });
    }

    /// Puts together what was found in a level, in its order. A verdict, if the search is over.
    fn gather(&mut self, chunks: Vec<Chunk>) -> Option<Verdict> {
        for chunk in chunks {
            let (_, found) = chunk.into_inner().unwrap_or_else(PoisonError::into_inner);
            let Found { next, wrong, steps, judged, ends } = found?;
            self.steps += steps;
            self.judged.add(judged);
            self.ends.join(ends);
            for candidate in next {
                let place = u32::try_from(self.ways.len()).unwrap_or(u32::MAX);
                self.ways.push((candidate.before, candidate.step));
                self.enter(Entry { place, ..candidate.entry });
            }
            if let Some((place, step, wrong)) = wrong {
                return Some(Verdict::Wrong { steps: self.way(place, step), wrong });
            }
            if self.ways.len() as u64 > self.most {
                return Some(Verdict::Unfinished);
            }
        }
        self.firsts.clear();
        None
    }

    /// Puts a state on the next level.
    fn enter(&mut self, entry: Entry) {
        match self.level.last_mut().filter(|piece| piece.len() < CHUNK) {
            Some(piece) => piece.push(entry),
            None => {
                let mut piece = Vec::with_capacity(CHUNK);
                piece.push(entry);
                self.level.push(piece);
            }
        }
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
            decisions: self.decisions,
            judged: self.judged,
            ends: self.ends,
        }
    }
}
