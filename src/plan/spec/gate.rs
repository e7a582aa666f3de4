//! Checks that must pass, freshly, before a step is confirmed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::OnFailure;
use crate::plan::names::{ConnectionName, GateName, ProbeName, Span};

/// A check of a service that must pass, freshly, before a weight is confirmed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-complete" = ["check"]))]
pub struct GateSpec {
    /// Its name, unique in the service.
    pub name: GateName,
    /// How often it is looked at; for a probe the probe's own `every`. Default: 15s for `prometheus`, else 1s; at least 20ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Span>,
    /// What is looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<CheckSpec>,
    /// After so many failures in a row the gate fails, and `onFailure` acts; no answer is neither pass nor failure. Default: 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub failures: Option<u32>,
    /// Without an answer for so long, `onUnknown` acts. Default: 10m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_limit: Option<Span>,
    /// What happens when `unknownLimit` is over. Default: `Hold`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_unknown: Option<OnFailure>,
    /// Whether it is also watched all the time from the first shift to the end of the soak. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<bool>,
    /// `true` drops the gate of this name that the plan's defaults have. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
}

/// A check that belongs to a phase, a bridge or the data of a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlainGateSpec {
    /// Its name, unique in its list.
    pub name: GateName,
    /// How often it is looked at; for a probe the probe's own `every`. Default: 15s for `prometheus`, else 1s; at least 20ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Span>,
    /// What is looked at. A probe only where there is a service that has it.
    pub check: CheckSpec,
    /// After so many failures in a row the gate fails; no answer is neither pass nor failure. Default: 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub failures: Option<u32>,
    /// Without an answer for so long, `onUnknown` acts. Default: 10m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_limit: Option<Span>,
    /// What happens when `unknownLimit` is over. Default: `Hold`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_unknown: Option<OnFailure>,
}

/// What a gate looks at: exactly one member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum CheckSpec {
    /// The answers of a probe on the side that is judged.
    Probe(ProbeCheckSpec),
    /// An address that speaks for the service's health: 2xx is good, any other answer bad, no answer unknown.
    Http(HttpCheckSpec),
    /// A query whose value must lie within bounds. No value is unknown, not good.
    Prometheus(PrometheusCheckSpec),
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
    /// The share of bad rounds that may lie among them, in steps of a thousandth. Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 0.9))]
    pub max_failure_ratio: Option<f64>,
}

/// An address to be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpCheckSpec {
    /// An `http://` or `https://` address; `$(service)`, `$(side)` and `$(phase)` are filled in.
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

/// A query of Prometheus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-either" = { "anyOf": [{ "required": ["min"] }, { "required": ["max"] }] }))]
pub struct PrometheusCheckSpec {
    /// The Prometheus, a connection of kind `prometheus`.
    pub connection: ConnectionName,
    /// The query, in PromQL, for one value; `$(service)`, `$(side)`, `$(phase)` and `$(window)` are filled in.
    #[schemars(length(min = 1, max = 4096))]
    pub query: String,
    /// What `$(window)` stands for: the stretch of time that a value speaks for. A value counts only once all of it lies after
    /// what it judges. Default: 1m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Span>,
    /// The smallest good value. Give this, `max` or both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The largest good value. Give this, `min` or both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// How long the answer may take. Default: 5s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// So many good values after a weight became effective. Default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub successes: Option<u32>,
}
