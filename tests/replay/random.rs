//! Whatever befalls a run: its journal gives the same decisions again.

use gapless::{
    plan::{Revision, Side},
    world::{
        Delays, Happening, Moment, Sim, Tone,
        facts::{Plane, Reach},
        people::Wish,
    },
};
use proptest::prelude::*;

use crate::{
    journal::{Commits, Kept},
    plans::{example, examples, five, one, two},
};

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
        2 => Just(Happening::Restart),
        1 => wish.prop_map(Happening::People),
        1 => (1u32..9).prop_map(Happening::Resume),
    ]
}

fn revision(kind: u8) -> Revision {
    match kind % 4 {
        0 => one(),
        1 => two(),
        2 => five(),
        _ => example("database-dns.yaml"),
    }
}

/// More with `PROPTEST_CASES`; a nightly run takes tens of thousands.
fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_journal_gives_the_same_decisions_again(
        kind in 0u8..4,
        script in prop::collection::vec((0i64..8_000, happening()), 0..14),
        late in prop::collection::vec(0i64..12_000, 1..6),
    ) {
        let mut kept = Kept::new(Sim::ideal(&revision(kind), "2026-08-28T20:00:00Z".parse().unwrap()));
        let (mut at, mut turn, mut restarts) = (0, 0, std::collections::BTreeSet::new());
        for (pause, what) in &script {
            at += pause;
            let fits = match what {
                Happening::Gate(ix, _) => usize::from(*ix) < kept.sim.model.gates().len(),
                Happening::Healthy(ix, ..) | Happening::Router(ix, _) | Happening::DataPlane(ix, _) | Happening::ByHand(ix, _) => {
                    usize::from(*ix) < kept.sim.model.services().len()
                }
                _ => true,
            };
            if fits {
                kept.sim.schedule(Moment(at), *what);
            }
            if *what == Happening::Restart {
                restarts.insert(at);
            }
        }
        let processes = restarts.len() + 1;
        for _ in 0..4_000 {
            if restarts.first().is_some_and(|at| kept.sim.world.now() >= Moment(*at)) {
                restarts.pop_first();
                kept.restart();
            }
            let look = kept.step(|_| {
                turn += 1;
                let wire = if turn % 4 == 0 { late[turn / 4 % late.len()] } else { 5 };
                Delays { wire, programmed: 10, effective: 10, task: None }
            });
            if look.is_none() {
                break;
            }
        }
        kept.same(processes);
    }
}

/// The line of a commit that failed is taken back, and what comes after it is told in as few words.
#[test]
fn lines_of_commits_that_failed_are_as_if_they_had_never_been() {
    for revision in [five(), example("database-dns.yaml")] {
        let (mut kept, mut undisturbed) = (Kept::ideal(&revision).with(Commits::AtTheSecondTry), Kept::ideal(&revision));
        kept.run();
        undisturbed.run();
        kept.same(1);
        assert_eq!(kept.lines, undisturbed.lines);
    }
}

#[test]
fn the_journal_of_every_example_gives_the_same_decisions_again() {
    for file in examples() {
        if file == "registry-exit.yaml" && std::env::var_os("GAPLESS_REPLAY").is_none() {
            continue; // 120 services: a while without optimisation
        }
        let mut kept = Kept::ideal(&example(&file));
        kept.run();
        let bytes: usize = kept.lines.iter().map(|line| line.text().len()).sum();
        println!("{file}: {} lines, {bytes} bytes", kept.lines.len());
        assert!(kept.sim.record.ended.is_some(), "{file}");
        kept.same(1);
    }
}
