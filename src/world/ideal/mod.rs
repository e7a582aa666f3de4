//! The ideal world: every side is healthy, every gate answers well, every piece of work takes what the plan expects of it and
//! people answer when they are asked.
//!
//! *Flow*: [`Ideal::advance`] lets happen what is due, [`Ideal::show`] gives what a sensor would see, [`Ideal::take`] takes a
//! decision's effects and questions, [`Ideal::next`] names the next moment at which anything can change.
//! *Why a world of its own beside [`super::World`]*: that one is copied, hashed and shown whole for every state that is
//! explored. This one shows only what changed, so that a look at a plan of thousands of services costs what the engine does.
//! *Assumptions*: effects arrive at once; what takes time is that traffic follows, that tasks are done, that gates have their
//! rounds. Probes and queries are sent at fixed periods from the start of the run on.
//! *Caveats*: what cannot change any more bears the end of time as its moment, so that it never ages: an answer of an ideal
//! sensor is always fresh.

mod asked;
mod people;
mod rounds;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use self::{
    people::duration,
    rounds::{fill, others_of, others_of_subject, settle, settled, takes},
};
use super::model::numbers;
use crate::{
    engine::{
        About, Accepted, Action, ApprovalSeen, Backend, ClaimsSeen, Decision, Deed, Effect, Effective, Event, GateSeen, Intent,
        Observed, Owner, Programmed, Reason, Record, RouteSeen, Sample, SideSeen, SidesSeen, Stage, Subject, TaskKey, TaskSeen,
        follow::Names,
    },
    plan::{
        Digest, GateName, Plan, Revision, Service, ServiceName, Side, Span, Weight,
        schedule::{Expected, OLD_TTL},
    },
};

/// Something that is going to happen by itself.
#[derive(Debug, Clone)]
enum Due {
    /// Traffic of this service follows the weight that was accepted last.
    Effective(ServiceName),
    /// A doing of a task is over; what it changed holds so long after.
    Done(TaskKey, Span),
    /// People have answered.
    Says(Vec<ApprovalSeen>),
}

/// An ideal world over one plan.
#[derive(Debug, Clone)]
pub struct Ideal<'p> {
    plan: &'p Plan,
    expected: Expected<'p>,
    digest: Digest,
    owner: Owner,
    start: Timestamp,
    people: Span,
    seen: Observed,
    due: BTreeMap<(Timestamp, u64), Due>,
    numbered: u64,
    /// Services whose gates are counted round by round: since when the newest weight is effective.
    exact: BTreeMap<ServiceName, Timestamp>,
    /// The same for gates that are looked at by themselves.
    exact_others: BTreeMap<Subject, Timestamp>,
    /// Questions that were put to people.
    asked: BTreeSet<(About, u32)>,
    /// When gates that are waited for will have their rounds, by whose they are.
    rounds: BTreeMap<Subject, Timestamp>,
    rounds_by_moment: BTreeSet<(Timestamp, Subject)>,
    /// Services whose gates were counted up to the last look.
    filled: Vec<ServiceName>,
    /// Services of which something is new since the last look.
    told: BTreeSet<ServiceName>,
    /// Whether an effect changed at once what a sensor shows.
    news: News,
}

/// Whether there is something to look at that was not there at the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    None,
    Some,
}

/// An answer that never ages.
fn always<T>(value: T) -> Sample<T> {
    Sample { value: Ok(value), taken_at: Timestamp::MAX }
}

fn after(at: Timestamp, span: Span) -> Timestamp {
    at.saturating_add(span.signed()).unwrap_or(Timestamp::MAX)
}

