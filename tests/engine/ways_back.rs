//! Who turns round, and when: ways back as they were told by random plans and the explorer.

use gapless::{
    engine::{Direction, Event, Outcome, Stage},
    plan::{OnFailure, Revision, RollbackScope, Service, ServiceMoment, Soak, Span, Undo},
};

use crate::{
    plans::{http, plan, service, task, undo_by, weight},
    sim::{Sim, ticks},
};

/// Once found by the explorer: the phase behind was open still for the look in which its service went back.
#[test]
fn nothing_of_a_later_phase_starts_in_the_look_in_which_an_earlier_one_goes_back() {
    for rounds in 0..6 {
        let soak = Soak { length: Span::from_secs(60), guard_for: Span::ZERO, on_failure: OnFailure::Rollback };
        let early = Service { soak, ..service(1, "one", &[]) };
        let mut sim = Sim::new(Revision::of(plan(vec![("early", early), ("late", service(2, "two", &[]))])));
        sim.health("late").target_errs = true;
        sim.until_stage("early", Stage::Soaking);
        sim.until(5, |s| s.waits.iter().any(|wait| wait.starts_with("late") && wait.contains("gate answers fails")));
        sim.health("early").target_errs = true;
        ticks(&mut sim, 2 * rounds);
        sim.health("late").target_errs = false;
        sim.until(5, |s| s.record.services["early"].direction == Direction::Backward);
        let goes_back = sim.log.iter().position(|line| line.contains("early: goes back"));
        let starts = sim.log.iter().position(|line| line.contains("late: target found ready"));
        assert!(starts.is_none() || starts < goes_back, "healed {rounds} rounds later:\n{}", sim.log.join("\n"));
    }
}

/// Once found by a random plan: the way back began a step below the weight that was ordered, which was more than target had.
#[test]
fn a_way_back_never_gives_target_more_than_it_has() {
    let mut service = service(1, "one", &[]);
    service.rollback_steps = vec![weight(50), weight(10), weight(0)];
    let mut sim = Sim::new(Revision::of(plan(vec![("only", service)])));
    sim.until_stage("only", Stage::Shifting(1));
    sim.until(5, |s| s.written("only") == ["5", "25"]);
    sim.lose_next = 1;
    sim.until_stage("only", Stage::Shifting(2));
    sim.health("only").target = 0;
    sim.until_outcome(Outcome::RolledBack);
    assert_eq!(sim.written("only"), ["5", "25", "10", "0"]);
}

/// Once found by a random plan: a service whose shift had begun was not stopped by its phase any more.
#[test]
fn a_shift_that_has_begun_waits_when_a_service_of_an_earlier_phase_turns_round() {
    let mut late = service(2, "two", &[]);
    late.tasks = [("pause".parse().unwrap(), task(ServiceMoment::BeforeShift, http("pause"), undo_by("resume")))].into();
    let soak = Soak { length: Span::from_secs(60), guard_for: Span::ZERO, on_failure: OnFailure::Rollback };
    let early = Service { soak, ..service(1, "one", &[]) };
    let mut sim = Sim::new(Revision::of(plan(vec![("early", early), ("late", late)])));
    sim.hanging.insert("pause".into());
    sim.until(60, |s| s.log.iter().any(|line| line == "late/task-pause"));
    sim.health("early").legacy = 0; // it may not go back, for it is no better there
    sim.health("early").target_errs = true;
    sim.until(5, |s| s.record.services["early"].direction == Direction::Backward);
    sim.hanging.clear();
    ticks(&mut sim, 200);
    assert_eq!(sim.written("late"), [""; 0], "{:?}", sim.waits);
    assert!(
        sim.waits.iter().any(|wait| wait == "late/prepare: phase one comes first, and its service early is not on target yet"),
        "{:?}",
        sim.waits
    );
}

/// Once found by a random plan: the way back of the other one was withheld, for the one that it goes with was under way again.
#[test]
fn who_goes_back_with_another_does_so_though_that_one_is_tried_again_in_the_same_look() {
    let mut first = service(1, "one", &[]);
    first.rollback_scope = RollbackScope::Run;
    first.tasks =
        [("pause".parse().unwrap(), task(ServiceMoment::BeforePrepare, http("pause"), Undo::None("said".into())))].into();
    let mut sim = Sim::new(Revision::of(plan(vec![("first", first), ("second", service(2, "one", &[]))])));
    sim.hanging.insert("pause".into());
    sim.until_stage("second", Stage::Shifting(1));
    sim.orders.retries.insert("first".parse().unwrap(), 1);
    sim.failing.insert("pause".into());
    sim.hanging.clear();
    sim.until(60, |s| s.record.services["second"].direction == Direction::Backward);
    assert_eq!(sim.record.services["first"].attempt, 1, "{}", sim.log.join("\n"));
    assert_eq!(sim.record.services["first"].direction, Direction::Forward);
    sim.until_stage("second", Stage::Returned);
}

/// Once found by the explorer in a random plan: the check objected to a first weight that the same look took back, and the service held.
#[test]
fn a_first_weight_and_its_way_back_in_one_look_are_no_weight() {
    let mut together = 0;
    for rounds in 0..30 {
        let with_task = |act| task(ServiceMoment::BeforePrepare, act, Undo::None("said".into()));
        let mut last = service(3, "one", &["base", "then"]);
        last.rollback_scope = RollbackScope::Run;
        last.tasks = [("prep".parse().unwrap(), with_task(http("prep")))].into();
        let (base, then) = (service(1, "one", &[]), service(2, "one", &["base"]));
        let mut sim = Sim::new(Revision::of(plan(vec![("base", base), ("then", then), ("thereafter", last)])));
        sim.hanging.insert("prep".into());
        sim.health("then").target = 0; // it does not start yet
        sim.until_stage("base", Stage::Soaking);
        sim.health("then").target = 2;
        ticks(&mut sim, rounds);
        sim.failing.insert("prep".into());
        sim.hanging.clear();
        sim.until(5, |s| s.record.services["then"].direction == Direction::Backward);
        let starts = sim.log.iter().position(|line| line.contains("then: target found ready"));
        let goes_back = sim.log.iter().position(|line| line.contains("then: goes back"));
        together += usize::from(sim.written("then").is_empty() && starts.is_some() && starts < goes_back);
        assert!(!sim.events.iter().any(|event| matches!(event, Event::Withheld { .. })), "{rounds}: {}", sim.log.join("\n"));
        sim.until_outcome(Outcome::RolledBack);
    }
    assert!(together > 0, "none of them did both in one look");
}
