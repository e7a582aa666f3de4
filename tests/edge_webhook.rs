//! The webhook contract between our client and the lab's router, over real sockets, with everything going wrong that can.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may")]

#[path = "common/endpoint.rs"]
mod endpoint;
#[path = "common/lossy.rs"]
mod lossy;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use endpoint::{Endpoint, Manner, closed_port, raw};
use gapless::{
    adapters::{
        clock,
        wake::{Listener, Wake},
        webhook::{Watching, Webhook, contract::MARK_HEADER, signature::Key},
    },
    engine::{
        Accepted, Action, Direction, Effect, EffectKey, Owner, Precondition, Programmed, RouteSeen, RunId, Sample, Step, Unknown,
    },
    lab::{
        estate::Estate,
        router::{RouteSpec, Router, RouterSpec},
    },
    plan::{ServiceName, Side, Weight},
    ports::Performed,
};
use lossy::Lossy;

const PATIENCE: Duration = Duration::from_secs(10);

fn pds() -> ServiceName {
    "pds".parse().unwrap()
}
fn weight(percent: u64) -> Weight {
    Weight::new(percent).unwrap()
}
fn key(text: &str) -> Option<Key> {
    Some(Key::new(text.as_bytes()).unwrap())
}

/// The lab's router in front of two estates.
struct Lab {
    router: Router,
    _estates: [Estate; 2],
}
impl Lab {
    async fn start(propagation: Duration, key: Option<Key>) -> Self {
        let names = [pds()];
        let legacy = Estate::start(Side::Legacy, &names, 1).await.unwrap();
        let target = Estate::start(Side::Target, &names, 1).await.unwrap();
        let route = RouteSpec { service: pds(), legacy: legacy.addresses(&pds()), target: target.addresses(&pds()) };
        let spec = RouterSpec { routes: vec![route], propagation, upstream_timeout: Duration::from_secs(5), key };
        Self { router: Router::start(spec).await.unwrap(), _estates: [legacy, target] }
    }
    fn control(&self) -> SocketAddr {
        self.router.url(&pds()).strip_prefix("http://").unwrap().split('/').next().unwrap().parse().unwrap()
    }
    fn through(&self, relay: &Lossy) -> String {
        self.router.url(&pds()).replace(&self.control().to_string(), &relay.at.to_string())
    }
}

/// Our end.
struct Ours {
    route: Webhook,
    listener: Listener,
    _watching: Watching,
    run: RunId,
}
impl Ours {
    fn at(url: &str, key: Option<Key>) -> Self {
        Self::run(url, key, "0123456789abcdef")
    }
    fn run(url: &str, key: Option<Key>, run: &str) -> Self {
        let wake = Wake::default();
        let run = RunId(run.into());
        let by = Owner { run: run.clone(), name: "weekend".into() };
        let route = Webhook::new(url.parse().unwrap(), key, by, wake.clone());
        Self { _watching: route.watch(), listener: wake.listener(), route, run }
    }
    /// Waits, from wake to wake, until the sample is so.
    async fn until<T>(&mut self, what: impl Fn(&Sample<RouteSeen>) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.listener.hear();
            let seen = self.route.seen();
            if let Some(found) = what(&seen) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if tokio::time::timeout(left, self.listener.changed()).await.is_err() {
                panic!("it did not come: {seen:#?}");
            }
        }
    }
    async fn route(&mut self) -> RouteSeen {
        self.until(|seen| seen.value.clone().ok()).await
    }
    async fn effective(&mut self, percent: u64) -> RouteSeen {
        self.until(|seen| seen.value.clone().ok().filter(|r| r.effective.is_some_and(|e| e.weight == weight(percent)))).await
    }
    fn effect(&self, number: u32, action: Action, version: &str) -> Effect {
        Effect {
            key: EffectKey { run: self.run.clone(), step: Step::Soak.of(&pds()), number, direction: Direction::Forward },
            action,
            precondition: Precondition {
                version: Some(version.into()),
                deadline: clock::now() + jiff::SignedDuration::from_secs(10),
            },
        }
    }
    fn shift(&self, number: u32, from: u64, to: u64, version: &str) -> Effect {
        self.effect(number, Action::SetWeight { service: pds(), weight: weight(to), from: weight(from) }, version)
    }
    async fn perform(&self, effect: &Effect) -> Performed {
        self.route.perform(effect).await
    }
}

