//! What happens by itself: probes answer, effects arrive and take effect, the store takes a record.

use gapless::{
    engine::{
        Accepted, Action, Answer, Backend, Effect, Effective, Owner, Programmed, Record, Round, RouteSeen, Sample, SideSeen,
    },
    plan::{ServiceName, Side},
    ports::{Performed, StoreError},
};
use jiff::{SignedDuration, Timestamp};

use super::{Inner, Occurrence, Taken};

/// How often every probe answers.
const TICK: SignedDuration = SignedDuration::from_millis(500);
const PROGRAMMED_AFTER: SignedDuration = SignedDuration::from_millis(30);
const EFFECTIVE_AFTER: SignedDuration = SignedDuration::from_millis(60);

impl Inner {
    pub(super) fn next(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }
    pub(super) fn news(&mut self) {
        self.news += 1;
        if let Some(bell) = self.bell.take() {
            bell.wake();
        }
    }
    pub(super) fn schedule(&mut self, at: Timestamp, occurrence: Occurrence) {
        let key = (at, self.next());
        self.due.insert(key, occurrence);
    }

    pub(super) fn next_tick(&self) -> Timestamp {
        let since = self.now.duration_since(Timestamp::UNIX_EPOCH).as_millis();
        let tick = TICK.as_millis();
        Timestamp::from_millisecond(i64::try_from((since / tick + 1) * tick).unwrap()).unwrap()
    }
    /// Every probe of the target answers.
    pub(super) fn tick(&mut self) {
        let names: Vec<ServiceName> = self.routes.keys().cloned().collect();
        for name in names {
            let answer = if (self.bad)(&name, self.shown(&name).weight) { Answer::Bad("500".into()) } else { Answer::Good };
            let round = Round { sent_at: self.now, done_at: self.now, answer };
            self.rounds.entry(name).or_default().push(round);
        }
        self.news();
    }

    /// What real answers show.
    pub(super) fn shown(&self, name: &ServiceName) -> Effective {
        let route = &self.routes[name];
        let effective_at = route.changed_at + EFFECTIVE_AFTER;
        if self.now >= effective_at {
            Effective { weight: route.weight, since: effective_at.max(self.sensor_since) }
        } else {
            Effective { weight: route.before, since: self.sensor_since.min(route.changed_at) }
        }
    }

    pub(super) fn occur(&mut self, occurrence: Occurrence) {
        match occurrence {
            Occurrence::News => self.news(),
            Occurrence::Apply(id, effect) => {
                let how = self.apply(&effect);
                self.results.insert(id, how);
            }
            Occurrence::Commit(record, expected) => drop(self.commit(&record, expected)),
        }
    }

    fn apply(&mut self, effect: &Effect) -> Performed {
        let service = effect.key.step.service().unwrap();
        let now = self.now;
        let owner = Owner { run: effect.key.run.clone(), name: "test".into() };
        let shown = self.shown(service).weight;
        let route = self.routes.get_mut(service).unwrap();
        if route.owner.as_ref().is_some_and(|other| *other != owner) {
            return Performed::Refused("the route has another owner".into());
        }
        if effect.precondition.version.as_ref().is_some_and(|version| *version != route.version.to_string()) {
            return Performed::Refused(format!("the route has version {}", route.version));
        }
        match &effect.action {
            Action::SetWeight { weight, from, .. } => {
                assert_eq!(*from, route.weight, "{service}: the version is right and the weight is not");
                route.before = shown;
                (route.weight, route.mark, route.owner) = (*weight, Some(effect.key.mark()), Some(owner));
                route.changed_at = now;
                self.history.entry(service.clone()).or_default().push(Taken { number: effect.key.number, weight: *weight });
            }
            Action::Release { .. } => route.owner = None,
            Action::EnsureBackend { .. } => return Performed::Done,
            Action::Task { .. } | Action::Claim { .. } | Action::Unclaim { .. } => return Performed::no_part(effect),
        }
        route.version += 1;
        for after in [SignedDuration::ZERO, PROGRAMMED_AFTER, EFFECTIVE_AFTER] {
            self.schedule(now + after, Occurrence::News);
        }
        Performed::Done
    }

    pub(super) fn commit(&mut self, record: &Record, expected: u64) -> Result<u64, StoreError> {
        if self.version != expected {
            return Err(StoreError::Conflict);
        }
        let head = self.journal.last().map(|line| line.head.clone()).unwrap_or_default();
        assert_eq!(record.journal, head, "the record rests on a line that was not written");
        self.record = record.clone();
        self.version += 1;
        Ok(self.version)
    }

    /// What the loop promises about every effect that it begins.
    pub(super) fn check_order(&self, effect: &Effect) {
        assert!(self.now < effect.precondition.deadline, "begun after its deadline: {effect:?}");
        if let Action::SetWeight { service, weight, .. } = &effect.action {
            let order = self.record.services[service].order.expect("nothing is ordered in the record that is committed");
            assert_eq!((order.number, order.weight), (effect.key.number, *weight), "the order is not the one that is committed");
        }
    }

    pub(super) fn route(&self, name: &ServiceName) -> Sample<RouteSeen> {
        let route = &self.routes[name];
        let programmed = self.now >= route.changed_at + PROGRAMMED_AFTER;
        let seen = RouteSeen {
            version: route.version.to_string(),
            owner: route.owner.clone(),
            accepted: Accepted::Split(route.weight),
            mark: route.mark.clone(),
            programmed: if programmed { Programmed::Yes } else { Programmed::Pending },
            effective: Some(self.shown(name)),
            legacy_active: Some(0),
        };
        Sample { value: Ok(seen), taken_at: self.now }
    }
    pub(super) fn side(&self, _: Side) -> Sample<SideSeen> {
        let side = SideSeen { endpoints: 2, healthy: 2, dead_rounds: 0, backend: Backend::Present };
        Sample { value: Ok(side), taken_at: self.now }
    }
}
