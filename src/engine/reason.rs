//! Why something waits, holds or goes back: typed, and each a complete sentence for the people in the room.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{invariant::Invariant, observed::Owner};
use crate::plan::{GateName, PhaseName, ServiceName, Side, Span, Weight};

/// A reason. Kept in records, journals and status, so variants are only ever added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the sentences below are the documentation")]
pub enum Reason {
    // ---- the ordinary course
    Phase { phase: PhaseName, service: ServiceName },
    Need { service: ServiceName },
    Dependent { service: ServiceName },
    TakingEffect { weight: Weight, fact: Fact },
    Baking { weight: Weight, until: Timestamp },
    GateSamples { gate: GateName, good: u32, wanted: u32 },
    LegacyStillActive { requests: u64 },
    Soak { until: Timestamp },
    Backend { side: Side },
    // ---- what keeps a step from going on
    RouteUnknown { why: String },
    SideUnknown { side: Side, why: String },
    SideAbsent { side: Side, what: String },
    SideShort { side: Side, healthy: u32, endpoints: u32, weight: Weight },
    GateFailing { gate: GateName, rounds: u32, why: String },
    GateUnknown { gate: GateName, why: String },
    GateAnswersBadly { gate: GateName, why: String },
    NotEffective { weight: Weight, within: Span, fact: Fact },
    Drift { found: String, expected: Weight },
    OneOwner { owner: Owner },
    // ---- why something goes back or holds
    GateFailed { gate: GateName, weight: Weight, why: String },
    GuardFailed { gate: GateName, since: Timestamp, why: String },
    GateUnknownTooLong { gate: GateName, limit: Span, why: String },
    WithService { service: ServiceName },
    LegacyDied { rounds: u32 },
    NoWayBack { why: String },
    NoWorse { legacy: SideRank, target: SideRank },
    Ordered { by: String },
    Invariant { invariant: Invariant, detail: String },
    Format { found: u16 },
    OtherRevision { found: String },
}

/// The three facts about a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the sentences below are the documentation")]
pub enum Fact {
    Accepted,
    Programmed,
    Effective,
}
impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accepted => "accepted by the router",
            Self::Programmed => "programmed in the data plane",
            Self::Effective => "seen in real answers",
        })
    }
}

/// How well a side could carry the traffic in question; a later one is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SideRank {
    /// No endpoint answers.
    Dead,
    /// Some answer, not enough for the traffic.
    Short,
    /// Nobody can tell.
    Unknown,
    /// Enough.
    Enough,
}
impl fmt::Display for SideRank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dead => "dead",
            Self::Short => "too small",
            Self::Unknown => "unknown",
            Self::Enough => "healthy",
        })
    }
}

impl Reason {
    /// Whether this is the ordinary course of a run, which passes by itself, or something a person should know.
    pub fn course(&self) -> Course {
        match self {
            Self::Phase { .. }
            | Self::Need { .. }
            | Self::Dependent { .. }
            | Self::TakingEffect { .. }
            | Self::Baking { .. }
            | Self::GateSamples { .. }
            | Self::LegacyStillActive { .. }
            | Self::Soak { .. }
            | Self::Backend { .. } => Course::Ordinary,
            _ => Course::Notable,
        }
    }

    /// A CamelCase word for it, as Kubernetes conditions and events want one.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Phase { .. } => "PhaseBefore",
            Self::Need { .. } => "NeedBefore",
            Self::Dependent { .. } => "DependentFirst",
            Self::TakingEffect { .. } => "TakingEffect",
            Self::Baking { .. } => "Baking",
            Self::GateSamples { .. } => "GateSamples",
            Self::LegacyStillActive { .. } => "LegacyStillActive",
            Self::Soak { .. } => "Soaking",
            Self::Backend { .. } => "BackendMissing",
            Self::RouteUnknown { .. } => "RouteUnknown",
            Self::SideUnknown { .. } => "SideUnknown",
            Self::SideAbsent { .. } => "SideAbsent",
            Self::SideShort { .. } => "SideShort",
            Self::GateFailing { .. } => "GateFailing",
            Self::GateUnknown { .. } => "GateUnknown",
            Self::GateAnswersBadly { .. } => "GateAnswersBadly",
            Self::NotEffective { .. } => "NotEffective",
            Self::Drift { .. } => "Drift",
            Self::OneOwner { .. } => "OneOwner",
            Self::GateFailed { .. } => "GateFailed",
            Self::GuardFailed { .. } => "GuardFailed",
            Self::GateUnknownTooLong { .. } => "GateUnknownTooLong",
            Self::WithService { .. } => "WithService",
            Self::LegacyDied { .. } => "LegacyDied",
            Self::NoWayBack { .. } => "NoWayBack",
            Self::NoWorse { .. } => "NoWorse",
            Self::Ordered { .. } => "Ordered",
            Self::Invariant { .. } => "Invariant",
            Self::Format { .. } => "RecordFormat",
            Self::OtherRevision { .. } => "OtherRevision",
        }
    }
}

