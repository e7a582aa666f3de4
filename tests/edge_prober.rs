//! The prober against real servers on loopback that answer well, badly, late, half, or not at all.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may")]

#[path = "common/endpoint.rs"]
mod endpoint;
#[path = "common/small_plan.rs"]
mod small_plan;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use endpoint::{Endpoint, Manner, closed_port};
use gapless::{
    adapters::{
        prober::{Prober, Targets},
        wake::{Listener, Wake},
    },
    engine::{Answer, Observed, Query, Round, Sample, SideSeen, Unknown, queries},
    engine::{Record, RunId},
    plan::{Check, Revision, Service, Side},
};

const PATIENCE: Duration = Duration::from_secs(10);

struct Bench {
    prober: Prober,
    listener: Listener,
    revision: Arc<Revision>,
}

impl Bench {
    fn of(services: impl IntoIterator<Item = (String, Service)>) -> Self {
        let revision = Arc::new(small_plan::revision(services));
        let wake = Wake::default();
        let mut bench = Self { prober: Prober::new(revision.clone(), wake.clone()), listener: wake.listener(), revision };
        let record = Record::new(RunId("r".into()), &bench.revision, jiff::Timestamp::now());
        bench.prober.watch(&queries(&bench.revision, &record));
        bench
    }
    fn one(service: Service) -> Self {
        Self::of([("pds".to_owned(), service)])
    }
    fn seen(&mut self) -> Observed {
        self.listener.hear();
        let mut seen = Observed::default();
        self.prober.fill(&mut seen);
        seen
    }
    /// Waits, from wake to wake, until `what` is there.
    async fn until<T>(&mut self, what: impl Fn(&Observed) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let seen = self.seen();
            if let Some(found) = what(&seen) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if tokio::time::timeout(left, self.listener.changed()).await.is_err() {
                panic!("it did not come: {seen:#?}");
            }
        }
    }
    async fn bad(&mut self) -> String {
        self.until(|seen| {
            rounds(seen, "answers").iter().find_map(|r| match &r.answer {
                Answer::Bad(why) => Some(why.clone()),
                _ => None,
            })
        })
        .await
    }
}

fn rounds(seen: &Observed, gate: &str) -> Vec<Round> {
    seen.gates.get("pds").and_then(|gates| gates.get(gate)).map(|g| g.rounds.clone()).unwrap_or_default()
}
fn side(seen: &Observed, side: Side) -> Option<Sample<SideSeen>> {
    seen.sides.get("pds").and_then(|sides| sides.get(side)).cloned()
}
fn healthy(seen: &Observed, which: Side) -> Option<(u32, u32, u32)> {
    let value = side(seen, which)?.value.ok()?;
    Some((value.healthy, value.endpoints, value.dead_rounds))
}
fn good() -> Manner {
    Manner::Answers(200, "fine")
}

#[tokio::test]
async fn good_rounds_come_from_every_endpoint_of_both_sides() {
    let (a, b, c) = (Endpoint::start(good()).await, Endpoint::start(good()).await, Endpoint::start(good()).await);
    let mut bench = Bench::one(small_plan::service(&[a.at], &[b.at, c.at], 25, 500));
    bench
        .until(|seen| (healthy(seen, Side::Legacy)? == (1, 1, 0) && healthy(seen, Side::Target)? == (2, 2, 0)).then_some(()))
        .await;
    let all = bench.until(|seen| Some(rounds(seen, "answers")).filter(|r| r.len() >= 4)).await;
    assert!(all.iter().all(|r| r.answer == Answer::Good && r.sent_at <= r.done_at), "{all:?}");
    assert!(all.windows(2).all(|w| w[0].sent_at < w[1].sent_at));
    for endpoint in [&a, &b, &c] {
        let head = endpoint.requests()[0].head.to_lowercase();
        assert!(head.starts_with("get /probe http/1.1\r\n"), "{head}");
        assert!(head.contains(&format!("host: {}\r\n", endpoint.at)), "{head}");
    }
    // The ring does not grow: what a verdict can need, and room for a silence among it.
    let most = usize::try_from(gapless::engine::gate::ROUNDS_MIN).unwrap() + 3;
    tokio::time::sleep(Duration::from_millis(25 * (most as u64 + 10))).await;
    assert_eq!(rounds(&bench.seen(), "answers").len(), most);
}

