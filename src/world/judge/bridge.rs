//! Bridges: first in and last out.

use super::Found;
use crate::{
    engine::Invariant,
    world::{
        facts::{Claim, Facts},
        model::{Ix, Model},
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
pub(super) fn lowered(model: &Model, world: &World, looked: &Facts, task: u16, way: Way) -> Option<Found> {
    let Change::Bridges(ix, Access::Closed) = model.tasks().get(usize::from(task))?.change(way) else { return None };
    let name = model.bridges().get(usize::from(ix)).map(ToString::to_string).unwrap_or_default();
    if looked.bridges.get(usize::from(ix)).is_some_and(|bridge| bridge.others == Claim::Claimed) {
        return Some(Found::new(Invariant::OneOwner, format!("bridge {name} is taken down while another run counts on it")));
    }
    // An old look may show somebody on the way who is not any more. Where a hand has put traffic nobody answers for.
    let route = |facts: &Facts, of: Ix| facts.service(of).map(|s| s.route);
    let on_its_way = |facts: &Facts, of| route(facts, of).is_some_and(|r| r.change.is_some() || !matches!(r.in_force, 0 | 100));
    let apart = |facts: &Facts, one, other| route(facts, one).map(|r| r.in_force) != route(facts, other).map(|r| r.in_force);
    let known = [looked, &world.facts];
    let by_hand = |of: Ix| world.memory.touched(of);
    for (of, service) in (0..).zip(model.services()).filter(|(of, service)| service.bridges.contains(&ix) && !by_hand(*of)) {
        if known.iter().all(|facts| on_its_way(facts, of)) {
            let detail = format!("bridge {name} is taken down while {} is on its way across", service.name);
            return Some(Found::new(Invariant::Order, detail));
        }
        let across = service.across.iter().filter(|(bridge, need)| *bridge == ix && !by_hand(*need));
        if let Some((_, need)) = across.into_iter().find(|(_, need)| known.iter().all(|facts| apart(facts, of, *need))) {
            let need = model.service(*need).map(|need| need.name.to_string()).unwrap_or_default();
            let detail = format!("bridge {name} is taken down while {} needs {need} across it", service.name);
            return Some(Found::new(Invariant::Order, detail));
        }
    }
    None
}
