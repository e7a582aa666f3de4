//! What is wrong with a plan: a stable code, where, why it matters, what to do.

use std::{cmp::Ordering, fmt};

use schemars::JsonSchema;
use serde::Serialize;

pub use super::code::Code;
use super::path::Path;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// The plan is refused.
    Error,
    /// The plan can be run; somebody should look at this first.
    Warning,
    /// Something to know. Nothing is wrong with the plan.
    Note,
}
impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

/// Whether a finding is about a field's name or about its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    /// The name of the field.
    Key,
    /// What stands behind the name.
    Value,
}

/// Another place that belongs to a finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Related {
    /// Where.
    pub path: Path,
    /// The line, from 1; null where there is no text, as for objects of the API server.
    pub line: Option<u32>,
    /// The column, from 1, in characters.
    pub column: Option<u32>,
    /// What is there.
    pub message: String,
    #[serde(skip)]
    pub(crate) width: u32,
}

/// One thing that is wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Its kind.
    pub code: Code,
    /// Its weight.
    pub severity: Severity,
    /// Where.
    pub path: Path,
    /// The line, from 1; null where there is no text, as for objects of the API server.
    pub line: Option<u32>,
    /// The column, from 1, in characters.
    pub column: Option<u32>,
    /// What is wrong: a sentence.
    pub message: String,
    /// What to do: a sentence.
    pub help: String,
    /// Other places that belong to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Related>,
    /// How many characters of its line it covers, for underlining.
    #[serde(skip)]
    pub(crate) width: u32,
    #[serde(skip)]
    pub(crate) spot: Spot,
}

impl Finding {
    /// An error at the value at `path`.
    pub fn error(code: Code, path: Path, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            path,
            line: None,
            column: None,
            message: message.into(),
            help: help.into(),
            related: Vec::new(),
            width: 0,
            spot: Spot::Value,
        }
    }
    /// A warning at the value at `path`.
    pub fn warning(code: Code, path: Path, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, path, message, help) }
    }
    /// A note at the value at `path`.
    pub fn note(code: Code, path: Path, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { severity: Severity::Note, ..Self::error(code, path, message, help) }
    }
    /// The same about the field's name instead of its value.
    #[must_use]
    pub fn at_key(self) -> Self {
        Self { spot: Spot::Key, ..self }
    }
    /// The same at this place in the text: line and column from 1, `width` characters of the line.
    #[must_use]
    pub fn at(self, line: u32, column: u32, width: u32) -> Self {
        Self { line: Some(line), column: Some(column), width, ..self }
    }
    /// The same with another place that belongs to it.
    #[must_use]
    pub fn with(mut self, path: Path, message: impl Into<String>) -> Self {
        self.related.push(Related { path, line: None, column: None, message: message.into(), width: 0 });
        self
    }
    /// Whether it refuses the plan.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
    /// The order in which findings are shown: as a reader meets them.
    pub fn order(&self, other: &Self) -> Ordering {
        let place = |f: &Self| (f.line.unwrap_or(u32::MAX), f.column.unwrap_or(u32::MAX));
        place(self)
            .cmp(&place(other))
            .then_with(|| self.path.cmp(&other.path))
            .then_with(|| self.code.cmp(&other.code))
            .then_with(|| self.message.cmp(&other.message))
    }
}

impl fmt::Display for Finding {
    /// One line, for logs and conditions: `error[cycle] spec.services[0].needs[0]: …; help`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}] ", self.severity, self.code)?;
        if !self.path.segments().is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}; {}", self.message, self.help)
    }
}

/// The name among `known` that `wrong` was most likely meant to be.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if wrong.len() > 80 {
        return None; // longer than any name can be; the comparison takes time with the length
    }
    let lower = wrong.to_lowercase();
    let distance = |name: &str| strsim::damerau_levenshtein(&lower, &name.to_lowercase());
    let limit = (wrong.chars().count() / 3).max(1);
    known.into_iter().map(|name| (distance(name), name)).filter(|(d, _)| *d <= limit).min().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_near() {
        assert_eq!(nearest("gaets", ["name", "gates", "probes"]), Some("gates"));
        assert_eq!(nearest("rollback", ["Rollback", "Hold"]), Some("Rollback"));
        assert_eq!(nearest("zebra", ["name", "gates"]), None);
    }
}
