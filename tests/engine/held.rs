//! What a hold keeps back, and what limits do.

use std::collections::BTreeMap;

use gapless::{
    engine::{Action, Event, Intent, LatchKind, Orders, Outcome, Reason, Stage},
    plan::{Group, PhaseMoment, Revision, ServiceMoment, Span, Undo},
};

use crate::{
    bridges::bridged,
    plans::{http, one, plan, service, task, undo_by, weight},
    sim::{Sim, tasks, ticks},
};

/// One service with a task.
fn with_a_task(at: ServiceMoment) -> Sim {
    let mut only = service(1, "one", &[]);
    only.tasks = BTreeMap::from([("pause".parse().unwrap(), task(at, http("pause"), undo_by("resume")))]);
    Sim::new(Revision::of(plan(vec![("only", only)])))
}

fn resume(sim: &mut Sim) {
    sim.orders = Orders { resumes: Some(sim.record.next_latch()), ..Orders::default() };
}

#[test]
fn a_hold_keeps_back_a_task_that_was_not_begun() {
    let mut sim = with_a_task(ServiceMoment::BeforeShift);
    sim.orders.intent = Intent::Hold;
    ticks(&mut sim, 60);
    assert_eq!(tasks(&sim), [""; 0]);
    resume(&mut sim);
    sim.until_outcome(Outcome::Completed);
}

#[test]
fn a_hold_that_comes_during_the_task_before_a_shift_keeps_the_first_weight_back() {
    let mut sim = with_a_task(ServiceMoment::BeforeShift);
    sim.task_takes_ms = 2_000;
    sim.until(60, |s| s.log.iter().any(|l| l == "only/task-pause"));
    sim.orders.intent = Intent::Hold;
    ticks(&mut sim, 5);
    ticks(&mut sim, 100);
    assert_eq!(sim.written("only"), [""; 0]);
    resume(&mut sim);
    sim.until_outcome(Outcome::Completed);
}

#[test]
fn a_group_counts_as_its_members_for_the_limits() {
    let mut plan = plan(vec![
        ("alone", service(1, "one", &[])),
        ("b", service(2, "one", &[])),
        ("c", service(3, "one", &[])),
        ("d", service(4, "one", &[])),
    ]);
    let services = ["b", "c"].map(|name| name.parse().unwrap()).into();
    let group = Group { services, steps: vec![weight(50), weight(100)], bake: Span::from_secs(2) };
    plan.groups.insert("together".parse().unwrap(), group);
    plan.limits.in_motion = Some(2);
    let mut sim = Sim::new(Revision::of(plan));
    let moving =
        |sim: &Sim| ["alone", "b", "c", "d"].into_iter().filter(|name| matches!(sim.stage(name), Stage::Shifting(_))).count();
    let mut most = 0;
    while sim.outcome != Some(Outcome::Completed) {
        ticks(&mut sim, 1);
        most = most.max(moving(&sim));
        assert!(sim.commits < 500 && most <= 2, "{most} at once: {}", sim.log.join("\n"));
    }
    assert_eq!(most, 2);
}

#[test]
fn an_order_is_not_given_again_before_its_first_giving_could_show() {
    let mut sim = Sim::new(one());
    sim.delay_next_ms = 400;
    let orders = |sim: &mut Sim| {
        let effects = sim.tick().effects;
        effects.iter().filter(|effect| matches!(effect.action, Action::SetWeight { .. })).count()
    };
    while orders(&mut sim) == 0 {}
    let again: usize = (0..7).map(|_| orders(&mut sim)).sum();
    assert_eq!(again, 0, "{}", sim.log.join("\n"));
}

/// After a restart the first look knows nothing of the route yet: tasks began beside a route that another run drove.
#[test]
fn nothing_is_begun_beside_a_route_of_which_nobody_can_tell_whose_it_is() {
    let mut sim = with_a_task(ServiceMoment::BeforePrepare);
    sim.route("only").reachable = false;
    ticks(&mut sim, 60);
    assert_eq!(tasks(&sim), [""; 0]);
    assert!(sim.waits.iter().any(|wait| wait.contains("the state of its route is unknown")), "{:?}", sim.waits);
    sim.route("only").reachable = true;
    sim.until_outcome(Outcome::Completed);
}

/// Of what holds for want of a way back only an evacuation is given again: any other order that was lost stays lost, for the gate
/// that failed failed for this weight.
#[test]
fn a_lost_weight_is_not_given_again_to_what_holds_for_want_of_a_way_back() {
    let mut bound = service(2, "one", &[]);
    let cut = task(ServiceMoment::BeforeShift, http("cut"), Undo::Impossible("the old contract is ended".into()));
    bound.tasks = BTreeMap::from([("cut".parse().unwrap(), cut)]);
    let mut plan = plan(vec![("a", service(1, "one", &[])), ("b", bound)]);
    let services = ["a", "b"].map(|name| name.parse().unwrap()).into();
    let group = Group { services, steps: vec![weight(10), weight(50), weight(100)], bake: Span::from_secs(2) };
    plan.groups.insert("pair".parse().unwrap(), group);
    let mut sim = Sim::new(Revision::of(plan));
    sim.until(60, |s| s.written("a") == ["10"] && s.written("b") == ["10"]);
    sim.lose_next = 2;
    sim.until_stage("a", Stage::Shifting(1));
    sim.health("a").target_errs = true;
    sim.until(1, |s| s.record.services["a"].hold.is_some());
    let why = sim.record.services["a"].hold.clone().unwrap().reason;
    assert!(matches!(why, Reason::NoWayBack { .. }), "{why}");
    ticks(&mut sim, 100);
    assert_eq!(sim.written("a"), ["10"]);
}

/// Once such a task held nothing that a resume could name: the run was left with it for good.
#[test]
fn what_fails_of_a_phase_or_a_bridge_beside_a_rollback_is_done_again_by_a_resume() {
    let mut phased = plan(vec![("only", service(1, "one", &[]))]);
    let room = task(PhaseMoment::BeforePhase, http("open"), undo_by("close"));
    phased.phases.get_mut("one").unwrap().tasks.insert("room".parse().unwrap(), room);
    for (plan, fails, undone) in [(phased, "room", "phase one/undo-room"), (bridged(), "down", "bridge peering/task-down")] {
        let mut sim = Sim::new(Revision::of(plan));
        let first = sim.record.services.keys().next().unwrap().to_string();
        sim.until_stage(&first, Stage::Shifting(1));
        sim.failing.insert(fails.into());
        sim.orders.intent = Intent::Rollback;
        sim.until_outcome(Outcome::Held);
        ticks(&mut sim, 100);
        let holds = sim.events.iter().filter(|event| matches!(event, Event::Held { service: None, .. })).count();
        assert_eq!(holds, 1, "{fails}: {}", sim.log.join("\n"));
        assert_eq!(sim.record.latch.as_ref().map(|latch| latch.kind), Some(LatchKind::Rollback));
        // It fails once more before it is mended.
        for _ in 0..2 {
            sim.orders.resumes = sim.record.newest_hold();
            sim.until(60, |s| s.events.iter().any(|event| matches!(event, Event::Resumed { .. })));
            sim.events.clear();
            sim.until(60, |s| s.events.iter().any(|event| matches!(event, Event::Held { .. })));
        }
        sim.failing.clear();
        sim.orders.resumes = sim.record.newest_hold();
        sim.until_outcome(Outcome::RolledBack);
        assert!(sim.log.iter().filter(|line| *line == undone).count() > 1, "{fails}: {}", sim.log.join("\n"));
        sim.replays();
    }
}
