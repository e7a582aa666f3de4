//! One writer: catch-up, fence, lag proven 0, promote, all traffic; and the other way round.

use gapless::{
    engine::{Direction, Event, Intent, Outcome, Stage},
    plan::{Data, Gate, OnFailure, Revision, Service, ServiceMoment, Soak, Span, Undo, UndoWhen, Weight},
};

use crate::{
    lost_promotions::lost_promotion,
    plans::{http, other_gate, plan, service, task, writer},
    sim::{Sim, ticks},
};

/// What was ordered and refused, without what the engine noted.
pub fn order(sim: &Sim) -> Vec<String> {
    sim.log.iter().filter(|l| !l.starts_with('-')).cloned().collect()
}

#[test]
fn the_right_to_write_moves_before_the_traffic_and_in_this_order() {
    let mut sim = Sim::new(writer(None));
    sim.until_outcome(Outcome::Completed);
    assert_eq!(order(&sim), ["only/task-fence", "only/task-promote", "only 100"]);
    assert_eq!(sim.writable["only"], (false, true));
}

#[test]
fn a_lag_that_never_reaches_zero_ends_in_an_unfenced_legacy_within_the_pause_budget() {
    let mut sim = Sim::new(writer(None));
    sim.until(60, |s| s.log.iter().any(|l| l == "only/task-fence"));
    sim.bad.insert("lag".into());
    let fenced = sim.now;
    sim.until(60, |s| s.log.iter().any(|l| l == "only/undo-fence"));
    let pause = sim.now.duration_since(fenced).as_secs();
    assert_eq!(pause, 4, "of 5 s, for either end of it takes one");
    sim.until_outcome(Outcome::RolledBack);
    assert_eq!(sim.writable["only"], (true, false));
    assert!(!order(&sim).iter().any(|l| l.contains("promote")), "{:?}", order(&sim));
}

#[test]
fn a_pause_ends_in_time_whatever_else_is_lost_behind_the_fence() {
    for what in ["its target dies", "its gate fails", "its gate is silent"] {
        let mut sim = Sim::new(writer(None));
        sim.until(60, |s| s.log.iter().any(|l| l == "only/task-fence"));
        sim.bad.insert("lag".into());
        match what {
            "its target dies" => sim.health("only").target = 0,
            "its gate fails" => sim.health("only").target_errs = true,
            _ => sim.health("only").gate_silent = true,
        }
        let fenced = sim.now;
        sim.until(60, |s| s.log.iter().any(|l| l == "only/undo-fence"));
        let pause = sim.now.duration_since(fenced).as_secs();
        assert_eq!(pause, 4, "{what}: of 5 s, for either end of it takes one");
        sim.until_outcome(Outcome::RolledBack);
        assert_eq!(sim.writable["only"], (true, false), "{what}");
    }
}

#[test]
fn without_a_way_back_for_the_writer_promotion_is_the_point_of_no_return() {
    let mut sim = Sim::new(writer(None));
    sim.until_stage("only", Stage::Soaking);
    sim.orders.intent = Intent::Rollback;
    sim.until(60, |s| s.record.services["only"].hold.is_some());
    assert_eq!(sim.record.services["only"].stage, Stage::Soaking);
    let why = sim.record.services["only"].hold.clone().unwrap().reason.to_string();
    assert!(why.contains("task-promote has started") && why.contains("nothing is copied back"), "{why}");
    assert_eq!(sim.written("only"), ["100"]);
}

#[test]
fn the_way_back_of_the_writer_comes_before_the_way_back_of_the_traffic() {
    let mut sim = Sim::new(writer(Some(())));
    sim.until_stage("only", Stage::Soaking);
    sim.orders.intent = Intent::Rollback;
    sim.until_outcome(Outcome::RolledBack);
    let back: Vec<String> = order(&sim).split_off(3);
    assert_eq!(back, ["only/task-reverse-fence", "only/task-reverse-promote", "only 0"]);
    assert_eq!(sim.writable["only"], (true, false));
}

#[test]
fn a_crash_between_fence_and_promotion_goes_on_where_it_was() {
    let mut sim = Sim::new(writer(None));
    sim.until(60, |s| s.log.iter().any(|l| l == "only/task-fence"));
    sim.crash();
    sim.until_outcome(Outcome::Completed);
    assert_eq!(order(&sim), ["only/task-fence", "only/task-promote", "only 100"]);
}

