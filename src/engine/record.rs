//! How far a run is: the only thing that is persisted as truth.
//!
//! Written only on *edges*: an order given, a weight confirmed, a guard that began to fail, a direction changed, a latch
//! set or cleared. What can be seen again is not kept: since when a weight is effective, and how many samples were good,
//! start anew after a restart, which costs time and never safety.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{reason::Reason, shared::Shared, task::TaskState};
use crate::plan::{
    BridgeName, Digest, GateName, PhaseName, Plan, PlanName, Revision, ServiceName, Span, TaskName, Weight, WindowName,
};

/// The form in which this version writes records. A record of a newer form is not touched.
pub const FORMAT: u16 = 1;

/// A run's identity, unique for ever: the object's uid in a cluster, a random one in a state directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RunId(pub String);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The persisted state of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Record {
    /// [`FORMAT`] of whoever wrote it.
    pub format: u16,
    /// The run.
    pub run: RunId,
    /// The plan's name, for people.
    pub plan: PlanName,
    /// The revision that the run executes.
    pub digest: Digest,
    /// When the run started.
    pub started_at: Timestamp,
    /// A hold or a rollback of the whole run, once ordered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latch: Option<Latch>,
    /// The newest resume that was obeyed: an order is used once, so that it cannot clear a hold that comes after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed: Option<u64>,
    /// Who started the run, by the identity that was authenticated; they approve nothing in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_by: Option<String>,
    /// How far each service is; every service of the plan has an entry.
    pub services: BTreeMap<ServiceName, Shared<ServiceState>>,
    /// How far each phase is that anything was done for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub phases: BTreeMap<PhaseName, PhaseState>,
    /// How far each bridge is that anything was done for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bridges: BTreeMap<BridgeName, BridgeState>,
    /// Windows whose latest rollback came while something was in motion, and what was done then.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub overrun: BTreeMap<WindowName, Timestamp>,
    /// Approvals that were used: each counts once.
    #[serde(default, skip_serializing_if = "std::collections::BTreeSet::is_empty")]
    pub approvals_used: std::collections::BTreeSet<String>,
    /// How and when the run ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
    /// The newest journal line that was written before this record.
    pub journal: JournalHead,
}

impl Record {
    /// The record of a run that has not done anything yet.
    pub fn new(run: RunId, revision: &Revision, now: Timestamp) -> Self {
        let plan: &Plan = revision.plan();
        Self {
            format: FORMAT,
            run,
            plan: plan.name.clone(),
            digest: revision.digest().clone(),
            started_at: now,
            latch: None,
            resumed: None,
            started_by: None,
            phases: BTreeMap::new(),
            bridges: BTreeMap::new(),
            overrun: BTreeMap::new(),
            approvals_used: std::collections::BTreeSet::new(),
            services: plan.services.keys().map(|name| (name.clone(), Shared::default())).collect(),
            ended: None,
            journal: JournalHead::default(),
        }
    }

    /// A number for the next latch, larger than any in use and than any resume that was obeyed; so that `resume` can name which ones it clears.
    pub fn next_latch(&self) -> u64 {
        let used = self.services.values().filter_map(|s| s.hold.as_ref()).map(|h| h.id);
        let used = used.chain(self.latch.as_ref().map(|l| l.id)).chain(self.resumed);
        used.max().unwrap_or(0).max(self.journal.seq).saturating_add(1)
    }
}

/// The end of the journal that a record rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JournalHead {
    /// Number of the line; 0: none yet.
    pub seq: u64,
    /// Its hash, hexadecimal; empty: none yet.
    pub hash: String,
}

/// A hold or rollback of the whole run. It stands until a resume names it; an edit of the spec does not clear it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Latch {
    /// Its number, which a resume names.
    pub id: u64,
    /// What was ordered.
    pub kind: LatchKind,
    /// Since when.
    pub since: Timestamp,
    /// Why.
    pub reason: Reason,
}

/// What a latch orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LatchKind {
    /// Nothing starts; what was ordered already is still watched.
    Hold,
    /// Everything goes back. Nothing clears it: a new attempt is a new run.
    Rollback,
}

