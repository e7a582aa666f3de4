//! Everything outside the loop, in memory and in virtual time: routes that accept, programme and take effect after a while,
//! probes that answer, a store, a clock. Every call of a port is counted, and at any of them the process may end.
//!
//! Time moves only when the loop waits, and then to the next thing that happens. A loop that waits for nothing that can
//! happen has missed a wake-up; one that is woken a thousand times in one instant spins. Both fail the test.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use gapless::{
    drive::{DriveError, End, Ports, Until, drive},
    engine::{
        Accepted, Action, Answer, Backend, Decision, Effect, Effective, Event, Intent, Observed, Orders, Owner, Programmed,
        Query, Record, Round, RouteSeen, RunId, Sample, SideSeen, SidesSeen,
    },
    journal::{self, Line},
    plan::{self, Revision, ServiceName, Side, Weight},
    ports::{Actuator, Clock, Performed, Reporter, Sensor, Store, StoreError, Version},
    replay::{Verdict, replay},
};
use jiff::{SignedDuration, Timestamp};

/// How often every probe answers.
const TICK: SignedDuration = SignedDuration::from_millis(500);
/// A call of the store: half of it before anything is done, half after.
const STORE_TAKES: SignedDuration = SignedDuration::from_millis(2);
/// A write of a route, one way.
const WIRE_TAKES: SignedDuration = SignedDuration::from_millis(5);
const PROGRAMMED_AFTER: SignedDuration = SignedDuration::from_millis(30);
const EFFECTIVE_AFTER: SignedDuration = SignedDuration::from_millis(60);
/// No test needs longer.
const LONGEST: SignedDuration = SignedDuration::from_hours(3);

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

    /// Starts a process on what the store holds and lets it run; it is told to stop at `stop_at`.
    pub fn run(&self, until: Until, stop_at: Option<Timestamp>) -> Ran {
        let revision = {
            let mut world = self.lock();
            world.ended = false;
            world.watched.clear();
            world.rounds.clear();
            world.in_flight.clear();
            world.sensor_since = world.now;
            world.news += 1;
            world.revision.clone()
        };
        let port = || Port(self.clone());
        let mut ports = Ports { store: port(), sensor: port(), actuator: port(), clock: port(), reporter: port() };
        let stop = {
            let world = self.clone();
            async move {
                match stop_at {
                    Some(moment) => Sleep::until(&world, moment).await,
                    None => std::future::pending().await,
                }
            }
        };
        let ran = self.execute(pin!(drive(&revision, &mut ports, until, stop)));
        let mut world = self.lock();
        world.ends_at = None;
        world.ends += usize::from(matches!(ran, Ran::Ended));
        world.sleepers.clear();
        drop(world);
        ran
    }

    fn execute(&self, mut process: Pin<&mut impl Future<Output = Result<End, DriveError>>>) -> Ran {
        let woken = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&woken));
        let limit = self.now() + LONGEST;
        let (mut at, mut in_one_instant) = (self.now(), 0);
        loop {
            woken.0.store(false, Ordering::Relaxed);
            let polled = process.as_mut().poll(&mut Context::from_waker(&waker));
            if self.lock().ended {
                return Ran::Ended;
            }
            if let Poll::Ready(end) = polled {
                return Ran::Back(Box::new(end));
            }
            let now = self.now();
            in_one_instant = if now == at { in_one_instant + 1 } else { 0 };
            at = now;
            assert!(
                in_one_instant < 1_000,
                "the loop spins at {now}: {:?}",
                self.log().iter().rev().take(12).collect::<Vec<_>>()
            );
            assert!(now < limit, "the loop never ends: {:?}", self.events().last());
            if !woken.0.load(Ordering::Relaxed) {
                self.advance();
            }
        }
    }

    /// Lets the next thing happen.
    fn advance(&self) {
        let mut world = self.lock();
        let tick = world.watched.iter().any(|query| matches!(query, Query::Gate(..))).then(|| world.next_tick());
        let due = world.due.keys().next().map(|(at, _)| *at);
        let sleeper = world.sleepers.keys().next().map(|(at, _)| *at);
        let next = [tick, due, sleeper].into_iter().flatten().min();
        let next = next.expect("the loop waits for nothing that can happen: it missed a wake-up");
        world.now = next.max(world.now);
        if tick == Some(next) {
            world.tick();
        }
        while let Some(entry) = world.due.first_entry().filter(|entry| entry.key().0 <= next) {
            let occurrence = entry.remove();
            world.occur(occurrence);
        }
        let mut wakers = Vec::new();
        while let Some(entry) = world.sleepers.first_entry().filter(|entry| entry.key().0 <= next) {
            wakers.push(entry.remove());
        }
        drop(world);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Counts a call, and says what is to become of it.
    fn call(&self, port: &'static str) -> Call {
        let mut world = self.lock();
        if world.ended {
            return Call { number: 0, trouble: None };
        }
        world.calls += 1;
        let count = world.counts.entry(port).or_default();
        *count += 1;
        let nth = *count;
        let (at, number) = (world.now, world.calls);
        world.log.push((at, port));
        if world.ends_at == Some((number, When::Before)) {
            world.ended = true;
        }
        let trouble = world.troubles.iter().find(|(of, call, _)| *of == port && *call == nth).map(|(.., trouble)| *trouble);
        Call { number, trouble }
    }

    /// The call did what it does.
    fn done(&self, call: &Call) {
        let mut world = self.lock();
        if world.ends_at == Some((call.number, When::After)) {
            world.ended = true;
        }
    }
    fn is_ended(&self) -> bool {
        self.lock().ended
    }
    /// Nothing happens any more in a process that has ended.
    async fn alive(&self) {
        if self.is_ended() {
            std::future::pending::<()>().await;
        }
    }
    async fn takes(&self, length: SignedDuration) {
        let until = self.now() + length;
        Sleep::until(self, until).await;
    }
}

