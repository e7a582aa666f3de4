//! Exploration of small plans.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::sync::Arc;

use gapless::{
    engine::{Rules, RunId},
    explore::{
        budget::{Budget, Kind},
        moves::Part,
        search::Search,
    },
    plan::Revision,
    world::Model,
};

#[path = "../world/plans.rs"]
#[allow(dead_code)]
mod plans;

fn model(revision: Revision) -> Model {
    Model::new(Arc::new(revision), RunId("model".into()), "2026-08-28T20:00:00Z".parse().unwrap())
}

#[test]
fn measure() {
    let budget: u8 = std::env::var("B").unwrap_or("1".into()).parse().unwrap();
    let most: u64 = std::env::var("MOST").unwrap_or("300000".into()).parse().unwrap();
    let revision = match std::env::var("P").unwrap_or("one".into()).as_str() {
        "one" => plans::one(),
        _ => plans::two(),
    };
    let n = revision.plan().services.len();
    let model = model(revision);
    let kinds: Vec<Kind> = match std::env::var("K") {
        Ok(k) => Kind::ALL.into_iter().filter(|kind| k.split(',').any(|n| n == kind.name())).collect(),
        Err(_) => Kind::ALL.to_vec(),
    };
    let t = std::time::Instant::now();
    let parts = vec![Part::Whole; n];
    let seen = Search::new(&model, &parts, Rules::ALL, Budget::of(budget, &kinds), most).run(|_| {});
    let s = t.elapsed().as_secs_f64();
    println!("{seen:#?}\n{s} s, {} states/s {} steps/s", seen.states as f64 / s, seen.steps as f64 / s);
}
