//! How large the record of a run is. It is one value in one API object, written anew on every edge: the goal is at most 200
//! bytes a service in a run of 1,200 services, 240 kB in all.

use gapless::{
    engine::{Intent, Stage},
    plan::{Revision, Service, ServiceMoment, Span},
};
use jiff::SignedDuration;

use crate::{
    plans::{self, http, task, undo_by},
    sim::Sim,
};

const SERVICES: usize = 1_200;
/// The goal: bytes a service.
const GOAL: usize = 200;

/// A run of so many services, all of which may move at once. Moments have all nine digits, as those of a machine's clock.
fn many(change: impl Fn(&mut Service)) -> Sim {
    let service = |index| {
        let mut service = plans::service(index, "one", &[]);
        service.bake = Span::from_millis(200);
        change(&mut service);
        service
    };
    let names: Vec<String> = (0..SERVICES).map(|index| format!("service-{index:04}")).collect();
    let services = names.iter().zip(0..).map(|(name, index)| (name.as_str(), service(index))).collect();
    let mut sim = Sim::new(Revision::of(plans::plan(services)));
    sim.now = sim.now.checked_add(SignedDuration::from_nanos(456_789)).unwrap();
    sim
}

/// The most bytes a service that the record took until this held of every service.
fn largest(sim: &mut Sim, seconds: i64, all: impl Fn(&Sim, &str) -> bool) -> usize {
    let mut most = 0;
    sim.until(seconds, |sim| {
        most = most.max(serde_json::to_vec(&sim.record).unwrap().len());
        sim.record.services.keys().all(|name| all(sim, name.as_str()))
    });
    most.div_ceil(SERVICES)
}

#[test]
fn the_record_of_1200_services_in_motion_takes_at_most_200_bytes_a_service() {
    let mut sim = many(|_| {});
    let moving = largest(&mut sim, 60, |sim, name| sim.stage(name) == Stage::Shifting(2));
    let moved = largest(&mut sim, 60, |sim, name| sim.stage(name) == Stage::Soaking);
    println!("{moving} bytes a service in motion, {moved} on target");
    assert!(moving > 60, "every service has its order in the record: {moving}");
    assert!(moving <= GOAL && moved <= GOAL, "{moving}, {moved}");
}

/// What is written at every one of 1,200 services at once.
#[test]
fn trouble_everywhere_a_way_back_and_tasks_keep_within_the_goal() {
    let mut sim = many(|_| {});
    largest(&mut sim, 60, |sim, name| sim.stage(name) == Stage::Shifting(1));
    sim.health.values_mut().for_each(|health| health.gate_silent = true);
    let silent = largest(&mut sim, 60, |sim, name| !sim.record.services[name].troubles.is_empty());
    sim.orders.intent = Intent::Rollback;
    let back = largest(&mut sim, 60, |sim, name| sim.stage(name) == Stage::Returned);
    let mut sim = many(|_| {});
    largest(&mut sim, 60, |sim, name| sim.stage(name) == Stage::Shifting(1));
    sim.health.values_mut().for_each(|health| health.target_errs = true);
    let failed = largest(&mut sim, 60, |sim, name| sim.stage(name) == Stage::Returned);
    let mut sim = many(|service| {
        let task = |at, name: &str| (name.parse().unwrap(), task(at, http(name), undo_by(name)));
        service.tasks = [task(ServiceMoment::BeforePrepare, "snapshot"), task(ServiceMoment::BeforeShift, "pause-batch")].into();
    });
    let tasks = largest(&mut sim, 60, |sim, name| sim.stage(name) == Stage::Soaking);
    println!("{silent} bytes a service with every gate silent, {back} all ordered back then");
    println!("{failed} all going back each for a gate of its own, {tasks} with two tasks each");
    for bytes in [silent, back, failed, tasks] {
        assert!(bytes <= GOAL, "{bytes} bytes a service, and the goal is {GOAL}");
    }
}
