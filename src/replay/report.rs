//! What a replay came to, for people and for programs.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Difference, Field, Replayed, Verdict, What};
use crate::journal::PROGRAM;

/// The result of `gapless replay -o json`. Fields are only ever added.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayReport {
    /// Whether every line could be decided again and came to the same.
    pub same: bool,
    /// The run; null if no line tells.
    pub run: Option<String>,
    /// The plan.
    pub plan: String,
    /// The revision.
    pub digest: String,
    /// How many lines the record rests on.
    pub lines: u64,
    /// How many of them came to the same.
    pub same_lines: u64,
    /// How many were written by a program that does not record what was seen; they cannot be decided again.
    pub untold_lines: u64,
    /// How many whole lines nothing rests on: of commits that failed.
    pub abandoned_lines: u64,
    /// The programs that wrote the lines.
    pub written_by: Vec<String>,
    /// The program that decided again.
    pub replayed_by: String,
    /// What the lines were held against at their end.
    pub held_against: HeldAgainst,
    /// The first difference; null if there is none.
    pub difference: Option<DifferenceReport>,
    /// Why the journal cannot be replayed to its end, if it cannot: a line that is not what was written, or cannot be read.
    pub broken: Option<String>,
}

/// What the lines were held against at their end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum HeldAgainst {
    /// The record that is stored.
    Record,
    /// Nothing: the record was not at hand, and the journal's own last line was taken for its end.
    Nothing,
}

/// The first line whose decision is another one now.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DifferenceReport {
    /// Its number.
    pub line: u64,
    /// When it was decided.
    pub at: String,
    /// The program that decided it; null if no line says.
    pub program: Option<String>,
    /// All that differs in it.
    pub what: Vec<WhatReport>,
}

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhatReport {
    /// What kind of difference it is.
    pub kind: Kind,
    /// Of what: `the run`, `service NAME`, `phase NAME` or `bridge NAME`; null where it is of nothing of these.
    pub of: Option<String>,
    /// The fields that differ.
    pub fields: Vec<FieldReport>,
    /// What was decided then.
    pub then: Vec<String>,
    /// What is decided now, and why it waits if it does.
    pub now: Vec<String>,
    /// All of it as text.
    pub text: String,
}

/// The kinds of differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// The journal is of another revision.
    OtherRevision,
    /// The run did not begin as a new one.
    NotNew,
    /// The record was changed between two lines, by no decision.
    Between,
    /// Another state is decided.
    State,
    /// Something else is told.
    Event,
    /// Something else is done.
    Effect,
    /// The stored record is not the one to which the lines lead.
    Stored,
}

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FieldReport {
    /// Which, with what it is in before it.
    pub field: String,
    /// Its value by the lines: what was decided then.
    pub then: String,
    /// Its value now, or as it is stored.
    pub now: String,
}

impl From<&Field> for FieldReport {
    fn from(Field { name, one, other }: &Field) -> Self {
        Self { field: name.clone(), then: one.clone(), now: other.clone() }
    }
}

impl From<&What> for WhatReport {
    fn from(what: &What) -> Self {
        let (kind, of, fields) = match what {
            What::OtherRevision { .. } => (Kind::OtherRevision, None, None),
            What::NotNew { of, fields } => (Kind::NotNew, Some(of), Some(fields)),
            What::Between { of, fields } => (Kind::Between, Some(of), Some(fields)),
            What::State { of, fields, .. } => (Kind::State, Some(of), Some(fields)),
            What::Event { .. } => (Kind::Event, None, None),
            What::Effect { .. } => (Kind::Effect, None, None),
            What::Stored { of, fields } => (Kind::Stored, Some(of), Some(fields)),
        };
        let (then, now) = match what {
            What::State { then, now, .. } => (then.clone(), now.clone()),
            What::Event { then, now } | What::Effect { then, now } => {
                (then.iter().cloned().collect(), now.iter().cloned().collect())
            }
            _ => (Vec::new(), Vec::new()),
        };
        let fields = fields.into_iter().flatten().map(FieldReport::from).collect();
        Self { kind, of: of.map(ToString::to_string), fields, then, now, text: what.to_string() }
    }
}

