//! Sensor and actuator of a standalone run, as the loop uses them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may")]

#[path = "common/endpoint.rs"]
mod endpoint;
#[path = "common/small_plan.rs"]
mod small_plan;

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use endpoint::{Endpoint, Manner};
use gapless::{
    adapters::{
        clock,
        standalone::{NotStandalone, Standalone, StandaloneActuator, StandaloneSensor},
    },
    engine::{Action, Direction, Effect, EffectKey, Intent, Observed, Orders, Precondition, Query, Record, RunId, Step, queries},
    lab::router::{RouteSpec, Router, RouterSpec},
    plan::{Place, Router as PlanRouter, Service, ServiceName, Weight, spec::ServiceRef},
    ports::{Actuator, Performed, Sensor},
};

const PATIENCE: Duration = Duration::from_secs(10);

async fn until<T>(sensor: &mut StandaloneSensor, what: impl Fn(&Observed) -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let seen = sensor.seen();
        if let Some(found) = what(&seen) {
            return found;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if tokio::time::timeout(left, sensor.changed()).await.is_err() {
            panic!("it did not come: {seen:#?}");
        }
    }
}

fn run() -> RunId {
    RunId("0123456789abcdef".into())
}
fn pds() -> ServiceName {
    "pds".parse().unwrap()
}
fn webhook(url: &str, key: Option<&str>) -> PlanRouter {
    PlanRouter::Webhook { url: url.to_owned(), key_from_env: key.map(str::to_owned) }
}
fn refusals(service: Service, orders: &std::path::Path, key: Option<&str>) -> Vec<String> {
    let revision = small_plan::revision([("pds".to_owned(), service)]);
    let NotStandalone(why) =
        Standalone::with_variables(&revision, &run(), orders, |_| key.map(str::to_owned)).map(drop).unwrap_err();
    why
}

#[tokio::test]
async fn everything_is_seen_through_one_sensor_and_steered_through_one_actuator() {
    let fine = Manner::Answers(200, "fine");
    let (legacy, target) = (Endpoint::start(fine.clone()).await, Endpoint::start(fine).await);
    let route = RouteSpec { service: pds(), legacy: vec![legacy.at], target: vec![target.at] };
    let spec =
        RouterSpec { routes: vec![route], propagation: Duration::ZERO, upstream_timeout: Duration::from_secs(1), key: None };
    let router = Router::start(spec).await.unwrap();
    let mut service = small_plan::service(&[legacy.at], &[target.at], 25, 500);
    service.router = webhook(&router.url(&pds()), None);
    let revision = small_plan::revision([("pds".to_owned(), service)]);
    let directory = tempfile::tempdir().unwrap();
    let orders = directory.path().join("orders.json");
    let (mut sensor, actuator): (StandaloneSensor, StandaloneActuator) = Standalone::new(&revision, &run(), &orders).unwrap();
    assert!(sensor.seen().routes.is_empty(), "nothing is looked at before it is asked for");

    sensor.watch(&queries(&revision, &Record::new(run(), &revision, clock::now())));
    let version = until(&mut sensor, |seen| {
        let sides = seen.sides.get(&pds())?;
        let healthy = |s: &Option<gapless::engine::Sample<_>>| {
            s.as_ref().is_some_and(|s| s.value.as_ref().is_ok_and(|v: &gapless::engine::SideSeen| v.healthy == 1))
        };
        let rounds = seen.gates.get(&pds())?.values().all(|gate| gate.rounds.len() >= 3);
        let route = seen.routes.get(&pds())?.value.as_ref().ok()?;
        (healthy(&sides.legacy) && healthy(&sides.target) && rounds).then(|| route.version.clone())
    })
    .await;

    let key = EffectKey { run: run(), step: Step::Shift(Weight::FULL).of(&pds()), number: 1, direction: Direction::Forward };
    let action = Action::SetWeight { service: pds(), weight: Weight::FULL, from: Weight::ZERO };
    let deadline = clock::now() + jiff::SignedDuration::from_secs(5);
    let effect = Effect { key, action, precondition: Precondition { version: Some(version), deadline } };
    assert_eq!(actuator.clone().perform(&effect).await, Performed::Done);
    until(&mut sensor, |seen| seen.routes.get(&pds())?.value.as_ref().ok()?.effective.filter(|e| e.weight == Weight::FULL)).await;

    // Orders: written in one step, torn, and gone.
    let order = |intent| Orders { intent, by: Some("duty manager".into()), ..Orders::default() };
    let write = |text: &[u8]| {
        std::fs::write(directory.path().join("new"), text).unwrap();
        std::fs::rename(directory.path().join("new"), &orders).unwrap();
    };
    write(&serde_json::to_vec(&order(Intent::Hold)).unwrap());
    until(&mut sensor, |seen| (seen.orders == order(Intent::Hold)).then_some(())).await;
    write(b"{ nonsense");
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(sensor.seen().orders.intent, Intent::Hold, "an accident does not lift a hold");
    write(&serde_json::to_vec(&order(Intent::Rollback)).unwrap());
    until(&mut sensor, |seen| (seen.orders == order(Intent::Rollback)).then_some(())).await;

    sensor.watch(&BTreeSet::from([Query::Orders]));
    let seen = sensor.seen();
    assert!(seen.routes.is_empty() && seen.sides.is_empty() && seen.gates.is_empty());
    let before = (legacy.requests().len(), target.requests().len());
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert!(legacy.requests().len() + target.requests().len() <= before.0 + before.1 + 2, "those that were on their way");
}

#[tokio::test]
async fn what_cannot_run_without_a_cluster_is_told_all_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let orders = directory.path().join("orders.json");
    let at = ["127.0.0.1:1".parse().unwrap()];
    let mut service = small_plan::service(&at, &at, 1_000, 500);
    service.target.at = Place::Service(ServiceRef { name: "pds".into(), port: 80 });
    service.router = PlanRouter::HttpRoute { name: "pds".into(), section_name: None };
    std::fs::write(&orders, "{").unwrap();
    let why = refusals(service.clone(), &orders, None);
    assert_eq!(why.len(), 3, "{why:?}");
    assert!(why[0].contains("target is the Kubernetes Service pds"), "{why:?}");
    assert!(why[1].contains("its router is the HTTPRoute pds"), "{why:?}");
    assert!(why[2].contains("orders.json cannot be read"), "{why:?}");
    std::fs::remove_file(&orders).unwrap();

    let mut service = small_plan::service(&at, &at, 1_000, 500);
    service.router = webhook("http://127.0.0.1:1/r", Some("PDS_KEY"));
    assert!(refusals(service.clone(), &orders, None)[0].contains("PDS_KEY with the router's key is not set"));
    assert!(refusals(service.clone(), &orders, Some("short"))[0].contains("shorter than 16 bytes"));
    service.router = webhook("https://lb/", None);
    assert!(refusals(service, &orders, None)[0].contains("http:// only"));
}
