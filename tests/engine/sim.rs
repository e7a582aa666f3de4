//! A small world with virtual time for the engine alone: routes that take effect later, effects that are lost or late,
//! sides that die, people. It has its own judge, which looks at what the world went through and not at what the engine thinks.

mod judge;
mod seen;
mod tasks;

pub use self::tasks::{tasks, ticks};

use std::collections::{BTreeMap, BTreeSet};

use gapless::{
    engine::{
        About, Action, Answer, ApprovalSeen, Backend, Consent, Decision, Effect, Event, Orders, Outcome, Owner, Record, Round,
        RunId, Stage, Subject, TaskKey, Unknown, decide, safety,
    },
    journal::{Line, Scribe},
    plan::{Revision, ServiceName, Side, TaskName, Weight, schedule::Durations},
    replay::{Verdict, replay},
};
use jiff::{SignedDuration, Timestamp};

pub const TICK_MS: i64 = 50;
const PROPAGATION_MS: i64 = 20;

/// A route as it really is.
#[derive(Debug, Clone)]
pub struct Route {
    pub weight: Weight,
    pub mark: Option<String>,
    pub owner: Option<Owner>,
    pub version: u64,
    /// When the accepted weights were written; in force `PROPAGATION_MS` later.
    pub written_at: Timestamp,
    pub reachable: bool,
    /// Somebody deleted it.
    pub gone: bool,
    /// Whether the data plane takes new configurations over.
    pub stuck: bool,
    in_force: (Weight, Option<String>),
    seen_since: Option<Timestamp>,
}

/// Health as it really is: healthy endpoints of two.
#[derive(Debug, Clone, Copy)]
pub struct Health {
    pub legacy: u32,
    pub target: u32,
    pub target_errs: bool,
    pub gate_silent: bool,
    /// How legacy and target stand as backends of the route.
    pub backends: [Backend; 2],
    dead_rounds: [u32; 2],
}

pub struct Sim {
    pub revision: Revision,
    pub record: Record,
    pub now: Timestamp,
    pub routes: BTreeMap<ServiceName, Route>,
    pub health: BTreeMap<ServiceName, Health>,
    pub orders: Orders,
    /// What people measured.
    pub durations: Durations,
    rounds: BTreeMap<ServiceName, Vec<Round>>,
    in_flight: Vec<(Timestamp, Effect)>,
    /// What each key stood for when it was used first.
    keys: BTreeMap<String, String>,
    pub lose_next: u32,
    pub delay_next_ms: i64,
    /// What happened, for stories and for reading a failure.
    pub log: Vec<String>,
    pub events: Vec<Event>,
    pub outcome: Option<Outcome>,
    pub commits: usize,
    pub waits: Vec<String>,
    hands_off: bool,
    looking_since: Timestamp,
    /// What people said.
    pub approvals: Vec<ApprovalSeen>,
    /// Tasks that have begun, and when each is done.
    tasks: BTreeMap<TaskKey, Timestamp>,
    /// The highest doing of each task that was begun: lower ones are refused.
    newest: BTreeMap<(Subject, TaskName), u32>,
    pub task_takes_ms: i64,
    /// How long after a task was done what it changed holds everywhere.
    pub settles_ms: i64,
    /// Requests and connections that legacy still has, where the router can tell.
    pub active: BTreeMap<ServiceName, u64>,
    pub failing: BTreeSet<String>,
    pub hanging: BTreeSet<String>,
    /// Gates of phases, bridges and writers that are bad, or give no answer, by name.
    pub bad: BTreeSet<String>,
    pub silent: BTreeSet<String>,
    /// Other runs that count on bridges.
    pub claims: BTreeSet<String>,
    /// Whether this run counts on the bridge.
    pub claimed: bool,
    /// For each service with one writer: whether legacy and target can be written.
    pub writable: BTreeMap<ServiceName, (bool, bool)>,
    /// Who writes the journal, if one is kept, and what was written.
    pub scribe: Option<Scribe>,
    pub lines: Vec<Line>,
}

