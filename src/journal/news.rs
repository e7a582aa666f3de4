//! What a line tells of what was seen: all of whoever changes, and of all others what is not as the lines before it say.
//!
//! All answers of every second for every service would bury the evidence and fill the store; most of them say what the one
//! before said. *Steady* gates are told as what they are, without their rounds.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    engine::{
        ApprovalSeen, ClaimsSeen, GateSeen, Orders, RouteSeen, Sample, SideSeen, Subject, TaskKey, TaskSeen, Unknown,
        observed::pairs,
    },
    plan::{BridgeName, GateName, ServiceName, Side, Span, schedule::Durations},
};

/// What is new. An entry that is `null` has no answer any more.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct News {
    /// Routes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub routes: BTreeMap<ServiceName, Option<Heard<RouteSeen>>>,
    /// Sides.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sides: BTreeMap<ServiceName, BTreeMap<Side, Option<Heard<SideSeen>>>>,
    /// Gates of services.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gates: BTreeMap<ServiceName, BTreeMap<GateName, Option<GateHeard>>>,
    /// Gates of phases and bridges, and those of services that are looked at only at one step.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "pairs")]
    pub other_gates: BTreeMap<(Subject, GateName), Option<GateHeard>>,
    /// Tasks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "pairs")]
    pub tasks: BTreeMap<TaskKey, Option<Heard<TaskSeen>>>,
    /// Who counts on bridges.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<BridgeName, Option<Heard<ClaimsSeen>>>,
    /// How long work takes, all of it if one is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub durations: Option<Durations>,
    /// What people ordered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orders: Option<Orders>,
    /// What people approved or refused, all of it if one is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvals: Option<Vec<ApprovalSeen>>,
}

/// An answer, when it was taken, and whether it counted when the line was written. As long as no line tells another one the
/// same answer kept coming, and its age stays as it is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Heard<T> {
    /// The answer, or why there is none.
    pub value: Result<T, Unknown>,
    /// When the look behind it began.
    pub taken_at: Timestamp,
    /// Whether it was too old to count.
    #[serde(default, skip_serializing_if = "Age::is_fresh")]
    pub age: Age,
}

/// Whether an answer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Age {
    /// It does.
    #[default]
    Fresh,
    /// It is too old.
    Stale,
}
impl Age {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
    fn is_fresh(&self) -> bool {
        matches!(self, Self::Fresh)
    }
    /// Of an answer of this moment that counts for so long.
    pub fn of(taken_at: Timestamp, counts_for: Span, now: Timestamp) -> Self {
        if now.duration_since(taken_at) > counts_for.signed() { Self::Stale } else { Self::Fresh }
    }
}

impl<T: Clone> Heard<T> {
    /// This answer, which counts for so long.
    pub fn of(sample: &Sample<T>, counts_for: Span, now: Timestamp) -> Self {
        let age = Age::of(sample.taken_at, counts_for, now);
        Self { value: sample.value.clone(), taken_at: sample.taken_at, age }
    }
}

/// What a line tells of a gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum GateHeard {
    /// It is as it was: no round of it makes a difference.
    Steady {
        /// How.
        steady: Steady,
    },
    /// Its rounds.
    Rounds(GateSeen),
}

/// How a gate is while it is as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Steady {
    /// It passes, with fresh answers after everything that counts for its service.
    Good,
    /// It fails; the text is its newest answer.
    Failing(String),
    /// Its newest round has no answer, and that is why.
    Silent(Unknown),
}
