//! The two sides of a service: where it runs today and where it is to run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::names::{Rate, SystemName};

/// One side of a service: plain hosts (`endpoints`) or a Kubernetes Service (`service`), exactly one of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-either" = {
    "oneOf": [{ "required": ["endpoints"] }, { "required": ["service"] }],
    "anyOf": [{ "required": ["service"] }, { "not": { "required": ["workload"] } }],
}))]
pub struct SideSpec {
    /// Plain hosts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 256))]
    pub endpoints: Vec<EndpointSpec>,
    /// A Service in the plan's namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceRef>,
    /// What runs the pods behind `service`, where its readiness can be seen and it can be stopped. Default: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<Workload>,
    /// The legacy system that it lives on. Only of a legacy side. Default: a system of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<SystemName>,
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
