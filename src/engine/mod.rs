//! What to do: pure and total. No clock, no file, no socket, no task, no hash map.
//!
//! *Flow*: [`decide`] takes the revision, the record, what was seen and the time, and gives the next record with all that
//! follows from it. [`forward`] moves a service to its target, [`backward`] takes it back, [`gate`] judges samples,
//! [`safety`] checks every decision again, by other means than it was made.
//! *Guarantees*: never fails, never panics; the same input gives the same decision; without news it changes nothing.
//! *Assumptions*: the record belongs to the revision (else nothing is done and the reason says so).
//! *Caveats*: effects are wishes; only the next observation tells whether they came true.

pub mod effect;
pub mod event;
pub mod invariant;
pub mod observed;
pub mod reason;
pub mod record;
pub mod step;

use jiff::Timestamp;
use serde::Serialize;

pub use self::{
    effect::{Action, Effect, EffectKey, Precondition, mark},
    event::Event,
    invariant::Invariant,
    observed::{
        Accepted, Answer, Backend, Effective, GateSeen, Intent, Observed, Orders, Owner, Programmed, Query, Round, RouteSeen,
        Sample, SideSeen, SidesSeen, Unknown, queries,
    },
    reason::{Course, Fact, Reason, SideRank},
    record::{
        Direction, Ended, Hold, JournalHead, Latch, LatchKind, Order, Outcome, Record, RunId, ServiceState, Stage, Trouble,
        TroubleKind,
    },
    step::{Step, StepId, step_count, steps},
};

/// All that follows from looking once.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The next record; equal to the one given if nothing changed.
    pub record: Record,
    /// What is to be done once that record is committed.
    pub effects: Vec<Effect>,
    /// What changed.
    pub events: Vec<Event>,
    /// Why each step that could be next is not, in the plan's order.
    pub waits: Vec<Wait>,
    /// When to look again even if nothing is new; `None`: only news can change anything.
    pub wake_at: Option<Timestamp>,
    /// How the run stands if nothing can go on without a person, or how it ended.
    pub outcome: Option<Outcome>,
}

/// Why a step waits.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Wait {
    /// The step.
    pub step: StepId,
    /// Why.
    pub reason: Reason,
    /// Since when, where the record knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// The one place where anything is decided.
pub fn decide(_revision: &crate::plan::Revision, record: &Record, _seen: &Observed, _now: Timestamp) -> Decision {
    Decision { record: record.clone(), effects: Vec::new(), events: Vec::new(), waits: Vec::new(), wake_at: None, outcome: None }
}
