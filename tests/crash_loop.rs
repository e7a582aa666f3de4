//! The process ends at every call of every port, before and after the call does what it does, and another one goes on from
//! what the store holds: the end, the weights on the way and the world are as without that. So they are when answers are
//! lost, come late, or somebody else writes the record.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests may")]

#[path = "common/world/mod.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod world;

use gapless::{
    drive::Until,
    engine::{Outcome, Stage},
    plan::{Revision, ServiceName, Weight},
};
use jiff::SignedDuration;
use world::{Ran, Trouble, Upshot, When, World, two_services};

fn revision() -> Revision {
    two_services("needs: [{ service: alpha }]")
}

fn healthy(_: &ServiceName, _: Weight) -> bool {
    false
}
/// `beta` cannot take all the traffic.
fn fails_at_full(name: &ServiceName, weight: Weight) -> bool {
    name.as_str() == "beta" && weight == Weight::FULL
}

/// Runs to the end, restarting whenever the process ends.
fn to_the_end(world: &World) -> Upshot {
    loop {
        match world.run(Until::Ended, None) {
            Ran::Ended => {}
            Ran::Back(end) => {
                end.unwrap();
                world.audit();
                return world.upshot();
            }
        }
    }
}

fn undisturbed(bad: fn(&ServiceName, Weight) -> bool) -> (Upshot, World) {
    let world = World::new(&revision(), bad);
    (to_the_end(&world), world)
}

#[test]
fn undisturbed_it_completes_with_two_writes_a_weight() {
    let (upshot, world) = undisturbed(healthy);
    assert_eq!(upshot.ended, Some(Outcome::Completed));
    for taken in upshot.history.values() {
        assert_eq!(taken.iter().map(|taken| taken.weight.percent()).collect::<Vec<_>>(), [50, 100]);
    }
    assert!(upshot.routes.values().all(|(weight, owner)| *weight == Weight::FULL && owner.is_none()));
    // Four weights and two releases; an order, a confirmation with the next order, moved, soaked, and the end.
    assert_eq!(world.count("perform"), 6);
    assert!(world.count("commit") <= 9, "{} commits", world.count("commit"));
    assert_eq!(world.count("append"), world.count("commit"));
    assert_eq!(world.count("load"), 1);
}

#[test]
fn undisturbed_a_failing_target_is_left() {
    let (upshot, _) = undisturbed(fails_at_full);
    assert_eq!(upshot.ended, Some(Outcome::RolledBack));
    let beta: ServiceName = "beta".parse().unwrap();
    assert_eq!(upshot.stages[&beta], Stage::Returned);
    assert_eq!(upshot.history[&beta].iter().map(|taken| taken.weight.percent()).collect::<Vec<_>>(), [50, 100, 0]);
    assert_eq!(upshot.routes[&beta], (Weight::ZERO, None));
}

/// For every n the process ends at the n-th call.
#[test]
fn the_process_ends_at_every_call_of_every_port() {
    let mut cases = 0;
    for bad in [healthy, fails_at_full] as [fn(&ServiceName, Weight) -> bool; 2] {
        let (expected, world) = undisturbed(bad);
        for call in 1..=world.calls() {
            for when in [When::Before, When::After] {
                let world = World::new(&revision(), bad);
                world.ends_at(call, when);
                assert_eq!(to_the_end(&world), expected, "ended {when:?} call {call}: {:?}", world.log().get(call - 1));
                cases += world.ends(); // none where the loop gave the call up before it came to its end
            }
        }
    }
    println!("{cases} ends of a process");
    assert!(cases > 600, "only {cases}");
}

/// Twice in a row, the second time soon after the start.
#[test]
fn a_process_that_has_just_started_ends_again() {
    let (expected, world) = undisturbed(fails_at_full);
    let mut cases = 0;
    for first in (1..=world.calls()).step_by(7) {
        for second in 1..=12 {
            let world = World::new(&revision(), fails_at_full);
            world.ends_at(first, When::After);
            if matches!(world.run(Until::Ended, None), Ran::Ended) {
                world.ends_at(second, When::After);
            }
            assert_eq!(to_the_end(&world), expected, "ended at {first}, then at {second}");
            cases += usize::from(world.ends() == 2);
        }
    }
    println!("{cases} double ends");
    assert!(cases > 200, "only {cases}");
}

/// Answers are lost, calls are lost, come true later, hang, or are overtaken, each once at every call of store and actuator.
#[test]
fn every_call_of_store_and_actuator_goes_wrong() {
    let mut cases = 0;
    for bad in [healthy, fails_at_full] as [fn(&ServiceName, Weight) -> bool; 2] {
        let (expected, world) = undisturbed(bad);
        for port in ["load", "append", "commit", "publish", "perform"] {
            for nth in 1..=world.count(port) {
                for trouble in troubles(port) {
                    let world = World::new(&revision(), bad);
                    world.trouble(port, nth, trouble);
                    assert_eq!(to_the_end(&world), expected, "{trouble:?} at {port} {nth}");
                    cases += 1;
                }
            }
        }
    }
    println!("{cases} lost, late and hanging calls");
    assert!(cases > 150, "only {cases}");
}

fn troubles(port: &str) -> Vec<Trouble> {
    let ms = SignedDuration::from_millis;
    let mut all = vec![Trouble::AnswerLost, Trouble::CallLost, Trouble::Hangs];
    match port {
        "perform" => all.extend([30, 300, 800, 3_000, 9_000, 30_000].map(|late| Trouble::Late(ms(late)))),
        "commit" => all.extend([Trouble::Conflict, Trouble::Late(ms(50)), Trouble::Late(ms(150))]),
        "publish" => all.push(Trouble::Conflict),
        _ => {}
    }
    all
}