/// Whether a wait passes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// It does.
    Ordinary,
    /// A person should know.
    Notable,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phase { phase, service } => {
                write!(f, "phase {phase} comes first, and its service {service} is not on target yet")
            }
            Self::Need { service } => write!(f, "it needs {service}, which does not carry all its traffic on target yet"),
            Self::Dependent { service } => write!(f, "{service} needs it and goes back first"),
            Self::TakingEffect { weight, fact } => write!(f, "{weight} was ordered and is not {fact} yet"),
            Self::Baking { weight, until } => write!(f, "{weight} is watched until {until:.0}"),
            Self::GateSamples { gate, good, wanted } => write!(f, "gate {gate} has {good} of {wanted} good answers"),
            Self::LegacyStillActive { requests } => write!(f, "legacy still has {requests} requests of this route"),
            Self::Soak { until } => write!(f, "it soaks until {until:.0}"),
            Self::Backend { side } => write!(f, "the {side} side is being made known to the router"),
            Self::RouteUnknown { why } => write!(f, "the state of its route is unknown: {why}"),
            Self::SideUnknown { side, why } => write!(f, "the health of its {side} side is unknown: {why}"),
            Self::SideAbsent { side, what } => write!(f, "its {side} side cannot answer: there is no {what}"),
            Self::SideShort { side, healthy, endpoints, weight } => {
                write!(f, "{healthy} of {endpoints} {side} endpoints are healthy, too few for their share at {weight}")
            }
            Self::GateFailing { gate, rounds, why } => write!(f, "gate {gate} fails, {rounds} in a row: {why}"),
            Self::GateUnknown { gate, why } => write!(f, "gate {gate} has no answer: {why}"),
            Self::GateAnswersBadly { gate, why } => write!(f, "gate {gate} has answers again, and the newest is bad: {why}"),
            Self::NotEffective { weight, within, fact } => {
                write!(f, "{weight} was ordered and is still not {fact} after {within}; traffic may be on either setting")
            }
            Self::Drift { found, expected } => {
                write!(f, "somebody else changed the route: found {found} where {expected} was ordered")
            }
            Self::OneOwner { owner } => write!(f, "one-owner: its route is driven by run {owner}"),
            Self::GateFailed { gate, weight, why } => write!(f, "gate {gate} failed at {weight}: {why}"),
            Self::GuardFailed { gate, since, why } => write!(f, "guard {gate} has failed since {since:.0}: {why}"),
            Self::GateUnknownTooLong { gate, limit, why } => write!(f, "gate {gate} has had no answer for {limit}: {why}"),
            Self::WithService { service } => write!(f, "{service} goes back, and takes it along"),
            Self::LegacyDied { rounds } => {
                write!(f, "its legacy side died ({rounds} rounds without an answer) while it carried traffic")
            }
            Self::NoWayBack { why } => write!(f, "there is no way back: {why}"),
            Self::NoWorse { legacy, target } => {
                write!(f, "no-worse: going back is refused, legacy is {legacy} and target is {target}; traffic stays where it is")
            }
            Self::Ordered { by } => write!(f, "ordered by {by}"),
            Self::Invariant { invariant, detail } => write!(f, "{invariant}: {detail}"),
            Self::Format { found } => {
                write!(f, "its record has format {found}, which a newer version wrote; this version does not touch it")
            }
            Self::OtherRevision { found } => write!(f, "its record belongs to revision {found}, not to the one that was given"),
        }
    }
}
