//! How far one service is.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::millis::{self, Millis};
use crate::{
    engine::{reason::Reason, task::TaskState},
    plan::{GateName, TaskName, Weight},
};

/// How far one service is.
#[derive(Debug, Clone, PartialEq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceState {
    /// Where on its way.
    pub stage: Stage,
    /// Which way it goes.
    #[serde(default, skip_serializing_if = "Direction::is_forward")]
    pub direction: Direction,
    /// The weight that was ordered last. It may have taken effect or not, wholly or in part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
    /// What the route may show until that order is carried out, besides the order before it: orders that were given before one
    /// was seen to arrive, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overtaken: Vec<Overtaken>,
    /// When all its traffic was confirmed on target: the soak counts from here.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "millis::option")]
    pub moved_at: Option<Timestamp>,
    /// Gates that fail or have no answer, and since when without a break.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub troubles: BTreeMap<GateName, Trouble>,
    /// Why this service holds, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// Why it goes back, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Reason>,
    /// How often it was tried before: 0 at the first attempt.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempt: u32,
    /// The number of the last order of the attempts before, so that no mark is ever given twice.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub numbered: u32,
    /// When the end of its legacy side was approved, if its plan asks for that.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "millis::option")]
    pub end_approved_at: Option<Timestamp>,
    /// Since when nobody may be able to write to it, if it has one writer: its fence was ordered first then.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "millis::option")]
    pub pause_since: Option<Timestamp>,
    /// How far its tasks are; those that nothing was done for are not listed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tasks: BTreeMap<TaskName, TaskState>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl ServiceState {
    /// Whether a task may have begun, and was not taken back.
    pub fn has_begun(&self, task: &TaskName) -> bool {
        self.tasks.get(task).is_some_and(|task| task.stage.has_begun())
    }
    /// The weight that was ordered last, or none of the traffic if nothing was ordered yet.
    pub fn weight(&self) -> Weight {
        self.order.as_ref().map_or(Weight::ZERO, |o| o.weight)
    }
}

/// Where a service is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// Nothing was ordered yet.
    #[default]
    Waiting,
    /// The weight of this shift step (from 0) was ordered and is not confirmed yet.
    Shifting(u8),
    /// All traffic is confirmed on target; guards are armed, the way back is open.
    Soaking,
    /// The soak is over. The service's end, unless its plan switches legacy off.
    Soaked,
    /// All traffic was ordered back to legacy and is not confirmed there yet.
    Returning,
    /// All traffic is confirmed on legacy, or never left it.
    Returned,
    /// Past its soak, and its legacy side is on the way to its end: approved, denied, drained.
    Ending,
    /// Legacy is being switched off: there is no way back from here.
    Decommissioning,
    /// Legacy is switched off.
    Decommissioned,
}

impl Stage {
    /// Whether all traffic has been carried by target through the soak.
    pub fn is_past_soak(self) -> bool {
        matches!(self, Self::Soaked | Self::Ending | Self::Decommissioning | Self::Decommissioned)
    }
    /// Whether its legacy side is being, or was, switched off: there is no way back.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Decommissioning | Self::Decommissioned)
    }
}

/// Which way a service goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// To the target.
    #[default]
    Forward,
    /// Back to legacy. Final within this run.
    Backward,
}
impl Direction {
    fn is_forward(&self) -> bool {
        matches!(self, Self::Forward)
    }
}

/// A weight that was ordered. Written as a list: `[5, 25, 2, 1787947213001]`, from 5 % to 25 %, the second order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "(Weight, Weight, u32, Millis)", into = "(Weight, Weight, u32, Millis)")]
pub struct Order {
    /// The weight before it: what the route shows until the order is carried out.
    pub from: Weight,
    /// The weight.
    pub weight: Weight,
    /// How many orders this service had, this one included; it is part of the mark by which answers are told apart.
    pub number: u32,
    /// When it was ordered.
    pub at: Timestamp,
}
impl Order {
    /// What the route shows until this order is carried out, if the one before it was.
    pub fn before(&self) -> Overtaken {
        Overtaken { number: self.number.saturating_sub(1), weight: self.from }
    }
}
impl From<Order> for (Weight, Weight, u32, Millis) {
    fn from(Order { from, weight, number, at }: Order) -> Self {
        (from, weight, number, Millis(at))
    }
}
impl From<(Weight, Weight, u32, Millis)> for Order {
    fn from((from, weight, number, Millis(at)): (Weight, Weight, u32, Millis)) -> Self {
        Self { from, weight, number, at }
    }
}

/// What a route showed when an order was given that may never have arrived. Written as a list: `[1, 5]`, the first order, 5 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "(u32, Weight)", into = "(u32, Weight)")]
pub struct Overtaken {
    /// The number of its order; that of no order of this attempt: nothing was ordered yet, and the route nobody's.
    pub number: u32,
    /// The share of target there.
    pub weight: Weight,
}
impl From<Overtaken> for (u32, Weight) {
    fn from(Overtaken { number, weight }: Overtaken) -> Self {
        (number, weight)
    }
}
impl From<(u32, Weight)> for Overtaken {
    fn from((number, weight): (u32, Weight)) -> Self {
        Self { number, weight }
    }
}

/// A gate that fails or has no answer. Written as a pair: `["failing", 1787947213001]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "(TroubleKind, Millis)", into = "(TroubleKind, Millis)")]
pub struct Trouble {
    /// Which of the two.
    pub kind: TroubleKind,
    /// Since when without a break.
    pub since: Timestamp,
}

impl From<Trouble> for (TroubleKind, Millis) {
    fn from(Trouble { kind, since }: Trouble) -> Self {
        (kind, Millis(since))
    }
}
impl From<(TroubleKind, Millis)> for Trouble {
    fn from((kind, Millis(since)): (TroubleKind, Millis)) -> Self {
        Self { kind, since }
    }
}

/// What kind of trouble a gate has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TroubleKind {
    /// It fails.
    Failing,
    /// It has no answer.
    Unknown,
}

/// Why a service stays where it is until a person resumes it.
#[derive(Debug, Clone, PartialEq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hold {
    /// Its number, which a resume names.
    pub id: u64,
    /// Since when.
    #[serde(with = "millis")]
    pub since: Timestamp,
    /// Why.
    pub reason: Reason,
}
