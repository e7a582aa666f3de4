//! What became of every request of a load, and whose fault the failed ones were.

use std::{collections::BTreeMap, fmt, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::plan::Side;

/// One moment on both clocks, so that spans are measured on the steady one and told in the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clocked {
    pub(super) instant: Instant,
    pub(super) timestamp: Timestamp,
}

impl Clocked {
    fn moment(&self, instant: Instant) -> Timestamp {
        let since = SignedDuration::try_from(instant.saturating_duration_since(self.instant)).unwrap_or_default();
        self.timestamp.checked_add(since).unwrap_or(Timestamp::MAX)
    }
}

/// What became of one request.
#[derive(Debug, Clone)]
pub struct Sample {
    /// When it was meant to leave.
    pub intended: Instant,
    /// When its answer was complete, or nobody waited any longer.
    pub done: Instant,
    /// The side that answered or should have, if the answer says so.
    pub side: Option<Side>,
    /// Why it failed, if it did.
    pub failure: Option<FailureKind>,
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureKind {
    /// It was answered, and not with success.
    Status(u16),
    /// It was not over in time.
    TimedOut,
    /// Nobody listens at the address.
    Refused,
    /// The connection or the answer broke off; the text says how.
    Broken(String),
}
impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(code) => write!(f, "answered {code}"),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Refused => f.write_str("connection refused"),
            Self::Broken(how) => write!(f, "broken off: {how}"),
        }
    }
}

/// A failed request, on the wall clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// When it was meant to leave.
    pub intended: Timestamp,
    /// When it was known to have failed.
    pub done: Timestamp,
    /// The side it was sent to, if the answer says so.
    pub side: Option<Side>,
    /// Why.
    pub kind: FailureKind,
}

/// A time in which a side is known to have been faulty by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultSpan {
    /// The side.
    pub side: Side,
    /// Since when.
    pub from: Timestamp,
    /// Until when; `None`: to the end.
    pub until: Option<Timestamp>,
}

impl FaultSpan {
    /// Whether it explains this failure: the answer names the side, and the side was faulty while the request was under way.
    /// A failure that names no side is never explained away.
    pub fn explains(&self, failed: &Failed) -> bool {
        failed.side == Some(self.side) && failed.done >= self.from && self.until.is_none_or(|until| failed.intended <= until)
    }
}

/// Requests and failures of one side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SideTally {
    /// Requests that this side answered, or that the router sent there in vain.
    pub requests: u64,
    /// Those among them that failed.
    pub failed: u64,
}

/// The account of a load.
#[derive(Debug, Clone)]
pub struct LoadReport {
    /// When the first request was meant to leave.
    pub started_at: Timestamp,
    /// When the last one was over.
    pub ended_at: Timestamp,
    /// Requests sent; each is either ok or failed.
    pub requests: u64,
    /// Requests that were answered well, completely and in time.
    pub ok: u64,
    /// All others, in the order in which they failed.
    pub failed: Vec<Failed>,
    /// By the side that answered; `None`: the answer does not say, or there was none.
    pub sides: BTreeMap<Option<Side>, SideTally>,
    /// The longest time without a success in which at least one request failed; zero if none failed.
    pub longest_gap: Duration,
    /// Of every request, from the moment it was meant to leave, failed ones included, in rising order.
    latencies: Vec<Duration>,
}

impl LoadReport {
    /// The account of these samples, in whatever order they are.
    pub(super) fn new(clock: Clocked, mut samples: Vec<Sample>) -> Self {
        samples.sort_by_key(|s| s.done);
        let mut sides: BTreeMap<Option<Side>, SideTally> = BTreeMap::new();
        let mut failed = Vec::new();
        for sample in &samples {
            let tally = sides.entry(sample.side).or_default();
            tally.requests += 1;
            if let Some(kind) = &sample.failure {
                tally.failed += 1;
                let (intended, done) = (clock.moment(sample.intended), clock.moment(sample.done));
                failed.push(Failed { intended, done, side: sample.side, kind: kind.clone() });
            }
        }
        let requests = u64::try_from(samples.len()).unwrap_or(u64::MAX);
        let lost = u64::try_from(failed.len()).unwrap_or(u64::MAX);
        let mut latencies: Vec<Duration> = samples.iter().map(|s| s.done.saturating_duration_since(s.intended)).collect();
        latencies.sort_unstable();
        Self {
            started_at: clock.timestamp,
            ended_at: samples.last().map_or(clock.timestamp, |s| clock.moment(s.done)),
            requests,
            ok: requests.saturating_sub(lost),
            failed,
            sides,
            longest_gap: longest_gap(clock.instant, &samples),
            latencies,
        }
    }

