//! How far a run is: the only thing that is persisted as truth.
//!
//! Written only on *edges*: an order given, a weight confirmed, a guard that began to fail, a direction changed, a latch
//! set or cleared. What can be seen again is not kept: since when a weight is effective, and how many samples were good,
//! start anew after a restart, which costs time and never safety.
//!
//! *Guarantees*: what is read back is what was written, if its moments are whole milliseconds ([`millis::whole`]), which
//! those of every decision are. *Caveats*: a form that this version does not write is not read ([`unreadable`]).

pub mod millis;
mod service;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::service::{Direction, Hold, Order, Overtaken, ServiceState, Stage, Trouble, TroubleKind};
use super::{reason::Reason, roster::Roster, shared::Shared, task::TaskState};
use crate::plan::{BridgeName, Digest, PhaseName, Plan, PlanName, Revision, Span, TaskName, WindowName};

/// The form in which this version writes records, and the only one that it reads. Those of before any release: form 1
/// wrote every moment as text and every task as an object, form 2 did not know which weight an overtaken order had, form 3 not
/// which bridges a run had asked for, form 4 not what of a phase or a bridge had failed beside a rollback.
pub const FORMAT: u16 = 5;

/// Why a record of this form is not read; `None`: it is.
pub fn unreadable(format: u64) -> Option<Reason> {
    let found = u16::try_from(format).unwrap_or(u16::MAX);
    (found != FORMAT).then_some(Reason::Format { found })
}

/// A run's identity, unique for ever: the object's uid in a cluster, a random one in a state directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RunId(pub String);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The persisted state of a run.
#[derive(Debug, Clone, PartialEq, Hash, Serialize, Deserialize)]
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
    pub services: Roster,
    /// How far each phase is that anything was done for.
    #[serde(default, skip_serializing_if = "nothing_in")]
    pub phases: Shared<BTreeMap<PhaseName, PhaseState>>,
    /// How far each bridge is that anything was done for.
    #[serde(default, skip_serializing_if = "nothing_in")]
    pub bridges: Shared<BTreeMap<BridgeName, BridgeState>>,
    /// Windows whose latest rollback came while something was in motion, and what was done then.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "millis::map")]
    pub overrun: BTreeMap<WindowName, Timestamp>,
    /// Approvals that were used: each counts once.
    #[serde(default, skip_serializing_if = "none_of")]
    pub approvals_used: Shared<BTreeSet<String>>,
    /// How and when the run ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
    /// The newest journal line that was written before this record.
    pub journal: JournalHead,
}

fn nothing_in<K, V>(map: &BTreeMap<K, V>) -> bool {
    map.is_empty()
}
fn none_of(set: &BTreeSet<String>) -> bool {
    set.is_empty()
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
            phases: Shared::default(),
            bridges: Shared::default(),
            overrun: BTreeMap::new(),
            approvals_used: Shared::default(),
            services: plan.services.keys().map(|name| (name.clone(), Shared::default())).collect(),
            ended: None,
            journal: JournalHead::default(),
        }
    }

    /// A number for the next latch, larger than any in use and than any resume that was obeyed; so that `resume` can name which ones it clears.
    pub fn next_latch(&self) -> u64 {
        let used = [self.newest_hold(), self.latch.as_ref().map(|latch| latch.id), self.resumed];
        used.into_iter().flatten().max().unwrap_or(0).max(self.journal.seq).saturating_add(1)
    }

    /// The number of the newest hold, of a service or of the run: a resume that names it clears all. `None`: nothing holds.
    pub fn newest_hold(&self) -> Option<u64> {
        let services = self.services.values().filter_map(|state| state.hold.as_ref()).map(|hold| hold.id);
        services.chain(self.latch.as_ref().and_then(Latch::holds).map(|(id, _)| id)).max()
    }
}

/// The end of the journal that a record rests on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JournalHead {
    /// Number of the line; 0: none yet.
    pub seq: u64,
    /// Its hash, hexadecimal; empty: none yet.
    pub hash: String,
}

/// A hold or rollback of the whole run. It stands until a resume names it; an edit of the spec does not clear it.
#[derive(Debug, Clone, PartialEq, Hash, Serialize, Deserialize)]
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
    /// A task of a phase or a bridge that failed beside a rollback: a resume has it done again, and the rollback stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
}

impl Latch {
    /// The number that a resume of the run has to name, and why it holds; `None`: nothing of it does.
    pub fn holds(&self) -> Option<(u64, &Reason)> {
        match self.kind {
            LatchKind::Hold => Some((self.id, &self.reason)),
            LatchKind::Rollback => self.hold.as_ref().map(|hold| (hold.id, &hold.reason)),
        }
    }
}

/// What a latch orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LatchKind {
    /// Nothing starts; what was ordered already is still watched.
    Hold,
    /// Everything goes back. Nothing clears it: a new attempt is a new run.
    Rollback,
}

/// How far a phase is.
#[derive(Debug, Clone, PartialEq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PhaseState {
    /// When it was approved, if its plan asks for that.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "millis::option")]
    pub approved_at: Option<Timestamp>,
    /// Since when all of its services are on target, none of them in trouble.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "millis::option")]
    pub stable_since: Option<Timestamp>,
    /// For how long they were before what pauses the count, but does not start it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable_before: Option<Span>,
    /// How far its tasks are.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tasks: BTreeMap<TaskName, TaskState>,
}

/// How far a bridge is.
#[derive(Debug, Clone, PartialEq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BridgeState {
    /// Whether it was put up and is not taken down yet: the run claims it.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "millis::option")]
    pub up_since: Option<Timestamp>,
    /// When the run asked for its claim last; `None`: it has none, and none is on its way.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "millis::option")]
    pub claimed_at: Option<Timestamp>,
    /// How far putting it up and taking it down are.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tasks: BTreeMap<TaskName, TaskState>,
}

/// How and when a run ended.
#[derive(Debug, Clone, PartialEq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ended {
    /// How.
    pub outcome: Outcome,
    /// When.
    pub at: Timestamp,
}

/// How a run ended, or how it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
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
