//! What many rehearsals show together, for people and for programs.

mod text;

use std::{cmp::Reverse, fmt::Write as _};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use self::text::length;
use super::{End, Rehearsal, WindowEnd, percentile::Sorted, trace::Line};
use crate::{
    engine::Outcome,
    world::{Moment, budget::Kind},
};

/// So many of the worst runs are named.
const WORST: usize = 5;

/// The result of `gapless rehearse -o json`. Fields are only ever added. Durations are whole seconds.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RehearseReport {
    /// The plan.
    pub plan: String,
    /// The revision that was rehearsed.
    pub digest: String,
    /// Runs that were made.
    pub runs: u64,
    /// The seed of the first; the next has the next number, and so on.
    pub seed: u64,
    /// When every run begins, in UTC.
    pub start: String,
    /// Up to so many faults in one run.
    pub budget: u8,
    /// Runs in which every service was moved, soaked, and its legacy side ended as planned.
    pub completed: u64,
    /// Runs that ended with at least one service back on legacy.
    pub rolled_back: u64,
    /// Runs that hold and wait for people.
    pub held: u64,
    /// Runs in which something happened that must never happen.
    pub violations: u64,
    /// How long all runs took to be made.
    pub seconds: f64,
    /// From the beginning of the run until all services have all their traffic on target; of the runs in which they had.
    pub duration: Spread,
    /// From the beginning of the run until its end; of the runs that completed.
    pub whole: Spread,
    /// From the first service that goes back until the last of them is back on legacy; of the runs in which that happened.
    pub rollback: Spread,
    /// How the runs fitted all windows in which services shift.
    pub fits_window: Fit,
    /// The same for each of them.
    pub windows: Vec<WindowFit>,
    /// Each kind of fault that struck, and how those runs ended in which it did.
    pub faults: Vec<FaultFate>,
    /// The worst runs, the worst first: what must never happen, then what holds, what went back, what took longest.
    pub worst: Vec<Bad>,
}

/// How a number is spread over runs, in seconds; null: it was never seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Spread {
    /// In how many runs it was seen.
    pub of: u64,
    /// Half of the runs need no more.
    pub p50: Option<i64>,
    /// 95 of 100 runs need no more.
    pub p95: Option<i64>,
    /// None needs more.
    pub max: Option<i64>,
}

/// How runs fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Fit {
    /// All that shifts in the window was on target before it closed.
    pub fits: u64,
    /// Its latest rollback came while something was in motion.
    pub overran: u64,
    /// It closed, or the run ended, with something not on target and nothing in motion.
    pub undone: u64,
}

/// How runs fitted one window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WindowFit {
    /// The window.
    pub name: String,
    /// When it closes, in UTC.
    pub closes: String,
    /// How the runs fitted it.
    #[serde(flatten)]
    pub fit: Fit,
    /// Seconds that were left in half of the runs that fit, or more.
    pub spare_p50: Option<i64>,
    /// Seconds that were left in 95 of 100 of the runs that fit, or more.
    pub spare_p95: Option<i64>,
}

/// How runs ended in which one kind of fault struck.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FaultFate {
    /// The kind.
    pub kind: String,
    /// Runs in which it struck.
    pub runs: u64,
    /// Of these, those that completed.
    pub completed: u64,
    /// Of these, those that went back.
    pub rolled_back: u64,
    /// Of these, those that hold.
    pub held: u64,
}

/// One of the worst runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Bad {
    /// The seed that makes it again: `--seed SEED --trace`.
    pub seed: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, with the faults that struck it.
    pub why: String,
}

/// The result of `gapless rehearse --trace -o json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TraceReport {
    /// The seed.
    pub seed: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it did not complete; empty if it did.
    pub why: String,
    /// What must never happen and did.
    pub violations: Vec<String>,
    /// What happened, in order.
    pub lines: Vec<Line>,
}

impl TraceReport {
    /// One told run.
    pub fn new(end: &End, lines: Vec<Line>) -> Self {
        Self { seed: end.seed, outcome: end.outcome, why: why(end), violations: end.violations.clone(), lines }
    }
    /// The story for people.
    pub fn text(&self) -> String {
        let mut text: String = self.lines.iter().map(Line::text).collect();
        let because = if self.why.is_empty() { String::new() } else { format!(": {}", self.why) };
        let _ = writeln!(text, "\nSeed {} ends {}{because}", self.seed, self.outcome); // writing to a String cannot fail
        text
    }
}

fn seconds(ms: i64) -> i64 {
    ms.saturating_add(999).div_euclid(1000)
}

impl Spread {
    fn of(values: impl Iterator<Item = i64>) -> Self {
        let sorted = Sorted::of(values.map(seconds));
        let [p50, p95] = [50, 95].map(|percent| sorted.percentile(percent));
        Self { of: sorted.count(), p50, p95, max: sorted.max() }
    }
}

impl Fit {
    fn count<'a>(ends: impl Iterator<Item = Option<&'a WindowEnd>>) -> Self {
        ends.fold(Self::default(), |mut fit, end| {
            match end {
                Some(WindowEnd::Overran) => fit.overran += 1,
                Some(WindowEnd::Undone) => fit.undone += 1,
                Some(WindowEnd::Fits(_)) | None => fit.fits += 1,
            }
            fit
        })
    }
}