fn refused(how: &Performed, says: &str) {
    assert!(matches!(how, Performed::Refused(why) if why.contains(says)), "{says}: {how:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_weight_is_ordered_taken_over_and_seen_in_real_answers() {
    let lab = Lab::start(Duration::from_millis(30), key("0123456789abcdef")).await;
    let mut ours = Ours::at(&lab.router.url(&pds()), key("0123456789abcdef"));
    let first = ours.route().await;
    assert_eq!(
        (&first.accepted, &first.mark, &first.effective, &first.owner),
        (&Accepted::Split(Weight::ZERO), &None, &None, &None)
    );
    let mut version = first.version;
    let mut took = Vec::new();
    for (number, from, to) in [(1, 0, 5), (2, 5, 50), (3, 50, 100), (4, 100, 0)] {
        let effect = ours.shift(number, from, to, &version);
        let began = clock::now();
        assert_eq!(ours.perform(&effect).await, Performed::Done);
        let accepted = ours.route().await;
        assert_eq!(
            (&accepted.accepted, &accepted.programmed),
            (&Accepted::Split(weight(to)), &Programmed::Pending),
            "seen at once"
        );
        let seen = ours.effective(to).await;
        assert_eq!(seen.mark.as_deref(), Some(effect.key.mark().as_str()));
        // Real answers may show it before the state is read again and says so.
        ours.until(|seen| seen.value.as_ref().is_ok_and(|r| r.programmed == Programmed::Yes).then_some(())).await;
        assert_eq!(seen.owner.as_ref().map(|o| &o.run), Some(&ours.run));
        let switched = lab.router.history(&pds()).last().unwrap().at;
        let since = seen.effective.unwrap().since;
        assert!(since >= switched, "effective at {since}, switched at {switched}");
        took.push((switched.duration_since(began), since.duration_since(switched)));
        version = seen.version;
    }
    println!("(ordered -> switched, switched -> effective): {took:?}");
    assert_eq!(lab.router.history(&pds()).len(), 4);
    let release = ours.effect(0, Action::Release { service: pds() }, &version);
    assert_eq!(ours.perform(&release).await, Performed::Done);
    let seen = ours.until(|seen| seen.value.clone().ok().filter(|r| r.owner.is_none())).await;
    assert_eq!(seen.effective.unwrap().weight, Weight::ZERO, "what is effective stays so");
    assert_eq!(
        ours.perform(&ours.effect(0, Action::EnsureBackend { service: pds(), side: Side::Legacy }, "x")).await,
        Performed::Done
    );
}

#[tokio::test]
async fn an_old_version_another_owner_and_other_weights_are_refused_and_say_so() {
    let lab = Lab::start(Duration::ZERO, None).await;
    let url = lab.router.url(&pds());
    let (mut ours, mut theirs) = (Ours::at(&url, None), Ours::run(&url, None, "fedcba9876543210"));
    let version = ours.route().await.version;
    refused(&ours.perform(&ours.shift(1, 25, 50, &version)).await, "has legacy 100, target 0, and not legacy 75, target 25");
    refused(&ours.perform(&ours.shift(1, 0, 50, "v0")).await, "it has version");
    let mut late = ours.shift(1, 0, 50, &version);
    late.precondition.deadline = clock::now();
    refused(&ours.perform(&late).await, "too old");
    let mut blind = ours.shift(1, 0, 50, &version);
    blind.precondition.version = None;
    refused(&ours.perform(&blind).await, "no version");
    assert!(lab.router.history(&pds()).is_empty(), "nothing was done");

    assert_eq!(ours.perform(&ours.shift(1, 0, 50, &version)).await, Performed::Done);
    let seen = theirs.until(|seen| seen.value.clone().ok().filter(|r| r.owner.is_some())).await;
    refused(&theirs.perform(&theirs.shift(1, 50, 100, &seen.version)).await, "belongs to weekend (0123456789abcdef)");
    refused(&theirs.perform(&theirs.effect(0, Action::Release { service: pds() }, &seen.version)).await, "belongs to weekend");
    assert_eq!(lab.router.history(&pds()).len(), 1);
}

#[tokio::test]
async fn a_lost_answer_is_unclear_and_the_second_try_does_nothing_twice() {
    let lab = Lab::start(Duration::ZERO, None).await;
    let relay = Lossy::before(lab.control()).await;
    let mut ours = Ours::at(&lab.through(&relay), None);
    let version = ours.route().await.version;
    let effect = ours.shift(1, 0, 50, &version);
    relay.lose(1);
    let how = ours.perform(&effect).await;
    assert!(matches!(&how, Performed::Unclear(why) if why.contains("may be done or not")), "{how:?}");
    let seen = ours.effective(50).await;
    assert_ne!(seen.version, version, "the truth came by looking");
    assert_eq!(ours.perform(&effect).await, Performed::Done, "same key, old version");
    assert_eq!(lab.router.history(&pds()).len(), 1);
    // On the kept connection the repetition happens by itself: the answer to the first try is lost, the second is told.
    relay.lose(1);
    assert_eq!(ours.perform(&ours.shift(2, 50, 100, &seen.version)).await, Performed::Done);
    ours.effective(100).await;
    assert_eq!((relay.left(), lab.router.history(&pds()).len()), (0, 2));
}

#[tokio::test]
async fn a_wrong_signature_is_told_as_not_permitted() {
    let lab = Lab::start(Duration::ZERO, key("0123456789abcdef")).await;
    for wrong in [key("0123456789abcdeX"), None] {
        let mut ours = Ours::at(&lab.router.url(&pds()), wrong);
        let why = ours.until(|seen| seen.value.clone().err().filter(|w| *w != Unknown::NotYet)).await;
        assert!(matches!(&why, Unknown::Denied(what) if what.contains("answered 401") && what.contains("sign")), "{why:?}");
        refused(&ours.perform(&ours.shift(1, 0, 50, "1")).await, "not permitted");
    }
    assert!(lab.router.history(&pds()).is_empty());
}

#[tokio::test]
async fn a_router_that_is_down_is_unknown_and_one_that_comes_back_is_seen() {
    let lab = Lab::start(Duration::ZERO, None).await;
    let mut ours = Ours::at(&lab.router.url(&pds()), None);
    let version = ours.route().await.version;
    assert_eq!(ours.perform(&ours.shift(1, 0, 50, &version)).await, Performed::Done);
    let before = ours.effective(50).await;
    lab.router.control_reachable(false).await.unwrap();
    let why = ours.until(|seen| seen.value.clone().err()).await;
    assert!(
        matches!(&why, Unknown::Unreachable(what) if what.contains("connection refused") || what.contains("closed")),
        "{why:?}"
    );
    refused(&ours.perform(&ours.shift(2, 50, 100, &before.version)).await, "connection refused; nothing was sent");
    lab.router.control_reachable(true).await.unwrap();
    let after = ours.route().await;
    assert_eq!(after.effective, before.effective, "traffic was looked at all the time");
    assert_eq!(ours.perform(&ours.shift(2, 50, 100, &after.version)).await, Performed::Done);
    ours.effective(100).await;

    let mut nowhere = Ours::at(&format!("http://{}/r", closed_port().await), None);
    let why = nowhere.until(|seen| seen.value.clone().err().filter(|w| *w != Unknown::NotYet)).await;
    assert!(why.to_string().contains("connection refused"), "{why}");
}

#[tokio::test]
async fn accepted_and_never_programmed_is_never_effective() {
    let lab = Lab::start(Duration::from_secs(3_600), None).await;
    let mut ours = Ours::at(&lab.router.url(&pds()), None);
    let version = ours.route().await.version;
    assert_eq!(ours.perform(&ours.shift(1, 0, 50, &version)).await, Performed::Done);
    // Looked at 5 ms apart: many looks.
    tokio::time::sleep(Duration::from_millis(400)).await;
    let seen = ours.route().await;
    assert_eq!((seen.accepted, seen.programmed, seen.effective), (Accepted::Split(weight(50)), Programmed::Pending, None));
}

fn state(version: &str, target: u32, mark: &str, address: SocketAddr) -> String {
    let state = serde_json::json!({
        "version": version, "weights": { "legacy": 100 - target, "target": target }, "mark": mark, "programmed": true,
        "address": format!("http://{address}/"),
    });
    raw("", &state.to_string())
}
fn marked(mark: &str) -> String {
    raw(&format!("{MARK_HEADER}: {mark}\r\n"), "hello")
}

/// A router that says "programmed" while its workers still have the old configuration, all of them or one of three.
#[tokio::test]
async fn a_router_that_lies_is_found_out_by_its_answers() {
    let stale = [
        vec![marked("m-1")],
        vec![marked("m-2"), marked("m-2"), marked("m-1")],
        vec![raw("", "no mark")],
        vec![raw(&format!("{MARK_HEADER}: m-2\r\n{MARK_HEADER}: m-1\r\n"), "two marks")],
    ];
    for answers in stale {
        let traffic = Endpoint::start(Manner::Turns(answers.clone())).await;
        let control = Endpoint::start(Manner::Turns(vec![state("2", 50, "m-2", traffic.at)])).await;
        let mut ours = Ours::at(&format!("http://{}/r", control.at), None);
        assert_eq!(ours.route().await.programmed, Programmed::Yes);
        while traffic.requests().len() < 30 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(ours.route().await.effective, None, "{answers:?}");
        // Each look was a connection of its own, and they were not a flood.
        traffic.becomes(Manner::Turns(vec![marked("m-2")]));
        let seen = ours.effective(50).await;
        assert!(seen.effective.is_some());
    }
}

#[tokio::test]
async fn what_was_effective_is_taken_back_when_answers_change() {
    let traffic = Endpoint::start(Manner::Turns(vec![marked("m-2")])).await;
    let control = Endpoint::start(Manner::Turns(vec![state("2", 50, "m-2", traffic.at)])).await;
    let mut ours = Ours::at(&format!("http://{}/r", control.at), None);
    let first = ours.effective(50).await.effective.unwrap();
    assert_eq!(traffic.requests().len(), 3, "three, and then one a second");
    traffic.becomes(Manner::Turns(vec![marked("m-1")]));
    ours.until(|seen| seen.value.as_ref().is_ok_and(|r| r.effective.is_none()).then_some(())).await;
    traffic.becomes(Manner::Turns(vec![marked("m-2")]));
    let again = ours.effective(50).await.effective.unwrap();
    assert!(again.since > first.since);
    drop(traffic);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(ours.route().await.effective, Some(again), "silence proves nothing");
}

#[tokio::test]
async fn nonsense_from_a_router_is_unreadable() {
    let there = closed_port().await;
    let cases = [
        (raw("", "hello"), "sent no state"),
        (raw("", r#"{"version":"1"}"#), "missing field"),
        (state("", 50, "m", there), "its version"),
        (raw("", r#"{"version":"1","weights":{"legacy":1,"target":99},"address":"https://lb/"}"#), "http:// only"),
        (format!("HTTP/1.1 200 OK\r\ncontent-length: 70000\r\n\r\n{}", "x".repeat(70_000)), "64 KiB"),
        ("SSH-2.0-x\r\n\r\n".to_owned(), "not understood"),
        (raw("", "{}").replace("200 OK", "503 X"), "answered 503"),
    ];
    for (answer, says) in cases {
        let control = Endpoint::start(Manner::Turns(vec![answer.clone()])).await;
        let mut ours = Ours::at(&format!("http://{}/r", control.at), None);
        let why = ours.until(|seen| seen.value.clone().err().filter(|w| *w != Unknown::NotYet)).await;
        assert!(why.to_string().contains(says), "{answer:.80}: {why}");
    }
}

/// Without a long poll a change by hand is seen by reading every 200 ms; with it at once, and hardly anything is sent.
#[tokio::test]
async fn a_change_by_somebody_else_is_noticed() {
    let lab = Lab::start(Duration::ZERO, None).await;
    let url = lab.router.url(&pds());
    let mut ours = Ours::at(&url, None);
    let version = ours.route().await.version;
    tokio::time::sleep(Duration::from_millis(50)).await; // it waits by long poll now
    let theirs = Ours::run(&url, None, "fedcba9876543210");
    let began = Instant::now();
    assert_eq!(theirs.perform(&theirs.shift(7, 0, 30, &version)).await, Performed::Done);
    let seen = ours.until(|seen| seen.value.clone().ok().filter(|r| r.accepted == Accepted::Split(weight(30)))).await;
    assert!(began.elapsed() < Duration::from_millis(150), "{:?}", began.elapsed());
    assert_eq!(seen.owner.unwrap().run, theirs.run);
}

#[tokio::test]
async fn nothing_is_sent_once_nobody_watches() {
    let traffic = Endpoint::start(Manner::Turns(vec![marked("m-1")])).await;
    let control = Endpoint::start(Manner::Turns(vec![state("2", 50, "m-2", traffic.at)])).await;
    let mut ours = Ours::at(&format!("http://{}/r", control.at), None);
    ours.route().await;
    drop(ours);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let before = (control.requests().len(), traffic.requests().len());
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!((control.requests().len(), traffic.requests().len()), before);
}
