//! The plan document as people write it: one set of types for the YAML file, the CRD and the JSON schema.
//!
//! Optional fields are `Option` or empty lists here; [`super::check`] fills every default in and yields a
//! [`super::model::Plan`]. Unions stand alone under their own key and have exactly one member. Parts of the plan
//! language that this version does not run have no field here; `check` names them (`not-yet`) instead of ignoring them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::names::{GateName, PhaseName, PlanName, ProbeName, Rate, ServiceName, Span, Weight};

/// The `apiVersion` of every document.
pub const API_VERSION: &str = "gapless.dev/v1alpha1";
/// The `kind` of a plan.
pub const KIND: &str = "MigrationPlan";

/// A whole document: the object that `kubectl apply` takes and the file that the command line reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Document {
    /// Always `gapless.dev/v1alpha1`.
    #[schemars(extend("enum" = [API_VERSION]))]
    pub api_version: String,
    /// Always `MigrationPlan`.
    #[schemars(extend("enum" = [KIND]))]
    pub kind: String,
    /// Name and namespace of the plan.
    pub metadata: Metadata,
    /// What is to be moved, and how.
    pub spec: MigrationPlanSpec,
}

/// The part of Kubernetes' object metadata that a plan file uses. Other metadata is the API server's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    /// The plan's name.
    pub name: PlanName,
    /// The namespace it lives in, and in which its routes and Services are looked up. Default: `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub namespace: Option<String>,
    /// Kubernetes labels, for whatever selects objects by them. They change nothing in the plan.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Kubernetes annotations. They change nothing in the plan.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Metadata {
    /// Metadata that only the API server and its controllers write (Kubernetes API conventions, "Metadata"). A file that was
    /// read back from a cluster has it; it is passed over.
    pub const WRITTEN_BY_SERVER: [&str; 10] = [
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "managedFields",
        "ownerReferences",
        "finalizers",
        "selfLink",
    ];
}

/// What is to be moved, in which order, and what has to hold on the way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MigrationPlanSpec {
    /// Named sets of services that move together or one set after another. Default: one phase for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub phases: Vec<PhaseSpec>,
    /// The services that move.
    #[schemars(length(min = 1, max = 1200))]
    pub services: Vec<ServiceSpec>,
}

/// A named set of services: a wave or a release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PhaseSpec {
    /// The name that services refer to.
    pub name: PhaseName,
    /// Phases whose services have all been moved before a service of this one starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub after: Vec<AfterSpec>,
}

/// A phase that comes first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AfterSpec {
    /// Its name.
    pub phase: PhaseName,
}

/// The unit that moves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceSpec {
    /// Its name, unique in the plan.
    pub name: ServiceName,
    /// The phase it moves in. Default: the only phase, if there is just one; else the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<PhaseName>,
    /// The load that whichever side carries the traffic has to stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<LoadSpec>,
    /// The services that carry all their traffic on target before this one starts, and go back after it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub needs: Vec<NeedSpec>,
    /// Where the service runs today.
    pub legacy: SideSpec,
    /// Where it is to run.
    pub target: SideSpec,
    /// What moves traffic between the two.
    pub router: RouterSpec,
    /// The weights on the way. Default: 1, 5, 25, 50, 100 with ten minutes of bake each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift: Option<ShiftSpec>,
    /// The watch after the move. Default: 24 hours, guards act after failing for 30 seconds, by rolling back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soak: Option<SoakSpec>,
    /// What happens when a gate fails before the soak. Default: `Rollback`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<OnFailure>,
    /// What else goes back when this service does. Default: those that need it.
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
}

/// The load a service has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoadSpec {
    /// The highest rate to be expected while the plan runs.
    pub peak: Rate,
    /// How much more than its share of the peak a side must stand before its weight is raised. Default: 20.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1000))]
    pub headroom_percent: Option<u16>,
}

/// A service that this one needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NeedSpec {
    /// Its name.
    pub service: ServiceName,
    /// In what way. Default: `Before`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<NeedMode>,
}

/// In what way a service needs another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum NeedMode {
    /// The needed service carries all its traffic on target first, and goes back last.
    Before,
}

/// One side of a service: plain hosts (`endpoints`) or a Kubernetes Service (`service`), exactly one of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SideSpec {
    /// Plain hosts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub endpoints: Vec<EndpointSpec>,
    /// A Service in the plan's namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceRef>,
    /// What this side can carry. Default: any healthy endpoint is taken to be enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<CapacitySpec>,
}

/// A host and port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EndpointSpec {
    /// An IPv4 or IPv6 address.
    #[schemars(length(min = 2, max = 45))]
    pub address: String,
    /// The TCP port.
    #[schemars(range(min = 1))]
    pub port: u16,
}

/// A Kubernetes Service and one of its ports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceRef {
    /// The Service's name.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// The Service's port number.
    #[schemars(range(min = 1))]
    pub port: u16,
}

/// What a side can carry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CapacitySpec {
    /// What one healthy endpoint can carry, measured and not hoped for.
    pub per_endpoint: Rate,
}

/// What moves traffic: exactly one member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum RouterSpec {
    /// A Gateway API `HTTPRoute` in the plan's namespace.
    HttpRoute(HttpRouteSpec),
    /// Any router that speaks the webhook contract (`docs/design/webhook.md`).
    Webhook(WebhookSpec),
}

/// One rule of an `HTTPRoute`, which lists both sides as backends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpRouteSpec {
    /// The route's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The name of the rule. Default: the only rule of the route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub section_name: Option<String>,
}

