//! How a run stands, for people and as the JSON contract of `gapless status`.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    engine::{Direction, Outcome, Reason, Record, Stage, Step, Wait, agenda::is_behind, step_count, steps, timing},
    plan::{Plan, Revision, ServiceName, schedule::Durations},
    preview::times::Clock,
};

/// How a run stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusReport {
    /// The run's name.
    pub run: String,
    /// The plan's name.
    pub plan: String,
    /// The revision that is executed.
    pub digest: String,
    /// `Forward`, or `Backward` as soon as one service goes back.
    pub direction: Way,
    /// How it ended, or that it holds; absent while it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Steps confirmed, of all.
    pub progress: ProgressReport,
    /// Why what could be next is not; what a person should know comes first.
    pub waiting: Vec<WaitingReport>,
    /// Until when all that is in motion can still be undone inside its window; null: neither window nor freeze bounds it.
    pub latest_rollback: Option<LatestRollback>,
    /// Every service, by name.
    pub services: Vec<ServiceReport>,
}

/// Until when going back is safe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LatestRollback {
    /// In UTC (RFC 3339).
    pub at: String,
    /// On the clock of the plan's zone.
    pub local: String,
    /// The window that it belongs to; null: a freeze bounds it.
    pub window: Option<String>,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum Way {
    /// To the target.
    Forward,
    /// Back to legacy.
    Backward,
}
impl From<Direction> for Way {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Forward => Self::Forward,
            Direction::Backward => Self::Backward,
        }
    }
}

/// Steps confirmed, of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ProgressReport {
    /// Confirmed.
    pub confirmed: usize,
    /// All.
    pub total: usize,
}

/// Why a step waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WaitingReport {
    /// The step.
    pub step: String,
    /// A CamelCase word.
    pub reason: String,
    /// The sentence.
    pub message: String,
    /// Since when, if the record knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Who or what ends it, and how: a sentence.
    pub way_out: String,
    /// Who can end it, if a person has to; null: it may pass by itself.
    pub who: Option<String>,
    /// When it ends by itself, if that is known.
    pub until: Option<String>,
}

/// How far a service is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceReport {
    /// Its name.
    pub name: String,
    /// Its phase.
    pub phase: String,
    /// Where on its way.
    pub stage: &'static str,
    /// Which way.
    pub direction: Way,
    /// The share of its traffic that was last ordered to target, in percent.
    pub weight: u8,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// The number of its hold, which `resume` clears.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<u64>,
    /// Why it holds or goes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Steps that a record has confirmed, of all of its plan.
pub fn progress(plan: &Plan, record: &Record) -> ProgressReport {
    let confirmed = plan.services.iter().map(|(name, service)| {
        let state = record.services.get(name);
        let behind = |step: &Step| state.is_some_and(|state| is_behind(step, (plan, name, service), state));
        steps(plan, name, service).iter().filter(|step| behind(step)).count()
    });
    ProgressReport { confirmed: confirmed.sum(), total: step_count(plan) }
}

impl StatusReport {
    /// How a run of this revision stands by its record at this time; `measured` is how long work takes, where somebody did.
    pub fn of(
        run: &str,
        revision: &Revision,
        record: &Record,
        waiting: Vec<WaitingReport>,
        outcome: Option<Outcome>,
        (measured, now): (&Durations, Timestamp),
    ) -> Self {
        let plan = revision.plan();
        let backward = record.services.values().any(|state| state.direction == Direction::Backward);
        Self {
            run: run.to_owned(),
            plan: plan.name.to_string(),
            digest: revision.digest().to_string(),
            direction: if backward { Way::Backward } else { Way::Forward },
            outcome: record.ended.as_ref().map(|ended| ended.outcome).or(outcome),
            progress: progress(plan, record),
            waiting,
            latest_rollback: latest_rollback(plan, record, measured, now).filter(|_| record.ended.is_none()),
            services: plan.services.keys().filter_map(|name| service(plan, record, name)).collect(),
        }
    }
}

fn latest_rollback(plan: &Plan, record: &Record, measured: &Durations, now: Timestamp) -> Option<LatestRollback> {
    let (window, latest) = timing::latest_rollback(plan, record, measured, now)?;
    let local = Clock::named(plan.time_zone.as_deref()).to_the_minute(latest);
    Some(LatestRollback { at: latest.to_string(), local, window: window.map(ToString::to_string) })
}

fn service(plan: &Plan, record: &Record, name: &ServiceName) -> Option<ServiceReport> {
    let (model, state) = (plan.services.get(name)?, record.services.get(name)?);
    let hold = state.hold.as_ref();
    Some(ServiceReport {
        name: name.to_string(),
        phase: model.phase.to_string(),
        stage: stage(state.stage),
        direction: state.direction.into(),
        weight: state.weight().percent(),
        since: state.order.map(|order| order.at.to_string()),
        hold: hold.map(|hold| hold.id),
        why: hold.map(|hold| &hold.reason).or(state.cause.as_ref()).map(ToString::to_string),
    })
}

/// The word for a stage.
pub fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Waiting => "Waiting",
        Stage::Shifting(_) => "Shifting",
        Stage::Soaking => "Soaking",
        Stage::Soaked => "Soaked",
        Stage::Returning => "Returning",
        Stage::Returned => "Returned",
        Stage::Ending => "Ending",
        Stage::Decommissioning => "Decommissioning",
        Stage::Decommissioned => "Decommissioned",
    }
}

impl From<&Wait> for WaitingReport {
    fn from(wait: &Wait) -> Self {
        Self::new(wait.step.to_string(), &wait.reason, wait.since)
    }
}

impl WaitingReport {
    /// Why this step waits.
    pub fn new(step: String, reason: &Reason, since: Option<Timestamp>) -> Self {
        let way_out = reason.way_out();
        Self {
            step,
            reason: reason.word().to_owned(),
            message: reason.to_string(),
            since: since.map(|moment| moment.to_string()),
            way_out: way_out.to_string(),
            until: way_out.until().map(|moment| moment.to_string()),
            who: way_out.who().map(str::to_owned),
        }
    }
}
