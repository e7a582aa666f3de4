//! Gates: whether they can pass within the bake, and whether they cry wolf during the soak.

use super::of;
use crate::plan::{
    finding::{Code, Finding},
    model::{Gate, Plan, Service, Watch},
    names::{ServiceName, Span},
    path::Path,
    schedule::{self, Expected},
};

/// The share of rounds that a side which is well is taken to fail, where a gate tolerates none: one in a thousand.
const WELL_FAILS: f64 = 0.001;

pub(super) fn check(plan: &Plan, found: &mut Vec<Finding>) {
    let expected = Expected::of(plan);
    for (name, service) in &plan.services {
        for (gate_name, gate) in &service.gates {
            let path = of("services", name.as_str()).key("gates").key(gate_name.as_str());
            let window = schedule::window(gate);
            if window > service.bake {
                let message = format!(
                    "gate `{gate_name}` of `{name}` looks back over {window}, and a weight is watched for {} only, so each step \
                     takes longer than its bake says",
                    service.bake
                );
                let help = format!("shorten the window to {} or less, or lengthen the bake", service.bake);
                let path = path.key("check").key("prometheus").key("window");
                let bake = bake_path(&expected, name);
                found.push(Finding::warning(Code::WindowOverBake, path, message, help).with(bake, "the bake"));
            }
            found.extend(impatient(name, gate_name.as_str(), gate));
            found.extend(flaps(name, service, gate_name.as_str(), gate));
        }
    }
}

fn bake_path(expected: &Expected<'_>, name: &ServiceName) -> Path {
    match expected.plan().group_of(name) {
        Some((group, _)) => of("groups", group.as_str()).key("shift").key("bake"),
        None => of("services", name.as_str()).key("shift").key("bake"),
    }
}

/// A gate that is given up before its next answer can be there.
fn impatient(name: &ServiceName, gate_name: &str, gate: &Gate) -> Option<Finding> {
    let answer = gate.every.plus(gate.timeout);
    if gate.unknown_limit >= answer {
        return None;
    }
    let message = format!(
        "gate `{gate_name}` of `{name}` is asked every {} and given {} to answer, and after {} without an answer it counts as \
         unknown for too long",
        gate.every, gate.timeout, gate.unknown_limit
    );
    let help = format!("lengthen `unknownLimit` to {} or more, so that one lost answer does not decide", answer.times(3));
    let path = of("services", name.as_str()).key("gates").key(gate_name).key("unknownLimit");
    Some(Finding::warning(Code::BadValue, path, message, help))
}

fn flaps(name: &ServiceName, service: &Service, gate_name: &str, gate: &Gate) -> Option<Finding> {
    if gate.watch == Watch::Confirmation {
        return None;
    }
    let fails = WELL_FAILS.max(f64::from(gate.max_failures_per_mille) / 1000.0);
    let row = row(gate, service.soak.guard_for);
    let alarms = alarms(fails, row, rounds(service.soak.length, gate.every));
    if alarms <= 1.0 {
        return None;
    }
    let message = format!(
        "guard `{gate_name}` of `{name}` is expected to raise about {alarms:.0} false alarms in a soak of {}: it acts after {row} \
         bad rounds in a row, one every {}, and {} in a thousand may fail on a side that is well",
        service.soak.length,
        gate.every,
        (fails * 1000.0).round(),
    );
    let wanted = (row + 1..=10_000).find(|row| self::alarms(fails, *row, rounds(service.soak.length, gate.every)) <= 0.01);
    let help = match wanted {
        Some(row) => format!(
            "lengthen `guardFor` to {} or more, so that a false alarm is as unlikely as one in a hundred",
            gate.every.times(row.saturating_sub(1))
        ),
        None => "tolerate fewer failures, or look less often".to_owned(),
    };
    let path = of("services", name.as_str()).key("gates").key(gate_name);
    let soak = of("services", name.as_str()).key("soak");
    Some(Finding::warning(Code::GuardFlaps, path, message, help).with(soak, "the soak"))
}

/// How many bad rounds in a row make a guard act during the soak: `failures`, and as many as span `guardFor`.
fn row(gate: &Gate, guard_for: Span) -> u32 {
    let every = gate.every.get().as_millis().max(1);
    let spans = guard_for.get().as_millis().div_ceil(every).saturating_add(1);
    gate.failures.max(u32::try_from(spans).unwrap_or(u32::MAX))
}

/// How many rounds there are.
fn rounds(length: Span, every: Span) -> f64 {
    length.get().as_secs_f64() / every.get().as_secs_f64().max(0.001)
}

/// How many runs of at least `row` failures to expect in so many rounds, each of which fails with probability `fails`:
/// `fails^row · (1 + (rounds − row) · (1 − fails))`. A run begins at the first round, or after a round that did not fail (Feller,
/// "An Introduction to Probability Theory and Its Applications", vol. 1, chapter XIII, "Success runs"; the expectation adds
/// up over the places where a run can begin). Rounds are taken to fail independently.
fn alarms(fails: f64, row: u32, rounds: f64) -> f64 {
    let beyond = rounds - f64::from(row);
    if beyond < 0.0 {
        return 0.0;
    }
    fails.powi(i32::try_from(row).unwrap_or(i32::MAX)) * (1.0 + beyond * (1.0 - fails))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expectation by following every state of the run, round by round.
    fn by_states(fails: f64, row: usize, rounds: usize) -> f64 {
        let mut states = vec![0.0; row + 1];
        states[0] = 1.0;
        let mut expected = 0.0;
        for _ in 0..rounds {
            let mut next = vec![0.0; row + 1];
            for (length, probability) in states.iter().enumerate() {
                next[0] += probability * (1.0 - fails);
                next[(length + 1).min(row)] += probability * fails;
            }
            expected += states[row - 1] * fails;
            states = next;
        }
        expected
    }

    #[test]
    fn the_formula_is_what_following_every_round_gives() {
        for (fails, row, rounds) in [(0.5, 1, 10), (0.1, 3, 500), (0.01, 2, 10_000), (0.9, 5, 50), (0.3, 4, 4), (0.3, 4, 3)] {
            let (formula, states) = (alarms(fails, row, f64::from(rounds)), by_states(fails, row as usize, rounds as usize));
            assert!((formula - states).abs() < 1e-9 * states.max(1.0), "{fails} {row} {rounds}: {formula} and {states}");
        }
    }

    #[test]
    fn a_row_spans_what_the_guard_waits_for() {
        let gate = Gate {
            every: Span::from_secs(15),
            timeout: Span::from_secs(1),
            check: crate::plan::Check::Http(String::new()),
            successes: 1,
            max_failures_per_mille: 0,
            failures: 3,
            unknown_limit: Span::ZERO,
            on_unknown: crate::plan::OnFailure::Hold,
            watch: Watch::Guard,
        };
        assert_eq!(row(&gate, Span::ZERO), 3);
        assert_eq!(row(&gate, Span::from_secs(300)), 21);
        assert_eq!(row(&gate, Span::from_secs(301)), 22);
    }
}
