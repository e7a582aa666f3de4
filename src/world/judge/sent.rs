//! What an effect breaks: when it is sent, and when it is done.

use super::{Breach, Found, Rank, bridge, ends, rank, writer};
use crate::{
    engine::{Invariant, route::STALE},
    plan::Side,
    world::{
        facts::{Facts, Reach, Route},
        flight::{Act, Flight},
        model::{Ix, Model, OURS, ServiceModel, ms},
        rounds::Tone,
        state::World,
        task::Access,
    },
};

/// What an effect that is sent now breaks, if it was decided by these facts.
pub fn sent(model: &Model, world: &World, looked: &Facts, flight: &Flight) -> Option<Breach> {
    let ix = flight.service;
    if let Act::Task(task, way) = flight.act
        && let Some(found) = bridge::lowered(model, world, looked, task, way)
    {
        return found.of(ix);
    }
    let service = model.service(ix)?;
    let route = looked.service(ix)?.route;
    let breach = |invariant, detail: String| Some(Breach { invariant, service: ix, detail });
    let too_old = world.now().since(looked.now) > ms(STALE);
    let past = world.memory.of(ix);
    // Whose a route is that nobody can tell keeps no task of a way back waiting.
    let unasked = too_old && matches!(flight.act, Act::Task(..)) && (past.cause || world.memory.ordered_back);
    if let Some(run) = route.owner.filter(|run| *run != OURS && route.reach == Reach::Answers && !unasked) {
        let owner = model.owner(run).map(ToString::to_string).unwrap_or_default();
        return breach(Invariant::OneOwner, format!("its route is driven by {owner}, and is written"));
    }
    if let Act::Task(task, way) = flight.act {
        let ends = ends::ordered(model, &world.memory, [looked, &world.facts], ix, (task, way));
        return ends.or_else(|| writer::opens(model, world, looked, flight))?.of(ix);
    }
    let Act::SetWeight { weight, .. } = flight.act else { return None };
    if too_old {
        return breach(Invariant::UnknownHolds, "its route is written after a look that is too old to count".to_owned());
    }
    let by_hand = past.by_hand;
    let found = if weight > route.accepted {
        raised(model, world, looked, (ix, service), (weight, flight.number), &route)?
    } else if weight < route.accepted && !by_hand {
        lowered(model, world, looked, (ix, service), weight, &route)?
    } else {
        return None;
    };
    found.of(ix)
}

/// Target is to get more: it can carry it, legacy could take it back, all it needs is there, and the weight before has
/// proven itself. But a dead legacy is left at once.
fn raised(
    model: &Model,
    world: &World,
    looked: &Facts,
    (ix, service): (Ix, &ServiceModel),
    (weight, number): (u8, u32),
    route: &Route,
) -> Option<Found> {
    let target = rank(service, looked, ix, Side::Target, weight);
    if target != Rank::Enough {
        return Some(Found::new(Invariant::Served, format!("{weight} % are given to a target that cannot carry them")));
    }
    let writes = world.facts.service(ix).is_some_and(|s| s.side(Side::Target).writes == Access::Open);
    if service.is_single_writer() && !writes {
        return Some(Found::new(Invariant::OneWriter, format!("{weight} % are given to a target that may not write")));
    }
    if number <= world.memory.of(ix).sent {
        return None; // it may be on its way: sending it again decides nothing
    }
    let legacy = rank(service, looked, ix, Side::Legacy, 100);
    if legacy == Rank::Dead && weight == 100 {
        return None; // an evacuation
    }
    // Once target alone may write legacy could not take the traffic back however healthy it is; the pause must end.
    let promoted =
        service.is_single_writer() && world.facts.service(ix).is_some_and(|s| s.side(Side::Legacy).writes == Access::Closed);
    if legacy != Rank::Enough && !(promoted && weight == 100) {
        return Some(Found::new(
            Invariant::WayBack,
            format!("{weight} % are given to target while legacy could not take them back"),
        ));
    }
    if let Some(found) = starts_in_order(model, world, looked, (ix, service), (route, promoted)) {
        return Some(found);
    }
    let silent = model.gates_of(ix).find(|(place, gate)| {
        let answer = looked.gates.get(*place).and_then(|rounds| rounds.answer(gate, looked.now));
        matches!(answer, None | Some(Tone::Silent))
    });
    if let Some((_, gate)) = silent {
        return Some(Found::new(
            Invariant::UnknownHolds,
            format!("{weight} % are given to target while gate {} has no answer", gate.name),
        ));
    }
    let ours = route.owner == Some(OURS) && !world.memory.of(ix).touched;
    if route.in_force == 0 && route.accepted == 0 || !ours {
        return None;
    }
    let since = route.in_force_since;
    // How long it was in force the clock tells, however old the look.
    if route.change.is_some() || world.now().since(since) < service.bake {
        return Some(Found::new(
            Invariant::Fresh,
            format!("{weight} % follow before {} % were in force for their time", route.accepted),
        ));
    }
    let unproven = model.gates_of(ix).find(|(place, gate)| {
        let good = looked.gates.get(*place).map_or(0, |rounds| rounds.good_since(gate, since, looked.now));
        good < gate.wanted
    });
    let (_, gate) = unproven?;
    Some(Found::new(Invariant::Fresh, format!("{weight} % follow before gate {} passed at {} %", gate.name, route.accepted)))
}

