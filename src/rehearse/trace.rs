//! One rehearsal told from moment to moment.

use schemars::JsonSchema;
use serde::Serialize;

/// One line of a told rehearsal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// When, in UTC.
    pub at: String,
    /// How long after the beginning of the run.
    pub after: String,
    /// Whether the world did it or the run.
    pub by: By,
    /// What happened.
    pub what: String,
}

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum By {
    /// The world: a fault, or its end.
    World,
    /// People: an answer, a resume.
    People,
    /// The run: what was decided.
    Run,
    /// The judge of the world: an invariant is broken.
    Judge,
}

impl By {
    fn sign(self) -> char {
        match self {
            Self::World => '!',
            Self::People => '?',
            Self::Run => '|',
            Self::Judge => '#',
        }
    }
}

impl Line {
    /// The line for people.
    pub fn text(&self) -> String {
        format!("{}  {:>16} {} {}\n", self.at, self.after, self.by.sign(), self.what)
    }
}
