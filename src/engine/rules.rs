//! Which rules a decision obeys. The product always obeys all; tests and `explore --without` leave one out, to show that
//! the checks find the gap it leaves.

use super::invariant::Invariant;

/// The rules of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    without: Option<Invariant>,
}

impl Rules {
    /// All of them.
    pub const ALL: Self = Self { without: None };

    /// All but the one that keeps `invariant`. For showing what goes wrong then, never for a live run.
    pub const fn without(invariant: Invariant) -> Self {
        Self { without: Some(invariant) }
    }
    /// Whether the rule that keeps `invariant` is in force.
    pub fn keep(self, invariant: Invariant) -> bool {
        self.without != Some(invariant)
    }
}