#[test]
fn data_that_differs_keeps_the_soak_from_beginning() {
    let mut sim = Sim::new(writer(Some(())));
    sim.bad.insert("rows".into());
    sim.until(60, |s| s.waits.iter().any(|w| w.contains("gate rows fails")));
    assert_eq!(sim.stage("only"), Stage::Shifting(0));
}

/// A writer that may be fenced before its lag is nothing.
fn busy() -> Revision {
    let mut plan = writer(None).plan().clone();
    plan.services.get_mut("only").unwrap().data.as_mut().unwrap().catch_up = Some(other_gate());
    Revision::of(plan)
}

/// While writes flow a busy writer never shows a lag of nothing: the run waited for that, and never fenced.
#[test]
fn a_busy_writer_is_fenced_once_it_has_caught_up_and_promoted_only_when_nothing_is_left() {
    let mut sim = Sim::new(busy());
    sim.bad.insert("lag".into());
    sim.until(60, |s| s.log.iter().any(|l| l == "- only/task-fence: done"));
    sim.until(60, |s| s.waits.iter().any(|w| w.contains("gate lag fails")));
    assert!(!order(&sim).iter().any(|l| l.contains("promote")), "{:?}", order(&sim));
    sim.bad.remove("lag");
    sim.until_outcome(Outcome::Completed);
    assert_eq!(order(&sim), ["only/task-fence", "only/task-promote", "only 100"]);
}

#[test]
fn a_writer_that_has_not_caught_up_is_not_fenced_though_its_lag_were_nothing_for_a_moment() {
    let mut sim = Sim::new(busy());
    sim.bad.insert("catch-up".into());
    sim.until(60, |s| s.waits.iter().any(|w| w.starts_with("only/catch-up") && w.contains("gate catch-up fails")));
    let until = sim.now + jiff::SignedDuration::from_secs(20);
    sim.until(30, |s| s.now > until);
    assert!(order(&sim).is_empty(), "{:?}", order(&sim));
    sim.bad.remove("catch-up");
    sim.until_outcome(Outcome::Completed);
}

/// Once found by random plans: each look ended that hold and began it anew, with another number and another moment.
#[test]
fn a_step_of_the_way_back_that_fails_holds_once() {
    let mut sim = Sim::new(writer(Some(())));
    sim.until_stage("only", Stage::Soaking);
    sim.failing.insert("reverse-promote".into());
    sim.orders.intent = Intent::Rollback;
    sim.until(60, |s| s.record.services["only"].hold.is_some());
    let hold = sim.record.services["only"].hold.clone();
    sim.until(60, |s| s.now > hold.as_ref().unwrap().since + jiff::SignedDuration::from_secs(5));
    assert_eq!(sim.record.services["only"].hold, hold);
    assert_eq!(sim.outcome, Some(Outcome::Held), "{:?}", sim.waits);
    // The order to go back stands meanwhile; a resume once was passed over beside it.
    sim.failing.clear();
    sim.orders.resumes = hold.map(|hold| hold.id);
    sim.until_outcome(Outcome::RolledBack);
    assert!(sim.events.iter().any(|event| matches!(event, Event::Resumed { .. })), "{}", sim.log.join("\n"));
    assert_eq!(sim.writable["only"], (true, false));
}

/// Nothing held, so there was nothing to be resumed, and nobody could write for good.
#[test]
fn what_fails_while_the_fence_is_taken_back_holds_and_a_resume_does_it_once_more() {
    for reverse in [None, Some(())] {
        for step in ["only/undo-fence", "only/undo-promote"] {
            let mut sim = match step {
                "only/undo-fence" => {
                    let mut sim = Sim::new(writer(reverse));
                    sim.until(60, |s| s.log.iter().any(|l| l == "- only/task-fence: done"));
                    sim
                }
                _ => lost_promotion(writer(reverse)),
            };
            sim.bad.insert("lag".into());
            let task = step.trim_start_matches("only/undo-");
            sim.failing.insert(task.into());
            sim.until(60, |s| s.record.services["only"].hold.is_some());
            let hold = sim.record.services["only"].hold.clone().unwrap();
            assert_eq!(hold.reason.to_string(), format!("task {task} failed: exit 1"), "{step}, {reverse:?}");
            ticks(&mut sim, 100);
            assert_eq!(sim.outcome, Some(Outcome::Held), "{step}, {reverse:?}: {:?}", sim.waits);
            sim.failing.clear();
            sim.orders.resumes = Some(hold.id);
            sim.until_outcome(Outcome::RolledBack);
            assert_eq!(sim.writable["only"], (true, false), "{step}, {reverse:?}");
            assert!(order(&sim).iter().all(|line| !line.contains("task-promote")), "{:?}", order(&sim));
        }
    }
}

