//! Faults as they are drawn: when, what, whom, and whether they pass.
//!
//! * *When*: a fault waits for a change of the record, any of those of the run without faults being as likely as the others,
//!   and then for a part of the time that lay between this change and the next. So faults strike where things are decided, not
//!   in the many days in which nothing is.
//! * *What*: each kind that the budget still allows is as likely as the others.
//! * *Whom*: three of four strike what is in motion, if anything is; the others strike anybody.
//! * *Whether it passes*: seven of eight faults that last pass by themselves; half of those within 13 minutes, 95 of 100 within
//!   half an hour. What never passes ends a run as `Held` or `RolledBack`.

use super::{
    chance::{Chance, Luck},
    duration::Takes,
};
use crate::{
    engine::{Direction, Record, Stage},
    plan::Side,
    world::{
        Happening, Ix, Model, Moment, Tone, World,
        budget::{Budget, Kind},
        connections::{Client, Told},
        facts::{Plane, Reach},
        people::Wish,
        replication::{Data, Pace},
        task::{Access, Luck as TaskLuck},
    },
};

/// How long a fault lasts that passes.
const LASTS: Takes = Takes::Expected(1_800_000);
/// How late an effect is that is late.
const LATE: Takes = Takes::Expected(300_000);

/// A fault that waits for its moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// What kind it is.
    pub kind: Kind,
    /// It waits for this change of the record, from 0.
    pub edge: usize,
    /// And then so many milliseconds.
    pub after: i64,
}

/// What a fault does when its moment has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strike {
    /// This befalls the world; it ends with that, if it ends.
    Befalls(Happening, Option<Mend>),
    /// The next effect never arrives.
    LosesNext,
    /// The next effect arrives so many milliseconds late.
    DelaysNext(i64),
    /// The next question is answered with no.
    RefusesNext,
    /// There is nobody whom it could strike now; it waits for one.
    Later,
}

/// How a lasting fault ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mend {
    /// This befalls the world.
    By(Happening),
    /// Whoever wrote by hand writes back what stood there.
    WritesBack(Ix),
}

/// The faults of one run, drawn within the budget: none, one, ... up to its total, each number as likely as the others.
pub fn draw(budget: Budget, gaps: &[i64], chance: &mut Chance) -> Vec<Waiting> {
    let mut left = budget;
    let count = chance.below(u64::from(budget.total()) + 1);
    let mut faults = Vec::new();
    for _ in 0..count {
        let kinds: Vec<Kind> = left.kinds().map(|(kind, _)| kind).collect();
        let Some(kind) = chance.pick(&kinds).copied() else { break };
        left.spend(kind);
        let edge = usize::try_from(chance.below(gaps.len() as u64)).unwrap_or(0);
        let gap = gaps.get(edge).copied().unwrap_or_default().unsigned_abs();
        let after = i64::try_from(chance.below(gap)).unwrap_or_default();
        faults.push(Waiting { kind, edge, after });
    }
    faults.sort_by_key(|fault| (fault.edge, fault.after));
    faults
}

/// When a fault that strikes now is over; `None`: never.
pub fn lasts(chance: &mut Chance) -> Option<i64> {
    match chance.hits(7, 8) {
        Luck::Hit => Some(LASTS.draw(chance)),
        Luck::Miss => None,
    }
}

/// What a fault of this kind does now.
pub fn strike(kind: Kind, model: &Model, world: &World, record: &Record, chance: &mut Chance) -> Strike {
    let lasting = |what, mend| Strike::Befalls(what, Some(Mend::By(mend)));
    match kind {
        Kind::EffectLost => return Strike::LosesNext,
        Kind::EffectLate => return Strike::DelaysNext(LATE.draw(chance)),
        Kind::Refused => return Strike::RefusesNext,
        Kind::Crash => return Strike::Befalls(Happening::Restart, None),
        Kind::Rollback => return Strike::Befalls(Happening::People(Wish::Rollback), None),
        Kind::Hold => return lasting(Happening::People(Wish::Hold), Happening::People(Wish::Run)),
        Kind::TaskFails | Kind::TaskHangs => return task(kind, world, chance),
        _ => {}
    }
    let Some(ix) = whom(model, record, chance) else { return Strike::Later };
    let side = if chance.hits(1, 2) == Luck::Hit { Side::Legacy } else { Side::Target };
    let Some((service, facts)) = model.service(ix).zip(world.facts.service(ix)) else { return Strike::Later };
    let all = service.sides.get(side as usize).map_or(0, |numbers| numbers.endpoints);
    match kind {
        Kind::GateFails | Kind::GateSilent => gate(kind, model, world, ix, chance),
        Kind::SideDies if facts.side(side).healthy > 0 => {
            lasting(Happening::Healthy(ix, side, 0), Happening::Healthy(ix, side, all))
        }
        Kind::SideShrinks => match (1..all).rev().find(|few| !service.carries(side, *few, 100)) {
            Some(few) => lasting(Happening::Healthy(ix, side, few), Happening::Healthy(ix, side, all)),
            None => Strike::Later,
        },
        Kind::RouterSilent => lasting(Happening::Router(ix, Reach::Silent), Happening::Router(ix, Reach::Answers)),
        Kind::PlaneStuck => lasting(Happening::DataPlane(ix, Plane::Stuck), Happening::DataPlane(ix, Plane::Takes)),
        Kind::Drift => {
            let weight = u8::try_from(chance.below(101)).unwrap_or(0);
            Strike::Befalls(Happening::ByHand(ix, weight), Some(Mend::WritesBack(ix)))
        }
        Kind::Seized => Strike::Befalls(Happening::Seized(ix), None),
        Kind::ReplicationSlow | Kind::ReplicationStops | Kind::StrayWrite => writer(kind, model, world, chance),
        Kind::ClientStays => client(model, world, chance),
        _ => Strike::Later,
    }
}

