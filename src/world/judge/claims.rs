//! What a run tells people that is not so.

use super::Breach;
use crate::{
    engine::{Direction, Invariant, Outcome, Record, ServiceState, Stage},
    plan::Side,
    world::{
        connections::{Open, Told},
        facts::Facts,
        flight::Act,
        model::{Ix, Model, Proof},
        rounds::Tone,
        state::World,
        task::Access,
    },
};

/// What a change of the record tells people that is not so: a service that counts as back has no traffic on target and none
/// on its way there; one that counts as moved has all of it there; a run that has ended leaves nothing half done.
pub fn claims(model: &Model, world: &World, looked: &Facts, before: &Record, after: &Record) -> Option<Breach> {
    if before == after {
        return None;
    }
    (0..).zip(model.services()).find_map(|(ix, service)| {
        let (was, is) = (before.services.get(&service.name)?, after.services.get(&service.name)?);
        if was.stage == is.stage && before.ended.is_some() == after.ended.is_some() || world.memory.touched(ix) {
            return None;
        }
        let ended = after.ended.as_ref().map(|ended| ended.outcome);
        let left = || left_behind(model, world, ix, is).filter(|_| before.ended.is_none() && ended.is_some());
        claim(world, ix, was, is, ended).or_else(|| settled(model, looked, ix, was, is)).or_else(left)
    })
}

fn claim(world: &World, ix: Ix, was: &ServiceState, is: &ServiceState, ended: Option<Outcome>) -> Option<Breach> {
    let route = world.facts.service(ix)?.route;
    let breach = |invariant, detail: String| Some(Breach { invariant, service: ix, detail });
    let new = was.stage != is.stage || ended.is_some();
    if new && is.stage == Stage::Returned && was.order.is_some() {
        let late = world.flights.iter().find(|f| {
            f.service == ix && f.version == Some(route.version) && matches!(f.act, Act::SetWeight { weight, .. } if weight > 0)
        });
        if route.in_force > 0 || route.accepted > 0 || late.is_some() {
            let share = route.in_force.max(route.accepted);
            if share == 0 {
                return breach(
                    Invariant::UndoOnStart,
                    "it counts as back while an order to target is still on its way".to_owned(),
                );
            }
            return breach(Invariant::UndoOnStart, format!("it counts as back while {share} % are on target"));
        }
    }
    let moved = matches!(is.stage, Stage::Soaking | Stage::Soaked) && matches!(was.stage, Stage::Shifting(_) | Stage::Waiting);
    if (moved || ended == Some(Outcome::Completed)) && route.in_force < 100 {
        return breach(Invariant::Fresh, format!("it counts as moved while {} % of its traffic are on target", route.in_force));
    }
    None
}

/// What a service has left behind that counts as moved: connections of legacy, or data that is not the same, as far as that was
/// to be seen.
fn settled(model: &Model, looked: &Facts, ix: Ix, was: &ServiceState, is: &ServiceState) -> Option<Breach> {
    if is.stage != Stage::Soaking || was.stage == Stage::Soaking {
        return None;
    }
    let service = model.service(ix)?;
    let breach = |invariant, detail: &str| Some(Breach { invariant, service: ix, detail: detail.to_owned() });
    let kept = service.connections.and_then(|place| model.connections().get(usize::from(place)));
    let open = looked.connections(model, ix).is_some_and(|own| matches!(own.open, Open::Renewed | Open::Until(_)));
    if open && kept.is_some_and(|kept| kept.router == Told::Counted) {
        return breach(Invariant::Fresh, "it counts as moved while legacy has connections");
    }
    let differs = model.gates().iter().zip(&looked.gates).any(|(gate, rounds)| {
        gate.service == ix && gate.proves == Some(Proof::Same) && rounds.answer(gate, looked.now) == Some(Tone::Bad)
    });
    if differs { breach(Invariant::OneWriter, "it counts as moved while its sides do not hold the same") } else { None }
}

/// What the end of a run leaves half done at a service: a way back that was ordered, traffic on both sides, a side that gets the
/// traffic and may not write, or an old address that is denied though legacy stays.
fn left_behind(model: &Model, world: &World, ix: Ix, is: &ServiceState) -> Option<Breach> {
    let breach = |invariant, detail: String| Some(Breach { invariant, service: ix, detail });
    if is.direction == Direction::Backward && is.stage != Stage::Returned {
        return breach(Invariant::UndoOnStart, "the run ended while it was to go back".to_owned());
    }
    let own = world.facts.service(ix)?;
    let (side, share) = match is.stage {
        Stage::Waiting | Stage::Returned => (Side::Legacy, 0),
        _ => (Side::Target, 100),
    };
    if own.route.in_force != share {
        let found = own.route.in_force;
        return breach(
            Invariant::Fresh,
            format!("the run ended with {found} % of its traffic on target, where {share} % was to be"),
        );
    }
    if world.facts.replication(model, ix).is_some() && own.side(side).writes == Access::Closed {
        return breach(Invariant::OneWriter, format!("the run ended with all its traffic on {side}, which may not write"));
    }
    let denied = is.stage != Stage::Decommissioned && world.facts.is_denied(model, ix);
    denied.then(|| Breach {
        invariant: Invariant::LegacyStays,
        service: ix,
        detail: "the run ended with its old address denied, and legacy stays".to_owned(),
    })
}
