//! What a plan means, and all that is wrong with that: from a JSON value to a [`Plan`].
//!
//! *Flow*: [`shape`] holds the value against the schema; [`outline`] and [`names`] take names, phases and needs out of the raw
//! value, so that references and cycles are judged even among broken services; [`defaults`] merges the plan's own defaults
//! into each service, [`salvage`] reads what can be read of it, and [`traffic`], [`health`] and [`tasks`] judge it; [`fill`]
//! writes the defaults of gapless in. [`filled`] judges the plan with its defaults, as far as it could be filled; [`secrets`] looks
//! at every text.
//! *Guarantees*: no finding rests on a part that could not be read; no plan comes out beside an error; every finding stands
//! where the text stands, also if it came from the defaults.

mod at;
mod defaults;
mod fill;
mod filled;
mod health;
mod moments;
mod names;
mod outline;
mod personal;
mod secrets;
mod tasks;
mod texts;
mod traffic;
mod url;

use std::collections::BTreeMap;

use serde_json::Value;

use self::{defaults::Defaults, outline::Outline};
use super::{
    crew::{Crew, beside, both},
    finding::{Code, Finding},
    model::Plan,
    names::LABEL_PATTERN,
    not_yet,
    path::{Path, Segment},
    salvage::{Salvaged, salvage},
    schema::OBJECT_SERVICES_MAX,
    shape,
    spec::{MigrationPlanSpec, ServiceSpec},
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
pub(crate) fn check(crew: &dyn Crew, document: &Value) -> Judged {
    let defaults = Defaults::of(document);
    let (written, services) = read(crew, document, &defaults);
    let meaning = || check_meaning(document, &defaults, &written, &services);
    let (Meant { mut findings, plan }, (secrets, size)) = both(crew, meaning, || (secrets::find(document), length(document)));
    secrets::add(secrets, &mut findings);
    check_size(size, written.outline.services.len(), &mut findings);
    let plan = match plan {
        _ if findings.iter().any(Finding::is_error) => None,
        None => {
            // Cannot be: whatever `fill` leaves out, a check has refused before. If it were, no plan may pass.
            let help = "this is a defect of gapless; please report it";
            findings.push(Finding::error(Code::BadValue, Path::top(), "the plan could not be completed", help));
            None
        }
        whole => whole,
    };
    let outline = written.outline;
    Judged { plan, name: outline.plan.map(str::to_owned), services: outline.services.len(), findings }
}

/// What is known of a document as it is written, without its defaults.
struct Written<'a> {
    /// What its schema does not allow.
    findings: Vec<Finding>,
    /// What is wrong with its names.
    names: Vec<Finding>,
    outline: Outline<'a>,
}

impl<'a> Written<'a> {
    fn of(document: &'a Value) -> Self {
        Self { findings: shape::check(document), names: names::check(document), outline: Outline::of(document) }
    }
}

/// What a document means.
struct Meant {
    /// All that is wrong with it, but for texts that should not be in it.
    findings: Vec<Finding>,
    /// The plan, if all of it could be filled.
    plan: Option<Plan>,
}

