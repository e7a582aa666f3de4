//! Bridges: first in and last out.

use super::Found;
use crate::{
    engine::Invariant,
    world::{
        facts::{Claim, Facts},
        model::Model,
        state::World,
        task::{Access, Change, Way},
    },
};

/// Whether a bridge stands, as far as our run puts it up.
pub(super) fn stands(model: &Model, world: &World, ix: u16) -> bool {
    let managed = model.tasks().iter().any(|task| matches!(task.does, Change::Bridges(of, _) if of == ix));
    !managed || world.facts.bridges.get(usize::from(ix)).is_some_and(|bridge| bridge.stands == Access::Open)
}

/// What taking a bridge down breaks, if it was decided by these facts: nobody counts on it any more.
pub(super) fn lowered(model: &Model, looked: &Facts, task: u16, way: Way) -> Option<Found> {
    let Change::Bridges(ix, Access::Closed) = model.tasks().get(usize::from(task))?.change(way) else { return None };
    let name = model.bridges().get(usize::from(ix)).map(ToString::to_string).unwrap_or_default();
    if looked.bridges.get(usize::from(ix)).is_some_and(|bridge| bridge.others == Claim::Claimed) {
        return Some(Found::new(Invariant::OneOwner, format!("bridge {name} is taken down while another run counts on it")));
    }
    let between = |route: &crate::world::facts::Route| route.change.is_some() || !matches!(route.in_force, 0 | 100);
    let mut users = model.services().iter().zip(&looked.services).filter(|(service, _)| service.bridges.contains(&ix));
    let (service, _) = users.find(|(_, facts)| between(&facts.route))?;
    Some(Found::new(Invariant::Order, format!("bridge {name} is taken down while {} is on its way across", service.name)))
}
