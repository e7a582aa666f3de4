//! What a run's status says besides its record: progress, conditions, and why anything waits.
//!
//! Pure. *Guarantees*: what is said stays true until the record or a notable reason changes, for the status is not written
//! in between: that a weight bakes or that samples are counted is not in it, that a weight was ordered is. The same look
//! twice gives the same status, moments included.

use jiff::Timestamp;
use serde_json::Value;

use super::crd::{Condition, ConditionStatus, MigrationRunStatus, Progress, WAITING_MAX, Waiting, bounded};
use crate::{
    engine::{Course, Decision, Direction, Outcome, Reason, Record, Stage, Wait, WayOut},
    plan::{Plan, Revision},
    report::status::{ProgressReport, progress},
};

/// The status that goes with a decision. `before` is the status as it stands: what has not changed keeps its moment.
pub fn of(
    revision: &Revision,
    record: &Record,
    decision: &Decision,
    before: &MigrationRunStatus,
    now: Timestamp,
    generation: i64,
) -> MigrationRunStatus {
    let plan = revision.plan();
    let ProgressReport { confirmed, total } = progress(plan, record);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let outcome = record.ended.as_ref().map(|ended| ended.outcome).or(decision.outcome);
    let waiting = waiting(&decision.waits);
    MigrationRunStatus {
        observed_generation: Some(generation),
        state: Some(state(record, outcome)),
        outcome,
        progress: Some(Progress { confirmed: count(confirmed), total: count(total), text: format!("{confirmed}/{total}") }),
        conditions: conditions(plan, record, outcome, &waiting, before, now, generation),
        waiting,
        record: Some(serde_json::to_value(record).unwrap_or(Value::Null)),
    }
}

fn goes_back(record: &Record) -> bool {
    record.services.values().any(|state| state.direction == Direction::Backward)
}

fn state(record: &Record, outcome: Option<Outcome>) -> String {
    match outcome {
        Some(outcome) => outcome.to_string(),
        None if goes_back(record) => "GoingBack".into(),
        None => "Running".into(),
    }
}

/// What a person should know first, then the rest, both in the plan's order.
fn waiting(waits: &[Wait]) -> Vec<Waiting> {
    let mut all: Vec<&Wait> = waits.iter().collect();
    all.sort_by_key(|wait| wait.reason.course() != Course::Notable);
    all.into_iter().take(WAITING_MAX).map(entry).collect()
}

fn entry(wait: &Wait) -> Waiting {
    let (reason, message) = match &wait.reason {
        // These follow one another without any change of the record.
        Reason::TakingEffect { weight, .. } | Reason::Baking { weight, .. } => {
            ("Shifting", format!("{weight} was ordered; it has to take effect, bake, and pass its gates"))
        }
        Reason::GateSamples { .. } => ("Gates", "its gates have not had enough good answers yet".into()),
        Reason::LegacyStillActive { .. } => ("LegacyStillActive", "legacy still has requests of this route".into()),
        other => (other.word(), other.to_string()),
    };
    let way_out = match &wait.reason {
        // When a bake ends is not said: it counts anew after a restart.
        Reason::TakingEffect { .. } | Reason::Baking { .. } => WayOut::When("that is seen".into()),
        other => other.way_out(),
    };
    Waiting {
        step: bounded(&wait.step.to_string(), 128),
        reason: reason.into(),
        message: bounded(&message, 1024),
        since: wait.since.map(|since| since.to_string()),
        way_out: Some(bounded(&way_out.to_string(), 1024)),
        until: way_out.until().map(|moment| moment.to_string()),
        who: way_out.who().map(|who| bounded(who, 256)),
    }
}

/// Whether two lists of waits say the same; counters within a sentence are no difference.
pub fn same_waits(one: &[Waiting], other: &[Waiting]) -> bool {
    let key = |waiting: &Waiting| (waiting.step.clone(), waiting.reason.clone());
    one.len() == other.len() && one.iter().map(key).eq(other.iter().map(key))
}

struct Judged {
    kind: &'static str,
    holds: bool,
    reason: &'static str,
    message: String,
}

fn conditions(
    plan: &Plan,
    record: &Record,
    outcome: Option<Outcome>,
    waiting: &[Waiting],
    before: &MigrationRunStatus,
    now: Timestamp,
    generation: i64,
) -> Vec<Condition> {
    let all = plan.services.len();
    let at = |such: fn(Stage) -> bool| record.services.values().filter(|state| such(state.stage)).count();
    let moved = at(|stage| stage == Stage::Soaking || stage.is_past_soak());
    let soaked = at(Stage::is_past_soak);
    let stuck = matches!(outcome, Some(Outcome::Held | Outcome::Failed));
    let why = waiting
        .first()
        .map_or_else(|| "nothing can go on without a person".to_owned(), |first| format!("{}: {}", first.step, first.message));
    let ended = record.ended.is_some();
    let judged = [
        Judged {
            kind: "Moved",
            holds: moved == all,
            reason: if moved == all { "AllOnTarget" } else { "NotAllOnTarget" },
            message: format!("{moved} of {all} services are on target"),
        },
        Judged {
            kind: "Soaked",
            holds: soaked == all,
            reason: if soaked == all { "AllSoaked" } else { "NotAllSoaked" },
            message: format!("{soaked} of {all} services are past their soak"),
        },
        Judged {
            kind: "Completed",
            holds: outcome == Some(Outcome::Completed),
            reason: match outcome {
                Some(Outcome::Completed) => "Completed",
                Some(Outcome::RolledBack) => "RolledBack",
                Some(Outcome::Held) => "Held",
                Some(Outcome::Failed) => "Failed",
                None => "InProgress",
            },
            message: outcome.map_or_else(|| "the run goes on".to_owned(), |outcome| format!("the run stands at {outcome}")),
        },
        Judged {
            kind: "Reconciling",
            holds: !ended && !stuck,
            reason: if goes_back(record) { "GoingBack" } else { "Running" },
            message: if ended { "the run has ended".into() } else { "the run is being driven".into() },
        },
        Judged {
            kind: "Stalled",
            holds: stuck,
            reason: if stuck { "WaitsForAPerson" } else { "NotStalled" },
            message: if stuck { why } else { "nothing waits for a person".into() },
        },
    ];
    judged.into_iter().map(|judged| condition(judged, before, now, generation)).collect()
}

fn condition(judged: Judged, before: &MigrationRunStatus, now: Timestamp, generation: i64) -> Condition {
    let status = if judged.holds { ConditionStatus::True } else { ConditionStatus::False };
    let known = before.conditions.iter().find(|known| known.kind == judged.kind && known.status == status);
    Condition {
        kind: judged.kind.into(),
        status,
        reason: judged.reason.into(),
        message: bounded(&judged.message, 1024),
        last_transition_time: known.map_or_else(|| now.to_string(), |known| known.last_transition_time.clone()),
        observed_generation: Some(generation),
    }
}
