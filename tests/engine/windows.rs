//! When a forward step may start: windows, freezes, limits, and what was measured.

use std::collections::BTreeMap;

use gapless::{
    engine::{Outcome, Stage, timing},
    journal::Scribe,
    plan::{
        Freeze, OnFailure, Plan, Revision, ServiceMoment, Span, Task, Tier, Undo, UndoWhen, Window, WindowPurpose,
        schedule::{Durations, Work},
    },
};

use crate::{
    plans::{http, plan, service, task, undo_by},
    sim::{Sim, ticks},
};

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
