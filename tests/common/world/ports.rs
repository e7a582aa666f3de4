//! The world as each of the ports: every call is counted, and may be lost, come late, hang, or be the last of its process.

use std::{collections::BTreeSet, task::Poll};

use gapless::{
    engine::{Decision, Effect, Observed, Query, Record, SidesSeen},
    journal::Line,
    ports::{Actuator, Clock, Performed, Reporter, Sensor, Store, StoreError, Version},
};
use jiff::{SignedDuration, Timestamp};

use super::{Inner, Occurrence, Trouble, When, World, process::Sleep};

/// A call of the store: half of it before anything is done, half after.
const STORE_TAKES: SignedDuration = SignedDuration::from_millis(2);
/// A write of a route, one way.
const WIRE_TAKES: SignedDuration = SignedDuration::from_millis(5);

impl World {
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
