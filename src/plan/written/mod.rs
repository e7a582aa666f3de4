//! A checked plan as a document again, with every default written out.
//!
//! *Guarantees*: reading the document gives the same plan, and so the same digest. *Caveats*: what the plan's own `defaults`
//! gave stands in each service, variables that were known are filled in, and moments are on the clock of the plan's zone.

mod estate;
mod gate;
mod service;
mod task;

use super::{
    model::Plan,
    moment::{Moment, UTC, Zone},
    spec::{API_VERSION, Document, KIND, LimitsSpec, Metadata, MigrationPlanSpec, RehearsalSpec, TierLimitSpec},
};

impl Document {
    /// The document of a plan.
    pub fn of(plan: &Plan) -> Self {
        Self {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            metadata: Metadata {
                name: plan.name.clone(),
                namespace: Some(plan.namespace.clone()),
                labels: Default::default(),
                annotations: Default::default(),
            },
            spec: spec(plan),
        }
    }
}

fn spec(plan: &Plan) -> MigrationPlanSpec {
    let zone = plan.time_zone.as_deref().and_then(Zone::named).unwrap_or(Zone::utc());
    MigrationPlanSpec {
        time_zone: Some(plan.time_zone.clone().unwrap_or_else(|| UTC.to_owned())),
        deadline: plan.deadline.map(|at| Moment::at(at, &zone)),
        connections: plan.connections.iter().map(estate::connection).collect(),
        windows: plan.windows.iter().map(|window| estate::window(window, &zone)).collect(),
        freezes: plan.freezes.iter().map(|freeze| estate::freeze(freeze, &zone)).collect(),
        limits: limits(plan),
        require_rehearsal: plan.rehearsal_within.map(|within| RehearsalSpec { within }),
        roles: plan.roles.iter().map(estate::role).collect(),
        legacy_systems: plan.legacy_systems.iter().map(estate::legacy_system).collect(),
        defaults: None,
        phases: plan.phases.iter().map(estate::phase).collect(),
        bridges: plan.bridges.iter().map(estate::bridge).collect(),
        services: plan.services.iter().map(|(name, one)| service::service(name, one, plan.group_of(name).is_some())).collect(),
        groups: plan.groups.iter().map(estate::group).collect(),
    }
}

fn limits(plan: &Plan) -> Option<LimitsSpec> {
    let per_tier = plan.limits.per_tier.iter().map(|(tier, max)| TierLimitSpec { tier: *tier, max: *max }).collect();
    (!plan.limits.is_none()).then_some(LimitsSpec { in_motion: plan.limits.in_motion, per_tier })
}
