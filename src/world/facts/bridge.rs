//! Bridges as they stand, and who counts on them.

use crate::world::task::Access;

/// A bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct BridgeFacts {
    /// Whether it stands.
    pub stands: Access,
    /// Whether our run counts on it.
    pub ours: Claim,
    /// Whether another run does.
    pub others: Claim,
    /// Whether another run is taking it down: nobody claims it meanwhile.
    pub lowering: Lowering,
}

/// Whether another run is taking a bridge down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Lowering {
    /// None is.
    #[default]
    Nobody,
    /// One is.
    Another,
}

/// Whether a run counts on a bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Claim {
    /// It does not.
    #[default]
    None,
    /// It does.
    Claimed,
}
