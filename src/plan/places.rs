//! Where everything stands in a YAML text: line and column of each key and value, and what a plan file may not contain.
//!
//! *Flow*: saphyr's events, in one pass, build a tree of places of the same shape as the document.
//! *Guarantees*: depth and number of values are bounded; the text is read once; any text gives an answer.
//! *Caveats*: values come from serde_yaml, a different parser. Where the two disagree a place may be missing; then the
//! nearest place above it is shown.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, StrInput};

use super::{
    finding::{Code, Finding, Spot},
    path::{Path, Segment},
    shape::{FINDINGS_MAX, show},
};

/// The deepest nesting that is read.
pub const DEPTH_MAX: usize = 64;
/// The most values that are read.
pub const VALUES_MAX: usize = 300_000;

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

#[derive(Debug)]
struct Node {
    key: Option<Place>,
    value: Place,
    inside: Inside,
}

#[derive(Debug)]
enum Inside {
    Scalar,
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// The places of one document.
#[derive(Debug, Default)]
pub struct Places {
    root: Option<Node>,
}

/// What reading the places of a text gave.
pub(crate) struct Survey {
    pub places: Places,
    pub findings: Vec<Finding>,
    /// Whether the values may be read as well.
    pub readable: bool,
}

impl Places {
    /// The place of the key or value at `path`, or of the nearest thing above it that has one.
    pub fn find(&self, path: &Path, spot: Spot) -> Option<Place> {
        let mut node = self.root.as_ref()?;
        let mut whole = true;
        for segment in path.segments() {
            let next = match (&node.inside, segment) {
                (Inside::List(items), Segment::Index(index)) => items.get(*index),
                (Inside::Map(fields), Segment::Key(name)) => fields.iter().rfind(|(key, _)| key == name).map(|(_, node)| node),
                _ => None,
            };
            match next {
                Some(next) => node = next,
                None => {
                    whole = false;
                    break;
                }
            }
        }
        let by_key = spot == Spot::Key || !whole || !matches!(node.inside, Inside::Scalar);
        Some(if by_key { node.key.unwrap_or(node.value) } else { node.value })
    }
}

/// Reads the places of `text`.
pub(crate) fn survey(text: &str) -> Survey {
    let mut surveyor = Surveyor::default();
    let mut parser = Parser::new_from_str(text);
    let readable = surveyor.run(&mut parser);
    Survey { places: Places { root: surveyor.root }, findings: surveyor.findings, readable: readable && surveyor.plain }
}

struct Frame {
    start: Place,
    kind: Kind,
}

enum Kind {
    List(Vec<Node>),
    Map { fields: Vec<(String, Node)>, pending: Option<(String, Place)>, seen: BTreeMap<String, Place> },
}

struct Surveyor {
    stack: Vec<Frame>,
    root: Option<Node>,
    documents: usize,
    values: usize,
    findings: Vec<Finding>,
    /// No alias, anchor or tag was met: what is read is what stands there.
    plain: bool,
}

impl Default for Surveyor {
    fn default() -> Self {
        Self { stack: Vec::new(), root: None, documents: 0, values: 0, findings: Vec::new(), plain: true }
    }
}

impl Surveyor {
    /// Whether the whole text is well-formed and within bounds.
    fn run(&mut self, parser: &mut Parser<'_, StrInput<'_>>) -> bool {
        while let Some(next) = parser.next_event() {
            match next {
                Err(error) => {
                    self.note(scan_error(error.info(), point(*error.marker(), 1)));
                    return false;
                }
                Ok((Event::StreamEnd, _)) => break,
                Ok((event, span)) => {
                    if let Err(finding) = self.take(event, span) {
                        self.note(*finding);
                        return false;
                    }
                }
            }
        }
        if self.root.is_none() {
            let help = "a plan begins with `apiVersion: gapless.dev/v1alpha1` and `kind: MigrationPlan`";
            self.note(Finding::error(Code::Syntax, Path::top(), "there is no document in this file", help));
        }
        self.root.is_some()
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Box<Finding>> {
        match event {
            Event::DocumentStart(_) => self.document(span),
            _ if self.documents > 1 => Ok(()), // said once; what stands there is not read
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_marks(anchor, tag.is_some(), span);
                self.scalar(&text, style, span)
            }
            Event::Alias(_) => {
                self.plain = false;
                self.note(not_plain("an alias (`*`) stands for a value that is written elsewhere", place(span)));
                self.scalar("", ScalarStyle::Plain, span)
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_marks(anchor, tag.is_some(), span);
                self.open(Kind::List(Vec::new()), span)
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_marks(anchor, tag.is_some(), span);
                self.open(Kind::Map { fields: Vec::new(), pending: None, seen: BTreeMap::new() }, span)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.close(span);
                Ok(())
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn document(&mut self, span: Span) -> Result<(), Box<Finding>> {
        self.documents += 1;
        if self.documents == 2 {
            let message = "a second document begins here";
            let help = "keep one plan in a file; `gapless check` takes several files at once";
            self.note(at(Finding::error(Code::Syntax, Path::top(), message, help), place(span)));
        }
        Ok(())
    }

    fn refuse_marks(&mut self, anchor: usize, tagged: bool, span: Span) {
        if anchor != 0 {
            self.plain = false;
            self.note(not_plain("an anchor (`&`) gives this value a name to be repeated by", place(span)));
        }
        if tagged {
            self.plain = false;
            self.note(not_plain("a tag (`!`) changes how this value is read", place(span)));
        }
    }

    /// The path that the next value has. Made only for findings: keys may be long, and values many.
    fn here(&self) -> Path {
        self.stack.iter().fold(Path::top(), |path, frame| match &frame.kind {
            Kind::List(items) => path.index(items.len()),
            Kind::Map { pending: Some((name, _)), .. } => path.key(name.clone()),
            Kind::Map { pending: None, .. } => path,
        })
    }

    /// Notes a finding; too many of one file help nobody.
    fn note(&mut self, finding: Finding) {
        if self.findings.len() <= FINDINGS_MAX {
            self.findings.push(finding);
        }
    }

    fn count(&mut self, span: Span) -> Result<(), Box<Finding>> {
        self.values += 1;
        if self.values <= VALUES_MAX {
            return Ok(());
        }
        let message = format!("the document has more than {VALUES_MAX} values");
        Err(Box::new(at(Finding::error(Code::TooLarge, Path::top(), message, "divide the plan"), place(span))))
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, span: Span) -> Result<(), Box<Finding>> {
        self.count(span)?;
        let place = place(span);
        if let Some(Frame { kind: Kind::Map { pending: pending @ None, seen, .. }, .. }) = self.stack.last_mut() {
            *pending = Some((text.to_owned(), place));
            if let Some(first) = seen.insert(text.to_owned(), place) {
                self.twice(text, place, first);
            }
            return Ok(());
        }
        if style == ScalarStyle::Plain
            && let Some((other, plain)) = read_otherwise(text)
        {
            let message = format!("`{text}` is text here and {other} for kubectl");
            let help = format!("write {plain}, or \"{text}\" in quotes if text is meant");
            self.note(at(Finding::error(Code::AmbiguousScalar, self.here(), message, help), place));
        }
        self.put(place, Inside::Scalar);
        Ok(())
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

    fn open(&mut self, kind: Kind, span: Span) -> Result<(), Box<Finding>> {
        self.count(span)?;
        let start = place(span);
        if let Some(Frame { kind: Kind::Map { pending: None, .. }, .. }) = self.stack.last() {
            let help = "a key is a plain word, such as `services`";
            let finding = Finding::error(Code::Syntax, self.here(), "a list or an object stands where a key belongs", help);
            return Err(Box::new(at(finding, start)));
        }
        if self.stack.len() >= DEPTH_MAX {
            let message = format!("more than {DEPTH_MAX} levels are nested here");
            let help = "a plan has about ten; look for a stray bracket or indentation";
            return Err(Box::new(at(Finding::error(Code::TooLarge, self.here(), message, help), start)));
        }
        self.stack.push(Frame { start, kind });
        Ok(())
    }

    fn close(&mut self, end: Span) {
        let Some(Frame { start, kind, .. }) = self.stack.pop() else { return };
        let end = place(end);
        let value = if end.width > 0 && end.line == start.line {
            Place { width: (end.column + end.width).saturating_sub(start.column), ..start }
        } else {
            Place { width: 0, ..start }
        };
        let inside = match kind {
            Kind::List(items) => Inside::List(items),
            Kind::Map { fields, .. } => Inside::Map(fields),
        };
        self.put(value, inside);
    }

    fn put(&mut self, value: Place, inside: Inside) {
        match self.stack.last_mut() {
            None => self.root = Some(Node { key: None, value, inside }),
            Some(Frame { kind: Kind::List(items), .. }) => items.push(Node { key: None, value, inside }),
            Some(Frame { kind: Kind::Map { fields, pending, .. }, .. }) => {
                if let Some((name, key)) = pending.take() {
                    fields.push((name, Node { key: Some(key), value, inside }));
                }
            }
        }
    }
}

fn at(finding: Finding, place: Place) -> Finding {
    finding.at(place.line, place.column, place.width)
}

fn scan_error(info: &str, place: Place) -> Finding {
    let help = "look at the indentation, quotes and brackets here and just above; tabs cannot indent";
    at(Finding::error(Code::Syntax, Path::top(), format!("this is not YAML: {info}"), help), place)
}

fn not_plain(what: &str, place: Place) -> Finding {
    at(Finding::error(Code::Syntax, Path::top(), format!("{what}, and a plan takes none"), "write the value out"), place)
}

fn place(span: Span) -> Place {
    let one_line = span.start.line() == span.end.line();
    point(span.start, if one_line { span.end.col().saturating_sub(span.start.col()) } else { 0 })
}

fn point(marker: Marker, width: usize) -> Place {
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Place { line: small(marker.line().max(1)), column: small(marker.col()).saturating_add(1), width: small(width) }
}

/// How YAML 1.1, as kubectl reads it (go-yaml 2: booleans as in <https://yaml.org/type/bool.html>, integers as Go's
/// `ParseInt` with base 0 after taking `_` out), reads a plain scalar that YAML 1.2 reads differently.
fn read_otherwise(text: &str) -> Option<(&'static str, String)> {
    let (sign, unsigned) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.get(..1).unwrap_or_default(), rest),
        None => ("", text),
    };
    let number = unsigned.starts_with(|c: char| c.is_ascii_digit());
    let all = |ok: fn(char) -> bool| unsigned.chars().all(ok);
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(("`true`", "`true`".to_owned())),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(("`false`", "`false`".to_owned())),
        _ if number && unsigned.contains('_') && all(|c| c.is_ascii_digit() || c == '_') => {
            Some(("a number", format!("{sign}{}", unsigned.replace('_', ""))))
        }
        _ if number && unsigned.len() > 1 && unsigned.starts_with('0') && all(|c| matches!(c, '0'..='7')) => {
            Some(("an octal number", format!("{sign}{}", unsigned.trim_start_matches('0'))))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, path: Path, spot: Spot) -> (u32, u32, u32) {
        let place = survey(text).places.find(&path, spot).unwrap();
        (place.line, place.column, place.width)
    }

    #[test]
    fn keys_and_values_are_found() {
        let text = "a: 1\nb:\n  - name: x\n    d: \"y z\"\n  - { e: [1, 2], f: |\n";
        let text = &text[..text.find("  - {").unwrap()];
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
    fn depth_and_number_are_bounded() {
        for deep in ["[".repeat(DEPTH_MAX + 1), "- ".repeat(DEPTH_MAX + 1) + "x"] {
            let survey = survey(&deep);
            assert!(!survey.readable);
            assert_eq!(survey.findings[0].code, Code::TooLarge);
        }
        assert!(!survey(&"[".repeat(1_000_000)).readable, "the scanner has a bound of its own");
        let wide = "- 1\n".repeat(VALUES_MAX + 1);
        assert_eq!(survey(&wide).findings[0].code, Code::TooLarge);
    }
}