/// Once found by random plans: the run ended when what it needs was back, and nobody could write.
#[test]
fn a_run_does_not_end_before_the_writer_is_back_though_no_traffic_of_it_moved() {
    let mut plan = writer(Some(())).plan().clone();
    plan.services.insert("base".parse().unwrap(), service(7, "one", &[]));
    plan.services.get_mut("only").unwrap().needs = service(8, "one", &["base"]).needs;
    let mut sim = Sim::new(Revision::of(plan));
    sim.until(60, |s| s.log.iter().any(|l| l == "only/task-promote"));
    sim.orders.intent = Intent::Rollback;
    sim.until_outcome(Outcome::RolledBack);
    assert_eq!(sim.writable["only"], (true, false), "{}", sim.log.join("\n"));
    assert_eq!(sim.stage("only"), Stage::Returned);
}

/// A hold of the run left a service between fence and promotion, where nobody can write, for as long as it stood.
#[test]
fn a_hold_of_a_person_lets_a_switch_of_writers_finish() {
    let mut sim = Sim::new(writer(Some(())));
    sim.until(60, |s| s.log.iter().any(|l| l == "only/task-fence"));
    sim.orders.intent = Intent::Hold;
    sim.until(60, |s| s.routes["only"].weight == Weight::FULL);
    assert_eq!(order(&sim), ["only/task-fence", "only/task-promote", "only 100"]);
    assert_eq!(sim.writable["only"], (false, true));
}

#[test]
fn a_hold_before_the_fence_keeps_legacy_the_writer() {
    let mut sim = Sim::new(writer(Some(())));
    sim.bad.insert("lag".into());
    sim.until(60, |s| s.waits.iter().any(|w| w.contains("gate lag fails")));
    sim.orders.intent = Intent::Hold;
    sim.tick();
    sim.bad.clear();
    sim.until_outcome(Outcome::Held);
    assert!(order(&sim).is_empty(), "{:?}", order(&sim));
}

/// What keeps a service from its next step must not keep it from taking its fence back: nobody can write meanwhile.
#[test]
fn the_pause_budget_is_watched_whatever_else_a_fenced_writer_waits_for() {
    let in_the_way: [fn(&mut Sim); 4] = [
        |sim| sim.health("only").target_errs = true,
        |sim| sim.health("only").gate_silent = true,
        |sim| sim.health("only").target = 0,
        |sim| sim.orders.intent = Intent::Hold,
    ];
    for (number, befalls) in in_the_way.into_iter().enumerate() {
        let mut sim = Sim::new(writer(None));
        sim.silent.insert("fence-proof".into());
        sim.until(60, |s| s.log.iter().any(|l| l == "only/task-fence"));
        let fenced = sim.now;
        befalls(&mut sim);
        sim.until(60, |s| s.log.iter().any(|l| l == "only/undo-fence"));
        let pause = sim.now.duration_since(fenced).as_secs();
        assert_eq!(pause, 4, "{number}: of 5 s, for either end of it takes one");
    }
}

/// A writer that is made otherwise in something.
pub fn writer_with(reverse: Option<()>, change: impl FnOnce(&mut Service)) -> Revision {
    let mut plan = writer(reverse).plan().clone();
    change(plan.services.get_mut("only").unwrap());
    Revision::of(plan)
}

pub fn data(service: &mut Service) -> &mut Data {
    service.data.as_mut().unwrap()
}

/// Once found by random plans: it held there, and was held again at each resume, with nobody able to write.
#[test]
fn a_pause_over_its_budget_takes_the_fence_back_though_failures_are_to_hold() {
    let mut sim = Sim::new(writer_with(None, |only| only.on_failure = OnFailure::Hold));
    sim.until(60, |s| s.log.iter().any(|l| l == "only/task-fence"));
    sim.bad.insert("lag".into());
    sim.until_outcome(Outcome::RolledBack);
    assert_eq!(sim.writable["only"], (true, false));
}

