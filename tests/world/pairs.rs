//! Two runs in one world: one bridge that both count on, one route that both plans name.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gapless::{
    engine::{Event, Outcome, Reason},
    plan::{self, BridgeName, Revision, Side},
    world::{
        Happening, Moment, Pair, Tone,
        facts::Claim,
        pair::{Turn, Which},
        people::Wish,
        task::Access,
    },
};

use crate::{any_plan, chance::Chance, left::left_claimed};

/// Later than any run goes on.
const LATE: Moment = Moment(4 * 365 * 86_400_000);
const START: &str = "2026-08-28T18:00:00Z";

/// A plan with one service on a route of this number that counts on a bridge; the soak is as long as it says.
fn counting(name: &str, route: usize, soak: &str) -> Revision {
    let text = format!(
        "
apiVersion: gapless.dev/v1alpha1
kind: MigrationPlan
metadata: {{ name: {name} }}
spec:
  phases: [{{ name: all }}]
  bridges:
    - name: peering
      joins: {{ phases: [all] }}
      managed:
        up: {{ do: {{ job: {{ fromCronJob: up }} }}, expect: 20s }}
        down: {{ do: {{ job: {{ fromCronJob: down }} }}, expect: 30s }}
      gates: [{{ name: both-ways, every: 1s, check: {{ http: {{ url: 'http://10.9.9.9/healthz' }} }} }}]
  services:
    - name: {name}
      legacy: {{ endpoints: [{{ address: 10.1.{route}.1, port: 80 }}] }}
      target: {{ endpoints: [{{ address: 10.2.{route}.1, port: 80 }}] }}
      router: {{ webhook: {{ url: 'http://10.3.0.{route}:80/route' }} }}
      shift: {{ steps: [50, 100], bake: 10s }}
      soak: {{ for: {soak}, guardFor: 1s }}
      probes: [{{ name: p, every: 1s, timeout: 800ms, send: {{ http: {{ path: / }} }} }}]
      gates: [{{ name: answers, check: {{ probe: {{ name: p, successes: 3 }} }} }}]
"
    );
    plan::read(&text).unwrap_or_else(|refused| panic!("{:#?}\n{text}", refused.findings)).revision
}

/// Plays both to their ends. Gives what they told.
fn play(pair: &mut Pair, most: u32) -> Vec<(Which, Moment, Event)> {
    let mut told = Vec::new();
    for _ in 0..most {
        let Some(Turn { run, look, broken }) = pair.step() else { return told };
        assert!(broken.is_empty() && look.breaches.is_empty(), "{run:?}: {broken:?} {:?}\n{told:#?}", look.breaches);
        told.extend(look.decision.events.into_iter().map(|event| (run, look.moment, event)));
    }
    panic!("it never ends: {told:#?}");
}

fn outcome(pair: &Pair, which: Which) -> Option<Outcome> {
    pair.run(which).record.ended.as_ref().map(|ended| ended.outcome)
}

#[test]
fn two_runs_count_on_one_bridge_and_the_last_takes_it_down() {
    for (first, second, last) in [("1m", "10m", Which::Two), ("10m", "1m", Which::Two)] {
        let (one, two) = (counting("friday", 1, first), counting("saturday", 2, second));
        let mut pair = Pair::ideal(&one, &two, START.parse().unwrap());
        let told = play(&mut pair, 10_000);
        assert_eq!([outcome(&pair, Which::One), outcome(&pair, Which::Two)], [Some(Outcome::Completed); 2]);
        let when = |of: Which, wanted: &dyn Fn(&Event) -> bool| {
            told.iter().filter(|(run, _, event)| *run == of && wanted(event)).map(|(_, at, _)| *at).collect::<Vec<_>>()
        };
        let down = |of| when(of, &|event| matches!(event, Event::BridgeDown { .. }));
        assert_eq!(down(Which::One), [], "the one whose name comes first leaves it to the other");
        assert_eq!(down(last).len(), 1);
        assert_eq!(when(Which::One, &|event| matches!(event, Event::BridgeLeft { .. })).len(), 1, "{told:#?}");
        for run in Which::BOTH {
            let up = when(run, &|event| matches!(event, Event::BridgeUp { .. }));
            let first = when(run, &|event| matches!(event, Event::Ordered { .. }));
            let soaked = when(run, &|event| matches!(event, Event::Soaked { .. }));
            assert!(up[0] < first[0], "first in");
            assert!(soaked[0] <= down(last)[0], "last out");
            let bridge = pair.run(run).world.facts.bridges[0];
            assert_eq!((bridge.stands, bridge.ours, bridge.others), (Access::Closed, Claim::None, Claim::None));
        }
    }
}

