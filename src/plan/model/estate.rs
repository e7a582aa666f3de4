//! What services share: outside systems, legacy systems, bridges between the estates, groups that move as one.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Act, Gate};
use crate::plan::{
    names::{GateName, PhaseName, ServiceName, Span, Weight},
    spec::DnsType,
};

/// An outside system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Connection {
    /// What it is and where.
    pub to: ConnectionTo,
    /// The Secret in the plan's namespace with the credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// What an outside system is and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum ConnectionTo {
    /// A Prometheus API.
    Prometheus(String),
    /// A name server that takes updates: host and port.
    Dns(String),
    /// HAProxy's Runtime API: `tcp://host:port` or `unix:///path`.
    Haproxy(String),
    /// An Alertmanager API.
    Alertmanager(String),
    /// An address that takes notices as JSON by POST.
    Notify(String),
}

/// What is switched off in the end. Several services may live on one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LegacySystem {
    /// The names of its hosts.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub hosts: BTreeSet<String>,
}

/// Connectivity between the estates: first in, last out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Bridge {
    /// The phases whose services count on it.
    pub phases: BTreeSet<PhaseName>,
    /// How it is put up and taken down; `None`: others do that, and the gates say whether it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed: Option<ManagedBridge>,
    /// Whether it stands.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gates: BTreeMap<GateName, Gate>,
}

/// How a bridge is put up and taken down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManagedBridge {
    /// Puts it up.
    pub up: Act,
    /// How long that takes.
    pub up_expect: Span,
    /// Takes it down.
    pub down: Act,
    /// How long that takes.
    pub down_expect: Span,
}

/// Services that shift in lock step and go back in lock step. All are of one phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Group {
    /// Its members; they take steps and bake from the group.
    pub services: BTreeSet<ServiceName>,
    /// The weights on the way, rising to 100.
    pub steps: Vec<Weight>,
    /// How long a weight is watched, from the moment it is effective at all members.
    pub bake: Span,
}

/// A DNS record set that is the router of a service: all of it is on one side at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DnsRoute {
    /// The name server that is updated.
    pub connection: crate::plan::names::ConnectionName,
    /// The zone, with the dot at its end.
    pub zone: String,
    /// The record set's name, with the dot at its end.
    pub name: String,
    /// Its type.
    pub kind: DnsType,
    /// The time to live while it moves.
    pub ttl_during: Span,
}
