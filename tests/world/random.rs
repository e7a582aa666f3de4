//! Random worlds: whatever befalls them and however late effects are, the judge of the world finds nothing, and once all is
//! mended every run ends.

use gapless::{
    engine::Outcome,
    plan::{Revision, Side},
    world::{
        Delays, Happening, Look, Moment, Sim, Tone,
        facts::{Plane, Reach},
        people::Wish,
    },
};
use proptest::prelude::*;

use crate::plans::{five, one, two};

fn happening() -> impl Strategy<Value = Happening> {
    let ix = 0u16..5;
    let side = prop_oneof![Just(Side::Legacy), Just(Side::Target)];
    let tone = prop_oneof![Just(Tone::Good), Just(Tone::Bad), Just(Tone::Silent)];
    let reach = prop_oneof![Just(Reach::Answers), Just(Reach::Silent)];
    let plane = prop_oneof![Just(Plane::Takes), Just(Plane::Stuck), Just(Plane::Refuses)];
    let wish = prop_oneof![Just(Wish::Run), Just(Wish::Hold), Just(Wish::Rollback)];
    prop_oneof![
        3 => (ix.clone(), tone).prop_map(|(ix, tone)| Happening::Gate(ix, tone)),
        3 => (ix.clone(), side, 0u32..3).prop_map(|(ix, side, n)| Happening::Healthy(ix, side, n)),
        1 => (ix.clone(), reach).prop_map(|(ix, reach)| Happening::Router(ix, reach)),
        1 => (ix.clone(), plane).prop_map(|(ix, plane)| Happening::DataPlane(ix, plane)),
        1 => (ix, 0u8..101).prop_map(|(ix, weight)| Happening::ByHand(ix, weight)),
        1 => Just(Happening::Restart),
        1 => wish.prop_map(Happening::People),
        1 => (1u32..9).prop_map(Happening::Resume),
    ]
}

fn revision(kind: u8) -> Revision {
    match kind % 3 {
        0 => one(),
        1 => two(),
        _ => five(),
    }
}

/// Everything is as it should be again, and people resume what holds.
fn mend(sim: &mut Sim) {
    for ix in 0..u16::try_from(sim.model.services().len()).unwrap() {
        for side in Side::BOTH {
            sim.befall(Happening::Healthy(ix, side, 2));
        }
        sim.befall(Happening::Router(ix, Reach::Answers));
        sim.befall(Happening::DataPlane(ix, Plane::Takes));
        if sim.world.memory.is_by_hand(ix) {
            let ours = sim.world.memory.ours(ix);
            sim.befall(Happening::ByHand(ix, ours));
        }
    }
    for gate in 0..u16::try_from(sim.model.gates().len()).unwrap() {
        sim.befall(Happening::Gate(gate, Tone::Good));
    }
    sim.befall(Happening::Resume(1_000_000));
}

/// More with `PROPTEST_CASES`; a nightly run takes tens of thousands.
fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_world_shows_a_gap_and_every_run_comes_to_an_end(
        kind in 0u8..3,
        script in prop::collection::vec((0i64..8_000, happening()), 0..12),
        late in prop::collection::vec(0i64..12_000, 1..6),
    ) {
        let mut sim = Sim::ideal(&revision(kind), "2026-08-28T20:00:00Z".parse().unwrap());
        let mut at = 0;
        for (pause, what) in &script {
            at += pause;
            let fits = match what {
                Happening::Gate(ix, _) => usize::from(*ix) < sim.model.gates().len(),
                _ => true,
            };
            if fits {
                sim.schedule(Moment(at), *what);
            }
        }
        let mut turn = 0;
        let mut log: Vec<String> = Vec::new();
        let mut step = |sim: &mut Sim| -> Option<Look> {
            let look = sim.step_with(|_| {
                turn += 1;
                // every fourth effect is late
                let wire = if turn % 4 == 0 { late[turn / 4 % late.len()] } else { 5 };
                Delays { wire, programmed: 10, effective: 10, task: None }
            })?;
            log.extend(look.decision.events.iter().map(|event| format!("{} {event}", look.moment)));
            assert!(look.breaches.is_empty(), "{:?} at {}\n{}", look.breaches, look.moment, log.join("\n"));
            Some(look)
        };
        while sim.world.now() < Moment(at + 1) {
            if step(&mut sim).is_none() {
                break;
            }
        }
        mend(&mut sim);
        let mut last = None;
        for _ in 0..20_000 {
            match step(&mut sim) {
                Some(look) => last = Some(look),
                None => break,
            }
        }
        let outcome = last.as_ref().and_then(|look| look.decision.outcome);
        let waits: Vec<String> = last.iter().flat_map(|l| &l.decision.waits).map(|w| format!("{}: {}", w.step, w.reason)).collect();
        prop_assert!(sim.record.ended.is_some() || outcome == Some(Outcome::Held), "it waits for nobody: {waits:#?}\n{}", log.join("\n"));
    }
}