/// Judges what the parts of a document mean, alone and together.
fn check_meaning(document: &Value, defaults: &Defaults<'_>, written: &Written<'_>, services: &[Read<'_>]) -> Meant {
    let mut findings = written.findings.clone();
    let wrong: Vec<Path> = findings.iter().filter(|f| f.is_error()).map(|f| f.path.clone()).collect();
    written.outline.check(&mut findings);
    findings.extend_from_slice(&written.names);
    check_namespace(document, &wrong, &mut findings);

    let spec = read_spec(document, &wrong, &mut findings);
    let mut notes = Notes { findings, mended: spec.mended };
    if let Some(spec) = &spec.object {
        moments::check(spec, &mut notes);
        tasks::check_plan(spec, &mut notes);
    }
    note_services(services, defaults, &mut notes);
    let readable: Vec<_> = services.iter().filter_map(One::of).collect();
    check_services(&readable, defaults, &mut notes);

    let specs: Vec<_> = readable.iter().map(|one| one.spec).collect();
    let filled = spec.object.as_ref().and_then(|spec| fill::plan(document, spec, &specs));
    let plan = filled.and_then(|filled| {
        let whole = filled.whole && specs.len() == written.outline.services.len();
        let extent = if whole { filled::Extent::Whole } else { filled::Extent::Part };
        check_filled(document, &filled.plan, extent, &mut notes);
        whole.then_some(filled.plan)
    });
    Meant { findings: notes.findings, plan }
}

/// Judges each service, and what they have in common. Paths are those of merged services, and led back to the text.
fn check_services(services: &[One<'_>], defaults: &Defaults<'_>, notes: &mut Notes) {
    let mut merged = Notes { findings: Vec::new(), mended: services.iter().flat_map(|one| one.mended).cloned().collect() };
    for service in services {
        let mut own = Notes { findings: Vec::new(), mended: service.mended.to_vec() };
        traffic::check(service, &mut own);
        health::check(service, &mut own);
        tasks::check(service, &mut own);
        notes.add_led_back(own.findings, defaults);
    }
    traffic::check_between(services, &mut merged);
    notes.add_led_back(merged.findings, defaults);
}

/// Judges a plan as far as it could be filled. Paths call elements of lists by their names, and are led back to the text. One
/// mistake in the plan's defaults is one finding, however many services have it.
fn check_filled(document: &Value, plan: &Plan, extent: filled::Extent, notes: &mut Notes) {
    let defaults = Defaults::of(document);
    let indices = Indices::of(document);
    let lead = |path: &Path| defaults.by_name(&indices.of_service(path));
    let mut found = not_yet::not_run_yet(plan);
    found.extend(filled::check(plan, extent));
    found.sort_by_key(|finding| finding.severity); // more than can be shown are cut off: errors come first
    for mut finding in found.into_iter().take(shape::FINDINGS_MAX + 1) {
        finding.path = lead(&finding.path);
        finding.related.iter_mut().for_each(|related| related.path = lead(&related.path));
        if !in_defaults(&finding.path) || notes.is_new(&finding) {
            let rests: Vec<Path> = finding.related.iter().map(|related| related.path.clone()).collect();
            notes.add_resting_on(finding, &rests);
        }
    }
}

/// Where each service stands in its list, looked up once for many findings.
struct Indices<'a>(BTreeMap<&'a str, usize>);

impl<'a> Indices<'a> {
    fn of(document: &'a Value) -> Self {
        let mut indices = BTreeMap::new();
        for (index, service) in outline::elements(document.get("spec"), "services").enumerate() {
            if let Some(name) = outline::text(service, "name") {
                indices.entry(name).or_insert(index); // of two services of one name the first is meant
            }
        }
        Self(indices)
    }
    /// `spec.services.NAME…` with the number of the service for its name.
    fn of_service(&self, path: &Path) -> Path {
        match path.segments() {
            [spec, Segment::Key(list), Segment::Key(name), rest @ ..] if list == "services" => match self.0.get(name.as_str()) {
                Some(index) => Path::top().join(spec.clone()).key("services").index(*index).then(rest),
                None => path.clone(),
            },
            _ => path.clone(),
        }
    }
}

/// Whether it is a place of the plan's defaults.
fn in_defaults(path: &Path) -> bool {
    path.segments().get(1).is_some_and(|segment| *segment == Segment::Key("defaults".into()))
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
    /// Notes findings about merged services at the places of their text. One mistake in the defaults is one finding.
    fn add_led_back(&mut self, findings: Vec<Finding>, defaults: &Defaults<'_>) {
        for mut finding in findings {
            finding.path = defaults.origin(&finding.path);
            finding.related.iter_mut().for_each(|related| related.path = defaults.origin(&related.path));
            if !in_defaults(&finding.path) || self.is_new(&finding) {
                self.findings.push(finding);
            }
        }
    }
    /// Notes those findings about a merged service that nothing has found before, and what of it is not as it was written.
    fn add_new(&mut self, findings: &[Finding], defaults: &Defaults<'_>) {
        for finding in findings {
            let finding = Finding { path: defaults.origin(&finding.path), ..finding.clone() };
            if self.is_new(&finding) {
                self.findings.push(finding);
            }
        }
    }
    fn is_new(&self, finding: &Finding) -> bool {
        !self.findings.iter().any(|old| old.code == finding.code && old.path == finding.path)
    }
}

/// A service as far as it could be read.
struct Read<'a> {
    path: Path,
    label: &'a str,
    read: Salvaged<ServiceSpec>,
    /// What is wrong with it.
    found: Vec<Finding>,
}

