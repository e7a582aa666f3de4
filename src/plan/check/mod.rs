//! What a plan means, and all that is wrong with that: from a JSON value to a [`Plan`].
//!
//! *Flow*: [`shape`] holds the value against the schema; [`outline`] takes names, phases and needs out of the raw value, so
//! that references and cycles are judged even among broken services; [`salvage`] reads what can be read of each service,
//! and [`traffic`] and [`health`] judge it; [`fill`] writes the defaults in once nothing is wrong.
//! *Guarantees*: no finding rests on a part that could not be read; no plan comes out beside an error.

mod fill;
mod health;
mod outline;
mod personal;
mod traffic;
mod url;

use serde_json::Value;

use self::outline::Outline;
use super::{
    finding::{Code, Finding},
    model::Plan,
    names::LABEL_PATTERN,
    path::Path,
    salvage::{Salvaged, salvage},
    schema::OBJECT_SERVICES_MAX,
    shape,
    spec::{PhaseSpec, ServiceSpec},
};

/// A stored object has to leave room for what the API server adds; measured on a real one.
const STORED_MAX: usize = 1_200_000;

/// What came of a document.
pub(crate) struct Judged {
    /// The plan; `None` beside at least one error.
    pub plan: Option<Plan>,
    pub name: Option<String>,
    pub services: usize,
    pub findings: Vec<Finding>,
}

/// Judges a document.
pub(crate) fn check(document: &Value) -> Judged {
    let mut findings = shape::check(document);
    let wrong: Vec<Path> = findings.iter().filter(|f| f.is_error()).map(|f| f.path.clone()).collect();
    let outline = Outline::of(document);
    outline.check(&mut findings);
    check_namespace(document, &wrong, &mut findings);
    check_size(document, outline.services.len(), &mut findings);

    let phases: Vec<_> = read_all::<PhaseSpec>(document, "phases", &wrong, &mut findings);
    let services: Vec<_> = read_all::<ServiceSpec>(document, "services", &wrong, &mut findings);
    let mended = services.iter().flat_map(|service| service.read.mended.iter().cloned()).collect();
    let mut notes = Notes { findings, mended };
    let readable: Vec<_> = services.iter().filter_map(One::of).collect();
    for service in &readable {
        traffic::check(service, &mut notes);
        health::check(service, &mut notes);
    }
    traffic::check_between(&readable, &mut notes);

    let plan = if notes.findings.iter().any(Finding::is_error) {
        None
    } else {
        let phases: Vec<_> = phases.iter().filter_map(|phase| phase.read.object.as_ref()).collect();
        let services: Vec<_> = readable.iter().map(|one| one.spec).collect();
        fill::plan(document, &phases, &services)
    };
    if plan.is_none() && !notes.findings.iter().any(Finding::is_error) {
        // Cannot be: whatever `fill` refuses, a check has refused before. If it were, no plan may pass.
        let help = "this is a defect of gapless; please report it";
        notes.findings.push(Finding::error(Code::BadValue, Path::top(), "the plan could not be completed", help));
    }
    Judged { plan, name: outline.plan.map(str::to_owned), services: outline.services.len(), findings: notes.findings }
}

/// Findings so far, and what they may not rest on.
struct Notes {
    findings: Vec<Finding>,
    mended: Vec<Path>,
}

impl Notes {
    /// Notes a finding that rests on the value at its own path.
    fn add(&mut self, finding: Finding) {
        self.add_resting_on(finding, &[]);
    }
    /// Notes a finding that also rests on the values at `paths`: dropped if one of them was not read as it was written.
    fn add_resting_on(&mut self, finding: Finding, paths: &[Path]) {
        let rests = || std::iter::once(&finding.path).chain(paths);
        if !self.mended.iter().any(|gone| rests().any(|path| path.overlaps(gone))) {
            self.findings.push(finding);
        }
    }
}

/// An element of a list, as far as it could be read.
struct Element<'a, T> {
    path: Path,
    label: &'a str,
    read: Salvaged<T>,
}

/// A service that could be read.
struct One<'a> {
    path: &'a Path,
    /// Its name as it was written.
    label: &'a str,
    spec: &'a ServiceSpec,
}

impl<'a> One<'a> {
    fn of(element: &'a Element<'_, ServiceSpec>) -> Option<Self> {
        element.read.object.as_ref().map(|spec| Self { path: &element.path, label: element.label, spec })
    }
}

fn read_all<'a, T: serde::de::DeserializeOwned>(
    document: &'a Value,
    list: &str,
    wrong: &[Path],
    findings: &mut Vec<Finding>,
) -> Vec<Element<'a, T>> {
    let base = Path::top().key("spec").key(list);
    let items = outline::elements(document.get("spec"), list);
    let schema = shape::element(list);
    items
        .enumerate()
        .map(|(index, item)| {
            let path = base.index(index);
            let read = salvage(item, schema, &path, wrong, findings);
            let label = outline::text(item, "name").unwrap_or("(no name)");
            Element { path, label, read }
        })
        .collect()
}

/// A namespace becomes a part of API paths, so it must be a label (RFC 1123), as the API server also says.
fn check_namespace(document: &Value, wrong: &[Path], findings: &mut Vec<Finding>) {
    let path = Path::top().key("metadata").key("namespace");
    let Some(namespace) = document.get("metadata").and_then(|m| m.get("namespace")?.as_str()) else { return };
    if !wrong.contains(&path) && namespace.parse::<super::PlanName>().is_err() {
        let help = format!("a namespace matches {LABEL_PATTERN} and has at most 63 characters");
        findings.push(Finding::error(Code::BadValue, path, format!("`{namespace}` is not a namespace"), help));
    }
}

fn check_size(document: &Value, services: usize, findings: &mut Vec<Finding>) {
    let size = document.to_string().len();
    let help =
        "it can be run from the file: `gapless start FILE` writes its revision alone; to apply it as one object, divide it";
    let message = if size > STORED_MAX {
        format!("as an object the plan has {} bytes, and Kubernetes stores about {STORED_MAX} of its kind", size)
    } else if services > OBJECT_SERVICES_MAX {
        format!("the plan has {services} services, and an object of Kubernetes takes {OBJECT_SERVICES_MAX}")
    } else {
        return;
    };
    findings.push(Finding::warning(Code::TooLarge, Path::top().key("spec").key("services"), message, help).at_key());
}
