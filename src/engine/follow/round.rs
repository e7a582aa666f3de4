//! One round of a look: who is visited in it, and what the visits came to.

use jiff::Timestamp;

use super::{Names, with_group};
use crate::{
    engine::{
        Pass, Wait,
        draft::{Draft, WaitsFor},
        record::{ServiceState, Stage},
        shared::Shared,
    },
    plan::{Plan, Service, ServiceName},
};

/// A service whose state changed, and what it was.
pub type Changed<'p> = (&'p ServiceName, Shared<ServiceState>);

/// A round of a look.
pub struct Round<'p> {
    plan: &'p Plan,
    /// Who is visited, by name.
    pub visits: Vec<Visit<'p>>,
    /// Whose state changed in it.
    pub changed: Vec<Changed<'p>>,
    /// Who came to be concerned while it went on, perhaps too late to be visited in it.
    pub added: Names<'p>,
}

/// A visit to a service.
pub struct Visit<'p> {
    pub name: &'p ServiceName,
    service: &'p Service,
    /// How many passes came by. None: it came to be concerned too late.
    pub passes: u8,
    /// Why it waits.
    pub waits: Vec<(Wait, WaitsFor)>,
    /// When something is due though nothing is new.
    pub due: Option<Timestamp>,
}

impl<'p> Visit<'p> {
    fn of(plan: &'p Plan, name: &ServiceName) -> Option<Self> {
        let (name, service) = plan.services.get_key_value(name)?;
        Some(Self { name, service, passes: 0, waits: Vec::new(), due: None })
    }
}

impl<'p> Round<'p> {
    /// A round in which these are visited.
    pub fn of(plan: &'p Plan, names: Names<'p>) -> Self {
        let visits = names.into_iter().filter_map(|name| Visit::of(plan, name)).collect();
        Self { plan, visits, changed: Vec::new(), added: Names::new() }
    }

    /// One pass, from the first to the last by name; whoever comes to be concerned and stands further on is visited as well.
    /// `bound` are those that are kept back by what else is in motion.
    pub fn pass(&mut self, draft: &mut Draft<'p, '_>, (concerns, pass): Pass, bound: &Names<'p>) {
        let mut at = 0;
        while let Some(visit) = self.visits.get_mut(at) {
            let (name, service) = (visit.name, visit.service);
            visit.passes += 1;
            let was = draft.state(name);
            if !concerns(&was) {
                at += 1;
                continue;
            }
            let (in_motion, first) = (draft.moving.len(), draft.waits.len());
            draft.due_at = None;
            pass(draft, name, service);
            visit.waits.extend(draft.waits.drain(first..));
            visit.due = [visit.due, draft.due_at].into_iter().flatten().min();
            if draft.moving.len() != in_motion {
                at = self.add(bound, at);
            }
            if draft.own(name).is_none_or(|is| *is != was) {
                at = self.add(&concerned(self.plan, name, &was, &draft.state(name)), at);
                self.changed.push((name, was));
            }
            at += 1;
        }
    }

    /// These are concerned as well. Gives the new place of the visit that is at this one.
    fn add(&mut self, names: &Names<'p>, at: usize) -> usize {
        self.added.extend(names);
        let place = |visits: &[Visit<'p>], name| visits.binary_search_by(|visit| visit.name.cmp(name));
        let missing = names.iter().filter(|name| place(&self.visits, name).is_err());
        let missing: Vec<_> = missing.filter_map(|name| Visit::of(self.plan, name)).collect();
        let here = self.visits.get(at).map(|visit| visit.name).filter(|_| !missing.is_empty());
        let Some(here) = here else { return at };
        self.visits.extend(missing);
        self.visits.sort_by(|one, other| one.name.cmp(other.name)); // two rows in order: a merge
        place(&self.visits, here).unwrap_or(at)
    }
}

/// Whom a change of a service concerns: its group; those that need it, once it has arrived or is past its soak; those that share
/// its legacy system, once it is past its soak.
fn concerned<'p>(plan: &'p Plan, name: &ServiceName, was: &ServiceState, is: &ServiceState) -> Names<'p> {
    let past = |state: &ServiceState| state.stage.is_past_soak();
    let moved = |state: &ServiceState| state.stage == Stage::Soaking || past(state);
    let mut names = Names::new();
    with_group(plan, name, &mut names);
    if moved(was) != moved(is) || past(was) != past(is) {
        names.extend(plan.dependents(name));
    }
    if past(was) != past(is) {
        let system = plan.services.get(name).and_then(|service| service.legacy.system.as_ref());
        names.extend(system.into_iter().flat_map(|system| plan.tenants(system)));
    }
    names
}
