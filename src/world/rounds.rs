//! The rounds of a gate, as runs of equal answers instead of one by one: a month of good answers is one number.

mod needed;

use std::hash::{Hash, Hasher};

use super::{clock::Moment, model::GateModel};
use crate::{
    engine::{Answer, Round, Unknown},
    plan::OnFailure,
};

/// What a gate answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Tone {
    /// As expected.
    #[default]
    Good,
    /// Not as expected.
    Bad,
    /// Whoever knows cannot be asked.
    Silent,
}

/// Rounds with one answer, one every period, that are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Run {
    /// The answer.
    pub tone: Tone,
    /// When the first was sent.
    pub first: Moment,
    /// How many.
    pub count: u32,
}

/// How many runs before the newest are remembered. A gate that flaps faster shows fewer rounds, and so waits longer.
const RUNS: usize = 3;

/// The rounds of one gate. An answer comes in the instant in which its round is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rounds {
    /// What it answers now.
    pub tone: Tone,
    /// When the first round with this answer was sent, or will be.
    pub first: Moment,
    /// Runs before, oldest first; unused ones have a count of 0.
    before: [Run; RUNS],
}

/// Most gates have no run before the newest, and states are hashed at every step: what is not used is only counted.
impl Hash for Rounds {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.tone.hash(hasher);
        self.first.hash(hasher);
        let used = |run: &&Run| **run != Run::default();
        hasher.write_u8(self.before.iter().fold(0, |places, run| places << 1 | u8::from(used(&run))));
        self.before.iter().filter(used).for_each(|run| run.hash(hasher));
    }
}

impl Rounds {
    /// A gate that answers well and is asked first at this moment.
    pub fn new(first: Moment) -> Self {
        Self { tone: Tone::Good, first, before: [Run::default(); RUNS] }
    }

    /// A gate that was asked for long enough before `now`.
    pub(super) fn beginning(gate: &GateModel, now: Moment) -> Self {
        Self::new(now.plus(-i64::from(gate.keep) * gate.every))
    }

    /// Rounds of the newest run that were sent by `at`.
    pub fn newest(&self, gate: &GateModel, at: Moment) -> u32 {
        let age = at.since(self.first);
        if age < 0 { 0 } else { u32::try_from(age / gate.every + 1).unwrap_or(u32::MAX) }
    }

    /// From now on it answers so.
    pub fn turn(&mut self, gate: &GateModel, tone: Tone, now: Moment) {
        if tone == self.tone {
            return;
        }
        let count = self.newest(gate, now);
        if count > 0 {
            self.before.rotate_left(1);
            if let Some(last) = self.before.last_mut() {
                *last = Run { tone: self.tone, first: self.first, count };
            }
            self.first = self.first.plus(i64::from(count) * gate.every);
        }
        self.tone = tone;
    }

    /// The next round is sent at once. Models in which the phase of a probe does not matter let it begin anew with each event,
    /// so that fewer states differ.
    pub fn ask_at_once(&mut self, gate: &GateModel, now: Moment) {
        let count = self.newest(gate, now);
        if count == 0 {
            self.first = self.first.min(now);
            return;
        }
        let last = self.first.plus(i64::from(count - 1) * gate.every);
        if last < now {
            self.first = self.first.plus(now.since(last)); // the newest round is this one
        }
    }

    /// If no round with this answer was sent yet, the first is sent now.
    pub fn begin_at(&mut self, gate: &GateModel, now: Moment) {
        if self.newest(gate, now) == 0 {
            self.first = self.first.min(now);
        }
    }

    /// All runs, newest first, as far as they were sent by `now`.
    fn runs(&self, gate: &GateModel, now: Moment) -> impl Iterator<Item = Run> {
        let newest = Run { tone: self.tone, first: self.first, count: self.newest(gate, now) };
        std::iter::once(newest).chain(self.before.into_iter().rev()).filter(|run| run.count > 0)
    }

    /// When the oldest round was sent that is remembered.
    pub(super) fn oldest(&self, gate: &GateModel, now: Moment) -> Option<Moment> {
        self.runs(gate, now).last().map(|run| run.first)
    }

    /// The answer of the newest round.
    pub fn answer(&self, gate: &GateModel, now: Moment) -> Option<Tone> {
        self.runs(gate, now).next().map(|run| run.tone)
    }

    /// Good rounds that were sent from `since` to `now`, among the newest that are remembered.
    pub fn good_since(&self, gate: &GateModel, since: Moment, now: Moment) -> u32 {
        self.runs(gate, now).filter(|run| run.tone == Tone::Good).map(|run| run.since(gate, since)).sum()
    }

    /// Bad rounds in a row up to the newest that has an answer.
    pub fn bad_in_a_row(&self, gate: &GateModel, now: Moment) -> u32 {
        self.runs(gate, now)
            .take_while(|run| run.tone != Tone::Good)
            .filter(|run| run.tone == Tone::Bad)
            .map(|run| run.count)
            .sum()
    }

