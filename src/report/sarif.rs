//! Findings in SARIF 2.1.0 (OASIS, <https://docs.oasis-open.org/sarif/sarif/v2.1.0/>), the form that code hosting shows
//! beside the lines of a change.
//!
//! *Flow*: one run for all files; a rule for each code; a result for each finding.
//! *Assumptions*: files are named as they lie in the repository, so that their names are its URIs. Columns count Unicode
//! characters, as `columnKind` says.
//! *Caveats*: standard input has no URI; its results name `stdin`.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{findings::PlanReport, render::Source};
use crate::plan::{Code, Finding, Severity};

/// The schema of the format, by its published address.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// All results of a call of `gapless check`.
#[derive(Debug, Default)]
pub struct Sarif {
    results: Vec<Value>,
    unreadable: Vec<Value>,
}

impl Sarif {
    /// Adds the findings of a plan; `source` is the text of its file.
    pub fn add(&mut self, plan: &PlanReport, source: &Source<'_>) {
        self.results.extend(plan.findings.iter().map(|finding| result(finding, &plan.file, source)));
    }

    /// Adds a file that could not be read.
    pub fn add_unreadable(&mut self, file: &str, why: &str) {
        let message = format!("{file} cannot be read: {why}");
        self.unreadable.push(json!({ "level": "error", "message": { "text": message } }));
    }

    /// The whole log.
    pub fn log(self) -> Value {
        json!({
            "$schema": SCHEMA,
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "gapless",
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "rules": Code::ALL.iter().copied().map(rule).collect::<Vec<_>>(),
                } },
                "invocations": [{
                    "executionSuccessful": self.unreadable.is_empty(),
                    "toolExecutionNotifications": self.unreadable,
                }],
                "columnKind": "unicodeCodePoints",
                "results": self.results,
            }],
        })
    }
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.name(),
        "shortDescription": { "text": code.summary() },
        "fullDescription": { "text": code.explanation().replace('\n', " ") },
        "help": { "text": code.explanation(), "markdown": code.page() },
    })
}

fn result(finding: &Finding, file: &str, source: &Source<'_>) -> Value {
    let index = Code::ALL.iter().position(|code| *code == finding.code);
    let region = region(finding.line, finding.column, finding.width, source);
    let mut location = location(file, region);
    if let Some(map) = location.as_object_mut() {
        map.insert("logicalLocations".into(), json!([{ "fullyQualifiedName": finding.path, "kind": "value" }]));
    }
    let related = finding.related.iter().enumerate().map(|(id, related)| {
        let mut location = self::location(file, self::region(related.line, related.column, related.width, source));
        if let Some(map) = location.as_object_mut() {
            map.insert("id".into(), id.into());
            map.insert("message".into(), json!({ "text": related.message }));
        }
        location
    });
    json!({
        "ruleId": finding.code.name(),
        "ruleIndex": index,
        "level": match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        },
        "message": { "text": format!("{}; {}", finding.message, finding.help) },
        "locations": [location],
        "relatedLocations": related.collect::<Vec<_>>(),
        "partialFingerprints": { "gaplessFinding/v1": fingerprint(finding) },
    })
}

fn location(file: &str, region: Option<Value>) -> Value {
    let mut physical = json!({ "artifactLocation": { "uri": uri(file) } });
    if let (Some(map), Some(region)) = (physical.as_object_mut(), region) {
        map.insert("region".into(), region);
    }
    json!({ "physicalLocation": physical })
}

fn region(line: Option<u32>, column: Option<u32>, width: u32, source: &Source<'_>) -> Option<Value> {
    let (line, column) = (line?, column?);
    let mut region = json!({ "startLine": line, "startColumn": column, "endLine": line });
    let end = source.end_column(line, column, width).filter(|end| *end > column as usize);
    if let (Some(map), Some(end)) = (region.as_object_mut(), end) {
        map.insert("endColumn".into(), end.into());
    }
    Some(region)
}

/// The same finding after lines were added above it: it does not depend on its line.
fn fingerprint(finding: &Finding) -> String {
    let text = format!("{}\n{}\n{}", finding.code, finding.path, finding.message);
    Sha256::digest(text.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// A file's name as a URI reference (RFC 3986): relative as it was given, or `file://` for an absolute one.
fn uri(file: &str) -> String {
    if file == "-" {
        return "stdin".to_owned();
    }
    let path = file.strip_prefix("./").unwrap_or(file);
    let mut uri = if path.starts_with('/') { "file://".to_owned() } else { String::new() };
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn a_files_name_becomes_a_uri() {
        assert_eq!(uri("./plans/a b.yaml"), "plans/a%20b.yaml");
        assert_eq!(uri("/tmp/ä.yaml"), "file:///tmp/%C3%A4.yaml");
        assert_eq!(uri("c:d.yaml"), "c%3Ad.yaml");
        assert_eq!(uri("-"), "stdin");
    }
}
