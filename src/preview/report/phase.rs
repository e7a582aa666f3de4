//! A phase in the dry run.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    engine::Subject,
    plan::{PhaseName, Plan, ServiceName},
    preview::film::Shot,
};

/// A phase.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PhaseLine {
    /// Its name.
    pub name: String,
    /// When the first of its steps begins, in UTC; null: none does.
    #[schemars(with = "Option<String>")]
    pub start: Option<Timestamp>,
    /// When all of its services carry all their traffic on target.
    #[schemars(with = "Option<String>")]
    pub moved: Option<Timestamp>,
    /// Its services.
    pub services: Vec<String>,
}

/// Each phase.
pub fn phases(plan: &Plan, shots: &[Shot], moved: &BTreeMap<&ServiceName, Timestamp>) -> Vec<PhaseLine> {
    let mut starts: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for shot in shots {
        let phase = match &shot.id.of {
            Subject::Service(name) => plan.services.get(name).map(|service| service.phase.as_str()),
            Subject::Phase(name) => Some(name.as_str()),
            Subject::Bridge(_) => None,
        };
        if let Some(phase) = phase {
            starts.entry(phase).or_insert(shot.start);
        }
    }
    let line = |name: &PhaseName| {
        let members = plan.members(name);
        let last =
            members.iter().map(|service| moved.get(service).copied()).try_fold(Timestamp::MIN, |last, at| Some(last.max(at?)));
        PhaseLine {
            name: name.to_string(),
            start: starts.get(name.as_str()).copied(),
            moved: last.filter(|_| !members.is_empty()),
            services: members.iter().map(ToString::to_string).collect(),
        }
    };
    plan.phases.keys().map(line).collect()
}
