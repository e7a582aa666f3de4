//! Exploration: small plans whole, the examples piece by piece, and each rule left out in turn.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use gapless::{
    engine::Invariant,
    explore::{
        Options,
        budget::{Budget, Kind},
        explore,
        piece::pieces,
        report::{ExploreReport, ShapeReport},
    },
    plan::Revision,
};

#[path = "../engine/plans.rs"]
#[allow(dead_code)]
mod models;
#[path = "../world/plans.rs"]
#[allow(dead_code)]
mod plans;

fn run(revision: &Revision, options: &Options) -> Vec<ShapeReport> {
    pieces(revision).iter().map(|piece| explore(piece, options, |_| {})).collect()
}

fn stories(shapes: &[ShapeReport]) -> String {
    shapes.iter().filter_map(|shape| shape.counterexample.as_ref()).map(|story| story.text()).collect()
}

/// More faults on one way with `GAPLESS_EXPLORE=N`.
fn depth(least: u8) -> u8 {
    std::env::var("GAPLESS_EXPLORE").ok().and_then(|n| n.parse().ok()).unwrap_or(least)
}

#[test]
fn every_example_holds_piece_by_piece() {
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/plans")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let options = Options::new(None, Budget::of(depth(1), &Kind::ALL), u64::MAX);
        let begun = std::time::Instant::now();
        let shapes = run(&plans::example(&file), &options);
        for shape in &shapes {
            println!(
                "{file}: {} states {} steps {} depth {} decisions {}",
                shape.name, shape.states, shape.steps, shape.depth, shape.decisions
            );
        }
        println!("{file}: {:?}", begun.elapsed());
        assert!(shapes.iter().all(|shape| shape.exhaustive), "{file}\n{}", stories(&shapes));
    }
}

#[test]
fn each_rule_left_out_leaves_a_gap_that_the_world_shows() {
    for invariant in Invariant::ALL {
        let revision = match invariant {
            Invariant::OneWriter => models::writer(Some(())),
            Invariant::LegacyStays => models::ending(),
            _ => plans::two(),
        };
        let options = Options::new(Some(invariant), Budget::of(2, &Kind::ALL), 2_000_000);
        let begun = std::time::Instant::now();
        let shapes = run(&revision, &options);
        let story = shapes.iter().filter_map(|shape| shape.counterexample.as_ref()).min_by_key(|story| story.steps.len());
        println!("without {invariant}: {:?}\n{}", begun.elapsed(), story.map(|s| s.text()).unwrap_or_default());
        assert_eq!(story.map(|story| story.invariant.clone()), Some(invariant.to_string()));
    }
}

#[test]
fn the_end_of_legacy_and_its_people_hold() {
    // All kinds: two minutes in a debug build; `gapless explore` does it in a second or two.
    let few = [Kind::SideDies, Kind::Drift, Kind::Seized, Kind::TaskHangs, Kind::Refused, Kind::StaleRead];
    let kinds = if depth(0) == 0 { &few[..] } else { &Kind::ALL[..] };
    let shapes = run(&models::ending(), &Options::new(None, Budget::of(depth(1), kinds), u64::MAX));
    for shape in &shapes {
        println!(
            "{}: {} states {} steps depth {} decisions {}",
            shape.name, shape.states, shape.steps, shape.depth, shape.decisions
        );
    }
    assert!(shapes.iter().all(|shape| shape.exhaustive), "{}", stories(&shapes));
}

#[test]
fn a_single_writer_holds_while_nobody_turns_it_round() {
    let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| !matches!(kind, Kind::Rollback | Kind::GateFails)).collect();
    for revision in [models::writer(Some(())), models::writer(None)] {
        let shapes = run(&revision, &Options::new(None, Budget::of(depth(1), &kinds), u64::MAX));
        assert!(shapes.iter().all(|shape| shape.exhaustive), "{}", stories(&shapes));
    }
}

/// What the explorer found and the engine does not keep yet. When one of these fails it is mended: move it up.
#[test]
fn what_is_known_not_to_hold_yet_is_found() {
    // A promotion that still runs, or is late, when its service is turned round makes target writable after it was fenced.
    let kinds = [Kind::Rollback, Kind::EffectLate];
    let shapes = run(&models::writer(Some(())), &Options::new(None, Budget::of(2, &kinds), 2_000_000));
    println!("{}", stories(&shapes));
    assert!(shapes.iter().any(|shape| shape.counterexample.is_some()), "it holds now");
}

#[test]
fn the_same_exploration_twice_is_the_same_to_the_byte() {
    let revision = plans::two();
    let options = Options::new(None, Budget::of(1, &Kind::ALL), u64::MAX);
    let report = || {
        let report = ExploreReport::new(&revision, &options, run(&revision, &options), 0.0);
        serde_json::to_string(&report).unwrap() + &report.text()
    };
    assert_eq!(report(), report());
}