impl Sim {
    pub fn new(revision: Revision) -> Self {
        let now: Timestamp = "2026-08-28T20:00:00Z".parse().unwrap();
        let record = Record::new(RunId("run-0001".into()), &revision, now);
        let names: Vec<ServiceName> = revision.plan().services.keys().cloned().collect();
        let route = Route {
            weight: Weight::ZERO,
            mark: None,
            owner: None,
            version: 1,
            written_at: now,
            reachable: true,
            gone: false,
            stuck: false,
            in_force: (Weight::ZERO, None),
            seen_since: None,
        };
        let health = Health {
            legacy: 2,
            target: 2,
            target_errs: false,
            gate_silent: false,
            backends: [Backend::Present; 2],
            dead_rounds: [0, 0],
        };
        Self {
            revision,
            record,
            now,
            routes: names.iter().map(|n| (n.clone(), route.clone())).collect(),
            health: names.iter().map(|n| (n.clone(), health)).collect(),
            orders: Orders::default(),
            durations: Durations::default(),
            rounds: names.iter().map(|n| (n.clone(), Vec::new())).collect(),
            in_flight: Vec::new(),
            keys: BTreeMap::new(),
            lose_next: 0,
            delay_next_ms: 5,
            log: Vec::new(),
            events: Vec::new(),
            outcome: None,
            commits: 0,
            waits: Vec::new(),
            hands_off: true,
            looking_since: now,
            approvals: Vec::new(),
            tasks: BTreeMap::new(),
            newest: BTreeMap::new(),
            task_takes_ms: 100,
            settles_ms: 0,
            active: BTreeMap::new(),
            failing: BTreeSet::new(),
            hanging: BTreeSet::new(),
            bad: BTreeSet::new(),
            silent: BTreeSet::new(),
            claims: BTreeSet::new(),
            claimed: false,
            writable: BTreeMap::new(),
            scribe: None,
            lines: Vec::new(),
        }
    }

    pub fn route(&mut self, name: &str) -> &mut Route {
        self.routes.get_mut(name).unwrap()
    }
    pub fn health(&mut self, name: &str) -> &mut Health {
        self.health.get_mut(name).unwrap()
    }
    pub fn stage(&self, name: &str) -> Stage {
        self.record.services[name].stage
    }

    /// A person says yes.
    pub fn approve(&mut self, about: About, approver: &str, groups: &[&str]) {
        self.say(about, approver, groups, Consent::Approved);
    }
    pub fn say(&mut self, about: About, approver: &str, groups: &[&str], answer: Consent) {
        self.approvals.push(ApprovalSeen {
            id: format!("approval-{}", self.approvals.len()),
            run: self.record.run.clone(),
            digest: self.record.digest.clone(),
            about,
            attempt: 0,
            approver: approver.to_owned(),
            groups: groups.iter().map(ToString::to_string).collect(),
            answer,
            at: self.now,
        });
    }

    /// Somebody else writes the weights.
    pub fn drift(&mut self, name: &str, to: Weight) {
        self.hands_off = false;
        let now = self.now;
        let route = self.route(name);
        route.weight = to;
        route.version += 1;
        route.written_at = now;
    }
    /// The process is gone and comes back: all that a sensor remembers is lost.
    pub fn crash(&mut self) {
        self.scribe = self.scribe.take().map(|_| Scribe::default());
        let read: Record = serde_json::from_slice(&serde_json::to_vec(&self.record).unwrap()).unwrap();
        assert_eq!(read, self.record, "what is read back is what was written");
        self.looking_since = self.now;
        for rounds in self.rounds.values_mut() {
            rounds.clear();
        }
        for route in self.routes.values_mut() {
            route.seen_since = None;
        }
    }

