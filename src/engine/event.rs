//! What a decision changed, for journals, logs and people.

use std::fmt;

use serde::Serialize;

use super::{reason::Reason, record::Outcome, step::StepId};
use crate::plan::{ServiceName, Weight};

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
    Ended { outcome: Outcome },
    Withheld { reason: Reason },
}

impl Event {
    /// The service that changed; `None`: it is about the run.
    pub fn service(&self) -> Option<&ServiceName> {
        match self {
            Self::Prepared { step } | Self::Ordered { step, .. } | Self::Confirmed { step, .. } => Some(&step.service),
            Self::Moved { service }
            | Self::Soaked { service }
            | Self::GateTrouble { service, .. }
            | Self::GateRecovered { service, .. }
            | Self::GoesBack { service, .. }
            | Self::Evacuated { service, .. }
            | Self::Returned { service } => Some(service),
            Self::Held { service, .. } | Self::Resumed { service, .. } => service.as_ref(),
            Self::Ended { .. } | Self::Withheld { .. } => None,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prepared { step } => write!(f, "{}: target found ready", step.service),
            Self::Ordered { step, from, weight } if weight < from => write!(f, "{}: back from {from} to {weight}", step.service),
            Self::Ordered { step, weight, .. } => write!(f, "{}: {weight} to target", step.service),
            Self::Confirmed { step, weight } => write!(f, "{}: {weight} confirmed by its gates", step.service),
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
            Self::Ended { outcome } => write!(f, "the run ended: {outcome}"),
            Self::Withheld { reason } => write!(f, "withheld: {reason}"),
        }
    }
}