/// The first traffic that goes to target goes there after all traffic of what it needs, and of earlier phases unless it follows a
/// writer that was promoted.
fn starts_in_order(
    model: &Model,
    world: &World,
    looked: &Facts,
    (ix, service): (Ix, &ServiceModel),
    (route, promoted): (&Route, bool),
) -> Option<Found> {
    if route.in_force != 0 || route.accepted != 0 {
        return None;
    }
    if let Some(bridge) = service.bridges.iter().find(|ix| !bridge::stands(model, world, **ix)) {
        let name = model.bridges().get(usize::from(*bridge)).map(ToString::to_string).unwrap_or_default();
        return Some(Found::new(Invariant::Order, format!("it gets traffic on target before bridge {name} stands")));
    }
    let before = if promoted { &[][..] } else { model.phases_before(ix) };
    let of_phase = (0..).zip(model.services()).filter(|(_, other)| before.contains(&other.phase)).map(|(other, _)| other);
    let ahead = service.needs.iter().copied().chain(of_phase);
    let there = |facts: &Facts, other| facts.service(other).is_some_and(|s| s.route.in_force == 100 && s.route.accepted == 100);
    let late = ahead
        .filter(|other| !world.memory.of(*other).touched)
        .find(|other| !there(looked, *other) && !there(&world.facts, *other))?;
    let name = model.service(late).map(|s| s.name.to_string()).unwrap_or_default();
    Some(Found::new(Invariant::Order, format!("it gets traffic on target before {name} has all of its own there")))
}

/// Target is to get less: there is a reason in the world, whoever needs it is back, and legacy is better or enough.
fn lowered(
    model: &Model,
    world: &World,
    looked: &Facts,
    (ix, service): (Ix, &ServiceModel),
    weight: u8,
    route: &Route,
) -> Option<Found> {
    if !world.memory.of(ix).cause && !world.memory.ordered_back {
        return Some(Found::new(Invariant::UnknownHolds, "it goes back though no gate failed and nobody ordered it".to_owned()));
    }
    let dependent = service.dependents.iter().find(|other| {
        let away = [looked, &world.facts].into_iter().all(|facts| facts.service(**other).is_some_and(|s| s.route.in_force > 0));
        away && !world.memory.of(**other).touched
    });
    if let Some(other) = dependent {
        let name = model.service(*other).map(|s| s.name.to_string()).unwrap_or_default();
        return Some(Found::new(
            Invariant::Order,
            format!("it goes back before {name}, which needs it and has traffic on target"),
        ));
    }
    let legacy = rank(service, looked, ix, Side::Legacy, 100 - weight);
    let target = rank(service, looked, ix, Side::Target, route.accepted);
    if legacy != Rank::Enough && legacy <= target {
        let what = if legacy == Rank::Dead { "dead" } else { "too small" };
        return Some(Found::new(
            Invariant::NoWorse,
            format!("its traffic goes back to a legacy that is {what} and no better than target"),
        ));
    }
    None
}

/// What an effect breaks that is done now.
pub fn written(model: &Model, world: &World, flight: &Flight) -> Option<Breach> {
    let ix = flight.service;
    let route = world.facts.service(ix)?.route;
    if let Some(run) = route.owner.filter(|run| *run != OURS) {
        let owner = model.owner(run).map(ToString::to_string).unwrap_or_default();
        return Some(Breach { invariant: Invariant::OneOwner, service: ix, detail: format!("its route is taken from {owner}") });
    }
    let Act::SetWeight { from, .. } = flight.act else { return None };
    if world.memory.of(ix).by_hand {
        let detail = format!("{} % that somebody else set are overwritten", route.accepted);
        return Some(Breach { invariant: Invariant::NoClobber, service: ix, detail });
    }
    (route.accepted != from).then(|| Breach {
        invariant: Invariant::NoClobber,
        service: ix,
        detail: format!("{} % are overwritten by somebody who took them for {from} %", route.accepted),
    })
}
