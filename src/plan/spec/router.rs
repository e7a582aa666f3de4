//! What moves traffic.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::names::{ConnectionName, Span};

/// What moves traffic: exactly one member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum RouterSpec {
    /// A Gateway API `HTTPRoute` in the plan's namespace.
    HttpRoute(RouteSpec),
    /// A Gateway API `GRPCRoute` in the plan's namespace.
    GrpcRoute(RouteSpec),
    /// A Gateway API `TLSRoute` in the plan's namespace.
    TlsRoute(RouteSpec),
    /// A Gateway API `TCPRoute` in the plan's namespace.
    TcpRoute(RouteSpec),
    /// A backend of HAProxy, moved by its Runtime API.
    Haproxy(HaproxySpec),
    /// A DNS record set: all of it is on one side at a time, so its default shift is `[100]`.
    Dns(DnsSpec),
    /// The EndpointSlices of one Service in the plan's namespace: the weight is a count of endpoints.
    EndpointSlice(EndpointSliceSpec),
    /// Any router that speaks the webhook contract (`docs/design/webhook.md`).
    Webhook(WebhookSpec),
}

/// One rule of a route, which lists both sides as backends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RouteSpec {
    /// The route's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The name of the rule. Default: the only rule of the route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub section_name: Option<String>,
}

/// A backend of HAProxy that lists the servers of both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HaproxySpec {
    /// The HAProxy, a connection of kind `haproxy`.
    pub connection: ConnectionName,
    /// The backend's name. Its servers are told apart by the addresses and ports of the sides.
    #[schemars(length(min = 1, max = 253))]
    pub backend: String,
}

/// A DNS record set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DnsSpec {
    /// The name server that is updated, a connection of kind `dns`.
    pub connection: ConnectionName,
    /// The zone, with the dot at its end: `registry.example.`
    #[schemars(length(min = 1, max = 254))]
    pub zone: String,
    /// The record set's name, with the dot at its end: `db.registry.example.`
    #[schemars(length(min = 1, max = 254))]
    pub name: String,
    /// Its type. `A` and `AAAA` take the addresses of the sides, `CNAME` the names of their Services.
    #[serde(rename = "type")]
    pub kind: DnsType,
    /// The times to live. Default: `{ during: 5s }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<TtlSpec>,
}

/// The times to live of a record set. The one that it had before is restored after the move.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TtlSpec {
    /// While it moves: lowered at least one old TTL before. Whole seconds. Default: 5s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub during: Option<Span>,
}

/// The EndpointSlices of one Service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EndpointSliceSpec {
    /// The Service that clients use. Its slices are written by gapless, so it has no selector.
    #[schemars(length(min = 1, max = 63))]
    pub service: String,
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
