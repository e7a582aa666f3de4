//! Effects on their way: what the world takes from the engine.

use super::{
    clock::Moment,
    facts::Claim,
    model::{Delays, Ix, Model, NOBODY},
    task::Way,
};
use crate::{
    engine::{Action, Direction, Effect},
    plan::{BridgeName, Side},
};

/// An effect on its way to what it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flight {
    /// When it arrives; [`Moment::NEVER`]: whenever somebody lets it.
    pub due: Moment,
    /// The service that it concerns; [`NOBODY`]: it is a phase's or a bridge's.
    pub service: Ix,
    /// What it does.
    pub act: Act,
    /// The number of its order; 0: it is no order.
    pub number: u32,
    /// Which way it goes, as its key says.
    pub backward: bool,
    /// The version of the route that it rests on.
    pub version: Option<u32>,
    /// After this moment it should not be done.
    pub deadline: Moment,
    /// How long its change takes in the data plane, or a task, in milliseconds.
    pub programmed: i64,
    /// And then until answers show it.
    pub effective: i64,
}

/// What an effect does to a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Act {
    /// The route gives target this share, if it gave it that one.
    SetWeight {
        /// The new share in percent.
        weight: u8,
        /// The share it is expected to have.
        from: u8,
    },
    /// The route belongs to nobody.
    Release,
    /// The router knows this side.
    EnsureBackend(Side),
    /// One doing of this task begins.
    Task(u16, Way),
    /// The run counts on this bridge, or not any more.
    Claim(u16, Claim),
}

fn bridge_ix(model: &Model, name: &BridgeName) -> Option<u16> {
    model.bridges().binary_search(name).ok().and_then(|at| u16::try_from(at).ok())
}

impl Flight {
    /// What an effect does to this world; `None` if its service is none of the model's.
    pub fn of(model: &Model, effect: &Effect, now: Moment, delays: Delays) -> Option<Self> {
        let act = match &effect.action {
            Action::SetWeight { weight, from, .. } => Act::SetWeight { weight: weight.percent(), from: from.percent() },
            Action::Release { .. } => Act::Release,
            Action::EnsureBackend { side, .. } => Act::EnsureBackend(*side),
            Action::Task { task, .. } => Act::Task(model.task(&task.of, &task.task)?, Way::from(task.way)),
            Action::Claim { bridge } => Act::Claim(bridge_ix(model, bridge)?, Claim::Claimed),
            Action::Unclaim { bridge } => Act::Claim(bridge_ix(model, bridge)?, Claim::None),
        };
        Some(Self {
            due: now.plus(delays.wire),
            service: effect.key.step.service().map_or(Some(NOBODY), |name| model.index(name))?,
            act,
            number: effect.key.number,
            backward: effect.key.direction == Direction::Backward,
            version: effect.precondition.version.as_ref().map(|version| version.parse().unwrap_or(u32::MAX)),
            deadline: model.moment(effect.precondition.deadline),
            programmed: match act {
                Act::Task(task, way) => model.tasks().get(usize::from(task)).map_or(0, |task| task.length(way, delays.task)),
                _ => delays.programmed,
            },
            effective: delays.effective,
        })
    }

    /// Whether both are the same effect: the loop never has it under way twice.
    pub fn same(&self, other: &Self) -> bool {
        (self.service, self.act, self.number, self.backward) == (other.service, other.act, other.number, other.backward)
    }

    /// The same flight in a world whose clock was set back by `by`.
    pub fn rebase(&mut self, by: i64) {
        self.due.rebase(by, 0);
        self.deadline.rebase(by, 1);
    }
}
