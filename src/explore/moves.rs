//! Which steps a state has.

use super::{
    Reductions,
    brain::{Answer, Book, Services},
    budget::Kind,
    state::{Eyes, How, Move, State},
};
use crate::{
    engine::Record,
    plan::Side,
    world::{
        Happening, Ix, Model, Moment, Tone,
        connections::{Client, Told},
        facts::{Plane, Reach, ServiceFacts},
        flight::Act,
        model::{OURS, ServiceModel},
        people::{Wish, Yes},
        replication::{Data, Pace},
        task::{Access, Luck},
    },
};

/// A share of target that no plan orders: what a hand on a route writes.
const BY_HAND: u8 = 33;

/// Which services of a model are under test, and which stand for the rest of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Under test: faults strike it within the budget.
    Whole,
    /// It stands for any service of the rest: its gates fail and recover whenever time may pass, at no cost; what is ordered
    /// for it is in force at once; and nothing else befalls it.
    Rest,
}

/// What the steps of a state depend on beside the state.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Its record.
    pub book: &'a Book,
    /// What the loop would decide now.
    pub answer: &'a Answer,
    /// Whether what can make no difference is left out.
    pub reductions: Reductions,
}

/// Whether something of a service still decides anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Matter {
    Counts,
    Still,
}

/// What of a service still decides anything.
#[derive(Debug, Clone, Copy)]
struct Matters {
    gates: Matter,
    sides: Matter,
}

impl Known<'_> {
    fn matters(&self, ix: Ix) -> Matters {
        let of = |still: Services| if still.has(ix) { Matter::Still } else { Matter::Counts };
        Matters { gates: of(self.book.still), sides: of(self.book.unasked) }
    }
}

/// All steps of a state, in a fixed order, behind those that `moves` has already.
pub fn moves(model: &Model, parts: &[Part], known: Known<'_>, state: &State, moves: &mut Vec<Move>) {
    if known.reductions == Reductions::Sound && is_over(&known.book.record, state) {
        return;
    }
    let before = moves.len();
    moves.extend(state.prompt().map(Move::Happens));
    let rests = moves.len() == before;
    moves.extend(state.late().map(Move::Happens));
    if state.eyes == Eyes::Due {
        looks(known.answer, state, moves);
    } else if rests && state.next(model, known.book.still).is_some() {
        moves.push(Move::Waits);
    }
    if state.eyes == Eyes::Done && rests {
        questions(known.answer, state, moves);
    }
    if state.rival.is_some() {
        moves.push(Move::RivalActs);
    }
    for ((ix, service), part) in (0..).zip(model.services()).zip(parts) {
        match part {
            Part::Whole => strikes(model, state, (ix, service), known.matters(ix), moves),
            Part::Rest if rests && state.eyes == Eyes::Done && known.matters(ix).gates == Matter::Counts => {
                rest(model, state, ix, moves)
            }
            Part::Rest => {}
        }
    }
    tasks(model, state, moves);
    if state.left.total() > 0 {
        flights(state, moves);
        people(&known.book.record, state, moves);
    }
}

/// Whether a run goes on by one of these steps, without a fault, and without anybody outside doing anything.
pub fn goes_on(moves: &[Move]) -> bool {
    moves.iter().any(|step| !matches!(step, Move::Strikes(..) | Move::Outside(_)))
}

/// A run that has ended decides nothing any more, whatever it sees. When nothing of it is under way either, nothing that
/// happens from then on can break anything.
fn is_over(record: &Record, state: &State) -> bool {
    record.ended.is_some() && state.world.flights.is_empty() && state.rival.is_none()
}

fn looks(answer: &Answer, state: &State, moves: &mut Vec<Move>) {
    moves.push(Move::Looks(How::Well));
    if state.left.total() == 0 {
        return;
    }
    let (news, flights) = (answer.record != state.record, answer.flights.len());
    if state.left.allows(Kind::Crash) && (news || flights > 0) {
        let sent = u8::try_from(flights).unwrap_or(u8::MAX);
        moves.extend((0..sent.max(1)).map(|sent| Move::Looks(How::EndsAfter(sent))));
    }
    if state.left.allows(Kind::StaleRead) {
        for place in (0..).take(state.past.len()) {
            moves.push(Move::Looks(How::Stale(place)));
            moves.push(Move::Looks(How::StaleRoutes(place)));
        }
    }
    if state.left.allows(Kind::TwoLeaders) && state.rival.is_none() && (news || flights > 0) {
        moves.push(Move::RivalDecides);
    }
}

