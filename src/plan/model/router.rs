//! What moves traffic, and by what text two services or runs see that they drive the same.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::DnsRoute;
use crate::plan::names::ConnectionName;

/// What moves traffic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Router {
    /// A rule of an `HTTPRoute`: its name, and the rule's name if it is not the only one.
    #[serde(rename_all = "camelCase")]
    HttpRoute {
        /// The route's name.
        name: String,
        /// The rule's name; `None`: the route has one rule only.
        section_name: Option<String>,
    },
    /// A router behind HTTP.
    #[serde(rename_all = "camelCase")]
    Webhook {
        /// The route's address.
        url: String,
        /// The environment variable with the signing key.
        key_from_env: Option<String>,
    },
    /// A rule of a `GRPCRoute`.
    GrpcRoute(RouteRef),
    /// A rule of a `TLSRoute`.
    TlsRoute(RouteRef),
    /// A rule of a `TCPRoute`.
    TcpRoute(RouteRef),
    /// A backend of HAProxy with servers for both sides.
    #[serde(rename_all = "camelCase")]
    Haproxy {
        /// Its Runtime API.
        connection: ConnectionName,
        /// The backend that lists the servers of both sides.
        backend: String,
    },
    /// A record set.
    Dns(DnsRoute),
    /// The slices of one Service, by name: weight is a count of endpoints.
    EndpointSlice(String),
}

/// A route of the Gateway API other than an `HTTPRoute`, and one rule of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RouteRef {
    /// The route's name.
    pub name: String,
    /// The rule's name; `None`: the route has one rule only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section_name: Option<String>,
}
impl fmt::Display for RouteRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.section_name {
            Some(rule) => write!(f, "{}, rule {rule}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

impl fmt::Display for Router {
    /// The route's identity: two services or two runs with the same text drive the same route.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HttpRoute { name, section_name: Some(rule) } => write!(f, "HTTPRoute {name}, rule {rule}"),
            Self::HttpRoute { name, section_name: None } => write!(f, "HTTPRoute {name}"),
            Self::Webhook { url, .. } => write!(f, "webhook {url}"),
            Self::GrpcRoute(route) => write!(f, "GRPCRoute {route}"),
            Self::TlsRoute(route) => write!(f, "TLSRoute {route}"),
            Self::TcpRoute(route) => write!(f, "TCPRoute {route}"),
            Self::Haproxy { connection, backend } => write!(f, "HAProxy {connection}, backend {backend}"),
            Self::Dns(dns) => write!(f, "DNS {} {}", dns.kind, dns.name),
            Self::EndpointSlice(service) => write!(f, "EndpointSlices of {service}"),
        }
    }
}
