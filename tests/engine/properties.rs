//! Random worlds: whatever happens, no invariant breaks, and once the faults are over every run ends or waits for a person.

use gapless::{
    engine::{Intent, Invariant, Observed, Orders, Outcome, Record, Rules, RunId, decide, decide_by, judge, withhold},
    journal::Scribe,
    plan::{Revision, ServiceName, Weight},
};
use proptest::prelude::*;

use crate::{
    plans::{ending, five, one, two, writer},
    sim::Sim,
};

#[derive(Debug, Clone)]
enum Act {
    Ticks(u8),
    Legacy(usize, u32),
    Target(usize, u32),
    Errs(usize, bool),
    Silent(usize, bool),
    Reach(usize, bool),
    Stuck(usize, bool),
    Drift(usize, u8),
    Intent(Intent),
    Resume,
    Lose,
    Delay(u16),
    Crash,
}

fn act() -> impl Strategy<Value = Act> {
    let i = 0usize..5;
    prop_oneof![
        8 => (1u8..80).prop_map(Act::Ticks),
        1 => (i.clone(), 0u32..3).prop_map(|(i, n)| Act::Legacy(i, n)),
        1 => (i.clone(), 0u32..3).prop_map(|(i, n)| Act::Target(i, n)),
        1 => (i.clone(), any::<bool>()).prop_map(|(i, b)| Act::Errs(i, b)),
        1 => (i.clone(), any::<bool>()).prop_map(|(i, b)| Act::Silent(i, b)),
        1 => (i.clone(), any::<bool>()).prop_map(|(i, b)| Act::Reach(i, b)),
        1 => (i.clone(), any::<bool>()).prop_map(|(i, b)| Act::Stuck(i, b)),
        1 => (i, 0u8..101).prop_map(|(i, w)| Act::Drift(i, w)),
        1 => prop_oneof![Just(Intent::Run), Just(Intent::Hold), Just(Intent::Rollback)].prop_map(Act::Intent),
        1 => Just(Act::Resume),
        1 => Just(Act::Lose),
        1 => (5u16..5000).prop_map(Act::Delay),
        1 => Just(Act::Crash),
    ]
}

fn name(sim: &Sim, index: usize) -> String {
    let names: Vec<&ServiceName> = sim.routes.keys().collect();
    names[index % names.len()].to_string()
}

fn run(sim: &mut Sim, acts: &[Act]) {
    for act in acts {
        match act.clone() {
            Act::Ticks(n) => (0..n).for_each(|_| drop(sim.tick())),
            Act::Legacy(i, n) => sim.health(&name(sim, i)).legacy = n,
            Act::Target(i, n) => sim.health(&name(sim, i)).target = n,
            Act::Errs(i, b) => sim.health(&name(sim, i)).target_errs = b,
            Act::Silent(i, b) => sim.health(&name(sim, i)).gate_silent = b,
            Act::Reach(i, b) => sim.route(&name(sim, i)).reachable = b,
            Act::Stuck(i, b) => sim.route(&name(sim, i)).stuck = b,
            Act::Drift(i, w) => sim.drift(&name(sim, i), Weight::new(w.into()).unwrap()),
            Act::Intent(intent) => sim.orders.intent = intent,
            Act::Resume => sim.orders = Orders { resumes: Some(sim.record.next_latch()), ..Orders::default() },
            Act::Lose => sim.lose_next += 1,
            Act::Delay(ms) => sim.delay_next_ms = ms.into(),
            Act::Crash => sim.crash(),
        }
    }
}

/// All faults end; people resume what holds.
fn mend(sim: &mut Sim) {
    for i in 0..sim.routes.len() {
        let name = name(sim, i);
        *sim.health(&name) = Sim::new(sim.revision.clone()).health[name.as_str()];
        sim.route(&name).reachable = true;
        sim.route(&name).stuck = false;
    }
    sim.lose_next = 0;
    sim.orders = Orders { resumes: Some(u64::MAX), ..Orders::default() };
}

fn revision(kind: u8) -> Revision {
    match kind % 3 {
        0 => one(),
        1 => two(),
        _ => five(),
    }
}

