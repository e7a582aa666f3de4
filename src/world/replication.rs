//! Replication of a single-writer service: what the side that writes has accepted and the other does not hold yet.
//!
//! *Flow*: while the side that may write gets traffic, writes are always on their way. Replication that keeps up has each of
//! them on the other side within [`ON_ITS_WAY`]; one that is slower than the writes, or stands still, falls behind. Once nothing
//! is written any more the rest is copied, at a pace. Lag gates, proofs and comparisons answer by this and nothing else.
//! *Guarantees*: three levels and the exact moment at which the present one is left, so that time jumps there and states stay
//! few. The same calls give the same value.
//! *Assumptions*: a pace that changes begins the time of a level anew; a promotion begins a replication the other way round with
//! nothing in it.
//! *Caveats*: how much is behind is not counted, only whether it is more than what is under way.

use super::{
    clock::Moment,
    facts::ServiceFacts,
    model::{Ix, Model, ms},
    task::{Access, Change, Stands},
};
use crate::plan::{Plan, Service, Side};

/// How long a write is on its way to the other side, in milliseconds.
pub const ON_ITS_WAY: i64 = 500;
/// Slower than the writes, replication is behind after so many milliseconds of them.
pub const FALLS_BEHIND: i64 = 5_000;
/// How long a replication that keeps up takes for what is behind, in milliseconds.
pub const CATCHES_UP: i64 = 600_000;
/// How long one that is slower than the writes takes for it once there are none, in milliseconds.
pub const CRAWLS: i64 = 3_600_000;

/// A single-writer service in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplicationModel {
    /// The service.
    pub service: Ix,
    /// Its pause budget, in milliseconds.
    pub budget: i64,
    /// How long after the beginning of a pause either end of it still comes within the budget, if it begins then.
    pub latest: i64,
    /// What is to happen when nobody can write for longer than that.
    pub over: Over,
}

/// What ends a pause that is over its budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// The fence is taken back.
    Unfence,
    /// Nothing takes it back: the way forward does.
    Forward,
}

/// What is on one side and not on the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Backlog {
    /// Nothing.
    Empty,
    /// What was written a moment ago.
    OnItsWay,
    /// More than that.
    Behind,
}

/// How fast what is written is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Pace {
    /// Faster than it is written.
    #[default]
    KeepsUp,
    /// Slower.
    Slow,
    /// Not at all.
    Stopped,
}

/// Whether both sides hold the same, apart from what is yet to be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Data {
    /// They do.
    #[default]
    Same,
    /// Something that one side accepted will never be on the other.
    Differs,
}

/// Whether writes are accepted now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Writes {
    /// They are.
    Arrive,
    /// There are none, or they are refused.
    Rest,
}

/// The replication of one service as it really is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Replication {
    /// The side that is copied to: the one that was not promoted last.
    pub to: Side,
    /// What is not there yet.
    pub backlog: Backlog,
    /// When that changes by itself; [`Moment::NEVER`]: it does not.
    pub changes_at: Moment,
    /// How fast it is copied.
    pub pace: Pace,
    /// Whether writes are accepted now.
    pub writes: Writes,
    /// Since when nobody can write: from the beginning of a fence to the first write that somebody may accept.
    pub paused_since: Option<Moment>,
    /// Whether something was lost.
    pub data: Data,
}

/// The single-writer services of a plan, in the order of their names.
pub(super) fn all(plan: &Plan) -> Vec<ReplicationModel> {
    let single = (0..).zip(plan.services.values()).filter_map(|(ix, service)| {
        let data = service.data.as_ref()?;
        let takes = data.unfencing().map_or(0, |switch| ms(switch.expect)).max(ms(data.promote.expect));
        let budget = ms(data.pause_budget);
        Some(ReplicationModel { service: ix, budget, latest: (budget - takes).max(0), over: over(service) })
    });
    single.collect()
}

fn over(service: &Service) -> Over {
    let unfences = service.data.as_ref().is_some_and(|data| data.unfencing().is_some());
    if unfences { Over::Unfence } else { Over::Forward }
}

/// The other side.
pub(super) fn other(side: Side) -> Side {
    match side {
        Side::Legacy => Side::Target,
        Side::Target => Side::Legacy,
    }
}

/// Whether a side gets traffic that it accepts writes of.
fn accepts(service: &ServiceFacts, side: Side) -> bool {
    let share = if side == Side::Target { service.route.in_force } else { 100u8.saturating_sub(service.route.in_force) };
    let own = service.side(side);
    own.writes == Access::Open && own.healthy > 0 && share > 0
}

