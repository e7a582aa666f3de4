//! Who has a lane, from top to bottom: windows, bridges, then each phase with its services in the order in which they move.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    preview::{
        Preview,
        report::{DeadlineLine, FreezeLine, Kind, PhaseLine, ServiceLine, StepLine, WindowLine},
    },
    report::preview::roles,
};

/// More services than this share the lanes of their phases: a wall of thousands of lanes tells nobody anything.
pub const MANY: usize = 160;

/// A lane.
#[derive(Debug)]
pub enum Lane<'p> {
    /// A window.
    Window(&'p WindowLine),
    /// A freeze.
    Freeze(&'p FreezeLine),
    /// The date that cannot move.
    Deadline(&'p DeadlineLine),
    /// A bridge with its steps.
    Bridge(&'p str, Vec<&'p StepLine>),
    /// A phase with the steps that are its own.
    Phase(&'p PhaseLine, Vec<&'p StepLine>),
    /// A service with its steps.
    Service(&'p ServiceLine, Vec<&'p StepLine>),
    /// All services of a phase together: when each had all its traffic on target, in order.
    Crowd(Vec<Timestamp>, usize),
}

/// All lanes of a preview.
pub fn lanes(preview: &Preview) -> Vec<Lane<'_>> {
    let mut of: BTreeMap<&str, Vec<&StepLine>> = BTreeMap::new();
    let mut bridges: Vec<&str> = Vec::new();
    for step in &preview.steps {
        let owner = step.id.split_once('/').map_or(step.id.as_str(), |(owner, _)| owner);
        of.entry(owner).or_default().push(step);
        if owner.starts_with("bridge ") && !bridges.contains(&owner) {
            bridges.push(owner);
        }
    }
    let mut windows: Vec<&WindowLine> = preview.windows.iter().collect();
    windows.sort_by_key(|window| window.opens);
    let mut lanes: Vec<Lane<'_>> = windows.into_iter().map(Lane::Window).collect();
    lanes.extend(preview.freezes.iter().map(Lane::Freeze));
    lanes.extend(preview.deadline.as_ref().map(Lane::Deadline));
    lanes.extend(bridges.into_iter().map(|name| Lane::Bridge(name, of.remove(name).unwrap_or_default())));
    let services: BTreeMap<&str, &ServiceLine> = preview.services.iter().map(|line| (line.name.as_str(), line)).collect();
    let mut phases: Vec<&PhaseLine> = preview.phases.iter().filter(|phase| !phase.services.is_empty()).collect();
    phases.sort_by_key(|phase| (phase.start.is_none(), phase.start));
    for phase in phases {
        lanes.push(Lane::Phase(phase, of.remove(format!("phase {}", phase.name).as_str()).unwrap_or_default()));
        let mut own: Vec<&ServiceLine> = phase.services.iter().filter_map(|name| services.get(name.as_str()).copied()).collect();
        own.sort_by_key(|line| (line.starts.is_none(), line.starts, line.moved));
        if preview.services.len() > MANY {
            let mut moved: Vec<Timestamp> = own.iter().filter_map(|line| line.moved).collect();
            moved.sort_unstable();
            lanes.push(Lane::Crowd(moved, own.len()));
        } else {
            lanes.extend(own.into_iter().map(|line| Lane::Service(line, of.remove(line.name.as_str()).unwrap_or_default())));
        }
    }
    lanes
}

/// The first approval that a phase asks for, with the moment at which it is given.
pub fn approval<'p>(steps: &[&'p StepLine]) -> Option<(&'p StepLine, String)> {
    let step = steps.iter().find(|step| step.kind == Kind::Begin && step.approval.is_some())?;
    Some((step, roles(step.approval.as_ref()?)))
}
