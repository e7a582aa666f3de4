//! Services with one writer: how the right to write moves from one side to the other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Act, Gate};
use crate::plan::names::{GateName, Span};

/// How a single writer moves: catch-up → fence → lag proven 0 → promote → all traffic → effective; the other way round
/// backwards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Data {
    /// From the start of the fence to the first successful write through the service's own address.
    pub pause_budget: Span,
    /// Passes when so little is left to be copied to target that legacy may be fenced: writes still flow then; `None`: `lag`
    /// has to pass before the fence as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catch_up: Option<Gate>,
    /// Passes when nothing is left to be copied to target.
    pub lag: Gate,
    /// Makes legacy read-only.
    pub fence: Switch,
    /// Makes legacy writable again, as long as target was not promoted; `None`: the reverse promote does, and where there
    /// is none the fence cannot be taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfence: Option<Switch>,
    /// Makes target writable.
    pub promote: Switch,
    /// The way back.
    pub reverse: Reverse,
    /// Checks that both sides hold the same, once target is the writer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reconcile: BTreeMap<GateName, Gate>,
}

impl Data {
    /// What makes legacy writable again as long as target was not promoted; `None`: nothing takes the fence back.
    pub fn unfencing(&self) -> Option<&Switch> {
        self.unfence.as_ref().or(match &self.reverse {
            Reverse::By { promote, .. } => Some(promote),
            Reverse::None(_) => None,
        })
    }
}

/// An act and the proof that it worked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Switch {
    /// What is done.
    pub act: Act,
    /// Passes once it worked.
    pub proof: Gate,
    /// How long it takes, as a 95th percentile.
    pub expect: Span,
}

/// How the right to write goes back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(clippy::large_enum_variant, reason = "one for each single-writer service")]
pub enum Reverse {
    /// It does not: promote is the point of no return. The text says why.
    None(String),
    /// By the same way in the other direction.
    #[serde(rename_all = "camelCase")]
    By {
        /// Passes when nothing is left to be copied to legacy.
        lag: Gate,
        /// Makes target read-only.
        fence: Switch,
        /// Makes legacy writable.
        promote: Switch,
    },
}
