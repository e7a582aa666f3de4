//! The plan document as people write it: one set of types for the YAML file, the CRD and the JSON schema.
//!
//! Optional fields are `Option` or empty lists here; [`super::check`] fills every default in and yields a
//! [`super::model::Plan`]. Unions stand alone under their own key and have exactly one member. What the engine of this version
//! does not run is read and checked all the same; [`super::not_run_yet`] names it.
//!
//! A field that may come from `defaults` is optional in every type; `x-complete` lists those that must be there once the
//! defaults have been merged in ([`super::schema::Shapes`]). An object with fields of which some exclude or need each other
//! says so in `x-either`, in JSON schema's own words: for the API server and for editors, as `check` finds it by itself and
//! says it better.

mod calendar;
mod data;
mod estate;
mod gate;
mod people;
mod phase;
mod probe;
mod router;
mod service;
mod shift;
mod side;
mod task;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{moment::Moment, names::PlanName};

pub use self::{
    calendar::{FreezeSpec, LimitsSpec, RehearsalSpec, TierLimitSpec, WindowSpec},
    data::{DataSpec, LagSpec, ReverseSpec, SwitchSpec, Writer},
    estate::{
        BridgeSpec, ConnectionSpec, ConnectionToSpec, DnsServerSpec, ExternalBridgeSpec, GroupSpec, HaproxyApiSpec, JoinsSpec,
        LegacySystemSpec, ManagedBridgeSpec, SecretRefSpec, TimedActSpec, UrlSpec,
    },
    gate::{CheckSpec, GateSpec, HttpCheckSpec, PlainGateSpec, ProbeCheckSpec, PrometheusCheckSpec},
    people::{ApprovalSpec, QuorumSpec, RoleSpec},
    phase::{AfterSpec, PhaseSpec, PhaseTaskSpec},
    probe::{ExpectSpec, HttpMethod, HttpSendSpec, ProbeSpec, SendSpec},
    router::{DnsSpec, DnsType, EndpointSliceSpec, HaproxySpec, RouteSpec, RouterSpec, TtlSpec, WebhookSpec},
    service::{DefaultsSpec, LoadSpec, NeedMode, NeedSpec, ServiceSpec, Tier},
    shift::{
        DecommissionSpec, DrainSpec, MirrorMethods, MirrorSpec, OnFailure, RollbackScope, RollbackSpec, ShiftSpec, SoakSpec,
        WarmSpec,
    },
    side::{CapacitySpec, EndpointSpec, ServiceRef, SideSpec, Workload, WorkloadKind},
    task::{
        ActSpec, HttpActSpec, JobSpec, ManualSpec, NotifySpec, PhaseMoment, QuiesceCronSpec, ServiceMoment, SilenceSpec,
        TaskSpec, UndoSpec, UndoWhen, WaitSpec,
    },
};

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

/// What is to be moved, in which order, and what has to hold on the way. Durations are written `800ms`, `90s`, `10m`, `1h30m` or
/// `45d`; rates `450/s`; weights in whole percent; moments `2026-08-28T20:00`, on the clock of `timeZone`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MigrationPlanSpec {
    /// The IANA zone, such as `Europe/London`, on whose clock all moments of the plan are written. Default: `UTC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub time_zone: Option<String>,
    /// The date that cannot move, on the clock of `timeZone`: the forecast is measured against it. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Moment>,
    /// Outside systems, each named once; credentials only by reference.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub connections: Vec<ConnectionSpec>,
    /// When forward steps may start. Default: at any time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128))]
    pub windows: Vec<WindowSpec>,
    /// When no forward step may start, inside windows as well. Default: never.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128))]
    pub freezes: Vec<FreezeSpec>,
    /// How much may be in motion at once. Default: as much as needs and phases allow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<LimitsSpec>,
    /// A live run needs a passed rehearsal of the same digest. Default: it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require_rehearsal: Option<RehearsalSpec>,
    /// Who may approve and who does manual tasks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub roles: Vec<RoleSpec>,
    /// What is switched off in the end. Default: each legacy side is a system of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1200))]
    pub legacy_systems: Vec<LegacySystemSpec>,
    /// What every service has that does not say otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defaults: Option<DefaultsSpec>,
    /// Named sets of services that move together or one set after another. Default: one phase for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub phases: Vec<PhaseSpec>,
    /// Connectivity between the estates: first in, last out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub bridges: Vec<BridgeSpec>,
    /// The services that move.
    #[schemars(length(min = 1, max = 1200))]
    pub services: Vec<ServiceSpec>,
    /// Services that shift in lock step and go back in lock step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub groups: Vec<GroupSpec>,
}
