//! What a run would meet in a cluster: each of its effects tried, what stands there now, and who may do what. Plain data; the
//! cluster itself is asked elsewhere, for nothing here reaches anything.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::plan::Severity;

/// What `gapless preview --cluster` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterReport {
    /// The plan's namespace.
    pub namespace: String,
    /// Who asked, as the API server knows them.
    pub caller: String,
    /// The operator's account, `namespace/name`; null: it is not known which one that is.
    pub operator: Option<String>,
    /// Whether nothing was seen that would fail.
    pub works: bool,
    /// What starting a run would write.
    pub start: Vec<EffectLine>,
    /// Each service, by name.
    pub services: Vec<LiveService>,
    /// Each right that a run rests on.
    pub rights: Vec<RightLine>,
    /// What would fail, or is worth a look, the worst first.
    pub findings: Vec<ClusterFinding>,
}

/// A service as the cluster has it now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LiveService {
    /// Its name.
    pub name: String,
    /// Its route; null: there is none, or it is not moved by one of this cluster.
    pub route: Option<LiveRoute>,
    /// The backend that stands for its legacy side.
    pub legacy: Option<LiveBackend>,
    /// The backend that stands for its target side.
    pub target: Option<LiveBackend>,
    /// Each effect that a run would have, in their order: to target, then back.
    pub effects: Vec<EffectLine>,
}

/// A route as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LiveRoute {
    /// Its name.
    pub name: String,
    /// The rule that is driven; null: its only one.
    pub rule: Option<String>,
    /// Which run drives it; null: none.
    pub owner: Option<String>,
    /// The share of target now, in percent; null: it cannot be told.
    pub weight: Option<u8>,
    /// Where its answers are asked for.
    pub asked: Vec<String>,
}

/// A backend as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LiveBackend {
    /// The Service and its port.
    pub name: String,
    /// How it stands.
    pub standing: Standing,
    /// Endpoints that take traffic.
    pub endpoints: usize,
}

/// How a backend stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    /// It is there.
    Present,
    /// The run makes it: a Service and slices for plain hosts.
    ToMake,
    /// It is not there, and not the run's to make.
    Absent,
    /// Somebody else's objects bear its names, and lead elsewhere.
    Foreign,
    /// Nobody could be asked.
    Unknown,
}
impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Present => "present",
            Self::ToMake => "made by the run",
            Self::Absent => "absent",
            Self::Foreign => "somebody else's",
            Self::Unknown => "not known",
        })
    }
}

/// One effect, tried by the API server without being stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EffectLine {
    /// The step that has it, or the verb for what people do.
    pub step: String,
    /// Which way.
    pub way: Way,
    /// What is written: `PATCH HTTPRoute spine/pds`.
    pub request: String,
    /// What changes in it.
    pub changes: Vec<String>,
    /// What the API server said.
    pub outcome: Tried,
    /// Why it was refused or not tried.
    pub why: Option<String>,
}

/// Which way an effect leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Way {
    /// Towards target.
    Forward,
    /// Back to legacy.
    Back,
}

/// What came of trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Tried {
    /// The API server would store it.
    Accepted,
    /// It would not.
    Refused,
    /// It was not asked, or did not say.
    Untried,
}

/// One right that a run rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RightLine {
    /// As Kubernetes' authorization has it.
    pub verb: String,
    /// `httproutes.gateway.networking.k8s.io`, with its part: `migrationruns/status.gapless.dev`.
    pub resource: String,
    /// In which namespace.
    pub namespace: String,
    /// Who needs it.
    pub needed_by: Needs,
    /// Whether the caller has it.
    pub caller: Permit,
    /// Whether the operator's account has it.
    pub operator: Permit,
}

/// Who needs a right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Needs {
    /// Whoever starts the run and gives it orders.
    Caller,
    /// The operator.
    Operator,
}

/// Whether somebody has a right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Permit {
    /// Yes.
    Yes,
    /// No.
    No,
    /// Nobody could be asked.
    Unknown,
}

/// Something that would fail in the cluster, or is worth a look.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterFinding {
    /// Its weight. An error: it would fail.
    pub severity: Severity,
    /// Its kind.
    pub code: ClusterCode,
    /// Where: `HTTPRoute spine/pds, rule default`.
    pub place: String,
    /// What is wrong: a sentence.
    pub message: String,
    /// What to do: a sentence.
    pub help: String,
}
impl fmt::Display for ClusterFinding {
    /// `error[route-missing] HTTPRoute spine/pds: …; help`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}] {}: {}; {}", self.severity, self.code, self.place, self.message, self.help)
    }
}

/// What kind of thing would fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClusterCode {
    /// A part of the plan that this version does not run.
    NotYet,
    /// Objects that the caller may not read, so that nothing is known of them.
    Unreadable,
    /// There is no such route.
    RouteMissing,
    /// The route has no rule as the plan describes it, or the rule not both backends.
    RouteMisfit,
    /// Another run drives it.
    RouteOwned,
    /// Its weights are not those of a service that was never moved.
    RouteWeights,
    /// The data plane does not carry it out as it is.
    RouteRefused,
    /// Its answers cannot be asked for, so that no weight would ever be seen to be in force.
    RouteUnasked,
    /// A side that the plan names is not there.
    BackendMissing,
    /// Somebody else's objects bear the names of what a run would make.
    BackendForeign,
    /// A side has no endpoint that takes traffic.
    NoEndpoints,
    /// The API server refuses an effect.
    EffectRefused,
    /// An effect that could not be tried.
    EffectUntried,
    /// Somebody lacks a right that a run needs.
    RightMissing,
    /// It is not known whether the operator has the rights that a run needs.
    RightUnknown,
}
impl ClusterCode {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotYet => "not-yet",
            Self::Unreadable => "unreadable",
            Self::RouteMissing => "route-missing",
            Self::RouteMisfit => "route-misfit",
            Self::RouteOwned => "route-owned",
            Self::RouteWeights => "route-weights",
            Self::RouteRefused => "route-refused",
            Self::RouteUnasked => "route-unasked",
            Self::BackendMissing => "backend-missing",
            Self::BackendForeign => "backend-foreign",
            Self::NoEndpoints => "no-endpoints",
            Self::EffectRefused => "effect-refused",
            Self::EffectUntried => "effect-untried",
            Self::RightMissing => "right-missing",
            Self::RightUnknown => "right-unknown",
        }
    }
}
impl fmt::Display for ClusterCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
