//! The lab's load, by itself: what it counts when servers stall, refuse, break off and answer badly.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "the helpers of a test are test code")]

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use gapless::lab::load::{FailureKind, Load, LoadHandle, LoadReport, LoadSpec};
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{io::AsyncWriteExt, net::TcpListener};

fn spec(address: SocketAddr, rate: u32, timeout: u64) -> LoadSpec {
    LoadSpec { address, host: "lab".into(), path: "/".into(), rate, timeout: Duration::from_millis(timeout) }
}

/// A server that answers nothing between two moments after its start, and then everything that has come meanwhile.
async fn stalling(from: Duration, until: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let begin = Instant::now();
    let stall = Arc::new(move || async move {
        if begin.elapsed() >= from {
            tokio::time::sleep_until((begin + until).into()).await;
        }
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let stall = stall.clone();
            let service = service_fn(move |_: Request<Incoming>| stall());
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

async fn run(spec: LoadSpec, length: u64) -> LoadReport {
    let (rate, begin, load) = (spec.rate, Instant::now(), Load::start(spec));
    tokio::time::sleep(Duration::from_millis(length)).await;
    account(load, begin, rate).await
}

/// Ends the load. All that were due in this time were sent: this machine may be late, the count may not.
async fn account(load: LoadHandle, begin: Instant, rate: u32) -> LoadReport {
    let due = begin.elapsed().as_secs_f64() * f64::from(rate);
    let report = load.stop().await;
    let late = begin.elapsed().as_secs_f64() * f64::from(rate);
    assert!(due - 2.0 <= report.requests as f64 && report.requests as f64 <= late + 2.0, "{} of {due}", report.requests);
    report
}

fn slower_than(report: &LoadReport, latency: u64) -> usize {
    let rank = (0..=1000).find(|rank| report.latency(*rank).is_some_and(|l| l > Duration::from_millis(latency)));
    rank.map_or(0, |rank| (1001 - usize::from(rank)) * report.requests as usize / 1000)
}

#[tokio::test]
async fn a_stall_shows_in_every_request_that_it_delayed() {
    // 100 a second for 1.5 s; those due between 0.5 s and 1 s wait until 1 s.
    let address = stalling(Duration::from_millis(500), Duration::from_millis(1000)).await;
    let report = run(spec(address, 100, 5000), 1500).await;
    assert_eq!(report.failed, []);
    // Of the fifty, forty waited longer than 100 ms. A closed loop would have seen one.
    let slow = slower_than(&report, 100);
    assert!((33..=47).contains(&slow), "{slow}");
    assert!(report.latency(1000).unwrap() >= Duration::from_millis(400));
}

#[tokio::test]
async fn a_stall_fails_just_those_that_were_due_too_early_in_it() {
    // Of the fifty that are due in the stall those of its first 300 ms wait longer than the 200 ms that they may.
    let address = stalling(Duration::from_millis(500), Duration::from_millis(1000)).await;
    let report = run(spec(address, 100, 200), 1500).await;
    let failed = report.failed.len();
    assert!((25..=35).contains(&failed), "{failed}");
    assert!(report.failed.iter().all(|f| f.kind == FailureKind::TimedOut && f.side.is_none()));
    assert_eq!(report.ok + failed as u64, report.requests);
    let gap = report.longest_gap;
    assert!((450..650).contains(&gap.as_millis()), "from the last answer before the stall to the first after it: {gap:?}");
    assert_eq!(report.lost(&[]).count(), failed, "nothing explains them");
}

#[tokio::test]
async fn a_stall_of_the_generator_itself_is_not_left_out() {
    let address = stalling(Duration::MAX / 4, Duration::ZERO).await;
    let (begin, load) = (Instant::now(), Load::start(spec(address, 100, 5000)));
    tokio::time::sleep(Duration::from_millis(300)).await;
    std::thread::sleep(Duration::from_millis(400)); // the only thread: nothing is sent meanwhile
    tokio::time::sleep(Duration::from_millis(300)).await;
    let report = account(load, begin, 100).await;
    let slow = slower_than(&report, 100);
    assert!((24..=36).contains(&slow), "thirty were due more than 100 ms before they could leave: {slow}");
}

#[tokio::test]
async fn each_way_to_fail_has_its_name() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let report = run(spec(gone, 50, 1000), 200).await;
    assert!(report.ok == 0 && report.requests >= 9, "{report:?}");
    assert!(report.failed.iter().all(|f| f.kind == FailureKind::Refused), "{:?}", report.kinds());

    // 503 with a complete body, an answer that breaks off, a connection that is closed without one: in turns.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let answers: [&[u8]; 3] = [
            b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this",
            b"",
        ];
        for answer in answers.into_iter().cycle() {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut request).await;
            let _ = stream.write_all(answer).await;
        }
    });
    let report = run(spec(address, 50, 1000), 600).await;
    assert_eq!(report.ok, 0, "{:?}", report.kinds());
    let third = report.requests / 3;
    let count = |kind: fn(&FailureKind) -> bool| report.failed.iter().filter(|f| kind(&f.kind)).count() as u64;
    assert!(count(|k| *k == FailureKind::Status(503)).abs_diff(third) <= 2, "{:?}", report.kinds());
    assert!(count(|k| matches!(k, FailureKind::Broken(_))).abs_diff(2 * third) <= 2, "{:?}", report.kinds());
}