impl<'p> Ideal<'p> {
    /// The world before a run of this revision: all traffic on legacy, everything well. Whoever is asked answers after
    /// `people`.
    pub fn new(revision: &'p Revision, record: &Record, start: Timestamp, people: Span) -> Self {
        let plan = revision.plan();
        let owner = Owner { run: record.run.clone(), name: plan.name.to_string() };
        let mut world = Self {
            plan,
            expected: Expected::of(plan),
            digest: revision.digest().clone(),
            owner,
            start,
            people,
            seen: Observed::default(),
            due: BTreeMap::new(),
            numbered: 0,
            exact: BTreeMap::new(),
            exact_others: BTreeMap::new(),
            asked: BTreeSet::new(),
            rounds: BTreeMap::new(),
            rounds_by_moment: BTreeSet::new(),
            filled: Vec::new(),
            told: BTreeSet::new(),
            news: News::Some,
        };
        for (name, service) in &plan.services {
            world.begin_service(name, service);
        }
        for (name, phase) in &plan.phases {
            let gates = phase.after.values().flat_map(|after| after.gates.keys());
            world.begin_others(&Subject::Phase(name.clone()), gates);
        }
        for (name, bridge) in &plan.bridges {
            world.begin_others(&Subject::Bridge(name.clone()), bridge.gates.keys());
            world.seen.claims.insert(name.clone(), always(ClaimsSeen::default()));
        }
        world
    }

    fn begin_service(&mut self, name: &ServiceName, service: &Service) {
        let route = RouteSeen {
            version: "1".to_owned(),
            owner: None,
            accepted: Accepted::Split(Weight::ZERO),
            mark: None,
            programmed: Programmed::Yes,
            effective: Some(Effective { weight: Weight::ZERO, since: self.start }),
            legacy_active: None,
        };
        self.seen.routes.insert(name.clone(), always(route));
        let load = service.load.map_or(0, |l| u64::from(l.peak.per_second()) * (100 + u64::from(l.headroom_percent)));
        let mut sides = SidesSeen::default();
        for side in Side::BOTH {
            let numbers = numbers(service.side(side), service, load);
            let backend = if numbers.known { Backend::Present } else { Backend::Missing };
            let seen = SideSeen { endpoints: numbers.endpoints, healthy: numbers.endpoints, dead_rounds: 0, backend };
            sides.set(side, always(seen));
        }
        self.seen.sides.insert(name.clone(), sides);
        let gates = service.gates.iter().map(|(gate_name, gate)| (gate_name.clone(), settled(gate)));
        self.seen.gates.insert(name.clone(), gates.collect());
        for (gate_name, gate) in others_of(service) {
            self.seen.other_gates.insert((Subject::from(name), gate_name), settled(gate));
        }
    }

