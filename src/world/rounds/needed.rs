//! What of a gate's rounds a verdict may still need, now or later.
//!
//! A verdict ([`crate::engine::gate::judge`]) looks at the newest round; at the rounds without an answer up to it and the answer before
//! them; at the bad ones in a row; and, if the newest is good, at how many of the newest answers are. What comes later stands in front
//! of what is there, so what none of the four reaches now none will ever reach.
//!
//! *Guarantees*: with what is left out and without it every verdict over rounds from any moment on is the same, now and whatever is
//! answered later, but for two things: how long a row of failures is that is longer than it has to be, and at which instant of its
//! period a gate is asked that only gave good answers for as long as it counts.
//! *Caveats*: of a gate with a proof to give the instant matters; whoever asks for this leaves those as they are.

use super::{RUNS, Rounds, Run, Tone};
use crate::{
    plan::OnFailure,
    world::{clock::Moment, model::GateModel},
};

/// What is known of the rounds that are newer than a run.
#[derive(Debug, Clone, Copy, Default)]
struct Newer {
    all: u32,
    /// Those that have an answer.
    answered: u32,
    good: u32,
    /// Bad ones up to the newest good one.
    row: u32,
}

impl Newer {
    fn add(&mut self, tone: Tone, count: u32) {
        self.all = self.all.saturating_add(count);
        match tone {
            Tone::Silent => return,
            Tone::Good => self.good = self.good.saturating_add(count),
            Tone::Bad if self.good == 0 => self.row = self.row.saturating_add(count),
            Tone::Bad => {}
        }
        self.answered = self.answered.saturating_add(count);
    }

    /// Whether a good round behind these can ever be one of those that make a gate pass: the newest has to be good then, and of those
    /// that are counted with it not too many may be anything else.
    fn may_help(&self, gate: &GateModel) -> bool {
        let newest = u32::from(self.good == 0);
        let bad = self.answered - self.good;
        let most = gate.of.saturating_sub(bad).min(gate.keep.saturating_sub(self.all - self.good));
        self.answered.saturating_add(newest) < gate.of && most >= gate.wanted
    }

    /// Whether it may be asked if there is any good one at all: only of these, and none of them is.
    fn may_be_the_only(&self, gate: &GateModel) -> bool {
        self.good == 0 && self.answered.max(1) < gate.of
    }

    /// So many rounds of a run behind these are needed, its newest.
    fn needs(&self, gate: &GateModel, tone: Tone) -> u32 {
        let silence = self.answered == 0;
        let needs = match tone {
            Tone::Silent if silence => gate.keep,
            Tone::Bad if self.good == 0 => gate.failures.saturating_sub(self.row),
            // Behind a good one they only keep what is older from being counted.
            Tone::Silent | Tone::Bad => 0,
            Tone::Good if self.may_help(gate) => gate.of.saturating_sub(self.answered),
            Tone::Good => u32::from(self.may_be_the_only(gate)),
        };
        // When the answer came that a silence follows.
        needs.max(u32::from(silence)).min(gate.keep.saturating_sub(self.all))
    }
}

impl Rounds {
    /// Leaves out what no verdict needs.
    pub fn only_needed(&mut self, gate: &GateModel, now: Moment) {
        if self.tone == Tone::Good && self.before.iter().all(|run| run.count == 0) {
            // As nearly all are, at every step of a search.
            let enough = i64::from(gate.of.max(1) - 1) * gate.every;
            (self.first, self.before) = (self.first.max(now.plus(-enough)), [Run::default(); RUNS]);
            return;
        }
        let newest = self.newest(gate, now);
        let known = match self.tone {
            Tone::Good => gate.of.max(1),
            // Where all that are counted have to be good, one that is bad is as good as many.
            Tone::Bad if gate.wanted == gate.of => gate.failures.max(1),
            Tone::Bad => gate.of.max(gate.failures),
            Tone::Silent => newest,
        };
        self.first = self.first.plus(i64::from(newest.saturating_sub(known)) * gate.every);
        if self.tone == Tone::Good && newest >= known {
            self.first = now.plus(-i64::from(known - 1) * gate.every);
        }
        let mut newer = Newer::default();
        newer.add(self.tone, newest.min(known));
        let mut oldest = None;
        for (place, run) in self.before.iter().enumerate().rev().filter(|(_, run)| run.count > 0) {
            let needs = newer.needs(gate, run.tone);
            if needs > 0 {
                oldest = Some((place, needs));
            }
            newer.add(run.tone, run.count);
        }
        let (oldest, needs) = oldest.unwrap_or((RUNS, 0));
        self.before.iter_mut().take(oldest).for_each(|run| *run = Run::default());
        self.before.iter_mut().skip(oldest).take(1).for_each(|run| run.keep_newest(gate, needs));
    }

