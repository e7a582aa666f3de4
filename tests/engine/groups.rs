//! Groups: members shift in lock step and go back together.

use gapless::{
    engine::{Direction, Hold, Outcome, Reason, Stage},
    plan::{Group, Plan, Revision, Span},
};

use crate::{
    plans::{plan, service, weight},
    sim::{Sim, ticks},
};

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

/// Once found by a random plan: one that was back already and was tried again shifted beside another that was still on its way back,
/// and stayed there.
#[test]
fn a_member_that_is_tried_again_does_not_begin_while_another_is_on_its_way_back() {
    let mut sim = Sim::new(Revision::of(grouped()));
    sim.until(60, |s| s.written("a") == ["10"] && s.written("b") == ["10"]);
    sim.route("a").reachable = false; // it cannot go back
    sim.health("a").target_errs = true;
    sim.until(5, |s| s.record.services["a"].direction == Direction::Backward);
    sim.orders.retries.insert("b".parse().unwrap(), 1);
    sim.until(60, |s| s.record.services["b"].attempt == 1);
    ticks(&mut sim, 200);
    assert_eq!(sim.written("b"), ["10", "0"], "{:?}", sim.waits);
    sim.route("a").reachable = true;
    sim.until_outcome(Outcome::RolledBack);
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

/// Else one member would begin and wait on target for another that may not.
#[test]
fn a_group_counts_as_its_members_for_the_limits() {
    let mut plan = grouped();
    plan.services.insert("w".parse().unwrap(), service(4, "one", &[]));
    plan.limits.in_motion = Some(2);
    let mut sim = Sim::new(Revision::of(plan));
    sim.health("a").target = 0;
    sim.until_stage("w", Stage::Shifting(0));
    sim.health("a").target = 2;
    sim.until(60, |s| {
        let rest = ["a", "b"].iter().all(|member| s.stage(member) == Stage::Waiting);
        assert!(rest || s.stage("w") >= Stage::Soaking, "{:?}", s.waits);
        s.stage("w") >= Stage::Soaking
    });
    sim.until_outcome(Outcome::Completed);
}