    /// Gates of phases and bridges are always counted round by round: there are few of them.
    fn begin_others<'g>(&mut self, of: &Subject, names: impl Iterator<Item = &'g GateName>) {
        for gate in names {
            self.seen.other_gates.insert((of.clone(), gate.clone()), GateSeen::default());
            self.exact_others.insert(of.clone(), Timestamp::MIN);
        }
    }

    /// What people order from now on.
    pub fn order(&mut self, intent: Intent) {
        self.seen.orders.intent = intent;
        self.seen.orders.by = Some("duty-manager".to_owned());
        self.news = News::Some;
    }

    /// Lets everything happen that is due up to `now`.
    pub fn advance(&mut self, now: Timestamp) {
        while let Some(entry) = self.due.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((at, _), due) = entry.remove_entry();
            match due {
                Due::Effective(name) => self.follow(&name, at),
                Due::Done(key, settles) => {
                    self.tell(&key.of);
                    if others_of_subject(self.plan, &key.of).next().is_some() {
                        self.exact_others.insert(key.of.clone(), at);
                    }
                    let settles_at = (settles > Span::ZERO).then(|| after(at, settles));
                    self.seen.tasks.insert(key, always(TaskSeen::Done { at, settles_at }));
                }
                Due::Says(answers) => {
                    for answer in &answers {
                        if let About::Decommission(name) = &answer.about {
                            self.told.insert(name.clone());
                        }
                    }
                    self.seen.approvals.extend(answers);
                }
            }
        }
        let counted: Vec<Subject> =
            self.rounds_by_moment.iter().take_while(|(at, _)| *at <= now).map(|(_, of)| of.clone()).collect();
        counted.iter().for_each(|of| self.tell(of));
    }

    fn tell(&mut self, of: &Subject) {
        self.told.extend(of.service().cloned());
    }

    /// The services of which something is new since the last look.
    pub fn told(&self) -> &BTreeSet<ServiceName> {
        &self.told
    }

    fn follow(&mut self, name: &ServiceName, at: Timestamp) {
        let Some(Sample { value: Ok(route), .. }) = self.seen.routes.get_mut(name) else { return };
        let Accepted::Split(weight) = route.accepted else { return };
        route.programmed = Programmed::Yes;
        route.effective = Some(Effective { weight, since: at });
        self.exact.insert(name.clone(), at);
        self.told.insert(name.clone());
    }

    /// What a sensor sees at `now`; of gates that are counted round by round only those of `whom`, if that is given. The others
    /// stay as they were when somebody looked last, and never age.
    pub fn show(&mut self, record: &Record, now: Timestamp, whom: Option<&Names<'_>>) -> &Observed {
        self.news = News::None;
        self.told.clear();
        for name in std::mem::take(&mut self.filled) {
            self.seen.gates.get_mut(&name).into_iter().for_each(rest);
        }
        match whom {
            Some(whom) => whom.iter().for_each(|name| self.count(record, now, name)),
            None => self.exact.keys().cloned().collect::<Vec<_>>().iter().for_each(|name| self.count(record, now, name)),
        }
        let (plan, start, seen) = (self.plan, self.start, &mut self.seen);
        self.exact_others.retain(|of, since| {
            let mut counted = of.service().is_none();
            for (name, gate) in others_of_subject(plan, of) {
                let Some(shown) = seen.other_gates.get_mut(&(of.clone(), name)) else { continue };
                fill(gate, start, *since, now, shown);
                counted |= after(*since, takes(gate)) > now;
            }
            counted
        });
        seen.approvals.retain(|answer| !record.approvals_used.contains(&answer.id));
        &self.seen
    }

    /// Counts the rounds of a service's gates up to `now`, if they are counted at all.
    fn count(&mut self, record: &Record, now: Timestamp, name: &ServiceName) {
        let Some(since) = self.exact.get(name).copied() else { return };
        let (Some(service), Some(shown)) = (self.plan.services.get(name), self.seen.gates.get_mut(name)) else { return };
        let counted = match record.services.get(name).map(|s| (s.stage, s.moved_at)) {
            Some((Stage::Soaking, Some(moved))) => service.gates.values().any(|gate| after(moved, takes(gate)) > now),
            Some((Stage::Shifting(_), _)) => true,
            _ => false,
        };
        for ((_, gate), shown) in service.gates.iter().zip(shown.values_mut()) {
            if counted && after(since, takes(gate)) > now {
                fill(gate, self.start, since, now, shown);
            } else {
                settle(gate, shown); // all its rounds speak for the newest weight
            }
        }
        if counted {
            self.filled.push(name.clone());
        } else {
            self.exact.remove(name);
        }
    }

    /// Takes what was decided at `now`: effects are done, people are asked. `visited`: the services that the decision is about, if
    /// not all.
    pub fn take(&mut self, decision: &Decision, now: Timestamp, visited: Option<&Names<'_>>) {
        for event in &decision.events {
            match event {
                Event::TaskDone { task } | Event::TaskFailed { task, .. } => {
                    self.seen.tasks.remove(task);
                }
                Event::Moved { .. } => {
                    let phases = self.exact_others.iter_mut().filter(|(of, _)| matches!(of, Subject::Phase(_)));
                    phases.for_each(|(_, since)| *since = now);
                }
                _ => {}
            }
        }
        for effect in &decision.effects {
            self.perform(effect, now);
        }
        self.forget_rounds(visited);
        for wait in &decision.waits {
            match &wait.reason {
                Reason::Approval { .. } => self.ask(&decision.record, &wait.step.of, &wait.step.step, now),
                Reason::GateSamples { gate, good, wanted } => self.await_rounds(&wait.step.of, gate, wanted - good, now),
                Reason::GateUnknown { gate, .. } => self.await_rounds(&wait.step.of, gate, 1, now),
                _ => {}
            }
        }
    }

    /// Whoever was looked at says anew what it waits for.
    fn forget_rounds(&mut self, visited: Option<&Names<'_>>) {
        let looked_at = |of: &Subject| match (visited, of.service()) {
            (Some(visited), Some(name)) => visited.contains(name),
            _ => true,
        };
        let by_moment = &mut self.rounds_by_moment;
        match visited {
            Some(visited) if visited.len() < self.rounds.len() => {
                let others = self.rounds.keys().filter(|of| of.service().is_none()).cloned();
                for of in visited.iter().map(|name| Subject::from(*name)).chain(others.collect::<Vec<_>>()) {
                    if let Some(at) = self.rounds.remove(&of) {
                        by_moment.remove(&(at, of));
                    }
                }
            }
            _ => self.rounds.retain(|of, at| !looked_at(of) || !by_moment.remove(&(*at, of.clone()))),
        }
    }

    fn perform(&mut self, effect: &Effect, now: Timestamp) {
        match &effect.action {
            Action::SetWeight { service, weight, .. } => {
                let Some(Sample { value: Ok(route), .. }) = self.seen.routes.get_mut(service) else { return };
                if route.mark.as_deref() == Some(effect.key.mark().as_str()) {
                    return;
                }
                renew(route);
                route.accepted = Accepted::Split(*weight);
                route.mark = Some(effect.key.mark());
                route.owner = Some(self.owner.clone());
                route.programmed = Programmed::Pending;
                route.effective = None;
                let follows = self.plan.services.get(service).map_or(Span::ZERO, |s| self.expected.effective(service, s));
                self.later(after(now, follows), Due::Effective(service.clone()));
            }
            Action::Release { service } => {
                let Some(Sample { value: Ok(route), .. }) = self.seen.routes.get_mut(service) else { return };
                renew(route);
                (route.owner, route.mark) = (None, None);
                self.news = News::Some;
                self.told.insert(service.clone());
            }
            Action::EnsureBackend { service, side } => {
                let sides = self.seen.sides.get_mut(service);
                let Some(mut sample) = sides.as_deref().and_then(|sides| sides.get(*side).cloned()) else { return };
                if let Ok(value) = &mut sample.value {
                    value.backend = Backend::Present;
                }
                sides.into_iter().for_each(|sides| sides.set(*side, sample.clone()));
                self.news = News::Some;
                self.told.insert(service.clone());
            }
            Action::Task { task, deed } => {
                if self.seen.tasks.insert(task.clone(), always(TaskSeen::Running)).is_none() {
                    let takes = duration(self.plan, task, deed);
                    let settles = if matches!(deed, Deed::LowerTtl(_)) { OLD_TTL } else { Span::ZERO };
                    self.later(after(now, takes), Due::Done(task.clone(), settles));
                }
            }
            Action::Claim { bridge } | Action::Unclaim { bridge } => {
                let ours = matches!(effect.action, Action::Claim { .. });
                self.seen.claims.insert(bridge.clone(), always(ClaimsSeen { ours, others: BTreeSet::new() }));
                self.news = News::Some;
            }
        }
    }

    fn later(&mut self, at: Timestamp, due: Due) {
        self.numbered += 1;
        self.due.insert((at, self.numbered), due);
    }

    /// When to look next after a decision at `now`; `None`: nothing will ever change.
    pub fn next(&self, decision: &Decision, now: Timestamp) -> Option<Timestamp> {
        if self.news == News::Some {
            return Some(now);
        }
        let due = self.due.first_key_value().map(|((at, _), _)| *at);
        let rounds = self.rounds_by_moment.first().map(|(at, _)| *at);
        [due, decision.due_at, rounds].into_iter().flatten().min().map(|at| at.max(now))
    }
}

/// What was counted never ages: its newest round is taken for one of the end of time.
fn rest(gates: &mut BTreeMap<GateName, GateSeen>) {
    for newest in gates.values_mut().filter_map(|gate| gate.rounds.last_mut()) {
        (newest.sent_at, newest.done_at) = (Timestamp::MAX, Timestamp::MAX);
    }
}

fn renew(route: &mut RouteSeen) {
    let version: u64 = route.version.parse().unwrap_or(0);
    route.version = (version + 1).to_string();
}
