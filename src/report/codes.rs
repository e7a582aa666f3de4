//! The codes of findings, listed and explained.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    findings::findings_of,
    render::{Colour, Source, render},
};
use crate::plan::Code;

/// All codes with a line each, for `gapless check --list`.
pub fn list() -> String {
    let width = Code::ALL.iter().map(|code| code.name().len()).max().unwrap_or(0);
    Code::ALL.iter().map(|code| format!("{:width$}  {}\n", code.name(), code.summary())).collect()
}

/// A code in full, for `gapless check --explain CODE`: why it matters, a wrong plan with what `check` says of it, and the
/// same plan mended.
pub fn explain(code: Code, colour: Colour) -> String {
    let (wrong, right) = (code.wrong(), code.right());
    let findings = findings_of(wrong.as_bytes());
    let source = Source::new(wrong).hiding(&findings);
    let said: Vec<String> = findings
        .iter()
        .filter(|finding| finding.code == code)
        .map(|finding| format!("{}\n", render(finding, "wrong.yaml", &source, colour)))
        .collect();
    let said = if said.is_empty() { String::new() } else { format!("check says:\n\n{}\n", said.join("\n")) };
    format!(
        "{code}: {}\n\n{}\n\nwrong.yaml\n\n{}\n{said}right.yaml\n\n{}",
        code.summary(),
        code.explanation(),
        indented(wrong),
        indented(right)
    )
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
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
    /// A plan that is wrong in just this way.
    pub wrong: String,
    /// The same plan mended.
    pub right: String,
}

impl CodeReport {
    /// The report of one code.
    pub fn of(code: Code) -> Self {
        Self {
            code,
            summary: code.summary().to_owned(),
            explanation: code.explanation().to_owned(),
            wrong: code.wrong().to_owned(),
            right: code.right().to_owned(),
        }
    }
    /// All codes.
    pub fn all() -> Vec<Self> {
        Code::ALL.iter().copied().map(Self::of).collect()
    }
}
