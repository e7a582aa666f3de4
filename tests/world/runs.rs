//! Whole runs in virtual time.

use gapless::{
    engine::{Event, Outcome, step_count},
    plan::{Revision, Side},
    world::{Happening, Look, Moment, Sim, Tone, people::Wish, task::Access},
};

use jiff::SignedDuration;

use crate::{
    models,
    plans::{example, examples, five, one, two},
};

const START: &str = "2026-08-28T20:00:00Z";

/// A run that starts an hour before the first window of its plan opens.
fn run(revision: &Revision, script: &[(i64, Happening)]) -> (Sim, Vec<Look>) {
    let opens = revision.plan().windows.values().map(|window| window.opens).min();
    let start = opens.map_or(START.parse().unwrap(), |opens| opens - SignedDuration::from_hours(1));
    let mut sim = Sim::ideal(revision, start);
    for (at, what) in script {
        sim.schedule(Moment(*at), *what);
    }
    let mut looks = Vec::new();
    while let Some(look) = sim.step() {
        assert!(look.breaches.is_empty(), "{:?} at {}", look.breaches, look.moment);
        looks.push(look);
        assert!(looks.len() < 100_000, "it never ends");
    }
    (sim, looks)
}

fn outcome(sim: &Sim) -> Option<Outcome> {
    sim.record.ended.as_ref().map(|ended| ended.outcome)
}

#[test]
fn every_example_completes_in_an_ideal_world_with_few_looks() {
    let mut wrong = Vec::new();
    for file in examples() {
        let revision = example(&file);
        let begun = std::time::Instant::now();
        let (sim, looks) = run(&revision, &[]);
        let steps = step_count(revision.plan());
        println!("{file}: {steps} steps, {} looks, until {}, {:?}", looks.len(), sim.world.now(), begun.elapsed());
        if outcome(&sim) != Some(Outcome::Completed) {
            let waits = looks.iter().last().into_iter().flat_map(|look| &look.decision.waits);
            let waits: Vec<String> = waits.map(|wait| format!("{}: {}", wait.step, wait.reason)).collect();
            wrong.push(format!("{file} waits after {}: {waits:#?}", sim.world.now()));
        }
        if looks.len() > 30 * steps {
            wrong.push(format!("{file}: {} looks for {steps} steps", looks.len()));
        }
        for (ix, service) in (0..).zip(sim.model.services()) {
            let lost = sim.history.requests_lost(&sim.model, ix);
            if lost > 0 {
                wrong.push(format!("{file}: {} lost {lost} requests", service.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn traffic_moves_in_the_order_of_needs_and_phases() {
    let (sim, _) = run(&five(), &[]);
    let first = |name: &str| {
        let ix = sim.model.index(&name.parse().unwrap()).unwrap();
        sim.history.of(ix).iter().find(|s| s.target > 0).unwrap().from
    };
    let full = |name: &str| {
        let ix = sim.model.index(&name.parse().unwrap()).unwrap();
        sim.history.of(ix).iter().find(|s| s.target == 100).unwrap().from
    };
    assert!(full("base") < first("middle") && full("middle") < first("top"));
    assert_eq!(first("base"), first("side"), "independent branches move at the same time");
    assert!(full("top") < first("late") && full("side") < first("late"));
}

#[test]
fn what_fails_goes_back_and_no_request_is_lost() {
    let (sim, looks) = run(&two(), &[(12_000, Happening::Gate(0, Tone::Bad))]);
    assert_eq!(outcome(&sim), Some(Outcome::RolledBack));
    let back: Vec<String> = looks
        .iter()
        .flat_map(|look| &look.decision.events)
        .filter_map(|event| match event {
            Event::Returned { service } => Some(service.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(back, ["top", "base"]);
}

#[test]
fn writers_move_with_their_right_to_write_and_legacy_ends_when_people_say_so() {
    for revision in [models::writer(Some(())), models::writer(None), models::ending()] {
        let (sim, looks) = run(&revision, &[]);
        assert_eq!(outcome(&sim), Some(Outcome::Completed), "{:#?}", looks.last().map(|look| &look.decision.waits));
    }
    let (sim, _) = run(&models::ending(), &[]);
    assert!(sim.world.facts.services.iter().all(|service| service.side(Side::Legacy).healthy == 0), "legacy is switched off");
    let mut sim = Sim::ideal(&models::ending(), START.parse().unwrap());
    sim.yes_after = None;
    let last = sim.run_until(Moment(3_600_000), |_, _| {}).unwrap();
    assert_eq!(last.decision.outcome, Some(Outcome::Held), "nobody says yes");
    assert!(sim.world.facts.services.iter().all(|service| service.side(Side::Legacy).healthy == 2));
}

#[test]
fn a_writer_that_fails_goes_back_and_has_one_writer_all_the_time() {
    let back = [(1_500, Happening::People(Wish::Rollback))];
    let (sim, looks) = run(&models::writer(Some(())), &back);
    assert_eq!(outcome(&sim), Some(Outcome::RolledBack), "{:#?}", looks.last().map(|look| &look.decision.waits));
    let writes = |side| sim.world.facts.services[0].side(side).writes;
    assert_eq!((writes(Side::Legacy), writes(Side::Target)), (Access::Open, Access::Closed));
}

#[test]
fn the_same_run_twice_is_the_same_to_the_byte() {
    let script =
        [(9_000, Happening::Gate(1, Tone::Silent)), (14_000, Happening::Gate(1, Tone::Good)), (20_000, Happening::Restart)];
    let (one, other) = (run(&two(), &script), run(&two(), &script));
    assert_eq!(one.1, other.1);
    assert_eq!((one.0.world, one.0.history), (other.0.world, other.0.history));
}

#[test]
fn a_dead_side_under_traffic_shows_in_the_history() {
    let mut sim = Sim::ideal(&one(), START.parse().unwrap());
    sim.schedule(Moment(3_000), Happening::Healthy(0, Side::Legacy, 0));
    sim.run_until(Moment(60_000), |_, _| {});
    assert!(sim.history.requests_lost(&sim.model, 0) > 0);
    assert_eq!(sim.history.of(0).last().unwrap().target, 100, "all traffic has left the dead side");
    assert_eq!(sim.history.of(0).last().unwrap().lost, 0);
}
