//! Where everything stands in a YAML text: line and column of each key and value.
//!
//! A tree of places for each document, of the same shape as the document; [`super::survey`] makes it. Values come from
//! serde_yaml, a different parser: [`Places::differs`] finds where the two read another shape, so that no value goes unseen.

use serde_json::{Map, Value};

use super::{
    finding::Spot,
    path::{Path, Segment},
};

/// A stretch of one line. Line and column from 1, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
    /// How many characters; 0: to the end of the line.
    pub width: u32,
}

/// A value, by its place in [`Places::nodes`].
pub(super) type NodeId = u32;

/// A key, by its hash (FNV-1a, <https://datatracker.ietf.org/doc/html/rfc9923>): a large plan has millions of them. Two keys
/// of one hash would be taken for one that stands twice, and refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name(u64);

impl Name {
    pub fn of(key: &str) -> Self {
        Self(key.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)))
    }
}

#[derive(Debug)]
pub(super) struct Node {
    pub key: Option<Place>,
    pub value: Place,
    pub inside: Inside,
}

#[derive(Debug)]
pub(super) enum Inside {
    Scalar,
    List(Vec<NodeId>),
    Map(Vec<(Name, NodeId)>),
    /// What is written elsewhere, under this anchor.
    Alias(NodeId),
}

/// The places of one document.
#[derive(Debug, Default)]
pub struct Places {
    pub(super) nodes: Vec<Node>,
    pub(super) root: Option<NodeId>,
}

/// The key of YAML 1.1 that takes over the fields of another object (<https://yaml.org/type/merge.html>). kubectl does so.
pub(crate) const MERGE: &str = "<<";

impl Places {
    /// The place of the key or value at `path`, or of the nearest thing above it that has one. What came by an alias is
    /// where it is written.
    pub fn find(&self, path: &Path, spot: Spot) -> Option<Place> {
        let mut node = self.node(self.root?)?;
        let mut whole = true;
        for segment in path.segments() {
            match self.child(node, segment).and_then(|id| self.node(id)) {
                Some(next) => node = next,
                None => {
                    whole = false;
                    break;
                }
            }
        }
        let by_key = spot == Spot::Key || !whole || !matches!(node.inside, Inside::Scalar | Inside::Alias(_));
        Some(if by_key { node.key.unwrap_or(node.value) } else { node.value })
    }

    fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id as usize)
    }

    /// What `node` is, behind its alias.
    fn behind<'a>(&'a self, node: &'a Node) -> &'a Inside {
        match &node.inside {
            Inside::Alias(id) => self.node(*id).map_or(&node.inside, |target| &target.inside),
            inside => inside,
        }
    }

    fn child(&self, node: &Node, segment: &Segment) -> Option<NodeId> {
        match (self.behind(node), segment) {
            (Inside::List(items), Segment::Index(index)) => items.get(*index).copied(),
            (Inside::Map(fields), Segment::Key(name)) => {
                let name = Name::of(name);
                let own = fields.iter().rfind(|(key, _)| *key == name).map(|(_, id)| *id);
                own.or_else(|| self.merged(fields, segment))
            }
            _ => None,
        }
    }

    /// A field that an object has by `<<`.
    fn merged(&self, fields: &[(Name, NodeId)], segment: &Segment) -> Option<NodeId> {
        let merge = Name::of(MERGE);
        let (_, id) = fields.iter().rfind(|(key, _)| *key == merge)?;
        let source = self.node(*id)?;
        match self.behind(source) {
            Inside::List(items) => items.iter().find_map(|id| self.child(self.node(*id)?, segment)),
            _ => self.child(source, segment),
        }
    }

    /// The first place where `value`, read from the same text by another parser, has another shape.
    pub(crate) fn differs(&self, value: &Value) -> Option<Place> {
        match self.root.and_then(|id| self.node(id)) {
            None => (!value.is_null()).then_some(Place { line: 1, column: 1, width: 0 }),
            Some(root) => self.node_differs(root, value),
        }
    }

    fn node_differs(&self, node: &Node, value: &Value) -> Option<Place> {
        let here = Some(node.value);
        match (self.behind(node), value) {
            (Inside::Scalar, Value::Object(_) | Value::Array(_)) => here,
            (Inside::Scalar, _) => None,
            (Inside::List(items), Value::Array(values)) if items.len() == values.len() => {
                items.iter().zip(values).find_map(|(id, value)| self.node_differs(self.node(*id)?, value))
            }
            (Inside::Map(fields), Value::Object(values)) => self.fields_differ(fields, values, node.value),
            _ => here,
        }
    }
}

impl Places {
    /// Keys come in the same order, but for those that stand twice, which are findings of their own.
    fn fields_differ(&self, fields: &[(Name, NodeId)], values: &Map<String, Value>, here: Place) -> Option<Place> {
        let mut own = fields.iter();
        for (key, value) in values {
            let name = Name::of(key);
            let (_, id) = match own.next() {
                Some(field) if field.0 == name => field,
                _ => match fields.iter().rfind(|(other, _)| *other == name) {
                    Some(field) => field,
                    None => return Some(here),
                },
            };
            if let Some(place) = self.node(*id).and_then(|node| self.node_differs(node, value)) {
                return Some(place);
            }
        }
        let unseen = |(name, _): &&(Name, NodeId)| !values.keys().any(|key| Name::of(key) == *name);
        let unseen = if values.len() < fields.len() { fields.iter().find(unseen) } else { None };
        unseen.and_then(|(_, id)| self.node(*id)?.key)
    }
}
