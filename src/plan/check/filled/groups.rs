//! Groups, bridges and limits against each other.

use std::collections::BTreeSet;

use super::{listed, of};
use crate::plan::{
    finding::{Code, Finding},
    model::{Group, Need, Plan},
    names::{BridgeName, GroupName, PhaseName, ServiceName},
    path::Path,
};

pub(super) fn check(plan: &Plan, found: &mut Vec<Finding>) {
    for (name, group) in &plan.groups {
        one_phase(plan, name, group, found);
        limits(plan, name, group, found);
    }
    for (name, service) in &plan.services {
        for (needed, need) in &service.needs {
            if let Need::Across(bridge) = need {
                joined(plan, (name, &service.phase), needed, bridge, found);
            }
        }
    }
}

/// Lock step leaves no room for a phase to end and another to begin.
fn one_phase(plan: &Plan, name: &GroupName, group: &Group, found: &mut Vec<Finding>) {
    let mut members = group.services.iter().filter_map(|member| Some((member, &plan.services.get(member)?.phase)));
    let Some((first, phase)) = members.next() else { return };
    for (member, other) in members.filter(|(_, other)| *other != phase) {
        let message =
            format!("group `{name}` moves in lock step, but `{member}` is of phase `{other}` and `{first}` of phase `{phase}`");
        let help = format!("put all members into one phase, or take `{member}` out of the group");
        let path = of("services", member.as_str()).key("phase");
        let finding = Finding::error(Code::PhaseOrder, path, message, help);
        found.push(finding.with(of("groups", name.as_str()).key("services"), "the group"));
    }
}

fn limits(plan: &Plan, name: &GroupName, group: &Group, found: &mut Vec<Finding>) {
    let members: Vec<(&ServiceName, _)> =
        group.services.iter().filter_map(|member| Some((member, plan.services.get(member)?.tier))).collect();
    let mut over = |count: usize, limit: u32, what: String, place: Path| {
        if count <= usize::try_from(limit).unwrap_or(usize::MAX) {
            return;
        }
        let message =
            format!("group `{name}` starts each step with {count} {what} at once, and no more than {limit} may be in motion");
        let help = format!("raise the limit to {count} or more, or divide the group");
        let path = of("groups", name.as_str()).key("services");
        found.push(Finding::error(Code::GroupOverLimit, path, message, help).with(place, "the limit"));
    };
    let limits = Path::top().key("spec").key("limits");
    if let Some(limit) = plan.limits.in_motion {
        over(members.len(), limit, "services".into(), limits.key("inMotion"));
    }
    for (tier, limit) in &plan.limits.per_tier {
        let count = members.iter().filter(|(_, of)| *of == Some(*tier)).count();
        over(count, *limit, format!("services of tier {tier}"), limits.key("perTier").key(tier.to_string()).key("max"));
    }
}

/// A need across the estates is carried by a bridge that joins both ends.
fn joined(
    plan: &Plan,
    (name, phase): (&ServiceName, &PhaseName),
    needed: &ServiceName,
    bridge_name: &BridgeName,
    found: &mut Vec<Finding>,
) {
    let (Some(bridge), Some(other)) = (plan.bridges.get(bridge_name), plan.services.get(needed)) else { return };
    let ends = BTreeSet::from([phase, &other.phase]);
    let missing: Vec<&PhaseName> = ends.into_iter().filter(|end| !bridge.phases.contains(*end)).collect();
    if missing.is_empty() {
        return;
    }
    let message = format!(
        "`{name}` needs `{needed}` across bridge `{bridge_name}`, which does not join phase {}: it may be down while they move",
        listed(&missing)
    );
    let help = format!("add {} to the phases that the bridge joins, or use `mode: Before`", listed(&missing));
    let path = of("services", name.as_str()).key("needs").key(needed.as_str()).key("bridge");
    let joins = of("bridges", bridge_name.as_str()).key("joins").key("phases");
    found.push(Finding::error(Code::BridgeMissing, path, message, help).with(joins, "what it joins"));
}
