//! Synthetic transactions.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::plan::{names::Span, spec::HttpMethod};

/// A synthetic transaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Probe {
    /// How often it is sent to each endpoint.
    pub every: Span,
    /// How long it may take.
    pub timeout: Span,
    /// What is sent.
    pub send: HttpSend,
}

/// An HTTP request and the answer that counts as good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpSend {
    /// The method.
    pub method: HttpMethod,
    /// Path and query.
    pub path: String,
    /// The `Host` header, if not the endpoint's address.
    pub host: Option<String>,
    /// The body.
    pub body: Option<String>,
    /// Status codes that are good.
    pub status: BTreeSet<u16>,
    /// A text that the body contains.
    pub body_contains: Option<String>,
}
