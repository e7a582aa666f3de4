//! Where everything stands in a YAML text: line and column of each key and value, and what a plan file may not contain.
//!
//! *Flow*: saphyr's events (or, for JSON, those of [`super::json`]), in one pass, build a tree of places for each document, of
//! the same shape as the document.
//! *Guarantees*: depth, number of values and length of texts are bounded, and counted as if every alias were written out;
//! the text is read once; any text gives an answer.
//! *Caveats*: values come from serde_yaml, a different parser. [`Places::differs`] finds where the two read another shape,
//! so that no value goes unseen.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span};
use serde_json::{Map, Value};

use super::{
    finding::{Code, Finding, Severity, Spot},
    json,
    path::{Path, Segment},
    scalar::{self, Trap},
    shape::{FINDINGS_MAX, show},
    watched::{AHEAD_MAX, Ahead, Watched},
};

/// The deepest nesting that is read.
pub const DEPTH_MAX: usize = 64;
/// The most keys and values that are read of one file, every alias counted as what it stands for.
pub const VALUES_MAX: usize = if cfg!(test) { 200_000 } else { 8_000_000 };
/// The most text that all values of one file may hold, in bytes, every alias counted as what it stands for.
pub const TEXT_MAX: usize = 2 * super::document::SIZE_MAX;
/// The most documents that are read of one file.
pub const DOCUMENTS_MAX: usize = 1_000;

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
type NodeId = u32;

/// A key, by its hash (FNV-1a, <https://datatracker.ietf.org/doc/html/rfc9923>): a large plan has millions of them. Two keys
/// of one hash would be taken for one that stands twice, and refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Name(u64);

impl Name {
    fn of(key: &str) -> Self {
        Self(key.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)))
    }
}

#[derive(Debug)]
struct Node {
    key: Option<Place>,
    value: Place,
    inside: Inside,
}

#[derive(Debug)]
enum Inside {
    Scalar,
    List(Vec<NodeId>),
    Map(Vec<(Name, NodeId)>),
    /// What is written elsewhere, under this anchor.
    Alias(NodeId),
}

/// The places of one document.
#[derive(Debug, Default)]
pub struct Places {
    nodes: Vec<Node>,
    root: Option<NodeId>,
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

/// One document of a file, as far as its places go.
#[derive(Debug)]
pub(crate) struct Surveyed {
    pub places: Places,
    /// What is wrong with it, with paths from its top.
    pub findings: Vec<Finding>,
    /// Whether all of it was read.
    pub whole: bool,
    /// Whether what stands there is what is read: there is no tag.
    pub plain: bool,
    /// Whether there is a value at all.
    pub empty: bool,
    /// Whether an object takes over the fields of another one by `<<`.
    pub merges: bool,
    /// The line on which it begins.
    pub line: u32,
}

/// What reading the places of a text gave.
pub(crate) struct Survey {
    /// The documents up to the first place that cannot be read.
    pub documents: Vec<Surveyed>,
    /// Why the rest was not read.
    pub stopped: Option<Finding>,
    /// Whether the text is a JSON text, all of it.
    pub json: bool,
}

/// Reads the places of `text`.
pub(crate) fn survey(text: &str) -> Survey {
    if text.trim_ascii_start().starts_with(['{', '[']) {
        let mut surveyor = Surveyor::default();
        match json::survey(text, &mut surveyor) {
            Ok(()) => return Survey { json: true, ..surveyor.end(Ok(())) },
            Err(json::Left::Stopped(stop)) => return surveyor.end(Err(stop)),
            Err(json::Left::NotJson) => {}
        }
    }
    let (mut surveyor, ahead) = (Surveyor::default(), Ahead::default());
    let ended = surveyor.run(&mut Parser::new(Watched::new(text, &ahead)), &ahead);
    surveyor.end(ended)
}

struct Frame {
    start: Place,
    anchor: usize,
    /// What was counted before it began.
    before: Weighed,
    /// The deepest nesting inside, this one included.
    height: usize,
    kind: Kind,
}

pub(super) enum Kind {
    List(Vec<NodeId>),
    Map(Fields),
}

/// An object that is being read.
#[derive(Default)]
pub(super) struct Fields {
    all: Vec<(Name, NodeId)>,
    /// The key whose value comes next.
    pending: Option<(Box<str>, Place)>,
    /// Of many fields: where each stands.
    places: BTreeMap<Name, Place>,
}

impl Kind {
    pub fn list() -> Self {
        Self::List(Vec::new())
    }
    pub fn map() -> Self {
        Self::Map(Fields::default())
    }
}

/// How much was read, with every alias written out.
#[derive(Debug, Clone, Copy, Default)]
struct Weighed {
    values: usize,
    text: usize,
}

/// A value that may be repeated.
struct Anchor {
    id: NodeId,
    weight: Weighed,
    height: usize,
}

/// Objects with more fields than these look names up in a map.
const FEW: usize = 16;

#[derive(Default)]
pub(super) struct Surveyor {
    stack: Vec<Frame>,
    places: Places,
    anchors: BTreeMap<usize, Anchor>,
    weighed: Weighed,
    findings: Vec<Finding>,
    begun: Option<u32>,
    /// A tag was met: what is read is not what stands there.
    tagged: bool,
    merges: bool,
    /// The document is nothing but comments, which is an empty word.
    blank: bool,
    documents: Vec<Surveyed>,
}

/// Why no more is read.
pub(super) type Stop = Box<Finding>;

impl Surveyor {
    /// Reads all documents; an error is why it stopped.
    fn run(&mut self, parser: &mut Parser<'_, Watched<'_>>, ahead: &Ahead) -> Result<(), Stop> {
        let mut last = Place { line: 1, column: 1, width: 0 };
        while let Some(next) = parser.next_event() {
            if ahead.too_far() {
                return Err(too_far(last));
            }
            ahead.event();
            match next {
                Err(error) => return Err(Box::new(scan_error(error.info(), point(*error.marker(), 1)))),
                Ok((Event::StreamEnd, _)) => break,
                Ok((event, span)) => {
                    last = place(span);
                    self.take(event, span)?;
                }
            }
        }
        Ok(())
    }

