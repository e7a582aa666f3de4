//! What is done beside the traffic: tasks and their undo, windows, limits, groups, bridges, retries.

use std::collections::BTreeMap;

use gapless::{
    engine::{Hold, Intent, Outcome, Reason, Stage, TaskStage, timing},
    journal::Scribe,
    plan::{
        Act, Evidence, Freeze, Group, OnFailure, PhaseMoment, Plan, Revision, Service, ServiceMoment, Span, Task, Tier, Undo,
        UndoWhen, Window, WindowPurpose,
        schedule::{Durations, Work},
    },
};

use crate::{
    plans::{http, plan, service, task, undo_by, weight},
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

fn window(opens: i64, closes: i64, overrun: OnFailure) -> Window {
    let at = |s: i64| "2026-08-28T20:00:00Z".parse::<jiff::Timestamp>().unwrap() + jiff::SignedDuration::from_secs(s);
    Window { purpose: WindowPurpose::Shift, opens: at(opens), closes: at(closes), reserve: Span::from_secs(1), overrun }
}

fn windowed(window: Window) -> Plan {
    let mut plan = plan(vec![("only", service(1, "one", &[]))]);
    plan.windows.insert("night".parse().unwrap(), window);
    plan.phases.get_mut("one").unwrap().windows.insert("night".parse().unwrap());
    plan
}

#[test]
fn a_shift_waits_for_its_window_and_for_the_end_of_a_freeze() {
    let mut plan = windowed(window(10, 4000, OnFailure::Hold));
    let at = |s: i64| "2026-08-28T20:00:00Z".parse::<jiff::Timestamp>().unwrap() + jiff::SignedDuration::from_secs(s);
    plan.freezes.insert("pay".parse().unwrap(), Freeze { from: at(5), until: at(20), reason: "payment run".into() });
    let mut sim = Sim::new(Revision::of(plan));
    ticks(&mut sim, 60);
    assert!(sim.waits[0].contains("window night opens"), "{:?}", sim.waits);
    sim.until(30, |s| s.waits.iter().any(|w| w.contains("payment run")));
    sim.until(30, |s| !s.written("only").is_empty());
    assert!(sim.now >= at(20), "{}", sim.now);
    sim.until_outcome(Outcome::Completed);
}

#[test]
fn nothing_starts_that_could_not_be_undone_in_its_window() {
    let mut sim = Sim::new(Revision::of(windowed(window(0, 3, OnFailure::Hold))));
    ticks(&mut sim, 200);
    assert!(sim.written("only").is_empty());
    assert_eq!(sim.outcome, Some(Outcome::Held), "{:?}", sim.waits);
}

/// The tasks right before the first weight are part of what has to fit: the window would close on a service in motion.
#[test]
fn a_start_has_to_fit_with_the_tasks_that_come_before_its_first_weight() {
    for (closes, starts) in [(50, false), (200, true)] {
        let mut plan = windowed(window(0, closes, OnFailure::Hold));
        let slow = task(ServiceMoment::BeforeShift, http("slow"), undo_by("undo-slow"));
        let tasks = BTreeMap::from([("slow".parse().unwrap(), Task { expect: Span::from_secs(60), ..slow })]);
        plan.services.values_mut().for_each(|only| only.tasks.clone_from(&tasks));
        let mut sim = Sim::new(Revision::of(plan));
        ticks(&mut sim, 200);
        assert_eq!(!sim.written("only").is_empty(), starts, "it closes after {closes} s: {:?}", sim.waits);
        assert_eq!(tasks_done(&sim), usize::from(starts));
    }
}

/// What would go back is not only what moves already: the one that would start now has to fit with its own way back.
#[test]
fn a_start_has_to_fit_with_its_own_way_back() {
    for (closes, starts) in [(50, false), (200, true)] {
        let mut plan = windowed(window(0, closes, OnFailure::Hold));
        let undo = Undo::Do { act: http("resume"), when: UndoWhen::AfterTraffic, deadline: None, expect: Span::from_secs(60) };
        let tasks = BTreeMap::from([("pause".parse().unwrap(), task(ServiceMoment::BeforeShift, http("pause"), undo))]);
        plan.services.values_mut().for_each(|only| only.tasks.clone_from(&tasks));
        let mut sim = Sim::new(Revision::of(plan));
        ticks(&mut sim, 200);
        assert_eq!(
            (!sim.written("only").is_empty(), tasks_done(&sim)),
            (starts, usize::from(starts)),
            "{closes}: {:?}",
            sim.waits
        );
    }
}

fn tasks_done(sim: &Sim) -> usize {
    sim.log.iter().filter(|line| line.starts_with("only/task-")).count()
}

#[test]
fn a_window_that_closes_in_the_middle_does_what_it_says() {
    for overrun in [OnFailure::Rollback, OnFailure::Hold] {
        let mut sim = Sim::new(Revision::of(windowed(window(0, 60, overrun))));
        sim.until_stage("only", Stage::Shifting(0));
        sim.health("only").gate_silent = true; // it does not get on
        let told = timing::latest_rollback(sim.revision.plan(), &sim.record, &Durations::default(), sim.now);
        let (window, latest_seen) = told.expect("a window governs what is in motion");
        assert_eq!(window.map(ToString::to_string).as_deref(), Some("night"));
        sim.until(80, |s| s.log.iter().any(|l| l.contains("window night: the latest rollback")));
        let late = sim.now.duration_since(latest_seen).as_millis();
        assert!((0..=1_000).contains(&late), "people were told {latest_seen}, and it came {late} ms later");
        match overrun {
            OnFailure::Rollback => sim.until(60, |s| s.stage("only") == Stage::Returned),
            OnFailure::Hold => assert!(sim.record.services["only"].hold.is_some()),
        }
        let closes: jiff::Timestamp = "2026-08-28T20:01:00Z".parse().unwrap();
        assert!(sim.now < closes, "everything is undone before it closes: {}", sim.now);
    }
}

/// In a rehearsal a weight took a minute until answers showed it, and the way back will too: what people are told, what is done
/// when that moment comes, and what begins at all goes by it. The journal tells it, or it would not replay.
#[test]
fn what_was_measured_counts_instead_of_what_is_expected() {
    let only = "only".parse().unwrap();
    let effective = |seconds| [(Work::Effective(&only), Span::from_secs(seconds))].into_iter().collect::<Durations>();
    let mut latest = Vec::new();
    for measured in [Durations::default(), effective(60)] {
        let mut sim = Sim::new(Revision::of(windowed(window(0, 200, OnFailure::Rollback))));
        (sim.durations, sim.scribe) = (measured, Some(Scribe::default()));
        sim.until_stage("only", Stage::Shifting(0));
        sim.health("only").gate_silent = true; // it does not get on
        let (_, told) = timing::latest_rollback(sim.revision.plan(), &sim.record, &sim.durations, sim.now).expect("in motion");
        sim.until(220, |s| s.log.iter().any(|l| l.contains("window night: the latest rollback")));
        let late = sim.now.duration_since(told).as_millis();
        assert!((0..=1_000).contains(&late), "people were told {told}, and it came {late} ms later");
        sim.until(60, |s| s.stage("only") == Stage::Returned);
        sim.replays();
        latest.push(told);
    }
    assert_eq!(latest[0].duration_since(latest[1]).as_secs(), 50, "ten seconds are expected, and it was a minute");

    let mut sim = Sim::new(Revision::of(windowed(window(0, 200, OnFailure::Hold))));
    sim.durations = effective(150);
    ticks(&mut sim, 100);
    assert_eq!(sim.written("only"), [""; 0], "there and back it would take five minutes");
}

#[test]
fn limits_bind_the_way_forward_and_never_the_way_back() {
    let critical = |i| gapless::plan::Service { tier: Some(Tier::Critical), ..service(i, "one", &[]) };
    let mut plan =
        plan(vec![("a", critical(1)), ("b", critical(2)), ("c", service(3, "one", &[])), ("d", service(4, "one", &[]))]);
    plan.limits.in_motion = Some(2);
    plan.limits.per_tier.insert(Tier::Critical, 1);
    let mut sim = Sim::new(Revision::of(plan));
    let mut most = 0;
    sim.until(200, |s| {
        let moving = ["a", "b", "c", "d"].iter().filter(|n| matches!(s.stage(n), Stage::Shifting(_))).count();
        let critical = ["a", "b"].iter().filter(|n| matches!(s.stage(n), Stage::Shifting(_))).count();
        assert!(moving <= 2 && critical <= 1, "{moving} {critical}");
        most = most.max(moving);
        ["a", "b", "c", "d"].iter().all(|n| s.stage(n) >= Stage::Soaking)
    });
    assert_eq!(most, 2);
}

#[test]
fn what_is_on_its_way_back_counts_for_the_limits() {
    let mut plan = plan(vec![("a", service(1, "one", &[])), ("b", service(2, "one", &[]))]);
    plan.limits.in_motion = Some(1);
    let mut sim = Sim::new(Revision::of(plan));
    sim.until_stage("a", Stage::Shifting(1));
    sim.health("a").target_errs = true;
    sim.lose_next = 1_000; // its order back
    sim.until_stage("a", Stage::Returning);
    ticks(&mut sim, 100);
    assert_eq!((sim.stage("a"), sim.stage("b")), (Stage::Returning, Stage::Waiting), "{:?}", sim.waits);
    sim.lose_next = 0;
    sim.until_stage("b", Stage::Soaking);
    assert_eq!(sim.stage("a"), Stage::Returned);
}

fn grouped() -> Plan {
    let mut plan = plan(vec![("a", service(1, "one", &[])), ("b", service(2, "one", &[])), ("x", service(3, "one", &["a"]))]);
    let group = Group {
        services: ["a", "b"].map(|n| n.parse().unwrap()).into(),
        steps: vec![weight(10), weight(100)],
        bake: Span::from_secs(1),
    };
    plan.groups.insert("pair".parse().unwrap(), group);
    plan
}

#[test]
fn a_group_goes_in_lock_step() {
    let mut sim = Sim::new(Revision::of(grouped()));
    sim.health("b").target_errs = true;
    ticks(&mut sim, 60);
    assert!(sim.written("a").is_empty(), "nobody starts before all can: {:?}", sim.waits);
    sim.health("b").target_errs = false;
    sim.until(60, |s| s.written("a") == ["10"] && s.written("b") == ["10"]);
    sim.health("b").gate_silent = true;
    ticks(&mut sim, 100);
    assert_eq!(sim.written("a"), ["10"], "nobody goes on before all can: {:?}", sim.waits);
    sim.health("b").gate_silent = false;
    sim.until_outcome(Outcome::Completed);
}

/// As after a crash between the writes of one look: whoever is ahead waits for whoever is behind.
#[test]
fn a_member_that_is_a_step_behind_is_waited_for() {
    let mut plan = grouped();
    plan.groups.values_mut().for_each(|group| group.steps = vec![weight(10), weight(50), weight(100)]);
    let mut sim = Sim::new(Revision::of(plan));
    sim.until(60, |s| s.written("a") == ["10"] && s.written("b") == ["10"]);
    ticks(&mut sim, 2);
    let behind = (sim.record.services["b"].clone(), sim.routes["b"].clone());
    sim.until(60, |s| s.written("a") == ["10", "50"] && s.written("b") == ["10", "50"]);
    (*sim.record.services.get_mut("b").unwrap(), *sim.route("b")) = behind;
    sim.health("b").gate_silent = true;
    ticks(&mut sim, 100);
    assert_eq!((sim.stage("a"), sim.stage("b")), (Stage::Shifting(1), Stage::Shifting(0)), "{:?}", sim.waits);
    assert_eq!(sim.written("a"), ["10", "50"]);
}

/// A member that is held is not ready, and so nobody of the group is.
#[test]
fn a_group_does_not_begin_while_one_of_it_is_held() {
    let mut sim = Sim::new(Revision::of(grouped()));
    let (id, since) = (sim.record.next_latch(), sim.now);
    let reason = Reason::Ordered { by: "dm@example.org".into() };
    sim.record.services.get_mut("b").unwrap().hold = Some(Hold { id, since, reason });
    ticks(&mut sim, 100);
    assert_eq!((sim.stage("a"), sim.stage("b")), (Stage::Waiting, Stage::Waiting), "{:?}", sim.waits);
    sim.orders.resumes = Some(id);
    sim.until_outcome(Outcome::Completed);
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

#[test]
fn one_failing_member_takes_its_group_back_and_what_needs_it_first() {
    let mut sim = Sim::new(Revision::of(grouped()));
    sim.until_stage("x", Stage::Shifting(0));
    sim.health("b").target_errs = true;
    sim.until_outcome(Outcome::RolledBack);
    let order: Vec<&str> = sim.log.iter().filter_map(|l| l.strip_suffix(" 0")).collect();
    assert_eq!(order[0], "x");
    assert_eq!(order.len(), 3, "{order:?}");
}

#[test]
fn a_service_that_went_back_is_tried_again_as_a_new_attempt() {
    let mut sim = Sim::new(Revision::of(plan(vec![
        ("a", service(1, "one", &[])),
        ("long", {
            let mut long = service(2, "one", &[]);
            long.soak.length = Span::from_secs(60);
            long
        }),
    ])));
    sim.until_stage("a", Stage::Shifting(1));
    sim.health("a").target_errs = true;
    sim.until(60, |s| s.stage("a") == Stage::Returned);
    sim.health("a").target_errs = false;
    ticks(&mut sim, 20);
    sim.orders.retries.insert("a".parse().unwrap(), 1);
    sim.until_outcome(Outcome::Completed);
    assert_eq!(sim.written("a"), ["5", "25", "0", "5", "25", "100"]);
    assert_eq!(sim.record.services["a"].attempt, 1);
}

/// Its soak would have been over at once: the word of a person about the first attempt counted for the second.
#[test]
fn a_soak_declared_over_is_that_of_one_attempt() {
    let long = |mut service: Service| {
        service.soak.length = Span::from_secs(3600);
        service
    };
    let mut sim = Sim::new(Revision::of(plan(vec![("a", long(service(1, "one", &[]))), ("b", long(service(2, "one", &[])))])));
    sim.until_stage("a", Stage::Soaking);
    sim.health("a").target_errs = true;
    sim.until(60, |s| s.stage("a") == Stage::Returned);
    sim.orders.declared.insert("a".parse().unwrap(), 0); // given for what soaked; it came too late
    sim.health("a").target_errs = false;
    ticks(&mut sim, 20);
    sim.orders.retries.insert("a".parse().unwrap(), 1);
    sim.until_stage("a", Stage::Soaking);
    ticks(&mut sim, 60);
    assert_eq!(sim.stage("a"), Stage::Soaking);
    sim.orders.declared.insert("a".parse().unwrap(), 1);
    ticks(&mut sim, 3);
    assert_eq!(sim.stage("a"), Stage::Soaked);
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

/// Everything of the phase went back but one, which waits for its target; then people have it tried again.
#[test]
fn a_phase_that_was_over_begins_again_with_a_service_that_is_tried_again() {
    let mut elsewhere = service(3, "three", &[]);
    elsewhere.soak.length = Span::from_secs(60);
    let mut plan = plan(vec![("a", service(1, "one", &[])), ("elsewhere", elsewhere)]);
    plan.phases.get_mut("one").unwrap().tasks =
        BTreeMap::from([("room".parse().unwrap(), task(PhaseMoment::BeforePhase, http("open"), undo_by("close")))]);
    let mut sim = Sim::new(Revision::of(plan));
    sim.until_stage("a", Stage::Shifting(1));
    sim.health("a").target_errs = true;
    sim.until(60, |s| s.log.iter().any(|l| l == "- phase one/undo-room: done"));
    sim.health("a").target_errs = false;
    ticks(&mut sim, 20);
    sim.orders.retries.insert("a".parse().unwrap(), 1);
    sim.until_stage("a", Stage::Soaked);
    let of_a = |l: &String| !l.starts_with("elsewhere");
    let wanted = ["phase one/task-room", "a 5", "a 25", "a 0", "phase one/undo-room"];
    let wanted = [&wanted[..], &["phase one/task-room", "a 5", "a 25", "a 100"]].concat();
    assert_eq!(tasks(&sim).into_iter().filter(of_a).collect::<Vec<_>>(), wanted, "{}", sim.log.join("\n"));
}

#[test]
fn a_service_is_tried_again_with_what_it_cannot_move_without() {
    use gapless::engine::retry::{NoRetry, attempts};
    let names = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
    let mut long = service(3, "one", &[]);
    long.soak.length = Span::from_secs(60);
    let mut sim = Sim::new(Revision::of(plan(vec![
        ("base", service(1, "one", &[])),
        ("top", service(2, "one", &["base"])),
        ("long", long),
    ])));
    let asked = |sim: &Sim, services: &[&str]| attempts(sim.revision.plan(), &sim.record, &names(services));
    sim.until_stage("top", Stage::Shifting(1));
    assert_eq!(
        asked(&sim, &["top", "gone"]),
        Err(vec![NoRetry::NoService("gone".parse().unwrap()), NoRetry::NotBack("top".parse().unwrap())])
    );
    sim.health("base").target_errs = true;
    sim.until(60, |s| s.stage("base") == Stage::Returned);
    let alone = NoRetry::Alone { service: "top".parse().unwrap(), without: "base".parse().unwrap() };
    assert_eq!(asked(&sim, &["top"]), Err(vec![alone]));
    assert_eq!(asked(&sim, &["base"]).unwrap(), BTreeMap::from([("base".parse().unwrap(), 1)]));
    sim.health("base").target_errs = false;
    sim.orders.retries = asked(&sim, &["base", "top"]).unwrap();
    sim.until_outcome(Outcome::Completed);
    assert_eq!(asked(&sim, &["base"]), Err(vec![NoRetry::Ended(Outcome::Completed)]));
}

/// Once found by random plans: what was being taken back then was neither taken back to its end nor done again, and the run waited for
/// nothing that had a name.
#[test]
fn a_task_of_a_phase_that_is_being_taken_back_is_done_again_for_a_service_that_is_tried_again() {
    let mut plan = plan(vec![("only", service(1, "one", &[]))]);
    let tell = task(PhaseMoment::AfterPhase, http("tell"), undo_by("untell"));
    plan.phases.get_mut("one").unwrap().tasks = BTreeMap::from([("tell".parse().unwrap(), tell)]);
    let mut sim = Sim::new(Revision::of(plan));
    let tells = |sim: &Sim| sim.log.iter().filter(|line| line.ends_with("phase one/task-tell")).count();
    sim.until(60, |s| tells(s) == 1 && s.stage("only") == Stage::Soaking);
    ticks(&mut sim, 10);
    sim.hanging.insert("tell".into());
    sim.health("only").target_errs = true;
    sim.until(60, |s| s.log.iter().any(|line| line == "phase one/undo-tell"));
    sim.health("only").target_errs = false;
    sim.orders.retries.insert("only".parse().unwrap(), 1);
    sim.until_stage("only", Stage::Soaking);
    sim.hanging.clear();
    sim.until_outcome(Outcome::Completed);
    assert_eq!(tells(&sim), 2, "{}", sim.log.join("\n"));
}
