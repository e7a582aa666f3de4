//! What many rehearsals show together, for people and for programs.

use std::{cmp::Reverse, fmt::Write as _};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

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
    fn text(&self, runs: u64) -> String {
        format!(
            "fits in {}, its latest rollback came first in {}, undone in {}",
            share(self.fits, runs),
            self.overran,
            self.undone
        )
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

    /// The report for people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "{}: {} runs from seed {}, up to {} faults in each, from {} on\n",
            self.plan,
            thousands(self.runs),
            self.seed,
            self.budget,
            self.start
        );
        for (name, count) in [("completed", self.completed), ("rolled back", self.rolled_back), ("held", self.held)] {
            let _ = writeln!(text, "{name:<12} {}", share(count, self.runs));
        }
        let _ = writeln!(text, "{:<12} {}\n", "violations", self.violations);
        let _ = writeln!(text, "{:<36} {:>9} {:>14} {:>14} {:>14}", "", "runs", "P50", "P95", "longest");
        for (name, spread) in [
            ("until all traffic is on target", self.duration),
            ("until the run has completed", self.whole),
            ("rollback, until traffic is back", self.rollback),
        ] {
            let [p50, p95, max] = [spread.p50, spread.p95, spread.max].map(length);
            let _ = writeln!(text, "{name:<36} {:>9} {p50:>14} {p95:>14} {max:>14}", thousands(spread.of));
        }
        text.push('\n');
        self.tell_windows(&mut text);
        self.tell_faults(&mut text);
        self.tell_worst(&mut text);
        text
    }

    fn tell_windows(&self, text: &mut String) {
        for window in &self.windows {
            let spare = match (window.spare_p50, window.spare_p95) {
                (Some(p50), Some(p95)) => {
                    format!("; spare in half of those {} or more, in 95 % {} or more", length(Some(p50)), length(Some(p95)))
                }
                _ => String::new(),
            };
            let _ = writeln!(text, "window {} (closes {}): {}{spare}", window.name, window.closes, window.fit.text(self.runs));
        }
        if !self.windows.is_empty() {
            text.push('\n');
        }
    }

    fn tell_faults(&self, text: &mut String) {
        if self.faults.is_empty() {
            return;
        }
        let _ = writeln!(text, "{:<18} {:>8} {:>11} {:>12} {:>8}", "fault", "runs", "completed", "rolled back", "held");
        for fault in &self.faults {
            let _ = writeln!(
                text,
                "{:<18} {:>8} {:>11} {:>12} {:>8}",
                fault.kind, fault.runs, fault.completed, fault.rolled_back, fault.held
            );
        }
        text.push('\n');
    }

    fn tell_worst(&self, text: &mut String) {
        if self.worst.is_empty() {
            return;
        }
        let _ = writeln!(text, "The worst (`--seed SEED --trace` tells one):");
        for bad in &self.worst {
            let _ = writeln!(text, "  seed {:<8} {}: {}", bad.seed, bad.outcome, bad.why);
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

/// `8,123 (81.2 %)`.
fn share(count: u64, of: u64) -> String {
    let per_mille = (count * 1000 + of / 2).checked_div(of).unwrap_or_default();
    format!("{:>7} ({}.{} %)", thousands(count), per_mille / 10, per_mille % 10)
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `2d 3h 04m`, to the minute from an hour on and to the second below.
fn length(seconds: Option<i64>) -> String {
    let Some(seconds) = seconds else { return "-".to_owned() };
    let (sign, all) = if seconds < 0 { ("-", seconds.unsigned_abs()) } else { ("", seconds.unsigned_abs()) };
    let (d, h, m, s) = (all / 86_400, all / 3600 % 24, all / 60 % 60, all % 60);
    match (d, h, m) {
        (0, 0, 0) => format!("{sign}{s}s"),
        (0, 0, _) => format!("{sign}{m}m {s:02}s"),
        (0, ..) => format!("{sign}{h}h {m:02}m"),
        _ => format!("{sign}{d}d {h}h {m:02}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_lengths_read_well() {
        assert_eq!([7, 999, 1_000, 1_234_567].map(thousands), ["7", "999", "1,000", "1,234,567"]);
        let told = [0, 59, 61, 3_600, 90_061, -61].map(|s| length(Some(s)));
        assert_eq!(told, ["0s", "59s", "1m 01s", "1h 00m", "1d 1h 01m", "-1m 01s"]);
        assert_eq!((share(1, 3), share(0, 0)), ("      1 (33.3 %)".to_owned(), "      0 (0.0 %)".to_owned()));
    }
}
