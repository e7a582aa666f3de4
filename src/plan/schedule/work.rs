//! What takes time in a run, by name.

use std::fmt;

use crate::plan::names::{BridgeName, PhaseName, ServiceName, TaskName};

/// Something that takes time, by its name in the plan. What was measured under it replaces what the plan expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work<'a> {
    /// Both sides found and ready.
    Prepare(&'a ServiceName),
    /// From the order of a weight until traffic shows it.
    Effective(&'a ServiceName),
    /// Caches forget the old time to live of a record set.
    OldTtl(&'a ServiceName),
    /// The target is warmed.
    Warm(&'a ServiceName),
    /// A task of a service.
    Task(&'a ServiceName, &'a TaskName),
    /// It is taken back.
    TaskUndo(&'a ServiceName, &'a TaskName),
    /// A task of a phase.
    PhaseTask(&'a PhaseName, &'a TaskName),
    /// It is taken back.
    PhaseTaskUndo(&'a PhaseName, &'a TaskName),
    /// Legacy is made read-only.
    Fence(&'a ServiceName),
    /// Target is made writable.
    Promote(&'a ServiceName),
    /// Target is made read-only again.
    FenceBack(&'a ServiceName),
    /// Legacy is made writable again.
    PromoteBack(&'a ServiceName),
    /// A batch job is suspended or resumed.
    Cron(&'a ServiceName, &'a str),
    /// Connections of the legacy side end.
    Drain(&'a ServiceName),
    /// A bridge is put up.
    BridgeUp(&'a BridgeName),
    /// It is taken down.
    BridgeDown(&'a BridgeName),
}

impl fmt::Display for Work<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prepare(s) => write!(f, "{s}/prepare"),
            Self::Effective(s) => write!(f, "{s}/effective"),
            Self::OldTtl(s) => write!(f, "{s}/lower-ttl"),
            Self::Warm(s) => write!(f, "{s}/warm"),
            Self::Task(s, t) => write!(f, "{s}/{t}"),
            Self::TaskUndo(s, t) => write!(f, "{s}/{t}/undo"),
            Self::PhaseTask(p, t) => write!(f, "phase {p}/{t}"),
            Self::PhaseTaskUndo(p, t) => write!(f, "phase {p}/{t}/undo"),
            Self::Fence(s) => write!(f, "{s}/fence"),
            Self::Promote(s) => write!(f, "{s}/promote"),
            Self::FenceBack(s) => write!(f, "{s}/fence-back"),
            Self::PromoteBack(s) => write!(f, "{s}/promote-back"),
            Self::Cron(s, job) => write!(f, "{s}/cron {job}"),
            Self::Drain(s) => write!(f, "{s}/drain"),
            Self::BridgeUp(b) => write!(f, "bridge {b}/up"),
            Self::BridgeDown(b) => write!(f, "bridge {b}/down"),
        }
    }
}
