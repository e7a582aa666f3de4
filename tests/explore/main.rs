//! Exploration: small plans whole, the examples piece by piece, and each rule left out in turn.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use gapless::{
    engine::{Invariant, Outcome},
    explore::{
        Alone, Options,
        budget::{Budget, Kind},
        explore,
        piece::{Piece, pieces},
        report::{ExploreReport, ShapeReport},
        story::UNTOLD,
    },
    plan::Revision,
};

#[path = "../world/any_plan.rs"]
#[allow(dead_code)]
mod any_plan;
#[path = "../world/chance.rs"]
#[allow(dead_code)]
mod chance;
mod counterexamples;
#[path = "../engine/plans.rs"]
#[allow(dead_code)]
mod models;
#[path = "../world/plans.rs"]
#[allow(dead_code)]
mod plans;
mod random;
mod reductions;
#[path = "../../src/cli/threads.rs"]
mod threads;

fn run(revision: &Revision, options: &Options) -> Vec<ShapeReport> {
    some(revision, usize::MAX, options)
}

/// The same with the first pieces only.
fn some(revision: &Revision, most: usize, options: &Options) -> Vec<ShapeReport> {
    pieces(revision, options.around).iter().take(most).map(|piece| explored(piece, options)).collect()
}

/// One piece. What is told of a way that breaks something breaks it.
fn explored(piece: &Piece, options: &Options) -> ShapeReport {
    let shape = explore(piece, options, &Alone, &|_| {});
    let told = shape.counterexample.as_ref().filter(|story| story.text().contains(UNTOLD));
    assert!(told.is_none(), "{}", told.map(|story| story.text()).unwrap_or_default());
    shape
}

/// What broke after how many steps, if anything did.
fn broken(shape: &ShapeReport) -> Option<(String, usize)> {
    shape.counterexample.as_ref().map(|story| (story.invariant.clone(), story.steps.len()))
}

fn stories(shapes: &[ShapeReport]) -> String {
    shapes.iter().filter_map(|shape| shape.counterexample.as_ref()).map(|story| story.text()).collect()
}

/// `GAPLESS_EXPLORE=N`: everything within N faults; else one fault or two, and the first states of each piece.
fn deep() -> Option<u8> {
    std::env::var("GAPLESS_EXPLORE").ok().and_then(|n| n.parse().ok())
}

/// Nothing wrong is found in any piece within one fault, or as many as were asked for; then everything was seen.
fn holds(what: &str, revision: &Revision, kinds: &[Kind], most: u64) {
    holds_within(deep().unwrap_or(1), what, revision, kinds, most);
}

fn holds_within(faults: u8, what: &str, revision: &Revision, kinds: &[Kind], most: u64) {
    let most = if deep().is_some() { u64::MAX } else { most };
    let begun = std::time::Instant::now();
    let shapes = run(revision, &Options::new(None, Budget::of(faults, kinds), most));
    for shape in &shapes {
        let ShapeReport { name, states, steps, depth, decisions, .. } = shape;
        println!("{what}: {faults} faults: {name}: {states} states, {steps} steps, depth {depth}, {decisions} decisions");
    }
    println!("{what}: {:?}", begun.elapsed());
    assert!(shapes.iter().all(|shape| shape.counterexample.is_none()), "{what}\n{}", stories(&shapes));
    assert!(deep().is_none() || shapes.iter().all(|shape| shape.exhaustive), "{what}");
}

