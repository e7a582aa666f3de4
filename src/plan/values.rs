//! The values of the documents of a text, as serde_yaml (or, for JSON, serde_json) reads them.
//!
//! Aliases and merged objects mean what they mean for kubectl. A document that the two parsers read differently has no value.
//!
//! Most texts are read by both parsers at once, if there are workers for it, the values of a large plan [portion by
//! portion](super::portions). Only the survey bounds what a text may cost: one that could cost much by itself, or by what its
//! aliases stand for, is surveyed first.

use serde::Deserialize as _;
use serde_json::{Map, Value};

use super::{
    crew::{Crew, beside},
    finding::{Code, Finding},
    path::Path,
    places::MERGE,
    portions::{BYTES_EACH, Portions},
    shape,
    survey::{DOCUMENTS_MAX, Survey, Surveyed, survey},
};

/// A text with more of the letters that stand between values is surveyed before its values are read: each value may cost a
/// hundred bytes and more in the other parser.
const BETWEEN_MAX: usize = 2_000_000;

/// The places and the values of the documents of a text.
pub(super) fn survey_and_values<'a>(crew: &dyn Crew, text: &'a str) -> (Survey, Values<'a>) {
    if crew.size() < 2 || !is_cheap(text) {
        let survey = survey(text);
        let values = Values::of(text, survey.json);
        return (survey, values);
    }
    if let Some(portions) = Portions::of(text, BYTES_EACH) {
        let (survey, value) = in_portions(crew, text, &portions);
        let values = value.map_or_else(|| Values::of(text, false), |value| Values::Portions(Some(value), text));
        return (survey, values);
    }
    let read = || Values::of(text, false).take(DOCUMENTS_MAX).collect::<Vec<_>>();
    let (survey, mut values) = prepared(crew, || survey(text), 1, |_| read());
    (survey, Values::Read(values.pop().unwrap_or_default().into_iter()))
}

/// The places of a text, and its value as its portions give it.
fn in_portions(crew: &dyn Crew, text: &str, portions: &Portions<'_>) -> (Survey, Option<Value>) {
    let (survey, elements) = prepared(crew, || survey(text), portions.len(), |portion| portions.read(portion));
    let value = (survey.documents.len() == 1).then(|| portions.whole(elements)).flatten();
    (survey, value)
}

/// As [`beside`] does it; and what values are checked by is made ready, first, so that no worker is left alone with it at the end.
fn prepared<A: Send + Sync, B: Send + Sync>(
    crew: &dyn Crew,
    long: impl Fn() -> A + Sync,
    count: usize,
    work: impl Fn(usize) -> B + Sync,
) -> (A, Vec<B>) {
    let (long, done) = beside(crew, long, count.saturating_add(1), |piece| {
        let Some(piece) = piece.checked_sub(1) else {
            shape::prepare();
            return None;
        };
        Some(work(piece))
    });
    (long, done.into_iter().flatten().collect())
}

/// Whether any reader of YAML may have the text before it has been surveyed: it is no JSON, nothing in it stands for something
/// else, and there are not too many values in it.
fn is_cheap(text: &str) -> bool {
    let bytes = text.as_bytes();
    let json = matches!(text.trim_ascii_start().as_bytes().first(), Some(b'{' | b'['));
    // An anchor begins a value, so no letter and no digit stands before it, as it does in the query of a URL.
    let begins = |at: usize| at.checked_sub(1).and_then(|before| bytes.get(before)).is_none_or(|b| !b.is_ascii_alphanumeric());
    let anchors = || text.match_indices('&').any(|(at, _)| begins(at));
    let between = || bytes.iter().filter(|b| matches!(b, b',' | b'\n' | b'\r' | b':' | b'-' | b'?' | b'[' | b'{')).count();
    !json && !anchors() && between() <= BETWEEN_MAX
}

/// The values of the documents of a text, one after the other.
pub(super) enum Values<'a> {
    Yaml(serde_yaml::Deserializer<'a>),
    Json(Option<&'a str>),
    /// They were read beside the survey.
    Read(std::vec::IntoIter<Result<Value, Finding>>),
    /// It was put together of the portions of this text.
    Portions(Option<Value>, &'a str),
}

impl<'a> Values<'a> {
    pub fn of(text: &'a str, json: bool) -> Self {
        if json { Self::Json(Some(text)) } else { Self::Yaml(serde_yaml::Deserializer::from_str(text)) }
    }

    /// The value of the document at hand read as a whole, if it was read in portions.
    fn as_a_whole(&mut self) -> Option<Result<Value, Finding>> {
        let Self::Portions(_, text) = self else { return None };
        *self = Self::of(text, false);
        self.next()
    }
}

impl Iterator for Values<'_> {
    type Item = Result<Value, Finding>;
    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Yaml(documents) => {
                let document = documents.next()?;
                Some(Value::deserialize(document).map_err(|error| {
                    let place = error.location().map(|place| (place.line(), place.column()));
                    unreadable(&error.to_string(), place)
                }))
            }
            Self::Read(values) => values.next(),
            Self::Portions(value, _) => value.take().map(Ok),
            Self::Json(text) => Some(
                serde_json::from_str(text.take()?)
                    .map_err(|error| unreadable(&error.to_string(), Some((error.line(), error.column())))),
            ),
        }
    }
}

/// The value of a document, with aliases and merged objects written out; `None` beside a finding.
pub(super) fn decode(values: &mut Values<'_>, value: Result<Value, Finding>, document: &mut Surveyed) -> Option<Value> {
    let mut value = value.map_err(|finding| document.findings.push(finding)).ok()?;
    if let Some(place) = document.places.differs(&value) {
        if let Some(whole) = values.as_a_whole() {
            return decode(values, whole, document);
        }
        let message = "readers of YAML disagree about what stands here";
        let help = "write it more plainly: one `key: value` a line, texts with special characters in quotes";
        let finding = Finding::error(Code::Syntax, Path::top(), message, help);
        document.findings.push(finding.at(place.line, place.column, place.width));
        return None;
    }
    if document.merges {
        merge(&mut value);
    }
    Some(value)
}

fn unreadable(message: &str, place: Option<(usize, usize)>) -> Finding {
    let at = place.map(|(line, column)| format!(" at line {line} column {column}"));
    let message = at.as_deref().map_or(message, |at| message.trim_end_matches(at));
    let help = "look at this place and just above it";
    let finding = Finding::error(Code::Syntax, Path::top(), format!("this cannot be read: {message}"), help);
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    place.map_or_else(|| finding.clone(), |(line, column)| finding.clone().at(small(line), small(column), 1))
}

/// Takes over the fields of the objects behind `<<`, as kubectl does: what an object says itself goes before them, and the
/// first of a list before the next. Anything else behind `<<` is left there, and is an unknown field.
fn merge(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(merge),
        Value::Object(fields) => {
            fields.values_mut().for_each(merge);
            let objects = |source: &Value| match source {
                Value::Object(_) => true,
                Value::Array(all) => all.iter().all(Value::is_object),
                _ => false,
            };
            if !fields.get(MERGE).is_some_and(objects) {
                return;
            }
            match fields.shift_remove(MERGE) {
                Some(Value::Object(source)) => adopt(fields, source),
                Some(Value::Array(sources)) => sources.into_iter().for_each(|source| {
                    if let Value::Object(source) = source {
                        adopt(fields, source);
                    }
                }),
                _ => {}
            }
        }
        _ => {}
    }
}

fn adopt(fields: &mut Map<String, Value>, source: Map<String, Value>) {
    for (name, value) in source {
        fields.entry(name).or_insert(value);
    }
}
