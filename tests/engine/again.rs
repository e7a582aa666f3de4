//! What is tried again, and what is not: attempts, resumes, failed tasks, lost orders.

use std::collections::BTreeMap;

use gapless::{
    engine::{Event, Intent, Outcome, Stage},
    plan::{OnFailure, Revision, Service, ServiceMoment, Span},
};

use jiff::SignedDuration;

use crate::{
    plans::{http, one, plan, service, task, undo_by},
    sim::{Sim, ticks},
};

fn with_a_task() -> Sim {
    let mut only = Service { on_failure: OnFailure::Hold, ..service(1, "one", &[]) };
    only.tasks = BTreeMap::from([("pause".parse().unwrap(), task(ServiceMoment::BeforeShift, http("pause"), undo_by("resume")))]);
    Sim::new(Revision::of(plan(vec![("only", only)])))
}

/// A plan of two, so that a run goes on when one of them is back.
fn beside_another() -> Sim {
    let mut other = service(2, "one", &[]);
    other.soak.length = Span::from_secs(3600);
    Sim::new(Revision::of(plan(vec![("only", service(1, "one", &[])), ("other", other)])))
}

/// A service that holds because nobody knows what its gate says.
fn held_by_a_silence() -> Sim {
    let mut sim = Sim::new(one());
    sim.until_stage("only", Stage::Shifting(1));
    sim.health("only").gate_silent = true;
    sim.until(60, |s| s.record.services["only"].hold.is_some());
    sim
}

fn goes_back(sim: &mut Sim) {
    sim.health("only").target_errs = true;
    sim.until(60, |s| s.stage("only") == Stage::Returned);
    sim.health("only").target_errs = false;
    ticks(sim, 20);
}

fn retry(sim: &mut Sim, attempt: u32) {
    sim.orders.retries.insert("only".parse().unwrap(), attempt);
}

#[test]
fn an_attempt_that_was_made_is_not_made_again_by_the_same_order() {
    let mut sim = beside_another();
    sim.until_stage("only", Stage::Shifting(1));
    goes_back(&mut sim);
    retry(&mut sim, 1);
    sim.until_stage("only", Stage::Shifting(1));
    goes_back(&mut sim);
    ticks(&mut sim, 100);
    assert_eq!((sim.stage("only"), sim.record.services["only"].attempt), (Stage::Returned, 1));
    retry(&mut sim, 2);
    sim.until_stage("only", Stage::Shifting(1));
}

#[test]
fn a_service_is_not_tried_again_before_all_of_it_is_taken_back() {
    let mut sim = with_a_task();
    sim.until_stage("only", Stage::Soaking); // where a guard takes it back
    sim.hanging.insert("pause".into());
    goes_back(&mut sim);
    retry(&mut sim, 1);
    ticks(&mut sim, 100);
    assert_eq!(sim.record.services["only"].attempt, 0, "its undo is still on its way");
    sim.hanging.clear();
    sim.until_outcome(Outcome::Completed);
    assert_eq!(sim.record.services["only"].attempt, 1);
}

#[test]
fn a_service_is_not_tried_again_before_its_route_is_given_up() {
    let mut sim = beside_another();
    sim.until_stage("only", Stage::Shifting(1));
    sim.health("only").target_errs = true;
    sim.until(60, |s| s.stage("only") == Stage::Returning && s.routes["only"].weight.percent() == 0);
    sim.lose_next = 1_000;
    sim.until(60, |s| s.stage("only") == Stage::Returned);
    sim.health("only").target_errs = false;
    retry(&mut sim, 1);
    ticks(&mut sim, 40);
    assert_eq!(sim.record.services["only"].attempt, 0, "its route still bears the first attempt's claim");
    sim.lose_next = 0;
    sim.until_stage("only", Stage::Shifting(1));
    assert_eq!(sim.record.services["only"].attempt, 1);
}

#[test]
fn a_resume_clears_what_holds_when_it_is_given_and_nothing_later() {
    let mut sim = Sim::new(one());
    sim.orders.resumes = Some(100);
    ticks(&mut sim, 3);
    sim.orders.intent = Intent::Hold;
    ticks(&mut sim, 3);
    sim.orders.intent = Intent::Run;
    ticks(&mut sim, 40);
    assert!(sim.record.latch.is_some(), "the order that stands there is an old one");
}

#[test]
fn a_silence_counts_anew_after_a_resume() {
    let mut sim = held_by_a_silence();
    sim.orders.resumes = sim.record.services["only"].hold.as_ref().map(|hold| hold.id);
    ticks(&mut sim, 200);
    assert_eq!(sim.record.services["only"].hold, None, "ten seconds of twenty");
    sim.until(60, |s| s.record.services["only"].hold.is_some());
}

#[test]
fn a_task_that_failed_is_done_once_more_after_a_resume() {
    let mut sim = with_a_task();
    sim.failing.insert("pause".into());
    sim.until(60, |s| s.record.services["only"].hold.is_some());
    sim.orders.resumes = sim.record.services["only"].hold.as_ref().map(|hold| hold.id);
    sim.tick();
    sim.failing.clear();
    sim.until_outcome(Outcome::Completed);
    let numbers: Vec<u32> = sim
        .events
        .iter()
        .filter_map(|event| match event {
            Event::TaskDone { task } => Some(task.number),
            _ => None,
        })
        .collect();
    assert_eq!(numbers, [2], "another doing, under another number");
}

#[test]
fn what_held_on_the_way_there_does_not_hold_on_the_way_back() {
    let mut sim = held_by_a_silence();
    sim.orders.intent = Intent::Rollback;
    sim.tick();
    assert_eq!(sim.record.services["only"].hold, None);
    sim.until_outcome(Outcome::RolledBack);
}

/// Once found by a random plan: an order was lost for the second time after its minute, and no moment to look was named any more.
#[test]
fn an_order_that_is_lost_again_after_its_minute_is_looked_for_in_time() {
    let mut sim = Sim::new(one());
    sim.until_stage("only", Stage::Shifting(0));
    sim.lose_next = u32::MAX;
    sim.until_stage("only", Stage::Shifting(1));
    ticks(&mut sim, 1_300); // 65 s
    let decision = sim.look();
    let given = decision.effects.first().unwrap().precondition.deadline;
    assert!(decision.due_at.is_some_and(|at| at <= given), "{:?}, given until {given}", decision.due_at);
}

#[test]
fn a_lost_order_is_looked_for_as_soon_as_it_can_be_given_again() {
    let mut sim = Sim::new(one());
    sim.lose_next = 1;
    sim.until(60, |s| s.record.services["only"].order.is_some());
    let order = sim.record.services["only"].order.unwrap();
    ticks(&mut sim, 2);
    let due = sim.look().due_at.unwrap().duration_since(order.at);
    assert!(due <= SignedDuration::from_millis(500), "{due:?}");
}
