//! What the demo came to: the account that is printed at the end.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    document::SERVICES,
    fault::{DemoFault, DemoFaults, expected},
    story::{Cause, Kind, Moment, Story},
};
use crate::{
    adapters::file_store,
    engine::Outcome,
    lab::{
        load::{FaultSpan, LoadReport},
        router::Switch,
    },
    plan::{ServiceName, Side, Weight},
};

/// What a demo came to. As JSON it is the contract of `gapless demo -o json`; fields are only ever added.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// How the run ended, or stands.
    pub outcome: Outcome,
    /// How it had to end, with these faults.
    pub expected: Outcome,
    /// Why it ended so, by what the runner said.
    pub why: String,
    /// Why that is what a careful engineer would want, if it is what was expected.
    pub because: String,
    /// What was injected.
    #[schemars(with = "Vec<String>")]
    pub faults: DemoFaults,
    /// Requests sent.
    pub requests: u64,
    /// Those among them that failed.
    pub failed: u64,
    /// The failed ones, told apart.
    pub apart: Apart,
    /// The longest time, of any service, without a success in which requests failed; milliseconds, rounded up.
    pub longest_gap: u64,
    /// By service and by the side that the request was sent to.
    pub services: Vec<SideRow>,
    /// From the first bad answer, counted from when its request was due, to the moment when all traffic was out of the
    /// fault's way; milliseconds.
    pub detection_ms: Option<u64>,
    /// Latency, counted from the moment a request was meant to leave.
    pub latency: Latencies,
    /// Where the journal is.
    pub journal: PathBuf,
    /// Whether it holds.
    pub journal_state: JournalState,
    /// When the demo began.
    #[schemars(with = "String")]
    pub started_at: Timestamp,
    /// What happened.
    pub timeline: Vec<Moment>,
    /// The weights that each service's traffic was under, as the router saw it.
    pub weights: BTreeMap<ServiceName, Vec<WeightAt>>,
}

/// A weight that reached the traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WeightAt {
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// The share of target.
    pub weight: Weight,
}

/// Failed requests, told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Apart {
    /// Answered badly, or not at all, by a side that a fault had been injected into.
    pub by_fault: u64,
    /// All others: lost to the move.
    pub lost: u64,
}

/// Requests of one service to one side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SideRow {
    /// The service.
    pub name: ServiceName,
    /// The side; null: the answers do not say, or there were none.
    #[schemars(with = "Option<String>")]
    pub side: Option<Side>,
    /// Requests.
    pub requests: u64,
    /// Those among them that failed.
    pub failed: u64,
}

/// Latency, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Latencies {
    /// Of half of the requests of the slowest service at most.
    pub p50_ms: f64,
    /// Of 99 of 100.
    pub p99_ms: f64,
    /// Of the slowest request.
    pub max_ms: f64,
}

/// Whether the journal holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum JournalState {
    /// Every line follows from the one before, up to the record.
    Verified {
        /// Lines.
        lines: u64,
    },
    /// It does not; the text says where and how.
    Broken(String),
}

impl Summary {
    /// Whether it went as it has to: the expected end, nothing lost to the move, and a journal that holds.
    pub fn is_as_expected(&self) -> bool {
        self.outcome == self.expected && self.apart.lost == 0 && matches!(self.journal_state, JournalState::Verified { .. })
    }
}

/// All that a summary is made from.
pub(super) struct Account {
    pub outcome: Outcome,
    pub faults: DemoFaults,
    pub reports: BTreeMap<ServiceName, LoadReport>,
    pub histories: BTreeMap<ServiceName, Vec<Switch>>,
    pub spans: Vec<(ServiceName, FaultSpan)>,
    pub story: Story,
    pub started: Timestamp,
}

impl Account {
    pub(super) fn sum_up(self, state: &Path) -> Summary {
        let expectation = expected(&self.faults);
        let requests = self.reports.values().map(|r| r.requests).sum();
        let failed = self.reports.values().map(|r| length(&r.failed)).sum();
        let lost = self.reports.iter().map(|(name, r)| r.lost(&self.spans_of(name)).count()).sum::<usize>();
        let lost = u64::try_from(lost).unwrap_or(u64::MAX);
        let gap = self.reports.values().map(|r| r.longest_gap).max().unwrap_or_default();
        Summary {
            outcome: self.outcome,
            expected: expectation.outcome,
            why: self.why(),
            because: expectation.because.to_owned(),
            requests,
            failed,
            apart: Apart { by_fault: failed.saturating_sub(lost), lost },
            longest_gap: u64::try_from(gap.as_micros().div_ceil(1000)).unwrap_or(u64::MAX),
            services: self.rows(),
            detection_ms: self.detection(),
            latency: self.latencies(),
            journal: file_store::journal_path(state),
            journal_state: verify(state),
            started_at: self.started,
            weights: self.weights(),
            timeline: self.story.moments,
            faults: self.faults,
        }
    }

