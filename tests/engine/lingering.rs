//! What of the old world lasts longer than a weight: cached names, requests under way, open connections; and going back by
//! more than one weight.

use gapless::{
    engine::{Intent, Outcome, Stage},
    plan::{Decommission, DnsRoute, DnsType, Revision, Router, Service, Span, Weight},
};
use jiff::SignedDuration;

use crate::{
    plans::{self, weight},
    sim::Sim,
};

/// A run of one service, which is plain but for this.
fn one(change: impl FnOnce(&mut Service)) -> Sim {
    let mut service = plans::service(1, "one", &[]);
    change(&mut service);
    Sim::new(Revision::of(plans::plan(vec![("only", service)])))
}

fn waits(sim: &Sim, with: &str) -> bool {
    sim.waits.iter().any(|wait| wait.starts_with(with))
}

#[test]
fn nothing_shifts_before_the_old_time_to_live_has_passed() {
    let mut sim = one(|service| {
        service.router = Router::Dns(DnsRoute {
            connection: "ns1".parse().unwrap(),
            zone: "registry.example.".into(),
            name: "db.registry.example.".into(),
            kind: DnsType::A,
            ttl_during: Span::from_secs(5),
        });
    });
    sim.settles_ms = 30_000;
    sim.until(10, |sim| waits(sim, "only/task-lower-ttl: task lower-ttl is done; what it changed holds everywhere from "));
    let lowered = sim.now;
    assert_eq!(sim.stage("only"), Stage::Waiting);
    sim.until(60, |sim| sim.stage("only") != Stage::Waiting);
    let waited = sim.now.duration_since(lowered);
    assert!(waited > SignedDuration::from_millis(29_500) && waited < SignedDuration::from_millis(30_500), "{waited:#}");
    sim.until_outcome(Outcome::Completed);
}

#[test]
fn a_soak_begins_only_when_legacy_is_seen_to_carry_nothing() {
    let mut sim = one(|_| {});
    sim.active.insert("only".parse().unwrap(), 3);
    sim.until(60, |sim| waits(sim, "only/confirm: legacy still has 3 requests of this route"));
    for _ in 0..400 {
        sim.tick();
    }
    assert_eq!((sim.stage("only"), sim.record.services["only"].moved_at), (Stage::Shifting(2), None), "twenty seconds later");
    sim.active.insert("only".parse().unwrap(), 0);
    sim.tick();
    assert_eq!((sim.stage("only"), sim.record.services["only"].moved_at), (Stage::Soaking, Some(sim.now)));
}

#[test]
fn the_end_of_legacy_waits_for_its_connections_until_the_deadline() {
    let ending = |deadline: Option<Span>| {
        let mut sim = one(|service| {
            service.decommission = Some(Decommission { approval: None, scream_test: Some(Span::from_secs(1)) });
            service.drain_deadline = deadline;
        });
        sim.until_stage("only", Stage::Soaking);
        sim.active.insert("only".parse().unwrap(), 2);
        sim.until(60, |sim| waits(sim, "only/drain: legacy still has 2 open connections"));
        sim
    };
    let mut sim = ending(None);
    for _ in 0..1_200 {
        sim.tick();
    }
    assert_eq!(sim.stage("only"), Stage::Ending, "without a deadline it waits, a minute here");
    assert!(!sim.log.iter().any(|line| line == "only/task-switch-off"));
    sim.active.insert("only".parse().unwrap(), 0);
    sim.until(5, |sim| sim.stage("only") == Stage::Decommissioned);

    let mut sim = ending(Some(Span::from_secs(20)));
    let begun = sim.now;
    sim.until(60, |sim| sim.stage("only") == Stage::Decommissioned);
    let waited = sim.now.duration_since(begun);
    assert!(
        waited > SignedDuration::from_secs(17) && waited < SignedDuration::from_secs(20),
        "since the scream test: {waited:#}"
    );
}

#[test]
fn a_service_goes_back_by_the_weights_of_its_plan() {
    let mut sim = one(|service| service.rollback_steps = vec![weight(50), weight(10), Weight::ZERO]);
    sim.until_stage("only", Stage::Soaking);
    sim.orders.intent = Intent::Rollback;
    sim.until_outcome(Outcome::RolledBack);
    assert_eq!(sim.written("only"), ["5", "25", "100", "50", "10", "0"]);
}
