//! Everything outside the loop, in memory and in virtual time: routes that accept, programme and take effect after a while,
//! probes that answer, a store, a clock. Every call of a port is counted, and at any of them the process may end.
//!
//! Time moves only when the loop waits, and then to the next thing that happens. A loop that waits for nothing that can
//! happen has missed a wake-up; one that is woken a thousand times in one instant spins. Both fail the test.
//!
//! Here is what the world is and how a test asks for trouble; [`process`] runs the loop in it, [`outside`] is what happens by itself,
//! [`ports`] what the loop holds of it.

mod outside;
mod ports;
mod process;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
    task::Waker,
};

use gapless::{
    drive::{DriveError, End},
    engine::{Effect, Event, Intent, Orders, Owner, Query, Record, Round, RunId},
    journal::{self, Line},
    plan::{self, Revision, ServiceName, Weight},
    ports::Performed,
    replay::{Verdict, replay},
};
use jiff::{SignedDuration, Timestamp};

pub use self::ports::port;

/// `alpha` and `beta`, two weights each; `needs` is a line of `beta`.
pub fn two_services(needs: &str) -> Revision {
    let service = |name: &str, host: u8, needs: &str| {
        format!(
            "    - name: {name}\n      {needs}\n      legacy: {{ endpoints: [{{ address: 10.1.0.{host}, port: 80 }}] }}\n      \
             target: {{ endpoints: [{{ address: 10.2.0.{host}, port: 80 }}] }}\n      \
             router: {{ webhook: {{ url: 'http://10.3.0.{host}:80/route' }} }}\n      \
             shift: {{ steps: [50, 100], bake: 1s }}\n      soak: {{ for: 2s, guardFor: 1s }}\n      \
             probes: [{{ name: p, every: 500ms, timeout: 400ms, send: {{ http: {{ path: / }} }} }}]\n      \
             gates: [{{ name: g, every: 500ms, failures: 2, check: {{ probe: {{ name: p, successes: 2 }} }} }}]\n"
        )
    };
    let text = format!(
        "apiVersion: gapless.dev/v1alpha1\nkind: MigrationPlan\nmetadata: {{ name: test }}\nspec:\n  services:\n{}{}",
        service("alpha", 1, "needs: []"),
        service("beta", 2, needs),
    );
    plan::read(&text).unwrap_or_else(|refused| panic!("{:#?}", refused.findings)).revision
}

/// When the process ends: at the n-th call of any port, before it does anything or right after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    Before,
    After,
}

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It is done, and nobody hears of it.
    AnswerLost,
    /// It is not done, and nobody hears of that.
    CallLost,
    /// The answer is lost, and it is done so much later.
    Late(SignedDuration),
    /// It never answers and is never done.
    Hangs,
    /// Somebody else wrote the record just before (the store only).
    Conflict,
}

#[derive(Debug, Clone)]
struct Route {
    version: u64,
    owner: Option<Owner>,
    weight: Weight,
    mark: Option<String>,
    changed_at: Timestamp,
    /// What answers showed until the change took effect.
    before: Weight,
}

/// A weight that a route took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub number: u32,
    pub weight: Weight,
}

enum Occurrence {
    Apply(u64, Box<Effect>),
    Commit(Box<Record>, u64),
    News,
}

type Bad = fn(&ServiceName, Weight) -> bool;

