//! A plan file: text in, checked revisions or all findings out. The only place where YAML is read.
//!
//! *Flow*: places of everything (saphyr) → values (serde_yaml, into JSON values, so that a file and an object of the API
//! server take one path) → [`super::kind`]: which of them are plans → shape (JSON schema) → types → meaning
//! ([`super::check`]). A stage that fails does not stop the next ones: they look at what could be read. With a [`Crew`] of
//! two, places and values are read side by side, and what comes of it is the same.
//! *Guarantees*: any bytes give an answer, in bounded time and memory; findings come all at once, in the order of the text.
//! Aliases and merged objects mean what they mean for kubectl, and are counted as what they stand for before they are
//! written out. A text that the two parsers read differently is refused.
//! *Assumptions*: none about the text.
//! *Caveats*: what the API server writes (`status`, and metadata such as `uid`) is no part of what is wanted and is passed
//! over, so that `kubectl get -o yaml` can be checked as it is. A path begins at the top of its plan, not of its file.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::{
    check,
    crew::{Alone, Crew, both},
    explained::explained,
    finding::{Code, Finding, Spot},
    kind::{self, Candidate, PassedOver},
    model::Revision,
    path::{Path, Segment},
    places::{Place, Places},
    shape,
    spec::{self, Document, Metadata, MigrationPlanSpec},
    survey::Surveyed,
    values::{decode, survey_and_values},
};

/// The longest file that is read, in bytes. A plan for the API server is far smaller: see `too-large`.
pub const SIZE_MAX: usize = 64 << 20;

/// The most objects that are looked at in one file, items of lists included.
pub const OBJECTS_MAX: usize = 1_000;

/// A plan without errors.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// What a run executes.
    pub revision: Revision,
    /// What somebody should look at first.
    pub warnings: Vec<Finding>,
}

/// A plan with at least one error.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// Its name, where it could be read.
    pub name: Option<String>,
    /// How many services it lists.
    pub services: usize,
    /// All that is wrong with it, warnings included, in the order of the text.
    pub findings: Vec<Finding>,
}

impl Refused {
    /// For these reasons, without a name.
    fn of(findings: Vec<Finding>) -> Self {
        Self { name: None, services: 0, findings }
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let errors = self.findings.iter().filter(|finding| finding.is_error()).count();
        write!(f, "the plan has {errors} errors")?;
        match self.findings.iter().find(|finding| finding.is_error()) {
            Some(first) => write!(f, ", first {first}"),
            None => Ok(()),
        }
    }
}
impl std::error::Error for Refused {}

/// What a file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Contents {
    /// Each plan, in the order of the text, and at least one: a file without a plan, and a document that cannot be read,
    /// count as one that is refused.
    pub plans: Vec<InFile>,
    /// The objects that are no plans, in the order of the text.
    pub passed_over: Vec<PassedOver>,
}

/// A plan of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct InFile {
    /// The line on which it begins, from 1.
    pub line: u32,
    /// What came of it.
    pub result: Result<Checked, Refused>,
    /// With [`explain_all`], a plan without errors with every default written out.
    pub explained: Option<String>,
    /// Where its name stands.
    pub(crate) name_at: Option<Place>,
}

/// Reads and checks the text of a file that holds one plan. Pure: the caller reads files and writes findings.
pub fn read(text: impl AsRef<[u8]>) -> Result<Checked, Refused> {
    read_by(&Alone, text)
}

/// The same, with these workers.
pub fn read_by(crew: &dyn Crew, text: impl AsRef<[u8]>) -> Result<Checked, Refused> {
    let mut plans = read_all_by(crew, text).plans;
    match plans.len() {
        0 | 1 => plans.pop().map_or_else(|| Err(nothing(&[])), |only| only.result),
        many => Err(one_of_many(&plans, many)),
    }
}

/// Reads and checks all plans of a file: documents after each other, and items of a `List`. Objects of other kinds are
/// passed over by name, as far as they say what they are.
pub fn read_all(text: impl AsRef<[u8]>) -> Contents {
    read_all_by(&Alone, text)
}

