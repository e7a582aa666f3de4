//! A legacy side that dies, or could carry only some of the traffic: what is left, and what nobody goes back to.

use gapless::{
    engine::{Action, Backend, Direction, Event, Intent, Outcome, Reason, SideRank, Stage},
    plan::Revision,
};

use crate::{
    plans::{one, plan, service, two, weight, writer},
    sim::{Sim, ticks},
};

#[test]
fn legacy_that_dies_under_traffic_is_left_at_once_and_then_people_decide() {
    let mut sim = Sim::new(two());
    sim.until_stage("base", Stage::Shifting(1));
    sim.health("base").legacy = 0;
    sim.until_outcome(Outcome::Held);
    assert_eq!(sim.written("base"), ["5", "25", "100"]);
    assert!(matches!(sim.record.services["base"].hold.as_ref().unwrap().reason, Reason::NoWayBack { .. }));
    assert_eq!(sim.stage("top"), Stage::Waiting);
    // a person looks, mends legacy, and resumes
    sim.health("base").legacy = 2;
    sim.orders.resumes = Some(sim.record.services["base"].hold.as_ref().unwrap().id);
    sim.until_outcome(Outcome::Completed);
}

/// Found by the explorer: the check took such a move for a confirmation of the first weight, and withheld it.
#[test]
fn legacy_is_left_also_in_the_look_in_which_what_is_needed_goes_back() {
    let services = vec![("app", service(2, "one", &["base"])), ("base", service(2, "one", &[]))];
    let mut sim = Sim::new(Revision::of(plan(services)));
    sim.until(20, |sim| sim.routes["base"].weight == weight(100));
    sim.lose_next = 1_000; // the first weight of app, and each time it is given again
    sim.until_stage("app", Stage::Shifting(0));
    sim.health("app").legacy = 0;
    sim.health("base").target_errs = true;
    sim.until(20, |sim| sim.record.services["base"].direction == Direction::Backward);
    let evacuated = sim.events.iter().filter(|event| matches!(event, Event::Evacuated { .. })).count();
    let app = &sim.record.services["app"];
    assert_eq!((evacuated, app.direction, app.weight()), (1, Direction::Backward, weight(100)), "{}", sim.log.join("\n"));
    sim.lose_next = 0;
    sim.until(20, |sim| sim.routes["app"].weight == weight(100));
    sim.health("app").legacy = 2;
    sim.until_outcome(Outcome::RolledBack);
    assert_eq!(sim.written("app"), ["100", "0"]);
}

#[test]
fn a_lost_evacuation_is_given_again() {
    let mut sim = Sim::new(one());
    sim.until_stage("only", Stage::Shifting(1));
    sim.until(5, |s| s.routes["only"].weight == weight(25));
    sim.health("only").legacy = 0;
    sim.lose_next = 1;
    sim.until_outcome(Outcome::Held);
    assert_eq!(sim.routes["only"].weight, weight(100));
}

#[test]
fn going_back_to_a_dead_legacy_is_refused_until_it_lives() {
    let mut sim = Sim::new(one());
    sim.until_stage("only", Stage::Soaking);
    sim.health("only").legacy = 0;
    sim.health("only").target_errs = true;
    sim.until_outcome(Outcome::Held);
    assert!(sim.waits[0].contains("no-worse"), "{:?}", sim.waits);
    assert_eq!(sim.routes["only"].weight, weight(100), "traffic stays where it is");
    sim.health("only").legacy = 2;
    sim.until(5, |s| s.stage("only") == Stage::Returning);
    assert_eq!(sim.record.services["only"].hold, None, "nobody has to look any more");
    sim.until_outcome(Outcome::RolledBack);
}

/// Half a legacy could not carry everything: a dead target alone sends nobody there. What its gates say still counts.
#[test]
fn a_dead_target_is_not_left_for_a_legacy_that_is_too_small() {
    let mut sim = Sim::new(one());
    sim.until_stage("only", Stage::Shifting(1));
    sim.health("only").gate_silent = true;
    sim.health("only").legacy = 1;
    sim.health("only").target = 0;
    ticks(&mut sim, 100);
    assert_eq!(sim.record.services["only"].direction, Direction::Forward, "{}", sim.log.join("\n"));
    sim.health("only").legacy = 2;
    sim.until(5, |s| s.record.services["only"].direction == Direction::Backward);
    sim.until_outcome(Outcome::RolledBack);
}

/// A legacy that the route cannot name for now is no worse than target: it is being made, and then judged.
#[test]
fn the_way_back_waits_for_a_backend_that_is_being_made_and_does_not_hold() {
    let mut sim = Sim::new(one());
    sim.until_stage("only", Stage::Soaking);
    sim.health("only").backends[0] = Backend::Missing;
    sim.orders.intent = Intent::Rollback;
    sim.until_outcome(Outcome::RolledBack);
    assert!(!sim.events.iter().any(|event| matches!(event, Event::Held { .. })), "{}", sim.log.join("\n"));
}

