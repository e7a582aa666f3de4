//! Two runs in one world: each has its record, its loop and its own view; what both of their plans name is one thing.
//!
//! *Flow*: [`Pair::step`] lets that run look whose turn it is. Until then time passes in both, one event after the other, and what
//! became of a shared route or bridge in one is carried over to the other before anything else happens there.
//! *Guarantees*: the claims that a run sees on a bridge are those that the other run's effects made, from its own record; the
//! owner of a route is the run whose order was accepted there. The same calls give the same runs, to the byte.
//! *Assumptions*: whoever keeps the claims of a bridge takes one order at a time: what another run counts on is not taken down,
//! and what is being taken down is not claimed. At equal moments the first run comes first.
//! *Caveats*: both plans start at one moment; what only one of them names the other knows nothing of.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    clock::Moment,
    facts::{Claim, Lowering, Mark, Route, SideFacts},
    judge::Breach,
    model::{Ix, Model, OURS, RunIx, THEIRS},
    sim::{Look, Sim},
    task::{Access, Change, Stands},
};
use crate::{
    engine::{Invariant, Owner, RunId},
    plan::Revision,
};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Which {
    /// The first.
    One,
    /// The second.
    Two,
}

impl Which {
    /// Both, in their order.
    pub const BOTH: [Self; 2] = [Self::One, Self::Two];

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::One => Self::Two,
            Self::Two => Self::One,
        }
    }
}

/// Two runs in one world.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The first run.
    pub one: Sim,
    /// The second.
    pub two: Sim,
    routes: Vec<(Ix, Ix)>,
    bridges: Vec<(u16, u16)>,
    /// What was broken since the last look.
    broken: Vec<(Which, Breach)>,
}

/// One look of one of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// Whose.
    pub run: Which,
    /// The look.
    pub look: Look,
    /// What the judge objects to in either of them, in the time up to this look.
    pub broken: Vec<(Which, Breach)>,
}

impl Pair {
    /// Runs of these revisions that start at one moment in one ideal world.
    pub fn ideal(one: &Revision, two: &Revision, start: Timestamp) -> Self {
        let ids = [RunId("5e1f0001model".to_owned()), RunId("5e1f0002model".to_owned())];
        let owner = |run: &RunId, revision: &Revision| Owner { run: run.clone(), name: revision.plan().name.to_string() };
        let [first, second] = &ids;
        let others = [owner(second, two), owner(first, one)];
        let [beside, before] = others;
        let model =
            |revision: &Revision, run: &RunId, other| Model::new(Arc::new(revision.clone()), run.clone(), start).beside(other);
        Self::of(Sim::new(Arc::new(model(one, first, beside))), Sim::new(Arc::new(model(two, second, before))))
    }

    /// These two, which start together. What both of their plans name by one router, or by one name of a bridge, is shared.
    pub fn of(one: Sim, two: Sim) -> Self {
        let (first, second) = (one.model.revision().plan(), two.model.revision().plan());
        let of_two = || (0..).zip(second.services.values());
        let routes = (0..).zip(first.services.values());
        let routes =
            routes.flat_map(|(ix, own)| of_two().filter(|(_, other)| other.router == own.router).map(move |(o, _)| (ix, o)));
        let bridges = (0..).zip(one.model.bridges());
        let other = |name| two.model.bridges().iter().position(|other| other == name).and_then(|at| u16::try_from(at).ok());
        let bridges = bridges.filter_map(|(ix, name)| Some((ix, other(name)?)));
        let (routes, bridges) = (routes.collect(), bridges.collect());
        Self { one, two, routes, bridges, broken: Vec::new() }
    }

    /// One of them.
    pub fn run(&self, which: Which) -> &Sim {
        match which {
            Which::One => &self.one,
            Which::Two => &self.two,
        }
    }
    /// The same, to be changed.
    pub fn run_mut(&mut self, which: Which) -> &mut Sim {
        match which {
            Which::One => &mut self.one,
            Which::Two => &mut self.two,
        }
    }

    /// When anything is looked at next, and by whom; `None`: never by itself.
    pub fn next_look(&self) -> Option<(Moment, Which)> {
        let next = |which| self.run(which).next_look().map(|at| (at, which));
        Which::BOTH.into_iter().filter_map(next).min()
    }

    /// Jumps to the next moment at which anything can change for either, and lets that one look. `None`: both have ended, or
    /// nothing will ever happen by itself any more.
    pub fn step(&mut self) -> Option<Turn> {
        loop {
            let (at, run) = self.next_look()?;
            if self.pass_one(at) {
                continue;
            }
            self.wait_until(at);
            let look = self.run_mut(run).step()?;
            self.carry(run);
            return Some(Turn { run, look, broken: std::mem::take(&mut self.broken) });
        }
    }