/// People may answer what they are asked at any time, or never.
fn questions(answer: &Answer, state: &State, moves: &mut Vec<Move>) {
    for (question, attempt) in &answer.asked {
        moves.push(Move::Outside(Happening::Answer(*question, *attempt, Yes::Yes)));
        if state.left.allows(Kind::Refused) {
            moves.push(Move::Strikes(Kind::Refused, Happening::Answer(*question, *attempt, Yes::No)));
        }
    }
}

/// Tasks fail or hang; one that does works again at any time.
fn tasks(model: &Model, state: &State, moves: &mut Vec<Move>) {
    for ((ix, _), facts) in (0..).zip(model.tasks()).zip(&state.world.facts.tasks) {
        if facts.luck != Luck::Works {
            moves.push(Move::Outside(Happening::Task(ix, Luck::Works)));
            continue;
        }
        let running = facts.over().is_some_and(|over| over != Moment::NEVER);
        if running && state.left.allows(Kind::TaskFails) {
            moves.push(Move::Strikes(Kind::TaskFails, Happening::Task(ix, Luck::Fails)));
        }
        if running && state.left.allows(Kind::TaskHangs) {
            moves.push(Move::Strikes(Kind::TaskHangs, Happening::Task(ix, Luck::Hangs)));
        }
    }
}

fn flights(state: &State, moves: &mut Vec<Move>) {
    for (place, flight) in (0..).zip(&state.world.flights) {
        let prompt = flight.due <= state.world.now();
        if prompt && state.left.allows(Kind::EffectLost) {
            moves.push(Move::Loses(place));
        }
        let changes = matches!(flight.act, Act::SetWeight { .. } | Act::Task(..));
        if prompt && changes && state.left.allows(Kind::EffectLate) {
            moves.push(Move::Delays(place));
        }
    }
}

fn people(record: &Record, state: &State, moves: &mut Vec<Move>) {
    if record.ended.is_some() {
        return;
    }
    let people = &state.world.facts.people;
    let mut strike = |kind, what| {
        if state.left.allows(kind) {
            moves.push(Move::Strikes(kind, what));
        }
    };
    if people.intent != Wish::Rollback && record.latch.is_none() {
        strike(Kind::Hold, Happening::People(Wish::Hold));
    }
    if people.intent != Wish::Rollback {
        strike(Kind::Rollback, Happening::People(Wish::Rollback));
    }
    let holds = record.latch.is_some() || record.services.values().any(|service| service.hold.is_some());
    if holds {
        strike(Kind::Resume, Happening::Resume(1_000_000 + u32::from(state.resumes)));
    }
    strike(Kind::Crash, Happening::Restart);
}

