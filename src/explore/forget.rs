//! What of a state can make no difference any more: without it, ways that differed in nothing else meet again.
//!
//! *Guarantees*: whatever is left out, no look decides otherwise and nothing is judged otherwise, now or later, but for when a gate
//! that answers well is asked ([`Rounds::only_needed`]).

use super::{
    Reductions,
    brain::{Book, Services},
    budget::Kind,
    state::{Eyes, State},
};
use crate::{
    engine::{Direction, Reason, Record, ServiceState, Stage, TroubleKind, agenda::named, guards_watch, side::STALE_PERIODS},
    world::{
        Facts, Model, Moment,
        facts::ServiceFacts,
        flight::Flight,
        model::{GateModel, ServiceModel},
        rounds::Rounds,
    },
};

/// So many rounds without an answer are long enough for a silence to be recorded ([`crate::engine::gate::silent_after`]).
const RECORDED: u32 = STALE_PERIODS + 2;

/// Takes it out of a state whose record is this one.
pub fn forget(model: &Model, book: Option<&Book>, reductions: Reductions, next: &mut State) {
    if let (Some(book), Reductions::Sound) = (book, reductions) {
        gates(model, book, next);
        sides(model, book, next);
        asked(model, book, &mut next.world.facts);
        for past in next.past.iter_mut().filter(|past| !is_asked(model, book, past.facts())) {
            past.change(|facts| asked(model, book, facts));
        }
        if next.eyes == Eyes::Due {
            next.due = Moment::NEVER; // the look that comes first says it anew
        }
    }
    if !next.left.allows(Kind::StaleRead) {
        next.past.clear();
    }
    effects(next);
    if reductions == Reductions::Sound {
        versions(next);
    }
}

/// Why a service goes back is asked only when it turns round ([`crate::engine::safety`]), and why it holds only whether it is for want of
/// a way back, of a legacy that is better, or by the engine's own check. The rest is for people.
pub fn reasons(record: &mut Record) {
    let told = |state: &ServiceState| state.cause.is_some() || state.hold.is_some();
    for state in record.services.values_mut().filter(|state| told(state)) {
        state.cause = None;
        let hold = state.hold.iter_mut();
        let read =
            |reason: &Reason| matches!(reason, Reason::NoWayBack { .. } | Reason::NoWorse { .. } | Reason::Invariant { .. });
        hold.filter(|hold| !read(&hold.reason)).for_each(|hold| hold.reason = Reason::Ordered { by: String::new() });
    }
}

/// Gates that decide nothing any more answer well, and did so all the time; of the others only what is needed is left. Those that
/// prove something of a writer, a phase or a bridge are left as they are: by when they are asked it counts what they prove.
fn gates(model: &Model, book: &Book, next: &mut State) {
    let facts = &mut next.world.facts;
    for ((gate, needs), rounds) in model.gates().iter().zip(&book.gates).zip(&mut facts.gates) {
        let enough = match *needs {
            Needs::All => continue,
            Needs::Nothing => {
                *rounds = Rounds::new(Moment(-i64::from(gate.keep) * gate.every));
                continue;
            }
            Needs::Verdicts(silence) => silence.enough(rounds),
        };
        rounds.only_needed(gate, facts.now);
        enough.into_iter().for_each(|enough| rounds.silent_for_long(gate, enough, facts.now));
    }
}

/// What of a gate's rounds may still count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// All of it: it proves something by when it is asked.
    All,
    /// Nothing: it decides nothing any more.
    Nothing,
    /// What verdicts look at, and so much of a silence.
    Verdicts(Silence),
}

/// How many rounds without an answer are as good as more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// One: its service has no order yet.
    Any,
    /// Those that it takes to be recorded, if it began after this moment: then it is.
    Recorded(Moment),
    /// Each may count.
    Each,
}

impl Needs {
    /// Of each gate by a record in which the gates of such services decide nothing any more.
    pub fn all(model: &Model, record: &Record, still: Services) -> Box<[Self]> {
        let of = |gate: &GateModel| match gate.other {
            Some(_) => Self::All,
            None if still.has(gate.service) => Self::Nothing,
            None => Self::Verdicts(Silence::of(model, record, gate)),
        };
        model.gates().iter().map(of).collect()
    }
}

impl Silence {
    fn of(model: &Model, record: &Record, gate: &GateModel) -> Self {
        let state = model.service(gate.service).and_then(|service| record.services.get(&service.name));
        let known =
            |state: &ServiceState| state.troubles.get(&gate.name).filter(|known| known.kind == TroubleKind::Unknown).copied();
        match state {
            Some(state) if !guards_watch(state) => Self::Any,
            Some(state) => known(state).map_or(Self::Each, |known| Self::Recorded(model.moment(known.since))),
            None => Self::Each,
        }
    }
    fn enough(self, rounds: &Rounds) -> Option<u32> {
        match self {
            Self::Any => Some(1),
            Self::Recorded(since) => (since <= rounds.first).then_some(RECORDED),
            Self::Each => None,
        }
    }
}

