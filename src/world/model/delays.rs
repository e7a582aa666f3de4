//! How long things take in a world.

/// How long things take in a world, in milliseconds. [`super::Sim`] takes these for every effect unless it is told others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Delays {
    /// From performing an effect until it reaches what it changes.
    pub wire: i64,
    /// From there until the data plane has taken it over.
    pub programmed: i64,
    /// From there until real answers show it.
    pub effective: i64,
    /// How long a task takes; `None`: as long as its plan expects.
    pub task: Option<i64>,
}

impl Delays {
    /// Nothing takes any time.
    pub const NONE: Self = Self { wire: 0, programmed: 0, effective: 0, task: None };
    /// What the test cluster shows on a quiet day: a write in 20 ms, a data plane in 200 ms, answers 300 ms later.
    pub const USUAL: Self = Self { wire: 20, programmed: 200, effective: 300, task: None };
}
