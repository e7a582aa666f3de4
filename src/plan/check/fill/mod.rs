//! Every default, written in: from what people wrote, already judged, to what a run executes.
//!
//! The defaults of the plan (`defaults:`) have been merged in before ([`super::defaults`]); here stand those of gapless. What a
//! plan means is the same whichever order its lists have, and whether a default is written or not.
//! *Guarantees*: total. What cannot be filled is left out, and the plan is then not [`Filled::whole`]: it serves to look for
//! more mistakes and is never run.

mod estate;
mod gate;
mod service;
mod task;
mod variables;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::plan::{
    agenda::Agenda,
    model::{After, Limits, Phase, Plan, Watch},
    moment::Zone,
    names::{PhaseName, Span},
    spec::{MigrationPlanSpec, PhaseSpec, ServiceSpec},
};

pub(super) const HEADROOM_PERCENT: u16 = 20;
pub(super) const PROBE_EVERY: Span = Span::from_secs(1);
pub(super) const GUARD_FOR: Span = Span::from_secs(30);
pub(super) const BAKE: Span = Span::from_secs(600);
const TIMEOUT: Span = Span::from_secs(1);
const SOAK: Span = Span::from_secs(86_400);
const UNKNOWN_LIMIT: Span = Span::from_secs(600);
const SUCCESSES: u32 = 3;
const STEPS: [u64; 5] = [1, 5, 25, 50, 100];
const VALID_FOR: Span = Span::from_secs(4 * 3600);
const RESERVE: Span = Span::from_secs(1800);
const NAMESPACE: &str = "default";
/// The phase of a plan that declares none.
const ONLY_PHASE: &str = "all";

/// A plan with all defaults.
pub(super) struct Filled {
    pub plan: Plan,
    /// Whether nothing was left out.
    pub whole: bool,
}

/// Counts what was left out, while filling.
#[derive(Default)]
struct Left {
    out: usize,
}

impl Left {
    /// Named things, those that can be filled.
    fn all<K: Ord, V>(&mut self, items: impl Iterator<Item = Option<(K, V)>>) -> BTreeMap<K, V> {
        let mut all = BTreeMap::new();
        for item in items {
            match item {
                // A name that stands twice is one thing less than was written.
                Some((name, value)) => self.out += usize::from(all.insert(name, value).is_some()),
                None => self.out += 1,
            }
        }
        all
    }
    /// Something that must be there.
    fn must<T>(&mut self, item: Option<T>) -> Option<T> {
        self.out += usize::from(item.is_none());
        item
    }
}

/// Fills the plan; `None` if not even its name can be read.
pub(super) fn plan(document: &Value, spec: &MigrationPlanSpec, services: &[&ServiceSpec]) -> Option<Filled> {
    let metadata = document.get("metadata")?;
    let first = match spec.phases.first() {
        Some(phase) => phase.name.clone(),
        None => ONLY_PHASE.parse::<PhaseName>().ok()?,
    };
    let mut left = Left::default();
    let mut phases = left.all(spec.phases.iter().map(|phase| Some((phase.name.clone(), self::phase(phase)?))));
    if phases.is_empty() {
        phases.insert(first.clone(), Phase::default());
    }
    let groups = left.all(spec.groups.iter().map(|group| estate::group(group, spec, services)));
    let filled = left.all(services.iter().map(|one| service::service(one, &first, &groups)));
    let namespace = metadata.get("namespace").and_then(Value::as_str).unwrap_or(NAMESPACE).to_owned();
    let zone = left.must(spec.time_zone.as_deref().map_or(Some(Zone::utc()), Zone::named)).unwrap_or(Zone::utc());
    let plan = Plan {
        time_zone: spec.time_zone.as_ref().map(|_| zone.name().to_owned()).filter(|name| name != Zone::utc().name()),
        deadline: spec.deadline.and_then(|moment| left.must(zone.resolve(moment).ok())),
        connections: left.all(spec.connections.iter().map(|one| Some(estate::connection(one)))),
        windows: left.all(spec.windows.iter().map(|window| estate::window(window, &zone))),
        freezes: left.all(spec.freezes.iter().map(|freeze| estate::freeze(freeze, &zone))),
        limits: limits(spec),
        rehearsal_within: spec.require_rehearsal.as_ref().map(|rehearsal| rehearsal.within),
        roles: left.all(spec.roles.iter().map(|role| Some(estate::role(role)))),
        legacy_systems: left.all(spec.legacy_systems.iter().map(|system| Some(estate::legacy_system(system)))),
        bridges: left.all(spec.bridges.iter().map(estate::bridge)),
        groups,
        ..Plan::of(metadata.get("name")?.as_str()?.parse().ok()?, namespace, phases, filled)
    };
    Some(Filled { plan, whole: left.out == 0 })
}

fn limits(spec: &MigrationPlanSpec) -> Limits {
    let Some(limits) = &spec.limits else { return Limits::default() };
    Limits { in_motion: limits.in_motion, per_tier: limits.per_tier.iter().map(|one| (one.tier, one.max)).collect() }
}

fn phase(spec: &PhaseSpec) -> Option<Phase> {
    let after = |after: &crate::plan::spec::AfterSpec| {
        let stable_for = after.stable_for.filter(|span| *span > Span::ZERO);
        let gates = after.gates.iter().map(|one| gate::plain(one, Watch::Confirmation)).collect::<Option<_>>()?;
        Some((after.phase.clone(), After { stable_for, gates }))
    };
    let mut phase = Phase {
        after: spec.after.iter().map(after).collect::<Option<_>>()?,
        windows: spec.windows.iter().cloned().collect(),
        approval: spec.approval.as_ref().map(|one| estate::approval(one, || format!("May phase `{}` begin?", spec.name))),
        tasks: spec.tasks.iter().map(task::of_phase).collect::<Option<_>>()?,
        agenda: Agenda::default(),
    };
    variables::of_phase(&spec.name, &mut phase);
    Some(phase)
}
