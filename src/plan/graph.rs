//! Orders and cycles among names: the only user of petgraph.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::{
    algo::{kosaraju_scc, toposort},
    graph::{DiGraph, NodeIndex},
};

use super::{
    model::{Plan, Service},
    names::{GroupName, PhaseName, ServiceName},
    spec::RollbackScope,
};

/// Who comes after whom: for each name the names that it waits for. Names that are waited for but not listed are left out.
#[derive(Debug)]
pub struct Waits<'a> {
    graph: DiGraph<&'a str, ()>,
    nodes: BTreeMap<&'a str, NodeIndex>,
}

impl<'a> Waits<'a> {
    /// From pairs of a name and what it waits for.
    pub fn new(waits: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> Self {
        let mut graph = DiGraph::new();
        let nodes: BTreeMap<&str, NodeIndex> = waits.keys().map(|name| (*name, graph.add_node(*name))).collect();
        for (from, needed) in waits {
            for to in needed {
                if let (Some(from), Some(to)) = (nodes.get(from), nodes.get(to)) {
                    graph.add_edge(*from, *to, ());
                }
            }
        }
        Self { graph, nodes }
    }

    /// The knots: names that wait for each other, or a single name that waits for itself. Each is named by all of its names
    /// and by one shortest cycle through the smallest. In the order of their smallest names.
    pub fn knots(&self) -> Vec<Knot<'a>> {
        let components = kosaraju_scc(&self.graph); // without recursion: a ring of many names must not end the stack
        let mut component_of = vec![0; self.graph.node_count()];
        for (index, component) in components.iter().enumerate() {
            for node in component {
                if let Some(of) = component_of.get_mut(node.index()) {
                    *of = index;
                }
            }
        }
        let knot = |component: &Vec<NodeIndex>| {
            let cycle = self.shortest(component, &component_of)?;
            let all = component.iter().filter_map(|node| self.graph.node_weight(*node).copied()).collect();
            Some(Knot { cycle, all })
        };
        let mut knots: Vec<Knot<'a>> = components.iter().filter_map(knot).collect();
        knots.sort();
        knots
    }

    /// The names in an order in which nobody waits for a later one; `None` if there is a cycle.
    pub fn order(&self) -> Option<Vec<&'a str>> {
        let order = toposort(&self.graph, None).ok()?;
        Some(order.iter().rev().filter_map(|node| self.graph.node_weight(*node).copied()).collect())
    }

    /// All that `name` waits for, directly or through others.
    pub fn all_before(&self, name: &str) -> BTreeSet<&'a str> {
        let mut todo: Vec<NodeIndex> = self.nodes.get(name).map(|n| self.graph.neighbors(*n).collect()).unwrap_or_default();
        let mut seen = BTreeSet::new();
        while let Some(node) = todo.pop() {
            if let Some(name) = self.graph.node_weight(node)
                && seen.insert(*name)
            {
                todo.extend(self.graph.neighbors(node));
            }
        }
        seen
    }

    /// The shortest way from the smallest name of a component back to itself; `None` if the component is a single name that
    /// does not wait for itself.
    fn shortest(&self, component: &[NodeIndex], component_of: &[usize]) -> Option<Vec<&'a str>> {
        let start = component.iter().copied().min_by_key(|node| self.graph.node_weight(*node))?;
        let own = component_of.get(start.index());
        let mut before: BTreeMap<NodeIndex, NodeIndex> = BTreeMap::new();
        let mut layer = vec![start];
        while !layer.is_empty() && !before.contains_key(&start) {
            let mut next = Vec::new();
            for node in layer {
                let mut onward: Vec<_> = self.graph.neighbors(node).filter(|n| component_of.get(n.index()) == own).collect();
                onward.sort_by_key(|n| self.graph.node_weight(*n));
                for neighbour in onward {
                    if let std::collections::btree_map::Entry::Vacant(free) = before.entry(neighbour) {
                        free.insert(node);
                        next.push(neighbour);
                    }
                }
            }
            layer = next;
        }
        let mut node = *before.get(&start)?;
        let mut back = Vec::new();
        while node != start {
            back.push(node);
            node = *before.get(&node)?;
        }
        back.push(start);
        Some(back.iter().rev().filter_map(|node| self.graph.node_weight(*node).copied()).collect())
    }
}

/// Names that wait for each other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Knot<'a> {
    /// One shortest cycle: each waits for the next, the last for the first.
    pub cycle: Vec<&'a str>,
    /// All names of the knot.
    pub all: BTreeSet<&'a str>,
}

