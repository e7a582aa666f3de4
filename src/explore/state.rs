//! A state of the exploration: a world, a record, and what of a process outlives a moment.

use std::{
    hash::Hasher,
    sync::{Arc, OnceLock},
};

use super::{
    brain::{RecordIx, Services},
    budget::{Budget, Kind},
    print::Print,
};
use crate::world::{Facts, Happening, Model, Moment, Occurrence, World, flight::Flight, refill};

/// So many of the lowest bits of a fingerprint say how many faults are left.
pub const LEFT_BITS: u32 = 4;

/// How many past looks a stale read may show.
pub const SNAPSHOTS: usize = 2;

/// A state. Its clock stands at 0: what is past has a negative time.
#[derive(Debug, PartialEq, Eq)]
pub struct State {
    /// The world.
    pub world: World,
    /// The record that is committed.
    pub record: RecordIx,
    /// When something is due though nothing changes, as the last look said.
    pub due: Moment,
    /// Whether the loop has to look.
    pub eyes: Eyes,
    /// Faults that may still strike.
    pub left: Budget,
    /// What was seen at the last looks, newest last; kept only while a stale read may strike.
    pub past: Vec<Past>,
    /// Another process that has decided something and not done it yet.
    pub rival: Option<Rival>,
    /// Resumes that people gave so far: each has a number of its own.
    pub resumes: u8,
}
refill!(State { world, record, due, eyes, left, past, rival, resumes });

/// What was seen at a look. All states in which it is the same share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past(Arc<Seen>);

#[derive(Debug, Clone)]
struct Seen {
    facts: Facts,
    print: OnceLock<u64>,
}
impl PartialEq for Seen {
    fn eq(&self, other: &Self) -> bool {
        self.facts == other.facts
    }
}
impl Eq for Seen {}

impl Past {
    /// This was seen.
    pub fn new(facts: Facts) -> Self {
        Self(Arc::new(Seen { facts, print: OnceLock::new() }))
    }
    /// What was seen.
    pub fn facts(&self) -> &Facts {
        &self.0.facts
    }
    /// Changes it, for this state alone.
    pub fn change(&mut self, change: impl FnOnce(&mut Facts)) {
        let seen = Arc::make_mut(&mut self.0);
        seen.print = OnceLock::new();
        change(&mut seen.facts);
    }
    /// Its fingerprint.
    fn print(&self) -> u64 {
        *self.0.print.get_or_init(|| Print::of(&self.0.facts) as u64)
    }
}

/// Whether the loop has to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Eyes {
    /// Something changed since it looked last. It looks before time passes.
    Due,
    /// It looked, and nothing changed since.
    Done,
}

/// A process that was suspended, or does not know that another one leads, between its decision and its commit.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Rival {
    /// The record it will commit; `None`: its decision changes no record, so nothing keeps it from performing.
    pub record: Option<RecordIx>,
    /// What it will perform then, as far as the deadlines allow.
    pub flights: Vec<Flight>,
}
refill!(Rival { record, flights });

/// One step from a state to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// Something happens by itself.
    Happens(Occurrence),
    /// The loop looks, decides, commits and performs.
    Looks(How),
    /// Nothing happens until the next moment at which anything can change.
    Waits,
    /// A fault strikes.
    Strikes(Kind, Happening),
    /// A fault ends, or what is outside the piece under test does something: it costs nothing.
    Outside(Happening),
    /// The effect at this place of the flights is lost.
    Loses(u8),
    /// The effect at this place of the flights is under way for any time.
    Delays(u8),
    /// Another process takes a look and decides.
    RivalDecides,
    /// It commits and performs what it decided.
    RivalActs,
}

/// How a look goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// As it should.
    Well,
    /// The process ends after so many of its effects were sent; the record was committed.
    EndsAfter(u8),
    /// It is shown what was so at one of the last looks, counted from the oldest that is kept.
    Stale(u8),
    /// Only the routes are shown as they were then.
    StaleRoutes(u8),
}

impl State {
    /// The beginning.
    pub fn new(model: &Model, record: RecordIx, left: Budget) -> Self {
        let mut world = World::new(model);
        world.rebase(model);
        Self { world, record, due: Moment::NEVER, eyes: Eyes::Due, left, past: Vec::new(), rival: None, resumes: 0 }
    }

    /// Its fingerprints, where that of its facts is known.
    pub fn print(&self, facts: u128) -> StatePrint {
        let Self { world, record, due, eyes, left: _, past, rival, resumes } = self;
        let World { facts: _, flights, memory } = world;
        let bare = Print::of(&(facts, flights, memory, (record, due, eyes, rival, resumes))) as u64;
        if past.is_empty() {
            return StatePrint { own: bare, bare: None };
        }
        let mut own = Print::new();
        own.write_u64(bare);
        past.iter().for_each(|past| own.write_u64(past.print()));
        StatePrint { own: own.end() as u64, bare: Some(bare) }
    }

    /// What happens by itself now, before time passes.
    pub fn prompt(&self) -> impl Iterator<Item = Occurrence> + '_ {
        let now = self.world.now();
        self.world.pending().filter(move |(at, _)| *at <= now).map(|(_, occurrence)| occurrence)
    }

    /// Effects that arrive at any time.
    pub fn late(&self) -> impl Iterator<Item = Occurrence> + '_ {
        self.world.pending().filter(|(at, _)| *at == Moment::NEVER).map(|(_, occurrence)| occurrence)
    }

    /// The next moment at which anything can change, if the loop has looked and nothing happens now. Of `still` nobody asks for gates.
    pub fn next(&self, model: &Model, still: Services) -> Option<Moment> {
        let now = self.world.now();
        let deadlines =
            self.world.flights.iter().filter(|f| f.due == Moment::NEVER && f.deadline >= now).map(|f| f.deadline.plus(1));
        let due = Some(self.due).filter(|at| *at != Moment::NEVER);
        due.into_iter().chain(self.world.next_but(model, |ix| still.has(ix))).chain(deadlines).filter(|at| *at > now).min()
    }
}

/// The fingerprints of a state but for the faults that are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatePrint {
    own: u64,
    /// Without what a stale read may show, if there is something.
    bare: Option<u64>,
}

impl StatePrint {
    /// Of the state with such faults left.
    pub fn with(&self, left: Left) -> u64 {
        self.own ^ left.0
    }
    /// Of the same without anything that a stale read may show, if there is something.
    pub fn bare(&self, left: Left) -> Option<u64> {
        self.bare.map(|bare| bare ^ left.0)
    }
}

/// What the faults that are left make of a fingerprint. Those that states have most often change its lowest bits alone, so that the
/// same state with more of them left is looked up in the same place ([`super::table::Prints`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left(u64);

impl Left {
    /// Of each of these budgets.
    pub fn all(budgets: impl Iterator<Item = Budget>) -> Vec<(Budget, Self)> {
        let of = |(place, budget)| (budget, if place < 1 << LEFT_BITS { Self(place) } else { Self::other(&budget) });
        (0..).zip(budgets).map(of).collect()
    }
    /// Of any other.
    pub fn other(budget: &Budget) -> Self {
        Self(Print::of(budget) as u64)
    }
}
