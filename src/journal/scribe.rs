//! Writes the lines of one run, each so that the decision can be made again from it and those before it.
//!
//! *Flow*: what changed and what was seen are told after what the lines before tell ([`super::reduce`]); then the decision is
//! made again over just that, and only if it is the same the line stands. Else, and for the first line of a process, the line
//! tells everything, and begins with the whole record.
//! *Assumptions*: one scribe writes all lines of a process. Lines whose commit failed are no matter: the record that comes
//! next says which line it rests on.

use jiff::Timestamp;

use super::{
    Line,
    changes::Changes,
    news::News,
    reduce::{self, Basis, Depth},
    told::Told,
};
use crate::{
    engine::{self, Decision, Observed, Record},
    plan::{Plan, Revision},
};

/// Which program writes.
pub const PROGRAM: &str = concat!("gapless ", env!("CARGO_PKG_VERSION"));

/// The writer of a run's lines.
#[derive(Debug, Default)]
pub struct Scribe {
    /// What the lines up to the newest tell, if one was written.
    told: Told,
    /// The record that the newest line leads to.
    record: Option<Record>,
    /// What takes the newest line back, and the record before it: its commit may have failed.
    undo: Option<(News, Record)>,
}

/// A line before it is put together: what it tells, and whether it begins anew.
struct Draft {
    begins: bool,
    news: News,
    undo: News,
}

impl Scribe {
    /// The line of a decision that changes `before`.
    pub fn line(&mut self, revision: &Revision, before: &Record, decision: &Decision, seen: &Observed, at: Timestamp) -> Line {
        let changes = Changes::between(before, &decision.record);
        let plan = revision.plan();
        let basis = Basis { plan, before, changes: &changes, seen, at, depth: Depth::News };
        let mut draft = match self.goes_on_after(plan, before, at) {
            true => self.tell(basis, false),
            false => self.begin(basis),
        };
        let again = engine::judge(revision, before, self.told.seen(), at);
        if !is_same(&again, decision) {
            draft = self.begin(Basis { depth: Depth::Everything, ..basis });
        }
        let line = Line::new(before, decision, changes, &draft.news, draft.begins, at);
        let mut record = decision.record.clone();
        record.journal = line.head.clone();
        self.record = Some(record);
        self.undo = (!draft.begins).then(|| (draft.undo, before.clone()));
        line
    }

    /// Whether what was told holds for the lines that this record rests on; takes the newest line back if it is not one of
    /// them.
    fn goes_on_after(&mut self, plan: &Plan, before: &Record, at: Timestamp) -> bool {
        if self.record.as_ref() == Some(before) {
            return true;
        }
        match self.undo.take() {
            Some((news, record)) if record == *before => {
                self.told.hear(plan, news, at);
                true
            }
            _ => false,
        }
    }

    fn begin(&mut self, basis: Basis<'_>) -> Draft {
        self.told = Told::default();
        self.tell(basis, true)
    }

    fn tell(&mut self, basis: Basis<'_>, begins: bool) -> Draft {
        let news = reduce::news(&self.told, basis);
        let undo = self.told.hear(basis.plan, news.clone(), basis.at);
        Draft { begins, news, undo }
    }
}

/// Whether two decisions are the same, as far as anything follows from them. Why steps wait may be told in other numbers.
fn is_same(one: &Decision, other: &Decision) -> bool {
    one.record == other.record && one.effects == other.effects && one.events == other.events
}