/// How far one service is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceState {
    /// Where on its way.
    pub stage: Stage,
    /// Which way it goes.
    #[serde(default, skip_serializing_if = "Direction::is_forward")]
    pub direction: Direction,
    /// The weight that was ordered last. It may have taken effect or not, wholly or in part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
    /// When all its traffic was confirmed on target: the soak counts from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_at: Option<Timestamp>,
    /// Gates that fail or have no answer, and since when without a break.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub troubles: BTreeMap<GateName, Trouble>,
    /// Why this service holds, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// Why it goes back, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Reason>,
    /// How often it was tried before: 0 at the first attempt.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempt: u32,
    /// The number of the last order of the attempts before, so that no mark is ever given twice.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub numbered: u32,
    /// When the end of its legacy side was approved, if its plan asks for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_approved_at: Option<Timestamp>,
    /// How far its tasks are; those that nothing was done for are not listed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tasks: BTreeMap<TaskName, TaskState>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// How far a phase is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PhaseState {
    /// When it was approved, if its plan asks for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_at: Option<Timestamp>,
    /// Since when all of its services are on target, none of them in trouble.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable_since: Option<Timestamp>,
    /// For how long they were before what pauses the count, but does not start it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable_before: Option<Span>,
    /// How far its tasks are.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tasks: BTreeMap<TaskName, TaskState>,
}

/// How far a bridge is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BridgeState {
    /// Whether it was put up and is not taken down yet: the run claims it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_since: Option<Timestamp>,
    /// How far putting it up and taking it down are.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tasks: BTreeMap<TaskName, TaskState>,
}

impl ServiceState {
    /// Whether a task may have begun, and was not taken back.
    pub fn has_begun(&self, task: &TaskName) -> bool {
        self.tasks.get(task).is_some_and(|task| task.stage.has_begun())
    }
    /// The weight that was ordered last, or none of the traffic if nothing was ordered yet.
    pub fn weight(&self) -> Weight {
        self.order.as_ref().map_or(Weight::ZERO, |o| o.weight)
    }
}

/// Where a service is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// Nothing was ordered yet.
    #[default]
    Waiting,
    /// The weight of this shift step (from 0) was ordered and is not confirmed yet.
    Shifting(u8),
    /// All traffic is confirmed on target; guards are armed, the way back is open.
    Soaking,
    /// The soak is over. The service's end, unless its plan switches legacy off.
    Soaked,
    /// All traffic was ordered back to legacy and is not confirmed there yet.
    Returning,
    /// All traffic is confirmed on legacy, or never left it.
    Returned,
    /// Past its soak, and its legacy side is on the way to its end: approved, denied, drained.
    Ending,
    /// Legacy is being switched off: there is no way back from here.
    Decommissioning,
    /// Legacy is switched off.
    Decommissioned,
}

impl Stage {
    /// Whether all traffic has been carried by target through the soak.
    pub fn is_past_soak(self) -> bool {
        matches!(self, Self::Soaked | Self::Ending | Self::Decommissioning | Self::Decommissioned)
    }
    /// Whether its legacy side is being, or was, switched off: there is no way back.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Decommissioning | Self::Decommissioned)
    }
}

/// Which way a service goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// To the target.
    #[default]
    Forward,
    /// Back to legacy. Final within this run.
    Backward,
}
impl Direction {
    fn is_forward(&self) -> bool {
        matches!(self, Self::Forward)
    }
}

/// A weight that was ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Order {
    /// The weight before it: what the route shows until the order is carried out.
    pub from: Weight,
    /// The weight.
    pub weight: Weight,
    /// How many orders this service had, this one included; it is part of the mark by which answers are told apart.
    pub number: u32,
    /// When it was ordered.
    pub at: Timestamp,
}

/// A gate that fails or has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Trouble {
    /// Which of the two.
    pub kind: TroubleKind,
    /// Since when without a break.
    pub since: Timestamp,
}

/// What kind of trouble a gate has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TroubleKind {
    /// It fails.
    Failing,
    /// It has no answer.
    Unknown,
}

/// Why a service stays where it is until a person resumes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hold {
    /// Its number, which a resume names.
    pub id: u64,
    /// Since when.
    pub since: Timestamp,
    /// Why.
    pub reason: Reason,
}

/// How and when a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ended {
    /// How.
    pub outcome: Outcome,
    /// When.
    pub at: Timestamp,
}

/// How a run ended, or how it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Outcome {
    /// Every service is on target and past its soak.
    Completed,
    /// At least one service went back, and nothing is in motion any more.
    RolledBack,
    /// Something holds until a person decides.
    Held,
    /// The run could not be carried out at all.
    Failed,
}
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
