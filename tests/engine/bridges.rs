//! Bridges: first in, last out, and kept for whoever lies across one.

use std::collections::BTreeMap;

use gapless::{
    engine::{Intent, Outcome, Stage},
    plan::{After, Bridge, ManagedBridge, Need, Plan, Revision, Span},
};

use crate::{
    plans::{http, plan, service},
    sim::{Sim, tasks, ticks},
};

pub fn bridged() -> Plan {
    let mut plan = plan(vec![("a", service(1, "one", &[])), ("b", service(2, "two", &["a"]))]);
    let managed =
        ManagedBridge { up: http("up"), up_expect: Span::from_secs(1), down: http("down"), down_expect: Span::from_secs(1) };
    let bridge = Bridge {
        phases: ["one", "two"].map(|n| n.parse().unwrap()).into(),
        managed: Some(managed),
        gates: BTreeMap::from([("both-ways".parse().unwrap(), crate::plans::other_gate())]),
    };
    plan.bridges.insert("peering".parse().unwrap(), bridge);
    plan
}

#[test]
fn a_bridge_is_first_in_and_last_out_and_stays_while_another_run_counts_on_it() {
    let mut sim = Sim::new(Revision::of(bridged()));
    sim.bad.insert("both-ways".into());
    ticks(&mut sim, 60);
    assert!(sim.written("a").is_empty(), "{:?}", sim.waits);
    sim.bad.clear();
    sim.claims.insert("friday".into());
    sim.until_stage("b", Stage::Soaked);
    ticks(&mut sim, 20);
    assert_eq!(sim.outcome, None, "{:?}", sim.waits);
    assert!(sim.waits.iter().any(|w| w.contains("run friday counts on it")), "{:?}", sim.waits);
    sim.claims.clear();
    sim.until_outcome(Outcome::Completed);
    let all = tasks(&sim);
    assert_eq!(all.first().map(String::as_str), Some("claim peering"));
    assert!(all.ends_with(&["bridge peering/task-down".to_owned(), "unclaim peering".to_owned()]), "{all:?}");
}

#[test]
fn a_bridge_comes_down_after_a_rollback_as_well() {
    let mut sim = Sim::new(Revision::of(bridged()));
    sim.until_stage("a", Stage::Shifting(1));
    sim.orders.intent = Intent::Rollback;
    sim.until_outcome(Outcome::RolledBack);
    assert!(tasks(&sim).contains(&"bridge peering/task-down".to_owned()), "{:?}", tasks(&sim));
}

/// Once found by a random plan: a run that went back before its bridge was put up ended with its claim, and no other run could ever
/// have taken that bridge down.
#[test]
fn a_claim_that_was_only_asked_for_is_given_up_also_when_it_comes_late() {
    for late_ms in [0, 9_000] {
        let mut sim = Sim::new(Revision::of(bridged()));
        sim.delay_next_ms = late_ms;
        sim.until(10, |s| s.record.bridges.values().any(|bridge| bridge.claimed_at.is_some()));
        sim.orders.intent = Intent::Rollback;
        sim.until_outcome(Outcome::RolledBack);
        ticks(&mut sim, 400); // what is under way arrives
        assert!(!sim.claimed, "{late_ms} ms late: {}", sim.log.join("\n"));
    }
}

/// While the bridge was put up anew it still counted as taken down: nobody asked how that stood, and its claim came and went.
#[test]
fn a_bridge_that_is_going_down_is_put_up_again_for_a_service_that_is_tried_again() {
    let mut plan = bridged();
    let mut elsewhere = service(3, "three", &[]);
    elsewhere.soak.length = Span::from_secs(120);
    plan.phases.insert("three".parse().unwrap(), gapless::plan::Phase::default());
    plan.services.insert("elsewhere".parse().unwrap(), elsewhere);
    let mut sim = Sim::new(Revision::of(plan));
    sim.until_stage("a", Stage::Shifting(1));
    sim.health("a").target_errs = true;
    sim.hanging.insert("down".into());
    sim.until(60, |s| s.log.iter().any(|l| l == "bridge peering/task-down"));
    sim.health("a").target_errs = false;
    sim.orders.retries.insert("a".parse().unwrap(), 1);
    ticks(&mut sim, 20);
    sim.hanging.clear();
    sim.until_stage("a", Stage::Soaked);
    let of_bridge = |l: &String| l.contains("peering");
    let wanted = ["claim peering", "bridge peering/task-up", "bridge peering/task-down", "bridge peering/task-up"];
    assert_eq!(tasks(&sim).into_iter().filter(of_bridge).take(4).collect::<Vec<_>>(), wanted, "{}", sim.log.join("\n"));
}

/// `b` needs `a` across a bridge that only this need counts on.
fn across(a_soaks: u64) -> Plan {
    let mut a = service(1, "two", &[]);
    a.soak.length = Span::from_secs(a_soaks);
    let mut b = service(2, "one", &[]);
    b.needs = BTreeMap::from([("a".parse().unwrap(), Need::Across("peering".parse().unwrap()))]);
    let mut plan = plan(vec![("a", a), ("b", b)]);
    plan.phases.get_mut("two").unwrap().after =
        BTreeMap::from([("one".parse().unwrap(), After { stable_for: Some(Span::from_secs(60)), ..After::default() })]);
    plan.bridges = bridged().bridges;
    plan.bridges.values_mut().for_each(|bridge| bridge.phases.clear());
    plan
}

/// It was taken down once `b` was past its soak: what `b` needs had not even begun, and was cut off from it.
#[test]
fn a_bridge_stands_until_both_ends_of_a_need_are_on_one_side() {
    let mut sim = Sim::new(Revision::of(across(5)));
    sim.until_stage("a", Stage::Soaking);
    let told = sim.log.join("\n");
    assert!(!told.contains("bridge peering/task-down"), "{told}");
    sim.until_outcome(Outcome::Completed);
    assert!(sim.log.iter().any(|l| l == "bridge peering/task-down"), "{}", sim.log.join("\n"));
}

/// The same after a rollback, which leaves what is past its soak where it is: it needs the bridge for good.
#[test]
fn a_bridge_stays_up_for_a_service_that_was_moved_when_what_it_needs_went_back() {
    let mut sim = Sim::new(Revision::of(across(3600)));
    sim.until_stage("a", Stage::Soaking);
    assert_eq!(sim.stage("b"), Stage::Soaked);
    ticks(&mut sim, 5);
    sim.orders.intent = Intent::Rollback;
    sim.until_outcome(Outcome::RolledBack);
    assert_eq!((sim.stage("a"), sim.stage("b")), (Stage::Returned, Stage::Soaked));
    let told = sim.log.join("\n");
    assert!(!told.contains("bridge peering/task-down"), "{told}");
    assert!(told.contains("bridge peering stays up: b needs a across it, and they stay on different sides"), "{told}");
}
