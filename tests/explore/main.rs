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

/// What only services with tasks can break.
const OF_TASKS: [Invariant; 2] = [Invariant::OneWriter, Invariant::LegacyStays];

#[test]
fn each_rule_left_out_leaves_a_gap_that_the_world_shows() {
    for invariant in Invariant::ALL.into_iter().filter(|invariant| !OF_TASKS.contains(invariant)) {
        let options = Options::new(Some(invariant), Budget::of(2, &Kind::ALL), 2_000_000);
        let begun = std::time::Instant::now();
        let shapes = run(&plans::two(), &options);
        let story = shapes.iter().filter_map(|shape| shape.counterexample.as_ref()).min_by_key(|story| story.steps.len());
        println!("without {invariant}: {:?}\n{}", begun.elapsed(), story.map(|s| s.text()).unwrap_or_default());
        assert_eq!(story.map(|story| story.invariant.clone()), Some(invariant.to_string()));
    }
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
