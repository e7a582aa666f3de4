//! Windows, freezes and the deadline, and how what the run does fits into them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    engine::Step,
    plan::{Freeze, FreezeName, Plan, Service, ServiceName, Window, WindowName, WindowPurpose},
    preview::film::{Shot, is_of_shift},
};

/// A window.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WindowLine {
    /// Its name.
    pub name: String,
    /// What it governs.
    #[schemars(with = "String")]
    pub purpose: WindowPurpose,
    /// From, in UTC.
    #[schemars(with = "String")]
    pub opens: Timestamp,
    /// Until, exclusive.
    #[schemars(with = "String")]
    pub closes: Timestamp,
    /// The end of the last step in it; null: nothing happens in it.
    #[schemars(with = "Option<String>")]
    pub last_end: Option<Timestamp>,
    /// The earliest latest rollback of all that is in motion in it.
    #[schemars(with = "Option<String>")]
    pub latest_rollback: Option<Timestamp>,
    /// The services for which it is the last window and that do not get through in it.
    pub left: Vec<String>,
    /// Whether it leaves nobody, and all that happens in it ends before the latest rollback of that time.
    pub fits: bool,
    /// Milliseconds from the end of the last step to the latest rollback that held for it.
    pub spare_ms: Option<i64>,
}

impl WindowLine {
    /// Whether anything happens in it, or should.
    pub fn is_used(&self) -> bool {
        self.last_end.is_some() || !self.left.is_empty()
    }
}

/// A freeze.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FreezeLine {
    /// Its name.
    pub name: String,
    /// From, in UTC.
    #[schemars(with = "String")]
    pub from: Timestamp,
    /// Until, exclusive.
    #[schemars(with = "String")]
    pub until: Timestamp,
    /// Why.
    pub reason: String,
}

/// The date that cannot move.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadlineLine {
    /// When, in UTC.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Whether the run is over by then.
    pub fits: bool,
}

/// Each window in the order in which they open, and how what happens in each fits into it.
pub fn windows(plan: &Plan, shots: &[Shot], moved: &BTreeMap<&ServiceName, Timestamp>) -> Vec<WindowLine> {
    let ended = shots.iter().filter(|shot| shot.id.step == Step::Decommission && shot.end.is_some());
    let ended: BTreeSet<&ServiceName> = ended.filter_map(|shot| shot.id.service()).collect();
    let line = |(name, window): (&WindowName, &Window)| {
        let inside = |shot: &&Shot| window.opens <= shot.start && shot.start < window.closes;
        let governed = |shot: &&Shot| match window.purpose {
            WindowPurpose::Decommission => matches!(shot.id.step, Step::ScreamTest | Step::Drain | Step::Decommission),
            WindowPurpose::Shift => {
                let service = shot.id.service().and_then(|name| plan.services.get(name));
                let phase = service.and_then(|service| plan.phases.get(&service.phase));
                is_of_shift(&shot.id.step) && phase.is_some_and(|phase| phase.windows.contains(name))
            }
        };
        let left = plan.services.iter().filter(|(name, service)| match window.purpose {
            WindowPurpose::Decommission => service.decommission.is_some() && !ended.contains(name),
            WindowPurpose::Shift => !moved.contains_key(name),
        });
        let left: Vec<String> =
            left.filter(|(_, service)| is_last(plan, name, window, service)).map(|(name, _)| name.to_string()).collect();
        let own: Vec<&Shot> = shots.iter().filter(inside).filter(governed).collect();
        let last = own.iter().max_by_key(|shot| shot.end);
        let last_end = last.and_then(|shot| shot.end);
        let bound = |shot: &Shot| shot.latest_rollback.unwrap_or(window.closes);
        WindowLine {
            name: name.to_string(),
            purpose: window.purpose,
            opens: window.opens,
            closes: window.closes,
            last_end,
            latest_rollback: own.iter().filter_map(|shot| shot.latest_rollback).min(),
            fits: left.is_empty() && own.iter().all(|shot| shot.end.is_some_and(|end| end <= bound(shot))),
            spare_ms: last.and_then(|shot| Some(bound(shot).as_millisecond() - shot.end?.as_millisecond())),
            left,
        }
    };
    let mut windows: Vec<WindowLine> = plan.windows.iter().map(line).collect();
    windows.sort_by_key(|window| window.opens);
    windows
}

/// Whether no later window governs what this one does for a service.
fn is_last(plan: &Plan, name: &WindowName, window: &Window, service: &Service) -> bool {
    let own = plan.phases.get(&service.phase).map(|phase| &phase.windows);
    let governs = |name: &WindowName, other: &Window| match window.purpose {
        WindowPurpose::Decommission => other.purpose == WindowPurpose::Decommission,
        WindowPurpose::Shift => own.is_some_and(|windows| windows.contains(name)),
    };
    governs(name, window) && !plan.windows.iter().any(|(name, other)| governs(name, other) && other.closes > window.closes)
}

/// Each freeze.
pub fn freezes(plan: &Plan) -> Vec<FreezeLine> {
    let line = |(name, freeze): (&FreezeName, &Freeze)| FreezeLine {
        name: name.to_string(),
        from: freeze.from,
        until: freeze.until,
        reason: freeze.reason.clone(),
    };
    plan.freezes.iter().map(line).collect()
}
