//! What services share: outside systems, legacy systems, bridges between the estates, groups that move as one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ActSpec, PlainGateSpec, ShiftSpec};
use crate::plan::names::{BridgeName, ConnectionName, GroupName, PhaseName, ServiceName, Span, SystemName};

/// An outside system, named once and referred to by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConnectionSpec {
    /// The name that gates, routers and tasks refer to.
    pub name: ConnectionName,
    /// What it is and where.
    pub to: ConnectionToSpec,
    /// The Secret in the plan's namespace with the credentials; credentials are never written into a plan. Its keys:
    /// `token` (bearer), or `username` and `password`; for DNS `name`, `algorithm` and `secret` of a TSIG key. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretRefSpec>,
}

/// A Secret in the plan's namespace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretRefSpec {
    /// Its name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// What an outside system is and where: exactly one member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum ConnectionToSpec {
    /// A Prometheus HTTP API, for gates.
    Prometheus(UrlSpec),
    /// A name server that takes updates (RFC 2136), for DNS routers.
    Dns(DnsServerSpec),
    /// HAProxy's Runtime API, for HAProxy routers.
    Haproxy(HaproxyApiSpec),
    /// An Alertmanager API, for silences.
    Alertmanager(UrlSpec),
    /// An address that takes notices as JSON by POST, for `notify`.
    Notify(UrlSpec),
}

/// An address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UrlSpec {
    /// An `http://` or `https://` address, without user name or password.
    #[schemars(length(min = 8, max = 2048))]
    pub url: String,
}

/// A name server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DnsServerSpec {
    /// The primary of the zones, as `ADDRESS:PORT`.
    #[schemars(length(min = 3, max = 128))]
    pub server: String,
}

/// HAProxy's Runtime API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HaproxyApiSpec {
    /// Its stats socket: `tcp://HOST:PORT` or `unix:///PATH`.
    #[schemars(length(min = 8, max = 253))]
    pub runtime: String,
}

/// What is switched off in the end. Several services may live on one; it goes when the last of them has left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LegacySystemSpec {
    /// The name that legacy sides refer to.
    pub name: SystemName,
    /// The names of its hosts. A host belongs to one system.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1024), inner(length(min = 1, max = 253)))]
    pub hosts: Vec<String>,
}

/// Connectivity between the estates, for services that need others across them: first in, last out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-either" = { "oneOf": [{ "required": ["managed"] }, { "required": ["external"] }] }))]
pub struct BridgeSpec {
    /// The name that needs refer to.
    pub name: BridgeName,
    /// What it joins.
    pub joins: JoinsSpec,
    /// How it is put up and taken down. Give this or `external`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed: Option<ManagedBridgeSpec>,
    /// Others put it up and take it down, and the gates say whether it stands. Give this or `managed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<ExternalBridgeSpec>,
    /// What must pass while it stands. At least one if it is external.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub gates: Vec<PlainGateSpec>,
}

/// What a bridge joins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JoinsSpec {
    /// The phases whose services count on it: it stands before the first of them moves, until none of them can still move or
    /// come back.
    #[schemars(length(min = 1, max = 64))]
    pub phases: Vec<PhaseName>,
}

/// How a bridge is put up and taken down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManagedBridgeSpec {
    /// Puts it up.
    pub up: TimedActSpec,
    /// Takes it down.
    pub down: TimedActSpec,
}

/// A bridge that others put up and take down. It has no fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExternalBridgeSpec {}

/// Something that is done, and how long it takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TimedActSpec {
    /// What is done.
    #[serde(rename = "do")]
    pub act: ActSpec,
    /// How long it takes, as a 95th percentile. Default: 30m for `manual`, its own length for `wait`, 5m for `job`, else 30s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Span>,
}

/// Services that shift in lock step and go back in lock step: a move group. All of them are of one phase, and a service is in
/// at most one group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GroupSpec {
    /// Its name.
    pub name: GroupName,
    /// Its members. None of them has a `shift` of its own.
    #[schemars(length(min = 2, max = 256))]
    pub services: Vec<ServiceName>,
    /// The weights on the way of all members. Default: `shift` of the plan's defaults, and what a service would have without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift: Option<ShiftSpec>,
}
