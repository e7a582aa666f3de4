//! What is done beside the traffic: tasks, of services and phases, and their undo.

use std::collections::BTreeMap;

use gapless::{
    engine::{Intent, Outcome, Stage, TaskStage},
    plan::{Act, Evidence, PhaseMoment, Plan, Revision, ServiceMoment, Span, Undo, UndoWhen},
};

use crate::{
    plans::{http, plan, service, task, undo_by},
    sim::{Sim, tasks, ticks},
};

fn with_tasks() -> Plan {
    let mut only = service(1, "one", &[]);
    let manual = Act::Manual { owner: "desk".parse().unwrap(), instructions: "ring them".into(), evidence: Evidence::Optional };
    only.tasks = BTreeMap::from([
        ("copy".parse().unwrap(), task(ServiceMoment::BeforePrepare, http("copy"), undo_by("uncopy"))),
        ("pause".parse().unwrap(), task(ServiceMoment::BeforeShift, http("pause"), undo_by("resume"))),
        ("ring".parse().unwrap(), task(ServiceMoment::AfterShift, manual, Undo::None("said is said".into()))),
    ]);
    only.cron = ["nightly".to_owned()].into();
    let mut plan = plan(vec![("only", only)]);
    let open = task(PhaseMoment::BeforePhase, http("open"), undo_by("close"));
    plan.phases.get_mut("one").unwrap().tasks.insert("room".parse().unwrap(), open);
    plan
}

#[test]
fn tasks_are_done_in_their_order_and_a_person_is_waited_for() {
    let mut sim = Sim::new(Revision::of(with_tasks()));
    sim.until_outcome(Outcome::Held);
    assert!(sim.waits.iter().any(|w| w == "only/task-ring: task ring is to be done by desk: ring them"), "{:?}", sim.waits);
    sim.done("ring");
    sim.until_outcome(Outcome::Completed);
    let wanted = [
        "phase one/task-room",
        "only/task-copy",
        "only/task-quiesce-nightly",
        "only/task-pause",
        "only 5",
        "only 25",
        "only 100",
        "only/task-resume-nightly",
    ];
    assert_eq!(tasks(&sim), wanted);
}

#[test]
fn what_was_done_is_taken_back_in_reverse_after_the_traffic_unless_it_says_before() {
    let mut sim = Sim::new(Revision::of(with_tasks()));
    sim.until_outcome(Outcome::Held);
    sim.orders.intent = Intent::Rollback;
    sim.until_outcome(Outcome::RolledBack);
    let back: Vec<String> = tasks(&sim).split_off(8);
    let wanted = [
        "only/undo-resume-nightly",
        "only 0",
        "only/undo-pause",
        "only/undo-quiesce-nightly",
        "only/undo-copy",
        "phase one/undo-room",
    ];
    assert_eq!(back, wanted);
}

#[test]
fn a_task_that_fails_takes_the_service_back_and_undoes_what_may_have_begun() {
    let mut sim = Sim::new(Revision::of(with_tasks()));
    sim.failing.insert("pause".into());
    sim.until(60, |s| s.log.iter().any(|l| l.contains("goes back: task pause failed")));
    sim.failing.clear();
    sim.until_outcome(Outcome::RolledBack);
    assert!(sim.written("only").is_empty());
    assert!(tasks(&sim).contains(&"only/undo-pause".to_owned()), "undo-on-start: {:?}", tasks(&sim));
}

#[test]
fn an_undo_before_the_traffic_that_hangs_is_left_behind_at_its_deadline() {
    let mut only = service(1, "one", &[]);
    let undo = Undo::Do {
        act: http("drop"),
        when: UndoWhen::BeforeTraffic,
        deadline: Some(Span::from_secs(3)),
        expect: Span::from_secs(1),
    };
    only.tasks = BTreeMap::from([("note".parse().unwrap(), task(ServiceMoment::BeforeShift, http("note"), undo))]);
    let mut sim = Sim::new(Revision::of(plan(vec![("only", only)])));
    sim.until_stage("only", Stage::Shifting(1));
    sim.hanging.insert("note".into());
    sim.orders.intent = Intent::Rollback;
    let ordered = sim.now;
    sim.until(60, |s| s.stage("only") == Stage::Returned);
    let took = sim.now.duration_since(ordered).as_millis();
    assert!((3_000..3_600).contains(&took), "{took} ms");
    assert!(sim.log.iter().any(|l| l.contains("was not taken back within 3s")), "{:?}", sim.log);
    sim.until_outcome(Outcome::RolledBack);
}

#[test]
fn a_task_that_cannot_be_taken_back_is_the_point_of_no_return() {
    let mut base = service(1, "one", &[]);
    base.tasks = BTreeMap::from([(
        "drop".parse().unwrap(),
        task(ServiceMoment::AfterShift, http("drop"), Undo::Impossible("it is gone".into())),
    )]);
    let mut sim = Sim::new(Revision::of(plan(vec![("base", base), ("side", service(2, "one", &[]))])));
    sim.until_stage("base", Stage::Soaking);
    sim.orders.intent = Intent::Rollback;
    sim.until(60, |s| s.stage("side") == Stage::Returned || s.stage("side") == Stage::Soaked);
    assert_eq!(sim.written("base"), ["5", "25", "100"]);
    assert!(sim.record.services["base"].hold.clone().unwrap().reason.to_string().contains("task-drop has started"));
}