/// What may befall a service under test, and what of that may end.
fn strikes(model: &Model, state: &State, (ix, service): (Ix, &ServiceModel), matters: Matters, moves: &mut Vec<Move>) {
    let Some(facts) = state.world.facts.service(ix) else { return };
    let mut strike = |kind, what| {
        if state.left.allows(kind) {
            moves.push(Move::Strikes(kind, what));
        }
    };
    for (place, _) in model.gates_of(ix).filter(|_| matters.gates == Matter::Counts) {
        let Some(rounds) = state.world.facts.gates.get(place) else { continue };
        let gate = u16::try_from(place).unwrap_or(u16::MAX);
        if rounds.tone == Tone::Good {
            strike(Kind::GateFails, Happening::Gate(gate, Tone::Bad));
        }
        if rounds.tone != Tone::Silent {
            strike(Kind::GateSilent, Happening::Gate(gate, Tone::Silent));
        }
    }
    for side in Side::BOTH.into_iter().filter(|_| matters.sides == Matter::Counts) {
        let (own, all) = (facts.side(side).healthy, service.sides.get(side as usize).map_or(0, |numbers| numbers.endpoints));
        if own > 0 {
            strike(Kind::SideDies, Happening::Healthy(ix, side, 0));
        }
        if let Some(few) = (1..all).rev().find(|few| !service.carries(side, *few, 100)).filter(|few| own > *few) {
            strike(Kind::SideShrinks, Happening::Healthy(ix, side, few));
        }
    }
    let route = &facts.route;
    if route.reach == Reach::Answers {
        strike(Kind::RouterSilent, Happening::Router(ix, Reach::Silent));
    }
    if route.plane == Plane::Takes {
        strike(Kind::PlaneStuck, Happening::DataPlane(ix, Plane::Stuck));
    }
    if route.accepted != BY_HAND {
        strike(Kind::Drift, Happening::ByHand(ix, BY_HAND));
    }
    if route.owner.is_none_or(|run| run == OURS) {
        strike(Kind::Seized, Happening::Seized(ix));
    }
    if let Some(own) = state.world.facts.replication(model, ix) {
        if own.pace == Pace::KeepsUp {
            strike(Kind::ReplicationSlow, Happening::Replication(ix, Pace::Slow));
            strike(Kind::ReplicationStops, Happening::Replication(ix, Pace::Stopped));
        }
        if facts.side(Side::Legacy).writes == Access::Closed && own.data == Data::Same {
            strike(Kind::StrayWrite, Happening::Stray(ix, Side::Legacy));
        }
    }
    let kept = service.connections.and_then(|place| model.connections().get(usize::from(place)));
    let counted = kept.is_some_and(|kept| kept.router == Told::Counted);
    if counted && state.world.facts.connections(model, ix).is_some_and(|own| own.client == Client::Closes) {
        strike(Kind::ClientStays, Happening::Client(ix, Client::Stays));
    }
    mends(model, state, (ix, service, facts), matters, moves);
}

/// Every lasting fault may end, at any time.
fn mends(
    model: &Model,
    state: &State,
    (ix, service, facts): (Ix, &ServiceModel, &ServiceFacts),
    matters: Matters,
    moves: &mut Vec<Move>,
) {
    let dead = facts.side(Side::Target).healthy == 0;
    for (place, gate) in model.gates_of(ix).filter(|_| matters.gates == Matter::Counts) {
        let tone = state.world.facts.gates.get(place).map_or(Tone::Good, |rounds| rounds.tone);
        let sound = if dead && gate.of_target { Tone::Bad } else { Tone::Good };
        if tone != sound {
            moves.push(Move::Outside(Happening::Gate(u16::try_from(place).unwrap_or(u16::MAX), sound)));
        }
    }
    for side in Side::BOTH.into_iter().filter(|_| matters.sides == Matter::Counts) {
        let all = service.sides.get(side as usize).map_or(0, |numbers| numbers.endpoints);
        if facts.side(side).healthy < all {
            moves.push(Move::Outside(Happening::Healthy(ix, side, all)));
        }
    }
    if facts.route.reach != Reach::Answers {
        moves.push(Move::Outside(Happening::Router(ix, Reach::Answers)));
    }
    if facts.route.plane != Plane::Takes {
        moves.push(Move::Outside(Happening::DataPlane(ix, Plane::Takes)));
    }
    if let Some(own) = state.world.facts.replication(model, ix) {
        if own.pace != Pace::KeepsUp {
            moves.push(Move::Outside(Happening::Replication(ix, Pace::KeepsUp)));
        }
        if own.data != Data::Same {
            moves.push(Move::Outside(Happening::Repaired(ix)));
        }
    }
    if state.world.facts.connections(model, ix).is_some_and(|own| own.client == Client::Stays) {
        moves.push(Move::Outside(Happening::Client(ix, Client::Closes)));
    }
    if state.world.memory.is_by_hand(ix) {
        moves.push(Move::Outside(Happening::ByHand(ix, state.world.memory.ours(ix))));
    }
}

/// The rest of the plan may allow or refuse progress at any time.
fn rest(model: &Model, state: &State, ix: Ix, moves: &mut Vec<Move>) {
    let Some((place, _)) = model.gates_of(ix).next() else { return };
    let Some(rounds) = state.world.facts.gates.get(place) else { return };
    let tone = if rounds.tone == Tone::Good { Tone::Bad } else { Tone::Good };
    moves.push(Move::Outside(Happening::Gate(u16::try_from(place).unwrap_or(u16::MAX), tone)));
}
