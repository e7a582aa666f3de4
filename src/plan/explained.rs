//! A plan with every default written out, each with where it came from: `gapless check --explain FILE`.
//!
//! *Flow*: the checked plan becomes a whole document ([`super::written`]); each value of it is looked for in the document that
//! people wrote, first in its service, then in the plan's defaults. What stands in neither is a default of gapless.

use serde_json::{Map, Value};

use super::model::Plan;
use super::spec::Document;

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// It stands in the plan.
    Written,
    /// It stands in the plan's `defaults`.
    Defaults,
    /// Nobody wrote it.
    BuiltIn,
}

impl Origin {
    fn comment(self) -> &'static str {
        match self {
            Self::Written => "",
            Self::Defaults => "  # from spec.defaults",
            Self::BuiltIn => "  # default",
        }
    }
}

/// The fields by which elements of lists are told apart.
const NAMES: [&str; 5] = ["name", "service", "phase", "role", "tier"];

/// The places where a value may have been written.
#[derive(Clone, Copy)]
struct Sources<'a> {
    own: Option<&'a Value>,
    defaults: Option<&'a Value>,
}

impl<'a> Sources<'a> {
    fn field(self, name: &str) -> Self {
        let into = |value: Option<&'a Value>| value.and_then(|value| value.get(name));
        Self { own: into(self.own), defaults: into(self.defaults) }
    }
    /// The element of a list that has the same name as `element`, or stands at the same place in a list without names.
    fn element(self, index: usize, element: &Value) -> Self {
        let find = |list: Option<&'a Value>| {
            let items = list?.as_array()?;
            match NAMES.iter().find_map(|field| Some((field, element.get(field)?.as_str()?))) {
                Some((field, name)) => items.iter().find(|item| item.get(field).and_then(Value::as_str) == Some(name)),
                None => items.get(index),
            }
        };
        Self { own: find(self.own), defaults: find(self.defaults) }
    }
    fn origin(self) -> Origin {
        match (self.own, self.defaults) {
            (Some(_), _) => Origin::Written,
            (None, Some(_)) => Origin::Defaults,
            (None, None) => Origin::BuiltIn,
        }
    }
}

/// The plan as YAML with a comment beside each value that nobody wrote where it stands. `written` is the document it came from.
pub fn explained(plan: &Plan, written: &Value) -> String {
    let whole = serde_json::to_value(Document::of(plan)).unwrap_or_default();
    let mut out = String::new();
    let sources = Sources { own: Some(written), defaults: None };
    for (name, value) in whole.as_object().into_iter().flatten() {
        field(&mut out, 0, "", name, value, Place { sources: sources.field(name), within: Within::Top, defaults: written });
    }
    out
}

/// How deep in the document a value stands, as far as that decides where its defaults are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Top,
    /// In a list whose elements may have something from the defaults.
    List,
    /// In such an element.
    Element,
    /// In a service that moves all at once, which takes no steps from the defaults.
    AtOnce,
    /// In the `shift` of such a service.
    ShiftAtOnce,
}

#[derive(Clone, Copy)]
struct Place<'a> {
    sources: Sources<'a>,
    within: Within,
    /// The document, for the plan's defaults.
    defaults: &'a Value,
}

impl<'a> Place<'a> {
    fn field(self, name: &str) -> Self {
        let mut sources = self.sources.field(name);
        let within = match (self.within, name) {
            (Within::Top, "services" | "groups") => Within::List,
            (Within::AtOnce, "shift") => Within::ShiftAtOnce,
            (Within::ShiftAtOnce, "steps") => {
                sources.defaults = None;
                self.within
            }
            (within, _) => within,
        };
        Self { sources, within, ..self }
    }
    fn element(self, index: usize, element: &Value) -> Self {
        let mut sources = self.sources.element(index, element);
        if self.within != Within::List {
            return Self { sources, ..self };
        }
        // Here a service begins, and with it what it may have from the defaults.
        sources.defaults = self.defaults.get("spec").and_then(|spec| spec.get("defaults"));
        let dns = element.get("router").is_some_and(|router| router.get("dns").is_some());
        let within = if dns || element.get("data").is_some() { Within::AtOnce } else { Within::Element };
        Self { sources, within, ..self }
    }
}

/// Writes one field. `lead` stands before its name on the first line (`- ` for the first field of an element).
fn field(out: &mut String, depth: usize, lead: &str, name: &str, value: &Value, place: Place<'_>) {
    let indent = "  ".repeat(depth.saturating_sub(lead.len() / 2));
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            out.push_str(&format!("{indent}{lead}{name}:{}\n", whole(place)));
            object(out, depth + 1, fields, place);
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            out.push_str(&format!("{indent}{lead}{name}:{}\n", whole(place)));
            for (index, item) in items.iter().enumerate() {
                element(out, depth + 1, item, place.element(index, item));
            }
        }
        other => out.push_str(&format!("{indent}{lead}{name}: {}{}\n", plain(other), place.sources.origin().comment())),
    }
}

/// The comment of something that has fields: only if none of them was written.
fn whole(place: Place<'_>) -> &'static str {
    place.sources.origin().comment()
}

fn object(out: &mut String, depth: usize, fields: &Map<String, Value>, place: Place<'_>) {
    for (name, value) in fields {
        field(out, depth, "", name, value, place.field(name));
    }
}

fn element(out: &mut String, depth: usize, item: &Value, place: Place<'_>) {
    let Some(fields) = item.as_object() else {
        return out.push_str(&format!("{}- {}\n", "  ".repeat(depth), plain(item)));
    };
    for (index, (name, value)) in fields.iter().enumerate() {
        let lead = if index == 0 { "- " } else { "" };
        field(out, depth + 1, lead, name, value, place.field(name));
    }
}

/// A value on one line: JSON is YAML, and words that are read as themselves need no quotes.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) if bare(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// Whether every reader takes a text without quotes for that text.
fn bare(text: &str) -> bool {
    let letters = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-./_".contains(&byte));
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
    letters && begins && super::scalar::trap(text).is_none() && !text.ends_with('.')
        || text.parse::<super::Span>().is_ok()
        || text.parse::<super::Moment>().is_ok()
        || text.parse::<super::Rate>().is_ok()
}
