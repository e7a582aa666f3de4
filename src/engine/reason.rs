//! Why something waits, holds or goes back: typed, and each a complete sentence for the people in the room.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{invariant::Invariant, observed::Owner, record::FORMAT};
use crate::plan::{
    BridgeName, FreezeName, GateName, PhaseName, RoleName, ServiceName, Side, Span, SystemName, TaskName, Tier, Weight,
    WindowName,
};

/// Each reason once: whether it is the ordinary course, its word, its arguments, its sentence.
macro_rules! reasons {
    ($($course:ident $word:literal $name:ident { $($field:ident: $type:ty),+ } = $sentence:tt;)+) => {
        /// A reason. Kept in records, journals and status, so variants are only ever added.
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[allow(missing_docs, reason = "the sentences are the documentation")]
        pub enum Reason { $($name { $($field: $type),+ },)+ }

        impl Reason {
            /// Whether this is the ordinary course of a run, which passes by itself, or something a person should know.
            pub fn course(&self) -> Course {
                match self { $(Self::$name { .. } => Course::$course,)+ }
            }
            /// A CamelCase word for it, as Kubernetes conditions and events want one.
            pub fn word(&self) -> &'static str {
                match self { $(Self::$name { .. } => $word,)+ }
            }
        }
        impl fmt::Display for Reason {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(Self::$name { $($field),+ } => reasons!(@say f $sentence),)+ }
            }
        }
    };
    (@say $f:ident $sentence:literal) => { write!($f, $sentence) };
    (@say $f:ident $sentence:tt) => { $f.write_str(&$sentence) };
}