#[tokio::test]
async fn ipv6_endpoints_are_probed_as_well() {
    let six = Endpoint::start_at("[::1]:0".parse().unwrap(), good()).await;
    let mut bench = Bench::one(small_plan::service(&[six.at], &[six.at], 25, 500));
    bench.until(|seen| (healthy(seen, Side::Target)? == (1, 1, 0)).then_some(())).await;
    let head = six.requests()[0].head.to_lowercase();
    assert!(head.contains(&format!("host: [::1]:{}\r\n", six.at.port())), "{head}");
}

#[tokio::test]
async fn each_kind_of_failure_is_bad_and_says_what_came() {
    let cases = [
        (Manner::Answers(500, "no"), "answered 500, expected 200"),
        (Manner::Hangs, "no answer within 80ms"),
        (Manner::DiesMidStream, "closed before the answer was complete"),
        (Manner::Babbles, "not understood"),
        (Manner::Slow(Duration::from_millis(300)), "no answer within 80ms"),
    ];
    for (manner, says) in cases {
        let (well, ill) = (Endpoint::start(good()).await, Endpoint::start(manner.clone()).await);
        let mut bench = Bench::one(small_plan::service(&[well.at], &[well.at, ill.at], 50, 80));
        let why = bench.bad().await;
        assert!(why.contains(says) && why.contains(&ill.at.to_string()), "{manner:?}: {why}");
        bench.until(|seen| (healthy(seen, Side::Target)? == (1, 2, 0)).then_some(())).await;
    }
    let closed = closed_port().await;
    let mut bench = Bench::one(small_plan::service(&[closed], &[closed], 50, 80));
    assert!(bench.bad().await.contains("connection refused"));
    let (healthy, dead) =
        bench.until(|seen| healthy(seen, Side::Legacy).filter(|(_, _, dead)| *dead >= 3).map(|(h, _, d)| (h, d))).await;
    assert!(healthy == 0 && dead >= 3);
}

#[tokio::test]
async fn a_body_is_looked_through_and_never_read_without_end() {
    let endless = Endpoint::start(Manner::Endless).await;
    let mut service = small_plan::service(&[endless.at], &[endless.at], 50, 2_000);
    let probe = service.probes.values_mut().next().unwrap();
    probe.send.body_contains = Some("9990000018".into());
    let mut bench = Bench::one(service);
    let why = bench.bad().await;
    assert!(why.contains("answered 200 without `9990000018` in the body"), "{why}");
    endless.becomes(Manner::Answers(200, "patient 9990000018"));
    bench.until(|seen| (healthy(seen, Side::Target)? == (1, 1, 0)).then_some(())).await;
}

/// One endpoint fails at once while another of the same round hangs: nobody waits for the one that hangs.
#[tokio::test]
async fn a_failure_is_published_while_the_round_still_hangs() {
    let (ill, slow) = (Endpoint::start(Manner::Answers(503, "")).await, Endpoint::start(Manner::Hangs).await);
    let mut bench = Bench::one(small_plan::service(&[slow.at], &[ill.at, slow.at], 1_000, 5_000));
    let begun = Instant::now();
    assert!(bench.bad().await.contains("503"));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

/// From the moment the server has handed its failing answer to the socket until `seen` shows it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_answer_is_visible_within_a_millisecond() {
    let endpoint = Endpoint::start(good()).await;
    let mut took = Vec::new();
    for _ in 0..30 {
        endpoint.becomes(good());
        let mut bench = Bench::one(small_plan::service(&[endpoint.at], &[endpoint.at], 20, 500));
        bench.until(|seen| (rounds(seen, "answers").len() > 1).then_some(())).await;
        endpoint.becomes(Manner::Answers(500, ""));
        bench.bad().await;
        let now = Instant::now();
        let failed = |s: &&endpoint::Seen| s.answered.is_some();
        let first = endpoint.requests().iter().rev().filter(failed).map(|s| s.answered.unwrap()).next().unwrap();
        took.push(now.saturating_duration_since(first));
    }
    took.sort();
    println!("failing answer handed over -> seen: median {:?}, worst of 30 {:?}", took[15], took[29]);
    assert!(took[15] < Duration::from_millis(5), "{took:?}");
}

