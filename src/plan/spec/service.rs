//! The unit that moves, and what services have by default.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    DataSpec, DecommissionSpec, DrainSpec, GateSpec, MirrorSpec, OnFailure, ProbeSpec, RollbackSpec, RouterSpec, ShiftSpec,
    SideSpec, SoakSpec, TaskSpec, WarmSpec,
};
use crate::plan::names::{BridgeName, PhaseName, Rate, ServiceName, Span};

/// The unit that moves. A small one has `name`, `legacy`, `target`, `router` and a gate or a probe; all else has a default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceSpec {
    /// Its name, unique in the plan.
    pub name: ServiceName,
    /// The phase it moves in. Default: the only phase, if there is just one; else the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<PhaseName>,
    /// How much hangs on it. Default: not said; no tier's limit counts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// The load that whichever side carries the traffic has to stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<LoadSpec>,
    /// The services that it needs. Nothing declared means unknown, not none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub needs: Vec<NeedSpec>,
    /// Where the service runs today.
    pub legacy: SideSpec,
    /// Where it is to run.
    pub target: SideSpec,
    /// What moves traffic between the two.
    pub router: RouterSpec,
    /// How long a connection to it may live. Soak and drain outlast it. Default: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_connection_age: Option<Span>,
    /// Shadow traffic before the first shift. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirror: Option<MirrorSpec>,
    /// What warms the target before the first shift. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm: Option<WarmSpec>,
    /// The weights on the way. Default: 1, 5, 25, 50, 100 with ten minutes of bake each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift: Option<ShiftSpec>,
    /// The watch after the move. Default: 24 hours, guards act after failing for 30 seconds, by rolling back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soak: Option<SoakSpec>,
    /// What happens when a gate fails before the soak. Default: `Rollback`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<OnFailure>,
    /// How it goes back, and what else goes back with it. Default: at once, with those that need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<RollbackSpec>,
    /// Synthetic transactions, sent to every endpoint of both sides. No real personal data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub probes: Vec<ProbeSpec>,
    /// The checks that must pass, freshly, before a weight is confirmed. Default: one gate for each probe.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub gates: Vec<GateSpec>,
    /// What is done beside its traffic.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub tasks: Vec<TaskSpec>,
    /// CronJobs of the service by name, in the plan's namespace: each is suspended before the shift, and runs on the right side
    /// after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 253)))]
    pub cron: Vec<String>,
    /// How legacy is emptied after the soak. Default: open connections are waited for until none is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drain: Option<DrainSpec>,
    /// What the end of the legacy side takes. Default: legacy stays, and the soak is the service's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decommission: Option<DecommissionSpec>,
    /// How its single writer moves, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataSpec>,
}

/// What every service has that does not say otherwise: any of its fields but those that are its own (name, phase, needs,
/// sides, router, cron, data).
///
/// Objects are merged by field. Lists of named objects are merged by name, and then by field; `disabled: true` drops one. A
/// union (an object with exactly one member) is taken as a whole from the service, and so are plain lists.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DefaultsSpec {
    /// How much hangs on a service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// The load that whichever side carries the traffic has to stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<LoadSpec>,
    /// How long a connection to a service may live. Soak and drain outlast it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_connection_age: Option<Span>,
    /// Shadow traffic before the first shift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirror: Option<MirrorSpec>,
    /// What warms the target before the first shift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm: Option<WarmSpec>,
    /// The weights on the way. A service with a DNS router or a single writer takes `bake` only, as it moves all at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift: Option<ShiftSpec>,
    /// The watch after the move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soak: Option<SoakSpec>,
    /// What happens when a gate fails before the soak.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<OnFailure>,
    /// How a service goes back, and what else goes back with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<RollbackSpec>,
    /// Synthetic transactions, sent to every endpoint of both sides. No real personal data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub probes: Vec<ProbeSpec>,
    /// The checks that must pass, freshly, before a weight is confirmed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub gates: Vec<GateSpec>,
    /// What is done beside a service's traffic.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub tasks: Vec<TaskSpec>,
    /// How legacy is emptied after the soak.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drain: Option<DrainSpec>,
    /// What the end of a legacy side takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decommission: Option<DecommissionSpec>,
}

/// The load a service has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-complete" = ["peak"]))]
pub struct LoadSpec {
    /// The highest rate to be expected while the plan runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak: Option<Rate>,
    /// How much more than its share of the peak a side must stand before its weight is raised. Default: 20.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1000))]
    pub headroom_percent: Option<u16>,
}

/// A service that this one needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-either" = {
    "oneOf": [
        { "required": ["mode", "bridge"], "properties": { "mode": { "enum": ["Across"] } } },
        { "not": { "required": ["bridge"] }, "properties": { "mode": { "enum": ["Before"] } } },
    ],
}))]
pub struct NeedSpec {
    /// Its name.
    pub service: ServiceName,
    /// In what way. Default: `Before`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<NeedMode>,
    /// With `Across`: the bridge that has to stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bridge: Option<BridgeName>,
}

/// In what way a service needs another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum NeedMode {
    /// The needed service carries all its traffic on target first, and goes back last.
    Before,
    /// Either side will do while a bridge stands.
    Across,
}

/// How much hangs on a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Tier {
    /// People come to harm when it fails.
    Critical,
    /// Work stops when it fails.
    Important,
    /// It is missed when it fails.
    Standard,
}
impl std::fmt::Display for Tier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self, f)
    }
}
