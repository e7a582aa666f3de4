//! Which phases may begin, kept up from look to look instead of found anew.

use std::collections::{BTreeMap, BTreeSet};

use super::Names;
use crate::{
    engine::{
        draft::{Draft, Late},
        phase,
        readiness::Obstacle,
        reason::Reason,
        record::ServiceState,
        shared::Shared,
        step::Subject,
    },
    plan::{PhaseName, Plan, ServiceName},
};

/// What is known of the phases.
#[derive(Debug)]
pub struct Phases<'p> {
    plan: &'p Plan,
    late: Late<'p>,
    closed: BTreeMap<&'p PhaseName, Obstacle>,
    /// For each phase, how many of its members, by name, are all on target.
    arrived: BTreeMap<&'p PhaseName, usize>,
    /// Phases that have something to wait for or to do themselves: they are looked at each time.
    lively: BTreeSet<&'p PhaseName>,
    /// Those that have to be stable before another one begins.
    counted: BTreeSet<&'p PhaseName>,
}

impl<'p> Phases<'p> {
    /// Before anything has begun: all that come after another are late, and all are looked at.
    pub fn new(plan: &'p Plan) -> Self {
        let arrived: BTreeMap<&PhaseName, usize> = plan.phases.keys().map(|name| (name, 0)).collect();
        let (lively, counted) = (plan.phases.keys().collect(), phase::counted(plan));
        let mut phases = Self { plan, late: Late::new(), closed: BTreeMap::new(), arrived, lively, counted };
        for name in plan.phases.keys() {
            if let Some(first) = phases.first_ahead(name) {
                phases.late.insert(name, first);
            }
        }
        phases
    }

    /// The first member that is not on target of the first phase before this one that has any.
    fn first_ahead(&self, phase: &PhaseName) -> Option<(&'p PhaseName, &'p ServiceName)> {
        let plan = self.plan;
        let open = |before: &'p PhaseName| {
            let (own, arrived) = self.arrived.get_key_value(before)?;
            Some((*own, plan.members(own).get(*arrived)?))
        };
        plan.phases_before(phase).iter().find_map(open)
    }

    /// Puts what is known into a look.
    pub fn lend(&mut self, draft: &mut Draft<'p, '_>) {
        draft.late = std::mem::take(&mut self.late);
        draft.closed = std::mem::take(&mut self.closed);
    }
    /// Takes it back.
    pub fn take_back(&mut self, draft: &mut Draft<'p, '_>) {
        self.late = std::mem::take(&mut draft.late);
        self.closed = std::mem::take(&mut draft.closed);
    }

    /// Looks at the phases that these changes may concern. Gives the services whose phase stands otherwise now.
    pub fn survey(&mut self, draft: &mut Draft<'p, '_>, changed: &[(&'p ServiceName, Shared<ServiceState>)]) -> Names<'p> {
        let mut concerned = self.lively.clone();
        for (name, _) in changed {
            self.arrive(draft, name, &mut concerned);
        }
        let mut names = Names::new();
        for name in concerned {
            let was = draft.closed.remove(name);
            if let Some(reason) = phase::look(draft, &self.counted, name) {
                draft.closed.insert(name, reason);
            }
            let is = draft.closed.get(name);
            if differ(was.as_ref(), is) {
                names.extend(self.plan.members(name));
            }
            let waits = |reason: &Obstacle| !matches!(reason.0, Reason::Phase { .. });
            let own = || draft.waits.iter().any(|(wait, _)| matches!(&wait.step.of, Subject::Phase(of) if of == name));
            if is.is_some_and(waits) || own() {
                self.lively.insert(name);
            } else {
                self.lively.remove(name);
            }
        }
        names
    }

    /// Takes in that a service may have arrived on target.
    fn arrive(&mut self, draft: &mut Draft<'p, '_>, name: &'p ServiceName, concerned: &mut BTreeSet<&'p PhaseName>) {
        let Some(service) = self.plan.services.get(name) else { return };
        let Some((phase, _)) = self.plan.phases.get_key_value(&service.phase) else { return };
        let members = self.plan.members(phase);
        let Some(arrived) = self.arrived.get_mut(phase) else { return };
        let before = *arrived;
        while members.get(*arrived).is_some_and(|member| draft.is_moved(member)) {
            *arrived += 1;
        }
        if *arrived == before {
            return;
        }
        if *arrived == members.len() {
            concerned.insert(phase); // what comes after its last service may be done
        }
        let waiting: Vec<&'p PhaseName> = draft.late.iter().filter(|(_, (of, _))| *of == phase).map(|(name, _)| *name).collect();
        for name in waiting {
            match self.first_ahead(name) {
                Some(first) => drop(draft.late.insert(name, first)),
                None => {
                    draft.late.remove(name);
                    concerned.insert(name);
                }
            }
        }
    }
}

/// Whether services see any difference. Which service of an earlier phase is waited for makes none.
fn differ(was: Option<&Obstacle>, is: Option<&Obstacle>) -> bool {
    match (was, is) {
        (Some((Reason::Phase { .. }, _)), Some((Reason::Phase { .. }, _))) => false,
        (was, is) => was != is,
    }
}