#[test]
fn legacy_that_dies_while_its_service_is_to_go_back_is_left_all_the_same() {
    let mut sim = Sim::new(one());
    sim.until_stage("only", Stage::Shifting(1));
    sim.until(5, |s| s.routes["only"].weight == weight(25));
    sim.health("only").legacy = 0;
    sim.orders.intent = Intent::Rollback;
    sim.lose_next = 1; // and that is given again, too
    sim.until(5, |s| s.routes["only"].weight == weight(100));
    sim.until_outcome(Outcome::Held);
    assert!(sim.waits[0].contains("no-worse"), "{:?}", sim.waits);
    sim.health("only").legacy = 2;
    sim.until_outcome(Outcome::RolledBack);
    assert_eq!(sim.written("only"), ["5", "25", "100", "0"]);
}

/// Once found by a random plan: legacy was judged before the first weight of the way back, and got all the others whatever became
/// of it.
#[test]
fn a_legacy_that_dies_between_the_weights_of_a_way_back_is_left_and_gets_no_more() {
    let mut service = service(1, "one", &[]);
    service.rollback_steps = vec![weight(50), weight(10), weight(0)];
    let mut sim = Sim::new(Revision::of(plan(vec![("only", service)])));
    sim.until_stage("only", Stage::Soaking);
    sim.orders.intent = Intent::Rollback;
    sim.until(5, |s| s.routes["only"].weight == weight(50));
    sim.health("only").legacy = 0;
    sim.until(5, |s| s.routes["only"].weight == weight(100));
    sim.health("only").legacy = 2;
    sim.until_outcome(Outcome::RolledBack);
    assert!(sim.written("only").ends_with(&["100", "50", "10", "0"]), "{:?}", sim.written("only"));
    sim.replays();
}

/// Traffic to a side that may not write is traffic that fails.
#[test]
fn a_legacy_that_is_the_writer_again_is_not_left_for_a_target_that_is_not() {
    let mut sim = Sim::new(writer(Some(())));
    sim.until_stage("only", Stage::Soaking);
    sim.orders.intent = Intent::Rollback;
    sim.until(60, |s| s.log.iter().any(|line| line == "only/task-reverse-promote"));
    sim.lose_next = 1; // the traffic does not follow
    sim.until_stage("only", Stage::Returning);
    sim.health("only").legacy = 0;
    ticks(&mut sim, 1_000);
    sim.health("only").legacy = 2;
    sim.until_outcome(Outcome::RolledBack);
    assert!(sim.written("only").ends_with(&["0"]) && !sim.written("only")[1..].contains(&"100"), "{:?}", sim.written("only"));
}

#[test]
fn a_service_of_the_target_that_is_deleted_is_dead_and_is_left_for_a_legacy_that_is_less_than_enough() {
    let mut sim = Sim::new(one());
    sim.until_stage("only", Stage::Shifting(1));
    let health = sim.health("only");
    (health.backends[1], health.target, health.target_errs) = (Backend::Absent, 0, true);
    health.legacy = 1; // too few for everything, and better than nobody
    sim.until_outcome(Outcome::RolledBack);
    assert_eq!(sim.written("only"), ["5", "25", "0"]);
}

/// Wrong answers count: a target whose every endpoint answers errors is dead, and half a legacy is better than that.
#[test]
fn a_target_that_answers_errors_everywhere_is_left_for_half_a_legacy() {
    let mut sim = Sim::new(one());
    sim.until_stage("only", Stage::Soaking);
    let health = sim.health("only");
    (health.legacy, health.target, health.target_errs) = (1, 0, true);
    sim.until_outcome(Outcome::RolledBack);
    assert_eq!(sim.written("only"), ["5", "25", "100", "0"]);
}

/// What a gate says is *not good enough*, not how much: `docs/design/invariants.md` says why it does not lower the rank.
#[test]
fn a_gate_that_fails_on_a_healthy_target_does_not_make_half_a_legacy_better() {
    let mut sim = Sim::new(one());
    sim.until_stage("only", Stage::Soaking);
    sim.health("only").legacy = 1;
    sim.health("only").target_errs = true;
    sim.until_outcome(Outcome::Held);
    let hold = sim.record.services["only"].hold.clone().unwrap().reason;
    assert_eq!(hold, Reason::NoWorse { legacy: SideRank::Short, target: SideRank::Enough });
    assert_eq!(sim.routes["only"].weight, weight(100), "traffic stays where it is");
    let way_out = hold.way_out().to_string();
    assert!(way_out.contains("give it enough healthy endpoints") && !way_out.contains("gapless"), "{way_out}");
    sim.health("only").legacy = 2;
    sim.until_outcome(Outcome::RolledBack);
}

/// A look decides in passes, until one changes nothing: what the passes ask for is asked for once (the test's world checks).
#[test]
fn a_backend_is_made_once_a_look_however_often_that_look_decides() {
    let mut sim = Sim::new(Revision::of(plan(vec![("a", service(1, "one", &[])), ("b", service(2, "one", &[]))])));
    sim.lose_next = 1_000;
    let mut made = 0;
    while sim.stage("a") == Stage::Waiting {
        sim.health("b").backends[1] = Backend::Missing;
        made = sim.tick().effects.iter().filter(|effect| matches!(effect.action, Action::EnsureBackend { .. })).count();
    }
    assert_eq!(made, 1, "in the look that orders the first weight of the other");
}