#[test]
fn a_route_that_two_plans_name_is_driven_by_one_run_at_a_time() {
    let (one, two) = (counting("friday", 1, "1m"), counting("saturday", 1, "1m"));
    let mut pair = Pair::ideal(&one, &two, START.parse().unwrap());
    let mut named = false;
    let mut last = None;
    for _ in 0..10_000 {
        let Some(Turn { run, look, broken }) = pair.step() else { break };
        assert!(broken.is_empty() && look.breaches.is_empty(), "{run:?}: {broken:?} {:?}", look.breaches);
        if run == Which::Two {
            named |= look.decision.waits.iter().any(|wait| match &wait.reason {
                Reason::OneOwner { owner } => owner.name == "friday",
                _ => false,
            });
            last = Some(look);
        }
    }
    assert_eq!(outcome(&pair, Which::One), Some(Outcome::Completed), "the first is not disturbed");
    assert!(named, "the second names the first");
    let last = last.unwrap();
    assert_eq!(outcome(&pair, Which::Two), None);
    assert_eq!(
        last.decision.outcome,
        Some(Outcome::Held),
        "what the first left behind is not the second's: {:#?}",
        last.decision.waits
    );
    assert_eq!(pair.two.world.facts.services[0].route.accepted, 100, "nobody has overwritten it");
}

/// What befalls one of the two.
fn befalls(pair: &mut Pair, which: Which, chance: &mut Chance) -> Happening {
    let model = pair.run(which).model.clone();
    let services = model.services().len() as u64;
    let ix = u16::try_from(chance.below(services)).unwrap();
    let gate = u16::try_from(chance.below(model.gates().len() as u64)).unwrap();
    let what = match chance.below(7) {
        0 | 1 => Happening::Gate(gate, *chance.pick(&[Tone::Bad, Tone::Silent, Tone::Good])),
        2 => Happening::Healthy(ix, Side::Target, u32::try_from(chance.below(3)).unwrap()),
        3 | 4 => Happening::Restart,
        5 => Happening::People(Wish::Rollback),
        _ => Happening::Resume(1_000),
    };
    pair.run_mut(which).befall(what);
    what
}

fn random(seed: u64) -> Option<[bool; 2]> {
    let (one, two) = (any_plan::of(2 * seed)?, any_plan::of(2 * seed + 1)?);
    let mut chance = Chance::of(seed ^ 0xB51D);
    let mut pair = Pair::ideal(&one.revision, &two.revision, START.parse().unwrap());
    let (mut told, mut kept) = (Vec::new(), Vec::new());
    let mut at = Moment(0);
    let mut until = |pair: &mut Pair, end: Moment, most: u32| {
        for _ in 0..most {
            if pair.next_look().is_none_or(|(next, _)| next > end) {
                if end != LATE {
                    pair.wait_until(end);
                }
                return;
            }
            let Some(Turn { run, look, broken }) = pair.step() else { return };
            told.extend(look.decision.events.iter().map(|event| format!("{} {run:?} {event}", look.moment)));
            kept.extend(look.decision.events.iter().filter(|event| matches!(event, Event::BridgeKept { .. })).map(|_| run));
            let tail = told[told.len().saturating_sub(80)..].join("\n");
            assert!(broken.is_empty() && look.breaches.is_empty(), "{broken:?} {:?}\n{tail}", look.breaches);
        }
    };
    for _ in 0..chance.below(6) {
        at = at.plus(chance.ms(1_200_000));
        until(&mut pair, at, 4_000);
        let which = *chance.pick(&Which::BOTH);
        let _ = befalls(&mut pair, which, &mut chance);
    }
    for which in Which::BOTH {
        let sim = pair.run_mut(which);
        let model = sim.model.clone();
        for gate in 0..u16::try_from(model.gates().len()).unwrap() {
            sim.befall(Happening::Gate(gate, Tone::Good));
        }
        for ix in 0..u16::try_from(model.services().len()).unwrap() {
            sim.befall(Happening::Healthy(ix, Side::Target, 2));
        }
        sim.befall(Happening::Resume(1_000_000));
    }
    until(&mut pair, LATE, 40_000);
    Some(Which::BOTH.map(|which| {
        let sim = pair.run(which);
        // Where somebody lay across at its end it keeps its claim and says so, whatever the other run moves afterwards.
        if sim.record.ended.is_some() && !kept.contains(&which) {
            assert_eq!(left_claimed(sim), [] as [&BridgeName; 0], "a run that has ended counts on what somebody lies across");
        }
        sim.record.ended.is_some()
    }))
}

#[test]
fn random_pairs_of_runs_show_no_gap() {
    let alone: Option<u64> = std::env::var("GAPLESS_PAIR_SEED").ok().and_then(|text| text.parse().ok());
    let runs: u64 = std::env::var("GAPLESS_PAIR_RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let seeds = alone.map_or(0..runs, |seed| seed..seed + 1);
    let (mut played, mut ended, mut wrong) = (0, 0, Vec::new());
    for seed in seeds {
        match catch_unwind(AssertUnwindSafe(|| random(seed))) {
            Ok(None) => {}
            Ok(Some(ends)) => {
                played += 1;
                ended += ends.into_iter().filter(|end| *end).count();
            }
            Err(_) => wrong.push(format!("GAPLESS_PAIR_SEED={seed}")),
        }
    }
    println!("{played} pairs, {ended} of {} runs ended", 2 * played);
    assert!(wrong.is_empty(), "see above; each alone: {wrong:#?}");
    assert!(alone.is_some() || ended > 0);
}
