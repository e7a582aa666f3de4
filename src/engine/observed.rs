//! What the world looks like now, with *unknown* as a first-class answer.
//!
//! A sensor fills this in without judging: verdicts over it are made in [`super::gate`] and nowhere else.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    approval::ApprovalSeen,
    effect::is_mark,
    record::RunId,
    step::Subject,
    task::{TaskKey, TaskSeen},
};
use crate::plan::{BridgeName, GateName, ServiceName, Side, Weight, schedule::Durations};

/// Something the engine wants to be told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Query {
    /// The state of a service's route.
    Route(ServiceName),
    /// The health of one side of a service.
    Side(ServiceName, Side),
    /// The answers of one gate.
    Gate(ServiceName, GateName),
    /// The answers of a gate that is no service's.
    OtherGate(Subject, GateName),
    /// How one doing of a task stands.
    Task(TaskKey),
    /// Which other runs count on a bridge.
    Claims(BridgeName),
    /// What people ordered and approved.
    Orders,
}

/// All answers at one moment. What is missing was not asked or has no answer yet: unknown.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// Routes.
    pub routes: BTreeMap<ServiceName, Sample<RouteSeen>>,
    /// Sides: `[legacy, target]`.
    pub sides: BTreeMap<ServiceName, SidesSeen>,
    /// Gates.
    pub gates: BTreeMap<ServiceName, BTreeMap<GateName, GateSeen>>,
    /// Gates of phases and bridges, and those of services that are looked at only at one step.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "pairs")]
    pub other_gates: BTreeMap<(Subject, GateName), GateSeen>,
    /// Tasks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "pairs")]
    pub tasks: BTreeMap<TaskKey, Sample<TaskSeen>>,
    /// Who counts on a bridge.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<BridgeName, Sample<ClaimsSeen>>,
    /// How long work takes, where somebody measured: it replaces what the plan expects.
    #[serde(default, skip_serializing_if = "Durations::is_empty")]
    pub durations: Durations,
    /// What people ordered.
    pub orders: Orders,
    /// What people approved or refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<ApprovalSeen>,
}

/// Who counts on a bridge.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimsSeen {
    /// Whether this run does.
    pub ours: bool,
    /// Other runs that do, by name.
    pub others: BTreeSet<String>,
}

/// Maps whose keys are no strings, as lists of pairs.
pub(crate) mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<K: Serialize, V: Serialize, S: Serializer>(map: &BTreeMap<K, V>, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(map)
    }
    pub fn deserialize<'de, K, V, D>(d: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(d)?.into_iter().collect())
    }
}

/// Both sides of a service.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SidesSeen {
    /// The legacy side.
    pub legacy: Option<Sample<SideSeen>>,
    /// The target side.
    pub target: Option<Sample<SideSeen>>,
}
impl SidesSeen {
    /// One of them.
    pub fn get(&self, side: Side) -> Option<&Sample<SideSeen>> {
        match side {
            Side::Legacy => self.legacy.as_ref(),
            Side::Target => self.target.as_ref(),
        }
    }
    /// Sets one of them.
    pub fn set(&mut self, side: Side, sample: Sample<SideSeen>) {
        match side {
            Side::Legacy => self.legacy = Some(sample),
            Side::Target => self.target = Some(sample),
        }
    }
}

/// An answer and when it was taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sample<T> {
    /// The answer, or why there is none.
    pub value: Result<T, Unknown>,
    /// When the look behind it began: the world was so at some moment since.
    pub taken_at: Timestamp,
}

/// Why there is no answer. The text says who was asked and what came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Unknown {
    /// Not asked yet, or no answer yet.
    NotYet,
    /// Whoever knows could not be reached.
    Unreachable(String),
    /// We may not ask.
    Denied(String),
    /// What is asked about does not exist.
    NotFound(String),
    /// The answer cannot be understood.
    Unreadable(String),
}
impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotYet => f.write_str("there is no answer yet"),
            Self::Unreachable(what) => write!(f, "no answer: {what}"),
            Self::Denied(what) => write!(f, "not permitted: {what}"),
            Self::NotFound(what) => write!(f, "not found: {what}"),
            Self::Unreadable(what) => write!(f, "not understood: {what}"),
        }
    }
}

