//! Phases, and what lies between one and the next.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Approval, Gate, PhaseTask};
use crate::plan::{
    agenda::Agenda,
    names::{GateName, PhaseName, Span, TaskName, WindowName},
};

/// A phase.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Phase {
    /// The phases whose services have all been moved before one of this phase starts.
    pub after: BTreeMap<PhaseName, After>,
    /// The windows in which its services may shift; none: at any time.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub windows: BTreeSet<WindowName>,
    /// Who says that it may begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// What is done around it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tasks: BTreeMap<TaskName, PhaseTask>,
    /// What follows from these: [`crate::plan::agenda::of_phase`].
    #[serde(skip)]
    pub agenda: Agenda,
}

/// What must hold of a phase before the next begins, beyond that its services have been moved.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct After {
    /// For how long its services have been moved without a guard failing or a service going back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable_for: Option<Span>,
    /// What must pass then.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gates: BTreeMap<GateName, Gate>,
}