reasons! {
    // ---- the ordinary course
    Ordinary "PhaseBefore" Phase { phase: PhaseName, service: ServiceName } =
        "phase {phase} comes first, and its service {service} is not on target yet";
    Ordinary "NeedBefore" Need { service: ServiceName } =
        "it needs {service}, which does not carry all its traffic on target yet";
    Ordinary "DependentFirst" Dependent { service: ServiceName } = "{service} needs it and goes back first";
    Ordinary "TakingEffect" TakingEffect { weight: Weight, fact: Fact } = "{weight} was ordered and is not {fact} yet";
    Ordinary "Baking" Baking { weight: Weight, until: Timestamp } = "{weight} is watched until {until:.0}";
    Ordinary "GateSamples" GateSamples { gate: GateName, good: u32, wanted: u32 } =
        "gate {gate} has {good} of {wanted} good answers";
    Ordinary "LegacyStillActive" LegacyStillActive { requests: u64 } = "legacy still has {requests} requests of this route";
    Ordinary "Soaking" Soak { until: Timestamp } = "it soaks until {until:.0}";
    Ordinary "BackendMissing" Backend { side: Side } = "the {side} side is being made known to the router";
    Ordinary "TaskRunning" TaskRunning { task: TaskName } = "task {task} has been ordered and is not done yet";
    Ordinary "TaskSettling" TaskSettling { task: TaskName, until: Timestamp } =
        "task {task} is done; what it changed holds everywhere from {until:.0}";
    Ordinary "Waiting" Waiting { task: TaskName, until: Timestamp } = "task {task} waits until {until:.0}";
    Ordinary "WindowClosed" WindowClosed { window: WindowName, opens: Option<Timestamp> } = (match opens {
        Some(opens) => format!("window {window} opens at {opens:.0}"),
        None => format!("window {window} has closed and the plan names no later one; a new revision with another window can go on"),
    });
    Notable "WindowTooShort" WindowTooShort { window: WindowName, ends: Timestamp, latest: Timestamp } =
        "it would end at {ends:.0}, after the latest rollback of window {window} at {latest:.0}; the next window will do";
    Ordinary "Frozen" Frozen { freeze: FreezeName, until: Timestamp, why: String } =
        "freeze {freeze} lasts until {until:.0}: {why}";
    Ordinary "InMotion" InMotion { moving: u32, max: u32 } = "{moving} services are in motion, and the plan allows {max} at once";
    Ordinary "TierInMotion" TierInMotion { tier: Tier, moving: u32, max: u32 } =
        "{moving} services of tier {tier} are in motion, and the plan allows {max} at once";
    Ordinary "Stable" Stable { phase: PhaseName, until: Timestamp } = "phase {phase} has to stay as it is until {until:.0}";
    Notable "Unstable" Unstable { phase: PhaseName, service: ServiceName } =
        "phase {phase} has to be stable, and its service {service} is in trouble";
    Ordinary "Group" Group { service: ServiceName } = "{service} is of the same group and has not come as far yet";
    Ordinary "Bridge" Bridge { bridge: BridgeName } = "bridge {bridge}, which it counts on, does not stand yet";
    Notable "BridgeClaimed" BridgeClaimed { bridge: BridgeName, by: String } = "bridge {bridge} stays up: run {by} counts on it";
    Ordinary "BridgeNeeded" BridgeNeeded { bridge: BridgeName, service: ServiceName } =
        "bridge {bridge} stays up: {service} can still move or come back";
    Ordinary "SharedSystem" SharedSystem { system: SystemName, service: ServiceName } =
        "legacy system {system} also carries {service}, which is not past its soak";
    Ordinary "NeedEnds" NeedEnds { service: ServiceName } = "it stays until {service} is past its soak";
    Ordinary "ScreamTest" ScreamTest { until: Timestamp } =
        "its old address is denied until {until:.0}, to see whether anybody misses it";
    Ordinary "Draining" Draining { connections: u64 } = "legacy still has {connections} open connections";
    // ---- what waits for a person by its nature
    Notable "Approval" Approval { asks: String, missing: String } = "it has to be approved ({asks}): {missing}";
    Notable "Refused" Refused { by: String, asks: String } = "{by} said no ({asks})";
    Notable "TaskOfPerson" TaskOfPerson { task: TaskName, owner: RoleName, instructions: String } =
        "task {task} is to be done by {owner}: {instructions}";
    // ---- what keeps a step from going on
    Notable "RouteUnknown" RouteUnknown { why: String } = "the state of its route is unknown: {why}";
    Notable "SideUnknown" SideUnknown { side: Side, why: String } = "the health of its {side} side is unknown: {why}";
    Notable "SideAbsent" SideAbsent { side: Side, what: String } = "its {side} side cannot answer: there is no {what}";
    Notable "SideShort" SideShort { side: Side, healthy: u32, endpoints: u32, weight: Weight } =
        "{healthy} of {endpoints} {side} endpoints are healthy, too few for their share at {weight}";
    Notable "GateFailing" GateFailing { gate: GateName, rounds: u32, why: String } =
        "gate {gate} fails, {rounds} in a row: {why}";
    Notable "GateUnknown" GateUnknown { gate: GateName, why: String } = "gate {gate} has no answer: {why}";
    Notable "GateAnswersBadly" GateAnswersBadly { gate: GateName, why: String } =
        "gate {gate} has answers again, and the newest is bad: {why}";
    Notable "NotEffective" NotEffective { weight: Weight, within: Span, fact: Fact } =
        "{weight} was ordered and is still not {fact} after {within}; traffic may be on either setting";
    Notable "Drift" Drift { found: String, expected: Weight } =
        "somebody else changed the route: found {found} where {expected} was ordered";
    Notable "OneOwner" OneOwner { owner: Owner } = "one-owner: its route is driven by run {owner}";
    // ---- why something goes back or holds
    Notable "GateFailed" GateFailed { gate: GateName, weight: Weight, why: String } = "gate {gate} failed at {weight}: {why}";
    Notable "GuardFailed" GuardFailed { gate: GateName, since: Timestamp, why: String } =
        "guard {gate} has failed since {since:.0}: {why}";
    Notable "GateUnknownTooLong" GateUnknownTooLong { gate: GateName, limit: Span, why: String } =
        "gate {gate} has had no answer for {limit}: {why}";
    Notable "WithService" WithService { service: ServiceName } = "{service} goes back, and takes it along";
    Notable "NeverStarts" NeverStarts { service: ServiceName } =
        "{service}, which comes before it, went back: it does not start any more, and what was prepared for it is taken back";
    Notable "LegacyDied" LegacyDied { rounds: u32 } =
        "its legacy side died ({rounds} rounds without an answer) while it carried traffic";
    Notable "TargetDied" TargetDied { rounds: u32 } =
        "its target side died ({rounds} rounds without an answer) while it carried traffic";
    Notable "NoWayBack" NoWayBack { why: String } = "there is no way back: {why}";
    Notable "NoWorse" NoWorse { legacy: SideRank, target: SideRank } =
        "no-worse: going back is refused, legacy is {legacy} and target is {target}; traffic stays where it is";
    Notable "TaskFailed" TaskFailed { task: TaskName, why: String } = "task {task} failed: {why}";
    Notable "TaskUnknown" TaskUnknown { task: TaskName, why: String } = "nobody can tell how task {task} stands: {why}";
    Notable "TaskLeftBehind" TaskLeftBehind { task: TaskName, deadline: Span } =
        "task {task} was not taken back within {deadline}; somebody has to look at it";
    Notable "WithGroup" WithGroup { service: ServiceName } =
        "{service}, which is of the same group, goes back and takes it along";
    Notable "Overrun" Overrun { window: WindowName, latest: Timestamp } =
        "the latest rollback of window {window} came at {latest:.0} and it was still in motion";
    Notable "PauseOver" PauseOver { budget: Span } = "nobody could have written for longer than its pause budget of {budget}";
    Notable "PointOfNoReturn" PointOfNoReturn { step: String, why: String } =
        "{step} has started, and from there is no way back: {why}";
    Notable "Ordered" Ordered { by: String } = "ordered by {by}";
    Notable "Invariant" Invariant { invariant: Invariant, detail: String } = "{invariant}: {detail}";
    Notable "RecordFormat" Format { found: u16 } = ({
        let (whose, reads) = (if *found > FORMAT { "a newer" } else { "an older" }, FORMAT);
        format!("its record has format {found}, which {whose} version wrote; this version reads format {reads} only")
    });
    Notable "OtherRevision" OtherRevision { found: String } =
        "its record belongs to revision {found}, not to the one that was given";
}

/// The three facts about a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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

/// Whether a wait passes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// It does.
    Ordinary,
    /// A person should know.
    Notable,
}
