//! Gates: what is looked at, how often, and what counts.

use serde::{Deserialize, Serialize};

use crate::plan::{
    names::{ConnectionName, ProbeName, Span},
    spec::OnFailure,
};

/// A gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gate {
    /// How often it is looked at.
    pub every: Span,
    /// How long one look may take.
    pub timeout: Span,
    /// What is looked at.
    pub check: Check,
    /// So many good rounds after a weight became effective.
    pub successes: u32,
    /// So many bad rounds of a thousand may lie among them.
    pub max_failures_per_mille: u16,
    /// So many bad rounds in a row are a failure.
    pub failures: u32,
    /// Without an answer for so long, `on_unknown` acts.
    pub unknown_limit: Span,
    /// What happens then.
    pub on_unknown: OnFailure,
    /// Whether it is watched all the time, or only before a confirmation.
    pub watch: Watch,
}

/// When a gate is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Watch {
    /// All the time from the first shift to the end of the soak: the gate is a guard.
    Guard,
    /// Only before a weight is confirmed.
    Confirmation,
}

/// What a gate looks at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Check {
    /// A probe's answers on the target side.
    Probe(ProbeName),
    /// An address that speaks for the service's health.
    Http(String),
    /// A query whose value must lie within bounds.
    #[serde(rename_all = "camelCase")]
    Prometheus {
        /// Where.
        connection: ConnectionName,
        /// The query, in PromQL, with its variables.
        query: String,
        /// What `$(window)` stands for: the stretch of time that a value speaks for. It lies wholly after what is judged.
        window: Span,
        /// The smallest good value.
        min: Option<Number>,
        /// The largest good value.
        max: Option<Number>,
    },
}

/// A finite number as people wrote it, compared by value and written without loss.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Number(pub f64);