/// More with `PROPTEST_CASES`; a nightly run takes tens of thousands.
fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    /// Inside `Sim`: the safety check finds nothing, deciding twice changes nothing, the judge of the world is content. And the
    /// record replays to the same decisions.
    #[test]
    fn no_world_breaks_an_invariant_and_every_run_comes_to_an_end(kind in 0u8..3, acts in prop::collection::vec(act(), 1..60)) {
        let mut sim = Sim::new(revision(kind));
        sim.scribe = Some(Scribe::default());
        run(&mut sim, &acts);
        mend(&mut sim);
        for _ in 0..12_000 {
            sim.tick();
            if sim.outcome.is_some() {
                break;
            }
        }
        sim.replays();
        prop_assert!(sim.outcome.is_some(), "waits for nobody: {:#?}\n{}", sim.waits, sim.log.join("\n"));
        if sim.outcome == Some(Outcome::Held) {
            // with every fault mended, only a hand on a route can still hold it
            prop_assert!(sim.waits.iter().any(|w| w.contains("somebody else changed")), "{:#?}\n{}", sim.waits, sim.log.join("\n"));
        }
    }

    /// Total: whatever is missing, stale or odd, there is a decision, and it is safe.
    #[test]
    fn any_mixture_of_answers_is_decided(kind in 0u8..3, acts in prop::collection::vec(act(), 1..30), other in prop::collection::vec(act(), 1..30), drop_every in 1usize..7, ahead in -100_000i64..100_000) {
        let mut sim = Sim::new(revision(kind));
        run(&mut sim, &acts);
        let mut elsewhere = Sim::new(revision(kind));
        run(&mut elsewhere, &other);
        let mut seen: Observed = elsewhere.observed();
        let mut n = 0;
        seen.routes.retain(|_, _| { n += 1; n % drop_every != 0 });
        seen.sides.retain(|_, _| { n += 1; n % drop_every != 0 });
        seen.gates.retain(|_, _| { n += 1; n % drop_every != 0 });
        let now = sim.now.checked_add(jiff::SignedDuration::from_millis(ahead)).unwrap();
        let decision = decide(&sim.revision, &sim.record, &seen, now);
        let violations = gapless::engine::safety::check(&sim.revision, &sim.record, &seen, now, &decision);
        prop_assert!(violations.is_empty(), "{violations:?}");
        let again = decide(&sim.revision, &decision.record, &seen, now);
        prop_assert_eq!(again.record, decision.record);
        let _ = judge(&sim.revision, &sim.record, &seen, now);
    }

    /// Whatever rule is broken in whatever world: what is carried out breaks none, and the mistake is written down once.
    #[test]
    fn no_mistake_gets_past_the_check(kind in 0u8..5, acts in prop::collection::vec(act(), 1..60), broken in 0usize..Invariant::ALL.len()) {
        let mut sim = Sim::new(match kind {
            3 => writer(Some(())),
            4 => ending(),
            plain => revision(plain),
        });
        run(&mut sim, &acts);
        let (seen, rules) = (sim.observed(), Rules::without(Invariant::ALL[broken]));
        let carried_out = |record: &Record| {
            let decision = decide_by(rules, &sim.revision, record, &seen, sim.now);
            withhold::lawful(&sim.revision, record, &seen, sim.now, decision)
        };
        let first = carried_out(&sim.record);
        let violations = gapless::engine::safety::check(&sim.revision, &sim.record, &seen, sim.now, &first);
        prop_assert!(violations.is_empty(), "{violations:?}");
        prop_assert!(first.record.latch == sim.record.latch || sim.orders != Orders::default(), "only the offenders hold");
        let second = carried_out(&first.record);
        let third = carried_out(&second.record);
        prop_assert_eq!(third.record, second.record);
    }
}

#[test]
fn a_record_of_another_revision_or_form_is_not_touched() {
    let sim = Sim::new(one());
    let foreign = Record::new(RunId("x".into()), &two(), sim.now);
    let decision = decide(&sim.revision, &foreign, &sim.observed(), sim.now);
    assert_eq!((decision.record, decision.effects.len(), decision.outcome), (foreign, 0, Some(Outcome::Held)));
    for (format, whose) in [(gapless::engine::record::FORMAT + 1, "newer version"), (1, "older version")] {
        let mut other = sim.record.clone();
        other.format = format;
        let decision = decide(&sim.revision, &other, &sim.observed(), sim.now);
        assert_eq!((decision.record, decision.effects.len()), (other, 0));
        assert!(decision.waits[0].reason.to_string().contains(whose));
    }
}