/// The next request goes out on time although none of the ones before was answered.
#[tokio::test]
async fn slow_answers_do_not_slow_the_rate() {
    let hangs = Endpoint::start(Manner::Hangs).await;
    let mut bench = Bench::one(small_plan::service(&[hangs.at], &[hangs.at], 50, 600));
    bench.until(|seen| (rounds(seen, "answers").len() >= 5).then_some(())).await;
    let sent: Vec<Instant> = hangs.requests().iter().map(|s| s.at).collect();
    let elapsed = *sent.last().unwrap() - sent[0];
    let wanted = 2.0 * elapsed.as_secs_f64() / 0.05;
    assert!((sent.len() as f64) > wanted * 0.9, "{} requests in {elapsed:?}, expected about {wanted}", sent.len());
}

#[tokio::test]
async fn a_side_whose_endpoints_are_unknown_is_unknown_and_one_without_any_is_dead() {
    let endpoint = Endpoint::start(good()).await;
    let mut bench = Bench::one(small_plan::service(&[endpoint.at], &[endpoint.at], 25, 500));
    let pds = "pds".parse().unwrap();
    bench.until(|seen| healthy(seen, Side::Target).filter(|h| h.0 == 1)).await;
    let why = Unknown::Unreachable("the API server".into());
    bench.prober.set_targets(&pds, Side::Target, Targets::Unknown(why.clone()));
    let answer =
        bench.until(|seen| rounds(seen, "answers").last().filter(|r| r.answer != Answer::Good).map(|r| r.answer.clone())).await;
    assert_eq!(answer, Answer::Unknown(why.clone()));
    assert_eq!(side(&bench.seen(), Side::Target).unwrap().value, Err(why));
    bench.prober.set_targets(&pds, Side::Target, Targets::Known(BTreeSet::new()));
    bench.until(|seen| healthy(seen, Side::Target).filter(|(h, e, dead)| *h == 0 && *e == 0 && *dead > 2)).await;
    assert!(
        matches!(&rounds(&bench.seen(), "answers").last().unwrap().answer, Answer::Bad(why) if why.contains("target has no endpoints"))
    );
    bench.prober.set_targets(&pds, Side::Target, Targets::Known(BTreeSet::from([endpoint.at])));
    bench.until(|seen| healthy(seen, Side::Target).filter(|h| *h == (1, 1, 0))).await;
}

#[tokio::test]
async fn a_service_without_probes_is_knocked_at() {
    let open = Endpoint::start(Manner::Hangs).await;
    let mut service = small_plan::service(&[open.at], &[closed_port().await], 25, 500);
    service.probes.clear();
    service.gates.clear();
    let mut bench = Bench::one(service);
    bench.until(|seen| (healthy(seen, Side::Legacy)? == (1, 1, 0) && healthy(seen, Side::Target)?.0 == 0).then_some(())).await;
}

