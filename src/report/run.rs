//! How a run without a cluster ended or was left: what `gapless run` prints.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    engine::{Direction, JournalHead, Outcome, Record, ServiceState, Stage},
    plan::{ServiceName, Weight},
};

/// The result of `gapless run -o json`. Fields are only ever added. What a runner cannot know is null: it moves traffic and
/// carries none.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunReport {
    /// How the run ended, or that it holds; null if it was stopped and can be taken up again.
    pub outcome: Option<Outcome>,
    /// The run.
    pub run: String,
    /// Its plan.
    pub plan: String,
    /// The revision that it executes.
    pub digest: String,
    /// Always null here: requests of the run's services.
    pub requests: Option<u64>,
    /// Always null here: those that failed.
    pub failed: Option<u64>,
    /// Always null here: the longest gap in milliseconds.
    pub longest_gap: Option<u64>,
    /// Always null here: from the first bad answer to the return, in milliseconds.
    pub detection_ms: Option<u64>,
    /// Each service.
    pub services: Vec<RunService>,
    /// Where the journal is, and its head.
    pub journal: JournalReport,
}

/// A journal and its head.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JournalReport {
    /// The file.
    pub path: String,
    /// How many lines the record rests on.
    pub lines: u64,
    /// The hash of the last of them; empty if there is none.
    pub hash: String,
}
impl JournalReport {
    /// Of this head, in this file.
    pub fn new(path: impl Into<String>, head: &JournalHead) -> Self {
        Self { path: path.into(), lines: head.seq, hash: head.hash.clone() }
    }
}

/// The side that carries a service's traffic, by what was ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Carrier {
    /// All of it is on legacy.
    Legacy,
    /// All of it is on target.
    Target,
    /// Both have a share.
    Both,
}

/// One service.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunService {
    /// Its name.
    pub name: String,
    /// Who carries its traffic.
    pub side: Carrier,
    /// The share of target that was ordered last, in percent.
    pub weight: u8,
    /// Where it is on its way, as a word or two.
    pub stage: String,
    /// Always null here: its requests.
    pub requests: Option<u64>,
    /// Always null here: those that failed.
    pub failed: Option<u64>,
    /// Why it holds, if it does.
    pub hold: Option<String>,
    /// Why it goes or went back, if it does or did.
    pub cause: Option<String>,
}

impl RunService {
    fn new(name: &ServiceName, state: &ServiceState) -> Self {
        let side = match state.weight() {
            Weight::ZERO => Carrier::Legacy,
            Weight::FULL => Carrier::Target,
            _ => Carrier::Both,
        };
        Self {
            name: name.to_string(),
            side,
            weight: state.weight().percent(),
            stage: stage(state),
            requests: None,
            failed: None,
            hold: state.hold.as_ref().map(|hold| hold.reason.to_string()),
            cause: state.cause.as_ref().map(ToString::to_string),
        }
    }
    /// All of a record.
    pub fn all(record: &Record) -> Vec<Self> {
        record.services.iter().map(|(name, state)| Self::new(name, state)).collect()
    }
    /// One line for people.
    pub fn line(&self, width: usize) -> String {
        let mut line = format!("{:width$}  {:>3} % on target  {}", self.name, self.weight, self.stage);
        for why in self.hold.iter().chain(&self.cause) {
            let _ = write!(line, "; {why}"); // writing to a String cannot fail
        }
        line
    }
}

fn stage(state: &ServiceState) -> String {
    match (state.stage, state.direction) {
        (Stage::Waiting, _) => "not begun".to_owned(),
        (Stage::Shifting(_), Direction::Forward) => "shifting".to_owned(),
        (Stage::Soaking, Direction::Forward) => "moved, soaking".to_owned(),
        (Stage::Shifting(_) | Stage::Soaking, Direction::Backward) => "to go back".to_owned(),
        (Stage::Soaked, _) => "moved".to_owned(),
        (Stage::Returning, _) => "going back".to_owned(),
        (Stage::Returned, _) if state.order.is_none() => "never left".to_owned(),
        (Stage::Returned, _) => "back on legacy".to_owned(),
        (Stage::Ending | Stage::Decommissioning, _) => "moved, its legacy side is ending".to_owned(),
        (Stage::Decommissioned, _) => "moved, its legacy side is off".to_owned(),
    }
}

impl RunReport {
    /// Of this record, with the journal in this file.
    pub fn new(record: &Record, outcome: Option<Outcome>, journal: impl Into<String>) -> Self {
        Self {
            outcome,
            run: record.run.to_string(),
            plan: record.plan.to_string(),
            digest: record.digest.to_string(),
            requests: None,
            failed: None,
            longest_gap: None,
            detection_ms: None,
            services: RunService::all(record),
            journal: JournalReport::new(journal, &record.journal),
        }
    }
    /// For people.
    pub fn text(&self) -> String {
        let outcome = self.outcome.map_or_else(|| "stopped".to_owned(), |outcome| outcome.to_string());
        let mut text = format!("{}: {outcome} (run {})\n", self.plan, self.run);
        text.push_str(&table(&self.services));
        let _ = writeln!(text, "journal: {} ({} lines)", self.journal.path, self.journal.lines); // cannot fail
        text
    }
}

fn table(services: &[RunService]) -> String {
    let width = services.iter().map(|service| service.name.len()).max().unwrap_or(0);
    services.iter().map(|service| format!("  {}\n", service.line(width))).collect()
}
