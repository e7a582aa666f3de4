//! A run in the model of everything outside that keeps its journal.

use std::sync::Arc;

use gapless::{
    engine::Record,
    journal::{Line, Scribe},
    plan::Revision,
    replay::{Replayed, Verdict, replay},
    world::{Delays, Edge, Look, Model, Sim},
};

/// A run, the writer of its journal, and what it wrote.
pub struct Kept {
    pub sim: Sim,
    pub lines: Vec<Line>,
    scribe: Scribe,
    commits: Commits,
}

/// How commits go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Commits {
    /// Each is done.
    Done,
    /// Each is done at the second try; a line was written for the first one as well.
    AtTheSecondTry,
}

impl Kept {
    pub fn new(sim: Sim) -> Self {
        Self { sim, lines: Vec::new(), scribe: Scribe::default(), commits: Commits::Done }
    }

    /// In a world where everything works, from an hour before the first window on.
    pub fn ideal(revision: &Revision) -> Self {
        let opens = revision.plan().windows.values().map(|window| window.opens).min();
        let start = opens.map_or("2026-08-28T20:00:00Z".parse().unwrap(), |at| at - jiff::SignedDuration::from_hours(1));
        Self::new(Sim::ideal(revision, start))
    }

    /// The same with other luck.
    pub fn with(mut self, commits: Commits) -> Self {
        self.commits = commits;
        self
    }

    /// Looks once, and writes a line if the record changed.
    pub fn step(&mut self, delays: impl FnMut(&gapless::engine::Effect) -> Delays) -> Option<Look> {
        let before = self.sim.record.clone();
        let look = self.sim.step_with(delays)?;
        if look.edge == Edge::Changed {
            let seen = self.sim.world.facts.observe(&self.sim.model, &before);
            let model = self.model();
            let mut write = || self.scribe.line(model.revision(), &before, &look.decision, &seen, look.at);
            let first = write();
            let line = if self.commits == Commits::Done { first } else { write() };
            self.sim.record.journal = line.head.clone();
            self.lines.push(line);
        }
        Some(look)
    }

    pub fn model(&self) -> Arc<Model> {
        Arc::clone(&self.sim.model)
    }

    /// The process ends, and another one goes on.
    pub fn restart(&mut self) {
        self.scribe = Scribe::default();
    }

    pub fn run(&mut self) {
        let delays = self.sim.delays;
        while self.step(|_| delays).is_some() {
            assert!(self.lines.len() < 100_000, "it never ends");
        }
    }

    pub fn replay(&self) -> Replayed {
        replay(self.model().revision(), &self.lines, Some(&self.sim.record))
    }

    /// All that it wrote gives the same decisions, and no line had to begin anew but the first of each process.
    pub fn same(&self, processes: usize) {
        let replayed = self.replay();
        assert_eq!(replayed.verdict, Verdict::Same, "{}", told(&replayed));
        assert_eq!(replayed.same, u64::try_from(self.lines.len()).unwrap());
        let begun: Vec<u64> = self.lines.iter().filter(|line| line.begins.is_some()).map(|line| line.head.seq).collect();
        assert!(begun.len() <= processes, "a line could not be told in few words: {begun:?}");
    }
}

/// The difference in words.
pub fn told(replayed: &Replayed) -> String {
    match &replayed.verdict {
        Verdict::Same => "the same".to_owned(),
        Verdict::Differs(difference) => difference.to_string(),
        Verdict::Unreadable { line, why } => format!("line {line}: {why}"),
    }
}

/// The same lines with one of them changed, as somebody would who knows how the hashes are made; and the record's head with
/// them.
pub fn forged(lines: &[Line], record: &Record, number: u64, change: impl Fn(&mut Line)) -> (Vec<Line>, Record) {
    let (mut forged, mut previous) = (Vec::new(), String::new());
    for line in lines {
        let mut line = line.clone();
        if line.head.seq == number {
            change(&mut line);
        }
        line.previous = previous;
        line.head.hash = line.digest();
        previous = line.head.hash.clone();
        forged.push(line);
    }
    let mut record = record.clone();
    record.journal.hash = previous;
    (forged, record)
}