struct Call {
    number: usize,
    trouble: Option<Trouble>,
}

struct Flag(AtomicBool);
impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Inner {
    fn next(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }
    fn news(&mut self) {
        self.news += 1;
        if let Some(bell) = self.bell.take() {
            bell.wake();
        }
    }
    fn schedule(&mut self, at: Timestamp, occurrence: Occurrence) {
        let key = (at, self.next());
        self.due.insert(key, occurrence);
    }

    fn next_tick(&self) -> Timestamp {
        let since = self.now.duration_since(Timestamp::UNIX_EPOCH).as_millis();
        let tick = TICK.as_millis();
        Timestamp::from_millisecond(i64::try_from((since / tick + 1) * tick).unwrap()).unwrap()
    }
    /// Every probe of the target answers.
    fn tick(&mut self) {
        let names: Vec<ServiceName> = self.routes.keys().cloned().collect();
        for name in names {
            let answer = if (self.bad)(&name, self.shown(&name).weight) { Answer::Bad("500".into()) } else { Answer::Good };
            let round = Round { sent_at: self.now, done_at: self.now, answer };
            self.rounds.entry(name).or_default().push(round);
        }
        self.news();
    }

    /// What real answers show.
    fn shown(&self, name: &ServiceName) -> Effective {
        let route = &self.routes[name];
        let effective_at = route.changed_at + EFFECTIVE_AFTER;
        if self.now >= effective_at {
            Effective { weight: route.weight, since: effective_at.max(self.sensor_since) }
        } else {
            Effective { weight: route.before, since: self.sensor_since.min(route.changed_at) }
        }
    }

    fn occur(&mut self, occurrence: Occurrence) {
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

    fn commit(&mut self, record: &Record, expected: u64) -> Result<u64, StoreError> {
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
    fn check_order(&self, effect: &Effect) {
        assert!(self.now < effect.precondition.deadline, "begun after its deadline: {effect:?}");
        if let Action::SetWeight { service, weight, .. } = &effect.action {
            let order = self.record.services[service].order.expect("nothing is ordered in the record that is committed");
            assert_eq!((order.number, order.weight), (effect.key.number, *weight), "the order is not the one that is committed");
        }
    }
}

/// A moment of virtual time.
struct Sleep {
    world: World,
    moment: Timestamp,
    id: u64,
}
impl Sleep {
    fn until(world: &World, moment: Timestamp) -> Self {
        let id = world.lock().next();
        Self { world: world.clone(), moment, id }
    }
}
impl Future for Sleep {
    type Output = ();
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut world = self.world.lock();
        if world.now >= self.moment {
            return Poll::Ready(());
        }
        world.sleepers.insert((self.moment, self.id), context.waker().clone());
        Poll::Pending
    }
}
impl Drop for Sleep {
    fn drop(&mut self) {
        if let Ok(mut world) = self.world.0.lock() {
            world.sleepers.remove(&(self.moment, self.id));
        }
    }
}

/// The world as each of the ports.
pub struct Port(World);

/// The world as any port.
pub fn port(world: &World) -> Port {
    Port(world.clone())
}

impl Port {
    /// A call of the store: trouble, then what it does, then trouble again.
    async fn store<T>(
        &mut self,
        name: &'static str,
        work: impl FnOnce(&mut Inner) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let call = self.0.call(name);
        self.0.alive().await;
        self.0.takes(STORE_TAKES / 2).await;
        let lost = || Err(StoreError::Unavailable(format!("the answer of {name} was lost")));
        let result = match call.trouble {
            Some(Trouble::Hangs) => std::future::pending().await,
            Some(Trouble::CallLost | Trouble::Late(_)) => lost(),
            Some(Trouble::Conflict) => {
                self.0.lock().version += 1;
                Err(StoreError::Conflict)
            }
            Some(Trouble::AnswerLost) => work(&mut self.0.lock()).and_then(|_| lost()),
            None => work(&mut self.0.lock()),
        };
        self.0.done(&call);
        self.0.alive().await;
        self.0.takes(STORE_TAKES / 2).await;
        result
    }
}

impl Store for Port {
    async fn load(&mut self) -> Result<(Record, Version), StoreError> {
        self.store("load", |world| Ok((world.record.clone(), Version(world.version.to_string())))).await
    }
    async fn append(&mut self, line: &Line) -> Result<(), StoreError> {
        self.store("append", |world| {
            assert_eq!(line.previous, world.record.journal.hash, "not the next line");
            world.journal.truncate(usize::try_from(world.record.journal.seq).unwrap());
            world.journal.push(line.clone());
            Ok(())
        })
        .await
    }
    async fn commit(&mut self, record: &Record, expected: &Version, _: &Decision) -> Result<Version, StoreError> {
        let expected = expected.0.parse().unwrap();
        let (at, late) = {
            let world = self.0.lock();
            let nth = world.counts.get("commit").copied().unwrap_or(0) + 1;
            let late = world.troubles.iter().find_map(|(port, call, trouble)| match trouble {
                Trouble::Late(by) if *port == "commit" && *call == nth => Some(*by),
                _ => None,
            });
            (world.now, late)
        };
        if let Some(by) = late {
            self.0.lock().schedule(at + by, Occurrence::Commit(Box::new(record.clone()), expected));
        }
        self.store("commit", |world| world.commit(record, expected)).await.map(|version| Version(version.to_string()))
    }
    async fn publish(&mut self, _: &Record, _: &Version, _: &Decision) -> Result<Option<Version>, StoreError> {
        self.store("publish", |_| Ok(None)).await
    }
}

impl Sensor for Port {
    fn watch(&mut self, queries: &BTreeSet<Query>) {
        let call = self.0.call("watch");
        if !self.0.is_ended() {
            self.0.lock().watched = queries.clone();
            self.0.done(&call);
        }
    }
    fn seen(&mut self) -> Observed {
        let call = self.0.call("seen");
        let mut world = self.0.lock();
        world.heard = world.news;
        let mut seen = Observed { orders: world.orders.clone(), ..Observed::default() };
        for query in &world.watched {
            match query {
                Query::Orders | Query::OtherGate(..) | Query::Task(_) | Query::Claims(_) => {}
                Query::Route(name) => drop(seen.routes.insert(name.clone(), world.route(name))),
                Query::Side(name, side) => {
                    let sides: &mut SidesSeen = seen.sides.entry(name.clone()).or_default();
                    sides.set(*side, world.side(*side));
                }
                Query::Gate(name, gate) => {
                    let rounds = world.rounds.get(name).cloned().unwrap_or_default();
                    let rounds = rounds.into_iter().rev().take(20).rev().collect();
                    let gates = seen.gates.entry(name.clone()).or_default();
                    gates.insert(gate.clone(), gapless::engine::GateSeen { watched_since: Some(world.sensor_since), rounds });
                }
            }
        }
        drop(world);
        self.0.done(&call);
        seen
    }
    async fn changed(&mut self) {
        let call = self.0.call("changed");
        self.0.alive().await;
        std::future::poll_fn(|context| {
            let mut world = self.0.lock();
            if world.news > world.heard {
                return Poll::Ready(());
            }
            world.bell = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
        self.0.done(&call);
        self.0.alive().await;
    }
}

impl Inner {
    fn route(&self, name: &ServiceName) -> Sample<RouteSeen> {
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
    fn side(&self, _: Side) -> Sample<SideSeen> {
        let side = SideSeen { endpoints: 2, healthy: 2, dead_rounds: 0, backend: Backend::Present };
        Sample { value: Ok(side), taken_at: self.now }
    }
}

/// An effect under way leaves the set of those when its future is dropped, too.
struct InFlight {
    world: World,
    key: String,
}
impl Drop for InFlight {
    fn drop(&mut self) {
        if let Ok(mut world) = self.world.0.lock() {
            world.in_flight.remove(&self.key);
        }
    }
}

impl Actuator for Port {
    async fn perform(&self, effect: &Effect) -> Performed {
        let call = self.0.call("perform");
        self.0.alive().await;
        let key = format!("{} {:?}", effect.key, effect.action);
        {
            let mut world = self.0.lock();
            world.check_order(effect);
            assert!(world.in_flight.insert(key.clone()), "{key} is under way twice");
        }
        let _in_flight = InFlight { world: self.0.clone(), key };
        let (id, sent_at) = {
            let mut world = self.0.lock();
            (world.next(), world.now)
        };
        let arrives = match call.trouble {
            Some(Trouble::CallLost | Trouble::Hangs) => None,
            Some(Trouble::Late(by)) => Some(by),
            _ => Some(WIRE_TAKES),
        };
        if let Some(after) = arrives {
            self.0.lock().schedule(sent_at + after, Occurrence::Apply(id, Box::new(effect.clone())));
        }
        self.0.done(&call); // it has left; that the process ends does not call it back
        self.0.alive().await;
        if call.trouble == Some(Trouble::Hangs) {
            std::future::pending::<()>().await;
        }
        self.0.takes(WIRE_TAKES * 2).await;
        match call.trouble {
            Some(_) => Performed::Unclear("its answer was lost".into()),
            None => self.0.lock().results.remove(&id).expect("it arrived before its answer"),
        }
    }
}

impl Clock for Port {
    fn now(&self) -> Timestamp {
        self.0.now() // not counted: asking the time does nothing
    }
    async fn sleep_until(&self, moment: Timestamp) {
        Sleep::until(&self.0, moment).await;
    }
}

impl Reporter for Port {
    fn decided(&mut self, now: Timestamp, decision: &Decision) {
        let call = self.0.call("decided");
        if !self.0.is_ended() {
            self.0.lock().events.extend(decision.events.iter().map(|event| (now, event.clone())));
            self.0.done(&call);
        }
    }
    fn performed(&mut self, now: Timestamp, effect: &Effect, how: &Performed) {
        let call = self.0.call("performed");
        self.0.lock().performed.push((now, effect.clone(), how.clone()));
        self.0.done(&call);
    }
    fn trouble(&mut self, _: Timestamp, what: &str) {
        let call = self.0.call("trouble");
        self.0.lock().told_trouble.push(what.to_owned());
        self.0.done(&call);
    }
    fn back(&mut self, now: Timestamp, since: Timestamp) {
        let call = self.0.call("back");
        self.0.lock().told_trouble.push(gapless::report::event::back_text(now, since));
        self.0.done(&call);
    }
}