    fn end(mut self, ended: Result<(), Stop>) -> Survey {
        if ended.is_err() {
            self.finish(false);
        }
        Survey { documents: self.documents, stopped: ended.err().map(|finding| *finding), json: false }
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Stop> {
        let start = place(span);
        match event {
            Event::DocumentStart(_) => {
                if self.documents.len() >= DOCUMENTS_MAX {
                    let message = format!("the file has more than {DOCUMENTS_MAX} documents");
                    return Err(Box::new(at(Finding::error(Code::TooLarge, Path::top(), message, "divide the file"), start)));
                }
                self.begin(start.line);
            }
            Event::DocumentEnd => self.finish(true),
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.is_some(), start);
                self.scalar(&text, style == ScalarStyle::Plain, anchor, start)?;
            }
            Event::Alias(anchor) => self.alias(anchor, start)?,
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(tag.is_some(), start);
                self.open(Kind::list(), anchor, start)?;
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(tag.is_some(), start);
                self.open(Kind::map(), anchor, start)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(start),
            Event::Nothing | Event::StreamStart | Event::StreamEnd => {}
        }
        Ok(())
    }

    /// Begins a document.
    pub fn begin(&mut self, line: u32) {
        self.begun = Some(line);
    }

    /// Ends a document; `whole` if it was read to its end.
    pub fn finish(&mut self, whole: bool) {
        let Some(line) = self.begun.take() else { return };
        self.stack.clear();
        self.anchors.clear();
        let places = std::mem::take(&mut self.places);
        let empty = whole && (std::mem::take(&mut self.blank) || places.root.is_none());
        self.documents.push(Surveyed {
            places,
            findings: std::mem::take(&mut self.findings),
            whole,
            plain: !std::mem::take(&mut self.tagged),
            empty,
            merges: std::mem::take(&mut self.merges),
            line,
        });
    }

    fn refuse_tag(&mut self, tagged: bool, start: Place) {
        if tagged {
            self.tagged = true;
            let message = "a tag (`!`) changes how this value is read, and a plan takes none";
            let finding = Finding::error(Code::Syntax, self.here(), message, "write the value out");
            self.note(at(finding, start));
        }
    }

