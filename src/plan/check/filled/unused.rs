//! What is declared and never referred to. Most often a name is misspelt, or forgotten, where it was meant to stand.

use std::collections::BTreeSet;

use super::of;
use crate::plan::{
    finding::{Code, Finding},
    model::{Act, Approval, Check, Gate, Plan, Reverse, Router, Undo, WindowPurpose},
    names::{ConnectionName, RoleName},
};

pub(super) fn check(plan: &Plan, found: &mut Vec<Finding>) {
    let named: BTreeSet<_> = plan.phases.values().flat_map(|phase| &phase.windows).collect();
    let shift = plan.windows.iter().filter(|(_, window)| window.purpose == WindowPurpose::Shift);
    for (name, _) in shift.filter(|(name, _)| !named.contains(name)) {
        let message = format!("no phase names window `{name}`, so it governs nothing");
        let help = format!("name it: `windows: [{name}]` at the phases that may shift in it, or remove it");
        found.push(Finding::warning(Code::Unused, of("windows", name.as_str()).key("name"), message, help));
    }
    let moved: BTreeSet<_> = plan.services.values().map(|service| &service.phase).collect();
    for name in plan.phases.keys().filter(|name| !moved.contains(name)) {
        let message = format!("no service moves in phase `{name}`");
        let help = format!("say `phase: {name}` at the services that belong to it, or remove it");
        found.push(Finding::warning(Code::Unused, of("phases", name.as_str()).key("name"), message, help));
    }
    let lived: BTreeSet<_> = plan.services.values().filter_map(|service| service.legacy.system.as_ref()).collect();
    for name in plan.legacy_systems.keys().filter(|name| !lived.contains(name)) {
        let message = format!("no service lives on legacy system `{name}`, so it would never be switched off");
        let help = format!("say `legacy: {{ system: {name} }}` at the services that live on it, or remove it");
        found.push(Finding::warning(Code::Unused, of("legacySystems", name.as_str()).key("name"), message, help));
    }
    let roles = roles(plan);
    for name in plan.roles.keys().filter(|name| !roles.contains(name)) {
        let message = format!("nothing asks role `{name}`");
        let help = "name it in an approval, as a task's owner or as a deputy, or remove it";
        found.push(Finding::warning(Code::Unused, of("roles", name.as_str()).key("name"), message, help));
    }
    let connections = connections(plan);
    for name in plan.connections.keys().filter(|name| !connections.contains(name)) {
        let message = format!("nothing uses connection `{name}`");
        let help = "name it where it was meant to be used, or remove it";
        found.push(Finding::warning(Code::Unused, of("connections", name.as_str()).key("name"), message, help));
    }
}

/// The roles that somebody asks or that stand in for others.
fn roles(plan: &Plan) -> BTreeSet<&RoleName> {
    let of_phases = plan.phases.values().filter_map(|phase| phase.approval.as_ref());
    let of_ends = plan.services.values().filter_map(|service| service.decommission.as_ref()?.approval.as_ref());
    let asked = of_phases.chain(of_ends).flat_map(|approval: &Approval| approval.all_of.keys());
    let owners = acts(plan).into_iter().filter_map(|act| match act {
        Act::Manual { owner, .. } => Some(owner),
        _ => None,
    });
    asked.chain(owners).chain(plan.roles.values().flat_map(|role| &role.deputies)).collect()
}

/// The connections that something goes through.
fn connections(plan: &Plan) -> BTreeSet<&ConnectionName> {
    let of_acts = acts(plan).into_iter().filter_map(|act| match act {
        Act::Silence { connection, .. } | Act::Notify { connection, .. } => Some(connection),
        _ => None,
    });
    let of_gates = gates(plan).into_iter().filter_map(|gate| match &gate.check {
        Check::Prometheus { connection, .. } => Some(connection),
        _ => None,
    });
    let of_routers = plan.services.values().filter_map(|service| match &service.router {
        Router::Haproxy { connection, .. } => Some(connection),
        Router::Dns(dns) => Some(&dns.connection),
        _ => None,
    });
    of_acts.chain(of_gates).chain(of_routers).collect()
}

/// Everything that is done.
fn acts(plan: &Plan) -> Vec<&Act> {
    let mut all: Vec<&Act> = Vec::new();
    let of_phases = plan.phases.values().flat_map(|phase| phase.tasks.values()).map(|task| (&task.act, &task.undo));
    let of_services = plan.services.values().flat_map(|service| service.tasks.values()).map(|task| (&task.act, &task.undo));
    for (act, undo) in of_phases.chain(of_services) {
        all.push(act);
        if let Undo::Do { act, .. } = undo {
            all.push(act);
        }
    }
    all.extend(plan.services.values().filter_map(|service| service.warm.as_ref()));
    all.extend(plan.bridges.values().filter_map(|bridge| bridge.managed.as_ref()).flat_map(|bridge| [&bridge.up, &bridge.down]));
    for data in plan.services.values().filter_map(|service| service.data.as_deref()) {
        all.extend([&data.fence.act, &data.promote.act]);
        all.extend(data.unfence.as_ref().map(|unfence| &unfence.act));
        if let Reverse::By { fence, promote, .. } = &data.reverse {
            all.extend([&fence.act, &promote.act]);
        }
    }
    all
}

/// Everything that is looked at.
fn gates(plan: &Plan) -> Vec<&Gate> {
    let mut all: Vec<&Gate> = plan.services.values().flat_map(|service| service.gates.values()).collect();
    all.extend(plan.bridges.values().flat_map(|bridge| bridge.gates.values()));
    all.extend(plan.phases.values().flat_map(|phase| phase.after.values()).flat_map(|after| after.gates.values()));
    for data in plan.services.values().filter_map(|service| service.data.as_deref()) {
        all.extend(&data.catch_up);
        all.extend([&data.lag, &data.fence.proof, &data.promote.proof]);
        all.extend(data.unfence.as_ref().map(|unfence| &unfence.proof));
        all.extend(data.reconcile.values());
        if let Reverse::By { lag, fence, promote } = &data.reverse {
            all.extend([lag, &fence.proof, &promote.proof]);
        }
    }
    all
}
