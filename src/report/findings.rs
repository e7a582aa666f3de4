//! Findings as rustc shows them, and as the JSON contract of `gapless check`.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    engine::step_count,
    plan::{Checked, Code, Finding, Refused, Severity},
};

/// A longer line is not printed: a plan on one line of a megabyte would be printed once for each finding.
const LINE_MAX: usize = 500;

/// The result of `gapless check -o json`. Fields are only ever added.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckReport {
    /// Each file that could be read, in the order of the command line.
    pub plans: Vec<PlanReport>,
}

/// What was found in one file.
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

/// Whether a text may have colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Only for a terminal.
    Terminal,
    /// For files and pipes.
    Plain,
}

/// One finding as rustc would show it: code, message, the line underlined, related places, what to do.
pub fn render(finding: &Finding, file: &str, source: &str, colour: Colour) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let renderer = match colour {
        Colour::Terminal => Renderer::styled(),
        Colour::Plain => Renderer::plain(),
    };
    let group = level.primary_title(clean(&finding.message)).id(finding.code.name());
    let group = match Excerpt::of(finding, source) {
        Some(excerpt) => group.element(excerpt.snippet(file)),
        None => origin(group.elements(std::iter::empty::<Origin<'_>>()), finding, file),
    };
    renderer.render(&[group.element(Level::HELP.message(clean(&finding.help)))])
}

fn origin<'a>(group: Group<'a>, finding: &Finding, file: &'a str) -> Group<'a> {
    let mut origin = Origin::path(file);
    if let (Some(line), Some(column)) = (finding.line, finding.column) {
        origin = origin.line(line as usize).char_column(column as usize);
    }
    group.element(origin)
}

/// The lines from the first to the last place of a finding.
struct Excerpt<'a> {
    first_line: usize,
    lines: Vec<&'a str>,
    marks: Vec<(AnnotationKind, std::ops::Range<usize>, String)>,
}

impl<'a> Excerpt<'a> {
    /// `None` if the finding has no place in the text, or one on an overlong line.
    fn of(finding: &Finding, source: &'a str) -> Option<Self> {
        let own = (finding.line? as usize, finding.column? as usize, finding.width as usize);
        let near = finding
            .related
            .iter()
            .filter_map(|r| Some(((r.line? as usize, r.column? as usize, r.width as usize), r.message.as_str())));
        let places: Vec<_> = std::iter::once((own, "")).chain(near).collect();
        let first_line = places.iter().map(|((line, ..), _)| *line).min()?;
        let last_line = places.iter().map(|((line, ..), _)| *line).max()?;
        let lines: Vec<&str> = source
            .strip_prefix('\u{feff}')
            .unwrap_or(source)
            .lines()
            .skip(first_line - 1)
            .take(last_line - first_line + 1)
            .collect();
        if lines.iter().any(|line| line.len() > LINE_MAX) {
            return None;
        }
        let mut marks = Vec::new();
        for (index, ((line, column, width), message)) in places.into_iter().enumerate() {
            let before: usize = lines.iter().take(line - first_line).map(|line| line.len() + 1).sum();
            let text = lines.get(line - first_line)?;
            let range = bytes(text, column - 1, width);
            let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
            marks.push((kind, before + range.start..before + range.end, clean(message)));
        }
        Some(Self { first_line, lines, marks })
    }

    fn snippet(self, file: &'a str) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let annotations = self.marks.into_iter().map(|(kind, range, label)| {
            let annotation = kind.span(range);
            if label.is_empty() { annotation } else { annotation.label(label) }
        });
        Snippet::source(self.lines.join("\n")).line_start(self.first_line).path(file).annotations(annotations)
    }
}

/// The bytes of `width` characters of `line` from `start`; width 0: to its end, without a comment after it.
fn bytes(line: &str, start: usize, width: usize) -> std::ops::Range<usize> {
    let at = |chars: usize| line.char_indices().nth(chars).map_or(line.len(), |(byte, _)| byte);
    let from = at(start);
    let to = match width {
        0 => {
            let rest = line.get(from..).unwrap_or_default();
            from + rest.find(" #").map_or(rest, |comment| rest.get(..comment).unwrap_or(rest)).trim_end().len()
        }
        width => at(start + width),
    };
    from..to.max(from)
}

/// Without control characters, which could paint a terminal.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// All codes with a line each, for `gapless check --list`.
pub fn list() -> String {
    let width = Code::ALL.iter().map(|code| code.name().len()).max().unwrap_or(0);
    Code::ALL.iter().map(|code| format!("{:width$}  {}\n", code.name(), code.summary())).collect()
}

/// A code in full, for `gapless check --explain`.
pub fn explain(code: Code) -> String {
    format!("{}\n\n{}\n\n{}\n", code.name(), code.summary(), code.explanation())
}

/// A code in `gapless check --list -o json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CodeReport {
    /// The stable name.
    pub code: Code,
    /// When it is reported.
    pub summary: String,
    /// Why it matters and what to do.
    pub explanation: String,
}

impl CodeReport {
    /// All codes.
    pub fn all() -> Vec<Self> {
        let report =
            |code: &Code| Self { code: *code, summary: code.summary().to_owned(), explanation: code.explanation().to_owned() };
        Code::ALL.iter().map(report).collect()
    }
}
