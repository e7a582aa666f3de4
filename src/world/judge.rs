//! An independent judge: it looks at what the world went through and at what was done to it, never at why the engine thought
//! that right.
//!
//! *When it looks*: at each look of the loop ([`Memory::watch`]), when an effect is sent ([`sent`]), when it is done
//! ([`written`]), and when the run claims something to people ([`claims`]).
//! *What it goes by*: an effect is judged by what could be known when it was decided, that is by the truth of the facts that
//! were looked at, which may be stale but not older than the limits that the product promises. What other services have to
//! have reached is not wrong if it is so now: a stale look may not show it, and the record knows.
//! *Caveats*: what changes between a look and the arrival of an effect is nobody's fault; fences are what protects there.

use std::fmt;

use super::{
    facts::{Facts, Reach, Route},
    flight::{Act, Flight},
    model::{Ix, Model, OURS, ServiceModel, Writer},
    people::{Wish, Yes},
    rounds::Tone,
    state::World,
    task::{Access, Change, Stands, Way},
};
use crate::{
    engine::{About, Invariant, Outcome, Record, ServiceState, Stage, route::STALE},
    plan::{OnFailure, Side},
};

/// Something that must never happen, and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// Which invariant.
    pub invariant: Invariant,
    /// At which service.
    pub service: Ix,
    /// What happened, as a sentence without a full stop.
    pub detail: String,
}

/// What the judge remembers of a world's past, as far as the facts do not show it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Memory {
    services: Vec<Past>,
    /// People ordered everything back at some time.
    ordered_back: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Past {
    /// There was a reason in the world to take it back.
    cause: bool,
    /// The weights that stand were written by somebody else.
    by_hand: bool,
    /// The weight that stood last by our doing.
    ours: u8,
    /// Somebody else has written its weights at some time: what follows is not only our doing.
    touched: bool,
    /// The number of the newest order of ours that was sent: what is sent again was judged when it was given.
    sent: u32,
}

impl Memory {
    /// Nothing happened yet.
    pub fn new(model: &Model) -> Self {
        Self { services: vec![Past::default(); model.services().len()], ordered_back: false }
    }

    fn of(&self, ix: Ix) -> Past {
        self.services.get(usize::from(ix)).copied().unwrap_or_default()
    }
    fn past(&mut self, ix: Ix) -> Option<&mut Past> {
        self.services.get_mut(usize::from(ix))
    }
    /// Somebody else wrote a weight. If it is the one that stood there by our doing, nothing of theirs is left.
    pub(super) fn by_hand(&mut self, ix: Ix, weight: u8) {
        self.past(ix).into_iter().for_each(|past| (past.by_hand, past.touched) = (weight != past.ours, true));
    }
    /// We sent an order of this number.
    pub(super) fn sent(&mut self, ix: Ix, number: u32) {
        self.past(ix).into_iter().for_each(|past| past.sent = past.sent.max(number));
    }
    /// We wrote a weight.
    pub(super) fn written(&mut self, ix: Ix, weight: u8) {
        self.past(ix).into_iter().for_each(|past| (past.by_hand, past.ours) = (false, weight));
    }
    /// The weight that stood last by our doing.
    pub fn ours(&self, ix: Ix) -> u8 {
        self.of(ix).ours
    }
    /// Whether the weights that stand were written by somebody else.
    pub fn is_by_hand(&self, ix: Ix) -> bool {
        self.of(ix).by_hand
    }
    /// Whether somebody else has ever written the weights of this service.
    pub fn touched(&self, ix: Ix) -> bool {
        self.of(ix).touched
    }