/// How many services go back when a service does, itself included: its blast radius, by its own rollback scope, by groups
/// and by needs (`PLAN.md`, "Rollback scope").
///
/// Reachability in one pass over the graph for each 256 services: 100,000 services take a second, and memory for the graph
/// only.
pub fn blast_radii(plan: &Plan) -> BTreeMap<&ServiceName, usize> {
    let Some(spread) = Spread::of(plan) else {
        return plan.services.keys().map(|name| (name, plan.services.len())).collect(); // a cycle: no checked plan has one
    };
    let counts = spread.counts(plan.services.len());
    let radius = |(name, service): (_, &Service)| {
        let node = match service.rollback_scope {
            RollbackScope::Run => return (name, plan.services.len()),
            RollbackScope::Phase => spread.phases.get(&service.phase),
            RollbackScope::Dependents => spread.services.get(name),
        };
        (name, node.and_then(|node| counts.get(*node)).copied().unwrap_or(1))
    };
    plan.services.iter().map(radius).collect()
}

/// How a rollback spreads: from a node to all that goes back with it. Groups are one node; phases have one to begin at.
struct Spread<'a> {
    services: BTreeMap<&'a ServiceName, usize>,
    phases: BTreeMap<&'a PhaseName, usize>,
    to: Vec<Vec<usize>>,
    /// Nobody comes before whoever goes back with it.
    order: Vec<usize>,
    /// Which service is which bit, and at which node.
    bits: Vec<usize>,
}

/// So many services are followed in one pass.
const PASS: usize = 256;

impl<'a> Spread<'a> {
    fn of(plan: &'a Plan) -> Option<Self> {
        let mut groups: BTreeMap<&ServiceName, &GroupName> = BTreeMap::new();
        for (name, group) in &plan.groups {
            groups.extend(group.services.iter().map(|member| (member, name)));
        }
        let mut of_group: BTreeMap<&GroupName, usize> = BTreeMap::new();
        let (mut services, mut bits, mut nodes) = (BTreeMap::new(), Vec::new(), 0usize);
        for name in plan.services.keys() {
            let mut fresh = || {
                nodes += 1;
                nodes - 1
            };
            let node = match groups.get(name) {
                Some(group) => *of_group.entry(*group).or_insert_with(fresh),
                None => fresh(),
            };
            services.insert(name, node);
            bits.push(node);
        }
        let phases: BTreeMap<&PhaseName, usize> = plan.phases.keys().zip(nodes..).collect();
        let mut graph: DiGraph<(), ()> = DiGraph::with_capacity(nodes + phases.len(), plan.services.len() * 2);
        (0..nodes + phases.len()).for_each(|_| {
            graph.add_node(());
        });
        for (name, service) in &plan.services {
            let Some(own) = services.get(name).copied() else { continue };
            let needs = service.before().filter_map(|need| services.get(need).copied()).filter(|need| *need != own);
            let begins = phases.get(&service.phase).copied();
            for from in needs.chain(begins) {
                graph.add_edge(NodeIndex::new(from), NodeIndex::new(own), ());
            }
        }
        let order = toposort(&graph, None).ok()?.into_iter().map(NodeIndex::index).collect();
        let to = graph.node_indices().map(|node| graph.neighbors(node).map(NodeIndex::index).collect()).collect();
        Some(Self { services, phases, to, order, bits })
    }

    /// For each node how many services go back when it does.
    fn counts(&self, services: usize) -> Vec<usize> {
        let mut counts = vec![0usize; self.to.len()];
        let mut reached = vec![[0u64; PASS / 64]; self.to.len()];
        for pass in 0..services.div_ceil(PASS) {
            reached.fill([0; PASS / 64]);
            for (bit, node) in self.bits.iter().skip(pass * PASS).take(PASS).enumerate() {
                if let Some(word) = reached.get_mut(*node).and_then(|words| words.get_mut(bit / 64)) {
                    *word |= 1 << (bit % 64);
                }
            }
            for node in self.order.iter().rev().copied() {
                let mut words = reached.get(node).copied().unwrap_or_default();
                for other in self.to.get(node).into_iter().flatten().filter_map(|other| reached.get(*other)) {
                    words.iter_mut().zip(other).for_each(|(word, more)| *word |= more);
                }
                if let (Some(slot), Some(count)) = (reached.get_mut(node), counts.get_mut(node)) {
                    *slot = words;
                    *count += words.iter().map(|word| word.count_ones() as usize).sum::<usize>();
                }
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits<'a>(pairs: &[(&'a str, &[&'a str])]) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
        pairs.iter().map(|(name, needs)| (*name, needs.iter().copied().collect())).collect()
    }

    #[test]
    fn each_knot_is_named_by_one_shortest_cycle() {
        let waits = waits(&[
            ("a", &["b"]),
            ("b", &["c"]),
            ("c", &["d", "b"]),
            ("d", &["b", "missing"]),
            ("e", &["e"]),
            ("f", &["a", "e"]),
        ]);
        let graph = Waits::new(&waits);
        let knots = graph.knots();
        assert_eq!(knots.iter().map(|knot| knot.cycle.clone()).collect::<Vec<_>>(), [vec!["b", "c"], vec!["e"]]);
        assert_eq!(knots[0].all, BTreeSet::from(["b", "c", "d"]));
        assert_eq!(graph.order(), None);
    }

    #[test]
    fn the_order_puts_what_is_waited_for_first() {
        let waits = waits(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])]);
        let graph = Waits::new(&waits);
        assert_eq!(graph.order(), Some(vec!["c", "b", "a"]));
        assert_eq!(graph.all_before("a"), BTreeSet::from(["b", "c"]));
        assert!(graph.knots().is_empty());
    }

