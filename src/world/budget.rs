//! The kinds of faults, and how many of them one run may have.

use std::fmt;

use super::connections::{self, Told};
use crate::plan::Plan;

/// A kind of fault. Each strikes at any point of a path, as often as the budget allows; lasting ones end at any point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A gate fails.
    GateFails,
    /// A gate has no answer.
    GateSilent,
    /// No endpoint of a side answers.
    SideDies,
    /// A side has too few endpoints for all of the traffic.
    SideShrinks,
    /// A router can neither be asked nor written.
    RouterSilent,
    /// A data plane does not take new weights over.
    PlaneStuck,
    /// An effect never arrives.
    EffectLost,
    /// An effect arrives at any later time, also after its deadline and after others; nobody hears whether.
    EffectLate,
    /// The process ends between any two phases of its loop, and another begins.
    Crash,
    /// A look shows what was so at one of the last looks: everything, or only the routes.
    StaleRead,
    /// Another process took a look, and commits and performs what it decided at any later time.
    TwoLeaders,
    /// Somebody else writes the weights of a route.
    Drift,
    /// Another run takes over a route.
    Seized,
    /// A task fails.
    TaskFails,
    /// A task that has begun never ends.
    TaskHangs,
    /// People say no to what the plan asks them.
    Refused,
    /// People order a hold.
    Hold,
    /// People order everything back.
    Rollback,
    /// People resume what holds.
    Resume,
    /// Replication of a single writer is slower than what is written.
    ReplicationSlow,
    /// Replication of a single writer stands still.
    ReplicationStops,
    /// A job writes to a legacy side that may not write any more.
    StrayWrite,
    /// A client never closes its connection to legacy.
    ClientStays,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 23] = [
        Self::GateFails,
        Self::GateSilent,
        Self::SideDies,
        Self::SideShrinks,
        Self::RouterSilent,
        Self::PlaneStuck,
        Self::EffectLost,
        Self::EffectLate,
        Self::Crash,
        Self::StaleRead,
        Self::TwoLeaders,
        Self::Drift,
        Self::Seized,
        Self::TaskFails,
        Self::TaskHangs,
        Self::Refused,
        Self::Hold,
        Self::Rollback,
        Self::Resume,
        Self::ReplicationSlow,
        Self::ReplicationStops,
        Self::StrayWrite,
        Self::ClientStays,
    ];

    /// Whether this kind can strike anything of this plan: what only some plans have is left out for the others.
    pub fn concerns(self, plan: &Plan) -> bool {
        let mut services = plan.services.values();
        match self {
            Self::ReplicationSlow | Self::ReplicationStops | Self::StrayWrite => services.any(|s| s.data.is_some()),
            Self::ClientStays => services.any(|s| s.max_connection_age.is_some() && connections::told(s) == Told::Counted),
            _ => true,
        }
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
    /// Its name, as `--faults` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::GateFails => "gate-fails",
            Self::GateSilent => "gate-silent",
            Self::SideDies => "side-dies",
            Self::SideShrinks => "side-shrinks",
            Self::RouterSilent => "router-silent",
            Self::PlaneStuck => "data-plane-stuck",
            Self::EffectLost => "effect-lost",
            Self::EffectLate => "effect-late",
            Self::Crash => "crash",
            Self::StaleRead => "stale-read",
            Self::TwoLeaders => "two-leaders",
            Self::Drift => "drift",
            Self::Seized => "seized",
            Self::TaskFails => "task-fails",
            Self::TaskHangs => "task-hangs",
            Self::Refused => "approval-refused",
            Self::Hold => "hold",
            Self::Rollback => "rollback",
            Self::Resume => "resume",
            Self::ReplicationSlow => "replication-slow",
            Self::ReplicationStops => "replication-stopped",
            Self::StrayWrite => "stray-write",
            Self::ClientStays => "client-stays",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How many faults a path may still have: so many in all, and so many of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Budget {
    total: u8,
    each: [u8; Kind::ALL.len()],
}

impl Budget {
    /// Up to `total` faults, each of any of these kinds.
    pub fn of(total: u8, kinds: &[Kind]) -> Self {
        let mut budget = Self { total, each: [0; Kind::ALL.len()] };
        kinds.iter().for_each(|kind| budget = budget.with(*kind, total));
        budget
    }
    /// The same with so many of one kind.
    pub fn with(mut self, kind: Kind, most: u8) -> Self {
        self.each.get_mut(kind as usize).into_iter().for_each(|each| *each = most.min(self.total));
        self
    }
    /// The same with at most so many in all.
    pub fn up_to(mut self, total: u8) -> Self {
        self.total = self.total.min(total);
        let total = self.total;
        self.each.iter_mut().for_each(|each| *each = (*each).min(total));
        self
    }
    /// The same without the kinds that find nobody to strike in this plan.
    pub fn of_plan(self, plan: &Plan) -> Self {
        Kind::ALL.into_iter().filter(|kind| !kind.concerns(plan)).fold(self, |budget, kind| budget.with(kind, 0))
    }
    /// Whether it allows all that the other one does.
    pub fn covers(&self, other: &Self) -> bool {
        self.total >= other.total && self.each.iter().zip(&other.each).all(|(own, other)| own >= other)
    }
    /// How many in all.
    pub fn total(self) -> u8 {
        self.total
    }
    /// Whether one of this kind may still strike.
    pub fn allows(self, kind: Kind) -> bool {
        self.total > 0 && self.each.get(kind as usize).is_some_and(|each| *each > 0)
    }
    /// What is left after one of this kind.
    pub fn spend(&mut self, kind: Kind) {
        self.total = self.total.saturating_sub(1);
        self.each.get_mut(kind as usize).into_iter().for_each(|each| *each = each.saturating_sub(1));
        *self = self.up_to(self.total); // more than that makes no difference
    }
    /// The kinds that may strike, with how many of each.
    pub fn kinds(self) -> impl Iterator<Item = (Kind, u8)> {
        Kind::ALL.into_iter().zip(self.each).filter(move |(_, each)| *each > 0)
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "up to {} of ", self.total)?;
        for (place, (kind, each)) in self.kinds().enumerate() {
            write!(f, "{}{kind}", if place > 0 { ", " } else { "" })?;
            if each < self.total {
                write!(f, " (at most {each})")?;
            }
        }
        Ok(())
    }
}
