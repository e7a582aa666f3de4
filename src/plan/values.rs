//! The values of the documents of a text, as serde_yaml (or, for JSON, serde_json) reads them.
//!
//! Aliases and merged objects mean what they mean for kubectl. A document that the two parsers read differently has no value.

use serde::Deserialize as _;
use serde_json::{Map, Value};

use super::{
    finding::{Code, Finding},
    path::Path,
    places::MERGE,
    survey::Surveyed,
};

/// The values of the documents of a text, one after the other.
pub(super) enum Values<'a> {
    Yaml(serde_yaml::Deserializer<'a>),
    Json(Option<&'a str>),
}

impl<'a> Values<'a> {
    pub fn of(text: &'a str, json: bool) -> Self {
        if json { Self::Json(Some(text)) } else { Self::Yaml(serde_yaml::Deserializer::from_str(text)) }
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
            Self::Json(text) => Some(
                serde_json::from_str(text.take()?)
                    .map_err(|error| unreadable(&error.to_string(), Some((error.line(), error.column())))),
            ),
        }
    }
}

/// The value of a document, with aliases and merged objects written out; `None` beside a finding.
pub(super) fn decode(value: Result<Value, Finding>, document: &mut Surveyed) -> Option<Value> {
    let mut value = value.map_err(|finding| document.findings.push(finding)).ok()?;
    if let Some(place) = document.places.differs(&value) {
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
