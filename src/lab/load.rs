//! An open-loop load: requests leave at a constant rate whatever becomes of the ones before, and every one is accounted for.
//!
//! *Flow*: [`Load::start`] sends request `n` at `start + n / rate`, each in a task of its own; [`LoadHandle::stop`] sends no
//! more, waits for the ones under way (at most the time-out) and gives the [`LoadReport`].
//! *Guarantees*: latency and time-out count from the moment at which a request was *meant* to leave, so a stall of whatever
//! is under test, or of this generator, shows in the figures of every request it delayed, and none is left out. That a
//! closed loop leaves them out is "coordinated omission": Gil Tene, "How NOT to Measure Latency" (2013), and the README of
//! his load generator wrk2, <https://github.com/giltene/wrk2>, whose way of counting this is. Nothing is sent twice: not by
//! us, and not by the connection pool.
//! *Assumptions*: HTTP/1.1 without TLS; the server closes no idle connection in the moment in which it is used again.
//! *Caveats*: every sample is kept until the end, 40 bytes each: 500 requests a second need 70 MB an hour.

use std::{
    error::Error as _,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{HeaderMap, Request, header};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use jiff::Timestamp;
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::{Instant, sleep_until, timeout_at},
};

pub use super::tally::{Failed, FailureKind, FaultSpan, LoadReport, Sample};
use super::{SIDE_HEADER, tally::Clocked};
use crate::plan::Side;

/// What is sent, where to, and how often.
#[derive(Debug, Clone)]
pub struct LoadSpec {
    /// Where connections go.
    pub address: SocketAddr,
    /// The `Host` header.
    pub host: String,
    /// Path and query.
    pub path: String,
    /// Requests a second, at least 1.
    pub rate: u32,
    /// How long a request may take, from the moment it was meant to leave until its body is complete.
    pub timeout: Duration,
}

/// Running totals, for whoever watches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Requests that are over.
    pub requests: u64,
    /// Those among them that failed.
    pub failed: u64,
}

/// An open-loop load.
#[derive(Debug)]
pub struct Load;

impl Load {
    /// Starts to send. Needs a tokio runtime. An address that refuses is not an error here: it is what the report is for.
    pub fn start(spec: LoadSpec) -> LoadHandle {
        let (stop, stopped) = watch::channel(false);
        let shared = Arc::new(Shared::new(spec));
        let sender = tokio::spawn(send_all(shared.clone(), stopped));
        LoadHandle { shared, stop, sender: Some(sender) }
    }
}

/// A load that runs. Dropped, it stops at once and its figures are lost.
#[derive(Debug)]
pub struct LoadHandle {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    sender: Option<JoinHandle<()>>,
}

impl LoadHandle {
    /// How it stands.
    pub fn totals(&self) -> Totals {
        Totals { requests: self.shared.requests.load(Ordering::Relaxed), failed: self.shared.failed.load(Ordering::Relaxed) }
    }

    /// Sends no more, waits until what is under way is over (at most the time-out), and gives the account of all.
    pub async fn stop(mut self) -> LoadReport {
        let _ = self.stop.send(true); // nobody listens: the sender has ended already
        if let Some(sender) = self.sender.take() {
            let _ = sender.await; // it neither panics nor is it aborted while we hold it
        }
        let samples = std::mem::take(&mut *self.shared.samples.lock().unwrap_or_else(PoisonError::into_inner));
        LoadReport::new(self.shared.clock, samples)
    }
}

impl Drop for LoadHandle {
    fn drop(&mut self) {
        if let Some(sender) = self.sender.take() {
            sender.abort();
        }
    }
}

/// What the sender, its requests and the handle share.
#[derive(Debug)]
struct Shared {
    spec: LoadSpec,
    uri: String,
    clock: Clocked,
    client: Client<HttpConnector, Empty<Bytes>>,
    samples: Mutex<Vec<Sample>>,
    requests: AtomicU64,
    failed: AtomicU64,
}

impl Shared {
    fn new(spec: LoadSpec) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(spec.timeout));
        // A request that died with its connection is a failed request. The pool may not hide it by sending it again.
        let client = Client::builder(TokioExecutor::new()).retry_canceled_requests(false).build(connector);
        let uri = format!("http://{}{}", spec.address, spec.path);
        let clock = Clocked { instant: Instant::now(), timestamp: Timestamp::now() };
        Self { spec, uri, clock, client, samples: Mutex::default(), requests: AtomicU64::new(0), failed: AtomicU64::new(0) }
    }

    fn record(&self, sample: Sample) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if sample.failure.is_some() {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
        self.samples.lock().unwrap_or_else(PoisonError::into_inner).push(sample);
    }

    /// One request from beginning to end.
    async fn send(self: Arc<Self>, intended: Instant) {
        let deadline = intended + self.spec.timeout;
        let (side, failure) = match timeout_at(deadline, self.exchange()).await {
            Ok(answer) => answer,
            Err(_) => (None, Some(FailureKind::TimedOut)),
        };
        self.record(Sample { intended, done: Instant::now(), side, failure });
    }

    async fn exchange(&self) -> (Option<Side>, Option<FailureKind>) {
        let request = Request::builder().uri(&self.uri).header(header::HOST, &self.spec.host).body(Empty::new());
        let request = match request {
            Ok(request) => request,
            Err(e) => return (None, Some(FailureKind::Broken(e.to_string()))),
        };
        let response = match self.client.request(request).await {
            Ok(response) => response,
            Err(e) => return (None, Some(why(&e))),
        };
        let (status, side) = (response.status(), side(response.headers()));
        // An answer that breaks off in its body is no answer.
        match response.into_body().collect().await {
            Err(e) => (side, Some(FailureKind::Broken(e.to_string()))),
            Ok(_) if status.is_success() => (side, None),
            Ok(_) => (side, Some(FailureKind::Status(status.as_u16()))),
        }
    }
}

fn side(headers: &HeaderMap) -> Option<Side> {
    let named = headers.get(SIDE_HEADER)?.as_bytes();
    Side::BOTH.into_iter().find(|side| side.to_string().as_bytes() == named)
}

fn why(error: &hyper_util::client::legacy::Error) -> FailureKind {
    let (mut source, mut deepest) = (error.source(), error.to_string());
    while let Some(cause) = source {
        if cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::ConnectionRefused) {
            return FailureKind::Refused;
        }
        (source, deepest) = (cause.source(), cause.to_string());
    }
    FailureKind::Broken(deepest)
}

/// Sends request `n` at `start + n / rate` until told to stop, then waits for all of them.
async fn send_all(shared: Arc<Shared>, mut stopped: watch::Receiver<bool>) {
    let rate = u64::from(shared.spec.rate.max(1));
    let mut underway = JoinSet::new();
    for n in 0u64.. {
        let intended = shared.clock.instant + Duration::from_nanos((u128::from(n) * 1_000_000_000 / u128::from(rate)) as u64);
        tokio::select! {
            biased;
            _ = stopped.wait_for(|stop| *stop) => break,
            () = sleep_until(intended) => {}
        }
        underway.spawn(shared.clone().send(intended));
        while underway.try_join_next().is_some() {} // forget what is over
    }
    while underway.join_next().await.is_some() {}
}