/// A route: three facts told apart, and whose it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteSeen {
    /// The version to be named in a conditional write, opaque to the engine.
    pub version: String,
    /// The run that drives the route, if one does.
    pub owner: Option<Owner>,
    /// Fact 1: the weights that whoever configures the route has accepted.
    pub accepted: Accepted,
    /// The mark that was set with those weights ([`super::EffectKey::mark`]), if there is one: it tells our newest order
    /// from an older one with equal weights, and from what somebody else wrote.
    pub mark: Option<String>,
    /// Fact 2: whether the data plane says that it has taken just these over.
    pub programmed: Programmed,
    /// Fact 3: what real answers show.
    pub effective: Option<Effective>,
    /// Requests and connections that legacy still has from this route, where the router can tell.
    pub legacy_active: Option<u64>,
}

impl RouteSeen {
    /// Whether it shows this order of the run.
    pub fn bears(&self, run: &RunId, service: &ServiceName, number: u32) -> bool {
        self.mark.as_deref().is_some_and(|mark| is_mark(mark, run, service, number))
    }
}

/// Who drives a route.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    /// The run.
    pub run: RunId,
    /// Its name, for people.
    pub name: String,
}
impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.run)
    }
}

/// The weights of a route as they are configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Accepted {
    /// Target has this share, legacy the rest, nobody else any.
    Split(Weight),
    /// Something that no order of ours made; the text says what.
    Other(String),
}

/// What the data plane says of the accepted configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Programmed {
    /// It has it.
    Yes,
    /// Not yet.
    Pending,
    /// It refuses it; the text says why.
    Refused(String),
    /// This router cannot say.
    Untold,
}

/// What real answers through the route show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Effective {
    /// The weight whose configuration answers.
    pub weight: Weight,
    /// Since when every answer came from it.
    pub since: Timestamp,
}

/// The health of a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SideSeen {
    /// Endpoints it has.
    pub endpoints: u32,
    /// Endpoints that answered well in the last round.
    pub healthy: u32,
    /// Rounds in a row, up to the last, in which none did.
    pub dead_rounds: u32,
    /// Whether the side can be named as a backend of the route.
    pub backend: Backend,
}

/// Whether a side stands where the route can name it: for plain hosts behind a Gateway, a Service and its EndpointSlice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Backend {
    /// It does, or the router needs no such thing.
    Present,
    /// It has to be made: plain hosts without what stands for them.
    Missing,
    /// What the plan names is not there, and not ours to make: it answers nothing, for sure.
    Absent,
}

/// A gate's answers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GateSeen {
    /// Since when the sensor has been looking: silence is counted from here, not from before a restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watched_since: Option<Timestamp>,
    /// The newest rounds, oldest first; as many as the gate can need for a verdict.
    pub rounds: Vec<Round>,
}

/// One round of a gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Round {
    /// When it was sent: only a round sent after a weight became effective speaks for that weight.
    pub sent_at: Timestamp,
    /// When its answer was complete.
    pub done_at: Timestamp,
    /// The answer.
    pub answer: Answer,
}

/// The answer of one round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Answer {
    /// As expected.
    Good,
    /// Not as expected; the text says what came.
    Bad(String),
    /// Whoever knows could not be asked.
    Unknown(Unknown),
}

/// What people ordered. An order latches in the record; taking it back here does not undo it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Orders {
    /// What the run is to do.
    #[serde(default)]
    pub intent: Intent,
    /// Clears every hold whose number is at most this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumes: Option<u64>,
    /// Services that went back and are to be tried again, each with the number of the attempt that is wanted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub retries: BTreeMap<ServiceName, u32>,
    /// Services whose soak is declared over before its time, each with the attempt that this speaks of: the soak of a later one
    /// is another. Their guards must be quiet all the same.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub declared: BTreeMap<ServiceName, u32>,
    /// Who gave the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub by: Option<String>,
}

/// What a run is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Intent {
    /// Go on.
    #[default]
    Run,
    /// Start nothing more.
    Hold,
    /// Take everything back.
    Rollback,
}