    /// Remembers what in these facts is a reason to take a service back: an order of people, a gate or a task that fails, a
    /// gate that was silent for as long as its plan bears, and the latest rollback of a window.
    pub fn watch(&mut self, model: &Model, facts: &Facts) {
        self.ordered_back |= facts.people.intent == Wish::Rollback || model.may_overrun(facts.now);
        for (ix, service) in (0..).zip(model.services()) {
            if rank(service, facts, ix, Side::Target, 1) == Rank::Dead && !self.of(ix).cause {
                self.may_go_back(model, ix);
            }
        }
        for (gate, rounds) in model.gates().iter().zip(&facts.gates) {
            let failing = gate.other.is_none() && rounds.bad_in_a_row(gate, facts.now) >= gate.failures;
            let mute = gate.on_unknown == OnFailure::Rollback && rounds.silent_for(facts.now) >= gate.unknown_limit;
            if !(failing || mute) || self.of(gate.service).cause {
                continue;
            }
            self.may_go_back(model, gate.service);
        }
        for (task, _) in model.tasks().iter().zip(&facts.tasks).filter(|(_, own)| own.stands == Stands::Failed) {
            task.service.filter(|ix| !self.of(*ix).cause).into_iter().for_each(|ix| self.may_go_back(model, ix));
        }
    }

    /// There is a reason to take this service back, and all that goes with it.
    fn may_go_back(&mut self, model: &Model, ix: Ix) {
        let Some(service) = model.service(ix) else { return };
        let closure = model.revision().plan().rollback_closure(&service.name);
        for ix in closure.iter().filter_map(|name| model.index(name)) {
            self.past(ix).into_iter().for_each(|past| past.cause = true);
        }
    }
}

/// How well a side could carry a share: the same order as the design's, by the facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Dead,
    Short,
    Enough,
}

fn rank(service: &ServiceModel, facts: &Facts, ix: Ix, side: Side, percent: u8) -> Rank {
    let healthy = facts.service(ix).map_or(0, |s| s.side(side).healthy);
    match healthy {
        0 => Rank::Dead,
        _ if service.carries(side, healthy, percent) => Rank::Enough,
        _ => Rank::Short,
    }
}

/// What an effect that is sent now breaks, if it was decided by these facts.
pub fn sent(model: &Model, world: &World, looked: &Facts, flight: &Flight) -> Option<Breach> {
    let ix = flight.service;
    let service = model.service(ix)?;
    let route = looked.service(ix)?.route;
    let breach = |invariant, detail: String| Some(Breach { invariant, service: ix, detail });
    if let Some(run) = route.owner.filter(|run| *run != OURS && route.reach == Reach::Answers) {
        let owner = model.owner(run).map(ToString::to_string).unwrap_or_default();
        return breach(Invariant::OneOwner, format!("its route is driven by {owner}, and is written"));
    }
    if let Act::Task(task, way) = flight.act {
        return ends(model, [looked, &world.facts], ix, task, way);
    }
    let Act::SetWeight { weight, .. } = flight.act else { return None };
    let limit = i64::try_from(STALE.get().as_millis()).unwrap_or(i64::MAX);
    if world.now().since(looked.now) > limit {
        return breach(Invariant::UnknownHolds, "its route is written after a look that is too old to count".to_owned());
    }
    let by_hand = world.memory.of(ix).by_hand;
    let (invariant, detail) = if weight > route.accepted {
        raised(model, world, looked, (ix, service), (weight, flight.number), &route)?
    } else if weight < route.accepted && !by_hand {
        lowered(model, world, looked, (ix, service), weight, &route)?
    } else {
        return None;
    };
    breach(invariant, detail)
}

type Found = Option<(Invariant, String)>;

