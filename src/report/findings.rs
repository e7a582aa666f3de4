//! The JSON contract of `gapless check`, and the same for people.

use schemars::JsonSchema;
use serde::Serialize;

use super::render::clean;
pub use super::{
    codes::{CodeReport, explain, list},
    render::{Colour, Source, render},
};
use crate::{
    engine::step_count,
    plan::{Checked, Contents, Finding, PassedOver, Refused, Severity, read_all},
};

/// The result of `gapless check -o json`. Fields are only ever added.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckReport {
    /// Each plan, in the order of the command line and of the text. A file that holds none, or that cannot be read as one,
    /// counts as a plan without a name.
    pub plans: Vec<PlanReport>,
    /// The objects that are no plans.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<PassedOverReport>,
}

/// An object of a file that is no plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PassedOverReport {
    /// The file, as it was named.
    pub file: String,
    /// The line on which it begins, from 1.
    pub line: u32,
    /// What it says that it is.
    pub kind: String,
    /// Its name, where it has one.
    pub name: Option<String>,
}

/// What was found in one plan.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanReport {
    /// The file, as it was named; `-` is standard input.
    pub file: String,
    /// The plan's name; null where it could not be read.
    pub name: Option<String>,
    /// The digest of its revision; null for a plan with errors.
    pub digest: Option<String>,
    /// How many services it lists.
    pub services: usize,
    /// How many steps they have together; 0 for a plan with errors.
    pub steps: usize,
    /// All findings, in the order of the text.
    pub findings: Vec<Finding>,
}

impl PlanReport {
    /// The report of what [`crate::plan::read`] gave for `file`.
    pub fn new(file: impl Into<String>, result: Result<Checked, Refused>) -> Self {
        let file = file.into();
        match result {
            Ok(Checked { revision, warnings }) => Self {
                file,
                name: Some(revision.plan().name.to_string()),
                digest: Some(revision.digest().to_string()),
                services: revision.plan().services.len(),
                steps: step_count(revision.plan()),
                findings: warnings,
            },
            Err(Refused { name, services, findings }) => Self { file, name, digest: None, services, steps: 0, findings },
        }
    }

    /// How many findings of this weight there are.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// Everything for a person: the findings with their lines, then one line that sums up.
    pub fn text(&self, source: &str, colour: Colour) -> String {
        self.text_of(&Source::new(source).hiding(&self.findings), colour)
    }

    fn text_of(&self, source: &Source<'_>, colour: Colour) -> String {
        let mut text = String::new();
        for finding in &self.findings {
            text.push_str(&render(finding, &self.file, source, colour));
            text.push_str("\n\n");
        }
        text.push_str(&self.summary());
        text.push('\n');
        text
    }

    fn summary(&self) -> String {
        let many = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let (errors, warnings) = (self.count(Severity::Error), self.count(Severity::Warning));
        let verdict = match (errors, warnings) {
            (0, 0) => "good".to_owned(),
            (0, _) => many(warnings, "warning"),
            (_, 0) => many(errors, "error"),
            _ => format!("{}, {}", many(errors, "error"), many(warnings, "warning")),
        };
        let name = self.name.as_deref().map_or_else(String::new, |name| format!("plan {}, ", clean(name)));
        match &self.digest {
            Some(digest) => {
                let short = digest.get(..12).unwrap_or(digest);
                format!(
                    "{}: {name}{}, {}, digest {short}: {verdict}",
                    self.file,
                    many(self.services, "service"),
                    many(self.steps, "step")
                )
            }
            None if self.services == 0 && name.is_empty() => format!("{}: {verdict}", self.file),
            None => format!("{}: {name}{}: {verdict}", self.file, many(self.services, "service")),
        }
    }
}

/// What was found in one file.
#[derive(Debug, Clone, PartialEq)]
pub struct FileReport {
    /// Its plans.
    pub plans: Vec<PlanReport>,
    /// The objects in it that are no plans.
    pub passed_over: Vec<PassedOverReport>,
}

impl FileReport {
    /// The report of what [`crate::plan::read_all`] gave for `file`.
    pub fn new(file: &str, contents: Contents) -> Self {
        let passed_over = |PassedOver { kind, name, line }| PassedOverReport { file: file.to_owned(), line, kind, name };
        Self {
            plans: contents.plans.into_iter().map(|plan| PlanReport::new(file, plan.result)).collect(),
            passed_over: contents.passed_over.into_iter().map(passed_over).collect(),
        }
    }

    /// Everything for a person: each plan's findings and its line that sums up, then what was passed over.
    pub fn text(&self, source: &Source<'_>, colour: Colour) -> String {
        let source = &source.hiding(self.plans.iter().flat_map(|plan| &plan.findings));
        let mut text: String = self.plans.iter().map(|plan| plan.text_of(source, colour)).collect();
        for other in &self.passed_over {
            let name = other.name.as_deref().map_or_else(String::new, |name| format!(" {}", clean(name)));
            text.push_str(&format!(
                "{}:{}: {}{name} is no plan and was passed over\n",
                other.file,
                other.line,
                clean(&other.kind)
            ));
        }
        text
    }
}

impl CheckReport {
    /// Adds what was found in one more file.
    pub fn add(&mut self, file: FileReport) {
        self.plans.extend(file.plans);
        self.passed_over.extend(file.passed_over);
    }
    /// Whether any plan has a finding of this weight.
    pub fn has(&self, severity: Severity) -> bool {
        self.plans.iter().any(|plan| plan.count(severity) > 0)
    }
}

/// All findings of a text, warnings of good plans included.
pub(super) fn findings_of(text: &[u8]) -> Vec<Finding> {
    let findings = |result| match result {
        Ok(Checked { warnings, .. }) => warnings,
        Err(Refused { findings, .. }) => findings,
    };
    read_all(text).plans.into_iter().flat_map(|plan| findings(plan.result)).collect()
}