impl<'a> Read<'a> {
    /// The service at this place of its list, with what it has from the defaults, as far as it can be read.
    fn of(index: usize, item: &'a Value, defaults: &Defaults<'_>) -> Self {
        let path = Path::top().key("spec").key("services").index(index);
        let merged = defaults.merged(item);
        let mut found = Vec::new();
        let mut wrong = Vec::new();
        for mut finding in shape::check_complete_service(&merged).into_iter().filter(Finding::is_error) {
            finding.path = path.then(finding.path.segments());
            wrong.push(finding.path.clone());
            found.push(finding);
        }
        // What is wrong without the defaults is found elsewhere; what is missing may have come from them.
        found.retain(|finding| finding.code == Code::MissingField);
        let read = salvage(&merged, shape::complete_service(), &path, &wrong, &mut found);
        Self { path, label: outline::text(item, "name").unwrap_or("(no name)"), read, found }
    }
}

/// A service that could be read, with what it has from the plan's defaults.
struct One<'a> {
    path: &'a Path,
    /// Its name as it was written.
    label: &'a str,
    spec: &'a ServiceSpec,
    /// The places in it that are not as they were written.
    mended: &'a [Path],
}

impl<'a> One<'a> {
    fn of(service: &'a Read<'_>) -> Option<Self> {
        let spec = service.read.object.as_ref()?;
        Some(Self { path: &service.path, label: service.label, spec, mended: &service.read.mended })
    }
}

/// All of the plan but its services.
fn read_spec(document: &Value, wrong: &[Path], findings: &mut Vec<Finding>) -> Salvaged<MigrationPlanSpec> {
    let mut spec = serde_json::Map::new();
    for (name, value) in document.get("spec").and_then(Value::as_object).into_iter().flatten() {
        spec.insert(name.clone(), if name == "services" { Value::Array(Vec::new()) } else { value.clone() });
    }
    spec.entry("services").or_insert_with(|| Value::Array(Vec::new()));
    let base = Path::top().key("spec");
    let services = base.key("services");
    let wrong: Vec<Path> = wrong.iter().filter(|path| !path.overlaps(&services)).cloned().collect();
    salvage(&Value::Object(spec), shape::spec(), &base, &wrong, findings)
}

/// So many services are read at a time.
const SERVICES_EACH: usize = 32;

/// What is written, and each service.
fn read<'a>(crew: &dyn Crew, document: &'a Value, defaults: &Defaults<'_>) -> (Written<'a>, Vec<Read<'a>>) {
    let all: Vec<(usize, &Value)> = outline::elements(document.get("spec"), "services").enumerate().collect();
    let portions: Vec<_> = all.chunks(SERVICES_EACH).collect();
    let read = |portion: usize| {
        let own = portions.get(portion).copied().unwrap_or_default();
        own.iter().map(|(index, item)| Read::of(*index, item, defaults)).collect::<Vec<_>>()
    };
    let (written, services) = beside(crew, || Written::of(document), portions.len(), read);
    (written, services.into_iter().flatten().collect())
}

/// Notes what was found of services that were read, and what of them is not as it was written.
fn note_services(services: &[Read<'_>], defaults: &Defaults<'_>, notes: &mut Notes) {
    for service in services {
        notes.add_new(&service.found, defaults);
        notes.mended.extend(service.read.mended.iter().map(|path| defaults.origin(path)));
    }
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

fn check_size(size: usize, services: usize, findings: &mut Vec<Finding>) {
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

/// How long a value is as JSON, but for what has to be escaped in its texts.
fn length(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 4,
        Value::Number(number) => number.to_string().len(),
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(|item| length(item) + 1).sum::<usize>() + 2,
        Value::Object(fields) => fields.iter().map(|(name, value)| name.len() + 4 + length(value)).sum::<usize>() + 2,
    }
}
