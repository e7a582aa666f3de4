//! Whole runs without a cluster: the loop, a directory, real endpoints and a real router; and how fast it reacts.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may")]

#[path = "common/endpoint.rs"]
mod endpoint;
#[path = "common/small_plan.rs"]
mod small_plan;

use std::time::{Duration, Instant};

use endpoint::{Endpoint, Manner};
use gapless::{
    adapters::{
        clock::{self, SystemClock},
        file_store::{FileStore, orders_path},
        standalone::Standalone,
    },
    drive::{End, Finish, Ports, Until, drive},
    engine::{Decision, Effect, Outcome, Reason},
    lab::router::{RouteSpec, Router, RouterSpec, Switch},
    plan::{Revision, Router as PlanRouter, ServiceName, Weight},
    ports::{Performed, Reporter},
};
use jiff::Timestamp;

const FINE: Manner = Manner::Answers(200, "fine");

fn pds() -> ServiceName {
    "pds".parse().unwrap()
}
fn percents(history: &[Switch]) -> Vec<u8> {
    history.iter().map(|s| s.weight.percent()).collect()
}

/// Tells the test what happens.
#[derive(Default)]
struct Told {
    performed: Vec<(Timestamp, Effect, Performed)>,
    reasons: Vec<Reason>,
}
impl Reporter for &mut Told {
    fn decided(&mut self, _: Timestamp, decision: &Decision) {
        self.reasons.extend(decision.waits.iter().map(|wait| wait.reason.clone()));
    }
    fn performed(&mut self, now: Timestamp, effect: &Effect, how: &Performed) {
        self.performed.push((now, effect.clone(), how.clone()));
    }
    fn trouble(&mut self, _: Timestamp, what: &str) {
        panic!("{what}");
    }
    fn back(&mut self, _: Timestamp, _: Timestamp) {
        panic!("it was never away");
    }
}

struct Stage {
    legacy: Endpoint,
    target: Endpoint,
    router: Router,
    revision: Revision,
    directory: tempfile::TempDir,
}
impl Stage {
    async fn set(period_ms: u64, propagation: Duration) -> Self {
        let (legacy, target) = (Endpoint::start(FINE).await, Endpoint::start(FINE).await);
        let route = RouteSpec { service: pds(), legacy: vec![legacy.at], target: vec![target.at] };
        let spec = RouterSpec { routes: vec![route], propagation, upstream_timeout: Duration::from_secs(1), key: None };
        let router = Router::start(spec).await.unwrap();
        let mut service = small_plan::service(&[legacy.at], &[target.at], period_ms, 500);
        service.router = PlanRouter::Webhook { url: router.url(&pds()), key_from_env: None };
        service.steps = [10, 50, 100].map(|percent| Weight::new(percent).unwrap()).to_vec();
        let revision = small_plan::revision([("pds".to_owned(), service)]);
        Self { legacy, target, router, revision, directory: tempfile::tempdir().unwrap() }
    }

    async fn run(&self, told: &mut Told, stop: impl Future<Output = ()> + Send) -> End {
        let (store, record, _) = FileStore::open(self.directory.path(), &self.revision, clock::now()).unwrap();
        let orders = orders_path(self.directory.path());
        let (sensor, actuator) = Standalone::new(&self.revision, &record.run, &orders).unwrap();
        let mut ports = Ports { store, sensor, actuator, clock: SystemClock, reporter: told };
        let end = drive(&self.revision, &mut ports, Until::HeldOrEnded, stop);
        tokio::time::timeout(Duration::from_secs(20), end).await.unwrap().unwrap()
    }

    /// Returns when requests are routed with this weight.
    async fn at_weight(&self, percent: u64) {
        while self.router.view(&pds()).unwrap().effective != Weight::new(percent).unwrap() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_moves_and_its_route_is_given_up() {
    let stage = Stage::set(20, Duration::from_millis(15)).await;
    let mut told = Told::default();
    let end = stage.run(&mut told, std::future::pending()).await;
    assert_eq!(end.finish, Finish::Ended(Outcome::Completed), "{:#?}", told.reasons.last());
    assert_eq!(percents(&stage.router.history(&pds())), [10, 50, 100]);
    assert_eq!(stage.router.view(&pds()).unwrap().owner, None);
    assert!(told.performed.iter().all(|(_, _, how)| *how == Performed::Done), "{:#?}", told.performed);
    assert_eq!(told.performed.iter().filter(|(_, e, _)| e.key.number > 0).count(), 3, "one write for each weight");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_stopped_goes_on_in_the_next_process() {
    let stage = Stage::set(20, Duration::from_millis(15)).await;
    let mut told = Told::default();
    let end = stage.run(&mut told, stage.at_weight(50)).await;
    assert_eq!(end.finish, Finish::Stopped);
    let end = stage.run(&mut told, std::future::pending()).await;
    assert_eq!(end.finish, Finish::Ended(Outcome::Completed), "{:#?}", told.reasons.last());
    assert_eq!(percents(&stage.router.history(&pds())), [10, 50, 100], "no weight twice");
}

/// From the failing answer that completes the row being handed to the socket to the router's switch, and from the last
/// good round that a confirmation needs to the change: without the period that is waited for in any case.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_target_is_left_at_once() {
    const TIMES: usize = 10;
    let mut took = Vec::new();
    for _ in 0..TIMES {
        let stage = Stage::set(20, Duration::ZERO).await;
        let mut told = Told::default();
        let (instant, moment) = (Instant::now(), clock::now());
        let breaks = async {
            stage.at_weight(50).await;
            tokio::time::sleep(Duration::from_millis(50)).await; // until it is effective
            stage.target.becomes(Manner::Answers(500, "broken"));
            std::future::pending().await
        };
        let end = stage.run(&mut told, breaks).await;
        assert_eq!(end.finish, Finish::Ended(Outcome::RolledBack), "{:#?}", told.reasons.last());
        let history = stage.router.history(&pds());
        assert_eq!(percents(&history), [10, 50, 0]);
        let left = history[2].at;
        // The third bad answer to a probe; those to requests through the route do not count.
        let probes = stage.target.requests().into_iter().filter(|s| s.head.starts_with("GET /probe"));
        let bad: Vec<Timestamp> = probes
            .filter(|s| s.status == 500)
            .filter_map(|s| s.answered)
            .map(|at| moment + jiff::SignedDuration::try_from(at - instant).unwrap())
            .collect();
        took.push(left.duration_since(bad[2]));
        assert!(stage.legacy.requests().len() > 3);
    }
    took.sort();
    println!(
        "third failing answer handed over -> router switched: median {:?}, worst of {TIMES} {:?}",
        took[TIMES / 2],
        took[TIMES - 1]
    );
    assert!(took[TIMES / 2] < jiff::SignedDuration::from_millis(30), "{took:?}");
}
