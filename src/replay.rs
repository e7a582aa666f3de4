//! Decides again what a run decided, from its journal alone: the same, or the first difference.
//!
//! *Flow*: the first line begins with the record; each line tells what was seen and when, [`engine::judge`] decides over that,
//! and record, events and effects are compared with what the line says was decided.
//! *Guarantees*: nothing is looked at but revision, lines and, at the end, the record that is stored. What cannot be decided
//! again, because the program that wrote it did not tell enough, is said to be so and never taken for a difference.
//! *Assumptions*: the lines are those that the record rests on, in order, and are what was written
//! ([`crate::journal::lineage`] sees to that).
//! *Caveats*: of who did not change a line tells what a decision can tell apart, not every answer ([`crate::journal::news`]).
//! A program that decides by other rules than the one that wrote the line differs from it rightly; the difference names
//! both.
//!
#![doc = include_str!("../docs/design/replay.md")]

mod difference;
pub mod report;

use std::collections::BTreeSet;

pub use self::difference::{Difference, Field, Of, What};
use crate::{
    engine::{self, Decision, JournalHead, Observed, Record, Rules, withhold},
    journal::{Begins, FORMAT, Line, changes::Changes, news::News, told::Told},
    plan::Revision,
};

/// What a journal came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// How many lines there are.
    pub lines: u64,
    /// How many of them were decided again and came to the same.
    pub same: u64,
    /// How many were written by a program that did not tell what was seen: they cannot be decided again.
    pub untold: u64,
    /// The programs that wrote the others.
    pub programs: BTreeSet<String>,
    /// What came of it.
    pub verdict: Verdict,
}

/// What came of a replay.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Every line that tells enough leads to the same decision.
    Same,
    /// The first one that does not.
    Differs(Box<Difference>),
    /// A line that cannot be read, though it is what was written.
    Unreadable {
        /// Its number.
        line: u64,
        /// Why.
        why: String,
    },
}

/// Decides each line again. `stored`: the record that is kept, if it is at hand, to which the lines must lead.
pub fn replay(revision: &Revision, lines: &[Line], stored: Option<&Record>) -> Replayed {
    replay_by(Rules::ALL, revision, lines, stored)
}

/// The same with one rule left out, to show that the difference is found.
pub fn replay_by(rules: Rules, revision: &Revision, lines: &[Line], stored: Option<&Record>) -> Replayed {
    let mut replay = Replay { revision, rules, known: None, program: None, same: 0, untold: 0, programs: BTreeSet::new() };
    let verdict = replay.run(lines, stored).err().unwrap_or(Verdict::Same);
    let Replay { same, untold, programs, .. } = replay;
    Replayed { lines: u64::try_from(lines.len()).unwrap_or(u64::MAX), same, untold, programs, verdict }
}

/// How far a replay is.
struct Replay<'a> {
    revision: &'a Revision,
    rules: Rules,
    /// The record to which the lines so far lead, and what they tell; `None`: no line said so far.
    known: Option<(Record, Told)>,
    /// Who wrote the newest line.
    program: Option<String>,
    same: u64,
    untold: u64,
    programs: BTreeSet<String>,
}

impl Replay<'_> {
    fn run(&mut self, lines: &[Line], stored: Option<&Record>) -> Result<(), Verdict> {
        for line in lines {
            self.line(line)?;
        }
        match (&self.known, stored, lines.last()) {
            (Some((record, _)), Some(stored), Some(line)) => {
                let what = difference::records(record, stored, |of, fields| What::Stored { of, fields });
                self.nothing(line, what)
            }
            _ => Ok(()),
        }
    }

    fn line(&mut self, line: &Line) -> Result<(), Verdict> {
        let unreadable = |why: String| Verdict::Unreadable { line: line.head.seq, why };
        if line.format < FORMAT {
            self.known = None;
            self.untold += 1;
            return Ok(());
        }
        let news = line.news().map_err(unreadable)?;
        if let Some(begins) = &line.begins {
            self.begin(line, begins)?;
        }
        let Some(((before, mut told), changes)) = self.known.take().zip(line.changes.as_ref()) else {
            return Err(unreadable("no line before it tells how the run stood, and it does not either".to_owned()));
        };
        let (then, now) = self.both(line, (&before, &mut told), news, changes);
        self.nothing(line, difference::decisions(line, &before, &then, &now))?;
        self.same += 1;
        self.known = Some((Record { journal: line.head.clone(), ..then }, told));
        Ok(())
    }

    /// The record that the line says came of it, and the decision that is made now.
    fn both(&self, line: &Line, (before, told): (&Record, &mut Told), news: News, changes: &Changes) -> (Record, Decision) {
        told.hear(self.revision.plan(), news, line.at);
        let mut then = before.clone();
        changes.make(&mut then);
        (then, self.decide(before, told.seen(), line))
    }

    fn decide(&self, before: &Record, seen: &Observed, line: &Line) -> Decision {
        match self.rules {
            Rules::ALL => engine::judge(self.revision, before, seen, line.at),
            rules => {
                let decision = engine::decide_by(rules, self.revision, before, seen, line.at);
                withhold::lawful(self.revision, before, seen, line.at, decision)
            }
        }
    }

    /// A process began: with the record that the lines before lead to, or, at the first line, with that of a new run.
    fn begin(&mut self, line: &Line, begins: &Begins) -> Result<(), Verdict> {
        let Begins { program, record } = begins;
        self.program = Some(program.clone());
        self.programs.insert(program.clone());
        if record.digest != *self.revision.digest() {
            let found = record.digest.clone();
            return self.nothing(line, vec![What::OtherRevision { found }]);
        }
        let head = JournalHead { seq: line.head.seq.saturating_sub(1), hash: line.previous.clone() };
        let what = match self.known.take() {
            Some((known, _)) => difference::records(&known, record, |of, fields| What::Between { of, fields }),
            None if line.head.seq == 1 => {
                let new = Record::new(record.run.clone(), self.revision, record.started_at);
                let new = Record { started_by: record.started_by.clone(), ..new };
                difference::records(&new, record, |of, fields| What::NotNew { of, fields })
            }
            None => {
                let there = Record { journal: head, ..record.clone() };
                difference::records(&there, record, |of, fields| What::Between { of, fields })
            }
        };
        self.nothing(line, what)?;
        self.known = Some((record.clone(), Told::default()));
        Ok(())
    }

    /// Nothing differs, or that is the end.
    fn nothing(&self, line: &Line, what: Vec<What>) -> Result<(), Verdict> {
        if what.is_empty() {
            return Ok(());
        }
        let (line, at) = (line.head.seq, line.at);
        Err(Verdict::Differs(Box::new(Difference { line, at, program: self.program.clone(), what })))
    }
}
