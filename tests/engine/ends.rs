//! The end of legacy: shared systems, scream test, approval; and the way back until then.

use gapless::{
    engine::{About, Direction, Event, Intent, Outcome, Reason, Stage},
    plan::{Decommission, Revision, ServiceMoment, Span, Undo},
};

use crate::{
    plans::{approval, ending, ending_with_writer, http, service, task, two, undo_by, weight, with_roles},
    sim::{Sim, ticks},
};

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

/// Found by the explorer: the order was under way for long, a hand put traffic back on legacy, and the order was given again.
#[test]
fn legacy_is_not_switched_off_by_an_order_given_again_under_traffic_that_came_back() {
    let mut sim = Sim::new(ending());
    sim.until_stage("b", Stage::Soaked);
    sim.approve(end("a"), "cso", &[]);
    sim.until(60, |s| s.waits.iter().any(|wait| wait.starts_with("a/scream-test")));
    sim.lose_next = 1_000;
    sim.until_stage("a", Stage::Decommissioning);
    sim.drift("a", weight(33));
    sim.lose_next = 0;
    ticks(&mut sim, 400);
    assert!(sim.waits.iter().any(|wait| wait.contains("found 33 % on target where 100 %")), "{:?}", sim.waits);
    assert!(!sim.log.iter().any(|line| line == "a/task-switch-off"), "{}", sim.log.join("\n"));
    // It went there for a while only, and left connections.
    sim.active.insert("a".parse().unwrap(), 2);
    sim.drift("a", weight(100));
    ticks(&mut sim, 400);
    assert!(sim.waits.iter().any(|wait| wait.starts_with("a/drain: ")), "{:?}", sim.waits);
    assert!(!sim.log.iter().any(|line| line == "a/task-switch-off"), "{}", sim.log.join("\n"));
    sim.active.clear();
    sim.until_stage("a", Stage::Decommissioned);
}

