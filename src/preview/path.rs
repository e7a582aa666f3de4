//! What each step needs, and the chain of steps that decides when the run is over.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::film::Shot;
use crate::{
    engine::{Reason, Step, StepId, Subject, agenda},
    plan::{PhaseName, Plan, ServiceName},
};

/// The steps of a film by their names, and what each comes after.
pub struct Ties<'f> {
    shots: &'f [Shot],
    places: BTreeMap<&'f StepId, usize>,
    /// When each service was confirmed, and where that is.
    freed: BTreeMap<Timestamp, usize>,
    /// For each step, the places of those that it comes after.
    pub needs: Vec<Vec<usize>>,
}

impl<'f> Ties<'f> {
    /// The ties of a film.
    pub fn of(plan: &Plan, shots: &'f [Shot]) -> Self {
        let places = shots.iter().enumerate().map(|(place, shot)| (&shot.id, place)).collect();
        let confirmed = shots.iter().enumerate().filter(|(_, shot)| shot.id.step == Step::Confirm);
        let freed = confirmed.filter_map(|(place, shot)| Some((shot.end?, place))).collect();
        let mut ties = Self { shots, places, freed, needs: vec![Vec::new(); shots.len()] };
        let last = ties.last_moved(plan);
        let mut newest: BTreeMap<&Subject, usize> = BTreeMap::new();
        let mut moving: BTreeSet<&Subject> = BTreeSet::new();
        for (place, shot) in shots.iter().enumerate() {
            let mut needs: Vec<usize> = Vec::new();
            match newest.insert(&shot.id.of, place) {
                Some(before) => needs.push(before),
                None => needs.extend(ties.first(plan, &shot.id, &last)),
            }
            if matches!(shot.id.step, Step::Prepare | Step::Shift(_) | Step::Task(_)) && !moving.contains(&shot.id.of) {
                let wanted = ties.of_needs(plan, &shot.id);
                if wanted.iter().all(|need| ties.ended_by(*need, shot.start)) {
                    moving.insert(&shot.id.of); // a task of the preparation may come before
                }
                needs.extend(wanted);
            }
            needs.extend(shot.after.as_ref().and_then(|reason| ties.named(reason, &newest)));
            needs.retain(|need| *need != place && ties.ended_by(*need, shot.start));
            needs.sort_unstable();
            needs.dedup();
            if let Some(own) = ties.needs.get_mut(place) {
                *own = needs;
            }
        }
        ties
    }

    fn place(&self, step: Step, of: impl Into<Subject>) -> Option<usize> {
        self.places.get(&step.of(of)).copied()
    }