/// The same, with these workers.
pub fn read_all_by(crew: &dyn Crew, text: impl AsRef<[u8]>) -> Contents {
    read_bytes(crew, text.as_ref(), Explain::No)
}

/// The same, and each plan without errors as YAML with every default written out and where it came from.
pub fn explain_all(text: impl AsRef<[u8]>) -> Contents {
    read_bytes(&Alone, text.as_ref(), Explain::Yes)
}

/// Whether plans are to be written out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Explain {
    Yes,
    No,
}

fn read_bytes(crew: &dyn Crew, bytes: &[u8], explain: Explain) -> Contents {
    let refused = |finding| Contents { plans: vec![refused(1, vec![finding])], passed_over: Vec::new() };
    if bytes.len() > SIZE_MAX {
        let message = format!("the file is longer than {SIZE_MAX} bytes, and no more is read");
        return refused(Finding::error(Code::TooLarge, Path::top(), message, "divide the plan"));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => read_documents(crew, text.strip_prefix('\u{feff}').unwrap_or(text), explain),
        Err(error) => refused(not_text(bytes, error.valid_up_to())),
    }
}

fn read_documents(crew: &dyn Crew, text: &str, explain: Explain) -> Contents {
    let (survey, mut values) = survey_and_values(crew, text);
    let mut contents = Contents { plans: Vec::new(), passed_over: Vec::new() };
    let mut last = None;
    for mut document in survey.documents {
        // The values of a document that is too deep or too large are never looked for.
        let value = if document.whole { values.next() } else { None };
        if document.empty {
            continue;
        }
        let value = value.filter(|_| document.plain).and_then(|value| decode(&mut values, value, &mut document));
        match value {
            Some(value) => read_document(crew, value, document, explain, &mut contents),
            None => last = Some((document.line, document.findings)),
        }
        if last.is_some() && survey.stopped.is_none() {
            contents.plans.extend(last.take().map(|(line, findings)| refused(line, findings)));
        }
    }
    if let Some(stopped) = survey.stopped {
        let (line, mut findings) = last.unwrap_or_default();
        findings.push(stopped);
        contents.plans.push(refused(line.max(1), findings));
    }
    if contents.plans.is_empty() {
        contents.plans.push(InFile { line: 1, result: Err(nothing(&contents.passed_over)), explained: None, name_at: None });
    }
    kind::refuse_same_names(&mut contents.plans);
    contents
}

/// Judges what a document holds.
fn read_document(crew: &dyn Crew, mut value: Value, document: Surveyed, explain: Explain, contents: &mut Contents) {
    pass_over_server_fields(&mut value, kind::LISTS_MAX);
    let mut judged = Vec::new();
    let mut said: usize =
        contents.plans.iter().map(|plan| plan.result.as_ref().map_or_else(|refused| refused.findings.len(), |_| 0)).sum();
    let mut objects = contents.plans.len() + contents.passed_over.len();
    for candidate in kind::candidates(&value, document.line) {
        objects += 1;
        if objects > OBJECTS_MAX || said > 10 * shape::FINDINGS_MAX {
            let message = "the file has too many objects, or too much is wrong with them; the others are not looked at";
            let finding = Finding::error(Code::TooLarge, Path::top(), message, "divide the file").at(document.line, 1, 0);
            judged.push(InDocument {
                line: document.line,
                name_at: None,
                plan: None,
                explained: None,
                refused: Refused::of(vec![finding]),
            });
            break;
        }
        match candidate {
            Candidate::Other(mut other, path) => {
                other.line = document.places.find(&path, Spot::Value).map_or(other.line, |place| place.line);
                contents.passed_over.push(other);
            }
            Candidate::Plan(object, base) => {
                let plan = judge(crew, object, &base, &document, explain);
                said += plan.refused.findings.len();
                judged.push(plan);
            }
        }
    }
    // A large plan takes long to give back, and long to digest: neither waits for the other.
    let (read, judged) = (Mutex::new(Some((value, document))), Mutex::new(judged));
    let take = || std::mem::take(&mut *judged.lock().unwrap_or_else(PoisonError::into_inner));
    let finish = || take().into_iter().map(InDocument::finish).collect::<Vec<_>>();
    let give_back = || drop(read.lock().unwrap_or_else(PoisonError::into_inner).take());
    let ((), finished) = both(crew, give_back, finish);
    contents.plans.extend(finished);
}

