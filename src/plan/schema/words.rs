//! What a schema says to people: `kubectl explain` and editors show a field with its description, and nothing of its type.

use serde_json::{Map, Value};

use super::COMPLETE;

/// What each word means, for those who see a field and its words without the type: `kubectl explain`, editors.
pub(super) fn meanings(variants: &[Value]) -> Option<String> {
    let meaning = |variant: &Value| {
        let word = variant.get("const")?.as_str()?;
        let line = variant.get("description")?.as_str()?.split_whitespace().collect::<Vec<_>>().join(" ");
        Some(format!("`{word}`: {line}"))
    };
    Some(variants.iter().map(meaning).collect::<Option<Vec<_>>>()?.join("\n"))
}

/// One line for each paragraph: where a line of the source ends is nothing to those who read the description.
pub(super) fn reflow(map: &mut Map<String, Value>) {
    if let Some(Value::String(description)) = map.get_mut("description") {
        let paragraphs = description.split("\n\n").map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
        *description = paragraphs.collect::<Vec<_>>().join("\n\n");
    }
}

/// Says of a field that it may come from the defaults, but must be there in the end.
pub(super) fn say_complete(map: &mut Map<String, Value>) {
    let Some(Value::Array(names)) = map.get(COMPLETE).cloned() else { return };
    let Some(Value::Object(fields)) = map.get_mut("properties") else { return };
    for name in names.iter().filter_map(Value::as_str) {
        if let Some(Value::String(description)) = fields.get_mut(name).and_then(|field| field.get_mut("description")) {
            description.push_str(" It must be there once the plan's defaults are merged in.");
        }
    }
}

/// Adds a paragraph to the description, where there is more to say.
pub(super) fn describe(map: &mut Map<String, Value>, more: Option<String>) {
    if let (Some(more), Some(Value::String(description))) = (more, map.get_mut("description")) {
        description.push_str("\n\n");
        description.push_str(&more);
    }
}

/// Says in words which members or fields exclude each other: a schema shows it to programs only.
pub(super) fn say_unions(map: &mut Map<String, Value>) {
    let alone = map.get("maxProperties").and_then(Value::as_u64) == Some(1);
    let names: Option<Vec<String>> = match (map.get("properties"), map.get("oneOf")) {
        (Some(Value::Object(members)), None) if alone => Some(members.keys().map(|name| format!("`{name}`")).collect()),
        (_, Some(Value::Array(branches))) => branches.iter().map(required_together).collect(),
        _ => None,
    };
    let said = names.filter(|names| names.len() > 1).map(|names| format!("Exactly one of: {}.", names.join(", ")));
    describe(map, said);
}

/// The fields that a branch asks for; `None` if it asks for none.
fn required_together(branch: &Value) -> Option<String> {
    let names = branch.get("required")?.as_array()?;
    let names: Vec<String> = names.iter().filter_map(Value::as_str).map(|name| format!("`{name}`")).collect();
    (!names.is_empty()).then(|| names.join(" with "))
}