    /// Failures by kind.
    pub fn kinds(&self) -> BTreeMap<&FailureKind, u64> {
        let mut kinds = BTreeMap::new();
        for failed in &self.failed {
            *kinds.entry(&failed.kind).or_default() += 1;
        }
        kinds
    }

    /// The latency that `per_mille` of a thousand requests did not exceed (nearest rank); `None` without requests.
    pub fn latency(&self, per_mille: u16) -> Option<Duration> {
        let last = self.latencies.len().checked_sub(1)?;
        let rank = (self.latencies.len() * usize::from(per_mille)).div_ceil(1000).saturating_sub(1);
        self.latencies.get(rank.min(last)).copied()
    }

    /// The failures that no fault explains: those that the move lost. What cannot be told apart is counted here.
    pub fn lost<'a>(&'a self, faults: &'a [FaultSpan]) -> impl Iterator<Item = &'a Failed> {
        self.failed.iter().filter(move |failed| !faults.iter().any(|fault| fault.explains(failed)))
    }
}

/// The longest time from one success (or the start) to the next (or the end) with a failure in between.
fn longest_gap(start: Instant, by_done: &[Sample]) -> Duration {
    let (mut longest, mut last_ok, mut failing) = (Duration::ZERO, start, false);
    for sample in by_done {
        if failing {
            longest = longest.max(sample.done.saturating_duration_since(last_ok));
        }
        match sample.failure {
            Some(_) => failing = true,
            None => (last_ok, failing) = (sample.done, false),
        }
    }
    if let (true, Some(last)) = (failing, by_done.last()) {
        longest = longest.max(last.done.saturating_duration_since(last_ok));
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock() -> Clocked {
        Clocked { instant: Instant::now(), timestamp: Timestamp::UNIX_EPOCH }
    }
    fn at(clock: Clocked, intended: u64, done: u64, side: Option<Side>, failure: Option<FailureKind>) -> Sample {
        let moment = |ms| clock.instant + Duration::from_millis(ms);
        Sample { intended: moment(intended), done: moment(done), side, failure }
    }

    #[test]
    fn a_gap_needs_a_failure_and_reaches_from_success_to_success() {
        let c = clock();
        let quiet = LoadReport::new(c, vec![at(c, 0, 1, None, None), at(c, 5000, 5001, None, None)]);
        assert_eq!(quiet.longest_gap, Duration::ZERO, "a long time without requests is no gap");

        let bad = Some(FailureKind::Status(500));
        let samples = vec![
            at(c, 400, 410, None, None),
            at(c, 0, 10, None, None),
            at(c, 100, 110, None, bad.clone()),
            at(c, 200, 210, None, bad.clone()),
            at(c, 300, 310, None, None),
        ];
        assert_eq!(LoadReport::new(c, samples).longest_gap, Duration::from_millis(300));
        let to_the_end = vec![at(c, 0, 10, None, None), at(c, 100, 1110, None, bad)];
        assert_eq!(LoadReport::new(c, to_the_end).longest_gap, Duration::from_millis(1100));
    }

    #[test]
    fn a_fault_explains_only_what_its_own_side_did_in_its_own_time() {
        let c = clock();
        let bad = || Some(FailureKind::Status(500));
        let report = LoadReport::new(
            c,
            vec![
                at(c, 0, 10, Some(Side::Target), bad()),
                at(c, 95, 105, Some(Side::Target), bad()),
                at(c, 120, 125, Some(Side::Legacy), bad()),
                at(c, 120, 126, None, Some(FailureKind::TimedOut)),
                at(c, 190, 2000, Some(Side::Target), Some(FailureKind::Status(504))),
                at(c, 300, 301, Some(Side::Target), bad()),
            ],
        );
        let ms = |ms| Timestamp::from_millisecond(ms).unwrap();
        let faults = [FaultSpan { side: Side::Target, from: ms(100), until: Some(ms(200)) }];
        let lost: Vec<_> = report.lost(&faults).map(|f| f.intended.as_millisecond()).collect();
        assert_eq!(lost, [0, 120, 120, 300]);
        assert_eq!((report.requests, report.ok, report.failed.len()), (6, 0, 6));
        assert_eq!(report.sides[&Some(Side::Target)], SideTally { requests: 4, failed: 4 });
    }

    #[test]
    fn latency_is_the_nearest_rank() {
        let c = clock();
        let report = LoadReport::new(c, (1..=100).map(|ms| at(c, 0, ms, None, None)).collect());
        assert_eq!(report.latency(500), Some(Duration::from_millis(50)));
        assert_eq!(report.latency(990), Some(Duration::from_millis(99)));
        assert_eq!(report.latency(1000), Some(Duration::from_millis(100)));
        assert_eq!(LoadReport::new(c, vec![]).latency(500), None);
    }
}
