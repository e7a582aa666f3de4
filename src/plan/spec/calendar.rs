//! When something may happen: windows, freezes, limits, rehearsals.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OnFailure, Tier};
use crate::plan::{
    model::WindowPurpose,
    moment::Moment,
    names::{FreezeName, Span, WindowName},
};

/// A time in which forward steps of one kind may start. Going back is never bound to a window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WindowSpec {
    /// The name that phases refer to.
    pub name: WindowName,
    /// Which steps it governs.
    #[serde(rename = "for")]
    pub purpose: WindowPurpose,
    /// When it opens, on the clock of `timeZone`: `2026-08-28T20:00`.
    pub opens: Moment,
    /// When it closes, on the clock of `timeZone`. Nothing of its kind starts from then on.
    pub closes: Moment,
    /// What is kept free before it closes, beyond the time that going back takes. Default: 30m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserve: Option<Span>,
    /// What happens to what is still in motion when the latest rollback has come: `Rollback` takes it back, `Hold` leaves it
    /// and tells people. Default: `Rollback` for a `Shift` window, `Hold` for a `Decommission` window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overrun: Option<OnFailure>,
}

/// A time in which no forward step starts, inside windows as well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FreezeSpec {
    /// Its name.
    pub name: FreezeName,
    /// When it begins, on the clock of `timeZone`.
    pub from: Moment,
    /// When it ends, on the clock of `timeZone`.
    pub until: Moment,
    /// Why, for the people who wait.
    #[schemars(length(min = 1, max = 1024))]
    pub reason: String,
}

/// How much may be in motion at once. Limits never bind the way back; a group counts as its members.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LimitsSpec {
    /// How many services may be between their first shift and the confirmation of their last weight at once. Default: any
    /// number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub in_motion: Option<u32>,
    /// The same for the services of one tier. Default: any number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 3))]
    pub per_tier: Vec<TierLimitSpec>,
}

/// How many services of one tier may be in motion at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TierLimitSpec {
    /// The tier.
    pub tier: Tier,
    /// How many of them may be in motion at once.
    #[schemars(range(min = 1, max = 100_000))]
    pub max: u32,
}

/// A live run needs a passed rehearsal of the same digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RehearsalSpec {
    /// The rehearsal is no older than this when the live run starts.
    pub within: Span,
}
