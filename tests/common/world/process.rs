//! A process in the world: it is polled as long as something wakes it, and time passes only when nothing does.

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use gapless::{
    drive::{DriveError, End, Ports, Until, drive},
    engine::Query,
};
use jiff::{SignedDuration, Timestamp};

use super::{Ran, World, port};

/// No test needs longer.
const LONGEST: SignedDuration = SignedDuration::from_hours(3);

struct Flag(AtomicBool);
impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl World {
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
        let port = || port(self);
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
}

/// A moment of virtual time.
pub(super) struct Sleep {
    world: World,
    moment: Timestamp,
    id: u64,
}
impl Sleep {
    pub(super) fn until(world: &World, moment: Timestamp) -> Self {
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
