//! The plan language as a page of Markdown: one section for each kind of object, from the types themselves, so that it says what
//! `check` does.

use std::{collections::BTreeSet, fmt::Write as _};

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::spec::Document;

/// The page.
pub fn markdown() -> String {
    let settings = SchemaSettings::draft2020_12().with(|s| s.meta_schema = None);
    let root = settings.into_generator().into_root_schema_for::<Document>().to_value();
    let kinds = root.get("$defs").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut page = String::from(INTRODUCTION);
    let mut todo = vec![("Document".to_owned(), root.clone())];
    let mut seen = BTreeSet::new();
    let mut at = 0;
    // In the order in which a reader of the document meets them.
    while let Some((name, schema)) = todo.get(at).cloned() {
        at += 1;
        section(&mut page, &name, &schema);
        for kind in kinds_in(&schema) {
            if let Some(found) = kinds.get(&kind)
                && is_section(found)
                && seen.insert(kind.clone())
            {
                todo.push((kind, found.clone()));
            }
        }
    }
    words(&mut page, &kinds);
    page
}

const INTRODUCTION: &str = "# The plan language

This page is made from the program's own types (`gapless schema plan --markdown`); `gapless schema plan` prints the same as a
JSON schema for editors, and `kubectl explain migrationplan.spec` shows it in a cluster. Fields marked ● must be there; all
others have the default that is named, and `gapless check --explain FILE` prints a plan with every default written out.

Durations are written `800ms`, `90s`, `10m`, `1h30m`, `45d` (a day is 24 h, at most ten years); rates `450/s`; weights in whole
percent; moments `2026-08-28T20:00` on the clock of `timeZone`. Names have 1 to 63 lower-case letters, digits and `-`.
";

/// The kinds that a schema refers to, in its order.
fn kinds_in(schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    each(schema, &mut |map| {
        if let Some(name) = map.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/$defs/")) {
            found.push(name.to_owned());
        }
    });
    found
}

fn each(schema: &Value, see: &mut dyn FnMut(&Map<String, Value>)) {
    match schema {
        Value::Object(map) => {
            see(map);
            map.iter().filter(|(key, _)| key.as_str() != "$defs").for_each(|(_, inner)| each(inner, see));
        }
        Value::Array(items) => items.iter().for_each(|inner| each(inner, see)),
        _ => {}
    }
}

/// Whether a kind has fields, and so a section of its own.
fn is_section(schema: &Value) -> bool {
    schema.get("properties").is_some() || members(schema).is_some()
}

/// The members of a union.
fn members(schema: &Value) -> Option<Vec<(&str, &Value, &str)>> {
    let variants = schema.get("oneOf")?.as_array()?;
    variants
        .iter()
        .map(|variant| {
            let (name, member) = variant.get("properties")?.as_object()?.iter().next()?;
            let description = variant.get("description").and_then(Value::as_str).unwrap_or_default();
            Some((name.as_str(), member, description))
        })
        .collect()
}

fn section(page: &mut String, name: &str, schema: &Value) {
    let description = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    let _ = writeln!(page, "\n## {}\n\n{description}\n", title(name)); // writing to a String cannot fail
    if let Some(members) = members(schema) {
        page.push_str("| one of | holds | |\n|---|---|---|\n");
        for (name, member, description) in members {
            let _ = writeln!(page, "| `{name}` | {} | {} |", kind(member), line(description));
        }
        return;
    }
    page.push_str("| field | holds | |\n|---|---|---|\n");
    let required: Vec<&str> = ["required", "x-complete"]
        .into_iter()
        .filter_map(|list| schema.get(list)?.as_array())
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, field) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let mark = if required.contains(&name.as_str()) { " ●" } else { "" };
        let description = field.get("description").and_then(Value::as_str).unwrap_or_default();
        let _ = writeln!(page, "| `{name}`{mark} | {} | {} |", kind(field), line(description));
    }
}

/// What a field holds, in a few words.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/$defs/")) {
        return format!("[{}](#{})", title(name), title(name).to_lowercase());
    }
    if let Some(any) = schema.get("anyOf").and_then(Value::as_array) {
        return any.first().map(kind).unwrap_or_default();
    }
    if let Some(all) = schema.get("allOf").and_then(Value::as_array) {
        return all.first().map(kind).unwrap_or_default();
    }
    let list = |key: &str| schema.get(key).and_then(Value::as_array);
    let first = match schema.get("type") {
        Some(Value::Array(types)) => types.first().and_then(Value::as_str),
        Some(only) => only.as_str(),
        None => None,
    };
    match first {
        _ if list("enum").is_some() => {
            let words = list("enum").into_iter().flatten().filter_map(Value::as_str);
            words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or ")
        }
        Some("array") => format!("list of {}", schema.get("items").map(kind).unwrap_or_default()),
        Some("object") => "map of text to text".to_owned(),
        Some("boolean") => "`true` or `false`".to_owned(),
        Some("integer") => format!("whole number{}", range(schema)),
        Some("number") => format!("number{}", range(schema)),
        _ => text_kind(schema).to_owned(),
    }
}

fn text_kind(schema: &Value) -> &'static str {
    match schema.get("pattern").and_then(Value::as_str) {
        Some(super::names::SPAN_PATTERN) => "duration",
        Some(super::names::RATE_PATTERN) => "rate",
        Some(super::names::LABEL_PATTERN) => "name",
        Some(super::moment::MOMENT_PATTERN) => "moment",
        _ => "text",
    }
}

fn range(schema: &Value) -> String {
    match (schema.get("minimum"), schema.get("maximum")) {
        (Some(low), Some(high)) => format!(", {low} to {high}"),
        (Some(low), None) => format!(", from {low}"),
        (None, Some(high)) => format!(", to {high}"),
        (None, None) => String::new(),
    }
}

/// The kinds that are words.
fn words(page: &mut String, kinds: &Map<String, Value>) {
    for (name, schema) in kinds {
        let Some(variants) = schema.get("oneOf").and_then(Value::as_array).filter(|_| members(schema).is_none()) else {
            plain_words(page, name, schema);
            continue;
        };
        let description = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        let _ = writeln!(page, "\n## {}\n\n{description}\n\n| word | means |\n|---|---|", title(name));
        for variant in variants {
            let word = variant.get("const").and_then(Value::as_str);
            let several = variant.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            let description = variant.get("description").and_then(Value::as_str).unwrap_or_default();
            for word in word.into_iter().chain(several) {
                let _ = writeln!(page, "| `{word}` | {} |", line(description));
            }
        }
    }
}

/// A kind whose words speak for themselves.
fn plain_words(page: &mut String, name: &str, schema: &Value) {
    let words: Vec<String> = schema
        .get("enum")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(|word| format!("`{word}`"))
        .collect();
    if !words.is_empty() {
        let description = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        let _ = writeln!(page, "\n## {}\n\n{description}\n\n{}", title(name), words.join(", "));
    }
}

/// The name of a type without what only the program needs.
fn title(name: &str) -> &str {
    name.strip_suffix("Spec").unwrap_or(name)
}

/// A text on one line of a table.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