    /// The path that the next value has. Made only for findings: keys may be long, and values many.
    fn here(&self) -> Path {
        self.stack.iter().fold(Path::top(), |path, frame| match &frame.kind {
            Kind::List(items) => path.index(items.len()),
            Kind::Map(Fields { pending: Some((name, _)), .. }) => path.key(&**name),
            Kind::Map(_) => path,
        })
    }

    /// Notes a finding; too many of one file help nobody.
    fn note(&mut self, finding: Finding) {
        if self.findings.len() <= FINDINGS_MAX {
            self.findings.push(finding);
        }
    }

    fn count(&mut self, more: Weighed, start: Place) -> Result<(), Stop> {
        self.weighed.values = self.weighed.values.saturating_add(more.values);
        self.weighed.text = self.weighed.text.saturating_add(more.text);
        let message = if self.weighed.values > VALUES_MAX {
            format!("the file has more than {VALUES_MAX} values, with every alias (`*`) written out")
        } else if self.weighed.text > TEXT_MAX {
            format!("the values of the file are longer than {TEXT_MAX} bytes, with every alias (`*`) written out")
        } else {
            return Ok(());
        };
        Err(Box::new(at(Finding::error(Code::TooLarge, Path::top(), message, "divide the plan"), start)))
    }

    fn expects_key(&self) -> bool {
        matches!(self.stack.last(), Some(Frame { kind: Kind::Map(Fields { pending: None, .. }), .. }))
    }

    /// Takes a key or a value.
    pub fn scalar(&mut self, text: &str, plain: bool, anchor: usize, start: Place) -> Result<(), Stop> {
        let weight = Weighed { values: 1, text: text.len() };
        self.count(weight, start)?;
        if self.expects_key() {
            self.key(text, plain, start);
            return Ok(());
        }
        if plain {
            self.blank |= text.is_empty() && self.stack.is_empty();
            self.judge(text, start);
        }
        let id = self.put(start, Inside::Scalar);
        self.remember(anchor, id, weight, 0);
        Ok(())
    }

    /// Notes a plain value that is read differently by others, or that no object of the API server can hold.
    fn judge(&mut self, text: &str, place: Place) {
        if let Some(trap) = scalar::trap(text) {
            self.note_trap(trap, place, Spot::Value);
        } else if matches!(text.trim_start_matches(['+', '-']), ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") {
            let message = format!("`{text}` is a number that JSON and the API server do not have");
            let help = format!("write a number in digits, or \"{text}\" in quotes if text is meant");
            self.note(at(Finding::error(Code::BadValue, self.here(), message, help), place));
        }
    }

    fn note_trap(&mut self, Trap { severity, message, help }: Trap, place: Place, spot: Spot) {
        let finding = match severity {
            Severity::Error => Finding::error(Code::AmbiguousScalar, self.here(), message, help),
            Severity::Warning | Severity::Note => Finding::warning(Code::AmbiguousScalar, self.here(), message, help),
        };
        self.note(at(if spot == Spot::Key { finding.at_key() } else { finding }, place));
    }

    fn key(&mut self, text: &str, plain: bool, place: Place) {
        let Some(Frame { kind: Kind::Map(Fields { all, pending, places }), .. }) = self.stack.last_mut() else { return };
        let name = Name::of(text);
        let key = |id: NodeId| self.places.nodes.get(id as usize).and_then(|node| node.key);
        let first = if all.len() < FEW {
            all.iter().find(|(other, _)| *other == name).and_then(|(_, id)| key(*id))
        } else {
            if places.is_empty() {
                *places = all.iter().filter_map(|(name, id)| Some((*name, key(*id)?))).collect();
            }
            places.insert(name, place)
        };
        *pending = Some((text.into(), place));
        self.merges |= plain && text == MERGE;
        if let Some(first) = first {
            self.twice(text, place, first);
        }
        if plain && let Some(trap) = scalar::key_trap(text) {
            self.note_trap(trap, place, Spot::Key);
        }
    }

