//! What a decision changed, for journals, logs and people.

use std::fmt;

use serde::Serialize;

use super::{reason::Reason, record::Outcome, step::StepId, task::TaskKey};
use crate::plan::{BridgeName, PhaseName, ServiceName, Weight, WindowName};

/// Something that a decision changed. Each is one edge of the record.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", tag = "event")]
#[allow(missing_docs, reason = "the sentences below are the documentation")]
pub enum Event {
    Prepared { step: StepId },
    Ordered { step: StepId, from: Weight, weight: Weight },
    Confirmed { step: StepId, weight: Weight },
    Moved { service: ServiceName },
    Soaked { service: ServiceName },
    GateTrouble { service: ServiceName, reason: Reason },
    GateRecovered { service: ServiceName, gate: crate::plan::GateName },
    GoesBack { service: ServiceName, reason: Reason },
    Evacuated { service: ServiceName, reason: Reason },
    Returned { service: ServiceName },
    Held { service: Option<ServiceName>, reason: Reason },
    Resumed { service: Option<ServiceName>, by: String },
    TaskOrdered { task: TaskKey },
    TaskDone { task: TaskKey },
    TaskFailed { task: TaskKey, reason: Reason },
    PhaseApproved { phase: PhaseName, by: Vec<String> },
    EndApproved { service: ServiceName, by: Vec<String> },
    EndTakenBack { service: ServiceName },
    BridgeUp { bridge: BridgeName },
    BridgeDown { bridge: BridgeName },
    BridgeLeft { bridge: BridgeName, to: Vec<String> },
    BridgeKept { bridge: BridgeName, service: ServiceName, need: ServiceName },
    Overrun { window: WindowName, reason: Reason },
    Retried { service: ServiceName, attempt: u32, by: String },
    Promoted { service: ServiceName },
    Decommissioned { service: ServiceName },
    Ended { outcome: Outcome },
    Withheld { reason: Reason },
}

impl Event {
    /// The service that changed; `None`: it is about the run.
    pub fn service(&self) -> Option<&ServiceName> {
        match self {
            Self::Prepared { step } | Self::Ordered { step, .. } | Self::Confirmed { step, .. } => step.service(),
            Self::TaskOrdered { task } | Self::TaskDone { task } | Self::TaskFailed { task, .. } => task.of.service(),
            Self::Moved { service }
            | Self::Soaked { service }
            | Self::GateTrouble { service, .. }
            | Self::GateRecovered { service, .. }
            | Self::GoesBack { service, .. }
            | Self::Evacuated { service, .. }
            | Self::Returned { service }
            | Self::EndApproved { service, .. }
            | Self::EndTakenBack { service }
            | Self::Retried { service, .. }
            | Self::Promoted { service }
            | Self::Decommissioned { service } => Some(service),
            Self::Held { service, .. } | Self::Resumed { service, .. } => service.as_ref(),
            Self::PhaseApproved { .. }
            | Self::BridgeUp { .. }
            | Self::BridgeDown { .. }
            | Self::BridgeLeft { .. }
            | Self::BridgeKept { .. }
            | Self::Overrun { .. }
            | Self::Ended { .. }
            | Self::Withheld { .. } => None,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prepared { step } => write!(f, "{}: target found ready", step.of),
            Self::Ordered { step, from, weight } if weight < from => write!(f, "{}: back from {from} to {weight}", step.of),
            Self::Ordered { step, weight, .. } => write!(f, "{}: {weight} to target", step.of),
            Self::Confirmed { step, weight } => write!(f, "{}: {weight} confirmed by its gates", step.of),
            Self::Moved { service } => write!(f, "{service}: all traffic on target, soaking"),
            Self::Soaked { service } => write!(f, "{service}: soaked, done"),
            Self::GateTrouble { service, reason } => write!(f, "{service}: {reason}"),
            Self::GateRecovered { service, gate } => write!(f, "{service}: gate {gate} is good again"),
            Self::GoesBack { service, reason } => write!(f, "{service}: goes back: {reason}"),
            Self::Evacuated { service, reason } => write!(f, "{service}: all traffic to target at once: {reason}"),
            Self::Returned { service } => write!(f, "{service}: all traffic on legacy"),
            Self::Held { service: Some(service), reason } => write!(f, "{service}: holds: {reason}"),
            Self::Held { service: None, reason } => write!(f, "the run holds: {reason}"),
            Self::Resumed { service: Some(service), by } => write!(f, "{service}: resumed by {by}"),
            Self::Resumed { service: None, by } => write!(f, "the run is resumed by {by}"),
            Self::TaskOrdered { task } => write!(f, "{}: ordered", task.step()),
            Self::TaskDone { task } => write!(f, "{}: done", task.step()),
            Self::TaskFailed { task, reason } => write!(f, "{}: {reason}", task.step()),
            Self::PhaseApproved { phase, by } => write!(f, "phase {phase} is approved by {}", by.join(", ")),
            Self::EndApproved { service, by } => {
                write!(f, "{service}: the end of its legacy side is approved by {}", by.join(", "))
            }
            Self::EndTakenBack { service } => {
                write!(f, "{service}: the end of its legacy side is taken back: one that counts on that side goes back")
            }
            Self::BridgeUp { bridge } => write!(f, "bridge {bridge} stands"),
            Self::BridgeDown { bridge } => write!(f, "bridge {bridge} is down"),
            Self::BridgeLeft { bridge, to } => {
                write!(f, "bridge {bridge} is left to {}, to be taken down by the last", to.join(", "))
            }
            Self::BridgeKept { bridge, service, need } => {
                write!(f, "bridge {bridge} stays up: {service} needs {need} across it, and they stay on different sides")
            }
            Self::Overrun { window, reason } => write!(f, "window {window}: {reason}"),
            Self::Retried { service, attempt, by } => write!(f, "{service}: is tried again, attempt {}, by {by}", attempt + 1),
            Self::Promoted { service } => write!(f, "{service}: target is the writer"),
            Self::Decommissioned { service } => write!(f, "{service}: legacy is switched off"),
            Self::Ended { outcome } => write!(f, "the run ended: {outcome}"),
            Self::Withheld { reason } => write!(f, "withheld: {reason}"),
        }
    }
}
