//! The names of the invariants, the same in code, tests and docs. What each says: `docs/design/invariants.md`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An invariant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Invariant {
    /// A side's weight is raised only if its fresh healthy capacity is enough; the weights never sum to 0.
    Served,
    /// A single-writer service never has two writable sides.
    OneWriter,
    /// A legacy system stays until every service on it is past its soak, its traffic is zero, and its end is approved.
    LegacyStays,
    /// Before the end of the soak there is always a way back.
    WayBack,
    /// Needs hold forwards, their reverse backwards.
    Order,
    /// A gate sample counts only if it was taken after the shift it judges was effective.
    Fresh,
    /// No data neither passes nor fails.
    UnknownHolds,
    /// What others own is preserved; an unexpected change holds.
    NoClobber,
    /// A rollback only moves to a side that is better, or to one that is enough.
    NoWorse,
    /// A step that may have begun is undone.
    UndoOnStart,
    /// A route is driven by at most one run.
    OneOwner,
}

impl Invariant {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Served,
        Self::OneWriter,
        Self::LegacyStays,
        Self::WayBack,
        Self::Order,
        Self::Fresh,
        Self::UnknownHolds,
        Self::NoClobber,
        Self::NoWorse,
        Self::UndoOnStart,
        Self::OneOwner,
    ];
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Served => "served",
            Self::OneWriter => "one-writer",
            Self::LegacyStays => "legacy-stays",
            Self::WayBack => "way-back",
            Self::Order => "order",
            Self::Fresh => "fresh",
            Self::UnknownHolds => "unknown-holds",
            Self::NoClobber => "no-clobber",
            Self::NoWorse => "no-worse",
            Self::UndoOnStart => "undo-on-start",
            Self::OneOwner => "one-owner",
        })
    }
}