/// Sides that nobody asks for any more are well.
fn sides(model: &Model, book: &Book, next: &mut State) {
    for ((ix, service), facts) in (0..).zip(model.services()).zip(&mut next.world.facts.services) {
        if book.unasked.has(ix) {
            let since = Moment(-service.dies_within());
            let sides = facts.sides.iter_mut().zip(service.sides);
            sides.for_each(|(side, numbers)| (side.healthy, side.since) = (numbers.endpoints, since));
        }
    }
}

/// What can still be asked of a service: since when its weight is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InForce {
    /// Nothing: on the way back and at an end nobody asks, nor before anything was ordered.
    Unasked,
    /// Whether it is proven.
    Proven,
    /// For how long legacy has got no new connections: its drain counts from then, or from when its old address was denied, if that came
    /// later.
    Drains(Option<Moment>),
}

impl InForce {
    /// Since when a weight is in force, as far as somebody asks now.
    fn since(self, service: &ServiceModel, since: Moment, now: Moment) -> Moment {
        let proven = now.plus(-service.proven);
        match self {
            Self::Unasked => proven,
            Self::Proven => since.max(proven),
            Self::Drains(denied) => denied.map_or(since, |denied| denied.max(since)).max(now.plus(-service.horizon)),
        }
    }
    /// Of each service of a record, in the model's order.
    pub fn all(model: &Model, record: &Record) -> Box<[Self]> {
        let of = |state: Option<&ServiceState>| match state {
            Some(state) if is_unasked(state) => Self::Unasked,
            Some(state) if ends(state) => {
                let denied = state.tasks.get(&named::scream_test()).filter(|task| task.stage.has_begun());
                Self::Drains(denied.map(|task| model.moment(task.at)))
            }
            _ => Self::Proven,
        };
        model.services().iter().map(|service| of(record.services.get(&service.name).map(|state| &**state))).collect()
    }
}

/// Leaves of what is seen, now or at an old look, what can still be asked: since when a weight is in force, and since when gates that are
/// looked at by themselves have had to prove themselves. Only to one question does it count who answered first.
fn asked(model: &Model, book: &Book, facts: &mut Facts) {
    let now = facts.now;
    for ((service, asked), own) in model.services().iter().zip(&book.in_force).zip(&mut facts.services) {
        own.route.in_force_since = asked.since(service, own.route.in_force_since, now);
    }
    facts.changed_at = facts.changed_at.max(proven_from(model, facts));
    facts.people.said.sort_by_key(|said| said.question);
}

/// Whether that leaves these facts as they are, as it nearly always does with those of an old look.
fn is_asked(model: &Model, book: &Book, facts: &Facts) -> bool {
    let mut services = model.services().iter().zip(&book.in_force).zip(&facts.services);
    let stays = services.all(|((service, asked), own)| {
        let since = own.route.in_force_since;
        asked.since(service, since, facts.now) == since
    });
    stays && facts.changed_at >= proven_from(model, facts) && facts.people.said.is_sorted_by_key(|said| said.question)
}

/// From a decision on gates that are looked at by themselves count only the answers that are kept.
fn proven_from(model: &Model, facts: &Facts) -> Moment {
    facts.now.plus(-model.longest_kept())
}

/// Nobody asks any more, or yet, since when its weight is in force.
fn is_unasked(state: &ServiceState) -> bool {
    state.order.is_none() || state.direction == Direction::Backward || state.stage == Stage::Decommissioned
}

/// Its drain counts from then.
fn ends(state: &ServiceState) -> bool {
    matches!(state.stage, Stage::Soaking | Stage::Soaked | Stage::Ending | Stage::Decommissioning)
}

/// A version is only ever compared with the one that its route has: this one, or an older one.
fn versions(next: &mut State) {
    let now = &next.world.facts.services;
    let told = |(old, now): (&ServiceFacts, &ServiceFacts)| u32::from(old.route.version == now.route.version);
    for past in &mut next.past {
        if past.facts().services.iter().zip(now).any(|pair| told(pair) != pair.0.route.version) {
            past.change(|facts| facts.services.iter_mut().zip(now).for_each(|(old, now)| old.route.version = told((old, now))));
        }
    }
    let rival = next.rival.iter_mut().flat_map(|rival| &mut rival.flights);
    for flight in next.world.flights.iter_mut().chain(rival) {
        flight.version = flight.version.map(|_| 1); // no older one is left
    }
    next.world.facts.services.iter_mut().for_each(|service| service.route.version = 1);
}

/// Versions only rise: an effect that rests on an older one will never be done.
fn effects(next: &mut State) {
    let facts = &next.world.facts;
    let alive = |flight: &Flight| {
        let route = facts.service(flight.service).map(|service| service.route.version);
        flight.version.is_none() || flight.version == route
    };
    next.world.flights.retain(alive);
    if let Some(rival) = &mut next.rival {
        rival.flights.retain(|flight| alive(flight) && flight.deadline > facts.now);
        if rival.record.is_none() && rival.flights.is_empty() {
            next.rival = None;
        }
    }
}
