//! The end of legacy: shared systems, scream test, approval; and the way back until then.

use gapless::engine::{About, Intent, Outcome, Stage};

use crate::{plans::ending, sim::Sim};

fn end(name: &str) -> About {
    About::Decommission(name.parse().unwrap())
}

#[test]
fn a_legacy_system_ends_when_the_last_service_on_it_is_past_its_soak_and_its_end_is_approved() {
    let mut sim = Sim::new(ending());
    sim.until_stage("a", Stage::Soaked);
    sim.approve(end("a"), "cso", &[]);
    sim.tick();
    assert!(
        sim.waits.iter().any(|w| w == "a/decommission: legacy system estate also carries b, which is not past its soak"),
        "{:?}",
        sim.waits
    );
    sim.until_stage("b", Stage::Soaked);
    sim.until_outcome(Outcome::Held);
    assert_eq!(sim.stage("a"), Stage::Decommissioned);
    sim.approve(end("b"), "cso", &[]);
    sim.until_outcome(Outcome::Completed);
    let tasks: Vec<&String> = sim.log.iter().filter(|l| l.starts_with("a/")).collect();
    assert_eq!(tasks, ["a/task-scream-test", "a/task-switch-off"]);
}

#[test]
fn the_way_back_is_open_through_the_scream_test_and_closed_once_legacy_is_being_switched_off() {
    let mut sim = Sim::new(ending());
    sim.until_stage("b", Stage::Soaked);
    sim.approve(end("a"), "cso", &[]);
    sim.until(60, |s| s.log.iter().any(|l| l == "a/task-scream-test"));
    sim.orders.intent = Intent::Rollback;
    sim.until_outcome(Outcome::RolledBack);
    let tasks: Vec<&String> = sim.log.iter().filter(|l| l.starts_with("a/") || *l == "a 0").collect();
    assert_eq!(tasks, ["a/task-scream-test", "a/undo-scream-test", "a 0"], "the address is open again before traffic comes");

    let mut sim = Sim::new(ending());
    sim.until_stage("b", Stage::Soaked);
    sim.approve(end("a"), "cso", &[]);
    sim.until_stage("a", Stage::Decommissioning);
    sim.orders.intent = Intent::Rollback;
    sim.until(60, |s| s.stage("b") == Stage::Returned);
    assert_eq!(sim.written("a"), ["5", "25", "100"], "{:?}", sim.waits);
}

#[test]
fn a_legacy_system_that_a_service_went_back_to_stays_and_the_run_ends() {
    let mut sim = Sim::new(ending());
    sim.until_stage("a", Stage::Soaked);
    sim.health("b").target_errs = true;
    sim.until_outcome(Outcome::RolledBack);
    assert_eq!((sim.stage("a"), sim.stage("b")), (Stage::Soaked, Stage::Returned));
    assert!(!sim.log.iter().any(|l| l.contains("switch-off")), "{:?}", sim.log);
}