impl Replication {
    /// Legacy has been writing for a long time, and replication keeps up.
    pub(super) fn new() -> Self {
        Self {
            to: Side::Target,
            backlog: Backlog::OnItsWay,
            changes_at: Moment::NEVER,
            pace: Pace::KeepsUp,
            writes: Writes::Arrive,
            paused_since: None,
            data: Data::Same,
        }
    }

    /// The side that is copied from.
    pub fn from(&self) -> Side {
        other(self.to)
    }

    /// For how long the present backlog stays as it is, in milliseconds; `None`: for good.
    fn stays(&self) -> Option<i64> {
        match (self.writes, self.pace, self.backlog) {
            (_, _, Backlog::Empty) | (_, Pace::Stopped, Backlog::Behind) => None,
            (Writes::Arrive, Pace::KeepsUp, Backlog::OnItsWay) | (Writes::Arrive, Pace::Slow, Backlog::Behind) => None,
            (Writes::Rest, Pace::Stopped, Backlog::OnItsWay) => None,
            (Writes::Arrive, Pace::Slow | Pace::Stopped, Backlog::OnItsWay) => Some(FALLS_BEHIND),
            (_, Pace::KeepsUp, Backlog::Behind) => Some(CATCHES_UP),
            (Writes::Rest, Pace::KeepsUp, Backlog::OnItsWay) => Some(ON_ITS_WAY),
            (Writes::Rest, Pace::Slow, Backlog::OnItsWay) => Some(10 * ON_ITS_WAY),
            (Writes::Rest, Pace::Slow, Backlog::Behind) => Some(CRAWLS),
        }
    }

    fn begin(&mut self, now: Moment) {
        self.changes_at = self.stays().map_or(Moment::NEVER, |ms| now.plus(ms));
    }

    /// The present backlog has stood for its time.
    pub(super) fn change(&mut self, now: Moment) {
        self.backlog = match (self.writes, self.pace) {
            (Writes::Arrive, Pace::KeepsUp) => Backlog::OnItsWay,
            (Writes::Arrive, Pace::Slow | Pace::Stopped) => Backlog::Behind,
            (Writes::Rest, _) => Backlog::Empty,
        };
        self.begin(now);
    }

    /// It is copied at this pace from now on.
    pub(super) fn set_pace(&mut self, pace: Pace, now: Moment) {
        if pace != self.pace {
            self.pace = pace;
            self.begin(now);
        }
    }

    /// Follows what became of the service: whether writes arrive, and whether the pause is over.
    pub(super) fn follow(&mut self, service: &ServiceFacts, closing: Option<Side>, now: Moment) {
        let writes = if accepts(service, self.from()) { Writes::Arrive } else { Writes::Rest };
        if writes != self.writes {
            self.writes = writes;
            if writes == Writes::Arrive && self.backlog == Backlog::Empty {
                self.backlog = Backlog::OnItsWay;
            }
            self.begin(now);
        }
        let over = Side::BOTH.into_iter().any(|side| closing != Some(side) && accepts(service, side));
        if over {
            self.paused_since = None;
        }
    }

    /// A side may write that might not. If that is the one that is copied to, what is not there yet is lost, and replication
    /// turns round.
    pub(super) fn opens(&mut self, side: Side, now: Moment) {
        if side != self.to {
            return;
        }
        if self.backlog != Backlog::Empty {
            self.data = Data::Differs;
        }
        (self.to, self.backlog, self.writes) = (other(side), Backlog::Empty, Writes::Rest);
        self.begin(now);
    }

    /// Something writes to a side that may not write: into what is to be copied from, behind a fence, or over what was copied.
    pub(super) fn stray(&mut self, side: Side, now: Moment) {
        if side == self.to {
            self.data = Data::Differs;
        } else if self.writes == Writes::Rest {
            self.backlog = self.backlog.max(Backlog::OnItsWay);
            self.begin(now);
        }
    }

    pub(super) fn rebase(&mut self, by: i64, model: &ReplicationModel) {
        self.changes_at.rebase(by, 0);
        self.paused_since.iter_mut().for_each(|since| since.rebase(by, model.budget.saturating_add(1)));
    }
}

/// The side of a service whose fence has begun and is not over.
pub(super) fn closing(model: &Model, tasks: &[super::task::TaskFacts], ix: Ix) -> Option<Side> {
    let own = model.tasks().iter().zip(tasks).filter(|(task, _)| task.service == Some(ix));
    let mut running = own.filter(|(_, facts)| matches!(facts.stands, Stands::Running(_)));
    running.find_map(|(task, facts)| match task.change(facts.way) {
        Change::Writes(side, Access::Closed) => Some(side),
        _ => None,
    })
}