/// A task that runs.
fn task(kind: Kind, world: &World, chance: &mut Chance) -> Strike {
    let tasks = (0u16..).zip(&world.facts.tasks);
    let running = tasks.filter(|(_, task)| task.over().is_some_and(|over| over != Moment::NEVER)).map(|(ix, _)| ix);
    let running: Vec<u16> = running.collect();
    let Some(ix) = chance.pick(&running).copied() else { return Strike::Later };
    let luck = if kind == Kind::TaskFails { TaskLuck::Fails } else { TaskLuck::Hangs };
    Strike::Befalls(Happening::Task(ix, luck), Some(Mend::By(Happening::Task(ix, TaskLuck::Works))))
}

/// A single writer: its replication, or a job that goes on writing where nobody may any more.
fn writer(kind: Kind, model: &Model, world: &World, chance: &mut Chance) -> Strike {
    let fenced = |ix: Ix| world.facts.service(ix).is_some_and(|s| s.side(Side::Legacy).writes == Access::Closed);
    let strikes = |ix: &Ix| match world.facts.replication(model, *ix) {
        Some(own) if kind == Kind::StrayWrite => fenced(*ix) && own.data == Data::Same,
        Some(own) => own.pace == Pace::KeepsUp,
        None => false,
    };
    let single: Vec<Ix> = model.replications().iter().map(|single| single.service).filter(strikes).collect();
    let Some(ix) = chance.pick(&single).copied() else { return Strike::Later };
    let slow =
        |pace| Strike::Befalls(Happening::Replication(ix, pace), Some(Mend::By(Happening::Replication(ix, Pace::KeepsUp))));
    match kind {
        Kind::ReplicationSlow => slow(Pace::Slow),
        Kind::ReplicationStops => slow(Pace::Stopped),
        _ => Strike::Befalls(Happening::Stray(ix, Side::Legacy), Some(Mend::By(Happening::Repaired(ix)))),
    }
}

/// A client that keeps its connection to legacy.
fn client(model: &Model, world: &World, chance: &mut Chance) -> Strike {
    let kept = model.connections().iter().filter(|kept| kept.router == Told::Counted).map(|kept| kept.service);
    let closes = |ix: &Ix| world.facts.connections(model, *ix).is_some_and(|own| own.client == Client::Closes);
    let kept: Vec<Ix> = kept.filter(closes).collect();
    let Some(ix) = chance.pick(&kept).copied() else { return Strike::Later };
    Strike::Befalls(Happening::Client(ix, Client::Stays), Some(Mend::By(Happening::Client(ix, Client::Closes))))
}

fn gate(kind: Kind, model: &Model, world: &World, ix: Ix, chance: &mut Chance) -> Strike {
    let tone = if kind == Kind::GateFails { Tone::Bad } else { Tone::Silent };
    let good = |place: &usize| world.facts.gates.get(*place).is_some_and(|rounds| rounds.tone == Tone::Good);
    let places: Vec<usize> = model.gates_of(ix).map(|(place, _)| place).filter(good).collect();
    let Some(place) = chance.pick(&places).and_then(|place| u16::try_from(*place).ok()) else { return Strike::Later };
    Strike::Befalls(Happening::Gate(place, tone), Some(Mend::By(Happening::Gate(place, Tone::Good))))
}

fn whom(model: &Model, record: &Record, chance: &mut Chance) -> Option<Ix> {
    let of = |wanted: &dyn Fn(Stage, Direction) -> bool| -> Vec<Ix> {
        let services = (0..).zip(model.services());
        let found =
            services.filter(|(_, s)| record.services.get(&s.name).is_some_and(|state| wanted(state.stage, state.direction)));
        found.map(|(ix, _)| ix).collect()
    };
    let moving = of(&|stage, _| matches!(stage, Stage::Shifting(_) | Stage::Returning));
    let anybody = of(&|stage, _| !matches!(stage, Stage::Returned | Stage::Decommissioning | Stage::Decommissioned));
    let strikes_motion = chance.hits(3, 4) == Luck::Hit && !moving.is_empty();
    chance.pick(if strikes_motion { &moving } else { &anybody }).copied()
}
