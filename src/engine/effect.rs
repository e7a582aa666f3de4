//! What is to be done to the world: absolute, idempotent, and conditional on what was seen.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use super::{
    record::{Direction, RunId},
    step::StepId,
    task::{Deed, TaskKey},
};
use crate::plan::{BridgeName, ServiceName, Side, Weight};

/// Something to be done. Whether it worked is learnt only from the next observation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Effect {
    /// Equal keys mean the same effect: doing it twice is doing it once.
    pub key: EffectKey,
    /// What is done.
    pub action: Action,
    /// When it must not be done.
    pub precondition: Precondition,
}

/// The identity of an effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EffectKey {
    /// The run.
    pub run: RunId,
    /// The step it belongs to.
    pub step: StepId,
    /// The number of the order ([`super::record::Order::number`]); 0 for what is not an order.
    pub number: u32,
    /// Which way.
    pub direction: Direction,
}
impl fmt::Display for EffectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = match self.direction {
            Direction::Forward => "forward",
            Direction::Backward => "backward",
        };
        write!(f, "{}/{}/{}/{way}", self.run, self.step, self.number)
    }
}

impl EffectKey {
    /// The mark that the route's answers bear once this effect is in force.
    pub fn mark(&self) -> String {
        self.step.service().map_or_else(String::new, |service| mark(&self.run, service, self.number))
    }
}

/// The mark of a service's order number `number`: short, unique within the life of the run's routes, and of letters, digits
/// and dashes only (a `%` in a header value makes Envoy refuse its whole route table).
pub fn mark(run: &RunId, service: &ServiceName, number: u32) -> String {
    let run: String = run.0.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
    format!("{run}-{service}-{number}")
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// The route gives target this share and legacy the rest, and belongs to the run from then on.
    #[serde(rename_all = "camelCase")]
    SetWeight {
        /// The service.
        service: ServiceName,
        /// The share of target.
        weight: Weight,
        /// The share it has now, if the route is as it is expected to be.
        from: Weight,
    },
    /// The route no longer belongs to the run; its weights stay.
    Release {
        /// The service.
        service: ServiceName,
    },
    /// One doing of a task begins, if it has not.
    #[serde(rename_all = "camelCase")]
    Task {
        /// Which doing of which task.
        task: TaskKey,
        /// What is done.
        deed: Deed,
    },
    /// The run counts on a bridge: no other run takes it down.
    Claim {
        /// The bridge.
        bridge: BridgeName,
    },
    /// It does not any more.
    Unclaim {
        /// The bridge.
        bridge: BridgeName,
    },
    /// A side of plain hosts is made known to the router.
    EnsureBackend {
        /// The service.
        service: ServiceName,
        /// The side.
        side: Side,
    },
}

impl Action {
    /// The service whose route or backends it changes; `None`: it is a task, or about a bridge.
    pub fn service(&self) -> Option<&ServiceName> {
        match self {
            Self::SetWeight { service, .. } | Self::Release { service } | Self::EnsureBackend { service, .. } => Some(service),
            Self::Task { .. } | Self::Claim { .. } | Self::Unclaim { .. } => None,
        }
    }
}

/// What must hold for an effect to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Precondition {
    /// The route's version that the decision rested on; `None` where nothing is changed that has one.
    pub version: Option<String>,
    /// Not after this moment: what was suspended for long does not act on an old decision.
    pub deadline: Timestamp,
}
