//! The world itself: facts, effects on their way, and how one moment follows from another.

use super::{
    clock::Moment,
    connections::Connections,
    facts::{Change, Facts, Plane},
    flight::{Act, Flight},
    judge::{self, Breach, Memory},
    model::{Delays, Ix, Model, NOBODY, Writer},
    refill::refill,
    replication::{self, Replication},
    rounds::Tone,
    task::{Access, Change as Changes},
};
use crate::{
    engine::{Effect, Record},
    plan::Side,
};

/// A world. Cheap to copy and to hash; names and numbers that never change are in its [`Model`].
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// What a sensor can see.
    pub facts: Facts,
    /// Effects on their way, in a fixed order.
    pub flights: Vec<Flight>,
    /// What the judge has to remember.
    pub memory: Memory,
}
refill!(World { facts, flights, memory });

/// Something that happens by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Occurrence {
    /// The effect at this place of [`World::flights`] arrives.
    Arrives(u8),
    /// The data plane has taken over the weights of this route.
    Programmed(Ix),
    /// Real answers through this route show its weights.
    Effective(Ix),
    /// The doing of this task that runs is over.
    Ends(u16),
    /// The backlog of this replication has changed.
    Copied(u16),
    /// The last old connection to this legacy side has ended.
    Closes(u16),
}

/// What became of an effect that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// It was done.
    Done,
    /// A precondition did not hold.
    Refused,
    /// It was done, and breaks this.
    Breaks(Breach),
}

impl World {
    /// The world before a run: everything healthy, all traffic on legacy.
    pub fn new(model: &Model) -> Self {
        Self { facts: Facts::new(model), flights: Vec::new(), memory: Memory::new(model) }
    }

    /// Now.
    pub fn now(&self) -> Moment {
        self.facts.now
    }

    /// Sends an effect on its way, unless the same one is under way already and its deadline lies ahead.
    pub fn perform(&mut self, model: &Model, effect: &Effect, delays: Delays) {
        if let Some(flight) = Flight::of(model, effect, self.now(), delays) {
            self.send(flight);
        }
    }

    /// The same with an effect that is in the world's own form already.
    pub fn send(&mut self, flight: Flight) {
        let now = self.now();
        if self.flights.iter().any(|other| other.same(&flight) && other.deadline > now) {
            return;
        }
        if matches!(flight.act, Act::SetWeight { .. }) {
            self.memory.sent(flight.service, flight.number);
        }
        if let Act::Task(task, _) = flight.act {
            self.memory.ordered(task, flight.number);
        }
        let place = self.flights.partition_point(|other| *other <= flight);
        self.flights.insert(place, flight);
    }

    /// This record was committed: its orders are given, whether they were sent or not. What is sent later is sent again.
    pub fn given(&mut self, model: &Model, record: &Record) {
        for (ix, service) in (0..).zip(model.services()) {
            let order = record.services.get(&service.name).and_then(|state| state.order);
            order.into_iter().for_each(|order| self.memory.sent(ix, order.number));
        }
        for (ix, task) in (0..).zip(model.tasks()).filter(|_| !model.replications().is_empty()) {
            let state = task.of.service().and_then(|name| record.services.get(name)?.tasks.get(&task.name));
            state.into_iter().for_each(|state| self.memory.ordered(ix, state.number));
        }
    }

