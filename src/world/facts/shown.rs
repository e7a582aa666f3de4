//! What a sensor shows of facts. What did not change since it was shown last is not written out anew: a run is looked at hundreds
//! of times, and from one look to the next little changes.
//!
//! *Guarantees*: what is shown is what [`Facts::observe`] gives, whatever was shown before.
//! *Assumptions*: all that is shown into one [`Shown`] is of one model.

use super::{Claim, Facts, route::RouteShown};
use crate::{
    engine::{ClaimsSeen, GateSeen, Observed, Record, Sample, SidesSeen, Unknown, open_doings},
    world::{
        clock::Moment,
        model::{Model, THEIRS},
        people::People,
        rounds::RoundsShown,
    },
};

/// What a sensor shows, and what it was made of.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    seen: Observed,
    /// Of each service, as the model numbers them.
    routes: Vec<Option<RouteShown>>,
    /// Of each gate of a service, as the model numbers them.
    gates: Vec<Option<RoundsShown>>,
    people: Option<People>,
}

impl Shown {
    /// It.
    pub fn seen(&self) -> &Observed {
        &self.seen
    }

    /// A place for everything of this model, and nothing in it yet.
    fn of(model: &Model, now: Moment) -> Self {
        let mut seen = Observed::default();
        let mut gates_of_services = 0;
        for service in model.services() {
            let taken_at = model.timestamp(now);
            seen.routes.insert(service.name.clone(), Sample { value: Err(Unknown::NotYet), taken_at });
            seen.sides.insert(service.name.clone(), SidesSeen::default());
            let gates = model.gates().get(service.gates.clone()).unwrap_or_default();
            gates_of_services += gates.len();
            let gates = gates.iter().map(|gate| (gate.name.clone(), GateSeen::default()));
            seen.gates.insert(service.name.clone(), gates.collect());
        }
        Self { seen, routes: vec![None; model.services().len()], gates: vec![None; gates_of_services], people: None }
    }
}

impl Facts {
    /// What a sensor shows of these facts to a run that has this record.
    pub fn observe(&self, model: &Model, record: &Record) -> Observed {
        let mut shown = Shown::default();
        self.show(model, record, &mut shown);
        shown.seen
    }

    /// The same, written over what was shown before.
    pub fn show(&self, model: &Model, record: &Record, shown: &mut Shown) {
        if shown.routes.len() != self.services.len() {
            *shown = Shown::of(model, self.now);
        }
        let Shown { seen, routes, gates, people } = shown;
        let services = model.services().iter().zip(&self.services);
        let places = seen.routes.values_mut().zip(routes).zip(seen.sides.values_mut());
        for ((service, facts), ((route, made_of), sides)) in services.zip(places) {
            self.show_route(model, service, &facts.route, (route, made_of));
            self.show_sides(model, service, facts, sides);
        }
        let looking = model.timestamp(self.looking_since);
        let places = seen.gates.values_mut().flat_map(|gates| gates.values_mut()).zip(gates);
        for ((gate, rounds), (shown, made_of)) in model.gates().iter().zip(&self.gates).zip(places) {
            shown.watched_since = Some(looking);
            let is = rounds.shown(gate, self.looking_since, self.now);
            if *made_of != Some(is) {
                rounds.fill(gate, self.looking_since, self.now, &mut shown.rounds, |moment| model.timestamp(moment));
                *made_of = Some(is);
            }
        }
        if people.as_ref() != Some(&self.people) {
            seen.orders = self.people.orders(model);
            seen.approvals = self.people.approvals(model);
            *people = Some(self.people.clone());
        }
        self.show_others(model, record, seen);
    }

    /// Gates that are looked at by themselves, tasks, bridges: most plans have few of them.
    fn show_others(&self, model: &Model, record: &Record, seen: &mut Observed) {
        let looking = model.timestamp(self.looking_since);
        for (gate, rounds) in model.gates().iter().zip(&self.gates) {
            let Some(of) = &gate.other else { continue };
            let shown = seen.other_gates.entry((of.clone(), gate.name.clone())).or_default();
            shown.watched_since = Some(looking);
            rounds.fill(gate, self.looking_since, self.now, &mut shown.rounds, |moment| model.timestamp(moment));
        }
        seen.tasks.clear();
        let taken_at = model.timestamp(self.now);
        for doing in open_doings(record) {
            let facts = model.task(&doing.of, &doing.task).and_then(|at| self.tasks.get(usize::from(at)));
            if let Some(value) = facts.and_then(|facts| facts.answer(model, &doing)) {
                seen.tasks.insert(doing, Sample { value: Ok(value), taken_at });
            }
        }
        for (name, bridge) in model.bridges().iter().zip(&self.bridges) {
            let others =
                (bridge.others == Claim::Claimed).then(|| model.owner(THEIRS).map_or_else(String::new, |o| o.name.clone()));
            let value = ClaimsSeen { ours: bridge.ours == Claim::Claimed, others: others.into_iter().collect() };
            seen.claims.insert(name.clone(), Sample { value: Ok(value), taken_at });
        }
    }
}
