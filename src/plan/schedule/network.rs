//! What waits for what in a forecast: units, and phases between them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    Expected, after,
    expected::gate_time,
    forecast::{Cause, Mover},
    undo_time,
};
use crate::plan::{
    names::{PhaseName, ServiceName, Span},
    spec::Tier,
};

/// Something that has a moment: a unit, the beginning of a phase, or the moment when all of a phase is moved.
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub kind: Kind<'a>,
    /// The latest of what it waited for so far, and by whom.
    pub ready: Timestamp,
    pub cause: Cause<'a>,
    /// How much it waits for still.
    pub pending: usize,
    /// Who waits for it, and for how long after it.
    pub then: Vec<(usize, Span)>,
}

#[derive(Debug)]
pub(super) enum Kind<'a> {
    Unit(Unit<'a>),
    Begin(&'a PhaseName),
    Moved(&'a PhaseName),
}

/// How many services are in motion, by their tiers.
pub(super) type Places = BTreeMap<Option<Tier>, u32>;

/// A mover and what its move takes.
#[derive(Debug)]
pub(super) struct Unit<'a> {
    pub mover: Mover<'a>,
    pub phase: &'a PhaseName,
    pub members: Vec<&'a ServiceName>,
    pub tiers: Places,
    pub preparation: Span,
    pub takes: Span,
    pub undo: Span,
}

/// All nodes, wired.
pub(super) fn nodes<'a>(expected: &Expected<'a>, start: Timestamp) -> Vec<Node<'a>> {
    let plan = expected.plan();
    let mut nodes: Vec<Node<'a>> = Vec::new();
    let mut push = |kind| {
        nodes.push(Node { kind, ready: start, cause: Cause::Start, pending: 0, then: Vec::new() });
        nodes.len() - 1
    };
    let mut phases: BTreeMap<&PhaseName, (usize, usize)> = BTreeMap::new();
    for name in plan.phases.keys() {
        phases.insert(name, (push(Kind::Begin(name)), push(Kind::Moved(name))));
    }
    let mut of_service: BTreeMap<&ServiceName, usize> = BTreeMap::new();
    let mut units: Vec<usize> = Vec::new();
    for unit in movers(expected) {
        let members = unit.members.clone();
        let index = push(Kind::Unit(unit));
        units.push(index);
        of_service.extend(members.into_iter().map(|member| (member, index)));
    }
    let mut edges: BTreeMap<(usize, usize), Span> = BTreeMap::new();
    for (name, phase) in &plan.phases {
        let Some((begin, _)) = phases.get(name) else { continue };
        for (earlier, after) in &phase.after {
            let gates = after.gates.values().map(gate_time).max().unwrap_or_default();
            let delay = after.stable_for.unwrap_or_default().plus(gates);
            edges.extend(phases.get(earlier).map(|(_, moved)| ((*moved, *begin), delay)));
        }
    }
    for index in units {
        let Some(Node { kind: Kind::Unit(unit), .. }) = nodes.get(index) else { continue };
        if let Some((begin, moved)) = phases.get(unit.phase) {
            edges.extend([((*begin, index), Span::ZERO), ((index, *moved), Span::ZERO)]);
        }
        let services = unit.members.iter().filter_map(|name| plan.services.get(*name));
        let needs = services.flat_map(|service| service.before()).filter_map(|need| of_service.get(need));
        edges.extend(needs.filter(|need| **need != index).map(|need| ((*need, index), Span::ZERO)));
    }
    for ((from, to), delay) in edges {
        if let Some(node) = nodes.get_mut(to) {
            node.pending += 1;
        }
        if let Some(node) = nodes.get_mut(from) {
            node.then.push((to, delay));
        }
    }
    begin_with_bridges(expected, &phases, &mut nodes, start);
    nodes
}

/// A phase does not begin before the bridges that it counts on stand; they are put up from the start of the run.
fn begin_with_bridges(
    expected: &Expected<'_>,
    phases: &BTreeMap<&PhaseName, (usize, usize)>,
    nodes: &mut [Node<'_>],
    start: Timestamp,
) {
    for (name, bridge) in &expected.plan().bridges {
        let stands = after(start, expected.bridge_up(name));
        for (begin, _) in bridge.phases.iter().filter_map(|phase| phases.get(phase)) {
            if let Some(node) = nodes.get_mut(*begin) {
                node.ready = node.ready.max(stands);
            }
        }
    }
}

fn movers<'a>(expected: &Expected<'a>) -> Vec<Unit<'a>> {
    let plan = expected.plan();
    let groups = plan.groups.iter().map(|(name, group)| (Mover::Group(name), group.services.iter().collect()));
    let alone = plan.services.keys().filter(|name| expected.plan().group_of(name).is_none());
    let alone = alone.map(|name| (Mover::Service(name), vec![name]));
    groups.chain(alone).filter_map(|(mover, members)| unit(expected, mover, members)).collect()
}

fn unit<'a>(expected: &Expected<'a>, mover: Mover<'a>, members: Vec<&'a ServiceName>) -> Option<Unit<'a>> {
    let plan = expected.plan();
    let services: Vec<_> = members.iter().filter_map(|name| plan.services.get_key_value(*name)).collect();
    let (_, first) = services.first()?;
    let mut tiers = BTreeMap::new();
    for (_, service) in &services {
        *tiers.entry(service.tier).or_default() += 1;
    }
    let takes = expected.moving(members.iter().copied());
    Some(Unit {
        mover,
        phase: &first.phase,
        tiers,
        preparation: services.iter().map(|(name, service)| expected.preparation(name, service)).max().unwrap_or_default(),
        takes,
        undo: undo_time(expected, members.iter().copied()).unwrap_or_default(),
        members,
    })
}
