//! Connections that outlive a weight: they keep a soak and an end waiting, and the judge sees when they are cut.

use gapless::{
    engine::{About, Invariant, Stage},
    plan::{Decommission, Plan, Revision, Service, Span},
    world::{
        Flight, Happening, Moment, Sim,
        connections::{Client, Open},
        flight::Act,
        judge,
        model::NOBODY,
        people::Yes,
        task::{Change, Way},
    },
};

use crate::models;

const AGE: i64 = 30_000;

/// One service whose connections live for half a minute and whose legacy ends after its soak.
fn sim(change: impl FnOnce(&mut Service)) -> Sim {
    let mut service = models::service(1, "one", &[]);
    service.max_connection_age = Some(Span::from_secs(30));
    service.soak.length = Span::from_secs(60);
    service.decommission = Some(Decommission { approval: Some(models::approval("safety", 1)), scream_test: None });
    change(&mut service);
    let plan: Plan = models::with_roles(models::plan(vec![("only", service)]));
    let mut sim = Sim::ideal(&Revision::of(plan), "2026-08-28T20:00:00Z".parse().unwrap());
    sim.yes_after = Some(1_000);
    sim
}

fn stage(sim: &Sim) -> Stage {
    sim.record.services["only"].stage
}

/// Looks until this is so; the judge has nothing to object to.
fn until(sim: &mut Sim, so: impl Fn(&Sim) -> bool) {
    for _ in 0..10_000 {
        if so(sim) {
            return;
        }
        let Some(look) = sim.step() else { break };
        assert!(look.breaches.is_empty(), "{:?}", look.breaches);
    }
    panic!("it never came to that: {:?}", sim.record.services);
}

#[test]
fn a_soak_begins_when_the_last_connection_has_reached_its_age() {
    let mut sim = sim(|_| {});
    assert_eq!(sim.world.facts.connections[0].open, Open::Renewed);
    until(&mut sim, |sim| sim.world.facts.services[0].route.in_force == 100);
    let moved = sim.world.now();
    assert_eq!(sim.world.facts.connections[0].open, Open::Until(moved.plus(AGE)));
    until(&mut sim, |sim| stage(sim) == Stage::Soaking);
    assert_eq!((sim.world.now(), sim.world.facts.connections[0].open), (moved.plus(AGE), Open::None), "the clock jumps there");
    until(&mut sim, |sim| stage(sim) == Stage::Decommissioned);
}

#[test]
fn a_client_that_never_closes_keeps_the_soak_from_beginning() {
    let mut sim = sim(|_| {});
    sim.befall(Happening::Client(0, Client::Stays));
    let mut waits = Vec::new();
    sim.run_until(Moment(86_400_000), |_, look| {
        assert!(look.breaches.is_empty());
        waits = look.decision.waits.iter().map(|wait| wait.reason.to_string()).collect();
    });
    assert!(matches!(stage(&sim), Stage::Shifting(_)), "a day later");
    assert!(waits.iter().any(|wait| wait.contains("legacy still has")), "{waits:?}");
    sim.befall(Happening::Client(0, Client::Closes));
    until(&mut sim, |sim| stage(sim) == Stage::Soaking);
}

#[test]
fn a_client_that_comes_back_in_the_soak_keeps_legacy_until_the_deadline_of_its_drain() {
    // Without a deadline: until it closes.
    let mut sim = sim(|_| {});
    until(&mut sim, |sim| stage(sim) == Stage::Soaking);
    sim.befall(Happening::Client(0, Client::Stays));
    sim.run_until(Moment(86_400_000), |_, look| assert!(look.breaches.is_empty()));
    assert_eq!(stage(&sim), Stage::Ending, "it is asked for, and drains");
    sim.befall(Happening::Client(0, Client::Closes));
    until(&mut sim, |sim| stage(sim) == Stage::Decommissioned);
    // With one: until then.
    let mut sim = self::sim(|service| service.drain_deadline = Some(Span::from_secs(600)));
    until(&mut sim, |sim| stage(sim) == Stage::Soaking);
    let moved = sim.world.now();
    sim.befall(Happening::Client(0, Client::Stays));
    until(&mut sim, |sim| stage(sim) == Stage::Decommissioned);
    assert!(sim.world.now().since(moved) >= 600_000);
    assert_eq!(sim.world.facts.connections[0].open, Open::None, "switching legacy off cuts it");
}

#[test]
fn whoever_switches_legacy_off_under_its_connections_is_told() {
    for (deadline, open, told) in [(None, true, true), (None, false, false), (Some(86_400), true, true), (Some(1), true, false)] {
        let mut sim = sim(|service| service.drain_deadline = deadline.map(Span::from_secs));
        until(&mut sim, |sim| stage(sim) == Stage::Soaking);
        if open {
            sim.befall(Happening::Client(0, Client::Stays));
        }
        sim.wait_until(sim.world.now().plus(2_000));
        let about = About::Decommission("only".parse().unwrap());
        let question = sim.model.questions().iter().position(|question| question.about == about).unwrap();
        sim.befall(Happening::Answer(u16::try_from(question).unwrap(), 0, Yes::Yes));
        let task = sim.model.tasks().iter().position(|task| task.does == Change::Ends).unwrap();
        let (now, task) = (sim.world.now(), u16::try_from(task).unwrap());
        let flight = Flight {
            due: now,
            service: 0,
            act: Act::Task(task, Way::Do),
            number: 1,
            backward: false,
            version: None,
            deadline: now.plus(60_000),
            programmed: 0,
            effective: 0,
        };
        let found = judge::sent(&sim.model, &sim.world, &sim.world.facts, &flight);
        let what = format!("deadline {deadline:?}, open {open}: {found:?}");
        assert_eq!(found.as_ref().map(|breach| breach.invariant), told.then_some(Invariant::LegacyStays), "{what}");
        assert!(!told || found.is_some_and(|breach| breach.service != NOBODY && breach.detail.contains("connections")), "{what}");
    }
}