/// A phase's tasks are kept back by a hold of the run like everything else.
#[test]
fn a_hold_of_the_run_keeps_the_tasks_of_its_phases_back() {
    let mut plan = plan(vec![("only", service(1, "one", &[]))]);
    let room = task(PhaseMoment::BeforePhase, http("open"), undo_by("close"));
    plan.phases.get_mut("one").unwrap().tasks = BTreeMap::from([("room".parse().unwrap(), room)]);
    let mut sim = Sim::new(Revision::of(plan));
    sim.orders.intent = Intent::Hold;
    ticks(&mut sim, 100);
    assert_eq!(tasks(&sim), [""; 0], "{:?}", sim.waits);
    sim.orders.intent = Intent::Run;
    sim.orders.resumes = Some(sim.record.latch.as_ref().unwrap().id);
    sim.until_outcome(Outcome::Completed);
}

/// It had not shifted, and what was done before its shift is taken back before it counts as back.
#[test]
fn a_service_that_had_not_shifted_is_back_when_what_was_done_for_it_is() {
    let mut only = service(1, "one", &[]);
    let undo = Undo::Do { act: http("resume"), when: UndoWhen::BeforeTraffic, deadline: None, expect: Span::from_secs(1) };
    only.tasks = BTreeMap::from([("pause".parse().unwrap(), task(ServiceMoment::BeforeShift, http("pause"), undo))]);
    let mut sim = Sim::new(Revision::of(plan(vec![("only", only)])));
    sim.until(60, |sim| tasks(sim) == ["only/task-pause"]);
    sim.orders.intent = Intent::Rollback;
    sim.until(60, |sim| tasks(sim).last().is_some_and(|last| last == "only/undo-pause"));
    assert_eq!(sim.stage("only"), Stage::Waiting, "it is being taken back");
    sim.until_stage("only", Stage::Returned);
    assert_eq!(sim.record.services["only"].tasks["pause"].stage, TaskStage::Undone);
}

/// What was prepared for a service of the second phase stayed as it was when its phase closed again for good: copies of
/// requests, a lowered time to live.
#[test]
fn what_was_prepared_for_a_service_that_never_starts_is_taken_back_before_the_run_ends() {
    let mut late = service(2, "two", &[]);
    late.tasks = BTreeMap::from([("copy".parse().unwrap(), task(ServiceMoment::BeforePrepare, http("copy"), undo_by("uncopy")))]);
    let mut plan = plan(vec![("first", service(1, "one", &[])), ("late", late)]);
    plan.phases.get_mut("two").unwrap().tasks =
        BTreeMap::from([("room".parse().unwrap(), task(PhaseMoment::BeforePhase, http("open"), undo_by("close")))]);
    let mut sim = Sim::new(Revision::of(plan));
    sim.health("late").target = 0;
    sim.until(60, |s| s.log.iter().any(|l| l == "- late/task-copy: done"));
    assert_eq!(sim.stage("first"), Stage::Soaking);
    sim.health("first").target_errs = true;
    sim.until_outcome(Outcome::RolledBack);
    let back: Vec<String> = tasks(&sim).into_iter().skip_while(|line| line != "first 0").collect();
    assert_eq!(back, ["first 0", "late/undo-copy", "phase two/undo-room"], "{}", sim.log.join("\n"));
}

/// The room of a phase was closed while a service of it was still to come.
#[test]
fn a_phase_is_over_only_when_nothing_of_it_starts_any_more() {
    let mut plan = plan(vec![("a", service(1, "one", &[])), ("b", service(2, "one", &[]))]);
    plan.limits.in_motion = Some(1);
    plan.phases.get_mut("one").unwrap().tasks =
        BTreeMap::from([("room".parse().unwrap(), task(PhaseMoment::BeforePhase, http("open"), undo_by("close")))]);
    let mut sim = Sim::new(Revision::of(plan));
    sim.until_stage("a", Stage::Shifting(1));
    sim.health("a").target_errs = true;
    sim.until_outcome(Outcome::RolledBack);
    assert_eq!(sim.stage("b"), Stage::Soaked);
    let wanted = ["phase one/task-room", "a 5", "a 25", "a 0", "b 5", "b 25", "b 100"];
    assert_eq!(tasks(&sim), wanted, "{}", sim.log.join("\n"));
}

/// Once found by the explorer within two faults: another run took the route over, and a look that could not tell let the second task begin.
#[test]
fn no_task_begins_beside_a_route_that_nobody_can_see() {
    let mut only = service(1, "one", &[]);
    let before = |act| task(ServiceMoment::BeforePrepare, http(act), undo_by("undo"));
    only.tasks = BTreeMap::from([("copy".parse().unwrap(), before("copy")), ("fill".parse().unwrap(), before("fill"))]);
    let mut sim = Sim::new(Revision::of(plan(vec![("only", only)])));
    sim.hanging.insert("copy".into());
    sim.until(60, |s| s.log.iter().any(|line| line == "only/task-copy"));
    sim.route("only").reachable = false;
    sim.hanging.clear();
    ticks(&mut sim, 100);
    assert!(!sim.log.iter().any(|line| line == "only/task-fill"), "{}", sim.log.join("\n"));
    sim.route("only").reachable = true;
    sim.until_outcome(Outcome::Completed);
}
