//! The steps of a plan, named `service/step` and never by number.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use super::{
    record::{Direction, ServiceState, Stage},
    task::TaskWay,
};
use crate::plan::{BridgeName, PhaseName, Plan, Service, ServiceName, TaskName, Weight};

/// What a step belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Subject {
    /// A service.
    Service(ServiceName),
    /// A phase.
    Phase(PhaseName),
    /// A bridge.
    Bridge(BridgeName),
}

impl Subject {
    /// The service, if it is one.
    pub fn service(&self) -> Option<&ServiceName> {
        match self {
            Self::Service(name) => Some(name),
            Self::Phase(_) | Self::Bridge(_) => None,
        }
    }
}
impl fmt::Display for Subject {
    /// A service by its name alone, others with their kind: names are unique only within a kind.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(name) => write!(f, "{name}"),
            Self::Phase(name) => write!(f, "phase {name}"),
            Self::Bridge(name) => write!(f, "bridge {name}"),
        }
    }
}
impl From<&ServiceName> for Subject {
    fn from(name: &ServiceName) -> Self {
        Self::Service(name.clone())
    }
}

/// A step of a service, a phase or a bridge.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StepId {
    /// Whose step it is.
    pub of: Subject,
    /// The step.
    pub step: Step,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The target is found, ready and large enough; both sides can be named by the route.
    Prepare,
    /// A task is done on the way forward.
    Task(TaskName),
    /// The writing side has copied all it has to the other.
    CatchUp,
    /// The target gets this share of the traffic.
    Shift(Weight),
    /// The target carries everything, legacy is seen to carry nothing.
    Confirm,
    /// Watched, with the way back open.
    Soak,
    /// The old address is denied, to see whether anybody misses it.
    ScreamTest,
    /// Open connections of legacy are waited for.
    Drain,
    /// Legacy is switched off. There is no way back.
    Decommission,
    /// All traffic goes back to legacy.
    Return,
    /// A task is taken back.
    Undo(TaskName),
    /// A phase begins.
    Begin,
    /// A phase stays as it is for long enough that the next may begin.
    Stable,
    /// A bridge is put up.
    Raise,
    /// A bridge is taken down.
    Lower,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prepare => f.write_str("prepare"),
            Self::Task(name) => write!(f, "task-{name}"),
            Self::CatchUp => f.write_str("catch-up"),
            Self::Shift(weight) => write!(f, "shift-{}", weight.percent()),
            Self::Confirm => f.write_str("confirm"),
            Self::Soak => f.write_str("soak"),
            Self::ScreamTest => f.write_str("scream-test"),
            Self::Drain => f.write_str("drain"),
            Self::Decommission => f.write_str("decommission"),
            Self::Return => f.write_str("return"),
            Self::Undo(name) => write!(f, "undo-{name}"),
            Self::Begin => f.write_str("begin"),
            Self::Stable => f.write_str("stable"),
            Self::Raise => f.write_str("raise"),
            Self::Lower => f.write_str("lower"),
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
            (_, Stage::Ending | Stage::Decommissioning | Stage::Decommissioned) => Self::Decommission,
        }
    }
    /// This step of that service, phase or bridge.
    pub fn of(self, subject: impl Into<Subject>) -> StepId {
        StepId { of: subject.into(), step: self }
    }
    /// The step of a task.
    pub fn task(name: &TaskName, way: TaskWay) -> Self {
        match way {
            TaskWay::Do => Self::Task(name.clone()),
            TaskWay::Undo => Self::Undo(name.clone()),
        }
    }
}

impl StepId {
    /// The service whose step it is, if it is one's.
    pub fn service(&self) -> Option<&ServiceName> {
        self.of.service()
    }
}
impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.of, self.step)
    }
}
impl Serialize for StepId {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

/// The steps of a service on its way to the target, in order; what each plan declares for it included.
pub fn steps(plan: &Plan, name: &ServiceName, service: &Service) -> Vec<Step> {
    super::agenda::steps(plan, name, service)
}

/// How many steps a plan has.
pub fn step_count(plan: &Plan) -> usize {
    plan.services.iter().map(|(name, service)| steps(plan, name, service).len()).sum()
}