/// A plan of a document that is still held as a value.
struct InDocument {
    line: u32,
    name_at: Option<Place>,
    plan: Option<super::Plan>,
    explained: Option<String>,
    /// What to say if it is refused.
    refused: Refused,
}

impl InDocument {
    fn finish(self) -> InFile {
        let result = finish(self.plan, self.refused);
        let explained = self.explained.filter(|_| result.is_ok());
        InFile { line: self.line, name_at: self.name_at, result, explained }
    }
}

/// Judges the plan that stands at `base` in its document.
fn judge(crew: &dyn Crew, object: &Value, base: &Path, document: &Surveyed, explain: Explain) -> InDocument {
    let own = document.findings.iter().filter_map(|finding| {
        let path = finding.path.within(base)?;
        (!written_by_server(&path)).then(|| Finding { path, ..finding.clone() })
    });
    let mut findings: Vec<Finding> = own.collect();
    let read = findings.len();
    let judged = check::check(crew, object);
    findings.extend(judged.findings);
    explained_already(&mut findings, read);
    locate(&mut findings, &document.places, base);
    let line = document.places.find(base, Spot::Value).map_or(document.line, |place| place.line);
    let name_at = document.places.find(&base.key("metadata").key("name"), Spot::Value);
    let good = judged.plan.as_ref().filter(|_| explain == Explain::Yes);
    let explained = good.map(|plan| explained(plan, object));
    InDocument {
        line,
        name_at,
        plan: judged.plan,
        explained,
        refused: Refused { name: judged.name, services: judged.services, findings },
    }
}

/// Takes out what only follows from how a value was read, where the first `read` findings say so already: `port: 0443` is a
/// text for this reader, but that is not what is wrong with it.
fn explained_already(findings: &mut Vec<Finding>, read: usize) {
    let (known, _) = findings.split_at(read.min(findings.len()));
    let known: Vec<Path> = known
        .iter()
        .filter(|finding| matches!(finding.code, Code::AmbiguousScalar | Code::BadValue) && finding.is_error())
        .map(|finding| finding.path.clone())
        .collect();
    let mut at = 0;
    findings.retain(|finding| {
        at += 1;
        at <= read || finding.code != Code::BadValue || !known.contains(&finding.path)
    });
}

fn refused(line: u32, findings: Vec<Finding>) -> InFile {
    InFile { line, result: finish(None, Refused::of(findings)), explained: None, name_at: None }
}

/// There is no plan in a file.
fn nothing(passed_over: &[PassedOver]) -> Refused {
    let help = "a plan begins with `apiVersion: gapless.dev/v1alpha1` and `kind: MigrationPlan`";
    let message = match passed_over {
        [] => "there is no document in this file".to_owned(),
        [only] => format!("there is no MigrationPlan in this file, only {only}"),
        [first, ..] => {
            format!("there is no MigrationPlan in this file, only {first} and {} other objects", passed_over.len() - 1)
        }
    };
    let finding = Finding::error(Code::Syntax, Path::top(), message, help);
    let finding = passed_over.first().map_or_else(|| finding.clone(), |first| finding.clone().at(first.line, 1, 0));
    Refused::of(vec![finding])
}

/// Where one plan is wanted there are several.
fn one_of_many(plans: &[InFile], many: usize) -> Refused {
    let name = |plan: &InFile| match &plan.result {
        Ok(checked) => Some(checked.revision.plan().name.to_string()),
        Err(refused) => refused.name.clone(),
    };
    let names: Vec<String> = plans.iter().filter_map(name).map(|name| shape::show(&name.into())).take(8).collect();
    let message = match names.as_slice() {
        [] => format!("this file holds {many} documents, and one plan is wanted"),
        _ => format!("this file holds {many} plans ({}), and one is wanted", names.join(", ")),
    };
    let finding = Finding::error(Code::Syntax, Path::top(), message, "keep it in a file of its own; `gapless check` takes all");
    let finding = plans.get(1).map_or_else(|| finding.clone(), |second| finding.clone().at(second.line, 1, 0));
    Refused::of(vec![finding])
}

