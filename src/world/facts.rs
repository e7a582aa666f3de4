//! All that a sensor can see of a world, and how it shows it.

use super::{
    clock::Moment,
    model::{GateModel, Ix, Model, OURS, RunIx, ServiceModel, Writer},
    people::People,
    rounds::{Rounds, Tone},
    task::{Access, TaskFacts},
};
use crate::{
    engine::{
        Accepted, Backend, ClaimsSeen, Effective, GateSeen, Observed, Programmed, RouteSeen, Sample, SideSeen, SidesSeen,
        Unknown, mark,
    },
    plan::{Side, Weight},
};

/// All that a sensor can see at one moment. A copy of it is what a stale read shows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Facts {
    /// When.
    pub now: Moment,
    /// Since when the sensor has been looking: what came before a restart it does not know.
    pub looking_since: Moment,
    /// Each service, as the model numbers them.
    pub services: Vec<ServiceFacts>,
    /// Each gate, as the model numbers them.
    pub gates: Vec<Rounds>,
    /// Each task, as the model numbers them.
    pub tasks: Vec<TaskFacts>,
    /// Each bridge, as the model numbers them.
    pub bridges: Vec<BridgeFacts>,
    /// When a weight came into force last, a task was done, or the record changed; kept up only where a gate is looked at by
    /// itself, which counts from there.
    pub changed_at: Moment,
    /// What people ordered and answered.
    pub people: People,
}

/// A bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct BridgeFacts {
    /// Whether it stands.
    pub stands: Access,
    /// Whether our run counts on it.
    pub ours: Claim,
    /// Whether another run does.
    pub others: Claim,
}

/// Whether a run counts on a bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Claim {
    /// It does not.
    #[default]
    None,
    /// It does.
    Claimed,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServiceFacts {
    /// Its route.
    pub route: Route,
    /// Legacy and target.
    pub sides: [SideFacts; 2],
}

impl ServiceFacts {
    /// One of its sides.
    pub fn side(&self, side: Side) -> &SideFacts {
        let [legacy, target] = &self.sides;
        match side {
            Side::Legacy => legacy,
            Side::Target => target,
        }
    }
    /// The same, to be changed.
    pub fn side_mut(&mut self, side: Side) -> &mut SideFacts {
        let [legacy, target] = &mut self.sides;
        match side {
            Side::Legacy => legacy,
            Side::Target => target,
        }
    }
}

/// A side of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SideFacts {
    /// Endpoints that answer well.
    pub healthy: u32,
    /// Since when it is so many.
    pub since: Moment,
    /// Whether the router knows it.
    pub known: bool,
    /// Whether it may write; asked only where a single side may.
    pub writes: Access,
}

/// The mark of an order on a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    /// Whose order.
    pub run: RunIx,
    /// Its number.
    pub number: u32,
}

/// A route as it really is. Weights are shares of target in percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Route {
    /// The weight that was accepted last.
    pub accepted: u8,
    /// The mark that was written with it.
    pub mark: Option<Mark>,
    /// The run that drives it.
    pub owner: Option<RunIx>,
    /// Rises with every write.
    pub version: u32,
    /// The weight by which traffic is really split.
    pub in_force: u8,
    /// Since when.
    pub in_force_since: Moment,
    /// The accepted weights on their way through the data plane; `None`: they are in force.
    pub change: Option<Change>,
    /// Whether the router can be asked and written.
    pub reach: Reach,
    /// What the data plane does with new weights.
    pub plane: Plane,
}

/// Accepted weights on their way through the data plane. Until they are in force traffic may be on either setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Change {
    /// When the data plane has them.
    pub programmed_at: Moment,
    /// When real answers show them.
    pub effective_at: Moment,
    /// Whether the data plane has them.
    pub programmed: bool,
}

/// Whether a router can be asked and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Reach {
    /// It can.
    #[default]
    Answers,
    /// It does not answer; traffic flows on.
    Silent,
    /// The route was deleted; traffic flows on as the data plane last knew.
    Gone,
}

/// What a data plane does with new weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Plane {
    /// It takes them over.
    #[default]
    Takes,
    /// It does nothing with them, and says nothing.
    Stuck,
    /// It refuses them, and says so.
    Refuses,
}

impl Facts {
    /// The world before a run: everything healthy, all traffic on legacy, and gates that have been asked for long enough.
    pub fn new(model: &Model) -> Self {
        let now = Moment(0);
        let longest = model.gates().iter().map(|gate| i64::from(gate.keep) * gate.every).max().unwrap_or_default();
        let looking_since = now.plus(-longest - 1000);
        let gates = model.gates().iter().map(|gate| Rounds::beginning(gate, now)).collect();
        let services = model.services().iter().map(|service| ServiceFacts::new(service, looking_since)).collect();
        Self {
            now,
            looking_since,
            services,
            gates,
            tasks: vec![TaskFacts::default(); model.tasks().len()],
            bridges: vec![BridgeFacts { stands: Access::Closed, ..BridgeFacts::default() }; model.bridges().len()],
            changed_at: looking_since,
            people: People::default(),
        }
    }