    /// Nobody asks any more since when it is silent, only whether it has been for so many rounds: what the record knows already, or
    /// what counts for nothing yet. Of a gate whose silence the plan answers by going back the judge asks.
    pub fn silent_for_long(&mut self, gate: &GateModel, rounds: u32, now: Moment) {
        let newest = self.newest(gate, now);
        let mut newer = Newer::default();
        newer.add(Tone::Silent, newest.min(rounds));
        let behind = self.before.last().filter(|run| run.count > 0);
        let plain = behind.is_none_or(|run| run.tone == Tone::Good && !newer.may_help(gate));
        if self.tone == Tone::Silent && newest > 0 && plain && gate.on_unknown != OnFailure::Rollback {
            self.first = self.first.plus(i64::from(newest.saturating_sub(rounds)) * gate.every);
            self.before = [Run::default(); RUNS];
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{
        engine::{
            GateSeen,
            gate::{ROUNDS_MIN, Silence, Verdict, judge, window},
        },
        plan::{self, Gate},
        world::Model,
    };

    const EVERY: i64 = 10_000;

    /// A gate that wants so many good rounds of so many, and fails after so many bad ones, twice: as the plan and as a model has it.
    fn gates() -> Vec<(Gate, GateModel)> {
        let revision = plan::read(include_str!("../../../plans/quickstart.yaml")).unwrap().revision;
        let plain = revision.plan().services.values().flat_map(|service| service.gates.values()).next().unwrap().clone();
        let model = Model::new(std::sync::Arc::new(revision), crate::engine::RunId("run".to_owned()), Timestamp::UNIX_EPOCH);
        let plain_model = model.gates().first().unwrap().clone();
        let mut gates = Vec::new();
        for (successes, max_failures_per_mille) in [(1, 0), (2, 0), (2, 333), (3, 250), (4, 500)] {
            for failures in 1..4 {
                let every = plan::Span::from_millis(EVERY.unsigned_abs());
                let gate = Gate { successes, max_failures_per_mille, failures, every, ..plain.clone() };
                let (wanted, of) = window(&gate);
                let keep = of.max(failures).max(ROUNDS_MIN);
                let on_unknown = OnFailure::Hold;
                gates.push((gate, GateModel { wanted, of, failures, keep, every: EVERY, on_unknown, ..plain_model.clone() }));
            }
        }
        gates
    }

    /// What is asked of a verdict.
    #[derive(Debug, PartialEq)]
    enum Told {
        Pass,
        Fail,
        TooFew { any: bool, bad: bool },
        Silent { since: Timestamp, answered: Option<Timestamp> },
    }

    fn told(gate: &Gate, model: &GateModel, rounds: &Rounds, since: Timestamp, now: Moment) -> Told {
        let at = |moment: Moment| Timestamp::from_millisecond(moment.0).unwrap();
        let mut seen = GateSeen { watched_since: Some(at(Moment(-1_000 * EVERY))), ..GateSeen::default() };
        rounds.fill(model, Moment(-1_000 * EVERY), now, &mut seen.rounds, at);
        match judge(gate, Some(&seen), since, at(now)) {
            Verdict::Pass => Told::Pass,
            Verdict::Fail { .. } => Told::Fail,
            Verdict::TooFew { good, bad, .. } => Told::TooFew { any: good > 0, bad: bad.is_some() },
            Verdict::Silent(Silence { since, answered, .. }) => Told::Silent { since, answered },
        }
    }

    /// Rows of answers, no two alike side by side, each with its length in rounds.
    fn histories() -> Vec<Vec<(Tone, i64)>> {
        let mut all: Vec<Vec<(Tone, i64)>> = vec![vec![]];
        for _ in 0..RUNS {
            let longer = all.iter().flat_map(|history| {
                let last = history.last().map_or(Tone::Good, |(tone, _)| *tone);
                let next = [Tone::Good, Tone::Bad, Tone::Silent].into_iter().filter(move |tone| *tone != last);
                let rows = next.flat_map(|tone| [1, 2, 3, 5, 7].map(|count| (tone, count)));
                rows.map(move |row| [history.as_slice(), &[row]].concat())
            });
            all = longer.collect();
        }
        all
    }

    /// Plays a history with and without what is left out, and calls `same` after each round.
    fn play(forget: impl Fn(&mut Rounds, &GateModel, Moment), same: impl Fn(&Gate, &GateModel, [&Rounds; 2], Moment)) {
        for (gate, model) in gates() {
            for history in histories() {
                let (mut whole, mut now) = (Rounds::beginning(&model, Moment(0)), Moment(0));
                let mut left = whole;
                forget(&mut left, &model, now);
                for (tone, count) in history {
                    whole.turn(&model, tone, now);
                    left.turn(&model, tone, now);
                    for _ in 0..count {
                        now = now.plus(EVERY);
                        forget(&mut left, &model, now);
                        same(&gate, &model, [&whole, &left], now);
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_not_needed_changes_no_verdict_now_or_later() {
        play(Rounds::only_needed, |gate, model, [whole, left], now| {
            for since in [i64::MIN, now.0 - 3 * EVERY, now.0] {
                let since = Timestamp::from_millisecond(since).unwrap_or(Timestamp::MIN);
                let told = [whole, left].map(|rounds| told(gate, model, rounds, since, now));
                assert_eq!(told[0], told[1], "{now} since {since}: {whole:?} and {left:?} of {model:?}");
            }
        });
    }

    #[test]
    fn how_long_a_silence_is_changes_only_since_when_it_is_told() {
        let forget = |rounds: &mut Rounds, gate: &GateModel, now| {
            rounds.only_needed(gate, now);
            rounds.silent_for_long(gate, 1, now);
        };
        play(forget, |gate, model, [whole, left], now| {
            let told = [whole, left].map(|rounds| match told(gate, model, rounds, Timestamp::MIN, now) {
                Told::Silent { .. } => None,
                Told::TooFew { bad: true, .. } => Some(Told::TooFew { any: false, bad: true }),
                told => Some(told),
            });
            assert_eq!(told[0], told[1], "{now}: {whole:?} and {left:?} of {model:?}");
        });
    }

    #[test]
    fn a_long_time_of_good_answers_is_one_thing() {
        let (_, model) = gates().remove(0);
        let rounds = |first: i64| {
            let mut rounds = Rounds::new(Moment(first));
            rounds.only_needed(&model, Moment(0));
            rounds
        };
        assert_eq!(rounds(-1_000 * EVERY), rounds(-3 * EVERY - 4_321));
        assert_ne!(rounds(-1_000 * EVERY), Rounds::new(Moment(-1_000 * EVERY)));
    }
}