impl From<&Difference> for DifferenceReport {
    fn from(Difference { line, at, program, what }: &Difference) -> Self {
        let what = what.iter().map(WhatReport::from).collect();
        Self { line: *line, at: at.to_string(), program: program.clone(), what }
    }
}

/// What was replayed, as far as the lines do not tell.
#[derive(Debug, Clone)]
pub struct Source {
    /// The run, if it is known.
    pub run: Option<String>,
    /// The plan's name.
    pub plan: String,
    /// The revision's digest.
    pub digest: String,
    /// Whole lines that nothing rests on.
    pub abandoned: u64,
    /// What the lines were held against.
    pub held_against: HeldAgainst,
}

impl ReplayReport {
    /// Of a journal that is what was written.
    pub fn new(source: Source, replayed: &Replayed) -> Self {
        let mut report = Self::empty(source, replayed.lines);
        report.same = replayed.verdict == Verdict::Same && replayed.untold == 0;
        report.same_lines = replayed.same;
        report.untold_lines = replayed.untold;
        report.written_by = replayed.programs.iter().cloned().collect();
        match &replayed.verdict {
            Verdict::Same => {}
            Verdict::Differs(difference) => report.difference = Some((&**difference).into()),
            Verdict::Unreadable { line, why } => {
                report.broken = Some(format!("journal line {line}: it cannot be replayed ({why})"))
            }
        }
        report
    }

    /// Of a journal that is not what was written.
    pub fn broken(source: Source, why: String) -> Self {
        Self { broken: Some(why), ..Self::empty(source, 0) }
    }

    fn empty(Source { run, plan, digest, abandoned, held_against }: Source, lines: u64) -> Self {
        Self {
            same: false,
            run,
            plan,
            digest,
            lines,
            same_lines: 0,
            untold_lines: 0,
            abandoned_lines: abandoned,
            written_by: Vec::new(),
            replayed_by: PROGRAM.to_owned(),
            held_against,
            difference: None,
            broken: None,
        }
    }

    /// For people.
    pub fn text(&self, replayed: Option<&Replayed>) -> String {
        let run = self.run.as_ref().map_or_else(|| "a run".to_owned(), |run| format!("run {run}"));
        let mut text = format!("{run} of plan {}, revision {}\n", self.plan, self.digest.get(..12).unwrap_or(&self.digest));
        if self.untold_lines > 0 {
            let (lines, were) = lines(self.untold_lines);
            let _ = writeln!(
                text,
                "{lines} {were} written by a version that does not record what was seen: they cannot be decided again"
            );
        }
        if let Some(Verdict::Differs(difference)) = replayed.map(|replayed| &replayed.verdict) {
            let _ = writeln!(text, "{}the first difference is at {difference}", self.before());
        } else if let Some(broken) = &self.broken {
            let _ = writeln!(text, "{}{broken}", self.before());
        } else if self.same_lines > 0 || self.untold_lines == 0 {
            let (lines, _) = lines(self.same_lines);
            let to = match self.held_against {
                HeldAgainst::Record => "and lead to the record that is stored",
                HeldAgainst::Nothing => "no record was at hand to hold them against",
            };
            let _ = writeln!(text, "the same: {lines} of {} give the same decisions again, {to}", self.lines);
        }
        if self.abandoned_lines > 0 {
            let (lines, _) = lines(self.abandoned_lines);
            let _ = writeln!(text, "{lines} beside them rest on nothing: their commits failed");
        }
        text
    }

    fn before(&self) -> String {
        match self.same_lines {
            0 => String::new(),
            same => format!("{} of {} give the same decisions again; ", lines(same).0, self.lines),
        }
    }
}

fn lines(count: u64) -> (String, &'static str) {
    if count == 1 { ("1 line".to_owned(), "was") } else { (format!("{count} lines"), "were") }
}
