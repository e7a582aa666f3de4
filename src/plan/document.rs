//! A plan file: text in, a checked revision or all findings out. The only place where YAML is read.
//!
//! *Flow*: places of everything (saphyr) → values (serde_yaml, into JSON values, so that a file and an object of the API
//! server take one path) → shape (JSON schema) → types → meaning ([`super::check`]). A stage that fails does not stop the
//! next ones: they look at what could be read.
//! *Guarantees*: any bytes give an answer, in bounded time and memory; findings come all at once, in the order of the text.
//! *Assumptions*: none about the text.
//! *Caveats*: what the API server writes (`status`, and metadata such as `uid`) is no part of what is wanted and is passed
//! over, so that `kubectl get -o yaml` can be checked as it is.

use serde::Deserialize as _;
use serde_json::Value;

use super::{
    check,
    finding::{Code, Finding},
    model::Revision,
    path::Path,
    places::{self, Places},
    shape,
    spec::{self, Document, Metadata, MigrationPlanSpec},
};

/// The longest text that is read, in bytes.
pub const SIZE_MAX: usize = 8 << 20;

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

/// Reads and checks the text of a plan file. Pure: the caller reads files and writes findings.
pub fn read(text: impl AsRef<[u8]>) -> Result<Checked, Refused> {
    let (value, places, mut findings) = decode(text.as_ref());
    let judged = value.as_ref().map(check::check);
    let (plan, name, services) = match judged {
        Some(judged) => {
            findings.extend(judged.findings);
            (judged.plan, judged.name, judged.services)
        }
        None => (None, None, 0),
    };
    locate(&mut findings, &places);
    finish(plan, name, services, findings)
}

/// Checks a plan that came as an object, as the operator gets it. Findings have paths (from the object's top), no lines.
pub fn check_spec(name: &str, namespace: &str, spec: &MigrationPlanSpec) -> Result<Checked, Refused> {
    let document = serde_json::json!({
        "apiVersion": spec::API_VERSION,
        "kind": spec::KIND,
        "metadata": { "name": name, "namespace": namespace },
        "spec": spec,
    });
    let judged = check::check(&document);
    finish(judged.plan, judged.name, judged.services, judged.findings)
}

/// A plan as a YAML document, for tools that write plans.
pub fn write(document: &Document) -> Result<String, serde_yaml::Error> {
    // By way of a JSON value: serde_yaml's own form of an enum is a YAML tag.
    serde_json::to_value(document).map_err(serde::ser::Error::custom).and_then(|value| serde_yaml::to_string(&value))
}

fn finish(
    plan: Option<super::Plan>,
    name: Option<String>,
    services: usize,
    mut findings: Vec<Finding>,
) -> Result<Checked, Refused> {
    findings.sort_by(Finding::order);
    findings.dedup();
    if findings.len() > shape::FINDINGS_MAX {
        findings.truncate(shape::FINDINGS_MAX);
        let message = format!("there are more than {} findings, and the others are not shown", shape::FINDINGS_MAX);
        findings.push(Finding::error(Code::TooLarge, Path::top(), message, "mend these first"));
    }
    match plan.filter(|_| !findings.iter().any(Finding::is_error)) {
        Some(plan) => Ok(Checked { revision: Revision::of(plan), warnings: findings }),
        None => Err(Refused { name, services, findings }),
    }
}

fn locate(findings: &mut [Finding], places: &Places) {
    for finding in findings {
        if finding.line.is_none()
            && let Some(place) = places.find(&finding.path, finding.spot)
        {
            (finding.line, finding.column, finding.width) = (Some(place.line), Some(place.column), place.width);
        }
        for related in finding.related.iter_mut().filter(|related| related.line.is_none()) {
            if let Some(place) = places.find(&related.path, finding.spot) {
                (related.line, related.column, related.width) = (Some(place.line), Some(place.column), place.width);
            }
        }
    }
}

/// The values of a text, where it has any; what is wrong with the text so far.
fn decode(bytes: &[u8]) -> (Option<Value>, Places, Vec<Finding>) {
    let refuse = |finding| (None, Places::default(), vec![finding]);
    if bytes.len() > SIZE_MAX {
        let message = format!("the document is longer than {SIZE_MAX} bytes, and no more is read");
        return refuse(Finding::error(Code::TooLarge, Path::top(), message, "divide the plan"));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => return refuse(not_text(bytes, error.valid_up_to())),
    };
    let survey = places::survey(text);
    let mut findings = survey.findings;
    let value = if survey.readable { values(text, &mut findings) } else { None };
    (value, survey.places, findings)
}

fn not_text(bytes: &[u8], valid: usize) -> Finding {
    let before = String::from_utf8_lossy(bytes.get(..valid).unwrap_or_default());
    let line = before.split('\n').count();
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let message = format!("byte {valid} is not UTF-8 text");
    Finding::error(Code::Syntax, Path::top(), message, "save the file as UTF-8").at(small(line), small(column), 1)
}

fn values(text: &str, findings: &mut Vec<Finding>) -> Option<Value> {
    let document = serde_yaml::Deserializer::from_str(text).next()?;
    match Value::deserialize(document) {
        Ok(mut value) => {
            pass_over_server_fields(&mut value);
            Some(value)
        }
        Err(error) => {
            let at = error.location().map(|place| format!(" at line {} column {}", place.line(), place.column()));
            let message = error.to_string();
            let message = at.as_deref().map_or(message.as_str(), |at| message.trim_end_matches(at));
            let help = "look at this place and just above it";
            let mut finding = Finding::error(Code::Syntax, Path::top(), format!("this cannot be read: {message}"), help);
            if let Some(place) = error.location() {
                let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
                finding = finding.at(small(place.line()), small(place.column()), 1);
            }
            findings.push(finding);
            None
        }
    }
}

/// Takes out what only the API server writes.
fn pass_over_server_fields(value: &mut Value) {
    let Some(document) = value.as_object_mut() else { return };
    document.shift_remove("status");
    if let Some(metadata) = document.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|name, _| !Metadata::WRITTEN_BY_SERVER.contains(&name.as_str()));
    }
}