/// A promotion that takes longer than what is left of the budget is not begun: the pause would be over long before it ends.
#[test]
fn a_promotion_that_would_end_after_the_budget_is_not_begun() {
    let mut sim = Sim::new(writer_with(None, |only| data(only).promote.expect = Span::from_secs(3)));
    sim.until(60, |s| s.log.iter().any(|l| l == "only/task-fence"));
    sim.bad.insert("lag".into());
    let fenced = sim.now;
    sim.until(60, |s| s.log.iter().any(|l| l == "only/undo-fence"));
    assert_eq!(sim.now.duration_since(fenced).as_secs(), 2);
    sim.until_outcome(Outcome::RolledBack);
}

/// The same for a fence whose way back takes longer.
#[test]
fn a_fence_is_taken_back_early_enough_to_be_gone_within_the_budget() {
    let mut sim = Sim::new(writer_with(None, |only| data(only).unfence.as_mut().unwrap().expect = Span::from_secs(2)));
    sim.until(60, |s| s.log.iter().any(|l| l == "only/task-fence"));
    sim.bad.insert("lag".into());
    let fenced = sim.now;
    sim.until(60, |s| s.log.iter().any(|l| l == "only/undo-fence"));
    assert_eq!(sim.now.duration_since(fenced).as_secs(), 3);
}

/// The tasks of before the fence were taken back first, behind the fence, and nobody could write for as long as they took.
#[test]
fn the_way_back_of_a_writer_is_the_reverse_of_its_way_there() {
    let undo =
        |path: &str| Undo::Do { act: http(path), when: UndoWhen::BeforeTraffic, deadline: None, expect: Span::from_secs(1) };
    let revision = writer_with(Some(()), |only| {
        let moments = [("quiet", ServiceMoment::BeforeShift), ("loud", ServiceMoment::AfterShift)];
        only.tasks = moments.map(|(name, at)| (name.parse().unwrap(), task(at, http(name), undo(name)))).into();
    });
    let mut sim = Sim::new(revision);
    sim.until_stage("only", Stage::Soaking);
    assert_eq!(order(&sim), ["only/task-quiet", "only/task-fence", "only/task-promote", "only 100", "only/task-loud"]);
    sim.orders.intent = Intent::Rollback;
    sim.until_outcome(Outcome::RolledBack);
    let back = ["only/undo-loud", "only/task-reverse-fence", "only/task-reverse-promote", "only/undo-quiet", "only 0"];
    assert_eq!(order(&sim).split_off(5), back);
}

/// It was waited for without end, whatever the plan said.
#[test]
fn a_lag_that_nobody_can_tell_for_longer_than_its_limit_acts_as_the_plan_says() {
    let limited = |gate: &mut Gate, on_unknown| (gate.unknown_limit, gate.on_unknown) = (Span::from_secs(10), on_unknown);
    for (on_unknown, ends) in [(OnFailure::Hold, Outcome::Held), (OnFailure::Rollback, Outcome::RolledBack)] {
        let revision = writer_with(None, |only| {
            limited(&mut data(only).lag, on_unknown);
            data(only).catch_up = Some(Gate { every: Span::from_millis(10), ..other_gate() });
            limited(data(only).catch_up.as_mut().unwrap(), on_unknown);
        });
        let mut sim = Sim::new(revision);
        sim.silent.insert("catch-up".into());
        let begun = sim.now;
        sim.until_outcome(ends);
        let took = sim.now.duration_since(begun).as_secs();
        assert!((10..=14).contains(&took), "{ends:?} after {took} s");
        assert!(order(&sim).is_empty(), "{:?}", order(&sim));
        if ends == Outcome::Held {
            let why = sim.record.services["only"].hold.clone().unwrap().reason.to_string();
            assert!(why.contains("catch-up"), "{why}");
            sim.silent.clear();
            sim.orders.resumes = sim.record.services["only"].hold.as_ref().map(|hold| hold.id);
            sim.until_outcome(Outcome::Completed);
        }
    }
}

/// The way forward is the shorter one then, however long the pause has been: what it takes back would be a second pause.
#[test]
fn a_pause_over_its_budget_takes_no_promoted_target_back() {
    let mut sim = Sim::new(writer(Some(())));
    sim.until(60, |s| s.log.iter().any(|l| l == "only/task-promote"));
    sim.silent.insert("promote-proof".into());
    let until = sim.now + jiff::SignedDuration::from_secs(20);
    sim.until(30, |s| s.now > until);
    assert_eq!(sim.stage("only"), Stage::Waiting);
    sim.silent.clear();
    sim.until_outcome(Outcome::Completed);
    assert_eq!(order(&sim), ["only/task-fence", "only/task-promote", "only 100"]);
}

