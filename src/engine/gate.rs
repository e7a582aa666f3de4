//! What a gate's samples mean: pass, fail, or neither. No answer is neither.

use jiff::Timestamp;

use super::{
    observed::{Answer, GateSeen, Observed, Round},
    reason::Reason,
    side::{GRACE, STALE_PERIODS},
    step::Subject,
    writer,
};
use crate::plan::{Gate, GateName, Plan, ServiceName, Span};

/// What a gate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It passes.
    Pass,
    /// So many bad rounds in a row, the first answered at `since`.
    Fail {
        /// Rounds in a row.
        rounds: u32,
        /// When the first of them was answered.
        since: Timestamp,
        /// What the newest of them answered.
        why: String,
    },
    /// Not enough good rounds yet.
    TooFew {
        /// Good rounds so far.
        good: u32,
        /// Good rounds that it takes.
        wanted: u32,
        /// The newest round, if it was bad.
        bad: Option<String>,
    },
    /// No answer.
    Silent(Silence),
}

/// A gate gives no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// Since when, as far as its rounds are still known: when the newest answer or the first round without one came, or when
    /// waiting for one began.
    pub since: Timestamp,
    /// When the newest answer came that is still known.
    pub answered: Option<Timestamp>,
    /// Why there is none.
    pub why: String,
}

/// How old the newest round of a gate may be.
pub fn stale_after(gate: &Gate) -> Span {
    let limit = gate.every.get() * STALE_PERIODS + gate.timeout.get() + GRACE.get();
    Span::from_millis(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX))
}

/// How long a gate is without an answer before that is worth recording. Sensors keep at least [`ROUNDS_MIN`] rounds, so that
/// the beginning of the silence is still known by then.
pub fn silent_after(gate: &Gate) -> Span {
    Span::from_millis(u64::try_from((gate.every.get() * STALE_PERIODS).as_millis()).unwrap_or(u64::MAX))
}

/// The fewest rounds that a sensor keeps of a gate.
pub const ROUNDS_MIN: u32 = 2 * STALE_PERIODS;

/// How many good rounds, of how many, a gate wants: `good / (1 − ratio)`, rounded up.
pub fn window(gate: &Gate) -> (u32, u32) {
    let keep = 1000u32.saturating_sub(u32::from(gate.max_failures_per_mille)).max(1);
    (gate.successes, gate.successes.saturating_mul(1000).div_ceil(keep))
}

/// The verdict over the rounds that were sent after `since`; earlier ones do not speak for what is judged.
pub fn judge(gate: &Gate, seen: Option<&GateSeen>, since: Timestamp, now: Timestamp) -> Verdict {
    let rounds = || seen.into_iter().flat_map(|s| s.rounds.iter().rev()).take_while(|r| r.sent_at >= since);
    let Some(newest) = rounds().next() else {
        return no_rounds(gate, seen, since, now);
    };
    if let Some(silence) = silence(gate, rounds(), newest, now) {
        return Verdict::Silent(silence);
    }
    if let Some(fail) = failing(gate, rounds()) {
        return fail;
    }
    let (wanted, of) = window(gate);
    let of = usize::try_from(of).unwrap_or(usize::MAX);
    let good = rounds().filter(|r| !matches!(r.answer, Answer::Unknown(_))).take(of).filter(|r| r.answer == Answer::Good).count();
    let good = u32::try_from(good).unwrap_or(u32::MAX);
    match &newest.answer {
        Answer::Good if good >= wanted => Verdict::Pass,
        Answer::Bad(why) => Verdict::TooFew { good, wanted, bad: Some(why.clone()) },
        _ => Verdict::TooFew { good, wanted, bad: None },
    }
}

/// Nothing was answered since the moment in question. A sensor that has just begun to look, as after a restart, is given
/// the time for an answer.
fn no_rounds(gate: &Gate, seen: Option<&GateSeen>, since: Timestamp, now: Timestamp) -> Verdict {
    let since = since.max(seen.and_then(|s| s.watched_since).unwrap_or(now));
    if now.duration_since(since) <= stale_after(gate).signed() {
        return Verdict::TooFew { good: 0, wanted: gate.successes, bad: None };
    }
    Verdict::Silent(Silence { since, answered: None, why: format!("no round was answered since {since:.0}") })
}

/// The newest round has no answer, or there was none for too long.
fn silence<'a>(gate: &Gate, mut rounds: impl Iterator<Item = &'a Round>, newest: &Round, now: Timestamp) -> Option<Silence> {
    if let Answer::Unknown(why) = &newest.answer {
        let mut since = newest.done_at;
        let answer = rounds.find(|round| {
            let unknown = matches!(round.answer, Answer::Unknown(_));
            if unknown {
                since = round.done_at;
            }
            !unknown
        });
        return Some(Silence { since, answered: answer.map(|round| round.done_at), why: why.to_string() });
    }
    let (limit, since) = (stale_after(gate), newest.done_at);
    let stale = now.duration_since(newest.sent_at) > limit.signed();
    stale.then(|| Silence { since, answered: Some(since), why: format!("the newest answer is older than {limit}") })
}

/// So many bad rounds in a row, up to the newest that has an answer, that the gate fails. Rounds without an answer are
/// passed over: they neither break the row nor lengthen it.
fn failing<'a>(gate: &Gate, rounds: impl Iterator<Item = &'a Round>) -> Option<Verdict> {
    let (mut count, mut since, mut why) = (0u32, None, None);
    for round in rounds {
        match &round.answer {
            Answer::Unknown(_) => {}
            Answer::Good => break,
            Answer::Bad(text) => {
                count += 1;
                since = Some(round.done_at);
                why.get_or_insert_with(|| text.clone());
            }
        }
    }
    (count >= gate.failures)
        .then_some((since, why))
        .and_then(|(since, why)| Some(Verdict::Fail { rounds: count, since: since?, why: why? }))
}

/// A gate's answers among all that was seen.
pub fn answers<'a>(seen: &'a Observed, service: &ServiceName, gate: &GateName) -> Option<&'a GateSeen> {
    seen.gates.get(service).and_then(|gates| gates.get(gate))
}

/// The rule of a gate of a phase, a bridge or a single writer; `None`: there is none, or several that differ.
pub fn of<'p>(plan: &'p Plan, subject: &Subject, gate: &GateName) -> Option<&'p Gate> {
    match subject {
        Subject::Service(name) => {
            let data = plan.services.get(name)?.data.as_ref()?;
            let proof = writer::gates(data).into_iter().find(|(name, _)| name == gate).map(|(_, rule)| rule);
            proof.or_else(|| data.reconcile.get(gate))
        }
        Subject::Phase(name) => {
            let mut rules = plan.phases.get(name)?.after.values().filter_map(|after| after.gates.get(gate));
            let rule = rules.next()?;
            rules.all(|other| other == rule).then_some(rule)
        }
        Subject::Bridge(name) => plan.bridges.get(name)?.gates.get(gate),
    }
}

/// Why a confirmation waits for this gate; `None` if it does not.
pub fn wait(name: &GateName, verdict: Verdict) -> Option<Reason> {
    let gate = name.clone();
    match verdict {
        Verdict::Pass => None,
        Verdict::Fail { rounds, why, .. } => Some(Reason::GateFailing { gate, rounds, why }),
        Verdict::TooFew { good, wanted, .. } => Some(Reason::GateSamples { gate, good, wanted }),
        Verdict::Silent(Silence { why, .. }) => Some(Reason::GateUnknown { gate, why }),
    }
}
