//! Phases: waves or releases, and what stands between them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ActSpec, ApprovalSpec, PhaseMoment, PlainGateSpec, UndoSpec};
use crate::plan::names::{PhaseName, Span, TaskName, WindowName};

/// A named set of services: a wave or a release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PhaseSpec {
    /// The name that services refer to.
    pub name: PhaseName,
    /// Phases whose services have all been moved before a service of this one starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub after: Vec<AfterSpec>,
    /// The windows, of purpose `Shift`, in which its services may shift. Default: at any time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub windows: Vec<WindowName>,
    /// Who says that it may begin. Default: nobody is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalSpec>,
    /// What is done before and after it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub tasks: Vec<PhaseTaskSpec>,
}

/// A phase that comes first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AfterSpec {
    /// Its name.
    pub phase: PhaseName,
    /// For how long its services have been moved without a guard failing or a service going back. Default: no time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable_for: Option<Span>,
    /// What must pass before this phase begins, with answers from after the other one was moved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub gates: Vec<PlainGateSpec>,
}

/// Something that is done once on the way forward of a phase, and taken back once on the way back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PhaseTaskSpec {
    /// Its name, unique in the phase.
    pub name: TaskName,
    /// When it is done.
    pub at: PhaseMoment,
    /// What is done.
    #[serde(rename = "do")]
    pub act: ActSpec,
    /// What takes it back. Every task says so: an undo, or why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<UndoSpec>,
    /// How long it takes, as a 95th percentile. Default: 30m for `manual`, its own length for `wait`, 5m for `job`, else 30s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Span>,
}
