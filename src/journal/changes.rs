//! What a decision changed in the record, and nothing else: with the record before it, the whole record after it.
//!
//! *Guarantees*: as each line is bound to the one before it, the record at the head of a journal follows from its lines.
//! *Assumptions*: nothing is ever taken out of a record, and what a run is called, executes and when it started never changes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    engine::{BridgeState, Ended, Latch, PhaseState, Record, ServiceState, Shared},
    plan::{BridgeName, PhaseName, ServiceName, WindowName},
};

/// What is different in a record: new states as they are then.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Changes {
    /// Services.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<ServiceName, Shared<ServiceState>>,
    /// Phases.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub phases: BTreeMap<PhaseName, PhaseState>,
    /// Bridges.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bridges: BTreeMap<BridgeName, BridgeState>,
    /// What is said of the run as a whole, all of it, if any of it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<OfRun>,
}

/// What a record says of the run as a whole and may change.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OfRun {
    /// A hold or a rollback of the whole run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latch: Option<Latch>,
    /// The newest resume that was obeyed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed: Option<u64>,
    /// Windows that something outlasted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub overrun: BTreeMap<WindowName, Timestamp>,
    /// Approvals that were used.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub approvals_used: BTreeSet<String>,
    /// How and when it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

impl OfRun {
    /// What this record says.
    pub fn of(record: &Record) -> Self {
        Self {
            latch: record.latch.clone(),
            resumed: record.resumed,
            overrun: record.overrun.clone(),
            approvals_used: (*record.approvals_used).clone(),
            ended: record.ended.clone(),
        }
    }
    fn is_of(&self, record: &Record) -> bool {
        self.latch == record.latch
            && self.resumed == record.resumed
            && self.overrun == record.overrun
            && self.approvals_used == *record.approvals_used
            && self.ended == record.ended
    }
}

impl Changes {
    /// What makes `after` of `before`. Where the journal ends is no part of it: that is the line's own head.
    pub fn between(before: &Record, after: &Record) -> Self {
        let run = OfRun::of(after);
        Self {
            services: after
                .services
                .iter()
                .filter(|(name, state)| before.services.get(*name) != Some(*state))
                .map(|(name, state)| (name.clone(), state.clone()))
                .collect(),
            phases: differing(&before.phases, &after.phases),
            bridges: differing(&before.bridges, &after.bridges),
            run: (!run.is_of(before)).then_some(run),
        }
    }

    /// Makes them.
    pub fn make(&self, record: &mut Record) {
        let Self { services, phases, bridges, run } = self;
        services.iter().for_each(|(name, state)| record.services.insert(name.clone(), state.clone()));
        record.phases.extend(phases.iter().map(|(name, state)| (name.clone(), state.clone())));
        record.bridges.extend(bridges.iter().map(|(name, state)| (name.clone(), state.clone())));
        if let Some(OfRun { latch, resumed, overrun, approvals_used, ended }) = run.clone() {
            record.latch = latch;
            record.resumed = resumed;
            record.overrun = overrun;
            record.approvals_used = approvals_used.into();
            record.ended = ended;
        }
    }
}

fn differing<K: Ord + Clone, V: PartialEq + Clone>(before: &BTreeMap<K, V>, after: &BTreeMap<K, V>) -> BTreeMap<K, V> {
    let mut old = before.iter().peekable();
    let mut differing = BTreeMap::new();
    for (key, value) in after {
        while old.next_if(|(other, _)| *other < key).is_some() {}
        if old.next_if(|(other, was)| *other == key && *was == value).is_none() {
            differing.insert(key.clone(), value.clone());
        }
    }
    differing
}
