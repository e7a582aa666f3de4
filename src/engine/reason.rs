//! Why something waits, holds or goes back: typed, and each a complete sentence for the people in the room.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{invariant::Invariant, observed::Owner};
use crate::plan::{
    BridgeName, FreezeName, GateName, PhaseName, RoleName, ServiceName, Side, Span, SystemName, TaskName, Tier, Weight,
    WindowName,
};

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
    TaskRunning { task: TaskName },
    TaskSettling { task: TaskName, until: Timestamp },
    Waiting { task: TaskName, until: Timestamp },
    WindowClosed { window: WindowName, opens: Option<Timestamp> },
    WindowTooShort { window: WindowName, ends: Timestamp, latest: Timestamp },
    Frozen { freeze: FreezeName, until: Timestamp, why: String },
    InMotion { moving: u32, max: u32 },
    TierInMotion { tier: Tier, moving: u32, max: u32 },
    Stable { phase: PhaseName, until: Timestamp },
    Unstable { phase: PhaseName, service: ServiceName },
    Group { service: ServiceName },
    Bridge { bridge: BridgeName },
    BridgeClaimed { bridge: BridgeName, by: String },
    BridgeNeeded { bridge: BridgeName, service: ServiceName },
    SharedSystem { system: SystemName, service: ServiceName },
    NeedEnds { service: ServiceName },
    ScreamTest { until: Timestamp },
    Draining { connections: u64 },
    // ---- what waits for a person by its nature
    Approval { asks: String, missing: String },
    Refused { by: String, asks: String },
    TaskOfPerson { task: TaskName, owner: RoleName, instructions: String },
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
    TargetDied { rounds: u32 },
    NoWayBack { why: String },
    NoWorse { legacy: SideRank, target: SideRank },
    TaskFailed { task: TaskName, why: String },
    TaskUnknown { task: TaskName, why: String },
    TaskLeftBehind { task: TaskName, deadline: Span },
    WithGroup { service: ServiceName },
    Overrun { window: WindowName, latest: Timestamp },
    PauseOver { budget: Span },
    PointOfNoReturn { step: String, why: String },
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
            | Self::Backend { .. }
            | Self::TaskRunning { .. }
            | Self::TaskSettling { .. }
            | Self::Waiting { .. }
            | Self::WindowClosed { .. }
            | Self::Frozen { .. }
            | Self::InMotion { .. }
            | Self::TierInMotion { .. }
            | Self::Stable { .. }
            | Self::Group { .. }
            | Self::Bridge { .. }
            | Self::BridgeNeeded { .. }
            | Self::SharedSystem { .. }
            | Self::NeedEnds { .. }
            | Self::ScreamTest { .. }
            | Self::Draining { .. } => Course::Ordinary,
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
            Self::TaskRunning { .. } => "TaskRunning",
            Self::TaskSettling { .. } => "TaskSettling",
            Self::Waiting { .. } => "Waiting",
            Self::WindowClosed { .. } => "WindowClosed",
            Self::WindowTooShort { .. } => "WindowTooShort",
            Self::Frozen { .. } => "Frozen",
            Self::InMotion { .. } => "InMotion",
            Self::TierInMotion { .. } => "TierInMotion",
            Self::Stable { .. } => "Stable",
            Self::Unstable { .. } => "Unstable",
            Self::Group { .. } => "Group",
            Self::Bridge { .. } => "Bridge",
            Self::BridgeClaimed { .. } => "BridgeClaimed",
            Self::BridgeNeeded { .. } => "BridgeNeeded",
            Self::SharedSystem { .. } => "SharedSystem",
            Self::NeedEnds { .. } => "NeedEnds",
            Self::ScreamTest { .. } => "ScreamTest",
            Self::Draining { .. } => "Draining",
            Self::Approval { .. } => "Approval",
            Self::Refused { .. } => "Refused",
            Self::TaskOfPerson { .. } => "TaskOfPerson",
            Self::TaskFailed { .. } => "TaskFailed",
            Self::TaskUnknown { .. } => "TaskUnknown",
            Self::TaskLeftBehind { .. } => "TaskLeftBehind",
            Self::WithGroup { .. } => "WithGroup",
            Self::Overrun { .. } => "Overrun",
            Self::PauseOver { .. } => "PauseOver",
            Self::PointOfNoReturn { .. } => "PointOfNoReturn",
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
            Self::TargetDied { .. } => "TargetDied",
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
            Self::TaskRunning { task } => write!(f, "task {task} has been ordered and is not done yet"),
            Self::TaskSettling { task, until } => {
                write!(f, "task {task} is done; what it changed holds everywhere from {until:.0}")
            }
            Self::Waiting { task, until } => write!(f, "task {task} waits until {until:.0}"),
            Self::WindowClosed { window, opens: Some(opens) } => write!(f, "window {window} opens at {opens:.0}"),
            Self::WindowClosed { window, opens: None } => {
                write!(
                    f,
                    "window {window} has closed and the plan names no later one; a new revision with another window can go on"
                )
            }
            Self::WindowTooShort { window, ends, latest } => write!(
                f,
                "it would end at {ends:.0}, after the latest rollback of window {window} at {latest:.0}; the next window will do"
            ),
            Self::Frozen { freeze, until, why } => write!(f, "freeze {freeze} lasts until {until:.0}: {why}"),
            Self::InMotion { moving, max } => write!(f, "{moving} services are in motion, and the plan allows {max} at once"),
            Self::TierInMotion { tier, moving, max } => {
                write!(f, "{moving} services of tier {tier} are in motion, and the plan allows {max} at once")
            }
            Self::Stable { phase, until } => write!(f, "phase {phase} has to stay as it is until {until:.0}"),
            Self::Unstable { phase, service } => {
                write!(f, "phase {phase} has to be stable, and its service {service} is in trouble")
            }
            Self::Group { service } => write!(f, "{service} is of the same group and has not come as far yet"),
            Self::Bridge { bridge } => write!(f, "bridge {bridge}, which it counts on, does not stand yet"),
            Self::BridgeClaimed { bridge, by } => write!(f, "bridge {bridge} stays up: run {by} counts on it"),
            Self::BridgeNeeded { bridge, service } => {
                write!(f, "bridge {bridge} stays up: {service} can still move or come back")
            }
            Self::SharedSystem { system, service } => {
                write!(f, "legacy system {system} also carries {service}, which is not past its soak")
            }
            Self::NeedEnds { service } => write!(f, "it stays until {service} is past its soak"),
            Self::ScreamTest { until } => {
                write!(f, "its old address is denied until {until:.0}, to see whether anybody misses it")
            }
            Self::Draining { connections } => write!(f, "legacy still has {connections} open connections"),
            Self::Approval { asks, missing } => write!(f, "it has to be approved ({asks}): {missing}"),
            Self::Refused { by, asks } => write!(f, "{by} said no ({asks})"),
            Self::TaskOfPerson { task, owner, instructions } => write!(f, "task {task} is to be done by {owner}: {instructions}"),
            Self::TaskFailed { task, why } => write!(f, "task {task} failed: {why}"),
            Self::TaskUnknown { task, why } => write!(f, "nobody can tell how task {task} stands: {why}"),
            Self::TaskLeftBehind { task, deadline } => {
                write!(f, "task {task} was not taken back within {deadline}; somebody has to look at it")
            }
            Self::WithGroup { service } => write!(f, "{service}, which is of the same group, goes back and takes it along"),
            Self::Overrun { window, latest } => {
                write!(f, "the latest rollback of window {window} came at {latest:.0} and it was still in motion")
            }
            Self::PauseOver { budget } => write!(f, "nothing could be written for longer than its pause budget of {budget}"),
            Self::PointOfNoReturn { step, why } => write!(f, "{step} has started, and from there is no way back: {why}"),
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
            Self::TargetDied { rounds } => {
                write!(f, "its target side died ({rounds} rounds without an answer) while it carried traffic")
            }
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
