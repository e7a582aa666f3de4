//! What many rehearsals show together, as people read it.

use std::fmt::Write as _;

use super::{Fit, RehearseReport};

impl Fit {
    fn text(&self, runs: u64) -> String {
        format!(
            "fits in {}, its latest rollback came first in {}, undone in {}",
            share(self.fits, runs),
            self.overran,
            self.undone
        )
    }
}

impl RehearseReport {
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
pub(super) fn length(seconds: Option<i64>) -> String {
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