    fn plan(services: &[(&str, &str, RollbackScope, &[&str])]) -> Plan {
        use crate::plan::{Need, Place, Router, SideModel};
        let side = || SideModel::at(Place::Endpoints(BTreeSet::new()));
        let one = |(name, phase, scope, needs): &(&str, &str, RollbackScope, &[&str])| {
            let router = Router::HttpRoute { name: (*name).into(), section_name: None };
            let mut service = Service::plain(phase.parse().unwrap(), side(), side(), router);
            service.rollback_scope = *scope;
            service.needs = needs.iter().map(|need| (need.parse().unwrap(), Need::Before)).collect();
            (name.parse().unwrap(), service)
        };
        let services: BTreeMap<ServiceName, Service> = services.iter().map(one).collect();
        let phases = services.values().map(|s| (s.phase.clone(), crate::plan::Phase::default())).collect();
        Plan::of("p".parse().unwrap(), "default".into(), phases, services)
    }

    #[test]
    fn the_blast_radius_follows_needs_scopes_and_groups() {
        use RollbackScope::{Dependents, Phase, Run};
        let mut plan = plan(&[
            ("a", "x", Dependents, &[]),
            ("b", "x", Dependents, &["a"]),
            ("c", "y", Dependents, &["a", "b"]),
            ("d", "y", Phase, &[]),
            ("e", "z", Run, &[]),
            ("f", "z", Dependents, &["d"]),
        ]);
        let radii = |plan: &Plan| blast_radii(plan).values().copied().collect::<Vec<_>>();
        assert_eq!(radii(&plan), [3, 2, 1, 3, 6, 1]);
        let services = ["c", "d"].iter().map(|name| name.parse().unwrap()).collect();
        let group = crate::plan::Group { services, steps: Vec::new(), bake: crate::plan::Span::ZERO };
        plan.groups.insert("g".parse().unwrap(), group);
        assert_eq!(radii(&plan), [5, 4, 3, 3, 6, 1], "a group goes back as one");
    }

    #[test]
    fn it_is_what_the_plan_takes_back_for_more_services_than_one_pass_holds() {
        let names: Vec<String> = (0..700).map(|i| format!("s{i}")).collect();
        let needs: Vec<Vec<&str>> =
            (0..700usize).map(|i| [i / 2, i / 7].iter().filter(|n| **n < i).map(|n| names[*n].as_str()).collect()).collect();
        let scope = |i: usize| if i % 50 == 3 { RollbackScope::Phase } else { RollbackScope::Dependents };
        let all: Vec<(&str, &str, RollbackScope, &[&str])> =
            (0..700).map(|i| (names[i].as_str(), ["x", "y"][i % 2], scope(i), needs[i].as_slice())).collect();
        let plan = plan(&all);
        for (name, radius) in blast_radii(&plan) {
            assert_eq!(radius, plan.rollback_closure(name).len(), "{name}");
        }
    }

    #[test]
    fn a_ring_of_many_names_is_one_knot() {
        let names: Vec<String> = (0..50_000).map(|i| format!("s{i}")).collect();
        let ring =
            (0..names.len()).map(|i| (names[i].as_str(), BTreeSet::from([names[(i + 1) % names.len()].as_str()]))).collect();
        let graph = Waits::new(&ring);
        assert_eq!(graph.knots()[0].cycle.len(), names.len());
        assert_eq!(graph.order(), None);
    }
}
