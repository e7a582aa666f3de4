//! What is asked of a plan over and over, looked up once: who needs whom, who moves with whom, what comes before what.

use std::collections::{BTreeMap, BTreeSet};

use super::Plan;
use crate::plan::{
    kept::Kept,
    names::{GroupName, PhaseName, ServiceName, SystemName},
};

/// Where it is kept.
pub type Index = Kept<Tables>;

/// What was looked up.
#[derive(Debug, Default)]
pub struct Tables {
    /// Who needs a service before it.
    pub dependents: BTreeMap<ServiceName, BTreeSet<ServiceName>>,
    /// The group of a service.
    pub groups: BTreeMap<ServiceName, GroupName>,
    /// The services of a phase.
    pub members: BTreeMap<PhaseName, Vec<ServiceName>>,
    /// The services that live on a legacy system.
    pub tenants: BTreeMap<SystemName, Vec<ServiceName>>,
    /// The phases before a phase, and those before them.
    pub before: BTreeMap<PhaseName, BTreeSet<PhaseName>>,
}

impl Tables {
    /// All of it for a plan.
    pub(super) fn of(plan: &Plan) -> Self {
        let mut tables = Self::default();
        for (name, service) in &plan.services {
            tables.members.entry(service.phase.clone()).or_default().push(name.clone());
            if let Some(system) = &service.legacy.system {
                tables.tenants.entry(system.clone()).or_default().push(name.clone());
            }
            for need in service.before() {
                tables.dependents.entry(need.clone()).or_default().insert(name.clone());
            }
        }
        for (name, group) in &plan.groups {
            for member in &group.services {
                tables.groups.entry(member.clone()).or_insert_with(|| name.clone());
            }
        }
        for phase in plan.phases.keys() {
            tables.before.insert(phase.clone(), before(plan, phase));
        }
        tables
    }
}

fn before(plan: &Plan, phase: &PhaseName) -> BTreeSet<PhaseName> {
    let mut todo: Vec<&PhaseName> = plan.phases.get(phase).into_iter().flat_map(|p| p.after.keys()).collect();
    let mut all = BTreeSet::new();
    while let Some(next) = todo.pop() {
        if all.insert(next.clone()) {
            todo.extend(plan.phases.get(next).into_iter().flat_map(|p| p.after.keys()));
        }
    }
    all
}