    /// The process is away for so long, or comes back on a machine whose clock is behind by so much (negative).
    pub fn away(&mut self, seconds: i64) {
        self.now = self.now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
        self.crash();
    }

    /// Time passes, the world moves, the engine looks once.
    pub fn tick(&mut self) -> Decision {
        self.now = self.now.checked_add(SignedDuration::from_millis(TICK_MS)).unwrap();
        self.deliver();
        self.propagate();
        self.write_access();
        self.probe();
        self.look()
    }

    fn deliver(&mut self) {
        let (due, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.in_flight).into_iter().partition(|(at, _)| *at <= self.now);
        self.in_flight = later;
        for (_, effect) in due {
            self.apply(&effect);
        }
    }

    fn apply(&mut self, effect: &Effect) {
        let now = self.now;
        let what = match &effect.action {
            Action::SetWeight { weight, .. } => format!("weight {weight}"),
            other => format!("{other:?}"),
        };
        let first = self.keys.entry(effect.key.to_string()).or_insert_with(|| what.clone());
        assert_eq!(*first, what, "equal keys mean the same effect: {}", effect.key);
        if let Action::Task { task, deed } = &effect.action {
            return self.begin(task, deed);
        }
        if let Action::Claim { bridge } | Action::Unclaim { bridge } = &effect.action {
            self.claimed = matches!(effect.action, Action::Claim { .. });
            return self.log.push(format!("{} {bridge}", if self.claimed { "claim" } else { "unclaim" }));
        }
        let name = effect.key.step.service().unwrap().clone();
        if let Action::EnsureBackend { side, .. } = effect.action {
            self.log.push(format!("{name} backend {side}"));
            let backend = &mut self.health.get_mut(&name).unwrap().backends[usize::from(side == Side::Target)];
            assert_eq!(*backend, Backend::Missing, "only what is ours to make is made");
            return *backend = Backend::Present;
        }
        let route = self.routes.get_mut(&name).unwrap();
        if effect.precondition.version.as_deref() != Some(&route.version.to_string()) {
            return self.log.push(format!("refused {}", effect.key));
        }
        match &effect.action {
            Action::SetWeight { weight, from, .. } => {
                assert_eq!(route.weight, *from, "a weight is only replaced as it was seen");
                route.weight = *weight;
                route.mark = Some(effect.key.mark());
                route.owner = Some(Owner { run: effect.key.run.clone(), name: "test".into() });
                route.version += 1;
                route.written_at = now;
                route.seen_since = None;
                self.log.push(format!("{name} {}", weight.percent()));
                self.judge_write(&name, *weight, effect.key.direction);
            }
            Action::Release { .. } => {
                route.owner = None;
                route.mark = None;
                route.version += 1;
            }
            Action::EnsureBackend { .. } | Action::Task { .. } | Action::Claim { .. } | Action::Unclaim { .. } => unreachable!(),
        }
    }

    fn propagate(&mut self) {
        for route in self.routes.values_mut() {
            let due = self.now.duration_since(route.written_at) >= SignedDuration::from_millis(PROPAGATION_MS);
            if due && !route.stuck {
                route.in_force = (route.weight, route.mark.clone());
                route.seen_since.get_or_insert(self.now);
            }
        }
    }

    /// A round of every gate each second tick.
    fn probe(&mut self) {
        if self.now.as_millisecond() % (2 * TICK_MS) != 0 {
            return;
        }
        for (name, health) in &mut self.health {
            for (index, healthy) in [health.legacy, health.target].into_iter().enumerate() {
                health.dead_rounds[index] = if healthy == 0 { health.dead_rounds[index] + 1 } else { 0 };
            }
            let answer = if health.gate_silent {
                Answer::Unknown(Unknown::Unreachable("nobody there".into()))
            } else if health.target == 0 || health.target_errs {
                Answer::Bad("status 500".into())
            } else {
                Answer::Good
            };
            let sent_at = self.now.checked_sub(SignedDuration::from_millis(2)).unwrap();
            let rounds = self.rounds.get_mut(name).unwrap();
            rounds.push(Round { sent_at, done_at: self.now, answer });
            if rounds.len() > 12 {
                rounds.remove(0);
            }
        }
    }