    /// One service.
    pub fn service(&self, ix: Ix) -> Option<&ServiceFacts> {
        self.services.get(usize::from(ix))
    }
    /// One service, to be changed.
    pub fn service_mut(&mut self, ix: Ix) -> Option<&mut ServiceFacts> {
        self.services.get_mut(usize::from(ix))
    }

    /// What a sensor shows of these facts.
    pub fn observe(&self, model: &Model) -> Observed {
        let mut seen = Observed::default();
        self.show(model, &mut seen);
        seen
    }

    /// The same into an `Observed` that this model filled before, whose memory is used again.
    pub fn show(&self, model: &Model, seen: &mut Observed) {
        let fits = seen.routes.len() == self.services.len() && seen.sides.len() == self.services.len();
        if !fits || seen.gates.len() != self.services.len() {
            *seen = Observed::default();
            for service in model.services() {
                let taken_at = model.timestamp(self.now);
                seen.routes.insert(service.name.clone(), Sample { value: Err(Unknown::NotYet), taken_at });
                seen.sides.insert(service.name.clone(), SidesSeen::default());
                let gates = model.gates().get(service.gates.clone()).unwrap_or_default();
                let gates = gates.iter().map(|gate| (gate.name.clone(), GateSeen::default()));
                seen.gates.insert(service.name.clone(), gates.collect());
            }
        }
        let (routes, sides) = (seen.routes.values_mut(), seen.sides.values_mut());
        for (((service, facts), route), sides) in model.services().iter().zip(&self.services).zip(routes).zip(sides) {
            self.show_route(model, service, &facts.route, route);
            self.show_sides(model, service, facts, sides);
        }
        let looking = model.timestamp(self.looking_since);
        let shown = seen.gates.values_mut().flat_map(|gates| gates.values_mut());
        for ((gate, rounds), shown) in model.gates().iter().zip(&self.gates).zip(shown) {
            shown.watched_since = Some(looking);
            rounds.fill(gate, self.looking_since, self.now, &mut shown.rounds, |moment| model.timestamp(moment));
        }
        seen.orders = self.people.orders(model);
        self.show_others(model, seen);
    }

    /// Gates that are looked at by themselves, tasks, bridges, approvals: most plans have few of them.
    fn show_others(&self, model: &Model, seen: &mut Observed) {
        let looking = model.timestamp(self.looking_since);
        for (gate, rounds) in model.gates().iter().zip(&self.gates) {
            let Some(of) = &gate.other else { continue };
            let shown = seen.other_gates.entry((of.clone(), gate.name.clone())).or_default();
            shown.watched_since = Some(looking);
            rounds.fill(gate, self.looking_since, self.now, &mut shown.rounds, |moment| model.timestamp(moment));
        }
        seen.tasks.clear();
        for (task, facts) in model.tasks().iter().zip(&self.tasks) {
            facts.show(model, task, self.now, &mut seen.tasks);
        }
        for (name, bridge) in model.bridges().iter().zip(&self.bridges) {
            let others = (bridge.others == Claim::Claimed).then(|| "another-plan".to_owned());
            let value = ClaimsSeen { ours: bridge.ours == Claim::Claimed, others: others.into_iter().collect() };
            seen.claims.insert(name.clone(), Sample { value: Ok(value), taken_at: model.timestamp(self.now) });
        }
        seen.approvals = self.people.approvals(model);
    }

    /// The answer that a gate gives by what it proves; `None`: it proves nothing that is modelled.
    pub(super) fn proof(&self, gate: &GateModel) -> Option<Tone> {
        let (side, access) = gate.proves?;
        let writes = self.service(gate.service)?.side(side).writes;
        Some(if writes == access { Tone::Good } else { Tone::Bad })
    }

    /// The moment since which a gate has to prove itself anew.
    pub(super) fn since(&self, gate: &GateModel) -> Moment {
        let since = match (&gate.other, gate.service) {
            (None, ix) => self.service(ix).map_or(self.changed_at, |s| s.route.in_force_since),
            (Some(_), _) => self.changed_at,
        };
        since.max(self.looking_since)
    }

    fn show_route(&self, model: &Model, service: &ServiceModel, route: &Route, sample: &mut Sample<RouteSeen>) {
        sample.taken_at = model.timestamp(self.now);
        match route.reach {
            Reach::Silent => sample.value = Err(Unknown::Unreachable("the router does not answer".to_owned())),
            Reach::Gone => sample.value = Err(Unknown::NotFound("the route".to_owned())),
            Reach::Answers => sample.value = Ok(self.route_seen(model, service, route)),
        }
    }

