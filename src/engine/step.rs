//! The steps of a service's life, named `service/step` and never by number.

use std::fmt;

use serde::{Serialize, Serializer};

use super::record::{Direction, ServiceState, Stage};
use crate::plan::{Plan, Service, ServiceName, Weight};

/// A step of one service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StepId {
    /// The service.
    pub service: ServiceName,
    /// The step.
    pub step: Step,
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The target is found, ready and large enough; both sides can be named by the route.
    Prepare,
    /// The target gets this share of the traffic.
    Shift(Weight),
    /// The target carries everything, legacy is seen to carry nothing.
    Confirm,
    /// Watched, with the way back open.
    Soak,
    /// All traffic goes back to legacy.
    Return,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prepare => f.write_str("prepare"),
            Self::Shift(weight) => write!(f, "shift-{}", weight.percent()),
            Self::Confirm => f.write_str("confirm"),
            Self::Soak => f.write_str("soak"),
            Self::Return => f.write_str("return"),
        }
    }
}

impl Step {
    /// The step that a service is at.
    pub fn at(state: &ServiceState) -> Self {
        match (state.direction, state.stage) {
            (Direction::Backward, _) | (_, Stage::Returning | Stage::Returned) => Self::Return,
            (_, Stage::Waiting) => Self::Prepare,
            (_, Stage::Shifting(_)) => Self::Shift(state.weight()),
            (_, Stage::Soaking | Stage::Soaked) => Self::Soak,
        }
    }
    /// This step of that service.
    pub fn of(self, service: &ServiceName) -> StepId {
        StepId { service: service.clone(), step: self }
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.service, self.step)
    }
}
impl Serialize for StepId {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

/// The steps of a service on its way to the target, in order.
pub fn steps(service: &Service) -> impl Iterator<Item = Step> + '_ {
    let shifts = service.steps.iter().map(|weight| Step::Shift(*weight));
    std::iter::once(Step::Prepare).chain(shifts).chain([Step::Confirm, Step::Soak])
}

/// How many steps a plan has.
pub fn step_count(plan: &Plan) -> usize {
    plan.services.values().map(|service| steps(service).count()).sum()
}
