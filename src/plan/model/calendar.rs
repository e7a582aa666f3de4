//! When something may happen: windows and freezes as moments in UTC, limits, and the date that cannot move.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::{
    names::Span,
    spec::{OnFailure, Tier},
};

/// A time in which forward steps of one kind may start. Nothing ever keeps a step back from going back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Window {
    /// Which steps it governs.
    pub purpose: WindowPurpose,
    /// From this moment.
    pub opens: Timestamp,
    /// Until this moment, exclusive.
    pub closes: Timestamp,
    /// What is kept free before it closes, beyond the time that the way back takes.
    pub reserve: Span,
    /// What happens when the latest rollback has come and something is still in motion.
    pub overrun: OnFailure,
}

/// The steps that a window governs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum WindowPurpose {
    /// Shift, fence and promote, of the phases that name the window.
    Shift,
    /// Scream test, drain and decommission, of all services.
    Decommission,
}

/// A time in which no forward step starts, inside windows as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Freeze {
    /// From this moment.
    pub from: Timestamp,
    /// Until this moment, exclusive.
    pub until: Timestamp,
    /// Why, for the people who wait.
    pub reason: String,
}

/// How much may be in motion at once. Limits bind the way forward and never the way back; a group counts as its members.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// Services between their first shift and the confirmation of the last one; `None`: as many as like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_motion: Option<u32>,
    /// The same for the services of one tier.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub per_tier: BTreeMap<Tier, u32>,
}

impl Limits {
    /// Whether there are none.
    pub fn is_none(&self) -> bool {
        self.in_motion.is_none() && self.per_tier.is_empty()
    }
}