/// Target is to get more: it can carry it, legacy could take it back, all it needs is there, and the weight before has
/// proven itself. But a dead legacy is left at once.
fn raised(
    model: &Model,
    world: &World,
    looked: &Facts,
    (ix, service): (Ix, &ServiceModel),
    (weight, number): (u8, u32),
    route: &Route,
) -> Found {
    let target = rank(service, looked, ix, Side::Target, weight);
    if target != Rank::Enough {
        return Some((Invariant::Served, format!("{weight} % are given to a target that cannot carry them")));
    }
    let writes = world.facts.service(ix).is_some_and(|s| s.side(Side::Target).writes == Access::Open);
    if service.writer == Writer::Single && !writes {
        return Some((Invariant::OneWriter, format!("{weight} % are given to a target that may not write")));
    }
    if number <= world.memory.of(ix).sent {
        return None; // it may be on its way: sending it again decides nothing
    }
    let legacy = rank(service, looked, ix, Side::Legacy, 100);
    if legacy == Rank::Dead && weight == 100 {
        return None; // an evacuation
    }
    // Once target alone may write legacy could not take the traffic back however healthy it is; the pause must end.
    let promoted = service.writer == Writer::Single
        && world.facts.service(ix).is_some_and(|s| s.side(Side::Legacy).writes == Access::Closed);
    if legacy != Rank::Enough && !(promoted && weight == 100) {
        return Some((Invariant::WayBack, format!("{weight} % are given to target while legacy could not take them back")));
    }
    if let Some(found) = starts_in_order(model, world, looked, (ix, service), route) {
        return Some(found);
    }
    let silent = model.gates_of(ix).find(|(place, gate)| {
        let answer = looked.gates.get(*place).and_then(|rounds| rounds.answer(gate, looked.now));
        matches!(answer, None | Some(Tone::Silent))
    });
    if let Some((_, gate)) = silent {
        return Some((Invariant::UnknownHolds, format!("{weight} % are given to target while gate {} has no answer", gate.name)));
    }
    let ours = route.owner == Some(OURS) && !world.memory.of(ix).touched;
    if route.in_force == 0 && route.accepted == 0 || !ours {
        return None;
    }
    let since = route.in_force_since;
    if route.change.is_some() || looked.now.since(since) < service.bake {
        return Some((Invariant::Fresh, format!("{weight} % follow before {} % were in force for their time", route.accepted)));
    }
    let unproven = model.gates_of(ix).find(|(place, gate)| {
        let good = looked.gates.get(*place).map_or(0, |rounds| rounds.good_since(gate, since, looked.now));
        good < gate.wanted
    });
    let (_, gate) = unproven?;
    Some((Invariant::Fresh, format!("{weight} % follow before gate {} passed at {} %", gate.name, route.accepted)))
}

/// Whether a bridge stands, as far as our run puts it up.
fn stands(model: &Model, world: &World, ix: u16) -> bool {
    let managed = model.tasks().iter().any(|task| matches!(task.does, Change::Bridges(of, _) if of == ix));
    !managed || world.facts.bridges.get(usize::from(ix)).is_some_and(|bridge| bridge.stands == Access::Open)
}

/// The first traffic that goes to target goes there after all traffic of what it needs.
fn starts_in_order(model: &Model, world: &World, looked: &Facts, (ix, service): (Ix, &ServiceModel), route: &Route) -> Found {
    if route.in_force != 0 || route.accepted != 0 {
        return None;
    }
    if let Some(bridge) = service.bridges.iter().find(|ix| !stands(model, world, **ix)) {
        let name = model.bridges().get(usize::from(*bridge)).map(ToString::to_string).unwrap_or_default();
        return Some((Invariant::Order, format!("it gets traffic on target before bridge {name} stands")));
    }
    let before = model.phases_before(ix);
    let of_phase = (0..).zip(model.services()).filter(|(_, other)| before.contains(&other.phase)).map(|(other, _)| other);
    let ahead = service.needs.iter().copied().chain(of_phase);
    let there = |facts: &Facts, other| facts.service(other).is_some_and(|s| s.route.in_force == 100 && s.route.accepted == 100);
    let late = ahead
        .filter(|other| !world.memory.of(*other).touched)
        .find(|other| !there(looked, *other) && !there(&world.facts, *other))?;
    let name = model.service(late).map(|s| s.name.to_string()).unwrap_or_default();
    Some((Invariant::Order, format!("it gets traffic on target before {name} has all of its own there")))
}

