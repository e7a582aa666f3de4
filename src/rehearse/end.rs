//! How one rehearsal ended.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    engine::Outcome,
    plan::WindowName,
    world::{Moment, budget::Kind},
};

/// How one rehearsal ended. Times are in the world's, from the beginning of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The seed that makes it again.
    pub seed: u64,
    /// How it ended, or that it holds and nothing but a person can help.
    pub outcome: Outcome,
    /// When the last service had all of its traffic on target; `None`: not all of them had.
    pub moved: Option<Moment>,
    /// When it ended; `None`: it holds.
    pub over: Option<Moment>,
    /// From the first service that went back until the last of them was back, in milliseconds; `None`: none did, or not all
    /// came back.
    pub rollback: Option<i64>,
    /// Each window in which services shift.
    pub windows: Vec<(WindowName, WindowEnd)>,
    /// The faults that struck.
    pub faults: Vec<Struck>,
    /// Why it did not complete; empty if it did.
    pub why: String,
    /// What must never happen and did, in words.
    pub violations: Vec<String>,
    /// How often the loop looked.
    pub looks: u32,
}

/// A fault that struck.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Struck {
    /// What kind it is.
    pub kind: Kind,
    /// When.
    pub at: Moment,
    /// What happened, as a sentence without a full stop.
    pub what: String,
}

/// How a run fitted a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum WindowEnd {
    /// All services that shift in it had all their traffic on target so many milliseconds before it closed.
    Fits(i64),
    /// Its latest rollback came while something was in motion.
    Overran,
    /// It closed, or the run ended, before all of them were on target; nothing was in motion then.
    Undone,
}