/// What it needs may have to go back; and so may whoever lives on the same system, at any time until the end.
#[test]
fn an_end_waits_for_what_the_service_needs_and_is_asked_about_again_until_the_last() {
    let mut plan = with_roles(two().plan().clone());
    let how = Decommission { approval: Some(approval("safety", 1)), scream_test: Some(Span::from_secs(2)) };
    plan.services.values_mut().for_each(|service| service.decommission = Some(how.clone()));
    let mut sim = Sim::new(Revision::of(plan));
    let soaks_again = |sim: &mut Sim, name: &str| {
        let now = sim.now;
        let state = sim.record.services.get_mut(name).unwrap();
        (state.stage, state.moved_at) = (Stage::Soaking, Some(now)); // as if it had been moved just now
    };
    sim.until_stage("top", Stage::Soaked);
    soaks_again(&mut sim, "base");
    sim.approve(end("top"), "cso", &[]);
    ticks(&mut sim, 100);
    assert_eq!(sim.stage("top"), Stage::Soaked, "{:?}", sim.waits);
    assert!(sim.waits.iter().any(|wait| wait.starts_with("top/decommission: ") && wait.contains("base")), "{:?}", sim.waits);
    sim.until(60, |sim| sim.waits.iter().any(|wait| wait.starts_with("top/scream-test")));
    soaks_again(&mut sim, "base");
    ticks(&mut sim, 100);
    assert_eq!(sim.stage("top"), Stage::Ending, "{:?}", sim.waits);
    sim.until_stage("top", Stage::Decommissioned);
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

/// Once found by a random plan: the route was given up beside a task after the soak, and the run ended without it.
#[test]
fn who_stays_on_target_does_what_comes_after_its_soak_before_its_route_is_given_up() {
    let mut plan = ending().plan().clone();
    let tidy = task(ServiceMoment::AfterSoak, http("tidy"), undo_by("untidy"));
    plan.services.get_mut("a").unwrap().tasks.insert("tidy".parse().unwrap(), tidy);
    let mut sim = Sim::new(Revision::of(plan));
    sim.hanging.insert("tidy".into());
    sim.until_stage("a", Stage::Soaked);
    sim.health("b").target_errs = true;
    sim.until_stage("b", Stage::Returned);
    ticks(&mut sim, 100);
    assert!(sim.record.ended.is_none() && sim.routes["a"].owner.is_some(), "{}", sim.log.join("\n"));
    sim.hanging.clear();
    sim.until_outcome(Outcome::RolledBack);
    assert!(sim.log.iter().any(|line| line == "- a/task-tidy: done"), "{}", sim.log.join("\n"));
}

/// Once found by a random plan: the run ended, and nobody could write any more.
#[test]
fn a_run_does_not_end_beside_a_way_back_because_another_is_back_on_the_same_system() {
    let mut sim = Sim::new(ending_with_writer());
    sim.until_stage("b", Stage::Soaked);
    sim.hanging.insert("reverse-promote".into());
    sim.orders.intent = Intent::Rollback;
    sim.until_stage("a", Stage::Returned);
    sim.until(60, |s| s.log.iter().any(|line| line == "b/task-reverse-promote"));
    ticks(&mut sim, 100);
    assert!(sim.record.ended.is_none(), "{}", sim.log.join("\n"));
    sim.hanging.clear();
    sim.until_outcome(Outcome::RolledBack);
    assert_eq!((sim.stage("b"), sim.writable["b"]), (Stage::Returned, (true, false)), "{}", sim.log.join("\n"));
}

/// Three on one system, all past their soak; `a` stays for the sake of `above`, which has no end, and its own end has begun.
fn begun() -> Sim {
    let mut plan = ending().plan().clone();
    let last = task(ServiceMoment::BeforeDecommission, http("archive"), undo_by("restore"));
    plan.services.get_mut("a").unwrap().tasks.insert("archive".parse().unwrap(), last);
    plan.services.insert("above".parse().unwrap(), service(3, "one", &["a"]));
    let mut sim = Sim::new(Revision::of(plan));
    sim.until(200, |s| ["a", "b", "above"].iter().all(|name| s.stage(name) == Stage::Soaked));
    sim.approve(end("a"), "cso", &[]);
    sim
}

/// Once found by a rehearsal: it waited for good, its legacy side denied to the one that had gone back to that system, and the run could
/// only be abandoned.
#[test]
fn an_end_that_has_begun_is_taken_back_when_one_that_counts_on_legacy_goes_back() {
    for last in ["scream-test", "archive"] {
        let mut sim = begun();
        sim.hanging.insert("archive".into());
        sim.until(60, |s| s.log.contains(&format!("a/task-{last}")));
        sim.orders.intent = Intent::Rollback;
        sim.hanging.clear();
        sim.until_outcome(Outcome::RolledBack);
        assert_eq!((sim.stage("a"), sim.stage("b"), sim.stage("above")), (Stage::Soaked, Stage::Returned, Stage::Soaked));
        let undone: Vec<&str> = sim.log.iter().filter_map(|line| line.strip_prefix("a/undo-")).collect();
        // As on a way back: what people need again first, and then what can wait for that.
        let all = ["scream-test", "archive"];
        assert_eq!(undone, all[..=usize::from(last == "archive")], "{}", sim.log.join("\n"));
        assert!(sim.events.contains(&Event::EndTakenBack { service: "a".parse().unwrap() }), "{}", sim.log.join("\n"));
        assert_eq!(sim.written("a"), ["5", "25", "100"], "its traffic stays");
        sim.replays();
    }
}

/// What was begun to be taken back is ended first, though the one that went back has come again meanwhile; and the next end is asked about
/// anew.
#[test]
fn an_end_that_was_taken_back_begins_anew_with_another_approval() {
    let mut sim = begun();
    sim.until(60, |s| s.log.iter().any(|line| line == "a/task-scream-test"));
    sim.hanging.insert("scream-test".into());
    let b = sim.record.services.get_mut("b").unwrap();
    (b.direction, b.cause) = (Direction::Backward, Some(Reason::Ordered { by: "dm".into() })); // as if a part of the run went back
    sim.until(60, |s| s.log.iter().any(|line| line == "a/undo-scream-test"));
    sim.until(60, |s| s.stage("b") == Stage::Returned);
    sim.orders.retries.insert("b".parse().unwrap(), 1);
    sim.until_stage("b", Stage::Soaked);
    assert_eq!(sim.stage("a"), Stage::Ending, "{:?}", sim.waits);
    sim.hanging.clear();
    sim.until_stage("a", Stage::Soaked);
    assert_eq!(sim.record.services["a"].end_approved_at, None);
    ticks(&mut sim, 100);
    assert!(sim.waits.iter().any(|wait| wait.starts_with("a/decommission: ") && wait.contains("approv")), "{:?}", sim.waits);
    assert_eq!(sim.stage("a"), Stage::Soaked);
    sim.approve(end("a"), "cso", &[]);
    sim.until_stage("a", Stage::Decommissioned);
}

/// A service that was ordered back after its soak, and may not go yet, counts on legacy like one in motion.
#[test]
fn a_legacy_system_stays_while_a_service_past_its_soak_is_to_go_back_to_it() {
    let mut plan = ending().plan().clone();
    let forever = task(ServiceMoment::AfterShift, http("drop"), Undo::Impossible("gone".into()));
    plan.services.get_mut("b").unwrap().tasks.insert("drop".parse().unwrap(), forever);
    let mut sim = Sim::new(Revision::of(plan));
    sim.until_stage("a", Stage::Soaked);
    sim.until_stage("b", Stage::Soaking);
    sim.health("a").legacy = 0;
    sim.orders.intent = Intent::Rollback;
    sim.until(10, |s| s.record.services["a"].hold.is_some() && s.record.services["b"].hold.is_some());
    sim.orders.intent = Intent::Run;
    sim.orders.resumes = Some(sim.record.next_latch()); // b has no way back: it goes on
    sim.until_stage("b", Stage::Soaked);
    sim.approve(end("b"), "cso", &[]);
    for _ in 0..2000 {
        sim.tick(); // its judge finds an end that breaks `legacy-stays`
    }
    assert_eq!((sim.stage("a"), sim.stage("b")), (Stage::Soaked, Stage::Soaked), "{:?}", sim.waits);
    let waits = "b/decommission: legacy system estate also carries a, which is not past its soak";
    assert!(sim.waits.iter().any(|wait| wait == waits), "{:?}", sim.waits);
    sim.health("a").legacy = 2;
    sim.until_stage("a", Stage::Returned);
}

/// Once found by a random plan: the route had been given up, and the way back took it for somebody else's.
#[test]
fn who_stays_on_target_because_another_went_back_goes_back_as_well_while_the_run_goes_on() {
    let mut plan = ending().plan().clone();
    let b = plan.services.get_mut("b").unwrap();
    b.tasks = [("prep".parse().unwrap(), task(ServiceMoment::BeforePrepare, http("prep"), undo_by("unprep")))].into();
    let mut sim = Sim::new(Revision::of(plan));
    sim.until_stage("b", Stage::Soaking);
    sim.until_stage("a", Stage::Soaked);
    sim.hanging.insert("prep".into());
    sim.health("b").target_errs = true;
    sim.until_stage("b", Stage::Returned);
    ticks(&mut sim, 40);
    assert!(sim.routes["a"].owner.is_some(), "it is ours until the run ends");
    sim.orders.intent = Intent::Rollback;
    sim.hanging.clear();
    sim.until_outcome(Outcome::RolledBack);
    assert!(sim.written("a").ends_with(&["0"]), "{}", sim.log.join("\n"));
    assert!(sim.routes["a"].owner.is_none());
}
