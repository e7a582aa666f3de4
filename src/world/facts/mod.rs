//! All that a sensor can see of a world, and how it shows it.

mod bridge;
mod route;
mod service;
mod shown;

pub use self::{
    bridge::{BridgeFacts, Claim, Lowering},
    route::{Change, Mark, Plane, Reach, Route},
    service::{ServiceFacts, SideFacts},
    shown::Shown,
};
use super::{
    clock::Moment,
    connections::Connections,
    model::{GateModel, Ix, Model, Proof, Writer},
    people::People,
    refill::refill,
    replication::{Backlog, Data, Replication, Writes},
    rounds::{Rounds, Tone},
    task::{Access, Change as Changes, Stands, TaskFacts},
};

/// All that a sensor can see at one moment. A copy of it is what a stale read shows.
#[derive(Debug, PartialEq, Eq, Hash)]
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
    /// Each single-writer service, as the model numbers them.
    pub replications: Vec<Replication>,
    /// Each service whose connections live for a while, as the model numbers them.
    pub connections: Vec<Connections>,
    /// When a weight came into force last, a task was done, or the record changed; kept up only where a gate is looked at by
    /// itself, which counts from there.
    pub changed_at: Moment,
    /// What people ordered and answered.
    pub people: People,
}
refill!(Facts { now, looking_since, services, gates, tasks, bridges, replications, connections, changed_at, people });

impl Facts {
    /// The world before a run: everything healthy, all traffic on legacy, and gates that have been asked for long enough.
    pub fn new(model: &Model) -> Self {
        let now = Moment(0);
        let longest = model.gates().iter().map(|gate| i64::from(gate.keep) * gate.every).max().unwrap_or_default();
        let looking_since = now.plus(-longest - 1000);
        let gates = model.gates().iter().map(|gate| Rounds::beginning(gate, now)).collect();
        let services = model.services().iter().map(|service| ServiceFacts::new(service, looking_since)).collect();
        let mut facts = Self {
            now,
            looking_since,
            services,
            gates,
            tasks: vec![TaskFacts::default(); model.tasks().len()],
            bridges: vec![BridgeFacts { stands: Access::Closed, ..BridgeFacts::default() }; model.bridges().len()],
            replications: vec![Replication::new(); model.replications().len()],
            connections: vec![Connections::new(); model.connections().len()],
            changed_at: looking_since,
            people: People::default(),
        };
        for (place, gate) in model.gates().iter().enumerate().filter(|(_, gate)| gate.proves.is_some()) {
            let tone = facts.proof(model, gate).unwrap_or_default();
            facts.gates.get_mut(place).into_iter().for_each(|rounds| rounds.tone = tone);
        }
        facts
    }

    /// One service.
    pub fn service(&self, ix: Ix) -> Option<&ServiceFacts> {
        self.services.get(usize::from(ix))
    }
    /// One service, to be changed.
    pub fn service_mut(&mut self, ix: Ix) -> Option<&mut ServiceFacts> {
        self.services.get_mut(usize::from(ix))
    }

    /// The answer that a gate gives by what it proves; `None`: it proves nothing that is modelled.
    pub(super) fn proof(&self, model: &Model, gate: &GateModel) -> Option<Tone> {
        let proof = gate.proves?;
        let own = self.replication(model, gate.service)?;
        let holds = match proof {
            Proof::May(side, access) => self.service(gate.service)?.side(side).writes == access,
            Proof::Copied(to) => {
                let between = own.backlog == Backlog::OnItsWay && own.writes == Writes::Arrive;
                own.to == to && (own.backlog == Backlog::Empty || between)
            }
            Proof::CaughtUp(to) => own.to == to && own.backlog != Backlog::Behind,
            Proof::Same => own.data == Data::Same,
        };
        Some(if holds { Tone::Good } else { Tone::Bad })
    }

    /// The replication of a service, if only one of its sides may write.
    pub fn replication(&self, model: &Model, ix: Ix) -> Option<&Replication> {
        match model.service(ix)?.writer {
            Writer::Single(place) => self.replications.get(usize::from(place)),
            Writer::Any => None,
        }
    }

    /// The connections that legacy has of a service, where its plan says how long they live.
    pub fn connections(&self, model: &Model, ix: Ix) -> Option<&Connections> {
        self.connections.get(usize::from(model.service(ix)?.connections?))
    }

    /// Whether the old address of a service is denied to everybody.
    pub(in crate::world) fn is_denied(&self, model: &Model, ix: Ix) -> bool {
        let own = model.tasks().iter().zip(&self.tasks).filter(|(task, _)| task.service == Some(ix));
        let mut done = own.filter(|(_, facts)| matches!(facts.stands, Stands::Done(..)));
        done.any(|(task, facts)| task.change(facts.way) == Changes::Denies(Access::Closed))
    }

    /// The moment since which a gate has to prove itself anew.
    pub(super) fn since(&self, gate: &GateModel) -> Moment {
        let since = match (&gate.other, gate.service) {
            (None, ix) => self.service(ix).map_or(self.changed_at, |s| s.route.in_force_since),
            (Some(_), _) => self.changed_at,
        };
        since.max(self.looking_since)
    }

    /// The same facts in a world whose clock was set back by `by`, without what can make no difference any more.
    pub fn rebase(&mut self, model: &Model, by: i64) {
        let now = self.now;
        for (gate, rounds) in model.gates().iter().zip(&mut self.gates) {
            rounds.forget(gate, now);
            rounds.rebase(by);
        }
        let mut longest = 0;
        let shown = by.saturating_sub(now.0); // what an old look shows is compared with its own moment
        for (service, facts) in model.services().iter().zip(&mut self.services) {
            longest = longest.max(service.horizon);
            facts.route.in_force_since.rebase(by, service.horizon.saturating_add(shown));
            if let Some(change) = &mut facts.route.change {
                change.programmed_at.rebase(by, 0);
                change.effective_at.rebase(by, 0);
            }
            for side in &mut facts.sides {
                // Since when a side is well nobody asks.
                let horizon = service.dies_within();
                if side.healthy > 0 { side.since = Moment(-horizon) } else { side.since.rebase(by, horizon) }
            }
        }
        self.tasks.iter_mut().for_each(|task| task.rebase(by));
        self.changed_at.rebase(by, longest);
        for (own, replication) in model.replications().iter().zip(&mut self.replications) {
            replication.rebase(by, own);
        }
        self.connections.iter_mut().for_each(|connections| connections.rebase(by, shown));
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
                let oldest = self.now.plus(-service.horizon);
                let horizon = own.route.in_force_since <= oldest;
                let dead = own.sides.iter().all(|side| side.healthy > 0 || side.since >= since);
                dead && (own.route.in_force_since >= since || horizon && since <= oldest)
            })
    }
}