    fn spans_of(&self, service: &ServiceName) -> Vec<FaultSpan> {
        self.spans.iter().filter(|(name, _)| name == service).map(|(_, span)| *span).collect()
    }

    fn rows(&self) -> Vec<SideRow> {
        let mut rows = Vec::new();
        let in_order = SERVICES.iter().filter_map(|name| self.reports.get_key_value(*name));
        for (name, report) in in_order {
            // Both sides, also one that nothing was sent to; and what cannot be told, where there is such.
            for side in [Some(Side::Legacy), Some(Side::Target), None] {
                let tally = report.sides.get(&side).copied();
                if side.is_some() || tally.is_some() {
                    let tally = tally.unwrap_or_default();
                    rows.push(SideRow { name: name.clone(), side, requests: tally.requests, failed: tally.failed });
                }
            }
        }
        rows
    }

    fn weights(&self) -> BTreeMap<ServiceName, Vec<WeightAt>> {
        let one = |history: &Vec<Switch>| history.iter().map(|s| WeightAt { at: s.at, weight: s.weight }).collect();
        self.histories.iter().map(|(name, history)| (name.clone(), one(history))).collect()
    }

    /// From the first request that the fault spoilt to the last change of weights that took traffic out of its way.
    fn detection(&self) -> Option<u64> {
        let bad = |(name, report): (&ServiceName, &LoadReport)| {
            let spans = self.spans_of(name);
            report.failed.iter().filter(|f| spans.iter().any(|span| span.explains(f))).map(|f| f.intended).min()
        };
        let first: Timestamp = self.reports.iter().filter_map(bad).min()?;
        let out_of_the_way = |(name, told): (&ServiceName, &super::story::ServiceStory)| {
            let weight = match (&told.evacuated, &told.cause) {
                (Some(_), _) => Weight::FULL,
                (None, Some(_)) => Weight::ZERO,
                (None, None) => return None,
            };
            let history = self.histories.get(name)?;
            history.iter().rev().find(|s| s.weight == weight && s.at >= first).map(|s| s.at)
        };
        let last: Timestamp = self.story.services.iter().filter_map(out_of_the_way).max()?;
        u64::try_from(last.duration_since(first).as_millis()).ok()
    }

    fn latencies(&self) -> Latencies {
        let worst = |per_mille| {
            let of_all = self.reports.values().filter_map(|r| r.latency(per_mille));
            of_all.max().unwrap_or(Duration::ZERO).as_secs_f64() * 1000.0
        };
        Latencies { p50_ms: worst(500), p99_ms: worst(990), max_ms: worst(1000) }
    }

    /// Why it ended so, in the runner's own words.
    fn why(&self) -> String {
        let mut said = Vec::new();
        let services = &self.story.services;
        for (name, told) in services {
            said.extend(told.evacuated.as_ref().map(|why| format!("{name}: all its traffic went to target at once: {why}.")));
        }
        for along in [false, true] {
            said.extend(services.iter().filter_map(|(name, told)| {
                let cause = told.cause.as_ref().filter(|cause| matches!(cause, Cause::TakenAlong(_)) == along)?;
                Some(format!("{name} goes back: {}.", cause.text()))
            }));
        }
        if !self.story.returned.is_empty() {
            let order: Vec<&str> = self.story.returned.iter().map(ServiceName::as_str).collect();
            said.push(format!("Back on legacy, in this order: {}.", order.join(", ")));
        }
        said.extend(services.iter().filter_map(|(name, told)| told.hold.as_ref().map(|why| format!("{name} holds: {why}."))));
        if self.outcome == Outcome::Failed {
            let ends = self.story.moments.iter().rev().find(|m| m.kind == Kind::End);
            said.extend(ends.map(|m| m.text.clone()));
        }
        let unmoved = |name: &&ServiceName| services.get(*name).is_none_or(|told| told.orders.is_empty());
        let unmoved: Vec<&str> = self.reports.keys().filter(unmoved).map(ServiceName::as_str).collect();
        if !unmoved.is_empty() {
            said.push(format!("Never began to move: {}.", unmoved.join(", ")));
        }
        if self.outcome == Outcome::Completed {
            said.push("Every service is on target and past its soak; legacy carries nothing any more.".to_owned());
        }
        if self.faults.contains(&DemoFault::Crash) {
            said.push("The runner was killed in between; the one that followed it went on from its record.".to_owned());
        }
        said.join(" ")
    }
}

fn length<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}

/// Reads the journal and the record as anybody could, and says whether they hold.
fn verify(state: &Path) -> JournalState {
    match file_store::verify(state) {
        Ok((_, verified)) => JournalState::Verified { lines: verified.lines },
        Err(error) => JournalState::Broken(error.to_string()),
    }
}