struct Inner {
    revision: Revision,
    now: Timestamp,
    sequence: u64,
    due: BTreeMap<(Timestamp, u64), Occurrence>,
    sleepers: BTreeMap<(Timestamp, u64), Waker>,
    // ---- the routes and what is seen of them
    routes: BTreeMap<ServiceName, Route>,
    history: BTreeMap<ServiceName, Vec<Taken>>,
    rounds: BTreeMap<ServiceName, Vec<Round>>,
    bad: Bad,
    orders: Orders,
    watched: BTreeSet<Query>,
    sensor_since: Timestamp,
    news: u64,
    heard: u64,
    bell: Option<Waker>,
    // ---- the store
    record: Record,
    version: u64,
    journal: Vec<Line>,
    // ---- effects
    in_flight: BTreeSet<String>,
    results: BTreeMap<u64, Performed>,
    // ---- what goes wrong
    calls: usize,
    counts: BTreeMap<&'static str, usize>,
    log: Vec<(Timestamp, &'static str)>,
    ends_at: Option<(usize, When)>,
    ended: bool,
    ends: usize,
    troubles: Vec<(&'static str, usize, Trouble)>,
    // ---- what was told
    events: Vec<(Timestamp, Event)>,
    performed: Vec<(Timestamp, Effect, Performed)>,
    told_trouble: Vec<String>,
}

/// The world. All clones are the same one.
#[derive(Clone)]
pub struct World(Arc<Mutex<Inner>>);

/// What a world came to: must not depend on when a process ended.
#[derive(Debug, PartialEq)]
pub struct Upshot {
    pub ended: Option<gapless::engine::Outcome>,
    pub stages: BTreeMap<ServiceName, gapless::engine::Stage>,
    pub history: BTreeMap<ServiceName, Vec<Taken>>,
    pub routes: BTreeMap<ServiceName, (Weight, Option<Owner>)>,
}

/// How a process ended.
#[derive(Debug)]
pub enum Ran {
    /// The loop came back.
    Back(Box<Result<End, DriveError>>),
    /// It was ended at the call that was chosen.
    Ended,
}

impl World {
    pub fn new(revision: &Revision, bad: Bad) -> Self {
        let now: Timestamp = "2026-08-28T20:00:00Z".parse().unwrap();
        let route = Route { version: 1, owner: None, weight: Weight::ZERO, mark: None, changed_at: now, before: Weight::ZERO };
        Self(Arc::new(Mutex::new(Inner {
            routes: revision.plan().services.keys().map(|name| (name.clone(), route.clone())).collect(),
            record: Record::new(RunId("0123456789abcdef".into()), revision, now),
            revision: revision.clone(),
            now,
            sequence: 0,
            due: BTreeMap::new(),
            sleepers: BTreeMap::new(),
            history: BTreeMap::new(),
            rounds: BTreeMap::new(),
            bad,
            orders: Orders::default(),
            watched: BTreeSet::new(),
            sensor_since: now,
            news: 1,
            heard: 0,
            bell: None,
            version: 1,
            journal: Vec::new(),
            in_flight: BTreeSet::new(),
            results: BTreeMap::new(),
            calls: 0,
            counts: BTreeMap::new(),
            log: Vec::new(),
            ends_at: None,
            ended: false,
            ends: 0,
            troubles: Vec::new(),
            events: Vec::new(),
            performed: Vec::new(),
            told_trouble: Vec::new(),
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }
    /// The process ends at the n-th call from now on.
    pub fn ends_at(&self, call: usize, when: When) {
        let mut world = self.lock();
        world.ends_at = Some((world.calls + call, when));
    }
    /// The n-th call of this port goes wrong.
    pub fn trouble(&self, port: &'static str, nth: usize, trouble: Trouble) {
        self.lock().troubles.push((port, nth, trouble));
    }
    pub fn order(&self, intent: Intent) {
        let mut world = self.lock();
        world.orders = Orders { intent, by: Some("a test".into()), ..Orders::default() };
        world.news();
    }
    /// How often a process was ended.
    pub fn ends(&self) -> usize {
        self.lock().ends
    }
    pub fn calls(&self) -> usize {
        self.lock().calls
    }
    pub fn count(&self, port: &'static str) -> usize {
        self.lock().counts.get(port).copied().unwrap_or(0)
    }
    pub fn log(&self) -> Vec<(Timestamp, &'static str)> {
        self.lock().log.clone()
    }
    pub fn now(&self) -> Timestamp {
        self.lock().now
    }
    pub fn events(&self) -> Vec<(Timestamp, Event)> {
        self.lock().events.clone()
    }
    pub fn performed(&self) -> Vec<(Timestamp, Effect, Performed)> {
        self.lock().performed.clone()
    }
    pub fn told_trouble(&self) -> Vec<String> {
        self.lock().told_trouble.clone()
    }
    pub fn record(&self) -> Record {
        self.lock().record.clone()
    }

    pub fn upshot(&self) -> Upshot {
        let world = self.lock();
        Upshot {
            ended: world.record.ended.as_ref().map(|ended| ended.outcome),
            stages: world.record.services.iter().map(|(name, state)| (name.clone(), state.stage)).collect(),
            history: world.history.clone(),
            routes: world.routes.iter().map(|(name, route)| (name.clone(), (route.weight, route.owner.clone()))).collect(),
        }
    }

    /// The journal holds up to the record's head and gives the same decisions again, and no effect was ever taken twice with
    /// different values.
    pub fn audit(&self) {
        let world = self.lock();
        let text: String = world.journal.iter().map(Line::text).collect();
        journal::verify(text.as_bytes(), &world.record.journal).unwrap();
        let lines = &world.journal[..usize::try_from(world.record.journal.seq).unwrap()];
        let replayed = replay(&world.revision, lines, Some(&world.record));
        assert_eq!(replayed.verdict, Verdict::Same);
        assert_eq!(replayed.same, world.record.journal.seq);
        for (name, taken) in &world.history {
            let numbers: Vec<u32> = taken.iter().map(|taken| taken.number).collect();
            let mut rising = numbers.clone();
            rising.sort_unstable();
            rising.dedup();
            assert_eq!(numbers, rising, "{name}: an order was taken twice, or after a newer one: {taken:?}");
        }
    }
}