    /// A key that stands twice in the object at hand, whose last key it is.
    fn twice(&mut self, key: &str, place: Place, first: Place) {
        let (path, message) = (self.here(), format!("{} stands twice in one object", show(&key.into())));
        let finding = Finding::error(Code::DuplicateKey, path.clone(), message, "keep one of the two").at_key();
        let mut finding = at(finding, place).with(path, "first here");
        for related in &mut finding.related {
            (related.line, related.column, related.width) = (Some(first.line), Some(first.column), first.width);
        }
        self.note(finding);
    }

    /// Begins a list or an object.
    pub fn open(&mut self, kind: Kind, anchor: usize, start: Place) -> Result<(), Stop> {
        let before = self.weighed;
        self.count(Weighed { values: 1, text: 0 }, start)?;
        if self.expects_key() {
            return Err(Box::new(at(no_key(self.here(), "a list or an object"), start)));
        }
        self.refuse_depth(1, start)?;
        self.stack.push(Frame { start, anchor, before, height: 1, kind });
        Ok(())
    }

    fn refuse_depth(&mut self, more: usize, start: Place) -> Result<(), Stop> {
        if self.stack.len() + more <= DEPTH_MAX {
            return Ok(());
        }
        let message = format!("more than {DEPTH_MAX} levels are nested here");
        let help = "a plan has about ten; look for a stray bracket or indentation";
        Err(Box::new(at(Finding::error(Code::TooLarge, self.here(), message, help), start)))
    }

    fn alias(&mut self, anchor: usize, start: Place) -> Result<(), Stop> {
        let Some(Anchor { id, weight, height }) = self.anchors.get(&anchor) else {
            let message = "this alias (`*`) stands for a key, or for a value that it is itself a part of";
            return Err(Box::new(at(Finding::error(Code::Syntax, self.here(), message, "write the value out"), start)));
        };
        let (id, weight, height) = (*id, *weight, *height);
        if self.expects_key() {
            return Err(Box::new(at(no_key(self.here(), "an alias (`*`)"), start)));
        }
        self.count(weight, start)?;
        self.refuse_depth(height, start)?;
        if let Some(frame) = self.stack.last_mut() {
            frame.height = frame.height.max(height + 1);
        }
        self.put(start, Inside::Alias(id));
        Ok(())
    }

    /// Ends a list or an object, with its bracket at `end` if it has one.
    pub fn close(&mut self, end: Place) {
        let Some(Frame { start, anchor, before, height, kind }) = self.stack.pop() else { return };
        let value = if end.width > 0 && end.line == start.line {
            Place { width: (end.column + end.width).saturating_sub(start.column), ..start }
        } else {
            Place { width: 0, ..start }
        };
        let inside = match kind {
            Kind::List(items) => Inside::List(items),
            Kind::Map(fields) => Inside::Map(fields.all),
        };
        if let Some(owner) = self.stack.last_mut() {
            owner.height = owner.height.max(height + 1);
        }
        let id = self.put(value, inside);
        let weight = Weighed { values: self.weighed.values - before.values, text: self.weighed.text - before.text };
        self.remember(anchor, id, weight, height);
    }

    /// Keeps what an anchor names. An alias to an anchor of an alias names the value itself.
    fn remember(&mut self, anchor: usize, id: NodeId, weight: Weighed, height: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, Anchor { id, weight, height });
        }
    }

    fn put(&mut self, value: Place, inside: Inside) -> NodeId {
        // Never more than VALUES_MAX.
        let id = NodeId::try_from(self.places.nodes.len()).unwrap_or(NodeId::MAX);
        let mut key = None;
        match self.stack.last_mut() {
            None => self.places.root = Some(id),
            Some(Frame { kind: Kind::List(items), .. }) => items.push(id),
            Some(Frame { kind: Kind::Map(fields), .. }) => {
                if let Some((name, place)) = fields.pending.take() {
                    key = Some(place);
                    fields.all.push((Name::of(&name), id));
                }
            }
        }
        self.places.nodes.push(Node { key, value, inside });
        id
    }
}

fn too_far(last: Place) -> Stop {
    let message = format!("no end of what stands here is found within {AHEAD_MAX} characters");
    let help = "write long lists and objects in block style, a line for each element, or the whole file as JSON";
    Box::new(at(Finding::error(Code::TooLarge, Path::top(), message, help), last))
}

fn at(finding: Finding, place: Place) -> Finding {
    finding.at(place.line, place.column, place.width)
}