/// Target is to get less: there is a reason in the world, whoever needs it is back, and legacy is better or enough.
fn lowered(model: &Model, world: &World, looked: &Facts, (ix, service): (Ix, &ServiceModel), weight: u8, route: &Route) -> Found {
    if !world.memory.of(ix).cause && !world.memory.ordered_back {
        return Some((Invariant::UnknownHolds, "it goes back though no gate failed and nobody ordered it".to_owned()));
    }
    let dependent = service.dependents.iter().find(|other| {
        let away = [looked, &world.facts].into_iter().all(|facts| facts.service(**other).is_some_and(|s| s.route.in_force > 0));
        away && !world.memory.of(**other).touched
    });
    if let Some(other) = dependent {
        let name = model.service(*other).map(|s| s.name.to_string()).unwrap_or_default();
        return Some((Invariant::Order, format!("it goes back before {name}, which needs it and has traffic on target")));
    }
    let legacy = rank(service, looked, ix, Side::Legacy, 100 - weight);
    let target = rank(service, looked, ix, Side::Target, route.accepted);
    if legacy != Rank::Enough && legacy <= target {
        let what = if legacy == Rank::Dead { "dead" } else { "too small" };
        return Some((Invariant::NoWorse, format!("its traffic goes back to a legacy that is {what} and no better than target")));
    }
    None
}

/// What the change that a task made breaks: never may both sides of a single-writer service write.
pub fn changed(world: &World, ix: Ix) -> Option<Breach> {
    let service = world.facts.service(ix)?;
    let both = service.sides.iter().all(|side| side.writes == Access::Open);
    both.then(|| Breach { invariant: Invariant::OneWriter, service: ix, detail: "both of its sides may write".to_owned() })
}

/// What a task breaks that is ordered by these facts: nobody's legacy ends while it has traffic, or unasked.
fn ends(model: &Model, known: [&Facts; 2], ix: Ix, task: u16, way: Way) -> Option<Breach> {
    let (task, service) = (model.tasks().get(usize::from(task))?, model.service(ix)?);
    if !matches!(task.change(way), Change::Ends | Change::Denies(Access::Closed)) {
        return None;
    }
    let breach = |detail: String| Some(Breach { invariant: Invariant::LegacyStays, service: ix, detail });
    let there = |facts: &Facts, ix| facts.service(ix).is_some_and(|s| s.route.in_force == 100 && s.route.accepted == 100);
    let away = |ix: Ix| known.iter().any(|facts| there(facts, ix));
    if let Some(late) = std::iter::once(ix).chain(service.tenants.iter().copied()).find(|other| !away(*other)) {
        let name = model.service(late).map(|s| s.name.to_string()).unwrap_or_default();
        return breach(format!("its legacy side ends while {name} has traffic there"));
    }
    let about = About::Decommission(service.name.clone());
    let asked = (0..).zip(model.questions()).find(|(_, question)| question.about == about).map(|(number, _)| number)?;
    let mut said = known.iter().flat_map(|facts| &facts.people.said);
    let approved = said.any(|said| said.question == asked && said.answer == Yes::Yes);
    if approved { None } else { breach("its legacy side ends and nobody approved that".to_owned()) }
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

/// What a change of the record tells people that is not so: a service that counts as back has no traffic on target and none
/// on its way there; one that counts as moved has all of it there.
pub fn claims(model: &Model, world: &World, before: &Record, after: &Record) -> Option<Breach> {
    if before == after {
        return None;
    }
    (0..).zip(model.services()).find_map(|(ix, service)| {
        let (was, is) = (before.services.get(&service.name)?, after.services.get(&service.name)?);
        if was.stage == is.stage && before.ended.is_some() == after.ended.is_some() || world.memory.touched(ix) {
            return None;
        }
        claim(world, ix, was, is, after.ended.as_ref().map(|ended| ended.outcome))
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

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.detail)
    }
}