    /// Lets time pass without a look, at most to the next one.
    pub fn wait_until(&mut self, at: Moment) {
        let at = self.next_look().map_or(at, |(next, _)| next.min(at));
        while self.pass_one(at) {}
        for which in Which::BOTH {
            let breaches = self.run_mut(which).wait_until(at);
            self.broken.extend(breaches.into_iter().map(|breach| (which, breach)));
        }
    }

    /// Lets the next thing happen that happens by itself up to this moment, if there is one. What it changed for the other run
    /// that one looks at.
    fn pass_one(&mut self, upto: Moment) -> bool {
        let event = |sim: &Sim| sim.next_event().filter(|at| *at <= upto);
        let next = Which::BOTH.into_iter().filter_map(|which| event(self.run(which)).map(|at| (at, which))).min();
        let Some((at, which)) = next else { return false };
        let breaches = self.run_mut(which).wait_until(at);
        self.broken.extend(breaches.into_iter().map(|breach| (which, breach)));
        self.carry(which);
        true
    }

    /// Carries over what one of them made of what they share.
    fn carry(&mut self, from: Which) {
        let mut news = false;
        for place in 0..self.bridges.len() {
            news |= self.carry_bridge(from, place).unwrap_or(false);
        }
        for place in 0..self.routes.len() {
            news |= self.carry_route(from, place).unwrap_or(false);
        }
        if news {
            let now = self.run(from).world.now();
            self.run_mut(from.other()).wake(now);
        }
    }

    fn carry_bridge(&mut self, from: Which, place: usize) -> Option<bool> {
        let (one, two) = *self.bridges.get(place)?;
        let (own, theirs) = if from == Which::One { (one, two) } else { (two, one) };
        let sim = self.run(from);
        let facts = *sim.world.facts.bridges.get(usize::from(own))?;
        let lowering = if is_lowering(sim, own) { Lowering::Another } else { Lowering::Nobody };
        let now = self.run(from).world.now();
        let (other, is) = (from.other(), facts.stands);
        let seen = self.run_mut(other).world.facts.bridges.get_mut(usize::from(theirs))?;
        let was = *seen;
        (seen.stands, seen.others, seen.lowering) = (is, facts.ours, lowering);
        let news = was != *seen;
        if was.stands == Access::Open && is == Access::Closed && was.ours == Claim::Claimed {
            let name = self.run(other).model.bridges().get(usize::from(theirs)).map(ToString::to_string).unwrap_or_default();
            let detail = format!("bridge {name} is down at {now} and this run counts on it");
            self.broken.push((other, Breach { invariant: Invariant::Order, service: super::model::NOBODY, detail }));
        }
        Some(news)
    }

    fn carry_route(&mut self, from: Which, place: usize) -> Option<bool> {
        let (one, two) = *self.routes.get(place)?;
        let (own, theirs) = if from == Which::One { (one, two) } else { (two, one) };
        let facts = self.run(from).world.facts.service(own)?;
        let (route, sides) = (turned(facts.route), facts.sides);
        let world = &mut self.run_mut(from.other()).world;
        let seen = world.facts.service_mut(theirs)?;
        let was = seen.route;
        let ([own, other], [legacy, target]) = (seen.sides, sides);
        // Who may write is each plan's own matter.
        let sides = [SideFacts { writes: own.writes, ..legacy }, SideFacts { writes: other.writes, ..target }];
        let news = was != route || seen.sides != sides;
        (seen.route, seen.sides) = (route, sides);
        if was.accepted != route.accepted {
            world.memory.by_hand(theirs, route.accepted);
        }
        Some(news)
    }
}

/// Whether a run is taking a bridge down at this moment.
fn is_lowering(sim: &Sim, bridge: u16) -> bool {
    let mut tasks = sim.model.tasks().iter().zip(&sim.world.facts.tasks);
    tasks.any(|(task, own)| {
        task.change(own.way) == Change::Bridges(bridge, Access::Closed) && matches!(own.stands, Stands::Running(_))
    })
}

/// A route as the other run sees it.
fn turned(route: Route) -> Route {
    let turn = |run: RunIx| if run == OURS { THEIRS } else { OURS };
    let mark = route.mark.map(|mark| Mark { run: turn(mark.run), ..mark });
    Route { owner: route.owner.map(turn), mark, ..route }
}