    fn route_seen(&self, model: &Model, service: &ServiceModel, route: &Route) -> RouteSeen {
        let marked = |m: Mark| match m.run {
            OURS => mark(model.run(), &service.name, m.number),
            _ => format!("other-{}-{}", service.name, m.number),
        };
        let since = model.timestamp(route.in_force_since.max(self.looking_since));
        RouteSeen {
            version: route.version.to_string(),
            owner: route.owner.and_then(|run| model.owner(run)).cloned(),
            accepted: Accepted::Split(weight(route.accepted)),
            mark: route.mark.map(marked),
            programmed: match (route.change, route.plane) {
                (None, _) => Programmed::Yes,
                (Some(change), _) if change.programmed => Programmed::Yes,
                (Some(_), Plane::Refuses) => Programmed::Refused("the data plane does not take these weights".to_owned()),
                (Some(_), _) => Programmed::Pending,
            },
            effective: route.change.is_none().then_some(Effective { weight: weight(route.in_force), since }),
            legacy_active: None,
        }
    }

    fn show_sides(&self, model: &Model, service: &ServiceModel, facts: &ServiceFacts, seen: &mut SidesSeen) {
        for side in Side::BOTH {
            let (own, numbers) = (facts.side(side), service.sides.get(side as usize));
            let value = SideSeen {
                endpoints: numbers.map_or(0, |n| n.endpoints),
                healthy: own.healthy,
                dead_rounds: self.dead_rounds(service, own),
                backend: if own.known { Backend::Present } else { Backend::Missing },
            };
            seen.set(side, Sample { value: Ok(value), taken_at: model.timestamp(self.now) });
        }
    }

    /// The same facts in a world whose clock was set back by `by`, without what can make no difference any more.
    pub fn rebase(&mut self, model: &Model, by: i64) {
        let now = self.now;
        for (gate, rounds) in model.gates().iter().zip(&mut self.gates) {
            rounds.forget(gate, now);
            rounds.rebase(by);
        }
        let mut longest = 0;
        for (service, facts) in model.services().iter().zip(&mut self.services) {
            longest = longest.max(service.horizon);
            facts.route.in_force_since.rebase(by, service.horizon);
            if let Some(change) = &mut facts.route.change {
                change.programmed_at.rebase(by, 0);
                change.effective_at.rebase(by, 0);
            }
            for side in &mut facts.sides {
                // Since when a side is well nobody asks.
                let horizon = i64::from(service.failures) * service.every;
                if side.healthy > 0 { side.since = Moment(-horizon) } else { side.since.rebase(by, horizon) }
            }
        }
        let horizon = model.horizon();
        self.tasks.iter_mut().for_each(|task| task.rebase(by, horizon));
        self.changed_at.rebase(by, longest);
        self.people.rebase(model, by);
        self.looking_since.rebase(by, longest);
        self.now.rebase(by, longest);
        if self.sees_all(model) {
            self.looking_since = Moment(-longest);
        }
    }

    /// Whether all that is remembered came after the sensor began to look: then it does not matter any more when that was.
    fn sees_all(&self, model: &Model) -> bool {
        let since = self.looking_since;
        let gates = model
            .gates()
            .iter()
            .zip(&self.gates)
            .all(|(gate, rounds)| rounds.oldest(gate, self.now).is_some_and(|at| at >= since));
        let mut services = model.services().iter().zip(&self.services);
        gates
            && services.all(|(service, own)| {
                let horizon = own.route.in_force_since <= Moment(-service.horizon);
                let dead = own.sides.iter().all(|side| side.healthy > 0 || side.since >= since);
                dead && (own.route.in_force_since >= since || horizon && since <= Moment(-service.horizon))
            })
    }

    /// Rounds in a row in which no endpoint of this side answered, as far as the sensor knows and the engine cares.
    pub(super) fn dead_rounds(&self, service: &ServiceModel, side: &SideFacts) -> u32 {
        if side.healthy > 0 {
            return 0;
        }
        let rounds = self.now.since(side.since.max(self.looking_since)) / service.every + 1;
        u32::try_from(rounds).unwrap_or(u32::MAX).min(service.failures)
    }
}

impl ServiceFacts {
    fn new(service: &ServiceModel, since: Moment) -> Self {
        let sides = service.sides.map(|numbers| SideFacts {
            healthy: numbers.endpoints,
            since,
            known: numbers.known,
            writes: Access::Open,
        });
        let [legacy, mut target] = sides;
        if service.writer == Writer::Single {
            target.writes = Access::Closed;
        }
        let sides = [legacy, target];
        let route = Route {
            accepted: 0,
            mark: None,
            owner: None,
            version: 1,
            in_force: 0,
            in_force_since: since,
            change: None,
            reach: Reach::Answers,
            plane: Plane::Takes,
        };
        Self { route, sides }
    }
}

/// A weight of these whole percents; more than 100 count as 100.
pub(super) fn weight(percent: u8) -> Weight {
    Weight::new(u64::from(percent)).unwrap_or(Weight::FULL)
}
