//! How long each piece of work of a plan takes: by the plan, or as it was measured.

use super::{chance::Chance, duration::Takes, measured::Measured};
use crate::{
    engine::{Action, Effect, TaskWay},
    plan::schedule::Expected,
    world::{Delays, Model},
};

/// From performing an effect until it reaches what it changes, in milliseconds: a call within one network.
const WIRE: i64 = 20;

/// How long everything takes that a plan has done, by the numbers of its model.
#[derive(Debug, Clone)]
pub struct Works {
    effective: Vec<Takes>,
    tasks: Vec<Takes>,
}

impl Works {
    /// As `measured` knows; else as the plan of this model expects.
    pub fn of(model: &Model, measured: &Measured) -> Self {
        let plan = model.revision().plan();
        let expected = Expected::of(plan);
        let takes = |known: Option<&Vec<i64>>, ms: i64| match known {
            Some(times) if !times.is_empty() => Takes::Measured(times.clone()),
            _ => Takes::Expected(ms),
        };
        let effective = plan.services.iter().map(|(name, service)| {
            let ms = i64::try_from(expected.effective(name, service).get().as_millis()).unwrap_or(i64::MAX);
            takes(measured.effective(name), ms)
        });
        let tasks = model.tasks().iter().map(|task| takes(measured.task_of(&task.of, &task.name, TaskWay::Do), task.takes));
        Self { effective: effective.collect(), tasks: tasks.collect() }
    }

    /// What this effect takes this time. A data plane has a weight after two fifths of the time in which answers show it.
    pub fn draw(&self, model: &Model, effect: &Effect, chance: &mut Chance) -> Delays {
        let mut delays = Delays { wire: WIRE, ..Delays::NONE };
        match &effect.action {
            Action::SetWeight { service, .. } | Action::Release { service } => {
                let takes = model.index(service).and_then(|ix| self.effective.get(usize::from(ix)));
                let all = takes.map_or(1, |takes| takes.draw(chance));
                delays.programmed = all.saturating_sub(all / 5 * 3);
                delays.effective = all / 5 * 3;
            }
            Action::Task { task, .. } => {
                let takes = model.task(&task.of, &task.task).and_then(|ix| self.tasks.get(usize::from(ix)));
                delays.task = takes.map(|takes| takes.draw(chance));
            }
            Action::Claim { .. } | Action::Unclaim { .. } | Action::EnsureBackend { .. } => {}
        }
        delays
    }
}