#[test]
fn a_promoted_target_gets_its_traffic_though_legacy_is_dead() {
    let mut sim = Sim::new(writer(Some(())));
    sim.until(60, |s| s.log.iter().any(|l| l == "only/task-promote"));
    sim.health("only").legacy = 0;
    sim.until(60, |s| s.written("only") == ["100"]);
}

/// Traffic that goes on to a legacy which is still read-only is traffic that fails.
#[test]
fn a_fence_that_was_taken_back_is_proven_to_be_gone() {
    let mut sim = Sim::new(writer(None));
    sim.until(60, |s| s.log.iter().any(|l| l == "only/task-fence"));
    sim.bad.insert("lag".into());
    sim.silent.insert("unfence-proof".into());
    sim.until(60, |s| s.log.iter().any(|l| l == "- only/undo-fence: done"));
    let until = sim.now + jiff::SignedDuration::from_secs(20);
    sim.until(30, |s| s.now > until);
    assert_eq!((sim.stage("only"), sim.outcome), (Stage::Waiting, None), "{:?}", sim.waits);
    sim.silent.clear();
    sim.until_outcome(Outcome::RolledBack);
}

/// `only` in a second phase behind `early`, which turns round as soon as this much was done for `only`.
fn turns_round_behind(done: &str, reverse: Option<()>, change: impl FnOnce(&mut Data)) -> Sim {
    let second = |service: &mut Service| service.phase = "two".parse().unwrap();
    let mut only = writer_with(reverse, second).plan().services["only"].clone();
    change(data(&mut only));
    let soak = Soak { length: Span::from_secs(60), guard_for: Span::ZERO, on_failure: OnFailure::Rollback };
    let early = Service { soak, ..service(2, "one", &[]) };
    let soak = Soak { length: Span::from_secs(300), ..early.soak };
    let long = Service { soak, ..service(3, "one", &[]) }; // what is left of the run
    let mut sim = Sim::new(Revision::of(plan(vec![("early", early), ("long", long), ("only", only)])));
    sim.silent.insert("promote-proof".into());
    sim.until(60, |s| s.log.iter().any(|line| line == &format!("only/task-{done}")));
    sim.silent.insert("lag".into());
    sim.health("early").target_errs = true;
    sim.until(5, |s| s.record.services["early"].direction == Direction::Backward);
    sim.silent.clear();
    sim
}

/// Its phase does not come again soon, and until then nobody could write.
#[test]
fn a_fence_is_taken_back_at_once_when_a_service_of_an_earlier_phase_turns_round() {
    let mut sim = turns_round_behind("fence", None, |data| data.pause_budget = Span::from_secs(600));
    sim.until(3, |s| s.log.iter().any(|line| line == "only/undo-fence"));
    sim.until_outcome(Outcome::RolledBack);
    assert_eq!(sim.writable["only"], (true, false));
}

/// Behind the promotion only the traffic ends the pause, and so it does behind a fence that nothing takes back.
#[test]
fn a_switch_that_only_goes_on_is_ended_whatever_becomes_of_an_earlier_phase() {
    for (done, reverse) in [("promote", None), ("promote", Some(())), ("fence", None)] {
        let mut sim = turns_round_behind(done, reverse, |data| {
            if done == "fence" {
                data.unfence = None;
            }
        });
        sim.until(20, |s| s.written("only") == ["100"]);
        sim.until(60, |s| s.stage("early") == Stage::Returned);
        assert_eq!(sim.writable["only"], (false, true), "{done}, {reverse:?}");
        sim.replays();
    }
}

#[test]
fn a_run_does_not_end_beside_a_switch_that_only_goes_on() {
    let mut sim = turns_round_behind("promote", None, |_| {});
    sim.silent.insert("promote-proof".into()); // still
    sim.until_stage("early", Stage::Returned);
    sim.until(400, |s| s.stage("long").is_past_soak());
    ticks(&mut sim, 100);
    assert!(sim.record.ended.is_none(), "{}", sim.log.join("\n"));
    sim.silent.clear();
    sim.until_outcome(Outcome::RolledBack);
    assert_eq!(sim.written("only"), ["100"]);
    assert_eq!(sim.writable["only"], (false, true));
}
