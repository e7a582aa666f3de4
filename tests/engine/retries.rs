//! Services that went back and are tried again, with what was taken back around them.

use std::collections::BTreeMap;

use gapless::{
    engine::{Outcome, Stage},
    plan::{PhaseMoment, Revision, Service, Span},
};

use crate::{
    plans::{http, plan, service, task, undo_by},
    sim::{Sim, tasks, ticks},
};

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
