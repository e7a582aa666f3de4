//! Orders and cycles among names: the only user of petgraph.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::{
    algo::{tarjan_scc, toposort},
    graph::{DiGraph, NodeIndex},
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

    /// One shortest cycle out of each knot of names that wait for each other: each name waits for the next, the last for
    /// the first. In the order of their smallest names.
    pub fn cycles(&self) -> Vec<Vec<&'a str>> {
        let mut cycles: Vec<_> = tarjan_scc(&self.graph).iter().filter_map(|knot| self.shortest(knot)).collect();
        cycles.sort();
        cycles
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

    /// The shortest way from the smallest name of a knot back to itself; `None` if the knot is a single name that does not
    /// wait for itself.
    fn shortest(&self, knot: &[NodeIndex]) -> Option<Vec<&'a str>> {
        let start = knot.iter().copied().min_by_key(|node| self.graph.node_weight(*node))?;
        let mut before: BTreeMap<NodeIndex, NodeIndex> = BTreeMap::new();
        let mut layer = vec![start];
        while !layer.is_empty() && !before.contains_key(&start) {
            let mut next = Vec::new();
            for node in layer {
                let mut onward: Vec<_> = self.graph.neighbors(node).filter(|n| knot.contains(n)).collect();
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
        let mut back = vec![start];
        while node != start {
            back.insert(1, node);
            node = *before.get(&node)?;
        }
        Some(back.iter().filter_map(|node| self.graph.node_weight(*node).copied()).collect())
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
        assert_eq!(graph.cycles(), [vec!["b", "c"], vec!["e"]]);
        assert_eq!(graph.order(), None);
    }

    #[test]
    fn the_order_puts_what_is_waited_for_first() {
        let waits = waits(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])]);
        let graph = Waits::new(&waits);
        assert_eq!(graph.order(), Some(vec!["c", "b", "a"]));
        assert_eq!(graph.all_before("a"), BTreeSet::from(["b", "c"]));
        assert!(graph.cycles().is_empty());
    }
}
