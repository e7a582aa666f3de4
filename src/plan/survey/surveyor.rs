//! One event after the other, into the tree of places and the findings of one document.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span};

use super::{DEPTH_MAX, DOCUMENTS_MAX, Survey, Surveyed, TEXT_MAX, VALUES_MAX};
use crate::plan::{
    finding::{Code, Finding, Severity, Spot},
    path::Path,
    places::{Inside, MERGE, Name, Node, NodeId, Place, Places},
    scalar::{self, Trap},
    shape::{FINDINGS_MAX, show},
    watched::{AHEAD_MAX, Ahead, Watched},
};

struct Frame {
    start: Place,
    anchor: usize,
    /// What was counted before it began.
    before: Weighed,
    /// The deepest nesting inside, this one included.
    height: usize,
    kind: Kind,
}

pub(in crate::plan) enum Kind {
    List(Vec<NodeId>),
    Map(Fields),
}

/// An object that is being read.
#[derive(Default)]
pub(in crate::plan) struct Fields {
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
pub(super) const FEW: usize = 16;

#[derive(Default)]
pub(in crate::plan) struct Surveyor {
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
    pub(super) documents: Vec<Surveyed>,
}

/// Why no more is read.
pub(in crate::plan) type Stop = Box<Finding>;

impl Surveyor {
    /// Reads all documents; an error is why it stopped.
    pub fn run(&mut self, parser: &mut Parser<'_, Watched<'_>>, ahead: &Ahead) -> Result<(), Stop> {
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

    pub fn end(mut self, ended: Result<(), Stop>) -> Survey {
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