    /// All that happens by itself and when, in no order.
    pub fn pending(&self) -> impl Iterator<Item = (Moment, Occurrence)> + '_ {
        let flights = (0..=u8::MAX).zip(&self.flights).map(|(place, flight)| (flight.due, Occurrence::Arrives(place)));
        let changes = (0..).zip(&self.facts.services).filter_map(|(ix, service)| {
            let (route, change) = (&service.route, service.route.change?);
            match (change.programmed, route.plane) {
                (true, _) => Some((change.effective_at, Occurrence::Effective(ix))),
                (false, Plane::Takes) => Some((change.programmed_at, Occurrence::Programmed(ix))),
                (false, _) => None,
            }
        });
        let tasks = (0..).zip(&self.facts.tasks).filter_map(|(ix, task)| Some((task.over()?, Occurrence::Ends(ix))));
        let copied = (0..).zip(&self.facts.replications).map(|(place, own)| (own.changes_at, Occurrence::Copied(place)));
        let closes =
            (0..).zip(&self.facts.connections).filter_map(|(place, own)| Some((own.ends_at()?, Occurrence::Closes(place))));
        flights.chain(changes).chain(tasks.chain(copied).chain(closes).filter(|(at, _)| *at != Moment::NEVER))
    }

    /// The next moment at which something happens by itself or a gate may change its mind; `None`: never.
    pub fn next(&self, model: &Model) -> Option<Moment> {
        self.next_but(model, |_| false)
    }

    /// The same where nobody asks for the gates of such services.
    pub fn next_but(&self, model: &Model, still: impl Fn(Ix) -> bool) -> Option<Moment> {
        let happens = self.pending().map(|(at, _)| at).filter(|at| *at != Moment::NEVER).min();
        happens.into_iter().chain(self.next_verdict(model, still)).min().map(|at| at.max(self.now()))
    }

    /// The next moment at which what probes show may mean something else.
    fn next_verdict(&self, model: &Model, still: impl Fn(Ix) -> bool) -> Option<Moment> {
        let now = self.now();
        let gates = model
            .gates()
            .iter()
            .zip(&self.facts.gates)
            .filter(|(gate, _)| gate.other.is_some() || !still(gate.service))
            .filter_map(|(gate, rounds)| rounds.next_verdict(gate, self.facts.since(gate), now));
        let sides = model.services().iter().zip(&self.facts.services).flat_map(|(service, facts)| {
            facts.sides.iter().filter(|side| side.healthy == 0).map(move |side| {
                let since = side.since.max(self.facts.looking_since);
                since.plus((i64::from(service.failures) - 1) * service.every)
            })
        });
        gates.chain(sides).filter(|at| *at > now).min()
    }

    /// Time passes up to `to`, and what is due until then happens in its order. Gives what was broken.
    pub fn advance(&mut self, model: &Model, to: Moment) -> Vec<Breach> {
        let mut breaches = Vec::new();
        while let Some((at, occurrence)) = self.pending().filter(|(at, _)| *at <= to).min() {
            self.facts.now = at.max(self.now());
            if let Arrival::Breaks(breach) = self.happen(model, occurrence) {
                breaches.push(breach);
            }
        }
        self.facts.now = to.max(self.now());
        breaches
    }

    /// Lets one thing happen now, whenever it was due.
    pub fn happen(&mut self, model: &Model, occurrence: Occurrence) -> Arrival {
        let arrival = self.happens(model, occurrence);
        self.follow(model);
        arrival
    }

    fn happens(&mut self, model: &Model, occurrence: Occurrence) -> Arrival {
        match occurrence {
            Occurrence::Arrives(place) => {
                let place = usize::from(place);
                if place >= self.flights.len() {
                    return Arrival::Refused;
                }
                let flight = self.flights.remove(place);
                self.arrive(model, flight)
            }
            Occurrence::Programmed(ix) => {
                let change = self.facts.service_mut(ix).and_then(|s| s.route.change.as_mut());
                change.into_iter().for_each(|change| change.programmed = true);
                Arrival::Done
            }
            Occurrence::Effective(ix) => {
                self.take_effect(ix);
                self.decided(model);
                Arrival::Done
            }
            Occurrence::Ends(task) => self.task_ends(model, task),
            Occurrence::Copied(place) => {
                let now = self.now();
                self.facts.replications.get_mut(usize::from(place)).into_iter().for_each(|own| own.change(now));
                Arrival::Done
            }
            Occurrence::Closes(place) => {
                self.facts.connections.get_mut(usize::from(place)).into_iter().for_each(Connections::end);
                Arrival::Done
            }
        }
    }

    /// What rests on the sides and their traffic follows them: replications, the gates that prove something of them,
    /// connections. Most plans have neither.
    pub(super) fn follow(&mut self, model: &Model) {
        let now = self.now();
        for (kept, own) in model.connections().iter().zip(&mut self.facts.connections) {
            if let Some(service) = self.facts.services.get(usize::from(kept.service)) {
                own.follow(service, kept, now);
            }
        }
        for (single, own) in model.replications().iter().zip(&mut self.facts.replications) {
            if let Some(service) = self.facts.services.get(usize::from(single.service)) {
                own.follow(service, replication::closing(model, &self.facts.tasks, single.service), now);
            }
        }
        for single in model.replications() {
            self.prove(model, single.service);
        }
    }

    fn take_effect(&mut self, ix: Ix) {
        let now = self.now();
        let Some(route) = self.facts.service_mut(ix).map(|s| &mut s.route) else { return };
        route.change = None;
        route.in_force = route.accepted;
        route.in_force_since = now;
    }

    /// A task is done: what it changes is so from now on.
    fn task_ends(&mut self, model: &Model, ix: u16) -> Arrival {
        let now = self.now();
        let Some((task, facts)) = model.tasks().get(usize::from(ix)).zip(self.facts.tasks.get_mut(usize::from(ix))) else {
            return Arrival::Refused;
        };
        let change = task.change(facts.way);
        facts.end(change, now);
        self.decided(model);
        let service = task.service.unwrap_or(NOBODY);
        let mut breach = None;
        match change {
            Changes::Nothing | Changes::Settles | Changes::Denies(_) | Changes::Withdraws => {}
            Changes::Bridges(bridge, access) => {
                self.facts.bridges.get_mut(usize::from(bridge)).into_iter().for_each(|bridge| bridge.stands = access);
            }
            Changes::Ends => self.set_healthy(model, service, Side::Legacy, 0),
            Changes::Writes(side, access) => {
                self.facts.service_mut(service).into_iter().for_each(|s| s.side_mut(side).writes = access);
                if access == Access::Open {
                    self.replication_mut(model, service).into_iter().for_each(|own| own.opens(side, now));
                }
                breach = judge::changed(self, service);
            }
        }
        breach.map_or(Arrival::Done, Arrival::Breaks)
    }

    /// The replication of a service, to be changed.
    pub(super) fn replication_mut(&mut self, model: &Model, ix: Ix) -> Option<&mut Replication> {
        let Writer::Single(place) = model.service(ix)?.writer else { return None };
        self.facts.replications.get_mut(usize::from(place))
    }

    /// Gates that prove something of a single writer answer accordingly, unless whoever knows cannot be asked.
    fn prove(&mut self, model: &Model, ix: Ix) {
        let now = self.now();
        for (place, gate) in model.gates().iter().enumerate().filter(|(_, gate)| gate.service == ix) {
            let Some(tone) = self.facts.proof(model, gate) else { continue };
            let rounds = self.facts.gates.get_mut(place).filter(|rounds| rounds.tone != Tone::Silent);
            rounds.into_iter().for_each(|rounds| rounds.turn(gate, tone, now));
        }
    }

    /// What a gate answers from now on; a dead target answers badly whatever is said here.
    pub fn set_tone(&mut self, model: &Model, place: usize, tone: Tone) {
        let now = self.now();
        let Some(gate) = model.gates().get(place) else { return };
        let proven = self.facts.proof(model, gate).filter(|_| tone != Tone::Silent);
        let Some(rounds) = self.facts.gates.get_mut(place) else { return };
        if let Some(proven) = proven {
            return rounds.turn(gate, proven, now);
        }
        let dead = gate.of_target
            && self.facts.services.get(usize::from(gate.service)).is_some_and(|s| s.side(Side::Target).healthy == 0);
        rounds.turn(gate, if dead && tone == Tone::Good { Tone::Bad } else { tone }, now);
    }

    /// So many endpoints of a side answer well from now on.
    pub fn set_healthy(&mut self, model: &Model, ix: Ix, side: Side, healthy: u32) {
        let now = self.now();
        let Some(own) = self.facts.service_mut(ix).map(|s| s.side_mut(side)) else { return };
        let before = own.healthy;
        if before == healthy {
            return;
        }
        (own.healthy, own.since) = (healthy, now);
        if side == Side::Target && (before == 0 || healthy == 0) {
            let tone = if healthy == 0 { Tone::Bad } else { Tone::Good };
            let gates: Vec<usize> = model.gates_of(ix).filter(|(_, gate)| gate.of_target).map(|(place, _)| place).collect();
            for place in gates {
                let silent = self.facts.gates.get(place).is_some_and(|rounds| rounds.tone == Tone::Silent);
                if !silent {
                    self.set_tone(model, place, tone);
                }
            }
        }
    }

    /// Somebody else writes the weights of a route.
    pub fn write_by_hand(&mut self, ix: Ix, weight: u8, delays: Delays) {
        let now = self.now();
        let Some(route) = self.facts.service_mut(ix).map(|s| &mut s.route) else { return };
        route.accepted = weight;
        route.version += 1;
        let programmed_at = now.plus(delays.programmed);
        route.change = Some(Change { programmed_at, effective_at: programmed_at.plus(delays.effective), programmed: false });
        self.memory.by_hand(ix, weight);
    }

    /// Something was decided or became so: gates that are looked at by themselves count from here.
    pub fn decided(&mut self, model: &Model) {
        if model.gates().iter().any(|gate| gate.other.is_some()) {
            self.facts.changed_at = self.facts.now;
        }
    }

    /// The process is gone and another begins: what a sensor remembered is lost.
    pub fn restart(&mut self) {
        self.facts.looking_since = self.facts.now;
    }

    /// The same world with its clock set back to 0, and without all that can make no difference any more: equal futures
    /// become equal values. Gives the milliseconds by which the clock was set back.
    pub fn rebase(&mut self, model: &Model) -> i64 {
        let by = self.facts.now.0;
        self.facts.rebase(model, by);
        for flight in &mut self.flights {
            flight.rebase(by);
        }
        self.flights.sort_unstable();
        by
    }
}
