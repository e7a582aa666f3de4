//! Names all over a document: none twice in one list, and none that nothing has.
//!
//! Works on the raw value, so that a broken part hides no mistake in another. Phases and services have more rules, in
//! [`super::outline`]; probes are looked up service by service, in [`super::health`].

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    at::At,
    outline::{elements, text, twice, unknown_reference},
};
use crate::plan::{
    finding::{Code, Finding},
    path::Path,
};

/// What a name can be the name of, for references that are looked up here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Connection(&'static str),
    Window,
    Role,
    System,
    Bridge,
    Phase,
    Service,
}

/// The names of a plan, by the list that they stand in.
struct Known<'a> {
    lists: BTreeMap<&'static str, BTreeSet<&'a str>>,
    /// What each connection is.
    connections: BTreeMap<&'a str, &'a str>,
    /// What each window is for.
    windows: BTreeMap<&'a str, &'a str>,
}

/// Duplicates and references of everything but phases' order and services' needs.
pub(super) fn check(document: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    let spec = document.get("spec").unwrap_or(&Value::Null);
    let known = Known::of(spec);
    known.walk(spec, &At::top("spec"), ["", "spec"], &mut findings);
    hosts_of_systems(spec, &mut findings);
    groups_of_services(spec, &mut findings);
    findings
}

impl<'a> Known<'a> {
    fn of(spec: &'a Value) -> Self {
        let names = |list: &'static str| (list, elements(Some(spec), list).filter_map(|item| text(item, "name")).collect());
        let all = ["connections", "windows", "roles", "legacySystems", "bridges", "phases", "services"];
        let member = |item: &'a Value| Some((text(item, "name")?, item.get("to")?.as_object()?.keys().next()?.as_str()));
        let purpose = |item: &'a Value| Some((text(item, "name")?, text(item, "for")?));
        Self {
            lists: all.into_iter().map(names).collect(),
            connections: elements(Some(spec), "connections").filter_map(member).collect(),
            windows: elements(Some(spec), "windows").filter_map(purpose).collect(),
        }
    }

    /// Looks at `value`, which stands at `at` in the field `key` of the field `owner`.
    fn walk(&self, value: &Value, at: &At<'_>, [owner, key]: [&str; 2], findings: &mut Vec<Finding>) {
        match value {
            Value::Object(fields) => {
                for (name, inner) in fields.iter().filter(|(name, _)| !(key == "spec" && name.as_str() == "metadata")) {
                    self.walk(inner, &at.key(name), [key, name], findings);
                }
            }
            Value::Array(items) => {
                duplicates(items, at, [owner, key], findings);
                for (index, inner) in items.iter().enumerate().take(super::outline::LIST_MAX) {
                    self.walk(inner, &at.index(index), [owner, key], findings);
                }
            }
            Value::String(name) => {
                if let Some(target) = target(owner, key) {
                    findings.extend(self.find(target, name, at));
                }
            }
            _ => {}
        }
    }

    fn find(&self, target: Target, name: &str, at: &At<'_>) -> Option<Finding> {
        let (list, kind) = match target {
            Target::Connection(_) => ("connections", "connection"),
            Target::Window => ("windows", "window"),
            Target::Role => ("roles", "role"),
            Target::System => ("legacySystems", "legacy system"),
            Target::Bridge => ("bridges", "bridge"),
            Target::Phase => ("phases", "phase"),
            Target::Service => ("services", "service"),
        };
        let none = BTreeSet::new();
        let known = self.lists.get(list).unwrap_or(&none);
        if !known.contains(name) {
            return Some(unknown_reference(at.path(), name, kind, "this plan", known));
        }
        match target {
            Target::Connection(wanted) => {
                let is = self.connections.get(name).copied().filter(|is| *is != wanted)?;
                let message = format!("connection `{name}` is of kind `{is}`, and one of kind `{wanted}` is needed here");
                let right: Vec<&str> = self.connections.iter().filter(|(_, is)| **is == wanted).map(|(name, _)| *name).collect();
                let help = match right.first() {
                    Some(right) => format!("`{right}` is of that kind"),
                    None => format!("add a connection `to: {{ {wanted}: … }}`"),
                };
                Some(Finding::error(Code::UnknownReference, at.path(), message, help))
            }
            Target::Window => {
                let is = self.windows.get(name).copied().filter(|is| *is != "Shift")?;
                let message = format!("window `{name}` is for `{is}`, and a phase names windows for `Shift`");
                let help = "a window for `Decommission` governs all services without being named; remove it here";
                Some(Finding::error(Code::UnknownReference, at.path(), message, help))
            }
            _ => None,
        }
    }
}

