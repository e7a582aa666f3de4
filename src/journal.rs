//! The journal: append-only, one JSON object a line, each bound to the one before it by a hash.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::engine::JournalHead;

/// One line: a decision that changed the record, with the facts it rested on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Line {
    /// Its number and hash; the hash covers everything else in the line and the hash of the line before.
    pub head: JournalHead,
    /// The hash of the line before; empty for the first.
    pub previous: String,
    /// When the decision was made.
    pub at: Timestamp,
    /// What changed, as the engine's events.
    pub events: serde_json::Value,
    /// The effects that were to follow.
    pub effects: serde_json::Value,
    /// What had been seen.
    pub seen: serde_json::Value,
}
