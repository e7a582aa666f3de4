//! What becomes of an effect that arrives: whoever it reaches does it or refuses it.

use super::{
    facts::{Change, Claim, Lowering, Mark, Reach},
    flight::{Act, Flight},
    judge,
    model::{Ix, Model, OURS},
    state::{Arrival, World},
    task::{Access, Began, Change as Changes, OLD_TTL, Stands, Way},
};

impl World {
    /// What becomes of an effect that arrives.
    pub(super) fn arrive(&mut self, model: &Model, flight: Flight) -> Arrival {
        let ix = flight.service;
        if let Act::Task(task, way) = flight.act {
            return self.begin(model, &flight, task, way);
        }
        if let Act::Claim(bridge, claim) = flight.act {
            return self.claim(bridge, claim);
        }
        let Some(route) = self.facts.service(ix).map(|s| s.route) else { return Arrival::Refused };
        if let Act::EnsureBackend(side) = flight.act {
            self.facts.service_mut(ix).into_iter().for_each(|s| s.side_mut(side).known = true);
            return Arrival::Done;
        }
        if route.reach != Reach::Answers || flight.version != Some(route.version) {
            return Arrival::Refused;
        }
        let breach = judge::written(model, self, &flight);
        match flight.act {
            Act::SetWeight { weight, .. } => {
                let kept = self.kept(model, ix);
                self.write(ix, weight, Some(Mark { run: OURS, number: flight.number }), (&flight, kept));
            }
            Act::Release | Act::EnsureBackend(_) | Act::Task(..) | Act::Claim(..) => {
                if let Some(route) = self.facts.service_mut(ix).map(|s| &mut s.route) {
                    (route.owner, route.mark) = (None, None);
                    route.version += 1;
                }
            }
        }
        breach.map_or(Arrival::Done, Arrival::Breaks)
    }

    /// Whoever keeps the claims of a bridge gives none while another run takes it down.
    fn claim(&mut self, bridge: u16, claim: Claim) -> Arrival {
        let Some(bridge) = self.facts.bridges.get_mut(usize::from(bridge)) else { return Arrival::Refused };
        if claim == Claim::Claimed && bridge.lowering == Lowering::Another {
            return Arrival::Refused;
        }
        bridge.ours = claim;
        Arrival::Done
    }

    /// Whether a doing would take a bridge from under another run: whoever keeps its claims refuses that.
    fn is_claimed(&self, model: &Model, task: u16, way: Way) -> bool {
        let change = model.tasks().get(usize::from(task)).map(|task| task.change(way));
        let Some(Changes::Bridges(bridge, Access::Closed)) = change else { return false };
        self.facts.bridges.get(usize::from(bridge)).is_some_and(|bridge| bridge.others == Claim::Claimed)
    }

    /// Whoever does a task refuses a doing once a newer one of the same task was seen.
    fn begin(&mut self, model: &Model, flight: &Flight, task: u16, way: Way) -> Arrival {
        if self.is_claimed(model, task, way) {
            return Arrival::Refused;
        }
        let over = self.now().plus(flight.programmed);
        let change = model.tasks().get(usize::from(task)).map_or(Changes::Nothing, |task| task.change(way));
        let Some(facts) = self.facts.tasks.get_mut(usize::from(task)) else { return Arrival::Refused };
        if facts.begin(flight.number, way, change, over) == Began::Not {
            return Arrival::Refused;
        }
        if way == Way::Do && matches!(change, Changes::Writes(_, Access::Closed)) {
            let now = self.now();
            let own = self.replication_mut(model, flight.service);
            own.into_iter().for_each(|own| own.paused_since = own.paused_since.or(Some(now)));
        }
        Arrival::Done
    }

    /// How long resolvers go on with the old answer: the time to live that they were given with it.
    fn kept(&self, model: &Model, ix: Ix) -> i64 {
        let Some(dns) = model.service(ix).and_then(|service| service.dns) else { return 0 };
        let now = self.now();
        let done = |task: u16| {
            let facts = self.facts.tasks.get(usize::from(task));
            facts.is_some_and(|t| t.way == Way::Do && matches!(t.stands, Stands::Done(_, settles) if settles <= now))
        };
        let lowered = done(dns.lower) && !dns.restore.is_some_and(done);
        if lowered { dns.during } else { OLD_TTL }
    }

    fn write(&mut self, ix: Ix, weight: u8, mark: Option<Mark>, (flight, kept): (&Flight, i64)) {
        let now = self.now();
        let Some(route) = self.facts.service_mut(ix).map(|s| &mut s.route) else { return };
        route.accepted = weight;
        route.mark = mark;
        route.owner = Some(OURS);
        route.version += 1;
        let programmed_at = now.plus(flight.programmed);
        let effective_at = programmed_at.plus(flight.effective).plus(kept);
        route.change = Some(Change { programmed_at, effective_at, programmed: false });
        self.memory.written(ix, weight);
    }
}