#[test]
fn every_example_holds_piece_by_piece() {
    let mut wrong = String::new();
    for file in plans::examples() {
        let told = std::panic::catch_unwind(|| {
            let revision = plans::example(&file);
            deep()
                .map_or(1..=2, |faults| faults..=faults)
                .for_each(|faults| holds_within(faults, &file, &revision, &Kind::ALL, 20_000));
        });
        if told.is_err() {
            wrong.push_str(&file);
            wrong.push('\n');
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Without their neighbours services have so few states that all of them can be seen on each push.
#[test]
fn each_service_of_an_example_holds_by_itself_whatever_goes_wrong_once() {
    for file in plans::examples() {
        let revision = plans::example(&file);
        let begun = std::time::Instant::now();
        let shapes = run(&revision, &Options::new(None, Budget::of(deep().unwrap_or(1), &Kind::ALL), u64::MAX).alone());
        for ShapeReport { name, states, ended, .. } in &shapes {
            println!("{file}: {name}: {states} states, runs end {ended:?}");
            // A search that no run comes out of at the end proves nothing of what is there.
            assert!(ended.contains(&Outcome::Completed), "{file}: no run of {name} completes");
            assert!(ended.contains(&Outcome::RolledBack), "{file}: no run of {name} goes back");
        }
        println!("{file}: {:?}", begun.elapsed());
        assert!(shapes.iter().all(|shape| shape.exhaustive), "{file}\n{}", stories(&shapes));
    }
}

/// Once found within 12,000 states: the next process gave the order again by what had been proven to the one before.
#[test]
fn what_is_written_between_a_lost_promotion_and_the_next_process_is_not_lost() {
    let revision = plans::example("database-dns.yaml");
    let options = Options::new(None, Budget::of(2, &[Kind::Crash, Kind::StrayWrite]), 20_000).alone();
    assert_eq!(stories(&run(&revision, &options)), "");
}

#[test]
fn what_lies_between_services_is_not_seen_of_each_by_itself() {
    let revision = plans::two();
    let options = Options::new(Some(Invariant::Order), Budget::of(1, &Kind::ALL), u64::MAX);
    let (with, alone) = (run(&revision, &options), run(&revision, &options.alone()));
    assert!(stories(&with).contains("order"), "{}", stories(&with));
    assert_eq!((stories(&alone).as_str(), alone.iter().all(|shape| shape.exhaustive)), ("", true));
    let report = |options: &Options, shapes| ExploreReport::new(&revision, options, shapes, 0.0).text();
    assert!(report(&options.alone(), alone).contains("Not proven: Anything between services"));
    assert!(!report(&options, with).contains("Anything between services"));
}

#[test]
fn a_piece_that_was_seen_whole_and_of_which_no_run_completes_is_named() {
    let revision = plans::one();
    let options = Options::new(None, Budget::of(0, &Kind::ALL), u64::MAX);
    let text = |shapes| ExploreReport::new(&revision, &options, shapes, 0.0).text();
    let mut shapes = run(&revision, &options);
    assert!(!text(shapes.clone()).contains("no run of it completes"));
    shapes.iter_mut().for_each(|shape| shape.ended = vec![Outcome::RolledBack]);
    assert!(text(shapes.clone()).contains("; no run of it completes"), "{}", text(shapes));
    shapes.iter_mut().for_each(|shape| shape.exhaustive = false);
    assert!(!text(shapes).contains("no run of it completes"), "nobody knows yet");
}

#[test]
fn a_small_plan_holds_whatever_goes_wrong_twice() {
    let revision = plans::one();
    let shapes = run(&revision, &Options::new(None, Budget::of(2, &Kind::ALL), u64::MAX));
    assert!(shapes.iter().all(|shape| shape.exhaustive), "{}", stories(&shapes));
}

/// None of the examples goes back by weights.
#[test]
fn a_way_back_by_weights_holds_whatever_goes_wrong_once() {
    let plan = plans::one().plan().clone();
    let weights = [50, 10, 0].map(|percent| gapless::plan::Weight::new(percent).unwrap());
    let with = |mut plan: gapless::plan::Plan| {
        plan.services.values_mut().for_each(|service| service.rollback_steps = weights.to_vec());
        Revision::of(plan)
    };
    holds("a way back by weights", &with(plan), &Kind::ALL, u64::MAX);
}

/// A plan in which the rule that keeps this invariant is missed, in words and as such.
fn missed_in(invariant: Invariant) -> (&'static str, Revision) {
    match invariant {
        Invariant::OneWriter => ("one service with one writer, which can be taken back", models::writer(Some(()))),
        Invariant::LegacyStays => ("two services, `a` and `b`, that live on one legacy system", models::ending()),
        _ => ("two services, `base` and `top`, which needs `base`", plans::two()),
    }
}

/// Every rule is missed, and the page that tells how is what was found: `docs/design/counterexamples.md`.
#[test]
fn each_rule_left_out_leaves_a_gap_that_the_world_shows() {
    let mut page = String::new();
    for invariant in Invariant::ALL {
        let (plan, revision) = missed_in(invariant);
        let options = Options::new(Some(invariant), Budget::of(2, &Kind::ALL), 2_000_000);
        let begun = std::time::Instant::now();
        let shapes = run(&revision, &options);
        let story = shapes.iter().filter_map(|shape| shape.counterexample.as_ref()).min_by_key(|story| story.steps.len());
        println!("without {invariant}: {:?}\n{}", begun.elapsed(), story.map(|s| s.text()).unwrap_or_default());
        assert_eq!(story.map(|story| story.invariant.clone()), Some(invariant.to_string()));
        page.extend(story.map(|story| counterexamples::section(invariant, plan, story)));
    }
    counterexamples::compare(&page);
}

#[test]
fn the_end_of_legacy_and_its_people_hold() {
    let kinds = [Kind::SideDies, Kind::Drift, Kind::Seized, Kind::TaskHangs, Kind::Refused, Kind::StaleRead];
    holds("ending", &models::ending(), if deep().is_some() { &Kind::ALL } else { &kinds }, 60_000);
}

#[test]
fn connections_that_outlive_a_weight_hold() {
    let kinds = [Kind::ClientStays, Kind::GateFails, Kind::Rollback, Kind::SideDies, Kind::Crash, Kind::EffectLate];
    holds("connections", &plans::kept(), if deep().is_some() { &Kind::ALL } else { &kinds }, 30_000);
}

#[test]
fn a_single_writer_holds_whatever_its_replication_does() {
    let kinds = [Kind::ReplicationSlow, Kind::ReplicationStops, Kind::StrayWrite, Kind::Crash];
    holds("replication", &models::writer(Some(())), &kinds, 40_000);
}

#[test]
fn a_single_writer_holds_while_nobody_turns_it_round() {
    let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| !matches!(kind, Kind::Rollback | Kind::GateFails)).collect();
    holds("writer", &models::writer(Some(())), &kinds, 20_000);
    holds("writer without a way back", &models::writer(None), &kinds, 20_000);
}

/// What the explorer found and the engine does not keep yet. When one of these fails it is mended: move it up.
#[test]
fn a_promotion_that_is_late_never_comes_behind_the_fence_of_the_way_back() {
    let kinds = [Kind::Rollback, Kind::EffectLate];
    let shapes = run(&models::writer(Some(())), &Options::new(None, Budget::of(2, &kinds), 2_000_000));
    println!("{}", stories(&shapes));
    assert!(shapes.iter().all(|shape| shape.counterexample.is_none()), "{}", stories(&shapes));
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