fn scan_error(info: &str, place: Place) -> Finding {
    let help = "look at the indentation, quotes and brackets here and just above; tabs cannot indent";
    at(Finding::error(Code::Syntax, Path::top(), format!("this is not YAML: {info}"), help), place)
}

fn no_key(path: Path, what: &str) -> Finding {
    let help = "a key is a plain word, such as `services`";
    Finding::error(Code::Syntax, path, format!("{what} stands where a key belongs"), help)
}

fn place(span: Span) -> Place {
    let one_line = span.start.line() == span.end.line();
    point(span.start, if one_line { span.end.col().saturating_sub(span.start.col()) } else { 0 })
}

fn point(marker: Marker, width: usize) -> Place {
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Place { line: small(marker.line().max(1)), column: small(marker.col()).saturating_add(1), width: small(width) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Surveyed {
        let mut survey = survey(text);
        assert!(survey.stopped.is_none(), "{:?}", survey.stopped);
        assert_eq!(survey.documents.len(), 1);
        survey.documents.pop().unwrap()
    }

    fn found(text: &str, path: Path, spot: Spot) -> (u32, u32, u32) {
        let place = only(text).places.find(&path, spot).unwrap();
        (place.line, place.column, place.width)
    }

    #[test]
    fn keys_and_values_are_found() {
        let text = "a: 1\nb:\n  - name: x\n    d: \"y z\"\n";
        let second = Path::top().key("b").index(0).key("d");
        assert_eq!(found(text, second.clone(), Spot::Key), (4, 5, 1));
        assert_eq!(found(text, second, Spot::Value), (4, 8, 5));
        assert_eq!(found(text, Path::top().key("b"), Spot::Value), (2, 1, 1), "a list is shown by its key");
        assert_eq!(found(text, Path::top().key("b").index(0).key("gone"), Spot::Value).0, 3, "what is missing: its owner");
    }

    #[test]
    fn a_flow_collection_on_one_line_is_underlined_whole() {
        assert_eq!(found("x: [{ a: 1, b: 2 }]\n", Path::top().key("x").index(0), Spot::Value), (1, 5, 14));
    }

    #[test]
    fn what_came_by_an_alias_or_a_merge_is_where_it_is_written() {
        let text = "a: &x { b: 1 }\nc: *x\nd:\n  <<: *x\n  e: 2\nf: { <<: [{ g: 1 }, *x] }\n";
        let top = Path::top();
        for path in [top.key("a"), top.key("c"), top.key("d"), top.key("f")] {
            assert_eq!(found(text, path.key("b"), Spot::Value), (1, 12, 1), "{path}");
        }
        assert_eq!(found(text, top.key("c"), Spot::Value), (2, 4, 2), "the alias itself is where it stands");
        assert_eq!(found(text, top.key("d").key("e"), Spot::Value), (5, 6, 1));
        assert!(only(text).merges && !only("a: b\n").merges);
    }

    #[test]
    fn many_fields_are_as_unique_as_few() {
        for fields in [FEW / 2, FEW, FEW + 1, FEW * 4] {
            let mut text: String = (0..fields).map(|i| format!("f{i}: 1\n")).collect();
            text.push_str("f1: 2\nlast: 1\n");
            let findings = only(&text).findings;
            assert_eq!(findings.iter().map(|f| f.code).collect::<Vec<_>>(), [Code::DuplicateKey], "{fields}");
            assert_eq!((findings[0].line, findings[0].related[0].line), (u32::try_from(fields + 1).ok(), Some(2)));
        }
    }

    #[test]
    fn depth_and_number_are_bounded() {
        for deep in ["[".repeat(DEPTH_MAX + 1), "- ".repeat(DEPTH_MAX + 1) + "x"] {
            assert_eq!(survey(&deep).stopped.unwrap().code, Code::TooLarge);
        }
        assert!(survey(&"[".repeat(1_000_000)).stopped.is_some(), "the scanner has a bound of its own");
        let wide = "1,".repeat(VALUES_MAX);
        for text in [format!("[{wide}1]"), format!("a: [{wide}1]")] {
            let stopped = survey(&text).stopped.unwrap();
            assert_eq!(stopped.code, Code::TooLarge);
            assert!(stopped.message.contains("values"), "{}", stopped.message);
        }
    }

    #[test]
    fn what_is_read_ahead_is_bounded() {
        let comment = format!("a: 1\n#{}\n", "x".repeat(AHEAD_MAX));
        let flow = format!("a:\n- [{}]\n", "x, ".repeat(AHEAD_MAX / 2));
        let text = format!("a: \"{}\"\n", "x".repeat(AHEAD_MAX));
        for long in [comment, flow, text] {
            let stopped = survey(&long).stopped.unwrap();
            assert!(stopped.message.starts_with("no end of what stands here"), "{}", stopped.message);
        }
        let several = format!("a: \"{0}\"\nb: \"{0}\"\n", "x".repeat(AHEAD_MAX / 2));
        assert!(survey(&several).stopped.is_none(), "one after the other is no reading ahead");
    }

    #[test]
    fn json_has_the_places_that_yaml_has() {
        let text = "{ \"a\": [1, {\"b c\":\"d\\\"e\"}],\n  \"ü\": {}, \"z\": [] , \"n\": null}\n";
        let (json, mut yaml) = (only(text), Surveyor::default());
        let ahead = Ahead::default();
        yaml.run(&mut Parser::new(Watched::new(text, &ahead)), &ahead).unwrap();
        let yaml = yaml.documents.pop().unwrap();
        let top = Path::top();
        let inner = top.key("a").index(1);
        for path in
            [top.clone(), top.key("a"), inner.clone(), inner.key("b c"), top.key("ü"), top.key("z"), top.key("n"), top.key("no")]
        {
            for spot in [Spot::Key, Spot::Value] {
                assert_eq!(json.places.find(&path, spot), yaml.places.find(&path, spot), "{path} {spot:?}");
            }
        }
        for not_json in ["{a: 1}", "[1, 2,]", "{\"a\": 01}", "{\"a\": 1} x", "[\"a\nb\"]"] {
            let mut surveyor = Surveyor::default();
            assert!(matches!(json::survey(not_json, &mut surveyor), Err(json::Left::NotJson)), "{not_json}");
        }
        assert_eq!(only("{\"a\": 1, \"a\": 2}").findings[0].code, Code::DuplicateKey);
    }

    /// Nine aliases a level: level 9 would have nearly 400 million values.
    #[test]
    fn an_alias_bomb_is_counted_before_it_is_written_out() {
        let mut text = "l0: &l0 x\n".to_owned();
        for level in 1..10 {
            let before = format!("*l{}, ", level - 1).repeat(9);
            text.push_str(&format!("l{level}: &l{level} [{before}]\n"));
        }
        let stopped = survey(&text).stopped.unwrap();
        assert_eq!((stopped.code, stopped.line), (Code::TooLarge, Some(7)), "at the level that is too much");
        let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1_000_000), "*a,".repeat(1_000));
        assert_eq!(survey(&long).stopped.unwrap().code, Code::TooLarge, "few values, but long ones");
        let mut deep = "l0: &l0 [x]\n".to_owned();
        (1..70).for_each(|level| deep.push_str(&format!("l{level}: &l{level} [*l{}]\n", level - 1)));
        assert_eq!(survey(&deep).stopped.unwrap().code, Code::TooLarge, "nested by aliases");
    }

    #[test]
    fn an_alias_within_itself_is_refused() {
        assert_eq!(survey("a: &a [*a]\n").stopped.unwrap().code, Code::Syntax);
    }

    #[test]
    fn a_value_of_another_shape_is_found() {
        let places = only("a: [1, { b: 2 }]\nc: &x { d: 1 }\ne: *x\n").places;
        let same = serde_json::json!({ "a": [1, { "b": 2 }], "c": { "d": 1 }, "e": { "d": 1 } });
        assert_eq!(places.differs(&same), None);
        for (pointer, other) in
            [("/a/1", serde_json::json!({})), ("/a", "x".into()), ("/e", 1.into()), ("/a/0", serde_json::json!([]))]
        {
            let mut value = same.clone();
            *value.pointer_mut(pointer).unwrap() = other;
            assert!(places.differs(&value).is_some(), "{pointer}");
        }
    }
}