    /// The engine looks, its decision is checked, committed, and sent.
    pub fn look(&mut self) -> Decision {
        let seen = self.observed();
        let mut decision = decide(&self.revision, &self.record, &seen, self.now);
        let violations = safety::check(&self.revision, &self.record, &seen, self.now, &decision);
        assert!(violations.is_empty(), "{violations:?}\n{}", self.log.join("\n"));
        let keys: BTreeSet<String> = decision.effects.iter().map(|effect| effect.key.to_string()).collect();
        assert_eq!(keys.len(), decision.effects.len(), "each effect once: {:#?}", decision.effects);
        let again = decide(&self.revision, &decision.record, &seen, self.now);
        assert_eq!(again.record, decision.record, "deciding again without news changes nothing");
        assert!(again.events.is_empty(), "{:?}", again.events);
        if let Some(scribe) = self.scribe.as_mut().filter(|_| decision.record != self.record) {
            let line = scribe.line(&self.revision, &self.record, &decision, &seen, self.now);
            decision.record.journal = line.head.clone();
            self.lines.push(line);
        }
        self.commits += usize::from(decision.record != self.record);
        self.record = decision.record.clone();
        self.outcome = decision.outcome;
        self.waits = decision.waits.iter().map(|w| format!("{}: {}", w.step, w.reason)).collect();
        for event in &decision.events {
            self.log.push(format!("- {event}"));
            self.events.push(event.clone());
        }
        for effect in &decision.effects {
            if self.in_flight.iter().any(|(_, e)| e.key == effect.key) {
                continue;
            }
            if self.lose_next > 0 {
                self.lose_next -= 1;
                continue;
            }
            let due = self.now.checked_add(SignedDuration::from_millis(self.delay_next_ms)).unwrap();
            self.delay_next_ms = 5;
            self.in_flight.push((due, effect.clone()));
        }
        decision
    }

    /// The journal that was kept gives the same decisions again.
    pub fn replays(&self) {
        let replayed = replay(&self.revision, &self.lines, Some(&self.record));
        assert_eq!(replayed.verdict, Verdict::Same, "{}", self.log.join("\n"));
        assert_eq!(replayed.same, u64::try_from(self.lines.len()).unwrap());
    }

    /// The first decision from here on that pleases, told the record that it rested on; that record is in its place again.
    pub fn until_decision(&mut self, pleases: impl Fn(&Record, &Decision) -> bool) -> Decision {
        for _ in 0..4_000 {
            let before = self.record.clone();
            let decision = self.tick();
            if pleases(&before, &decision) {
                self.record = before;
                return decision;
            }
        }
        panic!("there was none: {}", self.log.join("\n"));
    }

    /// Ticks until this holds, at most so many virtual seconds.
    pub fn until(&mut self, seconds: i64, mut done: impl FnMut(&Self) -> bool) {
        for _ in 0..seconds * 1000 / TICK_MS {
            if done(self) {
                return;
            }
            self.tick();
        }
        panic!("did not come about within {seconds} s\nwaits: {:#?}\nlog:\n{}", self.waits, self.log.join("\n"));
    }
    pub fn until_stage(&mut self, name: &str, stage: Stage) {
        self.until(120, |sim| sim.stage(name) == stage);
    }
    pub fn until_outcome(&mut self, outcome: Outcome) {
        self.until(300, |sim| sim.outcome == Some(outcome));
    }
    pub fn written(&self, name: &str) -> Vec<&str> {
        self.log.iter().filter_map(|l| l.strip_prefix(name)?.strip_prefix(' ')).collect()
    }
}