/// A router behind HTTP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebhookSpec {
    /// The route's own address: `GET` reads its state, `PUT` sets its weights.
    #[schemars(length(min = 8, max = 2048))]
    pub url: String,
    /// The environment variable that holds the key with which requests are signed. Default: not signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub key_from_env: Option<String>,
}

/// The weights on the way to the target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShiftSpec {
    /// Rising percentages; the last is 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    pub steps: Option<Vec<Weight>>,
    /// How long a weight is watched, from the moment it is effective, before the next one. Default: 10m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bake: Option<Span>,
}

/// The watch after the move.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SoakSpec {
    /// How long, from the moment all traffic is confirmed on target. Default: 24h.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub length: Option<Span>,
    /// For how long a guard must fail without a break before it acts. Default: 30s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard_for: Option<Span>,
    /// What it does then. Default: `Rollback`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<OnFailure>,
}

/// What happens when a gate fails or gives no answer for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnFailure {
    /// The service and all that needs it go back, in reverse order.
    Rollback,
    /// Everything stays where it is until a person resumes or rolls back.
    Hold,
}

/// How a service goes back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RollbackSpec {
    /// What goes back with it. Default: `Dependents`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<RollbackScope>,
}

/// What goes back when a service does; never less than all that needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RollbackScope {
    /// The services that need it, and those that need them.
    Dependents,
    /// Its whole phase as well.
    Phase,
    /// Everything in the run.
    Run,
}

/// A synthetic transaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProbeSpec {
    /// The name that gates refer to.
    pub name: ProbeName,
    /// How often it is sent to each endpoint. Default: 1s; at least 20ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Span>,
    /// How long it may take, connection included. No answer by then is a failure. Default: 1s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// What is sent.
    pub send: SendSpec,
}

/// What a probe sends: exactly one member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum SendSpec {
    /// An HTTP/1.1 request.
    Http(HttpSendSpec),
}

/// An HTTP request and the answer that counts as good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpSendSpec {
    /// Default: `GET`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<HttpMethod>,
    /// Path and query, beginning with `/`. Default: `/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048))]
    pub path: Option<String>,
    /// The `Host` header. Default: the endpoint's address and port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub host: Option<String>,
    /// The request's body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16384))]
    pub body: Option<String>,
    /// What a good answer is. Default: status 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<ExpectSpec>,
}

/// The methods a probe may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the names of RFC 9110 speak for themselves")]
pub enum HttpMethod {
    Get,
    Head,
    Post,
    Put,
    Options,
}

/// What a good answer is: all that is given must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExpectSpec {
    /// Any of these status codes. Default: 200.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(range(min = 100, max = 599)))]
    pub status: Vec<u16>,
    /// A text that the first 64 KiB of the body contain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub body_contains: Option<String>,
}

/// A check that must pass, freshly, before a step is confirmed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GateSpec {
    /// Its name, unique in the service.
    pub name: GateName,
    /// How often it is looked at; for a probe the probe's own `every`. Default: 1s; at least 20ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Span>,
    /// What is looked at.
    pub check: CheckSpec,
    /// So many failures in a row are a failure of the gate. Default: 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub failures: Option<u32>,
    /// Without an answer for so long, `onUnknown` acts. Default: 10m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_limit: Option<Span>,
    /// What happens then. Default: `Hold`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_unknown: Option<OnFailure>,
    /// Whether it is also watched all the time from the first shift to the end of the soak. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<bool>,
}

/// What a gate looks at: exactly one member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum CheckSpec {
    /// The answers of a probe on the target side.
    Probe(ProbeCheckSpec),
    /// An address that speaks for the service's health: 2xx is good, any other answer bad, no answer unknown.
    Http(HttpCheckSpec),
}

/// The answers of one of the service's probes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProbeCheckSpec {
    /// The probe.
    pub name: ProbeName,
    /// So many good rounds after a weight became effective. Default: 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub successes: Option<u32>,
    /// The share of bad rounds that may lie among them. Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 0.9))]
    pub max_failure_ratio: Option<f64>,
}

/// An address to be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpCheckSpec {
    /// An `http://` address.
    #[schemars(length(min = 8, max = 2048))]
    pub url: String,
    /// How long it may take. Default: 1s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// So many good answers after a weight became effective. Default: 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub successes: Option<u32>,
}

/// How much hangs on a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
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

/// What runs the pods of a side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Workload {
    /// Its kind.
    pub kind: WorkloadKind,
    /// Its name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// The kinds of workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the names of Kubernetes speak for themselves")]
pub enum WorkloadKind {
    Deployment,
    StatefulSet,
    DaemonSet,
}

/// When a task of a service is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum ServiceMoment {
    /// Before anything else of the service, outside windows as well.
    BeforePrepare,
    /// Before the first weight, or before the fence of a single writer.
    BeforeShift,
    /// After all traffic is confirmed on target, before the soak.
    AfterShift,
    /// After the soak.
    AfterSoak,
    /// Before the legacy side is switched off.
    BeforeDecommission,
}

/// When a task of a phase is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum PhaseMoment {
    /// Before a service of the phase starts.
    BeforePhase,
    /// After all of its services have been moved.
    AfterPhase,
}

/// When a task is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum UndoWhen {
    /// Once the traffic is back.
    AfterTraffic,
    /// Before the traffic goes back. Never a person's task.
    BeforeTraffic,
}

/// The types of record set that can be a router.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the names of RFC 1035 and RFC 3596 speak for themselves")]
pub enum DnsType {
    A,
    Aaaa,
    Cname,
}
impl std::fmt::Display for DnsType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Cname => "CNAME",
        })
    }
}