/// The worst end of a run among its windows.
fn worst_window(end: &End) -> Option<&WindowEnd> {
    end.windows.iter().map(|(_, end)| end).max_by_key(|end| match end {
        WindowEnd::Fits(_) => 0,
        WindowEnd::Undone => 1,
        WindowEnd::Overran => 2,
    })
}

/// Why a run ended as it did, with the faults that struck it.
fn why(end: &End) -> String {
    let faults: Vec<String> = end.faults.iter().map(|f| format!("{} after {} ({})", f.what, f.at, f.kind)).collect();
    let struck = if faults.is_empty() { String::new() } else { format!("after faults: {}", faults.join("; ")) };
    let told = end.violations.first().cloned().unwrap_or_else(|| end.why.clone());
    match (told.is_empty(), struck.is_empty()) {
        (false, false) => format!("{told}, {struck}"),
        (true, false) => struck,
        (_, true) => told,
    }
}

impl RehearseReport {
    /// All runs together. `ends` in the order of their seeds, the first being `seed`.
    pub fn new(rehearsal: &Rehearsal, seed: u64, ends: &[End], took: f64) -> Self {
        let plan = rehearsal.revision().plan();
        let count = |outcome| ends.iter().filter(|end| end.outcome == outcome).count() as u64;
        let whole = ends.iter().filter(|end| end.outcome == Outcome::Completed);
        Self {
            plan: plan.name.to_string(),
            digest: rehearsal.revision().digest().to_string(),
            runs: ends.len() as u64,
            seed,
            start: rehearsal.start().to_string(),
            budget: rehearsal.options().budget.total(),
            completed: count(Outcome::Completed),
            rolled_back: count(Outcome::RolledBack),
            held: count(Outcome::Held),
            violations: ends.iter().filter(|end| !end.violations.is_empty()).count() as u64,
            seconds: took,
            duration: Spread::of(ends.iter().filter_map(|end| end.moved).map(|at| at.0)),
            whole: Spread::of(whole.filter_map(|end| end.over).map(|at| at.0)),
            rollback: Spread::of(ends.iter().filter_map(|end| end.rollback)),
            fits_window: Fit::count(ends.iter().map(worst_window)),
            windows: windows(rehearsal, ends),
            faults: faults(ends),
            worst: worst(ends),
        }
    }
}

fn windows(rehearsal: &Rehearsal, ends: &[End]) -> Vec<WindowFit> {
    let windows = &rehearsal.revision().plan().windows;
    let names = ends.first().into_iter().flat_map(|end| end.windows.iter().map(|(name, _)| name));
    let of = |name| ends.iter().map(move |end| end.windows.iter().find(|(own, _)| own == name).map(|(_, end)| end));
    let fit = |name| {
        let spare = of(name).filter_map(|end| match end {
            Some(WindowEnd::Fits(spare)) => Some(spare / 1000),
            _ => None,
        });
        let spare = Sorted::of(spare);
        let closes = windows.get(name).map_or(Timestamp::MAX, |window| window.closes);
        WindowFit {
            name: name.to_string(),
            closes: closes.to_string(),
            fit: Fit::count(of(name)),
            spare_p50: spare.percentile(50),
            spare_p95: spare.percentile(5), // what 95 of 100 exceed
        }
    };
    names.map(fit).collect()
}

fn faults(ends: &[End]) -> Vec<FaultFate> {
    let fate = |kind: Kind| {
        let struck: Vec<&End> = ends.iter().filter(|end| end.faults.iter().any(|fault| fault.kind == kind)).collect();
        let count = |outcome| struck.iter().filter(|end| end.outcome == outcome).count() as u64;
        FaultFate {
            kind: kind.to_string(),
            runs: struck.len() as u64,
            completed: count(Outcome::Completed),
            rolled_back: count(Outcome::RolledBack),
            held: count(Outcome::Held),
        }
    };
    Kind::ALL.into_iter().map(fate).filter(|fate| fate.runs > 0).collect()
}

fn worst(ends: &[End]) -> Vec<Bad> {
    let rank = |end: &End| match (end.violations.is_empty(), end.outcome) {
        (false, _) => 0,
        (true, Outcome::Failed) => 1,
        (true, Outcome::Held) => 2,
        (true, Outcome::RolledBack) => 3,
        (true, Outcome::Completed) => 4,
    };
    let mut order: Vec<&End> = ends.iter().collect();
    order.sort_by_key(|end| (rank(end), Reverse(end.over.or(end.moved).unwrap_or(Moment::NEVER)), end.seed));
    order.into_iter().take(WORST).map(|end| Bad { seed: end.seed, outcome: end.outcome, why: bad_because(end) }).collect()
}

fn bad_because(end: &End) -> String {
    let why = why(end);
    match (end.outcome, end.over) {
        (Outcome::Completed, Some(over)) => {
            let after = if why.is_empty() { String::new() } else { format!(", {why}") };
            format!("it took {}{after}", length(Some(seconds(over.0))))
        }
        _ => why,
    }
}