    /// Milliseconds since the first of the silent rounds up to now; 0 if the newest has an answer.
    pub fn silent_for(&self, now: Moment) -> i64 {
        if self.tone == Tone::Silent { now.since(self.first).max(0) } else { 0 }
    }

    /// The next moment after `now` at which a verdict over these rounds may change: verdicts change with the first round
    /// of a run, when a run is long enough, and with every round while good and bad ones lie in one window. `effective`
    /// is when the weight in force became so.
    pub fn next_verdict(&self, gate: &GateModel, effective: Moment, now: Moment) -> Option<Moment> {
        let enough = match self.tone {
            Tone::Good => gate.wanted,
            Tone::Bad => gate.failures,
            Tone::Silent => 1,
        };
        let nth = |from: i64, n: u32| self.first.plus((from + i64::from(n) - 1) * gate.every);
        let skipped = |since: Moment| (since.since(self.first).max(0) + gate.every - 1) / gate.every;
        let next = self.newest(gate, now);
        let mixed = next < gate.of && self.before.iter().any(|run| run.count > 0 && run.tone != self.tone);
        let moments = [
            Some(nth(0, 1)),
            Some(nth(0, enough)),
            Some(nth(skipped(effective), enough)),
            // What proves a fence was asked for behind it (`engine::writer::behind`).
            gate.proves.map(|_| nth(skipped(effective.plus(1)), enough)),
            (mixed && gate.of > gate.wanted).then(|| nth(0, next + 1)),
        ];
        moments.into_iter().flatten().filter(|at| *at > now).min()
    }

    /// What [`Self::fill`] is made of: nothing else changes what it gives.
    pub fn shown(&self, gate: &GateModel, looking: Moment, now: Moment) -> RoundsShown {
        RoundsShown { rounds: *self, newest: self.newest(gate, now), looking }
    }

    /// Fills `into` with the rounds that a sensor shows which looks since `looking`.
    pub fn fill(
        &self,
        gate: &GateModel,
        looking: Moment,
        now: Moment,
        into: &mut Vec<Round>,
        at: impl Fn(Moment) -> jiff::Timestamp,
    ) {
        into.clear();
        let mut left = gate.keep;
        for run in self.runs(gate, now) {
            let take = run.since(gate, looking).min(left);
            for back in 0..take {
                let sent_at = at(run.first.plus(i64::from(run.count - 1 - back) * gate.every));
                into.push(Round { sent_at, done_at: sent_at, answer: answer(run.tone) });
            }
            left -= take;
        }
        into.reverse();
    }

    /// Forgets what no sensor keeps, so that equal futures are equal values.
    pub(super) fn forget(&mut self, gate: &GateModel, now: Moment) {
        let mut left = gate.keep;
        // Since when it is silent the judge has to know for as long as the plan bears it, though no sensor does any more.
        let borne = if gate.on_unknown == OnFailure::Rollback { gate.unknown_limit / gate.every + 1 } else { 0 };
        let known = if self.tone == Tone::Silent { left.max(u32::try_from(borne).unwrap_or(u32::MAX)) } else { left };
        let surplus = self.newest(gate, now).saturating_sub(known);
        self.first = self.first.plus(i64::from(surplus) * gate.every);
        left = left.saturating_sub(self.newest(gate, now));
        for run in self.before.iter_mut().rev() {
            run.keep_newest(gate, left);
            left -= run.count;
        }
    }

    pub(super) fn rebase(&mut self, by: i64) {
        self.first = self.first.plus(-by);
        self.before.iter_mut().filter(|run| run.count > 0).for_each(|run| run.first = run.first.plus(-by));
    }
}

/// What the rounds that a sensor shows are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundsShown {
    rounds: Rounds,
    /// Of the newest answer, how many.
    newest: u32,
    /// Since when the sensor looks.
    looking: Moment,
}

impl Run {
    /// Only the newest of them are left, at most so many.
    fn keep_newest(&mut self, gate: &GateModel, most: u32) {
        let surplus = self.count.saturating_sub(most);
        self.first = self.first.plus(i64::from(surplus) * gate.every);
        self.count -= surplus;
        if self.count == 0 {
            *self = Self::default();
        }
    }
    /// How many of them were sent from `since` on.
    fn since(&self, gate: &GateModel, since: Moment) -> u32 {
        let skipped = (since.since(self.first).max(0) + gate.every - 1) / gate.every;
        self.count.saturating_sub(u32::try_from(skipped).unwrap_or(u32::MAX))
    }
}

fn answer(tone: Tone) -> Answer {
    match tone {
        Tone::Good => Answer::Good,
        Tone::Bad => Answer::Bad("an answer that is not as expected".to_owned()),
        Tone::Silent => Answer::Unknown(Unknown::Unreachable("nobody answers".to_owned())),
    }
}

/// What people read in a story about a gate.
pub(super) fn told(service: &str, gate: &GateModel, tone: Tone) -> String {
    let what = match tone {
        Tone::Good => "answers well again",
        Tone::Bad => "answers badly",
        Tone::Silent => "has no answer any more",
    };
    format!("gate {} of {service} {what}", gate.name)
}