/// Checks a plan that came as an object, as the operator gets it. Findings have paths (from the object's top), no lines.
pub fn check_spec(name: &str, namespace: &str, spec: &MigrationPlanSpec) -> Result<Checked, Refused> {
    let document = serde_json::json!({
        "apiVersion": spec::API_VERSION,
        "kind": spec::KIND,
        "metadata": { "name": name, "namespace": namespace },
        "spec": spec,
    });
    let judged = check::check(&Alone, &document);
    finish(judged.plan, Refused { name: judged.name, services: judged.services, findings: judged.findings })
}

/// A plan as a YAML document, for tools that write plans.
pub fn write(document: &Document) -> Result<String, serde_yaml::Error> {
    // By way of a JSON value: serde_yaml's own form of an enum is a YAML tag.
    serde_json::to_value(document).map_err(serde::ser::Error::custom).and_then(|value| serde_yaml::to_string(&value))
}

fn finish(plan: Option<super::Plan>, mut refused: Refused) -> Result<Checked, Refused> {
    let findings = &mut refused.findings;
    findings.sort_by(Finding::order);
    findings.dedup();
    if findings.len() > shape::FINDINGS_MAX {
        findings.truncate(shape::FINDINGS_MAX);
        let message = format!("there are more than {} findings, and the others are not shown", shape::FINDINGS_MAX);
        findings.push(Finding::error(Code::TooLarge, Path::top(), message, "mend these first"));
    }
    match plan.filter(|_| !refused.findings.iter().any(Finding::is_error)) {
        Some(plan) => Ok(Checked { revision: Revision::of(plan), warnings: refused.findings }),
        None => Err(refused),
    }
}

fn locate(findings: &mut [Finding], places: &Places, base: &Path) {
    for finding in findings {
        if finding.line.is_none()
            && let Some(place) = places.find(&base.then(finding.path.segments()), finding.spot)
        {
            (finding.line, finding.column, finding.width) = (Some(place.line), Some(place.column), place.width);
        }
        for related in finding.related.iter_mut().filter(|related| related.line.is_none()) {
            if let Some(place) = places.find(&base.then(related.path.segments()), finding.spot) {
                (related.line, related.column, related.width) = (Some(place.line), Some(place.column), place.width);
            }
        }
    }
}

fn not_text(bytes: &[u8], valid: usize) -> Finding {
    let before = String::from_utf8_lossy(bytes.get(..valid).unwrap_or_default());
    let line = before.split('\n').count();
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let message = format!("byte {valid} is not UTF-8 text");
    Finding::error(Code::Syntax, Path::top(), message, "save the file as UTF-8").at(small(line), small(column), 1)
}

/// Takes out what only the API server writes, of an object and of the items of a list.
fn pass_over_server_fields(value: &mut Value, lists: usize) {
    let Some(document) = value.as_object_mut() else { return };
    document.shift_remove("status");
    if let Some(items) = document.get_mut("items").and_then(Value::as_array_mut).filter(|_| lists > 0) {
        items.iter_mut().for_each(|item| pass_over_server_fields(item, lists - 1));
    }
    if let Some(metadata) = document.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|name, _| !Metadata::WRITTEN_BY_SERVER.contains(&name.as_str()));
    }
}

/// Whether `path` is within that.
fn written_by_server(path: &Path) -> bool {
    match path.segments() {
        [Segment::Key(first), ..] if first == "status" => true,
        [Segment::Key(first), Segment::Key(second), ..] => {
            first == "metadata" && Metadata::WRITTEN_BY_SERVER.contains(&second.as_str())
        }
        _ => false,
    }
}