#[tokio::test]
async fn an_http_check_is_good_bad_or_unknown() {
    let (side, judge) = (Endpoint::start(good()).await, Endpoint::start(Manner::Answers(204, "")).await);
    let at = judge.at;
    let mut service = small_plan::service(&[side.at], &[side.at], 25, 500);
    service.gates.insert(
        "health".parse().unwrap(),
        small_plan::gate(Check::Http(format!("http://localhost:{}/ok?x=1", at.port())), 25, 200),
    );
    let mut bench = Bench::one(service);
    let last = |seen: &Observed| rounds(seen, "health").last().map(|r| r.answer.clone());
    bench.until(|seen| last(seen).filter(|a| *a == Answer::Good)).await;
    let head = judge.requests()[0].head.to_lowercase();
    assert!(head.starts_with("get /ok?x=1 ") && head.contains(&format!("host: localhost:{}", at.port())), "{head}");
    judge.becomes(Manner::Answers(302, ""));
    bench.until(|seen| last(seen).filter(|a| matches!(a, Answer::Bad(why) if why.ends_with("answered 302")))).await;
    judge.becomes(Manner::Hangs);
    bench
        .until(|seen| {
            last(seen)
                .filter(|a| matches!(a, Answer::Unknown(Unknown::Unreachable(why)) if why.contains("no answer within 200ms")))
        })
        .await;
    drop(judge);
    bench
        .until(|seen| last(seen).filter(|a| matches!(a, Answer::Unknown(Unknown::Unreachable(why)) if why.contains("refused"))))
        .await;
}

#[tokio::test]
async fn what_is_not_asked_any_more_is_not_sent_and_not_told() {
    let endpoint = Endpoint::start(good()).await;
    let mut bench = Bench::one(small_plan::service(&[endpoint.at], &[endpoint.at], 20, 500));
    bench.until(|seen| (rounds(seen, "answers").len() > 2).then_some(())).await;
    assert_eq!(bench.prober.lanes(), 2);
    bench.prober.watch(&BTreeSet::from([Query::Side("pds".parse().unwrap(), Side::Legacy)]));
    assert_eq!(bench.prober.lanes(), 1);
    let seen = bench.seen();
    assert!(rounds(&seen, "answers").is_empty() && side(&seen, Side::Target).is_none() && side(&seen, Side::Legacy).is_some());
    bench.prober.watch(&BTreeSet::new());
    assert_eq!(bench.seen(), Observed::default());
    let before = endpoint.requests().len();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(endpoint.requests().len() <= before + 1, "one may have been on its way");
}

/// 100 services, both sides, one endpoint each: 200 requests a second that keep their time and do not bunch.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_services_keep_their_second() {
    const SERVICES: usize = 100;
    const SECONDS: usize = 4;
    let endpoint = Endpoint::start(good()).await;
    let services = (0..SERVICES).map(|n| {
        let mut service = small_plan::service(&[endpoint.at], &[endpoint.at], 1_000, 500);
        service.probes.values_mut().next().unwrap().send.path = format!("/{n}");
        (format!("s{n}"), service)
    });
    let bench = Bench::of(services);
    tokio::time::sleep(Duration::from_secs(SECONDS as u64 + 1)).await;
    drop(bench);
    let requests = endpoint.requests();
    let mut by_path: BTreeMap<String, Vec<Instant>> = BTreeMap::new();
    for seen in &requests {
        by_path.entry(seen.head.split(' ').nth(1).unwrap().to_owned()).or_default().push(seen.at);
    }
    assert_eq!(by_path.len(), SERVICES);
    let mut worst = Duration::ZERO;
    for times in by_path.values() {
        assert!(times.len() >= 2 * SECONDS, "{}", times.len());
        // Two sides: each its own grid of one second.
        let ticks: Vec<f64> = times.iter().map(|t| (*t - times[0]).as_secs_f64()).collect();
        for (index, tick) in ticks.iter().enumerate().skip(2) {
            let off = (tick - ticks[index - 2] - 1.0).abs();
            worst = worst.max(Duration::from_secs_f64(off));
        }
    }
    let mut sent: Vec<Instant> = requests.iter().map(|s| s.at).collect();
    sent.sort();
    let most = sent
        .iter()
        .map(|from| sent.iter().filter(|t| **t >= *from && **t - *from < Duration::from_millis(50)).count())
        .max()
        .unwrap();
    println!("{} requests, worst step off its second {worst:?}, at most {most} in 50 ms (10 if perfectly even)", requests.len());
    assert!(worst < Duration::from_millis(100), "{worst:?}");
    assert!(most <= 40, "{most} requests in 50 ms");
}