    /// For each phase, the step that made its last service moved.
    fn last_moved<'p>(&self, plan: &'p Plan) -> BTreeMap<&'p PhaseName, usize> {
        let mut last: BTreeMap<&PhaseName, (Timestamp, usize)> = BTreeMap::new();
        for (name, service) in &plan.services {
            let Some(place) = self.place(Step::Confirm, name) else { continue };
            let Some(end) = self.shots.get(place).and_then(|shot| shot.end) else { continue };
            let own = last.entry(&service.phase).or_insert((end, place));
            *own = (*own).max((end, place));
        }
        last.into_iter().map(|(phase, (_, place))| (phase, place)).collect()
    }

    /// What the first step of a service or a phase comes after.
    fn first(&self, plan: &Plan, id: &StepId, last: &BTreeMap<&PhaseName, usize>) -> Vec<usize> {
        let before = |phase: &PhaseName| {
            let after = plan.phases.get(phase).into_iter().flat_map(|p| p.after.keys());
            after.filter_map(|earlier| last.get(earlier).copied()).collect::<Vec<_>>()
        };
        match &id.of {
            Subject::Phase(name) => before(name),
            Subject::Bridge(_) => Vec::new(),
            Subject::Service(name) => {
                let Some(service) = plan.services.get(name) else { return Vec::new() };
                let of_phase = Subject::Phase(service.phase.clone());
                let tasks = plan.phases.get(&service.phase).into_iter().flat_map(|phase| {
                    let before = agenda::of_phase(phase, crate::plan::PhaseMoment::BeforePhase).iter();
                    before.map(|item| Step::Task(item.name.clone()))
                });
                let begin = [Step::Begin].into_iter().chain(tasks);
                let own: Vec<usize> = begin.filter_map(|step| self.place(step, of_phase.clone())).collect();
                if own.is_empty() { before(&service.phase) } else { own }
            }
        }
    }

    /// The services and bridges that one needs.
    fn of_needs(&self, plan: &Plan, id: &StepId) -> Vec<usize> {
        let Some((name, service)) = id.service().and_then(|name| plan.services.get_key_value(name)) else { return Vec::new() };
        let group = plan.group_of(name).map(|(_, group)| &group.services);
        let outside = |need: &&ServiceName| group.is_none_or(|members| !members.contains(*need));
        let services = service.before().filter(outside).filter_map(|need| self.place(Step::Confirm, need));
        let up = Step::Task(agenda::named::up());
        let bridges = agenda::bridges_of(plan, service).filter_map(|b| self.place(up.clone(), Subject::Bridge(b.clone())));
        services.chain(bridges).collect()
    }

    /// Whether a step was over at a moment.
    fn ended_by(&self, place: usize, at: Timestamp) -> bool {
        self.shots.get(place).and_then(|shot| shot.end).is_some_and(|end| end <= at)
    }

    /// The step that a reason names. `newest`: the last step so far of each.
    fn named(&self, reason: &Reason, newest: &BTreeMap<&Subject, usize>) -> Option<usize> {
        match reason {
            Reason::BridgeNeeded { service, .. } | Reason::Group { service } => newest.get(&Subject::from(service)).copied(),
            Reason::Need { service } => self.place(Step::Confirm, service),
            Reason::NeedEnds { service } | Reason::SharedSystem { service, .. } => self.place(Step::Soak, service),
            Reason::Dependent { service } => self.place(Step::Return, service),
            _ => None,
        }
    }

    /// The chain of steps that decides when this one ends: each began when the one before it let it. The first one first. It
    /// begins with a step whose moment the calendar decided: an earlier end of what came before would not have brought it
    /// forward.
    pub fn chain(&self, last: Option<usize>) -> Vec<usize> {
        let ended = |place: usize| self.shots.get(place).and_then(|shot| shot.end);
        let mut path = Vec::new();
        let mut seen = BTreeSet::new();
        let mut at = last;
        while let Some(place) = at.filter(|place| seen.insert(*place)) {
            path.push(place);
            let Some(shot) = self.shots.get(place).filter(|shot| !by_calendar(shot)) else { break };
            let limit = match shot.after {
                Some(Reason::InMotion { .. } | Reason::TierInMotion { .. }) => {
                    self.freed.range(..=shot.start).next_back().map(|(_, place)| *place)
                }
                _ => None,
            };
            let needs = self.needs.get(place).into_iter().flatten().copied().chain(limit);
            at = needs
                .filter_map(|need| Some((ended(need)?, need)))
                .filter(|(end, _)| *end <= shot.start)
                .max()
                .map(|last| last.1);
        }
        path.reverse();
        path
    }

    /// The step that ends last.
    pub fn last(&self) -> Option<usize> {
        let ended = self.shots.iter().enumerate().filter_map(|(place, shot)| Some((shot.end?, place)));
        ended.max().map(|(_, place)| place)
    }

    /// The confirmation that comes last.
    pub fn last_confirmed(&self) -> Option<usize> {
        self.freed.last_key_value().map(|(_, place)| *place)
    }
}

/// Whether a window or a freeze decided when a step began.
fn by_calendar(shot: &Shot) -> bool {
    matches!(shot.after, Some(Reason::WindowClosed { .. } | Reason::WindowTooShort { .. } | Reason::Frozen { .. }))
}
