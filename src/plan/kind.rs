//! Which objects of a file are plans.
//!
//! A file for kubectl may hold objects of many kinds. What says that it is something else is passed over, by name, so that
//! nobody takes it for checked. What is nearly a plan, or does not say what it is, is judged as one: a slip in `kind` must
//! not make a plan invisible.

use std::{collections::BTreeMap, fmt};

use serde_json::Value;

use super::{
    document::{InFile, Refused},
    finding::{Code, Finding, nearest},
    path::Path,
    places::Place,
    spec::{API_VERSION, KIND},
};

/// Lists within lists are read so deep.
pub(crate) const LISTS_MAX: usize = 4;
/// Our other kinds: written by verbs and the operator, and no plans.
const OURS: [&str; 3] = ["MigrationPlanRevision", "MigrationRun", "MigrationApproval"];

/// An object of a file that is no plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// What it says that it is.
    pub kind: String,
    /// Its name, where it has one.
    pub name: Option<String>,
    /// The line on which it begins, from 1.
    pub line: u32,
}

impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&short(&self.kind))?;
        self.name.as_deref().map_or(Ok(()), |name| write!(f, " {}", short(name)))
    }
}

/// As much of a name as a message needs.
fn short(text: &str) -> String {
    text.escape_debug().take(80).collect()
}

/// An object of a document, with its path there.
#[derive(Debug, PartialEq)]
pub(crate) enum Candidate<'a> {
    Plan(&'a Value, Path),
    Other(PassedOver, Path),
}

/// The objects of a document that begins on `line`: itself, or the items of a list.
pub(crate) fn candidates(document: &Value, line: u32) -> Vec<Candidate<'_>> {
    let mut found = Vec::new();
    collect(document, Path::top(), line, LISTS_MAX, &mut found);
    found
}

fn collect<'a>(object: &'a Value, path: Path, line: u32, lists: usize, found: &mut Vec<Candidate<'a>>) {
    let text = |field: &str| object.get(field).and_then(Value::as_str);
    let (Some(version), Some(kind)) = (text("apiVersion"), text("kind")) else {
        return found.push(Candidate::Plan(object, path));
    };
    let group = version.split_once('/').map_or("", |(group, _)| group);
    let our_group = API_VERSION.split_once('/').map_or("", |(group, _)| group);
    let list = (kind == "List" && version == "v1") || (kind == format!("{KIND}List") && group == our_group);
    if let Some(items) = object.get("items").and_then(Value::as_array).filter(|_| list && lists > 0) {
        for (index, item) in items.iter().enumerate() {
            collect(item, path.key("items").index(index), line, lists - 1, found);
        }
        return;
    }
    let plan = kind == KIND || (nearest(group, [our_group]).is_some() && !OURS.contains(&kind));
    if plan {
        return found.push(Candidate::Plan(object, path));
    }
    let name = object.get("metadata").and_then(|metadata| metadata.get("name")?.as_str()).map(str::to_owned);
    found.push(Candidate::Other(PassedOver { kind: kind.to_owned(), name, line }, path));
}

/// Refuses plans of one name in one namespace: applied, the second would take the place of the first.
pub(crate) fn refuse_same_names(plans: &mut [InFile]) {
    let mut seen: BTreeMap<(String, String), Option<Place>> = BTreeMap::new();
    for plan in plans {
        let Ok(checked) = &plan.result else { continue };
        let (name, namespace) = (checked.revision.plan().name.to_string(), checked.revision.plan().namespace.clone());
        let Some(first) = seen.get(&(name.clone(), namespace.clone())) else {
            seen.insert((name, namespace), plan.name_at);
            continue;
        };
        let message = format!("plan `{name}` of namespace `{namespace}` stands twice in this file");
        let path = Path::top().key("metadata").key("name");
        let finding = Finding::error(Code::DuplicateName, path.clone(), message, "rename or remove one of the two");
        let mut finding = finding.with(path, "first here");
        if let Some(place) = plan.name_at {
            finding = finding.at(place.line, place.column, place.width);
        }
        if let (Some(place), Some(related)) = (first, finding.related.first_mut()) {
            (related.line, related.column, related.width) = (Some(place.line), Some(place.column), place.width);
        }
        let mut findings = checked.warnings.clone();
        findings.push(finding);
        findings.sort_by(Finding::order);
        let services = checked.revision.plan().services.len();
        plan.result = Err(Refused { name: Some(name), services, findings });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kinds(document: &Value) -> Vec<String> {
        let show = |candidate| match candidate {
            Candidate::Plan(_, path) => format!("plan at {path}"),
            Candidate::Other(other, path) => format!("{other} at {path}"),
        };
        candidates(document, 1).into_iter().map(show).collect()
    }

    #[test]
    fn what_says_that_it_is_something_else_is_passed_over() {
        for (version, kind, plan) in [
            ("gapless.dev/v1alpha1", "MigrationPlan", true),
            ("gapless.dev/v1alpha1", "MigratonPlan", true),
            ("gaples.dev/v1alpha1", "MigrationPlan", true),
            ("v1", "MigrationPlan", true),
            ("gapless.dev/v1alpha1", "MigrationRun", false),
            ("v1", "ConfigMap", false),
            ("argoproj.io/v1alpha1", "Application", false),
        ] {
            let object = json!({ "apiVersion": version, "kind": kind, "metadata": { "name": "a" } });
            let want = if plan { "plan at ".to_owned() } else { format!("{kind} a at ") };
            assert_eq!(kinds(&object), [want], "{version} {kind}");
        }
        for object in [json!({}), json!([]), json!(null), json!({ "kind": "ConfigMap" }), json!({ "apiVersion": 1, "kind": 2 })] {
            assert_eq!(kinds(&object), ["plan at "], "{object} does not say what it is");
        }
    }

    #[test]
    fn lists_are_opened() {
        let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a" } });
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": [map, {}] });
        let outer = json!({ "apiVersion": "v1", "kind": "List", "items": [list] });
        assert_eq!(kinds(&outer), ["ConfigMap a at items[0].items[0]", "plan at items[0].items[1]"]);
        let plans = json!({ "apiVersion": "gapless.dev/v1alpha1", "kind": "MigrationPlanList", "items": [{}] });
        assert_eq!(kinds(&plans), ["plan at items[0]"]);
        let none = json!({ "apiVersion": "v1", "kind": "List", "items": 7 });
        assert_eq!(kinds(&none), ["List at "]);
    }
}