/// What the text in field `key` of field `owner` names, if it names anything that is looked up here.
fn target(owner: &str, key: &str) -> Option<Target> {
    Some(match (owner, key) {
        ("prometheus", "connection") => Target::Connection("prometheus"),
        ("dns", "connection") => Target::Connection("dns"),
        ("haproxy", "connection") => Target::Connection("haproxy"),
        ("silence", "connection") => Target::Connection("alertmanager"),
        ("notify", "connection") => Target::Connection("notify"),
        ("phases", "windows") => Target::Window,
        ("allOf", "role") | ("manual", "owner") | ("roles", "deputies") => Target::Role,
        ("legacy", "system") => Target::System,
        ("needs", "bridge") => Target::Bridge,
        ("joins", "phases") => Target::Phase,
        ("groups", "services") => Target::Service,
        _ => return None,
    })
}

/// The field by which the objects of a list are told apart.
const IDENTITIES: [&str; 3] = ["name", "role", "tier"];

/// Elements of one list that say the same name, or the same text.
fn duplicates(items: &[Value], at: &At<'_>, [owner, key]: [&str; 2], findings: &mut Vec<Finding>) {
    if owner == "spec" && matches!(key, "phases" | "services") {
        return; // the outline does that
    }
    let where_ = match owner {
        "spec" => "in this plan",
        "services" => "in this service",
        _ => "in this list",
    };
    for identity in IDENTITIES {
        let named: Vec<(usize, &str)> =
            items.iter().enumerate().filter_map(|(index, item)| Some((index, text(item, identity)?))).collect();
        if has_twice(named.iter().map(|(_, name)| *name)) {
            let path = at.path();
            twice(
                named.into_iter().map(|(index, name)| (name, path.index(index).key(identity))),
                &kind_of(key),
                where_,
                findings,
            );
        }
    }
    if has_twice(items.iter().filter_map(Value::as_str)) {
        let path = at.path();
        let texts = items.iter().enumerate().filter_map(|(index, item)| Some((item.as_str()?, path.index(index))));
        twice(texts, &kind_of(key), "in this list", findings);
    }
}

fn has_twice<'a>(names: impl Iterator<Item = &'a str>) -> bool {
    let mut seen = BTreeSet::new();
    names.into_iter().any(|name| !seen.insert(name))
}

/// What an element of a list is called.
fn kind_of(list: &str) -> String {
    match list {
        "legacySystems" => "legacy system".into(),
        "allOf" => "role".into(),
        "perTier" => "tier".into(),
        "reconcile" => "gate".into(),
        "deputies" => "deputy".into(),
        "matchers" => "matcher".into(),
        other => other.strip_suffix('s').unwrap_or(other).to_owned(),
    }
}

/// Each host belongs to one legacy system, so that it is switched off once, with everything on it.
fn hosts_of_systems(spec: &Value, findings: &mut Vec<Finding>) {
    let base = Path::top().key("spec").key("legacySystems");
    let mut seen: BTreeMap<String, (usize, Path)> = BTreeMap::new();
    for (index, system) in elements(Some(spec), "legacySystems").enumerate() {
        for (at, host) in elements(Some(system), "hosts").enumerate().filter_map(|(at, host)| Some((at, host.as_str()?))) {
            let path = base.index(index).key("hosts").index(at);
            match seen.get(&host.to_ascii_lowercase()) {
                Some((first, place)) if *first != index => {
                    let message = format!("host `{host}` belongs to two legacy systems");
                    let help = "list it once: a host is switched off with everything that is on it";
                    findings.push(Finding::error(Code::DuplicateHost, path, message, help).with(place.clone(), "first here"));
                }
                Some(_) => {}
                None => {
                    seen.insert(host.to_ascii_lowercase(), (index, path));
                }
            }
        }
    }
}

/// A service is in one group at most, and takes its weights from it.
fn groups_of_services(spec: &Value, findings: &mut Vec<Finding>) {
    let base = Path::top().key("spec").key("groups");
    let mut seen: BTreeMap<&str, (usize, Path)> = BTreeMap::new();
    for (index, group) in elements(Some(spec), "groups").enumerate() {
        for (at, name) in elements(Some(group), "services").enumerate().filter_map(|(at, name)| Some((at, name.as_str()?))) {
            let path = base.index(index).key("services").index(at);
            match seen.get(name) {
                Some((first, place)) if *first != index => {
                    let message = format!("service `{name}` is in two groups");
                    let help = "services that move together belong in one group: put both groups into one, or take it out of one";
                    findings.push(Finding::error(Code::DuplicateName, path, message, help).with(place.clone(), "first here"));
                }
                Some(_) => {}
                None => {
                    seen.insert(name, (index, path));
                }
            }
        }
    }
    let services = Path::top().key("spec").key("services");
    for (index, service) in elements(Some(spec), "services").enumerate() {
        let Some((_, place)) = text(service, "name").and_then(|name| seen.get(name)) else { continue };
        if service.get("shift").is_some() {
            let message =
                format!("`{}` is in a group, and its own `shift` would not be used", text(service, "name").unwrap_or_default());
            let help = "remove it: all members take the `shift` of the group, so that they step together";
            let finding = Finding::error(Code::BadValue, services.index(index).key("shift"), message, help).at_key();
            findings.push(finding.with(place.clone(), "it is in this group"));
        }
    }
}
