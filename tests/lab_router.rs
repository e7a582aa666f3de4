//! The lab's router, by itself: real sockets on both sides of it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "the helpers of a test are test code")]

#[path = "common/http.rs"]
mod http;

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use gapless::{
    adapters::webhook::{
        contract::{Programming, State},
        signature::{Key, Signed},
    },
    lab::{
        estate::{Estate, Fault},
        load::{Load, LoadSpec},
        router::{RouteSpec, Router, RouterSpec},
    },
    plan::{ServiceName, Side},
};
use http::{get, header, send};
use http_body_util::Full;
use hyper::{Request, Response};
use serde_json::{Value, json};

struct Lab {
    service: ServiceName,
    legacy: Estate,
    target: Estate,
    router: Router,
}

impl Lab {
    async fn start(propagation: u64, key: Option<Key>) -> Self {
        let service: ServiceName = "orders".parse().unwrap();
        let names = [service.clone()];
        let legacy = Estate::start(Side::Legacy, &names, 2).await.unwrap();
        let target = Estate::start(Side::Target, &names, 2).await.unwrap();
        let route =
            RouteSpec { service: service.clone(), legacy: legacy.addresses(&service), target: target.addresses(&service) };
        let router = Router::start(RouterSpec {
            routes: vec![route],
            propagation: Duration::from_millis(propagation),
            upstream_timeout: Duration::from_secs(5),
            key,
        });
        Self { router: router.await.unwrap(), service, legacy, target }
    }
    fn traffic(&self) -> SocketAddr {
        self.router.address(&self.service).unwrap()
    }
    fn control(&self) -> (SocketAddr, String) {
        let url = self.router.url(&self.service);
        let (authority, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
        (authority.parse().unwrap(), format!("/{path}"))
    }
    async fn state(&self) -> State {
        let (address, path) = self.control();
        serde_json::from_slice(get(address, &path).await.unwrap().body()).unwrap()
    }
    async fn put(&self, version: Option<&str>, body: &Value) -> Response<Bytes> {
        let (address, path) = self.control();
        let mut request = Request::put(path).header("host", "lab");
        if let Some(version) = version {
            request = request.header("if-match", format!("\"{version}\""));
        }
        send(address, request.body(Full::from(body.to_string())).unwrap()).await.unwrap()
    }
    /// Sets a weight and waits until the data plane has it.
    async fn shift(&self, number: u32, to: u32) {
        let state = self.state().await;
        let change = set(&format!("k{number}"), "run-a", state.weights.target, to, &format!("mark-{number}"));
        let answer = self.put(Some(&state.version), &change).await;
        assert_eq!(answer.status(), 200, "{answer:?}");
        while self.state().await.programmed != Some(Programming::Has(true)) {}
    }
}

fn weights(target: u32) -> Value {
    json!({ "legacy": 100 - target, "target": target })
}
fn set(key: &str, run: &str, from: u32, to: u32, mark: &str) -> Value {
    json!({ "key": key, "by": { "run": run, "name": "a plan" },
            "do": { "setWeights": { "from": weights(from), "weights": weights(to), "mark": mark } } })
}

#[tokio::test]
async fn weights_are_exact_over_a_thousand_requests() {
    let lab = Lab::start(0, None).await;
    for (number, weight) in [(1, 5), (2, 37), (3, 100), (4, 0)] {
        lab.shift(number, weight).await;
        let (legacy, target) = (lab.legacy.requests(&lab.service), lab.target.requests(&lab.service));
        let mut said = 0;
        for _ in 0..1000 {
            let answer = get(lab.traffic(), "/").await.unwrap();
            said += u32::from(header(&answer, "x-gapless-side") == "target");
            assert_eq!(header(&answer, "x-gapless-mark"), format!("mark-{number}"));
        }
        assert_eq!(said, weight * 10);
        assert_eq!(lab.target.requests(&lab.service) - target, u64::from(weight) * 10, "as the endpoints counted them");
        assert_eq!(lab.legacy.requests(&lab.service) - legacy, u64::from(100 - weight) * 10);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_lost_while_weights_are_switched_two_hundred_times() {
    let lab = Lab::start(2, None).await;
    let (address, timeout) = (lab.traffic(), Duration::from_secs(5));
    let load = Load::start(LoadSpec { address, host: "orders".into(), path: "/".into(), rate: 300, timeout });
    for number in 1..=200 {
        lab.shift(number, [100, 0, 50, 1, 99][number as usize % 5]).await;
    }
    let report = load.stop().await;
    assert_eq!(report.failed, []);
    assert!(report.requests >= 100, "there was load all the while: {}", report.requests);
    assert_eq!(report.longest_gap, Duration::ZERO);
    assert_eq!(lab.router.history(&lab.service).len(), 200);
    // Exactly as many as were sent arrived, so that nothing was tried twice.
    let arrived = lab.legacy.requests(&lab.service) + lab.target.requests(&lab.service);
    assert_eq!(arrived, report.requests);
}

#[tokio::test]
async fn what_is_under_way_is_finished_under_its_old_mark_and_counted_until_then() {
    let lab = Lab::start(20, None).await;
    lab.shift(1, 0).await;
    lab.legacy.inject(&lab.service, Some(Fault::Slow)).await.unwrap();
    let traffic = lab.traffic();
    let slow = tokio::spawn(async move { get(traffic, "/").await.unwrap() });
    while lab.state().await.active.unwrap().legacy == 0 {}
    lab.shift(2, 100).await;
    let after = get(traffic, "/").await.unwrap();
    assert_eq!((header(&after, "x-gapless-side"), header(&after, "x-gapless-mark")), ("target", "mark-2"));
    assert_eq!(lab.state().await.active.unwrap().legacy, 1, "the slow one");
    let before = slow.await.unwrap();
    assert_eq!(before.status(), 200);
    assert_eq!((header(&before, "x-gapless-side"), header(&before, "x-gapless-mark")), ("legacy", "mark-1"));
    assert_eq!(lab.state().await.active.unwrap().legacy, 0);
}

#[tokio::test]
async fn a_failing_side_is_reported_and_not_papered_over() {
    let lab = Lab::start(0, None).await;
    for (fault, status) in [(Fault::Errors, 500), (Fault::Dead, 502)] {
        lab.legacy.inject(&lab.service, Some(fault)).await.unwrap();
        let answer = get(lab.traffic(), "/").await.unwrap();
        assert_eq!((answer.status().as_u16(), header(&answer, "x-gapless-side")), (status, "legacy"), "{fault}");
        assert_eq!(lab.target.requests(&lab.service), 0, "no second try on the other side");
    }
    lab.legacy.inject(&lab.service, None).await.unwrap();
    assert_eq!(get(lab.traffic(), "/").await.unwrap().status(), 200, "mended on the same port");
}

#[tokio::test]
async fn accepted_is_not_yet_programmed_and_a_replaced_setting_is_never_in_force() {
    let lab = Lab::start(150, None).await;
    let first = lab.state().await;
    assert_eq!((first.weights.target, &first.mark, first.programmed), (0, &None, Some(Programming::Has(true))));
    assert_eq!(lab.put(Some(&first.version), &set("k1", "a", 0, 100, "m1")).await.status(), 200);
    let second = lab.state().await;
    assert_eq!((second.weights.target, second.mark.as_deref()), (100, Some("m1")));
    assert_eq!(second.programmed, Some(Programming::Has(false)));
    assert_eq!(header(&get(lab.traffic(), "/").await.unwrap(), "x-gapless-side"), "legacy", "not effective yet");
    assert_eq!(lab.put(Some(&second.version), &set("k2", "a", 100, 50, "m2")).await.status(), 200);
    while lab.state().await.programmed != Some(Programming::Has(true)) {}
    let marks: Vec<String> = lab.router.history(&lab.service).into_iter().map(|s| s.mark).collect();
    assert_eq!(marks, ["m2"]);
}

#[tokio::test]
async fn a_change_is_conditional_and_done_once() {
    let lab = Lab::start(0, None).await;
    let v0 = lab.state().await.version;
    let change = set("k1", "run-a", 0, 25, "m1");
    assert_eq!(lab.put(None, &change).await.status(), 428);
    assert_eq!(lab.put(Some("elsewhere-0"), &change).await.status(), 412);
    assert_eq!(lab.put(Some(&v0), &set("k1", "run-a", 5, 25, "m1")).await.status(), 412, "it is not at 5 %");
    assert_eq!(lab.state().await.version, v0, "nothing changed");

    let done = lab.put(Some(&v0), &change).await;
    let state: State = serde_json::from_slice(done.body()).unwrap();
    assert_eq!((done.status().as_u16(), state.weights.target, state.owner.unwrap().run.0.as_str()), (200, 25, "run-a"));
    let again = lab.put(Some(&v0), &change).await;
    let repeated: State = serde_json::from_slice(again.body()).unwrap();
    assert_eq!((again.status().as_u16(), &repeated.version), (200, &state.version), "the same key is the same change");

    let foreign = lab.put(Some(&state.version), &set("k2", "run-b", 25, 50, "m2")).await;
    let shown: State = serde_json::from_slice(foreign.body()).unwrap();
    assert_eq!((foreign.status().as_u16(), shown.owner.unwrap().run.0.as_str()), (412, "run-a"), "and says whose it is");

    let release = json!({ "key": "k3", "by": { "run": "run-a", "name": "a plan" }, "do": { "release": {} } });
    assert_eq!(lab.put(Some(&state.version), &release).await.status(), 200);
    let free = lab.state().await;
    assert_eq!((free.owner, free.weights.target, free.mark.as_deref()), (None, 25, Some("m1")));
    assert_ne!(free.version, state.version);
    assert_eq!(lab.put(Some(&free.version), &set("k4", "run-b", 25, 50, "m4")).await.status(), 200, "now it may");
    // The key of an older change is forgotten, and its version is gone.
    assert_eq!(lab.put(Some(&v0), &change).await.status(), 412);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let lab = Lab::start(0, None).await;
    let version = lab.state().await.version;
    let over = json!({ "key": "k", "by": { "run": "a", "name": "a" },
        "do": { "setWeights": { "from": weights(0), "weights": { "legacy": 50, "target": 51 }, "mark": "m" } } });
    let percent = set("k", "a", 0, 5, "100%");
    let unknown = json!({ "key": "k", "by": { "run": "a", "name": "a" }, "do": { "destroy": {} } });
    for body in [over, percent, unknown, json!("nonsense")] {
        let answer = lab.put(Some(&version), &body).await;
        assert_eq!(answer.status(), 422, "{body}");
        let why: Value = serde_json::from_slice(answer.body()).unwrap();
        assert!(why["error"].is_string());
    }
    let (address, _) = lab.control();
    assert_eq!(get(address, "/routes/letters").await.unwrap().status(), 404);
    assert_eq!(lab.state().await.version, version);
}

#[tokio::test]
async fn a_long_poll_is_answered_by_the_change() {
    let lab = Lab::start(0, None).await;
    let (address, path) = lab.control();
    let before = lab.state().await;
    let waiting = tokio::spawn(async move { get(address, &format!("{path}?wait={}", before.version)).await.unwrap() });
    tokio::time::sleep(Duration::from_millis(50)).await; // it is to be waiting by now; if not, the test proves less
    assert!(!waiting.is_finished());
    lab.shift(1, 5).await;
    let state: State = serde_json::from_slice(waiting.await.unwrap().body()).unwrap();
    assert_eq!(state.weights.target, 5);
}

#[tokio::test]
async fn with_a_key_only_signed_requests_are_heard() {
    let key = Key::new(b"0123456789abcdef").unwrap();
    let lab = Lab::start(0, Some(key.clone())).await;
    let (address, path) = lab.control();
    assert_eq!(get(address, &path).await.unwrap().status(), 401);
    let now = jiff::Timestamp::now().as_millisecond();
    for (signer, sent, status) in
        [(key.clone(), now, 200), (Key::new(b"another key, as long").unwrap(), now, 401), (key, now - 60_000, 401)]
    {
        let signature = signer.sign(Signed { method: "GET", path: &path, if_match: "", body: b"" }, sent);
        let request = Request::get(&path).header("host", "lab");
        let request = request.header("x-gapless-timestamp", sent).header("x-gapless-signature", signature);
        let answer = send(address, request.body(Full::default()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), status);
    }
}
